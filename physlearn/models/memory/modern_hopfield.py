"""Modern Hopfield networks: attention is one step of an associative memory (Ramsauer et al. 2020).

    E(x) = |x|^2/2 - log(sum_mu exp(beta xi_mu.x))/beta,    x real

With a second layer p of probabilities over the patterns this is the minimum over p of

    E(x, p) = |x|^2/2 - p.Xi x + sum_mu p_mu log p_mu/beta

whose two layers settle exactly, one after the other: p = softmax(beta Xi x), then x = Xi^T p.  One sweep of
`relax` from a query is one head of attention; further sweeps lower E until x is a fixed point: one pattern
(large beta), a metastable mean of similar patterns, or the mean of all (small beta).
"""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, flag, positive, reals
from physlearn.dynamics.rest.relax import relax
from physlearn.energy import Energy, Real
from physlearn.terms.dense import Dense
from physlearn.terms.memory import TINY, Entropy, LogSumExp, SquaredNorm, softmax
from physlearn.threads import on_one_thread


@dataclass(frozen=True)
class Probabilities:
    """A layer's variables are probabilities that sum to one; with an `Entropy` term of the same ``beta``.

    Settles exactly where the other terms are linear in p: p = softmax(beta f) of their field f.

    Parameters
    ----------
    beta : float
        Inverse temperature, positive.

    Examples
    --------
    >>> import numpy as np
    >>> certain = Energy({"p": (Probabilities(2.0), 2)}, [Entropy("p", 2.0)], {})
    >>> float(certain(np.array([0.0, 1.0])))
    0.0
    """

    beta: float = 1.0

    def __post_init__(self):
        positive("beta", self.beta)

    def settle(self, f, curvature, x):
        """The exact minimum, p exp(beta f) normalised: the entropy's own field cancels p."""
        return softmax(np.log(np.maximum(x, TINY)) + self.beta * f)

    def draw(self, f, curvature, x, temperature, rng):
        """Refused: there is no closed form."""
        raise TypeError("probabilities are not sampled; sample the memory's `energy` of the layer x alone")

    def random(self, shape, rng):
        """Uniform on the simplex of the last axis."""
        e = -np.log1p(-rng.random(shape))
        return e / e.sum(-1, keepdims=True)

    def valid(self, x):
        """Whether values are not negative and sum to one; none at all (nothing clamped) is fine."""
        return x.shape[-1] == 0 or bool(np.all(x >= 0) and np.allclose(x.sum(-1), 1.0))


