r"""The gradient of a cost by what is clamped: on a machine that relaxes, a force.

With x* the rest of E(x; u) + b C at inputs u,

    dC/du = d/db dE/du (x*(b), u) at b = 0

so that the difference of the inputs' forces between two nudged rests is the cost's gradient by the inputs (the same
theorem as of equilibrium propagation, Scellier and Bengio 2017, with inputs in the place of parameters).  In a graph of
maps with all inputs given it is a pass backwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import mapping, positive
from physlearn.dynamics.frame import concatenate, frame_of
from physlearn.dynamics.predictions import forward, given_of, network_of, roots_gradient
from physlearn.dynamics.rest.relax import relax
from physlearn.energy import Energy, Nudge
from physlearn.learning.data import RELAX_OPTIONS, check_data, check_nouns
from physlearn.machine import system_of
from physlearn.threads import on_one_thread


@on_one_thread
def input_gradient(machine, data, *, cost, nudge=1e-3, relax_options=None):
    """Gradient of each item's cost by its own inputs: the force on what is clamped.

    Parameters
    ----------
    machine : Machine or Energy
    data : mapping of str to (n, k) array
        As for `learn`: inputs, clamped or given as forces, and targets of the cost's readout.
    cost : cost
    nudge : float
        Strength of the two opposite nudges of a machine that relaxes; the error is of second order in it, and none on
        quadratic energies.  A graph of maps needs none.
    relax_options : mapping, optional
        Passed to `relax`.

    Returns
    -------
    cost : (n,) array
    gradient : dict of str to (n, k) array

    Examples
    --------
    A divider halves 2 V; its output rises by half of what its input rises:

    >>> from physlearn import Energy, Readout, Real, SquaredError
    >>> from physlearn.learning import input_gradient
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 1.0]},
    ...                  {"in": Readout("v", [0]), "out": Readout("v", [1]), "ground": Readout("v", [2])},
    ...                  fixed={"ground": [0.0]})
    >>> loss, found = input_gradient(divider, {"in": [[2.0]], "out": [[0.0]]}, cost=SquaredError("out"))
    >>> loss, found["in"].round(9)
    (array([0.5]), array([[0.5]]))
    """
    check_nouns(cost=cost)
    positive("nudge", nudge)
    system = system_of(machine)
    inputs, target = check_data(system, data, cost)
    return gradient_of(system, inputs, target, cost, nudge, checked_options(relax_options))[:2]


def checked_options(relax_options):
    """Settings of `relax` as a dict of their own."""
    return dict(mapping("relax_options", relax_options or {}, RELAX_OPTIONS, "a mapping of settings of `relax`"))


def gradient_of(system, inputs, target, cost, nudge, options) -> Any:
    """Cost (batch,), {input: gradient of each item's own} and outputs, for checked data."""
    network = network_of(system)
    clamps = dict(system.fixed) | inputs
    readout = system.readouts[cost.readout]
    if not isinstance(network, str):
        given = given_of(system, clamps, len(target))
        if set(given) == set(network.roots) and all(free is None for _, free in given.values()):
            return _swept(system, network, given, inputs, target, cost, readout)
    if not isinstance(system, Energy):
        raise TypeError(
            f"machine: got a {type(system).__name__} without an energy, whose inputs feel no force; expected an Energy"
        )
    return _nudged(system, inputs, target, cost, readout, nudge, options)


def _swept(system, network, given, inputs, target, cost, readout):
    """By a pass backwards to the roots."""
    values, tapes = forward(network, {name: value for name, (value, _) in given.items()}, system.theta)
    y, layer = readout.read(values), system.layers[readout.layer]
    pull = readout.pull(cost.gradient(y, target.astype(y.dtype, copy=False)), layer.size)
    by = {readout.layer: pull.reshape(len(y), *layer.shape).astype(y.dtype, copy=False)}
    found = roots_gradient(network, tapes, by, system.theta)
    zeros = {name: np.zeros_like(values[name]) for name in network.roots if name not in found}
    gradient = {name: np.asarray(system.readouts[name].read(found | zeros), float) for name in inputs}
    return np.asarray(cost.value(y, target), float), gradient, np.asarray(y, float)


def _nudged(system, inputs, target, cost, readout, nudge, options):
    """By the forces on inputs in two nudged rests."""
    clamps = dict(system.fixed) | inputs
    frame = frame_of(system, tuple(clamps))
    for name in inputs:
        if hasattr(system.layers[system.readouts[name].layer].kind, "activation"):
            raise TypeError(f"data[{name!r}]: its layer shows an activation of it, whose force is not the input's own")
    options = {"unconverged": "raise", "tol": 1e-12} | options
    free = system.state(relax(system, clamp=inputs, **options).x)
    y = readout.read(system.shown(free))
    by_values, by_forces = np.zeros((len(y), frame.shift.shape[1])), np.zeros((len(y), frame.push.shape[1]))
    for strength in (nudge, -nudge):
        tangent = Nudge(cost, target, strength, y)
        x = system.state(relax(system, free, clamp=inputs, nudge=tangent, **options).x)
        force = concatenate(system, {name: system.field(x, name) for name in system.layers})
        by_values -= (frame.shift.T @ force.T).T / (2 * strength)  # dE/du = -force
        by_forces -= (frame.push.T @ concatenate(system, x).T).T / (2 * strength)  # E has -I y of an injected I
    pull = np.zeros((len(y), frame.shift.shape[0]))
    start, size = frame.offset[readout.layer], system.layers[readout.layer].size
    pull[:, start : start + size] = readout.pull(cost.gradient(y, target), size)
    by_values += (frame.shift.T @ pull.T).T  # outputs that are tied to inputs move with them
    columns = {name: by_values[:, frame.values[name]] for name in inputs if name in frame.values}
    columns |= {name: by_forces[:, frame.forces[name]] for name in inputs if name in frame.forces}
    return cost.value(y, target), columns, y
