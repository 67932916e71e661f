"""A soft winner-take-all circuit that learns a mixture by STDP (Nessler, Pfeiffer, Buesing and Maass 2013).

Inputs come in groups of lines, exactly one of which is on: a population code of one discrete variable each.  The K
output neurons inhibit each other so that one of them, z, spikes at a time, with probability

    p(z = k | y) = softmax_k( b_k + sum_i w_ki y_i ).

That is the posterior of a mixture of K products of categorical variables if exp(w_ki) is the probability of line i in
class k and exp(b_k) that of the class.  The STDP rule of the winner,

    dw_zi = eta (y_i exp(-w_zi) - 1),     db_k = eta ([z = k] - exp(b_k)),

rests on average where they are: expectation by a spike, maximisation by a small step, online EM.  (The paper's rule for
b is that one times exp(-b_k), which has the same rest and overshoots for rare classes.)

The circuit is an `Energy` of one `Potts` variable z and lines y: `sample` with y clamped draws the winner.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from physlearn import Binary, Energy, Potts
from physlearn.brief import brief
from physlearn.checks import array, count, integers
from physlearn.rng import generator
from physlearn.terms import PottsBias, PottsDense


@dataclass(frozen=True, eq=False)
class WinnerTakeAll:
    """K neurons of which one spikes at a time, on groups of input lines.

    Parameters
    ----------
    weights : (K, groups, levels) array
        w: logarithms of probabilities, at most 0, once learnt.
    bias : (K,) array
        b.

    Attributes
    ----------
    system : Energy
        Layers "z" (one `Potts` variable of K codes) and "y" (groups x levels binary lines), which is to be clamped.
    theta : mapping
        "W" (1, K, lines) and "bias" (1, K).

    Examples
    --------
    Two classes of four bits, each coded by two lines, learnt from spikes:

    >>> import numpy as np
    >>> from physlearn import SGD, learn
    >>> bits = np.repeat([[0, 0, 1, 1], [1, 1, 0, 0]], 50, axis=0)
    >>> start = WinnerTakeAll.random(2, 4, 2, rng=1)
    >>> task = dict(rule=WinnerTakeAllSTDP(), optimizer=SGD(0.05, bounds={"W": (-5.0, 0.0)}), epochs=20, rng=0)
    >>> learnt = learn(start, {"y": start.lines(bits)}, **task).machine
    >>> float(learnt.posterior(learnt.lines([[0, 0, 1, 1]])).max().round(2))
    1.0
    """

    weights: Any
    bias: Any
    system: Energy = field(init=False, repr=False)

    __repr__ = brief

    def __post_init__(self):
        weights = array("WinnerTakeAll: weights", self.weights, ndim=3)
        k, groups, levels = weights.shape
        bias = array("WinnerTakeAll: bias", self.bias, shape=(k,))
        if k < 2 or groups < 1 or levels < 2:
            raise ValueError(
                f"WinnerTakeAll: weights: got the shape {weights.shape}, expected (K, groups, levels): at least two "
                "neurons, one group and two lines in each"
            )
        lines = groups * levels
        layers = {"z": (Potts(k), 1), "y": (Binary(), lines)}
        theta = {"W": weights.reshape(1, k, lines), "bias": bias[None]}
        system = Energy(layers, [PottsDense(("z", "y"), "W"), PottsBias("z", "bias")], theta)
        self._hold(system, (groups, levels))

    def _hold(self, system, shape):
        theta = system.theta
        held = dict(weights=theta["W"].reshape(-1, *shape), bias=theta["bias"][0], system=system)
        for name, value in held.items():
            object.__setattr__(self, name, value)

    @classmethod
    def random(cls, classes, groups, levels=2, *, rng=None):
        """Random probabilities of the lines, equal ones of the classes.

        Parameters
        ----------
        classes, groups, levels : int
            Output neurons; groups of lines; lines in each group.
        rng : int, Generator or None
        """
        shape = count("classes", classes, 2), count("groups", groups), count("levels", levels, 2)
        share = generator(rng).uniform(0.5, 1.0, shape)
        return cls(np.log(share / share.sum(2, keepdims=True)), np.full(shape[0], -np.log(shape[0])))

    @property
    def theta(self):
        """Weights and biases of the energy; read-only."""
        return self.system.theta

    def with_theta(self, theta):
        """The same circuit with other weights.

        Parameters
        ----------
        theta : mapping of str to array
            "W" (1, K, lines), "bias" (1, K), or one of them.
        """
        new = copy(self)
        new._hold(self.system.with_theta(theta), self.weights.shape[1:])
        return new

    def lines(self, codes):
        """Input lines (m, groups x levels) of discrete values (m, groups) from 0 on: one line of each group is on.

        Parameters
        ----------
        codes : (m, groups) array of int

        Examples
        --------
        >>> WinnerTakeAll.random(2, 2, 3, rng=0).lines([[0, 2]])
        array([[1., 0., 0., 0., 0., 1.]])
        """
        _, groups, levels = self.weights.shape
        codes = integers("codes", codes, shape=("m", groups), low=0, high=levels - 1)
        return (codes[..., None] == np.arange(levels)).reshape(len(codes), groups * levels).astype(float)

    def posterior(self, y):
        """Probability that each neuron is the winner, (m, K).

        Parameters
        ----------
        y : (m, lines) array
        """
        drive = self._drive(y)
        share = np.exp(drive - drive.max(1, keepdims=True))
        return share / share.sum(1, keepdims=True)

    def normalised(self):
        """The circuit whose exp(w) and exp(b) are probabilities: each group and the classes sum to one."""
        w = self.weights - np.logaddexp.reduce(self.weights, axis=2, keepdims=True)
        return WinnerTakeAll(w, self.bias - np.logaddexp.reduce(self.bias))

    def log_likelihood(self, y):
        """Log probability of input lines under the mixture of the normalised circuit, (m,).

        Parameters
        ----------
        y : (m, lines) array
        """
        return np.logaddexp.reduce(self.normalised()._drive(y), axis=1)

    def _drive(self, y):
        y = array("y", y, shape=("m", self.weights[0].size))
        return y @ self.weights.reshape(len(self.weights), -1).T + self.bias


@dataclass(frozen=True)
class WinnerTakeAllSTDP:
    """The winner's STDP as a rule of `learn`; a step's rate is that of the optimiser, eta.

    Steps follow a noisy estimate of the gradient of the log-likelihood, seen through exp(-w): keep w bounded below
    (``SGD(eta, bounds={"W": (-5.0, 0.0)})``, with -w the logarithm of one over the least probability).  The cost is
    -log sum_k exp(b_k + w_k y), a sample's negative log-likelihood once exp(w) and exp(b) are probabilities.
    Source: Nessler et al. 2013, eqs. 5 and 6.
    """

    limit: ClassVar[str] = "online EM"
    takes_cost: ClassVar[bool] = False
    method: ClassVar[str] = "spikes"

    def start(self, system, task, generator):
        """Memory: the stream that the winners are drawn from."""
        return {"winners": np.random.default_rng(generator.integers(0, 2**63, 4))}

    def contrast(self, system, task):
        """Cost and step; see `physlearn.learning.ContrastRule`."""
        if set(system.theta) != {"W", "bias"} or set(task.inputs) != {"y"}:
            raise TypeError(
                f"rule: WinnerTakeAllSTDP is of a WinnerTakeAll circuit with data {{'y': lines}}, got theta "
                f"{list(system.theta)} and data {list(task.inputs)}"
            )

        def step(system, memory, pick):
            y, w, b = task.inputs["y"][pick], system.theta["W"][0], system.theta["bias"][0]
            drive = y @ w.T + b
            top = drive.max(1, keepdims=True)
            share = np.exp(drive - top)
            total = share.sum(1, keepdims=True)
            ends = np.cumsum(share / total, axis=1)
            winner = (memory["winners"].random((len(pick), 1)) > ends[:, :-1]).sum(1)
            won = (winner[:, None] == np.arange(len(b))).astype(float)
            up = (won.T @ y) * np.exp(-w) - won.sum(0)[:, None]
            gradient = {"W": -up[None] / len(pick), "bias": -(won.mean(0) - np.exp(b))[None]}
            return -(np.log(total) + top)[:, 0], gradient

        return step
