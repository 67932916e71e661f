"""What a sampled training shows for a cost: how it is named, and after which epochs it is measured."""

from __future__ import annotations

import numpy as np

from physlearn.energy import Energy

CHEAP = 2e6  # samples times parameters: epochs of more are long enough to measure after each


class Monitor:
    """The monitor of one training.

    Parameters
    ----------
    system : System
    task : Task

    Attributes
    ----------
    name : str
        "" where there is none.
    measure : callable or None
        System to number; None where the cost is the monitor, or there is none.
    """

    def __init__(self, system, task):
        self.name, self.measure = "", None
        if hasattr(task.rule, "sampled") and isinstance(system, Energy):
            from physlearn.learning.pseudo_likelihood import monitor_of  # loads every sampler

            self.name, self.measure = monitor_of(system, task)
        self.long = len(task.target) * sum(value.size for value in system.theta.values()) >= CHEAP

    def due(self, epoch) -> bool:
        """Whether to measure after an epoch, 1, 2, ...: after all if they are long, else 1 to 10, 15, .. 100, 150, ...

        It depends on nothing that differs between a training in one go and one that is resumed.
        """
        return self.measure is not None and (self.long or epoch <= 10 or epoch % (5 * 10 ** (len(str(epoch)) - 2)) == 0)

    def until(self, done, most):
        """Number of epochs to the next after which to measure, at most ``most``."""
        return next((k for k in range(1, most) if self.due(done + k)), most)

    def of(self, record, costs, trouble):
        """The record's monitor, longer by the last epochs, whose costs are given."""
        before = record.epochs - len(costs)
        old = np.append(record.monitor, np.full(before - len(record.monitor), np.nan))  # of a record that had none
        new = np.full(len(costs), np.nan)
        if self.measure is None and self.name:
            new = costs
        elif len(new) and not trouble and self.due(record.epochs):
            new[-1] = self.measure(record.system)
        return np.append(old, new)


def shown(record):
    """The last known cost and monitor of a training, {name: number}."""
    known = {"cost": record.cost[-1:], record.monitor_name: record.monitor[np.isfinite(record.monitor)][-1:]}
    return {name: float(value[0]) for name, value in known.items() if name and np.isfinite(value).any()}
