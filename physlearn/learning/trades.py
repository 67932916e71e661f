r"""TRADES: robust against clean accuracy (Zhang et al. 2019, eq. 5).

    C = CE(f(x), t) + beta KL(softmax f(x) || softmax f(x')),   x' the point of a ball around x where the KL is largest

The graph has two copies of the network that share their parameters, one of x and one of x', and a readout of both
outputs side by side.  Adversarial training (Madry et al. 2018) is the same with CE(f(x'), t) alone.  x' depends on
what is learnt: `Adversary` makes every batch with the network as it is, and is told of it by `learn`'s ``callback``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, mapping, not_negative, positive, seen, text
from physlearn.learning.attacks import pgd
from physlearn.learning.costs import CrossEntropy, _numbers, _sound


@dataclass(frozen=True)
class Trades:
    """C = CE(y, t) + beta KL(softmax y || softmax y'), y and y' the halves of a readout, both in log odds.

    Targets are as wide as the readout; the first half counts.

    Parameters
    ----------
    readout : str
        Outputs of the clean and of the changed inputs, side by side.
    beta : float
        Weight of robustness.

    Examples
    --------
    >>> import numpy as np
    >>> Trades("both", 6.0).value(np.array([[1.0, 0.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 1.0, 0.0]])).round(6)
    array([0.313262])
    """

    readout: str
    beta: float = 6.0

    def __post_init__(self):
        text("readout", self.readout, "the name of a readout")
        not_negative("beta", self.beta)

    def check(self, target):
        """Refuse targets of which the first half is no probabilities."""
        target = array("target", target, ndim=2)
        if target.shape[1] % 2 or target.shape[1] < 4:
            raise ValueError(
                f"data[{self.readout!r}]: {target.shape[1]} columns, expected twice the number of classes: the readout "
                "holds outputs of clean and of changed inputs"
            )
        CrossEntropy(self.readout).check(target[:, : target.shape[1] // 2])

    def value(self, y, target):
        """(batch,).

        Parameters
        ----------
        y, target : (batch, 2 k) array
        """
        return self.both(y, target)[0]

    def gradient(self, y, target):
        """(batch, 2 k).

        Parameters
        ----------
        y, target : (batch, 2 k) array
        """
        return self.both(y, target)[1]

    def both(self, y, target):
        """Value and gradient."""
        y, target = _numbers(y, target)
        n = y.shape[-1] // 2
        if y.shape[-1] % 2 or y.shape != target.shape:
            raise ValueError(
                f"y, target: got the shapes {y.shape} and {target.shape}, expected the same (batch, 2 classes)"
            )
        a, b = _log_softmax(y[..., :n]), _log_softmax(y[..., n:])
        p, q, t = np.exp(a), np.exp(b), target[..., :n]
        kl = np.sum(p * (a - b), -1)
        value = self.beta * kl - np.sum(t * a, -1)
        by_clean = p * np.sum(t, -1, keepdims=True) - t + self.beta * p * (a - b - kl[..., None])
        return _sound(value, y, target), np.concatenate([by_clean, self.beta * (q - p)], -1)

    def hessian(self, y, target):
        """By halves: of the clean outputs, mixed, and of the changed ones."""
        y, target = _numbers(y, target)
        n = y.shape[-1] // 2
        a, b = _log_softmax(y[..., :n]), _log_softmax(y[..., n:])
        p, q, t = np.exp(a), np.exp(b), target[..., :n]
        spread = np.eye(n) * p[..., None] - p[..., :, None] * p[..., None, :]
        gap = a - b - np.sum(p * (a - b), -1, keepdims=True)
        bend = p[..., None] * gap[..., None] * np.eye(n) - p[..., :, None] * (p * gap)[..., None, :]
        bend = bend - (p * gap)[..., :, None] * p[..., None, :] + spread
        out = np.zeros((*y.shape, 2 * n))
        out[..., :n, :n] = np.sum(t, -1)[..., None, None] * spread + self.beta * bend
        out[..., :n, n:] = -self.beta * spread
        out[..., n:, :n] = -self.beta * spread
        out[..., n:, n:] = self.beta * (np.eye(n) * q[..., None] - q[..., :, None] * q[..., None, :])
        return out


class Adversary:
    """Batches for adversarial training: `learn`'s ``data``, with `follow` as its ``callback``.

    Parameters
    ----------
    network : PredictionGraph
        The network of clean inputs, which is attacked; of the parameters that are learnt.
    data : mapping of str to (n, k) array
        Inputs, and one-hot targets of the cost's readout of the network.
    readout : str
        The network's log odds.
    eps : float
        Radius of the ball, in the max norm.
    changed : str
        The input of the learning graph that takes the changed inputs.
    target : str
        Readout of the learning graph that takes the targets; twice, side by side, with "trades".
    method : {"trades", "madry"}
        x' where the KL from the clean outputs is largest, or the cross-entropy of the target.
    batch, steps : int
        Items a batch; steps of the ascent.
    step : float, optional
        Default 2.5 eps/steps.
    bounds : (low, high), optional
        Of inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.learning import Adversary
    >>> from physlearn.models import PredictionGraph
    >>> net = PredictionGraph.layered([2, 2], rng=0)
    >>> data = {"x": np.eye(2), "y": np.eye(2)}
    >>> adversary = Adversary(net, data, "y", 0.1, target="both", batch=2)
    >>> batch = adversary(np.random.default_rng(0), 0)
    >>> {name: value.shape for name, value in batch.items()}
    {'x': (2, 2), "x'": (2, 2), 'both': (2, 4)}
    >>> bool(np.abs(batch["x'"] - batch["x"]).max() <= 0.1 + 1e-12)
    True
    """

    def __init__(
        self, network, data, readout, eps, *, changed="x'", target="both", method="trades", batch=64, steps=10,
        step=None, bounds=None,
    ):  # fmt: skip
        mapping("data", data, expected="a mapping of readout names to (n, k) arrays")
        if isinstance(network, type) or not hasattr(network, "forward") or not hasattr(network, "with_theta"):
            raise TypeError(f"network: got {seen(network)}, expected a PredictionGraph")
        self.network, self.readout, self.eps = network, text("readout", readout), positive("eps", eps)
        if readout not in data or len(data) != 2:
            raise ValueError(f"data: got {list(data)}, expected one input, and targets of {readout!r}")
        self.input = next(name for name in data if name != readout)
        self.x, self.t = array(f"data[{self.input!r}]", data[self.input], ndim=2), array("data", data[readout], ndim=2)
        CrossEntropy(readout).check(self.t)
        self.changed, self.target = text("changed", changed), text("target", target)
        self.method = choice("method", method, ("trades", "madry"))
        self.batch, self.steps = count("batch", batch), count("steps", steps)
        self.step = None if step is None else positive("step", step)
        self.bounds = None if bounds is None else array("bounds", bounds, shape=(2,), finite=False)

    def __repr__(self):
        return brief(self, input=self.input, readout=self.readout, eps=self.eps, method=self.method)

    def __call__(self, rng, step):
        """A batch, drawn and changed."""
        pick = rng.integers(len(self.x), size=min(self.batch, len(self.x)))
        x, t = self.x[pick], self.t[pick]
        aim = t
        if self.method == "trades":  # the cross-entropy against the clean outputs is their KL and a constant
            aim = np.exp(_log_softmax(np.asarray(self.network.forward({self.input: x})[self.readout], float)))
        found = pgd(
            self.network,
            {self.input: x, self.readout: aim},
            cost=CrossEntropy(self.readout),
            eps=self.eps,
            steps=self.steps,
            restarts=1,
            step=self.step,
            bounds=self.bounds,
            rng=rng,
        )
        worst = found.inputs[self.input]
        if self.method == "madry":
            return {self.changed: worst, self.target: t}
        return {self.input: x, self.changed: worst, self.target: np.concatenate([t, t], 1)}

    def follow(self, training):
        """Take over what has been learnt; returns None, so that learning goes on."""
        self.network = self.network.with_theta({name: training.theta[name] for name in self.network.theta})


def _log_softmax(y):
    """log softmax along the last axis."""
    a = y - y.max(-1, keepdims=True)
    return a - np.log(np.exp(a).sum(-1, keepdims=True))
