"""Checks of terms: whether a term can act on a layer's kind, and whether a parameter has its shape."""

from __future__ import annotations

import numpy as np

from physlearn.energy import Binary, Potts, Spin

DISCRETE = (Spin, Binary, Potts)


def refuse_kinds(term, layers, name, kinds, remedy):
    """ValueError where a layer is of one of these kinds, on which the term's field is no energy gap."""
    kind = layers[name].kind
    if isinstance(kind, kinds):
        raise ValueError(f"{type(term).__name__}: layer {name!r} is {kind}, which it does not act on; {remedy}")


def expect_codes(term, layers, name, q=None):
    """ValueError unless a layer is Potts, of q codes where they are given."""
    kind = layers[name].kind
    if not isinstance(kind, Potts):
        raise ValueError(f"{type(term).__name__}: layer {name!r} is {kind}, expected Potts(q)")
    if q is not None and kind.q != q:
        raise ValueError(f"{type(term).__name__}: q is {q}, but layer {name!r} is {kind}; pass q={kind.q}")


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
