"""Softmax of scores row by row, in place, and its reverse: maxima and sums compiled, exponentials by NumPy."""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import kernel


def softmax_rows(score, scale, mask=None):
    """exp(scale s) / sum over each row of the last axis, written over ``score``, (items, heads, queries, keys).

    ``mask`` is (items or 1, queries or 1, keys) of bool, True where a query may look; every row has such a place.

    >>> softmax_rows(np.array([[[[0.0, 0.0, 5.0]]]]), 1.0, np.array([[[True, True, False]]]))
    array([[[[0.5, 0.5, 0. ]]]])
    """
    flat = score.reshape(-1, score.shape[-1])
    scale = score.dtype.type(scale)
    if mask is None:
        _shift(flat, scale)
        np.exp(flat, out=flat)
    else:
        hidden = np.broadcast_to(~mask[:, None], score.shape)
        np.copyto(score, -np.inf, where=hidden)
        _shift(flat, scale)
        np.exp(flat, out=flat)
    _normalise(flat)
    return score


def softmax_back(p, cotangent, inner, scale):
    """scale p (c - inner), written over the cotangent: inner is sum c p of each row, (items, heads, queries)."""
    _pull(p.reshape(-1, p.shape[-1]), cotangent.reshape(-1, p.shape[-1]), np.ravel(inner), cotangent.dtype.type(scale))
    return cotangent


@kernel
def _shift(s, scale):
    n, m = s.shape
    for i in range(n):
        top = s[i, 0]
        for j in range(1, m):
            top = max(top, s[i, j])
        for j in range(m):
            s[i, j] = (s[i, j] - top) * scale


@kernel
def _normalise(s):
    n, m = s.shape
    one = s.dtype.type(1.0)
    for i in range(n):
        total = s.dtype.type(0.0)
        for j in range(m):
            total += s[i, j]
        total = one / total
        for j in range(m):
            s[i, j] *= total


@kernel
def _pull(p, c, inner, scale):
    n, m = p.shape
    for i in range(n):
        mean = inner[i]
        for j in range(m):
            c[i, j] = p[i, j] * (c[i, j] - mean) * scale
