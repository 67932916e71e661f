"""Whole epochs of equilibrium propagation on a chain of crossbars, compiled: deep resistive networks.

The engine recognises `Crossbar` terms from layer to layer with a `Bias` each, the first layer clamped, plain nudges by
the squared error of the last, gradient descent, and relaxations of a fixed number of sweeps: ``relax_options`` with
``max_steps`` (or a pair: of the free phase and of nudged ones) and ``unconverged="ignore"``.  It makes all sweeps,
where `relax` stops at ``tol``; otherwise it takes the same steps to rounding.  Phases not at rest after them are
counted as there, but that forces are compared with the largest conductance at a node times the largest voltage of one;
the largest curvature, which `relax` takes, is up to twice that.  Parameters in float32 stay so.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.energy import Energy, Real
from physlearn.learning.costs import SquaredError
from physlearn.learning.optimizers import SGD
from physlearn.terms import Bias, Crossbar

MOST_SWEEPS = 1000
TOL = 1e-9  # of `relax`
ROUNDINGS = 64  # in the force on a node


class Found(NamedTuple):
    """A chain as found in an energy: layers in order, the crossbar before and the bias of each but the first."""

    layers: list[str]
    crossbars: list[Any]
    biases: list[Any]


def find(system) -> Found | str:
    """The chain in an energy, or why there is none."""
    if not isinstance(system, Energy):
        return "a System has no energy"
    bars = {t.layers[0]: t for t in system.terms if type(t) is Crossbar}
    biases = {t.layers[0]: t for t in system.terms if type(t) is Bias}
    if len(bars) + len(biases) != len(system.terms) or not bars:
        return "it knows terms Crossbar and Bias, one of each on a layer"
    ends = {t.layers[1] for t in bars.values()}
    starts = [name for name in bars if name not in ends]
    if len(starts) != 1:
        return "its crossbars are no chain"
    layers, chain = starts, []
    while layers[-1] in bars:
        chain.append(bars[layers[-1]])
        layers.append(chain[-1].layers[1])
        if len(layers) > len(system.layers):
            return "its crossbars are no chain"
    if len(chain) != len(bars) or set(layers) != set(system.layers) or layers[0] in biases:
        return "its crossbars are no chain from the clamped layer to the last"
    if any(type(system.layers[name].kind) is not Real for name in layers):
        return "it knows Real layers only"
    if any(bar.mirrored for bar in chain[1:]):
        return "it knows mirrored lines from the first layer only"
    if any(np.any(a.signs[1] != b.signs[0]) for a, b in zip(chain, chain[1:], strict=False)) or np.any(
        chain[0].signs[0] != 1
    ):
        return "its crossbars count voltages in different directions"
    if any(np.shape(system.theta[t.parameter]) != system.layers[t.layers[0]].shape for t in biases.values()):
        return "a current is shared by many nodes"
    names = [t.parameter for t in system.terms]
    if len(set(names)) != len(names):
        return "parameters are shared"
    return Found(layers, chain, [biases.get(name) for name in layers[1:]])


def refusal(system, task):
    """Why this engine does not apply, or None."""
    found = find(system)
    if isinstance(found, str):
        return found
    rule, optimizer, options = task.rule, task.optimizer, task.options
    if getattr(rule, "mode", "") != "full" or any(np.iscomplexobj(part) for phase in rule.phases for part in phase):
        return "it takes real nudges by the full cost"
    if abs(sum(weight for weight, _ in rule.phases)) > 1e-9 * max(abs(weight) for weight, _ in rule.phases):
        return "the weights of the phases do not sum to zero"
    if type(task.cost) is not SquaredError or type(optimizer) is not SGD or optimizer.momentum or optimizer.decay:
        return "it knows the squared error, and gradient descent without momentum and decay"
    if system.fixed or len(task.inputs) != 1:
        return "it takes one clamped readout"
    (name,) = task.inputs
    ends = (name, found.layers[0]), (task.cost.readout, found.layers[-1])
    for readout, layer in ((system.readouts[of], layer) for of, layer in ends):
        if readout.layer != layer or readout.index is not None or readout.rows is not None or readout.force:
            return "it clamps the whole first layer and reads the whole last"
    if any(np.ndim(end) for bound in optimizer.bounds.values() for end in bound):
        return "it knows one pair of bounds for each parameter"
    if any(
        optimizer.bounds.get(bar.parameter, (-1, 0))[0] < 0 for bar in found.crossbars if bar.parameter in task.names
    ):
        return "conductances are not bounded to be >= 0"
    if any(bias is not None and bias.parameter in optimizer.bounds for bias in found.biases):
        return "it knows no bounds of currents"
    steps = np.ravel(options.get("max_steps", MOST_SWEEPS + 1))
    if options.get("unconverged") != "ignore" or np.max(steps) > MOST_SWEEPS:
        return "it makes a fixed number of sweeps: relax_options with max_steps and unconverged='ignore'"
    if options.get("method", "auto") not in ("auto", "descent"):
        return "it relaxes by descent"
    return None


def runner(system, task):
    """``run(system, memory, orders, rates) -> (theta, cost per epoch, what went wrong or None)``."""
    from physlearn.learning.engines.crossbars_epoch import Phases, Step, run_epochs

    found = find(system)
    assert isinstance(found, Found)
    dtype = np.result_type(*(system.theta[bar.parameter] for bar in found.crossbars))
    (name,) = task.inputs
    data, target = (np.ascontiguousarray(value, dtype) for value in (task.inputs[name], task.target))
    strength, weight = (np.array([phase[k] for phase in task.rule.phases], dtype) for k in (1, 0))
    sweeps = np.broadcast_to(np.asarray(task.options["max_steps"]), 2).astype(np.int64)
    tol = float(max(task.options.get("tol", TOL), ROUNDINGS * np.finfo(dtype).eps))
    phases = Phases(strength, weight, (0.5 * weight).astype(dtype), sweeps, tol)
    bounds = np.array([task.optimizer.bounds.get(bar.parameter, (-np.inf, np.inf)) for bar in found.crossbars], dtype)
    changes = np.array([[t is not None and t.parameter in task.names for t in terms] for terms in found[1:]])

    def run(system, memory, orders, rates):
        chain, costs, unrested = _pack(system, found, dtype), np.zeros(len(rates)), np.zeros(1, np.int64)
        order = np.concatenate(orders).astype(np.int64)
        step = Step(np.array(rates, dtype), bounds, changes)
        whole = run_epochs(chain, data, target, order, task.size, phases, step, costs, unrested)
        if unrested[0]:
            memory["unrested"] = memory.get("unrested", 0) + int(unrested[0])
        memory["steps"] += len(rates) * -(-len(orders[0]) // task.size)
        trouble = None if whole == len(rates) else "theta is not finite"
        if whole < 0:
            whole, trouble = -1 - whole, "the nudge takes the minimum away: it outweighs an output's conductances"
        return _unpack(system, found, chain) if trouble is None else system.theta, costs[:whole], trouble

    return run


def _pack(system, found, dtype):
    from physlearn.learning.engines.crossbars_epoch import Chain

    layers, bars = system.layers, found.crossbars
    widths = np.array([layers[name].size for name in found.layers], np.int64)
    matrices = [system.theta[bar.parameter] for bar in bars]
    g = np.concatenate([np.ravel(m) for m in matrices]).astype(dtype)
    signs = _signs(found, widths)
    currents = [
        np.zeros(n) if bias is None else np.ravel(system.theta[bias.parameter])
        for bias, n in zip(found.biases, widths[1:], strict=True)
    ]
    kinds = [layers[name].kind for name in found.layers[1:]]
    ends = [np.outer((kind.low, kind.high), np.ones(n)) for kind, n in zip(kinds, widths[1:], strict=True)]
    low, high = np.concatenate(ends, 1)
    up = np.concatenate(signs[1:])
    low, high = np.where(up > 0, low, -high), np.where(up > 0, high, -low)
    gain, scale = (np.array([getattr(bar, what) for bar in bars]) for what in ("gain", "scale"))
    numbers = (up * np.concatenate(currents), low, high, gain, scale, scale * gain, scale * gain**2)
    at = np.concatenate([[0], np.cumsum([m.size for m in matrices])])
    node = np.concatenate([[0], np.cumsum(widths[1:])])
    parts: Any = (widths, at, node, g, np.zeros_like(g), *(v.astype(dtype) for v in numbers), bars[0].mirrored)
    return Chain(*parts)


def _signs(found, widths):
    """The direction in which each layer counts its voltages; crossbars on both sides agree."""
    signs = [np.broadcast_to(found.crossbars[0].signs[0], widths[0])]
    return signs + [np.broadcast_to(bar.signs[1], n) for bar, n in zip(found.crossbars, widths[1:], strict=True)]


def _unpack(system, found, chain):
    theta, up = dict(system.theta), np.concatenate(_signs(found, chain.widths)[1:])
    for k, (bar, bias) in enumerate(zip(found.crossbars, found.biases, strict=True)):
        old = theta[bar.parameter]
        theta[bar.parameter] = chain.g[chain.at[k] : chain.at[k + 1]].reshape(old.shape).astype(old.dtype)
        if bias is not None:
            old, here = theta[bias.parameter], slice(chain.node[k], chain.node[k + 1])
            theta[bias.parameter] = (up[here] * chain.b[here]).reshape(old.shape).astype(old.dtype)
    return theta
