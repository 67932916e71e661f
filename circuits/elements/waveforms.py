"""Waveforms of sources in time, as SPICE defines them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.checks import array, not_negative, number, positive


@dataclass(frozen=True)
class Pulse:
    """A train of pulses.

    Parameters
    ----------
    low, high : float
        Initial and pulsed value (V or A).
    delay, rise, fall, width : float
        Seconds; ``rise`` and ``fall`` are positive.
    period : float, optional
        Seconds; None for a single pulse.

    Examples
    --------
    >>> pulse = Pulse(0.0, 5.0, delay=1e-6, rise=1e-6, fall=1e-6, width=2e-6)
    >>> [float(pulse(t)) for t in (0.0, 1.5e-6, 3e-6, 9e-6)]
    [0.0, 2.5, 5.0, 0.0]
    """

    low: float
    high: float
    delay: float = 0.0
    rise: float = 1e-9
    fall: float = 1e-9
    width: float = 1.0
    period: float | None = None

    def __post_init__(self):
        for check, names in ((number, "low high"), (not_negative, "delay width"), (positive, "rise fall")):
            for name in names.split():
                check(name, getattr(self, name))
        if self.period is not None:
            positive("period", self.period)

    def __call__(self, t):
        """Value at a time (s), or at an array of times."""
        t = array("t", t) - self.delay
        if self.period is not None:
            t = np.where(t > 0, np.mod(t, self.period), t)
        step = self.high - self.low
        falling = t - self.rise - self.width
        up = np.clip(t / self.rise, 0.0, 1.0) - np.clip(falling / self.fall, 0.0, 1.0)
        return self.low + step * np.clip(up, 0.0, 1.0)

    def corners(self, end):
        """Times at which the slope jumps, up to ``end``."""
        once = self.delay + np.cumsum([0.0, self.rise, self.width, self.fall])
        turns = 1 if self.period is None else int(np.ceil(max(end - self.delay, 0.0) / self.period)) + 1
        return np.concatenate([once + k * (self.period or 0.0) for k in range(turns)])


@dataclass(frozen=True)
class Sine:
    """A sine that begins after a delay and may decay.

    With s = t - delay, at least 0: offset + amplitude sin(2 pi f s + phase) exp(-damping s).

    Parameters
    ----------
    offset, amplitude : float
        V or A.
    frequency : float
        Hz.
    delay : float
        Seconds; before it the value is that of the phase alone.
    damping : float
        1/s.
    phase : float
        Degrees.

    Examples
    --------
    >>> mains = Sine(1.0, 2.0, 50.0)
    >>> float(mains(5e-3))
    3.0
    """

    offset: float
    amplitude: float
    frequency: float
    delay: float = 0.0
    damping: float = 0.0
    phase: float = 0.0

    def __post_init__(self):
        for name in ("offset", "amplitude", "damping", "phase"):
            number(name, getattr(self, name))
        positive("frequency", self.frequency)
        not_negative("delay", self.delay)

    def __call__(self, t):
        """Value at a time (s), or at an array of times."""
        s = np.maximum(array("t", t) - self.delay, 0.0)
        angle = 2.0 * np.pi * self.frequency * s + np.deg2rad(self.phase)
        return self.offset + self.amplitude * np.sin(angle) * np.exp(-self.damping * s)

    def corners(self, end):
        """Times at which the slope jumps, up to ``end``."""
        return np.array([self.delay])


@dataclass(frozen=True)
class Points:
    """Straight lines between points; constant before the first and after the last.

    Parameters
    ----------
    times : tuple of float
        Seconds, ascending.
    values : tuple of float
        V or A.

    Examples
    --------
    >>> ramp = Points((0.0, 1.0), (0.0, 4.0))
    >>> float(ramp(0.25))
    1.0
    """

    times: tuple
    values: tuple

    def __post_init__(self):
        times, values = array("times", self.times, ndim=1), array("values", self.values, ndim=1)
        if times.shape != values.shape or not times.size:
            raise ValueError(f"times, values: got {times.size} and {values.size}, expected as many, at least one")
        if np.any(np.diff(times) <= 0):
            raise ValueError("times: they do not ascend, expected each later than the one before")
        object.__setattr__(self, "times", tuple(times.tolist()))
        object.__setattr__(self, "values", tuple(values.tolist()))

    def __call__(self, t):
        """Value at a time (s), or at an array of times."""
        return np.interp(array("t", t), self.times, self.values)

    def corners(self, end):
        """Times at which the slope jumps, up to ``end``."""
        return np.array(self.times)
