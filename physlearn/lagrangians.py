"""Kinds of layer whose variables show g(x), the gradient of a Lagrangian L (Krotov 2021; Hoover et al. 2022).

Terms see g alone.  The layer adds L's Legendre transform x.g - L to the energy, and moves by

    tau dx/dt = -dE/dg - x,    dE/dt = -(dx/dt)^T (d2L/dx2) (dx/dt) tau <= 0 for convex L

so that any network of such layers, with any terms between them, falls to a rest where x = -dE/dg.

    kind        L(x)                                g(x)
    Identity    |x|^2/2                             x
    Relu        sum max(x, 0)^2/2                   max(x, 0)
    Tanh        sum log cosh(gain x)/gain           tanh(gain x)
    Sigmoid     sum log(1 + exp(gain x))/gain       1/(1 + exp(-gain x))
    Softmax     log(sum exp(beta x))/beta           softmax(beta x)
    LayerNorm   n scale sqrt(var(x) + eps)          scale (x - mean)/sqrt(var + eps)

All but Relu and LayerNorm are ``holomorphic``: analytic at complex x, as complex nudges need.
Softmax and LayerNorm act along the last axis.  Tanh and Sigmoid neurons under `Dense` couplings are
Hopfield's of 1984; a Softmax layer between real ones is attention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from physlearn.checks import array, positive

__all__ = ["Identity", "LayerNorm", "Relu", "Sigmoid", "Softmax", "Tanh"]


def _sum(per_row):
    """Sum over all axes but the batch."""
    return np.sum(per_row.reshape(len(per_row), -1), -1)


def _inner(x):
    """Inner states as an array of numbers; engines pass one already."""
    return x if type(x) is np.ndarray else array("x", x, dtype=None)


class _Unbounded:
    """Inner states x: any finite numbers."""

    rowwise = True  # an activation makes each row from that row alone

    def random(self, shape, rng):
        """Uniform within one unit of zero."""
        return rng.uniform(-1.0, 1.0, shape)

    def valid(self, x):
        """Whether every value is finite."""
        return bool(np.all(np.isfinite(x)))


@dataclass(frozen=True)
class Identity(_Unbounded):
    """Linear neurons; their Legendre transform |x|^2/2 holds them at the origin.

    Examples
    --------
    >>> import numpy as np
    >>> Identity().lagrangian(np.array([[3.0, 4.0]]))
    array([12.5])
    """

    holomorphic: ClassVar[bool] = True

    def activation(self, x):
        """Return x."""
        return _inner(x)

    def lagrangian(self, x):
        """|x|^2/2, (batch,)."""
        x = _inner(x)
        return _sum(0.5 * x**2)


@dataclass(frozen=True)
class Relu(_Unbounded):
    """Rectified neurons.

    Examples
    --------
    >>> import numpy as np
    >>> Relu().activation(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def activation(self, x):
        """max(x, 0)."""
        x = _inner(x)
        return np.maximum(x, 0.0)

    def lagrangian(self, x):
        """Sum of max(x, 0)^2/2, (batch,)."""
        x = _inner(x)
        return _sum(0.5 * np.maximum(x, 0.0) ** 2)


@dataclass(frozen=True)
class Tanh(_Unbounded):
    """Graded neurons between -1 and 1.

    Parameters
    ----------
    gain : float
        Slope at zero; spins in the limit of large gain.

    Examples
    --------
    >>> import numpy as np
    >>> Tanh(2.0).activation(np.array([0.5])).round(4)
    array([0.7616])
    """

    holomorphic: ClassVar[bool] = True

    gain: float = 1.0

    def __post_init__(self):
        positive("gain", self.gain)

    def activation(self, x):
        """tanh(gain x)."""
        x = _inner(x)
        return np.tanh(self.gain * x)

    def lagrangian(self, x):
        """Sum of log cosh(gain x)/gain, (batch,)."""
        x = _inner(x)
        a = np.abs(self.gain * x)
        return _sum(a + np.log1p(np.exp(-2.0 * a)) - np.log(2.0)) / self.gain


@dataclass(frozen=True)
class Sigmoid(_Unbounded):
    """Graded neurons between 0 and 1: firing rates.

    Parameters
    ----------
    gain : float
        Four times the slope at zero.

    Examples
    --------
    >>> import numpy as np
    >>> Sigmoid().activation(np.array([0.0]))
    array([0.5])
    """

    holomorphic: ClassVar[bool] = True

    gain: float = 1.0

    def __post_init__(self):
        positive("gain", self.gain)

    def activation(self, x):
        """1/(1 + exp(-gain x))."""
        x = _inner(x)
        return 0.5 * (1.0 + np.tanh(0.5 * self.gain * x))

    def lagrangian(self, x):
        """Sum of log(1 + exp(gain x))/gain, (batch,)."""
        x = _inner(x)
        return _sum(np.logaddexp(0.0, self.gain * x)) / self.gain


@dataclass(frozen=True)
class Softmax(_Unbounded):
    """Neurons that compete along the last axis; their outputs sum to one.

    Parameters
    ----------
    beta : float
        Inverse temperature; the winner takes all in the limit of large beta.

    Examples
    --------
    >>> import numpy as np
    >>> Softmax().activation(np.array([[0.0, 0.0]]))
    array([[0.5, 0.5]])
    """

    holomorphic: ClassVar[bool] = True

    beta: float = 1.0

    def __post_init__(self):
        positive("beta", self.beta)

    def activation(self, x):
        """softmax(beta x)."""
        x = _inner(x)
        p = np.exp(self.beta * (x - x.max(-1, keepdims=True)))
        return p / p.sum(-1, keepdims=True)

    def lagrangian(self, x):
        """log(sum exp(beta x))/beta, summed over the other axes, (batch,)."""
        x = _inner(x)
        top = x.max(-1)
        return _sum(top + np.log(np.exp(self.beta * (x - top[..., None])).sum(-1)) / self.beta)


@dataclass(frozen=True)
class LayerNorm(_Unbounded):
    """Neurons whose outputs have mean 0 and standard deviation ``scale`` along the last axis.

    Parameters
    ----------
    scale : float
    eps : float
        Added to the variance.

    Examples
    --------
    >>> import numpy as np
    >>> LayerNorm().activation(np.array([[1.0, 3.0]])).round(3)
    array([[-1.,  1.]])
    """

    scale: float = 1.0
    eps: float = 1e-5

    def __post_init__(self):
        positive("scale", self.scale)
        positive("eps", self.eps)

    def activation(self, x):
        """scale (x - mean)/sqrt(var + eps)."""
        x = _inner(x)
        return self.scale * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + self.eps)

    def lagrangian(self, x):
        """n scale sqrt(var + eps), summed over the other axes, (batch,)."""
        x = _inner(x)
        return _sum(x.shape[-1] * self.scale * np.sqrt(x.var(-1) + self.eps))
