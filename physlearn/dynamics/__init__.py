"""The verbs that move the state: relax."""

from physlearn.dynamics.equilibrium import ConvergenceError, Equilibrium
from physlearn.dynamics.relax import relax

__all__ = ["ConvergenceError", "Equilibrium", "relax"]
