"""Solvers for one symmetric positive definite pattern and many sets of values.

Each planner does the symbolic work for a CSC pattern once; called with values it returns ``solve(load)`` for loads of
shape (m, r).  The choice: a breadth-first walk from a far end of the graph gives its width W (the largest level) and
its depth D.  Elimination fills about a W x W separator, hence ~ W^3 operations; conjugate gradients need about 4 D
passes over the matrix per right-hand side.  Grids are narrow and deep: factor them, within the band while that is
cheap.  Random graphs are wide and shallow: iterate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.linear import banded
from physlearn.dynamics.linear.levels import width_and_depth

# Measured on one core: elimination runs at about 2e9 multiply-adds a second once fill is dense, and a conjugate
# gradient step takes about 6 ns per stored entry.
DENSE_RATE, PASS_COST = 2e9, 6e-9


def plan_solver(pattern):
    """The planner for a CSC pattern, chosen from its width and depth."""
    m = pattern.shape[0]
    width, depth = width_and_depth(pattern.indptr, pattern.indices)
    direct, iterative = 10.0 * width**3 / DENSE_RATE, 4.0 * depth * pattern.nnz * PASS_COST
    # a factorisation serves many right-hand sides: iterate only where it would cost thirty solves
    if m > 2000 and direct > 30.0 * iterative:
        return ConjugateGradients()
    columns = np.repeat(np.arange(m), np.diff(pattern.indptr))
    order, band = banded.plan_band(pattern.indices.astype(np.int64), columns, m)
    if banded.worthwhile(m, band):
        return Banded(pattern, order)
    return Cholmod() if _cholmod() is not None else SuperLU()


class InPlace:
    """A planner whose factors reuse one block of memory: fresh memory costs as much in page faults as the work.

    A solve whose factors another matrix has overwritten factors its own matrix again.
    """

    held: Any = None
    factor: Any  # matrix -> whether it is positive definite
    solve: Any  # load -> solution, for the matrix factored last

    def __call__(self, matrix, explain):
        """Factor."""
        self._hold(matrix, explain)

        def solve(load):
            if self.held is not matrix:
                self._hold(matrix, explain)
            return self.solve(load)

        return solve

    def _hold(self, matrix, explain):
        self.held = None
        if not self.factor(matrix):
            explain(matrix)
        self.held = matrix


class Banded(InPlace):
    """Compiled L D L^T within the band (see `banded`)."""

    name = "direct (banded)"

    def __init__(self, pattern, order):
        m = pattern.shape[0]
        columns = np.repeat(np.arange(m), np.diff(pattern.indptr))
        lower = np.flatnonzero(pattern.indices > columns)
        diagonal = np.flatnonzero(pattern.indices == columns)
        place = np.argsort(order)
        at = place[columns[diagonal]]
        self.order, self.used = order, np.concatenate([diagonal, lower])
        self.start, spot = banded.layout(place[pattern.indices[lower]], place[columns[lower]], m)
        self.spot = np.concatenate([64 * self.start[at // 8] + 9 * (at % 8), spot[:, 2]])
        self.padding = 64 * self.start[-2] + 9 * np.arange(m % 8, 8)
        self.tiles, self.panel = (
            np.empty(64 * (self.start[-1] + 1)),
            np.empty(64 * np.max(np.diff(self.start))),
        )
        self.inverse = np.empty(8 * (self.start.size - 1))

    def factor(self, matrix):
        """Write L and D; False if a pivot is not positive."""
        self.tiles[:] = 0.0
        self.tiles[self.spot] = matrix.data[self.used]
        self.tiles[self.padding] = 1.0
        return banded.factor(self.start, self.tiles, self.inverse, self.panel) == 0

    def solve(self, load):
        """(m, r) to (m, r)."""
        w = np.zeros((load.shape[1], self.inverse.size))
        w[:, : len(load)] = load[self.order].T
        banded.solve_lower(self.start, self.tiles, w, np.zeros(len(w), np.int64), len(w))
        banded.scale(self.inverse, w)
        banded.solve_upper(self.start, self.tiles, w)
        out = np.empty_like(load)
        out[self.order] = w[:, : len(load)].T
        return out


class Cholmod(InPlace):
    """Supernodal sparse Cholesky from SuiteSparse (Chen, Davis, Hager, Rajamanickam 2008), if installed."""

    name = "direct (CHOLMOD)"

    def __init__(self):
        self.solve: Any = None

    def factor(self, matrix):
        """Factor; the ordering is found the first time."""
        cholmod = _cholmod()
        if self.solve is None:
            # supernodal means L L^T, which fails on an indefinite matrix; L D L^T would not.  Nested dissection
            # halves the fill of AMD's order on large grids; CHOLMOD can be built without it
            try:
                self.solve = cholmod.analyze(matrix, mode="supernodal", ordering_method="metis")
            except cholmod.CholmodError:
                self.solve = cholmod.analyze(matrix, mode="supernodal")
        try:
            self.solve.cholesky_inplace(matrix)
        except cholmod.CholmodNotPositiveDefiniteError:
            return False
        return True


class SuperLU:
    """SciPy's sparse LU in its symmetric mode; the ordering is reused, which is most of its symbolic work."""

    name = "direct (SuperLU)"
    options = {"SymmetricMode": True}

    def __init__(self):
        self.order = None

    def __call__(self, matrix, explain):
        """Factor; the ordering is found the first time."""
        import scipy.sparse as sp
        from scipy.sparse.linalg import splu

        try:
            if self.order is None:
                lu = splu(matrix, "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=self.options)
                self.order = np.argsort(lu.perm_c)
                number = sp.csc_matrix((np.arange(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape)
                number = number[self.order][:, self.order].tocsc()
                number.sort_indices()
                self.layout = number.data, number.indices, number.indptr
            used, indices, indptr = self.layout
            permuted = sp.csc_matrix((matrix.data[used], indices, indptr), matrix.shape)
            lu = splu(permuted, "NATURAL", diag_pivot_thresh=0.0, options=self.options)
        except RuntimeError:  # exactly singular
            explain(matrix)
        diagonal = matrix.diagonal()
        dominant = 2.0 * diagonal >= (1.0 - 1e-12) * np.asarray(abs(matrix).sum(0)).ravel()
        if not np.all(dominant) and np.any(lu.U.diagonal() <= 0):
            explain(matrix)

        def solve(load):
            out = np.empty_like(load)
            out[self.order] = lu.solve(load[self.order])
            return out

        return solve


class ConjugateGradients:
    """Conjugate gradients with Jacobi's preconditioner, to a relative residual of 1e-12."""

    name = "conjugate gradients"

    def __call__(self, matrix, explain):
        """Nothing to factor."""
        from scipy.sparse.linalg import LinearOperator, cg

        inverse = 1.0 / matrix.diagonal()
        jacobi: Any = LinearOperator(matrix.shape, matvec=lambda r: inverse * r)  # pyright: ignore[reportCallIssue]

        def solve(load):
            found = [cg(matrix, column, rtol=1e-12, atol=0.0, maxiter=20_000, M=jacobi) for column in load.T]
            return np.stack([x for x, _ in found], 1)

        return solve


def _cholmod() -> Any:
    try:
        import sksparse.cholmod as cholmod
    except ImportError:
        return None
    return cholmod
