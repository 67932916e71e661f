"""Injected currents: constant, step, ramp, sine, piecewise constant; noise is in `circuits.neurons.drive.noise`.

Each adds to the current I of its target's neurons (A; V where the neurons have a resistance of 1); several add up.
Values are taken at the beginning of a step and held (at its middle for methods of higher order), so steps that fall
on the grid are exact, 1e-6 of a step being taken for rounding as everywhere in time.  All are products a_i f(t): f is
sampled once per block of steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numba import carray

from circuits.neurons.parameters import as_numbers, fixed
from circuits.neurons.program import ROUNDING, on_grid
from physlearn.brief import brief
from physlearn.checks import text
from physlearn.kernels.cfuncs import pointer
from physlearn.quantities import CURRENTS, take_si

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

_ONE = ("start", "stop", "frequency", "phase", "tau")  # the same for all neurons
_UNITS = {"start": "s", "stop": "s", "times": "s", "tau": "s", "frequency": "Hz", "phase": "1"}  # the rest: currents


class Waveform(ABC):
    """Base of the currents: an amplitude per neuron times a course in time."""

    target: str

    def __post_init__(self):
        text(f"{type(self).__name__}: target", self.target, "the name of a population")
        take_si(self, **{name: _UNITS.get(name, CURRENTS) for name in vars(self) if name != "target"})
        for name, value in list(vars(self).items()):
            if name == "target":
                continue
            if value is None:
                raise ValueError(f"{type(self).__name__}: {name} is None, expected numbers")
            value = as_numbers(f"{type(self).__name__}: {name}", value)
            if name in _ONE and value.ndim:
                raise ValueError(f"{type(self).__name__}: {name} has shape {value.shape}, expected one number")
            if np.any(np.isnan(value)) or (name not in ("start", "stop") and not np.all(np.isfinite(value))):
                raise ValueError(f"{type(self).__name__}: {name}: values that are not finite")
            if value.ndim:
                object.__setattr__(self, name, fixed(value))
        start, stop = getattr(self, "start", None), getattr(self, "stop", None)
        if start is not None and stop is not None and not start < stop:
            raise ValueError(f"{type(self).__name__}: stop={stop!r} s does not lie after start={start!r} s")

    @abstractmethod
    def _products(self, dt) -> list:
        """Pairs (amplitude in A, its course in time) whose sum is injected, on a grid of steps dt (s)."""

    def check(self, population):
        """Refuse amplitudes that do not fit the population."""
        for amplitude, _ in self._products(0.0):
            if np.shape(amplitude) not in ((), (population.n,)):
                raise ValueError(
                    f"{type(self).__name__}: current has shape {np.shape(amplitude)}, expected a number or "
                    f"({population.n},), one per neuron of {self.target!r}"
                )

    def injects(self, name):
        """Whether a population gets current from this."""
        return name == self.target

    def steady(self, dt):
        """Whether the current is constant over every step of dt."""
        return False

    def attach(self, plan, index):
        """Add what the current does to the plan."""
        n = plan.network.populations[self.target].n
        for amplitude, course in self._products(plan.dt):
            amplitude = np.ascontiguousarray(np.broadcast_to(np.asarray(amplitude, float), (n,)))
            for part in plan.parts[self.target]:
                own = np.ascontiguousarray(amplitude[part.low : part.high])
                if course is None:
                    part.base += own
                else:
                    plan.varying(part, product, own, *plan.course(course, part.middle))


@dataclass(frozen=True, eq=False)
class Constant(Waveform):
    """The same current at all times.

    Parameters
    ----------
    target : str
    current : float or (n,) array
        A.

    Examples
    --------
    >>> Constant("E", 1e-10).current
    1e-10
    """

    target: str
    current: Any

    __repr__ = brief

    def _products(self, dt):
        return [(self.current, None)]

    def steady(self, dt):
        """Always."""
        return True


@dataclass(frozen=True, eq=False)
class Step(Waveform):
    """A current from ``start`` to ``stop``, 0 outside.

    Parameters
    ----------
    target : str
    current : float or (n,) array
        A.
    start, stop : float
        s; may be infinite.

    Examples
    --------
    >>> Step("E", 1e-10, start=0.1, stop=0.2).stop
    0.2
    """

    target: str
    current: Any
    start: float = 0.0
    stop: float = np.inf

    __repr__ = brief

    def _products(self, dt):
        return [(self.current, lambda t: _inside(t, self.start, self.stop, dt))]

    def steady(self, dt):
        """Where it begins and ends on the grid."""
        return on_grid([self.start, self.stop], dt)


@dataclass(frozen=True, eq=False)
class Ramp(Waveform):
    """A current that goes linearly from ``low`` at ``start`` to ``high`` at ``stop``, 0 outside.

    Parameters
    ----------
    target : str
    low, high : float or (n,) array
        A.
    start, stop : float
        s.

    Examples
    --------
    >>> Ramp("E", 0.0, 1e-10, start=0.0, stop=1.0).high
    1e-10
    """

    target: str
    low: Any
    high: Any
    start: float
    stop: float

    __repr__ = brief

    def __post_init__(self):
        super().__post_init__()
        if not -np.inf < self.start < self.stop < np.inf:
            raise ValueError(f"Ramp: start={self.start!r} s, stop={self.stop!r} s, expected a later, finite stop")

    def _products(self, dt):
        def done(t):
            return (t - self.start) / (self.stop - self.start)

        return [
            (self.low, lambda t: _inside(t, self.start, self.stop, dt) * (1 - done(t))),
            (self.high, lambda t: _inside(t, self.start, self.stop, dt) * done(t)),
        ]


@dataclass(frozen=True, eq=False)
class Sine(Waveform):
    """current * sin(2 pi frequency t + phase).

    Parameters
    ----------
    target : str
    current : float or (n,) array
        Amplitude, A.
    frequency : float
        Hz.
    phase : float
        rad.

    Examples
    --------
    >>> Sine("E", 1e-10, frequency=40.0).phase
    0.0
    """

    target: str
    current: Any
    frequency: float
    phase: float = 0.0

    __repr__ = brief

    def _products(self, dt):
        return [(self.current, lambda t: np.sin(2 * np.pi * self.frequency * t + self.phase))]


@dataclass(frozen=True, eq=False)
class Piecewise(Waveform):
    """A current that takes ``values[k]`` from ``times[k]`` to ``times[k + 1]``; 0 before; the last value lasts.

    Parameters
    ----------
    target : str
    times : (k,) array
        s, ascending.
    values : (k,) or (k, n) array
        A.

    Examples
    --------
    >>> Piecewise("E", [0.0, 0.1], [1e-10, 0.0]).values
    array([1.e-10, 0.e+00])
    """

    target: str
    times: Any
    values: Any

    __repr__ = brief

    def __post_init__(self):
        super().__post_init__()
        times, values = np.asarray(self.times, float), np.asarray(self.values, float)
        if times.ndim != 1 or times.size < 1 or np.any(np.diff(times) <= 0):
            raise ValueError(f"Piecewise: times={self.times!r}, expected ascending seconds")
        if values.ndim not in (1, 2) or len(values) != len(times):
            raise ValueError(
                f"Piecewise: values has shape {values.shape}, expected ({len(times)},) or ({len(times)}, n) like times"
            )

    def _products(self, dt):
        values = np.asarray(self.values, float)
        if values.ndim == 2:
            return [(values[0], None)]
        return [(1.0, lambda t: np.concatenate([[0.0], values])[self._place(t, dt)])]

    def steady(self, dt):
        """Where all changes fall on the grid."""
        return on_grid(self.times, dt)

    def _place(self, t, dt):
        return np.searchsorted(np.asarray(self.times, float) - ROUNDING * dt, t, side="right")

    def attach(self, plan, index):
        """Add what the current does to the plan."""
        values = np.asarray(self.values, float)
        if values.ndim == 1:
            super().attach(plan, index)
            return
        values = np.concatenate([np.zeros((1, values.shape[1])), values])
        for part in plan.parts[self.target]:
            own = np.ascontiguousarray(values[:, part.low : part.high])
            plan.varying(part, table_row, own, *plan.course(partial(self._place, dt=plan.dt), part.middle))


def _inside(t, start, stop, dt):
    return ((t >= start - ROUNDING * dt) & (t < stop - ROUNDING * dt)).astype(float)


def product(step, at):
    """Add a_i f(t); table: injected, n, a, f of the block, clock."""
    t = carray(at, 5)
    out, a = carray(pointer(t[0]), t[1], np.float64), carray(pointer(t[2]), t[1], np.float64)
    f = carray(pointer(t[3] + 8 * (step - carray(pointer(t[4]), 1, np.int64)[0])), 1, np.float64)[0]
    for i in range(t[1]):
        out[i] += f * a[i]
    return 0


def table_row(step, at):
    """Add a row of a table; table: injected, n, rows, number of the row at each step of the block, clock."""
    t = carray(at, 5)
    out = carray(pointer(t[0]), t[1], np.float64)
    row = carray(pointer(t[3] + 8 * (step - carray(pointer(t[4]), 1, np.int64)[0])), 1, np.float64)[0]
    a = carray(pointer(t[2] + 8 * t[1] * np.int64(row)), t[1], np.float64)
    for i in range(t[1]):
        out[i] += a[i]
    return 0
