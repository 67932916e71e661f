"""Steps from a gradient to new learning degrees of freedom, with bounds.

An optimiser is a frozen record; its memory (velocities, moments, step count) is a separate dictionary
of arrays, so that a training can be saved and resumed bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from physlearn.brief import brief


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with heavy-ball momentum: v = momentum v + gradient; theta -= lr v.

    Parameters
    ----------
    lr : float or callable
        Learning rate, or a function of the epoch number (0, 1, ...) that returns it.
    momentum : float
        In [0, 1).
    bounds : mapping of str to (low, high), optional
        Interval each parameter is clipped to after every step (conductances stay positive); numbers or arrays.
    decay : float or mapping of str to float
        Weight decay: every step also takes lr decay theta away, of all parameters or of those named; apart from
        momentum and moments (decoupled: Loshchilov and Hutter 2019).

    Examples
    --------
    >>> import numpy as np
    >>> descent = SGD(lr=0.5, bounds={"g": (0.1, 1.0)})
    >>> theta, gradient = {"g": np.array([0.3, 0.9])}, {"g": np.array([1.0, -0.1])}
    >>> descent.step(theta, gradient, descent.start(theta), lr=0.5)
    {'g': array([0.1 , 0.95])}
    """

    lr: float | Callable[[int], float] = 0.1
    momentum: float = 0.0
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    decay: float | Mapping[str, float] = 0.0

    __repr__ = brief

    def __post_init__(self):
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: got {self.momentum}, expected 0 <= momentum < 1")
        _check(self)

    def decay_of(self, name):
        """Weight decay of one parameter."""
        return self.decay.get(name, 0.0) if isinstance(self.decay, Mapping) else self.decay

    def start(self, theta):
        """Fresh memory for these parameters."""
        return {"steps": 0, "velocity": {name: np.zeros_like(value) for name, value in theta.items()}}

    def step(self, theta, gradient, memory, lr):
        """New parameters; memory is updated in place."""
        memory["steps"] += 1
        out = {}
        for name, g in gradient.items():
            v = memory["velocity"][name]
            v *= self.momentum
            v += g
            v = v + self.decay_of(name) * theta[name]
            out[name] = np.clip(theta[name] - lr * v, *self.bounds.get(name, (-np.inf, np.inf)))
        return out


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), with bounds.

    Parameters
    ----------
    lr : float or callable
        Learning rate, or a function of the epoch number (0, 1, ...) that returns it.
    beta1, beta2 : float
        Decay of the first and second moments.
    epsilon : float
        Added to the root of the second moment, in the gradient's units.
    bounds : mapping of str to (low, high), optional
        Interval each parameter is clipped to after every step; numbers or arrays.
    decay : float or mapping of str to float
        Weight decay: every step also takes lr decay theta away, of all parameters or of those named; apart from
        momentum and moments (decoupled: Loshchilov and Hutter 2019).

    Examples
    --------
    >>> import numpy as np
    >>> adam = Adam(lr=0.1)
    >>> theta = {"g": np.array([1.0])}
    >>> new = adam.step(theta, {"g": np.array([5.0])}, adam.start(theta), lr=0.1)
    >>> new["g"].round(6)  # the first step has the length of the learning rate
    array([0.9])
    """

    lr: float | Callable[[int], float] = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    decay: float | Mapping[str, float] = 0.0

    __repr__ = brief

    def __post_init__(self):
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, expected 0 <= {name} < 1")
        _check(self)

    def decay_of(self, name):
        """Weight decay of one parameter."""
        return self.decay.get(name, 0.0) if isinstance(self.decay, Mapping) else self.decay

    def start(self, theta):
        """Fresh memory for these parameters."""
        zeros = {name: np.zeros_like(value) for name, value in theta.items()}
        return {
            "steps": 0,
            "first": zeros,
            "second": {name: np.zeros_like(value) for name, value in theta.items()},
        }

    def step(self, theta, gradient, memory, lr):
        """New parameters; memory is updated in place."""
        memory["steps"] += 1
        out = {}
        for name, g in gradient.items():
            first, second = memory["first"][name], memory["second"][name]
            first *= self.beta1
            first += (1 - self.beta1) * g
            second *= self.beta2
            second += (1 - self.beta2) * g * g
            mean = first / (1 - self.beta1 ** memory["steps"])
            square = second / (1 - self.beta2 ** memory["steps"])
            moved = mean / (np.sqrt(square) + self.epsilon) + self.decay_of(name) * theta[name]
            out[name] = np.clip(
                theta[name] - lr * moved,
                *self.bounds.get(name, (-np.inf, np.inf)),
            )
        return out


def _check(optimizer):
    for name, (low, high) in optimizer.bounds.items():
        if not np.all(np.asarray(low) < np.asarray(high)):
            raise ValueError(f"bounds[{name!r}]: got ({low}, {high}), expected low < high")
    for value in optimizer.decay.values() if isinstance(optimizer.decay, Mapping) else (optimizer.decay,):
        if not 0 <= value < np.inf:
            raise ValueError(f"decay: got {value}, expected a finite number >= 0")


def rate(optimizer: SGD | Adam, epoch: int) -> float:
    """Learning rate of an epoch; refuses what is not a finite number."""
    lr = float(optimizer.lr(epoch)) if callable(optimizer.lr) else float(optimizer.lr)
    if not np.isfinite(lr):
        raise ValueError(f"lr: got {lr} at epoch {epoch}, expected a finite number")
    return lr
