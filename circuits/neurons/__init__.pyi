from . import connect as connect
from .analysis.filter import spike_train_filter as spike_train_filter
from .analysis.fixed_points import (
    FixedPoint as FixedPoint,
    HopfPoint as HopfPoint,
    SaddleNode as SaddleNode,
    fixed_points as fixed_points,
    hopf_points as hopf_points,
    saddle_nodes as saddle_nodes,
)
from .analysis.mean_field import (
    MeanField as MeanField,
    mean_field as mean_field,
)
from .analysis.phase_plane import (
    nullclines as nullclines,
    reduced_slope as reduced_slope,
)
from .analysis.theory import (
    lif_rate as lif_rate,
    siegert_cv as siegert_cv,
    siegert_rate as siegert_rate,
)
from .analysis.trains import (
    correlation as correlation,
    correlogram as correlogram,
    psth as psth,
    synchrony as synchrony,
)
from .boltzmann import (
    LIFBoltzmann as LIFBoltzmann,
    lif_boltzmann as lif_boltzmann,
)
from .cells.adex import AdEx as AdEx
from .cells.channels import (
    Gate as Gate,
    Rate as Rate,
    squid_gates as squid_gates,
    traub_miles_gates as traub_miles_gates,
)
from .cells.escape import EscapeLIF as EscapeLIF
from .cells.hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from .cells.izhikevich import Izhikevich as Izhikevich
from .cells.lif import LIF as LIF
from .cells.linearised import (
    jacobian as jacobian,
    state_at as state_at,
)
from .cells.neuron import Neuron as Neuron
from .cells.sources import (
    PoissonSource as PoissonSource,
    SpikeSource as SpikeSource,
)
from .coding.balanced import (
    BalancedNetwork as BalancedNetwork,
    BalancedRun as BalancedRun,
)
from .coding.builders import (
    communication_channel as communication_channel,
    controlled_integrator as controlled_integrator,
    integrator as integrator,
    legendre_memory as legendre_memory,
    lorenz as lorenz,
    oscillator as oscillator,
)
from .coding.code import (
    Connection as Connection,
    PopulationCode as PopulationCode,
)
from .coding.decoders import (
    Decoders as Decoders,
    decoders as decoders,
)
from .coding.ensemble import Ensemble as Ensemble
from .coding.winner import (
    WinnerTakeAll as WinnerTakeAll,
    WinnerTakeAllSTDP as WinnerTakeAllSTDP,
)
from .drive.currents import (
    Constant as Constant,
    Piecewise as Piecewise,
    Ramp as Ramp,
    Sine as Sine,
    Step as Step,
)
from .drive.noise import OrnsteinUhlenbeck as OrnsteinUhlenbeck
from .drive.recorded import SpikeTrains as SpikeTrains
from .drive.signal import Signal as Signal
from .drive.trains import Poisson as Poisson
from .energy import (
    HardwarePrice as HardwarePrice,
    SpikingEnergy as SpikingEnergy,
    hardware_energy as hardware_energy,
    physical_energy as physical_energy,
)
from .engine.closed_loop import ClosedLoop as ClosedLoop
from .engine.recording import (
    Record as Record,
    Recording as Recording,
)
from .engine.stream import read_stream as read_stream
from .interop.brian2 import to_brian2 as to_brian2
from .interop.from_brian2 import from_brian2 as from_brian2
from .interop.nir import (
    from_nir as from_nir,
    to_nir as to_nir,
)
from .network import SpikingNetwork as SpikingNetwork
from .population import Population as Population
from .program import Adaptive as Adaptive
from .spikes import Spikes as Spikes
from .synapses.plasticity import (
    STDP as STDP,
    ShortTermPlasticity as ShortTermPlasticity,
)
from .synapses.projection import Projection as Projection
from .synapses.receptors import (
    NMDA as NMDA,
    Alpha as Alpha,
    Delta as Delta,
    DualExponential as DualExponential,
    Exponential as Exponential,
    Gamma as Gamma,
)
from .synapses.taught import (
    PES as PES,
    Voja as Voja,
)
from .synapses.three_factor import ThreeFactorSTDP as ThreeFactorSTDP
from .tuning import (
    TuningCurve as TuningCurve,
    fi_curve as fi_curve,
)
