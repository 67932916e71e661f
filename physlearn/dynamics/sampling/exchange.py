"""Moves that conserve every species' number: particles hop, or change places with one another (Kawasaki 1966).

A particle drawn at random exchanges its site with a neighbouring one, or with any other site (which leaves hydro-
dynamics out and equilibrates sooner), and the move is accepted by Metropolis' rule.  Either end proposes it with
the same probability, so exp(-E/T) on configurations of one composition is left invariant.

Cluster moves shift all particles connected to the one drawn by one step, where nothing is in the way and nothing is
touched there: the energy stays.  Any of a cluster's s particles may be the one drawn, and the shift is made with the
probability 1/s^2, so that an assembly diffuses at the rate 1/s of a monomer.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import choice, number
from physlearn.dynamics.frame import concatenate, separate
from physlearn.dynamics.sites.bonds import bond, felt
from physlearn.dynamics.sites.candidates import refusal as candidates_refusal, tables
from physlearn.kernels.jit import kernel
from physlearn.rng import uniform

PARTNERS = ("neighbours", "anywhere")


def refusal(problem):
    """Why particles cannot be exchanged, or None."""
    return candidates_refusal(problem)


class Sampler:
    """Chains of one composition each, that of their starts; a sweep is one attempt for each particle.

    Parameters
    ----------
    problem, state, streams
        As `sample` passes them to its engines; ``x0`` sets the composition (a random start has a random one).
    partners : {"neighbours", "anywhere"}
        Sites with which a particle changes places.
    clusters : float
        Share of the attempts that are shifts of a whole cluster.
    """

    def __init__(self, problem, state, streams, *, partners="neighbours", clusters=0.0):
        choice("partners", partners, PARTNERS)
        number("clusters", clusters, 0, 1)
        self.system, self.felt = problem.system, tables(problem.system)
        q = len(self.felt[-1])
        if clusters and np.any(self.felt[2] == 0) | np.any(
            np.diff(self.felt[1])[np.arange(0, len(self.felt[1]) - 1, q)]
        ):
            raise ValueError("clusters: empty sites bond too, so that a shift of a cluster changes the energy; pass 0")
        self.x = np.array(concatenate(problem.system, state), dtype=np.int32, order="C")
        self.free = problem.frame.cluster >= 0
        self.sites = np.flatnonzero(self.free).astype(np.int32)
        self.particles = [np.flatnonzero((row > 0) & self.free).astype(np.int32) for row in self.x]
        self.streams, self.anywhere, self.clusters = np.array(streams), partners == "anywhere", float(clusters)
        self.proposed, self.accepted = np.zeros(len(self.x)), np.zeros(len(self.x))
        self.method = f"Kawasaki exchange ({partners}{', clusters' if clusters else ''})"

    def run(self, sweeps, temperature):
        """Attempt ``sweeps`` moves per particle; temperature is (chains,)."""
        for c, particles in enumerate(self.particles):
            attempts = sweeps * len(particles)
            made = exchange(
                self.x[c], particles, self.sites, self.free, *self.felt[:-1], len(self.felt[-1]), 1.0 / temperature[c],
                self.anywhere, self.clusters, attempts, self.streams[c],
            )  # fmt: skip
            self.proposed[c] += attempts
            self.accepted[c] += made

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return separate(self.system, self.x.astype(np.int64))


@kernel
def exchange(x, particles, sites, free, neighbours, indptr, codes, values, q, beta, anywhere, clusters, attempts, s):
    """Attempt moves of particles, x (sites,) and the particles' sites changed in place; the number made."""
    steps, made = neighbours.shape[1], 0
    member, stack, number = (
        np.full(len(x), -1, np.int32),
        np.empty(len(particles), np.int32),
        np.empty(len(x), np.int32),
    )
    for p in range(len(particles)):
        number[particles[p]] = p
    for _ in range(attempts):
        p = np.int64(uniform(s) * len(particles))
        i = np.int64(particles[p])
        k = np.int64(uniform(s) * steps)
        if clusters > 0.0 and uniform(s) < clusters:
            largest = 1.0 / np.sqrt(1.0 - uniform(s))  # at least s with the probability 1/s^2
            made += _shift(x, particles, number, free, neighbours, i, k, member, stack, largest)
            continue
        j = np.int64(sites[np.int64(uniform(s) * len(sites))] if anywhere else neighbours[i, k])
        if j < 0 or not free[j] or x[i] == x[j]:
            continue
        a, b = x[i], x[j]
        gain = -_both(i, j, x, neighbours, q, indptr, codes, values)
        x[i], x[j] = b, a
        gain += _both(i, j, x, neighbours, q, indptr, codes, values)
        if gain > 0.0 and uniform(s) >= np.exp(-gain * beta):
            x[i], x[j] = a, b
            continue
        made += 1
        if b == 0:
            particles[p] = j
            number[j] = p
    return made


@kernel
def _both(i, j, x, neighbours, q, indptr, codes, values):
    """Energy of the bonds of two sites, those between them once."""
    total = felt(i, x[i], x, neighbours, q, indptr, codes, values)
    total += felt(j, x[j], x, neighbours, q, indptr, codes, values)
    for k in range(neighbours.shape[1]):
        if neighbours[i, k] == j:
            total -= bond(k * q + x[j], x[i], indptr, codes, values)
    return total


@kernel
def _shift(x, particles, number, free, neighbours, i, k, member, stack, largest):
    """Shift site i's cluster along step k, if it has at most ``largest`` particles; 1 if it moved."""
    size, done = 1, 0
    stack[0], member[i] = i, 0
    moves = True
    while done < size and moves:
        for step in range(neighbours.shape[1]):
            there = neighbours[stack[done], step]
            if there < 0 or x[there] == 0 or member[there] >= 0:
                continue
            if not free[there] or size + 1 > largest:
                moves = False
                break
            member[there] = size
            stack[size] = there
            size += 1
        done += 1
    for c in range(size):
        target = neighbours[stack[c], k] if moves else -1
        if target < 0 or not free[target]:
            moves = False
            break
        for step in range(neighbours.shape[1]):  # what it would touch there is its own
            there = neighbours[target, step]
            if there >= 0 and x[there] != 0 and member[there] < 0:
                moves = False
        if not moves:
            break
    if moves:
        held, who = np.empty(size, x.dtype), np.empty(size, np.int32)
        for c in range(size):
            held[c], who[c] = x[stack[c]], number[stack[c]]
            x[stack[c]] = 0
        for c in range(size):
            target = neighbours[stack[c], k]
            x[target], number[target], particles[who[c]] = held[c], who[c], target
    for c in range(size):
        member[stack[c]] = -1
    return 1 if moves else 0
