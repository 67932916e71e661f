"""Projections between slices of populations, "E[:800]": what becomes of their rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from circuits.neurons.connect.factors import low_rank
from physlearn.brief import brief

_SLICE = re.compile(r"(?P<name>.+)\[(?P<start>-?\d*):(?P<stop>-?\d*)(?::(?P<step>\d*))?\]")


def unsliced(projection, populations):
    """The projection between whole populations that does what one between slices does; itself without slices."""
    (source, rows), (target, columns) = (
        _end(projection, end, populations) for end in (projection.source, projection.target)
    )
    if rows is None and columns is None:
        return projection
    if projection.coded:
        factors = {"decoders": _spread(projection, projection.connect.decoders, rows, populations[source].n)}
        if target is not None and projection.connect.encoders is not None:
            turned = np.transpose(projection.connect.encoders)
            factors["encoders"] = np.transpose(_spread(projection, turned, columns, populations[target].n))
        return replace(projection, source=source, target=target, connect=low_rank(**factors))
    rule = Sliced(projection.connect, projection.name, rows, columns)
    return replace(projection, source=source, target=target, connect=rule)


def _end(projection, name, populations):
    """A population's name and the numbers of a slice of it, (m,), or None for all of it."""
    found = None if name is None or name in populations else _SLICE.fullmatch(name)
    if found is None or found["name"] not in populations:
        return name, None
    start, stop, step = (int(found[k]) if found[k] else None for k in ("start", "stop", "step"))
    n = populations[found["name"]].n
    numbers = np.arange(n)[start:stop:step] if step != 0 else np.arange(0)
    if not len(numbers) or (stop is not None and stop > n):
        raise ValueError(
            f"Projection {projection.name!r}: {name!r} leaves 0 to {n - 1}, the neurons of {found['name']!r}"
        )
    return found["name"], numbers


def _spread(projection, factor, numbers, n):
    """Rows of a factor at their numbers among n, 0 elsewhere."""
    if numbers is None:
        return factor
    if len(factor) != len(numbers):
        raise ValueError(
            f"Projection {projection.name!r}: low_rank: factors for {len(factor)} neurons, expected {len(numbers)}, "
            "those of the slice"
        )
    spread = np.zeros((n, factor.shape[1]))
    spread[numbers] = factor
    return spread


@dataclass(frozen=True, eq=False)
class Sliced:
    """A rule of connectivity between slices, as a rule between the whole populations.

    Parameters
    ----------
    rule : rule
        It sees the slices as populations of their own.
    name : str
        Of the projection, for errors.
    rows, columns : (m,) array of int or None
        Numbers of the sources and of the targets; None for all.
    """

    rule: Any
    name: str
    rows: Any
    columns: Any

    __repr__ = brief

    @property
    def weighted(self):
        """Whether the rule brings weights."""
        return getattr(self.rule, "weighted", False) or getattr(self.rule, "weight", None) is not None

    def row_length(self, source, target):
        """Mean number of targets of a source."""
        if not hasattr(self.rule, "row_length"):
            return 0.0
        return self.rule.row_length(_piece(source, self.rows), _piece(target, self.columns))

    def chunks(self, source, target, same, rng):
        """Rows of the rule, with the numbers of the whole populations; `wire` takes rows left out as empty."""
        rows = np.arange(source.n) if self.rows is None else self.rows
        columns = np.arange(target.n) if self.columns is None else self.columns
        one = same and np.array_equal(rows, columns)
        if same and not one and not getattr(self.rule, "self_connections", True) and len(np.intersect1d(rows, columns)):
            raise ValueError(
                f"Projection {self.name!r}: its ends overlap without being equal, and connections of a neuron to "
                "itself are left out by position; take slices apart, or self_connections=True"
            )
        source, target = _piece(source, self.rows), _piece(target, self.columns)
        for low, indptr, targets, weights in self.rule.chunks(source, target, one, rng):
            here = rows[low : low + len(indptr) - 1]
            lengths = np.zeros(here[-1] - here[0] + 2, np.int64)
            lengths[here - here[0] + 1] = np.diff(indptr)
            yield here[0], np.cumsum(lengths), columns[targets].astype(np.int32), weights


def _piece(population, numbers):
    """What rules ask of a population, of a slice of it."""
    if numbers is None:
        return population
    positions = None if population.positions is None else population.positions[numbers]
    return SimpleNamespace(n=len(numbers), positions=positions)
