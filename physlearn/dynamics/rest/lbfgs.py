"""L-BFGS engine of `relax`: SciPy's L-BFGS-B, item by item.

Close to a minimum the energy's differences drown in rounding and its line search fails with a force of
about the square root of the machine's precision.  There the energy along a chord is taken from the
force by the trapezoidal rule, which keeps the relative precision of the force (Liu and Nocedal 1989;
Byrd et al. 1995).  A start at an unstable rest stays there: its force is zero.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.problem import RUNAWAY

POLISH = 20  # restarts along chords


def refusal(problem):
    """Why this engine does not apply, or None."""
    return problem.unfit(lowers_energy=True)


def solve(problem, tol, max_steps):
    """Minimise every item; the residual is recomputed from the force at the end."""
    z, bounds, steps = problem.initial(), problem.bounds, 0
    for item in range(problem.batch):
        low, high = (b[item : item + 1] for b in bounds)
        z[item], used = _minimise(problem.rows([item]), z[item : item + 1], (low, high), tol[item], max_steps)
        steps = max(steps, used)
    rest = problem.residual(z, problem.force(z), bounds)
    return z, rest, steps, np.all(rest <= tol), "L-BFGS-B"


def _minimise(problem, z, bounds, tol, max_steps):
    """One item, z (1, m): first by energies, then by chords as long as they help."""
    from scipy.optimize import minimize

    low, high = bounds
    force = problem.force(z)
    rest = problem.residual(z, force, bounds)[0]
    if z.shape[1] == 0 or rest <= tol:
        return z, 0
    length = float(problem.length(z)[0])
    unit = np.max(
        np.abs(force)
    )  # SciPy's line search has thresholds of its own: give it forces of one, over lengths of one

    def watch(intermediate_result):
        problem.bar.update()
        if np.max(np.abs(intermediate_result.x)) > RUNAWAY / length:
            raise StopIteration

    def descend(z, fun, steps):
        options = {
            "maxiter": steps,
            "maxfun": 20 * steps + 20,
            "maxls": 40,
            "maxcor": 20,
            "ftol": 0.0,
            "gtol": tol / unit,
        }
        box = np.stack([low[0], high[0]], 1) / length
        with np.errstate(over="ignore", invalid="ignore"):
            start = z[0] / length
            found = minimize(fun, start, jac=True, method="L-BFGS-B", bounds=box, options=options, callback=watch)
            new = found.x[None] * length
            return new, found.nit, problem.residual(new, problem.force(new), bounds)[0]

    def energy(y):
        z = y[None] * length
        return problem.energy(z)[0] / (unit * length), -problem.force(z)[0] / unit

    z, used, rest = descend(z, energy, max_steps)
    for _ in range(POLISH):
        if rest <= tol or used >= max_steps:
            break
        origin, pull = z[0], problem.force(z)[0]

        def along_chord(y, origin=origin, pull=pull):
            z = y * length
            force = problem.force(z[None])[0]
            return -0.5 * ((force + pull) / unit) @ ((z - origin) / length), -force / unit

        new, more, left = descend(z, along_chord, max_steps - used)
        used += more
        if not left < rest:
            break
        z, rest = new, left
    return z, used
