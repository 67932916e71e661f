"""Rules that draw connections: by chance, by numbers, by distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.neurons.drawing import draw_rows, draw_sources, rows_of
from circuits.neurons.parameters import as_numbers
from physlearn.brief import brief
from physlearn.checks import array, count, flag, function, number
from physlearn.rng import streams

_CHUNK = 1 << 21  # synapses in a chunk, about


@dataclass(frozen=True)
class fixed_probability:  # noqa: N801
    """Each pair with probability p, independently.

    Parameters
    ----------
    p : float
        From 0 to 1.
    self_connections : bool
        Whether a neuron may connect to itself.

    Examples
    --------
    >>> fixed_probability(0.1)
    fixed_probability(p=0.1, self_connections=False)
    """

    p: float
    self_connections: bool = False

    __repr__ = brief

    def __post_init__(self):
        number("fixed_probability: p", self.p, 0, 1)
        flag("fixed_probability: self_connections", self.self_connections)

    def row_length(self, source, target):
        """Mean number of targets of a source."""
        return self.p * target.n

    def chunks(self, source, target, same, rng):
        """Rows by geometric skips, chunk by chunk."""
        rows = max(1, int(_CHUNK / max(1.0, target.n * self.p)))
        chunks = -(-source.n // rows)
        skip = same and not self.self_connections
        for chunk, state in enumerate(streams(rng, chunks, key=1)):
            low, high = chunk * rows, min((chunk + 1) * rows, source.n)
            mean = (high - low) * target.n * self.p
            out = np.empty(min((high - low) * target.n, int(mean + 12 * np.sqrt(mean) + 64)), np.int32)
            indptr = np.empty(high - low + 1, np.int64)
            draw_rows(low, target.n, self.p, skip, state, indptr, out)
            yield low, indptr, out[: indptr[-1]], None


@dataclass(frozen=True)
class fixed_indegree:  # noqa: N801
    """Each target gets k sources, drawn without repetition unless ``repeated=True``.

    Parameters
    ----------
    k : int
        At least 0.
    self_connections, repeated : bool
        Whether a neuron may connect to itself, and a source be drawn more than once.

    Examples
    --------
    >>> fixed_indegree(100).k
    100
    """

    k: int
    self_connections: bool = False
    repeated: bool = False

    __repr__ = brief

    def __post_init__(self):
        object.__setattr__(self, "k", count("fixed_indegree: k", self.k, least=0))
        for name in ("self_connections", "repeated"):
            flag(f"fixed_indegree: {name}", getattr(self, name))

    def row_length(self, source, target):
        """Mean number of targets of a source."""
        return self.k * target.n / source.n

    def chunks(self, source, target, same, rng):
        """All rows at once."""
        skip = same and not self.self_connections
        if self.k > source.n - skip and (not self.repeated or source.n == skip):
            raise ValueError(
                f"fixed_indegree: k={self.k} of {source.n} sources; choose fewer, or repeated=True "
                "(and self_connections=True)"
            )
        count("fixed_indegree: k", self.k, 0, each=4 * target.n)
        drawn = np.empty((target.n, self.k), np.int32)
        draw_sources(source.n, skip, self.repeated, streams(rng, 1, key=1)[0], drawn, np.full(source.n, -1, np.int64))
        yield (0, *rows_of(drawn.ravel(), np.repeat(np.arange(target.n, dtype=np.int32), self.k), source.n), None)


@dataclass(frozen=True)
class one_to_one:  # noqa: N801
    """Neuron i to neuron i.

    Examples
    --------
    >>> one_to_one()
    one_to_one()
    """

    def chunks(self, source, target, same, rng):
        """All rows at once."""
        if source.n != target.n:
            raise ValueError(f"one_to_one: {source.n} sources and {target.n} targets, expected equal numbers")
        yield 0, np.arange(source.n + 1), np.arange(source.n, dtype=np.int32), None


@dataclass(frozen=True)
class all_to_all:  # noqa: N801
    """Every pair.

    Parameters
    ----------
    self_connections : bool
        Whether a neuron may connect to itself.

    Examples
    --------
    >>> all_to_all(self_connections=True)
    all_to_all(self_connections=True)
    """

    self_connections: bool = False

    def __post_init__(self):
        flag("all_to_all: self_connections", self.self_connections)

    def row_length(self, source, target):
        """Mean number of targets of a source."""
        return target.n

    def chunks(self, source, target, same, rng):
        """Rows, chunk by chunk."""
        yield from fixed_probability(1.0, self.self_connections).chunks(source, target, same, rng)


@dataclass(frozen=True)
class distance_dependent:  # noqa: N801
    """Each pair with probability ``probability(distance)``, distance in metres between `Population.positions`.

    Parameters
    ----------
    probability : function
        (m,) distances -> (m,) probabilities.
    period : float or (d,) array, optional
        m; the space is a torus of this size, infinite along a direction that does not close.
    self_connections : bool
        Whether a neuron may connect to itself.

    Examples
    --------
    >>> import numpy as np
    >>> distance_dependent(lambda d: 0.2 * np.exp(-d / 1e-4), period=1e-3).period
    0.001
    """

    probability: Callable
    period: Any = None
    self_connections: bool = False

    __repr__ = brief

    def __post_init__(self):
        function("distance_dependent: probability", self.probability, 1)
        flag("distance_dependent: self_connections", self.self_connections)
        if self.period is not None:
            period = as_numbers("distance_dependent: period", self.period)
            if period.ndim > 1 or not np.all(period > 0):
                raise ValueError(f"distance_dependent: period={self.period!r} m, expected positive lengths, or None")

    def chunks(self, source, target, same, rng):
        """Rows, chunk by chunk."""
        for name, population in (("source", source), ("target", target)):
            if population.positions is None:
                raise ValueError(f"distance_dependent: the {name} population has no positions; give `positions`")
        if np.shape(source.positions)[1] != np.shape(target.positions)[1]:
            raise ValueError(
                f"distance_dependent: positions of {np.shape(source.positions)[1]} dimensions in the source and "
                f"{np.shape(target.positions)[1]} in the target"
            )
        rows = max(1, _CHUNK // target.n)
        chunks = -(-source.n // rows)
        for chunk, state in enumerate(streams(rng, chunks, key=1)):
            low, high = chunk * rows, min((chunk + 1) * rows, source.n)
            apart = np.abs(np.asarray(source.positions)[low:high, None] - np.asarray(target.positions)[None])
            if self.period is not None:
                apart %= self.period
                apart = np.minimum(apart, self.period - apart)
            found = self.probability(np.sqrt(np.sum(apart**2, axis=-1)))
            p = np.array(array("distance_dependent: probability(distance)", found, finite=False))
            if p.shape != (high - low, target.n) or not np.all((p >= 0) & (p <= 1)):
                raise ValueError("distance_dependent: probability(distance) must return numbers from 0 to 1, one each")
            if same and not self.self_connections:
                p[np.arange(high - low), np.arange(low, high)] = 0.0
            generator = np.random.default_rng(state)
            rows_, targets = np.nonzero(generator.random(p.shape) < p)
            indptr = np.searchsorted(rows_, np.arange(high - low + 1))
            yield low, indptr, targets.astype(np.int32), None
