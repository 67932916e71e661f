"""Adaptive steps of `integrate`: SciPy's solvers, item by item, so that no item's steps depend on another.

adaptive   Runge-Kutta 5(4), Dormand and Prince 1980
stiff      backward differences of order 1 to 5 (Shampine and Reichelt 1997)
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.frame import concatenate
from physlearn.dynamics.problem import RUNAWAY
from physlearn.dynamics.rest import newton

METHODS = ("adaptive", "stiff")
# Steps at least, where something is driven, and at most on account of ``times``: longer ones pass over pulses unseen.
DRIVEN_STEPS = (200, 2000)
_SCIPY = {"adaptive": "RK45", "stiff": "BDF"}


def follow(problem, mass, drive, span, times, method, tol, bar):
    """Free variables at ``times``, (k, batch, m); steps of the longest item, why it stopped early, the method."""
    items, steps, stopped, reached = [], 0, None, len(times)
    for item in range(problem.batch):
        found, taken, why = _item(problem.rows([item]), item, mass, drive, span, times, method, tol, bar)
        items.append(found)
        steps, stopped, reached = max(steps, taken), stopped or why, min(reached, len(found))
    label = f"{method} ({_SCIPY[method]})"
    return np.stack([found[:reached] for found in items], 1), steps, stopped, label


def _item(part, item, mass, drive, span, times, method, tol, bar):
    from scipy.integrate import solve_ivp

    low, high = (bound[0] for bound in part.bounds)
    start = part.initial()
    atol = 1e-3 * tol * _size(part, item, start, mass, drive, span, times)

    reached = span[0]

    def velocity(t, z):
        nonlocal reached
        if t > reached:  # steps that are refused go back in time
            bar.update(t - reached)
            reached = t
        if drive is not None:
            u, force = drive(t)
            part.give(u[[item]], force[[item]])
        f = part.force(np.clip(z, low, high)[None])[0] / mass
        # what is pushed into its bound rests there
        return np.where(((z <= low) & (f < 0)) | ((z >= high) & (f > 0)), 0.0, f)

    def runaway(t, z):
        return RUNAWAY - np.max(np.abs(z), initial=0.0)

    def inside(t, z):
        if drive is not None:
            u, force = drive(t)
            part.give(u[[item]], force[[item]])
        return part.margin(part.state(z[None]))[0][0]

    runaway.terminal = inside.terminal = True
    events = [runaway, inside] if part.limited else runaway
    settings = {"rtol": tol, "atol": atol}
    if drive is not None:
        settings["max_step"] = (span[1] - span[0]) / int(np.clip(len(times) - 1, *DRIVEN_STEPS))
    if method == "stiff" and newton.refusal(part) is None:
        settings["jac"] = _jacobian(part, mass)
    with np.errstate(over="ignore", invalid="ignore"):
        run = solve_ivp(velocity, span, start[0], method=_SCIPY[method], t_eval=times, events=events, **settings)
    finite = np.all(np.isfinite(run.y), 0)
    y = np.clip(run.y.T[: np.argmin(finite) if not finite.all() else len(finite)], low, high)
    why = None
    if run.status != 0 or len(y) < len(times):
        at, reason = run.t[-1] if len(run.t) else span[0], f"stopped ({run.message.rstrip('.')})"
        if run.status == 1:
            number = next(k for k, found in enumerate(run.t_events) if len(found))
            at, reason = run.t_events[number][0], "left the finite numbers"
            if number == 1:
                reason = f"reached the end of its field ({part.margin(part.state(run.y_events[1][:1]))[1]})"
        why = f"item {item} {reason} at t = {at:g} s"
    return y, int(run.nfev), why


def _size(part, item, start, mass, drive, span, times):
    """Size of each free variable, in its unit, (m,): at the start, and where the first forces push it.

    A force pushes as far as time allows, or to where the largest curvature balances it.  A variable that starts at zero
    without a force counts as large as the largest of all, given ones included; where kinds tell scales, as its own.
    """
    sizes, largest, reached = np.abs(start[0]), 0.0, None
    for t in (span[0],) if drive is None else times[:: -(-len(times) // DRIVEN_STEPS[0])]:
        if drive is not None:
            u, force = drive(t)
            part.give(u[[item]], force[[item]])
        pull = part.force(start)
        if reached is None:
            reached = 1.0 / np.maximum(part.stiffness(start, pull)[0], np.finfo(float).tiny)
        sizes = np.maximum(sizes, np.minimum((span[1] - span[0]) / mass, reached) * np.abs(pull[0]))
        largest = max(largest, np.max(np.abs(concatenate(part.system, part.state(start)))), np.max(sizes, initial=0.0))
    if part.scale is not None:
        return np.maximum(np.where(np.isfinite(sizes), sizes, 1.0), 1.0)
    if not 0 < largest < np.inf:
        return np.ones(len(sizes))
    return np.where((sizes > 0) & np.isfinite(sizes), np.maximum(sizes, np.finfo(float).eps * largest), largest)


def _jacobian(part, mass):
    import scipy.sparse as sp

    reduced, mobility = newton.Reduced(part), sp.diags(1.0 / mass)
    return lambda t, z: mobility @ reduced.jacobian(z[None])
