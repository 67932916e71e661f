"""Axes: the values of one parameter, a range to draw them from, parameters that move together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, instance, sequence
from physlearn.study.plans.identity import plain, text


class Axis(NamedTuple):
    """Values of one parameter; made by `axis`."""

    values: tuple
    units: str | None = None
    scale: str = "linear"

    __repr__ = brief


class Between(NamedTuple):
    """A range to draw from; made by `physlearn.study.between`."""

    low: float
    high: float
    scale: str = "linear"
    integer: bool = False
    units: str | None = None

    __repr__ = brief


class Zip(NamedTuple):
    """Parameters that move together; made by `zipped`."""

    axes: dict[str, Axis]

    __repr__ = brief


def axis(values: Iterable, *, units: str | None = None, scale: str = "linear") -> Axis:
    """Values of one parameter, with units (UDUNITS spelling) and the scale for refinement and pictures.

    Parameters
    ----------
    values : sequence
        Numbers, words, flags, or lists of them.
    units : str, optional
    scale : {"linear", "log"}

    Examples
    --------
    >>> axis([1, 2], units="mV")
    Axis(values=(1, 2), units='mV', scale='linear')
    """
    choice("scale", scale, ("linear", "log"))
    if units is not None:
        text(instance("units", units, str, "a unit, or None"), "units")
    _refuse_many(values, "axis")
    values = sequence("values", values, expected="a list of values")
    return Axis(tuple(as_value(value, "axis: values") for value in values), units, scale)


def zipped(**axes) -> Zip:
    """Parameters that move together, as one dimension of a grid.

    Parameters
    ----------
    **axes : sequences of anything
        Values of each parameter, the same number for all.

    Examples
    --------
    >>> from physlearn.study import grid
    >>> len(grid(pair=zipped(a=[1, 2], b=[3, 4])))
    2
    """
    return Zip({name: as_axis(name, values) for name, values in axes.items()})


def varies(values) -> bool:
    """Whether values make an axis; others are fixed."""
    return isinstance(values, Axis | list | tuple | range) or (isinstance(values, np.ndarray) and values.ndim > 0)


def as_axis(name, values) -> Axis:
    """An axis, or a list of values as one."""
    if isinstance(values, Axis):
        return values
    if not varies(values):
        raise TypeError(f"{name}: got a {type(values).__name__}, expected a list of values")
    _refuse_many(values, name)
    return Axis(tuple(as_value(value, name) for value in values))


def as_value(value, name):
    """One value of a parameter, as a JSON value."""
    _refuse_many(value, name)
    return plain(value, name)


def _refuse_many(value, name):
    """Refuse results of `between`, `axis` and `zipped`: tuples, but not lists of values."""
    if isinstance(value, Between):
        raise TypeError(
            f"{name}: got a range to draw from, which belongs to sobol, random or latin_hypercube; expected values "
            "(of np.linspace, for instance)"
        )
    if isinstance(value, Axis | Zip):
        kind = "an axis" if isinstance(value, Axis) else "a zip group"
        raise TypeError(f"{name}: got {kind} as a value; axes and zip groups stand by themselves in a grid")
