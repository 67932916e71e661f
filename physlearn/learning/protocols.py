"""Rules, optimisers and costs of one's own: what `learn` asks of each, with shapes.

A class with these members fits; nothing is to be derived from.  ``memory`` is a dictionary that the training carries
along and `save` writes: numbers, texts, arrays, dictionaries of arrays and NumPy generators, so that a resumed training
continues bit for bit.  ``memory["steps"]``, the number of steps done, is counted by `learn`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from physlearn.learning.data import Assignment

Array = np.ndarray


@runtime_checkable
class PhaseRule(Protocol):
    """A rule of weighted phases: the step follows sum_k weight_k <dE/dtheta>_k.

    Every engine takes it: whole epochs compiled, columns and moments, and relaxation of any system.

    Attributes
    ----------
    phases : sequence of (weight, strength)
        Strength 0 is the free phase; complex ones lie on a circle of complex nudges.
    mode : {"clamp", "linearised", "full"}
        A phase of strength s holds the outputs y at y - s C'(y), or adds s C to the energy: as its tangent at the free
        outputs, or in full.

    Examples
    --------
    Contrastive Hebbian learning with a free phase that counts for less:

    >>> from dataclasses import dataclass
    >>> from physlearn.learning import PhaseRule
    >>> @dataclass(frozen=True)
    ... class Lopsided:
    ...     forget: float = 0.9
    ...     mode = "clamp"
    ...     @property
    ...     def phases(self):
    ...         return [(1.0, 1.0), (-self.forget, 0.0)]
    >>> isinstance(Lopsided(), PhaseRule)
    True
    """

    @property
    def phases(self) -> Sequence[tuple]:
        """Pairs of weight and strength."""
        ...

    @property
    def mode(self) -> str:
        """Meaning of a strength."""
        ...


@runtime_checkable
class ContrastRule(Protocol):
    """A rule that brings its own contrast.

    Attributes
    ----------
    takes_cost : bool, optional
        Whether `learn` needs a cost (default) or refuses one.
    method : str, optional
        What ``Training.method`` says; default "contrast".  A rule whose setting has this name has ``own_method``.
    in_place : bool, optional
        Whether the step keeps nothing of the system that it is given, whose theta then changes in place: faster.

    Methods
    -------
    contrast(system, task) -> step
        Called once, with the system as it starts and the checked `Assignment`; ``step(system, memory, pick) -> (cost,
        gradient)`` then with the system at each step's theta, the training's memory, and ``pick`` (batch,), numbers of
        samples.  ``cost`` is (batch,), or the sum over them; ``gradient`` {name in theta: array like it}, the mean over
        the batch, which a step descends.
    start(system, task, generator) -> dict, optional
        The rule's entries of the memory: persistent chains, eligibilities, random streams.
    compiled(system, task) -> str or callable, optional
        Why whole epochs cannot be compiled, or a function that makes ``run(system, memory, orders, rates)``.
    monitor(system, task) -> (name, measure), optional
        A figure beside or in place of the cost, ``measure(system) -> float``; None where it is the cost itself.

    Examples
    --------
    Hebb's rule on the samples themselves, with forgetting:

    >>> import numpy as np
    >>> from physlearn import SGD, learn
    >>> from physlearn.models import Hopfield
    >>> class Hebb:
    ...     takes_cost = False
    ...     def contrast(self, system, task):
    ...         def step(system, memory, pick):
    ...             x = {"s": task.inputs["s"][pick]}
    ...             seen = system.response(x, np.full(len(pick), 1.0 / len(pick)))
    ...             return 0.0, {"W": seen["W"] + 0.1 * system.theta["W"]}
    ...         return step
    >>> blank, pattern = Hopfield(np.zeros((4, 4))), [[1.0, 1.0, -1.0, -1.0]]
    >>> done = learn(blank, {"s": pattern}, rule=Hebb(), optimizer=SGD(0.5), epochs=20)
    >>> done.machine.recall([1.0, -1.0, -1.0, -1.0], order="fixed").x
    array([ 1.,  1., -1., -1.])
    """

    def contrast(self, system: Any, task: Assignment) -> Callable[[Any, dict, Array], tuple[Any, Mapping[str, Array]]]:
        """Make the function that gives cost and gradient of a step."""
        ...


@runtime_checkable
class Optimizer(Protocol):
    """From a gradient to new parameters.

    The compiled engines take any: a step of the library's own is compiled too, one of these is called after each.

    Attributes
    ----------
    lr : float or callable
        Learning rate, or a function of the epoch.
    bounds : mapping of str to (low, high), optional
        Where theta must start; to keep it there is the optimiser's own affair.

    Methods
    -------
    start(theta) -> memory
        Fresh memory for {name: array}.  With a second parameter named ``rng`` it is given a NumPy generator of its own,
        drawn from the training's; keep it in the memory.
    step(theta, gradient, memory, lr) -> theta
        New arrays of the parameters that change, {name: array}; ``memory`` is updated in place, ``theta`` is read-only.
    compiled() -> (function, numbers), optional
        The same step for whole compiled epochs, where a call of Python may cost more than all else in a step.
        ``function(theta, gradient, kept, numbers, lr, count, rng)`` is compiled by Numba and steps one parameter in
        place: ``theta`` and ``gradient`` (n,); ``kept`` (k, n), one row for each dictionary {name: array like theta}
        that ``start`` gives, in its order; ``numbers`` as given here, (m,) float64; ``count`` the number of the step,
        from 1 on; ``rng`` is ``memory["rng"]``.  A training begins with two steps of both forms and refuses those that
        do not agree.

    Examples
    --------
    Descent with noisy updates, as of analogue devices:

    >>> from dataclasses import dataclass
    >>> from physlearn.learning import Optimizer
    >>> @dataclass(frozen=True)
    ... class Noisy:
    ...     lr: float = 0.1
    ...     noise: float = 0.01
    ...     def start(self, theta, rng):
    ...         return {"rng": rng}
    ...     def step(self, theta, gradient, memory, lr):
    ...         draw = memory["rng"].standard_normal
    ...         return {name: theta[name] - lr * (g + self.noise * draw(g.shape)) for name, g in gradient.items()}
    >>> isinstance(Noisy(), Optimizer)
    True

    The same compiled, with the same draws:

    >>> def noisy(theta, gradient, kept, numbers, lr, count, rng):
    ...     for i in range(theta.size):
    ...         theta[i] -= lr * (gradient[i] + numbers[0] * rng.standard_normal())
    >>> class Fast(Noisy):
    ...     def compiled(self):
    ...         return noisy, [self.noise]
    >>> import numpy as np
    >>> from physlearn import CoupledLearning, Energy, Readout, Real, SquaredError, learn
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]},
    ...                  {"in": Readout("v", [0, 2]), "out": Readout("v", [1])})
    >>> data = {"in": [[1.0, 0.0]], "out": [[0.5]]}
    >>> task = dict(rule=CoupledLearning(), cost=SquaredError("out"), epochs=100, rng=0)
    >>> fast, slow = (learn(divider, data, optimizer=optimizer, **task) for optimizer in (Fast(), Noisy()))
    >>> fast.theta["conductance"].tobytes() == slow.theta["conductance"].tobytes()
    True
    """

    lr: Any

    def start(self, theta: Mapping[str, Array]) -> dict:
        """Fresh memory."""
        ...

    def step(self, theta: Mapping[str, Array], gradient: Mapping[str, Array], memory: dict, lr: float) -> Mapping:
        """New parameters."""
        ...


@runtime_checkable
class Cost(Protocol):
    """A cost of outputs y and targets, (batch, k) each.

    Attributes
    ----------
    readout : str
        Name of the outputs.

    Methods
    -------
    value(y, target) -> (batch,)
    gradient(y, target) -> (batch, k)
    hessian(y, target) -> (batch, k, k), optional
        Needed by full nudges on a quadratic energy and by Newton's method.
    check(target), optional
        ``ValueError`` for targets that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.learning import Cost
    >>> class Quartic:
    ...     readout = "out"
    ...     def value(self, y, target):
    ...         return np.sum((y - target) ** 4, 1) / 4
    ...     def gradient(self, y, target):
    ...         return (y - target) ** 3
    >>> isinstance(Quartic(), Cost)
    True
    """

    readout: str

    def value(self, y: Array, target: Array) -> Array:
        """Cost of every item."""
        ...

    def gradient(self, y: Array, target: Array) -> Array:
        """Its slope by every output."""
        ...
