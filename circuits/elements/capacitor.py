"""Capacitor: i = C dv/dt, an open circuit at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.elements.element import Element
from physlearn.checks import number, positive


@dataclass(frozen=True, repr=False)
class Capacitor(Element):
    """A linear capacitor.

    Parameters
    ----------
    capacitance : float
        Farads, positive.
    initial : float, optional
        Volts across it at the start of a transient that skips the operating point.

    Examples
    --------
    >>> Capacitor(1e-9)
    Capacitor(capacitance=1e-09)
    """

    conducts: ClassVar = ()
    capacitance: float
    initial: float | None = None

    def __post_init__(self):
        object.__setattr__(self, "capacitance", positive("capacitance", self.capacitance))
        if self.initial is not None:
            object.__setattr__(self, "initial", number("initial", self.initial))

    def place(self, name, nodes, net):
        """Nothing at rest; a transient reads it from the net."""
        net.capacitor(name, *nodes, self.capacitance, self.initial)
