"""FIRE engine of `relax`: downhill with inertia, braked whenever it runs uphill.

    v' = force, v turned towards the force while force.v > 0; otherwise v = 0 and half the time step

FIRE 2.0 with semi-implicit Euler (Bitzek et al. 2006; Guenole et al. 2020, algorithm 2), one clock per
item.  Time is measured in units of the fastest oscillation, estimated at the start, so that the
published constants fit energies of any scale.  Steps grow with the square root of the condition number.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.problem import RUNAWAY

GROW, SHRINK, MIXING, FADE, PATIENCE = 1.1, 0.5, 0.25, 0.99, 20
# Time steps in units of 1/sqrt(largest curvature); the scheme is stable below 2.
FIRST, LARGEST = 0.1, 0.6


def refusal(problem):
    """Why this engine does not apply, or None."""
    return problem.unfit(lowers_energy=True)


def solve(problem, tol, max_steps):
    """Run all items at once; those at rest are frozen."""
    z, bounds = problem.initial(), problem.bounds
    low, high = bounds
    with np.errstate(over="ignore", invalid="ignore"):
        force = problem.force(z)
        rest = problem.residual(z, force, bounds)
        unit = 1.0 / np.sqrt(problem.stiffness(z, force))
        dt, alpha, ran = FIRST * unit, np.full(problem.batch, MIXING), np.zeros(problem.batch)
        v, steps = np.zeros_like(z), 0
        while steps < max_steps and np.any(rest > tol):
            steps += 1
            problem.bar.update()
            going = (rest > tol) & (np.max(np.abs(z), 1, initial=0.0) < RUNAWAY)
            if not going.any():
                break
            f = np.where(((z <= low) & (force < 0)) | ((z >= high) & (force > 0)), 0.0, force)
            down = np.sum(f * v, 1) > 0
            ran = np.where(down, ran + 1, 0)
            fast = down & (ran > PATIENCE)
            dt = np.where(fast, np.minimum(dt * GROW, LARGEST * unit), dt)
            alpha = np.where(fast, alpha * FADE, np.where(down, alpha, MIXING))
            uphill = ~down & (steps > 1)
            dt = np.where(uphill, dt * SHRINK, dt)
            back = np.where(uphill, 0.5 * dt, 0.0)[:, None] * v
            v = np.where(down[:, None], v, 0.0) + dt[:, None] * f
            length = np.linalg.norm(f, axis=1)
            turn = alpha * np.linalg.norm(v, axis=1) / np.where(length > 0, length, 1.0)
            v = (1.0 - alpha)[:, None] * v + turn[:, None] * f
            moved = z - back + dt[:, None] * v
            new = np.where(going[:, None], np.clip(moved, low, high), z)
            v = np.where(moved == new, v, 0.0)
            z, force = new, problem.force(new)
            rest = problem.residual(z, force, bounds)
    rest = np.where(np.isfinite(rest), rest, np.inf)
    return z, rest, steps, np.all(rest <= tol), "FIRE 2.0"
