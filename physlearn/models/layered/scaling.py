r"""Scaling laws that can be solved: errors as powers of data, time, size, and of the compute that they share.

Kernel regression (Bordelon, Canatar and Pehlevan 2020, eqs. 5 ff.), P samples, no noise, no ridge, eigenvalues l_k,
squared coefficients c_k^2 of the target:

    P = sum_k l_k/(l_k + K),  g = (1/P) sum_k l_k^2/(l_k + K)^2,  error = 1/(1 - g) sum_k c_k^2 K^2/(l_k + K)^2

with l_k = k^-a and c_k^2 = k^-b a power P^-min(2a, b - 1).

Random features (Paquette et al. 2024), x_j ~ j^-alpha normal, target sum_j j^-beta x_j, d features W^T x with W normal:
gradient flow for a time r leaves a floor, a power of d, and a part that falls as a power of r.

Chinchilla's law L = E + A/N^a + B/D^b (Hoffmann et al. 2022) has its optimum at N ~ C^(b/(a + b)) for C = 6 N D, all
parameters counted.  Counted without embeddings, N_all = N + w N^(1/3), as by Kaplan et al. (2020), small models seem to
want far more parameters: N ~ C^0.73 or so (Pearce and Song 2024).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, flag, mapping, positive
from physlearn.rng import generator
from physlearn.threads import one_blas_thread

CHINCHILLA = {"A": 406.4, "B": 410.7, "a": 0.34, "b": 0.28}  # Hoffmann et al. 2022, eq. 10 (nats; parameters, tokens)
EMBEDDING = 47_491.0  # w of N_all = N + w N^(1/3): Pearce and Song 2024, eq. 5


def kernel_error(samples, eigenvalues, power):
    """Mean squared error of ridgeless kernel regression on new data, by the self-consistent equation.

    Parameters
    ----------
    samples : int
        P, fewer than there are eigenvalues.
    eigenvalues : (n,) array
        l_k, positive.
    power : (n,) array
        c_k^2, squared coefficients of the target in the eigenfunctions, of norm one.

    Examples
    --------
    Equal eigenvalues learn the share P/n of the target:

    >>> round(kernel_error(25, np.ones(100), np.full(100, 0.01)), 9)
    0.75
    """
    from scipy.optimize import brentq

    l = array("eigenvalues", eigenvalues, ndim=1, low=np.finfo(float).tiny)
    c = array("power", power, shape=(len(l),), low=0)
    samples = count("samples", samples)
    if samples >= len(l):
        raise ValueError(f"samples: got {samples}, expected fewer than the {len(l)} eigenvalues; more learn it exactly")
    root: Any = brentq(lambda s: np.sum(l / (l + np.exp(s))) - samples, -200.0, np.log(l.sum()) + 1, xtol=1e-14)
    k = np.exp(root)
    g = np.sum((l / (l + k)) ** 2) / samples
    return float(np.sum(c * (k / (l + k)) ** 2) / (1 - g))


class RandomFeatures:
    """Linear regression on random features of data with power-law variances, trained by gradient flow.

    L(t) = 1/2 sum_j j^(-2 alpha) ((W t)_j - j^-beta)^2, the mean over infinitely many data; W is (variables, features),
    normal with variance 1/features.

    Parameters
    ----------
    features : int
        d, the parameters.
    variables : int
        v, of the data, more than d; the tail beyond v is cut.
    alpha, beta : float
        Positive.
    rng : int, Generator or None
        Draws W.

    Examples
    --------
    >>> model = RandomFeatures(50, 400, alpha=1.0, beta=0.4, rng=0)
    >>> loss = model.loss([0.0, 10.0, 1e3, 1e4])
    >>> bool(np.all(np.diff(loss) < 0) and loss[-1] > model.floor)
    True
    """

    def __init__(self, features, variables, *, alpha=1.0, beta=0.5, rng=None):
        self.features = count("features", features)
        self.variables = count("variables", variables, least=self.features + 1, each=8 * self.features)
        self.alpha, self.beta = positive("alpha", alpha), positive("beta", beta)
        self._w = generator(rng).standard_normal((self.variables, self.features)) / np.sqrt(self.features)

    def __repr__(self):
        return brief(self, features=self.features, variables=self.variables, alpha=self.alpha, beta=self.beta)

    @cached_property
    def _modes(self):
        """Rates, halved squared amplitudes, and what no time removes."""
        j = np.arange(1, self.variables + 1.0)
        root = self._w * j[:, None] ** -self.alpha
        target = j ** -(self.alpha + self.beta)
        with one_blas_thread():
            u, size, _ = np.linalg.svd(root, full_matrices=False)
        part = u.T @ target
        rest = target - u @ part
        return size**2, 0.5 * part**2, 0.5 * float(rest @ rest)

    @property
    def floor(self):
        """Loss after an infinite time: what the features cannot say."""
        return self._modes[2]

    def loss(self, time):
        """Loss after times of gradient flow from zero, shaped like ``time``.

        Parameters
        ----------
        time : array
            Not negative: a number of steps times the learning rate.
        """
        time = array("time", time, low=0)
        rate, share, floor = self._modes
        return floor + np.exp(-2 * rate * time[..., None]) @ share

    @staticmethod
    def exponents(alpha, beta):
        """Powers of time, of size, and of compute f = r d at the best size, where the last two terms balance.

        L ~ r^-(2 alpha + 2 beta - 1)/(2 alpha) + d^(-2 alpha + max(0, 1 - 2 beta)): gradient flow, alpha above 1/2
        (Paquette et al. 2024, phase Ia and II without the noise of single steps).

        Examples
        --------
        >>> RandomFeatures.exponents(0.8, 0.3)
        (0.75, 1.2, 0.461...)
        """
        alpha, beta = positive("alpha", alpha), positive("beta", beta)
        if alpha <= 0.5 or 2 * alpha + 2 * beta <= 1:
            raise ValueError(f"alpha, beta: got {alpha} and {beta}, expected alpha above 1/2, where the sums converge")
        time = (2 * alpha + 2 * beta - 1) / (2 * alpha)
        size = 2 * alpha - max(0.0, 1 - 2 * beta)
        return time, size, time * size / (time + size)


def power_law(x, y):
    """Exponent of y ~ x^p by a straight line through logarithms, and its standard error.

    Parameters
    ----------
    x, y : (n,) array
        Positive, at least three.

    Examples
    --------
    >>> p, error = power_law([1.0, 10.0, 100.0], [2.0, 0.2, 0.02])
    >>> round(p, 9), error < 1e-9
    (-1.0, True)
    """
    x, y = array("x", x, ndim=1, low=np.finfo(float).tiny), array("y", y, ndim=1, low=np.finfo(float).tiny)
    if len(x) < 3 or len(x) != len(y):
        raise ValueError(f"x, y: got {len(x)} and {len(y)} numbers, expected as many, at least three")
    a, b = np.log(x) - np.log(x).mean(), np.log(y) - np.log(y).mean()
    p = float(a @ b / (a @ a))
    left = b - p * a
    return p, float(np.sqrt(left @ left / (len(x) - 2) / (a @ a)))


def best_size(compute, *, embeddings=True, law=CHINCHILLA, embedding=EMBEDDING):
    """Parameters that make Chinchilla's loss least at a given compute, and the loss's part that depends on it.

    Parameters
    ----------
    compute : array
        C, floating-point operations: 6 N D, N counted as said by ``embeddings``.
    embeddings : bool
        Whether N counts them; without, the loss still depends on all, N + w N^(1/3).
    law : mapping
        A, B, a, b of A/N^a + B/D^b.
    embedding : float
        w.

    Returns
    -------
    size, loss : arrays shaped like ``compute``

    Examples
    --------
    >>> size, _ = best_size(np.array([1e18, 1e20, 1e22]))
    >>> round(power_law([1e18, 1e20, 1e22], size)[0], 3)  # b/(a + b)
    0.452
    """
    c = array("compute", compute, low=np.finfo(float).tiny)
    flag("embeddings", embeddings)
    positive("embedding", embedding)
    for name in ("A", "B", "a", "b"):
        if name not in mapping("law", law, CHINCHILLA, "a mapping of A, B, a and b to numbers"):
            raise ValueError(f"law: {name!r} is missing; got {list(law)}")
        positive(f"law[{name!r}]", law[name])
    size = np.logspace(1, 14, 26_001)
    every = size if embeddings else size + embedding * np.cbrt(size)
    flat = np.ravel(c)
    best = np.empty((2, flat.size))
    for k, total in enumerate(flat):
        loss = law["A"] / every ** law["a"] + law["B"] * (6 * size / total) ** law["b"]
        i = int(np.argmin(loss))
        best[:, k] = size[i], loss[i]
    return best[0].reshape(c.shape), best[1].reshape(c.shape)
