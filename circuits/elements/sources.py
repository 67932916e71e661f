"""Independent sources of voltage and of current, constant or in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from circuits.elements.element import Element
from circuits.elements.waveforms import Points, Pulse, Sine
from physlearn.checks import number, seen

WAVEFORMS = (Pulse, Sine, Points)


def _checked(source):
    number_or_wave = source.value
    if isinstance(number_or_wave, WAVEFORMS):
        return
    if callable(number_or_wave):
        raise TypeError(f"value: got {seen(number_or_wave)}, expected a number, or a Pulse, Sine or Points")
    object.__setattr__(source, "value", number("value", number_or_wave))


@dataclass(frozen=True, repr=False)
class VoltageSource(Element):
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
    value: Any
    dc: float | None = None

    def __post_init__(self):
        _checked(self)
        if self.dc is not None:
            object.__setattr__(self, "dc", number("dc", self.dc))

    @property
    def at_rest(self) -> float:
        """Value at the operating point."""
        given: Any = self.value if self.dc is None else self.dc
        value: Any = given(0.0) if callable(given) else given
        return float(value)

    def place(self, name, nodes, net):
        """A given voltage."""
        net.voltage(name, *nodes, self.at_rest)


@dataclass(frozen=True, repr=False)
class CurrentSource(Element):
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
    value: Any
    dc: float | None = None

    def __post_init__(self):
        _checked(self)
        if self.dc is not None:
            object.__setattr__(self, "dc", number("dc", self.dc))

    at_rest = VoltageSource.at_rest

    def place(self, name, nodes, net):
        """A given current."""
        net.current(name, *nodes, self.at_rest)
