"""Recall of a network of +-1 or 0/1 neurons: compiled updates with kept local fields.

Couplings are brought to whole numbers times a unit, so that fields are exact sums in any order: kept fields do
not drift, batches give what single items give, and no update raises the energy by rounding.  Hebbian couplings
are whole numbers over n already, and fit into float32; others are rounded to 2^-52 of the largest field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array
from physlearn.kernels.jit import kernel
from physlearn.rng import uniform

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Recall:
    """States recalled from cues.

    Attributes
    ----------
    x : (batch, n) or (n,) array
        Final states.
    energy : (batch,) array or float
        Their energies, without the cueing field; NaN for asymmetric couplings, which have none.
    period : (batch,) array or int
        1 for a fixed point, 2 for a cycle of length 2 (synchronous updates), 0 for neither within the sweeps
        (or temperature > 0, which never rests).
    sweeps : (batch,) array or int
        Updates of every neuron until the state was known to repeat.
    flips : (batch,) array or int
        Neurons that changed, over all sweeps.
    trace : (sweeps + 1, batch, n) or (sweeps + 1, n) array, or None
        The cue and the state after every sweep, if asked for.
    method : str
        Name of the dynamics.
    """

    x: Any
    energy: Any
    period: Any
    sweeps: Any
    flips: Any
    trace: Any
    method: str

    @property
    def settled(self):
        """Whether the state is a fixed point."""
        return self.period == 1

    def __repr__(self):
        fixed, cycles = np.sum(np.equal(self.period, 1)), np.sum(np.equal(self.period, 2))
        return f"Recall(method={self.method!r}, items={np.size(self.period)}, fixed points={fixed}, 2-cycles={cycles})"


class Whole(NamedTuple):
    """``columns`` W.T/unit, float32 where all fields fit into 24 bits; ``rows`` the same, int8 where it fits."""

    columns: np.ndarray
    rows: np.ndarray
    unit: float

    __repr__ = brief


def whole_numbers(couplings):
    """Couplings as whole numbers times a unit."""
    size = np.abs(couplings)
    largest = float(size.sum(1).max())
    if largest == 0.0:
        return Whole(np.zeros(couplings.shape, np.float32), np.zeros(couplings.shape, np.int8), 1.0)
    unit = float(size[size > 0].min())
    if largest / unit < 2**24:
        scaled = couplings.T / unit
        rounded = np.rint(scaled)
        if np.max(np.abs(scaled - rounded)) <= 4 * EPS * largest / unit:
            columns = np.ascontiguousarray(rounded, dtype=np.float32)
            small = float(size.max()) / unit < 127.5
            return Whole(columns, columns.astype(np.int8) if small else columns, unit)
    unit = 2.0 ** (np.ceil(np.log2(largest)) - 52)
    columns = np.ascontiguousarray(np.rint(couplings.T / unit))
    return Whole(columns, columns, unit)


class Run:
    """One call of `Hopfield.recall`: states and kept fields, in the couplings' unit."""

    def __init__(self, memory, state, whole, temperature, field, rows, max_sweeps, trace):
        self.memory, self.state = memory, state
        self.columns, self.rows, self.unit = whole
        self.temperature = temperature / self.unit
        self.given, self.streams, self.max_sweeps, self.trace = field, rows, max_sweeps, trace
        self.varies = callable(field)
        self.low, self.high = (state.dtype.type(v) for v in memory.values)
        self.h = self.fields(state)

    def fields(self, x):
        """W x of states in the couplings' unit: exact, whichever way it is summed."""
        patterns = self.memory.factor
        if patterns is None or self.columns.dtype != np.float32:
            return x @ self.columns
        h = (x @ patterns.T) @ patterns - np.float32(len(patterns)) * x  # two thin products: half the work or less
        return np.rint(h * np.float32(1.0 / (self.memory.n * self.unit)))

    def push(self, sweep):
        """Biases and external field of a sweep, (batch, n) in the couplings' unit."""
        given = self.given(sweep) if self.varies else self.given
        n = self.memory.n
        given = np.zeros(n) if given is None else array("field", given, finite=False)
        if given.shape not in ((n,), self.state.shape):
            raise ValueError(f"field: shape {given.shape}, expected ({n},) or {self.state.shape}")
        if not np.all(np.isfinite(given)):
            raise ValueError("field: some values are NaN or infinite, expected finite fields")
        push = (self.memory.bias + given) / self.unit
        half = 0.5 * np.rint(2.0 * push)
        push = np.where(np.abs(push - half) <= 4 * EPS * np.abs(half), half, push)  # so that ties are ties
        return np.ascontiguousarray(np.broadcast_to(push, self.state.shape))

    def asynchronous(self, order):
        """One state after the other; one sweep at a time where something happens between sweeps."""
        period, sweeps, flips = (np.zeros(len(self.state), np.int64) for _ in range(3))
        shuffle = order == "random"
        orders = np.tile(np.arange(self.memory.n), (len(self.state) if shuffle else 1, 1))
        together = 1 if self.varies or self.trace is not None else self.max_sweeps
        going, push = np.ones(len(self.state), bool), self.push(0)
        for sweep in range(0, self.max_sweeps, together):
            push = self.push(sweep) if self.varies and sweep else push
            for b in np.flatnonzero(going):
                used, changed, rests = asynchronous(
                    self.state[b],
                    self.h[b],
                    self.rows,
                    push[b],
                    self.low,
                    self.high,
                    self.temperature,
                    orders[b % len(orders)],
                    shuffle,
                    self.streams[b],
                    together,
                )
                sweeps[b] += used
                flips[b] += changed
                period[b] = rests
            going = (period == 0) | self.varies  # a later field may wake it
            self._record()
            if not going.any():
                break
        return period, sweeps, flips

    def synchronous(self):
        """All states at once, by one matrix product a sweep; states that repeat are left alone."""
        period, sweeps, flips = (np.zeros(len(self.state), np.int64) for _ in range(3))
        live, x, h, rows, push = np.arange(len(self.state)), self.state.copy(), self.h, self.streams, self.push(0)
        before = np.full_like(x, np.nan)
        for sweep in range(self.max_sweeps):
            push = self.push(sweep) if self.varies and sweep else push
            moved, returned = np.empty(len(x), np.int64), np.empty(len(x), np.int64)
            synchronous(x, h, push, before, self.low, self.high, self.temperature, rows, moved, returned)
            going = (period[live] == 0) | self.varies
            to = live[going]
            self.state[to], self.h[to] = x[going], h[going]
            sweeps[to] += 1
            flips[to] += moved[going]
            if self.temperature == 0:
                period[to] = np.where(moved == 0, 1, np.where(returned == 0, 2, 0))[going]
            self._record()
            keep = (period[live] == 0) | self.varies
            if not keep.any() or sweep + 1 == self.max_sweeps:
                break
            if 4 * np.count_nonzero(keep) <= 3 * len(keep):  # copying rows costs, too
                live, x, rows, push, before = live[keep], x[keep], rows[keep], push[keep], before[keep]
            h = self.fields(x)
        moving = period != 1  # at a fixed point the last fields are those of the state already
        self.h[moving] = self.fields(self.state[moving])
        return period, sweeps, flips

    def _record(self):
        if self.trace is not None:
            self.trace.append(self.state.astype(float))


