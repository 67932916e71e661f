"""The one compiled loop of every network: each step is a list of actions, called by their addresses.

An action is a plain function ``action(step, table) -> status`` (`physlearn.kernels.cfuncs.ACTION`); its table is a row
of int64 with addresses of arrays and integers.  So a network of any populations, synapses and inputs runs without
compiling anything for it, and each file keeps its own kernels.
"""

from __future__ import annotations

import numpy as np
from numba import carray

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
    head = carray(pointer(t[1]), 5, np.int64)
    starts = carray(pointer(head[1]), step + 2 - head[2], np.int64)
    return FULL if starts[step + 1 - head[2]] + t[0] > head[3] else 0


def clear(step, at):
    """Start a step's injected current from its constant part; table: injected, constant, n."""
    t = carray(at, 3)
    injected, constant = carray(pointer(t[0]), t[2], np.float64), carray(pointer(t[1]), t[2], np.float64)
    for i in range(t[2]):
        injected[i] = constant[i]
    return 0


def advance(step, at):
    """Advance one part of a population and append its spikes to its history.

    table: update, n, state, drive, floats, ints, head.  The head of a history: address of the spikes' neuron numbers;
    address of ``starts``, where spikes stamped j begin at starts[j - base]; base; capacity; address of how far before
    the stamp the spikes were, in steps.
    """
    t = carray(at, 7)
    head = carray(pointer(t[6]), 5, np.int64)
    place = step + 1 - head[2]
    starts = carray(pointer(head[1]), place + 2, np.int64)
    used = starts[place]
    late = head[4] + 8 * used if head[4] != 0 else 0
    count = call_update(t[0], step, t[1], t[2], t[3], t[4], t[5], head[0] + 8 * used, late)
    if count < 0:
        return count
    starts[place + 1] = used + count
    return 0


def sample(step, at):
    """Copy chosen rows of chosen neurons at every k-th grid point.

    table: state, n, rows (addresses of numbers), how many, neurons, how many, every, clock (first stamp of the block,
    samples so far), out (samples, rows, neurons), first column, columns.
    """
    t = carray(at, 11)
    if (step + 1) % t[6] != 0:
        return 0
    clock = carray(pointer(t[7]), 1, np.int64)
    rows, neurons = carray(pointer(t[2]), t[3], np.int64), carray(pointer(t[4]), t[5], np.int64)
    place = (step + 1) // t[6] - clock[0]
    out = carray(pointer(t[8] + 8 * place * t[3] * t[10]), (t[3], t[10]), np.float64)
    for r in range(t[3]):
        row = carray(pointer(t[0] + 8 * rows[r] * t[1]), t[1], np.float64)
        for j in range(t[5]):
            out[r, t[9] + j] = row[neurons[j]]
    return 0
