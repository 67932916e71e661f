from . import connect as connect
from .adex import AdEx as AdEx
from .channels import (
    Gate as Gate,
)
from .channels import (
    Rate as Rate,
)
from .channels import (
    squid_gates as squid_gates,
)
from .channels import (
    traub_miles_gates as traub_miles_gates,
)
from .currents import (
    Constant as Constant,
)
from .currents import (
    Piecewise as Piecewise,
)
from .currents import (
    Ramp as Ramp,
)
from .currents import (
    Sine as Sine,
)
from .currents import (
    Step as Step,
)
from .filter import spike_train_filter as spike_train_filter
from .hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from .interop.brian2 import to_brian2 as to_brian2
from .interop.from_brian2 import from_brian2 as from_brian2
from .interop.nir import (
    from_nir as from_nir,
)
from .interop.nir import (
    to_nir as to_nir,
)
from .izhikevich import Izhikevich as Izhikevich
from .lif import LIF as LIF
from .methods import Adaptive as Adaptive
from .network import SpikingNetwork as SpikingNetwork
from .neuron import Neuron as Neuron
from .noise import OrnsteinUhlenbeck as OrnsteinUhlenbeck
from .phase_plane import (
    FixedPoint as FixedPoint,
)
from .phase_plane import (
    HopfPoint as HopfPoint,
)
from .phase_plane import (
    fixed_points as fixed_points,
)
from .phase_plane import (
    hopf_points as hopf_points,
)
from .phase_plane import (
    jacobian as jacobian,
)
from .phase_plane import (
    nullclines as nullclines,
)
from .phase_plane import (
    reduced_slope as reduced_slope,
)
from .phase_plane import (
    state_at as state_at,
)
from .plasticity import (
    STDP as STDP,
)
from .plasticity import (
    ShortTermPlasticity as ShortTermPlasticity,
)
from .population import Population as Population
from .projection import Projection as Projection
from .receptors import (
    Alpha as Alpha,
)
from .receptors import (
    Delta as Delta,
)
from .receptors import (
    DualExponential as DualExponential,
)
from .receptors import (
    Exponential as Exponential,
)
from .receptors import (
    Gamma as Gamma,
)
from .recording import (
    Record as Record,
)
from .recording import (
    Recording as Recording,
)
from .sources import (
    PoissonSource as PoissonSource,
)
from .sources import (
    SpikeSource as SpikeSource,
)
from .spikes import Spikes as Spikes
from .stream import read_stream as read_stream
from .theory import (
    MeanField as MeanField,
)
from .theory import (
    lif_rate as lif_rate,
)
from .theory import (
    mean_field as mean_field,
)
from .theory import (
    siegert_cv as siegert_cv,
)
from .theory import (
    siegert_rate as siegert_rate,
)
from .trains import (
    Poisson as Poisson,
)
from .trains import (
    SpikeTrains as SpikeTrains,
)
from .tuning import (
    TuningCurve as TuningCurve,
)
from .tuning import (
    fi_curve as fi_curve,
)