@kernel
def asynchronous(x, h, rows, push, low, high, temperature, order, shuffle, stream, max_sweeps):
    """Update the neurons of one state one by one; (sweeps, flips, whether the last sweep changed nothing).

    Parameters
    ----------
    x, h : (n,) arrays of float32 or float64
        State and its fields, changed in place; only flips cost more than a look.
    rows : (n, n) array
        Row i: contributions of neuron i to the fields of all others.
    push : (n,) array of float64
        Further fields, in the couplings' unit, as is the temperature.
    order : (n,) array of int64
        Order of a sweep; shuffled before each if ``shuffle``.
    """
    n, flips = len(x), 0
    for sweep in range(max_sweeps):
        if shuffle:
            for k in range(n - 1, 0, -1):
                j = int(uniform(stream) * (k + 1))
                order[k], order[j] = order[j], order[k]
        changed = 0
        for i in order:
            field = h[i] + push[i]
            if temperature > 0.0:
                p = 1.0 / (1.0 + np.exp(-(high - low) * field / temperature))
                new = high if uniform(stream) < p else low
            else:
                new = high if field > 0.0 else (low if field < 0.0 else x[i])
            if new != x[i]:
                step, row = new - x[i], rows[i]
                for j in range(n):
                    h[j] += step * row[j]
                x[i] = new
                changed += 1
        flips += changed
        if changed == 0 and temperature == 0.0:
            return sweep + 1, flips, True
    return max_sweeps, flips, False


@kernel
def synchronous(x, h, push, before, low, high, temperature, streams, moved, returned):
    """Update all neurons of all states at once; x becomes the new state, ``before`` the old one.

    ``moved`` and ``returned`` (batch,) get the numbers of neurons that differ from x and from ``before``.
    """
    for b in range(len(x)):
        changed, other = 0, 0
        for i in range(x.shape[1]):
            field = h[b, i] + push[b, i]
            old = x[b, i]
            if temperature > 0.0:
                p = 1.0 / (1.0 + np.exp(-(high - low) * field / temperature))
                new = high if uniform(streams[b]) < p else low
            else:
                new = high if field > 0.0 else (low if field < 0.0 else old)
            changed += new != old
            other += new != before[b, i]
            x[b, i], before[b, i] = new, old
        moved[b], returned[b] = changed, other


# Sums in any order, so that they vectorise; they are of whole numbers below 2^24, so exact in any order.
@kernel(fastmath={"reassoc", "contract", "nsz"})
def by_overlaps(x, patterns, order, max_sweeps):
    """Asynchronous descent with Hebb's couplings that are never formed: kept sums xi_mu.x instead.

    Parameters
    ----------
    x : (n,) array of float32, changed in place
    patterns : (n, m) array of int8
        A row for each neuron.
    order : (n,) array of int64

    Returns
    -------
    sweeps, flips, whether the last sweep changed nothing
    """
    n, m = patterns.shape
    sums, flips = np.zeros(m, np.float32), 0
    for i in range(n):
        for mu in range(m):
            sums[mu] += np.float32(patterns[i, mu]) * x[i]
    for sweep in range(max_sweeps):
        changed = 0
        for i in order:
            row, field = patterns[i], np.float32(0.0)
            for mu in range(m):
                field += np.float32(row[mu]) * sums[mu]
            field -= np.float32(m) * x[i]  # without the diagonal
            if field * x[i] < np.float32(0.0):
                x[i] = -x[i]
                step = np.float32(2.0) * x[i]
                for mu in range(m):
                    sums[mu] += step * np.float32(row[mu])
                changed += 1
        flips += changed
        if changed == 0:
            return sweep + 1, flips, True
    return max_sweeps, flips, False
