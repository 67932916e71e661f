"""OneWay: couplings of one direction within a layer, which no energy has."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import text
from physlearn.terms.fits import angles, codes, expect_shape, refuse_kinds


class OneWay:
    """Couplings W_ij from j to i within a layer, W_ij != W_ji: the field W x of no energy, for a `System`.

    Parameters
    ----------
    layer : str
    parameter : str
        Name in theta of W, (n, n); its diagonal does not count.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Spin, System
    >>> driven = System({"s": (Spin(), 2)}, [OneWay("s")], {"W": np.array([[0.0, 2.0], [0.0, 0.0]])})
    >>> driven.field({"s": np.array([[1.0, -1.0]])}, "s")
    array([[-2.,  0.]])
    """

    def __init__(self, layer, parameter="W"):
        self.layers, self.parameter = (text("layer", layer),) * 2, text("parameter", parameter)

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse codes, which have no products, and couplings of another shape."""
        name, _ = self.layers
        refuse_kinds(
            self, layers, name, (codes, angles), "codes and angles have no products; take Spin, Binary or Real"
        )
        expect_shape(theta, self.parameter, (layers[name].size,) * 2, f"from and to each variable of layer {name!r}")

    def field(self, x, theta, layer):
        """W x, shaped like the layer."""
        flat, w = x[layer].reshape(len(x[layer]), -1), theta[self.parameter]
        return (flat @ w.T - np.diag(w) * flat).reshape(x[layer].shape)

    def response(self, x, theta, weight):
        """-sum_b w_b x_i x_j, what each synapse sees of its two ends (Hebb's rule with the sign of dE/dW)."""
        flat = x[self.layers[0]].reshape(len(weight), -1)
        product = -(flat * np.asarray(weight)[:, None]).T @ flat
        np.fill_diagonal(product, 0.0)
        return {self.parameter: product}
