"""Parabola: a parabolic well for every variable, E = sum_i k_i x_i^2/2 (springs to zero, Gaussian units)."""

from __future__ import annotations

from copy import copy

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, text
from physlearn.terms.fits import angles, expect_like, gaps, refuse_kinds, shared


class Parabola:
    """A quadratic well on one layer of numbers: `Real`, or more than two values (D s^2 of `SpinOne`, k = 2 D).

    On `Real`, with a `Bias` b, its minimum is b/k, its variance at T is T/k.

    Parameters
    ----------
    layer : str
    parameter : str
        Name in theta of the stiffness k, energy per square, shaped like the layer, or one number for many variables.
        Where it is learnt, bound it away from zero.
    fixed : array, optional
        A stiffness shaped like the layer that does not learn, in the place of one in theta.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> well = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": np.array([2.0, 1.0])})
    >>> float(well(np.array([1.0, 2.0])))
    3.0
    """

    holomorphic = True
    rowwise = True

    def __init__(self, layer, parameter="stiffness", *, fixed=None):
        self.layers = (text("layer", layer),)
        self.parameter = text("parameter", parameter) if fixed is None else None
        self.fixed = None if fixed is None else np.array(array("fixed", fixed))
        self.shape = None

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter, fixed=self.fixed)

    def on(self, layers):
        """A copy that knows the layer's shape, which a shared stiffness does not have."""
        other = copy(self)
        other.shape = layers[self.layers[0]].shape
        return other

    def _stiffness(self, theta):
        return theta[self.parameter] if self.fixed is None else self.fixed

    def check(self, layers, theta):
        """Refuse kinds of two values and codes, where -k x is no energy gap, angles, stiffnesses of another shape."""
        (name,) = self.layers
        remedy = "x^2 is a constant on spins; on 0/1 variables use Bias with -k/2"
        refuse_kinds(self, layers, name, (gaps,), remedy)
        refuse_kinds(self, layers, name, (angles,), "an angle has no square; use AngleBias for a direction")
        if self.fixed is None:
            expect_like(theta, self.parameter, layers, name)
        elif self.fixed.shape != layers[name].shape:
            raise ValueError(f"fixed: shape {self.fixed.shape}, expected {layers[name].shape}, that of layer {name!r}")

    def energy(self, x, theta):
        """k x^2/2, summed over variables, (batch,)."""
        v = x[self.layers[0]]
        return 0.5 * np.sum((self._stiffness(theta) * v**2).reshape(len(v), -1), -1)

    def field(self, x, theta, layer):
        """-k x, shaped like the layer."""
        return -self._stiffness(theta) * x[layer]

    def gradient(self, x, theta, weight):
        """Sum of w x^2/2, shaped like the stiffness; nothing where it is fixed."""
        if self.fixed is not None:
            return {}
        square = np.tensordot(weight, 0.5 * x[self.layers[0]] ** 2, 1)
        return {self.parameter: shared(square, theta[self.parameter].shape)}

    def gradient_moments(self, basis, gram, theta):
        """`gradient` of the states c @ basis, from gram = sum_b w_b c_b^T c_b."""
        if self.fixed is not None:
            return {}
        k, square = theta[self.parameter], 0.5 * np.sum(basis * (gram @ basis), 0)
        return {self.parameter: shared(square.reshape(self.shape or k.shape), k.shape)}

    def curvature(self, x, theta, layer):
        """k."""
        return self._stiffness(theta)

    def quadratic(self, theta):
        """diag(k) and b = 0."""
        import scipy.sparse as sp

        k = self._stiffness(theta)
        k = (k if self.shape is None else np.broadcast_to(k, self.shape)).ravel()
        return sp.diags_array(k, format="csr"), np.zeros(k.size)

    def jacobian(self, x, theta):
        """-diag(k)."""
        return -self.quadratic(theta)[0]
