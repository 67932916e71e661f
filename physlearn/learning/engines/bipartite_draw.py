"""Kernels that draw the units of a restricted Boltzmann machine from their fields, in float64 or float32.

Uniforms have 31 random bits and come from 16 interleaved xoshiro256++ streams (Blackman and Vigna 2019), so that
eight or sixteen are drawn by one instruction.
"""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import inlined, kernel

LANES = 16  # streams

# exp(-x) = T(-x/2^s)^(2^s) with T the Taylor polynomial: no branches and no tables, so it runs in vector units.
# Error of the sigmoid: 1e-14 (s = 6, degree 8) and 6e-7 (s = 5, degree 8); what T misses at large |x|, where it
# is worst, counts for nothing in the sigmoid.
_C64 = tuple(1.0 / float(np.prod(np.arange(1.0, k + 1))) for k in range(9))
_C32 = tuple(np.float32(c) for c in _C64[:9])
_TOP32, _SCALE32, _ONE32 = np.float32(20.0), np.float32(-1.0 / 32.0), np.float32(1.0)


@inlined
def _sigmoid64(x):
    y = min(max(x, -40.0), 40.0) * (-1.0 / 64.0)
    e = _C64[8]
    e = e * y + _C64[7]
    e = e * y + _C64[6]
    e = e * y + _C64[5]
    e = e * y + _C64[4]
    e = e * y + _C64[3]
    e = e * y + _C64[2]
    e = e * y + _C64[1]
    e = e * y + _C64[0]
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    return 1.0 / (1.0 + e)


@inlined
def _sigmoid32(x):
    y = min(max(x, -_TOP32), _TOP32) * _SCALE32
    e = _C32[8]
    e = e * y + _C32[7]
    e = e * y + _C32[6]
    e = e * y + _C32[5]
    e = e * y + _C32[4]
    e = e * y + _C32[3]
    e = e * y + _C32[2]
    e = e * y + _C32[1]
    e = e * y + _C32[0]
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    return _ONE32 / (_ONE32 + e)


@kernel
def fill_bits(lanes, unit, out):
    """Fill out (a multiple of 32 long) with uniforms in [0, 1]; unit = [2^-31] gives their precision."""
    size, first, second, third, fourth = unit[0], lanes[0], lanes[1], lanes[2], lanes[3]
    for base in range(0, out.size, 2 * LANES):
        here = out[base : base + 2 * LANES]  # a slice of known length: measured 0.3 instead of 1.3 ns a number
        for k in range(LANES):
            s0, s1, s2, s3 = first[k], second[k], third[k], fourth[k]
            total = s0 + s3
            word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
            shifted = s1 << np.uint64(17)
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            s2 ^= shifted
            s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
            first[k], second[k], third[k], fourth[k] = s0, s1, s2, s3
            here[k] = np.int32(word >> np.uint64(33)) * size
            here[LANES + k] = np.int32(word & np.uint64(0x7FFFFFFF)) * size


@kernel
def probabilities(field, bias, gain, single):
    """Replace fields (rows, k) by probabilities of being on."""
    for r in range(field.shape[0]):
        row = field[r]
        if single:
            for k in range(row.size):
                row[k] = _sigmoid32(gain * (row[k] + bias[k]))
        else:
            for k in range(row.size):
                row[k] = _sigmoid64(gain * (row[k] + bias[k]))


@kernel
def flip(p, low, span, lanes, unit, u, out):
    """Draw values (rows, k) from probabilities."""
    rows, columns = p.shape
    fill_bits(lanes, unit, u[: -(-rows * columns // (2 * LANES)) * 2 * LANES])
    high = low + span
    for r in range(rows):
        row, to, here = p[r], out[r], u[r * columns : (r + 1) * columns]
        for k in range(columns):
            to[k] = high if here[k] < row[k] else low
