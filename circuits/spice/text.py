"""Elements as lines of a netlist, with all digits."""

from __future__ import annotations

import re

from circuits.elements.behavioural import Behavioural
from circuits.elements.capacitor import Capacitor
from circuits.elements.controlled import CCCS, CCVS, VCCS, VCVS
from circuits.elements.diode import Diode
from circuits.elements.mosfet import MOSFET
from circuits.elements.resistor import Resistor
from circuits.elements.sources import CurrentSource, VoltageSource
from circuits.elements.transistor import TransistorEdge
from circuits.elements.waveforms import Points, Pulse

LETTERS = {
    Resistor: "R",
    Capacitor: "C",
    VoltageSource: "V",
    CurrentSource: "I",
    Diode: "D",
    MOSFET: "M",
    VCVS: "E",
    VCCS: "G",
    CCCS: "F",
    CCVS: "H",
    Behavioural: "B",
    TransistorEdge: "B",
}
PLAIN = re.compile(r"[a-z0-9_][a-z0-9_.]*")
CONTROL = [".control", "set numdgt=17", "run", "let zero = 0", "print all", "quit 0", ".endc"]


def digits(value) -> str:
    """A number with 17 significant digits."""
    return f"{value:.16e}"


class Text:
    """Lines of elements, their models collected.

    Parameters
    ----------
    nodes : mapping of node to str
        Names in the netlist.
    names : mapping of str to str
        Names of the elements there.
    stretch : float
        Thermal voltage of the circuit over that of the simulator: ideality factors are multiplied by it.
    """

    def __init__(self, nodes, names, stretch=1.0):
        self.nodes, self.names, self.stretch = nodes, names, stretch
        self.models: dict[str, str] = {}

    def lines(self, elements):
        """All elements [(name, element, nodes)], and their models before them."""
        found = [line for name, element, ends in elements for line in self.element(name, element, ends)]
        return [*(f".model {name} {text}" for text, name in self.models.items()), *found]

    def element(self, name, element, ends):
        """Lines of one element."""
        if type(element) not in LETTERS:
            raise ValueError(f"{name}: a {type(element).__name__} has no counterpart in SPICE")
        head = " ".join([self.names[name], *(self.nodes[node] for node in ends)])
        return getattr(self, type(element).__name__)(name, element, ends, head)

    def Resistor(self, name, element, ends, head):
        """R name + - ohms."""
        return [f"{head} {digits(element.resistance)}"]

    def Capacitor(self, name, element, ends, head):
        """C name + - farads."""
        return [
            f"{head} {digits(element.capacitance)}"
            + ("" if element.initial is None else f" ic={digits(element.initial)}")
        ]

    def VoltageSource(self, name, element, ends, head):
        """V name + - DC volts waveform."""
        return [f"{head} DC {digits(element.at_rest)}{_wave(element.value)}"]

    CurrentSource = VoltageSource

    def VCVS(self, name, element, ends, head):
        """E name + - control+ control- gain."""
        return [f"{head} {digits(element.gain)}"]

    def VCCS(self, name, element, ends, head):
        """G name + - control+ control- siemens."""
        return [f"{head} {digits(element.transconductance)}"]

    def CCCS(self, name, element, ends, head):
        """F name + - source gain."""
        return [f"{head} {self.names[element.control]} {digits(element.gain)}"]

    def CCVS(self, name, element, ends, head):
        """H name + - source ohms."""
        return [f"{head} {self.names[element.control]} {digits(element.transresistance)}"]

    def Diode(self, name, element, ends, head):
        """D name anode cathode model; a battery becomes a source in series."""
        ideality = element.ideality * self.stretch
        model = f"D(is={digits(element.saturation)} n={digits(ideality)} rs={digits(element.resistance)})"
        if not element.bias:
            return [f"{head} {self.model(model, 'd')}"]
        plain, (a, b) = self.names[name], (self.nodes[node] for node in ends)
        inner = f"{plain.lower()}_bias"
        return [f"V{plain}_bias {a} {inner} DC {digits(element.bias)}", f"{plain} {inner} {b} {self.model(model, 'd')}"]

    def MOSFET(self, name, element, ends, head):
        """M name drain gate source bulk model W= L=."""
        kind = "NMOS" if element.polarity == "n" else "PMOS"
        values = dict(vto=element.threshold, kp=element.transconductance, gamma=element.body, phi=element.surface)
        values |= {"lambda": element.modulation, "is": element.saturation}
        model = f"{kind}(level=1 " + " ".join(f"{key}={digits(value)}" for key, value in values.items()) + ")"
        return [f"{head} {self.model(model, 'm')} w={digits(element.width)} l={digits(element.length)}"]

    def Behavioural(self, name, element, ends, head):
        """B name + - I=expression or V=expression; an E or a G that was given one keeps its letter."""
        text = re.sub(r"\b([vi])\(([^()]*)\)", lambda m: f"{m[1]}({self.probe(m[1], m[2])})", element.expression)
        if head[0] in "EeGg":
            return [f"{head} {'cur' if element.output == 'current' else 'vol'}='{text}'"]
        return [f"{head} {'I' if element.output == 'current' else 'V'}={text}"]

    def probe(self, kind, inside):
        """Names within v(...) or i(...)."""
        if kind == "i":
            return self.names[self.named(inside.strip())]
        label = {str(node): text for node, text in self.nodes.items()}
        return ",".join(label[part.strip()] for part in inside.split(","))

    def named(self, name):
        """An element's own name, in any case of letters."""
        return name if name in self.names else next(n for n in self.names if n.lower() == name.lower())

    def TransistorEdge(self, name, element, ends, head):
        """A behavioural source; the triode law has no model card."""
        a, b = (f"v({self.nodes[node]})" for node in ends)
        over = f"{digits(element.gate - element.threshold)}-({a}+{b})/2"
        return [f"{head} I={digits(element.gain)}*max(0,{over})*({a}-{b})"]

    def model(self, text, letter):
        """Name of a model, one for each set of numbers."""
        return self.models.setdefault(text, f"{letter}model{len(self.models)}")


