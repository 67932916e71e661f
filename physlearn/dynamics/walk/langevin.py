"""Langevin engine of `sample` ("ula"): unadjusted, so its distribution is wrong by first order in the step.

    x' = x - h dE/dx + sqrt(2 h T) xi,    xi standard normal

is Euler and Maruyama's scheme for dx = -dE/dx dt + sqrt(2 T) dW, which leaves exp(-E/T) invariant.  On
E = k x^2/2 its variance is (T/k)/(1 - h k/2), and it is unstable from h k = 2 on.  The engines "mala" and
"hmc" have no such error, so "auto" never takes this one.  Source: Roberts and Tweedie 1996.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.walk.walkers import Walkers, mirror, positive, refusal
from physlearn.errors import ConvergenceError

__all__ = ["Sampler", "refusal"]


class Sampler(Walkers):
    """Chains under unadjusted Langevin dynamics.

    Parameters
    ----------
    problem, state, streams
        See `sample`.
    step : float or (chains,) array
        h, in units of x^2 over energy.  Along a direction of curvature k the variance is too large by the
        factor 1/(1 - h k/2).
    """

    def __init__(self, problem, state, streams, *, step=None):
        if step is None:
            raise ValueError(
                "step: 'ula' needs one, its error is of first order in it; give step=, or use 'mala' or 'hmc', which "
                "find theirs and have no such error"
            )
        super().__init__(problem, state, streams)
        self.step = positive("step", step, self.chains)
        self.proposed = self.accepted = np.zeros(self.chains)
        self.method = "ULA"

    def run(self, sweeps, temperature):
        """Take ``sweeps`` steps at temperatures (chains,); ConvergenceError if chains run away."""
        h = self.step[self.rows, None]
        noise = np.sqrt(2.0 * h * temperature[self.rows, None])
        with np.errstate(all="ignore"):
            for _ in range(sweeps):
                kick = h * self.force + noise * self.rng.standard_normal(self.z.shape)
                self.z = self.z + kick if self.walls is None else mirror(self.z + kick, *self.walls)[0]
                self.force = self.force_at(self.z)
        if (lost := self.ran_away()).size:
            raise ConvergenceError(
                f"sample: {lost.size} of {self.chains} chains ran away (to infinity or NaN) under 'ula', chain "
                f"{lost[0]} among them, with step {self.step[lost[0]]:.3g}; a step over 2/curvature is unstable. "
                "Lower step, or use 'hmc'",
                self.state(),
            )
