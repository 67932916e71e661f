from . import (
    io as io,
    lagrangians as lagrangians,
    learning as learning,
    maps as maps,
    models as models,
    plot as plot,
    study as study,
    terms as terms,
)
from .angles import Angle as Angle
from .audit import (
    check_energy as check_energy,
    check_map as check_map,
)
from .discrete import (
    Clock as Clock,
    Discrete as Discrete,
    SpinOne as SpinOne,
)
from .dynamics import (
    Annealed as Annealed,
    Equilibrium as Equilibrium,
    Exact as Exact,
    Kinetics as Kinetics,
    LogZ as LogZ,
    Mean as Mean,
    Population as Population,
    Samples as Samples,
    Strip as Strip,
    Tempered as Tempered,
    Trajectory as Trajectory,
    anneal as anneal,
    annealed_importance as annealed_importance,
    enumerate_states as enumerate_states,
    greedy as greedy,
    integrate as integrate,
    kinetics as kinetics,
    ladder as ladder,
    population_annealing as population_annealing,
    relax as relax,
    sample as sample,
    tempering as tempering,
    transfer_matrix as transfer_matrix,
)
from .energy import (
    Binary as Binary,
    Energy as Energy,
    Local as Local,
    Nudge as Nudge,
    Potts as Potts,
    Readout as Readout,
    Real as Real,
    Spin as Spin,
    System as System,
)
from .errors import ConvergenceError as ConvergenceError, DivergenceError as DivergenceError
from .learning import (
    SGD as SGD,
    Adam as Adam,
    BinaryCrossEntropy as BinaryCrossEntropy,
    BoltzmannLearning as BoltzmannLearning,
    ContrastiveDivergence as ContrastiveDivergence,
    ContrastiveHebbian as ContrastiveHebbian,
    CoupledLearning as CoupledLearning,
    CrossEntropy as CrossEntropy,
    DenoisingScoreMatching as DenoisingScoreMatching,
    DirectedAging as DirectedAging,
    EquilibriumPropagation as EquilibriumPropagation,
    ExactGradient as ExactGradient,
    Margin as Margin,
    MolecularLearning as MolecularLearning,
    PersistentContrastiveDivergence as PersistentContrastiveDivergence,
    PredictiveCoding as PredictiveCoding,
    SquaredError as SquaredError,
    check_gradient as check_gradient,
    learn as learn,
    learn_by_diffusion as learn_by_diffusion,
    load as load,
    save as save,
)
from .machine import Machine as Machine
from .systems import energy_terms as energy_terms

__version__: str
