"""Hamiltonian Monte Carlo engine of `sample` ("hmc"): unbiased at any step.

Momenta of variance T (unit masses) are drawn, Hamilton's equations followed for some leapfrog steps
(kick, drift, kick), and the end accepted with probability min(1, exp(-dH/T)), H = E + p^2/2 (Duane,
Kennedy, Pendleton, Roweth 1987; Neal 2011).  Time is in units of x over the root of energy, so a step does
not depend on the temperature where E is quadratic; leapfrog is stable up to step * omega < 2.  The step varies at
random by ``jitter`` from move to move; otherwise a trajectory one period long would never mix.

A move that ends where the energy is not finite is rejected.  With one leapfrog step this is MALA.  A ``metric`` from
the warm-up makes variables of unlike scales as easy as unit ones (`physlearn.dynamics.walk.metric`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import choice, count, number
from physlearn.dynamics.blocks import padded, rows_of_products
from physlearn.dynamics.walk import step_size as adapt
from physlearn.dynamics.walk.metric import Stretch, stretch_of, windows
from physlearn.dynamics.walk.walkers import BLOCK, Walkers, mirror, positive, refusal
from physlearn.kernels.jit import kernel

__all__ = ["Sampler", "leapfrog", "refusal"]

ALONE = 0.02  # share of a chain's moves that diverge, from which on it fails
DIVERGED = 1000.0  # an error of H by that many T is not one of accuracy but of stability (Stan's threshold)


class Sampler(Walkers):
    """Chains under Hamiltonian Monte Carlo.

    Parameters
    ----------
    problem, state, streams
        See `sample`.
    step : float or (chains,) array, optional
        Leapfrog step; default adapted to ``target`` by `warm`, for each chain, then kept.
    leaps : int
        Leapfrog steps to a move.
    target : float
        Acceptance to adapt to, in (0, 1).
    jitter : float
        Steps are multiplied by a uniform number in 1 +- jitter, in [0, 1).
    metric : {None, "diagonal", "dense"}
        Masses from the draws of all chains during the warm-up, which must then be some 100 moves (160 for 64 chains and
        more, 1,000 for four); moves are then of 1 to 2 * ``leaps`` steps, at random.  A chain's numbers depend on the
        other chains then.  "dense" takes correlations too.

    Attributes
    ----------
    diverged : (chains,) array
        Moves of `run` that were rejected because H changed by more than 1000 T or was not finite.
    """

    name, optimum = "HMC", adapt.HMC  # with a metric: METRIC

    def __init__(self, problem, state, streams, *, step=None, leaps=10, target=None, jitter=0.2, metric=None):
        choice("metric", metric, (None, "diagonal", "dense"))
        usual = self.optimum if metric is None else adapt.METRIC
        self.target = usual if target is None else target
        if not 0 < number("target", self.target, 0, 1) < 1:
            raise ValueError(f"target: got {target!r}, expected an acceptance between 0 and 1")
        count("leaps", leaps)
        if not number("jitter", jitter, 0, 1) < 1:
            raise ValueError(f"jitter: got {jitter!r}, expected a number in [0, 1)")
        rows = BLOCK if metric is None else min(padded(problem.batch, BLOCK).size, rows_of_products(problem.frame.m))
        super().__init__(problem, state, streams, rows)
        if metric == "dense" and self.walls is not None:
            raise ValueError("metric: 'dense' mixes variables, some of which have walls; take 'diagonal'")
        self.leaps, self.jitter, self.metric = leaps, jitter, metric
        self.stretch: Stretch | None = None
        self.paths = None if metric is None else np.random.default_rng(np.asarray(streams[0]))
        self.given = step is not None
        self.step: Any = None if step is None else positive("step", step, self.chains)
        self.proposed, self.accepted, self.diverged = (np.zeros(self.chains) for _ in range(3))

    @property
    def method(self):
        """Name, the median step where known, and the number of divergent moves."""
        if self.step is None:
            return self.name
        lost = self.diverged.sum()
        note = f", {lost:.0f} of {self.proposed.sum():.0f} moves diverged" if lost else ""
        metric = "" if self.metric is None else f", {self.metric} metric"
        return f"{self.name} (step {np.median(self.length):.3g}{metric}{note})"

    @property
    def length(self):
        """The step as users give it, (chains,)."""
        return self.step

    def warm(self, sweeps, temperature):
        """Make ``sweeps`` moves while adapting the steps to the target; then they are kept."""
        if self.given or sweeps == 0:
            self.run(sweeps, temperature)
            self.proposed, self.accepted, self.diverged = (np.zeros(self.chains) for _ in range(3))
            return
        heat = temperature[self.rows]
        with np.errstate(all="ignore"):
            if self.metric is None:
                self._adapt(sweeps, heat)
                return
            *growing, last = windows(sweeps)
            for moves in growing:
                draws = self._adapt(moves, heat)
                self.stretch = stretch_of(draws, self.metric, temperature) or self.stretch
            self._adapt(last, heat)

    def _adapt(self, moves, heat):
        """Make moves that adapt the steps; where the chains were in the second half of them, (draws, chains, m)."""
        if moves == 0:
            return np.zeros((0, self.chains, self.z.shape[1]))
        self.step = self._guess(heat)
        search, draws = adapt.DualAveraging(self.step[self.rows], self.target), []
        for move in range(moves):
            search.update(self._move(search.step, heat)[0])
            if self.metric is not None and 2 * move >= moves:
                draws.append(self.z[: self.chains].copy())
        self.step = search.settled[: self.chains]
        return np.array(draws)

    def run(self, sweeps, temperature):
        """Make ``sweeps`` moves at temperatures (chains,)."""
        if sweeps == 0:
            return
        heat = temperature[self.rows]
        with np.errstate(all="ignore"):
            if self.step is None:
                self.step = self._guess(heat)
            step = self.step[self.rows]
            for _ in range(sweeps):
                _, accept, diverged = self._move(step, heat)
                self.accepted = self.accepted + accept[: self.chains]
                self.diverged = self.diverged + diverged[: self.chains]
        self.proposed = self.proposed + sweeps

    def trouble(self):
        """Warning about the moves of `run`, or None."""
        moves = float(self.proposed.max())
        stuck = np.flatnonzero((self.accepted == 0) & (self.proposed >= 20))
        if stuck.size:
            return (
                f"{stuck.size} of {self.chains} chains accepted none of {moves:.0f} moves under {self.method}, chain "
                f"{stuck[0]} among them: its step is too long (leapfrog is unstable beyond 2/omega). Lower step, or "
                "leave it out and raise warmup"
            )
        failing, worst = self.diverged >= np.maximum(ALONE * self.proposed, 2), int(np.argmax(self.diverged))
        if 0 < 4 * failing.sum() <= self.chains:
            return (
                f"chain {worst} fails alone: {self.diverged[worst]:.0f} of its {moves:.0f} moves diverged under "
                f"{self.method}; {failing.sum()} of {self.chains} chains fail, the others may miss what it found. "
                "Lower step, raise target, or look at its draws"
            )
        if self.diverged.sum() > 0.5 * moves * self.chains:
            return (
                f"more than half of all moves went nowhere under {self.method}: their step is too long, or most "
                "lead out of where the energy is finite. Lower step, raise target, or make the layer Real(low, high)"
            )
        return None

    def _guess(self, heat):
        """First steps, (chains,), estimated at the chains' states."""
        xi, u = self.rng.standard_normal(self.z.shape), np.full((len(heat), 2), 0.5)
        step = adapt.first_step(lambda step: self._proposal(xi.copy(), u, step, heat, 1)[0], len(heat))
        return step[: self.chains]

    def _move(self, step, heat):
        """Probability of each chain's move, whether it was made and whether it diverged, (rows,) each."""
        p, u = self.rng.standard_normal(self.z.shape), self.rng.random((len(heat), 2))
        leaps = self.leaps if self.paths is None else 1 + int(self.paths.integers(2 * self.leaps))
        chance, diverged, z, force, energy = self._proposal(p, u, step, heat, leaps)
        accept = np.empty(len(heat), np.bool_)
        metropolis(chance, u, self.z, self.force, self.energy, z, force, energy, accept)
        return chance, accept, diverged

    def _proposal(self, p, u, step, heat, leaps):
        """Probability to accept a trajectory, whether it diverged, and its end: z, force and energy."""
        step, before = step.copy(), np.empty(len(heat))
        throw(p, u, heat, self.energy, self.jitter, step, before)
        z, p, force = leapfrog(self.force_at, self.z, p, step, leaps, self.force, self.walls, self.stretch)
        energy = self.energy_at(z)
        chance, diverged = np.empty(len(heat)), np.empty(len(heat), np.bool_)
        judge(p, energy, heat, before, chance, diverged)
        return chance, diverged, z, force, energy


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
