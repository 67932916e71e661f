"""Scopes of a netlist: parameters whose order does not matter, models, subcircuits, nodes."""

from __future__ import annotations

import re
import warnings
from typing import Any

from circuits.expressions.constant import value_of
from circuits.expressions.grammar import parse
from circuits.expressions.numbers import number_of
from circuits.spice.lines import Line

SETTING = re.compile(r"\s*,?\s*([a-z_][\w]*)\s*=\s*")


class Scope:
    """Names of one level: the netlist itself, or one use of a subcircuit.

    Parameters
    ----------
    parent : Scope or None
        Where names are looked up that are not known here.
    path : str
        "" or the name of the use, such as "x1.x2".
    """

    def __init__(self, parent=None, path=""):
        self.parent, self.path = parent, path
        self.defined: dict[str, tuple] = {}  # parameter: (tree, line, scope to work it out in)
        self.values: dict[str, float] = {}
        self.pending: list[str] = []
        self.models: dict[str, tuple] = {}
        self.subcircuits: dict[str, object] = {}
        self.nodes: dict[str, str] = {}
        self.globals: set = parent.globals if parent else {"0"}
        self.warned: set = parent.warned if parent else set()

    def define(self, line: Line, name, text, scope=None):
        """A parameter; the last definition counts, wherever it is used."""
        try:
            tree = parse(text, "param")
        except ValueError as error:
            line.refuse(f"parameter {name!r}: {error}")
        self.defined[name] = (tree, line, scope or self)

    def parameter(self, name):
        """Value of a parameter, looked up outwards."""
        if name in self.values:
            return self.values[name]
        if name not in self.defined:
            if self.parent is None:
                raise ValueError(f"there is no parameter {name!r}")
            return self.parent.parameter(name)
        tree, line, scope = self.defined[name]
        if name in self.pending or len(self.pending) > 100:
            raise ValueError(f"parameter {name!r} depends on itself ({' -> '.join([*self.pending[:5], name])})")
        self.pending.append(name)
        try:
            self.values[name] = value_of(tree, scope.parameter)
        except ValueError as error:
            if ": parameter " in str(error):
                raise
            line.refuse(f"parameter {name!r}: {error}")
        except RecursionError:
            line.refuse(f"parameter {name!r}: too many parameters depend on each other")
        finally:
            self.pending.pop()
        return self.values[name]

    def expression(self, line: Line, text):
        """Value of an expression in braces or quotes."""
        try:
            return value_of(parse(text, "param"), self.parameter)
        except ValueError as error:
            line.refuse(str(error))

    def number(self, line: Line, token, what):
        """Value of a token that must be a number or a braced expression."""
        if token is None:
            line.refuse(f"{what} is missing")
        if token.braced:
            return self.expression(line, token.text)
        found = number_of(token.text)
        if found is None:
            hint = f"; write {{{token.text}}} for a parameter" if token.text.isidentifier() else ""
            line.refuse(f"{what}: {token.text!r} is no number{hint}")
        value, rest = found
        if rest and line not in self.warned:
            self.warned.add(line)
            if "," in rest:
                line.refuse(f"{what}: {token.text!r} is no number")
            warnings.warn(
                f"{line.place}: {token.text!r} is read as {value:g}, as ngspice does; {rest!r} behind the scale is "
                "ignored (other simulators read 4k7 as 4.7k)",
                UserWarning,
                stacklevel=2,
            )
        if not abs(value) < float("inf"):
            line.refuse(f"{what}: {token.text!r} is beyond the numbers a computer has")
        return value

    def node(self, name):
        """Full name of a node."""
        name = "0" if name == "gnd" else name
        if name in self.globals:
            return name
        if name in self.nodes:
            return self.nodes[name]
        return f"{self.path}.{name}" if self.path else name

    def element(self, name):
        """Full name of an element: that of ngspice, r.x1.r1."""
        return f"{name[0]}.{self.path}.{name}" if self.path else name

    def find(self, kind, name) -> Any:
        """A model or subcircuit, looked up outwards; None if there is none."""
        here = getattr(self, kind)
        if name in here:
            return here[name]
        return None if self.parent is None else self.parent.find(kind, name)


def assignments(line, text):
    """``a = 1 b = {2*a} c='3'`` as [(name, expression)]; expressions without braces end before the next name."""
    found = []
    starts = [match for match in SETTING.finditer(text) if not _inside(text, match.start())]
    starts = [m for m in starts if m.end() == len(text) or text[m.end()] != "="]
    if not starts or text[: starts[0].start()].strip():
        line.refuse("expected name = value")
    for k, match in enumerate(starts):
        end = starts[k + 1].start() if k + 1 < len(starts) else len(text)
        value = text[match.end() : end].strip().rstrip(",").strip()
        if len(value) > 1 and value[0] + value[-1] in ("{}", "''") and not set(value[1:-1]) & set("{}'"):
            value = value[1:-1]
        if not value:
            line.refuse(f"{match[1]!r} has no value")
        found.append((match[1], value))
    return found


def _inside(text, at):
    """Whether a place lies within braces, quotes or parentheses."""
    before = text[:at]
    return before.count("{") > before.count("}") or before.count("'") % 2 == 1 or before.count("(") > before.count(")")
