"""Resistor: Ohm's law i = v / R.

Its co-content g v^2 / 2 is half the power that it dissipates.
"""

from __future__ import annotations

from dataclasses import dataclass

from circuits.elements.element import Element
from physlearn.checks import positive


@dataclass(frozen=True, repr=False)
class Resistor(Element):
    """An ohmic resistor.

    Parameters
    ----------
    resistance : float
        Ohms, positive; for an open circuit leave it out, for a short give both ends one node.

    Examples
    --------
    >>> from circuits import Circuit, Resistor, VoltageSource
    >>> divider = Circuit({"V1": (VoltageSource(3.0), "in", "0"), "R1": (Resistor(1e3), "in", "out"),
    ...                    "R2": (Resistor(2e3), "out", "0")})
    >>> divider.solve().voltages["out"]
    2.0
    """

    resistance: float

    def __post_init__(self):
        object.__setattr__(self, "resistance", positive("resistance", self.resistance))

    def place(self, name, nodes, net):
        """A conductance."""
        net.edge(name, *nodes, 1.0 / self.resistance)
