from .attacks import (
    Attack as Attack,
    fgsm as fgsm,
    pgd as pgd,
)
from .check_gradient import (
    GradientCheck as GradientCheck,
    check_gradient as check_gradient,
)
from .checkpoint import (
    load as load,
    save as save,
)
from .costs import (
    BinaryCrossEntropy as BinaryCrossEntropy,
    CrossEntropy as CrossEntropy,
    Margin as Margin,
    SquaredError as SquaredError,
)
from .data import Assignment as Assignment
from .elbo import NegativeELBO as NegativeELBO
from .input_gradient import input_gradient as input_gradient
from .learn import (
    Training as Training,
    learn as learn,
)
from .optimizers import (
    SGD as SGD,
    Adam as Adam,
)
from .protocols import (
    ContrastRule as ContrastRule,
    Cost as Cost,
    Optimizer as Optimizer,
    PhaseRule as PhaseRule,
)
from .rules.contrastive import (
    ContrastiveHebbian as ContrastiveHebbian,
    CoupledLearning as CoupledLearning,
    DirectedAging as DirectedAging,
    EquilibriumPropagation as EquilibriumPropagation,
    ExactGradient as ExactGradient,
)
from .rules.likelihood import (
    MaximumLikelihood as MaximumLikelihood,
    ReverseKL as ReverseKL,
)
from .rules.molecular import (
    MolecularLearning as MolecularLearning,
    learn_by_diffusion as learn_by_diffusion,
    sharpen as sharpen,
)
from .rules.predictive import PredictiveCoding as PredictiveCoding
from .rules.reward import RewardLearning as RewardLearning
from .rules.sampled import (
    BoltzmannLearning as BoltzmannLearning,
    ContrastiveDivergence as ContrastiveDivergence,
    PersistentContrastiveDivergence as PersistentContrastiveDivergence,
)
from .rules.score import DenoisingScoreMatching as DenoisingScoreMatching
from .schedules import WarmupCosine as WarmupCosine
from .token_cost import TokenCrossEntropy as TokenCrossEntropy
from .trades import (
    Adversary as Adversary,
    Trades as Trades,
)
