"""Gaussian engine of `sample`: independent exact draws where the energy is quadratic.

    E = z.A.z/2 - b.z   =>   z = A^-1 b + sqrt(T) L^-T xi,   A = L L^T,   covariance T A^-1

over the variables that clamps leave free.  On a circuit this is thermal noise (Johnson 1928, Nyquist 1928):
every free mode holds T/2 above the minimum.  Every draw is independent of the last; warm-up and thinning are not
needed.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.blocks import padded
from physlearn.dynamics.frame import separate
from physlearn.dynamics.linear.factor import _cholmod
from physlearn.dynamics.linear.quadratic import equilibria, is_quadratic
from physlearn.dynamics.walk.walkers import BLOCK
from physlearn.rng import Chains

DENSE = 2000  # up to this many free variables A is factored as a dense matrix


def refusal(problem):
    """Why this engine does not apply, or None."""
    if not is_quadratic(problem.system):
        return "the energy is not a sum of terms with `quadratic` over unbounded Real layers"
    if problem.complex:
        return "the state is complex"
    if problem.frame.m > DENSE and _cholmod() is None:
        return f"it has {problem.frame.m} free variables, and beyond {DENSE} needs CHOLMOD: pip install scikit-sparse"
    return None


class Sampler:
    """Independent draws from a Gaussian; ValueError if the quadratic form is not positive definite."""

    def __init__(self, problem, state, streams):
        self.problem, self.chains = problem, problem.batch
        self.proposed = self.accepted = np.zeros(self.chains)
        self.rows = padded(self.chains, BLOCK)
        self.rng = Chains(np.ascontiguousarray(streams[self.rows]))
        eq = equilibria(problem.system, problem.clamps)  # raises where there is no minimum
        blocks = self.rows.reshape(-1, BLOCK)  # products of fixed size: bits do not depend on how many chains run
        self.mean = np.concatenate([eq.states(problem.u[rows], problem.given_force[rows]) for rows in blocks])
        matrix = eq.pattern.reduce(eq.a)
        if problem.frame.m <= DENSE:
            self.colour, self.method = _dense(matrix), "Gaussian (dense Cholesky)"
        else:
            self.colour, self.method = _sparse(matrix), "Gaussian (CHOLMOD)"
        self.x = np.concatenate([state[name].reshape(self.chains, -1) for name in state], 1)

    def warm(self, sweeps, temperature):
        """Nothing: every draw is independent."""

    def run(self, sweeps, temperature):
        """One draw at temperatures (chains,); none if sweeps is 0."""
        if sweeps == 0:
            return
        xi = self.rng.standard_normal((len(self.rows), self.problem.frame.m))
        noise = np.concatenate([self.colour(xi[k : k + BLOCK].T).T for k in range(0, len(xi), BLOCK)])
        x = self.mean + self.problem.frame.spread(np.sqrt(temperature[self.rows, None]) * noise)
        self.x = x[: self.chains]

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return separate(self.problem.system, self.x)


def _dense(matrix):
    """xi (m, r) to L^-T xi."""
    from scipy.linalg import cholesky, get_lapack_funcs

    lower = np.asfortranarray(cholesky(matrix.toarray(), lower=True))
    (solve,) = get_lapack_funcs(("trtrs",), (lower,))  # solve_triangular's checks cost more than a small solve
    return lambda xi: solve(lower, xi, lower=1, trans=1)[0]


def _sparse(matrix):
    """xi (m, r) to P^T L^-T xi, where P A P^T = L L^T."""
    factor = _cholmod().cholesky(matrix, mode="supernodal")
    return lambda xi: factor.apply_Pt(factor.solve_Lt(np.ascontiguousarray(xi), use_LDLt_decomposition=False))
