"""Steps from a gradient to new learning degrees of freedom, with bounds.

An optimiser is a frozen record; its memory (velocities, moments, step count) is a separate dictionary
of arrays, so that a training can be saved and resumed bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, function, mapping, not_negative, number, seen, sequence


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
        Interval each parameter is clipped to after every step; numbers or arrays.  Conductances of a `ResistorNetwork`
        stay positive without any: at least a millionth of the largest that it was built with.
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
        _below_one("momentum", self.momentum)
        _check(self)

    def decay_of(self, name):
        """Weight decay of one parameter."""
        return self.decay.get(name, 0.0) if isinstance(self.decay, Mapping) else self.decay

    def start(self, theta):
        """Fresh memory for these parameters.

        Parameters
        ----------
        theta : mapping of any names to arrays
        """
        return {"steps": 0, "velocity": _zeros(theta)}

    def step(self, theta, gradient, memory, lr):
        """New parameters; memory is updated in place.

        Parameters
        ----------
        theta : mapping of any names to arrays
            All parameters; those that ``gradient`` lacks stay.
        gradient : mapping of names to arrays
        memory : dict
            What `start` gave.
        lr : float
            Learning rate of this step.
        """
        not_negative("lr", lr)
        try:
            new = self._step(theta, gradient, memory, lr)
        except (AttributeError, LookupError, TypeError):
            _check_step(theta, gradient, memory, lr, ("velocity",))
            raise
        if not all(np.isfinite(value).all() for value in new.values()) or memory["steps"] != memory["steps"]:
            _check_step(theta, gradient, memory, lr, ("velocity",))
        return new

    def _step(self, theta, gradient, memory, lr):
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
        _below_one("beta1", self.beta1)
        _below_one("beta2", self.beta2)
        not_negative("epsilon", self.epsilon)
        _check(self)

    def decay_of(self, name):
        """Weight decay of one parameter."""
        return self.decay.get(name, 0.0) if isinstance(self.decay, Mapping) else self.decay

    def start(self, theta):
        """Fresh memory for these parameters.

        Parameters
        ----------
        theta : mapping of any names to arrays
        """
        return {"steps": 0, "first": _zeros(theta), "second": _zeros(theta)}

    def step(self, theta, gradient, memory, lr):
        """New parameters; memory is updated in place.

        Parameters
        ----------
        theta : mapping of any names to arrays
            All parameters; those that ``gradient`` lacks stay.
        gradient : mapping of names to arrays
        memory : dict
            What `start` gave.
        lr : float
            Learning rate of this step.
        """
        not_negative("lr", lr)
        try:
            new = self._step(theta, gradient, memory, lr)
        except (AttributeError, LookupError, TypeError):
            _check_step(theta, gradient, memory, lr, ("first", "second"))
            raise
        if not all(np.isfinite(value).all() for value in new.values()) or memory["steps"] != memory["steps"]:
            _check_step(theta, gradient, memory, lr, ("first", "second"))
        return new

    def _step(self, theta, gradient, memory, lr):
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


def _below_one(name, value):
    if number(name, value, 0, 1) == 1:
        raise ValueError(f"{name}: got {value}, expected 0 <= {name} < 1")


def _check(optimizer):
    if not callable(optimizer.lr) or isinstance(optimizer.lr, type):
        not_negative("lr", optimizer.lr)
    else:
        function("lr", optimizer.lr, 1, "a number, or a function of the epoch")
    expected = "a mapping of parameters' names to (low, high), such as {'conductance': (0.01, 10.0)}"
    for name, pair in mapping("bounds", optimizer.bounds, expected=expected).items():
        pair = sequence(f"bounds[{name!r}]", pair, expected="(low, high)")
        if len(pair) != 2:
            raise ValueError(f"bounds[{name!r}]: got {len(pair)} entries, expected (low, high)")
        low, high = (array(f"bounds[{name!r}]", end, finite=False) for end in pair)
        if not np.all(low < high):
            raise ValueError(f"bounds[{name!r}]: got ({pair[0]}, {pair[1]}), expected low < high")
    for value in optimizer.decay.values() if isinstance(optimizer.decay, Mapping) else (optimizer.decay,):
        not_negative("decay", value)


def _zeros(theta):
    """Like every parameter, zero."""
    mapping("theta", theta, expected="a mapping of names to arrays")
    return {
        name: np.zeros_like(value, _precision(array(f"theta[{name!r}]", value, dtype=None)))
        for name, value in theta.items()
    }


def _precision(value):
    """float32 for arrays in it, else float64."""
    return np.float32 if value.dtype == np.float32 else np.float64


def _check_step(theta, gradient, memory, lr, kept):
    """Name the argument that made a step fail; called afterwards, so that a good step costs nothing more."""
    mapping("theta", theta)
    mapping("memory", memory, expected="the mapping that `start` gave")
    for name in mapping("gradient", gradient):
        if name not in theta:
            raise ValueError(f"gradient: there is no parameter {name!r}, expected some of {list(theta)}")
        array(f"gradient[{name!r}]", gradient[name])
        array(f"theta[{name!r}]", theta[name])
        for key in kept:
            if not isinstance(memory.get(key), dict) or name not in memory[key]:
                raise ValueError(f"memory: holds no {key!r} of {name!r}; pass what `start(theta)` gave")
    if not isinstance(memory.get("steps"), int | np.integer):
        raise ValueError("memory: its 'steps' is no integer; pass what `start(theta)` gave")
    not_negative("lr", lr)


def within_domains(optimizer, system):
    """The optimiser, with the bounds that terms state (`domain`) of parameters for which it has none of its own."""
    bounds = getattr(optimizer, "bounds", None)
    stated = {name: ends for term in system.terms for name, ends in getattr(term, "domain", {}).items()}
    if bounds is None or not stated:
        return optimizer
    for name in stated.keys() & bounds.keys():
        if np.any(np.asarray(bounds[name][0]) < 0):
            raise ValueError(
                f"bounds[{name!r}]: got the lower end {seen(bounds[name][0])}, expected at least 0: a negative one "
                "means nothing on this machine"
            )
    added = {}
    for name in stated.keys() - bounds.keys():
        low, high = stated[name]
        added[name] = (min(low, float(np.min(system.theta[name], initial=np.inf))), high)
    return replace(optimizer, bounds={**bounds, **added}) if added else optimizer


def rate(optimizer: SGD | Adam, epoch: int) -> float:
    """Learning rate of an epoch, zero or a positive finite number."""
    lr = optimizer.lr(epoch) if callable(optimizer.lr) else optimizer.lr
    try:
        return not_negative("lr", lr)
    except ValueError:
        raise ValueError(f"lr: got {seen(lr)} at epoch {epoch}, expected zero or a positive finite number") from None


def stepped(optimizer, theta, gradient, memory, lr):
    """New parameters by an optimiser's step, {name: array}, checked; the step is counted."""
    count = memory["steps"]
    new = optimizer.step(theta, gradient, memory, lr)
    memory["steps"] = count + 1
    if type(new) is not dict and not isinstance(new, Mapping):
        raise TypeError(f"optimizer: its step gave a {type(new).__name__}, expected {{name in theta: array}}")
    for name, value in new.items():
        if name not in theta or getattr(value, "shape", None) != theta[name].shape:
            expected = f"{theta[name].shape}, as theta has" if name in theta else f"one of {list(theta)}"
            raise ValueError(f"optimizer: its step gave {name!r} of shape {np.shape(value)}, expected {expected}")
    return new


def is_plain(optimizer):
    """Whether the compiled engines have the optimiser's arithmetic themselves."""
    return type(optimizer) in (SGD, Adam)
