"""Engine of `relax` for networks of predictions: L-BFGS in the errors x_l - f_l(parents), all items at once.

The state is at rest where every dE/dx is small, whatever the coordinates in between, so its certificate is the same as
every other engine's.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.frame import separate
from physlearn.dynamics.inference import Inference
from physlearn.dynamics.predictions import network_of
from physlearn.dynamics.rest.quasi_newton import FAR, descend


def refusal(problem):
    """Why this engine does not apply, or None."""
    if reason := problem.unfit(lowers_energy=True):
        return reason
    network = network_of(problem.system)
    if isinstance(network, str):
        return network
    if problem.tied or problem.frame.forces:
        return "clamps tie variables together, or forces are given"
    if any(np.isfinite(end) for layer in problem.system.layers.values() for end in (layer.kind.low, layer.kind.high)):
        return "some variables have bounds"
    return None


def inference_of(problem):
    """The problem by its errors."""
    free = separate(problem.system, problem.frame.cluster[None] >= 0)
    base = separate(problem.system, problem.base)
    given = {}
    for name, mask in free.items():
        if not mask.all() and mask.size:
            given[name] = (base[name], mask.ravel() if mask.any() else None)
    return Inference(problem.system, given, problem.batch, problem.nudges)


def solve(problem, tol, max_steps):
    """Infer every item; items at rest are left alone."""
    inference = inference_of(problem)
    start = None if problem.start is None else problem.state(problem.initial())
    goal = tol.copy()  # of the derivative by u, tightened where that by x turns out to be larger

    def at_rest(grad):
        small = np.max(np.abs(grad), 1, initial=0.0) <= goal
        if small.any():
            rest = np.max(np.abs(inference.residual(grad)), 1, initial=0.0)
            missed = small & (rest > tol)
            goal[missed] = np.minimum(goal, 0.5 * goal * tol / np.maximum(rest, 1e-300))[missed]
            small &= ~missed
        return small

    u, steps, _ = descend(inference.evaluate, at_rest, inference.start(start), max_steps, problem.bar.update)
    if problem.nudges and np.max(np.abs(u), initial=0.0) >= FAR:
        raise ValueError(
            "nudge: with it the energy has no minimum, since it pushes harder than the errors' variances hold; "
            "use a smaller nudge, or smaller variances"
        )
    inference.forward(u)
    z = problem.pick(np.concatenate([inference.values[n].reshape(problem.batch, -1) for n in problem.system.layers], 1))
    rest = problem.residual(z, problem.force(z), problem.bounds)
    return z, rest, steps, np.all(rest <= tol), "L-BFGS in errors"
