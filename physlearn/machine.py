"""Machine: what a verb takes, and what every machine of the package has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from physlearn.energy import System


@runtime_checkable
class Machine(Protocol):
    """A physical system with a name and a use: what every verb takes, and `learn` gives back trained.

    A class with these three members is a machine, whatever it derives from.  A `System` and an `Energy` are machines
    too: their system is themselves.  A memory, a Boltzmann machine, a resistor network hold one, beside what they are
    asked about (recall, likelihood, currents).

    Attributes
    ----------
    system : System
        The layers and terms that the verbs move; an `Energy` where there is one.
    theta : mapping of str to array
        What can learn: the parameters of ``system``, under the same names; read-only.

    Methods
    -------
    with_theta(theta)
        The same machine with other parameters: some or all names, arrays shaped as they are.  ``ValueError`` for a name
        that is no parameter, another shape, NaN or infinity.  With the theta it has, it is as it was.

    Examples
    --------
    A spring whose stiffness may learn, as a machine:

    >>> from physlearn import Energy, Machine, Readout, Real, relax
    >>> from physlearn.terms import Edges
    >>> class Spring:
    ...     def __init__(self, stiffness):
    ...         springs, ends = Edges("x", [(0, 1)], parameter="k"), {"ends": Readout("x", [0, 1])}
    ...         self.system = Energy({"x": (Real(), 2)}, [springs], {"k": [stiffness]}, ends)
    ...     @property
    ...     def theta(self):
    ...         return self.system.theta
    ...     def with_theta(self, theta):
    ...         return Spring(*self.system.with_theta(theta).theta["k"])
    >>> spring = Spring(2.0)
    >>> isinstance(spring, Machine), relax(spring, clamp={"ends": [0.0, 1.0]}).converged
    (True, True)
    """

    @property
    def system(self) -> Any:
        """The layers and terms that the verbs move."""

    @property
    def theta(self) -> Mapping[str, np.ndarray]:
        """What can learn."""
        ...

    def with_theta(self, theta: Mapping[str, Any], /) -> Any:
        """The same machine with other parameters."""


def one_way_of(system) -> str:
    """Why the forces of some terms are no gradient of their energy, or ""; see `physlearn.maps.FeedbackAffine`."""
    found = next((term for term in system.terms if not getattr(term, "reciprocal", True)), None)
    return "" if found is None else f"errors of node {found.child!r} come back by weights of their own, as of no energy"


def system_of(machine, name="system") -> System:
    """The system that a verb moves: the argument itself, or the one that a machine holds.

    Parameters
    ----------
    machine : System or Machine
    name : str
        The argument's, in errors.

    Raises
    ------
    TypeError
        Anything else; a machine without a sum of fields, such as a network of spiking neurons.

    Examples
    --------
    >>> from physlearn.models import Hopfield
    >>> list(system_of(Hopfield.store([[1, 1, -1, -1]])).layers)
    ['s']
    """
    if isinstance(machine, System):
        return machine
    what = type(machine).__name__
    if isinstance(machine, type):
        raise TypeError(f"{name}: got the class {machine.__name__}, expected a machine made by it")
    held = getattr(machine, "system", None)
    if isinstance(held, System):
        return held
    if hasattr(type(machine), "__integrate__"):
        raise TypeError(f"{name}: a {what} has no sum of fields, it moves by its own method; pass it to `integrate`")
    remedy = ""
    if isinstance(getattr(machine, "energy", None), System):
        remedy = "; it holds an `energy`: pass that, or call it `system` (see physlearn.Machine)"
    raise TypeError(f"{name}: got a {what}, expected a machine, an Energy or a System{remedy}")
