"""Replica engine of `sample`: one +-J Ising model, 64 chains to a word (multi-spin coding over replicas).

Heat bath, one spin after another in fixed order, on any graph whose couplings have one size |J| and whose
spins have at most 7 of them, without a field (Edwards-Anderson +-J glasses, ferromagnets on any lattice).
A spin with u of its d couplings unsatisfied flips with probability 1/(1 + exp(2|J|(d - 2u)/T)); the
comparison of a random number with these is made one binary digit after another for 64 chains at once, each
at its own temperature.  Probabilities are rounded to 2^-32.  Words are always full, and chain c is bit
c mod 64 of word c div 64, so that it does not depend on how many chains run.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from physlearn.dynamics.lattice.stencil import graph_of
from physlearn.dynamics.lattice.words import LANES, lanes_of, next_words, over_chains, thresholds
from physlearn.kernels.jit import kernel

BITS = 32
MOST = 7  # couplings a spin can have: counted in three binary digits


def refusal(problem):
    """Why this engine does not apply, or None."""
    graph = graph_of(problem)
    if isinstance(graph, str):
        return graph
    if graph.potts:
        return "its variables are not Spin"
    if np.any(graph.field):
        return "it has a field"
    size = np.abs(graph.couplings[graph.couplings != 0])
    if not size.size or np.any(size != size[0]):
        return "its couplings are not all of one size"
    degree = np.bincount(np.concatenate([graph.i, graph.j])[np.tile(graph.couplings != 0, 2)])
    if degree.max() > MOST:
        return f"a spin has {degree.max()} couplings, at most {MOST} are counted bit by bit"
    return None


class Sampler:
    """Chains under heat bath, 64 per word."""

    method = "bit-packed heat bath (64 chains a word)"

    def __init__(self, problem, state, streams):
        graph = graph_of(problem)
        assert not isinstance(graph, str)  # `refusal` has been asked
        self.name, self.shape, self.chains = graph.name, graph.shape, len(streams)
        self.proposed = self.accepted = np.zeros(self.chains)
        kept = graph.couplings != 0
        i, j, couplings = graph.i[kept], graph.j[kept], graph.couplings[kept]
        self.size = abs(float(couplings[0]))
        n = graph.field.size
        order, self.starts, self.degrees, self.neighbours, self.against = _batches(n, i, j, couplings)
        self.order, self.back = order, np.argsort(order)
        # |d - 2u| takes one in two values only; level 0 needs a fair coin.
        self.levels = np.array(
            [k for k in range(1, MOST + 1) if np.any((self.degrees >= k) & (self.degrees % 2 == k % 2))]
        )
        self.words = _pack(state[graph.name].reshape(self.chains, -1)[:, order])
        self.lanes = lanes_of(streams[::64], int(np.diff(self.starts).max()))

    def run(self, sweeps, temperature):
        """Sweep every chain ``sweeps`` times; temperature is (chains,)."""
        filled = np.ones(64 * len(self.words))
        filled[: self.chains] = temperature
        chance = expit(-2.0 * self.size * self.levels / filled[:, None])
        limits = thresholds(chance, BITS).reshape(len(self.words), 64, len(self.levels))
        digits = (limits[..., None] >> np.arange(BITS, dtype=np.uint64)) & np.uint64(1)
        digits = np.bitwise_or.reduce(digits << np.arange(64, dtype=np.uint64)[:, None, None], axis=1)

        def work(word):
            graph = self.starts, self.degrees, self.neighbours, self.against
            sweep(self.words[word], *graph, self.levels, digits[word], self.lanes[word], sweeps)

        over_chains(work, len(self.words), sweeps * self.words.size)

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return {self.name: _unpack(self.words[:, self.back], self.chains).reshape(self.chains, *self.shape)}


def _pack(spins):
    """(chains, n) spins to (words, n)."""
    filled = np.zeros((-(-len(spins) // 64) * 64, spins.shape[1]), bool)
    filled[: len(spins)] = spins > 0
    by_site = np.ascontiguousarray(filled.reshape(-1, 64, spins.shape[1]).transpose(0, 2, 1))
    return np.packbits(by_site, axis=-1, bitorder="little").view("<u8")[..., 0].astype(np.uint64)


def _unpack(words, chains):
    bits = np.unpackbits(words.astype("<u8")[..., None].view(np.uint8), axis=-1, bitorder="little")
    return 2.0 * bits.transpose(0, 2, 1).reshape(-1, words.shape[1])[:chains] - 1.0


def _batches(n, i, j, couplings):
    """An order of the spins in batches of one colour and degree, at most `LANES` each.

    Returns the order (n,), the starts of batches (b + 1,), their degrees (b,), and each spin's neighbours and signs of
    couplings, (MOST, n) in that order.
    """
    ends, others = np.concatenate([i, j]), np.concatenate([j, i])
    by_end = np.argsort(ends, kind="stable")
    degree = np.bincount(ends, minlength=n)
    indptr = np.concatenate([[0], np.cumsum(degree)])
    colour = _colours(indptr, others[by_end])
    order = np.lexsort((np.arange(n), degree, colour))
    group = (colour * (MOST + 1) + degree)[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    bounds = np.append(first, n)
    starts = [np.arange(a, b, LANES) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    starts = np.concatenate([*starts, [n]]).astype(np.int64)
    place = np.argsort(order)
    neighbours, against = np.zeros((MOST, n), np.int64), np.zeros((MOST, n), np.uint64)
    rank, column = np.arange(len(ends)) - indptr[ends[by_end]], place[ends[by_end]]
    neighbours[rank, column] = place[others[by_end]]
    against[rank, column] = np.where(np.tile(couplings < 0, 2)[by_end], ~np.uint64(0), np.uint64(0))
    return order, starts, degree[order][starts[:-1]], neighbours, against


@kernel
def _colours(indptr, neighbours):
    """Greedy colouring of a graph in CSR form, (n,)."""
    n = len(indptr) - 1
    colour = np.full(n, -1, np.int64)
    for site in range(n):
        taken = 0
        for e in range(indptr[site], indptr[site + 1]):
            if colour[neighbours[e]] >= 0:
                taken |= 1 << colour[neighbours[e]]
        colour[site] = 0
        while (taken >> colour[site]) & 1:
            colour[site] += 1
    return colour


@kernel
def sweep(x, starts, degrees, neighbours, against, levels, digits, lanes, sweeps):
    """Update every spin of 64 replicas, x (n,) words, ``sweeps`` times.

    digits (levels, BITS) holds the binary digits of each chain's probabilities, lowest first.
    """
    size, count = lanes.shape[1], len(levels)
    random, chosen, flip = np.empty(size, np.uint64), np.empty((count, size), np.uint64), np.empty(size, np.uint64)
    one, two, four = np.empty(size, np.uint64), np.empty(size, np.uint64), np.empty(size, np.uint64)
    row = np.zeros(MOST + 1, np.int64)
    for k in range(count):
        row[levels[k]] = k
    zero = np.uint64(0)
    for _ in range(sweeps):
        for batch in range(len(degrees)):
            top, degree = starts[batch], degrees[batch]
            here = x[top : starts[batch + 1]]
            chosen[:] = zero
            # Lowest digit first, so that the highest has the last word; digits outer, words inner: vectorises.
            for digit in range(digits.shape[1]):
                next_words(lanes, random)
                for level in range(count):
                    q, out = digits[level, digit], chosen[level]
                    for k in range(size):
                        r = random[k]
                        out[k] = (q & ~r) | (out[k] & ~(q ^ r))
            one[:] = zero
            two[:] = zero
            four[:] = zero
            flip[:] = zero
            for e in range(degree):
                other, sign = neighbours[e, top:], against[e, top:]
                for k in range(len(here)):
                    unlike = here[k] ^ x[other[k]] ^ sign[k]
                    carry = one[k] & unlike
                    one[k] ^= unlike
                    four[k] ^= two[k] & carry
                    two[k] ^= carry
            for u in range(degree + 1):
                gap = degree - 2 * u
                # The last digit drawn is a fair coin, and a spin that needs it uses no other.
                chance = chosen[row[abs(gap)]] if gap != 0 else random
                other_way = ~zero if gap < 0 else zero
                n1 = zero if u & 1 else ~zero
                n2 = zero if u & 2 else ~zero
                n4 = zero if u & 4 else ~zero
                for k in range(len(here)):
                    flip[k] |= (one[k] ^ n1) & (two[k] ^ n2) & (four[k] ^ n4) & (chance[k] ^ other_way)
            for k in range(len(here)):
                here[k] ^= flip[k]
