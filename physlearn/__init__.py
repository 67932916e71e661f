"""Matter that learns: one energy, four verbs (relax, sample, integrate, learn).

Importing this package loads NumPy and Numba only and compiles nothing; names load when first used.
"""

import importlib
import logging

import numba  # noqa: F401  (part of the contract above: the first kernel finds it loaded)

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # whoever wants messages adds a handler

_HOME = {
    "physlearn.energy": (
        "Binary",
        "Energy",
        "Local",
        "Nudge",
        "Potts",
        "Readout",
        "Real",
        "Spin",
        "System",
        "energy_terms",
    ),
    "physlearn.audit": ("check_energy",),
    "physlearn.dynamics": (
        "Annealed",
        "ConvergenceError",
        "DivergenceError",
        "Equilibrium",
        "Exact",
        "Kinetics",
        "LogZ",
        "Mean",
        "Population",
        "Samples",
        "Strip",
        "Tempered",
        "Trajectory",
        "anneal",
        "annealed_importance",
        "enumerate_states",
        "greedy",
        "integrate",
        "kinetics",
        "ladder",
        "population_annealing",
        "relax",
        "sample",
        "tempering",
        "transfer_matrix",
    ),
    "physlearn.learning": (
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
        "Margin",
        "MolecularLearning",
        "PersistentContrastiveDivergence",
        "SGD",
        "SquaredError",
        "check_gradient",
        "learn",
        "learn_by_diffusion",
        "load",
        "save",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'physlearn' has no attribute {name!r}")


def __dir__():
    return __all__ + ["__version__"]
