"""What an argument that is one number must be; one message for one mistake."""

from __future__ import annotations

from numbers import Integral, Real


def positive(name, value) -> float:
    """A positive finite number.

    Examples
    --------
    >>> positive("temperature", 2)
    2.0
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < float("inf"):
        raise ValueError(f"{name}: got {value!r}, expected a positive finite number")
    return float(value)


def not_negative(name, value) -> float:
    """Zero or a positive finite number.

    Examples
    --------
    >>> not_negative("temperature", 0)
    0.0
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < float("inf"):
        raise ValueError(f"{name}: got {value!r}, expected zero or a positive finite number")
    return float(value)


def count(name, value, least=1) -> int:
    """An integer of at least ``least``.

    Examples
    --------
    >>> count("chains", 4)
    4
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}: got {value!r}, expected an integer of at least {least}")
    return int(value)
