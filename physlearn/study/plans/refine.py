"""Adaptive refinement: nested cells, split where an observable changes.

A grid in one to three dimensions cuts the space into cells.  A cell in which the observable differs by more than
a tolerance between any two known points (corners, and points that its neighbours have put on its faces) is split
at its middles into 2^d cells of the next level, down to a deepest level.  Middles of middles are dyadic
coordinates of the grid's axes: a point has the same labels whatever the tolerance, the deepest level and the order
of the work, so that a study may be interrupted, resumed or refined further without repeating anything.

A boundary that crosses a cell's inside without separating any of its points is not seen: the grid to start from
must be finer than the smallest region that matters.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from physlearn.checks import array

DEEPEST = 20  # halvings of a cell of the grid: coordinates a millionth of a cell apart


def refine(axes: Mapping[str, Sequence[float]], points, values, *, tolerance: float, levels: int, log=()):
    """Points to evaluate next.

    Parameters
    ----------
    axes : mapping of str to (k,) sequence of float
        The grid: one to three axes, each with at least 2 rising or falling coordinates.
    points : (p, d) array
        Coordinates of the points known so far, in the order of ``axes``; may be empty.
    values : (p,) array
        The observable there; NaN for points that failed, which are not requested again and decide nothing.  An
        infinite value differs from every other by more than any tolerance.
    tolerance : float
        Largest difference that a cell may have without being split; in the observable's units.
    levels : int
        How often a cell of the grid may be split; 0 is the grid itself.
    log : collection of str
        Axes whose middles are geometric means.

    Returns
    -------
    (m, d) array
        Missing points of the grid and of all cells that are to be split; sorted.  Empty when nothing is left to do.

    Raises
    ------
    ValueError
        Wrong axes; points that are neither on the grid nor at a middle.

    Notes
    -----
    A pure function: call it until it returns nothing.  What is evaluated in the end depends on the observable
    only, not on the order of calls, because every known point can only add to what is split.

    Examples
    --------
    >>> grid = {"x": [0.0, 1.0, 2.0]}
    >>> step = lambda x: (x[:, 0] > 0.7).astype(float)
    >>> known = np.empty((0, 1))
    >>> while len(new := refine(grid, known, step(known), tolerance=0.5, levels=3)):
    ...     known = np.concatenate([known, new])
    >>> np.sort(known[:, 0])
    array([0.   , 0.5  , 0.625, 0.75 , 1.   , 2.   ])
    """
    ladders = _ladders(axes, log)
    d = len(ladders)
    points, values = np.asarray(points, dtype=float).reshape(-1, d), np.asarray(values, dtype=float)
    if values.shape != (len(points),):
        raise ValueError(f"values: shape {values.shape}, expected ({len(points)},), one for each point")
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance: got {tolerance}, expected a finite number of at least 0")
    if not (isinstance(levels, int | np.integer) and 0 <= levels <= DEEPEST):
        raise ValueError(f"levels: got {levels!r}, expected a whole number from 0 to {DEEPEST}")
    places = np.array([[ladder.place(x) for ladder, x in zip(ladders, point, strict=True)] for point in points])
    places = places.reshape(-1, d).astype(np.int64)
    known, wanted = set(map(tuple, places.tolist())), set()
    grid = [range(len(ladder.base)) for ladder in ladders]
    wanted.update(tuple(k << DEEPEST for k in corner) for corner in itertools.product(*grid))
    cells = list(itertools.product(*(r[:-1] for r in grid)))
    todo = [(np.array(cell, dtype=np.int64) << DEEPEST, 0, places, values) for cell in cells]
    while todo:
        low, level, inside, found = todo.pop()
        side = 1 << (DEEPEST - level)
        at = np.all((inside >= low) & (inside <= low + side), axis=1)
        inside, found = inside[at], found[at]
        known_here = found[~np.isnan(found)]
        if level == levels or not known_here.size:
            continue
        least, most = known_here.min(), known_here.max()
        if least == most or most - least <= tolerance:  # infinity less infinity is no number
            continue
        wanted.update(
            tuple((low + np.array(step) * (side // 2)).tolist()) for step in itertools.product((0, 1, 2), repeat=d)
        )
        for step in itertools.product((0, 1), repeat=d):
            todo.append((low + np.array(step) * (side // 2), level + 1, inside, found))
    new = [[ladder.at(k) for ladder, k in zip(ladders, place, strict=True)] for place in sorted(wanted - known)]
    return np.array(new, dtype=float).reshape(-1, d)


class _Ladder:
    """The dyadic coordinates of one axis: place k 2^DEEPEST is the grid's k-th, halves are found by halving."""

    def __init__(self, name, base, geometric):
        self.name, self.base = name, base
        self.geometric, self.rising = geometric, base[1] > base[0]

    def middle(self, a, b):
        return float(np.copysign(np.sqrt(a * b), a)) if self.geometric else float((a + b) / 2)

    def at(self, place):
        """Coordinate of a place: halving gives the same bits at any level and on any machine."""
        k, rest = divmod(place, 1 << DEEPEST)
        a = self.base[k]
        bit = 1 << (DEEPEST - 1)
        b = self.base[k + 1] if rest else a
        while rest:
            middle = self.middle(a, b)
            if rest == bit:
                return middle
            a, b = (middle, b) if rest > bit else (a, middle)
            rest, bit = rest % bit, bit >> 1
        return float(a)

    def place(self, x):
        """Place of a coordinate."""
        key = self.base if self.rising else -self.base
        k = int(np.searchsorted(key, x if self.rising else -x, side="right")) - 1
        if 0 <= k < len(key):
            a, rest, bit = self.base[k], 0, 1 << (DEEPEST - 1)
            if x == a:
                return k << DEEPEST
            if k + 1 < len(key):
                b = self.base[k + 1]
                while bit:
                    middle = self.middle(a, b)
                    if x == middle:
                        return (k << DEEPEST) + rest + bit
                    if (x > middle) == self.rising:
                        a, rest = middle, rest + bit
                    else:
                        b = middle
                    bit >>= 1
        raise ValueError(
            f"points: {self.name} = {x!r} is neither one of the grid's {len(key)} coordinates nor a middle of middles "
            "between them; was the grid changed?"
        )


def _ladders(axes, log):
    if not 1 <= len(axes) <= 3:
        raise ValueError(f"axes: got {len(axes)} ({', '.join(axes)}), expected one to three to refine over")
    if unknown := set(log) - set(axes):
        raise ValueError(f"log: got {sorted(unknown)}, expected among the axes {list(axes)}")
    ladders = []
    for name, given in axes.items():
        base = array(f"axes[{name!r}]", given)
        steps = np.diff(base)
        if base.ndim != 1 or len(base) < 2 or not (np.all(steps > 0) or np.all(steps < 0)):
            raise ValueError(f"axes[{name!r}]: got {given!r}, expected at least 2 numbers that rise or fall")
        if name in log and np.min(base) * np.max(base) <= 0:
            raise ValueError(f"axes[{name!r}]: from {base[0]} to {base[-1]}, expected one sign on a logarithmic axis")
        ladders.append(_Ladder(name, base, name in log))
    return ladders
