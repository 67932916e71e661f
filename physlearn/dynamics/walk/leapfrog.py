"""Leapfrog trajectories of many rows at once, and what is decided at their ends; for forces in NumPy."""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.walk.walkers import mirror
from physlearn.kernels.jit import kernel

DIVERGED = 1000.0  # an error of H by that many T is not one of accuracy but of stability (Stan's threshold)


def leapfrog(force_at, z, p, step, leaps, force=None, walls=None, stretch=None):
    """Follow Hamilton's equations with unit masses: kick, drift, kick.

    Of second order in the step, reversible, keeps volumes; on E = omega^2 z^2/2 it keeps
    p^2 + omega^2 z^2 (1 - step^2 omega^2/4) exactly.

    Parameters
    ----------
    force_at : callable
        z to the force -dE/dz.
    z, p : (rows, m) arrays
        Not changed.
    step : (rows,) array
    leaps : int
    force : array, optional
        ``force_at(z)``, if known.
    walls : (low, high) arrays shaped like z, optional
        Where to turn round.
    stretch : Stretch, optional
        The metric; p then are momenta of the stretched variables.

    Returns
    -------
    z, p, force

    Examples
    --------
    >>> import numpy as np
    >>> z, p, _ = leapfrog(lambda z: -z, np.array([[1.0]]), np.array([[0.0]]), np.array([0.5]), 1)
    >>> float(z[0, 0]), float(p[0, 0])
    (0.875, -0.46875)
    """
    force = force_at(z) if force is None else force
    z, p = z.copy(), p.copy()
    for leap in range(leaps):
        if stretch is None:
            advance(z, p, force, step, 1.0 if leap else 0.5)
        elif stretch.a.ndim == 1:
            advance_stretched(z, p, force, stretch.a, step, 1.0 if leap else 0.5)
        else:
            kick(p, stretch.pull(force), step, 1.0 if leap else 0.5)
            kick(z, stretch.push(p), step, 1.0)
        if walls is not None:
            z, sign = mirror(z, *walls)
            p *= sign
        force = force_at(z)
    kick(p, force if stretch is None else stretch.pull(force), step, 0.5)
    return z, p, force


@kernel
def advance(z, p, force, step, factor):
    """p += factor * step * force, then z += step * p."""
    for r in range(p.shape[0]):
        by = factor * step[r]
        for j in range(p.shape[1]):
            p[r, j] += by * force[r, j]
            z[r, j] += step[r] * p[r, j]


@kernel
def advance_stretched(z, p, force, a, step, factor):
    """p += factor * step * a force, then z += step * a p."""
    for r in range(p.shape[0]):
        by = factor * step[r]
        for j in range(p.shape[1]):
            p[r, j] += by * (a[j] * force[r, j])
            z[r, j] += step[r] * (a[j] * p[r, j])


@kernel
def kick(p, force, step, factor):
    """p += factor * step * force."""
    for r in range(p.shape[0]):
        by = factor * step[r]
        for j in range(p.shape[1]):
            p[r, j] += by * force[r, j]


@kernel
def throw(p, u, heat, energy, jitter, step, before):
    """Scale standard normal p to the temperatures, jitter the steps, note H."""
    for r in range(p.shape[0]):
        scale, kinetic = np.sqrt(heat[r]), 0.0
        for j in range(p.shape[1]):
            p[r, j] *= scale
            kinetic += 0.5 * p[r, j] * p[r, j]
        before[r] = energy[r] + kinetic
        step[r] *= 1.0 + jitter * (2.0 * u[r, 1] - 1.0)


@kernel
def judge(p, energy, heat, before, chance, diverged):
    """min(1, exp(-dH/T)), 0 where dH is not finite: p is finite only if every force on the way was."""
    for r in range(p.shape[0]):
        kinetic = 0.0
        for j in range(p.shape[1]):
            kinetic += 0.5 * p[r, j] * p[r, j]
        error = (energy[r] + kinetic - before[r]) / heat[r]
        diverged[r] = not (np.isfinite(error) and error < DIVERGED)
        chance[r] = np.exp(-max(error, 0.0)) if np.isfinite(error) else 0.0


@kernel
def metropolis(chance, u, z, force, energy, new_z, new_force, new_energy, accept):
    """Move the chains that accept, in place."""
    for r in range(z.shape[0]):
        accept[r] = u[r, 0] < chance[r]
        if accept[r]:
            energy[r] = new_energy[r]
            for j in range(z.shape[1]):
                z[r, j] = new_z[r, j]
                force[r, j] = new_force[r, j]
