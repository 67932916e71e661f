"""Dense: all-to-all bilinear couplings, E = -a.W.b between two layers or -s.J.s/2 within one."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import sequence, text
from physlearn.terms.fits import angles, codes, expect_shape, refuse_kinds


class Dense:
    """Bilinear couplings between all variables of two layers, or all pairs of one.

    Between layers a, b: E = -sum_ij W_ij a_i b_j.  Within a layer: E = -sum_{i<j} J_ij s_i s_j, with the
    symmetric matrix J in theta (every pair counts once; its diagonal is zero).  Kinds: `Spin`, `Binary`,
    `Real` and other numbers.

    Parameters
    ----------
    layers : (str, str)
        Two layers, or one twice.
    parameter : str
        Name in theta of W, (n_a, n_b), or J, (n, n) symmetric.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Binary, Energy
    >>> layers = {"v": (Binary(), 2), "h": (Binary(), 1)}
    >>> coupled = Energy(layers, [Dense(("v", "h"))], {"W": np.array([[0.5], [2.0]])})
    >>> float(coupled({"v": np.array([1.0, 0.0]), "h": np.array([1.0])}))
    -0.5
    """

    holomorphic = True

    def __init__(self, layers, parameter="W"):
        self.layers = sequence("layers", layers, str, "two names, or one name twice")
        self.parameter = text("parameter", parameter)
        if len(self.layers) != 2:
            raise ValueError(f"layers: got {layers!r}, expected two names, or one name twice")
        self.within = self.layers[0] == self.layers[1]
        self.multilinear = not self.within

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse codes, angles, other shapes, and in a layer couplings not symmetric: the energy knows (J + J^T)/2."""
        for name in self.layers:
            refuse_kinds(self, layers, name, (codes,), "codes have no products; use PottsDense or PottsPairs")
            refuse_kinds(self, layers, name, (angles,), "angles have no products; use AnglePairs")
        w, sizes = theta[self.parameter], tuple(layers[name].size for name in self.layers)
        expect_shape(theta, self.parameter, sizes, f"couplings between {self.layers}")
        if self.within and not np.array_equal(w, w.T):
            gap = np.max(np.abs(w - w.T))
            if gap > 1e-12 * np.max(np.abs(w)):  # more than learning's rounding
                raise ValueError(
                    f"theta[{self.parameter!r}]: not symmetric (largest difference {gap:.3g}), expected one coupling "
                    "for each pair; pass (J + J.T) / 2, which has the same energy, or use OneWay in a System"
                )
        if self.within and np.any(np.diag(w)):
            k = int(np.flatnonzero(np.diag(w))[0])
            raise ValueError(
                f"theta[{self.parameter!r}]: [{k}, {k}] is {w[k, k]:.6g}, expected a zero diagonal: nothing couples "
                "to itself; use np.fill_diagonal(J, 0), and Bias or Parabola in its place"
            )

    def energy(self, x, theta):
        """-a.W.b, or half of it without the diagonal within a layer, (batch,)."""
        a, b = (_flat(x[name]) for name in self.layers)
        w = theta[self.parameter]
        if self.within:
            return -0.5 * np.sum((a @ w - np.diag(w) * a) * a, 1)
        return -np.sum((a @ w) * b, 1)

    def field(self, x, theta, layer):
        """W.b on a, W^T.a on b, J.s within; shaped like the layer."""
        w = theta[self.parameter]
        other = self.layers[1] if layer == self.layers[0] else self.layers[0]
        flat = _flat(x[other])
        if self.within:
            return (flat @ w - np.diag(w) * flat).reshape(x[layer].shape)
        return (flat @ w.T if layer == self.layers[0] else flat @ w).reshape(x[layer].shape)

    def gradient(self, x, theta, weight):
        """-sum_b w_b a b^T; within a layer half of it, so that a symmetric step counts each pair once."""
        a, b = (_flat(x[name]) for name in self.layers)
        product = (a * -np.asarray(weight)[:, None]).T @ b
        return {self.parameter: 0.5 * _hollow(product) if self.within else product}

    def curvature(self, x, theta, layer):
        """Zero between layers (linear in each); None within a layer, where variables couple."""
        return None if self.within else np.zeros(())

    def strength(self, theta):
        """A bound on the largest eigenvalue of the couplings, by size: the root of the sum of their squares."""
        w = theta[self.parameter].ravel()
        return float(np.sqrt(w @ w)) * (1.0 + 1e-5)  # and its rounding, in single precision

    def quadratic(self, theta):
        """-W in the two off-diagonal blocks, or -J; b = 0."""
        w = theta[self.parameter]
        if self.within:
            return -_hollow(w), np.zeros(len(w))
        n, m = w.shape
        return -np.block([[np.zeros((n, n)), w], [w.T, np.zeros((m, m))]]), np.zeros(n + m)

    def jacobian(self, x, theta):
        """The couplings."""
        return -self.quadratic(theta)[0]


def _flat(x):
    return x.reshape(len(x), -1)


def _hollow(matrix):
    return matrix - np.diag(np.diag(matrix))
