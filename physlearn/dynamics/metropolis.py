"""Metropolis engine of `sample`: compiled, one variable at a time (Metropolis et al. 1953).

A move (a spin's flip, a 0/1 variable's other value, one of the q - 1 other codes at random) is made with
probability min(1, exp(-dE/T)).  Takes what the heat bath takes.

Every visit of a variable satisfies detailed balance; a sweep visits them in order, which leaves exp(-E/T)
invariant without satisfying detailed balance as a whole.  Beware of high temperatures: where no move costs
energy, every one is made, and a sweep flips all spins at once, always, in whatever ``order``; the heat bath has no
such trap.
"""

from __future__ import annotations

from physlearn.dynamics import heatbath
from physlearn.dynamics.heatbath import refusal

__all__ = ["Sampler", "refusal"]


class Sampler(heatbath.Sampler):
    """Chains under Metropolis moves; see `heatbath.refusal` for what it takes."""

    metropolis = True
