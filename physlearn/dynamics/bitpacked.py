"""Bit-packed engine of `sample`: a uniform Ising lattice, 64 spins to a word (multi-spin coding).

Checkerboard Metropolis on a periodic square lattice without a field (Jacobs and Rebbi 1981; bit-sliced as
in Isakov et al. 2015).  A spin with u unlike-coupled neighbours of 4 flips where u >= 2, else with
probability exp(-2|J|(4 - 2u)/T): the comparison of a random number with both probabilities is made one
binary digit after another, 64 spins at a time.  Probabilities are rounded to 2^-32.  Each colour of a row
is packed along the row: bit b of word k is column 2 (64 k + b), plus one on rows of the other parity.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from physlearn.dynamics.stencil import graph_of, split_colours, stencil_of

# compiled with words.py 50aac6312184
from physlearn.dynamics.words import LANES, lanes_of, next_words, over_chains, thresholds

BITS = 32
_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


def refusal(problem):
    """Why this engine does not apply, or None."""
    graph = graph_of(problem)
    if isinstance(graph, str):
        return graph
    stencil = stencil_of(problem, graph)
    if isinstance(stencil, str):
        return stencil
    if len(graph.shape) != 2 or graph.shape[0] % 2 or graph.shape[1] % 128:
        return f"its layer has shape {graph.shape}, expected an even number of rows of a multiple of 128 spins"
    if np.any(graph.field):
        return "it has a field"
    if not all(stencil.periodic) or np.any(stencil.bonds != stencil.bonds.flat[0]):
        return "its couplings are not one number on a lattice periodic in both directions"
    return None


class Sampler:
    """Chains under bit-packed Metropolis; acceptance is not counted."""

    method = "bit-packed checkerboard Metropolis (64 spins a word)"

    def __init__(self, problem, state, streams):
        graph = graph_of(problem)
        assert not isinstance(graph, str)  # `refusal` has been asked
        self.name, self.shape, self.coupling = graph.name, graph.shape, float(graph.couplings[0])
        self.proposed = self.accepted = np.zeros(len(streams))
        self.words = _pack(state[graph.name])
        width = self.words.shape[-1]
        self.rows = max(1, LANES // width)  # so many rows share one draw of random words
        self.lanes = lanes_of(streams, self.rows * width)

    def run(self, sweeps, temperature):
        """Sweep every chain ``sweeps`` times; temperature is (chains,)."""
        gaps = 4.0 * abs(self.coupling) * np.array([1.0, 2.0])
        limits = thresholds(np.exp(-gaps / temperature[:, None]), BITS)
        against = _ONES if self.coupling < 0 else np.uint64(0)

        def work(chain):
            first, second = self.words[chain]
            sweep(first, second, self.lanes[chain], limits[chain], against, self.rows, sweeps)

        over_chains(work, len(self.words), sweeps * len(self.words) * self.shape[0] * self.shape[1])

    def state(self):
        """The chains' states, {layer: (chains, rows, columns)}."""
        return {self.name: _unpack(self.words, self.shape)}

    def energies(self):
        """Energy of every chain, (chains,), counted from the words."""
        unlike = np.array([unsatisfied(*words) for words in self.words])
        return self.coupling * (2.0 * unlike - 2.0 * self.shape[0] * self.shape[1])


def _pack(spins):
    """(chains, rows, columns) spins to (chains, 2, rows, words), one block a colour."""
    split: Any = split_colours(spins > 0, np.arange(spins.shape[1]) % 2)
    packed = np.packbits(split, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64)


def _unpack(words, shape):
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), axis=-1, bitorder="little").view(np.int8)
    out = np.empty((len(words), *shape))
    for colour in (0, 1):
        for parity in (0, 1):
            np.subtract(2.0 * bits[:, colour, parity::2], 1.0, out=out[:, parity::2, (parity + colour) % 2 :: 2])
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def sweep(first, second, lanes, limits, against, rows, sweeps):
    """Update both colours of one lattice, (height, width) words each, ``sweeps`` times."""
    height, width = first.shape
    size = rows * width
    random, four, eight = np.empty(size, np.uint64), np.empty(size, np.uint64), np.empty(size, np.uint64)
    side = np.empty(width, np.uint64)
    zero, one = np.uint64(0), np.uint64(1)
    limit4, limit8 = limits[0], limits[1]
    for half in range(2 * sweeps):
        mine, other = (first, second) if half % 2 == 0 else (second, first)
        for top in range(0, height, rows):
            four[:] = zero
            eight[:] = zero
            # Lowest digit first, so that the highest has the last word; digits outer, words inner: vectorises.
            for digit in range(BITS):
                next_words(lanes, random)
                q4 = zero - ((limit4 >> np.uint64(digit)) & one)
                q8 = zero - ((limit8 >> np.uint64(digit)) & one)
                for k in range(size):
                    r = random[k]
                    four[k] = (q4 & ~r) | (four[k] & ~(q4 ^ r))
                    eight[k] = (q8 & ~r) | (eight[k] & ~(q8 ^ r))
            for row in range(top, min(top + rows, height)):
                up, down = other[row - 1 if row > 0 else height - 1], other[row + 1 if row + 1 < height else 0]
                here, target, base = other[row], mine[row], (row - top) * width
                if (row + half) % 2 == 1:
                    for k in range(width - 1):
                        side[k] = (here[k] >> one) | (here[k + 1] << np.uint64(63))
                    side[width - 1] = (here[width - 1] >> one) | (here[0] << np.uint64(63))
                else:
                    for k in range(1, width):
                        side[k] = (here[k] << one) | (here[k - 1] >> np.uint64(63))
                    side[0] = (here[0] << one) | (here[width - 1] >> np.uint64(63))
                for k in range(width):
                    s = target[k] ^ against
                    d0, d1, d2, d3 = s ^ up[k], s ^ down[k], s ^ here[k], s ^ side[k]
                    o1, o2 = d0 ^ d1, d2 ^ d3
                    two = (d0 & d1) | (d2 & d3) | (o1 & o2)
                    some = o1 | o2 | two
                    target[k] ^= two | (some & four[base + k]) | (~some & eight[base + k])


@njit(cache=True, error_model="numpy", nogil=True)
def unsatisfied(first, second):
    """Number of neighbour pairs of unequal spins."""
    height, width = first.shape
    one, last = np.uint64(1), np.uint64(63)
    total = 0
    for row in range(height):
        up, down = second[row - 1 if row > 0 else height - 1], second[row + 1 if row + 1 < height else 0]
        here, mine = second[row], first[row]
        for k in range(width):
            if row % 2 == 1:
                side = (here[k] >> one) | (here[k + 1 if k + 1 < width else 0] << last)
            else:
                side = (here[k] << one) | (here[k - 1 if k > 0 else width - 1] >> last)
            s = mine[k]
            total += _ones(s ^ up[k]) + _ones(s ^ down[k]) + _ones(s ^ here[k]) + _ones(s ^ side)
    return total


@njit(inline="always", error_model="numpy")
def _ones(word):
    """Bits set in a word (SWAR)."""
    w = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    w = (w & np.uint64(0x3333333333333333)) + ((w >> np.uint64(2)) & np.uint64(0x3333333333333333))
    w = (w + (w >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((w * np.uint64(0x0101010101010101)) >> np.uint64(56))
