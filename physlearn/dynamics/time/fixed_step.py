"""Fixed steps of `integrate`: every item of the batch at once.

    euler            z' = z + h f(z)
    rk4              the classical scheme of order 4 (Kutta 1901)
    euler_maruyama   z' = z + h f(z) + sqrt(2 T h/tau) xi
    heun             predictor as euler_maruyama, then z' = z + h (f(z) + f(predicted))/2 + the same noise

with f = force/tau.  The noise is additive, so that both noisy schemes are of strong order 1 (Kloeden and Platen
1992, section 10.3).  Terms see blocks (`physlearn.dynamics.blocks`): an item's bits do not depend on the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.blocks import blocks_of, rows_of_products
from physlearn.dynamics.problem import RUNAWAY
from physlearn.kernels.jit import kernel
from physlearn.rng import Chains

NOISY = ("euler_maruyama", "heun")
METHODS = ("euler", "rk4", *NOISY)
# c_i, and the one entry of each row of a_ij, of the classical scheme
_NODES = (0.0, 0.5, 0.5, 1.0)
_WEIGHTS = (1 / 6, 1 / 3, 1 / 3, 1 / 6)


def follow(problem, mass, drive, start, dt, keep, method, temperature, noise, bar):
    """Free variables after the steps ``keep``, (k, batch, m); steps taken, why it stopped early, the method.

    A block goes through all steps before the next one starts, while its numbers are in the cache; where clamps move in
    time, all blocks take a step together, so that what is given is worked out once a time.
    """
    blocks = blocks_of(problem, rows_of_products(problem.frame.m))
    stepper = Stepper(problem, mass, drive, dt, method, temperature, noise)
    fronts = [Front(block, stepper) for block in blocks]
    last, lost, reason = int(keep[-1]), None, ""
    with np.errstate(over="ignore", invalid="ignore"):
        for together in [[front] for front in fronts] if drive is None else [fronts]:
            done = 0
            for target in keep:
                while done < min(target, last):
                    for front in together:
                        front.step(start + done * dt)
                    done += 1
                    bar.update(sum(front.block.real for front in together))
                    gone = next((pair for front in together if (pair := front.lost()) is not None), None)
                    if gone is not None and (lost is None or done < last):  # the first to go, of these the lowest
                        last, (lost, reason) = done, gone
                for front in together:
                    front.keep()
    # kept before the step in which an item left
    kept = len(keep) if lost is None else int(np.searchsorted(keep, last))
    why = None if lost is None else f"item {lost} {reason} at t = {start + last * dt:g} s, step {last}"
    shape = (kept, problem.batch, problem.frame.m)
    z = np.concatenate([np.array(front.kept[:kept]) for front in fronts], 1) if kept else np.zeros(shape)
    return z, last, why, method


class Stepper:
    """One step of a block's free variables, by one of `METHODS`."""

    def __init__(self, problem, mass, drive, dt, method, temperature, noise):
        self.mass, self.drive, self.dt, self.method, self.noise = mass, drive, dt, method, noise
        self.bounds, self.unit = problem.bounds, bool(np.all(mass == 1.0))
        self.walled = bool(np.any(np.isfinite(self.bounds)))
        self.start, self.kick = problem.initial(), np.sqrt(2.0 * temperature * dt / mass)
        if problem.scale is not None:
            self.kick = self.kick / problem.scale
        self.given: dict[float, Any] = {}

    def slope(self, front, z, t):
        """dz/dt at time t."""
        if self.drive is not None:
            if t not in self.given:
                self.given = {t: self.drive(t)} | ({} if len(self.given) > 4 else self.given)  # of this step's stages
            u, force = self.given[t]
            front.block.part.give(u[front.block.items], force[front.block.items])
        force = front.block.force(z)
        return np.ascontiguousarray(force) if self.unit else force / self.mass

    def inside(self, front, z):
        """The nearest states within bounds."""
        return np.clip(z, front.low, front.high) if self.walled else z

    def __call__(self, front, t):
        """z after a step from time t."""
        z, dt = front.z, self.dt
        if self.method == "euler":
            return self.inside(front, z + dt * self.slope(front, z, t))
        if self.method == "rk4":
            total, k = 0.0, 0.0
            for node, weight in zip(_NODES, _WEIGHTS, strict=True):
                k = self.slope(front, self.inside(front, z + dt * node * k), t + node * dt)
                total = total + weight * k
            return self.inside(front, z + dt * total)
        xi = front.rng.standard_normal(z.shape)
        first = self.slope(front, z, t)
        moved = self.inside(front, kicked(z, dt, first, self.kick, xi, front.spare))
        if self.method == "euler_maruyama":
            return moved
        both = first + self.slope(front, moved, t + dt)
        return self.inside(front, kicked(z, 0.5 * dt, both, self.kick, xi, moved))


@kernel
def kicked(z, dt, slope, kick, xi, out):
    """z + dt * slope + kick * xi, written to out."""
    for r in range(z.shape[0]):
        for j in range(z.shape[1]):
            out[r, j] = z[r, j] + dt * slope[r, j] + kick[j] * xi[r, j]
    return out


@kernel
def within(z, limit):
    """Whether all numbers are nearer to zero than a limit; NaN is not."""
    beyond = 0
    for r in range(z.shape[0]):
        for j in range(z.shape[1]):
            beyond += not abs(z[r, j]) < limit
    return beyond == 0


class Front:
    """A block under way: where its rows are, and where they were."""

    def __init__(self, block, stepper):
        self.block, self.stepper, self.kept = block, stepper, []
        self.low, self.high = (bound[block.items] for bound in stepper.bounds)
        self.z = stepper.start[block.items]
        self.spare = np.empty_like(
            self.z
        )  # where the next step may be written: new memory would cost more than the step
        self.rng: Any = None if stepper.noise is None else Chains(np.ascontiguousarray(stepper.noise[block.items]))

    def step(self, t):
        """Go on by dt."""
        after = self.stepper(self, t)
        self.z, self.spare = after, self.z

    def keep(self):
        """Note where the items are."""
        self.kept.append(self.z[: self.block.real].copy())

    def lost(self):
        """The first item that has lost its numbers, or its field, and how; or None."""
        z, part = self.z[: self.block.real], self.block.part
        if not part.limited and z.dtype == np.float64 and within(z, RUNAWAY):
            return None
        gone = np.flatnonzero(~np.all(np.abs(z) < RUNAWAY, 1))
        if gone.size:
            return self.block.where.start + int(gone[0]), "left the finite numbers"
        if part.limited:
            margin, sentence = part.margin(part.state(self.z))
            if (out := np.flatnonzero(~(margin[: self.block.real] > 0))).size:
                return self.block.where.start + int(out[0]), f"reached the end of its field ({sentence})"
        return None
