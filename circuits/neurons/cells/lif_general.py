"""Compiled exact step of `LIF`: any current receptors and parameters, spike times inside the step on request."""

from __future__ import annotations

from numba import carray

from circuits.neurons.program import FINITE
from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

LEVELS = 41  # halvings of the step in the search for a crossing
# header of the general step, then pairs (first row, order), one for each receptor
RECEPTORS, ROWS, PER_NEURON, DEPTH, SIZE, FIRST_ROW, ORDER = range(7)
HEADER = 5


@kernel(inline=True)
def _advance(x, y, table, header, s, k, i, drive):
    """Advance one neuron, x = v - v_rest and its receptor rows y, by the step of a table; return the new x."""
    x = table[i * s] * x + table[k + i * s] * drive
    place = 2 * k
    for r in range(header[RECEPTORS]):
        m = header[ORDER + 2 * r]
        row = header[FIRST_ROW + 2 * r]
        for a in range(m):
            x += table[place + i * s] * y[row + a]
            place += k
    for r in range(header[RECEPTORS]):
        m = header[ORDER + 2 * r]
        row = header[FIRST_ROW + 2 * r]
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
    """Part of the step (in 2^-40) left after the crossing, which ends the largest advance that stays below ``top``."""
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


@kernel(inline=True)
def _take_jumps(z, header, i):
    """Sum of the deltas that have arrived at a neuron since the last step; their rows are emptied."""
    jump = 0.0
    for r in range(header[RECEPTORS]):
        if header[ORDER + 2 * r] == 0:
            jump += z[header[FIRST_ROW + 2 * r], i]
            z[header[FIRST_ROW + 2 * r], i] = 0.0
    return jump


@kernel(inline=True)
def _after_spike(left, again, x, y, z, rows, tables, size, header, s, k, i, drive):
    """Bring x, which is at reset, and the receptors to the end of the step; with ``again`` x moves for what is left."""
    whole = 1 << (LEVELS - 1)
    if again:
        _load(y, z, rows, i)
        _across(0, whole - left, 0.0, y, tables, size, header, s, k, i, 0.0)
        x = _across(whole - left, whole, x, y, tables, size, header, s, k, i, drive)
    elif header[DEPTH] > 1:
        _load(y, z, rows, i)
        _advance(0.0, y, tables, header, s, k, i, 0.0)
    return x


def general(step, n, state, drive, floats, ints, spiked, late):
    """Any current receptors, any parameters per neuron, spike times inside the step on request.

    floats: scratch; threshold, reset, rest; a table of coefficients for each halving of the step.
    ints: step of release (n), its fraction of a step in 2^-40 (n), refractory steps (n), header: receptors, rows,
    per neuron, levels, length of a table, (first row, order) of each receptor, order 0 for a delta.
    """
    free, fraction, refractory = carray(ints, (n,)), carray(ints, (2 * n,))[n:], carray(ints, (3 * n,))[2 * n :]
    receptors = carray(ints, (3 * n + 1,))[3 * n]
    header = carray(ints, (3 * n + HEADER + 2 * receptors,))[3 * n :]
    rows, s, levels, size = header[ROWS], header[PER_NEURON], header[DEPTH], header[SIZE]
    k = n if s else 1
    f = carray(floats, (2 * rows + 2 + 3 * k + levels * size,))
    y, kept = f[:rows], f[rows : 2 * rows]
    threshold, reset, rest = f[2 * rows + 2 :], f[2 * rows + 2 + k :], f[2 * rows + 2 + 2 * k :]
    tables = f[2 * rows + 2 + 3 * k :]
    z, current, out, lateness = carray(state, (rows, n)), carray(drive, (n,)), carray(spiked, (n,)), carray(late, (n,))
    whole = 1 << (LEVELS - 1)
    count = 0
    for i in range(n):
        base = rest[i * s]
        low, top = reset[i * s] - base, threshold[i * s] - base
        jump = _take_jumps(z, header, i)
        _load(y, z, rows, i)
        held = free[i] > step
        inside = levels > 1 and free[i] == step and fraction[i] > 0  # released within this step
        start = fraction[i] if inside else 0
        x = z[0, i] - base
        before = low if inside else x + jump
        if held:
            _advance(0.0, y, tables, header, s, k, i, 0.0)
        elif not inside:
            x = _advance(before, y, tables, header, s, k, i, current[i])
        else:
            _across(0, start, 0.0, y, tables, size, header, s, k, i, 0.0)
            x = _across(start, whole, low, y, tables, size, header, s, k, i, current[i])
        if not abs(x) < FINITE:
            return -(i + 1)
        if not held and (x >= top or (levels > 1 and not inside and before >= top)):
            left = 0
            if levels > 1:
                left = _crossing(start, before, top, y, kept, z, rows, tables, size, header, s, k, i, current[i])
                lateness[count] = left / whole
            again = left > 0 and refractory[i] == 0  # free again within this step
            free[i] = step + 1 + refractory[i] - (1 if left > 0 and not again else 0)
            fraction[i] = whole - left if left > 0 and not again else 0
            x = _after_spike(left, again, low, y, z, rows, tables, size, header, s, k, i, current[i])
            if again and x >= top:
                return -(n + i + 1)
            out[count] = i
            count += 1
            z[0, i] = x + base if again else reset[i * s]
        elif not held:
            z[0, i] = x + base
        for row in range(1, rows):
            z[row, i] = y[row]
    return count
