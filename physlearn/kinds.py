"""Kinds: the values of a variable, and its response to the field on it.

``settle(f, curvature, x)`` is its move at T = 0, ``draw(f, curvature, x, temperature, rng)`` at T > 0 (heat
bath; a Gaussian for `Real`).  Fields are -dE/dx on a continuous variable, and the energies of the levels or the gap
between two on a discrete one (see `physlearn.discrete`).  A discrete kind of one's own is a `Discrete` with its values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Real as Number

import numpy as np

from physlearn.checks import count
from physlearn.discrete import Discrete, codes, fitting, sound


def is_continuous(kind):
    """Whether a variable of this kind moves by any amount: it has bounds or an activation."""
    return hasattr(kind, "low") or hasattr(kind, "activation")


def is_number(kind):
    """Whether a variable is a real number between bounds, which may be infinite: at rest x + f/curvature, clipped."""
    return hasattr(kind, "low") and not hasattr(kind, "activation") and getattr(kind, "period", None) is None


def is_discrete(kind):
    """Whether a variable of this kind has values that can be listed, and a field that says their energies."""
    needed = ("values", "levels", "gap", "coded", "gains", "log_z", "mean", "gain", "costs", "sloped", "number")
    return not isinstance(kind, type) and all(hasattr(kind, name) for name in needed)


def two_values(kind):
    """The values (low, high) of a kind whose field is their gap, else None."""
    return tuple(kind.levels.tolist()) if is_discrete(kind) and kind.gap else None


def unstated(name, kind):
    """The reason for refusing a layer whose kind is neither continuous nor says its values."""
    return (
        f"layer {name!r} is of the kind {kind}, which does not state its values: the energies of its levels are "
        "unknown; derive it from physlearn.Discrete and give it `values`, such as (-1, 0, 1), or take "
        "Discrete((-1, 0, 1)) itself"
    )


@dataclass(frozen=True)
class Real:
    """A number in [low, high] (volts, rates, errors; an ideal diode is a bound).

    Parameters
    ----------
    low, high : float
        Ends; -inf and inf where there is none.

    Examples
    --------
    >>> float(Real(low=0.0).settle(f=-3.0, curvature=2.0, x=1.0))  # an ideal diode blocks
    0.0
    """

    low: float = -np.inf
    high: float = np.inf
    rest = 0.0

    def __post_init__(self):
        ends = (self.low, self.high)
        numbers = all(isinstance(end, Number) and not isinstance(end, bool) for end in ends)
        if not numbers or not self.low <= self.high or self.low == np.inf or self.high == -np.inf:
            raise ValueError(f"low, high: got {self.low!r}, {self.high!r}, expected two numbers, low <= high")

    def settle(self, f, curvature, x):
        """Minimise exactly over a separable quadratic: x + f/curvature, clipped.

        Parameters
        ----------
        f, curvature, x : float or complex, or arrays of them
        """
        if not (type(f) is type(x) is np.ndarray and isinstance(curvature, np.ndarray | np.floating)):
            f, curvature, x = fitting(f=f, curvature=curvature, x=x)
        return np.clip(x + f / curvature, self.low, self.high)

    def draw(self, f, curvature, x, temperature, rng):
        """Draw from exp(-E/T): a Gaussian around x + f/curvature, truncated to the interval."""
        mean, sd = x + f / curvature, np.sqrt(temperature / curvature)
        if np.isinf(self.low) and np.isinf(self.high):
            return mean + sd * rng.standard_normal(np.shape(mean))
        from scipy.special import log_ndtr, ndtri_exp

        # Inverse distribution function, in logarithms; an interval above the mean is mirrored: near 1 digits are lost.
        low, high = (self.low - mean) / sd, (self.high - mean) / sd
        side = np.where(low + high > 0, -1.0, 1.0)
        below, above = (log_ndtr(np.where(side < 0, -a, b)) for a, b in ((high, low), (low, high)))
        u = rng.random(np.shape(mean))
        with np.errstate(divide="ignore"):
            log = np.logaddexp(np.log(u) + above, np.log1p(-u) + below)
        return np.clip(mean + sd * side * ndtri_exp(np.minimum(log, 0.0)), self.low, self.high)

    def log_z(self, f, temperature, curvature):
        """log of the integral of exp(f x - curvature x^2/2)/T over all x, where there are no bounds."""
        if np.isfinite(self.low) or np.isfinite(self.high):
            raise TypeError(f"layer: its kind {self} has no closed sum; expected a discrete kind or an unbounded Real")
        return 0.5 * (f / temperature) * f / curvature + 0.5 * np.log(2 * np.pi * temperature / curvature)

    def mean(self, f, temperature, curvature):
        """Mean from the field and the curvature at zero, where there are no bounds."""
        return f / curvature

    def random(self, shape, rng):
        """Uniform in the part of the interval that lies within one unit of zero or of a bound."""
        low = max(self.low, min(-1.0, self.high - 2.0))
        return rng.uniform(low, min(self.high, low + 2.0), shape)

    def valid(self, x):
        """Whether every value is finite and lies in the interval."""
        return bool(np.all(np.isfinite(x)) and (np.iscomplexobj(x) or np.all((x >= self.low) & (x <= self.high))))


@dataclass(frozen=True)
class Spin(Discrete):
    """-1 or +1; P(+1) = 1/(1 + exp(-2 f/T)).  A zero field keeps the state at T = 0.

    Examples
    --------
    >>> import numpy as np
    >>> Spin().settle(np.array([0.3, -2.0, 0.0]), None, np.array([-1.0, -1.0, -1.0]))
    array([ 1., -1., -1.])
    """

    values = (-1.0, 1.0)
    gap = True

    def settle(self, f, curvature, x):
        """Align with the field.

        Parameters
        ----------
        f : (batch, n) array
            Field; infinite where there is no choice.
        curvature : any
            Not used.
        x : (batch, n) array
            The state.
        """
        if not type(f) is type(x) is np.ndarray or f.shape != x.shape or f.dtype.kind != "f":
            f, x = fitting(f=f, x=x)
        sound(f, x)
        return np.where(f > 0, 1.0, np.where(f < 0, -1.0, x))

    def draw(self, f, curvature, x, temperature, rng):
        """Heat bath."""
        return np.where(rng.random(np.shape(f)) < _sigmoid(2.0 * f / temperature), 1.0, -1.0)

    def gain(self, f, x):
        """Energy that a flip would gain."""
        return -2.0 * f * x

    def costs(self, f, x):
        """Size of a flip's energy, (..., 1)."""
        return 2.0 * np.abs(f)[..., None]

    def log_z(self, f, temperature, curvature=None):
        """log(1 + exp(2 f/T))."""
        return np.logaddexp(0.0, 2.0 * (f / temperature))

    def mean(self, f, temperature, curvature=None):
        """tanh(f/T)."""
        return np.tanh(f / temperature)

    def valid(self, x):
        """Whether every value is -1 or +1."""
        return bool((np.abs(x) == 1).all())


