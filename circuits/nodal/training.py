"""Training of small circuits, compiled: whole epochs of clamped phases in one kernel.

Follows the plain loop of `physlearn.learn`; the free phase of a sample starts from where it was at rest the last time,
and its clamped phases start from the free one.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from circuits.nodal.plan import Plan
from circuits.nodal.small import numbers_of, settle
from physlearn.dynamics.frame import frame_of, given, rows_of
from physlearn.kernels.jit import kernel
from physlearn.kernels.laws import call_law
from physlearn.learning.costs import SquaredError
from physlearn.learning.optimizers import SGD

MOST = 60  # Newton steps of a phase
TROUBLE = {
    1: "a phase found no operating point (are all devices around a node cut off?)",
    2: "the cost or the gradient is not finite",
}


def engine(system, task):
    """A function that makes ``run(system, memory, orders, rates)``, or why this way does not fit."""
    if type(task.optimizer) is not SGD or task.optimizer.momentum:
        return "it takes SGD without momentum only"
    if any(task.optimizer.decay_of(name) for name in task.names):
        return "it knows no weight decay"
    found = plans_of(system, task)
    return found if isinstance(found, str) else partial(_runner, system, task, *found)


def plans_of(system, task):
    """Plans of the free and of the clamped phase, or why no kernel can go through the phases."""
    if getattr(task.rule, "mode", None) != "clamp":
        return "it takes rules that clamp outputs"
    if type(task.cost) is not SquaredError:
        return "it takes the squared error only"
    if any(np.iscomplexobj(v) for phase in task.rule.phases for v in phase):
        return "it takes real phases only"
    names = tuple(dict(system.fixed) | task.inputs)
    found = [Plan(system, frame_of(system, clamps)) for clamps in (names, (*names, task.cost.readout))]
    if any(plan.small is None for plan in found):
        return "the circuit is large, or has laws that are not compiled"
    return found


def phases_of(system, task, free, clamped):
    """What the kernel needs of the phases: ``(sets, bases, target, rule, room)``, each in its arguments' order."""
    clamps = dict(system.fixed) | task.inputs
    u, force = given(system, free.frame, clamps, len(task.target))
    phases = [p for p in task.rule.phases if p.strength != 0]
    alone = sum(float(p.weight) for p in task.rule.phases if p.strength == 0)
    weights, strengths = (np.array([float(v) for v in column]) for column in zip(*phases, strict=True))
    rows = np.ascontiguousarray(rows_of(system, task.cost.readout, free.frame.offset, free.n).toarray())
    where = clamped.frame.values[task.cost.readout]
    lever = np.ascontiguousarray(clamped.frame.shift.toarray()[:, where])  # state moved by held outputs
    push = free.frame.pushed(force)
    base = [np.ascontiguousarray((plan.frame.shift.toarray()[:, : u.shape[1]] @ u.T).T) for plan in (free, clamped)]
    constant = [
        np.ascontiguousarray(plan.frame.collect(push + (plan.others @ b.T).T))
        for plan, b in zip((free, clamped), base, strict=True)
    ]
    pull = np.ascontiguousarray(clamped.frame.collect((clamped.others @ lever).T))  # (k, m)
    pick = np.zeros(clamped.m, np.int64)
    kept = np.flatnonzero(clamped.frame.cluster >= 0)
    pick[clamped.frame.cluster[kept]] = kept  # an unknown that each free one of the clamped phase is
    sets = (free.small[0], clamped.small[0], free.constant, clamped.constant, *constant)
    rule = (strengths, weights, alone, rows, lever, pull, pick)
    return sets, base, np.ascontiguousarray(task.target), rule, (np.zeros((len(u), free.m)), np.zeros(len(u), np.bool_))


def learning_of(system, task, table, places):
    """Where parameters lie: (index among the numbers, device) of each, and the optimiser's bounds."""
    index, low, high, device = [], [], [], []
    for name, start, stride in places:
        m = system.theta[name].size
        index.append(start + stride * np.arange(m))
        device.append(np.searchsorted(table.number, index[-1], side="right") - 1)
        bounds = task.optimizer.bounds.get(name, (-np.inf, np.inf))
        low.append(np.broadcast_to(bounds[0], m))
        high.append(np.broadcast_to(bounds[1], m))
    low, high = np.array(np.concatenate(low), float), np.array(np.concatenate(high), float)
    return np.concatenate(index), np.concatenate(device), low, high


