"""Attention and memory of tokens as energies (Hoover et al. 2023, "Energy Transformer", eqs. 2 and 5).

    attention   E = -1/beta sum_h sum_c log sum_(b != c) exp(beta k_hb.q_hc),    k_hb = K_h g_b,  q_hc = Q_h g_c
    memory      E = -1/2 sum_c sum_mu max(xi_mu.g_c, 0)^2

on a layer g of tokens, (tokens, d).  Each token c asks all others b, and is drawn to those that answer; because it is
one energy, the others are drawn to it as well, which ordinary attention leaves out.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import positive, text
from physlearn.terms.fits import DISCRETE, expect_shape, refuse_kinds


class TokenAttention:
    """Attention among the tokens of one layer.

    Parameters
    ----------
    layer : str
        A `Real` layer, or one with an activation, of shape (tokens, d).
    beta : float
        Inverse temperature.
    key, query : str
        Names in theta of the projections K and Q, (heads, k, d) each.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> one = {"key": np.ones((1, 1, 1)), "query": np.ones((1, 1, 1))}
    >>> two = Energy({"x": (Real(), (2, 1))}, [TokenAttention("x", 1.0)], one)
    >>> float(two(np.array([[1.0], [2.0]])))  # each sees only the other: -(1 * 2 + 2 * 1)
    -4.0
    """

    def __init__(self, layer, beta, *, key="key", query="query"):
        self.layers, self.beta = (text("layer", layer),) * 2, positive("beta", beta)
        self.key, self.query = text("key", key), text("query", query)
        self.parameters = (key, query)

    def __repr__(self):
        return brief(self, layers=self.layers, beta=self.beta, key=self.key, query=self.query)

    def check(self, layers, theta):
        """Refuse discrete layers, where a slope is no energy gap."""
        refuse_kinds(self, layers, self.layers[0], DISCRETE, "take Real, or a kind with an activation")

    def energy(self, x, theta):
        """Energy, (batch,)."""
        _, _, score = self._scores(x, theta)
        top = score.max(2)
        total = np.log(np.exp(self.beta * (score - top[:, :, None])).sum(2)) / self.beta + top
        return -total.sum((1, 2))

    def field(self, x, theta, layer):
        """-dE/dg, (batch, tokens, d)."""
        k, q, score = self._scores(x, theta)
        p = self._attended(score)
        asks = np.einsum("zhbc,zhbk,hkd->zcd", p, k, theta[self.query], optimize=True)
        answers = np.einsum("zhbc,zhck,hkd->zbd", p, q, theta[self.key], optimize=True)
        return asks + answers

    def gradient(self, x, theta, weight):
        """sum_b w_b dE/dK and dE/dQ, (heads, k, d) each."""
        g = x[self.layers[0]]
        k, q, score = self._scores(x, theta)
        p = self._attended(score) * np.asarray(weight)[:, None, None, None]
        return {
            self.key: -np.einsum("zhbc,zhck,zbd->hkd", p, q, g, optimize=True),
            self.query: -np.einsum("zhbc,zhbk,zcd->hkd", p, k, g, optimize=True),
        }

    def _scores(self, x, theta):
        """Keys and queries (batch, heads, tokens, k), and their products (batch, heads, b, c), -inf at b = c."""
        g, key, query = x[self.layers[0]], theta[self.key], theta[self.query]
        if g.ndim != 3 or key.shape != query.shape or key.ndim != 3 or key.shape[2] != g.shape[2] or g.shape[1] < 2:
            raise ValueError(
                f"theta[{self.key!r}], theta[{self.query!r}]: shapes {key.shape}, {query.shape} on tokens "
                f"{g.shape[1:]}; expected (heads, k, d) both, on at least two tokens of length d"
            )
        k, q = (np.einsum("hkd,zbd->zhbk", w, g, optimize=True) for w in (key, query))
        score = k @ q.swapaxes(2, 3)
        np.einsum("zhbb->zhb", score)[...] = -np.inf
        return k, q, score

    def _attended(self, score):
        p = np.exp(self.beta * (score - score.max(2, keepdims=True)))
        return p / p.sum(2, keepdims=True)


class TokenMemory:
    """A dense memory of power 2 that every token falls into by itself, patterns shared.

    Parameters
    ----------
    layer : str
        Of shape (tokens, d).
    parameter : str
        Name in theta of the patterns xi, (K, d).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> memory = Energy({"x": (Real(), (2, 2))}, [TokenMemory("x")], {"patterns": np.array([[2.0, 0.0]])})
    >>> float(memory(np.array([[1.0, 0.0], [-1.0, 0.0]])))
    -2.0
    """

    def __init__(self, layer, parameter="patterns"):
        self.layers, self.parameter = (text("layer", layer),) * 2, text("parameter", parameter)

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse discrete layers, where a slope is no energy gap, and patterns of another length."""
        (name, _), patterns = self.layers, theta[self.parameter]
        refuse_kinds(self, layers, name, DISCRETE, "take Real, or a kind with an activation")
        expect_shape(theta, self.parameter, (len(patterns), layers[name].shape[-1]), "a row of d for each pattern")

    def energy(self, x, theta):
        """Energy, (batch,)."""
        return -0.5 * np.sum(self._overlaps(x, theta) ** 2, (1, 2))

    def field(self, x, theta, layer):
        """-dE/dg, (batch, tokens, d)."""
        return self._overlaps(x, theta) @ theta[self.parameter]

    def gradient(self, x, theta, weight):
        """sum_b w_b dE/dxi, (K, d)."""
        overlaps = self._overlaps(x, theta) * np.asarray(weight)[:, None, None]
        return {self.parameter: -np.einsum("ztm,ztd->md", overlaps, x[self.layers[0]], optimize=True)}

    def _overlaps(self, x, theta):
        return np.maximum(x[self.layers[0]] @ theta[self.parameter].T, 0.0)