class ModernHopfield:
    """A memory of real patterns, read by attention.

    Parameters
    ----------
    patterns : (K, d) array
        Stored patterns (keys); copied.
    beta : float
        Inverse temperature, positive; 1/sqrt(d) is that of transformers.

    Examples
    --------
    >>> import numpy as np
    >>> memory = ModernHopfield(np.eye(3), beta=20.0)
    >>> memory.update([0.9, 0.1, 0.0]).round(3)
    array([1., 0., 0.])
    """

    def __init__(self, patterns, beta=1.0):
        self.patterns, self.beta = _matrix(patterns, "patterns").copy(), positive("beta", beta)
        self.patterns.flags.writeable = False
        self.d = self.patterns.shape[1]

    def __repr__(self):
        return brief(self, beta=self.beta, patterns=self.patterns)

    @functools.cached_property
    def energy(self) -> Energy:
        """The `Energy` of layer "x" alone, for every verb."""
        terms = [SquaredNorm("x"), LogSumExp("x", self.beta, kind=Real())]
        return Energy({"x": (Real(), self.d)}, terms, {"patterns": self.patterns})

    @functools.cached_property
    def layered(self) -> Energy:
        """The `Energy` of the layers "p" and "x", whose minimum over p is `energy`."""
        layers = {"p": (Probabilities(self.beta), len(self.patterns)), "x": (Real(), self.d)}
        terms = [Dense(("p", "x"), "patterns"), SquaredNorm("x"), Entropy("p", self.beta)]
        return Energy(layers, terms, {"patterns": self.patterns})

    @on_one_thread
    def weights(self, x):
        """softmax(beta Xi x), (..., K).

        Examples
        --------
        >>> ModernHopfield([[1.0, 0.0], [0.0, 1.0]]).weights([1.0, 1.0])
        array([0.5, 0.5])
        """
        return softmax(self.beta * (self._queries(x) @ self.patterns.T))

    @on_one_thread
    def update(self, x):
        """One update, Xi^T softmax(beta Xi x), (..., d): one head of attention."""
        return self.weights(x) @ self.patterns

    def recall(self, x, *, steps=1, tol=1e-10):
        """Update until at rest or for ``steps`` sweeps of `relax` on the two layers.

        Parameters
        ----------
        x : (d,) or (batch, d) array
            Queries.
        steps : int
            Sweeps at most; 1 is attention.
        tol : float
            Largest change or force that counts as rest, see `relax`.

        Returns
        -------
        Equilibrium
            Of the layers "p" and "x"; ``converged`` says whether ``steps`` were enough.

        Examples
        --------
        >>> ModernHopfield([[1.0, 0.0], [0.0, 1.0]], beta=20.0).recall([0.9, 0.2], steps=9).x["x"].round(3)
        array([1., 0.])
        """
        query, steps, tol = self._queries(x), count("steps", steps), positive("tol", tol)
        uniform = np.full((*query.shape[:-1], len(self.patterns)), 1.0 / len(self.patterns))
        start = {"p": uniform, "x": query}
        return relax(self.layered, start, method="descent", max_steps=steps, tol=tol, unconverged="ignore")

    def fixed_points(self, x, *, steps=1000):
        """Say of each query whether it ends at one pattern, a mean of several, or the mean of all.

        Returns
        -------
        kind : (batch,) array of str
            "pattern", "metastable" or "average".
        members : (batch,) array
            How many patterns share the weight, 1/sum_mu p_mu^2.
        x : (batch, d) array
            Where they end; a warning says if some still move after ``steps`` sweeps.

        Examples
        --------
        >>> ModernHopfield([[1.0, 0.0], [0.0, 1.0]], beta=20.0).fixed_points([[0.9, 0.2]])[0]
        array(['pattern'], dtype='<U10')
        """
        end = self.recall(np.atleast_2d(self._queries(x)), steps=steps)
        if not end.converged:
            warnings.warn(
                f"fixed_points: some of {len(end.x['x'])} queries still move after {steps} sweeps; raise steps",
                RuntimeWarning,
                stacklevel=2,
            )
        members = 1.0 / np.sum(end.x["p"] ** 2, -1)
        kind = np.where(
            members < 1.5, "pattern", np.where(members > 0.75 * len(self.patterns), "average", "metastable")
        )
        return kind, members, end.x["x"]

    def _queries(self, x):
        x = array("x", x, finite=False)
        if x.ndim not in (1, 2) or not len(x) or x.shape[-1] != self.d or not np.all(np.isfinite(x)):
            raise ValueError(f"x: shape {x.shape}, expected finite ({self.d},) or (batch, {self.d})")
        return x


@on_one_thread
def attention(Q, K, V, beta=None, *, mask=None):
    """Softmax attention, softmax(beta Q K^T) V: one update of a modern Hopfield network with keys K from queries Q.

    Parameters
    ----------
    Q : (queries, d) array
    K : (keys, d) array
    V : (keys, v) array
    beta : float, optional
        Default 1/sqrt(d).
    mask : (queries, keys) array of bool, optional
        What each query may look at.

    Returns
    -------
    (queries, v) array

    Examples
    --------
    >>> attention([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[5.0], [7.0]], beta=100.0)
    array([[5.]])
    """
    Q, K, V = _matrix(Q, "Q"), _matrix(K, "K"), _matrix(V, "V")
    if Q.shape[1] != K.shape[1] or len(K) != len(V):
        raise ValueError(f"Q, K, V: shapes {Q.shape}, {K.shape}, {V.shape}; expected (q, d), (k, d), (k, v)")
    score = (1.0 / np.sqrt(K.shape[1]) if beta is None else positive("beta", beta)) * (Q @ K.T)
    if mask is not None:
        mask = reals("mask", mask, finite=False)
        if mask.dtype != bool:
            raise TypeError(
                f"mask: got {mask.dtype}, expected bool, True where a query may look; pass mask == 0 for one that is "
                "added to scores (0 or -inf)"
            )
        if mask.shape != score.shape or not mask.any(1).all():
            raise ValueError(f"mask: shape {mask.shape}, expected {score.shape} with at least one True in every row")
        score = np.where(mask, score, -np.inf)
    return softmax(score) @ V


