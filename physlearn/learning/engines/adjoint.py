"""Exact gradients of a cost by the adjoint state, the reference for every rule.

At rest F(x, theta) = 0 with F the force; with J = dF/dx on the free variables and c = dC/dx,

    J^T lambda = -c,      dC/dtheta = lambda . dF/dtheta

For an energy F = -dE/dx, so dC/dtheta is the derivative of dE/dtheta along -lambda and no term needs a
further method.  Source: Almeida 1987; Pineda 1987.  Networks of layers find lambda by sweeps (`adjoint_blocks`).

A system that knows a shorter way, such as a sweep backwards through a graph of maps, has a method

    exact_gradient(cost, inputs, target) -> (loss, gradient)

with ``loss`` (batch,) the cost of its free outputs and ``gradient`` {name: gradient of their mean}, each like
theta[name], at the system's own theta; ``inputs`` {readout: (batch, k)} are clamped, ``target`` (batch, k) is of the
cost's readout.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import mapping
from physlearn.dynamics.frame import concatenate, rows_of, separate
from physlearn.dynamics.problem import Problem, make_problem
from physlearn.dynamics.rest.relax import relax
from physlearn.dynamics.scale import length_of
from physlearn.learning.engines.adjoint_blocks import gradient_by_sweeps
from physlearn.learning.engines.blocks import phase_options
from physlearn.learning.engines.contrast import Contrast, notes_of_relaxing


def exact_contrast(system, inputs, target, rule, cost, options) -> Contrast:
    """The mean cost's gradient: the system's own `exact_gradient`, else by the adjoint state.

    Parameters
    ----------
    system, inputs, target, rule, cost, options
        As for `contrast_by_adjoint`.

    Raises
    ------
    TypeError, ValueError
        An `exact_gradient` that gives something else than (batch,) costs and gradients like theta.
    """
    if not hasattr(system, "exact_gradient"):
        return contrast_by_adjoint(system, inputs, target, rule, cost, options)
    loss, gradient = system.exact_gradient(cost, inputs, target)
    said = f"exact_gradient of {type(system).__name__}"
    if np.shape(loss) != (len(target),):
        raise ValueError(f"{said}: gave a loss of shape {np.shape(loss)}, expected ({len(target)},), one a sample")
    for name, value in mapping(said, gradient, system.theta, "{name in theta: gradient}").items():
        if np.shape(value) != system.theta[name].shape:
            shape = system.theta[name].shape
            raise ValueError(f"{said}: gave theta[{name!r}] a gradient of shape {np.shape(value)}, expected {shape}")
    return Contrast(dict(gradient), np.zeros((len(target), 0)), np.asarray(loss))


def by_adjoint(system, task):
    """``step(system, memory, pick) -> (cost, gradient)`` by `exact_contrast`."""

    def step(system, memory, pick):
        inputs = {name: value[pick] for name, value in task.inputs.items()}
        found = exact_contrast(system, inputs, task.target[pick], task.rule, task.cost, task.options)
        if found.unrested:
            memory["unrested"] = memory.get("unrested", 0) + found.unrested
        return found.cost, found.gradient

    if not hasattr(system, "exact_gradient"):
        step.notes = notes_of_relaxing(system, task)  # pyright: ignore[reportFunctionMemberAccess]
    return step


def contrast_by_adjoint(system, inputs, target, rule, cost, options, metric=False) -> Contrast:
    """The mean cost's gradient at the free equilibria; with ``metric`` that of d.W.d/2, W = S^-1 fixed.

    Parameters
    ----------
    system : Energy or System
    inputs : mapping of str to (batch, s) array
    target : (batch, k) array
    rule : ExactGradient
        Ignored; every contrast takes one.
    cost : cost
    options : mapping
        Passed to `relax`.
    metric : bool
        Follow S^-1 C' instead of C', the limit of coupled learning as eta -> 0.
    """
    rest = relax(system, clamp=inputs, **phase_options(options, 0))
    x, unrested = system.state(rest.x), int(not rest.converged)
    readout = system.readouts[cost.readout]
    y = readout.read(system.shown(x))
    pull, gradient = cost.gradient(y, target), {}
    if not metric:
        pulled = {readout.layer: readout.pull(pull, system.layers[readout.layer].size)}
        found = gradient_by_sweeps(make_problem(system, x, inputs)[0], x, pulled, options)
        if found is not None:
            return Contrast(found[0], y, cost.value(y, target), unrested + (not found[1]))
    for item in range(len(target)):
        one = {name: value[item : item + 1] for name, value in x.items()}
        problem, _ = make_problem(system, one, {name: value[item] for name, value in inputs.items()})
        z = problem.initial()
        low, high = problem.bounds
        loose = np.flatnonzero((z[0] > low[0]) & (z[0] < high[0]))  # a variable on its bound does not move
        jacobian = force_jacobian(problem, z)[np.ix_(loose, loose)]
        rows = rows_of(system, cost.readout, problem.frame.offset, problem.base.shape[1]).toarray()
        seen = problem.rows_on_z(_through_activation(system, one, rows))[:, loose]
        c = pull[item]
        if metric:
            c = np.linalg.solve(-seen @ np.linalg.solve(jacobian, problem.rows_on_z(rows)[:, loose].T), c)
        adjoint = np.zeros_like(z)
        adjoint[0, loose] = -np.linalg.solve(jacobian.T, c @ seen)
        for name, value in _along(problem, z, adjoint).items():
            gradient[name] = gradient.get(name, 0) + value / len(target)
    return Contrast(gradient, y, cost.value(y, target), unrested)


def force_jacobian(problem: Problem, z):
    """dF/dz of one item, (m, m): by complex steps where every term is holomorphic, else by differences."""
    m = z.shape[1]
    system = problem.system
    many = Problem(
        system,
        problem.frame,
        problem.clamps,
        np.repeat(problem.u, m, 0),
        np.repeat(problem.given_force, m, 0),
        problem.nudges,
        None,
    )
    unit = np.eye(m)
    if _holomorphic(system) and not problem.activated:
        return (many.force(z + 1e-30j * unit) / 1e-30).imag.T
    h = _difference_step(z)
    return _difference(lambda step: many.force(z + step * unit), h).T


def _along(problem, z, adjoint):
    """lambda . dF/dtheta for every parameter."""
    system = problem.system
    if problem.is_energy and not problem.activated:

        def response(step):
            return system.response(problem.state(z + step * adjoint))

        if _holomorphic(system):
            return {name: -(value / 1e-30).imag for name, value in response(1e-30j).items()}
        h = _difference_step(z) / max(float(np.max(np.abs(adjoint))), 1e-300)
        names = response(0.0)
        return {name: -_difference(lambda step, name=name: response(step)[name], h) for name in names}
    out = {}
    for name, value in system.theta.items():
        slope = np.zeros(value.size)
        for k in range(value.size):
            unit = np.zeros(value.size)
            unit[k] = 1.0

            def work(step, name=name, value=value, unit=unit):
                moved = system.with_theta({name: value + step * unit.reshape(value.shape)})
                shifted, _ = make_problem(moved, problem.state(z), _clamps(problem))
                return np.sum(shifted.force(z) * adjoint)

            slope[k] = _difference(work, _difference_step(value, abs(value.flat[k])))
        out[name] = slope.reshape(value.shape)
    return out


def _through_activation(system, x, rows):
    """Rows of readouts of g(x) as rows over x: R dg/dx; dg/dx is symmetric, a Lagrangian's Hessian."""
    if not any(hasattr(layer.kind, "activation") for layer in system.layers.values()):
        return rows
    flat = concatenate(system, x)
    return _difference(lambda step: concatenate(system, system.shown(separate(system, flat + step * rows))), 1e-3)


def _clamps(problem):
    values = {name: problem.u[0, where] for name, where in problem.frame.values.items()}
    return values | {name: problem.given_force[0, where] for name, where in problem.frame.forces.items()}


def _holomorphic(system):
    return all(getattr(term, "holomorphic", False) for term in system.terms)


def _difference_step(value, own=None):
    """A thousandth of the largest of some values, or of one's ``own``, and of what they are compared with."""
    largest = float(np.max(np.abs(value), initial=0.0))
    return 1e-3 * max(float(length_of(largest)), largest if own is None else own)


def _difference(f, h):
    """Fourth-order central difference of f at 0."""
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)
