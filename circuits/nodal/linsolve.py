"""Newton's steps of a batch: dense where small, sparse with an ordering found once where large."""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.linear.factor import plan_solver


def solve_all(plan, data, extra, right):
    """J^-1 right for every item: data (batch, size) of J, ``extra`` (batch, m, m) or None; NaN where J is singular."""
    if plan.m == 0:
        return np.zeros_like(right)
    if plan.dense:
        matrices = data.reshape(-1, plan.m, plan.m)
        return _dense(matrices if extra is None else matrices + extra, right)
    return np.stack([_sparse(plan, d, None if extra is None else extra[k], right[k]) for k, d in enumerate(data)])


def _dense(matrices, right):
    try:
        return np.linalg.solve(matrices, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(right, np.nan)
        return np.concatenate([_dense(matrices[k : k + 1], right[k : k + 1]) for k in range(len(right))])


class _Indefinite(ArithmeticError):
    """A matrix that is not positive definite."""


def _refuse(matrix):
    raise _Indefinite


def _sparse(plan, data, extra, right):
    """L D L^T where there is an energy, else SuperLU; orderings are found once, which is much of the symbolic work."""
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    if not np.all(np.isfinite(data)):
        return np.full_like(right, np.nan)
    if plan.symmetric and extra is None:
        matrix = sp.csc_matrix((-data, plan.indices, plan.indptr), (plan.m, plan.m))
        try:
            plan.factor = plan.factor or plan_solver(matrix)
            return -plan.factor(matrix, _refuse)(right[:, None])[:, 0]
        except _Indefinite:  # a node that floats for the moment
            return np.full_like(right, np.nan)
    # branches have zeros on the diagonal, so that their rows must be exchanged
    nodes_only = bool(np.all(plan.is_node))
    threshold, options = (1e-3, {"SymmetricMode": True}) if nodes_only else (1.0, {})
    try:
        if plan.order is None:
            matrix = sp.csc_matrix((data, plan.indices, plan.indptr), (plan.m, plan.m))
            lu = splu(matrix, "MMD_AT_PLUS_A" if nodes_only else "COLAMD", diag_pivot_thresh=threshold, options=options)
            order = np.argsort(lu.perm_c)
            number = sp.csc_matrix((np.arange(len(data)), plan.indices, plan.indptr), (plan.m, plan.m))
            number = number[order][:, order].tocsc()
            number.sort_indices()
            plan.order = order, number.data, number.indices, number.indptr
        order, used, indices, indptr = plan.order
        matrix = sp.csc_matrix((data[used], indices, indptr), (plan.m, plan.m))
        if extra is not None:
            matrix = (matrix + sp.csc_matrix(extra[np.ix_(order, order)])).tocsc()
        lu = splu(matrix, "NATURAL", diag_pivot_thresh=threshold, options=options)
    except RuntimeError:  # exactly singular
        return np.full_like(right, np.nan)
    out = np.empty_like(right)
    out[order] = lu.solve(right[order])
    return out
