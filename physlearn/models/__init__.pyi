from .assembly import Assembly as Assembly
from .assembly_capacity import (
    RetrievalCurve as RetrievalCurve,
)
from .assembly_capacity import (
    accidental_candidates as accidental_candidates,
)
from .assembly_capacity import (
    capacity_exponent as capacity_exponent,
)
from .assembly_capacity import (
    grow_seeds as grow_seeds,
)
from .assembly_capacity import (
    phase_map as phase_map,
)
from .assembly_capacity import (
    retrieval_curve as retrieval_curve,
)
from .assembly_order import (
    AssemblyOrder as AssemblyOrder,
)
from .assembly_order import (
    assembly_order as assembly_order,
)
from .assembly_order import (
    site_labels as site_labels,
)
from .assembly_order import (
    time_to_assembly as time_to_assembly,
)
from .boltzmann import BoltzmannMachine as BoltzmannMachine
from .capacity import (
    CapacityCurve as CapacityCurve,
)
from .capacity import (
    basin_size as basin_size,
)
from .capacity import (
    capacity_curve as capacity_curve,
)
from .capacity import (
    dense_errors as dense_errors,
)
from .capacity import (
    extrapolate as extrapolate,
)
from .capacity import (
    phase_diagram as phase_diagram,
)
from .continuous_hopfield import (
    ContinuousHopfield as ContinuousHopfield,
)
from .continuous_hopfield import (
    FixedPoints as FixedPoints,
)
from .deep_belief import (
    DeepBelief as DeepBelief,
)
from .deep_belief import (
    stack as stack,
)
from .dense_memory import DenseMemory as DenseMemory
from .energy_transformer import EnergyTransformer as EnergyTransformer
from .hopfield import Hopfield as Hopfield
from .landscape import (
    Plane as Plane,
)
from .landscape import (
    energy_plane as energy_plane,
)
from .lattices import (
    cubic_pairs as cubic_pairs,
)
from .lattices import (
    square_pairs as square_pairs,
)
from .lattices import (
    triangular_pairs as triangular_pairs,
)
from .layered_memory import layered_memory as layered_memory
from .linkers import linked as linked
from .mean_field import (
    critical_load as critical_load,
)
from .mean_field import (
    first_step_error as first_step_error,
)
from .mean_field import (
    mean_field_overlap as mean_field_overlap,
)
from .mean_field import (
    retrieval_boundary as retrieval_boundary,
)
from .modern_hopfield import (
    ModernHopfield as ModernHopfield,
)
from .modern_hopfield import (
    Probabilities as Probabilities,
)
from .modern_hopfield import (
    attention as attention,
)
from .modern_hopfield import (
    causal_mask as causal_mask,
)
from .modern_hopfield import (
    multi_head_attention as multi_head_attention,
)
from .modern_hopfield import (
    positional_encoding as positional_encoding,
)
from .nucleation import (
    GrowthProfile as GrowthProfile,
)
from .nucleation import (
    block_energy as block_energy,
)
from .nucleation import (
    critical_size as critical_size,
)
from .nucleation import (
    growth_free_energy as growth_free_energy,
)
from .nucleation import (
    nucleation_barrier as nucleation_barrier,
)
from .nucleation import (
    patch_barrier as patch_barrier,
)
from .observables import (
    binder as binder,
)
from .observables import (
    correlation_length as correlation_length,
)
from .observables import (
    frustrated_plaquettes as frustrated_plaquettes,
)
from .observables import (
    link_overlap as link_overlap,
)
from .observables import (
    magnetisation as magnetisation,
)
from .observables import (
    order_parameter as order_parameter,
)
from .observables import (
    replica_overlap as replica_overlap,
)
from .observables import (
    specific_heat as specific_heat,
)
from .observables import (
    susceptibility as susceptibility,
)
from .patterns import (
    add_noise as add_noise,
)
from .patterns import (
    correlated_patterns as correlated_patterns,
)
from .patterns import (
    digits as digits,
)
from .patterns import (
    erase as erase,
)
from .patterns import (
    flip as flip,
)
from .patterns import (
    from_images as from_images,
)
from .patterns import (
    letters as letters,
)
from .patterns import (
    overlap as overlap,
)
from .patterns import (
    overlap_matrix as overlap_matrix,
)
from .patterns import (
    random_patterns as random_patterns,
)
from .rbm import (
    RBM as RBM,
)
from .rbm import (
    LogLikelihood as LogLikelihood,
)
from .recognition import (
    Recognition as Recognition,
)
from .recognition import (
    concentration_pattern as concentration_pattern,
)
from .recognition import (
    recognise as recognise,
)
from .registration import (
    Registration as Registration,
)
from .registration import (
    registration as registration,
)
from .retrieval import Recall as Recall
from .spin_glass import (
    Ising as Ising,
)
from .spin_glass import (
    PottsModel as PottsModel,
)
from .spin_glass import (
    SpinGlass as SpinGlass,
)
from .spurious import (
    StateKind as StateKind,
)
from .spurious import (
    classify_states as classify_states,
)
from .spurious import (
    survey as survey,
)
from .storage import (
    covariance as covariance,
)
from .storage import (
    dilute as dilute,
)
from .storage import (
    gradient_flow as gradient_flow,
)
from .storage import (
    hebb as hebb,
)
from .storage import (
    perceptron as perceptron,
)
from .storage import (
    projection as projection,
)
from .storage import (
    sequence as sequence,
)
from .storage import (
    storkey as storkey,
)
from .structures import (
    Promiscuity as Promiscuity,
)
from .structures import (
    Structure as Structure,
)
from .structures import (
    promiscuity as promiscuity,
)
from .structures import (
    random_structures as random_structures,
)
from .structures import (
    store as store,
)
