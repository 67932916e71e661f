"""Ideal diode: a bound.  No current below its bias, no further drop above it.

    v <= bias,  i >= 0,  i (v - bias) = 0

The current is an unknown of its own, and the three lines are one equation, i = max(0, i + g (v - bias)) for any g > 0,
that Newton's method solves in finitely many steps (a semismooth, active-set method: Hintermueller, Ito, Kunisch 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.elements.element import Element
from physlearn.checks import number, positive


def ideal_diode_law(u, p, d):
    """max(0, i + g (v - bias)) of i = u[0], v = u[1]; p: bias, g."""
    pushed = u[0] + p[1] * (u[1] - p[0])
    if pushed > 0.0:
        d[0], d[1] = 1.0, p[1]
        return pushed
    d[0], d[1] = 0.0, 0.0
    return 0.0


@dataclass(frozen=True, repr=False)
class IdealDiode(Element):
    """A diode without any drop beyond its bias; its anode is +.

    Parameters
    ----------
    bias : float
        Volts at which it begins to conduct.
    scale : float
        Siemens by which a drop is weighed against a current while the solver searches; the solution does not depend
        on it.

    Examples
    --------
    >>> from circuits import Circuit, IdealDiode, Resistor, VoltageSource
    >>> clipper = Circuit({"V1": (VoltageSource(5.0), "in", "0"), "R1": (Resistor(1e3), "in", "out"),
    ...                    "D1": (IdealDiode(0.5), "out", "0")})
    >>> clipper.solve().voltages["out"]
    0.5
    """

    pins: ClassVar = ("anode", "cathode")
    law: ClassVar = staticmethod(ideal_diode_law)
    bias: float = 0.0
    scale: float = 1e-3

    def __post_init__(self):
        object.__setattr__(self, "bias", number("bias", self.bias))
        object.__setattr__(self, "scale", positive("scale", self.scale))

    def numbers(self, net):
        """p of the law."""
        return self.bias, self.scale

    def place(self, name, nodes, net):
        """A current of its own, and its equation."""
        row = net.free_current(name, *nodes)
        net.entry(row, row, None, -1.0)
        net.device(name, self, None, row, [(row, None), nodes])
