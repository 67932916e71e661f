"""Convex terms of one layer, which memories and attention are made of beside their overlaps.

`SquaredNorm` keeps a `Real` layer finite; `Entropy` belongs to a layer of probabilities, and its gradient is undone by
`softmax` (Ramsauer et al. 2020).
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import positive, text
from physlearn.terms.fits import DISCRETE, angles, gaps, refuse_kinds

TINY = 1e-300  # keeps log p finite at p = 0; e^-700 is still a number


class SquaredNorm:
    """A spring to the origin on every variable of a `Real` layer, E = |x|^2/2.

    Parameters
    ----------
    layer : str

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> float(Energy({"x": (Real(), 2)}, [SquaredNorm("x")], {})(np.array([3.0, 4.0])))
    12.5
    """

    holomorphic = True
    rowwise = True

    def __init__(self, layer):
        self.layers = (text("layer", layer),)

    def __repr__(self):
        return brief(self, layers=self.layers)

    def check(self, layers, theta):
        """Refuse kinds of two values and codes, where -x is no energy gap, and angles."""
        refuse_kinds(self, layers, self.layers[0], (gaps, angles), "take Real, or numbers of more than two values")

    def energy(self, x, theta):
        """|x|^2/2, (batch,)."""
        v = x[self.layers[0]]
        return 0.5 * np.sum((v * v).reshape(len(v), -1), 1)

    def field(self, x, theta, layer):
        """-x."""
        return -x[layer]

    def gradient(self, x, theta, weight):
        """It has no parameters."""
        return {}

    def curvature(self, x, theta, layer):
        """One."""
        return np.ones(())


class Entropy:
    """Minus the entropy of a layer of probabilities, E = sum p log p/beta.

    Parameters
    ----------
    layer : str
    beta : float
        Inverse temperature, positive.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> float(Energy({"p": (Real(0.0, 1.0), 2)}, [Entropy("p")], {})(np.array([0.5, 0.5])))  # -log 2
    -0.6931...
    """

    rowwise = True

    def __init__(self, layer, beta=1.0):
        self.layers, self.beta = (text("layer", layer),), positive("beta", beta)

    def __repr__(self):
        return brief(self, layers=self.layers, beta=self.beta)

    def check(self, layers, theta):
        """Refuse discrete layers and angles, whose values are no probabilities."""
        refuse_kinds(self, layers, self.layers[0], DISCRETE, "take Real(0, 1), or probabilities")

    def energy(self, x, theta):
        """sum p log p/beta, (batch,)."""
        p = x[self.layers[0]]
        return np.sum((p * np.log(np.maximum(p, TINY))).reshape(len(p), -1), 1) / self.beta

    def field(self, x, theta, layer):
        """-(log p + 1)/beta."""
        return -(np.log(np.maximum(x[layer], TINY)) + 1.0) / self.beta

    def gradient(self, x, theta, weight):
        """It has no parameters."""
        return {}


def softmax(a):
    """exp(a)/sum exp(a) over the last axis; entries of -inf get 0."""
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
