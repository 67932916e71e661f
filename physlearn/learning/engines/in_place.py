"""The plain loop over batches for rules whose step keeps nothing of a system: theta is stepped in place.

The plain loop makes a new system at every step, checked and copied; here one system's parameters change under it, all
of them one stretch of memory, so that a step of the optimiser is one pass.  The numbers are the plain loop's.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from physlearn.errors import ConvergenceError
from physlearn.learning.data import Fresh
from physlearn.learning.engines.steps import stepper
from physlearn.learning.optimizers import Adam

MOMENTS = ("first", "second")


def in_place_loop(step, task, make, system, memory, orders, rates):
    """Epochs, batch by batch: (theta, mean cost of each whole epoch, what went wrong or None).

    ``make(system, task)`` makes the step anew where data are made for a step.
    """
    system.check_terms()
    view = copy(system)  # its theta is written to
    flat, theta = _joined({name: system.theta[name] for name in task.names})
    view.__dict__["theta"] = {**{name: value.copy() for name, value in system.theta.items()}, **theta}
    update, finish = _updater(task, flat, theta, view.theta, memory)
    costs: list = []
    for order, lr in zip(orders, rates, strict=True):
        before = {name: value.copy() for name, value in view.theta.items()}
        total = 0.0
        if isinstance(order, Fresh):
            size = len(next(iter(order.inputs.values())))
            step = make(view, task._replace(inputs=order.inputs, target=order.target, size=size))
            task, order = task._replace(size=size), np.arange(size)
        for start in range(0, len(order), task.size):
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    cost, gradient = step(view, memory, order[start : start + task.size])
            except (ValueError, ConvergenceError) as error:
                if not costs and not start and isinstance(error, ValueError):
                    raise
                finish()
                return before, np.array(costs), str(error)
            total += float(np.sum(cost, dtype=float))
            if not np.isfinite(total):
                finish()
                return before, np.array(costs), "the cost is not finite"
            update({name: gradient[name] for name in task.names if name in gradient}, lr)
        if not all(np.isfinite(value).all() for value in view.theta.values()):
            finish()
            return before, np.array(costs), "theta is not finite"
        costs.append(total / len(order))
    finish()
    return view.theta, np.array(costs), None


def _joined(arrays):
    """One flat array with the entries of all, and {name: the part of it that has the array's shape}."""
    kinds = {value.dtype for value in arrays.values()}
    flat = np.concatenate([value.reshape(-1) for value in arrays.values()]) if arrays else np.zeros(0)
    parts, start = {}, 0
    for name, value in arrays.items():
        parts[name] = flat[start : start + value.size].reshape(value.shape)
        start += value.size
    return (flat, parts) if len(kinds) <= 1 else (None, {name: value.copy() for name, value in arrays.items()})


def _updater(task, flat, theta, whole, memory):
    """A function (gradient, lr) that steps the parameters, and one that gives the memory its own arrays back."""
    optimizer, step = task.optimizer, stepper(task.optimizer)
    plain = type(optimizer) is Adam and not optimizer.bounds and not isinstance(optimizer.decay, dict)
    if flat is None or not plain:
        return lambda gradient, lr: step(whole, gradient, memory, lr), lambda: None
    joined = {key: _joined(memory[key]) for key in MOMENTS}
    if list(memory["first"]) != list(theta) or any(pair[0] is None for pair in joined.values()):
        return lambda gradient, lr: step(whole, gradient, memory, lr), lambda: None
    memory.update({key: parts for key, (_, parts) in joined.items()})
    slopes, parts = _joined({name: np.zeros_like(value) for name, value in theta.items()})
    moments = {key: {"": values} for key, (values, _) in joined.items()}

    def update(gradient, lr):
        if len(gradient) < len(parts):  # a parameter without a gradient keeps its moments
            step(whole, gradient, memory, lr)
            return
        for name, part in parts.items():
            part[...] = gradient[name]
        moments["steps"] = memory["steps"]
        step({"": flat}, {"": slopes}, moments, lr)
        memory["steps"] = moments["steps"]

    def finish():
        for key in MOMENTS:
            memory[key] = {name: value.copy() for name, value in memory[key].items()}

    return update, finish
