"""Slow change of theta: costs, rules, optimisers, learn."""

from physlearn.learning.checkpoint import load, save
from physlearn.learning.costs import CrossEntropy, Margin, SquaredError
from physlearn.learning.gradient import GradientCheck, check_gradient
from physlearn.learning.learn import Training, learn
from physlearn.learning.molecular import MolecularLearning, learn_by_diffusion, sharpen
from physlearn.learning.optimizers import SGD, Adam
from physlearn.learning.rules import (
    ContrastiveHebbian,
    CoupledLearning,
    DirectedAging,
    EquilibriumPropagation,
    ExactGradient,
)
from physlearn.learning.sampling_rules import (
    BoltzmannLearning,
    ContrastiveDivergence,
    PersistentContrastiveDivergence,
)
from physlearn.learning.score import DenoisingScoreMatching

__all__ = [
    "SGD",
    "Adam",
    "BoltzmannLearning",
    "ContrastiveDivergence",
    "ContrastiveHebbian",
    "CoupledLearning",
    "CrossEntropy",
    "DenoisingScoreMatching",
    "DirectedAging",
    "EquilibriumPropagation",
    "ExactGradient",
    "GradientCheck",
    "Margin",
    "MolecularLearning",
    "PersistentContrastiveDivergence",
    "SquaredError",
    "Training",
    "check_gradient",
    "learn",
    "learn_by_diffusion",
    "load",
    "save",
    "sharpen",
]
