"""Whole epochs of contrastive learning on a quadratic edge network, in one compiled kernel.

Energy (an edge of conductance g_e stores g_e dv_e^2 / 2, volts and siemens):

    E(z; g) = 1/2 sum_e g_e dv_e^2 - (c0 + J u).z,     dv_e = z_i - z_j + (Q u)_e,     y = R z + Y u

with z the m free variables, u the inputs of a sample, y its k outputs. The free state solves A z = b. A phase
adds a force lambda on the outputs; it moves the state by A^-1 R^T lambda and the outputs by S lambda, with
S = R A^-1 R^T:

    clamp       S lambda = -strength C'(y)         outputs held at y - strength C'(y)
    linearised  lambda = -strength C'(y)
    full        lambda = -strength C'(y + S lambda)

The gradient of edge e for a sample is 1/2 (c_0 dv_e^2 + sum_p c_p dv_ep^2) with the rule's weights c; a step
takes its mean over the batch. With A = L D L^T and W = L^-1 [b, R^T], S and R z are products of columns of W:
only W is solved forward, and only states (free and phases, no Green column per output) backward.
"""

import numpy as np

from physlearn.dynamics.banded import assemble, dot, factor, layout, scale, solve_lower, solve_upper
from physlearn.kernels.jit import kernel
from physlearn.learning.phase import cost_of, phase_force

SGD, MOMENTUM, ADAM = 0, 1, 2
OK, NOT_POSITIVE_DEFINITE, NOT_FINITE = 0, 1, 2  # 3, 4: what `phase_force` found


