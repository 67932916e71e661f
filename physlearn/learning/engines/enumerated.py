"""Both phases of a sampled rule by enumeration of every state, where these are few."""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.annealing.ais import count_values
from physlearn.dynamics.exact.enumeration import enumerate_states
from physlearn.dynamics.problem import make_problem
from physlearn.energy import batch_size

MOST_STATES, MOST_ROWS = 1 << 14, 1 << 20


class Enumerated:
    """``step(system, memory, pick) -> (cost, gradient)``; the cost is the negative log-likelihood.

    Parameters
    ----------
    system : Energy
    task : Assignment
    temperature : float
    given : tuple of str
        Readouts that the model phase clamps too.
    """

    def __init__(self, system, task, temperature, given):
        some = {name: task.inputs[name] for name in given}
        self.temperature = temperature
        self.phases = [_Sums(system, held, len(task.target), temperature) for held in (task.inputs, some)]

    def __call__(self, system, memory, pick):
        """Cost and gradient of a step."""
        (seen, data), (expected, model) = (phase(system, pick) for phase in self.phases)
        return (model - data) * len(pick), {name: (seen[name] - expected[name]) / self.temperature for name in seen}


class _Sums:
    """Sums over every state that a phase allows, listed once for each distinct row of clamped values."""

    def __init__(self, system, held, n, temperature):
        self.temperature = temperature
        rows = np.concatenate([np.zeros((n, 0)), *held.values()], 1)
        _, first, self.pattern = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        parts: list = []
        for row in first:
            clamp = {name: value[row] for name, value in held.items()}
            parts.append(
                system.state(enumerate_states(system, temperature=temperature, clamp=clamp, progress=False).states())
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


def few_states(system, task, given):
    """Whether every phase is small enough."""
    rows = []
    for names in (given, task.inputs):
        held = {name: task.inputs[name] for name in names}
        problem, _ = make_problem(system, None, {name: value[:1] for name, value in held.items()})
        if problem.tied or np.any(problem.push):
            return False
        distinct = len(np.unique(np.concatenate(list(held.values()), 1), axis=0)) if held else 1
        rows.append(np.log2(distinct) + np.sum(np.log2(count_values(problem))))
    return max(rows) <= np.log2(MOST_STATES)
