"""What a training is watched by, epoch by epoch: the cost of data that it does not learn from, and gradients' norms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from physlearn.checks import count, flag
from physlearn.dynamics.predictions import forward, given_of, network_of
from physlearn.dynamics.rest.relax import relax
from physlearn.learning.data import check_data
from physlearn.learning.engines.choice import step_of
from physlearn.learning.resume import copied

ROWS = 500  # samples of the validation data that are evaluated together


class Watch:
    """Held-out data, early stopping and gradient norms of one training.

    Parameters
    ----------
    system : System
    task : Assignment
    validation : mapping of str to (n, k) array, or None
    patience : int or None
        Epochs without a lower validation cost after which to stop.
    norms : bool
    """

    def __init__(self, system, task, validation, patience, norms):
        self.task, self.patience, self.norms = task, patience, flag("norms", norms)
        self.held = None
        if patience is not None:
            count("patience", patience)
            if validation is None:
                raise ValueError("patience: it counts epochs without a lower validation cost; give `validation` too")
        if validation is not None:
            if task.cost is None:
                raise ValueError(f"validation: {type(task.rule).__name__} takes no cost that could be measured on it")
            try:
                self.held = check_data(system, validation, task.cost)
            except (TypeError, ValueError) as error:
                raise type(error)(f"validation: {error}") from None
            if set(self.held[0]) != set(task.inputs):
                raise ValueError(
                    f"validation: it gives {sorted(self.held[0])}, expected {sorted(task.inputs)}, as the data do"
                )
        self.active = self.norms or self.held is not None

    def of(self, record, task, pick):
        """The record with the figures of its last epoch; ``pick`` are samples to take the gradient of."""
        found = {}
        if self.held is not None:
            cost = validation_cost(record.system, *self.held, self.task)
            found["validation"] = np.append(record.validation, cost)
            if not record.best or cost < np.min(record.validation, initial=np.inf):
                found["best"] = dict(record.theta)
        if self.norms:
            _, gradient = step_of(record.system, task)(record.system, copied(record.memory), pick)
            found["norms"] = {
                name: np.append(record.norms.get(name, np.zeros(0)), np.linalg.norm(gradient[name]))
                for name in task.names
                if name in gradient
            }
        return replace(record, **found)

    def done(self, record) -> bool:
        """Whether the validation cost has not fallen for ``patience`` epochs."""
        if self.patience is None:
            return False
        return len(record.validation) - 1 - int(np.argmin(record.validation)) >= self.patience


def validation_cost(system, inputs, target, task) -> float:
    """Mean cost of the free outputs; theirs is one pass through a network of predictions with its inputs given."""
    total, network = 0.0, network_of(system)
    for start in range(0, len(target), ROWS):
        wanted = target[start : start + ROWS]
        clamps = dict(system.fixed) | {name: value[start : start + ROWS] for name, value in inputs.items()}
        x = None
        if not isinstance(network, str):
            given = given_of(system, clamps, len(wanted))
            if set(given) == set(network.roots) and all(free is None for _, free in given.values()):
                x = forward(network, {name: value for name, (value, _) in given.items()}, system.theta)[0]
        if x is None:
            options = {
                name: value for name, value in task.options.items() if name != "max_steps" or np.ndim(value) == 0
            }
            x = system.state(relax(system, clamp=clamps, **options).x)
        y = system.readouts[task.cost.readout].read(system.shown(x))
        total += float(np.sum(task.cost.value(y, wanted.astype(y.real.dtype, copy=False)), dtype=float))
    return total / len(target)
