"""L-BFGS for a batch of items at once, each with a memory, a step and an end of its own (Nocedal 1980).

All items are evaluated together; an item whose step was too long tries a shorter one while the others go on.  Near a
minimum energies differ by rounding alone, and a step counts by its slope instead (Hager and Zhang 2005).
"""

from __future__ import annotations

import numpy as np

MEMORY = 12  # pairs of steps and changes of the gradient
DECREASE = 1e-4  # of the energy, relative to what the slope promises
FAR = 1e50  # an item that far is on its way to infinity
SHORTEST = 1e-12  # a step shorter than this does not help any more


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def descend(evaluate, at_rest, u, max_steps, tick=lambda: None):
    """Lower an energy from u (batch, m): the last u, the number of evaluations, and which items are at rest.

    ``evaluate(u)`` gives energies (batch,) and gradients (batch, m); ``at_rest(gradient)`` says, (batch,), who is done.
    Its argument is always what `evaluate` gave last, with rows of items that did not move as they were before.
    """
    energy, grad = evaluate(u)
    steps = 1
    live = ~at_rest(grad)
    d, slope = -grad, -_dot(grad, grad)
    t = np.ones(len(u), u.dtype)
    past: list = []
    eps = np.finfo(u.dtype).eps
    while live.any() and steps < max_steps:
        trial = np.where(live[:, None], u + t[:, None] * d, u)
        found, pull = evaluate(trial)
        fell = found <= energy + DECREASE * t * slope
        level = (found <= energy + 8 * eps * np.abs(energy)) & (_dot(pull, d) <= (1 - 2 * DECREASE) * -slope)
        # where the energy's rounding exceeds its fall, a gradient that halves is progress enough
        near = np.abs(found - energy) <= np.sqrt(eps) * np.abs(energy)
        calm = near & (2 * np.max(np.abs(pull), 1, initial=0.0) <= np.max(np.abs(grad), 1, initial=0.0))
        steps += 1
        tick()
        took = live & (fell | level | calm) & np.isfinite(found)
        if took.any():
            s, y = trial - u, pull - grad
            s[~took] = 0
            y[~took] = 0
            sy, yy = _dot(s, y), _dot(y, y)
            good = took & (sy > eps * yy)
            rho = np.where(good, 1 / np.where(good, sy, 1), 0).astype(u.dtype)
            past = [*past[-MEMORY + 1 :], (s, y, rho)]
            u = np.where(took[:, None], trial, u)
            grad = np.where(took[:, None], pull, grad)
            energy = np.where(took, found, energy)
        missed = live & ~took
        fit = -slope * t * t / (2 * (found - energy - slope * t))
        shorter = np.where(np.isfinite(fit), np.clip(fit, 0.1 * t, 0.5 * t), 0.1 * t)
        if took.any():
            new = -_two_loops(past, grad)
            d = np.where(took[:, None], new, d)
            slope = np.where(took, _dot(grad, new), slope)
            down = slope < 0
            d[~down], slope[~down] = -grad[~down], -_dot(grad[~down], grad[~down])
        t = np.where(missed, shorter, 1).astype(u.dtype)
        live = live & (t > SHORTEST) & (np.max(np.abs(u), 1, initial=0.0) < FAR)
        if took.any():
            # who did not take the step was evaluated at a trial: its rest is looked at when it does
            done = at_rest(pull) & took
            live &= ~done
    energy, grad = evaluate(u)
    return u, steps, at_rest(grad)


def _two_loops(past, grad):
    """The inverse Hessian's estimate times the gradient."""
    q, kept = grad.copy(), []
    for s, y, rho in reversed(past):
        a = rho * _dot(s, q)
        kept.append(a)
        q -= a[:, None] * y
    s, y, rho = past[-1]
    yy = _dot(y, y)
    q *= np.where(rho > 0, _dot(s, y) / np.where(yy > 0, yy, 1), 1).astype(q.dtype)[:, None]
    for (s, y, rho), a in zip(past, reversed(kept), strict=True):
        b = rho * _dot(y, q)
        q += (a - b)[:, None] * s
    return q


def _dot(a, b):
    return np.einsum("bi,bi->b", a, b)
