"""The one compiled loop of every network: each step is a list of actions, called by their addresses.

An action is a plain function ``action(step, table) -> status`` (`physlearn.kernels.cfuncs.ACTION`); its table is a row
of int64 with addresses of arrays and integers.  So a network of any populations, synapses and inputs runs without
compiling anything for it, and each file keeps its own kernels.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.synapses.arriving import BASE, CAPACITY, HEAD, IDS, LATE, STARTS
from physlearn.kernels.cfuncs import call_action, call_update, pointer
from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

FULL = 1  # the buffer of spikes must be emptied first; nothing has happened in this step


@kernel
def run(actions, tables, first, last, status):
    """Run steps first .. last - 1; return the step that was not done (last if all were).

    actions : (m,) int64 addresses, in the order of a step; tables : (m,) int64 addresses of their tables;
    status : (2,) int64, what the action that stopped the run returned, and which one it was.
    """
    status[:] = 0
    for step in range(first, last):
        for a in range(actions.size):
            code = call_action(actions[a], step, tables[a])
            if code != 0:
                status[0], status[1] = code, a
                return step
    return last


def room(step, at):
    """Whether every neuron of a part can spike in this step; table: n, head of the history."""
    t = carray(at, 2)
    head = carray(pointer(t[1]), HEAD, np.int64)
    place = step + 1 - head[BASE]
    starts = carray(pointer(head[STARTS]), place + 1, np.int64)
    return FULL if starts[place] + t[0] > head[CAPACITY] else 0


def clear(step, at):
    """Start a step's injected current from its constant part; table: injected, constant, n."""
    t = carray(at, 3)
    injected, constant = carray(pointer(t[0]), t[2], np.float64), carray(pointer(t[1]), t[2], np.float64)
    for i in range(t[2]):
        injected[i] = constant[i]
    return 0


def advance(step, at):
    """Advance one part of a population and append its spikes to its history.

    table: update, n, state, drive, floats, ints, head of the history.
    """
    t = carray(at, 7)
    head = carray(pointer(t[6]), HEAD, np.int64)
    place = step + 1 - head[BASE]
    starts = carray(pointer(head[STARTS]), place + 2, np.int64)
    used = starts[place]
    late = head[LATE] + 8 * used if head[LATE] != 0 else 0
    count = call_update(t[0], step, t[1], t[2], t[3], t[4], t[5], head[IDS] + 8 * used, late)
    if count < 0:
        return count
    starts[place + 1] = used + count
    return 0


def sample(step, at):
    """Copy chosen rows of chosen neurons at every k-th grid point.

    table: state, n, rows (addresses of numbers), their number, neurons, their number, k, clock (first stamp of the
    block, samples so far), out (samples, rows, neurons), first column, columns.
    """
    t = carray(at, 11)
    every = t[6]
    if (step + 1) % every != 0:
        return 0
    state, n, first, columns = t[0], t[1], t[9], t[10]
    rows, neurons = carray(pointer(t[2]), t[3], np.int64), carray(pointer(t[4]), t[5], np.int64)
    clock = carray(pointer(t[7]), 1, np.int64)
    place = (step + 1) // every - clock[0]
    out = carray(pointer(t[8] + 8 * place * rows.size * columns), (rows.size, columns), np.float64)
    for r in range(rows.size):
        row = carray(pointer(state + 8 * rows[r] * n), n, np.float64)
        for j in range(neurons.size):
            out[r, first + j] = row[neurons[j]]
    return 0
