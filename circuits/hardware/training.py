"""Rules and optimisers as imperfect hardware carries them out: what `learn` is given in the place of its own.

The plain way, for any machine; compiled epochs (`linear`, `newton`) draw the same numbers in the same order.  A step
draws, sample by sample, the noise of every element in the free phase and in each of the others, and then what `update`
draws.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.hardware import linear, newton
from circuits.hardware.built import elements_of
from circuits.hardware.noise import fill
from circuits.hardware.update import update, warn_of_nothing
from physlearn.dynamics.frame import concatenate, frame_of
from physlearn.dynamics.rest.relax import relax
from physlearn.energy import Nudge
from physlearn.kernels.cfuncs import compiled
from physlearn.kernels.laws import LAW, evaluate
from physlearn.learning.engines.blocks import phase_options
from physlearn.rng import streams
from physlearn.terms.edges import Edges


@dataclass(frozen=True)
class Imperfect:
    """A rule whose phases are clamped and measured by hardware; a `ContrastRule`."""

    rule: Any
    hardware: Any

    @property
    def takes_cost(self):
        """As the rule."""
        return getattr(self.rule, "takes_cost", True)

    @property
    def method(self):
        """As the rule; phases are relaxed."""
        return getattr(self.rule, "method", "contrast") if hasattr(self.rule, "contrast") else "relax"

    def start(self, system, task, generator):
        """The noise's stream, what was made of the changes asked for, and the rule's own memory."""
        own = self.rule.start(system, task, generator) if hasattr(self.rule, "start") else {}
        epoch = -(-len(task.target) // task.size)
        aside = deepcopy(generator)  # samples come in the order in which the network alone would see them
        kept = {"stream": streams(aside, 1), "made": np.zeros(2), "epoch": np.array(epoch)}
        if hasattr(type(system), "__epochs__"):  # where circuits were at rest, so that a resumed training starts there
            free = frame_of(system, tuple(dict(system.fixed) | task.inputs)).m
            kept["rest"] = np.full((len(task.target), free), np.nan)
        return own | {"hardware": kept}

    def contrast(self, system, task):
        """Step (system, memory, pick) -> (cost, gradient)."""
        if hasattr(self.rule, "contrast"):
            if _measures(self.hardware):
                raise TypeError(
                    f"rule: {type(self.rule).__name__} compares no phases of the twins, so that measurement, clamps "
                    "and mismatch have no meaning in it; leave them out, or take CoupledLearning"
                )
            return self.rule.contrast(system, task)
        check_phases(system, self.hardware, task)
        return lambda system, memory, pick: _contrast(self, system, task, memory, pick)

    def compiled(self, system, task):
        """Whole epochs in one kernel, or why not."""
        if not hasattr(self.rule, "phases"):
            return "the rule has no phases"
        task = task._replace(rule=self.rule, optimizer=task.optimizer.optimizer)
        check_phases(system, self.hardware, task)
        ways = (linear.engine, newton.engine)
        found: list[Any] = [way(system, task, self.hardware) for way in ways]
        fits = next((run for run in found if not isinstance(run, str)), None)
        return fits or "; ".join(found)

    def monitor(self, system, task):
        """As the rule."""
        return self.rule.monitor(system, task) if hasattr(self.rule, "monitor") else ("", None)


@dataclass(frozen=True)
class Set:
    """An optimiser whose steps hardware makes."""

    optimizer: Any
    hardware: Any
    bounds: Any = None

    def __post_init__(self):
        if self.bounds is None:  # elements that have failed lie outside the optimiser's own
            bounds, name = dict(getattr(self.optimizer, "bounds", {})), self.hardware.parameter
            if name in bounds:
                parts, (low, high) = self.hardware.parts, bounds[name]
                fallen = np.where(np.isfinite(parts.low), np.minimum(parts.low, parts.opened), parts.opened)
                bounds[name] = np.minimum(low, fallen.reshape(self.hardware.theta[name].shape)), high
            object.__setattr__(self, "bounds", bounds)

    @property
    def lr(self):
        """Learning rate."""
        return self.optimizer.lr

    def decay_of(self, name):
        """Weight decay."""
        return self.optimizer.decay_of(name) if hasattr(self.optimizer, "decay_of") else 0.0

    def start(self, theta):
        """Fresh memory."""
        return self.optimizer.start(theta)

    def step(self, theta, gradient, memory, lr):
        """New parameters as they come out."""
        kept, step, name = memory["hardware"], memory["steps"], self.hardware.parameter
        new = dict(self.optimizer.step(theta, gradient, memory, lr))
        if name in new:
            value = theta[name].ravel().copy()
            asked = np.ascontiguousarray(new[name].ravel() - value)
            update(value, asked, self.hardware.parts, step, kept["stream"], kept["made"])
            new[name] = value.reshape(theta[name].shape)
            if step + 1 == int(kept["epoch"]):
                warn_of_nothing(self.hardware, kept["made"])
        return new


def _measures(hardware):
    """Whether anything is wrong with the phases."""
    noise = hardware.measurement_noise or np.any(hardware.offset)
    return bool(noise or np.any(hardware.clamp_bias) or np.any(hardware.spread))


def check_phases(system, hardware, task):
    """Refuse imperfections of phases that the machine or the rule cannot have."""
    bias = hardware.clamp_bias
    if np.ndim(bias) and np.size(bias) != task.target.shape[1]:
        raise ValueError(
            f"clamp_bias: got {np.size(bias)} numbers, expected one, or {task.target.shape[1]}, the outputs'"
        )
    if np.any(bias) and getattr(task.rule, "mode", "clamp") == "full":
        raise ValueError(
            "clamp_bias: a full nudge reads the outputs that it moves; take EquilibriumPropagation(linearised=True), "
            "or CoupledLearning"
        )
    if (hardware.measurement_noise or np.any(hardware.offset)) and elements_of(system, hardware.parameter) is None:
        raise TypeError(
            f"measurement_noise, measurement_offset: {hardware.parameter!r} belongs to no elements between two nodes, "
            "whose drops would be measured; leave them out on this machine"
        )


def _contrast(rule, system, task, memory, pick):
    """Cost (batch,) and gradient of the phases of one batch, relaxed one by one."""
    hardware, name, cost = rule.hardware, rule.hardware.parameter, task.cost
    inputs, target = {key: value[pick] for key, value in task.inputs.items()}, task.target[pick]
    phases = list(rule.rule.phases)
    nudged = [phase for phase in phases if phase[1] != 0]
    noise = None
    if hardware.measurement_noise:
        noise = np.empty((len(pick), 1 + len(nudged), system.theta[name].size))
        for item in noise:
            fill(memory["hardware"]["stream"][0], item.reshape(-1))
        noise *= hardware.measurement_noise
    options, more = phase_options(task.options, 0), phase_options(task.options, 1)
    twin = system
    if np.any(hardware.spread):
        theta = system.theta[name]
        twin = system.with_theta({name: theta * (1.0 + hardware.spread.reshape(theta.shape))})
    free = relax(system, clamp=inputs, **options)
    start, unrested = system.state(free.x), int(not free.converged)
    y = system.readouts[cost.readout].read(system.shown(start))
    share, gradient, k = np.full(len(pick), 1.0 / len(pick)), {}, 0
    for weight, strength in phases:
        if strength == 0:
            x, error = start, None if noise is None else noise[:, 0]
        else:
            k += 1
            x, rested = _nudged(rule, twin, inputs, target, y, strength, cost, start, more)
            unrested += not rested
            error = hardware.offset if noise is None else noise[:, k] + hardware.offset
        for key, value in measured(system, name, x, error, share).items():
            gradient[key] = gradient.get(key, 0) + weight * value
    if unrested:
        memory["unrested"] = memory.get("unrested", 0) + unrested
    return cost.value(y, target), {key: np.real(value) for key, value in gradient.items()}


def _nudged(rule, twin, inputs, target, y, strength, cost, start, options):
    """State of the clamped twin, and whether it is at rest."""
    bias = rule.hardware.clamp_bias
    if rule.rule.mode == "clamp":
        held = {cost.readout: y - strength * cost.gradient(y, target) + bias}
        rest = relax(twin, start, clamp=dict(inputs) | held, **options)
    else:
        nudge = Nudge(cost, target, strength, y + bias if rule.rule.mode == "linearised" else None)
        rest = relax(twin, start, clamp=inputs, nudge=nudge, **options)
    return twin.state(rest.x), rest.converged


def measured(system, name, x, error, share):
    """What all learning degrees of freedom see, with ``error`` (batch, m) or (m,) V on the drops of the elements."""
    found = system.response(x, share)
    if error is None or not np.any(error):
        return found
    term: Any = elements_of(system, name)
    if isinstance(term, Edges):
        return found | {name: 0.5 * (share @ (term.drops(x[term.layers[0]]) + error) ** 2)}
    u = np.ascontiguousarray(term.controls(concatenate(system, x)))
    u[..., 0] += error
    seen, unused = np.empty(u.shape[:2]), np.empty(u.shape)
    evaluate(compiled(term.sort.seen, LAW, "seen").address, u, term.given(system.theta), seen, unused)
    return found | {name: share @ seen}
