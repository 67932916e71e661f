"""GaussianMixture: laws whose noised forms, scores and denoisers are known in closed form.

    p(x) = sum_k w_k N(x; m_k, C_k)

A Gaussian is a mixture of one, a set of data n of variance zero.  Noise keeps the family: s x + sqrt(v) z has means
s m_k and covariances s^2 C_k + v.  With y = x + sigma z, r_k(y) the posterior weight of component k,

    score(y) = sum_k r_k (C_k + sigma^2)^-1 (m_k - y)
    D(y) = E[x | y] = y + sigma^2 score(y)                                     (Tweedie; Robbins 1956, Miyasawa 1961)
    dD/dy = Cov[x | y]/sigma^2

For one Gaussian D shrinks every eigendirection by lambda/(lambda + sigma^2), with the least possible error
sum lambda sigma^2/(lambda + sigma^2).  For data, r is the softmax of -|y - x_k|^2/(2 sigma^2): the retrieval of a dense
memory at temperature sigma^2 (Ramsauer et al. 2020; Ambrogioni 2024), which turns any noise into a datum.

A law is a noun of its own beside the term `physlearn.terms.Mixture`, whose -log p learns as an energy: here covariances
may be zero, and nothing learns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, not_negative, positive
from physlearn.kernels.jit import kernel
from physlearn.rng import generator
from physlearn.threads import on_one_thread, one_blas_thread


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """A mixture of Gaussians in d dimensions.

    Parameters
    ----------
    means : (k, d) array
        One row a component; data, where the covariances are 0.
    covariances : float, (k,) or (k, d, d) array
        Variances that are the same in all directions, or symmetric matrices, not negative.
    weights : (k,) array, optional
        Positive, made to add up to one; default equal.

    Raises
    ------
    ValueError
        Shapes that do not fit, covariances with a negative direction, weights that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> two = GaussianMixture([[-1.0], [1.0]], 0.1)
    >>> noisy = two.noised(1.0, 0.4)  # x + sqrt(0.4) z
    >>> print(f"{noisy.log_density([[0.0]])[0]:.4f}", two.denoise([[0.5]], np.sqrt(0.4)).round(4).tolist())
    -1.5724 [[0.7093]]
    >>> bool(np.allclose(two.denoise([[0.5]], 0.6), 0.5 + 0.36 * two.noised(1.0, 0.36).score([[0.5]])))  # Tweedie
    True
    >>> two.noised(1.0, 0.36).responsibilities([[0.5]]).round(3), two.jacobian([0.5], 0.6).round(3)
    (array([[0.102, 0.898]]), array([[0.841]]))
    >>> two.sample(3, rng=0).shape, round(GaussianMixture([[0.0, 0.0]], 1.0).error(0.5), 3)
    ((3, 1), 0.4)
    """

    means: Any
    covariances: Any = 0.0
    weights: Any = None
    basis: Any = field(default=None, init=False, repr=False)  # (k, d, d), eigenvectors in columns; None: isotropic
    spread: Any = field(default=None, init=False, repr=False)  # (k, d) eigenvalues, or (k, 1)

    __repr__ = brief

    def __post_init__(self):
        means = np.array(array("means", self.means, ndim=2))
        k, d = means.shape
        if not k or not d:
            raise ValueError(
                f"means: got the shape {means.shape}, expected (components, dimensions), at least one of each"
            )
        c = array("covariances", self.covariances)
        if c.shape not in ((), (k,), (k, d, d)):
            raise ValueError(f"covariances: got the shape {c.shape}, expected a number, ({k},) or ({k}, {d}, {d})")
        basis, spread = None, np.broadcast_to(c, (k,))[:, None] if c.ndim < 2 else None
        if spread is None:
            if not np.allclose(c, np.swapaxes(c, 1, 2), rtol=1e-10, atol=1e-12 * np.max(np.abs(c))):
                raise ValueError("covariances: some are not symmetric; pass (C + C.T) / 2")
            spread, basis = np.linalg.eigh(c)
            spread = np.where(np.abs(spread) < 1e-13 * np.max(np.abs(spread)), np.maximum(spread, 0.0), spread)
        if np.any(spread < 0):
            raise ValueError(f"covariances: a variance of {spread.min():.3g} in some direction, expected none below 0")
        w = np.full(k, 1.0 / k) if self.weights is None else array("weights", self.weights, shape=(k,))
        if np.any(w <= 0):
            raise ValueError(f"weights: got {w.min():.3g} among them, expected positive numbers")
        self.__dict__.update(means=means, covariances=np.array(c), weights=w / w.sum(), basis=basis, spread=spread)

    @property
    def dimensions(self) -> int:
        """d."""
        return self.means.shape[1]

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean of the law, (d,)."""
        return self.weights @ self.means

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the law, (d, d)."""
        apart = self.means - self.mean
        return (apart.T * self.weights) @ apart + np.einsum("k,kij->ij", self.weights, self._matrices(self.spread))

    def noised(self, scale, variance) -> GaussianMixture:
        """The law of scale * x + sqrt(variance) z, z standard normal; ``scale`` may be zero."""
        scale, variance = not_negative("scale", scale), not_negative("variance", variance)
        out = object.__new__(GaussianMixture)
        unit = 1.0 if self.basis is None else np.eye(self.dimensions)
        changed = {
            "means": scale * self.means,
            "covariances": scale**2 * self.covariances + variance * unit,
            "weights": self.weights,
            "basis": self.basis,
            "spread": scale**2 * self.spread + variance,
        }
        out.__dict__.update(changed)
        return out

    @on_one_thread
    def log_density(self, x) -> np.ndarray:
        """log p of points (n, d), (n,)."""
        return self._weigh(self._points(x))[1]

    @on_one_thread
    def responsibilities(self, x) -> np.ndarray:
        """Posterior probability of every component at points (n, d), (n, k)."""
        return self._weigh(self._points(x))[0]

    def score(self, x) -> np.ndarray:
        """Gradient of log p at points (n, d), shaped like them."""
        x = self._points(x)
        r, _ = self._weigh(x)
        out = np.zeros_like(x)
        if self.basis is None:
            pull(r, x, self.means, self.spread[:, 0], out)
            return out
        with one_blas_thread():
            for k, (m, u, s) in enumerate(zip(self.means, self.basis, self.spread, strict=True)):
                out += r[:, [k]] * ((((m - x) @ u) / s) @ u.T)
        return out

    @property
    def rowwise(self) -> bool:
        """Whether a row of `score` has the same bits in any batch: where variances are the same in all directions."""
        return self.basis is None

    def denoise(self, y, sigma) -> np.ndarray:
        """E[x | y] for y = x + sigma z, points (n, d): y + sigma^2 score, by Tweedie's formula."""
        y, sigma = self._points(y, "y"), positive("sigma", sigma)
        if self.basis is None and not np.any(self.spread):  # data: exact even where y + sigma^2 score cancels
            return self.noised(1.0, sigma**2).responsibilities(y) @ self.means
        return y + sigma**2 * self.noised(1.0, sigma**2).score(y)

    def jacobian(self, y, sigma) -> np.ndarray:
        """dD/dy at one point y (d,): the posterior covariance over sigma^2, symmetric, (d, d)."""
        v = positive("sigma", sigma) ** 2
        y = array("y", y, shape=(self.dimensions,))
        r = self.noised(1.0, v).responsibilities(y[None])[0]
        kept = self.spread / (self.spread + v)  # of y - m, towards y
        shrink = self._matrices(kept)
        centres = self.means + np.einsum("kij,kj->ki", shrink, y - self.means)
        apart = centres - r @ centres
        return np.einsum("k,kij->ij", r, shrink) + (apart.T * r) @ apart / v

    def error(self, sigma) -> float:
        """Least mean square error of denoising, sum lambda sigma^2/(lambda + sigma^2); one component only."""
        if len(self.weights) != 1:
            raise ValueError(f"error: known for one Gaussian, this law has {len(self.weights)} components")
        v, spread = positive("sigma", sigma) ** 2, np.broadcast_to(self.spread[0], (self.dimensions,))
        return float(np.sum(spread * v / (spread + v)))

    def sample(self, n, rng) -> np.ndarray:
        """Independent draws, (n, d)."""
        n, rng = count("n", n, each=8 * self.dimensions), generator(rng)
        which = rng.choice(len(self.weights), n, p=self.weights)
        z = rng.standard_normal((n, self.dimensions)) * np.sqrt(self.spread)[which]
        if self.basis is not None:
            z = np.einsum("nij,nj->ni", self.basis[which], z)
        return self.means[which] + z

    def _points(self, x, name="x"):
        return np.ascontiguousarray(array(name, x, shape=("n", self.dimensions)))

    def _matrices(self, spread):
        """Matrices (k, d, d) with these eigenvalues in the components' bases."""
        if self.basis is None:
            return spread[:, :, None] * np.eye(self.dimensions)
        return np.einsum("kij,kj,klj->kil", self.basis, spread, self.basis)

    def _weigh(self, x):
        """Posterior probabilities of the components (n, k) and log p (n,)."""
        if np.any(self.spread == 0):
            raise ValueError(
                "covariances: a direction of variance 0 has no density and no score; add noise first, law.noised(1, v)"
            )
        d, r, total = self.dimensions, np.empty((len(x), len(self.weights))), np.empty(len(x))
        volume = np.sum(np.log(np.broadcast_to(self.spread, (len(self.weights), d))), 1)
        base = np.log(self.weights) - 0.5 * (volume + d * np.log(2.0 * np.pi))
        if self.basis is None:
            squares(x, self.means, self.spread[:, 0], r)
        else:
            for k, (m, u, s) in enumerate(zip(self.means, self.basis, self.spread, strict=True)):
                r[:, k] = np.sum(((x - m) @ u) ** 2 / s, 1)
        softmax(r, base, total)
        return r, total


