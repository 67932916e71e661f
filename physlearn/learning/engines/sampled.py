"""The engine of `learn` for sampled rules on any energy: phases by enumeration, or by the engines of `sample`.

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

from physlearn.dynamics.annealing.ais import count_values
from physlearn.dynamics.exact.enumeration import enumerate_states
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import ENGINES
from physlearn.dynamics.walk import hmc
from physlearn.energy import Energy, batch_size
from physlearn.kinds import is_continuous
from physlearn.learning.rules.score import DenoisingScoreMatching, denoising_contrast, whole_states
from physlearn.rng import Chains, seed_sequence

MOST_STATES, MOST_ROWS, MIXING, LANES = 1 << 14, 1 << 20, 10, 16
START, DATA, MODEL, SWAP = 0, 1, 2, 3  # uses of a step's random numbers
FINDING, CAREFUL = 100, 0.1  # moves that find a step; the quantile of the chains' own steps, for most have longer ones


def start(system, rule, generator):
    """Memory of a sampled rule: the root of its random streams, its persistent chains, the steps of its phases."""
    root = seed_sequence(generator).generate_state(4, np.uint64)
    memory = {"noise": {"root": root, "lanes": _streams(root, 0, MODEL, LANES).T.copy()}}
    if rule.chains and not hasattr(rule, "draws"):
        replicas = rule.chains * (1 + len(rule.hotter))
        memory["chains"] = _random(system, replicas, Chains(_streams(root, 0, START, replicas)))
    if any(is_continuous(layer.kind) for layer in system.layers.values()):
        memory["step"] = {"data": np.zeros(0), "model": np.zeros(0)}  # none found yet
    return memory


def runner(system, task):
    """``run(system, memory, orders, rates) -> (theta, cost per epoch, what went wrong or None)``."""
    rule = task.rule
    if not isinstance(system, Energy):
        raise TypeError(
            f"rule: {type(rule).__name__} draws from exp(-E/T), and a System has no energy; use ExactGradient or "
            "CoupledLearning"
        )
    unknown = [name for name in rule.given if name not in task.inputs]
    if unknown:
        raise ValueError(f"given: {unknown[0]!r} is not in the data, which have {list(task.inputs)}")
    contrast: Any
    if isinstance(rule, DenoisingScoreMatching):
        contrast = _Denoising(system, task)
    else:
        contrast = _Exact(system, task) if is_exact(system, task) else _Sampled(system, task)

    def run(system, memory, orders, rates):
        theta, costs = system.theta, []
        for order, lr in zip(orders, rates, strict=True):
            total = 0.0
            for first in range(0, len(order), task.size):
                pick = order[first : first + task.size]
                gradient, cost = contrast(system, memory, pick)
                gradient = {name: gradient[name] / rule.temperature for name in task.names if name in gradient}
                if not all(np.all(np.isfinite(g)) for g in gradient.values()):
                    return theta, np.array(costs), "the gradient is not finite"
                moved = task.optimizer.step(system.theta, gradient, memory, lr)
                if not all(np.all(np.isfinite(value)) for value in moved.values()):
                    return theta, np.array(costs), "theta is not finite"
                system = system.with_theta(moved)
                total += cost * len(pick)
            theta = system.theta
            costs.append(total / len(order))
        return theta, np.array(costs), None

    return run


class _Exact:
    """Both phases by enumeration; the cost is the mean negative log-likelihood per sample."""

    def __init__(self, system, task):
        given = {name: task.inputs[name] for name in task.rule.given}
        self.phases = [_Sums(system, held, len(task.target), task.rule) for held in (task.inputs, given)]

    def __call__(self, system, memory, pick):
        (seen, data), (expected, model) = (phase(system, pick) for phase in self.phases)
        return {name: seen[name] - expected[name] for name in seen}, model - data


class _Sums:
    """Sums over every state that a phase allows, listed once for each distinct row of clamped values."""

    def __init__(self, system, held, n, rule):
        self.temperature = rule.temperature
        rows = np.concatenate([np.zeros((n, 0)), *held.values()], 1)
        _, first, self.pattern = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        parts: list = []
        for row in first:
            clamp = {name: value[row] for name, value in held.items()}
            parts.append(
                system.state(
                    enumerate_states(system, temperature=rule.temperature, clamp=clamp, progress=False).states()
                )
            )
            total = len(first) * batch_size(parts[0])
            if total > MOST_ROWS:
                raise ValueError(
                    f"exact: {len(first)} distinct rows of data and {batch_size(parts[0])} states for each are "
                    f"{total}, at most {MOST_ROWS} fit; use exact=False"
                )
        self.x = {name: np.concatenate([part[name] for part in parts]) for name in system.layers}
        self.count = len(first)

    def __call__(self, system, pick):
        """Mean dE/dtheta and mean log Z over the samples picked."""
        share = np.bincount(self.pattern.ravel()[pick], minlength=self.count) / len(pick)
        used, x = np.flatnonzero(share), self.x
        if len(used) < self.count:
            x = {name: v.reshape(self.count, -1, *v.shape[1:])[used] for name, v in x.items()}
            x = {name: v.reshape(-1, *v.shape[2:]) for name, v in x.items()}
        exponent = -np.asarray(sum(system.shares(x).values())).reshape(len(used), -1) / self.temperature
        log_z = np.logaddexp.reduce(exponent, 1)
        weight = np.exp(exponent - log_z[:, None]) * share[used][:, None]
        return system.response(x, weight.ravel()), float(share[used] @ log_z)


class _Sampled:
    """Both phases by samplers; there is no cost to report, except for contrastive divergence.

    Contrastive divergence reports how far the visible variables have moved, mean square over the data's readouts.
    """

    def __init__(self, system, task):
        self.inputs, self.rule = task.inputs, task.rule
        self.mixing = 1 if _independent(system, task) else MIXING  # sweeps that draw hidden variables
        if hasattr(task.rule, "draws"):
            self.mixing = task.rule.warmup + 1
        self.warned = False

    def __call__(self, system, memory, pick):
        rule, root, number = self.rule, memory["noise"]["root"], memory["steps"] + 1
        self.memory, self.number = memory, number
        held = {name: value[pick] for name, value in self.inputs.items()}
        inputs = {name: held[name] for name in rule.given}
        draws = getattr(rule, "draws", 1)
        noise = _streams(root, number, DATA, len(pick))
        begin = _random(system, len(pick), Chains(noise))
        x, seen = self.phase("data", system, begin, held, rule.temperature, self.mixing, draws, noise)
        if hasattr(rule, "draws"):
            rows = -(-rule.chains // len(pick)) * len(pick) if inputs else rule.chains
            again = {name: np.tile(value, (rows // len(pick), 1)) for name, value in inputs.items()}
            noise = _streams(root, number, MODEL, rows)
            begin = _random(system, rows, Chains(noise))
            _, model = self.phase("model", system, begin, again, rule.temperature, rule.warmup + 1, draws, noise)
            cost = np.nan
        elif rule.chains:
            memory["chains"], model = self.persistent(system, memory["chains"])
            cost = np.nan
        else:
            noise = _streams(root, number, MODEL, len(pick))
            y, model = self.phase("model", system, x, inputs, rule.temperature, rule.k, 1, noise)
            moved = [system.readouts[name].read(y) - value for name, value in held.items()]
            cost = float(np.mean(np.concatenate(moved, 1) ** 2))
        return {name: seen[name] - model[name] for name in seen}, cost

    def phase(self, what, system, x, clamp, temperature, sweeps, draws, noise, counted=None):
        """Last state and mean dE/dtheta over draws, the first after ``sweeps`` sweeps; of the first ``counted``."""
        problem, _ = make_problem(system, x, clamp)
        reasons = {name: engine.refusal(problem) for name, engine in ENGINES.items()}
        chosen = next((name for name, reason in reasons.items() if reason is None), None)
        if chosen is None:
            raise ValueError(f"rule: no sampler takes this energy: {reasons}")
        make = partial(ENGINES[chosen].Sampler, problem, problem.state(problem.initial()), noise)
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

    def give_step(self, what, sampler, make, heat):
        """Give a phase's chains, level by level of temperature, the step of last time; the first time, find it."""
        steps = self.memory["step"]
        if not len(steps[what]):
            trial = make()
            trial.warm(FINDING, heat)
            levels = 1 + len(getattr(self.rule, "hotter", ())) if what == "model" else 1
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

    def persistent(self, system, x):
        """Persistent chains after k sweeps, and mean dE/dtheta over those at T; replicas swap before the sweeps.

        The rows of x are the chains at T, then their replicas at each hotter temperature.
        """
        rule, root = self.rule, self.memory["noise"]["root"]
        ladder = np.array([rule.temperature, *rule.hotter])
        if rule.hotter:
            x = _swapped(system, x, ladder, self.number, Chains(_streams(root, self.number, SWAP, rule.chains)))
        noise = _streams(root, self.number, MODEL, len(ladder) * rule.chains)
        heat = np.repeat(ladder, rule.chains)
        return self.phase("model", system, x, {}, heat, rule.k, 1, noise, rule.chains)


