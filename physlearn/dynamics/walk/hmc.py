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
from physlearn.dynamics.walk.leapfrog import judge, leapfrog, metropolis, throw
from physlearn.dynamics.walk.metric import Stretch, reach_of, stretch_of, windows
from physlearn.dynamics.walk.walkers import BLOCK, Walkers, positive, refusal

__all__ = ["Sampler", "leapfrog", "refusal"]

LEAPS, MOST = 10, 50  # of a path where nothing is known, and the most that a warm-up chooses
ALONE = 0.02  # share of a chain's moves that diverge, from which on it fails


class Sampler(Walkers):
    """Chains under Hamiltonian Monte Carlo.

    Parameters
    ----------
    problem, state, streams
        See `sample`.
    step : float or (chains,) array, optional
        Leapfrog step; default adapted to ``target`` by `warm`, for each chain, then kept.
    leaps : int, optional
        Leapfrog steps to a move, on average; default 10, with a metric such that a path is a quarter of the period of
        the slowest combination of the warm-up's draws.
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

    def __init__(self, problem, state, streams, *, step=None, leaps=None, target=None, jitter=0.2, metric=None):
        choice("metric", metric, (None, "diagonal", "dense"))
        usual = self.optimum if metric is None else adapt.METRIC
        self.target = usual if target is None else target
        if not 0 < number("target", self.target, 0, 1) < 1:
            raise ValueError(f"target: got {target!r}, expected an acceptance between 0 and 1")
        if leaps is not None:
            count("leaps", leaps)
        if not number("jitter", jitter, 0, 1) < 1:
            raise ValueError(f"jitter: got {jitter!r}, expected a number in [0, 1)")
        rows = BLOCK if metric is None else min(padded(problem.batch, BLOCK).size, rows_of_products(problem.frame.m))
        super().__init__(problem, state, streams, rows)
        if metric == "dense" and self.walls is not None:
            raise ValueError("metric: 'dense' mixes variables, some of which have walls; take 'diagonal'")
        self.leaps, self.jitter, self.metric = leaps or LEAPS, jitter, metric
        self.chosen, self.reach = leaps is not None, 0.0
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
                self.reach = reach_of(draws, self.stretch, temperature) or self.reach
            self._adapt(last, heat)

    def _path(self, steps):
        """Take as many leaps as the slowest combination asks for at these steps, once it is known."""
        if not self.chosen and self.reach:
            self.leaps = int(np.clip(np.rint(self.reach / np.median(steps)), 1, MOST))

    def _adapt(self, moves, heat):
        """Make moves that adapt the steps; where the chains were in the second half of them, (draws, chains, m)."""
        if moves == 0:
            return np.zeros((0, self.chains, self.z.shape[1]))
        self.step = self._guess(heat)
        self._path(self.step)
        search, draws = adapt.DualAveraging(self.step[self.rows], self.target), []
        for move in range(moves):
            search.update(self._move(search.step, heat)[0])
            if self.metric is not None and 2 * move >= moves:
                draws.append(self.z[: self.chains].copy())
        self.step = search.settled[: self.chains]
        self._path(self.step)
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
