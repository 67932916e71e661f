"""reverse: a noising process run backwards, from noise to data.

The law p_t of dx = -kappa x dt + noise dW, from any start, is run back from time T by

    dy = [kappa y + (1 + alpha)/2 noise^2 grad log p_t(y)] ds + sqrt(alpha) noise dW,    t = T - s

with a free alpha >= 0 (Anderson 1982 for alpha = 1; Song et al. 2021, Karras et al. 2022): the law at time t is the
same for all of them, the paths are not.  alpha = 0 is a deterministic flow, along which the density is known too,

    d log p/dt = kappa d + noise^2/2 div grad log p_t.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, function, not_negative, seen
from physlearn.dynamics.time.integrate import integrate
from physlearn.energy import Real, System
from physlearn.threads import on_one_thread

DIFFERENCE = 1e-5  # step of the score's differences, relative to the process's stationary deviation


@dataclass(frozen=True, eq=False)
class Reverse:
    """A process run backwards; made by `reverse`, followed by `integrate`.

    ``integrate(machine, (t_end, t_start), x0=x)`` runs from the later time, ``t_span[1]``, where x has the law of the
    noised data, back to the earlier one.  ``times`` and the `Trajectory`'s ``t`` are the process's, descending.  Other
    settings are those of `integrate`: ``dt``, ``method``, ``tol``, ``rng``; alpha = 0 needs no ``dt``.
    """

    process: Any
    score: Any
    alpha: float

    __repr__ = brief

    def drift(self, x, t):
        """dy/ds at points (n, d) and time t, (n, d)."""
        return self.process.kappa * x + 0.5 * (1.0 + self.alpha) * self.process.noise**2 * score_at(self.score, x, t)

    def __integrate__(self, span, *, x0, times=None, **settings):
        x0 = array("x0", x0)
        if x0.ndim not in (1, 2):
            raise ValueError(f"x0: got the shape {x0.shape}, expected (d,) or (batch, d)")
        if taken := {"temperature", "clamp", "tau", "nudge"} & set(settings):
            raise TypeError(f"{min(taken)}: no setting of a reverse process, whose noise and forces are its own")
        first, last = span
        if first < 0:
            raise ValueError(f"t_span: got {span}, expected times of the process, from 0 on")
        if times is not None:
            times = np.sort(last - array("times", times, ndim=1))
        batch = np.atleast_2d(x0)
        run = integrate(
            _timed(batch.shape[1], _Backwards(self)),
            (0.0, last - first),
            x0={"x": batch, "t": np.full((len(batch), 1), last)},
            times=times,
            clamp={"t": lambda s: [max(last - s, first)]},
            temperature=0.5 * self.alpha * self.process.noise**2,
            **settings,
        )
        pick = slice(None) if x0.ndim == 2 else 0
        return replace(run, t=np.maximum(last - run.t, first), x=run.x["x"][:, pick], energy=run.energy[:, pick])

    @on_one_thread
    def log_density(self, x, t_span, *, end=None, steps=1000):
        """log p of points at time t_span[0], by the flow to t_span[1], (n,).

        Parameters
        ----------
        x : (n, d) array
        t_span : (float, float)
        end : callable, optional
            log p at time t_span[1], of points (n, d); default the process's stationary law, whose difference from the
            true one falls as e^(-kappa t).
        steps : int
            Steps of Runge and Kutta's method.  The score's divergence is by central differences, to about 1e-9.

        Examples
        --------
        >>> import numpy as np
        >>> from physlearn import reverse
        >>> from physlearn.models import OUProcess
        >>> back = reverse(OUProcess(), lambda x, t: -x / (1 - 0.7 * np.exp(-2 * t)), 0)  # data of variance 0.3
        >>> found = back.log_density([[0.5]], (0.0, 12.0))
        >>> print(f"{found[0]:.5f} {-0.5 * (0.25 / 0.3 + np.log(2 * np.pi * 0.3)):.5f}")
        -0.73362 -0.73362
        """
        x = array("x", x, ndim=2)
        begin, stop = (float(t) for t in array("t_span", t_span, shape=(2,)))
        if not 0 <= begin < stop:
            raise ValueError(f"t_span: got {t_span!r}, expected times 0 <= begin < end")
        d, v = x.shape[1], self.process.noise**2 / (2.0 * self.process.kappa)
        flow = _Forwards(replace(self, alpha=0.0), DIFFERENCE * np.sqrt(v))
        run = integrate(
            _timed(d, flow, {"l": (Real(), 1)}),
            (begin, stop),
            x0={"x": x, "t": np.full((len(x), 1), begin), "l": np.zeros((len(x), 1))},
            times=[stop],
            clamp={"t": lambda t: [t]},
            dt=(stop - begin) / count("steps", steps),
            method="rk4",
            diverged="raise",
        )
        there, change = run.x["x"][-1], run.x["l"][-1, :, 0]
        last = (
            -0.5 * (np.sum(there**2, 1) / v + d * np.log(2.0 * np.pi * v)) if end is None else array("end", end(there))
        )
        return last - change


def reverse(process, score, alpha) -> Reverse:
    """The process run backwards with a free amount of noise.

    Parameters
    ----------
    process : OUProcess
        What adds the noise: has ``kappa`` and ``noise``.
    score : callable
        ``score(x, t)``, the gradient of log p_t at points (n, d), shaped like them.  If it has an attribute
        ``rowwise`` that is true, its rows have the same bits in any batch, and many are asked for at once.
    alpha : float
        Noise of the way back: 0 the deterministic flow, 1 the reverse SDE; the law is the same for all.

    Returns
    -------
    Reverse

    Examples
    --------
    Data of variance 0.3 come back from noise, whatever alpha:

    >>> import numpy as np
    >>> from physlearn import integrate, reverse
    >>> from physlearn.models import OUProcess
    >>> noise = np.random.default_rng(0).standard_normal((2000, 1))
    >>> for alpha in (0, 1):
    ...     back = reverse(OUProcess(), lambda x, t: -x / (1 - 0.7 * np.exp(-2 * t)), alpha)
    ...     run = integrate(back, (0.0, 4.0), x0=noise, dt=0.02, rng=1, times=[0.0])
    ...     print(bool(abs(run.final.var() - 0.3) < 0.04))
    True
    True
    """
    for name in ("kappa", "noise"):
        if isinstance(process, type) or not hasattr(process, name):
            raise TypeError(f"process: got {seen(process)}, expected one with kappa and noise, such as OUProcess()")
    function("score", score, 2, "a function score(x, t)")
    return Reverse(process, score, not_negative("alpha", alpha))


def score_at(score, x, t):
    """A user's score, refused if it has another shape or is not finite."""
    found = array("score", score(x, t), finite=False)
    if found.shape != x.shape:
        raise ValueError(
            f"score: returned the shape {found.shape} for points {x.shape}, expected the points' own shape"
        )
    if np.any(np.isnan(found)):
        raise ValueError(
            f"score: returned NaN at t = {t:g}; where the law has no density, as at t = 0 of data, stop earlier"
        )
    return found


