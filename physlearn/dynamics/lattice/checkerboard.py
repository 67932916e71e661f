"""Checkerboard engine of `sample`: Ising spins on square and cubic lattices, one colour at a time.

Heat bath, P(+1) = 1/(1 + exp(-2 f/T)), for any nearest-neighbour couplings and fields on lattices that are
free, or periodic with an even extent, in each direction.  Spins of one colour do not couple, so all of them
are drawn at once (and the loops vectorise); the two colours in turn leave exp(-E/T) invariant.

Where couplings and field are one number each, spins are bytes and P(+1) is looked up by the sum of the
neighbours, rounded to 2^-32.  Else every coupling is kept once, in float32, fields are summed in float32 and compared
with 24 random digits: P(+1) is right to 3e-7, and below 3e-8 never drawn.  ``precision="double"`` takes float64, 53
digits and a third of the speed.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import expit

from physlearn.checks import choice
from physlearn.dynamics.lattice.checkerboard_sweeps import sweep_bonds, sweep_bytes, sweep_fields
from physlearn.dynamics.lattice.stencil import graph_of, join_colours, split_colours, stencil_of
from physlearn.dynamics.lattice.words import lanes_of, over_chains, thresholds
from physlearn.dynamics.scale import unit_of

DRAWN = 256  # sites whose random words are drawn together, at least: short rows are several
STEEPEST = 1e30  # of 2/T in units of the couplings, so that float32 holds it


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
    """Chains under checkerboard heat bath; ``precision`` is "single" or "double"."""

    def __init__(self, problem, state, streams, precision="single"):
        choice("precision", precision, ("single", "double"))
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
        half = (self.columns + self.padding) // 2
        self.form, lanes, kind = "single", half, np.int8
        if precision == "double":
            self.form, self.method, kind = "double", "checkerboard heat bath (double)", np.float64
            around = [np.roll(b, step, axis) for axis, b in enumerate(bonds) for step in (1, 0)]
            self.couplings = np.ascontiguousarray(np.moveaxis(self._halves(np.stack(around)), 0, 1))
            self.field = self._halves(field[None])[0]
        elif _uniform(graph, stencil):
            self.form, self.method, lanes = "bytes", "checkerboard heat bath (bytes)", -(-half // 2)
            one: Any = float(field.flat[0])
            self.coupling, self.field = float(bonds.flat[0]), one
        else:
            self.method, self.unit = "checkerboard heat bath", max(unit_of(bonds), unit_of(field) if field.any() else 0)
            self.group = min(len(self.rows), max(1, DRAWN // half))
            lanes = -(-self.group * half // 2)
            once = np.moveaxis(self._halves(bonds / self.unit), 0, 1)
            self.couplings = np.ascontiguousarray(once, np.float32)
            self.field = self._halves(field[None] / self.unit)[0].astype(np.float32)
        self.spins = self._halves(state[self.name]).astype(kind)
        self.lanes = lanes_of(streams, lanes)

    def run(self, sweeps, temperature):
        """Sweep every chain ``sweeps`` times; temperature is (chains,)."""
        if self.form == "bytes":
            sums = np.arange(-2 * len(self.shape), 2 * len(self.shape) + 1, 2)
            chance = expit(2.0 * (self.coupling * sums + self.field) / temperature[:, None])
            table = thresholds(chance, 32).astype(np.uint32)
        elif self.form == "single":
            slope = np.minimum(2.0 * self.unit / temperature, STEEPEST).astype(np.float32)

        def work(k):
            lattice = self.spins[k], self.parity, self.rows
            if self.form == "bytes":
                sweep_bytes(*lattice, table[k], self.lanes[k], sweeps)
            elif self.form == "single":
                given = self.couplings, self.field, bool(self.field.any()), slope[k]
                sweep_bonds(*lattice, *given, self.group, self.lanes[k], sweeps)
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
