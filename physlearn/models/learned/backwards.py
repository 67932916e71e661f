r"""From noise back to data, step by step, by any predictor of the noise: ancestral, deterministic, and second order.

With x0 = (x - s eps)/a at step k, a step to an earlier j is

    x_j = a_j x0 + sqrt(s_j^2 - w^2) eps + w z,     w^2 = eta^2 (s_j/s_k)^2 (1 - a_k^2/a_j^2)

(Song, Meng and Ermon 2021, eq. 16).  eta = 1 is the ancestral sampler of Ho et al. 2020 with the posterior's variance;
its other one, w^2 = 1 - a_k^2/a_j^2 (beta where no step is left out), keeps eta = 1 in the mean.  eta = 0 draws no
noise ("DDIM"): it is Euler's step of the probability flow d(x/a)/d(s/a) = eps, which `probability_flow` follows by
Heun's.

No noise is added in the last step.  Ancestral sampling with the exact eps is biased at finite N: from 100 steps with
beta from 1e-4 to 0.2, data of variance 0.25 return with 0.2190 (posterior) or 0.2587 (beta).
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.checks import array, choice, count, function, instance, number
from physlearn.errors import DivergenceError
from physlearn.models.learned.schedule import NoiseSchedule
from physlearn.rng import generator

FAR = 1e6  # standard deviations: beyond, a draw has diverged


def ancestral(predict, schedule, x, *, variance="posterior", steps=None, rng=None) -> np.ndarray:
    """Draws by the noisy steps of Ho, Jain and Abbeel 2020 (algorithm 2).

    Parameters
    ----------
    predict : callable
        ``predict(x, k) -> eps``, the noise in x (n, ...) at step k, shaped like x: that of an exact law, or a
        `DiffusionModel`'s own ``predict``.
    schedule : NoiseSchedule
    x : (n, ...) array
        Where to start: standard normal numbers.
    variance : {"posterior", "beta"}
        Of the noise of a step: exact for data of variance 0, or of variance 1.
    steps : int, optional
        Number of steps, evenly among the schedule's; default all.
    rng : int, Generator or None

    Returns
    -------
    array shaped like x

    Raises
    ------
    ValueError
        A predictor that returns another shape or NaN.
    DivergenceError
        Draws beyond a million; ``partial`` is where they were.

    Examples
    --------
    >>> import numpy as np
    >>> schedule = NoiseSchedule.linear(100, 1e-4, 0.2)
    >>> exact = lambda x, k: schedule.noise[k] * x / (schedule.signal[k] ** 2 * 0.25 + schedule.noise[k] ** 2)
    >>> x = ancestral(exact, schedule, np.random.default_rng(0).standard_normal((20_000, 1)), rng=1)
    >>> bool(abs(x.var() - 0.219) < 0.008)  # 0.25, but for the bias of 100 steps
    True
    """
    choice("variance", variance, ("posterior", "beta"))
    x, path, rng = _begun(predict, schedule, x, steps), _path(schedule, steps), generator(rng)
    for k, j in zip(path, [*path[1:], -1], strict=True):
        keep, pull, width = step_of(schedule, k, j, 1.0, variance == "beta")
        x = _moved(x, keep, pull, _asked(predict, x, k), k)
        if width:
            x += x.dtype.type(width) * rng.standard_normal(x.shape, dtype=x.dtype)
    return x


def ddim(predict, schedule, x, *, eta=0.0, steps=None, rng=None) -> np.ndarray:
    """Draws by steps with as much noise as is asked for, none by default (Song, Meng and Ermon 2021).

    Parameters
    ----------
    predict, schedule, x, steps, rng
        As for `ancestral`.
    eta : float
        From 0, a deterministic map from noise to data, to 1, which is `ancestral`.

    Examples
    --------
    >>> import numpy as np
    >>> schedule = NoiseSchedule.linear(100, 1e-4, 0.2)
    >>> exact = lambda x, k: schedule.noise[k] * x / (schedule.signal[k] ** 2 * 0.25 + schedule.noise[k] ** 2)
    >>> ddim(exact, schedule, np.array([[1.0]]), steps=50).round(2)  # takes 1 to 0.5, but for errors of steps
    array([[0.47]])
    """
    eta = number("eta", eta, 0, 1)
    x, path, rng = _begun(predict, schedule, x, steps), _path(schedule, steps), generator(rng)
    for k, j in zip(path, [*path[1:], -1], strict=True):
        keep, pull, width = step_of(schedule, k, j, eta)
        x = _moved(x, keep, pull, _asked(predict, x, k), k)
        if width:
            x += x.dtype.type(width) * rng.standard_normal(x.shape, dtype=x.dtype)
    return x


def probability_flow(predict, schedule, x, *, steps=None) -> np.ndarray:
    """The deterministic flow from noise to data by Heun's method, of second order in the step (Karras et al. 2022).

    Parameters
    ----------
    predict, schedule, x, steps
        As for `ancestral`; the last step, to data, is Euler's, since no noise is left there to predict: its error
        is the smaller the less noise the schedule begins with.

    Examples
    --------
    >>> import numpy as np
    >>> schedule = NoiseSchedule.linear(100, 1e-4, 0.2)
    >>> exact = lambda x, k: schedule.noise[k] * x / (schedule.signal[k] ** 2 * 0.25 + schedule.noise[k] ** 2)
    >>> probability_flow(exact, schedule, np.array([[1.0]]), steps=50).round(4)
    array([[0.5014]])
    """
    x, path = _begun(predict, schedule, x, steps), _path(schedule, steps)
    eps = _asked(predict, x, path[0])
    for k, j in zip(path, [*path[1:], -1], strict=True):
        keep, pull, _ = step_of(schedule, k, j, 0.0)
        ahead = _moved(x, keep, pull, eps, k)
        if j >= 0:
            eps_ahead = _asked(predict, ahead, j)
            ahead = _moved(x, keep, pull, (eps + eps_ahead) * x.dtype.type(0.5), k)
            eps = _asked(predict, ahead, j)
        x = ahead
    return x


def step_of(schedule, k, j, eta, beta=False):
    """Numbers (keep, pull, width) of a step from k to j, x_j = keep x + pull eps + width z; j = -1 is data."""
    a, s = float(schedule.signal[k]), float(schedule.noise[k])
    before, left = (float(schedule.signal[j]), float(schedule.noise[j])) if j >= 0 else (1.0, 0.0)
    grown = -math.expm1(2 * (math.log(a) - math.log(before)))  # 1 - (a_k/a_j)^2
    w = eta * left / s * math.sqrt(grown)
    pull = math.sqrt(max(left * left - w * w, 0.0)) - before * s / a
    return before / a, pull, math.sqrt(grown) if beta and j >= 0 else w


def _path(schedule, steps):
    """Steps from the last to the first, all of them or some, evenly."""
    n = len(schedule)
    if steps is None or steps == n:
        return list(range(n - 1, -1, -1))
    steps = count("steps", steps, most=n)
    return [int(k) for k in np.unique(np.rint(np.linspace(0 if steps > 1 else n - 1, n - 1, steps)).astype(int))[::-1]]


def _begun(predict, schedule, x, steps):
    function("predict", predict, 2, "a function predict(x, k) -> eps")
    instance("schedule", schedule, NoiseSchedule, "a NoiseSchedule")
    if steps is not None:
        count("steps", steps, most=len(schedule))
    kept = np.float32 if getattr(x, "dtype", None) == np.float32 else float
    x = array("x", x).astype(kept)
    if x.ndim < 2 or not x.size:
        raise ValueError(f"x: got the shape {x.shape}, expected (n, ...) with at least one item")
    return x


def _asked(predict, x, k):
    eps = np.asarray(predict(x, k))
    if eps.dtype.kind != "f" or eps.shape != x.shape:
        raise ValueError(
            f"predict: returned {eps.dtype} of shape {eps.shape} for points {x.shape}, expected floats of the points' "
            "own shape"
        )
    return eps.astype(x.dtype, copy=False)


def _moved(x, keep, pull, eps, k):
    new = x.dtype.type(keep) * x
    new += x.dtype.type(pull) * eps
    if not np.max(np.abs(new)) < FAR:  # false for NaN too
        lost = np.flatnonzero(~np.all(np.abs(new.reshape(len(new), -1)) < FAR, 1))
        raise DivergenceError(
            f"x: {len(lost)} of {len(new)} draws left the numbers below {FAR:.0e} at step {k} of the way back, the "
            f"first is item {lost[0]}; train longer, take more steps, or less guidance",
            x,
        )
    return new
