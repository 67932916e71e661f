"""A custom neuron held at a voltage: its other variables at rest, and the current that holds it, by Newton's method."""

from __future__ import annotations

import numpy as np

from circuits.neurons.cells.linearised import by_differences

COARSE = 2  # levels of the differences that Newton's method takes
STEPS, HALVINGS = 60, 20  # of Newton's method, and of one step that does not lower the residual
CLOSE = 1e-12  # a step this short, relative to what moves, is the last


def others_at_rest(model, v, current):
    """State (variables, ...) with x[0] = v and all other derivatives zero; NaN where Newton's method finds none.

    It starts where neurons start: of several rests that of the start's branch is found.
    """
    v, scales = np.asarray(v, dtype=float), np.asarray(model.scales)
    start = model.initial(1)[1:, 0]

    def residual(y):
        return model.velocity(np.concatenate([flat[None], y]), current)[1:]

    flat = v.ravel()
    y = np.repeat(start[:, None], flat.size, 1)
    if len(start):
        y = _newton(residual, y, scales[1:])
    return np.concatenate([flat[None], y]).reshape(-1, *v.shape)


def steady_current(model, v):
    """State (variables, ...) and current (...) at which nothing changes and x[0] = v; NaN where none is found."""
    v, scales = np.asarray(v, dtype=float), np.asarray(model.scales)
    flat = v.ravel()

    def residual(u):
        return model.velocity(np.concatenate([flat[None], u[:-1]]), u[-1])

    start = np.append(model.initial(1)[1:, 0], 0.0)
    u = _newton(residual, np.repeat(start[:, None], flat.size, 1), np.append(scales[1:], 1.0))
    return np.concatenate([flat[None], u[:-1]]).reshape(-1, *v.shape), u[-1].reshape(v.shape)


def _newton(residual, u, scales):
    """Roots of a function of columns, (s, k) to (s, k); columns without one are NaN."""
    with np.errstate(all="ignore"):
        found = residual(u)
        for _ in range(STEPS):
            matrix = by_differences(residual, u, scales, COARSE)
            try:
                step = -np.linalg.solve(matrix, np.moveaxis(found, 0, -1)[..., None])[..., 0].T
            except np.linalg.LinAlgError:  # one of them is singular
                step = -np.array([_solve(m, f) for m, f in zip(matrix, found.T, strict=True)]).T
            short, new = np.all(np.abs(step) <= CLOSE * (np.abs(u) + scales[:, None]), 0), u + step
            after, before = residual(new), np.max(np.abs(found), 0)
            for _ in range(HALVINGS):
                worse = ~(np.max(np.abs(after), 0) <= before) & ~short
                if not worse.any():
                    break
                step = np.where(worse, 0.5 * step, step)
                new = u + step
                after = residual(new)
            u, found = new, after
            if np.all(short | ~np.isfinite(u).all(0)):
                break
    return np.where(short, u, np.nan)


def _solve(matrix, right):
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.full(len(right), np.nan)
