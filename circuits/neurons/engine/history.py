"""The parts of a population during a run: their state, and the spikes that are still on their way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from circuits.neurons.synapses.arriving import BASE, HEAD
from physlearn.brief import brief


def free_steps(n):
    """Steps in which all n neurons of a part may spike without a visit of Python: 64, fewer for large parts."""
    return max(1, min(64, (1 << 22) // n))


@dataclass
class History:
    """Spikes of one part since ``base``, read by projections and, before they are dropped, by the record."""

    n: int
    base: int
    capacity: int
    steps: int
    exact: bool
    head: np.ndarray = field(init=False)

    __repr__ = brief

    def __post_init__(self):
        self.ids = np.empty(self.capacity, np.int64)
        self.late = np.empty(self.capacity) if self.exact else None
        self.starts = np.zeros(self.steps + 2, np.int64)
        self.head = np.zeros(HEAD, np.int64)  # see `arriving`
        self._point()

    def _point(self):
        late = 0 if self.late is None else self.late.ctypes.data
        self.head[:] = (self.ids.ctypes.data, self.starts.ctypes.data, self.base, self.capacity, late)

    def fits(self, stamp, steps):
        """Whether all neurons can spike in each of the next steps."""
        return self.starts[stamp - self.base] + steps * self.n <= self.capacity

    def numbers(self, first, last):
        """Numbers of the neurons that spiked, stamped first .. last - 1; a copy."""
        return self.ids[self.starts.item(first - self.base) : self.starts.item(last - self.base)].copy()

    def counted(self, first, last):
        """How many spikes were stamped first .. last - 1, and their numbers; copies."""
        a, b = first - self.base, last - self.base
        starts = self.starts[a : b + 1]
        return np.diff(starts), self.ids[starts[0] : starts[-1]].copy()

    def load(self, ids, counts):
        """Begin with earlier spikes, ``counts`` of them at each stamp from the base on."""
        needed = len(ids) + self.n * free_steps(self.n)
        if needed > self.capacity:
            self.capacity = needed
            self.ids, self.late = np.empty(needed, np.int64), np.empty(needed) if self.exact else None
        self.ids[: len(ids)] = ids
        self.starts[1 : len(counts) + 1] = np.cumsum(counts)
        self._point()

    def forget(self, first, last):
        """Keep the spikes stamped first .. last - 1 only, at the front of the buffer."""
        a, b = first - self.base, last - self.base
        low, high = self.starts.item(a), self.starts.item(b)
        needed = high - low + self.n * free_steps(self.n)
        if needed > self.capacity:
            self.capacity = 2 * needed
            ids, self.ids = self.ids, np.empty(self.capacity, np.int64)
            late, self.late = self.late, np.empty(self.capacity) if self.exact else None
            self._point()
        else:
            ids, late = self.ids, self.late
        if high > low:
            self.ids[: high - low] = ids[low:high].copy()
            if self.late is not None and late is not None:
                self.late[: high - low] = late[low:high].copy()
        if a == b:
            self.starts[0] = 0
        else:
            self.starts[: b - a + 1] = self.starts[a : b + 1] - low
        self.base = self.head[BASE] = first


@dataclass
class Part:
    """Neurons low .. high - 1 of a population."""

    population: str
    low: int
    high: int
    state: np.ndarray
    drive: np.ndarray
    injected: np.ndarray
    base: np.ndarray  # what the injected current starts from in every step
    ints: np.ndarray
    history: History
    middle: bool  # currents are taken at the middle of the step
    failure: Callable | None = None  # see `Program`
    filtered: Callable | None = None  # the same
    varying: bool = False

    @property
    def n(self):
        """Number of neurons."""
        return self.high - self.low
