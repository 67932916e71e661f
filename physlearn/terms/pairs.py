"""Pairs: bilinear couplings on the edges of a graph, E = -sum_e J_e s_i s_j.

Ising models and spin glasses (`Spin`), Boltzmann machines (`Binary`), Gaussian fields (`Real`); every pair
is counted once.  Between spins of three values (`SpinOne`) it is the coupling of Blume and Capel.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, reals, text
from physlearn.terms.fits import angles, codes, expect_shape, refuse_kinds
from physlearn.terms.pattern import csr_pattern


class Pairs:
    """Bilinear couplings within one layer of `Spin`, `Binary`, `Real` or other numbers.

    Parameters
    ----------
    layer : str
        The layer it couples.
    pairs : (m, 2) array of int
        The two variables of every coupling (flat indices); parallel couplings add.
    n : int, optional
        Number of variables; default one more than the largest index.
    parameter : str
        Name in theta of the (m,) couplings J, energy.

    Raises
    ------
    ValueError
        For pairs of another shape, out of range, or a variable paired with itself.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Spin
    >>> two = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": np.array([2.0])})
    >>> float(two(np.array([1.0, -1.0])))
    2.0
    """

    holomorphic = True

    def __init__(self, layer, pairs, n=None, parameter="J"):
        layer, parameter = text("layer", layer), text("parameter", parameter)
        pairs = reals("pairs", pairs, finite=False)
        if pairs.size == 0:
            pairs = pairs.astype(np.int64).reshape(-1, 2)
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise ValueError(f"pairs: shape {pairs.shape}, expected (m, 2)")
        if pairs.dtype.kind not in "iu":
            raise TypeError(f"pairs: got {pairs.dtype} values, expected whole numbers, the flat indices of variables")
        pairs = pairs.astype(np.int64)
        selfs = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
        if selfs.size:
            raise ValueError(
                f"pairs: coupling {selfs[0]} joins variable {pairs[selfs[0], 0]} to itself; a diagonal only shifts "
                "the energy of spins and acts as a field on 0/1 variables: use Bias"
            )
        self.layers, self.parameter = (layer, layer), parameter
        self.i, self.j = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        self.n = int(pairs.max(initial=-1)) + 1 if n is None else count("n", n, least=0)
        if pairs.size and (pairs.min() < 0 or pairs.max() >= self.n):
            raise ValueError(
                f"pairs: indices from {pairs.min()} to {pairs.max()}, expected 0..{self.n - 1}, n being {self.n}"
            )
        self._pattern = None

    def __repr__(self):
        return brief(self, layers=self.layers, pairs=len(self.i), n=self.n, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse codes and angles, another number of couplings than of pairs, of variables than of the layer's."""
        refuse_kinds(self, layers, self.layers[0], (codes,), "codes have no products; use PottsPairs")
        refuse_kinds(self, layers, self.layers[0], (angles,), "angles have no products; use AnglePairs")
        expect_shape(theta, self.parameter, self.i.shape, "one for each pair")
        self.check_size(layers)

    def check_size(self, layers):
        """Refuse pairs among another number of variables than the layer's."""
        size = layers[self.layers[0]].size
        if self.n != size:
            raise ValueError(f"pairs: among {self.n} variables, layer {self.layers[0]!r} has {size}; pass n={size}")

    def energy(self, x, theta):
        """-sum J s_i s_j, (batch,)."""
        flat = _flat(x[self.layers[0]])
        return -(flat.take(self.i, 1) * flat.take(self.j, 1)) @ theta[self.parameter]

    def field(self, x, theta, layer):
        """sum_j J_ij s_j, shaped like the layer; exact for spins and 0/1 alike, E being multilinear."""
        flat = _flat(x[layer])
        return (self.matrix(theta) @ flat.T).T.reshape(x[layer].shape)

    def gradient(self, x, theta, weight):
        """-sum_b w_b s_i s_j, (m,)."""
        flat = _flat(x[self.layers[0]])
        return {self.parameter: -(weight @ (flat[:, self.i] * flat[:, self.j]))}

    def gradient_moments(self, basis, gram, theta):
        """`gradient` of the states c @ basis, from gram = sum_b w_b c_b^T c_b."""
        return {self.parameter: -np.sum(basis[:, self.i] * (gram @ basis[:, self.j]), 0)}

    def matrix(self, theta):
        """Symmetric couplings, CSR (n, n) with sorted indices and a pattern that does not depend on theta."""
        import scipy.sparse as sp

        if self._pattern is None:
            rows, columns = np.concatenate([self.i, self.j]), np.concatenate([self.j, self.i])
            self._pattern = csr_pattern(rows, columns, self.n)
        slot, indices, indptr = self._pattern
        couplings = theta[self.parameter]
        data = np.bincount(slot, np.concatenate([couplings, couplings]), len(indices))
        return sp.csr_matrix((data, indices, indptr), (self.n, self.n))

    def quadratic(self, theta):
        """-J and b = 0."""
        return -self.matrix(theta), np.zeros(self.n)

    def jacobian(self, x, theta):
        """The couplings."""
        return self.matrix(theta)


def _flat(x):
    return x.reshape(len(x), -1)
