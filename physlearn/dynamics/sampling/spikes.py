"""Spiking engine of `sample`: abstract neurons whose spikes draw from an energy of two-level variables.

A spike turns its neuron's variable on for tau visits, the neuron's refractory period; a counter zeta falls by one a
visit, and the variable is on while zeta >= 1.  At zeta <= 1 the neuron spikes with probability

    sigma(gap/T - ln tau),    gap = -(E(on) - E(off)) given all others: f on `Binary`, 2 f on `Spin`,

and then zeta = tau, else zeta = 0 (L. Buesing, J. Bill, B. Nessler and W. Maass, PLoS Comput. Biol. 7 (2011)
e1002211).  Visited one after the other, as here, the neurons' on-off states are distributed as exp(-E/T) exactly for
every tau; all at once they would not be.  A longer tau makes successive draws more alike.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import count
from physlearn.dynamics.sampling import gibbs
from physlearn.kinds import Binary, Spin
from physlearn.rng import Chains


def refusal(problem):
    """Why this engine does not apply, or None."""
    for name, layer in problem.system.layers.items():
        if gibbs.free_of(problem, name).any() and not isinstance(layer.kind, Binary | Spin):
            return f"layer {name!r} is {layer.kind}, and a spike turns on a variable of two levels, Spin or Binary"
    return gibbs.refusal(problem)


class Sampler(gibbs.Sampler):
    """Chains of spiking neurons; see `refusal` for what it takes.

    Parameters
    ----------
    problem, state, streams
        As `sample` passes them to its engines.
    tau : int
        Visits for which a spike lasts; 1 is Gibbs sampling.
    """

    def __init__(self, problem, state, streams, *, tau=10):
        super().__init__(problem, state, streams)
        self.tau, self.method = count("tau", tau, most=2**31), f"spikes, tau={tau} ({self.method})"
        self.counters: dict = {}
        for where, x in self.blocks:  # at rest a variable that is on has spent any part of its time
            rng = Chains(self.streams[where])
            for name in self.moving:
                age = np.floor(rng.random(x[name].reshape(len(x[name]), -1).shape) * self.tau)
                on = x[name].reshape(age.shape) > 0
                self.counters[where.start, name] = np.where(on, 1 + np.minimum(age, self.tau - 1), 0).astype(np.int64)
            self.streams[where] = rng.states

    def _draw(self, x, name, index, temperature, push, rng):
        layer = self.problem.system.layers[name]
        field = self.problem.system.field(x, name, index)
        flat = x[name].reshape(len(field), -1)
        field = layer.kind.sloped(field, push[:, gibbs.span_of(self.problem, name)][:, index], None, flat[:, index])
        where = next(where for where, own in self.blocks if own is x)
        zeta = self.counters[where.start, name]
        gap = (2.0 if isinstance(layer.kind, Spin) else 1.0) * field / temperature[:, None] - np.log(self.tau)
        spikes = rng.random(field.shape) * (1.0 + np.exp(-np.maximum(gap, -700.0))) < 1.0
        now = np.where(zeta[:, index] > 1, zeta[:, index] - 1, np.where(spikes, self.tau, 0))
        zeta[:, index] = now
        flat[:, index] = np.where(now >= 1, 1.0, -1.0 if isinstance(layer.kind, Spin) else 0.0)
