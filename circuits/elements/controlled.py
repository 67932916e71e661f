"""Linear controlled sources, SPICE's E, G, F and H.

A bidirectional amplifier (Kendall et al. 2020, arXiv:2006.01981) of gain A from node a to node b is a `VCVS` of gain A
from a to b and a `CCCS` of gain 1/A that takes the current of b's source back out of a.  Amplifiers feed power in, so
that a circuit with any is a `System` without an energy, and its Jacobian is not symmetric.  Where layers follow one
another behind such pairs, an energy exists after scaling: see `circuits.as_circuit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.elements.element import Element
from physlearn.checks import number, text

CONTROLLED = ("+", "-", "control +", "control -")


@dataclass(frozen=True, repr=False)
class VCVS(Element):
    """Voltage-controlled voltage source (E): v(+) - v(-) = gain * (v(control +) - v(control -)).

    Parameters
    ----------
    gain : float
        Dimensionless.

    Examples
    --------
    >>> from circuits import Circuit, Resistor, VoltageSource
    >>> amplifier = Circuit({"V1": (VoltageSource(0.5), "a", "0"), "E1": (VCVS(4.0), "b", "0", "a", "0"),
    ...                      "R1": (Resistor(1e3), "b", "0")})
    >>> amplifier.solve().voltages["b"]
    2.0
    """

    pins: ClassVar = CONTROLLED
    imposes: ClassVar = True
    gain: float

    def __post_init__(self):
        object.__setattr__(self, "gain", number("gain", self.gain))

    def place(self, name, nodes, net):
        """A branch whose voltage follows the control."""
        row = net.branch(name, nodes[0], nodes[1])
        net.entry(row, nodes[2], nodes[3], self.gain)


@dataclass(frozen=True, repr=False)
class VCCS(Element):
    """Voltage-controlled current source (G): transconductance * (v(control +) - v(control -)) from + to -.

    Parameters
    ----------
    transconductance : float
        Siemens.

    Examples
    --------
    >>> VCCS(1e-3)
    VCCS(transconductance=0.001)
    """

    pins: ClassVar = CONTROLLED
    conducts: ClassVar = ()
    transconductance: float

    def __post_init__(self):
        object.__setattr__(self, "transconductance", number("transconductance", self.transconductance))

    def place(self, name, nodes, net):
        """Two rows that receive the controlled current."""
        a, b, plus, minus = nodes
        net.entry(a, plus, minus, -self.transconductance)
        net.entry(b, plus, minus, self.transconductance)
        net.measured(name, plus, minus, self.transconductance)


@dataclass(frozen=True, repr=False)
class CCCS(Element):
    """Current-controlled current source (F): gain * i(control) from + to -.

    Parameters
    ----------
    gain : float
        Dimensionless.
    control : str
        Name of the voltage source whose current controls; its current flows in at its + node.

    Examples
    --------
    >>> CCCS(2.0, "V1")
    CCCS(gain=2.0, control='V1')
    """

    conducts: ClassVar = ()
    gain: float
    control: str

    def __post_init__(self):
        object.__setattr__(self, "gain", number("gain", self.gain))
        text("control", self.control, "the name of a voltage source")

    def place(self, name, nodes, net):
        """Two rows that receive the controlled current."""
        current = net.current_of(name, self.control)
        net.entry(nodes[0], current, None, -self.gain)
        net.entry(nodes[1], current, None, self.gain)
        net.measured(name, current, None, self.gain)


@dataclass(frozen=True, repr=False)
class CCVS(Element):
    """Current-controlled voltage source (H): v(+) - v(-) = transresistance * i(control).

    Parameters
    ----------
    transresistance : float
        Ohms.
    control : str
        Name of the voltage source whose current controls; its current flows in at its + node.

    Examples
    --------
    >>> CCVS(50.0, "V1")
    CCVS(transresistance=50.0, control='V1')
    """

    imposes: ClassVar = True
    transresistance: float
    control: str

    def __post_init__(self):
        object.__setattr__(self, "transresistance", number("transresistance", self.transresistance))
        text("control", self.control, "the name of a voltage source")

    def place(self, name, nodes, net):
        """A branch whose voltage follows a current."""
        row = net.branch(name, *nodes)
        net.entry(row, net.current_of(name, self.control), None, self.transresistance)
