"""Single-variable moves of angles under AnglePairs and AngleBias: the XY model on any graph, with any field.

An angle feels the vector g = h_i + sum_j J_ij (cos x_j, sin x_j) and has the energy -g.(cos x_i, sin x_i).  The heat
bath draws it from von Mises' distribution around g's direction, of concentration |g|/T (Best and Fisher 1979);
Metropolis proposes a new angle anywhere.  Kernels keep cosines and sines, and know angles at the end only.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from physlearn.dynamics.frame import concatenate, separate
from physlearn.dynamics.sites.fields import variables_refusal
from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import uniform
from physlearn.terms.angles import AngleBias, AnglePairs

LEAST = 1e-8  # concentration below which the distribution is uniform to 1 in 10^8
MOST = 1e150  # concentration from which all that is drawn is the middle


def refusal(problem):
    """Why there are no such moves, or None."""
    reason = variables_refusal(problem)
    if reason is not None:
        return reason
    kind = next(iter(problem.system.layers.values())).kind
    if not hasattr(kind, "wrap"):
        return f"its kind {kind} is not Angle"
    other = [type(t).__name__ for t in problem.system.terms if type(t) not in (AnglePairs, AngleBias)]
    if other:
        return f"{other[0]} is not AnglePairs or AngleBias"
    if problem.torques():
        return f"a force is given on the angles of layers {problem.torques()}, which no energy of their period has"
    return None


class AngleMoves:
    """Chains whose angles move one at a time; arguments as of `FieldMoves`, ``shuffle`` as of `LocalMoves`."""

    def __init__(self, problem, state, streams, metropolis, threads, shuffle=False):
        self.system, self.threads, self.metropolis = problem.system, threads, metropolis
        x = concatenate(problem.system, state)
        self.points = np.array(np.stack([np.cos(x), np.sin(x)], -1), order="C")
        self.given = np.where(problem.frame.cluster < 0, x, np.nan)  # kept as they are, not wrapped
        self.order = np.flatnonzero(problem.frame.cluster >= 0)
        self.couplings, self.field = _totals(problem.system)
        self.streams, self.sweeps, self.moved = np.ascontiguousarray(streams), 0, np.zeros(len(x))
        self.orders = np.random.default_rng(self.streams[0].copy()) if shuffle else None

    @property
    def visited(self):
        """Visits so far, per chain."""
        return self.sweeps * len(self.order)

    def run(self, sweeps, temperatures):
        """Visit every free angle ``sweeps`` times; temperatures (sweeps or 1, chains), taken in turn."""
        beta = 1.0 / temperatures
        if self.orders is None:
            self._each(beta, sweeps)
        else:
            for sweep in range(sweeps):
                self.order = self.orders.permutation(self.order)
                self._each(beta[sweep % len(beta)][None], 1)
        self.sweeps += sweeps

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        kind = next(iter(self.system.layers.values())).kind
        x = kind.wrap(np.arctan2(self.points[..., 1], self.points[..., 0]))
        return separate(self.system, np.where(np.isnan(self.given), x, self.given))

    def _each(self, beta, sweeps):
        j = self.couplings

        def work(span):
            visit(
                self.points[span], self.order, j.indptr, j.indices, j.data, self.field,
                np.ascontiguousarray(beta[:, span]), self.metropolis, self.streams[span], sweeps, self.moved[span],
            )  # fmt: skip

        width = -(-len(self.points) // self.threads)
        spans = [slice(k, k + width) for k in range(0, len(self.points), width)]
        if len(spans) == 1:
            work(spans[0])
            return
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(work, spans))


def _totals(system):
    """Sum of the couplings, CSR (n, n), and of the fields, (n, 2)."""
    import scipy.sparse as sp

    n = next(iter(system.layers.values())).size
    j, h = sp.csr_matrix((n, n)), np.zeros((n, 2))
    for term in system.terms:
        if type(term) is AnglePairs:
            j = j + term.matrix(system.theta)
        else:
            h = h + system.theta[term.parameter].reshape(n, 2)
    return sp.csr_matrix(j), h


@kernel
def visit(points, order, indptr, indices, data, field, beta, metropolis, states, sweeps, moved):
    """Visit the angles in order, all chains, points (chains, n, 2) changed in place."""
    for c in range(len(points)):
        p, s, made = points[c], states[c].copy(), 0.0
        for sweep in range(sweeps):
            b = beta[sweep % len(beta), c]
            for i in order:
                u, v = field[i, 0], field[i, 1]
                for k in range(indptr[i], indptr[i + 1]):
                    u += data[k] * p[indices[k], 0]
                    v += data[k] * p[indices[k], 1]
                size = np.sqrt(u * u + v * v)
                if metropolis:
                    turn = 2.0 * np.pi * uniform(s)
                    new_u, new_v = np.cos(turn), np.sin(turn)
                    gain = (u * (new_u - p[i, 0]) + v * (new_v - p[i, 1])) * b
                    if gain < 0.0 and uniform(s) >= np.exp(gain):
                        continue
                elif size * b < LEAST:
                    turn = 2.0 * np.pi * uniform(s)
                    new_u, new_v = np.cos(turn), np.sin(turn)
                else:
                    fall = _fall(size * b, s)  # 1 - cos of the angle from the vector felt
                    across = np.sqrt(max(fall * (2.0 - fall), 0.0))
                    if uniform(s) < 0.5:
                        across = -across
                    along = 1.0 - fall
                    new_u, new_v = (u * along - v * across) / size, (v * along + u * across) / size
                p[i, 0], p[i, 1] = new_u, new_v
                made += 1.0
        states[c, :] = s
        moved[c] += made


@inlined
def _fall(k, s):
    """1 - cos x of an angle of von Mises' distribution of concentration k, as in `physlearn.angles.von_mises`."""
    if not k < MOST:  # too cold to move; NaN, which no rejection would end
        return 0.0
    root = np.sqrt(1.0 + 4.0 * k * k)
    tau = 1.0 + root
    rho = np.sqrt(tau) * (2.0 * k / tau) / (np.sqrt(tau) + np.sqrt(2.0))
    spare = 1.0 - rho if k < 1.0 else (np.sqrt(2.0 * tau) - 1.0 - 1.0 / (2.0 * k + root)) / (2.0 * k)
    excess = spare * spare / (2.0 * rho)
    while True:
        half = np.sin(0.5 * np.pi * uniform(s))
        short = 2.0 * half * half
        fall = excess * short / (excess + 2.0 - short)
        c, accept = k * (excess + fall), uniform(s)
        if c * (2.0 - c) > accept or (c > 0.0 and np.log(c / max(accept, 1e-300)) + 1.0 - c >= 0.0):
            return fall
