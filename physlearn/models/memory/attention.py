"""Attention, in one head or several, with its masks and codes of position (Vaswani et al. 2017).

One head is one update of a modern Hopfield network, see `physlearn.models.memory.modern_hopfield`.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, flag, positive, reals
from physlearn.terms.convex import softmax
from physlearn.threads import on_one_thread


@on_one_thread
def attention(Q, K, V, beta=None, *, mask=None):
    """Softmax attention, softmax(beta Q K^T) V: one update of a modern Hopfield network with keys K from queries Q.

    Parameters
    ----------
    Q : (queries, d) array
    K : (keys, d) array
    V : (keys, v) array
    beta : float, optional
        Default 1/sqrt(d).
    mask : (queries, keys) array of bool, optional
        True where a query may look.

    Returns
    -------
    (queries, v) array

    Examples
    --------
    >>> attention([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[5.0], [7.0]], beta=100.0)
    array([[5.]])
    """
    Q, K, V = matrix(Q, "Q"), matrix(K, "K"), matrix(V, "V")
    if Q.shape[1] != K.shape[1] or len(K) != len(V):
        raise ValueError(f"Q, K, V: shapes {Q.shape}, {K.shape}, {V.shape}; expected (q, d), (k, d), (k, v)")
    score = (1.0 / np.sqrt(K.shape[1]) if beta is None else positive("beta", beta)) * (Q @ K.T)
    if mask is not None:
        mask = reals("mask", mask, finite=False)
        if mask.dtype != bool:
            raise TypeError(
                f"mask: got {mask.dtype}, expected bool, True where a query may look; pass mask == 0 for one that is "
                "added to scores (0 or -inf)"
            )
        if mask.shape != score.shape or not mask.any(1).all():
            raise ValueError(f"mask: shape {mask.shape}, expected {score.shape} with at least one True in every row")
        score = np.where(mask, score, -np.inf)
    return softmax(score) @ V


@on_one_thread
def multi_head_attention(x, query, key, value, output, *, memory=None, beta=None, causal=False):
    """Attention in several subspaces at once (Vaswani et al. 2017).

    Parameters
    ----------
    x : (tokens, d) array
        Tokens that ask.
    query, key : (heads, d, k) arrays
        Projections of every head.
    value : (heads, d, v) array
    output : (heads, v, o) array
        Back; the heads are summed.
    memory : (items, d) array, optional
        Items that are asked; default x itself (self-attention).
    beta : float, optional
        Default 1/sqrt(k).
    causal : bool
        Token i looks at items 0 .. i only.

    Returns
    -------
    (tokens, o) array

    Examples
    --------
    >>> eye = np.eye(2)[None]  # one head, nothing projected
    >>> multi_head_attention(np.eye(2), eye, eye, eye, eye, beta=100.0)
    array([[1., 0.],
           [0., 1.]])
    """
    x = matrix(x, "x")
    memory = x if memory is None else matrix(memory, "memory")
    given = {"query": query, "key": key, "value": value, "output": output}
    query, key, value, output = (array(name, w, finite=False) for name, w in given.items())
    shapes = [w.shape for w in (query, key, value, output)]
    fits = all(len(s) == 3 for s in shapes) and query.shape == key.shape and query.shape[1] == x.shape[1]
    fits = (
        fits and value.shape[:2] == (len(query), memory.shape[1]) and output.shape[:2] == (len(query), value.shape[2])
    )
    if not fits or memory.shape[1] != x.shape[1]:
        raise ValueError(
            f"projections query, key, value, output: shapes {shapes} for x {x.shape} and memory {memory.shape}; "
            "expected query and key (heads, d, k), value (heads, d, v), output (heads, v, o)"
        )
    for name, w in (("query", query), ("key", key), ("value", value), ("output", output)):
        if not np.all(np.isfinite(w)):
            raise ValueError(f"{name}: {np.sum(~np.isfinite(w))} values are NaN or infinite, expected finite")
    mask = causal_mask(len(x), len(memory)) if flag("causal", causal) else None
    heads = zip(query, key, value, output, strict=True)
    return np.sum([attention(x @ q, memory @ k, memory @ v, beta, mask=mask) @ o for q, k, v, o in heads], 0)


def causal_mask(n, items=None):
    """Lower triangle, (n, items): token i may look at items 0 .. i.

    Parameters
    ----------
    n : int
    items : int, optional
        Default n.

    Examples
    --------
    >>> causal_mask(2)
    array([[ True, False],
           [ True,  True]])
    """
    n = count("n", n)
    items = n if items is None else count("items", items)
    count("n" if items == n else "n, items", n * items, each=8)  # NumPy's tri makes numbers first
    return np.tri(n, items, dtype=bool)


def positional_encoding(n, d):
    """Sines and cosines of position at wavelengths 2 pi .. 2 pi 10^4, (n, d) (Vaswani et al. 2017).

    The product of two codes depends on the distance of their positions only.

    Examples
    --------
    >>> code = positional_encoding(10, 8)
    >>> bool(np.isclose(code[1] @ code[4], code[5] @ code[8]))
    True
    """
    d = count("d", d, least=2, each=32)
    n = count("n", n, each=16 * d)
    if d % 2:
        raise ValueError(f"d: got {d}, expected an even dimension")
    angle = np.arange(n)[:, None] / 10_000.0 ** (np.arange(0, d, 2) / d)
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(n, d)


def matrix(a, name):
    """A finite matrix, one row for each item, as float64."""
    a = array(name, a, finite=False)
    if a.ndim != 2 or a.size == 0:
        raise ValueError(f"{name}: shape {a.shape}, expected a matrix, one row for each item")
    if not np.all(np.isfinite(a)):
        raise ValueError(f"{name}: {np.sum(~np.isfinite(a))} values are NaN or infinite, expected finite")
    return a