@dataclass(frozen=True)
class Binary(Discrete):
    """0 or 1; P(1) = 1/(1 + exp(-f/T)).  A zero field keeps the state at T = 0.

    Examples
    --------
    >>> import numpy as np
    >>> Binary().settle(np.array([0.3, -2.0, 0.0]), None, np.array([0.0, 1.0, 1.0]))
    array([1., 0., 1.])
    """

    values = (0.0, 1.0)
    gap = True

    def settle(self, f, curvature, x):
        """Switch on in a positive field, off in a negative one.

        Parameters
        ----------
        f : (batch, n) array
            Field; infinite where there is no choice.
        curvature : any
            Not used.
        x : (batch, n) array
            The state.
        """
        if not type(f) is type(x) is np.ndarray or f.shape != x.shape or f.dtype.kind != "f":
            f, x = fitting(f=f, x=x)
        sound(f, x)
        return np.where(f > 0, 1.0, np.where(f < 0, 0.0, x))

    def draw(self, f, curvature, x, temperature, rng):
        """Heat bath."""
        return np.where(rng.random(np.shape(f)) < _sigmoid(f / temperature), 1.0, 0.0)

    def gain(self, f, x):
        """Energy that the other value would gain."""
        return f * (1.0 - 2.0 * x)

    def costs(self, f, x):
        """Size of a move's energy, (..., 1)."""
        return np.abs(f)[..., None]

    def log_z(self, f, temperature, curvature=None):
        """log(1 + exp(f/T))."""
        return np.logaddexp(0.0, f / temperature)

    def mean(self, f, temperature, curvature=None):
        """P(1) = 1/(1 + exp(-f/T))."""
        return 0.5 * (1.0 + np.tanh(0.5 * (f / temperature)))

    def valid(self, x):
        """Whether every value is 0 or 1."""
        return bool(np.all((x == 0) | (x == 1)))


@dataclass(frozen=True)
class Potts(Discrete):
    """An integer code 0..q-1; the field has one more axis, of length q; P(k) = softmax(f/T)_k.

    Examples
    --------
    >>> import numpy as np
    >>> Potts(3).settle(np.array([[0.1, 0.7, 0.2]]), None, np.array([0]))
    array([1])
    """

    q: int

    def __post_init__(self):
        object.__setattr__(self, "q", count("q", self.q, least=2))

    @cached_property
    def levels(self) -> np.ndarray:
        """The codes 0 .. q-1."""
        return codes(self.q)

    @property
    def values(self):
        """Unit vectors, (q, q): all codes differ alike."""
        return np.eye(self.q)

    @property
    def products(self):
        """None: the product of two codes is 1 if they are equal, else 0."""
        return None


def _sigmoid(a):
    return 0.5 * (1.0 + np.tanh(0.5 * a))  # tanh saturates where exp would overflow
