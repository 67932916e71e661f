"""A law of one's own: plain functions i(v) and di/dv, compiled and kept on disk.

The functions are compiled by Numba with bounds checks (`physlearn.kernels.cfuncs`), so they may use loops, arithmetic,
`math` and NumPy arrays; what they refer to is part of the key under which they are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from circuits.elements.element import Element
from physlearn.checks import array, function


@dataclass(frozen=True, repr=False)
class Law(Element):
    """A two-terminal element given by its current and its differential conductance.

    Parameters
    ----------
    current : function
        v -> i, or (v, p) -> i with parameters: amperes from + to - at v volts.
    slope : function
        The same for di/dv, siemens.
    parameters : tuple of float, optional
        What the functions get as an array p; without them they take v alone.

    Raises
    ------
    TypeError
        Functions that Numba cannot compile to numbers, by name.
    ValueError
        When a circuit is solved: functions that return NaN, by the element's name and the voltage.

    Examples
    --------
    A cubic conductance fed by 8 mA:

    >>> from circuits import Circuit, CurrentSource
    >>> def current(v):
    ...     return 1e-3 * v**3
    >>> def slope(v):
    ...     return 3e-3 * v**2
    >>> cubic = Law(current, slope)
    >>> circuit = Circuit({"I1": (CurrentSource(8e-3), "0", "a"), "N1": (cubic, "a", "0")})
    >>> round(circuit.solve(x0=[0.0, 1.0]).voltages["a"], 9)
    2.0
    """

    current: Callable
    slope: Callable
    parameters: Any = ()

    def __post_init__(self):
        numbers = array("parameters", self.parameters, ndim=1) if len(np.shape(self.parameters)) else None
        if numbers is None:
            raise TypeError(f"parameters: got {self.parameters!r}, expected a tuple of numbers")
        object.__setattr__(self, "parameters", tuple(numbers.tolist()))
        for name in ("current", "slope"):
            function(name, getattr(self, name), 2 if self.parameters else 1, "a function of the voltage")

    law: ClassVar[Any] = None

    def numbers(self, net):
        """The parameters."""
        return self.parameters

    def place(self, name, nodes, net):
        """A device of this pair of functions."""
        net.device(name, self, *nodes, [nodes], sort=("law", self.current, self.slope, bool(self.parameters)))
