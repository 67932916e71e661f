from . import io as io
from . import lagrangians as lagrangians
from . import learning as learning
from . import models as models
from . import plot as plot
from . import study as study
from . import terms as terms
from .audit import check_energy as check_energy
from .dynamics import (
    Annealed as Annealed,
)
from .dynamics import (
    ConvergenceError as ConvergenceError,
)
from .dynamics import (
    DivergenceError as DivergenceError,
)
from .dynamics import (
    Equilibrium as Equilibrium,
)
from .dynamics import (
    Exact as Exact,
)
from .dynamics import (
    Kinetics as Kinetics,
)
from .dynamics import (
    LogZ as LogZ,
)
from .dynamics import (
    Mean as Mean,
)
from .dynamics import (
    Population as Population,
)
from .dynamics import (
    Samples as Samples,
)
from .dynamics import (
    Strip as Strip,
)
from .dynamics import (
    Tempered as Tempered,
)
from .dynamics import (
    Trajectory as Trajectory,
)
from .dynamics import (
    anneal as anneal,
)
from .dynamics import (
    annealed_importance as annealed_importance,
)
from .dynamics import (
    enumerate_states as enumerate_states,
)
from .dynamics import (
    greedy as greedy,
)
from .dynamics import (
    integrate as integrate,
)
from .dynamics import (
    kinetics as kinetics,
)
from .dynamics import (
    ladder as ladder,
)
from .dynamics import (
    population_annealing as population_annealing,
)
from .dynamics import (
    relax as relax,
)
from .dynamics import (
    sample as sample,
)
from .dynamics import (
    tempering as tempering,
)
from .dynamics import (
    transfer_matrix as transfer_matrix,
)
from .energy import (
    Binary as Binary,
)
from .energy import (
    Energy as Energy,
)
from .energy import (
    Local as Local,
)
from .energy import (
    Nudge as Nudge,
)
from .energy import (
    Potts as Potts,
)
from .energy import (
    Readout as Readout,
)
from .energy import (
    Real as Real,
)
from .energy import (
    Spin as Spin,
)
from .energy import (
    System as System,
)
from .energy import (
    energy_terms as energy_terms,
)
from .learning import (
    SGD as SGD,
)
from .learning import (
    Adam as Adam,
)
from .learning import (
    BoltzmannLearning as BoltzmannLearning,
)
from .learning import (
    ContrastiveDivergence as ContrastiveDivergence,
)
from .learning import (
    ContrastiveHebbian as ContrastiveHebbian,
)
from .learning import (
    CoupledLearning as CoupledLearning,
)
from .learning import (
    CrossEntropy as CrossEntropy,
)
from .learning import (
    DenoisingScoreMatching as DenoisingScoreMatching,
)
from .learning import (
    DirectedAging as DirectedAging,
)
from .learning import (
    EquilibriumPropagation as EquilibriumPropagation,
)
from .learning import (
    ExactGradient as ExactGradient,
)
from .learning import (
    Margin as Margin,
)
from .learning import (
    MolecularLearning as MolecularLearning,
)
from .learning import (
    PersistentContrastiveDivergence as PersistentContrastiveDivergence,
)
from .learning import (
    SquaredError as SquaredError,
)
from .learning import (
    check_gradient as check_gradient,
)
from .learning import (
    learn as learn,
)
from .learning import (
    learn_by_diffusion as learn_by_diffusion,
)
from .learning import (
    load as load,
)
from .learning import (
    save as save,
)

__version__: str