def _wave(value):
    if not callable(value):
        return ""
    if isinstance(value, Pulse):
        numbers = [value.low, value.high, value.delay, value.rise, value.fall, value.width]
        numbers += [] if value.period is None else [value.period]
        return f" PULSE({' '.join(map(digits, numbers))})"
    if isinstance(value, Points):
        return f" PWL({' '.join(digits(x) for pair in zip(value.times, value.values, strict=True) for x in pair)})"
    numbers = [value.offset, value.amplitude, value.frequency, value.delay, value.damping, value.phase]
    return f" SIN({' '.join(map(digits, numbers))})"


def letter_of(name, element):
    """First letter of an element's name in a netlist, in upper case."""
    if isinstance(element, Behavioural) and name[:1].upper() == ("G" if element.output == "current" else "E"):
        return name[0].upper()
    return LETTERS.get(type(element), "R")


def names_of(elements):
    """Names of elements [(name, element, nodes)] in a netlist: their own, behind their letter where it is another."""
    out, taken = {}, set()
    for name, element, _ in elements:
        letter = letter_of(name, element)
        plain = re.sub(r"[^A-Za-z0-9_.]", "_", name)
        plain = plain if plain[:1].upper() == letter else letter + plain
        while plain.lower() in taken:
            plain += "_"
        taken.add(plain.lower())
        out[name] = plain
    return out


def nodes_of(nodes, ground):
    """Names of nodes in a netlist: their own where all of them can be, else n0, n1, ...; ground is 0."""
    others = [node for node in nodes if node != ground]
    plain = all(isinstance(node, str) and PLAIN.fullmatch(node) and node not in ("0", "gnd") for node in others)
    return {node: node if plain else f"n{k}" for k, node in enumerate(others)} | {ground: "0"}
