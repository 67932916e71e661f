"""Gradient flow engine of `relax`: dz/dt = force(z) until the force vanishes.

    explicit Runge-Kutta 3(2) with its own step size per item (Bogacki and Shampine 1989)

The physical relaxation of an overdamped system: the basin it ends in is the basin of its start.  The only engine that
needs nothing but a force: Systems (any fixed point that attracts), complex states
(holomorphic nudges), layers with an activation (dx/dt = field - x, along which the energy falls).
Variables stop at their bounds.  Being explicit it needs about as many steps as the ratio of the
largest to the smallest curvature.  A start at an unstable rest stays there: its force is zero.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.problem import RUNAWAY

# Local error allowed in a step, as a fraction of the step: small enough to stay in the start's basin.
ACCURACY = 0.05


def refusal(problem):
    """Why this engine does not apply, or None."""
    return problem.unfit(lowers_energy=False)


def solve(problem, tol, max_steps):
    """Follow the force; items at rest are set aside, so that none waits for or disturbs another."""
    z, rest, limit = problem.initial(), np.zeros(problem.batch), tol
    live, part, y, bounds = np.arange(problem.batch), problem, z, problem.bounds
    with np.errstate(over="ignore", invalid="ignore"):  # an item that runs away is rejected, not noisy
        k = part.force(y)
        left = part.residual(y, k, bounds)
        h = 0.1 * (part.length(y) + _norm(y)) / np.maximum(_norm(k), np.finfo(float).tiny)
        going, steps = left > tol, 0  # tol is one per item
        while steps < max_steps and going.any():
            if 2 * np.count_nonzero(going) <= len(going):
                z[live], rest[live] = y, left
                keep = np.flatnonzero(going)
                part, live, tol = part.rows(keep), live[keep], tol[keep]
                y, k, h, left, going = y[keep], k[keep], h[keep], left[keep], going[keep]
                bounds = bounds[0][keep], bounds[1][keep]
            steps += 1
            problem.bar.update()
            new, k_new, error = _step(part.force, y, k, h[:, None], bounds)
            good = going & (error <= ACCURACY)
            y, k = np.where(good[:, None], new, y), np.where(good[:, None], k_new, k)
            left = part.residual(y, k, bounds)
            h = h * np.clip(0.9 * np.sqrt(ACCURACY / np.maximum(error, 1e-12)), 0.2, 5.0)
            going = (left > tol) & (h > np.finfo(float).tiny) & (_norm(y) < RUNAWAY)
    z[live], rest[live] = y, left
    return z, rest, steps, np.all(rest <= limit), "gradient flow (Bogacki-Shampine)"


def _step(force, y, k1, h, bounds):
    """One step, the force at its end, and its error relative to its length (inf where not finite)."""
    k2 = force(_clip(y + 0.5 * h * k1, bounds))
    k3 = force(_clip(y + 0.75 * h * k2, bounds))
    new = _clip(y + h * (2 * k1 + 3 * k2 + 4 * k3) / 9, bounds)
    k4 = force(new)
    # Clipping both orders, not the force, keeps a variable that reaches its bound out of the error.
    coarse = _clip(y + h * (7 * k1 + 6 * k2 + 8 * k3 + 3 * k4) / 24, bounds)
    error = _norm(new - coarse) / np.maximum(_norm(new - y), np.finfo(float).tiny)
    return new, k4, np.where(np.isfinite(error) & np.isfinite(_norm(k4)), error, np.inf)


def _clip(z, bounds):
    return z if np.iscomplexobj(z) else np.clip(z, *bounds)


def _norm(a):
    return np.max(np.abs(a), 1, initial=0.0)
