"""Bias: a constant force on every variable, E = -b.x (injected currents, fields, thresholds)."""

from __future__ import annotations

from copy import copy

import numpy as np

from physlearn.brief import brief
from physlearn.checks import text
from physlearn.terms.fits import angles, codes, expect_like, refuse_kinds, shared


class Bias:
    """A constant force on one layer of numbers: `Real`, `Spin`, `Binary` or any other list.

    Parameters
    ----------
    layer : str
        The layer acted on.
    parameter : str
        Name in theta of the force, shaped like the layer (amperes on a layer of volts), or as it broadcasts to that
        shape: (channels,) is one force for every channel of images.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Spin
    >>> pushed = Energy({"s": (Spin(), 2)}, [Bias("s")], {"bias": np.array([0.5, 0.25])})
    >>> float(pushed(np.array([1.0, -1.0])))
    -0.25
    """

    holomorphic = True
    multilinear = True
    rowwise = True
    single = True

    def __init__(self, layer, parameter="bias"):
        self.layers, self.parameter = (text("layer", layer),), text("parameter", parameter)
        self.shape = None

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def on(self, layers):
        """A copy that knows the layer's shape, which a shared force does not have."""
        other = copy(self)
        other.shape = layers[self.layers[0]].shape
        return other

    def check(self, layers, theta):
        """Refuse codes, which have no slope, angles, whose energy would not close, and forces of another shape."""
        (name,) = self.layers
        refuse_kinds(self, layers, name, (codes,), "use PottsBias, a weight for every code")
        refuse_kinds(self, layers, name, (angles,), "use AngleBias for a field, or Torque in a System")
        expect_like(theta, self.parameter, layers, name)

    def energy(self, x, theta):
        """-b.x, (batch,)."""
        v = x[self.layers[0]]
        return -np.sum((v * theta[self.parameter]).reshape(len(v), -1), -1)

    def field(self, x, theta, layer):
        """The force itself, repeated over the batch; on a spin too, since E(+1) - E(-1) = -2b."""
        return np.broadcast_to(theta[self.parameter], x[layer].shape)

    def gradient(self, x, theta, weight):
        """-sum of w x, shaped like the force."""
        return {self.parameter: shared(-np.tensordot(weight, x[self.layers[0]], 1), theta[self.parameter].shape)}

    def gradient_moments(self, basis, gram, theta):
        """`gradient` of the states c @ basis; c[0] = 1 by convention, so gram[0] holds sum w c."""
        b = theta[self.parameter]
        return {self.parameter: shared(-(gram[0] @ basis).reshape(self.shape or b.shape), b.shape)}

    def curvature(self, x, theta, layer):
        """Zero."""
        return np.zeros(())

    def quadratic(self, theta):
        """No coupling, b."""
        import scipy.sparse as sp

        b = theta[self.parameter]
        b = (b if self.shape is None else np.broadcast_to(b, self.shape)).ravel()
        return sp.csr_matrix((b.size, b.size)), b

    def jacobian(self, x, theta):
        """Zero."""
        return self.quadratic(theta)[0]
