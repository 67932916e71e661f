"""Linear dependences that no energy gives: controlled sources, and branches whose current is an unknown."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief


class Linear:
    """Field M x over all unknowns of a circuit.

    Parameters
    ----------
    layers : tuple of str
        The circuit's layers, concatenated.
    sizes : tuple of int
    matrix : (n, n) sparse matrix
    labels : sequence of str
        Names of the nodes.
    """

    holomorphic = True

    def __init__(self, layers, sizes, matrix, labels):
        self.layers = layers
        self.sizes, self.matrix, self.labels = sizes, matrix.tocsr(), tuple(labels)

    def __repr__(self):
        return brief(self, layers=self.layers, entries=self.matrix.nnz)

    def field(self, x, theta, layer):
        """Rows of one layer, (batch, n)."""
        start = 0
        for name, size in zip(self.layers, self.sizes, strict=True):
            if name == layer:
                break
            start += size
        flat = np.concatenate([x[name] for name in self.layers], 1)
        return np.ascontiguousarray((self.matrix[start : start + size] @ flat.T).T)

    def response(self, x, theta, weight):
        """Nothing here learns."""
        return {}

    def jacobian(self, x, theta):
        """The matrix."""
        return self.matrix
