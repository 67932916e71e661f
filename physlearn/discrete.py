"""Discrete kinds: a variable that takes one of finitely many values, and what every engine needs to know of it.

The values are numbers, which states hold, or vectors, of which states hold the codes 0 .. q-1.  What engines hold in
hand is the *field*: one number a level (last axis, of length q),

    f(k) = -E(value k, all else) + const,

or, where a kind of two values says ``gap``, the one number -(E(b) - E(a))/(b - a), from which f(k) = f values[k].
All else follows from it: P(k) = softmax(f/T), the sum over levels, the mean, the lowest level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from physlearn.checks import array, count, reals


class Discrete:
    """One of the given values: the base of every discrete kind, and a kind itself.

    A kind of one's own states its values and has all the rest from here; every verb then serves it.  Methods may be
    written again where there is a faster form.

    Parameters
    ----------
    values : (q,) or (q, d) array, optional
        At least two, all different: numbers, which states hold, or vectors, of which states hold the codes 0 .. q-1.
        Default: the class's own.

    Attributes
    ----------
    values : tuple
        As given.
    gap : bool
        Whether the field is one number, -(E(b) - E(a))/(b - a) of two values a and b; else it has one a level.

    Raises
    ------
    ValueError
        Fewer than two values, equal ones, NaN or infinity.

    Examples
    --------
    An ion with 0, 1 or 3 charges, as an instance and as a class:

    >>> import numpy as np
    >>> from physlearn import Energy, enumerate_states
    >>> from physlearn.terms import Bias
    >>> charge = Discrete((0, 1, 3))
    >>> charge
    Discrete((0, 1, 3))
    >>> ion = Energy({"n": (charge, 1)}, [Bias("n")], {"bias": [0.5]})
    >>> weights = np.exp(0.5 * np.array([0.0, 1.0, 3.0]))
    >>> bool(np.isclose(enumerate_states(ion, temperature=1.0).log_z, np.log(weights.sum())))
    True
    >>> class Ion(Discrete):
    ...     values = (0, 1, 3)
    >>> float(Energy({"n": (Ion(), 1)}, [Bias("n")], {"bias": [0.5]})(np.array([3.0])))
    -1.5
    """

    values: Any = None
    gap = False

    def __init__(self, values=None):
        found = _different(type(self).values if values is None else values)
        self.values = tuple(found.tolist() if found.ndim == 1 else map(tuple, found.tolist()))

    def __repr__(self):
        own = type(self).values is not None
        return f"{type(self).__name__}({'' if own else self.values})"

    def __eq__(self, other):
        return type(self) is type(other) and self.values == other.values

    def __hash__(self):
        return hash((type(self), self.values))

    @cached_property
    def levels(self) -> np.ndarray:
        """What a state holds, level by level, (q,): the numbers, or the codes of vectors."""
        found = _different(self.values)
        return codes(len(found)) if found.ndim == 2 else read_only(found.astype(float))

    @property
    def coded(self) -> bool:
        """Whether states hold integer codes of vectors, which have no products and no slope."""
        return self.levels.dtype.kind == "i"

    @property
    def vectors(self) -> np.ndarray:
        """The values as vectors, (q, d); numbers are vectors of one component."""
        return np.reshape(np.array(self.values, dtype=float), (len(self.levels), -1))

    @property
    def products(self) -> np.ndarray | None:
        """Products of any two values, (q, q); None where that is 1 for equal ones and 0 for others."""
        return self.vectors @ self.vectors.T

    def number(self, x):
        """Level of every value of a state, integers shaped like x."""
        x = np.asarray(x)
        return x.astype(np.int64) if self.coded else np.abs(x[..., None] - self.levels).argmin(-1)

    def gains(self, f):
        """Minus the energies of the levels relative to the first one, (..., q), from the field."""
        if not self.gap:
            return f - f[..., :1]
        return np.stack([np.zeros_like(f), (self.levels[1] - self.levels[0]) * f], -1)

    def sloped(self, f, slope, curvature, x):
        """The field with slope d - curvature d^2/2 added, d the distance from x: a force, a cost, a term's quadratic.

        Parameters
        ----------
        f : array
            The field to which it is added.
        slope, curvature : arrays that broadcast to x
            -dE/dx and d2E/dx2 at the state; curvature None: zero.
        x : (...) array
            The state; not of codes, which have no slope.
        """
        if self.gap:  # of a quadratic: its slope halfway between the two values
            f = f + slope
            return f if curvature is None else f + curvature * (x - 0.5 * (self.levels[0] + self.levels[1]))
        d = self.levels - np.asarray(x)[..., None]
        f = f + np.broadcast_to(slope, np.shape(x))[..., None] * d
        return f if curvature is None else f - 0.5 * np.broadcast_to(curvature, np.shape(x))[..., None] * d * d

    def settle(self, f, curvature, x):
        """Take the value of lowest energy; ties keep the state.

        Parameters
        ----------
        f : (batch, n, q) array
            Field; infinite where there is no choice.
        curvature : any
            Not used.
        x : (batch, n) array
            The state.
        """
        if not type(f) is type(x) is np.ndarray or f.shape[:-1] != x.shape or f.dtype.kind != "f":
            f, x = fitting(last=1, f=f, x=x)
        sound(f, x)
        q = len(self.levels)
        try:
            held = np.take_along_axis(f, self.number(x)[..., None], -1)[..., 0]
            if f.shape[-1] != q:
                raise ValueError
        except (IndexError, ValueError):
            what = f"whose codes are 0 to {q - 1}" if self.coded else f"of length {q}, the number of values"
            raise ValueError(
                f"f, x: got arrays of shape {f.shape} and {x.shape}, expected a field with one more axis than x, {what}"
            ) from None
        return np.where(held >= f.max(-1), x, self.levels[f.argmax(-1)])

    def draw(self, f, curvature, x, temperature, rng):
        """Heat bath: one uniform number a variable."""
        p = np.exp((f - f.max(-1, keepdims=True)) / temperature).cumsum(-1)
        return self.levels[(rng.random(p.shape[:-1])[..., None] * p[..., -1:] > p).sum(-1)]

    def gain(self, f, x):
        """Energy that every variable could lose by moving alone, shaped like x."""
        return f.max(-1) - np.take_along_axis(f, self.number(x)[..., None], -1)[..., 0]

    def costs(self, f, x):
        """Size of the energy of every move of every variable, (..., moves)."""
        return np.abs(f - np.take_along_axis(f, self.number(x)[..., None], -1))

    def log_z(self, f, temperature, curvature=None):
        """log sum_k exp(-(E_k - E_0)/T), relative to the first level, shaped like the layer."""
        f = f / temperature
        if self.gap:
            f = self.gains(f)
        top = f.max(-1)
        return top + np.log(np.sum(np.exp(f - top[..., None]), -1)) - f[..., 0]

    def mean(self, f, temperature, curvature=None):
        """Mean of every variable, shaped like the layer; of codes their probabilities, (..., q)."""
        f = f / temperature
        if self.gap:
            f = self.gains(f)
        p = np.exp(f - f.max(-1, keepdims=True))
        p = p / p.sum(-1, keepdims=True)
        return p if self.coded else p @ self.levels

    def random(self, shape, rng):
        """Uniform over the values."""
        return self.levels[rng.integers(0, len(self.levels), shape)]

    def valid(self, x):
        """Whether every value is one of the kind's; of vectors, an integer code in 0 .. q-1."""
        if self.coded:
            return bool(np.all((x >= 0) & (x < len(self.levels)) & (x == np.floor(x))))
        return bool(np.all(np.isin(x, self.levels)))


