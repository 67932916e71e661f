"""Independence engine of `sample`: a law of known density proposes whole states, and the energy accepts (Tierney 1994).

A proposal x' drawn of q, whatever the state x, is accepted with probability

    min(1, exp(-(E(x') - E(x))/T) q(x)/q(x')),

so that the chain's law is exp(-E/T)/Z exactly, however badly q has learnt it (Albergo, Kanwar and Shanahan 2019).  The
rejections tell how badly: a state that q hardly ever proposes is held for long.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from physlearn.checks import seen
from physlearn.dynamics.blocks import padded, rows_of_products
from physlearn.dynamics.walk import walkers
from physlearn.dynamics.walk.walkers import Walkers

HELD = 0.01  # least share of accepted proposals that passes without a warning


def refusal(problem):
    """Why this engine does not apply, or None."""
    if np.any(np.isfinite(problem.bounds)):
        return "some variables have bounds, beyond which proposals would fall"
    return walkers.refusal(problem)


class Sampler(Walkers):
    """Chains under independent proposals.

    Parameters
    ----------
    problem, state, streams
        See `sample`.
    proposal : CouplingFlow
        Any object with ``decode(z) -> (x, log_q)`` and ``log_density(x)``, of normal numbers z (n, m) and points x
        (n, m) of m free variables, or of its own ``shape``, of as many entries.
    """

    method = "independence"

    def __init__(self, problem, state, streams, *, proposal=None):
        for name in ("decode", "log_density"):
            if not hasattr(proposal, name):
                raise TypeError(
                    f"proposal: got {seen(proposal)}, expected a law with `decode` and `log_density`, such as a "
                    "CouplingFlow"
                )
        super().__init__(problem, state, streams, rows_of_products(problem.frame.m))
        law: Any = proposal
        self.proposal, m = law, problem.frame.m
        self.points = tuple(getattr(proposal, "shape", (m,)))
        if math.prod(self.points) != m:
            raise ValueError(f"proposal: draws points of shape {self.points}, expected {m} entries, the free variables")
        self.rowed = rows_of_products(m)
        self.log_q = self._by_blocks(lambda x: (x, law.log_density(x)), self.z)[1]
        self.proposed, self.accepted = np.zeros(self.chains), np.zeros(self.chains)

    def warm(self, sweeps, temperature):
        """Sweeps of which the first proposal is taken as it is: a start that q never proposes would be held."""
        if sweeps:
            x, log_q = self._drawn()
            energy = self.energy_at(x)
            taken = np.isfinite(energy) & np.isfinite(log_q)
            self._take(taken, x, energy, log_q)
        self.run(max(sweeps - 1, 0), temperature)
        self.proposed, self.accepted = np.zeros(self.chains), np.zeros(self.chains)

    def run(self, sweeps, temperature):
        """Propose ``sweeps`` times, chain c at temperature[c]."""
        heat = temperature[np.minimum(self.rows, self.chains - 1)]
        for _ in range(sweeps):
            x, log_q = self._drawn()
            with np.errstate(all="ignore"):
                energy = self.energy_at(x)
                log_ratio = (self.energy - energy) / heat + self.log_q - log_q
            taken = np.log1p(-self.rng.random((len(x), 1))[:, 0]) < log_ratio  # false for NaN
            self._take(taken, x, energy, log_q)
            self.accepted = self.accepted + taken[: self.chains]
        self.proposed = self.proposed + sweeps

    def energies(self):
        """Energies of the chains, (chains,), kept as they go."""
        return self.energy[: self.chains].copy()

    def trouble(self):
        """Proposals that are hardly ever accepted, or None."""
        share = self.accepted.sum() / max(self.proposed.sum(), 1)
        if self.proposed.sum() and share < HELD:
            return (
                f"{share:.2%} of the proposals were accepted: the chains hardly move; train the proposal on this "
                "energy at this temperature, or use 'hmc'"
            )
        return None

    def _drawn(self):
        z = self.rng.standard_normal(self.z.shape)
        return self._by_blocks(lambda part: self.proposal.decode(part), z)

    def _by_blocks(self, law, z):
        """Points and log q of rows, in blocks of one size: a product's bits depend on how many rows it has."""
        rows = padded(len(z), self.rowed)
        parts = [law(z[rows[i : i + self.rowed]].reshape(-1, *self.points)) for i in range(0, len(rows), self.rowed)]
        x = np.concatenate([np.asarray(p[0], float).reshape(-1, z.shape[1]) for p in parts])[: len(z)]
        return np.ascontiguousarray(x), np.concatenate([np.asarray(p[1], float) for p in parts])[: len(z)]

    def _take(self, taken, x, energy, log_q):
        self.z[taken], self.energy[taken], self.log_q[taken] = x[taken], energy[taken], log_q[taken]


__all__ = ["Sampler", "refusal"]
