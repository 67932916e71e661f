"""Outputs at rest and their exact derivatives by the elements' values: what a fit to measurements needs.

    F(x; theta) = 0 at rest,    dy/dtheta_e = -R J^-1 dF/dtheta_e,    J = dF/dx

J is solved transposed, once for every output.  An element's current depends on its own value alone, so dF/dtheta_e has
two entries.  On a network of resistors J is the same for all inputs.
"""

from __future__ import annotations

import numpy as np

from circuits.hardware.built import elements_of
from circuits.nodal.newton import Search
from circuits.nodal.plan import plan_of
from circuits.resistive.resistor import ResistorNetwork
from physlearn.dynamics.frame import concatenate, given, rows_of
from physlearn.dynamics.linear.quadratic import equilibria
from physlearn.dynamics.problem import make_problem
from physlearn.terms.edges import Edges
from physlearn.threads import on_one_thread

STEP = 1e-4  # relative; laws are linear in their learning numbers, so that no digits are lost to its size


@on_one_thread
def sensitivity(machine, inputs, readout, parameter):
    """Outputs (batch, k) and their derivatives (batch, k, m) by theta[parameter], at rest under inputs."""
    if isinstance(machine, ResistorNetwork):
        return _of_resistors(machine.energy, inputs, readout)
    return _of_circuit(machine, inputs, readout, parameter)


def _of_resistors(energy, inputs, readout):
    clamps, edges = dict(energy.fixed) | inputs, energy.terms[0]
    batch = len(next(iter(inputs.values())))
    eq = equilibria(energy, clamps)
    x = eq.states(*given(energy, eq.frame, clamps, batch))
    rows = rows_of(energy, readout, eq.frame.offset, eq.pattern.n)
    green = edges.drops(eq.respond(rows.toarray()))  # (k, m)
    return np.asarray((rows @ x.T).T), -green[None] * edges.drops(x)[:, None, :]


def _of_circuit(circuit, inputs, readout, parameter):
    system = circuit.system
    rest = circuit.solve(inputs, unconverged="raise")
    flat = concatenate(system, system.state(rest.x))
    problem, _ = make_problem(system, None, inputs)
    plan = plan_of(problem)
    search, items = Search(problem, plan), np.arange(len(flat))
    _, slopes, _ = search.parts(flat, items, 1.0)
    data, _ = search.jacobian(flat, slopes, items)
    rows = rows_of(system, readout, plan.frame.offset, plan.n)
    kept = np.flatnonzero(plan.frame.cluster >= 0)
    free = np.zeros((rows.shape[0], plan.m))
    np.add.at(free.T, plan.frame.cluster[kept], rows.toarray()[:, kept].T)
    term = elements_of(system, parameter)
    pairs, change = _changes(term, flat, system.theta, parameter)
    y, out = np.asarray((rows @ flat.T).T), np.empty((len(flat), len(free), len(pairs)))
    for b, numbers in enumerate(data):
        adjoint = _transposed(plan, numbers, free)  # (k, m) over the free unknowns
        whole = np.append(adjoint, np.zeros((len(adjoint), 1)), 1)[:, plan.frame.cluster]  # -1: the zero appended
        # a current leaves the first node of its element and enters the second
        out[b] = (whole[:, pairs[:, 0]] - whole[:, pairs[:, 1]]) * change[b]
    return y, out


def _transposed(plan, numbers, right):
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    if plan.dense:
        return np.linalg.solve(numbers.reshape(plan.m, plan.m).T, right.T).T
    jacobian = sp.csc_matrix((numbers, plan.indices, plan.indptr), (plan.m, plan.m))
    return splu(jacobian).solve(right.T, trans="T").T


def _changes(term, flat, theta, parameter):
    """Ends (m, 2) of the elements, and d current / d value of each, (batch, m)."""
    if isinstance(term, Edges):
        return np.stack([term.i, term.j], 1), term.drops(flat[:, : term.nodes])
    u, numbers = term.controls(flat), term.given(theta)
    column = term.learns[parameter]
    step = STEP * (1.0 + np.abs(numbers[:, column]))
    above, below = numbers.copy(), numbers.copy()
    above[:, column] += step
    below[:, column] -= step
    return term.rows, (term.linearise(u, above)[0] - term.linearise(u, below)[0]) / (2.0 * step)
