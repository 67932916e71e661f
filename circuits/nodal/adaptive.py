"""Steps of a transient as long as its error allows.

A step of h is compared with two of h / 2, which are kept: a third of their difference is the error of order 2
(Richardson 1911).  Steps end at the corners of the sources' waveforms, and at the times asked for; behind a corner the
history of the method is forgotten, and the first half step is backward Euler's, whose error is a third as well.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array
from physlearn.errors import ConvergenceError

FIRST, LONGEST, SHORTEST = 1e-6, 1.0 / 50.0, 1e-14  # steps, of the whole span
FRESH = 1e-3  # first step behind a corner, of the way to the next
SAFETY, GROWTH, SHRINKAGE = 0.9, 2.0, 0.2
KEEP = 0.9, 1.4  # lengths that are not worth a change
FLOOR = 1e-3  # of the largest voltage: below it voltages are small


def follow(run, x, span, times, tol):
    """Yield (time, voltages) of every step, or of the times asked for.

    Parameters
    ----------
    run : Steps
    x : (batch, n) array
        Where it starts.
    span : (float, float)
    times : (k,) array or None
        Seconds, ascending.
    tol : float
        Relative error of a step.
    """
    begin, end = span
    wanted = _times(times, span)
    length = end - begin
    corners = run.drive.corners(end)
    stops = np.unique(np.concatenate([corners[(corners > begin) & (corners < end)], wanted, [end]]))
    asked = set(wanted.tolist()) if times is not None else None
    t, h, high, k = begin, FIRST * length, np.max(np.abs(x)), 0
    while t < end:
        stop = stops[k]
        whole = stop - t
        # the last two steps before a stop share what is left, so that none is tiny
        step = whole if h >= whole else min(h, 0.5 * whole)
        new, error, high = _try(run, x, t, step, tol, high)
        fitting = step * min(GROWTH, max(SHRINKAGE, SAFETY * max(error, 1e-6) ** (-1.0 / 3.0)))
        if error > 1.0:
            h = fitting
            if h < SHORTEST * length:
                raise ConvergenceError(
                    f"integrate: steps at t = {t:.9g} s fall below {h:.3g} s; raise tol, or give capacitors to the "
                    "nodes that jump",
                    None,
                )
            continue
        x, t = new, stop if step == whole else t + step
        if not KEEP[0] * step < fitting < KEEP[1] * step:  # another length is another matrix
            h = min(LONGEST * length, fitting)
        if t == stop:
            k += 1
            if stop in corners and t < end:
                run.forget()
                h = min(h, FRESH * (stops[k] - t))
        if asked is None or t in asked:
            yield t, x


def _try(run, x, t, h, tol, high):
    """Two steps of h / 2, their error over what is allowed, and the largest voltage so far."""
    kept = run.kept()
    try:
        run.dt = h
        once = run.advance(x, t)
        drops, memory = run.drops(once), run.memory
        run.take_back(kept)
        run.dt = 0.5 * h
        new = run.advance(run.advance(x, t), t + 0.5 * h)
    except ConvergenceError:
        run.take_back(kept)
        return x, 1e3, high
    high = max(high, float(np.max(np.abs(new))))
    found = run.drops(new)
    error = np.max(np.abs(found - drops) / (np.abs(found) + FLOOR * high + np.finfo(float).tiny), initial=0.0)
    error = max(error, np.max(np.abs(run.memory - memory), initial=0.0)) / (3.0 * tol)
    if error > 1.0:
        run.take_back(kept)
    return new, error, high


def _times(times, span):
    """Times asked for, ascending, inside the span."""
    if times is None:
        return np.zeros(0)
    times = array("times", times, ndim=1)
    if np.any(np.diff(times) <= 0) or times.size and not span[0] < times[0] <= times[-1] <= span[1]:
        raise ValueError(f"times: expected ascending times after {span[0]:g} and up to {span[1]:g} s")
    return times
