from . import connect as connect
from .adex import AdEx as AdEx
from .channels import (
    Gate as Gate,
    Rate as Rate,
    squid_gates as squid_gates,
    traub_miles_gates as traub_miles_gates,
)
from .currents import (
    Constant as Constant,
    Piecewise as Piecewise,
    Ramp as Ramp,
    Sine as Sine,
    Step as Step,
)
from .filter import spike_train_filter as spike_train_filter
from .hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from .interop.brian2 import to_brian2 as to_brian2
from .interop.from_brian2 import from_brian2 as from_brian2
from .interop.nir import (
    from_nir as from_nir,
    to_nir as to_nir,
)
from .izhikevich import Izhikevich as Izhikevich
from .lif import LIF as LIF
from .linearised import (
    jacobian as jacobian,
    state_at as state_at,
)
from .network import SpikingNetwork as SpikingNetwork
from .neuron import Neuron as Neuron
from .noise import OrnsteinUhlenbeck as OrnsteinUhlenbeck
from .phase_plane import (
    FixedPoint as FixedPoint,
    HopfPoint as HopfPoint,
    fixed_points as fixed_points,
    hopf_points as hopf_points,
    nullclines as nullclines,
    reduced_slope as reduced_slope,
)
from .plasticity import (
    STDP as STDP,
    ShortTermPlasticity as ShortTermPlasticity,
)
from .population import Population as Population
from .program import Adaptive as Adaptive
from .projection import Projection as Projection
from .receptors import (
    Alpha as Alpha,
    Delta as Delta,
    DualExponential as DualExponential,
    Exponential as Exponential,
    Gamma as Gamma,
)
from .recording import (
    Record as Record,
    Recording as Recording,
)
from .sources import (
    PoissonSource as PoissonSource,
    SpikeSource as SpikeSource,
)
from .spikes import Spikes as Spikes
from .stream import read_stream as read_stream
from .theory import (
    MeanField as MeanField,
    lif_rate as lif_rate,
    mean_field as mean_field,
    siegert_cv as siegert_cv,
    siegert_rate as siegert_rate,
)
from .trains import (
    Poisson as Poisson,
    SpikeTrains as SpikeTrains,
)
from .tuning import (
    TuningCurve as TuningCurve,
    fi_curve as fi_curve,
)