@on_one_thread
def multi_head_attention(x, query, key, value, output, *, memory=None, beta=None, causal=False):
    """Attention in several subspaces at once (Vaswani et al. 2017).

    Parameters
    ----------
    x : (tokens, d) array
        What asks.
    query, key : (heads, d, k) arrays
        Projections of every head.
    value : (heads, d, v) array
    output : (heads, v, o) array
        Back; the heads are summed.
    memory : (items, d) array, optional
        What is asked; default x itself (self-attention).
    beta : float, optional
        Default 1/sqrt(k).
    causal : bool
        Token i looks at items 0 .. i only.

    Returns
    -------
    (tokens, o) array

    Examples
    --------
    >>> eye = np.eye(2)[None]  # one head, nothing projected
    >>> multi_head_attention(np.eye(2), eye, eye, eye, eye, beta=100.0)
    array([[1., 0.],
           [0., 1.]])
    """
    x = _matrix(x, "x")
    memory = x if memory is None else _matrix(memory, "memory")
    given = {"query": query, "key": key, "value": value, "output": output}
    query, key, value, output = (array(name, w, finite=False) for name, w in given.items())
    shapes = [w.shape for w in (query, key, value, output)]
    fits = all(len(s) == 3 for s in shapes) and query.shape == key.shape and query.shape[1] == x.shape[1]
    fits = (
        fits and value.shape[:2] == (len(query), memory.shape[1]) and output.shape[:2] == (len(query), value.shape[2])
    )
    if not fits or memory.shape[1] != x.shape[1]:
        raise ValueError(
            f"projections query, key, value, output: shapes {shapes} for x {x.shape} and memory {memory.shape}; "
            "expected query and key (heads, d, k), value (heads, d, v), output (heads, v, o)"
        )
    for name, w in (("query", query), ("key", key), ("value", value), ("output", output)):
        if not np.all(np.isfinite(w)):
            raise ValueError(f"{name}: {np.sum(~np.isfinite(w))} values are NaN or infinite, expected finite")
    mask = causal_mask(len(x), len(memory)) if flag("causal", causal) else None
    heads = zip(query, key, value, output, strict=True)
    return np.sum([attention(x @ q, memory @ k, memory @ v, beta, mask=mask) @ o for q, k, v, o in heads], 0)


def causal_mask(n, items=None):
    """Lower triangle, (n, items): token i may look at items 0 .. i.

    Parameters
    ----------
    n : int
    items : int, optional
        Default n.

    Examples
    --------
    >>> causal_mask(2)
    array([[ True, False],
           [ True,  True]])
    """
    n = count("n", n)
    items = n if items is None else count("items", items)
    count("n" if items == n else "n, items", n * items, each=8)  # NumPy's tri makes numbers first
    return np.tri(n, items, dtype=bool)


def positional_encoding(n, d):
    """Sines and cosines of position at wavelengths 2 pi .. 2 pi 10^4, (n, d) (Vaswani et al. 2017).

    The product of two codes depends on the distance of their positions only.

    Examples
    --------
    >>> code = positional_encoding(10, 8)
    >>> bool(np.isclose(code[1] @ code[4], code[5] @ code[8]))
    True
    """
    d = count("d", d, least=2, each=32)
    n = count("n", n, each=16 * d)
    if d % 2:
        raise ValueError(f"d: got {d}, expected an even dimension")
    angle = np.arange(n)[:, None] / 10_000.0 ** (np.arange(0, d, 2) / d)
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(n, d)


def _matrix(a, name):
    a = array(name, a, finite=False)
    if a.ndim != 2 or a.size == 0:
        raise ValueError(f"{name}: shape {a.shape}, expected a matrix, one row for each item")
    if not np.all(np.isfinite(a)):
        raise ValueError(f"{name}: {np.sum(~np.isfinite(a))} values are NaN or infinite, expected finite")
    return a
