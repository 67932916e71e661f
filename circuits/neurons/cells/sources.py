"""Populations that only send: Poisson processes and recorded spike trains, as models of a population.

They project, are recorded and take part in plasticity like neurons; `Poisson` and `SpikeTrains` are inputs that
need no population of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import carray

from circuits.neurons.parameters import as_numbers, fixed
from circuits.neurons.program import Program, stamps_of
from physlearn.brief import brief
from physlearn.quantities import take_si
from physlearn.rng import uniform

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false


MOST = 0.5  # spikes per step: more would often fall into one step, where one is left


@dataclass(frozen=True, eq=False)
class PoissonSource:
    """Neurons that spike as independent Poisson processes (at most once per step).

    Parameters
    ----------
    rate : float or (n,) array
        Hz; a step holds a spike with probability 1 - exp(-rate dt).

    Examples
    --------
    >>> PoissonSource(20.0).variables
    ('v',)
    """

    rate: Any

    __repr__ = brief
    variables = ("v",)
    units = ("V",)
    sends_only = True

    def __post_init__(self):
        take_si(self, rate="Hz")
        rate = as_numbers("PoissonSource: rate", self.rate)
        if rate.ndim > 1 or not np.all(np.isfinite(rate)) or np.any(rate < 0):
            raise ValueError(f"PoissonSource: rate={self.rate!r} Hz, expected finite numbers of at least 0")
        if rate.ndim:
            object.__setattr__(self, "rate", fixed(rate))

    def initial(self, n):
        """Zeros; v has no meaning here."""
        return np.zeros((1, n))

    def check(self, n, dt, method):
        """Refuse rates that do not fit."""
        if np.shape(self.rate) not in ((), (n,)):
            raise ValueError(f"PoissonSource: rate has shape {np.shape(self.rate)}, expected a number or ({n},)")
        if np.max(self.rate) * dt > MOST:
            raise ValueError(
                f"PoissonSource: rate of {np.max(self.rate):.4g} Hz, expected at most {MOST / dt:.4g} Hz at dt={dt!r} "
                "s: a source spikes at most once per step; use a smaller dt, more sources, or the input Poisson"
            )

    def program(self, n, dt, receptors, method):
        """Compiled step; see `Program`."""
        p = np.broadcast_to(-np.expm1(-np.asarray(self.rate) * dt), (n,)).astype(float)
        return Program(poisson_step, p, np.zeros(n + 4, np.int64), stream_at=n)


@dataclass(frozen=True, eq=False)
class SpikeSource:
    """Neurons that spike at given times.

    Parameters
    ----------
    times : (k,) array
        s; a spike is stamped with the first grid point that is not before it.  A run covers start < t <= stop.
    ids : (k,) array of int

    Examples
    --------
    >>> SpikeSource([0.01, 0.02], [0, 1]).times
    array([0.01, 0.02])
    """

    times: Any
    ids: Any

    __repr__ = brief
    variables = ("v",)
    units = ("V",)
    sends_only = True

    def __post_init__(self):
        take_si(self, times="s")
        times, ids = as_numbers("SpikeSource: times", self.times), as_numbers("SpikeSource: ids", self.ids)
        ids = np.asarray(self.ids)
        if times.ndim != 1 or ids.shape != times.shape or (ids.size and ids.dtype.kind not in "iu"):
            raise ValueError(
                f"SpikeSource: times {times.shape} and ids {ids.shape} {ids.dtype}, expected (k,) seconds and integers"
            )
        if not np.all(np.isfinite(times)):
            raise ValueError("SpikeSource: times must be finite")
        object.__setattr__(self, "times", fixed(times))
        object.__setattr__(self, "ids", fixed(ids.astype(np.int64)))

    def initial(self, n):
        """Zeros; v has no meaning here."""
        return np.zeros((1, n))

    def check(self, n, dt, method):
        """Refuse neurons that do not exist and two spikes of one neuron in a step."""
        if self.ids.size and not (0 <= self.ids.min() and self.ids.max() < n):
            raise ValueError(f"SpikeSource: ids from {self.ids.min()} to {self.ids.max()}, expected 0 to {n - 1}")
        stamps = stamps_of(self.times, dt)
        if len(np.unique(stamps * n + self.ids)) < len(stamps):
            raise ValueError(f"SpikeSource: a neuron has two spikes in one step of dt={dt!r} s; use a smaller dt")

    def spikes_at(self, step, dt):
        """Whether a spike falls on a grid point: one at the start of a run would be lost."""
        return bool(np.any(stamps_of(self.times, dt) == step))

    def part(self, low, high):
        """The source of neurons low .. high - 1."""
        here = (self.ids >= low) & (self.ids < high)
        return SpikeSource(self.times[here], self.ids[here] - low)

    def program(self, n, dt, receptors, method):
        """Compiled step; see `Program`."""
        stamps = stamps_of(self.times, dt)
        order = np.lexsort((self.ids, stamps))
        ints = np.concatenate([np.zeros(n, np.int64), [0, len(order)], stamps[order], self.ids[order]])
        return Program(train_step, np.zeros(1), ints.astype(np.int64), n)  # a run finds its place by itself


def poisson_step(step, n, state, drive, floats, ints, spiked, late):
    """floats: probabilities (n,); ints: unused (n), random state (4)."""
    p, out = carray(floats, (n,)), carray(spiked, (n,))
    s = carray(ints, (n + 4,))[n:].view(np.uint64)
    count = 0
    for i in range(n):
        if uniform(s) < p[i]:
            out[count] = i
            count += 1
    return count


def train_step(step, n, state, drive, floats, ints, spiked, late):
    """ints: unused (n), place of the next spike, number of spikes, stamps, neurons."""
    many = carray(ints, (n + 2,))[n + 1]
    rest = carray(ints, (n + 2 + 2 * many,))[n:]
    out = carray(spiked, (n,))
    k, count = rest[0], 0
    while k < many and rest[2 + k] <= step + 1:
        if rest[2 + k] == step + 1:
            out[count] = rest[2 + many + k]
            count += 1
        k += 1
    rest[0] = k
    return count
