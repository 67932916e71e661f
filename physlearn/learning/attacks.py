r"""Attacks: the least changes of inputs that a trained machine gets most wrong.

The force on a clamped input is the attack.  With x* the rest of E(x; u) + b C at inputs u,

    dC/du = d/db dE/du (x*(b), u) at b = 0

so that the difference of the inputs' forces between two nudged rests is the cost's gradient by the inputs, on
networks of resistors as on graphs of maps, where it is a pass backwards.  Along it go

    FGSM   u + eps sign(dC/du)                            Goodfellow et al. 2015, steepest ascent in the max norm
    PGD    u <- project(u + step sign(dC/du)), from random starts in the ball    Madry et al. 2018

Costs are of log odds: where outputs are probabilities, slopes vanish for what the network is sure of, and attacks are
weak without a sign of it (Carlini and Wagner 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, flag, positive, sequence
from physlearn.learning.costs import BinaryCrossEntropy, CrossEntropy, Margin
from physlearn.learning.data import check_data, check_nouns
from physlearn.learning.input_gradient import checked_options, gradient_of
from physlearn.machine import system_of
from physlearn.rng import generator
from physlearn.threads import on_one_thread


@dataclass(frozen=True, eq=False)
class Attack:
    """What an attack found, item by item.

    Attributes
    ----------
    inputs : dict of str to (n, k) array
        The changed inputs, the costliest that were visited; the others as they were given.
    cost, clean : (n,) array
        Cost of the outputs there, and of the outputs for the inputs given.
    outputs : (n, k) array
        Outputs there.
    target : (n, k) array
        The data's: what is right, or with ``targeted`` what was wanted.
    size : (n,) array
        Norm of the change of all attacked inputs, at most eps.
    step : float
        Length of a step.
    trace : (restarts, steps + 1, n) array
        Cost along the way.
    targeted : bool
    """

    inputs: dict[str, np.ndarray]
    cost: np.ndarray
    clean: np.ndarray
    outputs: np.ndarray
    target: np.ndarray
    size: np.ndarray
    step: float
    trace: np.ndarray
    targeted: bool = False

    __repr__ = brief

    @property
    def fooled(self):
        """Whether the largest output is another than the target's, or with ``targeted`` is the target's, (n,).

        Of a single output: whether it is on the other side of zero than the target, or on the same.
        """
        if self.outputs.shape[1] == 1:
            same = (self.outputs[:, 0] > 0) == (self.target[:, 0] > 0)
        else:
            same = np.argmax(self.outputs, 1) == np.argmax(self.target, 1)
        return same if self.targeted else ~same


@on_one_thread
def fgsm(machine, data, *, cost, eps, targeted=False, only=None, bounds=None, nudge=1e-3, relax_options=None) -> Attack:
    """One step of length eps along the sign of the cost's gradient by the inputs (Goodfellow et al. 2015).

    Parameters
    ----------
    machine, data, cost, eps, targeted, only, bounds, nudge, relax_options
        As for `pgd`.

    Examples
    --------
    A linear score falls by eps |w|_1, the most that any change of this size does:

    >>> import numpy as np
    >>> from physlearn import SquaredError
    >>> from physlearn.learning import fgsm
    >>> from physlearn.models import PredictionGraph
    >>> score = PredictionGraph.layered([2, 1], theta={"W1": [[3.0], [-1.0]], "b1": [0.0]})
    >>> found = fgsm(score, {"x": [[1.0, 1.0]], "y": [[9.0]]}, cost=SquaredError("y"), eps=0.1)
    >>> (found.outputs - 2.0).round(9)
    array([[-0.4]])
    """
    return pgd(
        machine, data, cost=cost, eps=eps, steps=1, restarts=1, step=eps, start="clean", targeted=targeted, only=only,
        bounds=bounds, nudge=nudge, relax_options=relax_options,
    )  # fmt: skip


@on_one_thread
def pgd(
    machine, data, *, cost, eps, steps=40, restarts=10, step=None, norm="inf", targeted=False, start="random",
    only=None, bounds=None, nudge=1e-3, relax_options=None, rng=None,
) -> Attack:  # fmt: skip
    """Projected ascent of the cost within a ball around the inputs, from random starts (Madry et al. 2018).

    Parameters
    ----------
    machine : Machine or Energy
        A graph of maps, or whatever relaxes.
    data : mapping of str to (n, k) array
        As for `learn`; the cost's readout has what is right, or with ``targeted`` what is wanted in its place.
    cost : cost
        Of log odds, not of probabilities.
    eps : float
        Radius of the ball, in the inputs' units.
    steps, restarts : int
    step : float, optional
        Default 2.5 eps/steps.
    norm : {"inf", "2"}
        Of the change of all attacked inputs together.
    targeted : bool
        Lower the cost of the target instead of raising it.
    start : {"random", "clean"}
        Uniformly in the ball, or at the inputs themselves.
    only : sequence of str, optional
        Readouts that are attacked; default all inputs.
    bounds : (low, high), optional
        Numbers that inputs never leave, such as (0, 1) for images.
    nudge, relax_options
        As for `input_gradient`.
    rng : int, Generator or None
        Draws starts.

    Returns
    -------
    Attack

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import CrossEntropy
    >>> from physlearn.learning import pgd
    >>> from physlearn.models import PredictionGraph
    >>> net = PredictionGraph.layered([2, 8, 2], rng=0)
    >>> x = np.random.default_rng(0).normal(size=(3, 2))
    >>> right = np.eye(2)[net.forward(x)["y"].argmax(1)]
    >>> found = pgd(net, {"x": x, "y": right}, cost=CrossEntropy("y"), eps=2.0, restarts=2, rng=0)
    >>> found.fooled.all(), bool(np.all(found.size <= 2.0 + 1e-12))
    (np.True_, True)
    """
    check_nouns(cost=cost)
    eps, steps, restarts = positive("eps", eps), count("steps", steps), count("restarts", restarts)
    step = 2.5 * eps / steps if step is None else positive("step", step)
    choice("norm", norm, ("inf", "2"))
    choice("start", start, ("random", "clean"))
    flag("targeted", targeted)
    positive("nudge", nudge)
    rng, options = generator(rng), checked_options(relax_options)
    low, high = (-np.inf, np.inf) if bounds is None else array("bounds", bounds, shape=(2,), finite=False)
    system = system_of(machine)
    inputs, target = check_data(system, data, cost)
    names = list(inputs) if only is None else list(sequence("only", only, str, "names of inputs"))
    if unknown := [name for name in names if name not in inputs]:
        raise ValueError(f"only: there is no input {unknown[0]!r} in the data, expected some of {list(inputs)}")
    if outside := [name for name in names if np.any((inputs[name] < low) | (inputs[name] > high))]:
        raise ValueError(f"bounds: data[{outside[0]!r}] leaves {low:g} .. {high:g} before any attack")
    ball = _Ball(inputs, names, eps, norm, low, high)
    clean, _, y = gradient_of(system, inputs, target, cost, nudge, options)
    _refuse_probabilities(system, cost, y)
    sign = -1.0 if targeted else 1.0
    best, at, outputs = np.full(len(target), -np.inf), ball.start.copy(), y.copy()
    trace = np.empty((restarts, steps + 1, len(target)))
    for run in range(restarts):
        u = ball.start if start == "clean" else ball.random(rng)
        for k in range(steps + 1):
            loss, gradient, y = gradient_of(system, inputs | ball.parts(u), target, cost, nudge, options)
            trace[run, k] = loss
            better = sign * loss > best
            best[better], at[better], outputs[better] = (sign * loss)[better], u[better], y[better]
            if k < steps:
                u = ball.step(u, sign * ball.joined(gradient), step)
    size = np.abs(at - ball.start).max(1) if norm == "inf" else np.linalg.norm(at - ball.start, axis=1)
    return Attack(inputs | ball.parts(at), sign * best, clean, outputs, target, size, step, trace, targeted)


class _Ball:
    """Attacked inputs as one row an item, within eps of where they start."""

    def __init__(self, inputs, names, eps, norm, low, high):
        self.names, self.eps, self.norm, self.low, self.high = names, eps, norm, low, high
        self.ends = np.cumsum([0, *(inputs[name].shape[1] for name in names)])
        self.start = self.joined(inputs)

    def joined(self, parts):
        return np.concatenate([parts[name] for name in self.names], 1)

    def parts(self, u):
        cuts = zip(self.names, self.ends, self.ends[1:], strict=False)
        return {name: np.ascontiguousarray(u[:, a:b]) for name, a, b in cuts}

    def random(self, rng):
        if self.norm == "inf":
            return self.project(self.start + rng.uniform(-self.eps, self.eps, self.start.shape))
        away = rng.standard_normal(self.start.shape)
        far = self.eps * rng.random((len(away), 1)) ** (1 / away.shape[1])
        return self.project(self.start + away * (far / np.linalg.norm(away, axis=1, keepdims=True)))

    def step(self, u, gradient, step):
        if self.norm == "inf":
            return self.project(u + step * np.sign(gradient))
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        return self.project(u + step * gradient / np.where(length > 0, length, 1.0))

    def project(self, u):
        if self.norm == "inf":
            u = np.clip(u, self.start - self.eps, self.start + self.eps)
        else:
            change = u - self.start
            length = np.linalg.norm(change, axis=1, keepdims=True)
            u = self.start + change * np.minimum(1.0, self.eps / np.where(length > 0, length, self.eps))
        return np.clip(u, self.low, self.high)


def _refuse_probabilities(system, cost, y):
    """Refuse outputs that are probabilities where log odds are expected."""
    if not isinstance(cost, CrossEntropy | BinaryCrossEntropy | Margin):
        return
    layer = system.readouts[cost.readout].layer
    term = next((t for t in system.terms if getattr(t, "child", None) == layer), None)
    last = getattr(getattr(term, "map", None), "maps", (getattr(term, "map", None),))[-1]
    squashed = type(last).__name__ in ("Softmax", "Logistic")
    summed = y.shape[1] > 1 and np.all(y >= 0) and np.allclose(y.sum(1), 1.0, rtol=0, atol=1e-9)
    if squashed or summed:
        because = f" (its map ends in {last!r})" if squashed else ""
        raise ValueError(
            f"cost: the readout {cost.readout!r} gives probabilities{because}, expected log odds: slopes of "
            "probabilities vanish where a network is certain, and attacks along them are weak without saying so; read "
            "what comes before"
        )
