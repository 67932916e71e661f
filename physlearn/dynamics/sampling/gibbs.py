"""Gibbs engine of `sample`: variables drawn given all others, from the energy's own fields, in NumPy.

A layer that occurs at most once in every term is drawn as one block (block Gibbs: restricted Boltzmann
machines and their kin, by matrix products); a layer that couples to itself one variable at a time,
vectorised over chains.  Either kind of step leaves exp(-E/T) invariant (Geman and Geman 1984).

Chains are processed in padded blocks of fixed size, because a row of a matrix product depends on how many
rows there are: so a chain's bits do not depend on how many chains run.
"""

from __future__ import annotations

import numpy as np

from physlearn.kinds import is_continuous, is_discrete, unstated
from physlearn.rng import Chains

BLOCK = 32  # chains to a block


def refusal(problem):
    """Why this engine does not apply, or None."""
    if problem.complex:
        return "the state is complex"
    if problem.activated:
        return f"layers {problem.activated} have an activation, and are not drawn from an energy of x alone"
    if problem.tied:
        return "a clamp ties variables together, which no longer move one at a time"
    if problem.torques():
        return f"a force is given on the angles of layers {problem.torques()}, which no energy of their period has"
    state = problem.state(problem.initial())
    for name, layer in problem.system.layers.items():
        free = free_of(problem, name).any()
        if free and not is_continuous(layer.kind) and not is_discrete(layer.kind):
            return unstated(name, layer.kind)
        if free and getattr(layer.kind, "coded", False) and np.any(problem.push[:, span_of(problem, name)]):
            return f"a force is given on layer {name!r}, and codes have no slope"
        if free and is_continuous(layer.kind):
            curvature = problem.system.curvature(state, name)
            if curvature is None:
                return f"a term has no `curvature` for layer {name!r}, which says it is a separable quadratic there"
            if not hasattr(layer.kind, "wrap") and np.any(np.asarray(curvature) <= 0):
                return f"the curvature on layer {name!r} is not positive, so exp(-E/T) has no norm there"
    return None


class Sampler:
    """Chains under Gibbs sampling; see `refusal` for what it takes."""

    def __init__(self, problem, state, streams):
        chains = problem.batch
        padding = -chains % BLOCK
        rows = np.concatenate([np.arange(chains), np.zeros(padding, np.int64)])
        self.problem, self.chains = problem, chains
        self.proposed = self.accepted = np.zeros(chains)
        self.streams = streams[rows]
        self.blocks = [
            (slice(k, k + BLOCK), {name: np.array(value[rows[k : k + BLOCK]]) for name, value in state.items()})
            for k in range(0, len(rows), BLOCK)
        ]
        self.push = problem.push[rows]
        self.moving = [name for name in state if free_of(problem, name).any()]
        terms = problem.system.terms
        self.single = [name for name in self.moving if any(t.layers.count(name) > 1 for t in terms)]
        self.method = "Gibbs (blocks)"
        if self.single:
            self.method = "Gibbs (one variable at a time)"

    def run(self, sweeps, temperature):
        """Draw every free variable ``sweeps`` times; temperature is (chains,)."""
        temperature = np.concatenate([temperature, np.ones(-self.chains % BLOCK)])
        for where, x in self.blocks:
            rng = Chains(self.streams[where])
            for _ in range(sweeps):
                for name in self.moving:
                    free = np.flatnonzero(free_of(self.problem, name))
                    for index in free[:, None] if name in self.single else [free]:
                        self._draw(x, name, index, temperature[where], self.push[where], rng)
            self.streams[where] = rng.states

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        names = self.problem.system.layers
        return {name: np.concatenate([x[name] for _, x in self.blocks])[: self.chains] for name in names}

    def _draw(self, x, name, index, temperature, push, rng):
        system, layer = self.problem.system, self.problem.system.layers[name]
        field = system.field(x, name, index)
        flat = x[name].reshape(len(field), -1)
        curvature = None
        if is_continuous(layer.kind):
            curvature = np.broadcast_to(system.curvature(x, name), x[name].shape).reshape(flat.shape)[:, index]
        if is_continuous(layer.kind):
            field = field + push[:, span_of(self.problem, name)][:, index]
        elif not layer.kind.coded:
            field = layer.kind.sloped(field, push[:, span_of(self.problem, name)][:, index], None, flat[:, index])
        heat = temperature.reshape(-1, *[1] * (field.ndim - 1))
        flat[:, index] = layer.kind.draw(field, curvature, flat[:, index], heat, rng)


def span_of(problem, name):
    """Where a layer's variables are in the concatenation."""
    start = problem.frame.offset[name]
    return slice(start, start + problem.system.layers[name].size)


def free_of(problem, name):
    """Which variables of a layer are free, (size,)."""
    return problem.frame.cluster[span_of(problem, name)] >= 0
