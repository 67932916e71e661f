"""Compiled exact step of `LIF` in the common cases, one fused loop for each; all others are in `lif_general`.

Refractory neurons are advanced like all others and then put back to v_reset: they are few and wait in a queue (one
refractory period for all), which spares the hot loop a counter per neuron.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.program import FINITE
from physlearn.kernels.jit import inlined, kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

BLOCK, SCAN = 512, 32
DELTA = 3  # kinds 0, 1 and 2 are the number of exponential receptors
LONG_AGO = -(2**62)  # step from which neurons are free that have not spiked

# floats of the fused step; pairs (into v, decay), one for each receptor, come last
DRIVEN, THRESHOLD, RESET, REST, LEAK, CURRENT, INTO, DECAY = range(8)


@inlined
def _quiet(x, threshold):
    """1 where a voltage is finite and below threshold, else 0; LLVM makes vectors of it."""
    return np.int64(x < threshold) & np.int64(x > -FINITE)


@kernel(inline=True)
def _none(v, drive, f, driven):
    rest, leak, current, threshold = f[REST], f[LEAK], f[CURRENT], f[THRESHOLD]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * v[i] + current * drive[i]
            v[i] = x
            below += _quiet(x, threshold)
    else:
        for i in range(v.size):
            x = rest + leak * v[i]
            v[i] = x
            below += _quiet(x, threshold)
    return below


@kernel(inline=True)
def _delta(v, jump, drive, f, driven):
    rest, leak, current, threshold = f[REST], f[LEAK], f[CURRENT], f[THRESHOLD]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * (v[i] + jump[i]) + current * drive[i]
            v[i] = x
            jump[i] = 0.0
            below += _quiet(x, threshold)
    else:
        for i in range(v.size):
            x = rest + leak * (v[i] + jump[i])
            v[i] = x
            jump[i] = 0.0
            below += _quiet(x, threshold)
    return below


@kernel(inline=True)
def _one(v, g, drive, f, driven):
    rest, leak, current, threshold = f[REST], f[LEAK], f[CURRENT], f[THRESHOLD]
    into, decay = f[INTO], f[DECAY]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i] + current * drive[i]
            v[i] = x
            g[i] *= decay
            below += _quiet(x, threshold)
    else:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i]
            v[i] = x
            g[i] *= decay
            below += _quiet(x, threshold)
    return below


@kernel(inline=True)
def _two(v, g, h, drive, f, driven):
    rest, leak, current, threshold = f[REST], f[LEAK], f[CURRENT], f[THRESHOLD]
    into, decay, into2, decay2 = f[INTO], f[DECAY], f[INTO + 2], f[DECAY + 2]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i] + into2 * h[i] + current * drive[i]
            v[i] = x
            g[i] *= decay
            h[i] *= decay2
            below += _quiet(x, threshold)
    else:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i] + into2 * h[i]
            v[i] = x
            g[i] *= decay
            h[i] *= decay2
            below += _quiet(x, threshold)
    return below


def fused(step, n, state, drive, floats, ints, spiked, late):
    """Shared parameters and none, a delta, one or two exponential receptors.

    floats: driven, threshold, reset, rest (1 - leak), leak, current, then (into v, decay) of each receptor.
    ints: step from which each neuron is free again (n); head and length of the queue; the queue of refractory neurons
    (n), by release; kind, refractory steps.
    """
    constants = carray(ints, (2 * n + 4,))[2 * n + 2 :]
    kind, refractory = constants[0], constants[1]
    z, f, out = carray(state, (3, n)), carray(floats, (10,)), carray(spiked, (n,))
    i, free, queue = carray(drive, (n,)), carray(ints, (n,)), carray(ints, (2 * n + 2,))[n:]
    driven, threshold, reset = f[DRIVEN] != 0.0, f[THRESHOLD], f[RESET]
    v, g, h = z[0], z[1], z[2]
    ids = queue[2:]
    while queue[1] > 0 and free[ids[queue[0]]] <= step:
        queue[0] = queue[0] + 1 if queue[0] + 1 < n else 0
        queue[1] -= 1
    count = 0
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n)  # slices let LLVM see that the loop is plain: 4 times faster than offsets
        if kind == 2:
            below = _two(v[low:high], g[low:high], h[low:high], i[low:high], f, driven)
        elif kind == DELTA:
            below = _delta(v[low:high], g[low:high], i[low:high], f, driven)
        elif kind == 1:
            below = _one(v[low:high], g[low:high], i[low:high], f, driven)
        else:
            below = _none(v[low:high], i[low:high], f, driven)
        if below < high - low:
            for start in range(low, high, SCAN):
                piece = v[start : min(start + SCAN, high)]
                below = 0
                for k in range(piece.size):
                    below += _quiet(piece[k], threshold)
                if below == piece.size:
                    continue
                for k in range(start, start + piece.size):
                    if not (v[k] < threshold and v[k] > -FINITE) and free[k] <= step:
                        if not abs(v[k]) < FINITE:
                            return -(k + 1)
                        out[count] = k
                        count += 1
    place = queue[0]
    for _ in range(queue[1]):
        v[ids[place]] = reset
        place = place + 1 if place + 1 < n else 0
    for j in range(count):
        k = out[j]
        v[k] = reset
        if refractory > 0:
            free[k] = step + 1 + refractory
            at, waiting = place, queue[1]
            while waiting > 0 and free[ids[at - 1 if at > 0 else n - 1]] > free[k]:  # held longer in a run before
                ids[at] = ids[at - 1 if at > 0 else n - 1]
                at = at - 1 if at > 0 else n - 1
                waiting -= 1
            ids[at] = k
            queue[1] += 1
            place = place + 1 if place + 1 < n else 0
    return count
