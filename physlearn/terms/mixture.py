"""Mixture: minus the log density of a Gaussian mixture, E = -log sum_k w_k N(x; mu_k, P_k^-1)."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, not_negative, text
from physlearn.kernels.jit import kernel
from physlearn.rng import generator
from physlearn.terms.fits import DISCRETE, refuse_kinds


class Mixture:
    """A landscape of K Gaussian wells on one `Real` layer of d variables.

    At temperature 1, exp(-E) is the mixture's normalised density.  The weights are w = softmax(logits).  The
    size of the precisions says what they are: K numbers (P_k = p_k 1), (K, d) (diagonal) or (K, d, d)
    (symmetric positive definite matrices; only their symmetric part counts).  A field costs K d operations
    per item, K d^2 with full matrices.

    Parameters
    ----------
    layer : str
    logits, means, precisions : str
        Names in theta of the (K,), (K, d) and (K,), (K, d) or (K, d, d) arrays.  Precisions are inverse
        variances: bound them away from zero where they are learnt.

    Raises
    ------
    ValueError
        Shapes that do not fit, precisions that are not positive (definite).

    Examples
    --------
    >>> import numpy as np
    >>> theta = {"logits": np.zeros(2), "means": np.array([[-1.0], [1.0]]), "precisions": np.ones(2)}
    >>> from physlearn import Energy, Real
    >>> wells = Energy({"x": (Real(), 1)}, [Mixture("x")], theta)
    >>> float(wells(np.zeros(1)))  # 1/2 + log(2 pi)/2
    1.4189...
    """

    def __init__(self, layer, logits="logits", means="means", precisions="precisions"):
        self.layers = (text("layer", layer),) * 2  # twice: its variables feel each other
        self.logits, self.means = text("logits", logits), text("means", means)
        self.precisions = text("precisions", precisions)
        self.parameters = (logits, means, precisions)

    def __repr__(self):
        return brief(self, layers=self.layers, logits=self.logits, means=self.means, precisions=self.precisions)

    def check(self, layers, theta):
        """Refuse discrete layers, where a slope is no energy gap."""
        refuse_kinds(self, layers, self.layers[0], DISCRETE, "take Real")

    def energy(self, x, theta):
        """-log density, (batch,)."""
        return self._evaluate(x, theta, False)[0]

    def field(self, x, theta, layer):
        """sum_k r_k P_k (mu_k - x), r_k the probability that x is of component k."""
        return self._evaluate(x, theta, True)[1].reshape(x[layer].shape)

    def responsibilities(self, x, theta):
        """Probability that each item is of each component, (batch, K)."""
        return self._evaluate(x, theta, False)[2]

    def gradient(self, x, theta, weight):
        """By weight_b r_k: w_k - r_k; P_k (mu_k - x); ((x - mu_k)(x - mu_k)^T - P_k^-1)/2."""
        logits, means, precisions = self._parts(theta)
        flat = x[self.layers[0]].reshape(len(x[self.layers[0]]), -1)
        r = self.responsibilities(x, theta)
        weight = np.asarray(weight)
        share = weight[:, None] * r
        gap = flat[:, None] - means  # (batch, K, d)
        full = precisions.ndim == 3
        toward = np.einsum("bk,bkd->kd", share, gap)
        by_mean = -np.einsum("kde,ke->kd", precisions, toward) if full else -precisions * toward
        if full:
            spread = np.einsum("bk,bkd,bke->kde", share, gap, gap, optimize=True)
            by_precision = 0.5 * (spread - share.sum(0)[:, None, None] * np.linalg.inv(precisions))
        else:
            by_precision = 0.5 * (np.einsum("bk,bkd->kd", share, gap**2) - share.sum(0)[:, None] / precisions)
            if precisions.shape[1] == 1 < means.shape[1]:  # one precision for all d variables
                squared = np.einsum("bk,bkd->k", share, gap**2)
                by_precision = 0.5 * (squared - means.shape[1] * share.sum(0) / precisions[:, 0])
        return {
            self.logits: weight.sum() * _softmax(logits) - share.sum(0),
            self.means: by_mean.reshape(np.shape(theta[self.means])),
            self.precisions: by_precision.reshape(np.shape(theta[self.precisions])),
        }

    def blurred(self, theta, sigma):
        """Parameters of the mixture after adding independent noise of standard deviation sigma to x.

        Every covariance grows by sigma^2 1; exact, and again a mixture.
        """
        _, _, precisions = self._parts(theta)
        sigma = not_negative("sigma", sigma)
        if precisions.ndim == 3:
            wide = np.linalg.inv(np.linalg.inv(precisions) + sigma**2 * np.eye(precisions.shape[1]))
        else:
            wide = precisions / (1.0 + sigma**2 * precisions)
        return {**theta, self.precisions: wide.reshape(np.shape(theta[self.precisions]))}

    def draw(self, theta, n, rng):
        """``n`` independent draws from the mixture, (n, d)."""
        logits, means, precisions = self._parts(theta)
        n, rng = count("n", n, least=0, each=8 * means.shape[1]), generator(rng)
        which = rng.choice(len(logits), n, p=_softmax(logits))
        xi = rng.standard_normal((n, means.shape[1]))
        if precisions.ndim == 2:
            return means[which] + xi / np.sqrt(precisions)[which]
        factor = np.linalg.cholesky(np.linalg.inv(precisions))
        return means[which] + np.einsum("nde,ne->nd", factor[which], xi)

    def _evaluate(self, x, theta, field):
        """Energy (batch,), field (batch, d) if asked for, responsibilities (batch, K)."""
        logits, means, precisions = self._parts(theta)
        x = np.ascontiguousarray(x[self.layers[0]].reshape(len(x[self.layers[0]]), -1), dtype=float)
        if x.shape[1] != means.shape[1]:
            raise ValueError(
                f"theta[{self.means!r}]: {means.shape[1]} columns, but layer {self.layers[0]!r} has {x.shape[1]} "
                "variables"
            )
        if precisions.ndim == 3:
            return _full(x, logits, means, precisions)
        energy, r = np.empty(len(x)), np.empty((len(x), len(logits)))
        force = np.empty(x.shape if field else (0, 0))
        if not wells(x, logits, means, precisions, energy, force, r):
            raise ValueError(
                f"theta[{self.precisions!r}]: the smallest is {precisions.min():.3g}, expected positive numbers; bound "
                "them in the optimiser"
            )
        return energy, force, r

    def _parts(self, theta):
        """Logits (K,), means (K, d), precisions (K, 1), (K, d) or (K, d, d)."""
        logits, means, precisions = (theta[name] for name in (self.logits, self.means, self.precisions))
        k = len(logits)
        if np.ndim(means) < 2 or len(means) != k:
            raise ValueError(f"theta[{self.means!r}]: shape {np.shape(means)}, expected ({k}, d), one row a component")
        means = means.reshape(k, -1)
        d = means.shape[1]
        if precisions.size in (k, k * d):
            return logits, means, precisions.reshape(k, -1)
        if precisions.size != k * d * d:
            raise ValueError(
                f"theta[{self.precisions!r}]: shape {precisions.shape}, expected ({k},), ({k}, {d}) or ({k}, {d}, {d})"
            )
        precisions = precisions.reshape(k, d, d)
        return logits, means, 0.5 * (precisions + precisions.transpose(0, 2, 1))


def _softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def _full(x, logits, means, precisions):
    """Energy, field and responsibilities with full precision matrices."""
    try:
        half_log = np.log(np.diagonal(np.linalg.cholesky(precisions), axis1=1, axis2=2)).sum(1)
    except np.linalg.LinAlgError:
        raise ValueError(
            "theta: a precision matrix of a Mixture is not positive definite; take shorter steps"
        ) from None
    gap = x[:, None] - means
    pull = np.einsum("kde,bke->bkd", precisions, gap, optimize=True)
    log = np.log(_softmax(logits)) + half_log - 0.5 * (means.shape[1] * np.log(2.0 * np.pi) + np.sum(gap * pull, 2))
    top = log.max(1, keepdims=True)
    r = np.exp(log - top)
    total = r.sum(1, keepdims=True)
    r /= total
    return -(top + np.log(total))[:, 0], -np.einsum("bk,bkd->bd", r, pull), r


# Sums over d in any order, so that they vectorise: measured 3 times faster.  NaN and infinity stay what they are.
@kernel(fastmath={"reassoc", "contract"})
def wells(x, logits, means, precisions, energy, force, r):
    """Fill energy, responsibilities and, unless empty, force; False if a precision is not positive."""
    components, d = means.shape
    alike = precisions.shape[1] == 1
    top = logits[0]
    for k in range(components):
        top = max(top, logits[k])
    total = 0.0
    for k in range(components):
        total += np.exp(logits[k] - top)
    constant = np.empty(components)
    for k in range(components):
        log_det = 0.0
        for j in range(precisions.shape[1]):
            if not precisions[k, j] > 0.0:
                return False
            log_det += np.log(precisions[k, j])
        if alike:
            log_det *= d
        constant[k] = logits[k] - top - np.log(total) + 0.5 * (log_det - d * np.log(2.0 * np.pi))
    for b in range(len(x)):
        best = -np.inf
        for k in range(components):
            q = 0.0
            if alike:
                for j in range(d):
                    off = x[b, j] - means[k, j]
                    q += off * off
                q *= precisions[k, 0]
            else:
                for j in range(d):
                    off = x[b, j] - means[k, j]
                    q += precisions[k, j] * (off * off)
            r[b, k] = constant[k] - 0.5 * q
            best = max(best, r[b, k])
        total = 0.0
        for k in range(components):
            r[b, k] = np.exp(r[b, k] - best)
            total += r[b, k]
        energy[b] = -(best + np.log(total))
        for k in range(components):
            r[b, k] /= total
        if force.size == 0:
            continue
        for j in range(d):
            force[b, j] = 0.0
        for k in range(components):
            if alike:
                share = r[b, k] * precisions[k, 0]
                for j in range(d):
                    force[b, j] += share * (means[k, j] - x[b, j])
            else:
                for j in range(d):
                    force[b, j] += r[b, k] * precisions[k, j] * (means[k, j] - x[b, j])
    return True
