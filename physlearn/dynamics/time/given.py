"""What `integrate` is given, checked: the span of time, moving clamps, time constants, steps and times to keep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from physlearn.checks import array, mapping, number, positive, seen, sequence
from physlearn.dynamics.time import fixed_step

MOST_STEPS = 10**12  # beyond, rounding of the times is more than a part in a thousand of a step


def span_of(t_span):
    """(begin, end), two finite numbers in seconds."""
    if type(t_span) is tuple and len(t_span) == 2 and type(t_span[0]) is type(t_span[1]) is float:
        if -np.inf < t_span[0] < t_span[1] < np.inf:
            return t_span  # as most calls have it: a closed loop makes thousands
    pair = sequence("t_span", t_span, expected="(begin, end) in seconds")
    if len(pair) != 2:
        raise ValueError(f"t_span: got {seen(t_span)}, expected (begin, end) in seconds")
    start, stop = (number("t_span", t) for t in pair)
    if not start < stop:
        raise ValueError(f"t_span: got {t_span!r}, expected finite times, begin before end")
    return start, stop


def split(clamp):
    """(functions of time, constant values)."""
    if clamp is not None:
        mapping("clamp", clamp, expected="a mapping of readout names to values")
    clamp = dict(clamp or {})
    moving = {name: value for name, value in clamp.items() if callable(value)}
    return moving, {name: value for name, value in clamp.items() if name not in moving}


def check(problem, method, dt, temperature, moving, tol):
    """Refuse what cannot be integrated, and settings that do not fit each other, with the remedy."""
    if problem.discrete:
        raise ValueError(
            f"system: layers {problem.discrete} are discrete and have no velocity; use sample, or kinetics for "
            "transitions in continuous time"
        )
    if (reason := problem.unfit(lowers_energy=False)) is not None:
        raise ValueError(f"system: cannot be integrated: {reason}")
    if (method in fixed_step.METHODS) != (dt is not None):
        raise ValueError(
            f"dt: got {dt!r} with method {method!r}; fixed-step methods {list(fixed_step.METHODS)} need one, adaptive "
            "ones choose their own"
        )
    if dt is not None:
        positive("dt", dt)
    if (temperature > 0) != (method in fixed_step.NOISY):
        raise ValueError(
            f"method {method!r} at temperature {temperature:g}: noise needs one of {list(fixed_step.NOISY)}, and these "
            "mean nothing without it"
        )
    if temperature > 0 and problem.activated:
        raise ValueError(
            f"temperature: layers {problem.activated} have an activation; noise on x does not draw from exp(-E/T) "
            "there. Integrate at temperature 0, or build a System that says what its noise is"
        )
    if moving and any(name in problem.frame.values for name in moving) and problem.tied:
        raise ValueError(
            f"clamp: {sorted(moving)} change in time while other clamps tie variables together; drive single variables "
            "or currents instead of differences"
        )
    if positive("tol", tol) >= 1:
        raise ValueError(f"tol: got {tol!r}, expected a number between 0 and 1")


def mass_of(problem, tau):
    """Time constant of every free variable, (m,); where none is given that of its kind, else 1."""
    layers = problem.system.layers
    per_layer = {} if tau is None else dict(tau) if isinstance(tau, Mapping) else dict.fromkeys(layers, tau)
    if unknown := set(per_layer) - set(layers):
        raise ValueError(f"tau: there is no layer {sorted(unknown)[0]!r}, expected some of {list(layers)}")
    parts = []
    for name, layer in layers.items():
        value = np.asarray(per_layer.get(name, getattr(layer.kind, "tau", 1.0)))
        if (
            value.dtype.kind not in "iuf"
            or value.shape not in ((), layer.shape)
            or not np.all((value > 0) & np.isfinite(value))
        ):
            raise ValueError(f"tau of layer {name!r}: got {value!r}, expected positive numbers, one or {layer.shape}")
        parts.append(np.broadcast_to(value.astype(float), layer.shape).ravel())
    return problem.frame.collect(np.concatenate(parts))


def whole_steps(duration, dt, name):
    """Number of steps of dt in a duration, refused unless whole (to 1e-6 of a step)."""
    steps = round(duration / dt) if duration / dt < MOST_STEPS else -1
    if steps < 0 or abs(duration / dt - steps) > 1e-6 * max(1.0, 1e-6 * steps):
        raise ValueError(
            f"{name}: {duration:g} s is not a whole number of steps of dt = {dt:g} s, at most {MOST_STEPS:g}"
        )
    return steps


def times_of(times, span):
    """Times to keep, (k,) ascending within the span; by default 101 of equal distance."""
    if times is None:
        return np.linspace(span[0], span[1], 101)
    times = array("times", times)
    good = times.ndim == 1 and times.size and np.all(np.diff(times) > 0)
    slack = 1e-9 * (span[1] - span[0])  # 3 * 0.1 is beyond 0.3
    if not good or times[0] < span[0] - slack or times[-1] > span[1] + slack:
        raise ValueError(f"times: got {times!r}, expected ascending times within t_span {span}")
    return np.clip(times, *span)


def kept_steps(times, span, dt, steps):
    """Numbers of the steps after which the state is kept, (k,); by default at most 1,001."""
    if times is None:
        every = -(-steps // 1000)
        return np.unique(np.append(np.arange(0, steps + 1, every), steps))
    kept = np.array([whole_steps(t - span[0], dt, "times") for t in times_of(times, span)], dtype=np.int64)
    if np.any(np.diff(kept) == 0):
        raise ValueError(f"times: some are less than a step of dt = {dt:g} s apart")
    return kept
