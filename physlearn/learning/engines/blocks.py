"""The contrast of a rule's phases on layers that are settled block by block: all phases of a batch in one relaxation.

The free state is relaxed by sweeps over the layers (`physlearn.dynamics.rest.blocks`); every nudged phase goes on from
it with the same products of the clamped inputs.  A term whose energy is proportional to each of its layers, of which
one moves, sees the phases' weighted difference: one product for all phases.
"""

from __future__ import annotations

import warnings
from copy import copy

import numpy as np

from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.rest import descent, direct
from physlearn.dynamics.rest.blocks import Blocks
from physlearn.energy import Energy, Nudge
from physlearn.errors import ConvergenceError
from physlearn.learning.engines.steps import stepper


def phase_options(options, phase):
    """Settings of `relax` for the free phase (0) or the others (1): a pair of ``max_steps`` has one for each."""
    steps = options.get("max_steps")
    return options if np.ndim(steps) == 0 else {**options, "max_steps": int(steps[phase])}


def suits(system, inputs, rule, cost, options):
    """Whether the phases are nudges of blocks, which `relax` would settle by descent (or is told to)."""
    method = options.get("method", "auto")
    if not isinstance(system, Energy) or rule.mode not in ("full", "linearised") or method not in ("auto", "descent"):
        return False
    key = ("blocks", tuple(inputs), rule.mode, cost, method)
    if key not in system.plans:
        system.plans[key] = _suits(system, inputs, rule, cost, method)
    return system.plans[key]


def _suits(system, inputs, rule, cost, method):
    one = {name: value[:1] for name, value in inputs.items()}
    problem, _ = make_problem(system, None, one)
    if not descent.has_blocks(problem) or descent.refusal(problem) is not None:
        return False
    if method == "auto" and (problem.activated or direct.refusal(problem) is None):
        return False  # `relax` would follow the gradient flow, or solve at once
    if rule.mode == "full":
        y = system.readouts[cost.readout].read(system.shown(problem.first()))
        nudged = problem.nudged((Nudge(cost, np.zeros_like(y), 1e-3),), None)
        return descent.refusal(nudged) is None
    return True


def contrast_by_blocks(system, inputs, target, rule, cost, options):
    """Free outputs (batch, k), gradient {name: array} and number of phases not at rest, as `contrast_by_relaxing` does.

    None where a term's field is not the quadratic that its curvature promises.
    """
    problem, _ = make_problem(system, None, inputs)
    blocks = Blocks(problem)
    if (rested := _relax(blocks, options, 0.0)) is None:
        return None
    unrested = int(not rested)
    moving = [block.name for block in blocks.all]
    free = _copied(blocks.x, moving)
    y = system.readouts[cost.readout].read(blocks.shown).copy()
    phases = []
    for weight, strength in rule.phases:
        if strength != 0:
            at = y if rule.mode == "linearised" else None
            nudged = problem.nudged((Nudge(cost, target, strength, at),), free)
            if nudged.complex and not np.iscomplexobj(blocks.all[0].x):
                _refuse_complex(nudged)
                blocks = Blocks(nudged)
            else:
                blocks.nudge(nudged, free)
            if (rested := _relax(blocks, options, strength)) is None:
                return None
            unrested += not rested
            phases.append((weight, _copied(blocks.shown, moving)))
        else:
            phases.append((weight, system.shown(free)))
    return y, _gradient(system, phases, moving, len(target)), unrested


def _copied(x, moving):
    """A state with copies of the layers that move."""
    return {name: value.copy() if name in moving else value for name, value in x.items()}


def _relax(blocks, options, strength):
    """Go to rest: whether it is reached, said as `relax` does; None where a curvature lied."""
    options = phase_options(options, int(strength != 0))
    found = blocks.relax(options.get("tol", 1e-9), options.get("max_steps", 10_000))
    if found is None:
        return None
    residual, steps, converged = found
    if not converged and options["unconverged"] != "ignore":
        message = (
            f"learn: a phase of nudge {strength:.3g} is not at rest after {steps} steps: residual "
            f"{np.max(residual):.3g}. Raise max_steps or tol in relax_options, or weaken the nudge"
        )
        if options["unconverged"] == "raise":
            raise ConvergenceError(message, None)
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return converged


def _refuse_complex(problem):
    if (reason := problem.unfit(lowers_energy=False)) is not None:
        raise ValueError(f"rule: nudges are complex, and {reason}; use variant 'centred', or an analytic activation")


def _gradient(system, phases, moving, batch):
    """Weighted sum over the phases of the mean dE/dtheta."""
    out: dict = {}
    weight = np.full(batch, 1.0 / batch, next(iter(phases[0][1].values())).real.dtype)
    for term in system.terms:
        touched = [name for name in moving if name in term.layers]
        if getattr(term, "multilinear", False) and len(touched) == 1:
            (name,) = touched
            mean = sum(w * x[name] for w, x in phases)
            parts = [term.gradient({**phases[0][1], name: mean}, system.theta, weight)]
        else:
            parts = [
                {key: w * value for key, value in term.gradient(x, system.theta, weight).items()} for w, x in phases
            ]
        for part in parts:
            for key, value in part.items():
                out[key] = out[key] + value if key in out else value
    return {name: np.real(value) for name, value in out.items()}


def runner(make, system, task):
    """``run(system, memory, orders, rates) -> (theta, mean cost per epoch, trouble or None)``, theta stepped in place.

    The plain loop makes a new system at every step, checked and copied; here one system's parameters change under it,
    with the same numbers.  ``make(system, task)`` gives the step, (system, memory, pick) -> (cost, gradient).
    """
    contrast, advance = make(system, task), stepper(task.optimizer)

    def run(system, memory, orders, rates):
        view, theta = copy(system), {name: value.copy() for name, value in system.theta.items()}
        view.__dict__.update(theta=theta, numbers={})
        costs: list = []
        for order, lr in zip(orders, rates, strict=True):
            before, total = {name: value.copy() for name, value in theta.items()}, 0.0
            for start in range(0, len(order), task.size):
                view.numbers.clear()  # what was found of the former theta
                try:
                    cost, gradient = contrast(view, memory, order[start : start + task.size])
                except (ValueError, ConvergenceError) as error:
                    if isinstance(error, ValueError) and start == 0 and not costs:
                        raise
                    return theta, np.array(costs), str(error)
                total += float(np.sum(cost))
                if not np.isfinite(total):
                    return before, np.array(costs), "the cost is not finite"
                advance(theta, {name: gradient[name] for name in task.names if name in gradient}, memory, lr)
            if not all(np.isfinite(value).all() for value in theta.values()):
                return before, np.array(costs), "theta is not finite"
            costs.append(total / len(order))
        return theta, np.array(costs), None

    return run
