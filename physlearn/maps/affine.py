"""Affine maps y = x W + b: dense layers, and constants, which have no parents."""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, flag, integers, not_negative, text
from physlearn.maps.map import Map, one_parent


class Affine(Map):
    """All-to-all weights and a bias, y = x W + b.

    Parameters
    ----------
    units : int or tuple of int
        Shape of the value; parents of more than one axis are flattened.
    weight : str
        Name in theta of W, (inputs, outputs).  Maps that name the same one share it.
    bias : str, optional
        Name in theta of b, (outputs,); None for none.
    transposed : bool
        Use W^T: W is (outputs, inputs), such as the decoder's of a tied autoencoder.
    scale : float
        W starts normal with standard deviation scale / sqrt(inputs); b at zero.

    Examples
    --------
    >>> import numpy as np
    >>> value, tape = Affine(1, "W", "b").forward((np.array([[1.0, 2.0]]),), {"W": np.ones((2, 1)), "b": np.ones(1)})
    >>> value
    array([[4.]])
    """

    holomorphic = True
    affine = True

    def __init__(self, units, weight="W", bias: str | None = "b", *, transposed=False, scale=1.0):
        self.units = shape_of("units", units)
        self.weight = text("weight", weight, "a parameter's name")
        self.bias = None if bias is None else text("bias", bias, "a parameter's name, or None")
        self.transposed, self.scale = flag("transposed", transposed), not_negative("scale", scale)
        self.parameters = (self.weight,) if self.bias is None else (self.weight, self.bias)

    def __repr__(self):
        return brief(self, units=self.units, weight=self.weight, bias=self.bias)

    def shape(self, shapes):
        """The units, whatever the parent's shape."""
        one_parent(self, shapes)
        return self.units

    def start(self, shapes, rng):
        """W normal, b zero."""
        n, m = math.prod(one_parent(self, shapes)), math.prod(self.units)
        count(f"theta[{self.weight!r}], its entries", n * m, each=8)
        w = rng.standard_normal((n, m)) * (self.scale / math.sqrt(max(n, 1)))
        first = {self.weight: np.ascontiguousarray(w.T) if self.transposed else w}
        return first if self.bias is None else first | {self.bias: np.zeros(m)}

    def forward(self, parents, theta):
        """x W + b; the tape is the parent."""
        x = parents[0].reshape(len(parents[0]), -1)
        w = theta[self.weight]
        w = w.T if self.transposed else w
        value = x * w + 0.0 if len(w) == 1 else x @ w  # one input: no sums to make, on which BLAS takes longer
        if self.bias is not None:
            value += theta[self.bias]
        return value.reshape(len(x), *self.units), parents[0]

    def back(self, tape, cotangent, theta):
        """c W^T."""
        w = theta[self.weight]
        found = cotangent.reshape(len(cotangent), -1) @ (w if self.transposed else w.T)
        return (found.reshape(len(cotangent), *tape.shape[1:]),)

    def slope(self, tape, cotangent, theta):
        """x^T c, and the sum of c over the batch."""
        x, c = tape.reshape(len(tape), -1), cotangent.reshape(len(cotangent), -1)
        found = {self.weight: c.T @ x if self.transposed else x.T @ c}
        return found if self.bias is None else found | {self.bias: c.sum(0)}


class Constant(Map):
    """A value without parents: the mean of a prior, zero or learnt.

    Parameters
    ----------
    units : int or tuple of int
        Shape of the value.
    parameter : str, optional
        Name in theta of the value, (units,); None for zero.

    Examples
    --------
    >>> Constant(2).forward((), {})[0]
    array([[0., 0.]])
    """

    holomorphic = True

    def __init__(self, units, parameter=None):
        self.units = shape_of("units", units)
        self.parameter = None if parameter is None else text("parameter", parameter, "a parameter's name, or None")
        self.parameters = () if self.parameter is None else (self.parameter,)

    def __repr__(self):
        return brief(self, units=self.units, parameter=self.parameter)

    def shape(self, shapes):
        """The units."""
        if shapes:
            raise ValueError(f"Constant: got {len(shapes)} parents, expected none")
        return self.units

    def start(self, shapes, rng):
        """Zero."""
        return {name: np.zeros(self.units) for name in self.parameters}

    def forward(self, parents, theta):
        """The constant, (1, units)."""
        return (np.zeros((1, *self.units)) if self.parameter is None else theta[self.parameter][None]), None

    def back(self, tape, cotangent, theta):
        """Nothing: there are no parents."""
        return ()

    def slope(self, tape, cotangent, theta):
        """The sum of the cotangents over the batch."""
        return {name: cotangent.sum(0) for name in self.parameters}


def shape_of(name, value):
    """A shape, given as a number of units or as several.

    >>> shape_of("units", 3), shape_of("units", (4, 4))
    ((3,), (4, 4))
    """
    return tuple(int(n) for n in np.atleast_1d(integers(name, value, ndim=(0, 1), low=1)))
