"""Transistor edge of a contrastive local learning network: an n-channel MOSFET in its triode regime.

    i = K (V_G - V_th - (V_D + V_S) / 2)_+ (V_D - V_S)        amperes from D to S

V_G, the charge on the gate's capacitor, is what learns; it is held against ground, so the current depends on the
level of V_D and V_S and not on their difference alone: the Jacobian is not symmetric, and no power is minimal at rest.
What a gate sees is K (V_D - V_S)^2 / 2, the rate at which half the dissipated power grows with V_G.
Source: Dillavou, Beyer, Stern, Liu, Miskin, Durian 2024, PNAS 121, e2319718121.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.elements.element import Element
from physlearn.checks import number, positive


def transistor_law(u, p, d):
    """Current from u[0] = V_D to u[1] = V_S; p: V_G, K, V_th."""
    over = p[0] - p[2] - 0.5 * (u[0] + u[1])
    drop = u[0] - u[1]
    if over <= 0.0:
        d[0], d[1] = 0.0, 0.0
        return 0.0
    d[0] = p[1] * (over - 0.5 * drop)
    d[1] = p[1] * (-over - 0.5 * drop)
    return p[1] * over * drop


def transistor_seen(u, p, d):
    """What the gate sees: K (V_D - V_S)^2 / 2."""
    drop = u[0] - u[1]
    return 0.5 * p[1] * drop * drop


@dataclass(frozen=True, repr=False)
class TransistorEdge(Element):
    """A conducting channel between two nodes, with a gate of its own.

    Parameters
    ----------
    gate : float
        V_G against ground, volts; ``theta["gate"]`` of the circuit's system.
    gain : float
        K, amperes per square volt.
    threshold : float
        V_th, volts.

    Examples
    --------
    >>> from circuits import Circuit, VoltageSource
    >>> pair = Circuit({"V1": (VoltageSource(1.0), "a", "0"), "T1": (TransistorEdge(3.0), "a", "b"),
    ...                 "T2": (TransistorEdge(3.0), "b", "0")})
    >>> round(pair.solve().voltages["b"], 6)
    0.431846
    """

    pins: ClassVar = ("drain", "source")
    law: ClassVar = staticmethod(transistor_law)
    seen: ClassVar = staticmethod(transistor_seen)
    learns: ClassVar = {"gate": 0}
    gate: float
    gain: float = 1e-3
    threshold: float = 0.7

    def __post_init__(self):
        for name in ("gate", "threshold"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        object.__setattr__(self, "gain", positive("gain", self.gain))

    def numbers(self, net):
        """p of the law."""
        return self.gate, self.gain, self.threshold

    def place(self, name, nodes, net):
        """A channel whose current depends on both voltages against ground."""
        net.device(name, self, *nodes, [(nodes[0], 0), (nodes[1], 0)])
