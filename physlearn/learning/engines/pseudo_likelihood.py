"""The log pseudo-likelihood of a model, the monitor of a sampled training.

The likelihood needs the partition function; the distributions of single variables given the others do not.  The
monitor of a sampled rule is the log pseudo-likelihood of samples of the data (Besag 1975),

    sum_i log P(v_i | v_j, j != i)   nats a sample, over the variables that the data show,

exact where no variable is hidden (from the fields) and where the hidden ones form one layer without couplings within
(summed over: Marlin, Swersky, Chen and de Freitas 2010); elsewhere they are drawn given the data, once.  It is
taken at fixed samples and variables, so that its course is smooth, and its random numbers are its own.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from physlearn.dynamics.frame import concatenate, held, separate
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import ENGINES
from physlearn.dynamics.sampling.sample import sample
from physlearn.kinds import is_continuous, is_discrete

FEWEST, MOST, WORK = 50, 100, 2e6  # samples (or pairs of sample and variable): as many as cost WORK products
SWEEPS = 20  # that draw the hidden variables


def log_sum(gains):
    """Log sum exp over the last axis, level by level: on few levels four times as fast as `np.logaddexp.reduce`."""
    if not np.all(np.isfinite(gains)):
        return np.logaddexp.reduce(gains, -1)
    total = gains[..., 0]
    for k in range(1, gains.shape[-1]):
        more = gains[..., k]
        total = np.maximum(total, more) + np.log1p(np.exp(-np.abs(total - more)))
    return total


def monitor_of(system, task, temperature, given=()):
    """``(name, measure)``, measure(system) the monitor; None where there is none ("").

    ``temperature`` is that of the density, ``given`` names the readouts that are no part of it.
    """
    found = _PseudoLikelihood(system, task, temperature, given)
    return ("log pseudo-likelihood", found) if found.possible() else ("", None)


class _PseudoLikelihood:
    """Log pseudo-likelihood of some samples: the variables shown and hidden, and the samples used."""

    def __init__(self, system, task, temperature, given):
        self.temperature, n = temperature, len(task.target)
        given = {name: task.inputs[name][:1] for name in given}
        inputs, _ = make_problem(system, None, given)
        self.problem, _ = make_problem(system, None, {name: value[:1] for name, value in task.inputs.items()})
        self.shown = np.flatnonzero((self.problem.frame.cluster < 0) & (inputs.frame.cluster >= 0))
        self.hidden = np.flatnonzero(self.problem.frame.cluster >= 0)
        self.layer = np.repeat(np.arange(len(system.layers)), [layer.size for layer in system.layers.values()])
        self.names = list(system.layers)
        budget = int(np.clip(WORK / max(1, sum(v.size for v in system.theta.values())), FEWEST, MOST))
        self.summed = len(self.hidden) > 0 and self._sums_are_closed(system)
        every = self.summed and n * len(self.shown) <= budget
        rows = np.arange(n) if n <= budget else np.linspace(0, n - 1, budget).astype(np.int64)
        if every:
            rows = np.repeat(rows, len(self.shown))
            self.which = np.tile(self.shown, n)
        elif self.summed and len(self.shown):
            rows = np.resize(rows, budget)
            self.which = np.random.default_rng(0).choice(self.shown, budget)
        self.clamp = {name: value[rows] for name, value in task.inputs.items()}

    @functools.cached_property
    def _flat(self):
        """The samples used, hidden variables at their first value, (rows, variables)."""
        system = self.problem.system
        problem, _ = make_problem(system, None, self.clamp)
        flat = np.array(concatenate(system, problem.state(problem.initial())), dtype=float)
        flat[:, self.hidden] = system.layers[self.names[self.layer[self.hidden[0]]]].kind.levels[0]
        return flat

    def possible(self):
        """Whether the conditional distributions are known, and hidden variables can be summed over or drawn."""
        problem = self.problem
        system: Any = problem.system
        if not len(self.shown) or problem.tied or np.any(problem.push) or problem.complex:
            return False
        for k in np.unique(self.layer[self.shown]):
            kind = system.layers[self.names[k]].kind
            if is_discrete(kind):
                continue
            if not hasattr(kind, "log_z") or np.isfinite([kind.low, kind.high]).any():
                return False
            if system.curvature(problem.state(problem.initial()), self.names[k]) is None:
                return False
        drawn = len(self.hidden) and not self.summed
        return not drawn or any(engine.refusal(problem) is None for engine in ENGINES.values())

    def _sums_are_closed(self, system):
        layers = [self.names[k] for k in np.unique(self.layer[self.hidden])]
        kinds = [system.layers[self.names[k]].kind for k in np.unique(self.layer[[*self.hidden, *self.shown]])]
        alone = len(layers) == 1 and not any(term.layers.count(layers[0]) > 1 for term in system.terms)
        return alone and all(is_discrete(kind) for kind in kinds)

    def __call__(self, system):
        """Nats a sample."""
        if self.summed:
            return len(self.shown) * float(np.mean(self._summed(system)))
        if not len(self.hidden):
            problem, _ = make_problem(system, None, self.clamp)
            x = problem.state(problem.initial())
        else:
            chains = len(next(iter(self.clamp.values())))
            drawn = sample(
                system, temperature=self.temperature, n_samples=1, warmup=SWEEPS, chains=chains, clamp=self.clamp,
                observe={}, rng=0, progress=False,
            )  # fmt: skip
            x = drawn.final
        return float(np.mean(self._conditional(system, x)))

    def _conditional(self, system, x):
        """Sum of log P(v_i | all others) over the variables shown, (samples,)."""
        total = 0.0
        for k in np.unique(self.layer[self.shown]):
            name, kind = self.names[k], system.layers[self.names[k]].kind
            at = self.shown[self.layer[self.shown] == k] - np.flatnonzero(self.layer == k)[0]
            value = x[name].reshape(len(x[name]), -1)[:, at]
            field = system.field(x, name, at)
            if is_continuous(kind):
                bend = np.broadcast_to(system.curvature(x, name), x[name].shape).reshape(len(value), -1)[:, at]
                log_p = 0.5 * np.log(bend / (2 * np.pi * self.temperature)) - field**2 / (2 * bend * self.temperature)
            else:
                gains = kind.gains(field / self.temperature)
                log_p = np.take_along_axis(gains, kind.number(value)[..., None], -1)[..., 0] - np.logaddexp.reduce(
                    gains, -1
                )
            total = total + log_p.sum(1)
        return total

    def _summed(self, system):
        """log P(v_i | the other visible variables) of one variable a row, hidden variables summed over."""
        flat = self._flat
        hidden_name = self.names[self.layer[self.hidden[0]]]
        hidden = system.layers[hidden_name]
        free = self.hidden - np.flatnonzero(self.layer == self.layer[self.hidden[0]])[0]
        out = np.empty(len(flat))
        for k in np.unique(self.layer[self.which]):
            rows = np.flatnonzero(self.layer[self.which] == k)
            kind = system.layers[self.names[k]].kind
            values = kind.levels
            log_w = np.empty((len(rows), len(values)))
            for code, value in enumerate(values):
                moved = flat[rows]
                moved[np.arange(len(rows)), self.which[rows]] = value
                x = held(system, separate(system, moved))
                energy = np.asarray(sum(system.shares(x).values()))
                field = system.field(x, hidden_name, free)
                sums = log_sum(hidden.kind.gains(field / self.temperature))
                log_w[:, code] = sums.sum(1) - energy / self.temperature
            here = kind.number(flat[rows, self.which[rows]])
            out[rows] = log_w[np.arange(len(rows)), here] - np.logaddexp.reduce(log_w, 1)
        return out
