"""Diode: Shockley's law, optionally with a series resistance and a battery.

    i = I_s (exp((v - bias) / (n V_T)) - 1)        amperes

V_T = k T / q is the circuit's thermal voltage.  SPICE replaces the exponential below -3 n V_T by a cubic that meets it
there (``reverse="cubic"``), and puts a conductance gmin across every junction; circuits read from a netlist have both.
The co-content I_s (n V_T exp(v / n V_T) - v) is convex.  Source: Shockley 1949; Nagel 1975 (SPICE2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from circuits.elements.element import Element
from physlearn.checks import choice, not_negative, number, positive


def diode_law(u, p, d):
    """Current of a junction at drop u[0]; p: I_s, n V_T, bias, gmin, 1 for SPICE's reverse law."""
    saturation, scale, v, gmin = p[0], p[1], u[0] - p[2], p[3]
    if p[4] > 0.0 and v < -3.0 * scale:
        cube = 3.0 * scale / (v * math.e)
        cube = cube * cube * cube
        d[0] = saturation * 3.0 * cube / v + gmin
        return -saturation * (1.0 + cube) + gmin * v
    grown = saturation * math.exp(v / scale)
    d[0] = grown / scale + gmin
    return grown - saturation + gmin * v


def diode_cocontent(u, p):
    """Integral of the current from the bias to u, (batch, m) watts; u (batch, m, 1), p (m, q)."""
    saturation, scale, bias, gmin, cubic = p.T
    v = u[..., 0] - bias
    edge = np.maximum(v, -3.0 * scale)  # where the cubic begins
    low = np.where(cubic > 0, edge, v)
    shockley = saturation * (scale * np.expm1(low / scale) - low)
    third = (3.0 * scale / np.e) ** 3
    with np.errstate(divide="ignore", invalid="ignore"):
        below = -saturation * (v - edge) + 0.5 * saturation * third * (v**-2.0 - edge**-2.0)
    return shockley + np.where((cubic > 0) & (v < edge), below, 0.0) + 0.5 * gmin * v * v


@dataclass(frozen=True, repr=False)
class Diode(Element):
    """A junction diode; its anode is +.

    Parameters
    ----------
    saturation : float
        Saturation current I_s, amperes.
    ideality : float
        Emission coefficient n.
    resistance : float
        Series resistance, ohms.
    bias : float
        Volts of a battery in series, which the drop must overcome.
    reverse : {"exponential", "cubic"}
        Law far below zero: Shockley's, or SPICE's.

    Examples
    --------
    A diode fed by 1 mA:

    >>> import numpy as np
    >>> from circuits import Circuit, CurrentSource
    >>> circuit = Circuit({"I1": (CurrentSource(1e-3), "0", "a"), "D1": (Diode(1e-14), "a", "0")})
    >>> v = circuit.solve().voltages["a"]
    >>> bool(np.isclose(v, circuit.thermal_voltage * np.log(1e-3 / 1e-14 + 1)))
    True
    """

    pins: ClassVar = ("anode", "cathode")
    law: ClassVar = staticmethod(diode_law)
    cocontent: ClassVar = staticmethod(diode_cocontent)
    saturation: float = 1e-14
    ideality: float = 1.0
    resistance: float = 0.0
    bias: float = 0.0
    reverse: str = "exponential"

    def __post_init__(self):
        for name in ("saturation", "ideality"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))
        object.__setattr__(self, "resistance", not_negative("resistance", self.resistance))
        object.__setattr__(self, "bias", number("bias", self.bias))
        choice("reverse", self.reverse, ("exponential", "cubic"))

    def numbers(self, net):
        """p of the law."""
        scale = self.ideality * net.thermal_voltage
        return self.saturation, scale, self.bias, net.gmin, float(self.reverse == "cubic")

    def place(self, name, nodes, net):
        """A junction, behind the series resistance if there is one."""
        anode, cathode = nodes
        if self.resistance:
            anode = net.inner(name, "junction")
            net.edge(f"{name}#resistance", nodes[0], anode, 1.0 / self.resistance)
        scale = self.ideality * net.thermal_voltage
        critical = scale * math.log(scale / (math.sqrt(2.0) * self.saturation))
        net.device(name, self, anode, cathode, [(anode, cathode)], junction=(scale, critical, self.bias))
