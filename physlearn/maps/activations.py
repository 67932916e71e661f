"""Activations: maps of one parent, entry by entry, and the softmax along the last axis; exact derivatives.

    Identity     x                   Logistic   1/(1 + exp(-x))         Tanh      tanh x
    Relu         max(x, 0)           Softplus   log(1 + exp x)          Softmax   exp x / sum exp x
    HardSigmoid  min(max(x, 0), 1), the one of Scellier and Bengio 2017
    Silu         x/(1 + exp(-x)), smooth where Relu has its kink (Elfwing et al. 2018)

At a kink the derivative is the one from outside the linear part: zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from physlearn.brief import brief
from physlearn.kernels.jit import kernel
from physlearn.maps.map import Map, one_parent

FLOATS = (np.float32, np.float64)  # of which there are kernels


@kernel
def tanh_back(y, cotangent, out):
    """The cotangent through y = tanh x, flat."""
    one = np.ones(1, out.dtype)[0]
    for i in range(len(y)):
        out[i] = (one - y[i] * y[i]) * cotangent[i]


@kernel
def logistic_back(y, cotangent, out):
    """The cotangent through y = 1/(1 + exp(-x)), flat."""
    one = np.ones(1, out.dtype)[0]
    for i in range(len(y)):
        out[i] = (y[i] * (one - y[i])) * cotangent[i]


@kernel
def relu_back(y, cotangent, out):
    """The cotangent through y = max(x, 0), flat."""
    zero = np.zeros(1, out.dtype)[0]
    for i in range(len(y)):
        out[i] = cotangent[i] if y[i] > zero else zero * cotangent[i]


class _Pointwise(Map):
    """y = f(x); the tape is (x, y), of which ``derivative(x, y)`` takes what it needs; ``compiled`` knows it by y."""

    value: Any
    derivative: Any
    compiled: Any = None

    def shape(self, shapes):
        """The parent's."""
        return one_parent(self, shapes)

    def forward(self, parents, theta):
        """f(x)."""
        (x,) = parents
        y = self.value(x)
        return y, (x, y)

    def back(self, tape, cotangent, theta):
        """c f'(x), in one compiled pass over real numbers where there is one."""
        y = tape[1]
        if self.compiled is not None and y.dtype == cotangent.dtype and y.dtype in FLOATS:
            found = np.empty(y.shape, y.dtype)
            self.compiled(*(np.ascontiguousarray(a).reshape(-1) for a in (y, cotangent)), found.reshape(-1))
            return (found,)
        found = self.derivative(*tape)
        return (np.multiply(found, cotangent, out=found if found.dtype == cotangent.dtype else None),)


@dataclass(frozen=True)
class Identity(_Pointwise):
    """y = x.

    Examples
    --------
    >>> import numpy as np
    >>> Identity().forward((np.array([[2.0]]),), {})[0]
    array([[2.]])
    """

    holomorphic = True
    __repr__ = brief

    def forward(self, parents, theta):
        """x."""
        return parents[0], None

    def back(self, tape, cotangent, theta):
        """c."""
        return (cotangent,)


@dataclass(frozen=True)
class Tanh(_Pointwise):
    """y = tanh x.

    Examples
    --------
    >>> import numpy as np
    >>> Tanh().forward((np.array([[0.0]]),), {})[0]
    array([[0.]])
    """

    holomorphic = True
    compiled: ClassVar[Any] = staticmethod(tanh_back)
    __repr__ = brief

    def value(self, x):
        """tanh x."""
        return np.tanh(x)

    def derivative(self, x, y):
        """1 - y^2."""
        found = np.multiply(y, y)
        return np.subtract(1, found, out=found)


@dataclass(frozen=True)
class Logistic(_Pointwise):
    """y = 1/(1 + exp(-x)).

    Examples
    --------
    >>> import numpy as np
    >>> Logistic().forward((np.array([[0.0]]),), {})[0]
    array([[0.5]])
    """

    holomorphic = True
    compiled: ClassVar[Any] = staticmethod(logistic_back)
    __repr__ = brief

    def value(self, x):
        """(1 + tanh(x/2))/2, which no x overflows."""
        found = np.tanh(np.multiply(0.5, x))
        found += 1
        found *= 0.5
        return found

    def derivative(self, x, y):
        """y (1 - y)."""
        return y * (1 - y)


@dataclass(frozen=True)
class Relu(_Pointwise):
    """y = max(x, 0).

    Examples
    --------
    >>> import numpy as np
    >>> Relu().forward((np.array([[-1.0, 2.0]]),), {})[0]
    array([[0., 2.]])
    """

    compiled: ClassVar[Any] = staticmethod(relu_back)
    __repr__ = brief

    def value(self, x):
        """max(x, 0)."""
        return np.maximum(x, 0)

    def derivative(self, x, y):
        """1 where x > 0."""
        return y > 0


@dataclass(frozen=True)
class HardSigmoid(_Pointwise):
    """y = x between 0 and 1, and the nearer of both outside.

    Examples
    --------
    >>> import numpy as np
    >>> HardSigmoid().forward((np.array([[-1.0, 0.3, 2.0]]),), {})[0]
    array([[0. , 0.3, 1. ]])
    """

    __repr__ = brief

    def value(self, x):
        """x, clipped."""
        return np.clip(x, 0, 1)

    def derivative(self, x, y):
        """1 inside."""
        return (x > 0) & (x < 1)


@dataclass(frozen=True)
class Softplus(_Pointwise):
    """y = log(1 + exp x).

    Examples
    --------
    >>> import numpy as np
    >>> Softplus().forward((np.array([[0.0]]),), {})[0].round(4)
    array([[0.6931]])
    """

    __repr__ = brief

    def value(self, x):
        """max(x, 0) + log1p(exp(-|x|))."""
        found = np.log1p(np.exp(-np.abs(x)))
        found += np.maximum(x, 0)
        return found

    def derivative(self, x, y):
        """The logistic function of x, 1 - exp(-y)."""
        return -np.expm1(-y)


@dataclass(frozen=True)
class Silu(_Pointwise):
    """y = x/(1 + exp(-x)).

    Examples
    --------
    >>> import numpy as np
    >>> Silu().forward((np.array([[-20.0, 0.0, 20.0]]),), {})[0].round(4)
    array([[-0., 0., 20.]])
    """

    __repr__ = brief

    def forward(self, parents, theta):
        """x/q, q = 1 + exp(-x), infinite where y is zero; the tape is (q, y)."""
        (x,) = parents
        with np.errstate(over="ignore"):
            q = np.negative(x)
            np.exp(q, out=q)
        q += 1
        y = x / q
        return y, (q, y)

    def derivative(self, q, y):
        """s + y (1 - s), s = 1/q."""
        s = np.divide(1, q, dtype=q.dtype)
        found = 1 - s
        found *= y
        found += s
        return found


@dataclass(frozen=True)
class Softmax(_Pointwise):
    """y = exp x / sum exp x, along the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> Softmax().forward((np.zeros((1, 2)),), {})[0]
    array([[0.5, 0.5]])
    """

    holomorphic = True
    __repr__ = brief

    def forward(self, parents, theta):
        """Softmax of the parent; the tape is the value."""
        (x,) = parents
        y = np.exp(x - x.real.max(-1, keepdims=True))
        y /= y.sum(-1, keepdims=True)
        return y, y

    def back(self, tape, cotangent, theta):
        """y (c - sum c y)."""
        return (tape * (cotangent - np.sum(cotangent * tape, -1, keepdims=True)),)
