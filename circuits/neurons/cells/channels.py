"""Gates of ion channels: opening and closing rates against voltage, time constants, steady states.

A gate opens at rate alpha(V) and closes at rate beta(V): dx/dt = alpha (1 - x) - beta x, so that x relaxes to x_inf =
alpha / (alpha + beta) with time constant tau = 1 / (alpha + beta).  Every rate of Hodgkin and Huxley (1952) and of
Traub and Miles (1991) has one of three forms, with y = (V - midpoint) / scale:

    exponential   rate exp(y)
    sigmoid       rate / (1 + exp(-y))
    linoid        rate y / (1 - exp(-y)),   rate at y = 0

Volts and 1/s throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, instance, number

FORMS = ("exponential", "sigmoid", "linoid")


@dataclass(frozen=True)
class Rate:
    """A rate against voltage.

    Parameters
    ----------
    form : {"exponential", "sigmoid", "linoid"}
    rate : float
        1/s, positive.
    midpoint : float
        V.
    scale : float
        V; negative where the rate falls with voltage.

    Examples
    --------
    The opening rate of the squid's sodium activation at -40 mV, where the usual formula is 0/0:

    >>> float(Rate("linoid", 1e3, -40e-3, 10e-3)(-40e-3))
    1000.0
    """

    form: str
    rate: float
    midpoint: float
    scale: float

    def __post_init__(self):
        choice("form", self.form, FORMS)
        for name in ("rate", "midpoint", "scale"):
            number(name, getattr(self, name))
        if self.rate <= 0.0:
            raise ValueError(f"rate: got {self.rate!r} 1/s, expected a positive rate (were ms meant? 1/ms is 1e3 1/s)")
        if self.scale == 0.0:
            raise ValueError("scale: got 0 V, expected a voltage over which the rate changes; negative where it falls")

    def __call__(self, v):
        """The rate at voltages v, 1/s, same shape."""
        return self.at(array("v", v))

    def at(self, v):
        """The same of voltages that have been checked: one at a time, the check takes longer than the rate."""
        y = (v - self.midpoint) / self.scale
        if self.form == "exponential":
            return self.rate * np.exp(y)[()]
        if self.form == "sigmoid":
            return self.rate / (1.0 + np.exp(-y))[()]
        safe = np.where(y == 0.0, 1.0, y)
        return self.rate * np.where(y == 0.0, 1.0, safe / -np.expm1(-safe))[()]

    def slope(self, v):
        """Derivative of the rate, 1/(s V).

        Parameters
        ----------
        v : float or array
            V.

        Examples
        --------
        >>> round(float(Rate("exponential", 100.0, 0.0, 10e-3).slope(0.0)), 6)
        10000.0
        """
        y = (array("v", v) - self.midpoint) / self.scale
        factor = self.rate / self.scale
        if self.form == "exponential":
            return factor * np.exp(y)[()]
        if self.form == "sigmoid":
            return factor * (np.exp(-y) / (1.0 + np.exp(-y)) ** 2)[()]
        small = np.abs(y) < 1e-2
        safe = np.where(small, 1.0, y)
        open_ = -np.expm1(-safe)
        return factor * np.where(small, 0.5 + y / 6.0 - y**3 / 180.0, 1.0 / open_ - safe * np.exp(-safe) / open_**2)[()]

    def coefficients(self):
        """Of the kernels: with y = c0 + c1 V and e = exp(y) - c6, (c2 + c3 e + c4 y) / (1 - c6 + c5 e)."""
        r, mid, s = self.rate, self.midpoint, self.scale
        if self.form == "exponential":
            return [-mid / s, 1.0 / s, 0.0, r, 0.0, 0.0, 0.0]
        if self.form == "sigmoid":
            return [mid / s, -1.0 / s, r, 0.0, 0.0, 1.0, 0.0]
        return [mid / s, -1.0 / s, 0.0, 0.0, -r, -1.0, 1.0]


@dataclass(frozen=True)
class Gate:
    """A gate that opens and closes at voltage-dependent rates.

    Parameters
    ----------
    alpha, beta : Rate
        Opening and closing.

    Examples
    --------
    >>> m, h, n = squid_gates()
    >>> float(m.steady(-65e-3)), float(m.time_constant(-65e-3))
    (0.05293, 0.0002368)
    """

    alpha: Rate
    beta: Rate

    __repr__ = brief

    def __post_init__(self):
        for name in ("alpha", "beta"):
            instance(f"Gate: {name}", getattr(self, name), Rate, "a Rate")

    def time_constant(self, v):
        """1 / (alpha + beta), s.

        Parameters
        ----------
        v : float or array
            V.
        """
        v = array("v", v)
        return 1.0 / (self.alpha.at(v) + self.beta.at(v))

    def steady(self, v):
        """Open fraction in the long run, alpha / (alpha + beta).

        Parameters
        ----------
        v : float or array
            V.
        """
        return self.steady_at(array("v", v))

    def steady_at(self, v):
        """`steady` of voltages that have been checked."""
        alpha = self.alpha.at(v)
        return alpha / (alpha + self.beta.at(v))

    def slope(self, v):
        """Derivative of the steady state, 1/V.

        Parameters
        ----------
        v : float or array
            V.

        Examples
        --------
        >>> float(squid_gates()[2].slope(-65e-3)) > 0  # potassium channels open with voltage
        True
        """
        a, b = self.alpha(v), self.beta(v)
        return (self.alpha.slope(v) * b - a * self.beta.slope(v)) / (a + b) ** 2


def squid_gates():
    """Gates m, h, n of the squid giant axon at 6.3 C, rates of 1952 shifted so that rest is near -65 mV.

    Returns
    -------
    tuple of Gate

    References
    ----------
    Hodgkin and Huxley, J. Physiol. 117 (1952) 500, equations 12, 13, 20, 21, 23, 24; their V is -(v + 65 mV).
    """
    return (
        Gate(Rate("linoid", 1e3, -40e-3, 10e-3), Rate("exponential", 4e3, -65e-3, -18e-3)),
        Gate(Rate("exponential", 70.0, -65e-3, -20e-3), Rate("sigmoid", 1e3, -35e-3, 10e-3)),
        Gate(Rate("linoid", 100.0, -55e-3, 10e-3), Rate("exponential", 125.0, -65e-3, -80e-3)),
    )


def traub_miles_gates(v_t=-63e-3):
    """Gates m, h, n of hippocampal pyramidal cells.

    Parameters
    ----------
    v_t : float
        V; moves all of them along the voltage axis.

    Returns
    -------
    tuple of Gate

    References
    ----------
    Traub and Miles, Neuronal Networks of the Hippocampus (1991), as used by Brette et al., J. Comput. Neurosci. 23
    (2007) 349, benchmark 3.

    Examples
    --------
    >>> m, h, n = traub_miles_gates(-63e-3)
    >>> m.alpha.midpoint
    -0.05
    """
    v_t = number("v_t", v_t)
    return (
        Gate(Rate("linoid", 1280.0, v_t + 13e-3, 4e-3), Rate("linoid", 1400.0, v_t + 40e-3, -5e-3)),
        Gate(Rate("exponential", 128.0, v_t + 17e-3, -18e-3), Rate("sigmoid", 4e3, v_t + 40e-3, 5e-3)),
        Gate(Rate("linoid", 160.0, v_t + 15e-3, 5e-3), Rate("exponential", 500.0, v_t + 10e-3, -40e-3)),
    )
