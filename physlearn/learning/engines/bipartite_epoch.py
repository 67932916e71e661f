"""Kernels of the compiled engine for restricted Boltzmann machines: whole epochs, block Gibbs by matrix products.

    E = -v.W.h - a.v - c.h,   P(h_j on | v) = sigma(gain (c_j + (v W)_j)),   and the same for v

Values are low + span times a bit (0/1: 0 and 1; spins: -1 and 2), gain = span/T.  Everything runs in the
precision of the arrays, float64 or float32.

Most entries of 0/1 data are often zero; products with them then add the rows of nonzero entries, which beats BLAS
(64 x 256 units, 0.3 of the pixels on: 55 us where it takes 136).
"""

# The vector intrinsics of `lanes` are called without their first parameter, the typing context.
# pyright: reportCallIssue=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.kernels.cfuncs import call_action
from physlearn.kernels.jit import kernel
from physlearn.kernels.lanes import fma, load, splat, store
from physlearn.learning.engines.bipartite_draw import LANES, flip, probabilities

STRIP = 32  # columns whose sums stay in four registers
SGD, ADAM, CALLED = 0, 1, 2


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
    lanes: np.ndarray  # (4, 16) uint64, (1,): see `bipartite_draw.fill_bits`
    unit: np.ndarray


class Optimizer(NamedTuple):
    """Step of the parameters; its memory is written in place."""

    kind: int  # SGD with settings (momentum,); ADAM with (beta1, beta2, epsilon); CALLED
    settings: np.ndarray
    m1: np.ndarray  # velocity or first moment; the gradient for one that is called
    m2: np.ndarray  # second moment; the new parameters of one that is called
    count: np.ndarray  # (1,) int64: steps done
    address: int = 0  # of the C function (epoch, table) -> status that is called, and of its table
    table: int = 0


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
    """Train epoch after epoch; returns how many ended with finite parameters, -1 where a called optimiser stopped it.

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
    kind, settings, m1, m2, count, address, table = optimizer
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
            if kind == CALLED:
                for i in range(theta.size):
                    m1[i] = g[i]
                if call_action(address, epoch, table) != 0:
                    return -1
                for i in range(theta.size):
                    theta[i] = m2[i]
            else:
                step(theta, g, low, high, decay, kind, settings, lr[epoch], m1, m2, count[0])
        if not np.all(np.isfinite(theta)):
            theta[:] = kept
            return epoch
        kept[:] = theta
        misfit[epoch] = np.sum(off) / (size * n) if not persistent else np.nan
    return len(lr)
