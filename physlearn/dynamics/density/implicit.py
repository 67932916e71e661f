"""Time steps of a density that keep its mass, and small numbers beside large ones: extrapolated implicit Euler.

    p(t + h) = sum_k w_k (1 - (h/k) A)^-k p(t),   k = 1..6

is of order 6, and its parts are probabilities times numbers (each (1 - tau A)^-1 is a stochastic matrix), so that in
the 1-norm nothing grows, whatever the potential (Deuflhard 1985).  Forms that divide p by exp(-V/T) or by its root
carry a density in a steep wall as e^(V/2T) and lose all else in its rounding.  On a line the solution takes no
differences: every number of the density is right to rounding, as in Grassmann, Taksar and Heyman 1985.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from physlearn.kernels.jit import kernel

ORDER = 6
_PARTS = range(1, ORDER + 1)


def _weights(parts):
    """Weights with which (1 - (h/k) A)^-k, k in ``parts``, give the limit of many parts; zero for the other k."""
    return np.array([prod(k / (k - j) for j in parts if j != k) if k in parts else 0.0 for k in _PARTS])


BEST, WORSE = _weights(_PARTS), _weights(range(2, ORDER + 1))


class Line:
    """(1 - tau A)^-1 of cells in a row, with rates ``there`` from i to i + 1 and ``back`` from i + 1 to i."""

    def __init__(self, cells, pairs, there, back):
        self.there, self.back = np.ascontiguousarray(there), np.ascontiguousarray(back)
        self.leave = max(np.max(there), np.max(back))

    def __call__(self, p, tau, times):
        """Apply it ``times`` times."""
        out = p.copy()
        implicit(out, self.there, self.back, tau, times, np.empty(len(p)), np.empty(len(p)))
        return out


class Net:
    """(1 - tau A)^-1 of cells joined by any faces, by sparse factorisation, kept for the last few tau."""

    def __init__(self, cells, pairs, there, back):
        import scipy.sparse as sp

        rows = np.concatenate([pairs[:, 1], pairs[:, 0], pairs[:, 0], pairs[:, 1]])
        columns = np.concatenate([pairs[:, 0], pairs[:, 1], pairs[:, 0], pairs[:, 1]])
        data = np.concatenate([there, back, -there, -back])
        self.matrix: Any = sp.csc_matrix((data, (rows, columns)), (cells, cells))
        self.leave = -self.matrix.diagonal().min()
        self.factors: dict[float, Any] = {}

    def __call__(self, p, tau, times):
        """Apply it ``times`` times."""
        import scipy.sparse as sp
        from scipy.sparse.linalg import splu

        if tau not in self.factors:
            if len(self.factors) > 4 * ORDER:
                self.factors.clear()
            unit = sp.identity(self.matrix.shape[0], format="csc")
            self.factors[tau] = splu((unit - tau * self.matrix).tocsc(), permc_spec="MMD_AT_PLUS_A")
        for _ in range(times):
            p = self.factors[tau].solve(p)
        return p


def follow(solve, p, times, tol):
    """Densities at ascending ``times``, the first of which is p's, (k, cells); and the number of steps.

    ``tol`` is the error of a step in the 1-norm, relative to the mass.  Steps change by factors of 2, so that
    factorisations are used again.
    """
    size, out, steps = float(np.sum(np.abs(p))) or 1.0, [p], 0
    h = 1.0 / solve.leave
    for begin, end in zip(times, times[1:], strict=False):
        left = end - begin
        while left > 0.0:
            taken = min(h, left)
            parts = np.array([solve(p, taken / k, k) for k in _PARTS])
            error = float(np.sum(np.abs((BEST - WORSE) @ parts))) / size
            if error > tol and taken > 1e-12 * (end - begin):
                h = taken / 2.0
                continue
            p, left, steps = BEST @ parts, left - taken, steps + 1
            left = 0.0 if left < 1e-12 * (end - begin) else left
            if taken >= h and error < tol * 0.5 ** (ORDER + 1):
                h = 2.0 * h
        out.append(p)
    return np.array(out), steps


@kernel
def implicit(p, there, back, tau, times, inverse, passed):
    """(1 - tau A)^-times p in place: elimination by sums of positive numbers only."""
    n = p.shape[0]
    stays = 1.0  # of what elimination has left of a cell, the part that does not go on to the next
    for i in range(n):
        if i > 0:
            stays = 1.0 + tau * back[i - 1] * stays * inverse[i - 1]
        out = tau * there[i] if i < n - 1 else 0.0
        inverse[i] = 1.0 / (stays + out)
        passed[i] = out * inverse[i]
    for _ in range(times):
        for i in range(1, n):
            p[i] += passed[i - 1] * p[i - 1]
        p[n - 1] *= inverse[n - 1]
        for i in range(n - 2, -1, -1):
            p[i] = (p[i] + tau * back[i] * p[i + 1]) * inverse[i]
