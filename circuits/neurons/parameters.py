"""Parameters of neuron models: one number for all neurons, or one per neuron."""

from __future__ import annotations

from numbers import Real

import numpy as np

from circuits.neurons.program import Adaptive
from physlearn.checks import array, count, seen


def as_numbers(what, value):
    """A float array, or a TypeError that names the argument."""
    try:
        return array(what, value, finite=False)
    except ValueError:  # rows of unequal lengths
        raise TypeError(f"{what}: got {seen(value)}, expected numbers") from None


def one_number_each(given, names):
    """Refuse fields that are not one number."""
    for name in names:
        value = getattr(given, name)
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{type(given).__name__}: {name}={value!r}, expected one number")


def fixed(array):
    """A read-only array for a frozen object: a copy, unless it is read-only already."""
    base = array
    while isinstance(base, np.ndarray) and not base.flags.writeable:
        base = base.base
    if isinstance(base, np.ndarray):
        array = array.copy()
        array.flags.writeable = False
    return array


def check_numbers(model, names, *, positive=(), nonnegative=()):
    """Refuse what is not finite, has more than one axis or the wrong sign; sequences become arrays."""
    kind, lengths = type(model).__name__, {}
    for name in names:
        given = getattr(model, name)
        try:
            value = array(name, given, finite=False)
        except (TypeError, ValueError):
            raise TypeError(f"{kind}: {name}={seen(given)}, expected a number or an (n,) array of numbers") from None
        if value.ndim > 1 or not np.all(np.isfinite(value)):
            raise ValueError(f"{kind}: {name}={given!r}, expected finite numbers, one or one per neuron")
        if name in positive and np.any(value <= 0.0):
            raise ValueError(f"{kind}: {name}={given!r}, expected positive numbers")
        if name in nonnegative and np.any(value < 0.0):
            raise ValueError(f"{kind}: {name}={given!r}, expected 0 or more")
        if value.ndim:
            object.__setattr__(model, name, fixed(value))
            lengths[name] = len(value)
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{kind}: parameters of different lengths {lengths}, expected numbers or one per neuron")


def check_shapes(model, names, n):
    """Refuse arrays that do not fit n neurons."""
    count("n", n)
    for name in names:
        if np.ndim(getattr(model, name)) and np.shape(getattr(model, name)) != (n,):
            raise ValueError(
                f"{type(model).__name__}: {name} has shape {np.shape(getattr(model, name))}, "
                f"expected a number or ({n},)"
            )


def check_method(model, method, methods):
    """Refuse a method that the model does not have."""
    if not (isinstance(method, Adaptive) and "adaptive" in methods) and method not in methods:
        raise ValueError(f"method: {method!r} does not fit {type(model).__name__}; expected one of {list(methods)}")


def rows_of(model, names, n):
    """One row of n numbers for each parameter, (len(names), n)."""
    return np.array([np.broadcast_to(getattr(model, name), (n,)) for name in names], dtype=float).reshape(-1, n)
