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
from physlearn.checks import array, count, positive
from physlearn.dynamics.rest.relax import relax
from physlearn.energy import Energy, Real
from physlearn.models.memory.attention import matrix
from physlearn.terms.convex import TINY, Entropy, SquaredNorm, softmax
from physlearn.terms.dense import Dense
from physlearn.terms.memory import LogSumExp
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
    slope = True  # `settle` takes -dE/dp

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
        self.patterns, self.beta = matrix(patterns, "patterns").copy(), positive("beta", beta)
        self.patterns.flags.writeable = False
        self.d = self.patterns.shape[1]

    def __repr__(self):
        return brief(self, beta=self.beta, patterns=self.patterns)

    @property
    def system(self) -> Energy:
        """The `Energy` that the verbs move."""
        return self.energy

    @property
    def theta(self):
        """The parameters that can learn, read-only: "patterns"."""
        return self.system.theta

    def with_theta(self, theta):
        """The same memory with other parameters, such as learnt ones."""
        return ModernHopfield(self.system.with_theta(theta).theta["patterns"], self.beta)

    @functools.cached_property
    def energy(self) -> Energy:
        """The `Energy` of layer "x" alone."""
        terms = [SquaredNorm("x"), LogSumExp("x", self.beta)]
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
        """Whether each query ends at one pattern, a mean of several, or the mean of all.

        Returns
        -------
        kind : (batch,) array of str
            "pattern", "metastable" or "average".
        members : (batch,) array
            Number of patterns that share the weight, 1/sum_mu p_mu^2.
        x : (batch, d) array
            States where they end; a warning says if some still move after ``steps`` sweeps.

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
