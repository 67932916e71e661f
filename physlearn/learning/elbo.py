r"""The negative evidence lower bound of a variational autoencoder, as a cost (Kingma and Welling 2014).

    -ELBO = -log p(x | y) + beta KL(q || N(0, 1)),    KL = 1/2 sum_k (s_k^2 + m_k^2 - log s_k^2 - 1)

for one draw z from q = N(m, s^2), of which y is decoded.  beta = 1 bounds -log p(x) from above; a larger one trades
likelihood for codes of fewer nats (Higgins et al. 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from physlearn.checks import array, choice, count, not_negative, positive, text
from physlearn.learning.costs import BinaryCrossEntropy, SquaredError, _numbers, _sound


@dataclass(frozen=True)
class NegativeELBO:
    """-log p(x | y) + beta KL, in nats, of a readout (y, m, log s^2) side by side.

    Targets are as wide as the readout: x, and anything (zeros) beside the code.

    Parameters
    ----------
    readout : str
        What is decoded and the code, ``latent`` means and as many logarithms of variances.
    latent : int
        Numbers in a code.
    likelihood : {"bernoulli", "gaussian"}
        y are log odds of x in [0, 1], or means of x.
    beta : float
        Weight of the KL.
    variance : float
        Of x around y, for "gaussian".

    Examples
    --------
    A code that equals its prior costs nothing; a pixel of even odds costs log 2:

    >>> import numpy as np
    >>> NegativeELBO("out", 1).value(np.array([[0.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 0.0]])).round(4)
    array([0.6931])
    """

    readout: str
    latent: int
    likelihood: str = "bernoulli"
    beta: float = 1.0
    variance: float = 1.0

    def __post_init__(self):
        text("readout", self.readout, "the name of a readout")
        count("latent", self.latent)
        choice("likelihood", self.likelihood, ("bernoulli", "gaussian"))
        not_negative("beta", self.beta)
        positive("variance", self.variance)

    def check(self, target):
        """Refuse targets that the readout cannot be split for, or that are no probabilities."""
        target = array("target", target, ndim=2)
        if target.shape[1] <= 2 * self.latent:
            raise ValueError(
                f"data[{self.readout!r}]: {target.shape[1]} columns, expected more than {2 * self.latent} of the code"
            )
        if self.likelihood == "bernoulli":
            BinaryCrossEntropy(self.readout).check(target[:, : target.shape[1] - 2 * self.latent])

    def value(self, y, target):
        """(batch,).

        Parameters
        ----------
        y, target : (batch, visible + 2 latent) array
        """
        y, target = _numbers(y, target)
        seen, x, m, l = self._parts(y, target)
        return _sound(self._decoded().value(seen, x) * self._weight() + self._constant(x) + self.kl(m, l), y, target)

    def kl(self, m, l):
        """beta KL of codes, (batch,).

        Parameters
        ----------
        m, l : (batch, latent) array
            Means, and logarithms of variances.
        """
        return 0.5 * self.beta * np.sum(np.exp(l) + m * m - l - 1, -1)

    def gradient(self, y, target):
        """(batch, visible + 2 latent).

        Parameters
        ----------
        y, target : (batch, visible + 2 latent) array
        """
        y, target = _numbers(y, target)
        seen, x, m, l = self._parts(y, target)
        by_seen = self._decoded().gradient(seen, x) * self._weight()
        return _sound(np.concatenate([by_seen, self.beta * m, 0.5 * self.beta * (np.exp(l) - 1)], -1), y, target)

    def hessian(self, y, target):
        """Of the likelihood, and a diagonal beside it."""
        y, target = _numbers(y, target)
        seen, x, m, l = self._parts(y, target)
        n = seen.shape[-1]
        out = np.zeros((*y.shape, y.shape[-1]))
        out[..., :n, :n] = self._decoded().hessian(seen, x) * self._weight()
        diagonal = np.concatenate([np.full(m.shape, self.beta), 0.5 * self.beta * np.exp(l)], -1)
        out[..., n:, n:] = np.eye(2 * self.latent) * diagonal[..., None]
        return out

    def _decoded(self):
        return BinaryCrossEntropy(self.readout) if self.likelihood == "bernoulli" else SquaredError(self.readout)

    def _weight(self):
        return 1.0 if self.likelihood == "bernoulli" else 1.0 / self.variance

    def _constant(self, x):
        return 0.0 if self.likelihood == "bernoulli" else 0.5 * x.shape[-1] * math.log(2 * math.pi * self.variance)

    def _parts(self, y, target):
        k = self.latent
        n = y.shape[-1] - 2 * k
        return y[..., :n], target[..., :n], y[..., n : n + k], y[..., n + k :]
