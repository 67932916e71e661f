"""Compiled actions of synapses: receptors' own dynamics, and the delivery of spikes.

Spikes are delivered straight from the histories of their sources, after the projection's shortest delay, to the row
of state that they make jump: no buffer per delay.  A synapse with a longer delay puts its weight into a ring of
future rows.  Targets are numbered within their part of the population, in two bytes where that is enough; sums run
over sources in the order of their numbers, so that parts and threads do not change a bit.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from physlearn.kernels.cfuncs import pointer, prefetch
from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

BLOCK = 512  # neurons whose receptors stay in the nearest cache


@kernel(inline=True)
def _jump(v, jump, held):
    for i in range(v.size):
        v[i] += 0.0 if held[i] > 0 else jump[i]
        jump[i] = 0.0


@kernel(inline=True)
def _more(out, y, factor):
    for i in range(out.size):
        out[i] += factor * y[i]


@kernel(inline=True)
def _times(y, factor):
    for i in range(y.size):
        y[i] *= factor


def receptors(step, at):
    """Advance the receptors of a part exactly and fill its drive, before the model's own step.

    table: n, state, drive, injected, ints (refractory steps left), floats, ints of structure: number of receptors,
    then (kind, first row, order) of each, kind 0 a delta, 1 a current, 2 a conductance.
    floats, for each: reversal, weights of its rows in the held value, and its matrix.
    """
    t = carray(at, 7)
    n = t[0]
    count = carray(pointer(t[6]), 1, np.int64)[0]
    shape = carray(pointer(t[6]), 1 + 3 * count, np.int64)
    f = carray(pointer(t[5]), 14 * count, np.float64)
    drive, injected = carray(pointer(t[2]), (3, n), np.float64), carray(pointer(t[3]), n, np.float64)
    held = carray(pointer(t[4]), n, np.int64)
    v = carray(pointer(t[1]), n, np.float64)
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n)
        current, conductance, toward = drive[0, low:high], drive[1, low:high], drive[2, low:high]
        current[:] = injected[low:high]
        conductance[:] = 0.0
        toward[:] = 0.0
        for r in range(count):
            kind, first, m = shape[1 + 3 * r], shape[2 + 3 * r], shape[3 + 3 * r]
            w = f[14 * r : 14 * r + 14]
            y = carray(pointer(t[1] + 8 * n * first), (max(m, 1), n), np.float64)
            if kind == 0:
                _jump(v[low:high], y[0, low:high], held[low:high])
                continue
            for a in range(m):
                if kind == 1:
                    _more(current, y[a, low:high], w[1 + a])
                else:
                    _more(conductance, y[a, low:high], w[1 + a])
                    _more(toward, y[a, low:high], w[1 + a] * w[0])
            for a in range(m - 1, -1, -1):
                _times(y[a, low:high], w[4 + a * m + a])
                for b in range(a):
                    _more(y[a, low:high], y[b, low:high], w[4 + a * m + b])
    return 0


@kernel(inline=True)
def _spikes(t, p, step, delay):
    """First and last place, and address of the numbers, of a part's spikes that arrive now."""
    head = carray(pointer(t[5 + 2 * p]), 5, np.int64)
    place = step + 1 - delay - head[2]
    if place < 0:
        return 0, 0, head[0]
    starts = carray(pointer(head[1]), place + 2, np.int64)
    return starts[place], starts[place + 1], head[0]


@kernel(inline=True)
def _ask(starts, spiked, q, high, first, targets, width):
    """Fetch the targets of the row after row q: rows are short and lie anywhere, so the machine cannot guess them.

    Measured on Brunel's network: 1.8 ns per synaptic event without, 0.8 ns with.
    """
    if q + 1 < high:
        row = carray(pointer(starts + 8 * (spiked[q + 1] + first)), 2, np.int64)
        for line in range(targets + width * row[0], targets + width * row[1], 64):
            prefetch(line)


# tables: delay, source parts, row starts, targets, weights, then (head, first neuron) of each source part, then the
# address of the jump row, its length, and what the action says


def shared_short(step, at):
    """Deliver with one weight and two-byte targets."""
    parts = carray(at, 2)[1]
    t = carray(at, 7 + 2 * parts)
    out = carray(pointer(t[5 + 2 * parts]), t[6 + 2 * parts], np.float64)
    w = carray(pointer(t[4]), 1, np.float64)[0]
    for p in range(parts):
        low, high, ids = _spikes(t, p, step, t[0])
        spiked = carray(pointer(ids), high, np.int64)
        for q in range(low, high):
            row = carray(pointer(t[2] + 8 * (spiked[q] + t[6 + 2 * p])), 2, np.int64)
            _ask(t[2], spiked, q, high, t[6 + 2 * p], t[3], 2)
            targets = carray(pointer(t[3] + 2 * row[0]), row[1] - row[0], np.uint16)
            for z in range(targets.size):
                out[targets[z]] += w
    return 0


