from .assembly import Assembly as Assembly
from .assembly_capacity import (
    RetrievalCurve as RetrievalCurve,
    accidental_candidates as accidental_candidates,
    capacity_exponent as capacity_exponent,
    grow_seeds as grow_seeds,
    phase_map as phase_map,
    retrieval_curve as retrieval_curve,
)
from .assembly_order import (
    AssemblyOrder as AssemblyOrder,
    assembly_order as assembly_order,
    site_labels as site_labels,
    time_to_assembly as time_to_assembly,
)
from .boltzmann import BoltzmannMachine as BoltzmannMachine
from .capacity import (
    CapacityCurve as CapacityCurve,
    basin_size as basin_size,
    capacity_curve as capacity_curve,
    dense_errors as dense_errors,
    extrapolate as extrapolate,
    phase_diagram as phase_diagram,
)
from .continuous_hopfield import (
    ContinuousHopfield as ContinuousHopfield,
    FixedPoints as FixedPoints,
)
from .deep_belief import (
    DeepBelief as DeepBelief,
    stack as stack,
)
from .dense_memory import DenseMemory as DenseMemory
from .energy_transformer import EnergyTransformer as EnergyTransformer
from .hopfield import Hopfield as Hopfield
from .landscape import (
    Plane as Plane,
    energy_plane as energy_plane,
)
from .lattices import (
    cubic_pairs as cubic_pairs,
    square_pairs as square_pairs,
    triangular_pairs as triangular_pairs,
)
from .layered_memory import layered_memory as layered_memory
from .linkers import linked as linked
from .mean_field import (
    critical_load as critical_load,
    first_step_error as first_step_error,
    mean_field_overlap as mean_field_overlap,
    retrieval_boundary as retrieval_boundary,
)
from .modern_hopfield import (
    ModernHopfield as ModernHopfield,
    Probabilities as Probabilities,
    attention as attention,
    causal_mask as causal_mask,
    multi_head_attention as multi_head_attention,
    positional_encoding as positional_encoding,
)
from .nucleation import (
    GrowthProfile as GrowthProfile,
    block_energy as block_energy,
    critical_size as critical_size,
    growth_free_energy as growth_free_energy,
    nucleation_barrier as nucleation_barrier,
    patch_barrier as patch_barrier,
)
from .observables import (
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
from .patterns import (
    add_noise as add_noise,
    correlated_patterns as correlated_patterns,
    digits as digits,
    erase as erase,
    flip as flip,
    from_images as from_images,
    letters as letters,
    overlap as overlap,
    overlap_matrix as overlap_matrix,
    random_patterns as random_patterns,
)
from .rbm import (
    RBM as RBM,
    LogLikelihood as LogLikelihood,
)
from .recognition import (
    Recognition as Recognition,
    concentration_pattern as concentration_pattern,
    recognise as recognise,
)
from .registration import (
    Registration as Registration,
    registration as registration,
)
from .retrieval import Recall as Recall
from .spin_glass import (
    Ising as Ising,
    PottsModel as PottsModel,
    SpinGlass as SpinGlass,
)
from .spurious import (
    StateKind as StateKind,
    classify_states as classify_states,
    survey as survey,
)
from .storage import (
    covariance as covariance,
    dilute as dilute,
    gradient_flow as gradient_flow,
    hebb as hebb,
    perceptron as perceptron,
    projection as projection,
    sequence as sequence,
    storkey as storkey,
)
from .structures import (
    Promiscuity as Promiscuity,
    Structure as Structure,
    promiscuity as promiscuity,
    random_structures as random_structures,
    store as store,
)