def _timed(d, term, more=None):
    """A system of points and of their time, which a clamp drives."""
    return System({"x": (Real(), d), "t": (Real(), 1)} | (more or {}), [term], {})


class _Backwards:
    """The drift of `Reverse` as a field; the time of all rows is the same."""

    layers = ("x", "t")

    def __init__(self, machine):
        self.machine, self.rowwise = machine, bool(getattr(machine.score, "rowwise", False))

    def field(self, x, theta, layer):
        if layer == "t":
            return np.zeros_like(x["t"])
        return self.machine.drift(x["x"], float(x["t"][0, 0]))


class _Forwards:
    """The flow from data to noise, and the log-density that it carries."""

    layers = ("x", "t", "l")

    def __init__(self, machine, step):
        self.machine, self.step, self.rowwise = machine, step, bool(getattr(machine.score, "rowwise", False))

    def field(self, x, theta, layer):
        points, t = x["x"], float(x["t"][0, 0])
        if layer == "t":
            return np.zeros_like(x["t"])
        if layer == "x":
            return -self.machine.drift(points, t)
        divergence = np.zeros((len(points), 1))  # of the drift, minus that of the flow
        for j in range(points.shape[1]):
            apart = np.zeros(points.shape[1])
            apart[j] = self.step
            ahead, behind = (self.machine.drift(points + by * apart, t)[:, j] for by in (1.0, -1.0))
            divergence[:, 0] += (ahead - behind) / (2.0 * self.step)
        return divergence
