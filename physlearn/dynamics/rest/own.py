"""Engine that a system brings itself, a method ``__relax__(problem, tol, max_steps)``.

Circuits of diodes need Newton steps limited junction by junction, of which layers and terms say nothing; `circuits` may
import this package and not the reverse, so the verb hands over.
"""

from __future__ import annotations


def refusal(problem):
    """Why this engine does not apply, or None."""
    if not hasattr(type(problem.system), "__relax__"):
        return "the system brings no engine of its own"
    return problem.unfit(lowers_energy=False)


def solve(problem, tol, max_steps):
    """(z, residual, steps, converged, method)."""
    return problem.system.__relax__(problem, tol, max_steps)
