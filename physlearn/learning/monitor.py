"""Monitor of a training, shown beside a cost or in its place: its name, and the epochs after which it is measured."""

from __future__ import annotations

import numpy as np

WORK = 4e8  # samples times parameters between two measurements, so that measuring costs a few per cent


class Monitor:
    """The monitor of one training.

    Parameters
    ----------
    system : System
    task : Assignment

    Attributes
    ----------
    name : str
        "" where there is none.
    measure : callable or None
        System to number; None where the cost is the monitor, or there is none.
    """

    def __init__(self, system, task):
        self.name, self.measure = "", None
        if hasattr(task.rule, "monitor"):
            self.name, self.measure = task.rule.monitor(system, task)
        work = len(task.target) * sum(value.size for value in system.theta.values())
        self.every = max(1, round(WORK / max(work, 1)))

    def due(self, epoch) -> bool:
        """Whether to measure after an epoch: after 1, 10, 100, ..., and as often as costs little."""
        series = epoch == 10 ** (len(str(epoch)) - 1)
        return self.measure is not None and (series or epoch % self.every == 0)

    def until(self, done, most):
        """Number of epochs to the next after which to measure, at most ``most``."""
        return next((k for k in range(1, most) if self.due(done + k)), most)

    def of(self, record, costs, trouble, last):
        """The record's monitor, extended by the epochs of ``costs``; it is always measured after ``last``."""
        before = record.epochs - len(costs)
        old = np.append(record.monitor, np.full(before - len(record.monitor), np.nan))  # of a record that had none
        new = np.full(len(costs), np.nan)
        if self.measure is None and self.name:
            new = costs
        elif self.measure is not None and not trouble and (self.due(record.epochs) or record.epochs == last):
            new[-1] = self.measure(record.system)
        return np.append(old, new)


def shown(record):
    """The last known cost and monitor of a training, {name: number}."""
    known = {
        "cost": record.cost[-1:],
        "validation": record.validation[-1:],
        record.monitor_name: record.monitor[np.isfinite(record.monitor)][-1:],
    }
    if record.unrested:
        known["not at rest"] = np.array([record.unrested])
    return {name: float(value[0]) for name, value in known.items() if name and np.isfinite(value).any()}