@dataclass(frozen=True)
class SpinOne(Discrete):
    """-1, 0 or +1: the spin of Blume and Capel, with `Parabola` for the anisotropy D s^2 (stiffness 2 D).

    Sources: Blume 1966; Capel 1966.

    Examples
    --------
    A free spin in an anisotropy D is 0 with probability 1/(1 + 2 exp(-D/T)):

    >>> import numpy as np
    >>> from physlearn import Energy, enumerate_states
    >>> from physlearn.terms import Parabola
    >>> spin = Energy({"s": (SpinOne(), 1)}, [Parabola("s", "D")], {"D": [2.0 * 0.4]})
    >>> exact = enumerate_states(spin, temperature=1.0)
    >>> bool(np.isclose(exact.probability[1], 1.0 / (1.0 + 2.0 * np.exp(-0.4))))
    True
    """

    values = (-1.0, 0.0, 1.0)


@dataclass(frozen=True)
class Clock(Discrete):
    """One of q directions in the plane, (cos, sin) of 2 pi k/q; states hold the code k, an hour on a dial.

    `PottsPairs` couples two by their product, J cos(2 pi (k - l)/q), and by any other matrix; `PottsBias` weighs
    codes.  Clock(2) is `Spin`, Clock(3) with J is Potts(3) with 3 J/2, many hours are the XY model (see `Angle`).
    Source: Potts 1952.

    Parameters
    ----------
    q : int
        Number of directions, at least 2.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy
    >>> from physlearn.terms import PottsPairs
    >>> pair = Energy({"s": (Clock(4), 2)}, [PottsPairs("s", [(0, 1)], q=4)], {"J": [1.0]})
    >>> pair(np.array([[0, 0], [0, 1], [0, 2]])).round(12) + 0.0  # equal, at right angles, opposite
    array([-1.,  0.,  1.])
    """

    q: int

    def __post_init__(self):
        object.__setattr__(self, "q", count("q", self.q, least=2, each=16))

    @cached_property
    def levels(self) -> np.ndarray:
        """The codes 0 .. q-1."""
        return codes(self.q)

    @cached_property
    def values(self):
        """Unit vectors, (q, 2)."""
        angle = 2.0 * np.pi * np.arange(self.q) / self.q
        return np.stack([np.cos(angle), np.sin(angle)], -1)


def codes(q):
    """0 .. q-1, read-only."""
    return read_only(np.arange(q))


def read_only(values):
    """The same array, which nobody changes."""
    values.flags.writeable = False
    return values


def _different(values):
    """Values as an array of numbers (q,) or vectors (q, d), at least two, all different."""
    if values is None:
        raise ValueError("values: got none, expected at least two numbers or vectors, such as (-1, 0, 1)")
    found = np.array(reals("values", values))
    if found.ndim not in (1, 2) or len(found) < 2 or not found.size:
        raise ValueError(f"values: shape {found.shape}, expected (q,) numbers or (q, d) vectors, q at least 2")
    if len(np.unique(found, axis=0)) < len(found):
        raise ValueError(f"values: got {values!r}, expected values that are all different")
    return found


def fitting(last=0, **arrays):
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


def sound(f, x):
    """Refuse NaN, and states that are infinite; fields may be."""
    if np.isnan(f).any():
        raise ValueError("f: some entries are NaN, expected a field")
    if not np.isfinite(x).all():
        raise ValueError("x: some entries are NaN or infinite, expected a state")
