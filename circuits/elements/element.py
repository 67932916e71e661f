"""What all elements share: checks and reprs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from physlearn.brief import short


@dataclass(frozen=True)
class Element:
    """An element of a circuit; see `circuits.elements` for what each kind adds.

    Attributes
    ----------
    pins : tuple of str
        Names of its terminals, in the order in which a circuit lists its nodes.
    law : callable or None
        Nonlinear elements: (u, p, d) -> current.
    seen : callable or None
        (u, p, d) -> what the learning degree of freedom sees, in a rule that contrasts phases.
    cocontent : callable or None
        Integral of the current over the drop, where the law is a gradient.
    learns : mapping of str to int
        Learning degrees of freedom: name in theta, and place among the numbers.
    conducts : tuple of pairs of int
        Pins between which a direct current can flow.
    imposes : bool
        Whether it gives the voltage between its first two pins, whatever the current.
    """

    pins: ClassVar[tuple[str, ...]] = ("+", "-")
    law: ClassVar[Callable | None] = None
    seen: ClassVar[Callable | None] = None
    cocontent: ClassVar[Callable | None] = None
    learns: ClassVar[dict[str, int]] = {}
    conducts: ClassVar[tuple[tuple[int, int], ...]] = ((0, 1),)
    imposes: ClassVar[bool] = False

    @property
    def senses(self) -> tuple[str, ...]:
        """Names of the voltage sources whose current it depends on."""
        return (self.control,) if hasattr(self, "control") else ()  # pyright: ignore[reportAttributeAccessIssue]

    def place(self, name: str, nodes: tuple[int, ...], net: Any):
        """Write the element into the equations."""
        what = type(self).__name__
        raise NotImplementedError(f"{what} does not enter the equations: it needs a method `place(name, nodes, net)`")

    def __repr__(self):
        shown = [f"{f.name}={short(getattr(self, f.name))}" for f in fields(self) if getattr(self, f.name) != f.default]
        return f"{type(self).__name__}({', '.join(shown)})"
