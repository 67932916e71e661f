"""Spikes with exact times in the order of their times: each step's by buckets, then by insertion."""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import kernel


def in_order(history, first, last, dt):
    """Times (s) and ids of the spikes stamped first .. last - 1, sorted by time; equal times stay in their order.

    Parameters
    ----------
    history : History
        Of one part, which keeps how far spikes were before their stamps.
    first, last : int
        Stamps: the ends of steps.
    dt : float
        s.
    """
    starts = history.starts[first - history.base : last - history.base + 1]
    count = starts.item(-1) - starts.item(0)
    times, found, heads = np.empty(count), np.empty(count, np.int64), np.empty(count + 1, np.int64)
    _sort(first, starts, history.ids, history.late, dt, times, found, heads)
    return times, found


@kernel
def _sort(stamp, starts, ids, late, dt, times, found, heads):
    """A step of g spikes has g buckets of equal width, one spike each on average."""
    base = starts[0]
    for k in range(starts.size - 1):
        first, stop, end = starts[k], starts[k + 1], (stamp + k) * dt
        size = stop - first
        for b in range(size + 1):
            heads[b] = 0
        for i in range(first, stop):
            heads[_bucket(late[i], size) + 1] += 1
        for b in range(size):
            heads[b + 1] += heads[b]
        for i in range(first, stop):
            b = _bucket(late[i], size)
            place = first - base + heads[b]
            heads[b] += 1
            times[place], found[place] = end - late[i] * dt, ids[i]
    for i in range(1, times.size):
        t, who, at = times[i], found[i], i
        while at > 0 and times[at - 1] > t:
            times[at], found[at] = times[at - 1], found[at - 1]
            at -= 1
        times[at], found[at] = t, who


@kernel(inline=True)
def _bucket(late, size):
    return min(max(np.int64((1.0 - late) * size), 0), size - 1)
