from .assembly.buffering import (
    buffer_ratio as buffer_ratio,
    buffered_plant as buffered_plant,
)
from .assembly.capacity import (
    RetrievalCurve as RetrievalCurve,
    accidental_candidates as accidental_candidates,
    capacity_exponent as capacity_exponent,
    retrieval_curve as retrieval_curve,
)
from .assembly.condensates import (
    Condensates as Condensates,
    Phases as Phases,
    binodal as binodal,
)
from .assembly.linkers import linked as linked
from .assembly.mixture import Assembly as Assembly
from .assembly.nucleation import (
    GrowthProfile as GrowthProfile,
    block_energy as block_energy,
    critical_size as critical_size,
    growth_free_energy as growth_free_energy,
    nucleation_barrier as nucleation_barrier,
    patch_barrier as patch_barrier,
)
from .assembly.order import (
    AssemblyOrder as AssemblyOrder,
    assembly_order as assembly_order,
    site_labels as site_labels,
    time_to_assembly as time_to_assembly,
)
from .assembly.promiscuity import (
    Promiscuity as Promiscuity,
    promiscuity as promiscuity,
)
from .assembly.recognition import (
    Recognition as Recognition,
    concentration_pattern as concentration_pattern,
    recognise as recognise,
)
from .assembly.registration import (
    Registration as Registration,
    registration as registration,
)
from .assembly.seeds import (
    grow_seeds as grow_seeds,
    phase_map as phase_map,
)
from .assembly.structures import (
    Structure as Structure,
    random_structures as random_structures,
    store as store,
)
from .boltzmann.deep_belief import (
    DeepBelief as DeepBelief,
    stack as stack,
)
from .boltzmann.machine import BoltzmannMachine as BoltzmannMachine
from .boltzmann.rbm import (
    RBM as RBM,
    LogLikelihood as LogLikelihood,
)
from .generative.denoiser import (
    Shrinkage as Shrinkage,
    map_jacobian as map_jacobian,
    shrinkage as shrinkage,
)
from .generative.mixture import GaussianMixture as GaussianMixture
from .generative.ou import OUProcess as OUProcess
from .generative.phases import (
    clones_agree as clones_agree,
    collapse_time as collapse_time,
    own_weight as own_weight,
    speciation_time as speciation_time,
)
from .generative.tilted import (
    Tilt as Tilt,
    measured as measured,
)
from .generative.tilted_start import (
    TiltedStart as TiltedStart,
    tilted_start as tilted_start,
)
from .generative.transport import tilted_transport as tilted_transport
from .layered.ep import (
    Convolved as Convolved,
    EPNetwork as EPNetwork,
)
from .layered.graph import PredictionGraph as PredictionGraph
from .layered.scaling import (
    RandomFeatures as RandomFeatures,
    best_size as best_size,
    kernel_error as kernel_error,
    power_law as power_law,
)
from .layered.variational import (
    VariationalAutoencoder as VariationalAutoencoder,
    linear_elbo as linear_elbo,
)
from .learned.adversarial import AdversarialPair as AdversarialPair
from .learned.backwards import (
    ancestral as ancestral,
    ddim as ddim,
    probability_flow as probability_flow,
)
from .learned.compare import (
    TwoSample as TwoSample,
    two_sample as two_sample,
)
from .learned.contest import (
    Contest as Contest,
    contest as contest,
)
from .learned.continuous_flow import ContinuousFlow as ContinuousFlow
from .learned.coupling_flow import CouplingFlow as CouplingFlow
from .learned.diffusion import DiffusionModel as DiffusionModel
from .learned.losses import LossBand as LossBand
from .learned.parametrisation import (
    Parametrisation as Parametrisation,
    converted as converted,
)
from .learned.reweighting import (
    Reweighted as Reweighted,
    reweighted as reweighted,
)
from .learned.scales import ScaleByScale as ScaleByScale
from .learned.schedule import NoiseSchedule as NoiseSchedule
from .memory.attention import (
    attention as attention,
    causal_mask as causal_mask,
    multi_head_attention as multi_head_attention,
    positional_encoding as positional_encoding,
)
from .memory.capacity import (
    CapacityCurve as CapacityCurve,
    basin_size as basin_size,
    capacity_curve as capacity_curve,
    dense_errors as dense_errors,
    extrapolate as extrapolate,
    phase_diagram as phase_diagram,
)
from .memory.continuous_hopfield import (
    ContinuousHopfield as ContinuousHopfield,
    FixedPoints as FixedPoints,
)
from .memory.dense_memory import DenseMemory as DenseMemory
from .memory.energy_transformer import EnergyTransformer as EnergyTransformer
from .memory.hopfield import Hopfield as Hopfield
from .memory.landscape import (
    Plane as Plane,
    energy_plane as energy_plane,
)
from .memory.layered_memory import layered_memory as layered_memory
from .memory.mean_field import (
    critical_load as critical_load,
    first_step_error as first_step_error,
    mean_field_overlap as mean_field_overlap,
    retrieval_boundary as retrieval_boundary,
)
from .memory.modern_hopfield import (
    ModernHopfield as ModernHopfield,
    Probabilities as Probabilities,
)
from .memory.patterns import (
    add_noise as add_noise,
    correlated_patterns as correlated_patterns,
    erase as erase,
    flip as flip,
    overlap as overlap,
    overlap_matrix as overlap_matrix,
    random_patterns as random_patterns,
)
from .memory.pictures import (
    digits as digits,
    from_images as from_images,
    letters as letters,
)
from .memory.retrieval import Recall as Recall
from .memory.spurious import (
    StateKind as StateKind,
    classify_states as classify_states,
    survey as survey,
)
from .memory.storage import (
    covariance as covariance,
    dilute as dilute,
    gradient_flow as gradient_flow,
    hebb as hebb,
    perceptron as perceptron,
    projection as projection,
    sequence as sequence,
    storkey as storkey,
)
from .spins.observables import (
    binder as binder,
    correlation_length as correlation_length,
    frustrated_plaquettes as frustrated_plaquettes,
    link_overlap as link_overlap,
    magnetisation as magnetisation,
    order_parameter as order_parameter,
    replica_overlap as replica_overlap,
    specific_heat as specific_heat,
    susceptibility as susceptibility,
)
from .spins.pairs import (
    cubic_pairs as cubic_pairs,
    square_pairs as square_pairs,
    triangular_pairs as triangular_pairs,
)
from .spins.scalar_field import (
    RingField as RingField,
    ScalarField as ScalarField,
)
from .spins.spin_glass import (
    Ising as Ising,
    PottsModel as PottsModel,
    SpinGlass as SpinGlass,
)
