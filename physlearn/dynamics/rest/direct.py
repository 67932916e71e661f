"""Direct engine of `relax`: quadratic energies, exactly (see `quadratic` and `schur`)."""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.linear.quadratic import equilibria, is_quadratic
from physlearn.dynamics.linear.schur import nudge_force
from physlearn.dynamics.problem import bare_nudge


def refusal(problem):
    """Why this engine does not apply, or None."""
    if not is_quadratic(problem.system):
        return "the energy is not a sum of terms with a `quadratic` form over unbounded Real layers"
    if len({n.cost.readout for n in problem.nudges}) > 1:
        return "it takes nudges on one readout at a time"
    if len(problem.nudges) > 1:
        return "it takes one nudge"
    return bare_nudge(problem)


def solve(problem, tol, max_steps):
    """Factor once, solve all samples, correct for the nudge through the readout's Green block."""
    eq = equilibria(problem.system, problem.clamps)
    x, steps, extra = eq.states(problem.u, problem.given_force), 1, 0.0
    for nudge in problem.nudges:
        readout = problem.system.readouts[nudge.cost.readout]
        start = problem.frame.offset[readout.layer]
        size = problem.system.layers[readout.layer].size
        response, s = eq.green(nudge.cost.readout)
        y = readout.read({readout.layer: x[:, start : start + size]})
        pull, steps, mismatch = nudge_force(s, y, nudge, max_steps)
        x = x + pull @ response
        extra = np.zeros_like(x)
        extra[:, start : start + size] = readout.pull(pull + mismatch, size)  # what the nudge exerts there
    residual, scale = eq.residual(x, problem.given_force, extra)
    kept = np.flatnonzero(problem.frame.cluster >= 0)
    free, first = np.unique(problem.frame.cluster[kept], return_index=True)
    z = np.zeros((len(x), problem.frame.m), x.dtype)
    z[:, free] = (x - problem.base)[:, kept[first]]
    return z, residual, steps, np.all(residual <= tol * scale), eq.method
