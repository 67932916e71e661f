"""Spaces: which points a study visits.

A space is a product of dimensions; along each of them one parameter varies, or several together.  A grid has a
dimension a parameter, a zip group is one dimension of several parameters, and lists, random and low-discrepancy
samples (scipy.stats.qmc) are spaces of the one dimension "point".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from physlearn.study.identity import canonical, plain

RESERVED = ("replicate", "status", "point")


class Axis(NamedTuple):
    """Values of one parameter; made by `axis`."""

    values: tuple
    units: str | None = None
    scale: str = "linear"


class Between(NamedTuple):
    """A range to draw from; made by `between`."""

    low: float
    high: float
    scale: str = "linear"
    integer: bool = False
    units: str | None = None


class Zip(NamedTuple):
    """Parameters that move together; made by `zipped`."""

    axes: dict[str, Axis]


@dataclass(frozen=True)
class Space:
    """Points without a list of them: any one is computed when asked for.

    Attributes
    ----------
    dims : mapping of str to mapping of str to Axis
        Dimension -> parameter -> values; all parameters of a dimension have as many values.
    fixed : mapping of str to value
        Parameters that do not vary.
    origin : mapping
        How it was made.

    Examples
    --------
    >>> space = grid(T=[1.0, 2.0], pair=zipped(n=[8, 16], seed=[1, 2]), J=1.0)
    >>> len(space), space[3]
    (4, {'J': 1.0, 'T': 2.0, 'n': 16, 'seed': 2})
    """

    dims: Mapping[str, Mapping[str, Axis]]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=lambda: {"kind": "grid"})

    def __post_init__(self):
        seen = list(self.fixed)
        for dim, axes in self.dims.items():
            if len({len(a.values) for a in axes.values()}) > 1:
                sizes = ", ".join(f"{name} has {len(a.values)}" for name, a in axes.items())
                raise ValueError(f"{dim}: parameters that move together need as many values each; {sizes}")
            if not axes or not next(iter(axes.values())).values:
                raise ValueError(f"{dim}: empty; a space needs at least one value along each dimension")
            rows = set()
            for row in zip(*(a.values for a in axes.values()), strict=True):
                same = tuple(canonical(v) if isinstance(v, list | dict) else v for v in row)  # 1 and 1.0 are the same
                if same in rows:
                    raise ValueError(
                        f"{dim}: {list(row)} appears twice; replicates= repeats a point with other random numbers"
                    )
                rows.add(same)
            seen += list(axes)
            if dim in RESERVED[:2] or (dim == "point" and self.origin["kind"] == "grid"):
                raise ValueError(f"{dim}: this name is taken by the dataset; rename the parameter or the group")
        if slashed := [name for name in (*seen, *self.dims) if "/" in name]:
            raise ValueError(f"{slashed[0]}: '/' separates groups in netCDF; rename the parameter or the group")
        if clash := sorted({name for name in seen if seen.count(name) > 1 or name in RESERVED}):
            raise ValueError(f"space: {', '.join(clash)}: named twice, or a name that the dataset takes {RESERVED}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each dimension."""
        return tuple(len(next(iter(axes.values())).values) for axes in self.dims.values())

    @property
    def axes(self) -> dict[str, Axis]:
        """Every parameter that varies."""
        return {name: a for axes in self.dims.values() for name, a in axes.items()}

    def __len__(self) -> int:
        n = 1
        for size in self.shape:
            n *= size
        return n

    def __getitem__(self, number: int) -> dict[str, Any]:
        """The parameters of a point; the last dimension runs fastest."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        point = dict(self.fixed)
        picks = []
        for size in reversed(self.shape):
            number, pick = divmod(number, size)
            picks.append(pick)
        for axes, pick in zip(self.dims.values(), reversed(picks), strict=True):
            for name, a in axes.items():
                point[name] = a.values[pick]
        return point

    def to_json(self) -> dict:
        """What a store keeps: all values, so that nothing has to be drawn again.

        The dimensions' order numbers the points, and is lost where JSON is written with sorted keys.
        """
        dims = {d: {name: a._asdict() for name, a in axes.items()} for d, axes in self.dims.items()}
        return {"dims": dims, "order": list(dims), "fixed": dict(self.fixed), "origin": dict(self.origin)}

    @classmethod
    def from_json(cls, kept: Mapping) -> Space:
        """The space that `to_json` described."""
        dims = {
            d: {name: Axis(tuple(a["values"]), a["units"], a["scale"]) for name, a in axes.items()}
            for d, axes in ((d, kept["dims"][d]) for d in kept["order"])
        }
        return cls(dims, kept["fixed"], kept["origin"])


def axis(values: Iterable, *, units: str | None = None, scale: str = "linear") -> Axis:
    """Values of one parameter, with units (UDUNITS spelling) and the scale of halves and of pictures.

    Examples
    --------
    >>> axis([1, 2], units="mV")
    Axis(values=(1, 2), units='mV', scale='linear')
    """
    if scale not in ("linear", "log"):
        raise ValueError(f"scale: got {scale!r}, expected 'linear' or 'log'")
    return Axis(tuple(plain(value, "axis") for value in values), units, scale)


def between(low: float, high: float, *, scale: str = "linear", integer: bool = False, units: str | None = None):
    """A range to draw from, both ends included if ``integer``.

    Examples
    --------
    >>> between(1e-3, 1, scale="log").scale
    'log'
    """
    low, high = plain(low, "low"), plain(high, "high")
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"between: got {low} to {high}, expected finite numbers, the first below the second")
    if scale not in ("linear", "log") or (scale == "log" and low <= 0):
        raise ValueError(f"scale: got {scale!r} for {low} to {high}, expected 'linear', or 'log' above zero")
    return Between(low, high, scale, integer, units)


def zipped(**axes) -> Zip:
    """Parameters that move together, as one dimension of a grid.

    Examples
    --------
    >>> len(grid(pair=zipped(a=[1, 2], b=[3, 4])))
    2
    """
    return Zip({name: _axis(name, values) for name, values in axes.items()})


def grid(**axes) -> Space:
    """All combinations; lists and arrays are axes, scalars and strings are fixed.

    Examples
    --------
    >>> [space["T"] for space in grid(T=axis([1, 2], units="K"), model="ising")]
    [1, 2]
    """
    dims, fixed = {}, {}
    for name, values in axes.items():
        if isinstance(values, Zip):
            dims[name] = values.axes
        elif _varies(values):
            dims[name] = {name: _axis(name, values)}
        else:
            fixed[name] = plain(values, name)
    return Space(dims, fixed)


def points(rows: Sequence[Mapping[str, Any]], *, units: Mapping[str, str] | None = None) -> Space:
    """An explicit list; every row names the same parameters.

    Examples
    --------
    >>> points([{"a": 1, "b": 2}, {"a": 3, "b": 5}])[1]
    {'a': 3, 'b': 5}
    """
    rows = list(rows)
    if not rows or not rows[0]:
        raise ValueError("points: empty; a space needs at least one point with at least one parameter")
    for number, row in enumerate(rows):
        if set(row) != set(rows[0]):
            raise ValueError(f"points: row {number} names {sorted(row)}, row 0 names {sorted(rows[0])}")
    columns = {name: Axis(tuple(plain(row[name], name) for row in rows), (units or {}).get(name)) for name in rows[0]}
    return Space({"point": columns}, {}, {"kind": "points"})


def random(n: int, /, *, sample_seed: int = 0, **ranges) -> Space:
    """Draw n independent uniform points; ``(low, high)`` or `between` is a range, anything else fixed."""
    return _sampled("random", n, sample_seed, ranges)


def latin_hypercube(n: int, /, *, sample_seed: int = 0, **ranges) -> Space:
    """n points, one in each of the n slices of every range (McKay et al. 1979); see `random`."""
    return _sampled("latin_hypercube", n, sample_seed, ranges)


def sobol(n: int, /, *, sample_seed: int = 0, **ranges) -> Space:
    """n points of a scrambled Sobol sequence (Owen 1998), balanced where n is a power of two; see `random`.

    Examples
    --------
    >>> space = sobol(8, T=(1.0, 3.0), n=between(8, 64, integer=True), J=1.0)
    >>> len(space), sorted(space[0])
    (8, ['J', 'T', 'n'])
    """
    return _sampled("sobol", n, sample_seed, ranges)


def as_space(space) -> Space:
    """A `Space`, or a plain dict, which means `grid`."""
    if isinstance(space, Space):
        return space
    if isinstance(space, Mapping):
        return grid(**space)
    raise TypeError(
        f"space: got {type(space).__name__}, expected a dict, or what grid, points, random, latin_hypercube or sobol "
        "return"
    )


def _varies(values) -> bool:
    return isinstance(values, Axis | list | tuple | range) or (isinstance(values, np.ndarray) and values.ndim > 0)


def _axis(name, values) -> Axis:
    if isinstance(values, Axis):
        return values
    if not _varies(values):
        raise TypeError(f"{name}: got a {type(values).__name__}, expected a list of values")
    return Axis(tuple(plain(value, name) for value in values))


def _sampled(kind, n, sample_seed, ranges) -> Space:
    from scipy.stats import qmc

    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise ValueError(f"{kind}: got {n!r} points, expected a whole number of at least 1")
    drawn = {name: r if isinstance(r, Between) else between(*r) for name, r in ranges.items() if _is_range(name, r)}
    fixed = {name: plain(value, name) for name, value in ranges.items() if name not in drawn}
    if not drawn:
        raise ValueError(f"{kind}: no range to draw from; give at least one parameter as (low, high) or between(...)")
    if not isinstance(sample_seed, int | np.integer) or sample_seed < 0:
        raise ValueError(f"sample_seed: got {sample_seed!r}, expected a whole number of at least 0")
    rng = np.random.default_rng(sample_seed)
    if kind == "random":
        unit = rng.random((n, len(drawn)))
    else:
        engine = qmc.Sobol if kind == "sobol" else qmc.LatinHypercube
        unit = engine(len(drawn), rng=rng).random(n)
    columns = {name: _stretch(r, unit[:, k]) for k, (name, r) in enumerate(drawn.items())}
    kept = {name: r._asdict() for name, r in drawn.items()}
    return Space({"point": columns}, fixed, {"kind": kind, "sample_seed": int(sample_seed), "ranges": kept})


def _is_range(name, value) -> bool:
    if isinstance(value, Between):
        return True
    if isinstance(value, Axis | Zip | list | np.ndarray):
        raise TypeError(f"{name}: got {value!r}; a sampled space takes (low, high), between(...) or a fixed value")
    return isinstance(value, tuple)


def _stretch(r: Between, unit) -> Axis:
    top = r.high + 1 if r.integer else r.high
    if r.scale == "log":
        values = np.exp(np.log(r.low) + unit * (np.log(top) - np.log(r.low)))
    else:
        values = r.low + unit * (top - r.low)
    values = np.clip(np.floor(values).astype(int), r.low, r.high) if r.integer else np.clip(values, r.low, r.high)
    return Axis(tuple(values.tolist()), r.units, r.scale)
