"""What machines are made of, and what processors cost: assumptions, stated beside every result that rests on them."""

from __future__ import annotations

from dataclasses import dataclass

from physlearn.checks import count, number, positive


@dataclass(frozen=True)
class Technology:
    """What the machine is made of: assumptions.

    Parameters
    ----------
    capacitance : float
        Of every node against ground, farads; default 1 pF, a node with its wiring on a chip.  A breadboard has 100.
    accuracy : float
        Fraction of a step of the inputs that may be left at the outputs when they are read.
    setting : float
        Joules to change one element's value; default 1 pJ, 1 pF of gate charged to 1 V.
    area : float
        Square metres of one element; default that of 32 x 32 um, a transistor with its gate's capacitor and comparator.
    twins : int
        Copies of the network that learn: 2, one free and one clamped.

    Examples
    --------
    >>> Technology(capacitance=1e-10)
    Technology(capacitance=1e-10, accuracy=0.01, setting=1e-12, area=1e-09, twins=2)
    """

    capacitance: float = 1e-12
    accuracy: float = 0.01
    setting: float = 1e-12
    area: float = 1e-9
    twins: int = 2

    def __post_init__(self):
        for name in ("capacitance", "setting", "area"):
            positive(name, getattr(self, name))
        count("twins", self.twins, most=1000)
        if not 0 < number("accuracy", self.accuracy) < 1:
            raise ValueError(f"accuracy: got {self.accuracy!r}, expected a fraction between 0 and 1")


@dataclass(frozen=True)
class Processor:
    """What computes the same: assumptions.

    Parameters
    ----------
    joules : float
        Of a multiply-add in double precision with its instruction and its operands from a cache; default 100 pJ (an
        instruction takes 70 pJ in 45 nm, Horowitz 2014, ISSCC).
    rate : float
        Multiply-adds a second; default 1e9, one thread.

    Examples
    --------
    >>> Processor(joules=2e-11).rate
    1000000000.0
    """

    joules: float = 1e-10
    rate: float = 1e9

    def __post_init__(self):
        for name in ("joules", "rate"):
            positive(name, getattr(self, name))
