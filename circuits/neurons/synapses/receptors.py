"""Receptors: the response of a target to a spike of weight w, as a chain of exponential filters.

A chain of time constants tau_0 .. tau_m: y_0 jumps by gain * w at arrival, dy_0/dt = -y_0 / tau_0 and
dy_j/dt = -y_j / tau_j + y_{j-1} / tau_{j-1}; the last y is the current (or the conductance).  With one tau it is
w exp(-t/tau), with equal taus the gamma kernels w t^order exp(-t/tau) up to a factor, with two different ones the
dual exponential.  All are linear, so a step is exact.

Weights are peaks by default (A, or S with a reversal potential); with ``normalised="area"`` they are time integrals
(charge, A s), so that the kernel has unit area.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, not_negative, positive, seen
from physlearn.quantities import take_si

CLOSEST = 1e-8  # relative difference of two time constants below which their exponentials cancel


def _check(receptor):
    name = type(receptor).__name__
    times = [f for f in ("tau", "rise", "decay") if hasattr(receptor, f)]
    take_si(receptor, reversal="V", **dict.fromkeys(times, "s"))
    for what in times:
        positive(f"{name}: time constant {what} in s", getattr(receptor, what))
    if not isinstance(receptor.normalised, str) or receptor.normalised not in ("peak", "area"):
        raise ValueError(f"{name}: normalised={seen(receptor.normalised)}, expected 'peak' or 'area'")
    reversal = receptor.reversal
    if reversal is not None and (
        isinstance(reversal, bool) or not isinstance(reversal, Real) or not np.isfinite(float(reversal))
    ):
        raise ValueError(f"{name}: reversal={seen(reversal)} V, expected a finite potential or None for a current")


class _Chain(ABC):
    """Base of the kernels: gain, time course and area from `taus`."""

    taus: tuple
    normalised: str
    reversal: float | None

    def __post_init__(self):
        _check(self)

    @abstractmethod
    def _peak(self) -> float:
        """Largest value of the course; see `gain`."""

    @abstractmethod
    def _course(self, t) -> np.ndarray:
        """Response at times t (s), up to the gain."""

    @property
    def rows(self):
        """Rows of state."""
        return len(self.taus)

    @property
    def area(self):
        """Integral over time of the response to a spike of weight 1, s (1 where normalised so)."""
        return self.gain * self.taus[-1]

    @property
    def gain(self):
        """Jump of the first row for a weight of 1."""
        return 1.0 / self.taus[-1] if self.normalised == "area" else 1.0 / self._peak()

    def response(self, t):
        """Current (or conductance) at times t after a spike of weight 1, same shape as t; 0 before.

        Parameters
        ----------
        t : float or array
            Seconds.
        """
        t = array("t", t)
        return np.where(t >= 0, self.gain * self._course(np.maximum(t, 0.0)), 0.0)


@dataclass(frozen=True)
class Delta:
    """A jump of v by the weight (V) at arrival; refractory neurons ignore it.

    Examples
    --------
    >>> Delta().rows
    1
    """

    reversal = None
    taus = ()
    gain = 1.0
    rows = 1


@dataclass(frozen=True)
class Exponential(_Chain):
    """w exp(-t/tau).

    Parameters
    ----------
    tau : float
        s.
    reversal : float, optional
        V; the receptor is then a conductance, its current g (reversal - v).
    normalised : {"peak", "area"}

    Examples
    --------
    >>> float(Exponential(5e-3).response(5e-3))
    0.36787944
    """

    tau: float
    reversal: float | None = None
    normalised: str = "peak"

    __repr__ = brief

    @property
    def taus(self):
        """Time constants of the chain, s."""
        return (self.tau,)

    def _peak(self):
        return 1.0

    def _course(self, t):
        return np.exp(-t / self.tau)


@dataclass(frozen=True)
class Gamma(_Chain):
    """t^order exp(-t/tau), order 0 (exponential), 1 (alpha) or 2.

    Parameters
    ----------
    tau : float
        s; the peak is at order * tau.
    order : {0, 1, 2}
    reversal : float, optional
        V; the receptor is then a conductance.
    normalised : {"peak", "area"}

    Examples
    --------
    >>> Gamma(2e-3, order=2, normalised="area").area
    1.0
    """

    tau: float
    order: int = 1
    reversal: float | None = None
    normalised: str = "peak"

    __repr__ = brief

    def __post_init__(self):
        if not isinstance(self.order, Integral) or isinstance(self.order, bool):
            raise TypeError(f"Gamma: order={self.order!r}, expected the integer 0, 1 or 2")
        if self.order not in (0, 1, 2):
            raise ValueError(f"Gamma: order={self.order!r}, expected 0, 1 or 2")
        _check(self)

    @property
    def taus(self):
        """Time constants of the chain, s."""
        return (self.tau,) * (self.order + 1)

    def _peak(self):
        return float(self._course(self.order * self.tau))

    def _course(self, t):
        return (t / self.tau) ** self.order * np.exp(-t / self.tau) / (1.0, 1.0, 2.0)[self.order]


@dataclass(frozen=True)
class Alpha(_Chain):
    """w (t/tau) exp(1 - t/tau): peak w at t = tau.

    Parameters
    ----------
    tau : float
        s.
    reversal : float, optional
        V; the receptor is then a conductance.
    normalised : {"peak", "area"}

    Examples
    --------
    >>> float(Alpha(2e-3).response(2e-3))
    1.0
    """

    tau: float
    reversal: float | None = None
    normalised: str = "peak"

    __repr__ = brief

    @property
    def taus(self):
        """Time constants of the chain, s."""
        return (self.tau, self.tau)

    def _peak(self):
        return float(np.exp(-1.0))

    def _course(self, t):
        return t / self.tau * np.exp(-t / self.tau)


@dataclass(frozen=True)
class DualExponential(_Chain):
    """exp(-t/decay) - exp(-t/rise), scaled.

    Parameters
    ----------
    rise, decay : float
        s, rise shorter than decay (equal ones are `Alpha`).
    reversal : float, optional
        V; the receptor is then a conductance.
    normalised : {"peak", "area"}

    Examples
    --------
    >>> import numpy as np
    >>> float(np.max(DualExponential(1e-3, 5e-3).response(np.linspace(0, 0.01, 10001))))
    1.0
    """

    rise: float
    decay: float
    reversal: float | None = None
    normalised: str = "peak"

    __repr__ = brief

    def __post_init__(self):
        _check(self)
        if self.rise >= self.decay:
            raise ValueError(
                f"DualExponential: rise={self.rise!r} s is not shorter than decay={self.decay!r} s; for equal ones "
                "use Alpha"
            )
        if self.decay - self.rise < CLOSEST * self.decay:
            raise ValueError(
                f"DualExponential: rise={self.rise!r} s and decay={self.decay!r} s differ by rounding; use Alpha"
            )

    @property
    def taus(self):
        """Time constants of the chain, s."""
        return (self.rise, self.decay)

    def _peak(self):
        t = np.log(self.decay / self.rise) / (1 / self.rise - 1 / self.decay)
        return float(self._course(t))

    def _course(self, t):
        return (np.exp(-t / self.decay) - np.exp(-t / self.rise)) * self.decay / (self.decay - self.rise)


@dataclass(frozen=True)
class NMDA(DualExponential):
    """A conductance that magnesium blocks at low v: a `DualExponential` times 1 / (1 + magnesium/half exp(-v/slope)).

    The block is that of v at the start of a step, and held over it.

    Parameters
    ----------
    rise, decay : float
        s, rise shorter than decay.
    reversal : float
        V.
    normalised : {"peak", "area"}
        Of the conductance without the block.
    magnesium : float
        Concentration of Mg2+ outside, mol/m^3 (mM).
    half : float
        mol/m^3 that blocks half at 0 V.
    slope : float
        V.

    References
    ----------
    C. E. Jahr and C. F. Stevens, J. Neurosci. 10, 3178 (1990): 3.57 mM, 0.062 per mV.

    Examples
    --------
    >>> receptor = NMDA(2e-3, 100e-3)
    >>> receptor.block([-70e-3, 0.0]).round(3)
    array([0.044, 0.781])
    """

    rise: float = 2e-3
    decay: float = 100e-3
    reversal: float | None = 0.0
    normalised: str = "peak"
    magnesium: float = 1.0
    half: float = 3.57
    slope: float = 1e-3 / 0.062

    __repr__ = brief

    def __post_init__(self):
        super().__post_init__()
        if self.reversal is None:
            raise ValueError(
                "NMDA: reversal=None V, expected a potential: it is a conductance; without, DualExponential"
            )
        take_si(self, slope="V")
        not_negative("NMDA: magnesium in mol/m^3", self.magnesium)
        for name in ("half", "slope"):
            positive(f"NMDA: {name}", getattr(self, name))

    def block(self, v):
        """Part of the conductance that is open at voltages v (V), same shape as v."""
        return 1.0 / (1.0 + self.magnesium / self.half * np.exp(-array("v", v) / self.slope))
