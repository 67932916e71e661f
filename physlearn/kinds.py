"""Kinds: the values of a variable, and its response to the field on it.

``settle(f, curvature, x)`` is its move at T = 0, ``draw(f, curvature, x, temperature, rng)`` at T > 0 (heat
bath; a Gaussian for `Real`).  Fields are -dE/dx on a `Real` variable and energy gaps on a discrete one (see
`physlearn.energy`).  A custom kind needs the same four methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real as Number

import numpy as np

from physlearn.checks import array, count


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
            f, curvature, x = _given(f=f, curvature=curvature, x=x)
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

    def random(self, shape, rng):
        """Uniform in the part of the interval that lies within one unit of zero or of a bound."""
        low = max(self.low, min(-1.0, self.high - 2.0))
        return rng.uniform(low, min(self.high, low + 2.0), shape)

    def valid(self, x):
        """Whether every value is finite and lies in the interval."""
        return bool(np.all(np.isfinite(x)) and (np.iscomplexobj(x) or np.all((x >= self.low) & (x <= self.high))))


@dataclass(frozen=True)
class Spin:
    """-1 or +1; P(+1) = 1/(1 + exp(-2 f/T)).  A zero field keeps the state at T = 0.

    Examples
    --------
    >>> import numpy as np
    >>> Spin().settle(np.array([0.3, -2.0, 0.0]), None, np.array([-1.0, -1.0, -1.0]))
    array([ 1., -1., -1.])
    """

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
            f, x = _given(f=f, x=x)
        _sound(f, x)
        return np.where(f > 0, 1.0, np.where(f < 0, -1.0, x))

    def draw(self, f, curvature, x, temperature, rng):
        """Heat bath."""
        return np.where(rng.random(np.shape(f)) < _sigmoid(2.0 * f / temperature), 1.0, -1.0)

    def random(self, shape, rng):
        """Fair coins."""
        return rng.choice(np.array([-1.0, 1.0]), shape)

    def valid(self, x):
        """Whether every value is -1 or +1."""
        return bool(np.all(np.abs(x) == 1))


@dataclass(frozen=True)
class Binary:
    """0 or 1; P(1) = 1/(1 + exp(-f/T)).  A zero field keeps the state at T = 0.

    Examples
    --------
    >>> import numpy as np
    >>> Binary().settle(np.array([0.3, -2.0, 0.0]), None, np.array([0.0, 1.0, 1.0]))
    array([1., 0., 1.])
    """

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
            f, x = _given(f=f, x=x)
        _sound(f, x)
        return np.where(f > 0, 1.0, np.where(f < 0, 0.0, x))

    def draw(self, f, curvature, x, temperature, rng):
        """Heat bath."""
        return np.where(rng.random(np.shape(f)) < _sigmoid(f / temperature), 1.0, 0.0)

    def random(self, shape, rng):
        """Fair coins."""
        return rng.choice(np.array([0.0, 1.0]), shape)

    def valid(self, x):
        """Whether every value is 0 or 1."""
        return bool(np.all((x == 0) | (x == 1)))


@dataclass(frozen=True)
class Potts:
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

    def settle(self, f, curvature, x):
        """Take the code of the largest field; ties keep the state.

        Parameters
        ----------
        f : (batch, n, q) array
            Field; infinite where there is no choice.
        curvature : any
            Not used.
        x : (batch, n) array
            The state, integer codes.
        """
        if not type(f) is type(x) is np.ndarray or f.shape[:-1] != x.shape or f.dtype.kind != "f":
            f, x = _given(last=1, f=f, x=x)
        _sound(f, x)
        try:
            held = np.take_along_axis(f, np.asarray(x, dtype=np.int64)[..., None], -1)[..., 0]
        except (IndexError, ValueError):
            raise ValueError(
                f"f, x: got arrays of shape {f.shape} and {x.shape}, expected a field with one more axis than x, "
                f"whose codes are 0 to {self.q - 1}"
            ) from None
        return np.where(held >= f.max(-1), x, f.argmax(-1))

    def draw(self, f, curvature, x, temperature, rng):
        """Heat bath."""
        p = np.exp((f - f.max(-1, keepdims=True)) / temperature).cumsum(-1)
        return (rng.random(p.shape[:-1])[..., None] * p[..., -1:] > p).sum(-1)

    def random(self, shape, rng):
        """Uniform codes."""
        return rng.integers(0, self.q, shape)

    def valid(self, x):
        """Whether every value is an integer code in 0..q-1."""
        return bool(np.all((x >= 0) & (x < self.q) & (x == np.floor(x))))


def _given(last=0, **arrays):
    """Arrays of finite numbers that fit together (f without its ``last`` axes), from a user's arguments."""
    kept = None if "curvature" in arrays else float  # real variables may be complex
    found = {name: array(name, value, dtype=kept) for name, value in arrays.items()}
    shapes = [value.shape[: value.ndim - last] if name == "f" else value.shape for name, value in found.items()]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        names = ", ".join(found)
        raise ValueError(
            f"{names}: got the shapes {[v.shape for v in found.values()]}, expected ones that fit"
        ) from None
    return found.values()


def _sound(f, x):
    """Refuse NaN, and states that are infinite; fields may be."""
    if np.isnan(f).any():
        raise ValueError("f: some entries are NaN, expected a field")
    if not np.isfinite(x).all():
        raise ValueError("x: some entries are NaN or infinite, expected a state")


def _sigmoid(a):
    return 0.5 * (1.0 + np.tanh(0.5 * a))  # tanh saturates where exp would overflow
