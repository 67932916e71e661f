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

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from typing import NamedTuple

import numpy as np

from physlearn.dynamics.linear.banded import assemble, dot, factor, layout, scale, solve_lower, solve_upper
from physlearn.kernels.cfuncs import call_action
from physlearn.kernels.jit import kernel
from physlearn.learning.engines.edges_phase import cost_of, largest, phase_force, scratch

SGD, MOMENTUM, ADAM, CALLED = 0, 1, 2, 3
OK, NOT_POSITIVE_DEFINITE, NOT_FINITE, STOPPED = 0, 1, 2, 5  # 3, 4: what `phase_force` found


class Geometry(NamedTuple):
    """A network as the kernel needs it; made by `geometry`."""

    m: int
    start: np.ndarray  # tile skyline and the places of the edges in it: see `banded.layout`
    spot: np.ndarray
    a: np.ndarray  # ends of the edges, m (which stays at zero) where there is no variable
    b: np.ndarray
    driven: np.ndarray  # edges with an offset; variables with a force from the inputs
    fed: np.ndarray
    first: np.ndarray  # panel of the first nonzero of the right-hand side and of each row of R
    q: tuple  # CSR matrices: pointers, indices (int64), values
    j: tuple
    c0: np.ndarray
    r: tuple
    y: tuple


class Rule(NamedTuple):
    """Cost and phases."""

    cost: int  # `edges_phase.SQUARED_ERROR`, CROSS_ENTROPY or MARGIN
    par: float  # gain (1/V) of the cross-entropy, margin (V) of the margin cost
    mode: int  # `edges_phase.CLAMP`, LINEARISED or FULL, for all phases
    strength: np.ndarray  # (P,) of each phase but the free one
    weight: np.ndarray  # (P + 1,) c_0 (free), c_1, ...


class Optimizer(NamedTuple):
    """Step of the conductances; its memory is written in place."""

    kind: int  # SGD; MOMENTUM with par = (momentum,); ADAM with par = (beta1, beta2, epsilon); CALLED
    par: np.ndarray
    low: np.ndarray  # (E,) siemens: bounds that each step is clipped to
    high: np.ndarray
    m1: np.ndarray  # (E,) velocity or first moment; the gradient for one that is called
    m2: np.ndarray  # (E,) second moment; the new conductances of one that is called
    count: np.ndarray  # (1,) int64: steps done
    address: int = 0  # of the C function (epoch, table) -> status that is called, and of its table
    table: int = 0


