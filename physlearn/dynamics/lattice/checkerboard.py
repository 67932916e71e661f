"""Checkerboard engine of `sample`: Ising spins on square and cubic lattices, one colour at a time.

Heat bath, P(+1) = 1/(1 + exp(-2 f/T)), for any nearest-neighbour couplings and fields on lattices that are
free, or periodic with an even extent, in each direction.  Spins of one colour do not couple, so all of them
are drawn at once (and the loops vectorise); the two colours in turn leave exp(-E/T) invariant.

Where couplings and field are one number each, spins are bytes and P(+1) is looked up by the sum of the
neighbours, rounded to 2^-32; else fields are summed in float64 and the exponential is a polynomial
(relative error 1e-14).
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
from scipy.special import expit

from physlearn.dynamics.lattice.stencil import graph_of, join_colours, split_colours, stencil_of
from physlearn.dynamics.lattice.words import lanes_of, next_words, over_chains, thresholds
from physlearn.kernels.jit import kernel

LARGEST = 700.0  # of exponents: beyond, exp leaves the normal float64 numbers
# exp(r) for |r| < 0.35 by its Taylor series, written out so that the loop vectorises.
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11 = (1.0 / math.factorial(k) for k in range(2, 12))


def refusal(problem):
    """Why this engine does not apply, or None."""
    graph = graph_of(problem)
    if isinstance(graph, str):
        return graph
    stencil = stencil_of(problem, graph)
    if isinstance(stencil, str):
        return stencil
    for axis, (extent, closed) in enumerate(zip(graph.shape, stencil.periodic, strict=True)):
        if closed and extent % 2:
            return f"axis {axis} of its lattice closes on itself after {extent} sites, an odd number: no two colours"
    return None


def bytes_refusal(problem):
    """Why the byte-sized form, much the fastest, does not apply, or None."""
    reason = refusal(problem)
    if reason is None and not _uniform(*_read(problem)):
        return "its couplings and field are not one number each on a lattice periodic in all directions"
    return reason


def _read(problem):
    """Graph and stencil of a problem that has them."""
    graph = graph_of(problem)
    assert not isinstance(graph, str)  # `refusal` has been asked
    stencil = stencil_of(problem, graph)
    assert not isinstance(stencil, str)
    return graph, stencil


def _uniform(graph, stencil):
    return (
        all(stencil.periodic)
        and bool(np.all(stencil.bonds == stencil.bonds.flat[0]))
        and bool(np.all(graph.field == graph.field[0]))
    )


class Sampler:
    """Chains under checkerboard heat bath."""

    def __init__(self, problem, state, streams):
        graph, stencil = _read(problem)
        self.name, self.shape = graph.name, graph.shape
        self.proposed = self.accepted = np.zeros(len(streams))
        *lead, self.columns = graph.shape
        self.padding = self.columns % 2  # a column of its own, coupled to nothing
        number = np.arange(np.prod(lead, dtype=int)).reshape(lead)
        self.parity = np.indices(lead).sum(0).ravel() % 2
        turned = [np.roll(number, step, axis).ravel() for axis in range(len(lead)) for step in (1, -1)]
        self.rows = np.ascontiguousarray(np.stack(turned, 1))
        field, bonds = graph.field.reshape(graph.shape), stencil.bonds
        self.uniform = _uniform(graph, stencil)
        if self.uniform:
            self.coupling, self.field = float(bonds.flat[0]), float(field.flat[0])
            self.method = "checkerboard heat bath (bytes)"
        else:
            around = [np.roll(b, step, axis) for axis, b in enumerate(bonds) for step in (1, 0)]
            self.couplings = np.ascontiguousarray(np.moveaxis(self._halves(np.stack(around)), 0, 1))
            self.field = self._halves(field[None])[0]
            self.method = "checkerboard heat bath"
        self.spins = self._halves(state[self.name]).astype(np.int8 if self.uniform else np.float64)
        half = self.spins.shape[-1]
        self.lanes = lanes_of(streams, -(-half // 2) if self.uniform else half)

    def run(self, sweeps, temperature):
        """Sweep every chain ``sweeps`` times; temperature is (chains,)."""
        if self.uniform:
            sums = np.arange(-2 * len(self.shape), 2 * len(self.shape) + 1, 2)
            chance = expit(2.0 * (self.coupling * sums + self.field) / temperature[:, None])
            table = thresholds(chance, 32).astype(np.uint32)

        def work(k):
            lattice = self.spins[k], self.parity, self.rows
            if self.uniform:
                sweep_bytes(*lattice, table[k], self.lanes[k], sweeps)
            else:
                sweep_fields(*lattice, self.couplings, self.field, 2.0 / temperature[k], self.lanes[k], sweeps)

        over_chains(work, len(self.spins), sweeps * self.spins.size)

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        joined = join_colours(self.spins, self.parity)[..., : self.columns].astype(float)
        return {self.name: joined.reshape(len(joined), *self.shape)}

    def _halves(self, arrays):
        """(k, *shape) arrays, one colour after the other: (k, 2, rows, columns / 2)."""
        flat = arrays.reshape(len(arrays), -1, self.columns)
        return split_colours(np.pad(flat, [(0, 0), (0, 0), (0, self.padding)], mode="edge"), self.parity)


bytes_engine = SimpleNamespace(refusal=bytes_refusal, Sampler=Sampler)


@kernel
def sweep_bytes(spins, parity, rows, table, lanes, sweeps):
    """Update both colours of one lattice, spins (2, rows, half); table holds P(+1) by the neighbours' sum."""
    half = spins.shape[2]
    random = np.empty(lanes.shape[1], np.uint64)
    drawn = random.view(np.uint32)
    total, limit = np.empty(half, np.int8), np.empty(half, np.uint32)
    for step in range(2 * sweeps):
        colour = step % 2
        for row in range(spins.shape[1]):
            next_words(lanes, random)
            here, mine = spins[1 - colour, row], spins[colour, row]
            if (parity[row] + colour) % 2 == 0:
                total[0] = here[0] + here[half - 1]
                for k in range(1, half):
                    total[k] = here[k] + here[k - 1]
            else:
                total[half - 1] = here[half - 1] + here[0]
                for k in range(half - 1):
                    total[k] = here[k] + here[k + 1]
            for side in range(rows.shape[1]):
                there = spins[1 - colour, rows[row, side]]
                for k in range(half):
                    total[k] += there[k]
            limit[:] = table[0]
            for entry in range(1, len(table)):
                value, chance = np.int8(2 * entry + 1 - len(table)), table[entry]
                for k in range(half):
                    limit[k] = chance if total[k] == value else limit[k]
            for k in range(half):
                mine[k] = np.int8(1) if drawn[k] < limit[k] else np.int8(-1)


