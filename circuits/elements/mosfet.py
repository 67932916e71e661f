"""MOSFET of SPICE's level 1: the square law of Shichman and Hodges, with junctions to the bulk.

With v_GS, v_DS, v_BS against the lower of drain and source (the upper for a p-channel), beta = KP W / L,

    V_T = VTO + gamma (sqrt(phi - v_BS) - sqrt(phi)),   v = v_GS - V_T
    i = beta (1 + lambda v_DS) v_DS (v - v_DS / 2)      v_DS < v
    i = beta (1 + lambda v_DS) v^2 / 2                  v_DS >= v > 0
    i = 0                                               v <= 0

For v_BS > 0 the root continues as its tangent, sqrt(phi) - v_BS / (2 sqrt(phi)), down to zero.  SPICE's gmin lies
across the junctions from bulk to drain and to source, where a cut-off transistor leaks to its bulk and not along its
channel.  Source: Shichman and Hodges 1968; Vladimirescu and Liu 1980.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from circuits.elements.element import Element
from physlearn.checks import choice, not_negative, number, positive


def square_law(u, p, d):
    """Current from drain to source at u = V_D, V_G, V_S, V_B; p: sign, beta, VTO, gamma, phi, lambda."""
    sign = p[0]
    drain, gate, source, bulk = sign * u[0], sign * u[1], sign * u[2], sign * u[3]
    forward = drain >= source
    if forward:
        low, high = source, drain
    else:
        low, high = drain, source
    vds, vbs, beta, gamma, phi, lam = high - low, bulk - low, p[1], p[3], p[4], p[5]
    root = math.sqrt(phi)
    if vbs <= 0.0:
        bent = math.sqrt(phi - vbs)
        slope = -0.5 / bent
    else:
        bent = root - 0.5 * vbs / root
        slope = -0.5 / root
        if bent < 0.0:
            bent, slope = 0.0, 0.0
    over = gate - low - (sign * p[2] + gamma * (bent - root))
    by_bulk = -gamma * slope  # d over / d vbs
    d[0], d[1], d[2], d[3] = 0.0, 0.0, 0.0, 0.0
    if over <= 0.0:
        return 0.0
    longer = 1.0 + lam * vds
    if over <= vds:
        i = 0.5 * beta * longer * over * over
        by_over = beta * longer * over
        by_vds = 0.5 * beta * lam * over * over
    else:
        inner = vds * (over - 0.5 * vds)
        i = beta * longer * inner
        by_over = beta * longer * vds
        by_vds = beta * (longer * (over - vds) + lam * inner)
    by_low = -by_over * (1.0 + by_bulk) - by_vds
    turned = 1.0 if forward else -1.0
    d[1], d[3] = turned * by_over, turned * by_over * by_bulk
    if forward:
        d[0], d[2] = by_vds, by_low
    else:
        d[2], d[0] = -by_vds, -by_low
    return turned * sign * i


def junction_law(u, p, d):
    """Current of a bulk junction at drop u[0]; p: I_s, V_T, gmin.  SPICE's law: constant below -3 V_T."""
    v = u[0]
    if v <= -3.0 * p[1]:
        d[0] = p[2]
        return p[2] * v - p[0]
    grown = p[0] * math.exp(v / p[1])
    d[0] = grown / p[1] + p[2]
    return grown - p[0] + p[2] * v


@dataclass(frozen=True, repr=False)
class BulkJunction(Element):
    """Junction between the bulk of a `MOSFET` and its drain or source; placed by it."""

    law: ClassVar = staticmethod(junction_law)
    saturation: float = 1e-14

    def numbers(self, net):
        """p of the law."""
        return self.saturation, net.thermal_voltage, net.gmin


@dataclass(frozen=True, repr=False)
class MOSFET(Element):
    """A field-effect transistor, level 1; pins drain, gate, source, bulk.

    Parameters
    ----------
    polarity : {"n", "p"}
    threshold : float
        VTO, volts; negative for an enhancement p-channel.
    transconductance : float
        KP, amperes per square volt.
    width, length : float
        Metres; only their ratio counts.
    modulation : float
        Channel-length modulation lambda, 1/V.
    body : float
        Body effect gamma, square root of volts.
    surface : float
        Surface potential phi, volts.
    saturation : float
        I_s of each bulk junction, amperes; 0 for none.

    Examples
    --------
    In saturation, i = KP (W/L) (V_GS - VTO)^2 / 2:

    >>> from circuits import Circuit, VoltageSource
    >>> device = MOSFET("n", threshold=0.7, transconductance=1e-3, saturation=0.0)
    >>> circuit = Circuit({"VD": (VoltageSource(5.0), "d", "0"), "VG": (VoltageSource(1.7), "g", "0"),
    ...                    "M1": (device, "d", "g", "0", "0")})
    >>> circuit.solve().currents["M1"]
    0.0005
    """

    pins: ClassVar = ("drain", "gate", "source", "bulk")
    conducts: ClassVar = ((0, 2), (0, 3), (2, 3))
    law: ClassVar = staticmethod(square_law)
    polarity: str = "n"
    threshold: float = 0.0
    transconductance: float = 2e-5
    width: float = 1e-4
    length: float = 1e-4
    modulation: float = 0.0
    body: float = 0.0
    surface: float = 0.6
    saturation: float = 1e-14

    def __post_init__(self):
        choice("polarity", self.polarity, ("n", "p"))
        object.__setattr__(self, "threshold", number("threshold", self.threshold))
        for name in ("transconductance", "width", "length", "surface"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))
        for name in ("modulation", "body", "saturation"):
            object.__setattr__(self, name, not_negative(name, getattr(self, name)))

    def numbers(self, net):
        """p of the law."""
        sign = 1.0 if self.polarity == "n" else -1.0
        beta = self.transconductance * self.width / self.length
        return sign, beta, self.threshold, self.body, self.surface, self.modulation

    def place(self, name, nodes, net):
        """A channel, and a junction from bulk to each end of it."""
        drain, gate, source, bulk = nodes
        net.device(name, self, drain, source, [(node, 0) for node in nodes])
        if self.saturation == 0.0 and net.gmin == 0.0:
            return
        sign, scale = (1.0 if self.polarity == "n" else -1.0), net.thermal_voltage
        junction = BulkJunction(self.saturation)
        critical = scale * math.log(scale / (math.sqrt(2.0) * max(self.saturation, 1e-300)))
        for end, node in (("drain", drain), ("source", source)):
            if node != bulk:
                ends = (bulk, node) if sign > 0 else (node, bulk)
                limits = (scale, critical, 0.0) if self.saturation else None
                net.device(f"{name}#{end}", junction, *ends, [ends], junction=limits)
