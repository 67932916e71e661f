"""Spiking engine of `sample`: abstract neurons whose spikes draw from an energy of two-level variables.

A spike turns its neuron's variable on for tau visits, the neuron's refractory period; a counter zeta falls by one a
visit, and the variable is on while zeta >= 1.  At zeta <= 1 the neuron spikes with probability

    sigma(gap/T - ln tau),    gap = -(E(on) - E(off)) given all others: f on `Binary`, 2 f on `Spin`,

and then zeta = tau, else zeta = 0 (L. Buesing, J. Bill, B. Nessler and W. Maass, PLoS Comput. Biol. 7 (2011)
e1002211).  Visited one after the other, as here, the on-off states are distributed as exp(-E/T) exactly for every
tau.  All at once they would not be: where every one of 5 (10) neurons decides on what the others did a step ago, the
divergence KL(drawn || exact) was measured as 2e-2 (6e-2) at tau = 5 steps, 2e-3 (7e-3) at 20, 3e-4 (2e-3) at 100.
A longer tau makes successive draws more alike: they decorrelate in about tau / 2 sweeps.

One layer whose terms have a `local` form, or are Pairs, Dense and Bias, is visited in compiled code; others (machines
of several layers, whose units are drawn together where they are independent given the rest) in NumPy.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import count
from physlearn.dynamics.sampling import gibbs
from physlearn.dynamics.sites import moves
from physlearn.dynamics.sites.spiking import SpikeMoves, first_counters
from physlearn.kinds import Binary, Spin
from physlearn.rng import Chains


def refusal(problem):
    """Why this engine does not apply, or None."""
    for name, layer in problem.system.layers.items():
        if gibbs.free_of(problem, name).any() and not isinstance(layer.kind, Binary | Spin):
            return f"layer {name!r} is {layer.kind}, and a spike turns on a variable of two levels, Spin or Binary"
    return gibbs.refusal(problem)


class Sampler:
    """Chains of spiking neurons; see `refusal` for what it takes.

    Parameters
    ----------
    problem, state, streams
        As `sample` passes them to its engines.
    tau : int
        Visits for which a spike lasts; 1 is Gibbs sampling.
    threads : int
        Threads over the chains of compiled visits; results do not depend on it.
    """

    def __init__(self, problem, state, streams, *, tau=10, threads=1):
        tau, threads = count("tau", tau, most=2**31), count("threads", threads, most=1024)
        if moves.refusal(problem) is None:
            self.chains, form = SpikeMoves(problem, state, streams, threads, tau), "local forms"
        else:
            self.chains = _Blocks(problem, state, streams, tau)
            form = self.chains.method
        self.method = f"spikes, tau={tau} ({form})"
        self.proposed = self.accepted = np.zeros(problem.batch)

    def run(self, sweeps, temperature):
        """Visit every free neuron ``sweeps`` times; temperature is (chains,)."""
        if isinstance(self.chains, SpikeMoves):
            temperature = np.asarray(temperature, dtype=float)[None]
        self.chains.run(sweeps, temperature)

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return self.chains.state()


class _Blocks(gibbs.Sampler):
    """Chains of spiking neurons in NumPy, a layer or a variable at a time."""

    def __init__(self, problem, state, streams, tau):
        super().__init__(problem, state, streams)
        self.tau = tau
        self.counters: dict = {}
        for where, x in self.blocks:  # at rest a variable that is on has spent any part of its time
            rng = Chains(self.streams[where])
            for name in self.moving:
                on = x[name].reshape(len(x[name]), -1) > 0
                self.counters[where.start, name] = first_counters(on, tau, rng)
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