@kernel
def sweep_fields(spins, parity, rows, couplings, field, slope, lanes, sweeps):
    """`sweep_bytes` with couplings (2, sides, rows, half) and field (2, rows, half); slope is 2/T."""
    half, last = spins.shape[2], couplings.shape[1] - 1
    random, total, power = np.empty(half, np.uint64), np.empty(half), np.empty(half, np.int64)
    scale = power.view(np.float64)
    for step in range(2 * sweeps):
        colour = step % 2
        for row in range(spins.shape[1]):
            next_words(lanes, random)
            here, mine, force = spins[1 - colour, row], spins[colour, row], field[colour, row]
            left, right = couplings[colour, last - 1, row], couplings[colour, last, row]
            if (parity[row] + colour) % 2 == 0:
                total[0] = force[0] + right[0] * here[0] + left[0] * here[half - 1]
                for k in range(1, half):
                    total[k] = force[k] + right[k] * here[k] + left[k] * here[k - 1]
            else:
                total[half - 1] = force[half - 1] + left[half - 1] * here[half - 1] + right[half - 1] * here[0]
                for k in range(half - 1):
                    total[k] = force[k] + left[k] * here[k] + right[k] * here[k + 1]
            for side in range(rows.shape[1]):
                there, strength = spins[1 - colour, rows[row, side]], couplings[colour, side, row]
                for k in range(half):
                    total[k] += strength[k] * there[k]
            for k in range(half):
                a = min(max(-slope * total[k], -LARGEST), LARGEST)
                whole = np.floor(a * 1.4426950408889634 + 0.5)
                r = (a - whole * 0.693147180369123816490) - whole * 1.90821492927058770002e-10
                e = _C7 + r * (_C8 + r * (_C9 + r * (_C10 + r * _C11)))
                e = _C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * (_C6 + r * e))))
                power[k] = (np.int64(whole) + 1023) << 52
                total[k] = 1.0 + r * (1.0 + r * e)
            for k in range(half):
                u = (random[k] >> np.uint64(11)) * (1.0 / 9007199254740992.0)
                mine[k] = 1.0 if u * (1.0 + total[k] * scale[k]) < 1.0 else -1.0
