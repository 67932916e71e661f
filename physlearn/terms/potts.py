"""PottsPairs: couplings between codes, E = -sum_e J_e M[s_i, s_j] or -sum_e J_e[s_i, s_j] (Potts 1952; Wu 1982).

M is the product of the layer's values: 1 for equal codes and 0 for others of `Potts`, the cosine of the angle between
two hours of a `Clock`.  Matrices in J's place, one a pair or one for all, are the couplings of any other model: direct-
coupling analysis (Weigt et al. 2009), chiral clocks, substitution scores.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count
from physlearn.energy import Local
from physlearn.kernels.jit import kernel
from physlearn.terms.fits import expect_codes
from physlearn.terms.pairs import Pairs


class PottsPairs:
    """Couplings within one layer of codes (`Potts`, `Clock`), which favour what J weighs positive.

    Parameters
    ----------
    layer : str
        The layer it couples.
    pairs : (m, 2) array of int
        The two variables of every coupling (flat indices); parallel couplings add.
    q : int
        Number of codes of the layer.
    n : int, optional
        Number of variables; default one more than the largest index.
    parameter : str
        Name in theta of J, energy: (m,) numbers, that weigh the product of the layer's values (equal codes of Potts);
        or matrices J[s_i, s_j], (q, q) for all pairs or (m, q, q), which need not be symmetric: i is a pair's first.

    Raises
    ------
    ValueError
        For pairs of another shape, out of range, or a variable paired with itself; fewer than two codes.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Potts
    >>> term, layers = PottsPairs("s", [(0, 1), (1, 2)], q=3), {"s": (Potts(3), 3)}
    >>> float(Energy(layers, [term], {"J": np.array([1.5, 1.0])})(np.array([2, 2, 0])))
    -1.5
    >>> float(Energy(layers, [term], {"J": np.arange(9.0).reshape(3, 3)})(np.array([2, 2, 0])))  # -J[2, 2] - J[2, 0]
    -14.0
    """

    products: Any = None  # of the layer's values, (q, q); None: 1 for equal codes, else 0

    def __init__(self, layer, pairs, q, n=None, parameter="J"):
        checked = Pairs(layer, pairs, n, parameter)
        self.layers, self.parameter, self.q = checked.layers, parameter, count("q", q, least=2)
        self.i, self.j, self.n, self._graph = checked.i, checked.j, checked.n, checked

    def __repr__(self):
        return brief(self, layers=self.layers, pairs=len(self.i), n=self.n, q=self.q, parameter=self.parameter)

    def on(self, layers):
        """The same term, which knows the products of its layer's values."""
        term = copy(self)
        term.products = getattr(layers[self.layers[0]].kind, "products", None)
        return term

    def check(self, layers, theta):
        """Refuse a layer of other kind or q, another number of couplings or of variables."""
        expect_codes(self, layers, self.layers[0], self.q)
        m, q, given = len(self.i), self.q, np.shape(theta[self.parameter])
        if given not in ((m,), (q, q), (m, q, q)):
            raise ValueError(
                f"theta[{self.parameter!r}]: shape {given}, expected {(m,)}, one for each pair, {(q, q)}, a matrix for "
                f"all pairs, or {(m, q, q)}, one for each"
            )
        self._graph.check_size(layers)

    def equal(self, theta):
        """Whether J weighs equal codes alone."""
        return np.ndim(theta[self.parameter]) == 1 and self.products is None

    def energy(self, x, theta):
        """-sum J, (batch,)."""
        if self.equal(theta):
            return -self._agree(x) @ theta[self.parameter]
        return -np.sum(self._entries(x, self._matrices(theta)) * self._strengths(theta), 1)

    def field(self, x, theta, layer):
        """f(k) = sum_j J_ij[k, s_j], shaped like the layer with one more axis of length q."""
        flat = x[layer].reshape(len(x[layer]), -1)
        if np.ndim(theta[self.parameter]) == 1:
            matrix = self._graph.matrix(theta)
            out = np.stack([(matrix @ (flat == k).T.astype(float)).T for k in range(self.q)], -1)
            out = out if self.products is None else out @ self.products
        else:
            j, e = self._matrices(theta), np.arange(len(self.i)) if np.ndim(theta[self.parameter]) == 3 else 0
            out = np.zeros((flat.shape[1], len(flat), self.q))  # variables first, where rows add up
            np.add.at(out, self.i, np.swapaxes(j, 1, 2)[e, flat[:, self.j]].transpose(1, 0, 2))
            np.add.at(out, self.j, j[e, flat[:, self.i]].transpose(1, 0, 2))
            out = out.transpose(1, 0, 2)
        return out.reshape(*x[layer].shape, self.q)

    def gradient(self, x, theta, weight):
        """-sum_b w_b of what every number of J weighs, shaped like J."""
        weight, shape = np.asarray(weight), np.shape(theta[self.parameter])
        if len(shape) == 1:
            seen = self._agree(x) if self.products is None else self._entries(x, self.products[None])
            return {self.parameter: -(weight @ seen)}
        flat = x[self.layers[0]].reshape(len(weight), -1)
        place = flat[:, self.i] * self.q + flat[:, self.j]
        if len(shape) == 3:
            place = place + np.arange(len(self.i)) * self.q**2
        weights = np.repeat(weight, len(self.i))
        return {self.parameter: -np.bincount(place.ravel(), weights, int(np.prod(shape))).reshape(shape)}

    @property
    def local(self):
        """Codes of the neighbours and the couplings to them, all others having field 0; all codes under matrices."""
        return Local(self._prepare, _gap, _commit)

    def _prepare(self, x, theta):
        if self.equal(theta):
            matrix = self._graph.matrix(theta)
            ints = np.concatenate([[self.n, 0], matrix.indptr, matrix.indices])
            return np.zeros(0), ints.astype(np.int64), matrix.data
        matrices = self._matrices(theta)
        ends, others = np.concatenate([self.i, self.j]), np.concatenate([self.j, self.i])
        order, m = np.argsort(ends, kind="stable"), len(self.i)
        at = np.tile(np.arange(m) if len(matrices) == m > 1 else np.zeros(m, np.int64), 2) * self.q**2
        first = np.arange(2 * m) < m  # J[own, other] is read along its rows' number, else along its columns'
        entries = np.stack([others, at, np.where(first, self.q, 1), np.where(first, 1, self.q)], 1)[order]
        indptr = np.searchsorted(ends[order], np.arange(self.n + 1))
        ints = np.concatenate([[self.n, self.q], indptr, entries.ravel()])
        strengths = np.tile(np.broadcast_to(self._strengths(theta), m), 2)[order]
        return np.zeros(0), ints.astype(np.int64), np.concatenate([strengths, matrices.ravel()])

    def _matrices(self, theta):
        """(1 or m, q, q), unless only equal codes count."""
        j = theta[self.parameter]
        return self.products[None] if j.ndim == 1 else j.reshape(-1, self.q, self.q)

    def _strengths(self, theta):
        """What the entries of the matrices are multiplied by, (m,) or a number."""
        j = theta[self.parameter]
        return j if j.ndim == 1 else 1.0

    def _entries(self, x, matrices):
        """The entry of its matrix for every pair, (batch, m)."""
        flat = x[self.layers[0]].reshape(len(x[self.layers[0]]), -1)
        e = np.arange(len(self.i)) if len(matrices) == len(self.i) else 0
        return matrices[e, flat[:, self.i], flat[:, self.j]]

    def _agree(self, x):
        flat = x[self.layers[0]].reshape(len(x[self.layers[0]]), -1)
        return (flat[:, self.i] == flat[:, self.j]).astype(float)


@kernel
def _gap(i, x, cache, ints, floats, codes, f):
    q, start, end = ints[1], ints[2 + i], ints[3 + i]
    first = 3 + ints[0]
    if q > 0:  # matrices: all codes
        for k in range(q):
            codes[k] = k
            f[k] = 0.0
        matrices = ints[first - 1]  # strengths come first
        for entry in range(start, end):
            at = first + 4 * entry
            place = matrices + ints[at + 1] + np.int64(x[ints[at]]) * ints[at + 3]
            for k in range(q):
                f[k] += floats[entry] * floats[place + k * ints[at + 2]]
        return q
    found = 0
    for k in range(start, end):
        code = np.int64(x[ints[first + k]])
        slot = 0
        while slot < found and codes[slot] != code:
            slot += 1
        if slot == found:
            codes[slot] = code
            f[slot] = 0.0
            found += 1
        f[slot] += floats[k]
    return found


@kernel
def _commit(i, new, x, cache, ints, floats):
    pass
