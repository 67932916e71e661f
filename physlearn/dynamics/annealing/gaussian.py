"""A Gaussian of free variables, by its centre and a triangle."""

from __future__ import annotations

import numpy as np


class Gaussian:
    """z = centre + C eps; what a `Bridge` begins with."""

    def __init__(self, centre, factor):
        self.centre, self.factor = centre, factor
        self.log_volume = float(np.sum(np.log(np.diag(factor))) + 0.5 * len(centre) * np.log(2.0 * np.pi))

    @property
    def covariance(self):
        """C C', (m, m)."""
        return self.factor @ self.factor.T

    def sample(self, n, rng):
        """Draws (n, m)."""
        return self.centre + rng.standard_normal((n, len(self.centre))) @ self.factor.T

    def log_density(self, z):
        """log q, (n,)."""
        return -0.5 * np.sum(self._eps(z) ** 2, 1) - self.log_volume

    def score(self, z):
        """Gradient of log q, (n, m)."""
        from scipy.linalg import solve_triangular

        return -solve_triangular(self.factor, self._eps(z).T, lower=True, trans=1).T

    def _eps(self, z):
        from scipy.linalg import solve_triangular

        return solve_triangular(self.factor, (z - self.centre).T, lower=True).T
