"""Independent Poisson spikes from outside.

A Poisson input draws the number of arriving spikes for every neuron and step: Poisson with mean rate * dt.  They
arrive at the step's end, like the spikes of neurons.  Random numbers belong to blocks of `STREAM` neurons, 64
generators each, advanced side by side in vector registers; where all neurons share one rate, the number is the count of
cumulative probabilities that a 32-bit uniform exceeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import carray

from circuits.neurons.parameters import as_numbers, fixed
from circuits.neurons.program import ARRIVALS, STREAM
from physlearn.brief import brief
from physlearn.checks import function, text
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import kernel
from physlearn.quantities import WEIGHTS, take_si
from physlearn.rng import uniform

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false


LANES = 64
_MOST = 500.0  # spikes per neuron and step: above, exp(-mean) loses its digits


@dataclass(frozen=True, eq=False)
class Poisson:
    """Independent Poisson spikes to every neuron of a population.

    Parameters
    ----------
    target : str
    rate : float, (n,) array or function
        Hz; of all the spikes of one neuron (for 1,000 sources of 5 Hz each, 5,000 Hz).  A function of time takes
        (steps,) seconds and returns (steps,) or (steps, n).
    weight : float
        In the units of the receptor.
    receptor : str, optional
        May be left out where the population has only one.

    Examples
    --------
    >>> Poisson("E", rate=8e3, weight=0.1e-3).rate
    8000.0
    """

    target: str
    rate: float | np.ndarray | Callable[..., Any]
    weight: float
    receptor: str | None = None

    __repr__ = brief

    def __post_init__(self):
        take_si(self, rate="Hz", weight=WEIGHTS)
        text("Poisson: target", self.target, "the name of a population")
        if self.receptor is not None:
            text("Poisson: receptor", self.receptor, "the name of a receptor, or None")
        if callable(self.rate):
            function("Poisson: rate", self.rate, 1, "a rate in Hz, or a function of times (steps,) in s")
        else:
            rate = as_numbers("Poisson: rate", self.rate)
            if rate.ndim > 1 or not np.all(np.isfinite(rate)) or np.any(rate < 0):
                raise ValueError(f"Poisson: rate={self.rate!r} Hz, expected finite numbers of at least 0")
            if rate.ndim:
                object.__setattr__(self, "rate", fixed(rate))
        weight = as_numbers("Poisson: weight", self.weight)
        if weight.ndim or not np.isfinite(weight):
            raise ValueError(f"Poisson: weight={self.weight!r}, expected one finite number")

    def check(self, population):
        """Refuse rates that do not fit the population."""
        if not callable(self.rate) and np.shape(self.rate) not in ((), (population.n,)):
            raise ValueError(f"Poisson: rate has shape {np.shape(self.rate)}, expected a number or ({population.n},)")

    def injects(self, name):
        """Spikes are no injected current."""
        return False

    def attach(self, plan, index):
        """Add the actions that draw the spikes."""
        population = plan.network.populations[self.target]
        row, gain = population.jump_row(plan.network.receptor_of(self))
        weight = np.array([self.weight * gain])
        for k, part in enumerate(plan.parts[self.target]):
            blocks = -(-part.n // STREAM)
            key, first = 1000 + index, part.low // STREAM
            name = f"poisson#{index}/{k}"
            if not callable(self.rate) and np.ndim(self.rate) == 0 and float(self.rate) * plan.dt >= 1e-4:
                children = plan.seeds(key, first, blocks, 4 * LANES)
                lanes = plan.keep(name, np.ascontiguousarray(children.reshape(blocks, 4, LANES)))
                table = cumulative(self._mean(np.asarray(self.rate), plan.dt))
                scratch = np.zeros(2 * LANES, np.uint64)
                entries = (part.state[row], part.n, weight, lanes, table, len(table), scratch)
                plan.action(ARRIVALS, part, shared, *entries)
                continue
            states = plan.keep(name, plan.seeds(key, first, blocks, 4))
            low, high = part.low, part.high
            if callable(self.rate):
                course: Callable[..., Any] = self.rate
                width = None if np.ndim(course(np.zeros(1))) < 2 else part.n

                def mean(t, low=low, high=high, width=width, course=course):
                    rates = as_numbers("Poisson: rate", course(t))
                    if rates.shape != (len(t),) + (() if width is None else (population.n,)):
                        raise ValueError(
                            f"Poisson: rate(t) of {len(t)} times has shape {rates.shape}, expected ({len(t)},) or "
                            f"({len(t)}, {population.n})"
                        )
                    return self._mean(rates if width is None else rates[:, low:high], plan.dt)

                means, clock = plan.course(mean, False, width)
                entries = (means, clock, 0 if width is None else 1)
            else:
                means = np.broadcast_to(self._mean(np.asarray(self.rate, float), plan.dt), (population.n,))
                entries = (np.ascontiguousarray(means[low:high]), 0, 1)
            plan.action(ARRIVALS, part, various, part.state[row], part.n, weight, states, *entries)

    def _mean(self, rate, dt):
        mean = rate * dt
        if not np.all(np.isfinite(mean)) or np.any(mean < 0) or np.any(mean > _MOST):
            raise ValueError(
                f"Poisson: rate from {np.min(rate):.4g} to {np.max(rate):.4g} Hz, expected 0 to {_MOST / dt:.4g} Hz at "
                f"dt={dt!r} s; for more use a current with noise (OrnsteinUhlenbeck)"
            )
        return mean


def cumulative(mean):
    """Cumulative probabilities of a Poisson number in units of 2^-32, a multiple of 4 of them."""
    numbers = np.arange(1, int(mean + 12 * np.sqrt(mean) + 20))
    probabilities = np.exp(-mean) * np.cumprod(np.concatenate([[1.0], mean / numbers]))
    table = np.rint(np.cumsum(probabilities) * 2.0**32)
    table = table[: np.searchsorted(table, 2.0**32 - 1)].astype(np.uint32)
    return np.concatenate([table, np.full(-len(table) % 4, 2**32 - 1, np.uint32)])


@kernel(inline=True)
def _words(a, b, c, d, out):
    """Advance xoshiro256++ generators side by side."""
    for i in range(out.size):
        s0, s1, s2, s3 = a[i], b[i], c[i], d[i]
        total = s0 + s3
        out[i] = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
        shifted = s1 << np.uint64(17)
        s2 ^= s0
        s3 ^= s1
        a[i] = s0 ^ s3
        b[i] = s1 ^ s2
        c[i] = s2 ^ shifted
        d[i] = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))


@kernel(inline=True)
def _four(draws, counts, t0, t1, t2, t3):
    """Count which of four thresholds each draw reaches."""
    for i in range(draws.size):
        r = draws[i]
        counts[i] += np.int32(r >= t0) + np.int32(r >= t1) + np.int32(r >= t2) + np.int32(r >= t3)


@kernel(inline=True)
def _add(out, counts, w):
    for i in range(out.size):
        out[i] += w * counts[i]


def shared(step, at):
    """Poisson numbers of one mean.

    table: jump row, n, weight, generators (blocks, 4, LANES), thresholds, their number, scratch (2 LANES words).
    """
    t = carray(at, 7)
    n = t[1]
    blocks = (n + STREAM - 1) // STREAM
    out = carray(pointer(t[0]), n, np.float64)
    w = carray(pointer(t[2]), 1, np.float64)[0]
    lanes = carray(pointer(t[3]), (blocks, 4, LANES), np.uint64)
    thresholds = carray(pointer(t[4]), t[5], np.uint32)
    words = carray(pointer(t[6]), LANES, np.uint64)
    draws = carray(pointer(t[6]), 2 * LANES, np.uint32)
    counts = carray(pointer(t[6] + 8 * LANES), 2 * LANES, np.int32)
    for block in range(blocks):
        s = lanes[block]
        for low in range(block * STREAM, min((block + 1) * STREAM, n), 2 * LANES):
            _words(s[0], s[1], s[2], s[3], words)
            counts[:] = 0
            for q in range(0, t[5], 4):
                _four(draws, counts, thresholds[q], thresholds[q + 1], thresholds[q + 2], thresholds[q + 3])
            piece = out[low : min(low + 2 * LANES, n)]
            _add(piece, counts, w)
    return 0


def various(step, at):
    """Poisson numbers of a mean per neuron or of a mean that varies in time, by inversion.

    table: jump row, n, weight, generators (blocks, 4), means, clock (0 if constant), whether they are per neuron.
    """
    t = carray(at, 7)
    n = t[1]
    out = carray(pointer(t[0]), n, np.float64)
    w = carray(pointer(t[2]), 1, np.float64)[0]
    states = carray(pointer(t[3]), ((n + STREAM - 1) // STREAM, 4), np.uint64)
    place = step - carray(pointer(t[5]), 1, np.int64)[0] if t[5] != 0 else 0
    width = n if t[6] else 1
    means = carray(pointer(t[4] + 8 * place * width), width, np.float64)
    start = np.exp(-means[0])
    for i in range(n):
        mean = means[i] if t[6] else means[0]
        p = np.exp(-mean) if t[6] else start
        u = uniform(states[i // STREAM])
        if u < p:
            continue
        total, k = p, 0
        while u >= total and k < 2000:
            k += 1
            p *= mean / k
            total += p
        out[i] += w * k
    return 0
