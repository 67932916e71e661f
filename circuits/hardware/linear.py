"""Whole epochs of imperfect networks of resistors in one kernel: those of `learning.engines.edges_epoch`, with faults.

The clamped twin has conductances of its own, g (1 + spread), and is factored apart where there is a spread.  With y the
free outputs of the free twin and y' those of the clamped one, a phase holds the outputs at y - strength C'(y) + bias,
by the force lambda that solves S' lambda = y - strength C'(y) + bias - y'.  An element sees drops of the free twin and
of the clamped one, each with the errors of its meter.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from circuits.hardware.noise import fill
from circuits.hardware.update import update, warn_of_nothing
from physlearn.dynamics.frame import frame_of
from physlearn.dynamics.linear.banded import assemble, dot, factor, scale, solve_lower, solve_upper
from physlearn.kernels.jit import inlined, kernel
from physlearn.learning.engines import edges
from physlearn.learning.engines.edges_epoch import Optimizer, sources, step_in_place
from physlearn.learning.engines.edges_phase import CLAMP, FULL, OK, cost_of, phase_force, scratch
from physlearn.learning.optimizers import is_plain
from physlearn.terms.edges import Edges

NOT_POSITIVE_DEFINITE, NOT_FINITE = 1, 2


class Twin(NamedTuple):
    """What is wrong with phases."""

    spread: np.ndarray  # (E,) relative, of the clamped twin
    apart: bool  # whether there is a spread
    noise: float  # V, of the measured drops
    offset: np.ndarray  # (E,) V
    bias: np.ndarray  # (k,) V


def engine(system, task, hardware):
    """``run(system, memory, orders, rates)``, or why this way does not fit."""
    if not is_plain(task.optimizer):
        return "it knows the library's own optimisers only"
    if hasattr(type(system), "__epochs__"):
        return "the machine is no network of resistors"
    reason = edges.refusal(system, task)
    if reason is None and frame_of(system, tuple(dict(system.fixed) | task.inputs)).m == 0:
        reason = "no node is free"
    if reason is not None and "costs less by columns" not in reason:
        return reason
    return partial(_runner, system, task, hardware)


def _runner(system, task, hardware):
    term = next(t for t in system.terms if type(t) is Edges)
    name, clamps = term.parameter, dict(system.fixed) | task.inputs
    edges.check_phases(system, task, clamps)
    net, inputs = edges.network_of(system, term, clamps, task)
    target, rule = np.ascontiguousarray(task.target), edges.rule_of(task)
    kind, settings, kept = edges.optimizer_of(task.optimizer)
    m, k = len(term.i), task.target.shape[1]
    low, high = task.optimizer.bounds.get(name, (-np.inf, np.inf))
    low, high = (np.array(np.broadcast_to(bound, m), dtype=float) for bound in (low, high))
    bias = np.array(np.broadcast_to(hardware.clamp_bias, k), float)
    twin = Twin(hardware.spread, bool(np.any(hardware.spread)), hardware.measurement_noise, hardware.offset, bias)
    work, room = _work(net, rule, m, k), scratch(rule.mode, k)

    def run(system, memory, orders, rates):
        g, own = system.theta[name].copy(), memory["hardware"]
        m1, m2 = (memory[key][name] if key else np.zeros_like(g) for key in kept)
        count, before = np.array([memory["steps"]], np.int64), memory["steps"]
        optimizer = Optimizer(kind, settings, low, high, m1, m2, count)
        losses = np.zeros(len(rates))
        given = (np.concatenate(orders), task.size, rule, optimizer, np.array(rates), losses)
        status, step = train(
            g, net, inputs, target, *given, hardware.parts, twin, own["stream"], own["made"], work, *room
        )
        memory["steps"] = int(count[0])
        per_epoch = int(own["epoch"])
        if before < per_epoch <= memory["steps"]:
            warn_of_nothing(hardware, own["made"])
        whole = len(rates) if status == 0 else step // per_epoch
        return {**system.theta, name: g}, losses[:whole], edges.TROUBLE.get(status)

    return run


def _work(net, rule, m, k):
    """Memory of the kernel: of one twin and of the other, and what both share."""
    panels, phases = net.start.size - 1, rule.strength.size
    deepest = np.max(np.diff(net.start))

    def half():
        tiles = np.zeros(64 * (net.start[-1] + 1))
        return tiles, np.zeros(8 * panels), np.zeros((k + 1, 8 * panels)), np.zeros((k, 8 * panels)), np.zeros((k, k))

    shared = np.zeros(64 * deepest), np.zeros((1, 8 * panels)), np.zeros((phases + 1, 8 * panels))
    per_edge = tuple(np.zeros((6, m)))  # offset and drop of either twin, gradient, new
    return half(), half(), shared, per_edge, tuple(np.zeros((6, k))), np.zeros((phases + 1) * m)


@inlined
def solve_free(g, net, u, factored, columns, half, panel, offset):
    """Right-hand side of a sample into row 0 of w, with the outputs' rows behind it and their block, if ``columns``.

    The matrix is factored before, unless it is already; False where it is not positive definite.
    """
    tiles, inverse, w, scaled, green = half
    m, start, spot, a, b, driven, fed, first, q, j, c0, r, _ = net
    rptr, ridx, rval = r
    k, width = green.shape[0], inverse.size
    if not factored:
        assemble(g, spot, m, start, tiles)
        if factor(start, tiles, inverse, panel) != 0:
            return False
    sources(g, a, b, driven, q, fed, j, c0, u, m, offset, w)
    rows = k + 1 if columns else 1
    if columns:
        for o in range(k):
            for i in range(width):
                w[o + 1, i] = 0.0
            for p in range(rptr[o], rptr[o + 1]):
                w[o + 1, ridx[p]] = rval[p]
    solve_lower(start, tiles, w, first, rows)
    if not columns:
        return True
    for o in range(k):
        for i in range(width):
            scaled[o, i] = w[o + 1, i]
    scale(inverse, scaled)
    for o in range(k):
        for p in range(o + 1):
            skip = 8 * max(first[o + 1], first[p + 1])
            s = dot(w, (o + 1) * width + skip, scaled, p * width + skip, width - skip)
            green[o, p] = green[p, o] = s
    return True


@inlined
def outputs(first, given, half, u, y):
    """Outputs of the state whose right-hand side is in row 0 of w."""
    _, inverse, w, scaled, _ = half
    yptr, yidx, yval = given
    width = inverse.size
    for o in range(y.size):
        skip = 8 * max(first[0], first[o + 1])
        y[o] = dot(w, skip, scaled, o * width + skip, width - skip)
        for p in range(yptr[o], yptr[o + 1]):
            y[o] += yval[p] * u[yidx[p]]


@kernel
def train(
    g, net, inputs, targets, order, batch, rule, optimizer, lr, losses, parts, twin, stream, made, work, system, vectors
):
    """Learn for ``lr.size`` epochs as `edges_epoch.run_epochs` does; (status, steps done)."""
    free, clamped, shared, per_edge, per_output, errors = work
    panel, zf, z = shared
    offset, offset2, drop, drop2, gradient, held = per_edge
    y, y2, slope, read, aim, force = per_output
    a, b, start = net.a, net.b, net.start
    cost, par, mode, strength, weight = rule
    k, phases, width, m = y.size, strength.size, zf.shape[1], g.size
    total_weight = 0.0
    for c in weight:
        total_weight += c
    other = clamped if twin.apart else free
    n, step = order.size // lr.size, 0
    for epoch in range(lr.size):
        losses[epoch] = 0.0
        for begin in range(epoch * n, epoch * n + n, batch):
            end = min(begin + batch, epoch * n + n)
            for e in range(m):
                gradient[e] = 0.0
                held[e] = g[e] * (1.0 + twin.spread[e])
            for item in range(begin, end):
                u, t = inputs[order[item]], targets[order[item]]
                again = item > begin
                if not solve_free(g, net, u, again, not again and not twin.apart, free, panel, offset):
                    return NOT_POSITIVE_DEFINITE, step
                if twin.apart:
                    if not solve_free(held, net, u, again, not again, clamped, panel, offset2):
                        return NOT_POSITIVE_DEFINITE, step
                    outputs(net.first, net.y, clamped, u, y2)
                    for i in range(width):
                        zf[0, i] = free[1][i] * free[2][0, i]
                        z[0, i] = clamped[1][i] * clamped[2][0, i]
                    solve_upper(start, free[0], zf)
                    for o in range(k):  # the free twin's: of its state, one solve less than by its outputs' rows
                        y[o] = 0.0
                        for p in range(net.r[0][o], net.r[0][o + 1]):
                            y[o] += net.r[2][p] * zf[0, net.r[1][p]]
                        for p in range(net.y[0][o], net.y[0][o + 1]):
                            y[o] += net.y[2][p] * u[net.y[1][p]]
                else:
                    outputs(net.first, net.y, free, u, y)
                    for o in range(k):
                        y2[o] = y[o]
                    for i in range(width):
                        z[0, i] = free[1][i] * free[2][0, i]
                losses[epoch] += cost_of(cost, par, y, t, slope) / n
                for p in range(phases):
                    if mode == CLAMP:
                        for o in range(k):
                            read[o] = y2[o]
                            aim[o] = slope[o] - (twin.bias[o] + y[o] - y2[o]) / strength[p]
                    else:
                        for o in range(k):
                            read[o] = y2[o] if mode == FULL else y[o] + twin.bias[o]
                        cost_of(cost, par, read, t, aim)
                    status = phase_force(mode, strength[p], cost, par, read, t, aim, other[4], force, system, vectors)
                    if status != OK:
                        return status, step
                    for i in range(width):
                        z[p + 1, i] = 0.0
                    for o in range(k):
                        for i in range(width):
                            z[p + 1, i] += force[o] * other[3][o, i]
                solve_upper(start, other[0], z)
                if twin.apart:
                    for e in range(m):
                        drop[e] = zf[0, a[e]] - zf[0, b[e]] + offset[e]
                        drop2[e] = z[0, a[e]] - z[0, b[e]] + offset2[e] - drop[e]
                else:
                    for e in range(m):
                        drop[e] = z[0, a[e]] - z[0, b[e]] + offset[e]
                        drop2[e] = 0.0
                if twin.noise > 0.0:
                    fill(stream[0], errors)
                    for e in range(m):
                        drop[e] += twin.noise * errors[e]
                        drop2[e] -= twin.noise * errors[e]
                if total_weight != 0.0:
                    for e in range(m):
                        gradient[e] += 0.5 * total_weight * drop[e] * drop[e]
                for p in range(phases):
                    for e in range(m):
                        change = z[p + 1, a[e]] - z[p + 1, b[e]] + drop2[e] + twin.offset[e]
                        if twin.noise > 0.0:
                            change += twin.noise * errors[(p + 1) * m + e]
                        gradient[e] += weight[p + 1] * change * (drop[e] + 0.5 * change)
            check = losses[epoch]
            for e in range(m):
                gradient[e] /= end - begin
                check += 0.0 * gradient[e]
            if not abs(check) < np.inf:
                return NOT_FINITE, step
            done = optimizer.count[0]
            for e in range(m):
                held[e] = g[e]
            step_in_place(optimizer, lr[epoch], gradient, held)
            for e in range(m):
                held[e] -= g[e]
            update(g, held, parts, done, stream, made)
            step += 1
    return OK, step
