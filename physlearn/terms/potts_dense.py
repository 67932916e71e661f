"""PottsDense: every code of a Potts layer couples to every variable of another, E = -sum_ij W[i, s_i, j] h_j."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import sequence, text
from physlearn.terms.fits import angles, codes, expect_codes, expect_shape, refuse_kinds


class PottsDense:
    """Couplings between a `Potts` layer and one of `Spin`, `Binary` or `Real` variables.

    Parameters
    ----------
    layers : (str, str)
        The Potts layer, and the other.
    parameter : str
        Name in theta of W, (n, q, m), energy.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.array([[[1.0], [2.0], [4.0]]])  # one variable of three codes, one hidden unit
    >>> from physlearn import Energy, Potts, Real
    >>> energy = Energy({"v": (Potts(3), 1), "h": (Real(), 1)}, [PottsDense(("v", "h"))], {"W": w})
    >>> float(energy({"v": np.array([2]), "h": np.array([1.0])}))
    -4.0
    """

    def __init__(self, layers, parameter="W"):
        self.layers = sequence("layers", layers, str, "the names of two layers, the Potts layer first")
        self.parameter = text("parameter", parameter)
        if len(self.layers) != 2 or self.layers[0] == self.layers[1]:
            raise ValueError(f"layers: got {layers!r}, expected the names of two layers, the Potts layer first")

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse layers of other kinds, and couplings of another shape."""
        first, other = self.layers
        expect_codes(self, layers, first)
        remedy = "the layer of codes comes first, the other is Spin, Binary, Real or another of numbers"
        refuse_kinds(self, layers, other, (codes, angles), remedy)
        shape = layers[first].size, len(layers[first].kind.levels), layers[other].size
        expect_shape(theta, self.parameter, shape, "variables, their codes and the other layer's variables")

    def energy(self, x, theta):
        """-sum W[i, s_i, j] h_j, (batch,)."""
        h = x[self.layers[1]]
        return -np.sum(self._push(x, theta) * h.reshape(len(h), -1), 1)

    def field(self, x, theta, layer):
        """sum_i W[i, s_i, j] on the other layer; f(k) = sum_j W[i, k, j] h_j on the Potts layer."""
        if layer == self.layers[1]:
            return self._push(x, theta).reshape(x[layer].shape)
        w, h = theta[self.parameter], x[self.layers[1]]
        n, q, m = w.shape
        return (h.reshape(len(h), m) @ w.reshape(n * q, m).T).reshape(*x[layer].shape, q)

    def gradient(self, x, theta, weight):
        """-sum_b w_b [s_i = k] h_j, (n, q, m)."""
        w, h = theta[self.parameter], x[self.layers[1]]
        weighted = h.reshape(len(h), -1) * np.asarray(weight)[:, None]
        return {self.parameter: -(self._indicators(x, w).T @ weighted).reshape(w.shape)}

    def curvature(self, x, theta, layer):
        """Zero: linear in each layer."""
        return np.zeros(())

    def _indicators(self, x, w):
        codes = x[self.layers[0]].reshape(len(x[self.layers[0]]), -1, 1)
        return (codes == np.arange(w.shape[1])).reshape(len(codes), -1).astype(float)

    def _push(self, x, theta):
        w = theta[self.parameter]
        return self._indicators(x, w) @ w.reshape(-1, w.shape[2])
