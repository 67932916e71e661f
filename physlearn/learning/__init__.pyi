from .checkpoint import (
    load as load,
)
from .checkpoint import (
    save as save,
)
from .costs import (
    CrossEntropy as CrossEntropy,
)
from .costs import (
    Margin as Margin,
)
from .costs import (
    SquaredError as SquaredError,
)
from .gradient import (
    GradientCheck as GradientCheck,
)
from .gradient import (
    check_gradient as check_gradient,
)
from .learn import (
    Training as Training,
)
from .learn import (
    learn as learn,
)
from .molecular import (
    MolecularLearning as MolecularLearning,
)
from .molecular import (
    learn_by_diffusion as learn_by_diffusion,
)
from .molecular import (
    sharpen as sharpen,
)
from .optimizers import (
    SGD as SGD,
)
from .optimizers import (
    Adam as Adam,
)
from .rules import (
    ContrastiveHebbian as ContrastiveHebbian,
)
from .rules import (
    CoupledLearning as CoupledLearning,
)
from .rules import (
    DirectedAging as DirectedAging,
)
from .rules import (
    EquilibriumPropagation as EquilibriumPropagation,
)
from .rules import (
    ExactGradient as ExactGradient,
)
from .sampling_rules import (
    BoltzmannLearning as BoltzmannLearning,
)
from .sampling_rules import (
    ContrastiveDivergence as ContrastiveDivergence,
)
from .sampling_rules import (
    PersistentContrastiveDivergence as PersistentContrastiveDivergence,
)
from .score import DenoisingScoreMatching as DenoisingScoreMatching
