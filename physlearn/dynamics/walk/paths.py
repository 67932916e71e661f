"""Kernels of compiled trajectories: all moves of a chain, from momenta to the adaptation of its step."""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.potential import energy_and_force
from physlearn.dynamics.walk import step_size as adapt
from physlearn.dynamics.walk.leapfrog import DIVERGED
from physlearn.kernels.jit import kernel
from physlearn.rng import uniform

GAMMA, EARLY, KAPPA = adapt.DualAveraging.gamma, adapt.DualAveraging.early, adapt.DualAveraging.kappa


@kernel
def walk(form, base, push, low, high, a, heat, steps, leaps, vary, jitter, target, search, moves, thin, states, z,
         energy, force, keep, kept, done):  # fmt: skip
    """Make moves of all chains, one chain after the other; ``done`` counts accepted, diverged and failed ones."""
    m, draws = z.shape[1], keep.shape[1]
    y, p, g, v, scratch = np.empty(m), np.empty(m), np.empty(m), np.empty(m), np.empty((4, base.shape[1]))
    skip = moves - draws * thin
    for r in range(z.shape[0]):
        s, wall = states[r], r if low.shape[1] else 0
        for move in range(moves):
            step = np.exp(search[r, 3]) if search.size else steps[r]
            normals(s, np.sqrt(heat[r]), p)
            before = energy[r] + kinetic(p)
            for j in range(m):
                y[j] = z[r, j]
                g[j] = force[r, j]
            jittered = step * (1.0 + jitter * (2.0 * uniform(s) - 1.0))
            length = 1 + int(2 * leaps * uniform(s)) if vary else leaps
            after = path(form, base[r], push[r], low[wall], high[wall], a, jittered, length, scratch, y, p, g, v)
            if after == -np.inf:
                done[r, 2] = 1.0
                for j in range(m):
                    z[r, j] = y[j]
                break
            error = (after + kinetic(p) - before) / heat[r]
            chance = np.exp(-max(error, 0.0)) if np.isfinite(error) else 0.0
            if not (np.isfinite(error) and error < DIVERGED):
                done[r, 1] += 1.0
            if uniform(s) < chance:
                done[r, 0] += 1.0
                energy[r] = after
                for j in range(m):
                    z[r, j] = y[j]
                    force[r, j] = g[j]
            if search.size:
                adapt_step(search[r], chance, target, move + 1.0)
            if move >= skip and (move - skip + 1) % thin == 0:
                k = (move - skip) // thin
                kept[r, k] = energy[r]
                for j in range(m):
                    keep[r, k, j] = z[r, j]


@kernel
def first_leap(form, base, push, low, high, a, heat, steps, xi, z, energy, force, chance):
    """Probability to accept one leap from where the chains are, with standard normal momenta xi."""
    m = z.shape[1]
    y, p, g, v, scratch = np.empty(m), np.empty(m), np.empty(m), np.empty(m), np.empty((4, base.shape[1]))
    for r in range(z.shape[0]):
        wall = r if low.shape[1] else 0
        for j in range(m):
            y[j] = z[r, j]
            g[j] = force[r, j]
            p[j] = np.sqrt(heat[r]) * xi[r, j]
        before = energy[r] + kinetic(p)
        after = path(form, base[r], push[r], low[wall], high[wall], a, steps[r], 1, scratch, y, p, g, v)
        error = (after + kinetic(p) - before) / heat[r]
        chance[r] = np.exp(-max(error, 0.0)) if np.isfinite(error) else 0.0


@kernel
def path(form, base, push, low, high, a, step, leaps, scratch, z, p, g, v):
    """Kick, drift, kick in place; the energy at the end, or the first one that is not finite."""
    energy = 0.0
    for leap in range(leaps):
        pull(a, g, v)
        by = step if leap > 0 else 0.5 * step
        for j in range(p.size):
            p[j] += by * v[j]
        thrust(a, p, v)
        for j in range(p.size):
            z[j] += step * v[j]
        if low.size > 0:
            turn(low, high, z, p)
        energy = energy_and_force(form, base, push, z, scratch, g)
        if not np.isfinite(energy):
            return energy
    pull(a, g, v)
    for j in range(p.size):
        p[j] += 0.5 * step * v[j]
    return energy


@kernel
def thrust(a, p, v):
    """v = A p."""
    if a.shape[0] < p.size or p.size == 1:
        for j in range(p.size):
            v[j] = a[0, j] * p[j]
        return
    for i in range(p.size):
        total = 0.0
        for j in range(i + 1):
            total += a[i, j] * p[j]
        v[i] = total


@kernel
def pull(a, g, v):
    """v = A' g."""
    if a.shape[0] < g.size or g.size == 1:
        for j in range(g.size):
            v[j] = a[0, j] * g[j]
        return
    for j in range(g.size):
        v[j] = 0.0
    for i in range(g.size):
        for j in range(i + 1):
            v[j] += a[i, j] * g[i]


@kernel
def turn(low, high, z, p):
    """Fold z into its walls as `walkers.mirror` does, and turn the momenta round."""
    for j in range(z.size):
        below, above = np.isfinite(low[j]), np.isfinite(high[j])
        if below and above:
            width = high[j] - low[j]
            along = np.mod(z[j] - low[j], 2.0 * width)
            if along > width:
                along = 2.0 * width - along
                p[j] = -p[j]
            z[j] = min(max(low[j] + along, low[j]), high[j])
        elif below and z[j] < low[j]:
            z[j], p[j] = 2.0 * low[j] - z[j], -p[j]
        elif above and z[j] > high[j]:
            z[j], p[j] = 2.0 * high[j] - z[j], -p[j]


@kernel
def normals(s, scale, p):
    """Normal numbers of one stream (polar method, Marsaglia 1964)."""
    k = 0
    while k < p.size:
        x, y = 2.0 * uniform(s) - 1.0, 2.0 * uniform(s) - 1.0
        q = x * x + y * y
        if 0.0 < q < 1.0:
            by = scale * np.sqrt(-2.0 * np.log(q) / q)
            p[k] = x * by
            if k + 1 < p.size:
                p[k + 1] = y * by
            k += 2


@kernel
def kinetic(p):
    """p^2/2."""
    total = 0.0
    for j in range(p.size):
        total += 0.5 * p[j] * p[j]
    return total


@kernel
def adapt_step(search, chance, target, count):
    """One update of `step_size.DualAveraging`."""
    rate = 1.0 / (count + EARLY)
    search[1] = (1.0 - rate) * search[1] + rate * (target - chance)
    search[3] = search[0] - np.sqrt(count) / GAMMA * search[1]
    weight = np.exp(-KAPPA * np.log(count))
    search[2] = weight * search[3] + (1.0 - weight) * search[2]
