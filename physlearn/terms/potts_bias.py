"""PottsBias: a weight for every code of every variable, E = -sum_i b_i(s_i)."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import text
from physlearn.energy import Local
from physlearn.kernels.jit import kernel
from physlearn.terms.fits import expect_codes, expect_shape


class PottsBias:
    """A weight for every code of every variable of one layer of codes (`Potts`, `Clock`).

    Parameters
    ----------
    layer : str
        The layer acted on.
    parameter : str
        Name in theta of the weights, (*shape, q), energy.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Potts
    >>> weights = np.array([[0.0, 0.0, 1.5], [0.25, 0.0, 0.0]])
    >>> float(Energy({"s": (Potts(3), 2)}, [PottsBias("s")], {"bias": weights})(np.array([2, 0])))
    -1.75
    """

    def __init__(self, layer, parameter="bias"):
        self.layers, self.parameter = (text("layer", layer),), text("parameter", parameter)

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse a layer of other kind, and weights of another shape."""
        (name,) = self.layers
        expect_codes(self, layers, name)
        shape = layers[name].field_shape
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
def _bias_gap(i, x, cache, ints, floats, codes, f):
    for k in range(ints[0]):
        codes[k] = k
        f[k] = floats[i * ints[0] + k]
    return ints[0]


@kernel
def _commit(i, new, x, cache, ints, floats):
    pass
