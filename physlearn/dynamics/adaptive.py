"""Adaptive steps of `integrate`: SciPy's solvers, item by item, so that no item's steps depend on another.

adaptive   Runge-Kutta 5(4), Dormand and Prince 1980
stiff      backward differences of order 1 to 5 (Shampine and Reichelt 1997)
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics import newton
from physlearn.dynamics.problem import RUNAWAY

METHODS = ("adaptive", "stiff")
_SCIPY = {"adaptive": "RK45", "stiff": "BDF"}


def follow(problem, mass, drive, span, times, method, tol):
    """Free variables at ``times``, (k, batch, m); steps of the longest item, why it stopped early, the method."""
    items, steps, stopped, reached = [], 0, None, len(times)
    for item in range(problem.batch):
        found, taken, why = _item(problem.rows([item]), item, mass, drive, span, times, method, tol)
        items.append(found)
        steps, stopped, reached = max(steps, taken), stopped or why, min(reached, len(found))
    label = f"{method} ({_SCIPY[method]})"
    return np.stack([found[:reached] for found in items], 1), steps, stopped, label


def _item(part, item, mass, drive, span, times, method, tol):
    from scipy.integrate import solve_ivp

    low, high = (bound[0] for bound in part.bounds)

    def velocity(t, z):
        if drive is not None:
            u, force = drive(t)
            part.give(u[[item]], force[[item]])
        inside = np.clip(z, low, high)
        f = part.force(inside[None])[0] / mass
        # what is pushed into its bound rests there
        return np.where(((z <= low) & (f < 0)) | ((z >= high) & (f > 0)), 0.0, f)

    def runaway(t, z):
        return RUNAWAY - np.max(np.abs(z), initial=0.0)

    runaway.terminal = True
    settings = {"rtol": tol, "atol": 1e-3 * tol}
    if method == "stiff" and newton.refusal(part) is None:
        settings["jac"] = _jacobian(part, mass)
    with np.errstate(over="ignore", invalid="ignore"):
        run = solve_ivp(
            velocity, span, part.initial()[0], method=_SCIPY[method], t_eval=times, events=runaway, **settings
        )
    finite = np.all(np.isfinite(run.y), 0)
    y = np.clip(run.y.T[: np.argmin(finite) if not finite.all() else len(finite)], low, high)
    why = None
    if run.status != 0 or len(y) < len(times):
        at = run.t_events[0][0] if run.status == 1 else run.t[-1] if len(run.t) else span[0]
        reason = "left the finite numbers" if run.status == 1 else f"stopped ({run.message.rstrip('.')})"
        why = f"item {item} {reason} at t = {at:g} s"
    return y, int(run.nfev), why


def _jacobian(part, mass):
    import scipy.sparse as sp

    reduced, mobility = newton.Reduced(part), sp.diags(1.0 / mass)
    return lambda t, z: mobility @ reduced.jacobian(z[None])
