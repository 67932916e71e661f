"""Metropolis engine of `sample`: compiled, one variable at a time (Metropolis et al. 1953).

A move (a spin's flip, a 0/1 variable's other value, one of the q - 1 other codes at random) is made with
probability min(1, exp(-dE/T)), times 7/8 where |dE| < T/100; to any other angle without that coin, which only ties that
come again need.  Applies where the heat bath does.

Every visit of a variable satisfies detailed balance; a sweep visits them in order, which leaves exp(-E/T)
invariant without satisfying detailed balance as a whole.  Ties need that coin: if all were taken, as in the textbook's
rule, a sweep in order would not be ergodic where ties are common (rings, tori, no couplings at all).
"""

from __future__ import annotations

from physlearn.dynamics.sampling import heatbath
from physlearn.dynamics.sampling.heatbath import refusal

__all__ = ["Sampler", "refusal"]


class Sampler(heatbath.Sampler):
    """Chains under Metropolis moves; see `heatbath.refusal` for what it takes."""

    metropolis = True
