"""OUProcess: the Ornstein-Uhlenbeck process, which turns any law into a Gaussian.

    dx = -kappa x dt + noise dW,  x_t = e^(-kappa t) x_0 + sqrt(v_t) z,  v_t = noise^2 (1 - e^(-2 kappa t))/(2 kappa)

in every coordinate (Uhlenbeck and Ornstein 1930).  Its stationary variance is noise^2/(2 kappa); kappa = 1 and
noise = sqrt 2, the defaults, have variance 1 (the "variance preserving" process of diffusion models).  It is Langevin
dynamics in the parabola kappa x^2/2 at temperature noise^2/2.  The current `OrnsteinUhlenbeck` of `circuits.neurons`
is the same process, given its stationary standard deviation sigma = noise/sqrt(2 kappa) and tau = 1/kappa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.checks import array, count, instance, not_negative, positive
from physlearn.energy import Energy, Real
from physlearn.models.generative.mixture import GaussianMixture
from physlearn.rng import generator
from physlearn.terms import Parabola


@dataclass(frozen=True)
class OUProcess:
    """dx = -kappa x dt + noise dW.

    Parameters
    ----------
    kappa : float
        Rate at which the start is forgotten, 1/s.
    noise : float
        Amplitude of the noise, in units of x per root second; not the stationary deviation, which is
        noise/sqrt(2 kappa).

    Examples
    --------
    >>> import numpy as np
    >>> process = OUProcess()
    >>> print(f"{process.mean(2.0, 1.0):.4f} {process.variance(1.0):.4f} {process.stationary:.1f}")
    0.7358 0.8647 1.0

    The same by the verb, at the process's temperature; Euler and Maruyama's scheme has its own moments:

    >>> from physlearn import integrate
    >>> run = integrate(process.system(1), (0.0, 1.0), x0=np.full((4000, 1), 2.0), dt=0.01, rng=0,
    ...                 temperature=process.temperature, method="euler_maruyama", times=[1.0])
    >>> print(f"{2 * 0.99**100:.4f}", bool(abs(run.final.mean() - 2 * 0.99**100) < 0.06))
    0.7321 True
    """

    kappa: float = 1.0
    noise: float = 2.0**0.5

    def __post_init__(self):
        positive("kappa", self.kappa)
        positive("noise", self.noise)

    @property
    def stationary(self) -> float:
        """Variance of the stationary law N(0, noise^2/(2 kappa))."""
        return self.noise**2 / (2.0 * self.kappa)

    @property
    def temperature(self) -> float:
        """noise^2/2, at which Langevin dynamics in `system` is this process."""
        return self.noise**2 / 2.0

    def system(self, n) -> Energy:
        """The parabola sum kappa x^2/2 over n variables, for `integrate` and `sample`."""
        n = count("n", n, each=8)
        return Energy({"x": (Real(), n)}, [Parabola("x")], {"stiffness": np.full(n, float(self.kappa))})

    def decay(self, t):
        """e^(-kappa t), what is left of the start at times t >= 0."""
        return np.exp(-self.kappa * _times(t))

    def mean(self, x0, t):
        """Mean at time t from x0 (or from a law of that mean)."""
        return self.decay(t) * array("x0", x0)

    def variance(self, t, start=0.0):
        """Variance at time t, from a law of variance ``start``."""
        t = _times(t)
        grown = -np.expm1(-2.0 * self.kappa * t) * self.stationary  # no difference of near numbers at small t
        return array("start", start, low=0.0) * self.decay(t) ** 2 + grown

    def covariance(self, s, t):
        """Covariance of x_s and x_t in the stationary state, noise^2/(2 kappa) e^(-kappa |t - s|)."""
        return self.stationary * np.exp(-self.kappa * np.abs(array("t", t) - array("s", s)))

    def transition(self, x0, t, rng):
        """Draw x_t given x0, exactly, whatever t; shaped like x0."""
        x0, t = array("x0", x0), not_negative("t", t)
        return self.mean(x0, t) + np.sqrt(self.variance(t)) * generator(rng).standard_normal(x0.shape)

    def score(self, x, x0, t):
        """Gradient of log p(x_t = x | x0), -(x - e^(-kappa t) x0)/v_t."""
        return (self.mean(x0, t) - array("x", x)) / self.variance(positive("t", t))

    def noised(self, law, t):
        """The law at time t of what begins in ``law``, a `GaussianMixture`."""
        instance("law", law, GaussianMixture, "a GaussianMixture")
        t = not_negative("t", t)
        return law.noised(float(self.decay(t)), float(self.variance(t)))

    def score_of(self, law):
        """The function score(x, t) of a law under this noise, for `reverse`; ``law`` is a `GaussianMixture`."""
        return NoisedScore(self, instance("law", law, GaussianMixture, "a GaussianMixture"))


@dataclass(frozen=True)
class NoisedScore:
    """score(x, t) of a law under a process; made by `OUProcess.score_of`."""

    process: OUProcess
    law: GaussianMixture

    @property
    def rowwise(self):
        """As of the law: integrated whole, see `physlearn.dynamics.blocks`."""
        return self.law.rowwise

    def __call__(self, x, t):
        """Gradient of log p_t at points (n, d)."""
        return self.process.noised(self.law, t).score(x)


def _times(t):
    return array("t", t, low=0.0)[()]
