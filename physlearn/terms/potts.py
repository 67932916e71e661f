"""PottsPairs: couplings between equal codes, E = -sum_e J_e delta(s_i, s_j) (Potts 1952; Wu 1982).

PottsBias: a weight for every code of every variable, E = -sum_i b_i(s_i).
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.energy import Local
from physlearn.kernels.jit import kernel
from physlearn.terms.fits import expect_codes, expect_shape
from physlearn.terms.pairs import Pairs


class PottsPairs:
    """Couplings within one `Potts` layer that favour equal codes where J > 0.

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
        Name in theta of the (m,) couplings J, energy.

    Raises
    ------
    ValueError
        For pairs of another shape, out of range, or a variable paired with itself; fewer than two codes.

    Examples
    --------
    >>> import numpy as np
    >>> PottsPairs("s", [(0, 1), (1, 2)], q=3).energy({"s": np.array([[2, 2, 0]])}, {"J": np.array([1.5, 1.0])})
    array([-1.5])
    """

    def __init__(self, layer, pairs, q, n=None, parameter="J"):
        if q != int(q) or q < 2:
            raise ValueError(f"q: got {q!r}, expected an integer of at least 2")
        checked = Pairs(layer, pairs, n, parameter)
        self.layers, self.parameter, self.q = checked.layers, parameter, int(q)
        self.i, self.j, self.n, self._graph = checked.i, checked.j, checked.n, checked

    def __repr__(self):
        return brief(self, layers=self.layers, pairs=len(self.i), n=self.n, q=self.q, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse a layer of other kind or q, another number of couplings or of variables."""
        expect_codes(self, layers, self.layers[0], self.q)
        self._graph.check_numbers(layers, theta)

    def energy(self, x, theta):
        """-sum J delta, (batch,)."""
        return -self._equal(x) @ theta[self.parameter]

    def field(self, x, theta, layer):
        """f(k) = sum_j J_ij [s_j = k], shaped like the layer with one more axis of length q."""
        flat = x[layer].reshape(len(x[layer]), -1)
        matrix = self._graph.matrix(theta)
        out = np.stack([(matrix @ (flat == k).T.astype(float)).T for k in range(self.q)], -1)
        return out.reshape(*x[layer].shape, self.q)

    def gradient(self, x, theta, weight):
        """-sum_b w_b delta, (m,)."""
        return {self.parameter: -(np.asarray(weight) @ self._equal(x))}

    @property
    def local(self):
        """Codes of the neighbours and the couplings to them; all other codes have field 0."""
        return Local(self._prepare, _gap, _commit)

    def _prepare(self, x, theta):
        matrix = self._graph.matrix(theta)
        return np.zeros(0), np.concatenate([[self.n], matrix.indptr, matrix.indices]).astype(np.int64), matrix.data

    def _equal(self, x):
        flat = x[self.layers[0]].reshape(len(x[self.layers[0]]), -1)
        return (flat[:, self.i] == flat[:, self.j]).astype(float)


class PottsBias:
    """A weight for every code of every variable of one `Potts` layer.

    Parameters
    ----------
    layer : str
        The layer acted on.
    parameter : str
        Name in theta of the weights, (*shape, q), energy.

    Examples
    --------
    >>> import numpy as np
    >>> PottsBias("s").energy({"s": np.array([[2, 0]])}, {"bias": np.array([[0.0, 0.0, 1.5], [0.25, 0.0, 0.0]])})
    array([-1.75])
    """

    def __init__(self, layer, parameter="bias"):
        self.layers, self.parameter = (layer,), parameter

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse a layer of other kind, and weights of another shape."""
        (name,) = self.layers
        expect_codes(self, layers, name)
        shape = (*layers[name].shape, layers[name].kind.q)
        expect_shape(theta, self.parameter, shape, f"a weight for every code of every variable of layer {name!r}")

    def energy(self, x, theta):
        """-sum_i b_i(s_i), (batch,)."""
        codes = x[self.layers[0]]
        weights = np.broadcast_to(theta[self.parameter], (*codes.shape, theta[self.parameter].shape[-1]))
        return -np.take_along_axis(weights, codes[..., None], -1).reshape(len(codes), -1).sum(1)

    def field(self, x, theta, layer):
        """The weights, repeated over the batch."""
        return np.broadcast_to(theta[self.parameter], (len(x[layer]), *theta[self.parameter].shape))

    def gradient(self, x, theta, weight):
        """-sum_b w_b of the indicators, (*shape, q)."""
        q = theta[self.parameter].shape[-1]
        shown = x[self.layers[0]][..., None] == np.arange(q)
        return {self.parameter: -np.tensordot(weight, shown.astype(float), 1)}

    @property
    def local(self):
        """All codes and their weights."""
        return Local(self._prepare, _bias_gap, _commit)

    def _prepare(self, x, theta):
        weights = theta[self.parameter]
        return np.zeros(0), np.array([weights.shape[-1]]), weights.ravel()


@kernel
def _gap(i, x, cache, ints, floats, codes, f):
    start, end = ints[1 + i], ints[2 + i]
    found = 0
    for k in range(start, end):
        code = np.int64(x[ints[2 + ints[0] + k]])
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


@kernel
def _bias_gap(i, x, cache, ints, floats, codes, f):
    for k in range(ints[0]):
        codes[k] = k
        f[k] = floats[i * ints[0] + k]
    return ints[0]
