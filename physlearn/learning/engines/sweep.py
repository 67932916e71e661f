"""Whole epochs of a network of predictions: sweeps through its maps, theta stepped in place.

The plain loop makes a new system at every step, checked and copied; here one system's parameters change under it.  The
numbers are the plain loop's, bit for bit.  Masks are drawn and statistics taken once a batch, before all phases.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from physlearn.dynamics.predictions import given_of, held_maps, hold
from physlearn.errors import ConvergenceError
from physlearn.learning.engines.steps import stepper


def runner(step, system, task):
    """``run(system, memory, orders, rates) -> (theta, mean cost per epoch, trouble or None)`` of a rule's step."""
    move, held = stepper(task.optimizer), held_maps(system)
    given = given_of(system, dict(system.fixed) | task.inputs, len(task.target)) if held else {}

    def run(system, memory, orders, rates):
        system.check_terms()
        view = copy(system)  # its theta is written to
        theta = {name: value.copy() for name, value in system.theta.items()}
        view.__dict__["theta"] = theta
        costs: list = []
        for order, lr in zip(orders, rates, strict=True):
            before = {name: value.copy() for name, value in theta.items()}
            total = 0.0
            for start in range(0, len(order), task.size):
                pick = order[start : start + task.size]
                now, measured = view, {}
                try:
                    with np.errstate(over="ignore", invalid="ignore"):
                        if held:
                            roots = {name: value[pick] for name, (value, _) in given.items()}
                            now, measured = hold(view, roots, memory["masks"])
                        loss, gradient = step(now, memory, pick)
                except ConvergenceError as error:
                    return before, np.array(costs), str(error)
                cost = float(np.sum(loss, dtype=float))
                if not np.isfinite(cost):
                    return before, np.array(costs), "the cost is not finite"
                move(theta, {name: gradient[name] for name in task.names if name in gradient}, memory, lr)
                for name, value in measured.items():
                    theta[name][...] = value
                total += cost
            if not all(np.isfinite(value).all() for value in theta.values()):
                return before, np.array(costs), "theta is not finite"
            costs.append(total / len(order))
        return theta, np.array(costs), None

    return run