@kernel
def squares(x, means, variance, out):
    """|x - m_k|^2/v_k, (n, k): by differences, which keep their digits where the noise is small."""
    for i in range(x.shape[0]):
        for k in range(means.shape[0]):
            total = 0.0
            for j in range(x.shape[1]):
                apart = x[i, j] - means[k, j]
                total += apart * apart
            out[i, k] = total / variance[k]


@kernel
def softmax(r, base, total):
    """From squares to probabilities exp(base - r/2)/sum, in place, and the logarithm of the sum."""
    for i in range(r.shape[0]):
        top = -np.inf
        for k in range(r.shape[1]):
            r[i, k] = base[k] - 0.5 * r[i, k]
            top = max(top, r[i, k])
        mass = 0.0
        for k in range(r.shape[1]):
            r[i, k] = np.exp(r[i, k] - top)
            mass += r[i, k]
        for k in range(r.shape[1]):
            r[i, k] /= mass
        total[i] = top + np.log(mass)


@kernel
def pull(r, x, means, variance, out):
    """sum_k r_k (m_k - x)/v_k, (n, d)."""
    for i in range(x.shape[0]):
        for k in range(means.shape[0]):
            by = r[i, k] / variance[k]
            for j in range(x.shape[1]):
                out[i, j] += by * (means[k, j] - x[i, j])
