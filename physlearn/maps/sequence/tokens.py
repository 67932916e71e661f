"""Tokens: codes looked up in a table, and the places of a sequence marked."""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, not_negative, text
from physlearn.maps.map import Map, one_parent


class Embedding(Map):
    """Rows of a table by codes 0, 1, ..., vocabulary - 1: (steps,) becomes (steps, units).

    Parameters
    ----------
    vocabulary : int
        Number of codes.
    units : int
    table : str
        Name in theta of the table, (vocabulary, units), which starts normal.
    scale : float
        Its standard deviation; default 1/sqrt(units), so that rows have length 1.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Embedding(2, 2)
    >>> layer.forward((np.array([[1.0, 0.0]]),), {"table": np.array([[1.0, 2.0], [3.0, 4.0]])})[0]
    array([[[3., 4.],
            [1., 2.]]])
    """

    def __init__(self, vocabulary, units, table="table", *, scale=None):
        self.vocabulary, self.units = count("vocabulary", vocabulary), count("units", units)
        self.table = text("table", table, "a parameter's name")
        self.scale = 1 / math.sqrt(units) if scale is None else not_negative("scale", scale)
        self.parameters = (self.table,)

    def __repr__(self):
        return brief(self, vocabulary=self.vocabulary, units=self.units, table=self.table)

    def shape(self, shapes):
        """(steps, units)."""
        shape = one_parent(self, shapes)
        if len(shape) != 1:
            raise ValueError(f"Embedding: got a parent of shape {shape}, expected codes, (steps,)")
        return *shape, self.units

    def start(self, shapes, rng):
        """A normal table."""
        count(f"theta[{self.table!r}], its entries", self.vocabulary * self.units, each=8)
        return {self.table: self.scale * rng.standard_normal((self.vocabulary, self.units))}

    def forward(self, parents, theta):
        """The rows; the tape is the codes."""
        (given,) = parents
        codes = np.rint(given).astype(np.int64)
        if codes.min() < 0 or codes.max() >= self.vocabulary:
            wrong = codes[(codes < 0) | (codes >= self.vocabulary)][0]
            raise ValueError(f"Embedding: got the code {wrong}, expected one of 0 .. {self.vocabulary - 1}")
        return theta[self.table][codes], (codes, given.dtype)

    def back(self, tape, cotangent, theta):
        """Zero: codes are no numbers to move."""
        codes, dtype = tape
        return (np.zeros(codes.shape, np.result_type(dtype, cotangent.dtype)),)

    def slope(self, tape, cotangent, theta):
        """Cotangents summed by code: items of a code side by side, and sums of such runs."""
        codes, c = tape[0].ravel(), cotangent.reshape(-1, self.units)
        order = np.argsort(codes, kind="stable")
        found = np.zeros((self.vocabulary, self.units), cotangent.dtype)
        used, first = np.unique(codes[order], return_index=True)
        found[used] = np.add.reduceat(c[order], first, 0)
        return {self.table: found}


class Positions(Map):
    """y = x + code: the place in a sequence, added to every entry.

    Parameters
    ----------
    code : (steps, units) array or str
        Fixed codes, such as ``physlearn.models.positional_encoding(steps, units)``; or the name in theta of learnt
        ones, which start normal with a tenth of the spread.

    Examples
    --------
    >>> import numpy as np
    >>> Positions([[1.0], [2.0]]).forward((np.zeros((1, 2, 1)),), {})[0].ravel()
    array([1., 2.])
    """

    affine = True
    holomorphic = True

    def __init__(self, code):
        self.code = text("code", code, "a parameter's name, or an array") if isinstance(code, str) else None
        self.fixed_code = None if isinstance(code, str) else array("code", code, ndim=2)
        self.parameters = () if self.code is None else (self.code,)

    def __repr__(self):
        return brief(self, code=self.fixed_code if self.code is None else self.code)

    def shape(self, shapes):
        """The parent's."""
        shape = one_parent(self, shapes)
        if self.fixed_code is not None and shape != self.fixed_code.shape:
            raise ValueError(f"Positions: got a parent of shape {shape}, expected the code's, {self.fixed_code.shape}")
        return shape

    def start(self, shapes, rng):
        """Small normal codes, where they are learnt."""
        return {name: 0.1 * rng.standard_normal(one_parent(self, shapes)) for name in self.parameters}

    def forward(self, parents, theta):
        """x + code."""
        (x,) = parents
        code = theta[self.code] if self.fixed_code is None else self.fixed_code
        return x + code.astype(x.real.dtype, copy=False), None

    def back(self, tape, cotangent, theta):
        """c."""
        return (cotangent,)

    def slope(self, tape, cotangent, theta):
        """The sum of c over the batch."""
        return {name: cotangent.sum(0) for name in self.parameters}
