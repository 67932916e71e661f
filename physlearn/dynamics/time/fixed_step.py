"""Fixed steps of `integrate`: every item of the batch at once.

    euler            z' = z + h f(z)
    rk4              the classical scheme of order 4 (Kutta 1901)
    euler_maruyama   z' = z + h f(z) + sqrt(2 T h/tau) xi
    heun             predictor as euler_maruyama, then z' = z + h (f(z) + f(predicted))/2 + the same noise

with f = force/tau.  The noise is additive, so that both noisy schemes are of strong order 1 (Kloeden and Platen
1992, section 10.3).  Terms see fixed-size padded blocks, so that an item's bits do not depend on the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.problem import RUNAWAY
from physlearn.dynamics.walk.walkers import BLOCK, padded
from physlearn.rng import Chains

NOISY = ("euler_maruyama", "heun")
METHODS = ("euler", "rk4", *NOISY)
# c_i, and the one entry of each row of a_ij, of the classical scheme
_NODES = (0.0, 0.5, 0.5, 1.0)
_WEIGHTS = (1 / 6, 1 / 3, 1 / 3, 1 / 6)


def follow(problem, mass, drive, start, dt, keep, method, temperature, noise, bar):
    """Free variables after the steps ``keep``, (k, batch, m); steps taken, why it stopped early, the method."""
    rows = padded(problem.batch)
    blocks = [(slice(k, k + BLOCK), problem.rows(rows[k : k + BLOCK])) for k in range(0, len(rows), BLOCK)]
    low, high = (bound[rows] for bound in problem.bounds)
    walled = bool(np.any(np.isfinite(low)) or np.any(np.isfinite(high)))
    rng: Any = None if noise is None else Chains(np.ascontiguousarray(noise[rows]))
    kick = np.sqrt(2.0 * temperature * dt / mass) / (1.0 if problem.scale is None else problem.scale)

    def slope(z, t):
        """dz/dt at time t."""
        if drive is not None:
            u, force = drive(t)
            for where, block in blocks:
                block.give(u[rows[where]], force[rows[where]])
        return np.concatenate([block.force(z[where]) for where, block in blocks]) / mass

    def inside(z):
        return np.clip(z, low, high) if walled else z

    def step(z, t):
        if method == "euler":
            return inside(z + dt * slope(z, t))
        if method == "rk4":
            total, k = 0.0, 0.0
            for node, weight in zip(_NODES, _WEIGHTS, strict=True):
                k = slope(inside(z + dt * node * k), t + node * dt)
                total = total + weight * k
            return inside(z + dt * total)
        push = kick * rng.standard_normal(z.shape)
        first = slope(z, t)
        moved = inside(z + dt * first + push)
        return moved if method == "euler_maruyama" else inside(z + 0.5 * dt * (first + slope(moved, t + dt)) + push)

    z, kept, done = problem.initial()[rows], [], 0
    with np.errstate(over="ignore", invalid="ignore"):
        for target in keep:
            while done < target:
                z = step(z, start + done * dt)
                done += 1
                bar.update()
                lost = np.flatnonzero(~np.all(np.abs(z[: problem.batch]) < RUNAWAY, 1))
                if lost.size:
                    why = f"item {lost[0]} left the finite numbers at t = {start + done * dt:g} s, step {done}"
                    return np.array(kept).reshape(-1, *z[: problem.batch].shape), done, why, method
                if sentence := problem.beyond(z[: problem.batch]):
                    why = f"{sentence}, reached by t = {start + done * dt:g} s, step {done}"
                    return np.array(kept).reshape(-1, *z[: problem.batch].shape), done, why, method
            kept.append(z[: problem.batch].copy())
    return np.array(kept), done, None, method
