"""Checks of terms: whether a term can act on a layer's kind, and whether a parameter has its shape."""

from __future__ import annotations

import numpy as np

from physlearn.kinds import is_discrete


def codes(kind):
    """Whether states hold codes, which have no products and no slope."""
    return getattr(kind, "coded", False)


def gaps(kind):
    """Whether the field is the gap between two values, which a slope is not."""
    return getattr(kind, "gap", False) or codes(kind)


def angles(kind):
    """Whether values are angles: a function of them repeats itself."""
    return getattr(kind, "period", None) is not None


DISCRETE = (is_discrete, angles)  # where a term that knows slopes of real numbers has nothing to say


def refuse_kinds(term, layers, name, sorts, remedy):
    """ValueError where a layer's kind is of one of these sorts (`codes`, ...), on which the term does not act."""
    kind = layers[name].kind
    if any(sort(kind) for sort in sorts):
        raise ValueError(f"{type(term).__name__}: layer {name!r} is {kind}, which it does not act on; {remedy}")


def expect_codes(term, layers, name, q=None):
    """ValueError unless a layer holds codes, q of them where they are given."""
    kind = layers[name].kind
    if not codes(kind):
        raise ValueError(f"{type(term).__name__}: layer {name!r} is {kind}, expected Potts(q) or another kind of codes")
    if q is not None and len(kind.levels) != q:
        found = len(kind.levels)
        raise ValueError(f"{type(term).__name__}: q is {q}, but layer {name!r} is {kind}; pass q={found}")


def expect_shape(theta, parameter, shape, meaning):
    """ValueError unless a parameter has this shape."""
    given = np.shape(theta[parameter])
    if given != tuple(shape):
        raise ValueError(f"theta[{parameter!r}]: shape {given}, expected {tuple(shape)}, {meaning}")


def expect_like(theta, parameter, layers, name):
    """ValueError unless a parameter is shaped like a layer, or one number for many of its variables."""
    given, shape = np.shape(theta[parameter]), layers[name].shape
    try:
        fits = np.broadcast_shapes(given, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"theta[{parameter!r}]: shape {given}, expected {shape}, that of layer {name!r}")


def shared(array, shape):
    """Sum over the axes along which a parameter of this shape is repeated."""
    if array.shape == shape:
        return array
    array = array.sum(tuple(range(array.ndim - len(shape))))
    return array.sum(tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)
