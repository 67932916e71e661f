"""Bit-packed engine of `sample`: a uniform Ising lattice, 64 spins to a word (multi-spin coding).

Checkerboard Metropolis on a periodic square lattice without a field (Jacobs and Rebbi 1981; bit-sliced as
in Isakov et al. 2015).  A spin with u unlike-coupled neighbours of 4 flips where u > 2, on a coin's toss where u = 2
(a tie; see `visits` for why not always), else with probability exp(-2|J|(4 - 2u)/T): the comparison of a random
number with both probabilities is made one binary digit after another, 64 spins at a time.  Probabilities are rounded
to 2^-32.  Each colour of a row is packed along the row: bit b of word k is column 2 (64 k + b), plus one on rows of the
other parity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.lattice.stencil import graph_of, split_colours, stencil_of
from physlearn.dynamics.lattice.words import LANES, advance, lanes_of, over_chains, thresholds
from physlearn.kernels.jit import inlined, kernel

BITS, FIRST = 32, 16  # digits of a probability, and how many are always drawn (multiples of four)
APART = 64  # words between what two threads write
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
    if not all(stencil.periodic) or np.any(stencil.bonds != stencil.bonds.flat[0]) or not stencil.bonds.flat[0]:
        return "its couplings are not one number, not zero, on a lattice periodic in both directions"
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
        self.rows = max(1, LANES // width)  # rows that share one draw of random words
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
        out = np.empty((len(self.words), *self.shape))
        for words, spins in zip(self.words, out, strict=True):
            unpack(words[0], words[1], spins)
        return {self.name: out}

    def energies(self):
        """Energy of every chain, (chains,), counted from the words."""
        unlike = np.array([unsatisfied(*words) for words in self.words])
        return self.coupling * (2.0 * unlike - 2.0 * self.shape[0] * self.shape[1])


def _pack(spins):
    """(chains, rows, columns) spins to (chains, 2, rows, words), one block a colour."""
    split: Any = split_colours(spins > 0, np.arange(spins.shape[1]) % 2)
    packed = np.packbits(split, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64)


@kernel
def unpack(first, second, spins):
    """Both colours' words to spins (rows, columns)."""
    one = np.uint64(1)
    for row in range(first.shape[0]):
        even, odd = (second[row], first[row]) if row % 2 else (first[row], second[row])
        for k in range(first.shape[1]):
            here, a, b = spins[row, 128 * k : 128 * k + 128], even[k], odd[k]
            for bit in range(64):
                here[2 * bit] = 2 * np.int64((a >> np.uint64(bit)) & one) - 1
                here[2 * bit + 1] = 2 * np.int64((b >> np.uint64(bit)) & one) - 1


@inlined
def _digit(limit, place):
    """A binary digit of a threshold, as a word of zeros or of ones."""
    return np.uint64(0) - ((limit >> np.uint64(place)) & np.uint64(1))


@kernel
def compare(lanes, limits, low, high, below, settled, coin):
    """Draw digits low..high - 1 of random numbers, one for every bit, and compare them with two thresholds.

    Into below, settled (2, k): whether the number is smaller by these digits, and whether any of them differs; into
    coin (k,): its highest digit, for spins that need no comparison.  Returns the bits that some word has not settled.
    """
    a, b, c, d = lanes[0], lanes[1], lanes[2], lanes[3]
    less4, less8, apart4, apart8 = below[0], below[1], settled[0], settled[1]
    below[:] = np.uint64(0)
    settled[:] = np.uint64(0)
    # Lowest digit first, so that the highest has the last word.  Four digits a pass, spelled out, so that a word's
    # generator and results stay in registers; words innermost: vectorises.
    for place in range(low, high, 4):
        p0, p1, p2, p3 = (_digit(limits[0], place), _digit(limits[0], place + 1), _digit(limits[0], place + 2),
                          _digit(limits[0], place + 3))  # fmt: skip
        q0, q1, q2, q3 = (_digit(limits[1], place), _digit(limits[1], place + 1), _digit(limits[1], place + 2),
                          _digit(limits[1], place + 3))  # fmt: skip
        for k in range(less4.size):
            s0, s1, s2, s3 = a[k], b[k], c[k], d[k]
            x, y, u, v = less4[k], less8[k], apart4[k], apart8[k]
            r, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            x, y = (p0 & ~r) | (x & ~(p0 ^ r)), (q0 & ~r) | (y & ~(q0 ^ r))
            u, v = u | (p0 ^ r), v | (q0 ^ r)
            r, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            x, y = (p1 & ~r) | (x & ~(p1 ^ r)), (q1 & ~r) | (y & ~(q1 ^ r))
            u, v = u | (p1 ^ r), v | (q1 ^ r)
            r, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            x, y = (p2 & ~r) | (x & ~(p2 ^ r)), (q2 & ~r) | (y & ~(q2 ^ r))
            u, v = u | (p2 ^ r), v | (q2 ^ r)
            r, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            x, y = (p3 & ~r) | (x & ~(p3 ^ r)), (q3 & ~r) | (y & ~(q3 ^ r))
            u, v = u | (p3 ^ r), v | (q3 ^ r)
            a[k], b[k], c[k], d[k] = s0, s1, s2, s3
            less4[k], less8[k], apart4[k], apart8[k], coin[k] = x, y, u, v, r
    left = np.uint64(0)
    for k in range(less4.size):
        left |= ~(apart4[k] & apart8[k])
    return left


