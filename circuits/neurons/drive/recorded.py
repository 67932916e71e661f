"""Recorded spikes from outside, each handed to its neuron at its grid point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import carray

from circuits.neurons.parameters import as_numbers, fixed
from circuits.neurons.program import ARRIVALS, stamps_of
from physlearn.brief import brief
from physlearn.checks import text
from physlearn.kernels.cfuncs import pointer
from physlearn.quantities import WEIGHTS, take_si

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """Recorded spikes: train i reaches neuron i of a population.

    Parameters
    ----------
    target : str
    times : (k,) array
        s; a spike arrives at the first grid point that is not before it.  A run covers start < t <= stop.
    ids : (k,) array of int
        Neuron that each spike reaches.
    weight : float or (k,) array
        In the units of the receptor.
    receptor : str, optional
        May be left out where the population has only one.

    Examples
    --------
    >>> SpikeTrains("E", times=[0.01, 0.02], ids=[0, 0], weight=1e-3).times
    array([0.01, 0.02])
    """

    target: str
    times: Any
    ids: Any
    weight: Any
    receptor: str | None = None

    __repr__ = brief

    def __post_init__(self):
        take_si(self, times="s", weight=WEIGHTS)
        text("SpikeTrains: target", self.target, "the name of a population")
        if self.receptor is not None:
            text("SpikeTrains: receptor", self.receptor, "the name of a receptor, or None")
        times, ids = as_numbers("SpikeTrains: times", self.times), as_numbers("SpikeTrains: ids", self.ids)
        ids = np.asarray(self.ids)
        if times.ndim != 1 or ids.shape != times.shape or (ids.size and ids.dtype.kind not in "iu"):
            raise ValueError(
                f"SpikeTrains: times {times.shape} and ids {ids.shape} {ids.dtype}, expected (k,) seconds and integers"
            )
        weight = as_numbers("SpikeTrains: weight", self.weight)
        if not np.all(np.isfinite(times)) or not np.all(np.isfinite(weight)):
            raise ValueError("SpikeTrains: times and weight must be finite")
        if weight.shape not in ((), times.shape):
            raise ValueError(f"SpikeTrains: weight has shape {weight.shape}, expected a number or {times.shape}")
        object.__setattr__(self, "times", fixed(times))
        object.__setattr__(self, "ids", fixed(ids.astype(np.int64)))
        if weight.ndim:
            object.__setattr__(self, "weight", fixed(weight))

    def check(self, population):
        """Refuse neurons that do not exist."""
        if self.ids.size and not (0 <= self.ids.min() and self.ids.max() < population.n):
            raise ValueError(
                f"SpikeTrains: ids from {self.ids.min()} to {self.ids.max()}, expected 0 to {population.n - 1}"
            )

    def spikes_at(self, step, dt):
        """Whether a spike falls on a grid point: one at the start of a run would be lost."""
        return bool(np.any(stamps_of(self.times, dt) == step))

    def injects(self, name):
        """Spikes are no injected current."""
        return False

    def attach(self, plan, index):
        """Add the actions that hand the spikes over."""
        row, gain = plan.network.populations[self.target].jump_row(plan.network.receptor_of(self))
        stamps = stamps_of(self.times, plan.dt)
        weights = np.broadcast_to(np.asarray(self.weight, float) * gain, stamps.shape)
        for part in plan.parts[self.target]:
            here = np.flatnonzero((self.ids >= part.low) & (self.ids < part.high))
            here = here[np.lexsort((self.ids[here], stamps[here]))]
            when, who, what = stamps[here], self.ids[here] - part.low, np.ascontiguousarray(weights[here])
            place = np.array([np.searchsorted(when, plan.first + 1)])
            plan.action(ARRIVALS, part, recorded, part.state[row], part.n, when, who, what, len(when), place)


def recorded(step, at):
    """Recorded spikes; table: jump row, n, stamps, neurons, weights, number of spikes, place of the next one."""
    t = carray(at, 7)
    out = carray(pointer(t[0]), t[1], np.float64)
    stamps, ids = carray(pointer(t[2]), t[5], np.int64), carray(pointer(t[3]), t[5], np.int64)
    weights, place = carray(pointer(t[4]), t[5], np.float64), carray(pointer(t[6]), 1, np.int64)
    k = place[0]
    while k < t[5] and stamps[k] <= step + 1:
        out[ids[k]] += weights[k]
        k += 1
    place[0] = k
    return 0
