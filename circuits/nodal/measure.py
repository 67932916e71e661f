"""Currents through every element of a circuit at rest."""

from __future__ import annotations

import numpy as np

from circuits.nodal.floating import floating
from circuits.nodal.newton import Search
from circuits.nodal.plan import plan_of
from physlearn.dynamics.frame import concatenate


def currents_of(net, problem, x, groups):
    """Amperes by element, (batch,) each, and which nodes float, (n,) bool, at a state {layer: (batch, size)}."""
    plan = plan_of(problem)
    search = Search(problem, plan)
    flat = concatenate(problem.system, x)
    found, theta = {}, problem.system.theta
    for k, (name, a, b, _) in enumerate(net.edges):
        found[name] = theta["conductance"][k] * (flat[:, a] - flat[:, b])
    total = (search.whole @ flat.T).T + problem.push
    slopes = []
    for term, numbers in zip(plan.devices, search.numbers, strict=True):
        value, slope = term.linearise(term.controls(flat), numbers)
        slopes.append(slope)
        total = total + term.gather(value)
        found |= {name: value[:, k] for k, name in enumerate(term.names)}
    start = len(net.nodes)
    for name, row in net.branches.items():
        found[name] = flat[:, start - 1 - row]
    for name, (plus, minus, factor) in net.meters.items():
        drop = flat[:, net.place_of(plus)] - (0.0 if minus is None else flat[:, net.place_of(minus)])
        found[name] = factor * drop
    through = (problem.frame.shift.T @ total.T).T  # the work of a given voltage (see `frame`): its current
    voltages, forces = [*net.voltages], [*net.currents]
    for readout, names in {**{name: [name] for name in [*voltages, *forces]}, **groups}.items():
        if readout in problem.frame.values:
            here = through[:, problem.frame.values[readout]]
        elif readout in problem.frame.forces and names[0] not in net.driven:
            here = problem.given_force[:, problem.frame.forces[readout]]
        else:
            continue
        found |= {name: here[:, k] for k, name in enumerate(names)}
    for name, *_ in net.capacitors:
        found[name] = np.zeros(len(flat))
    loose = floating(plan, slopes).any(0)
    cluster = problem.frame.cluster[:start]
    return found, (cluster >= 0) & np.append(loose, False)[cluster]
