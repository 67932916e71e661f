"""Compiled sweeps of the checkerboard engine: bytes and a table, couplings in float32, fields in float64."""

from __future__ import annotations

import math

import numpy as np

from physlearn.dynamics.lattice.words import next_words
from physlearn.kernels.jit import kernel

LARGEST = 700.0  # of exponents: beyond, exp leaves the normal float64 numbers
# exp(r) for |r| < 0.35 by its Taylor series, written out so that the loop vectorises.
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11 = (1.0 / math.factorial(k) for k in range(2, 12))
_ONE, _HALF, _END, _DIGIT = np.float32(1.0), np.float32(0.5), np.float32(80.0), np.float32(2.0**-24)
_S2, _S3, _S4, _S5, _S6 = (np.float32(1.0 / math.factorial(k)) for k in range(2, 7))
_OCTAVES, _LN2, _REST = np.float32(1.0 / math.log(2.0)), np.float32(0.693359375), np.float32(math.log(2) - 0.693359375)


@kernel
def sweep_bytes(spins, parity, rows, table, lanes, sweeps):
    """Update both colours of one lattice, spins (2, rows, half); table holds P(+1) by the neighbours' sum."""
    half = spins.shape[2]
    random = np.empty(lanes.shape[1], np.uint64)
    drawn = random.view(np.uint32)
    total, limit = np.empty(half, np.int8), np.empty(half, np.uint32)
    for step in range(2 * sweeps):
        colour = step % 2
        for row in range(spins.shape[1]):
            next_words(lanes, random)
            here, mine = spins[1 - colour, row], spins[colour, row]
            if (parity[row] + colour) % 2 == 0:
                total[0] = here[0] + here[half - 1]
                for k in range(1, half):
                    total[k] = here[k] + here[k - 1]
            else:
                total[half - 1] = here[half - 1] + here[0]
                for k in range(half - 1):
                    total[k] = here[k] + here[k + 1]
            for side in range(rows.shape[1]):
                there = spins[1 - colour, rows[row, side]]
                for k in range(half):
                    total[k] += there[k]
            limit[:] = table[0]
            for entry in range(1, len(table)):
                value, chance = np.int8(2 * entry + 1 - len(table)), table[entry]
                for k in range(half):
                    limit[k] = chance if total[k] == value else limit[k]
            for k in range(half):
                mine[k] = np.int8(1) if drawn[k] < limit[k] else np.int8(-1)


@kernel
def sweep_fields(spins, parity, rows, couplings, field, slope, lanes, sweeps):
    """`sweep_bytes` with couplings (2, sides, rows, half) and field (2, rows, half); slope is 2/T."""
    half, last = spins.shape[2], couplings.shape[1] - 1
    random, total, power = np.empty(half, np.uint64), np.empty(half), np.empty(half, np.int64)
    scale = power.view(np.float64)
    for step in range(2 * sweeps):
        colour = step % 2
        for row in range(spins.shape[1]):
            next_words(lanes, random)
            here, mine, force = spins[1 - colour, row], spins[colour, row], field[colour, row]
            left, right = couplings[colour, last - 1, row], couplings[colour, last, row]
            if (parity[row] + colour) % 2 == 0:
                total[0] = force[0] + right[0] * here[0] + left[0] * here[half - 1]
                for k in range(1, half):
                    total[k] = force[k] + right[k] * here[k] + left[k] * here[k - 1]
            else:
                total[half - 1] = force[half - 1] + left[half - 1] * here[half - 1] + right[half - 1] * here[0]
                for k in range(half - 1):
                    total[k] = force[k] + left[k] * here[k] + right[k] * here[k + 1]
            for side in range(rows.shape[1]):
                there, strength = spins[1 - colour, rows[row, side]], couplings[colour, side, row]
                for k in range(half):
                    total[k] += strength[k] * there[k]
            for k in range(half):
                a = min(max(-slope * total[k], -LARGEST), LARGEST)
                whole = np.floor(a * 1.4426950408889634 + 0.5)
                r = (a - whole * 0.693147180369123816490) - whole * 1.90821492927058770002e-10
                e = _C7 + r * (_C8 + r * (_C9 + r * (_C10 + r * _C11)))
                e = _C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * (_C6 + r * e))))
                power[k] = (np.int64(whole) + 1023) << 52
                total[k] = 1.0 + r * (1.0 + r * e)
            for k in range(half):
                u = (random[k] >> np.uint64(11)) * (1.0 / 9007199254740992.0)
                mine[k] = 1.0 if u * (1.0 + total[k] * scale[k]) < 1.0 else -1.0


@kernel
def sweep_bonds(spins, parity, rows, bonds, field, biased, slope, group, lanes, sweeps):
    """`sweep_bytes` for any couplings, each kept once.

    bonds (2, axes, rows, half) float32: from a site to the next along each axis, the last axis along the rows; field
    (2, rows, half) float32, read if ``biased``; slope is 2/T; ``group`` rows are drawn at once.
    """
    height, half, last = spins.shape[1], spins.shape[2], bonds.shape[1] - 1
    random = np.empty(lanes.shape[1], np.uint64)
    drawn = random.view(np.uint32)
    total, power = np.empty(group * half, np.float32), np.empty(group * half, np.int32)
    scale, flat = power.view(np.float32), spins.reshape(2, height * half)
    for step in range(2 * sweeps):
        colour = step % 2
        other = 1 - colour
        for first in range(0, height, group):
            next_words(lanes, random)
            count = min(group, height - first)
            for row in range(first, first + count):
                here, t = spins[other, row], total[(row - first) * half : (row - first + 1) * half]
                ahead, behind = bonds[colour, last, row], bonds[other, last, row]  # own, and those of the other colour
                if (parity[row] + colour) % 2 == 0:
                    t[0] = ahead[0] * np.float32(here[0]) + behind[half - 1] * np.float32(here[half - 1])
                    for k in range(1, half):
                        t[k] = ahead[k] * np.float32(here[k]) + behind[k - 1] * np.float32(here[k - 1])
                else:
                    t[half - 1] = behind[half - 1] * np.float32(here[half - 1]) + ahead[half - 1] * np.float32(here[0])
                    for k in range(half - 1):
                        t[k] = behind[k] * np.float32(here[k]) + ahead[k] * np.float32(here[k + 1])
                for axis in range(last):
                    before, after = rows[row, 2 * axis], rows[row, 2 * axis + 1]
                    up, down = spins[other, before], spins[other, after]
                    to_up, to_down = bonds[other, axis, before], bonds[colour, axis, row]
                    for k in range(half):
                        t[k] += to_up[k] * np.float32(up[k]) + to_down[k] * np.float32(down[k])
                if biased:
                    force = field[colour, row]
                    for k in range(half):
                        t[k] += force[k]
            mine = flat[colour, first * half : (first + count) * half]
            for k in range(count * half):
                a = min(max(-slope * total[k], -_END), _END)
                whole = np.floor(a * _OCTAVES + _HALF)
                r = (a - whole * _LN2) - whole * _REST
                power[k] = (np.int32(whole) + np.int32(127)) << np.int32(23)
                total[k] = _ONE + r * (_ONE + r * (_S2 + r * (_S3 + r * (_S4 + r * (_S5 + r * _S6)))))
            for k in range(count * half):
                u = (np.float32(np.int32(drawn[k] >> np.uint32(8))) + _HALF) * _DIGIT
                mine[k] = np.int8(1) if u * (_ONE + total[k] * scale[k]) < _ONE else np.int8(-1)