def geometry(ci, cj, m, q, j, c0, r, y):
    """Flatten a network for `run_epochs`.

    Parameters
    ----------
    ci, cj : (E,) int64
        Variable at each end of an edge, in elimination order (`plan_band`); -1 where there is none.
    m : int
        Number of free variables.
    q, j, r, y : (pointers, indices, values)
        CSR matrices Q (E, s), J (m, s), R (k, m), Y (k, s); pointers and indices int64, R without duplicates.
    c0 : (m,) float64, amperes
        Constant force.
    """
    start, spot = layout(ci, cj, m)
    # unsigned, so that no access has to ask whether it counts from the end
    a, b = (np.where(ends < 0, m, ends).astype(np.uint64) for ends in (ci, cj))
    driven, fed = np.flatnonzero(np.diff(q[0])), np.flatnonzero(np.diff(j[0]))
    forced = np.concatenate([ci[driven], cj[driven], fed, np.flatnonzero(c0)])
    rows = [forced[forced >= 0], *(r[1][r[0][o] : r[0][o + 1]] for o in range(r[0].size - 1))]
    first = np.array([np.min(row, initial=8 * (start.size - 1)) // 8 for row in rows], np.int64)
    return Geometry(m, start, spot, a, b, driven, fed, first, q, j, c0, r, y)


def run_epochs(g, net, inputs, targets, order, batch, rule, optimizer, lr, losses, hits):
    """Learn for `lr.size` epochs; g, the optimiser's memory, losses and hits are written in place.

    Parameters
    ----------
    g : (E,) float64, siemens
        Conductances.
    net : Geometry
    inputs, targets : (n, s), (n, k) float64
        Samples u and their targets.
    order : (epochs * n,) int64
        Sample of every step, epoch after epoch.
    batch : int
        Samples per step; the last batch of an epoch may be short.
    rule : Rule
    optimizer : Optimizer
    lr : (epochs,) float64
        Learning rate of each epoch.
    losses, hits : (epochs,) float64, (epochs,) int64
        Mean cost of the free outputs before each step; samples whose largest output is the target's.

    Returns
    -------
    status : int
        OK, or why it stopped: NOT_POSITIVE_DEFINITE, NOT_FINITE (cost, gradient or theta), STOPPED by the optimiser
        that is called, or the status of `phase_force`: a full nudge without an equilibrium, or at one that is no
        minimum.
    step : int
        Steps completed; g and the optimiser's memory are as after the last of them.
    """
    k, phases, panels = targets.shape[1], rule.strength.size, net.start.size - 1
    tall, deepest = (phases + 1, 8 * panels), np.max(np.diff(net.start))
    work = (
        np.zeros(64 * (net.start[-1] + 1)),  # tiles
        np.zeros(8 * panels),  # inverse
        np.zeros(64 * deepest),  # panel
        np.zeros((k + 1, 8 * panels)),  # w
        np.zeros((k, 8 * panels)),  # scaled
        np.zeros(tall),  # z
        *np.zeros((3, g.size)),  # offset, drop, gradient
        *np.zeros((3, k)),  # y, slope, force
        np.zeros((k, k)),  # green
    )
    return _epochs(
        g, net, inputs, targets, order, batch, rule, optimizer, lr, losses, hits, work, *scratch(rule.mode, k)
    )


@kernel
def _epochs(g, net, inputs, targets, order, batch, rule, optimizer, lr, losses, hits, work, system, vectors):
    """The loop of `run_epochs`, on memory that was made for it."""
    m, start, spot, a, b, driven, fed, first, q, j, c0, r, y_given = net
    cost, par, mode, strength, weight = rule
    rptr, ridx, rval = r
    yptr, yidx, yval = y_given
    tiles, inverse, panel, w, scaled, z, offset, drop, gradient, y, slope, force, green = work
    k, phases, width = targets.shape[1], strength.size, inverse.size
    total_weight = 0.0
    for c in weight:
        total_weight += c

    n, step = order.size // lr.size, 0
    for epoch in range(lr.size):
        losses[epoch], hits[epoch] = 0.0, 0
        for begin in range(epoch * n, epoch * n + n, batch):
            end = min(begin + batch, epoch * n + n)
            assemble(g, spot, m, start, tiles)
            if factor(start, tiles, inverse, panel) != 0:
                return NOT_POSITIVE_DEFINITE, step
            for e in range(g.size):
                gradient[e] = 0.0
            for item in range(begin, end):
                u, t = inputs[order[item]], targets[order[item]]
                sources(g, a, b, driven, q, fed, j, c0, u, m, offset, w)
                rows = k + 1 if item == begin else 1
                if item == begin:
                    for o in range(k):
                        for i in range(width):
                            w[o + 1, i] = 0.0
                        for p in range(rptr[o], rptr[o + 1]):
                            w[o + 1, ridx[p]] = rval[p]
                    solve_lower(start, tiles, w, first, rows)
                    for o in range(k):
                        for i in range(width):
                            scaled[o, i] = w[o + 1, i]
                    scale(inverse, scaled)
                    for o in range(k):
                        for p in range(o + 1):
                            skip = 8 * max(first[o + 1], first[p + 1])
                            s = dot(w, (o + 1) * width + skip, scaled, p * width + skip, width - skip)
                            green[o, p] = green[p, o] = s
                else:
                    solve_lower(start, tiles, w, first, rows)
                for o in range(k):
                    skip = 8 * max(first[0], first[o + 1])
                    y[o] = dot(w, skip, scaled, o * width + skip, width - skip)
                    for p in range(yptr[o], yptr[o + 1]):
                        y[o] += yval[p] * u[yidx[p]]
                value = cost_of(cost, par, y, t, slope)
                losses[epoch] += value / n
                hits[epoch] += largest(y) == largest(t)
                for i in range(width):
                    z[0, i] = inverse[i] * w[0, i]
                for p in range(phases):
                    status = phase_force(mode, strength[p], cost, par, y, t, slope, green, force, system, vectors)
                    if status != OK:
                        return status, step
                    for i in range(width):
                        z[p + 1, i] = 0.0
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
            if not abs(check) < np.inf:
                return NOT_FINITE, step
            if optimizer.kind == CALLED:
                status = _called(optimizer, epoch, gradient, g)
                if status != OK:
                    return status, step
            else:
                step_in_place(optimizer, lr[epoch], gradient, g)
            step += 1
    return OK, step


@kernel
def sources(g, a, b, driven, q, fed, j, c0, u, m, offset, w):
    """Offsets of the edges, and the right-hand side c0 + J u - sum_e g_e d_e offset_e in row 0 of w."""
    (qptr, qidx, qval), (jptr, jidx, jval) = q, j
    for i in range(m):
        w[0, i] = c0[i]
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
    for i in range(m, w.shape[1]):
        w[0, i] = 0.0


@kernel
def _called(optimizer, epoch, gradient, g):
    """One step of an optimiser outside, which reads m1 and writes m2."""
    m1, m2 = optimizer.m1, optimizer.m2
    for e in range(g.size):
        m1[e] = gradient[e]
    if call_action(optimizer.address, epoch, optimizer.table) != 0:
        return STOPPED
    check = 0.0
    for e in range(g.size):
        check += 0.0 * m2[e]
    if check != 0.0:
        return NOT_FINITE
    for e in range(g.size):
        g[e] = m2[e]
    return OK


@kernel
def step_in_place(optimizer, lr, gradient, g):
    """One step of the optimiser, then the bounds."""
    kind, par, low, high, m1, m2, count, _, _ = optimizer
    count[0] += 1
    if kind == SGD:
        for e in range(g.size):
            g[e] = min(max(g[e] - lr * gradient[e], low[e]), high[e])
    elif kind == MOMENTUM:
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
