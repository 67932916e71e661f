"""Compiled exact step of `LIF` with spike times inside the step, where the current is held: crossings in closed form.

Without receptors, or with a `Delta` alone, v relaxes to v_inf = v_rest + resistance I over a step,

    v(t) = v_inf + (v(0) - v_inf) exp(-t / tau),

so that a neuron that ends the step at v_1 >= v_threshold has crossed the threshold since = -tau ln(1 - (v_1 -
v_threshold) / (v_inf - v_threshold)) before its end.  Refractoriness ends inside a step in the same way.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.cells.exponential import exp
from circuits.neurons.program import FINITE
from physlearn.kernels.jit import inlined, kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

BLOCK = 512
COLUMNS = 7  # threshold, reset, rest, leak, gain of the current, resistance, dt / tau: of all neurons or of each


@inlined
def _busy(x, start, top, free, step):
    """0 where a step is whole: the neuron held, or free before it and below threshold at both of its ends; else 1."""
    fine = np.int64(x < top) & np.int64(x > -FINITE) & np.int64(start < top)
    return 1 - (np.int64(free > step) | (fine & np.int64(free < step)))


@kernel(inline=True)
def _shared(v, w, busy, current, p, free, step):
    top, reset, base, leak, gain = p[0, 0], p[1, 0], p[2, 0], p[3, 0], p[4, 0]
    count = 0
    for i in range(v.size):
        x = base + leak * (v[i] - base) + gain * current[i]
        w[i] = reset if free[i] > step else x
        busy[i] = _busy(x, v[i], top, free[i], step)
        count += busy[i]
    return count


@kernel(inline=True)
def _each(v, w, busy, current, p, low, free, step):
    count = 0
    for i in range(v.size):
        k = low + i
        x = p[2, k] + p[3, k] * (v[i] - p[2, k]) + p[4, k] * current[i]
        w[i] = p[1, k] if free[i] > step else x
        busy[i] = _busy(x, v[i], p[0, k], free[i], step)
        count += busy[i]
    return count


@kernel
def _step(n, s, delta, step, v, jumps, w, busy, current, p, free, moment, refractory, out, late):
    """As `held`, on arrays; p is (COLUMNS, 1 or n), w and busy (n,) are workspaces.

    The first loop, which LLVM makes of vectors, advances all neurons.  Those to which something happens are listed in
    ``out``, without a branch, and done again one by one; the list is read before spikes are written there.
    """
    if delta != 0:
        for i in range(n):
            v[i] += jumps[i]
            jumps[i] = 0.0
    count = 0
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n)  # slices let LLVM see that the loop is plain
        if s == 0:
            some = _shared(v[low:high], w[low:high], busy[low:high], current[low:high], p, free[low:high], step)
        else:
            some = _each(v[low:high], w[low:high], busy[low:high], current[low:high], p, low, free[low:high], step)
        if some == 0:
            continue
        events = low
        for i in range(low, high):
            out[events] = i
            events += busy[i]
        for event in range(low, events):
            i = out[event]
            k = i * s
            top, goal, start, ahead = p[0, k], p[2, k] + p[5, k] * current[i], v[i], 1.0
            inside = free[i] == step and moment[i] > 0.0  # released within this step
            if inside:
                start, ahead = p[1, k], 1.0 - moment[i]
                w[i] = goal + (start - goal) * exp(-ahead * p[6, k])
            if not abs(w[i]) < FINITE:
                return -(i + 1)
            if w[i] < top and (inside or start < top):
                continue
            left = ahead  # of the step, after the crossing
            if start < top:
                left = min(max(ahead - np.log((goal - start) / (goal - top)) / p[6, k], 0.0), ahead)
            out[count] = i
            late[count] = left
            count += 1
            if left > 0.0 and refractory[i] == 0:  # free again within this step
                w[i] = goal + (p[1, k] - goal) * exp(-left * p[6, k])
                if w[i] >= top:
                    return -(n + i + 1)
                free[i], moment[i] = step, 0.0
            else:
                free[i] = step + 1 + refractory[i] - (1 if left > 0.0 else 0)
                moment[i] = 1.0 - left if left > 0.0 else 0.0
                w[i] = p[1, k]
    for i in range(n):
        v[i] = w[i]
    return count


def held(step, n, state, drive, floats, ints, spiked, late):
    """No receptors or a delta; parameters shared or per neuron.

    floats: two workspaces (n), ``COLUMNS`` rows of parameters.  ints: step of release (n); part of that step before it,
    as float64 (n); refractory steps (n); whether parameters are per neuron, whether there is a delta.
    """
    header = carray(ints, (3 * n + 2,))[3 * n :]
    s, delta = header[0], header[1]
    whole = carray(ints, (3 * n,))
    return _step(
        n,
        s,
        delta,
        step,
        carray(state, (n,)),
        carray(state, ((1 + delta) * n,))[delta * n :],
        carray(floats, (n,)),
        carray(floats, (2 * n,))[n:].view(np.int64),
        carray(drive, (n,)),
        carray(floats, (2 * n + COLUMNS * (n if s else 1),))[2 * n :].reshape(COLUMNS, n if s else 1),
        whole[:n],
        whole[n : 2 * n].view(np.float64),
        whole[2 * n :],
        carray(spiked, (n,)),
        carray(late, (n,)),
    )
