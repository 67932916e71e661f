"""Spikes with exact times in the order of their times: each step's by buckets, then by insertion."""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import kernel


def in_order(stamps, ids, late, dt):
    """Times (s) and ids of the spikes of one part, sorted by time; equal times stay in their order.

    Parameters
    ----------
    stamps, ids, late : (m,) arrays
        By stamp: the end of the step, the neuron, and the part of the step by which the spike precedes its end.
    dt : float
        s.
    """
    times, found = np.empty(len(stamps)), np.empty(len(stamps), np.int64)
    _sort(stamps, ids, late, dt, times, found, np.zeros(len(stamps) + 1, np.int64))
    return times, found


@kernel
def _sort(stamps, ids, late, dt, times, found, heads):
    """A step of g spikes has g buckets of equal width, one spike each on average."""
    first, count = 0, stamps.size
    while first < count:
        stop = first + 1
        while stop < count and stamps[stop] == stamps[first]:
            stop += 1
        size = stop - first
        for b in range(size + 1):
            heads[b] = 0
        for i in range(first, stop):
            heads[_bucket(late[i], size) + 1] += 1
        for b in range(size):
            heads[b + 1] += heads[b]
        for i in range(first, stop):
            b = _bucket(late[i], size)
            place = first + heads[b]
            heads[b] += 1
            times[place], found[place] = stamps[i] * dt - late[i] * dt, ids[i]
        first = stop
    for i in range(1, count):
        t, who, at = times[i], found[i], i
        while at > 0 and times[at - 1] > t:
            times[at], found[at] = times[at - 1], found[at - 1]
            at -= 1
        times[at], found[at] = t, who


@kernel(inline=True)
def _bucket(late, size):
    return min(max(np.int64((1.0 - late) * size), 0), size - 1)
