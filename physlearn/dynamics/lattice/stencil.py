"""Graph of an energy, and the lattice it may be: read by the lattice, replica and cluster engines."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.kinds import two_values
from physlearn.terms.bias import Bias
from physlearn.terms.pairs import Pairs
from physlearn.terms.potts import PottsPairs


class Graph(NamedTuple):
    """Couplings E = -sum_e J_e s_i s_j (q = 2) or -sum_e J_e delta(s_i, s_j), and fields (0 where there are none)."""

    name: str
    shape: tuple
    q: int
    potts: bool
    i: np.ndarray
    j: np.ndarray
    couplings: np.ndarray
    field: np.ndarray


class Stencil(NamedTuple):
    """Nearest-neighbour couplings of a lattice: ``bonds[axis][site]`` joins a site to the next along the axis."""

    bonds: np.ndarray
    periodic: tuple


def graph_of(problem) -> Graph | str:
    """The graph of an energy of one discrete layer with pair couplings, or the reason why it has none."""
    system = problem.system
    if problem.complex:
        return "the state is complex"
    if len(system.layers) != 1:
        return "it has more than one layer"
    name, (kind, shape) = next(iter(system.layers.items()))
    potts = getattr(kind, "coded", False)
    if not potts and two_values(kind) != (-1.0, 1.0):
        return f"its kind {kind} is not Spin or Potts"
    if problem.clamps or np.any(problem.push):
        return "some variables are clamped or forced"
    wanted = (PottsPairs,) if potts else (Pairs, Bias)
    other = [type(t).__name__ for t in system.terms if type(t) not in wanted]
    if other:
        return f"its term {other[0]} is not one of {[t.__name__ for t in wanted]}"
    pairs = [t for t in system.terms if type(t) is not Bias]
    if not pairs:
        return "it has no couplings"
    if potts and not all(term.equal(system.theta) for term in pairs):
        return "its couplings are not between equal codes alone"
    field = np.zeros(system.layers[name].size)
    for term in system.terms:
        if type(term) is Bias:
            field = field + np.broadcast_to(system.theta[term.parameter], shape).ravel()
    couplings = [np.broadcast_to(system.theta[t.parameter], len(t.i)) for t in pairs]
    i, j, couplings = (_joined(parts) for parts in ([t.i for t in pairs], [t.j for t in pairs], couplings))
    return Graph(name, shape, len(kind.levels), potts, i, j, couplings, field)


def stencil_of(problem, graph: Graph) -> Stencil | str:
    """The couplings as a square or cubic lattice shaped like the layer, or the reason why they are not.

    Recognised by the pairs themselves; their places are kept in the system's plans.
    """
    if graph.potts:
        return "its variables are not Spin"
    if len(graph.shape) not in (2, 3) or min(graph.shape) < 2:
        return f"its layer has shape {graph.shape}, expected a square or cubic lattice (at least two sites a side)"
    terms, slot, periodic = problem.system.plans.get("stencil", (None, None, None))
    if terms is not problem.system.terms:
        slot, periodic = slots(graph.shape, graph.i, graph.j)
        problem.system.plans["stencil"] = problem.system.terms, slot, periodic
    if slot is None:
        return "some of its couplings do not join nearest neighbours of the lattice that its layer's shape spans"
    bonds = np.bincount(slot, graph.couplings, len(graph.shape) * graph.field.size)
    return Stencil(bonds.reshape(len(graph.shape), *graph.shape), periodic)


def slots(shape, i, j):
    """Where in ``bonds``, flat, each coupling (i, j) goes, and which axes close on themselves; None: not a lattice."""
    strides = np.cumprod([1, *shape[:0:-1]])[::-1]
    slot, periodic, steps = np.zeros(len(i), np.int64), [], np.zeros(len(i), np.int64)
    for axis, (extent, stride) in enumerate(zip(shape, strides, strict=True)):
        a, b = (k // stride % extent for k in (i, j))
        gap = b - a
        ahead = (gap == 1) | ((gap == 1 - extent) & (extent > 2))
        behind = (gap == -1) | ((gap == extent - 1) & (extent > 2))
        if extent == 2:
            ahead, behind = gap == 1, gap == -1
        steps += np.where(gap == 0, 0, np.where(ahead | behind, 1, 2))
        first = np.where(ahead, i, j)
        slot = np.where(gap != 0, axis * np.prod(shape, dtype=int) + first, slot)
        periodic.append(bool(np.any(np.abs(gap) > 1)))
    return (slot if np.all(steps == 1) else None), tuple(periodic)


def _joined(parts):
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def split_colours(lattice, parity):
    """Checkerboard halves of rows, (..., rows, columns) to (..., 2, rows, columns / 2).

    ``parity`` (rows,) is 0 or 1: colour c of a row is its columns of parity (parity + c) mod 2.
    """
    *lead, rows, columns = lattice.shape
    out = np.empty((*lead, 2, rows, columns // 2), lattice.dtype)
    for colour in (0, 1):
        for odd in (0, 1):
            here = parity == odd
            out[..., colour, here, :] = lattice[..., here, (odd + colour) % 2 :: 2]
    return out


def join_colours(halves, parity):
    """The inverse of `split_colours`."""
    *lead, _, rows, half = halves.shape
    out = np.empty((*lead, rows, 2 * half), halves.dtype)
    for colour in (0, 1):
        for odd in (0, 1):
            here = parity == odd
            out[..., here, (odd + colour) % 2 :: 2] = halves[..., colour, here, :]
    return out