def _runner(system, task, free, clamped):
    sets, base, target, rule, (z, begun) = phases_of(system, task, free, clamped)
    places = [(name, *free.small[1][name]) for name in task.names]

    def run(system, memory, orders, rates):
        p = numbers_of(system)
        index, device, low, high = learning_of(system, task, free.small[0], places)
        losses, done = np.zeros(len(rates)), np.zeros(1, np.int64)
        status = run_epochs(
            *sets, *base, target, *rule, p, index, device, low, high,
            np.concatenate(orders), np.array(rates, float), task.size, z, begun, losses, done,
        )  # fmt: skip
        memory["steps"] += int(done[0])
        theta = dict(system.theta)
        for name, start, stride in places:
            theta[name] = p[start + stride * np.arange(theta[name].size)]
        whole = int(done[0]) // -(-len(task.target) // task.size)
        return theta, losses[: whole if status else None], TROUBLE.get(status)

    return run


@kernel
def run_epochs(
    table, held_table, matrix, held_matrix, constant, held_constant, base, held_base, target,
    strengths, weights, alone, rows, lever, pull, pick, p, index, device, low, high,
    order, rates, size, z, begun, losses, done,
):  # fmt: skip
    """Train for ``len(rates)`` epochs; p, z, begun, losses and done are changed.  0, or a status of `TROUBLE`."""
    samples, m, n, k = target.shape[0], z.shape[1], base.shape[1], target.shape[1]
    x, at, d = np.empty(n), np.empty(table.plus.size), np.empty(table.plus.size)
    here, jacobian, force = np.empty(m), np.empty((m, m)), np.empty(m)
    held_m = pick.size
    held_z, held_jacobian, held_force = np.empty(held_m), np.empty((held_m, held_m)), np.empty(held_m)
    held_x, held_given, held_push = np.empty(n), np.empty(n), np.empty(held_m)
    y, gradient = np.empty(k), np.empty(index.size)
    p_at, u_at, d_at = p.ctypes.data, at.ctypes.data, d.ctypes.data
    for epoch in range(rates.size):
        for start in range(0, samples, size):
            end = min(start + size, samples)
            for g in range(index.size):
                gradient[g] = 0.0
            for q in range(start, end):
                s = order[epoch * samples + q]
                for r in range(m):
                    here[r] = z[s, r]
                warm = begun[s]
                steps = settle(table, p, matrix, constant[s], base[s], here, x, at, d, jacobian, force, warm, MOST)
                if steps < 0 and warm:
                    for r in range(m):
                        here[r] = 0.0
                    steps = settle(table, p, matrix, constant[s], base[s], here, x, at, d, jacobian, force, False, MOST)
                if steps < 0:
                    return 1
                begun[s] = True
                for r in range(m):
                    z[s, r] = here[r]
                for o in range(k):
                    y[o] = 0.0
                    for c in range(n):
                        y[o] += rows[o, c] * x[c]
                    losses[epoch] += 0.5 * (y[o] - target[s, o]) ** 2
                if alone != 0.0:
                    for g in range(index.size):
                        e = device[g]
                        shift = 8 * table.first[e]
                        gradient[g] += alone * call_law(
                            table.seen[e], u_at + shift, p_at + 8 * table.number[e], d_at + shift
                        )
                for phase in range(strengths.size):
                    for c in range(n):
                        held_given[c] = held_base[s, c]
                    for r in range(held_m):
                        held_push[r], held_z[r] = held_constant[s, r], x[pick[r]]
                    for o in range(k):
                        value = y[o] - strengths[phase] * (y[o] - target[s, o])
                        for c in range(n):
                            held_given[c] += lever[c, o] * value
                        for r in range(held_m):
                            held_push[r] += pull[o, r] * value
                    for r in range(held_m):
                        held_z[r] -= held_given[pick[r]]
                    steps = settle(
                        held_table, p, held_matrix, held_push, held_given, held_z, held_x, at, d, held_jacobian,
                        held_force, True, MOST,
                    )  # fmt: skip
                    if steps < 0:
                        return 1
                    for g in range(index.size):
                        e = device[g]
                        shift = 8 * held_table.first[e]
                        gradient[g] += weights[phase] * call_law(
                            held_table.seen[e], u_at + shift, p_at + 8 * held_table.number[e], d_at + shift
                        )
            share = 1.0 / (end - start)
            for g in range(index.size):
                if not abs(gradient[g]) < np.inf:
                    return 2
                value = p[index[g]] - rates[epoch] * share * gradient[g]
                p[index[g]] = min(max(value, low[g]), high[g])
            done[0] += 1
        losses[epoch] /= samples
    return 0
