"""Spaces: the points that a study visits.

A space is a product of dimensions; along each of them one parameter varies, or several together.  A grid has a
dimension a parameter, a zip group is one dimension of several parameters, and lists and samples
(`physlearn.study.plans.draws`) are spaces of the one dimension "point".
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from physlearn.brief import brief
from physlearn.checks import instance, mapping, sequence
from physlearn.study.plans.axes import Axis, Zip, as_axis, as_value, varies
from physlearn.study.plans.identity import canonical, text

RESERVED = ("replicate", "status", "point")


@dataclass(frozen=True)
class Space:
    """A set of points that is not listed: each point is computed on request.

    Attributes
    ----------
    dims : mapping of str to mapping of str to Axis
        Dimension -> parameter -> values; all parameters of a dimension have the same number of values.
    fixed : mapping of str to value
        Parameters that do not vary.
    origin : mapping
        The way in which it was made.

    Examples
    --------
    >>> from physlearn.study import zipped
    >>> space = grid(T=[1.0, 2.0], pair=zipped(n=[8, 16], seed=[1, 2]), J=1.0)
    >>> len(space), space[3]
    (4, {'J': 1.0, 'T': 2.0, 'n': 16, 'seed': 2})
    """

    dims: Mapping[str, Mapping[str, Axis]]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=lambda: {"kind": "grid"})

    __repr__ = brief

    def __post_init__(self):
        mapping("dims", self.dims, expected="a mapping of dimensions to parameters")
        for dim, axes in self.dims.items():
            for name, values in mapping(f"dims[{dim!r}]", axes, expected="a mapping of parameters to an Axis").items():
                instance(f"dims[{dim!r}][{name!r}]", values, Axis, "an Axis")
        mapping("fixed", self.fixed, expected="a mapping of parameters to values")
        if "kind" not in mapping("origin", self.origin, expected="a mapping that says how the space was made"):
            raise ValueError("origin: got no 'kind', expected how the space was made, such as {'kind': 'grid'}")
        for name in (*self.fixed, *self.dims, *(name for axes in self.dims.values() for name in axes)):
            instance("space", name, str, "names of parameters and dimensions")
        seen = list(self.fixed)
        for dim, axes in self.dims.items():
            if len({len(a.values) for a in axes.values()}) > 1:
                sizes = ", ".join(f"{name} has {len(a.values)}" for name, a in axes.items())
                raise ValueError(f"{dim}: parameters that move together need as many values each; {sizes}")
            if not axes or not next(iter(axes.values())).values:
                raise ValueError(f"{dim}: empty; a space needs at least one value along each dimension")
            rows = set()
            for row in zip(*(a.values for a in axes.values()), strict=True):
                # 1 and 1.0 are the same, a list and its text are not
                same = tuple((canonical(v),) if isinstance(v, list | dict) else v for v in row)
                if same in rows:
                    raise ValueError(
                        f"{dim}: {list(row)} appears twice; replicates= repeats a point with other random numbers"
                    )
                rows.add(same)
            seen += list(axes)
            if dim in RESERVED[:2] or (dim == "point" and self.origin["kind"] == "grid"):
                raise ValueError(f"{dim}: this name is taken by the dataset; rename the parameter or the group")
        for name in (*seen, *self.dims):
            text(name, "space")
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
        return {name: copy.deepcopy(v) if isinstance(v, list | dict) else v for name, v in point.items()}

    def to_json(self) -> dict:
        """The form in a store: all values, so that nothing has to be drawn again.

        The dimensions' order numbers the points, and is lost where JSON is written with sorted keys.
        """
        dims = {d: {name: a._asdict() for name, a in axes.items()} for d, axes in self.dims.items()}
        return {"dims": dims, "order": list(dims), "fixed": dict(self.fixed), "origin": dict(self.origin)}

    @classmethod
    def from_json(cls, kept: Mapping) -> Space:
        """The space that `to_json` described.

        Parameters
        ----------
        kept : mapping

        Examples
        --------
        >>> Space.from_json(grid(T=[1.0, 2.0]).to_json()).shape
        (2,)
        """
        mapping("kept", kept, expected="what to_json gave")
        if lost := {"dims", "order", "fixed", "origin"} - set(kept):
            raise ValueError(f"kept: got no {sorted(lost)}, expected what to_json gave")
        mapping("kept: dims", kept["dims"], expected="a mapping of dimensions to parameters")
        dims = {
            d: {name: Axis(tuple(a["values"]), a["units"], a["scale"]) for name, a in axes.items()}
            for d, axes in ((d, kept["dims"][d]) for d in kept["order"])
        }
        return cls(dims, kept["fixed"], kept["origin"])


def grid(**axes) -> Space:
    """All combinations; lists and arrays are axes, scalars and strings are fixed.

    Parameters
    ----------
    **axes : sequences, or anything
        Values of each parameter.

    Examples
    --------
    >>> from physlearn.study import axis
    >>> [space["T"] for space in grid(T=axis([1, 2], units="K"), model="ising")]
    [1, 2]
    """
    dims, fixed = {}, {}
    for name, values in axes.items():
        if isinstance(values, Zip):
            dims[name] = values.axes
        elif varies(values):
            dims[name] = {name: as_axis(name, values)}
        else:
            fixed[name] = as_value(values, name)
    return Space(dims, fixed)


def points(rows: Sequence[Mapping[str, Any]], *, units: Mapping[str, str] | None = None) -> Space:
    """An explicit list; every row names the same parameters.

    Parameters
    ----------
    rows : sequence of mapping of str to value
    units : mapping of str to str, optional

    Examples
    --------
    >>> points([{"a": 1, "b": 2}, {"a": 3, "b": 5}])[1]
    {'a': 3, 'b': 5}
    """
    rows = sequence("rows", rows, Mapping, "a list of points, each a mapping of names to values")
    units = mapping("units", {} if units is None else units, expected="a mapping of parameters to units")
    for name, unit in units.items():
        instance(f"units[{name!r}]", unit, str, "a unit")
    for name in {name for row in rows for name in row}:
        instance("rows", name, str, "names of parameters")
    if not rows or not rows[0]:
        raise ValueError("points: empty rows; a space needs at least one point with at least one parameter")
    for number, row in enumerate(rows):
        if set(row) != set(rows[0]):
            raise ValueError(f"points: row {number} names {sorted(row)}, row 0 names {sorted(rows[0])}")
    if unused := sorted(set(units) - set(rows[0])):
        raise ValueError(f"units: got some of {unused}, expected only of the parameters {sorted(rows[0])}")
    columns = {name: Axis(tuple(as_value(row[name], name) for row in rows), units.get(name)) for name in rows[0]}
    return Space({"point": columns}, {}, {"kind": "points"})


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
