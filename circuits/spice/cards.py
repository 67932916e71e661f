"""Element lines, one function a letter: what stands behind the name becomes elements and nodes."""

from __future__ import annotations

import re

from circuits.elements.behavioural import Behavioural
from circuits.elements.capacitor import Capacitor
from circuits.elements.controlled import CCCS, CCVS, VCCS, VCVS
from circuits.elements.diode import Diode
from circuits.elements.mosfet import MOSFET
from circuits.elements.resistor import Resistor
from circuits.elements.sources import CurrentSource, VoltageSource
from circuits.expressions.grammar import CONSTANTS, parse
from circuits.expressions.text import text_of
from circuits.spice.lines import Line
from circuits.spice.text import letter_of
from circuits.spice.tokens import settings, tokens
from circuits.spice.waveforms import value_of_source

LETTERS = "bcdefghimrv"


class Card:
    """An element line in its scope.

    Parameters
    ----------
    line : Line
    scope : Scope
    factor : float
        How many of it are in parallel (m of the subcircuits around it).
    context : Context
        Of the whole netlist: temperature, times of .tran, notes.
    """

    def __init__(self, line: Line, scope, factor, context):
        self.line, self.scope, self.factor, self.context = line, scope, factor, context
        self.tokens = tokens(line)
        self.name = self.tokens[0].text

    def read(self):
        """(full name, (element, node, ...))."""
        letter = self.name[0]
        try:
            element, ends = getattr(self, letter)()
        except ValueError as error:
            if self.line.place in str(error):
                raise
            self.line.refuse(f"{self.name}: {error}")
        if len(set(ends[:2])) < 2 and len(ends) == 2:
            self.line.refuse(f"{self.name}: both ends are node {ends[0]!r} (a self-loop); remove it")
        name = self.scope.element(self.name)
        letter = letter_of(name, element).lower()
        if letter != name[0]:  # a resistor that became a source is called as a netlist written from it calls it
            name = letter + name
        return name, (element, *ends)

    def ends(self, k):
        """The first k nodes, and the tokens behind them."""
        named = self.tokens[1 : k + 1]
        if len(named) < k or any(t.braced or t.text == "=" for t in named):
            self.line.refuse(f"{self.name} has {min(len(named), k)} nodes, expected {k}")
        return tuple(self.scope.node(t.text) for t in named), self.tokens[k + 1 :]

    def many(self, given, most=None):
        """Factor of an m setting and of the subcircuits around."""
        token = given.pop("m", None)
        own = 1.0 if token is None else self.scope.number(self.line, token, "m")
        if not own > 0:
            self.line.refuse(f"{self.name}: m={own:g}, expected a positive number")
        return own * self.factor

    def single(self):
        """Refuse what cannot be multiplied."""
        if self.factor != 1.0:
            self.line.refuse(
                f"{self.name}: m of a subcircuit around it, which is modelled for R, C, D, I, G, F and M only"
            )

    def none_left(self, given):
        """Refuse settings that are not known."""
        for key in given:
            self.line.refuse(f"{self.name}: {key!r} is not known here")

    def at_nominal(self, given, keys):
        """Drop settings that act at other temperatures than the nominal one only."""
        for key in keys:
            if key in given:
                self.scope.number(self.line, given.pop(key), key)
                if self.context.celsius != 27.0:
                    self.line.refuse(f"{self.name}: {key} at {self.context.celsius:g} C is not modelled, only at 27 C")

    def value(self, rest, what, key=None):
        """A number that stands first, or as ``key=``; and the settings behind it."""
        if len(rest) > 2 and rest[0].text == key and rest[1].text == "=":
            return rest[2], settings(self.line, rest[3:])
        if rest and rest[0].text == "=" and not rest[0].braced:
            rest = rest[1:]
        if not rest:
            self.line.refuse(f"{self.name}: {what} is missing")
        return rest[0], settings(self.line, rest[1:])

    def expression(self, text):
        """An expression of a source as text, with parameters and constants put in and names made full."""
        return text_of(self.tree(text))

    def tree(self, text):
        """The same as a tree; braces and quotes are parentheses there."""
        text = text.replace("{", "(").replace("}", ")")
        parts = text.split("'")
        if len(parts) % 2 == 0:
            self.line.refuse(f"{self.name}: quotes do not match")
        text = "".join(part + ")("[k % 2 == 0] if k < len(parts) - 1 else part for k, part in enumerate(parts))
        return self.full(parse(text, "source"))

    def full(self, tree):
        """A tree without names of parameters, with full names of nodes and sources."""
        kind = tree[0]
        if kind == "name":
            value = CONSTANTS.get(tree[1])
            if tree[1] == "temper":
                value = self.context.celsius
            if tree[1] in ("time", "hertz"):
                self.line.refuse(f"{self.name}: it depends on {tree[1]}, which is not modelled; use a waveform")
            try:
                value = self.scope.parameter(tree[1])
            except ValueError as error:
                if value is None:
                    self.line.refuse(f"{self.name}: {error}")
            assert value is not None
            return ("neg", ("number", -value)) if value < 0 else ("number", value)
        if kind == "v":
            return ("v", self.scope.node(tree[1]), None if tree[2] is None else self.scope.node(tree[2]))
        if kind == "i":
            return ("i", self.scope.element(tree[1]))
        if kind == "call":
            return ("call", tree[1], tuple(self.full(part) for part in tree[2]))
        return tree if kind == "number" else (kind, *(self.full(part) for part in tree[1:]))

    def r(self):
        """Resistor, or a behavioural one."""
        ends, rest = self.ends(2)
        if re.search(r"\b[vi]\s*\(", self.line.text):
            return self.law_of_resistance(ends)
        token, given = self.value(rest, "resistance", "r")
        ohms = self.scope.number(self.line, token, f"{self.name}: resistance")
        self.at_nominal(given, ("tc1", "tc2", "tc"))
        given.pop("ac", None)
        scale = given.pop("scale", None)
        ohms = ohms * (1.0 if scale is None else self.scope.number(self.line, scale, "scale")) / self.many(given)
        self.none_left(given)
        if ohms == 0:
            self.context.notes.append(f"{self.line.place}: {self.name} of 0 ohm is taken as 1 milliohm, as in ngspice")
            ohms = 1e-3
        if ohms < 0:  # a controlled source of its own voltage
            return VCCS(1.0 / ohms), (*ends, *ends)
        return Resistor(ohms), ends

    def law_of_resistance(self, ends):
        """R = expression of voltages: the current v / R."""
        self.single()
        parts = re.split(r"[\s,()]+", self.line.text, maxsplit=3)
        if len(parts) < 4:  # signs have cut the words in another way
            self.line.refuse(f"{self.name}: expected two nodes and a value behind blanks, such as R1 a b 1k")
        text = parts[3]
        text = re.sub(r"^(r\s*)?=", "", text)
        a, b = ends
        drop = ("v", a, None) if b == "0" else ("v", a, b)
        return Behavioural(text_of(("/", drop, self.tree(text)))), ends

    def c(self):
        """Capacitor."""
        ends, rest = self.ends(2)
        token, given = self.value(rest, "capacitance", "c")
        farads = self.scope.number(self.line, token, f"{self.name}: capacitance")
        self.at_nominal(given, ("tc1", "tc2"))
        start = given.pop("ic", None)
        volts = None if start is None else self.scope.number(self.line, start, "ic")
        element = Capacitor(farads * self.many(given), volts)
        self.none_left(given)
        return element, ends

    def v(self):
        """Voltage source; m does nothing to it."""
        ends, rest = self.ends(2)
        return VoltageSource(*value_of_source(self.line, self.scope, rest, self.context.tran)), ends

    def i(self):
        """Current source."""
        ends, rest = self.ends(2)
        factor = self.factor
        if len(rest) > 2 and [t.text for t in rest[-3:-1]] == ["m", "="]:
            factor, rest = factor * self.scope.number(self.line, rest[-1], "m"), rest[:-3]
        value, dc = value_of_source(self.line, self.scope, rest, self.context.tran)
        if factor != 1.0:
            if callable(value):
                self.line.refuse(f"{self.name}: m on a waveform is not modelled; scale its numbers")
            value = value * factor
        return CurrentSource(value, dc), ends

    def d(self):
        """Diode."""
        ends, rest = self.ends(2)
        kind, values, rest = self.model(rest, ("d",))
        area = 1.0
        if rest and (rest[0].braced or rest[0].text[:1].isdigit() or rest[0].text[0] in "+-."):
            area, rest = self.scope.number(self.line, rest[0], "area"), rest[1:]
        given = settings(self.line, rest)
        if "area" in given:
            area = self.scope.number(self.line, given.pop("area"), "area")
        for key in ("off", "ic"):
            given.pop(key, None)
        area *= self.many(given)
        self.none_left(given)
        if not area > 0:
            self.line.refuse(f"{self.name}: area {area:g}, expected a positive number")
        diode = Diode(values["is"] * area, values["n"], values["rs"] / area, reverse="cubic")
        return diode, ends

    def m(self):
        """MOSFET, level 1."""
        ends, rest = self.ends(4)
        kind, values, rest = self.model(rest, ("nmos", "pmos"))
        given = settings(self.line, rest)
        for key in ("ad", "as", "pd", "ps", "nrd", "nrs", "off", "ic"):  # areas of junctions whose js is 0, charges
            given.pop(key, None)
        sizes = {}
        for key, name in (("w", "width"), ("l", "length")):
            if key in given:
                sizes[name] = self.scope.number(self.line, given.pop(key), key)
        factor = self.many(given)
        self.none_left(given)
        width = sizes.get("width", 1e-4) * factor
        element = MOSFET(
            kind[0],
            threshold=values["vto"],
            transconductance=values["kp"],
            width=width,
            length=sizes.get("length", 1e-4),
            modulation=values["lambda"],
            body=values["gamma"],
            surface=values["phi"],
            saturation=values["is"] * factor,
        )
        return element, ends

    def model(self, rest, kinds):
        """Kind and values of the model that stands next, and the tokens behind it."""
        if not rest or rest[0].braced or rest[0].text == "=":
            self.line.refuse(f"{self.name} names no model")
        found = self.scope.find("models", rest[0].text)
        if found is None:
            self.line.refuse(f"{self.name}: there is no model {rest[0].text!r}")
        if found[0] not in kinds:
            self.line.refuse(
                f"{self.name}: model {rest[0].text!r} is a {found[0].upper()}, expected {kinds[0].upper()}"
            )
        return *found, rest[1:]

    def controlled(self, keys):
        """Four nodes and a gain, or the text of an expression behind one of ``keys``."""
        head = self.tokens[3].text if len(self.tokens) > 3 else ""
        if head in ("poly", "table", "laplace"):
            self.line.refuse(f"{self.name}: {head.upper()} is not modelled; write it as a B source")
        if head in keys:
            text = self.line.text.split("=", 1)
            if len(text) < 2:
                self.line.refuse(f"{self.name}: {head} has no expression")
            return self.ends(2)[0], self.expression(text[1])
        ends, rest = self.ends(4)
        return ends, rest

    def e(self):
        """Voltage-controlled voltage source."""
        ends, rest = self.controlled(("vol", "value"))
        if isinstance(rest, str):
            return Behavioural(rest, "voltage"), ends
        token, given = self.value(rest, "gain", "gain")
        self.none_left(given)
        return VCVS(self.scope.number(self.line, token, f"{self.name}: gain")), ends

    def g(self):
        """Voltage-controlled current source."""
        ends, rest = self.controlled(("cur", "value"))
        if isinstance(rest, str):
            self.single()
            return Behavioural(rest, "current"), ends
        token, given = self.value(rest, "transconductance", "gain")
        siemens = self.scope.number(self.line, token, f"{self.name}: transconductance") * self.many(given)
        self.none_left(given)
        return VCCS(siemens), ends

    def f(self):
        """Current-controlled current source."""
        ends, control, token, given = self.sensing("gain")
        gain = self.scope.number(self.line, token, f"{self.name}: gain") * self.many(given)
        self.none_left(given)
        return CCCS(gain, control), ends

    def h(self):
        """Current-controlled voltage source."""
        ends, control, token, given = self.sensing("transresistance")
        self.none_left(given)
        return CCVS(self.scope.number(self.line, token, f"{self.name}: transresistance"), control), ends

    def sensing(self, what):
        """Two nodes, the controlling source, and the value."""
        ends, rest = self.ends(2)
        if not rest or rest[0].braced:
            self.line.refuse(f"{self.name} names no controlling source")
        if rest[0].text == "poly":
            self.line.refuse(f"{self.name}: POLY is not modelled; write it as a B source")
        return ends, self.scope.element(rest[0].text), *self.value(rest[1:], what, what)

    def b(self):
        """Behavioural source."""
        ends, rest = self.ends(2)
        head, equals, text = self.line.text.partition("=")
        output = rest[0].text if rest else ""
        if not equals or output not in ("v", "i") or len(rest) < 3:
            self.line.refuse(f"{self.name}: expected V=expression or I=expression")
        if output == "i":
            self.single()
        return Behavioural(self.expression(text), "current" if output == "i" else "voltage"), ends
