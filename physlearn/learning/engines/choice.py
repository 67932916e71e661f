"""Choice of the engine of `learn`, and the plain loop over batches that all other engines must reproduce."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import numpy as np

from physlearn.dynamics.predictions import held_maps
from physlearn.errors import ConvergenceError
from physlearn.learning.engines import blocks, crossbars, edges, sweep
from physlearn.learning.engines.contrast import by_moments, by_relaxing, moments_refusal
from physlearn.learning.engines.in_place import in_place_loop
from physlearn.learning.optimizers import stepped

LOG = logging.getLogger(__name__)
METHODS = ("auto", "compiled", "moments", "sweep", "relax", "sample", "contrast")


def own_method(rule):
    """Name of the engine that a rule's own contrast is; None for a rule of phases alone."""
    own = getattr(rule, "own_method", None) or getattr(rule, "method", "contrast")
    return own if hasattr(rule, "contrast") else None


def choose(method, system, task):
    """The engine ``run(system, memory, orders, rates) -> (theta, mean cost per epoch, trouble or None)``, and its name.

    "auto" takes the fastest that fits; one that does not fit is refused with the reason.
    """
    engines = _engines(system, task)
    if method == "auto":
        method = next(name for name, found in engines.items() if not isinstance(found, str))
    refused = {name: why for name, why in engines.items() if isinstance(why, str)}
    LOG.debug("learn: engine %r; refused: %s", method, refused)
    if method in refused:
        fits = [name for name in engines if name not in refused]
        raise ValueError(f"method {method!r} does not fit: {refused[method]}. What fits: {fits}")
    return engines[method](), method


def takes_fresh(rule, method):
    """Whether an engine takes the data of many steps at once, a `Fresh` for each in the place of an order."""
    return method == "sweep" or (method == own_method(rule) and getattr(rule, "in_place", False))


def step_of(system, task):
    """The contrast ``step(system, memory, pick) -> (cost, gradient)`` of the fastest engine that takes single steps."""
    engines = _engines(system, task)
    single = (make for name, make in engines.items() if name not in ("compiled", "sweep"))
    found: Any = next(make for make in single if not isinstance(make, str))
    return found.args[0](system, task)


def notes_of(run):
    """What an engine has to say of terms that are slow in it: the ``notes`` of its contrast, where it has any."""
    step = run.args[0] if isinstance(run, partial) and run.args else None
    return tuple(getattr(step, "notes", ()))


def _engines(system, task):
    """Every engine, fastest first: a function that makes it, or why it does not fit."""
    rule, own = task.rule, own_method(task.rule)
    phases = hasattr(rule, "phases")
    said = "the rule brings its own contrast" if own else "the rule has phases only"
    engines: dict[str, Any] = dict.fromkeys(METHODS[1:], said)
    if hasattr(rule, "compiled"):
        engines["compiled"] = rule.compiled(system, task)
    if phases:
        fast = edges if isinstance(crossbars.find(system), str) else crossbars
        engines["compiled"] = fast.refusal(system, task) or partial(fast.runner, system, task)
        if hasattr(type(system), "__epochs__"):  # as circuits do, which this package cannot import
            engines["compiled"] = system.__epochs__(task)
        engines["moments"] = moments_refusal(system, task) or partial(_loop, by_moments, system, task)
        engines["relax"] = partial(_loop, by_relaxing, system, task)
    in_place = phases and bool(task.inputs) and blocks.suits(system, task.inputs, rule, task.cost, task.options)
    if in_place:
        engines["relax"] = partial(blocks.runner, by_relaxing, system, task)
    if hasattr(rule, "swept"):
        engines["sweep"] = sweep.refusal(system, task) or partial(sweep.runner, system, task)
    if own:
        run = blocks.runner if in_place and own == "relax" else _loop
        engines[own] = partial(run, rule.contrast, system, task)
    if names := held_maps(system):
        said = f"{' and '.join(names)} of one batch are known to sweeps only; use ExactGradient or PredictiveCoding"
        engines |= {name: said for name in engines if name != "sweep"}
    return engines


def _loop(make, system, task):
    if getattr(task.rule, "in_place", False):
        return partial(in_place_loop, make(system, task), task, make)
    return partial(plain_loop, make(system, task), task)


def plain_loop(step, task, system, memory, orders, rates):
    """Epochs, batch by batch: (theta, mean cost of each whole epoch, what went wrong or None)."""
    costs, first = [], True
    for order, lr in zip(orders, rates, strict=True):
        total = 0.0
        for start in range(0, len(order), task.size):
            try:
                cost, gradient = step(system, memory, order[start : start + task.size])
            except (ValueError, ConvergenceError) as error:
                if first and isinstance(error, ValueError):
                    raise
                return system.theta, np.array(costs), str(error)
            gradient = {name: gradient[name] for name in task.names if name in gradient}
            if not all(np.all(np.isfinite(g)) for g in gradient.values()):
                return system.theta, np.array(costs), "the gradient is not finite"
            theta = stepped(task.optimizer, system.theta, gradient, memory, lr)
            if not all(np.all(np.isfinite(value)) for value in theta.values()):
                return system.theta, np.array(costs), "theta is not finite"
            system = system.with_theta(theta)
            total += float(np.sum(cost))
            first = False
        costs.append(total / len(order))
    return system.theta, np.array(costs), None
