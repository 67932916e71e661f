"""The contrast of a rule's phases on one batch, which a gradient step follows.

Quadratic energies are computed a faster way: states are combinations of a few columns, so the contrast is a
quadratic form in their Gram matrix and no state of any sample is ever formed.  All other systems relax every phase.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.dynamics.frame import given, rows_of
from physlearn.dynamics.linear.quadratic import equilibria, is_quadratic
from physlearn.dynamics.linear.schur import phase_force
from physlearn.dynamics.notes import of_phases
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.rest.relax import ENGINES, relax
from physlearn.energy import Nudge
from physlearn.learning.engines import blocks
from physlearn.learning.engines.blocks import phase_options


class Contrast(NamedTuple):
    """``gradient`` per parameter (mean over the batch), free ``outputs`` (batch, k), ``cost`` (batch,).

    ``unrested`` counts the phases in which not every item came to rest.
    """

    gradient: dict
    outputs: np.ndarray
    cost: np.ndarray
    unrested: int = 0

    __repr__ = brief


def has_moments(system) -> bool:
    """Whether the contrast can be computed from moments of the states."""
    return is_quadratic(system) and all(hasattr(t, "gradient_moments") for t in system.terms)


def moments_refusal(system, task):
    """Why the contrast cannot be computed from moments of the states, or None."""
    if not has_moments(system):
        return "not every term is quadratic with `gradient_moments`"
    if task.rule.mode == "full" and not hasattr(task.cost, "hessian"):
        return f"{type(task.cost).__name__} has no `hessian`, which a full nudge takes"
    return None


def by_moments(system, task):
    """``step(system, memory, pick) -> (cost, gradient)`` by `contrast_by_moments`."""
    return _step(task, contrast_by_moments)


def by_relaxing(system, task):
    """``step(system, memory, pick) -> (cost, gradient)`` by `contrast_by_relaxing`."""
    step: Any = _step(task, contrast_by_relaxing, task.options)
    step.notes = notes_of_relaxing(system, task)
    return step


def notes_of_relaxing(system, task):
    """Notes of a training that relaxes the phases of its first sample as `relax` would."""
    problem, _ = make_problem(system, None, {name: value[:1] for name, value in task.inputs.items()})
    fits = (name for name, engine in ENGINES.items() if engine.refusal(problem) is None)
    return of_phases(problem, task.options.get("method", "auto").replace("auto", next(fits, "flow")))


def _step(task, contrast, *more):
    def step(system, memory, pick):
        inputs = {name: value[pick] for name, value in task.inputs.items()}
        found = contrast(system, inputs, task.target[pick], task.rule, task.cost, *more)
        if found.unrested:
            memory["unrested"] = memory.get("unrested", 0) + found.unrested
        return found.cost, found.gradient

    return step


def contrast_by_moments(energy, inputs, target, rule, cost) -> Contrast:
    """One factorisation, s + k columns, one k x k problem a sample, one quadratic form per edge."""
    clamps = dict(energy.fixed) | inputs
    eq = equilibria(energy, clamps)
    u, force = given(energy, eq.frame, clamps, len(target))
    coefficients = eq.coefficients(u, force)
    response, s = eq.green(cost.readout)
    rows = rows_of(energy, cost.readout, eq.frame.offset, eq.pattern.n)
    y = coefficients @ (rows @ eq.columns.T).T
    basis = np.concatenate([eq.columns, response])
    gram: Any = 0.0
    for weight, strength in rule.phases:
        pull = phase_force(s, y, target, rule.mode, strength, cost)
        c = np.concatenate([coefficients, pull], 1)
        gram = gram + weight * (c.T @ c)
    gram = np.real(0.5 * (gram + gram.T)) / len(target)
    gradient: dict = {}
    for term, place in zip(energy.terms, eq.pattern.places, strict=True):
        for name, value in term.gradient_moments(basis[:, place], gram, energy.theta).items():
            gradient[name] = gradient[name] + value if name in gradient else value
    return Contrast(gradient, y, cost.value(y, target))


def contrast_by_relaxing(system, inputs, target, rule, cost, options) -> Contrast:
    """Relax every phase, each from the free state; by blocks where the layers are (see `blocks`)."""
    if blocks.suits(system, inputs, rule, cost, options):
        found = blocks.contrast_by_blocks(system, inputs, target, rule, cost, options)
        if found is not None:
            y, gradient, unrested = found
            return Contrast(gradient, y, cost.value(y, target), unrested)
    options, nudged = phase_options(options, 0), phase_options(options, 1)
    free = relax(system, clamp=inputs, **options)
    start, unrested = system.state(free.x), int(not free.converged)
    y = system.readouts[cost.readout].read(system.shown(start))
    gradient: dict = {}
    for weight, strength in rule.phases:
        x = start
        if strength != 0 and rule.mode == "clamp":
            held = {cost.readout: y - strength * cost.gradient(y, target)}
            rest = relax(system, start, clamp=dict(inputs) | held, **nudged)
            x, unrested = system.state(rest.x), unrested + (not rest.converged)
        elif strength != 0:
            nudge = Nudge(cost, target, strength, y if rule.mode == "linearised" else None)
            rest = relax(system, start, clamp=inputs, nudge=nudge, **nudged)
            x, unrested = system.state(rest.x), unrested + (not rest.converged)
        for name, value in system.response(x, np.full(len(target), 1.0 / len(target))).items():
            gradient[name] = gradient.get(name, 0) + weight * value
    gradient = {name: np.real(value) for name, value in gradient.items()}
    return Contrast(gradient, y, cost.value(y, target), unrested)
