"""Whole epochs of imperfect small circuits in one kernel: `circuits.nodal.training` with its parts.

The clamped twin's numbers are theta (1 + spread); it is held at the free twin's outputs, moved towards the targets,
with the bias.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from circuits.hardware.noise import fill
from circuits.hardware.update import update, warn_of_nothing
from circuits.nodal.small import numbers_of, settle
from circuits.nodal.training import MOST, TROUBLE, learning_of, phases_of, plans_of
from physlearn.kernels.jit import kernel
from physlearn.kernels.laws import call_law
from physlearn.learning.optimizers import SGD


def engine(system, task, hardware):
    """``run(system, memory, orders, rates)``, or why this way does not fit."""
    if not hasattr(type(system), "__epochs__"):
        return "the machine is no circuit"
    if task.names != [hardware.parameter]:
        return f"it trains {hardware.parameter!r} alone, asked for {task.names}"
    if type(task.optimizer) is not SGD or task.optimizer.momentum or task.optimizer.decay_of(hardware.parameter):
        return "it takes SGD without momentum and decay only"
    found = plans_of(system, task)
    return found if isinstance(found, str) else partial(_runner, system, task, hardware, *found)


def _runner(system, task, hardware, free, clamped):
    sets, base, target, rule, fresh = phases_of(system, task, free, clamped)
    name = hardware.parameter
    place = [(name, *free.small[1][name])]
    bias = np.array(np.broadcast_to(hardware.clamp_bias, target.shape[1]), float)
    wrong = (hardware.spread, hardware.measurement_noise, hardware.offset, bias)

    def run(system, memory, orders, rates):
        p, own, before = numbers_of(system), memory["hardware"], memory["steps"]
        index, device, low, high = learning_of(system, task, free.small[0], place)
        losses, done = np.zeros(len(rates)), np.array([before])
        z = own["rest"] if own["rest"].shape == fresh[0].shape else np.full(fresh[0].shape, np.nan)
        begun = ~np.isnan(z).any(1)
        z[~begun] = 0.0
        status = train(
            *sets, *base, target, *rule, p, p.copy(), index, device, low, high, np.concatenate(orders),
            np.array(rates, float), task.size, z, begun, losses, done, *wrong, hardware.parts, own["stream"],
            own["made"],
        )  # fmt: skip
        memory["steps"] = int(done[0])
        z[~begun] = np.nan
        own["rest"] = z
        if before < int(own["epoch"]) <= memory["steps"]:
            warn_of_nothing(hardware, own["made"])
        whole = (int(done[0]) - before) // int(own["epoch"])
        return dict(system.theta) | {name: p[index]}, losses[: whole if status else None], TROUBLE.get(status)

    return run


@kernel
def train(
    table, held_table, matrix, held_matrix, constant, held_constant, base, held_base, target,
    strengths, weights, alone, rows, lever, pull, pick, p, held_p, index, device, low, high,
    order, rates, size, z, begun, losses, done, spread, noise, offset, bias, parts, stream, made,
):  # fmt: skip
    """Train for ``len(rates)`` epochs as `circuits.nodal.training.run_epochs` does; a status of its `TROUBLE`."""
    m, n, samples, k, held_m, count = z.shape[1], base.shape[1], len(target), target.shape[1], pick.size, index.size
    drops = table.plus.size
    x, at, d = np.empty(n), np.empty(drops), np.empty(drops)
    jacobian, force, here = np.empty((m, m)), np.empty(m), np.empty(m)
    held_jacobian, held_force, held_z = np.empty((held_m, held_m)), np.empty(held_m), np.empty(held_m)
    held_x, held_given, held_push = np.empty(n), np.empty(n), np.empty(held_m)
    y, gradient, theta, asked = np.empty(k), np.empty(count), np.empty(count), np.empty(count)
    errors = np.empty((strengths.size + 1) * count)
    p_at, u_at, d_at = p.ctypes.data, at.ctypes.data, d.ctypes.data
    for epoch in range(rates.size):
        losses[epoch] = 0.0
        for start in range(0, samples, size):
            end = min(start + size, samples)
            for g in range(count):
                gradient[g] = 0.0
                held_p[index[g]] = p[index[g]] * (1.0 + spread[g])
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
                if noise > 0.0:
                    fill(stream[0], errors)
                if alone != 0.0:
                    for g in range(count):
                        e = device[g]
                        first = table.first[e]
                        if noise > 0.0:
                            at[first] += noise * errors[g]
                        gradient[g] += alone * call_law(
                            table.seen[e], u_at + 8 * first, p_at + 8 * table.number[e], d_at + 8 * first
                        )
                for phase in range(strengths.size):
                    for c in range(n):
                        held_given[c] = held_base[s, c]
                    for r in range(held_m):
                        held_push[r], held_z[r] = held_constant[s, r], x[pick[r]]
                    for o in range(k):
                        value = y[o] - strengths[phase] * (y[o] - target[s, o]) + bias[o]
                        for c in range(n):
                            held_given[c] += lever[c, o] * value
                        for r in range(held_m):
                            held_push[r] += pull[o, r] * value
                    for r in range(held_m):
                        held_z[r] -= held_given[pick[r]]
                    steps = settle(
                        held_table, held_p, held_matrix, held_push, held_given, held_z, held_x, at, d, held_jacobian,
                        held_force, True, MOST,
                    )  # fmt: skip
                    if steps < 0:
                        return 1
                    for g in range(count):
                        e = device[g]
                        first = held_table.first[e]
                        at[first] += offset[g]
                        if noise > 0.0:
                            at[first] += noise * errors[(phase + 1) * count + g]
                        gradient[g] += weights[phase] * call_law(
                            held_table.seen[e], u_at + 8 * first, p_at + 8 * held_table.number[e], d_at + 8 * first
                        )
            share = 1.0 / (end - start)
            for g in range(count):
                if not abs(gradient[g]) < np.inf:
                    return 2
                theta[g] = p[index[g]]
                asked[g] = min(max(theta[g] - rates[epoch] * share * gradient[g], low[g]), high[g]) - theta[g]
            update(theta, asked, parts, done[0], stream, made)
            for g in range(count):
                p[index[g]] = theta[g]
            done[0] += 1
        losses[epoch] /= samples
    return 0
