"""Whole epochs of a network of predictions: sweeps through its maps, theta stepped in place.

The plain loop makes a new system at every step, checked and copied; here one system's parameters change under it.  The
numbers are the plain loop's, bit for bit.  Masks are drawn and statistics taken once a batch, before all phases.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from physlearn.dynamics.predictions import given_of, held_maps, hold, network_of, precision
from physlearn.errors import ConvergenceError
from physlearn.learning.data import Fresh
from physlearn.learning.engines.steps import stepper


def refusal(system, task):
    """Why this engine does not apply, or None."""
    network = network_of(system)
    if isinstance(network, str):
        return network
    try:
        given = given_of(system, dict(system.fixed) | {k: v[:1] for k, v in task.inputs.items()}, 1)
    except ValueError as error:
        return str(error)
    whole = set(given) == set(network.roots) and all(free is None for _, free in given.values())
    if not whole and not getattr(task.rule, "infers", False):
        return f"it needs all inputs {list(network.roots)} given and nothing else"
    return None


def runner(system, task):
    """``run(system, memory, orders, rates) -> (theta, mean cost per epoch, trouble or None)``."""
    dtype = precision(system.theta)
    step, held = stepper(task.optimizer), held_maps(system)

    def taken(inputs, target):
        inputs = {name: np.asarray(value, dtype) for name, value in inputs.items()}
        roots = given_of(system, dict(system.fixed) | inputs, len(target)) if held else {}
        return inputs, np.asarray(target, dtype), roots

    whole = taken(task.inputs, task.target)

    def run(system, memory, orders, rates):
        system.check_terms()
        view = copy(system)  # its theta is written to
        theta = {name: value.copy() for name, value in system.theta.items()}
        view.__dict__["theta"] = theta
        costs: list = []
        for order, lr in zip(orders, rates, strict=True):
            before = {name: value.copy() for name, value in theta.items()}
            total = 0.0
            inputs, target, roots = taken(*order) if isinstance(order, Fresh) else whole
            order, size = (np.arange(len(target)), len(target)) if isinstance(order, Fresh) else (order, task.size)
            for start in range(0, len(order), size):
                pick = order[start : start + size]
                batch = {name: value[pick] for name, value in inputs.items()}
                now, measured = view, {}
                try:
                    with np.errstate(over="ignore", invalid="ignore"):
                        if held:
                            known = {name: value[pick] for name, (value, _) in roots.items()}
                            now, measured = hold(view, known, memory["masks"])
                        loss, gradient = task.rule.swept(now, batch, target[pick], task.cost, task.options)
                except ConvergenceError as error:
                    return before, np.array(costs), str(error)
                cost = float(np.sum(loss, dtype=float))
                if not np.isfinite(cost):
                    return before, np.array(costs), "the cost is not finite"
                step(theta, {name: gradient[name] for name in task.names if name in gradient}, memory, lr)
                for name, value in measured.items():
                    theta[name][...] = value
                total += cost
            if not all(np.isfinite(value).all() for value in theta.values()):
                return before, np.array(costs), "theta is not finite"
            costs.append(total / len(order))
        return theta, np.array(costs), None

    return run
