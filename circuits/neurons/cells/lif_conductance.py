"""Compiled step of `LIF` with conductance receptors, held over the step: v relaxes exponentially to their balance.

Two loops of few arrays each, because LLVM turns a loop into vector instructions only where it can show in a few checks
that what it writes is not what it reads.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.cells.exponential import exp
from circuits.neurons.program import FINITE
from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

BLOCK, SCAN = 256, 16


@kernel(fastmath={"contract", "nsz"})
def _relax(v, current, g, pull, rest, resistance, rate):
    """Advance a block."""
    for k in range(v.size):
        total = 1.0 + resistance[k] * g[k]
        goal = (rest[k] + resistance[k] * (current[k] + pull[k])) / total
        v[k] = goal + (v[k] - goal) * exp(-rate[k] * total)


@kernel(fastmath={"contract", "nsz"})
def _below(v, threshold):
    """Number of neurons that are finite and below threshold."""
    below = 0
    for k in range(v.size):
        below += np.int64(v[k] < threshold[k]) & np.int64(v[k] > -FINITE)
    return below


@kernel(fastmath={"contract", "nsz"})
def _hold(v, left, threshold, reset):
    """Put refractory neurons back to reset; return the number of neurons below threshold."""
    for k in range(v.size):
        v[k] = reset[k] if left[k] > 0 else v[k]
        left[k] = max(left[k] - 1, 0)
    return _below(v, threshold)


@kernel(fastmath={"contract", "nsz"})
def _step(v, drive, f, held, spiked):
    left, count = held[0], 0
    for a in range(0, v.size, BLOCK):
        b = min(a + BLOCK, v.size)
        _relax(v[a:b], drive[0, a:b], drive[1, a:b], drive[2, a:b], f[2, a:b], f[3, a:b], f[4, a:b])
        below = _hold(v[a:b], left[a:b], f[0, a:b], f[1, a:b])
        for c in range(a, b if below < b - a else a, SCAN):
            d = min(c + SCAN, b)
            if _below(v[c:d], f[0, c:d]) == d - c:
                continue
            for k in range(c, d):
                if v[k] < f[0, k] and v[k] > -FINITE:
                    continue
                if not abs(v[k]) < FINITE:
                    return -(k + 1)
                v[k] = f[1, k]
                left[k] = held[1, k]
                spiked[count] = k
                count += 1
    return count


def exponential_euler(step, n, state, drive, floats, ints, spiked, late):
    """Advance all neurons.

    floats: threshold, reset, rest, resistance, dt / tau, (n,) each.  ints: refractory steps left, refractory steps.
    """
    return _step(
        carray(state, n), carray(drive, (3, n)), carray(floats, (5, n)), carray(ints, (2, n)), carray(spiked, n)
    )
