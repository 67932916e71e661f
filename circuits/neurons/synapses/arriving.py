"""Spikes that arrive in a step, and the synapses that they reach: the table of every delivery, read by name.

A delivery is an action on one part of the target population.  Its table (int64) locates the spikes of the source
parts, the synapses of each source within the part, and the row of state to which their weights are added.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from physlearn.kernels.cfuncs import pointer, prefetch
from physlearn.kernels.jit import inlined

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

# Head of a history (`circuits.neurons.engine.history.History`): address of the spikes' neuron numbers; address of
# ``starts``, where spikes stamped j begin at starts[j - base]; base; capacity; address of how far before the stamp
# the spikes were, in steps, or 0.
IDS, STARTS, BASE, CAPACITY, LATE = range(5)
HEAD = 5  # length

# Table of a delivery: delay in steps; number of source parts; address of their (head, first neuron) pairs; addresses
# of the row starts, the targets and the weights; address of the row that jumps and its length; then what the action
# adds (from MORE on).
DELAY, PARTS, SOURCES, ROWS, TARGETS, WEIGHTS, JUMP, N = range(8)
MORE = 8

LINE = 64  # bytes of a cache line


@inlined
def spikes(head_at, step, delay):
    """First and last place, and neuron numbers, of a part's spikes that act in this step, ``delay`` after theirs."""
    head = carray(pointer(head_at), HEAD, np.int64)
    place = step + 1 - delay - head[BASE]
    low, high = 0, 0
    if place >= 0:
        starts = carray(pointer(head[STARTS]), place + 2, np.int64)
        low, high = starts[place], starts[place + 1]
    return low, high, carray(pointer(head[IDS]), high, np.int64)


@inlined
def arriving(t, part, step):
    """As `spikes` for a source part of a delivery, and the number of the part's first neuron."""
    source = carray(pointer(t[SOURCES] + 16 * part), 2, np.int64)
    low, high, ids = spikes(source[0], step, t[DELAY])
    return low, high, ids, source[1]


@inlined
def row_of(t, source):
    """First and last synapse of a source."""
    ends = carray(pointer(t[ROWS] + 8 * source), 2, np.int64)
    return ends[0], ends[1]


@inlined
def targets_of(t, first, last, kind, width):
    """Targets of synapses first .. last - 1, integers of a kind with that many bytes."""
    return carray(pointer(t[TARGETS] + width * first), last - first, kind)


@inlined
def weights_of(t, first, last):
    """Weights of synapses first .. last - 1."""
    return carray(pointer(t[WEIGHTS] + 8 * first), last - first, np.float64)


@inlined
def jumping(t):
    """The row of state that arrivals add to."""
    return carray(pointer(t[JUMP]), t[N], np.float64)


@inlined
def fetch_next(t, q, high, ids, low_id, width):
    """Fetch the targets of the row after that of spike q: rows are short and lie anywhere, so no machine guesses them.

    Measured on Brunel's network: 1.8 ns per synaptic event without, 0.8 ns with.
    """
    if q + 1 < high:
        first, last = row_of(t, ids[q + 1] + low_id)
        for line in range(t[TARGETS] + width * first, t[TARGETS] + width * last, LINE):
            prefetch(line)


def weights_within(plan, key, rows, weight, rule):
    """The weights of a part that a rule with bounds changes, kept by the plan, (synapses,).

    Raises
    ------
    ValueError
        Weights outside ``rule.w_min`` to ``rule.w_max``.
    """
    w = plan.keep(f"{key}/weights", np.array(np.broadcast_to(weight, len(rows.targets)), dtype=float))
    if w.size and not (rule.w_min <= w.min() and w.max() <= rule.w_max):
        raise ValueError(
            f"{type(rule).__name__}: weights from {w.min()!r} to {w.max()!r} lie outside w_min={rule.w_min!r} and "
            f"w_max={rule.w_max!r}"
        )
    return w


def by_target(rows, n):
    """Synapses by target: (targets, first of each target (n + 1,), order, sources in that order)."""
    targets = rows.targets.astype(np.uint32)
    columns = np.concatenate([[0], np.cumsum(np.bincount(targets, minlength=n))]).astype(np.int64)
    order = np.argsort(targets, kind="stable").astype(np.uint32)
    return targets, columns, order, rows.sources[order].astype(np.uint32)
