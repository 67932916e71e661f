"""Hamiltonian Monte Carlo whose trajectories run in compiled code: the engine "hmc" where terms have a `Potential`.

The moves are those of `physlearn.dynamics.walk.hmc`.  A chain makes all of them in one call of a kernel, where it draws
momenta and path lengths from its own stream and adapts its own step, so that no chain waits for another.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.frame import separate, wrapped
from physlearn.dynamics.potential import evaluate, form_of, missing, mistake
from physlearn.dynamics.walk import hmc, step_size as adapt
from physlearn.dynamics.walk.hmc import refusal
from physlearn.dynamics.walk.paths import first_leap, walk
from physlearn.rng import Chains

__all__ = ["Sampler", "refusal"]

NUMBERS = 2**20  # in the draws of one call of the kernel


def Sampler(problem, state, streams, *, step=None, leaps=None, target=None, jitter=0.2, metric=None):
    """Chains under Hamiltonian Monte Carlo: `Trajectories`, or `hmc.Sampler` where a term has no compiled form."""
    made = Trajectories if missing(problem) is None else hmc.Sampler
    return made(problem, state, streams, step=step, leaps=leaps, target=target, jitter=jitter, metric=metric)


class Trajectories(hmc.Sampler):
    """Chains of compiled calls; parameters and attributes as of `hmc.Sampler`."""

    name = "HMC, compiled"

    def __init__(self, problem, state, streams, **settings):
        self.form = form_of(problem)
        self.base, self.push = (np.array(a, float, order="C") for a in (problem.base, problem.push))
        super().__init__(problem, state, streams, **settings)
        keep = self.rows = np.arange(self.chains)  # no product asks for more rows
        self.rng = Chains(np.array(streams, order="C"))
        self.z, self.energy, self.force = (np.array(a[keep], order="C") for a in (self.z, self.energy, self.force))
        none = (np.zeros((1, 0)),) * 2
        self.bounds = none if self.walls is None else tuple(np.array(a[keep], order="C") for a in self.walls)

    def energy_at(self, z):
        """Energy with the work of given forces, (rows,)."""
        return self._evaluated(z)[0]

    def force_at(self, z):
        """Force on z, (rows, m)."""
        return self._evaluated(z)[1]

    def energies(self):
        """Energies of the states without the work of given forces, (chains,)."""
        return self.energy + np.sum(self.push * self._flat(self.z, self.rows), 1)

    def draws(self, n, thin, temperature, seen):
        """Draw n times from every chain: states {layer: (chains, n, *shape)} and energies (chains, n).

        ``seen`` is called with the number of moves after each part of the work.
        """
        self._ready(temperature)
        z, energy = np.empty((self.chains, n, self.z.shape[1])), np.empty((self.chains, n))
        most = max(NUMBERS // (self.z.size * thin), 1)
        for first in range(0, n, most):
            part = slice(first, min(first + most, n))
            draws = part.stop - first
            z[:, part], energy[:, part], done = self._walk(draws * thin, temperature, draws=draws, thin=thin)
            self._count(draws * thin, done)
            seen(draws * thin)
        item = np.repeat(self.rows, n)
        flat = self._flat(z.reshape(len(item), -1), item)
        energy += np.sum(self.push[item] * flat, 1).reshape(energy.shape)
        system = self.problem.system
        x = wrapped(system, separate(system, flat))
        return {name: value.reshape(self.chains, n, *value.shape[1:]) for name, value in x.items()}, energy

    def run(self, sweeps, temperature):
        """Make ``sweeps`` moves at temperatures (chains,)."""
        if sweeps:
            self._ready(temperature)
            self._count(sweeps, self._walk(sweeps, temperature)[2])

    def _count(self, moves, done):
        self.accepted, self.diverged = self.accepted + done[:, 0], self.diverged + done[:, 1]
        self.proposed = self.proposed + moves

    def _ready(self, temperature):
        if self.step is None:
            self.step = self._guess(temperature)

    def _adapt(self, moves, heat):
        """Make moves that adapt the steps; where the chains were in the second half of them, (draws, chains, m)."""
        if moves == 0:
            return np.zeros((0, self.chains, self.z.shape[1]))
        self.step = self._guess(heat)
        self._path(self.step)
        search = np.zeros((self.chains, 4))  # centre, error, mean and latest of log step
        search[:, 0], search[:, 3] = np.log(10.0 * self.step), np.log(self.step)
        z, _, _ = self._walk(moves, heat, draws=0 if self.metric is None else moves // 2, search=search)
        self.step = np.exp(search[:, 2])
        self._path(self.step)
        return z.transpose(1, 0, 2)

    def _guess(self, heat):
        """First steps, (chains,), estimated at the chains' states."""
        xi, chance = self.rng.standard_normal(self.z.shape), np.empty(self.chains)

        def acceptance(step):
            first_leap(self.form, self.base, self.push, *self.bounds, self._a(), heat, step, xi, self.z, self.energy,
                       self.force, chance)  # fmt: skip
            return chance.copy()

        return adapt.first_step(acceptance, self.chains)

    def _a(self):
        """The metric as kernels take it: (1, m), or a triangle (m, m)."""
        return np.ones((1, self.z.shape[1])) if self.stretch is None else np.atleast_2d(self.stretch.a)

    def _walk(self, moves, heat, *, draws=0, thin=1, search=None):
        """Make moves; the last ``draws`` states, ``thin`` moves apart, their energies, and what `walk` counts."""
        done, z = np.zeros((self.chains, 3)), np.empty((self.chains, draws, self.z.shape[1]))
        energy, search = np.empty((self.chains, draws)), np.zeros((0, 4)) if search is None else search
        step, vary = np.ascontiguousarray(self.step), self.metric is not None
        walk(self.form, self.base, self.push, *self.bounds, self._a(), heat, step, self.leaps, vary, self.jitter,
             self.target, search, moves, thin, self.rng.states, self.z, self.energy, self.force, z, energy,
             done)  # fmt: skip
        failed = np.flatnonzero(done[:, 2])[:1]
        if failed.size:  # the chain stands where it failed
            raise mistake(self.problem, self.form, self._flat(self.z[failed], failed)[0])
        return z, energy, done

    def _evaluated(self, z):
        energy, force = np.empty(len(z)), np.empty(z.shape)
        z = np.ascontiguousarray(z)
        row = evaluate(self.form, self.base, self.push, self.rows, z, energy, force)
        if row >= 0:
            raise mistake(self.problem, self.form, self._flat(z[[row]], self.rows[[row]])[0])
        return energy, force

    def _flat(self, z, items):
        """Flat states (rows, n) of free variables (rows, m) of these items."""
        cluster = self.form.cluster
        return np.where(cluster >= 0, z[:, cluster], 0.0) + self.base[items]
