"""Operating point of a circuit: an equilibrium that knows its nodes and elements by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from physlearn.dynamics.rest.equilibrium import Equilibrium


class Named(dict):
    """Values by name; names read from a netlist are found in any case of letters, as SPICE has it."""

    def __missing__(self, name):
        if isinstance(name, str) and name.lower() in self:
            return self[name.lower()]
        raise KeyError(f"there is no {name!r}; names are {', '.join(map(repr, list(self)[:8]))}")


@dataclass(frozen=True, eq=False, repr=False)
class OperatingPoint(Equilibrium):
    """A circuit at rest, with its certificate (see `physlearn.Equilibrium`).

    Attributes
    ----------
    x : (n,) or (batch, n) array, or mapping of layers to such arrays
        Voltages of all nodes, and currents of the branches that are unknowns, if there are any.
    energy : float or (batch,) array
        Co-content, watts; NaN for circuits without one.
    residual : float or (batch,) array
        Largest current left at any node (A), or equation left open at any branch (V).
    steps : int
        Newton steps of the slowest item, those of the continuations included.
    converged : bool
    method : str
        "Newton", and the continuation that was needed.
    voltages : mapping of node to float or (batch,) array
        Volts against ground.
    currents : mapping of str to float or (batch,) array
        Amperes through every element, from its first pin to its second (a MOSFET: from drain to source).
    floating : tuple
        Nodes that all elements around them have cut off, in some item; their voltage is arbitrary and given as 0 V.

    Examples
    --------
    >>> from circuits import Circuit, Resistor, VoltageSource
    >>> rest = Circuit({"V1": (VoltageSource(1.0), "a", "0"), "R1": (Resistor(2.0), "a", "0")}).solve()
    >>> rest.voltages["a"], rest.currents["R1"], rest.currents["V1"]
    (1.0, 0.5, -0.5)
    """

    voltages: Mapping[Any, Any] = field(default_factory=dict)
    currents: Mapping[str, Any] = field(default_factory=dict)
    floating: tuple = ()

    def __repr__(self):
        worst = float(np.max(self.residual, initial=0.0))
        loose = f", floating={list(self.floating)}" if self.floating else ""
        return (
            f"OperatingPoint(method={self.method!r}, converged={self.converged}, steps={self.steps}, "
            f"residual={worst:.2g}{loose})"
        )
