"""The receptors' own step: all chains of a part advanced exactly, and the drive of its neurons filled.

Only for models that do not advance their receptors themselves (`Program.receptors_inside`).
"""

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.synapses.propagator import chain_step
from circuits.neurons.synapses.receptors import NMDA, Delta
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

BLOCK = 512  # neurons whose receptors stay in the nearest cache
LONGEST = 3  # rows of the longest chain, `Gamma` of order 2
JUMPS, CURRENT, CONDUCTANCE, BLOCKED = range(4)  # kinds of receptors
# Numbers of a receptor: its reversal, the weights of its rows in the held value, the matrix of its step row by row; of
# a channel that magnesium blocks, the block at 0 V and 1 / slope.
REVERSAL, HELD, MATRIX = 0, 1, 1 + LONGEST
BLOCK_AT_0, STEEPNESS = MATRIX + LONGEST**2, MATRIX + LONGEST**2 + 1
NUMBERS = STEEPNESS + 1


def layout(model, receptors, held, dt):
    """Structure (int64) and numbers (receptors, NUMBERS) of the receptors of a model; see `advance`."""
    structure, numbers, row = [len(receptors)], np.zeros((len(receptors), NUMBERS)), len(model.variables)
    for r, receptor in enumerate(receptors):
        m = len(receptor.taus)
        kind = JUMPS if isinstance(receptor, Delta) else CURRENT if receptor.reversal is None else CONDUCTANCE
        if isinstance(receptor, NMDA):
            kind = BLOCKED
            numbers[r, BLOCK_AT_0] = receptor.magnesium / receptor.half
            numbers[r, STEEPNESS] = 1.0 / receptor.slope
        structure += [kind, row, m]
        row += receptor.rows
        if m:
            numbers[r, REVERSAL] = 0.0 if receptor.reversal is None else receptor.reversal
            value = np.eye(m) if held == "start" else chain_step(receptor.taus, dt / 2)
            numbers[r, HELD : HELD + m] = value[-1]
            numbers[r, MATRIX : MATRIX + m * m] = chain_step(receptor.taus, dt).ravel()
    return np.array(structure, np.int64), numbers


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
def _unblocked(out, toward, y, v, factor, reversal, at_0, steepness):
    for i in range(out.size):
        g = factor * y[i] / (1.0 + at_0 * np.exp(-steepness * v[i]))
        out[i] += g
        toward[i] += reversal * g


@kernel(inline=True)
def _times(y, factor):
    for i in range(y.size):
        y[i] *= factor


def advance(step, at):
    """Advance the receptors of a part exactly and fill its drive, before the model's own step.

    table: n, state, drive, injected, ints (refractory steps left), numbers, structure: number of receptors, then
    (kind, first row, rows of its chain) of each.
    """
    t = carray(at, 7)
    n = t[0]
    count = carray(pointer(t[6]), 1, np.int64)[0]
    structure = carray(pointer(t[6]), 1 + 3 * count, np.int64)
    numbers = carray(pointer(t[5]), NUMBERS * count, np.float64)
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
            kind, first, m = structure[1 + 3 * r], structure[2 + 3 * r], structure[3 + 3 * r]
            w = numbers[NUMBERS * r : NUMBERS * (r + 1)]
            y = carray(pointer(t[1] + 8 * n * first), (max(m, 1), n), np.float64)
            if kind == JUMPS:
                _jump(v[low:high], y[0, low:high], held[low:high])
                continue
            for a in range(m):
                if kind == CURRENT:
                    _more(current, y[a, low:high], w[HELD + a])
                elif kind == BLOCKED:
                    _unblocked(
                        conductance, toward, y[a, low:high], v[low:high], w[HELD + a], w[REVERSAL], w[BLOCK_AT_0],
                        w[STEEPNESS],
                    )  # fmt: skip
                else:
                    _more(conductance, y[a, low:high], w[HELD + a])
                    _more(toward, y[a, low:high], w[HELD + a] * w[REVERSAL])
            for a in range(m - 1, -1, -1):
                _times(y[a, low:high], w[MATRIX + a * m + a])
                for b in range(a):
                    _more(y[a, low:high], y[b, low:high], w[MATRIX + a * m + b])
    return 0
