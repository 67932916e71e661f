"""Cluster engines of `sample`: Swendsen-Wang and Wolff moves for ferromagnets, Ising and Potts, on any graph.

A bond between equal spins is kept with probability 1 - exp(-K/T), K = 2J (Ising) or J (Potts: the energy of
breaking it; Fortuin and Kasteleyn 1972).  Swendsen and Wang (1987) give each cluster of kept bonds a random
new value; Wolff (1989) grows one cluster around a random spin and gives it another value.  Both leave
exp(-E/T) invariant, and beat the critical slowing down of single-spin moves.  Not for negative couplings
(the clusters would percolate for nothing) nor fields (a cluster's value would no longer be free).
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from physlearn.checks import count
from physlearn.dynamics.lattice.stencil import graph_of
from physlearn.dynamics.lattice.words import over_chains
from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import next_word, uniform


def refusal(problem):
    """Why cluster moves do not apply, or None."""
    graph = graph_of(problem)
    if isinstance(graph, str):
        return graph
    if np.any(graph.couplings < 0):
        return (
            f"{np.sum(graph.couplings < 0)} of its couplings are negative, and clusters of equal spins are those of "
            "a ferromagnet only"
        )
    if np.any(graph.field):
        return "it has a field, and a cluster's new value would no longer be free"
    return None


class _Clusters:
    """Shared state of both moves: codes 0..q-1, the graph in CSR form."""

    def __init__(self, problem, state, streams):
        graph = graph_of(problem)
        assert not isinstance(graph, str)  # `refusal` has been asked
        self.name, self.shape, self.q, self.potts = graph.name, graph.shape, graph.q, graph.potts
        self.proposed = self.accepted = np.zeros(len(streams))
        self.streams = streams.copy()
        n = graph.field.size
        codes = state[self.name].reshape(len(streams), n)
        self.codes = np.ascontiguousarray(codes if self.potts else codes > 0, dtype=np.int64)
        self.i, self.j = np.ascontiguousarray(graph.i), np.ascontiguousarray(graph.j)
        self.cost = graph.couplings * (1.0 if self.potts else 2.0)
        ends, others = np.concatenate([self.i, self.j]), np.concatenate([self.j, self.i])
        order = np.argsort(ends, kind="stable")
        self.indptr = np.searchsorted(ends[order], np.arange(n + 1))
        self.neighbours, self.edge = others[order], order % len(self.i)

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        codes = self.codes if self.potts else 2.0 * self.codes - 1.0
        return {self.name: codes.reshape(len(codes), *self.shape).copy()}


class SwendsenWang(_Clusters):
    """Chains under Swendsen-Wang moves; a sweep is one decomposition of the whole system."""

    method = "Swendsen-Wang clusters"

    def run(self, sweeps, temperature):
        """Move every chain ``sweeps`` times; temperature is (chains,)."""

        def work(k):
            kept = -np.expm1(-self.cost / temperature[k])
            swendsen_wang(self.codes[k], self.q, self.i, self.j, kept, self.streams[k], sweeps)

        over_chains(work, len(self.codes), sweeps * len(self.codes) * len(self.i))


class Wolff(_Clusters):
    """Chains under Wolff moves.

    Parameters
    ----------
    clusters : int
        Clusters per sweep; a fixed number, since stopping when enough spins have moved would bias the draws.
    """

    def __init__(self, problem, state, streams, clusters=8):
        clusters = count("clusters", clusters)
        super().__init__(problem, state, streams)
        self.clusters = int(clusters)
        self.method = f"Wolff clusters ({self.clusters} a sweep)"

    def run(self, sweeps, temperature):
        """Move ``sweeps * clusters`` clusters of every chain; temperature is (chains,)."""

        def work(k):
            kept = -np.expm1(-self.cost / temperature[k])[self.edge]
            wolff(self.codes[k], self.q, self.indptr, self.neighbours, kept, self.streams[k], sweeps * self.clusters)

        over_chains(work, len(self.codes), sweeps * len(self.codes) * len(self.i))


swendsen_wang_engine = SimpleNamespace(refusal=refusal, Sampler=SwendsenWang)
wolff_engine = SimpleNamespace(refusal=refusal, Sampler=Wolff)


@inlined
def _below(stream, n):
    """A random integer below n, by multiplication: off by less than n / 2^32."""
    return np.int64(((next_word(stream) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@kernel
def swendsen_wang(codes, q, i, j, kept, own, sweeps):
    """Give every cluster of one system, codes (n,), a random value, ``sweeps`` times."""
    n, stream = len(codes), own.copy()  # apart from the streams of other threads, which would share its cache line
    root = np.empty(n, np.int64)
    for _ in range(sweeps):
        for k in range(n):
            root[k] = k
        for e in range(len(i)):
            if codes[i[e]] == codes[j[e]] and uniform(stream) < kept[e]:
                a, b = i[e], j[e]
                while root[a] != a:
                    root[a] = root[root[a]]
                    a = root[a]
                while root[b] != b:
                    root[b] = root[root[b]]
                    b = root[b]
                root[max(a, b)] = min(a, b)
        for k in range(n):  # a root is the lowest of its cluster: it has its new value before the others ask
            root[k] = root[root[k]]
            codes[k] = _below(stream, q) if root[k] == k else codes[root[k]]
    own[:] = stream


@kernel
def wolff(codes, q, indptr, neighbours, kept, own, clusters):
    """Grow clusters in one system, codes (n,), one after the other; each takes another value."""
    stack, stream = np.empty(len(codes), np.int64), own.copy()
    for _ in range(clusters):
        seed = _below(stream, len(codes))
        old = codes[seed]
        new = (old + 1 + _below(stream, q - 1)) % q
        codes[seed] = new
        stack[0], height = seed, 1
        while height:
            height -= 1
            site = stack[height]
            for e in range(indptr[site], indptr[site + 1]):
                other = neighbours[e]
                if codes[other] == old and uniform(stream) < kept[e]:
                    codes[other] = new
                    stack[height] = other
                    height += 1
    own[:] = stream
