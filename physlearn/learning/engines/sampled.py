"""The engine of `learn` for sampled rules on any energy: phases drawn by the engines of `sample`.

Every step draws from streams of its own, made from the root kept in the training's memory and the number of the
step, so that a resumed training continues the same numbers.

Hamiltonian moves need a step, and one guessed where a chain is would no longer leave exp(-E/T) invariant.  So every
phase has one for all its chains (at each temperature), found by them once and kept in the training's memory; what
gradient step t accepts changes it by no more than a factor exp(t^-0.6), which vanishes (Andrieu and Thoms 2008).
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np

from physlearn.checks import choice
from physlearn.dynamics.notes import of_draws
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import ENGINES, check_settings
from physlearn.dynamics.walk import hmc
from physlearn.energy import Energy, batch_size
from physlearn.kinds import is_continuous
from physlearn.rng import Chains, seed_sequence

MIXING, LANES = 10, 16
START, DATA, MODEL, SWAP = 0, 1, 2, 3  # uses of a step's random numbers
FINDING, CAREFUL = 100, 0.1  # moves that find a step; the quantile of the chains' own steps, for most have longer ones


def start(system, generator, chains=0):
    """Memory of a sampled rule: the root of its random streams, its persistent chains, the steps of its phases."""
    root = seed_sequence(generator).generate_state(4, np.uint64)
    memory = {"noise": {"root": root, "lanes": streams_of(root, 0, MODEL, LANES).T.copy()}}
    if chains:
        memory["chains"] = _random(system, chains, Chains(streams_of(root, 0, START, chains)))
    if any(is_continuous(layer.kind) for layer in system.layers.values()):
        memory["step"] = {"data": np.zeros(0), "model": np.zeros(0)}  # none found yet
    return memory


def check(system, task, given=()):
    """Refuse a System, from which nothing is drawn, and given readouts that the data lack."""
    if not isinstance(system, Energy):
        raise TypeError(
            f"rule: {type(task.rule).__name__} draws from exp(-E/T), and a System has no energy; use ExactGradient or "
            "CoupledLearning"
        )
    unknown = [name for name in given if name not in task.inputs]
    if unknown:
        raise ValueError(f"given: {unknown[0]!r} is not in the data, which have {list(task.inputs)}")


class Sampled:
    """``step(system, memory, pick) -> (cost, gradient)``: the data's phase, and a model phase made by a subclass.

    Parameters
    ----------
    system : Energy
    task : Assignment
    temperature : float
    given : tuple of str
        Readouts that the model phase clamps too.
    mixing : int, optional
        Sweeps that draw the data phase's free variables; default 1 where they are independent, else `MIXING`.
    draws : int
        Draws of each phase, one a sweep.
    levels : int
        Temperatures of the model phase.
    """

    def __init__(self, system, task, temperature, given=(), *, mixing=None, draws=1, levels=1):
        self.inputs, self.temperature, self.given = task.inputs, temperature, given
        self.mixing = (1 if _independent(system, task) else MIXING) if mixing is None else mixing
        self.draws, self.levels, self.warned, self.notes = draws, levels, False, ()
        self.method, self.settings = "auto", {}

    def __call__(self, system, memory, pick):
        """Cost and gradient of a step."""
        self.memory, self.number, self.root = memory, memory["steps"] + 1, memory["noise"]["root"]
        held = {name: value[pick] for name, value in self.inputs.items()}
        noise = self.streams(DATA, len(pick))
        begin = _random(system, len(pick), Chains(noise))
        x, seen = self.phase("data", system, begin, held, self.temperature, self.mixing, self.draws, noise)
        model, cost = self.model(system, x, held, pick)
        return cost * len(pick), {name: (seen[name] - model[name]) / self.temperature for name in seen}

    def model(self, system, x, held, pick):
        """Mean dE/dtheta of the model phase, and what a sample costs or NaN; ``x`` is the data phase's last state."""
        raise NotImplementedError

    def streams(self, purpose, n):
        """Random streams of this step, (n, 4)."""
        return streams_of(self.root, self.number, purpose, n)

    def phase(self, what, system, x, clamp, temperature, sweeps, draws, noise, counted=None):
        """Last state and mean dE/dtheta over draws, the first after ``sweeps`` sweeps; of the first ``counted``."""
        problem, _ = make_problem(system, x, clamp)
        chosen = self._engine(problem)
        self.notes = of_draws(problem, chosen)
        make = partial(ENGINES[chosen].Sampler, problem, problem.state(problem.initial()), noise, **self.settings)
        heat, gradient = np.full(problem.batch, temperature, dtype=float), {}
        sampler: Any = make()
        if isinstance(sampler, hmc.Sampler):
            self.give_step(what, sampler, make, heat)
        for draw in range(draws):
            sampler.run(sweeps if draw == 0 else 1, heat)
            x = sampler.state()
            seen = {name: value[:counted] for name, value in x.items()}
            weight = np.full(batch_size(seen), 1.0 / (draws * batch_size(seen)))
            for name, value in system.response(seen, weight).items():
                gradient[name] = gradient.get(name, 0) + value
        if isinstance(sampler, hmc.Sampler):
            self.learn_step(what, sampler)
        return {name: value.copy() for name, value in x.items()}, gradient

    def _engine(self, problem):
        """Name of the engine that draws."""
        if self.method != "auto":
            name: Any = choice("method", self.method, ("auto", *ENGINES))
            reason = ENGINES[name].refusal(problem)
            if reason is not None:
                raise ValueError(f"method: {self.method!r} does not fit this energy: {reason}")
            check_settings(self.method, self.settings)
            return self.method
        reasons = {name: engine.refusal(problem) for name, engine in ENGINES.items()}
        chosen = next((name for name, reason in reasons.items() if reason is None), None)
        if chosen is None:
            raise ValueError(f"rule: no sampler takes this energy: {reasons}")
        return chosen

    def give_step(self, what, sampler, make, heat):
        """Give a phase's chains, level by level of temperature, the step of last time; the first time, find it."""
        steps = self.memory["step"]
        if not len(steps[what]):
            trial = make()
            trial.warm(FINDING, heat)
            levels = self.levels if what == "model" else 1
            steps[what] = np.quantile(trial.step.reshape(levels, -1), CAREFUL, axis=1)
        sampler.step = np.repeat(steps[what], len(heat) // len(steps[what]))

    def learn_step(self, what, sampler):
        """Adapt a phase's step to the share of moves accepted; warn once where they went nowhere."""
        steps = self.memory["step"]
        share = (sampler.accepted / sampler.proposed).reshape(len(steps[what]), -1).mean(1)
        steps[what] = steps[what] * np.exp((share - sampler.target) * self.number**-0.6)
        if not self.warned and (trouble := sampler.trouble()) is not None:
            self.warned = True
            warnings.warn(f"learn: in the {what} phase {trouble}", RuntimeWarning, stacklevel=2)


class Equilibrium(Sampled):
    """Model phase from a random start; there is no cost to report."""

    def __init__(self, system, task, temperature, given, *, chains, warmup, draws, method="auto", settings=()):
        super().__init__(system, task, temperature, given, mixing=warmup + 1, draws=draws)
        self.chains, self.method, self.settings = chains, method, dict(settings)

    def model(self, system, x, held, pick):
        """Of ``chains`` chains, as many for each sample where inputs are given."""
        inputs = {name: held[name] for name in self.given}
        rows = -(-self.chains // len(pick)) * len(pick) if inputs else self.chains
        again = {name: np.tile(value, (rows // len(pick), 1)) for name, value in inputs.items()}
        noise = self.streams(MODEL, rows)
        begin = _random(system, rows, Chains(noise))
        return self.phase("model", system, begin, again, self.temperature, self.mixing, self.draws, noise)[1], np.nan


class Contrastive(Sampled):
    """Model phase from the data, k sweeps; the cost is how far the data's readouts have moved, mean square."""

    def __init__(self, system, task, temperature, given, k):
        super().__init__(system, task, temperature, given)
        self.k = k

    def model(self, system, x, held, pick):
        """Of as many chains as there are samples."""
        inputs = {name: held[name] for name in self.given}
        noise = self.streams(MODEL, len(pick))
        y, model = self.phase("model", system, x, inputs, self.temperature, self.k, 1, noise)
        moved = [system.readouts[name].read(y) - value for name, value in held.items()]
        return model, float(np.mean(np.concatenate(moved, 1) ** 2))


class Persistent(Sampled):
    """Model phase of chains that continue from step to step, with replicas at hotter temperatures; no cost.

    The rows of the chains' states are those at T, then their replicas at each hotter temperature, which swap before
    the sweeps.
    """

    def __init__(self, system, task, temperature, *, k, chains, hotter):
        super().__init__(system, task, temperature, levels=1 + len(hotter))
        self.k, self.chains, self.ladder = k, chains, np.array([temperature, *hotter])

    def model(self, system, x, held, pick):
        """Of the chains at T."""
        x = self.memory["chains"]
        if self.levels > 1:
            x = _swapped(system, x, self.ladder, self.number, Chains(self.streams(SWAP, self.chains)))
        noise = self.streams(MODEL, self.levels * self.chains)
        heat = np.repeat(self.ladder, self.chains)
        self.memory["chains"], model = self.phase("model", system, x, {}, heat, self.k, 1, noise, self.chains)
        return model, np.nan


def _swapped(system, x, ladder, number, noise):
    """Neighbours swap states with probability min(1, exp((1/T_i - 1/T_j)(E_i - E_j))), even and odd pairs in turn."""
    levels, chains = len(ladder), len(noise.states)
    e = np.asarray(sum(system.shares(x).values())).reshape(levels, chains)
    beta, coins, source = 1.0 / ladder, noise.random((chains, levels)), np.arange(levels * chains).reshape(e.shape)
    for low in range(number % 2, levels - 1, 2):
        swap = coins[:, low] < np.exp(np.minimum((beta[low] - beta[low + 1]) * (e[low] - e[low + 1]), 0.0))
        source[low : low + 2, swap] = source[low : low + 2, swap][::-1]
    return {name: value[source.ravel()] for name, value in x.items()}


def streams_of(root, number, purpose, n):
    """(n, 4) states; the first rows do not depend on n."""
    return (
        np.random.SeedSequence([int(w) for w in root], spawn_key=(number, purpose))
        .generate_state(4 * n, np.uint64)
        .reshape(n, 4)
    )


def _random(system, n, noise):
    """A random state of n chains from their own streams."""
    out = {}
    for name, layer in system.layers.items():
        kind, shape = layer
        if is_continuous(kind):
            low, high = max(getattr(kind, "low", -1.0), -1.0), min(getattr(kind, "high", 1.0), 1.0)
            out[name] = low + (high - low) * noise.random((n, *shape))
        else:
            out[name] = kind.draw(np.zeros((n, *layer.field_shape)), None, np.zeros((n, *layer.shape)), 1.0, noise)
    return out


def _independent(system, task):
    """Whether the data phase leaves one layer free, drawn as a block in one sweep."""
    problem, _ = make_problem(system, None, {name: value[:1] for name, value in task.inputs.items()})
    at, cluster = problem.frame.offset, problem.frame.cluster
    free = [name for name, layer in system.layers.items() if np.any(cluster[at[name] : at[name] + layer.size] >= 0)]
    return len(free) < 2 and not any(t.layers.count(name) > 1 for t in system.terms for name in free)
