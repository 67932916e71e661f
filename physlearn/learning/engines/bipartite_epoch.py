"""Kernels of the compiled engine for restricted Boltzmann machines: whole epochs, block Gibbs by matrix products.

    E = -v.W.h - a.v - c.h,   P(h_j on | v) = sigma(gain (c_j + (v W)_j)),   and the same for v

Values are low + span times a bit (0/1: 0 and 1; spins: -1 and 2), gain = span/T.  Everything runs in the
precision of the arrays, float64 or float32.  Uniforms have 31 random bits and come from 16 interleaved
xoshiro256++ streams (Blackman and Vigna 2019), so that eight or sixteen are drawn by one instruction.

Most entries of 0/1 data are often zero; products with them then add the rows of nonzero entries, which beats BLAS
(64 x 256 units, 0.3 of the pixels on: 55 us where it takes 136).
"""

# The vector intrinsics of `lanes` are called without their first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.kernels.jit import inlined, kernel
from physlearn.kernels.lanes import fma, load, splat, store

LANES, STRIP = 16, 32  # streams; columns whose sums stay in four registers
SGD, ADAM = 0, 1


class Parameters(NamedTuple):
    """Flat parameters (n m + n + m,): W row by row, a, c."""

    theta: np.ndarray  # changed; holds the last finite epoch's values at the end
    low: np.ndarray  # bounds; parameters that are not trained have low = high
    high: np.ndarray
    decay: np.ndarray


class Chains(NamedTuple):
    """The model's phase: block Gibbs from the data, or of persistent chains."""

    states: np.ndarray  # (4,) low and span of the visible values, low and span of the hidden ones
    seen: np.ndarray  # (C, n) visible states of the persistent chains, changed; C = 0: contrastive divergence
    hidden: np.ndarray  # (C, m) hidden ones, changed
    k: int  # block Gibbs sweeps
    beta: np.ndarray  # (1,) 1/T
    lanes: np.ndarray  # (4, 16) uint64, (1,): see `fill_bits`
    unit: np.ndarray


class Optimizer(NamedTuple):
    """Step of the parameters; its memory is written in place."""

    kind: int  # SGD with settings (momentum,); ADAM with (beta1, beta2, epsilon)
    settings: np.ndarray
    m1: np.ndarray  # velocity or first moment
    m2: np.ndarray  # second moment
    count: np.ndarray  # (1,) int64: steps done


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


@kernel
def product(a, across, b, to):
    """to = a b, or a^T b if ``across``, over the nonzero entries of a; float64, b (k, m), m a multiple of `STRIP`."""
    rows, inner = (a.shape[1], a.shape[0]) if across else a.shape
    m, count = b.shape[1], np.uint64(0)  # unsigned: indexed without asking whether it counts from the end
    starts, at, value = np.empty(rows + 1, np.int64), np.empty(a.size + 1, np.int64), np.empty(a.size + 1, b.dtype)
    for r in range(rows):
        starts[r] = count
        for i in range(inner):
            entry = a[i, r] if across else a[r, i]
            at[count], value[count] = i * STRIP, entry
            count += np.uint64(entry != 0.0)
    starts[rows] = count
    strip = np.empty(inner * STRIP, b.dtype)  # next to each other, or rows 2^k apart would evict one another
    for left in range(0, m, STRIP):
        for i in range(inner):
            for k in range(0, STRIP, 8):
                store(strip, i * STRIP + k, load(b, i * m + left + k))
        for r in range(rows):
            s0 = s1 = s2 = s3 = splat(0.0)
            for q in range(starts[r], starts[r + 1]):
                here, x = at[q], splat(value[q])
                s0, s1 = fma(load(strip, here), x, s0), fma(load(strip, here + 8), x, s1)
                s2, s3 = fma(load(strip, here + 16), x, s2), fma(load(strip, here + 24), x, s3)
            here = r * m + left
            store(to, here, s0)
            store(to, here + 8, s1)
            store(to, here + 16, s2)
            store(to, here + 24, s3)


@kernel
def step(theta, g, low, high, decay, optimizer, settings, lr, m1, m2, count):
    """One step of the optimiser on the flat parameters; the arithmetic of `optimizers`, in place."""
    rate = np.empty(1, theta.dtype)
    rate[0] = lr
    if optimizer == ADAM:
        c = np.empty(7, theta.dtype)  # constants in the precision of the arrays
        c[0], c[1], c[2], c[3] = settings[0], 1.0 - settings[0], settings[1], 1.0 - settings[1]
        c[4], c[5], c[6] = 1.0 / (1.0 - settings[0] ** count), 1.0 / (1.0 - settings[1] ** count), settings[2]
        for k in range(theta.size):
            m1[k] = c[0] * m1[k] + c[1] * g[k]
            m2[k] = c[2] * m2[k] + c[3] * g[k] * g[k]
            moved = c[4] * m1[k] / (np.sqrt(c[5] * m2[k]) + c[6]) + decay[k] * theta[k]
            theta[k] = min(max(theta[k] - rate[0] * moved, low[k]), high[k])
    else:
        momentum = np.empty(1, theta.dtype)
        momentum[0] = settings[0]
        for k in range(theta.size):
            m1[k] = momentum[0] * m1[k] + g[k]
            theta[k] = min(max(theta[k] - rate[0] * (m1[k] + decay[k] * theta[k]), low[k]), high[k])


