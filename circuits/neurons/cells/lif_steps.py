"""Compiled exact steps of `LIF`: fused loops for the common cases, and one for all.

In the fused step refractory neurons are advanced like all others and then put back to v_reset: they are few and
stand in a queue (one refractory period for all), which spares the hot loop a counter per neuron.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

BLOCK, SCAN = 512, 32
DELTA = 3  # kinds 0, 1 and 2 are the number of exponential receptors
LEVELS = 41  # halvings of the step in the search for a crossing


@kernel(inline=True)
def _none(v, drive, f, driven):
    rest, leak, current, threshold = f[3], f[4], f[5], f[1]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * v[i] + current * drive[i]
            v[i] = x
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    else:
        for i in range(v.size):
            x = rest + leak * v[i]
            v[i] = x
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    return below


@kernel(inline=True)
def _delta(v, jump, drive, f, driven):
    rest, leak, current, threshold = f[3], f[4], f[5], f[1]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * (v[i] + jump[i]) + current * drive[i]
            v[i] = x
            jump[i] = 0.0
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    else:
        for i in range(v.size):
            x = rest + leak * (v[i] + jump[i])
            v[i] = x
            jump[i] = 0.0
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    return below


@kernel(inline=True)
def _one(v, g, drive, f, driven):
    rest, leak, current, threshold, into, decay = f[3], f[4], f[5], f[1], f[6], f[7]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i] + current * drive[i]
            v[i] = x
            g[i] *= decay
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    else:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i]
            v[i] = x
            g[i] *= decay
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    return below


@kernel(inline=True)
def _two(v, g, h, drive, f, driven):
    rest, leak, current, threshold, into, decay, into2, decay2 = f[3], f[4], f[5], f[1], f[6], f[7], f[8], f[9]
    below = 0
    if driven:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i] + into2 * h[i] + current * drive[i]
            v[i] = x
            g[i] *= decay
            h[i] *= decay2
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    else:
        for i in range(v.size):
            x = rest + leak * v[i] + into * g[i] + into2 * h[i]
            v[i] = x
            g[i] *= decay
            h[i] *= decay2
            below += np.int64(x < threshold) & np.int64(x > -1e300)
    return below


def fused(step, n, state, drive, floats, ints, spiked, late):
    """Shared parameters and none, a delta, one or two exponential receptors.

    floats: driven, threshold, reset, rest (1 - leak), leak, current, then (into v, decay) of each receptor.
    ints: step from which each neuron is free again (n); head and length of the queue; the queue of refractory neurons
    (n), by release; kind, refractory steps.
    """
    kind, refractory = carray(ints, (2 * n + 4,))[2 * n + 2], carray(ints, (2 * n + 4,))[2 * n + 3]
    z, f, out = carray(state, (3, n)), carray(floats, (10,)), carray(spiked, (n,))
    i, free, queue = carray(drive, (n,)), carray(ints, (n,)), carray(ints, (2 * n + 2,))[n:]
    driven, threshold, reset = f[0] != 0.0, f[1], f[2]
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
                    below += np.int64(piece[k] < threshold) & np.int64(piece[k] > -1e300)
                if below == piece.size:
                    continue
                for k in range(start, start + piece.size):
                    if not (v[k] < threshold and v[k] > -1e300) and free[k] <= step:
                        if not abs(v[k]) < 1e300:
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


@kernel(inline=True)
def _advance(x, y, table, header, s, k, i, drive):
    """Advance one neuron, x = v - v_rest and its receptor rows y, by the step of a table; return the new x."""
    x = table[i * s] * x + table[k + i * s] * drive
    place = 2 * k
    for r in range(header[0]):
        m = header[6 + 2 * r]
        row = header[5 + 2 * r]
        for a in range(m):
            x += table[place + i * s] * y[row + a]
            place += k
    for r in range(header[0]):
        m = header[6 + 2 * r]
        row = header[5 + 2 * r]
        for a in range(m - 1, -1, -1):  # lower triangular: the last row first, in place
            total = 0.0
            for b in range(a + 1):
                total += table[place + a * m + b] * y[row + b]
            y[row + a] = total
        place += m * m
    return x


@kernel(inline=True)
def _load(y, state, rows, i):
    for row in range(1, rows):
        y[row] = state[row, i]


@kernel(inline=True)
def _across(start, stop, x, y, tables, size, header, s, k, i, drive):
    """Advance from one fraction of the step to another, in halvings of it."""
    rest = stop - start
    for level in range(LEVELS):
        piece = 1 << (LEVELS - 1 - level)
        if rest >= piece:
            rest -= piece
            x = _advance(x, y, tables[level * size :], header, s, k, i, drive)
    return x


@kernel(inline=True)
def _crossing(start, x, top, y, kept, z, rows, tables, size, header, s, k, i, drive):
    """How much of the step (in 2^-40) is left after the crossing: the largest advance that stays below ``top``."""
    whole = 1 << (LEVELS - 1)
    _load(y, z, rows, i)
    if start > 0:
        _across(0, start, 0.0, y, tables, size, header, s, k, i, 0.0)
    place = start
    if not x < top:
        return whole - place
    for level in range(LEVELS):
        piece = 1 << (LEVELS - 1 - level)
        if place + piece < whole:
            for row in range(1, rows):  # kept, to undo an advance that goes too far
                kept[row] = y[row]
            further = _advance(x, y, tables[level * size :], header, s, k, i, drive)
            if further < top:
                x = further
                place += piece
            else:
                for row in range(1, rows):
                    y[row] = kept[row]
    return whole - place


def general(step, n, state, drive, floats, ints, spiked, late):
    """Any current receptors, any parameters per neuron, spike times inside the step on request.

    floats: scratch; threshold, reset, rest; a table of coefficients for each halving of the step.
    ints: step of release (n), its fraction of a step in 2^-40 (n), refractory steps (n), header: receptors, rows,
    per neuron, levels, length of a table, (first row, order) of each receptor, order 0 for a delta.
    """
    free = carray(ints, (n,))
    fraction = carray(ints, (2 * n,))[n:]
    refractory = carray(ints, (3 * n,))[2 * n :]
    receptors = carray(ints, (3 * n + 1,))[3 * n]
    header = carray(ints, (3 * n + 5 + 2 * receptors,))[3 * n :]
    rows, s, levels, size = header[1], header[2], header[3], header[4]
    k = n if s else 1
    f = carray(floats, (2 * rows + 2 + 3 * k + levels * size,))
    y, kept = f[:rows], f[rows : 2 * rows]
    threshold, reset, rest = f[2 * rows + 2 :], f[2 * rows + 2 + k :], f[2 * rows + 2 + 2 * k :]
    tables = f[2 * rows + 2 + 3 * k :]
    z, current, out, lateness = carray(state, (rows, n)), carray(drive, (n,)), carray(spiked, (n,)), carray(late, (n,))
    whole = 1 << (LEVELS - 1)
    count = 0
    for i in range(n):
        base, top = rest[i * s], threshold[i * s] - rest[i * s]
        jump = 0.0
        for r in range(receptors):
            if header[6 + 2 * r] == 0:
                jump += z[header[5 + 2 * r], i]
                z[header[5 + 2 * r], i] = 0.0
        _load(y, z, rows, i)
        held = free[i] > step
        inside = levels > 1 and free[i] == step and fraction[i] > 0  # released within this step
        start = fraction[i] if inside else 0
        x = z[0, i] - base
        if held:
            _advance(0.0, y, tables, header, s, k, i, 0.0)
        elif not inside:
            x = _advance(x + jump, y, tables, header, s, k, i, current[i])
        else:
            x = _across(0, start, 0.0, y, tables, size, header, s, k, i, 0.0)
            x = _across(start, whole, reset[i * s] - base, y, tables, size, header, s, k, i, current[i])
        if not abs(x) < 1e300:
            return -(i + 1)
        if not held and (x >= top or (levels > 1 and not inside and z[0, i] - base + jump >= top)):
            left = 0
            if levels > 1:
                x0 = reset[i * s] - base if inside else z[0, i] - base + jump
                left = _crossing(start, x0, top, y, kept, z, rows, tables, size, header, s, k, i, current[i])
                lateness[count] = left / whole
            free[i] = step + 1 + refractory[i] - (1 if left > 0 else 0)
            fraction[i] = whole - left if left > 0 else 0
            x = reset[i * s] - base
            if left > 0 and refractory[i] == 0:
                _load(y, z, rows, i)
                _across(0, whole - left, 0.0, y, tables, size, header, s, k, i, 0.0)
                x = _across(whole - left, whole, x, y, tables, size, header, s, k, i, current[i])
                if x >= top:
                    return -(n + i + 1)
                free[i] = step + 1
                fraction[i] = 0
            elif levels > 1:  # the receptors at the end of the step
                _load(y, z, rows, i)
                _advance(0.0, y, tables, header, s, k, i, 0.0)
            out[count] = i
            count += 1
            z[0, i] = x + base if refractory[i] == 0 and left > 0 else reset[i * s]
        elif not held:
            z[0, i] = x + base
        for row in range(1, rows):
            z[row, i] = y[row]
    return count
