"""Bonds between codes on a regular lattice: energies of neighbouring species in each direction.

    E = sum_x sum_d J_d[s(x), s(x + e_d)] + sum_x mu[s(x)],        mu[0] = 0: code 0 is an empty site

The directions e_d of a lattice are half of its steps to neighbours; the other half are -e_d.  Most entries of J
are zero (few species bond), so the term keeps the others as a list, sorted by direction and code of a
neighbour, which give the codes that bond to it.  An engine reads the candidates there and knows that all other
codes differ by mu alone (`LatticeBonds.felt`).

`FeltBonds` is the same without an energy: a site of code a feels J_k[a, b] from a neighbour of code b in each of
the 2 D steps k, and what the neighbour feels in turn is another number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, count, integers, text
from physlearn.energy import Local
from physlearn.kernels.jit import kernel
from physlearn.terms.fits import expect_codes, expect_shape

# Steps on (..., rows, columns) arrays as they are printed: east is the next column, north the row above.
STEPS = {
    "square": ((0, 1), (-1, 0)),
    "triangular": ((0, 1), (-1, 0), (-1, -1)),
    "cubic": ((0, 0, 1), (0, -1, 0), (1, 0, 0)),
}


@dataclass(frozen=True)
class Lattice:
    """A regular lattice of sites, numbered in C order.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), or (planes, rows, columns) of a cubic lattice.
    kind : {"square", "triangular", "cubic"}
        Directions: east and north; east, north and north-west (sixty degrees apart once rows are sheared); east,
        north and up.
    periodic : bool or one for each axis
        Whether it closes on itself.  An axis that closes after two sites joins them twice; after one, not at all.

    Examples
    --------
    >>> Lattice((2, 3), periodic=False).neighbours[0].tolist()  # east, north, west, south
    [1, -1, -1, 3]
    """

    shape: tuple[int, ...]
    kind: str = "square"
    periodic: Any = True

    def __post_init__(self):
        choice("kind", self.kind, STEPS)
        axes = len(STEPS[self.kind][0])
        shape = tuple(np.atleast_1d(np.asarray(self.shape, dtype=object)).tolist())
        if len(shape) != axes or any(not isinstance(k, Integral) or isinstance(k, bool) or k < 1 for k in shape):
            raise ValueError(f"shape: got {self.shape!r}, expected {axes} positive integers for a {self.kind} lattice")
        closes = np.asarray(self.periodic)
        if closes.dtype != bool or closes.shape not in ((), (1,), (axes,)):
            raise ValueError(f"periodic: got {self.periodic!r}, expected one bool, or one for each of {axes} axes")
        object.__setattr__(self, "shape", tuple(int(k) for k in shape))
        count("shape: its number of sites", math.prod(self.shape), each=16 * self.directions)  # of `neighbours`
        object.__setattr__(self, "periodic", tuple(bool(k) for k in np.broadcast_to(closes, axes)))

    @property
    def sites(self):
        """Number of sites."""
        return int(np.prod(self.shape))

    @property
    def directions(self):
        """Number of directions D; a site has 2 D neighbours."""
        return len(STEPS[self.kind])

    @property
    def steps(self):
        """All 2 D steps, (2 D, axes): the directions, then their opposites."""
        ahead = np.array(STEPS[self.kind])
        return np.concatenate([ahead, -ahead])

    @cached_property
    def neighbours(self):
        """The site that each step leads to, (sites, 2 D) of int64; -1 outside."""
        here = np.indices(self.shape).reshape(len(self.shape), -1)
        extents = np.array(self.shape)[:, None]
        closes = (np.array(self.periodic) & (np.array(self.shape) > 1))[:, None]
        out = np.empty((self.sites, 2 * self.directions), np.int64)
        for k, step in enumerate(self.steps):
            there = here + step[:, None]
            inside = np.all((step[:, None] == 0) | closes | ((there >= 0) & (there < extents)), 0)
            out[:, k] = np.where(inside, np.ravel_multi_index(tuple(there % extents), self.shape), -1)
        out.flags.writeable = False
        return out


class Felt(NamedTuple):
    """Couplings felt by sites, as kernels read them.

    Row k q + b of a CSR matrix lists the codes (and their J) that bond to a neighbour of code b in step k; ``mu``
    (q,) is the cost of every code.
    """

    neighbours: np.ndarray
    indptr: np.ndarray
    codes: np.ndarray
    values: np.ndarray
    mu: np.ndarray


class FeltBonds:
    """Energies that a site feels from its neighbours, J_k[a, b] of any sign and symmetry: for a `System`.

    Parameters
    ----------
    layer : str
        A `Potts` layer.
    neighbours : (sites, 2 D) array of int
        As `Lattice.neighbours` has it.
    q : int
        Number of codes, the empty one included.
    bonds : (m, 3) array of int
        (step k, code a, code b) of every parameter; k = -1 stands for every step.
    parameter, cost : str
        Names in theta of the (m,) energies J and the (q - 1,) costs mu of codes 1 .. q - 1, energy.

    Examples
    --------
    Code 1 likes to have code 2 east of it; code 2 does not care:

    >>> import numpy as np
    >>> from physlearn import Potts, System
    >>> felt = FeltBonds("s", Lattice((1, 2), periodic=False).neighbours, 3, [(0, 1, 2)])
    >>> theta = {"bonds": np.array([-4.0]), "mu": np.array([3.0, 3.0])}
    >>> driven = System({"s": (Potts(3), (1, 2))}, [felt], theta)
    >>> driven.field({"s": np.array([[[1, 2]]])}, "s")[0, 0]
    array([[ 0.,  1., -3.],
           [ 0., -3., -3.]])
    """

    mutual = False

    def __init__(self, layer, neighbours, q, bonds, *, parameter="bonds", cost="mu"):
        self.layers = (text("layer", layer),) * 2
        self.parameter, self.cost = text("parameter", parameter), text("cost", cost)
        found = integers("neighbours", neighbours, ndim=2)
        self.neighbours = np.ascontiguousarray(integers("neighbours", found, low=-1, high=len(found) - 1))
        self.steps = self.neighbours.shape[1]
        self.q = q = count("q", q, least=2, each=8 * max(self.steps, 1))
        self.parameters = (parameter, cost)
        site, k = np.nonzero(self.neighbours >= 0)
        back = self.neighbours[self.neighbours[site, k], (k + self.steps // 2) % self.steps]
        if self.steps % 2 or np.any(back != site):
            raise ValueError("neighbours: a step and its opposite do not lead back; pass a Lattice's neighbours")
        found = integers("bonds", bonds)
        self.bonds = integers("bonds", found.reshape(0, 3) if not found.size else found, shape=("m", 3))
        allowed = self.steps // 2 if self.mutual else self.steps
        k, a, b = self.bonds.T
        wrong = (k < -1) | (k >= allowed) | (np.minimum(a, b) < 0) | (np.maximum(a, b) >= q)
        if np.any(wrong):
            raise ValueError(
                f"bonds: got {self.bonds[wrong][0].tolist()}, expected (step, code, code) with a step of -1 .. "
                f"{allowed - 1} and codes of 0 .. {q - 1}"
            )
        self._key, self._index = self._listed()

    def __repr__(self):
        return brief(
            self,
            layers=self.layers,
            sites=len(self.neighbours),
            q=self.q,
            bonds=len(self.bonds),
            parameter=self.parameter,
        )

    def check(self, layers, theta):
        """Refuse a layer of other kind or q, another number of sites, of energies or of costs."""
        name, _ = self.layers
        expect_codes(self, layers, name, self.q)
        if layers[name].size != len(self.neighbours):
            sites = len(self.neighbours)
            raise ValueError(
                f"neighbours: of {sites} sites, layer {name!r} has {layers[name].size}; pass the lattice's"
            )
        expect_shape(theta, self.parameter, (len(self.bonds),), "one for each bond")
        expect_shape(theta, self.cost, (self.q - 1,), "one for each code but the empty one")

    def _listed(self):
        """Sorted keys (step, neighbour's code, own code) of all bonds felt, and the parameter of each."""
        index = np.arange(len(self.bonds))
        every = self.bonds[:, 0] < 0
        parts = [(index[~every], *self.bonds[~every].T)]
        for k in range(self.steps // 2 if self.mutual else self.steps):
            parts.append((index[every], np.full(every.sum(), k), *self.bonds[every, 1:].T))
            if self.mutual:  # one number for (a, b) and (b, a)
                two = every & (self.bonds[:, 1] != self.bonds[:, 2])
                parts.append((index[two], np.full(two.sum(), k), *self.bonds[two, :0:-1].T))
        p, k, a, b = (np.concatenate(column) for column in zip(*parts, strict=True))
        if self.mutual:  # the partner feels the same, from the opposite side
            p, k, a, b = np.tile(p, 2), np.concatenate([k, k + self.steps // 2]), np.append(a, b), np.append(b, a)
        key = (k * self.q + b) * self.q + a
        order = np.argsort(key, kind="stable")
        if np.any(np.diff(key[order]) == 0):
            at = order[np.flatnonzero(np.diff(key[order]) == 0)[0]]
            raise ValueError(f"bonds: step {k[at]}, codes {a[at]} and {b[at]} are listed twice; add them up")
        return key[order], p[order]

    def felt(self, theta):
        """The `Felt` of a theta."""
        rows = np.searchsorted(self._key, np.arange(self.steps * self.q + 1) * self.q)
        mu = np.concatenate([[0.0], theta[self.cost]])
        values = np.array(theta[self.parameter][self._index])
        return Felt(self.neighbours, rows.astype(np.int64), self._key % self.q, values, mu)

    def field(self, x, theta, layer):
        """f(a) = -mu_a - sum_k J_k[a, s(x + e_k)], shaped like the layer with one more axis of length q."""
        flat, felt = self._flat(x), self.felt(theta)
        out = np.broadcast_to(0.0 - felt.mu, (flat.size, self.q)).copy()
        for k in range(self.steps):
            there = self.neighbours[:, k]
            row = np.where(there >= 0, k * self.q + flat[:, there], -1).ravel()
            site = np.flatnonzero(row >= 0)
            start, count = felt.indptr[row[site]], np.diff(felt.indptr)[row[site]]
            ends = np.cumsum(count)
            entry = np.arange(count.sum()) + np.repeat(start - ends + count, count)
            np.subtract.at(out, (np.repeat(site, count), felt.codes[entry]), felt.values[entry])
        return out.reshape(*x[layer].shape, self.q)

    def response(self, x, theta, weight):
        """Counts of what is felt: (m,) for the bonds and (q - 1,) for the costs."""
        return self._counts(x, weight, self.steps)

    @property
    def local(self):
        """Codes that bond to a neighbour, the empty one, and those of unusual cost; the others are alike."""
        return Local(self._prepare, _gap, _commit)

    def _prepare(self, x, theta):
        felt = self.felt(theta)
        costs, often = np.unique(felt.mu, return_counts=True)
        usual = costs[np.argmax(often)]
        unusual = np.flatnonzero(felt.mu != usual)
        head = [len(self.neighbours), self.steps, self.q, len(unusual)]
        ints = np.concatenate([head, self.neighbours.ravel(), unusual, felt.indptr, felt.codes])
        return np.zeros(0), ints.astype(np.int64), np.concatenate([usual - felt.mu[unusual], felt.values])

    def _flat(self, x):
        return x[self.layers[0]].reshape(len(x[self.layers[0]]), -1)

    def _found(self, x, k):
        """Batch item and parameter of every pair along step k that bonds."""
        flat, there = self._flat(x), self.neighbours[:, k]
        key = (k * self.q + flat[:, there]) * self.q + flat
        at = np.minimum(np.searchsorted(self._key, key), max(len(self._key) - 1, 0))
        if not len(self._key):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        hit = (self._key[at] == key) & (there >= 0)
        return np.nonzero(hit)[0], self._index[at[hit]]

    def _counts(self, x, weight, steps):
        weight = np.asarray(weight, dtype=float)
        bonds = np.zeros(len(self.bonds))
        for k in range(steps):
            item, parameter = self._found(x, k)
            bonds += np.bincount(parameter, weight[item], len(bonds))
        flat = self._flat(x)
        each = np.repeat(weight, flat.shape[1])
        return {self.parameter: bonds, self.cost: np.bincount(flat.ravel(), each, self.q)[1:]}


class LatticeBonds(FeltBonds):
    """Bonds with an energy: both partners feel J_d[a, b] where b is in direction d of a.

    Parameters
    ----------
    layer, neighbours, q, parameter, cost
        As of `FeltBonds`.
    bonds : (m, 3) array of int
        (direction d, code a, code b) of every parameter, d < D; d = -1 stands for every direction and both orders.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Potts
    >>> bonds = LatticeBonds("s", Lattice((1, 2), periodic=False).neighbours, 3, [(0, 1, 2)])
    >>> theta = {"bonds": np.array([-4.0]), "mu": np.array([3.0, 3.0])}
    >>> Energy({"s": (Potts(3), (1, 2))}, [bonds], theta)(np.array([[[1, 2]], [[2, 1]]]))
    array([2., 6.])
    """

    mutual = True

    def energy(self, x, theta):
        """Bonds, each pair once, and costs, (batch,)."""
        flat = self._flat(x)
        total = np.concatenate([[0.0], theta[self.cost]])[flat].sum(1)
        for k in range(self.steps // 2):
            item, parameter = self._found(x, k)
            total = total + np.bincount(item, theta[self.parameter][parameter], len(flat))
        return total

    def gradient(self, x, theta, weight):
        """Bonds and monomers, counted: (m,) and (q - 1,)."""
        return self._counts(x, weight, self.steps // 2)

    response = gradient


@kernel
def _gap(i, x, cache, ints, floats, codes, f):
    sites, steps, q, unusual = ints[0], ints[1], ints[2], ints[3]
    listed = 4 + sites * steps
    indptr = listed + unusual
    bonded = indptr + steps * q + 1
    for found in range(unusual):
        codes[found] = ints[listed + found]
        f[found] = floats[found]
    found = unusual
    for k in range(steps):
        there = ints[4 + i * steps + k]
        if there < 0:
            continue
        row = indptr + k * q + np.int64(x[there])
        for entry in range(ints[row], ints[row + 1]):
            code = ints[bonded + entry]
            slot = 0
            while slot < found and codes[slot] != code:
                slot += 1
            if slot == found:
                codes[slot] = code
                f[slot] = 0.0
                found += 1
            f[slot] -= floats[unusual + entry]
    return found


@kernel
def _commit(i, new, x, cache, ints, floats):
    pass
