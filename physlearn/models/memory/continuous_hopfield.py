"""Hopfield's network of graded neurons (1984).

    tau dx/dt = -x + W g(x) + b,    g(x) = tanh(gain x)
    E = -1/2 g.W g - b.g + sum_i int_0^{g_i} g^-1 = -1/2 g.W g - b.g + sum_i (x_i g_i - log cosh(gain x_i)/gain)

x_i are membrane potentials, g_i firing rates relative to their mean.  For symmetric W, E falls along every trajectory
(Cohen and Grossberg 1983; Hopfield 1984), so all end at rest; in the limit of large gain the rests are those of the
two-valued network.  Below gain = 1/(largest eigenvalue of W) the only one is x = 0 (without b).  An asymmetric W
drives a `System` without an energy, which may oscillate.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, positive
from physlearn.energy import Energy, System
from physlearn.lagrangians import Tanh
from physlearn.models.memory import storage
from physlearn.models.memory.hopfield import Hopfield
from physlearn.terms.bias import Bias
from physlearn.terms.dense import Dense
from physlearn.terms.oneway import OneWay
from physlearn.threads import on_one_thread


class FixedPoints(NamedTuple):
    """Rests of a network.

    ``x`` (k, n); ``growth`` (k,), the largest real part of the eigenvalues of tau times the Jacobian there;
    ``stable`` (k,), where that is negative; ``energy`` (k,), NaN without one.
    """

    x: np.ndarray
    growth: np.ndarray
    stable: np.ndarray
    energy: np.ndarray

    __repr__ = brief


class ContinuousHopfield:
    """A network of graded neurons.

    Parameters
    ----------
    couplings : (n, n) array
        W_ij, the influence of j on i; zero diagonal.  Copied; symmetric to rounding is taken as symmetric.
    bias : (n,) array, optional
        Constant input b; default zero.
    gain : float
        Slope of the activation at zero, positive.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import integrate
    >>> memory = ContinuousHopfield.store([[1, 1, 1, -1, -1, -1], [1, -1, 1, -1, 1, -1]], gain=5.0)
    >>> run = integrate(memory, (0.0, 20.0), x0=[0.1, 0.1, -0.1, -0.1, -0.1, -0.1])
    >>> np.sign(run.final), bool(np.all(np.diff(run.energy) < 1e-9))
    (array([ 1.,  1.,  1., -1., -1., -1.]), True)
    """

    def __init__(self, couplings, bias=None, *, gain=1.0):
        self.couplings, self.kind = storage.check_couplings(couplings), Tanh(gain)
        self.n = len(self.couplings)
        self.bias = np.zeros(self.n) if bias is None else np.array(array("bias", bias, finite=False))
        if self.bias.shape != (self.n,) or not np.all(np.isfinite(self.bias)):
            raise ValueError(f"bias: got shape {self.bias.shape}, expected ({self.n},) finite numbers")
        self.bias.flags.writeable = False
        self.symmetric = bool(np.array_equal(self.couplings, self.couplings.T))

    def __repr__(self):
        return brief(
            self, n=self.n, gain=self.kind.gain, symmetric=self.symmetric, couplings=self.couplings, bias=self.bias
        )

    @classmethod
    def store(cls, patterns, rule="hebb", *, gain=1.0, **settings):
        """Build a memory that holds patterns of -1 and +1, by a rule of `Hopfield.store`."""
        memory = Hopfield.store(patterns, rule, **settings)
        if memory.values != (-1.0, 1.0):
            raise ValueError("patterns: got 0 and 1, expected -1 and +1, the values of tanh; pass 2*x - 1")
        return cls(memory.couplings, gain=gain)

    @functools.cached_property
    def energy(self) -> Energy | System:
        """The network on the substrate, layer "x": an `Energy` if the couplings are symmetric, otherwise a `System`."""
        layers, theta = {"x": (self.kind, self.n)}, {"W": self.couplings, "bias": self.bias}
        if self.symmetric:
            return Energy(layers, [Dense(("x", "x")), Bias("x")], theta)
        return System(layers, [OneWay("x"), Bias("x")], theta)

    @property
    def system(self) -> Energy | System:
        """The layers and terms that the verbs move."""
        return self.energy

    @property
    def theta(self):
        """The parameters that can learn, read-only: "W" and "bias"."""
        return self.system.theta

    def with_theta(self, theta):
        """The same network with other parameters, such as learnt ones."""
        new = self.system.with_theta(theta).theta
        return ContinuousHopfield(new["W"], new["bias"], gain=self.kind.gain)

    def jacobian(self, x):
        """tau d(dx/dt)/dx = -1 + W diag(g'(x)), (n, n).

        Examples
        --------
        >>> ContinuousHopfield([[0.0, 1.0], [1.0, 0.0]], gain=2.0).jacobian([0.0, 0.0])
        array([[-1.,  2.],
               [ 2., -1.]])
        """
        return self.couplings * self._slope(array("x", x, shape=(self.n,))) - np.eye(self.n)

    @on_one_thread
    def fixed_points(self, starts, *, tol=1e-10, apart=1e-6):
        """Rests that Newton's method reaches from given states, stable or not, each once.

        Parameters
        ----------
        starts : (k, n) array
            States to start from; many random ones find many rests, never surely all.
        tol : float
            Largest tau dx/dt that counts as rest.
        apart : float
            Rests closer than this are one, or closer than the last steps of Newton's method say they are known: where
            a rest is about to split (gain at its critical value) it is flat, and ends of many searches are one.

        Returns
        -------
        FixedPoints
            Sorted by growth, the most stable first.

        Examples
        --------
        Two neurons that excite each other: rest at zero is unstable, two others hold.

        >>> pair = ContinuousHopfield([[0.0, 1.0], [1.0, 0.0]], gain=2.0)
        >>> found = pair.fixed_points([[1.0, 1.0], [-1.0, -1.0], [0.01, 0.02]])
        >>> found.stable.tolist(), found.x[:, 0].round(4).tolist()
        ([True, True, False], [0.9575, -0.9575, 0.0])
        """
        starts = np.atleast_2d(np.array(array("starts", starts, finite=False)))
        if starts.ndim != 2 or starts.shape[1] != self.n or not np.all(np.isfinite(starts)):
            raise ValueError(f"starts: shape {starts.shape}, expected finite (k, {self.n})")
        tol, apart, found = positive("tol", tol), positive("apart", apart), []
        with np.errstate(over="ignore", invalid="ignore"):  # a start far out: its search ends without a rest
            ends = [end for x in starts if (end := self._newton(x, tol)) is not None]
        for x in ends:
            error = 3.0 * np.max(np.abs(self._step(x)))  # Newton's step comes a third of the way to a triple root
            if all(np.max(np.abs(x - y)) > apart + error + other for y, other in found):
                found.append((x, error))
        x = np.array([x for x, _ in found]).reshape(-1, self.n)
        growth = np.array([np.max(np.linalg.eigvals(self.jacobian(y)).real) for y in x])
        order = np.argsort(growth, kind="stable")
        energy = self.energy(x[order]) if isinstance(self.energy, Energy) and len(x) else np.full(len(x), np.nan)
        return FixedPoints(x[order], growth[order], growth[order] < 0, np.asarray(energy))

    def _newton(self, x, tol):
        """A rest near x, or None; steps are halved while they do not lower |tau dx/dt|."""
        velocity = self._velocity(x)
        for _ in range(200):
            if np.max(np.abs(velocity)) <= tol:
                return x
            step, size = self._step(x), 1.0
            while size > 1e-8:
                new = x + size * step
                after = self._velocity(new)
                if np.linalg.norm(after) < np.linalg.norm(velocity):
                    break
                size *= 0.5
            else:
                return None
            x, velocity = new, after
        return None

    def _step(self, x):
        return np.linalg.lstsq(self.jacobian(x), -self._velocity(x), rcond=None)[0]

    def _velocity(self, x):
        return self.couplings @ self.kind.activation(x) + self.bias - x

    def _slope(self, x):
        return self.kind.gain * (1.0 - self.kind.activation(x) ** 2)
