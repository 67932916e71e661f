"""Parabola: a parabolic well for every variable, E = sum_i k_i x_i^2/2 (springs to zero, Gaussian units)."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import text
from physlearn.terms.fits import angles, expect_like, gaps, refuse_kinds


class Parabola:
    """A quadratic well on one layer of numbers: `Real`, or more than two values (D s^2 of `SpinOne`, k = 2 D).

    On `Real`, with a `Bias` b, its minimum is b/k, its variance at T is T/k.

    Parameters
    ----------
    layer : str
    parameter : str
        Name in theta of the stiffness k, energy per square, shaped like the layer.  Where it is learnt, bound
        it away from zero.

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

    def __init__(self, layer, parameter="stiffness"):
        self.layers, self.parameter = (text("layer", layer),), text("parameter", parameter)

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse kinds of two values and codes, where -k x is no energy gap, angles, stiffnesses of another shape."""
        (name,) = self.layers
        remedy = "x^2 is a constant on spins; on 0/1 variables use Bias with -k/2"
        refuse_kinds(self, layers, name, (gaps,), remedy)
        refuse_kinds(self, layers, name, (angles,), "an angle has no square; use AngleBias for a direction")
        expect_like(theta, self.parameter, layers, name)

    def energy(self, x, theta):
        """k x^2/2, summed over variables, (batch,)."""
        v = x[self.layers[0]]
        return 0.5 * np.sum((theta[self.parameter] * v**2).reshape(len(v), -1), -1)

    def field(self, x, theta, layer):
        """-k x, shaped like the layer."""
        return -theta[self.parameter] * x[layer]

    def gradient(self, x, theta, weight):
        """Sum of w x^2/2, shaped like the layer."""
        return {self.parameter: np.tensordot(weight, 0.5 * x[self.layers[0]] ** 2, 1)}

    def gradient_moments(self, basis, gram, theta):
        """`gradient` of the states c @ basis, from gram = sum_b w_b c_b^T c_b."""
        square = 0.5 * np.sum(basis * (gram @ basis), 0)
        return {self.parameter: square.reshape(theta[self.parameter].shape)}

    def curvature(self, x, theta, layer):
        """k."""
        return theta[self.parameter]

    def quadratic(self, theta):
        """diag(k) and b = 0."""
        import scipy.sparse as sp

        k = theta[self.parameter].ravel()
        return sp.diags_array(k, format="csr"), np.zeros(k.size)

    def jacobian(self, x, theta):
        """-diag(k)."""
        return -self.quadratic(theta)[0]
