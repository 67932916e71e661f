"""Phase separation as a buffer of noise, beside proportional and integral control of the same plant.

A cell makes molecules at a noisy rate p(t) and loses them at the rate gamma.  What is above the saturation s, the
dilute arm of the binodal, condenses; what is missing below it dissolves, as long as there are condensates (amount d):

    dc/dt = max(p + a, 0) - gamma c - flux,     flux = max(r (c - s), -q d)
    dd/dt = flux - gamma d
    da/dt = (K_p (c* - c) + K_i i - a)/lag,     di/dt = c* - c

c is the dilute concentration that the cell works with, c + d the total, which the exchange does not change.  A
controller reads c and changes the production by a, after a lag.  Where exchange is fast c = min(c + d, s): fluctuations
of the total above s are taken up (Klosin, Oltsch, Harmon, Honigmann, Juelicher, Hyman and Zechner 2020).  For totals
that are Gaussian the ratio of the variances is known, `buffer_ratio`.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, positive
from physlearn.energy import Real, System
from physlearn.readout import Readout


def buffered_plant(*, decay, target, lag, dissolution=10.0) -> System:
    """A noisy production with condensation, control, both or neither; for `integrate`.

    Parameters
    ----------
    decay : float
        gamma, 1/s.
    target : float
        c*, concentration.
    lag : float
        Of the controller's actuator, s.
    dissolution : float
        q, the most that condensates lose of themselves, 1/s.

    Returns
    -------
    System
        Layers "c", "d", "a", "i", and two that clamps of the same names drive, item by item: "p", the production, and
        "settings", the four numbers s, r, K_p, K_i.

    Examples
    --------
    Production of twice what the saturation holds: half of the molecules condense.

    >>> from physlearn import integrate
    >>> plant = buffered_plant(decay=1.0, target=0.5, lag=0.1)
    >>> run = integrate(plant, (0.0, 20.0), clamp={"p": [1.0], "settings": [0.5, 50.0, 0.0, 0.0]})
    >>> print(f"{run.final['c'][0]:.2f} {run.final['d'][0]:.2f}")
    0.51 0.49
    """
    layers = {"c": (Real(0.0), 1), "d": (Real(0.0), 1), "a": (Real(), 1), "i": (Real(), 1)}
    layers |= {"p": (Real(), 1), "settings": (Real(), 4)}
    return System(
        layers, [Exchange(decay, target, lag, dissolution)], {}, {name: Readout(name) for name in ("p", "settings")}
    )


class Exchange:
    """The plant's equations; the fields of "p" and "settings", which clamps drive, are zero."""

    layers = ("c", "d", "a", "i", "p", "settings")
    rowwise = True

    def __init__(self, decay, target, lag, dissolution):
        self.decay, self.target = positive("decay", decay), positive("target", target)
        self.lag, self.dissolution = positive("lag", lag), positive("dissolution", dissolution)

    def field(self, x, theta, layer):
        """Time derivatives, shaped like the layer."""
        c, d = x["c"], x["d"]
        s, r, proportional, integral = (x["settings"][:, [k]] for k in range(4))
        if layer in ("c", "d"):
            flux = np.maximum(r * (c - s), -self.dissolution * d)
            return np.maximum(x["p"] + x["a"], 0.0) - self.decay * c - flux if layer == "c" else flux - self.decay * d
        if layer == "a":
            return (proportional * (self.target - c) + integral * x["i"] - x["a"]) / self.lag
        return self.target - c if layer == "i" else np.zeros_like(x[layer])

    def response(self, x, theta, weight):
        """Nothing: it has no parameters."""
        return {}


def buffer_ratio(mean, deviation, saturation):
    """Variance of min(X, s) over that of X, Gaussian: what the binodal lets through of the total's fluctuations.

    Parameters
    ----------
    mean, deviation : float or array
        Of the total concentration.
    saturation : float or array
        s, the dilute arm of the binodal.

    Examples
    --------
    >>> buffer_ratio(1.0, 0.2, [0.6, 1.0, 1.4]).round(4)  # far below, at, and above the mean
    array([0.0057, 0.3408, 0.9602])
    """
    from scipy.special import ndtr

    sd = array("deviation", deviation)
    if np.any(sd <= 0):
        raise ValueError(f"deviation: got {deviation!r}, expected positive numbers")
    a = (array("saturation", saturation) - array("mean", mean)) / sd
    density, above = np.exp(-0.5 * a * a) / np.sqrt(2.0 * np.pi), ndtr(-a)
    first = a * above - density
    return (1.0 - above - a * density + a * a * above - first * first)[()]