@kernel
def contrast(v, p, here, states, beta, sparse, gw, ga, gc):
    """Gradients gw, ga, gc of -log likelihood from the data's rows, the first ``here``, and the model's, all others.

    v (rows, n): visible values, replaced by -+ values/(T rows), minus for data and plus for the model; p (rows, m):
    probabilities that hidden units are on.
    """
    rows_of, (n, m) = np.empty(2, v.dtype), gw.shape
    rows_of[0], rows_of[1] = here, len(v) - here
    data_scale, model_scale = -beta[0] / rows_of[0], beta[0] / rows_of[1]
    low, span = states[2], states[3]
    ga[:] = 0
    gc[:] = 0
    for r in range(len(v)):
        scale, seen_here, on = data_scale if r < here else model_scale, v[r], p[r]
        for i in range(n):
            seen_here[i] *= scale
            ga[i] += seen_here[i]
        for j in range(m):
            gc[j] += scale * on[j]
    if sparse:
        product(v, True, p, gw)
    else:
        np.dot(v.T, p, gw)
    if low != 0.0 or span != 1.0:  # from probabilities to means; the rows' scales add up to zero
        for j in range(m):
            gc[j] *= span
        for i in range(n):
            for j in range(m):
                gw[i, j] = low * ga[i] + span * gw[i, j]


@kernel
def run_epochs(parameters, data, order, batch, chains, optimizer, lr, misfit, single, sparse):
    """Train epoch after epoch; returns how many ended with finite parameters.

    Parameters
    ----------
    parameters : Parameters
    data : (N, n)
    order : (epochs N,) int64
        Sample of every step, epoch after epoch.
    batch : int
    chains : Chains
    optimizer : Optimizer
    lr : (epochs,)
        Learning rate of each epoch.
    misfit : (epochs,)
        Mean square of data less reconstruction, for contrastive divergence.
    single : bool
        Whether the arrays are float32.
    sparse : bool
        Whether to take `product` for products with visible states.
    """
    theta, low, high, decay = parameters
    states, seen, hidden, k, beta, lanes, unit = chains
    kind, settings, m1, m2, count = optimizer
    size, n = data.shape
    m = (theta.size - n) // (n + 1)
    w, a, c = theta[: n * m].reshape(n, m), theta[n * m : n * m + n], theta[n * m + n :]
    g = np.empty_like(theta)
    gw, ga, gc = g[: n * m].reshape(n, m), g[n * m : n * m + n], g[n * m + n :]
    persistent = len(hidden) > 0
    rows = batch + max(batch, len(hidden))
    v, p, h = np.empty((rows, n), theta.dtype), np.empty((rows, m), theta.dtype), np.empty((batch, m), theta.dtype)
    u = np.empty(-(-rows * max(n, m) // (2 * LANES)) * 2 * LANES, theta.dtype)
    off = np.empty_like(a)
    v_low, v_span, h_low, h_span = states[0], states[1], states[2], states[3]
    v_gain, h_gain = v_span * beta[0], h_span * beta[0]
    kept, per_epoch = theta.copy(), -(-size // batch)
    for epoch in range(len(lr)):
        off[:] = 0
        for number in range(per_epoch):
            first = epoch * size + number * batch
            here = min(batch, epoch * size + size - first)
            total = here + (len(hidden) if persistent else here)
            model_v, model_p = v[here:total], p[here:total]
            model_h = hidden if persistent else h[:here]
            for r in range(here):
                v[r] = data[order[first + r]]
            if not persistent:
                np.dot(v[:here], w, p[:here])
                probabilities(p[:here], c, h_gain, single)
                flip(p[:here], h_low, h_span, lanes, unit, u, model_h)
            for sweep in range(k):
                np.dot(model_h, w.T, model_v)
                probabilities(model_v, a, v_gain, single)
                flip(model_v, v_low, v_span, lanes, unit, u, model_v)
                if sweep < k - 1:
                    np.dot(model_v, w, model_p)
                    probabilities(model_p, c, h_gain, single)
                    flip(model_p, h_low, h_span, lanes, unit, u, model_h)
            if persistent:  # the data's hidden units and the model's in one product
                if sparse:
                    product(v[:total], False, w, p)
                else:
                    np.dot(v[:total], w, p[:total])
                probabilities(p[:total], c, h_gain, single)
                flip(model_p, h_low, h_span, lanes, unit, u, hidden)
                seen[:] = model_v
            else:
                np.dot(model_v, w, model_p)
                probabilities(model_p, c, h_gain, single)
                for r in range(here):
                    for i in range(n):
                        off[i] += (v[r, i] - model_v[r, i]) ** 2
            contrast(v[:total], p[:total], here, states, beta, sparse, gw, ga, gc)
            count[0] += 1
            step(theta, g, low, high, decay, kind, settings, lr[epoch], m1, m2, count[0])
        if not np.all(np.isfinite(theta)):
            theta[:] = kept
            return epoch
        kept[:] = theta
        misfit[epoch] = np.sum(off) / (size * n) if not persistent else np.nan
    return len(lr)
