"""Metropolis-adjusted Langevin engine of `sample` ("mala"): the Langevin step of `langevin`, accepted or not.

The proposal x' = x + h f + sqrt(2 h T) xi is one leapfrog step of length sqrt(2 h), and Metropolis's and
Hastings's ratio for it is that of `hmc`.  Source: Roberts and Tweedie 1996.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.walk import hmc, step_size as adapt
from physlearn.dynamics.walk.walkers import positive, refusal

__all__ = ["Sampler", "refusal"]


class Sampler(hmc.Sampler):
    """Chains under the Metropolis-adjusted Langevin algorithm.

    Parameters
    ----------
    problem, state, streams
        See `sample`.
    step : float or (chains,) array, optional
        h, in units of x^2 over energy; default adapted to ``target`` by `warm`, for each chain, then kept.
    target : float
        Acceptance to adapt to, in (0, 1).
    """

    name, optimum = "MALA", adapt.MALA

    def __init__(self, problem, state, streams, *, step=None, target=None):
        leap = None if step is None else np.sqrt(2.0 * positive("step", step, problem.batch))
        super().__init__(problem, state, streams, step=leap, leaps=1, target=target, jitter=0.0)

    @property
    def length(self):
        """The step h as users give it, (chains,)."""
        return self.step**2 / 2.0
