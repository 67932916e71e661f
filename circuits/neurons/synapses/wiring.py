"""The synapses of a projection as compressed rows, one set for each part of the target population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array
from physlearn.kernels.jit import kernel
from physlearn.rng import seed_sequence


@dataclass(frozen=True)
class Rows:
    """Synapses onto one part of a population, by source.

    starts : (sources + 1,) int64; targets : uint16 or uint32, numbered within the part; weights : (m,) or None;
    delays : (m,) int64 steps or None where all are one.
    """

    starts: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None
    delays: np.ndarray | None

    __repr__ = brief

    def some(self, places):
        """The synapses at ascending places, as rows of their own."""
        weights, delays = (None if v is None else v[places] for v in (self.weights, self.delays))
        return Rows(np.searchsorted(places, self.starts), np.ascontiguousarray(self.targets[places]), weights, delays)

    @property
    def sources(self):
        """Source of each synapse, (m,)."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


@dataclass(frozen=True)
class Wiring:
    """All synapses of a projection, cut by the parts of the target population at ``bounds``."""

    rows: tuple
    bounds: tuple

    __repr__ = brief

    @property
    def size(self):
        """Number of synapses."""
        return sum(len(rows.targets) for rows in self.rows)

    def pairs(self):
        """Sources and targets of all synapses, (m,) each, by source and then target."""
        sources = np.concatenate([rows.sources for rows in self.rows])
        targets = np.concatenate([rows.targets.astype(np.int64) + low for rows, low in zip(self.rows, self.bounds)])  # noqa: B905
        order = np.argsort(sources, kind="stable")
        return sources[order], targets[order]

    def joined(self, values):
        """Values of the parts' synapses as one (m,) array, by source and then target."""
        sources = np.concatenate([rows.sources for rows in self.rows])
        return np.concatenate(values)[np.argsort(sources, kind="stable")]

    def cut(self, values):
        """The inverse of `joined`: one array for each part."""
        sources = np.concatenate([rows.sources for rows in self.rows])
        split = np.empty(len(sources), dtype=np.asarray(values).dtype)
        split[np.argsort(sources, kind="stable")] = values
        return np.split(split, np.cumsum([len(rows.targets) for rows in self.rows])[:-1])


@dataclass(frozen=True, eq=False)
class Drawn:
    """A rule of connectivity: synapses that another rule has drawn, (m,) each, by source and then target."""

    sources: np.ndarray
    targets: np.ndarray

    __repr__ = brief

    def chunks(self, source, target, same, rng):
        """All rows at once."""
        yield 0, np.searchsorted(self.sources, np.arange(source.n + 1)), self.targets.astype(np.int32), None


def wire(projection, source, target, bounds, seed):
    """Draw a projection's synapses.

    Parameters
    ----------
    projection : Projection
    source, target : Population
    bounds : tuple of int
        0, ..., target.n: where the target population is cut.
    seed : SeedSequence
    """
    same = projection.source == projection.target
    widths = np.diff(bounds)
    kind = np.uint16 if max(widths) <= 1 << 16 else np.uint32
    pieces = [[] for _ in widths]
    starts = np.zeros((len(widths), source.n + 1), np.int64)
    brought = []
    for low, indptr, targets, weights in projection.connect.chunks(source, target, same, seed):
        if weights is not None:
            brought.append(weights)
        for part, (a, b) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            piece = np.empty(
                len(targets) if len(widths) == 1 else np.count_nonzero((targets >= a) & (targets < b)), kind
            )
            take_part(indptr, targets, a, b, piece, starts[part, low + 1 : low + len(indptr)])
            pieces[part].append(piece)
    rows = []
    for part in range(len(widths)):
        np.cumsum(starts[part], out=starts[part])
        joined = pieces[part][0] if len(pieces[part]) == 1 else np.concatenate(pieces[part])
        pieces[part] = []
        rows.append(Rows(np.ascontiguousarray(starts[part]), joined, None, None))
    wiring = Wiring(tuple(rows), tuple(bounds))
    return wiring, (np.concatenate(brought) if brought else None)


def values_of(what, value, wiring, seed, key):
    """A projection's weights or delays: a float, or one array for each part."""
    if callable(value):
        sources, targets = wiring.pairs()
        root = seed_sequence(seed)
        generator = np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, key)))
        value = array(f"Projection: {what}", value(sources, targets, generator), finite=False)
    if np.ndim(value) == 0:
        return float(value)
    value = array(f"Projection: {what}", value, finite=False)
    if value.shape != (wiring.size,):
        raise ValueError(
            f"Projection: {what} has shape {value.shape}, expected a number or ({wiring.size},), one a synapse"
        )
    if not np.all(np.isfinite(value)):
        raise ValueError(f"Projection: {what}: values that are not finite")
    return [np.ascontiguousarray(v) for v in wiring.cut(value)]


@kernel
def take_part(indptr, targets, low, high, out, lengths):
    """Copy the targets from low to high - 1 of every row, numbered from low; store the rows' lengths."""
    place = 0
    for r in range(lengths.size):
        before = place
        for z in range(indptr[r], indptr[r + 1]):
            if low <= targets[z] < high:
                out[place] = targets[z] - low
                place += 1
        lengths[r] = place - before
