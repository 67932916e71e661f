"""Numbers that carry a unit, such as Brian2's ``10*ms``: taken as the SI values that this package computes with.

A quantity is any object with a ``dim`` that reports its exponents (``dim.get_dimension("kg")``), as Brian2's have; its
own number is in SI.  A quantity of another dimension than the documented one is refused.  Plain numbers are SI values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_BASE = ("m", "kg", "s", "A", "K", "mol", "cd")
_DIMENSIONS = {
    "1": (0, 0, 0, 0, 0, 0, 0),
    "s": (0, 0, 1, 0, 0, 0, 0),
    "Hz": (0, 0, -1, 0, 0, 0, 0),
    "m": (1, 0, 0, 0, 0, 0, 0),
    "V": (2, 1, -3, -1, 0, 0, 0),
    "V/s": (2, 1, -4, -1, 0, 0, 0),
    "1/(V s)": (-2, -1, 2, 1, 0, 0, 0),
    "A": (0, 0, 0, 1, 0, 0, 0),
    "A/m2": (-2, 0, 0, 1, 0, 0, 0),
    "A/s": (0, 0, -1, 1, 0, 0, 0),
    "ohm": (2, 1, -3, -2, 0, 0, 0),
    "S": (-2, -1, 3, 2, 0, 0, 0),
    "S/m2": (-4, -1, 3, 2, 0, 0, 0),
    "F": (-2, -1, 4, 2, 0, 0, 0),
    "F/m2": (-4, -1, 4, 2, 0, 0, 0),
}
CURRENTS = ("A", "A/m2", "V", "V/s")  # V where the resistance is 1, V/s in Izhikevich's neuron
WEIGHTS = (*CURRENTS, "S", "S/m2")


def si(name, value, *units):
    """A value without its unit, in SI; a value without a unit is returned as it is.

    Parameters
    ----------
    name : str
        For the message.
    value : quantity, number, or sequence of them
    *units : str
        The units that it may have; any where none is given.

    Raises
    ------
    ValueError
        When it is a quantity of another dimension.

    Examples
    --------
    >>> si("tau", 0.02, "s")
    0.02
    """
    if type(value) is float:
        return value
    if isinstance(value, tuple | list) and any(hasattr(item, "dim") for item in value):
        return np.array([si(name, item, *units) for item in value])
    dimension: Any = getattr(value, "dim", None)
    if not hasattr(dimension, "get_dimension"):
        return value
    powers = tuple(dimension.get_dimension(base) for base in _BASE)
    known = next((unit for unit, own in _DIMENSIONS.items() if np.allclose(powers, own)), None)
    if units and known != "1" and known not in units:
        found = known or " ".join(f"{base}^{k:g}" for base, k in zip(_BASE, powers, strict=True) if k)
        raise ValueError(f"{name}: got {value} (in SI units {found}), expected {' or '.join(units)}")
    if np.iscomplexobj(value):
        raise TypeError(f"{name}: got {value}, expected real numbers")
    plain = np.array(value, dtype=float, subok=False)
    return plain if plain.ndim else float(plain)


def take_si(given, **units):
    """Replace quantities among the fields of a frozen object by their SI values; ``units``: one or more per field."""
    for name, unit in units.items():
        value = getattr(given, name)
        plain = si(f"{type(given).__name__}: {name}", value, *((unit,) if isinstance(unit, str) else unit))
        if plain is not value:
            object.__setattr__(given, name, plain)