def shared_long(step, at):
    """Deliver with one weight and four-byte targets."""
    parts = carray(at, 2)[1]
    t = carray(at, 7 + 2 * parts)
    out = carray(pointer(t[5 + 2 * parts]), t[6 + 2 * parts], np.float64)
    w = carray(pointer(t[4]), 1, np.float64)[0]
    for p in range(parts):
        low, high, ids = _spikes(t, p, step, t[0])
        spiked = carray(pointer(ids), high, np.int64)
        for q in range(low, high):
            row = carray(pointer(t[2] + 8 * (spiked[q] + t[6 + 2 * p])), 2, np.int64)
            _ask(t[2], spiked, q, high, t[6 + 2 * p], t[3], 4)
            targets = carray(pointer(t[3] + 4 * row[0]), row[1] - row[0], np.uint32)
            for z in range(targets.size):
                out[targets[z]] += w
    return 0


def own_short(step, at):
    """Deliver with a weight per synapse and two-byte targets."""
    parts = carray(at, 2)[1]
    t = carray(at, 7 + 2 * parts)
    out = carray(pointer(t[5 + 2 * parts]), t[6 + 2 * parts], np.float64)
    for p in range(parts):
        low, high, ids = _spikes(t, p, step, t[0])
        spiked = carray(pointer(ids), high, np.int64)
        for q in range(low, high):
            row = carray(pointer(t[2] + 8 * (spiked[q] + t[6 + 2 * p])), 2, np.int64)
            _ask(t[2], spiked, q, high, t[6 + 2 * p], t[3], 2)
            targets = carray(pointer(t[3] + 2 * row[0]), row[1] - row[0], np.uint16)
            weights = carray(pointer(t[4] + 8 * row[0]), row[1] - row[0], np.float64)
            for z in range(targets.size):
                out[targets[z]] += weights[z]
    return 0


def own_long(step, at):
    """Deliver with a weight per synapse and four-byte targets."""
    parts = carray(at, 2)[1]
    t = carray(at, 7 + 2 * parts)
    out = carray(pointer(t[5 + 2 * parts]), t[6 + 2 * parts], np.float64)
    for p in range(parts):
        low, high, ids = _spikes(t, p, step, t[0])
        spiked = carray(pointer(ids), high, np.int64)
        for q in range(low, high):
            row = carray(pointer(t[2] + 8 * (spiked[q] + t[6 + 2 * p])), 2, np.int64)
            _ask(t[2], spiked, q, high, t[6 + 2 * p], t[3], 4)
            targets = carray(pointer(t[3] + 4 * row[0]), row[1] - row[0], np.uint32)
            weights = carray(pointer(t[4] + 8 * row[0]), row[1] - row[0], np.float64)
            for z in range(targets.size):
                out[targets[z]] += weights[z]
    return 0


def delayed(step, at):
    """Deliver with a weight and a delay per synapse, through a ring of future rows; targets have four bytes.

    More in the table: address of the extra delays (uint32 steps), address of the ring (slots, n), slots.
    """
    parts = carray(at, 2)[1]
    t = carray(at, 10 + 2 * parts)
    n, slots = t[6 + 2 * parts], t[9 + 2 * parts]
    out = carray(pointer(t[5 + 2 * parts]), n, np.float64)
    ring = carray(pointer(t[8 + 2 * parts]), (slots, n), np.float64)
    for p in range(parts):
        low, high, ids = _spikes(t, p, step, t[0])
        spiked = carray(pointer(ids), high, np.int64)
        for q in range(low, high):
            row = carray(pointer(t[2] + 8 * (spiked[q] + t[6 + 2 * p])), 2, np.int64)
            _ask(t[2], spiked, q, high, t[6 + 2 * p], t[3], 4)
            targets = carray(pointer(t[3] + 4 * row[0]), row[1] - row[0], np.uint32)
            weights = carray(pointer(t[4] + 8 * row[0]), row[1] - row[0], np.float64)
            extra = carray(pointer(t[7 + 2 * parts] + 4 * row[0]), row[1] - row[0], np.uint32)
            for z in range(targets.size):
                ring[(step + extra[z]) % slots, targets[z]] += weights[z]
    now = ring[step % slots]
    for i in range(n):
        out[i] += now[i]
        now[i] = 0.0
    return 0
