"""Compiled delivery of spikes, straight from the histories of their sources, after the projection's shortest delay.

Weights go to the row of state that spikes make jump: there is no buffer per delay.  A synapse with a longer delay
puts its weight into a ring of future rows.  Targets are numbered within their part of the population, in two bytes
where that is enough; sums run over sources in the order of their numbers, so that parts and threads do not change a
bit.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.synapses.arriving import (
    MORE,
    PARTS,
    WEIGHTS,
    N,
    arriving,
    fetch_next,
    jumping,
    row_of,
    targets_of,
    weights_of,
)
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import inlined

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false


@inlined
def _shared(step, at, kind, width):
    t = carray(at, MORE)
    out, weight = jumping(t), carray(pointer(t[WEIGHTS]), 1, np.float64)[0]
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            first, last = row_of(t, ids[q] + low_id)
            fetch_next(t, q, high, ids, low_id, width)
            targets = targets_of(t, first, last, kind, width)
            for z in range(targets.size):
                out[targets[z]] += weight
    return 0


@inlined
def _own(step, at, kind, width):
    t = carray(at, MORE)
    out = jumping(t)
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            first, last = row_of(t, ids[q] + low_id)
            fetch_next(t, q, high, ids, low_id, width)
            targets, weights = targets_of(t, first, last, kind, width), weights_of(t, first, last)
            for z in range(targets.size):
                out[targets[z]] += weights[z]
    return 0


def shared_short(step, at):
    """Deliver with one weight and two-byte targets."""
    return _shared(step, at, np.uint16, 2)


def shared_long(step, at):
    """Deliver with one weight and four-byte targets."""
    return _shared(step, at, np.uint32, 4)


def own_short(step, at):
    """Deliver with a weight per synapse and two-byte targets."""
    return _own(step, at, np.uint16, 2)


def own_long(step, at):
    """Deliver with a weight per synapse and four-byte targets."""
    return _own(step, at, np.uint32, 4)


EXTRA, RING, SLOTS = range(MORE, MORE + 3)  # more in the table of `delayed`


def delayed(step, at):
    """Deliver with a weight and a delay per synapse, through a ring of future rows; targets have four bytes.

    More in the table: address of the extra delays (uint32 steps), address of the ring (slots, n), slots.
    """
    t = carray(at, MORE + 3)
    n, slots = t[N], t[SLOTS]
    out, ring = jumping(t), carray(pointer(t[RING]), (slots, n), np.float64)
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            first, last = row_of(t, ids[q] + low_id)
            fetch_next(t, q, high, ids, low_id, 4)
            targets, weights = targets_of(t, first, last, np.uint32, 4), weights_of(t, first, last)
            extra = carray(pointer(t[EXTRA] + 4 * first), last - first, np.uint32)
            for z in range(targets.size):
                ring[(step + extra[z]) % slots, targets[z]] += weights[z]
    now = ring[step % slots]
    for i in range(n):
        out[i] += now[i]
        now[i] = 0.0
    return 0