@kernel
def sweep(first, second, lanes, limits, against, rows, sweeps):
    """Update both colours of one lattice, (height, width) words each, ``sweeps`` times."""
    height, width = first.shape
    size, zero, one, last = rows * width, np.uint64(0), np.uint64(1), np.uint64(63)
    # With room at both ends: what two threads allocate may share a cache line, which halved their speed.
    scratch, odd_rows = np.empty((16, size), np.uint64), np.empty(size + width + 2 * APART, np.uint64)[APART:-APART]
    chosen, settled, tail, rest, side = scratch[2:4], scratch[4:6], scratch[6:8], scratch[8:10], scratch[10]
    coin, unused = scratch[11], scratch[12]
    for k in range(size + width):
        odd_rows[k] = ~zero if (k // width) % 2 else zero
    # Rows one after the other with the last above the first and the first below the last: blocks of rows vectorise.
    flat = np.empty((4, (height + 2) * width), np.uint64)[1:3]
    flat[0, width:-width], flat[1, width:-width] = first.ravel(), second.ravel()
    for half in range(2 * sweeps):
        mine, other = flat[half % 2], flat[1 - half % 2]
        other[:width], other[-width:] = other[-2 * width : -width], other[width : 2 * width]
        for top in range(0, height, rows):
            if compare(lanes, limits, BITS - FIRST, BITS, chosen, settled, coin) != zero:
                compare(lanes, limits, 0, BITS - FIRST, tail, rest, unused)
                for k in range(size):
                    chosen[0, k] |= tail[0, k] & ~settled[0, k]
                    chosen[1, k] |= tail[1, k] & ~settled[1, k]
            many = min(rows, height - top)
            start, stop, odd = (top + 1) * width, (top + 1 + many) * width, (top + half) % 2
            here, target = other[start:stop], mine[start:stop]
            up, down = other[start - width : stop - width], other[start + width : stop + width]
            before, after, turned = other[start - 1 : stop - 1], other[start + 1 : stop + 1], odd_rows[odd * width :]
            for k in range(here.size):
                right, left = (here[k] >> one) | (after[k] << last), (here[k] << one) | (before[k] >> last)
                side[k] = left ^ ((left ^ right) & turned[k])
            for row in range(many):  # a row closes on itself
                a, b = row * width, row * width + width - 1
                if (row + odd) % 2 == 1:
                    side[b] = (here[b] >> one) | (here[a] << last)
                else:
                    side[a] = (here[a] << one) | (here[b] >> last)
            four, eight = chosen[0], chosen[1]
            for k in range(here.size):
                s = target[k] ^ against
                d0, d1, d2, d3 = s ^ up[k], s ^ down[k], s ^ here[k], s ^ side[k]
                o1, o2 = d0 ^ d1, d2 ^ d3
                a1, a2 = d0 & d1, d2 & d3
                two = a1 | a2 | (o1 & o2)
                three = (a1 & a2) | ((a1 | a2) & (o1 | o2))
                some = o1 | o2
                target[k] ^= (two & (three | coin[k])) | (~two & ((some & four[k]) | (~some & eight[k])))
    first[:], second[:] = flat[0, width:-width].reshape(height, width), flat[1, width:-width].reshape(height, width)


@kernel
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


@inlined
def _ones(word):
    """Bits set in a word (SWAR)."""
    w = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    w = (w & np.uint64(0x3333333333333333)) + ((w >> np.uint64(2)) & np.uint64(0x3333333333333333))
    w = (w + (w >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((w * np.uint64(0x0101010101010101)) >> np.uint64(56))
