"""Learning from a reward alone: the score-function rule (REINFORCE) on any energy.

The cost C of the outputs, minus a reward, is known only for the states that come up.  With inputs clamped and all else
drawn from exp(-E/T), the gradient of its mean is a covariance,

    d<C>/dtheta = -( <C dE/dtheta> - <C> <dE/dtheta> ) / T,

in which C is a number and no path back from outputs to parameters is needed.  For stochastic binary neurons z that fire
with p = sigma(W x / T) it is minus <R (z - p) x'> / T, R = -C: coincidence times reward, a three-factor rule
(Williams 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, flag, positive
from physlearn.dynamics.annealing.ais import count_values
from physlearn.dynamics.exact.enumeration import enumerate_states
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.sample import sample
from physlearn.energy import batch_size

MOST_STATES = 1 << 12  # of one sample, for sums without being asked


@dataclass(frozen=True)
class RewardLearning:
    """Follow the gradient of the mean cost at a temperature: by sums over all states where these are few, else drawn.

    Drawn, it is the covariance of cost and dE/dtheta among the ``draws`` of each sample, each the others' baseline:
    right on average for any number of draws from two on.  Source: Williams 1992, section 4 (REINFORCE).

    Parameters
    ----------
    temperature : float
        T, in the energy's units.
    exact : bool or None
        Sum over all states; None: where a sample has at most 2^12.
    draws : int
        States drawn for each sample, at least 2.
    warmup : int
        Sweeps before each draw, from a random state; one is enough where all free variables are independent.

    Examples
    --------
    A stochastic neuron learns to be on when its input is, and only then, from what it is paid:

    >>> import numpy as np
    >>> from physlearn import SGD, Binary, Energy, RewardLearning, SquaredError, learn
    >>> from physlearn.terms import Bias, Dense
    >>> neuron = Energy({"x": (Binary(), 1), "z": (Binary(), 1)}, [Dense(("x", "z")), Bias("z")],
    ...                 {"W": [[0.0]], "bias": [0.0]})
    >>> task = dict(rule=RewardLearning(), cost=SquaredError("z"), optimizer=SGD(5.0), epochs=200)
    >>> theta = learn(neuron, {"x": [[0.0], [1.0]], "z": [[0.0], [1.0]]}, **task).theta
    >>> bool(theta["bias"][0] < -3 and theta["W"][0, 0] + theta["bias"][0] > 3)
    True
    """

    temperature: float = 1.0
    exact: bool | None = None
    draws: int = 10
    warmup: int = 10
    limit: ClassVar[str] = "gradient of the mean cost"
    method: ClassVar[str] = "reward"

    __repr__ = brief

    def __post_init__(self):
        positive("temperature", self.temperature)
        if self.exact is not None:
            flag("exact", self.exact)
        count("draws", self.draws, 2)
        count("warmup", self.warmup)

    def start(self, system, task, generator):
        """Memory: the root of the random streams."""
        from physlearn.learning.engines import sampled  # loads every sampler

        return sampled.start(system, generator)

    def contrast(self, system, task):
        """Cost and gradient of a step; see `ContrastRule`."""
        from physlearn.learning.engines import sampled

        sampled.check(system, task)
        exact = self._few(system, task) if self.exact is None else self.exact

        def step(system, memory, pick):
            inputs, target = {name: value[pick] for name, value in task.inputs.items()}, task.target[pick]
            if exact:
                return self._summed(system, inputs, target, task.cost)
            root = np.random.SeedSequence([*map(int, memory["noise"]["root"]), memory["steps"]])
            return self._drawn(system, inputs, target, task.cost, root)

        return step

    def _few(self, system, task):
        problem, _ = make_problem(system, None, {name: value[:1] for name, value in task.inputs.items()})
        if problem.tied or not problem.discrete:
            return False
        return bool(np.sum(np.log2(count_values(problem))) <= np.log2(MOST_STATES))

    def _summed(self, system, inputs, target, cost):
        """Every state of every sample."""
        gradient: dict = {}
        mean = np.zeros(len(target))
        for item in range(len(target)):
            clamp = {name: value[item] for name, value in inputs.items()}
            exact = enumerate_states(system, temperature=self.temperature, clamp=clamp, progress=False)
            x = system.state(exact.states())
            value = _costs(system, x, np.repeat(target[item : item + 1], batch_size(x), 0), cost)
            mean[item] = exact.probability @ value
            weight = exact.probability * (value - mean[item]) / (-self.temperature * len(target))
            for name, part in system.response(x, weight).items():
                gradient[name] = gradient.get(name, 0) + part
        return mean, gradient

    def _drawn(self, system, inputs, target, cost, root):
        """As many states of every sample as there are ``draws``, each a chain of its own."""
        again = {name: np.repeat(value, self.draws, 0) for name, value in inputs.items()}
        chains = len(target) * self.draws
        drawn = sample(
            system, temperature=self.temperature, n_samples=1, chains=chains, warmup=self.warmup - 1, clamp=again,
            rng=root, progress=False,
        )  # fmt: skip
        value = _costs(system, drawn.final, np.repeat(target, self.draws, 0), cost).reshape(-1, self.draws)
        mean = value.mean(1, keepdims=True)
        share = -self.temperature * len(target) * (self.draws - 1)
        return mean[:, 0], system.response(drawn.final, (value - mean).ravel() / share)


def _costs(system, x, target, cost):
    return np.asarray(cost.value(system.readouts[cost.readout].read(system.shown(x)), target))
