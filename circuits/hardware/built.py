"""What hardware is built of, checked: bounds, levels and failures of its elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.hardware.update import FAILURES, NEVER
from circuits.nodal.devices import Devices
from physlearn.checks import array, choice, count, integer, number, positive, seen, sequence
from physlearn.terms.edges import Edges

OPEN = 1e-12  # conductance of a cut element, of the largest: an insulator that leaves no equation without a solution
OFF = -1e3  # volts at the gate of a cut transistor


@dataclass(frozen=True)
class Failure:
    """An element that fails while the network learns.

    Parameters
    ----------
    step : int
        Steps of learning after which it fails; 0: it never worked.
    element : int
        Its number in theta.
    kind : {"stuck", "dead", "cut"}
        It keeps its value, falls to the lower bound, or conducts no more; in either case it learns no more.

    Examples
    --------
    >>> Failure(100, 3, "cut")
    Failure(step=100, element=3, kind='cut')
    """

    step: int
    element: int
    kind: str = "stuck"

    def __post_init__(self):
        count("step", self.step, least=0)
        integer("element", self.element, 0)
        choice("kind", self.kind, FAILURES)


def elements_of(system, parameter):
    """The term of elements that the parameter sets."""
    for term in system.terms:
        if isinstance(term, Edges) and term.parameter == parameter:
            return term
        if isinstance(term, Devices) and parameter in term.learns:
            return term
    return None


def parameter_of(system, name) -> str:
    """Name of the parameter whose elements are imperfect."""
    names = [key for key, value in system.theta.items() if value.size]
    if name is None and len(names) == 1:
        return names[0]
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"parameter: got {seen(name)}, expected one of {names}: the elements that are imperfect")
    return name


def bounds_of(bounds, theta):
    """Bounds of every element, with theta inside."""
    if bounds is None:
        return np.full(theta.size, -np.inf), np.full(theta.size, np.inf)
    pair = sequence("bounds", bounds, expected="(low, high)")
    if len(pair) != 2:
        raise ValueError(f"bounds: got {len(pair)} entries, expected (low, high)")
    ends = []
    for side in pair:
        side = array("bounds", side)
        if side.shape not in ((), theta.shape):
            raise ValueError(f"bounds: got an end of shape {side.shape}, expected a number or {theta.shape}")
        ends.append(np.array(np.broadcast_to(side, theta.shape), float).ravel())
    low, high = ends
    if not np.all(low < high):
        raise ValueError(f"bounds: got ({seen(pair[0])}, {seen(pair[1])}), expected low < high")
    flat = theta.ravel()
    if np.any((flat < low) | (flat > high)):
        raise ValueError(
            f"bounds: elements start between {flat.min():.4g} and {flat.max():.4g}, outside ({seen(pair[0])}, "
            f"{seen(pair[1])}); start inside, or widen them"
        )
    return low, high


def levels_of(levels, quantum, bounds):
    """Values that there are, empty for any; quantum of changes, 0 for none; bounds."""
    if levels is None:
        return np.zeros(0), (0.0 if quantum is None else positive("quantum", quantum)), bounds
    if quantum is not None:
        raise ValueError("quantum: levels have their own spacing; leave out one of both")
    if np.ndim(levels):
        values = array("levels", levels, ndim=1)
        if values.size < 2 or np.any(np.diff(values) <= 0):
            raise ValueError(f"levels: got {seen(levels)}, expected at least two values, ascending")
        if bounds is not None:
            raise ValueError("bounds: the levels given have their own ends; leave out bounds")
        return np.array(values, float), 0.0, (values[0], values[-1])
    levels = count("levels", levels, least=2)
    if bounds is None:
        raise ValueError(f"levels: got {levels} without bounds; give bounds=(low, high), between which they lie")
    ends = [array("bounds", end) for end in sequence("bounds", bounds, expected="(low, high)")]
    if any(end.ndim for end in ends) or len(ends) != 2 or not ends[0] < ends[1]:
        raise ValueError(
            f"bounds: got {seen(bounds)}, expected two numbers, low < high: all elements have one row of levels"
        )
    return np.linspace(ends[0], ends[1], levels), 0.0, bounds


def failures_of(planned, rate, kind, size, rng):
    """When elements fail, and how."""
    at, how = np.full(size, NEVER), np.full(size, FAILURES[kind])
    if rate:
        at = np.minimum(rng.geometric(rate, size), 2**62).astype(np.int64)
    for one in planned:
        if one.element >= size:
            raise ValueError(f"failures: there is no element {one.element}, expected 0 to {size - 1}")
        at[one.element], how[one.element] = one.step, FAILURES[one.kind]
    return at, how


def probability(name, value):
    """A probability above zero."""
    if not number(name, value, 0, 1):
        raise ValueError(f"{name}: got {value!r}, with which no element ever learns; expected above 0, at most 1")
    return float(value)


def opened_of(system, parameter):
    """Value of every element at which it does not conduct."""
    theta = system.theta[parameter]
    term = elements_of(system, parameter)
    if isinstance(term, Edges):
        return np.full(theta.size, OPEN * np.max(np.abs(theta)))
    return np.full(theta.size, 0.0 if term is None else OFF)
