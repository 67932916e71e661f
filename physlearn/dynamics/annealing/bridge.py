"""A path of laws from one that can be drawn to exp(-E/T): annealed importance sampling of continuous variables.

    log p_b(z) = (1 - b) log q(z) - b E(z)/T,    b = 0 ... 1

Chains are drawn from q, take the weight of every step of b and move there by Hamiltonian Monte Carlo (Neal 2001).
The mean weight is Z exactly for any number of steps, provided that moves do not adapt on the way: so the step of each b
is found before, by some chains of their own.  Coordinates are stretched by q's covariance, which makes q round.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.walk import step_size as adapt, trajectories
from physlearn.dynamics.walk.leapfrog import judge, leapfrog, metropolis, throw
from physlearn.dynamics.walk.metric import Stretch
from physlearn.progress import follow
from physlearn.rng import children, streams

SCOUTS = 32  # chains that find the steps
LEAPS = 5
JITTER = 0.3
RATE = 0.3  # of log step, per move and unit of acceptance


class Bridge:
    """Chains between a law and an energy.

    Parameters
    ----------
    problem : Problem
        One item for each chain.
    law
        What is drawn first, of the problem's free variables: ``sample(n, rng) -> (n, m)``, ``log_density(z) -> (n,)``,
        ``score(z) -> (n, m)`` and ``covariance`` (m, m).
    temperature : float
    root : SeedSequence
    """

    def __init__(self, problem, law, temperature, root):
        self.law, self.temperature = law, temperature
        draw, move = children(root, 2)
        self.first = np.asarray(law.sample(problem.batch, np.random.default_rng(draw)), float)
        state = problem.state(self.first)
        self.walker = trajectories.Sampler(problem, state, streams(move, problem.batch))
        self.rows, self.chains = self.walker.rows, problem.batch
        self.z = self.first[self.rows]
        self.stretch = Stretch(np.linalg.cholesky(np.asarray(law.covariance)))
        self.log_weight = np.zeros(self.chains)

    def weigh(self, before, after):
        """Take the weight of a step of b."""
        gain = -self.walker.energy_at(self.z) / self.temperature - self.law.log_density(self.z)
        self.log_weight += (after - before) * gain[: self.chains]

    def move(self, b, step):
        """One move of all chains at b; mean acceptance."""
        rows, m = self.z.shape
        p, u = self.walker.rng.standard_normal((rows, m)), self.walker.rng.random((rows, 2))
        length, before, heat = np.full(rows, step), np.empty(rows), np.ones(rows)
        energy, force = self._energy(self.z, b), self._force(self.z, b)
        throw(p, u, heat, energy, JITTER, length, before)
        z, p, end = leapfrog(lambda z: self._force(z, b), self.z, p, length, LEAPS, force, None, self.stretch)
        after = self._energy(z, b)
        chance, diverged, accept = np.empty(rows), np.empty(rows, np.bool_), np.empty(rows, np.bool_)
        judge(p, after, heat, before, chance, diverged)
        metropolis(chance, u, self.z, force, energy, z, end, after, accept)
        return float(chance[: self.chains].mean())

    def _energy(self, z, b):
        return b * self.walker.energy_at(z) / self.temperature - (1.0 - b) * self.law.log_density(z)

    def _force(self, z, b):
        return b * self.walker.force_at(z) / self.temperature + (1.0 - b) * self.law.score(z)


def cross(problem, law, temperature, steps, root, progress, verb):
    """Chains after a path of so many steps: where they are (chains, m), their log weights, the last acceptance."""
    scouts, own = children(root, 2)
    betas = np.linspace(0.0, 1.0, steps + 1)
    some = np.zeros(min(SCOUTS, problem.batch), np.int64)
    ahead, chains = Bridge(problem.rows(some), law, temperature, scouts), Bridge(problem, law, temperature, own)
    step, accepted = problem.frame.m**-0.25, 1.0
    with np.errstate(all="ignore"):
        for k in follow(range(steps), verb, "step", progress):
            chains.weigh(betas[k], betas[k + 1])
            for _ in range(2):
                step *= float(np.exp(RATE * (ahead.move(betas[k + 1], step) - adapt.HMC)))
            accepted = chains.move(betas[k + 1], step)
    return chains.z[: chains.chains], chains.log_weight, accepted
