"""How a laboratory's element takes the change that a rule asks of it, compiled; the same in every engine.

asked     dtheta, of the optimiser
acts?     not if it has failed, sits this step out, or |dtheta| is below the threshold
made      dtheta + noise, in whole quanta
then      theta leaks, and stays inside its bounds
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from circuits.hardware.noise import normal
from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import uniform

NEAREST, STOCHASTIC, SIGN = 0, 1, 2
ROUNDING = {"nearest": NEAREST, "stochastic": STOCHASTIC, "sign": SIGN}
WORKS, STUCK, DEAD, CUT = 0, 1, 2, 3
FAILURES = {"stuck": STUCK, "dead": DEAD, "cut": CUT}
NEVER = np.iinfo(np.int64).max


class Parts(NamedTuple):
    """Elements of one parameter, as they were built."""

    low: np.ndarray  # (m,) bounds
    high: np.ndarray
    levels: np.ndarray  # values that there are, ascending; empty: any
    quantum: float  # 0: changes are continuous
    rounding: int
    threshold: float
    noise: float
    drift: float  # fraction lost in a step
    active: float  # probability to act in a step
    fails_at: np.ndarray  # (m,) int64: steps that it works for
    fails_as: np.ndarray  # (m,) int64: STUCK, DEAD, CUT
    opened: np.ndarray  # (m,) value that does not conduct


@inlined
def quanta(asked, quantum, rounding, s):
    """Whole number of quanta that a change becomes."""
    k = asked / quantum
    if rounding == NEAREST:
        return np.floor(k + 0.5)
    if rounding == STOCHASTIC:
        return np.floor(k + uniform(s))
    return 1.0 if k > 0.0 else -1.0 if k < 0.0 else 0.0


@inlined
def above(levels, value, inverse):
    """Number of the first level that is at least a value, the last one beyond it, and never 0."""
    low, high = 1, levels.size - 1
    guess = min(max(int((value - levels[0]) * inverse) + 1, 1), high)  # right where levels are equally spaced
    if levels[guess - 1] < value <= levels[guess]:
        return guess
    while low < high:
        middle = (low + high) // 2
        if levels[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def level_of(before, change, levels, inverse, rounding, s):
    """The level that a value goes to when a change is asked of it; ``inverse`` of their mean spacing."""
    last = levels.size - 1
    if rounding == SIGN:
        k = min(max(int((before - levels[0]) * inverse + 0.5), 0), last)
        if levels[k] != before:
            k = above(levels, before, inverse)
            k -= int(before - levels[k - 1] < levels[k] - before)
        k += int(change > 0.0) - int(change < 0.0)
        return levels[min(max(k, 0), last)]
    value = min(max(before + change, levels[0]), levels[last])
    k = above(levels, value, inverse)
    part = (value - levels[k - 1]) / (levels[k] - levels[k - 1])
    up = uniform(s) < part if rounding == STOCHASTIC else part >= 0.5
    return levels[k] if up else levels[k - 1]


@kernel
def fail(theta, parts, begin, end):
    """Elements that fail in the steps from begin to end fall to the value that their failure leaves."""
    for e in range(theta.size):
        if begin <= parts.fails_at[e] < end:
            if parts.fails_as[e] == DEAD:
                theta[e] = parts.low[e]
            elif parts.fails_as[e] == CUT:
                theta[e] = parts.opened[e]


@kernel
def update(theta, asked, parts, step, stream, made):
    """Change theta (m,) as asked (m,) in step ``step`` (from 0).

    ``made`` counts the changes and keeps the largest that was asked: made[0], made[1].
    """
    low, high, levels, quantum, rounding, threshold, noise, drift, active, fails_at, _, _ = parts
    last = levels.size - 1
    inverse = last / (levels[last] - levels[0]) if last > 0 else 0.0
    s, changes, largest, failing = stream[0], made[0], made[1], False
    for e in range(theta.size):
        left = fails_at[e] - step
        failing |= left == 1
        if left <= 0:
            continue
        change, before = asked[e], theta[e]
        largest = max(largest, abs(change))
        if (active >= 1.0 or uniform(s) < active) and abs(change) >= threshold:
            if noise > 0.0:
                change += noise * normal(s)
            if levels.size > 0:
                value = level_of(before, change, levels, inverse, rounding, s)
            else:
                if quantum > 0.0:
                    change = quantum * quanta(change, quantum, rounding, s)
                value = before + change
            value = min(max(value, low[e]), high[e])
            changes += value != before
            theta[e] = value
        if drift > 0.0:
            theta[e] = max(theta[e] - drift * theta[e], low[e])
    made[0], made[1] = changes, largest
    if failing:
        fail(theta, parts, step + 1, step + 2)


def warn_of_nothing(hardware, made):
    """Say that an epoch has changed nothing."""
    parts = hardware.parts
    spacing = float(np.diff(parts.levels).min()) if parts.levels.size else parts.quantum
    lost = spacing > 0 and parts.rounding == NEAREST
    if made[0] == 0 and made[1] > 0 and (made[1] < parts.threshold or lost):
        by = f"threshold {parts.threshold:g}" if made[1] < parts.threshold else f"smallest step {spacing:g}"
        warnings.warn(
            f"learn: no element has changed in an epoch: the largest change asked for was {made[1]:.3g}, below the "
            f"hardware's {by}; nothing can be learnt. Raise lr, lower the threshold, or round stochastically",
            RuntimeWarning,
            stacklevel=4,
        )
