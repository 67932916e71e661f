"""Independent sources of voltage and of current, constant or in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from circuits.elements.element import Element
from circuits.elements.waveforms import Points, Pulse, Sine
from physlearn.checks import number, seen

WAVEFORMS = (Pulse, Sine, Points)


@dataclass(frozen=True, repr=False)
class _Source(Element):
    """A value, constant or in time, and another at the operating point."""

    value: Any
    dc: float | None = None

    def __post_init__(self):
        if not isinstance(self.value, WAVEFORMS):
            if callable(self.value):
                raise TypeError(f"value: got {seen(self.value)}, expected a number, or a Pulse, Sine or Points")
            object.__setattr__(self, "value", number("value", self.value))
        if self.dc is not None:
            object.__setattr__(self, "dc", number("dc", self.dc))

    @property
    def at_rest(self) -> float:
        """Value at the operating point."""
        given: Any = self.value if self.dc is None else self.dc
        value: Any = given(0.0) if callable(given) else given
        return float(value)


@dataclass(frozen=True, repr=False)
class VoltageSource(_Source):
    """An ideal source of voltage: v(+) - v(-) is given.

    Parameters
    ----------
    value : float or Pulse, Sine, Points
        Volts.  At an operating point a waveform has its value at t = 0, unless ``dc`` is given.
    dc : float, optional
        Volts at the operating point.

    Examples
    --------
    >>> VoltageSource(5.0).at_rest
    5.0
    """

    imposes: ClassVar = True

    def place(self, name, nodes, net):
        """A given voltage."""
        net.voltage(name, *nodes, self.at_rest)


@dataclass(frozen=True, repr=False)
class CurrentSource(_Source):
    """An ideal source of current, which flows through it from its first node to its second.

    Parameters
    ----------
    value : float or Pulse, Sine, Points
        Amperes.  At an operating point a waveform has its value at t = 0, unless ``dc`` is given.
    dc : float, optional
        Amperes at the operating point.

    Examples
    --------
    1 mA into node "a" and through 1 kohm to ground:

    >>> from circuits import Circuit, CurrentSource, Resistor
    >>> circuit = Circuit({"I1": (CurrentSource(1e-3), "0", "a"), "R1": (Resistor(1e3), "a", "0")})
    >>> circuit.solve().voltages["a"]
    1.0
    """

    conducts: ClassVar = ()

    def place(self, name, nodes, net):
        """A given current."""
        net.current(name, *nodes, self.at_rest)
