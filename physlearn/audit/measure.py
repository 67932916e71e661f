"""Measurements of `check_energy`: the comparison, the difference quotient, the tested state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

EPS = np.finfo(float).eps


class Check(NamedTuple):
    """One comparison: the worst coordinate of one form of one term (or of the sum)."""

    part: str
    form: str
    where: str
    got: Any
    expected: Any
    error: float
    tolerance: float

    @property
    def ok(self):
        """Whether the worst error is within tolerance."""
        return bool(self.error <= self.tolerance)


@dataclass(frozen=True)
class Part:
    """A term, or the sum of all, as functions of what terms see (the sum: of x itself).

    ``lift(x, layer, v)`` is how far what the field is conjugate to moves when x[layer] moves along v.
    """

    name: str
    layers: tuple
    energy: Callable | None
    field: Callable
    gradient: Callable | None
    lift: Callable
    term: Any = None


@dataclass(frozen=True)
class Scene:
    """The tested state and its displacements.

    ``x`` is the state, ``shown`` what terms see of it, ``step`` the difference step per continuous layer.
    """

    system: Any
    x: dict
    shown: dict
    step: dict
    rng: np.random.Generator
    coordinates: int
    rtol: float

    @property
    def theta(self):
        """Learning degrees of freedom."""
        return self.system.theta

    def sample(self, size):
        """Up to ``coordinates`` flat indices."""
        if size <= self.coordinates:
            return np.arange(size)
        return np.sort(self.rng.choice(size, self.coordinates, replace=False))

    def compare(self, part, form, got, expected, where, noise=0.0, spare=0):
        """The `Check` of two arrays; ``where`` names the entry of a flat index, ``noise`` is allowed for.

        The last ``spare`` entries are not coordinates: they are reported only if all others are right.
        """
        got, expected = np.ravel(np.asarray(got)), np.ravel(np.asarray(expected))
        if got.size == 0:
            return Check(part, form, "-", 0.0, 0.0, 0.0, 0.0)
        error = np.abs(got - expected)
        error = np.where(np.isfinite(error), error, np.inf)
        size = max(np.max(np.abs(a[np.isfinite(a)]), initial=0.0) for a in (got, expected))
        tolerance = np.broadcast_to(self.rtol * size + noise, error.shape)
        excess = error - tolerance
        worst = int(np.argmax(excess))
        if spare and np.any(excess[:-spare] > 0):
            worst = int(np.argmax(excess[:-spare]))
        found = got[worst], expected[worst], float(error[worst]), float(tolerance[worst])
        return Check(part, form, where(worst), *found)


def slope(f, h):
    """Derivative of f at 0, by the fourth-order central difference."""
    return (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)


def noise(values, h):
    """Rounding error that differences of ``values`` over a step h may carry."""
    return 64 * EPS * float(np.max(np.abs(values), initial=0.0)) / h


def moved(x, layer, delta):
    """The state with ``delta`` added to one layer."""
    return {**x, layer: x[layer] + delta}


def replaced(x, layer, index, value):
    """The state with variable ``index`` (flat) of one layer set."""
    new = x[layer].reshape(len(x[layer]), -1).copy()
    new[:, index] = value
    return {**x, layer: new.reshape(x[layer].shape)}


def unit(x, layer, index):
    """A unit step of one variable of one layer."""
    out = np.zeros(x[layer].shape[1:])
    out.flat[index] = 1.0
    return out


def named(layer, shape, index):
    """A variable's name for messages."""
    return f"{layer}[{', '.join(str(int(k)) for k in np.unravel_index(index, shape))}]"


def flat_field(part, x, theta, layer):
    """(batch, size), and by levels (batch, size, q)."""
    field = part.field(x, theta, layer)
    return field.reshape(len(field), int(np.prod(x[layer].shape[1:])), *field.shape[x[layer].ndim :])


def another(scene, x, layer, shape=None):
    """Another random state of one layer, near x where it is continuous."""
    kind, own = scene.system.layers[layer]
    shape = x[layer].shape if shape is None else (1, *shape)
    if layer in scene.step:
        return x[layer] + scene.step[layer] * scene.rng.uniform(-2.0, 2.0, shape)
    return kind.random(shape, scene.rng)