# fmt: off
@kernel
def run_epochs(
    g, low, high, ci, cj, m,
    qptr, qidx, qval, jptr, jidx, jval, c0, rptr, ridx, rval, yptr, yidx, yval,
    inputs, targets, order, batch,
    cost, cost_par, mode, strength, weight,
    optimizer, opt_par, lr, m1, m2, count,
    losses, hits,
):
    # fmt: on
    """Learn for `lr.size` epochs; g, the optimiser's memory, losses and hits are written in place.

    Parameters
    ----------
    g : (E,) float64, siemens
        Conductances.
    low, high : (E,) float64, siemens
        Bounds each step is clipped to.
    ci, cj : (E,) int64
        Variable at each end of an edge, in elimination order (`plan_band`); -1 where there is none.
    m : int
        Number of free variables.
    qptr, qidx, qval ; jptr, jidx, jval ; rptr, ridx, rval ; yptr, yidx, yval
        CSR matrices Q (E, s), J (m, s), R (k, m), Y (k, s); pointers and indices int64, R without duplicates.
    c0 : (m,) float64, amperes
        Constant force.
    inputs, targets : (n, s), (n, k) float64
        Samples u and their targets.
    order : (epochs * n,) int64
        Sample of every step, epoch after epoch.
    batch : int
        Samples per step; the last batch of an epoch may be short.
    cost : int
        `phase.SQUARED_ERROR`, CROSS_ENTROPY or MARGIN.
    cost_par : (1,) float64
        Gain (1/V) of the cross-entropy, margin (V) of the margin cost.
    mode : int
        `phase.CLAMP`, LINEARISED or FULL, for all phases.
    strength, weight : (P,), (P + 1,) float64
        Strength of each phase besides the free one; weights c_0 (free), c_1, ...
    optimizer : int
        SGD; MOMENTUM with opt_par = (momentum,); ADAM with opt_par = (beta1, beta2, epsilon).
    lr : (epochs,) float64
        Learning rate of each epoch.
    m1, m2, count : (E,), (E,) float64, (1,) int64
        The optimiser's memory: velocity or first moment, second moment, steps done.
    losses, hits : (epochs,) float64, (epochs,) int64
        Mean cost of the free outputs before each step; samples whose largest output is the target's.

    Returns
    -------
    status : int
        OK, or why it stopped: NOT_POSITIVE_DEFINITE, NOT_FINITE (cost or gradient), or the status of
        `phase_force`: a full nudge without an equilibrium, or at one that is no minimum.
    step : int
        Steps completed; g, m1, m2 and count are as after the last of them.
    """
    k, phases = targets.shape[1], strength.size
    start, spot = layout(ci, cj, m)
    panels, width = start.size - 1, 8 * (start.size - 1)
    # variable m stays at zero; unsigned, so that no access has to ask whether it counts from the end
    a = np.where(ci < 0, m, ci).astype(np.uint64)
    b = np.where(cj < 0, m, cj).astype(np.uint64)
    driven, fed = np.flatnonzero(np.diff(qptr)), np.flatnonzero(np.diff(jptr))
    first = np.full(k + 1, panels, np.int64)  # panel of the first nonzero of b and of each row of R
    for e in driven:
        for end in (ci[e], cj[e]):
            if end >= 0:
                first[0] = min(first[0], end // 8)
    for i in np.concatenate((fed, np.flatnonzero(c0))):
        first[0] = min(first[0], i // 8)
    for o in range(k):
        for p in range(rptr[o], rptr[o + 1]):
            first[o + 1] = min(first[o + 1], ridx[p] // 8)

    tiles, inverse = np.zeros(64 * (start[-1] + 1)), np.zeros(width)
    panel = np.zeros(64 * np.max(np.diff(start)))
    w, scaled, z = np.zeros((k + 1, width)), np.zeros((k, width)), np.zeros((phases + 1, width))
    offset, drop, gradient = np.zeros(g.size), np.zeros(g.size), np.zeros(g.size)
    y, slope, force = np.zeros(k), np.zeros(k), np.zeros(k)
    green, work = np.zeros((k, k)), np.zeros((k + 4, k + 1))
    total_weight = np.sum(weight)

    n, step = order.size // lr.size, 0
    for epoch in range(lr.size):
        losses[epoch], hits[epoch] = 0.0, 0
        for begin in range(epoch * n, epoch * n + n, batch):
            end = min(begin + batch, epoch * n + n)
            assemble(g, spot, m, start, tiles)
            if factor(start, tiles, inverse, panel) != 0:
                return NOT_POSITIVE_DEFINITE, step
            gradient[:] = 0.0
            for item in range(begin, end):
                u, t = inputs[order[item]], targets[order[item]]
                _sources(g, a, b, driven, qptr, qidx, qval, fed, jptr, jidx, jval, c0, u, m, offset, w)
                if item == begin:
                    w[1:] = 0.0
                    for o in range(k):
                        for p in range(rptr[o], rptr[o + 1]):
                            w[o + 1, ridx[p]] = rval[p]
                    solve_lower(start, tiles, w, first)
                    scaled[:] = w[1:]
                    scale(inverse, scaled)
                    for o in range(k):
                        for p in range(o + 1):
                            skip = 8 * max(first[o + 1], first[p + 1])
                            s = dot(w, (o + 1) * width + skip, scaled, p * width + skip, width - skip)
                            green[o, p] = green[p, o] = s
                else:
                    solve_lower(start, tiles, w[:1], first)
                for o in range(k):
                    skip = 8 * max(first[0], first[o + 1])
                    y[o] = dot(w, skip, scaled, o * width + skip, width - skip)
                    for p in range(yptr[o], yptr[o + 1]):
                        y[o] += yval[p] * u[yidx[p]]
                value = cost_of(cost, cost_par[0], y, t, slope)
                losses[epoch] += value / n
                hits[epoch] += np.argmax(y) == np.argmax(t)
                z[:] = 0.0
                for i in range(width):
                    z[0, i] = inverse[i] * w[0, i]
                for p in range(phases):
                    status = phase_force(mode, strength[p], cost, cost_par[0], y, t, slope, green, force, work)
                    if status != OK:
                        return status, step
                    for o in range(k):
                        for i in range(width):
                            z[p + 1, i] += force[o] * scaled[o, i]
                solve_upper(start, tiles, z)
                for e in range(g.size):
                    drop[e] = z[0, a[e]] - z[0, b[e]] + offset[e]
                # sum_p c_p (dv + d_p)^2 expanded about the free state: no cancellation however weak the nudge
                if total_weight != 0.0:
                    for e in range(g.size):
                        gradient[e] += 0.5 * total_weight * drop[e] * drop[e]
                for p in range(phases):
                    for e in range(g.size):
                        change = z[p + 1, a[e]] - z[p + 1, b[e]]
                        gradient[e] += weight[p + 1] * change * (drop[e] + 0.5 * change)
            check = losses[epoch]
            for e in range(g.size):
                gradient[e] /= end - begin
                check += 0.0 * gradient[e]
            if not np.isfinite(check):
                return NOT_FINITE, step
            _step(optimizer, opt_par, lr[epoch], gradient, g, low, high, m1, m2, count)
            step += 1
    return OK, step


@kernel
def _sources(g, a, b, driven, qptr, qidx, qval, fed, jptr, jidx, jval, c0, u, m, offset, w):
    """Offsets of the edges, and the right-hand side c0 + J u - sum_e g_e d_e offset_e in row 0 of w."""
    w[0, :m] = c0
    for e in driven:
        s = 0.0
        for p in range(qptr[e], qptr[e + 1]):
            s += qval[p] * u[qidx[p]]
        offset[e] = s
        w[0, a[e]] -= g[e] * s
        w[0, b[e]] += g[e] * s
    for i in fed:
        for p in range(jptr[i], jptr[i + 1]):
            w[0, i] += jval[p] * u[jidx[p]]
    w[0, m:] = 0.0


@kernel
def _step(optimizer, par, lr, gradient, g, low, high, m1, m2, count):
    """One step of the optimiser, then the bounds."""
    count[0] += 1
    if optimizer == SGD:
        for e in range(g.size):
            g[e] = min(max(g[e] - lr * gradient[e], low[e]), high[e])
    elif optimizer == MOMENTUM:
        for e in range(g.size):
            m1[e] = par[0] * m1[e] + gradient[e]
            g[e] = min(max(g[e] - lr * m1[e], low[e]), high[e])
    else:
        grown1, grown2 = 1.0 - par[0] ** count[0], 1.0 - par[1] ** count[0]
        for e in range(g.size):
            m1[e] = par[0] * m1[e] + (1.0 - par[0]) * gradient[e]
            m2[e] = par[1] * m2[e] + (1.0 - par[1]) * gradient[e] * gradient[e]
            change = lr * (m1[e] / grown1) / (np.sqrt(m2[e] / grown2) + par[2])
            g[e] = min(max(g[e] - change, low[e]), high[e])
