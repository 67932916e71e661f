"""Choice of the engine of `learn`, and the plain loop over batches that all other engines must reproduce."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import numpy as np

from physlearn.errors import ConvergenceError
from physlearn.learning.engines import bipartite, crossbars, edges
from physlearn.learning.engines.adjoint import exact_contrast
from physlearn.learning.engines.contrast import contrast_by_moments, contrast_by_relaxing, has_moments
from physlearn.learning.rules.contrastive import ExactGradient

LOG = logging.getLogger(__name__)
METHODS = ("auto", "compiled", "moments", "relax", "sample")


def choose(method, system, task, relax_options):
    """The engine ``run(system, memory, orders, rates) -> (theta, mean cost per epoch, trouble or None)``, and its name.

    "auto" takes the fastest that fits; one that does not fit is refused with the reason.
    """
    adjoint, drawn = isinstance(task.rule, ExactGradient), hasattr(task.rule, "sampled")
    options = {"unconverged": "raise"} | dict(relax_options or {})
    chain = not drawn and not isinstance(crossbars.find(system), str)
    fast = bipartite if drawn else edges
    reasons = {
        "compiled": crossbars.refusal(system, task, options) if chain else fast.refusal(system, task),
        "moments": None if has_moments(system) else "not every term is quadratic with `gradient_moments`",
        "relax": None,
        "sample": "the rule's phases are relaxed, not sampled",
    }
    if drawn:
        reasons |= dict.fromkeys(("moments", "relax"), "the rule's phases are sampled") | {"sample": None}
    if method == "auto":
        method = next(name for name, reason in reasons.items() if reason is None)
    LOG.debug("learn: engine %r; refused: %s", method, {name: why for name, why in reasons.items() if why})
    if reasons[method]:
        fits = [name for name, reason in reasons.items() if reason is None]
        raise ValueError(f"method {method!r} does not fit: {reasons[method]}. What fits: {fits}")
    if method == "compiled":
        return crossbars.runner(system, task, options) if chain else fast.runner(system, task), method
    if method == "sample":
        from physlearn.learning.engines import sampled  # loads every sampler

        return sampled.runner(system, task), method
    contrast: Any
    if method == "moments":
        contrast = contrast_by_moments
    elif adjoint:
        contrast = partial(exact_contrast, options=options)
    else:
        contrast = partial(contrast_by_relaxing, options=options)
    return lambda *args: _plain_loop(contrast, task, *args), method


def _plain_loop(contrast, task, system, memory, orders, rates):
    """Epochs, batch by batch: (theta, mean cost of each whole epoch, what went wrong or None)."""
    costs, steps = [], 0
    for order, lr in zip(orders, rates, strict=True):
        total = 0.0
        for start in range(0, len(order), task.size):
            pick = order[start : start + task.size]
            inputs = {name: value[pick] for name, value in task.inputs.items()}
            try:
                found = contrast(system, inputs, task.target[pick], task.rule, task.cost)
            except (ValueError, ConvergenceError) as error:
                if steps == 0 and isinstance(error, ValueError):
                    raise
                return system.theta, np.array(costs), str(error)
            gradient = {name: found.gradient[name] for name in task.names if name in found.gradient}
            if not all(np.all(np.isfinite(g)) for g in gradient.values()):
                return system.theta, np.array(costs), "the gradient is not finite"
            theta = task.optimizer.step(system.theta, gradient, memory, lr)
            if not all(np.all(np.isfinite(value)) for value in theta.values()):
                return system.theta, np.array(costs), "theta is not finite"
            system = system.with_theta(theta)
            total += float(np.sum(found.cost))
            steps += 1
        costs.append(total / len(order))
    return system.theta, np.array(costs), None
