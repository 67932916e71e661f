"""Behavioural source: a current or a voltage given by an expression of voltages and currents, SPICE's B.

The expression is parsed by `circuits.expressions`, whose powers and divisions are ngspice's.  Elements whose
expressions differ only in numbers and names are evaluated together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from circuits.elements.element import Element
from circuits.expressions.dual import form_of
from circuits.expressions.grammar import CONSTANTS, parse
from physlearn.checks import choice, text


@dataclass(frozen=True, repr=False)
class Behavioural(Element):
    """A source that follows an expression.

    Parameters
    ----------
    expression : str
        Of v(node), v(node,node), i(source), numbers with SPICE's scales, + - * / ** and ?:, and functions such as
        exp, tanh, min, max, abs; names of nodes in lower case.
    output : {"current", "voltage"}
        Amperes that flow from + to - through it, or volts from + to -.

    Examples
    --------
    A quadratic conductance fed by 4 mA:

    >>> from circuits import Circuit, CurrentSource
    >>> square = Behavioural("1m*v(a)*abs(v(a))")
    >>> circuit = Circuit({"I1": (CurrentSource(4e-3), "0", "a"), "B1": (square, "a", "0")})
    >>> round(circuit.solve({"I1": 4e-3}, x0=[0.0, 1.0]).voltages["a"], 9)
    2.0
    """

    expression: str
    output: str = "current"

    def __post_init__(self):
        text("expression", self.expression, "an expression, such as '1e-3*tanh(v(a))'")
        choice("output", self.output, ("current", "voltage"))
        form, variables, numbers = form_of(_without_names(parse(self.expression)))
        for name, value in {"form": form, "variables": variables, "constants": tuple(numbers)}.items():
            object.__setattr__(self, name, value)

    form: ClassVar[Any]
    variables: ClassVar[Any]
    constants: ClassVar[Any]

    @property
    def imposes(self):
        """A voltage output gives the voltage between its pins."""
        return self.output == "voltage"

    @property
    def conducts(self):
        """A current conducts where it depends on a voltage."""
        return ((0, 1),) if self.output == "voltage" or any(kind == "v" for kind, *_ in self.variables) else ()

    @property
    def senses(self):
        """Sources whose currents appear."""
        return tuple(name for kind, name, *_ in self.variables if kind == "i")

    def numbers(self, net):
        """Numbers of the expression."""
        return self.constants

    def place(self, name, nodes, net):
        """A device of the expression's form."""
        drops = []
        for kind, first, *second in self.variables:
            if kind == "i":
                drops.append((net.current_of(name, first), None))
            else:
                drops.append((net.node(name, first), net.node(name, second[0]) if second[0] else None))
        if self.output == "voltage":
            row = net.branch(name, *nodes)
            net.device(name, self, None, row, drops, sort=("voltage", self.form))
        else:
            net.device(name, self, *nodes, drops, sort=("current", self.form))


def _without_names(tree):
    """Constants in the place of their names; other names are refused."""
    if tree[0] == "name":
        if tree[1] not in CONSTANTS and tree[1] != "time":
            raise ValueError(f"expression: there is no {tree[1]!r}, expected v(...), i(...), numbers, pi or e")
        if tree[1] == "time":
            raise ValueError("expression: it depends on time, which an operating point does not know; use a waveform")
        return ("number", CONSTANTS[tree[1]])
    if tree[0] == "call":
        return ("call", tree[1], tuple(_without_names(part) for part in tree[2]))
    if tree[0] in ("number", "v", "i"):
        return tree
    return (tree[0], *(_without_names(part) for part in tree[1:]))