class _Denoising:
    """Two phases on both sides of blurred data (see `score`); the cost is the objective."""

    def __init__(self, system, task):
        self.x, self.rule = whole_states(system, task.inputs), task.rule

    def __call__(self, system, memory, pick):
        noise = Chains(_streams(memory["noise"]["root"], memory["steps"] + 1, DATA, len(pick)))
        x = {name: value[pick] for name, value in self.x.items()}
        gradient, cost = denoising_contrast(system, x, self.rule, noise)
        return gradient, float(np.mean(cost))


def _swapped(system, x, ladder, number, noise):
    """Neighbours swap states with probability min(1, exp((1/T_i - 1/T_j)(E_i - E_j))), even and odd pairs in turn."""
    levels, chains = len(ladder), len(noise.states)
    e = np.asarray(sum(system.shares(x).values())).reshape(levels, chains)
    beta, coins, source = 1.0 / ladder, noise.random((chains, levels)), np.arange(levels * chains).reshape(e.shape)
    for low in range(number % 2, levels - 1, 2):
        swap = coins[:, low] < np.exp(np.minimum((beta[low] - beta[low + 1]) * (e[low] - e[low + 1]), 0.0))
        source[low : low + 2, swap] = source[low : low + 2, swap][::-1]
    return {name: value[source.ravel()] for name, value in x.items()}


def _streams(root, number, purpose, n):
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


def is_exact(system, task):
    """Whether to enumerate: as the rule asks, or where every phase is small enough."""
    wanted = getattr(task.rule, "exact", False)
    if wanted is not None:
        return wanted
    rows = []
    for names in (task.rule.given, task.inputs):
        held = {name: task.inputs[name] for name in names}
        problem, _ = make_problem(system, None, {name: value[:1] for name, value in held.items()})
        if problem.tied or np.any(problem.push):
            return False
        distinct = len(np.unique(np.concatenate(list(held.values()), 1), axis=0)) if held else 1
        rows.append(np.log2(distinct) + np.sum(np.log2(count_values(problem))))
    return max(rows) <= np.log2(MOST_STATES)
