"""Reading netlists: SPICE's text becomes a `Circuit`, with ngspice 39's meaning of every number and expression.

First line: title.  Elements: R, C, V, I, D, M (level 1), E, F, G, H, B and X; lines: .model, .param, .subckt, .ends,
.options, .temp, .ic, .nodeset, .global, .op, .tran, .include (within the folder).  A .control block and requests for
output are passed over with a note; anything else is an error with its line.  Expressions are parsed by
`circuits.expressions` and never executed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from circuits.nodal.circuit import Circuit
from circuits.spice.cards import LETTERS, Card
from circuits.spice.constants import BOLTZMANN, CHARGE
from circuits.spice.lines import Line, Reading
from circuits.spice.models import read_model
from circuits.spice.scopes import Scope, assignments
from circuits.spice.tokens import tokens
from physlearn.files import path_of

OUTPUT = (".print", ".plot", ".save", ".probe", ".width", ".meas", ".measure", ".four", ".title")
DEEPEST, MOST = 40, 10**6  # subcircuits in each other; elements


class Subcircuit(NamedTuple):
    """A definition: its nodes, its lines, and the scope around it."""

    line: object
    nodes: tuple
    defaults: list
    body: list


class Context:
    """What holds for a whole netlist."""

    def __init__(self):
        self.notes: list[str] = []
        self.celsius, self.gmin, self.tran = 27.0, 1e-12, None
        self.initial: dict[str, float] = {}
        self.elements: dict[str, tuple] = {}
        self.homes: dict[str, object] = {}


def read_netlist(path, *, inputs=(), outputs=()) -> Circuit:
    r"""Read a SPICE netlist.

    Parameters
    ----------
    path : path
        A text file; its first line is the title.
    inputs, outputs : list of places, or mapping of str to such lists, optional
        As for `Circuit`.

    Returns
    -------
    Circuit
        Names in lower case, as SPICE has it; nodes of subcircuits are called "x1.node", their elements "r.x1.r1".
        Its ``notes`` list what was passed over.  Junctions carry ngspice's gmin (1e-12 S, or that of .options), and
        the thermal voltage is that of ngspice 39.

    Raises
    ------
    ValueError
        With file and line, for everything that is not understood.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "divider.cir")
    >>> _ = path.write_text("a divider\nV1 in 0 3\nR1 in out 1k\nR2 out 0 2k\n.op\n.end\n")
    >>> read_netlist(path).solve().voltages["out"]
    2.0
    """
    path = path_of("path", path)
    reading, context, top = Reading(path), Context(), Scope()
    lines = reading.lines(path)
    context.notes = reading.notes
    body = _definitions(lines, top, context)
    _options(body, top, context)
    _expand(body, top, 1.0, context, 0)
    if not context.elements:
        raise ValueError(f"{path.name}: it has no elements (the first line is the title)")
    kelvin = context.celsius + 273.15
    try:
        circuit = Circuit(
            context.elements,
            inputs=inputs,
            outputs=outputs,
            temperature=kelvin,
            gmin=context.gmin,
            thermal_voltage=BOLTZMANN * kelvin / CHARGE,
            initial={node: volts for node, volts in context.initial.items() if node != "0"},
            title=reading.title or "circuit",
            notes=tuple(context.notes),
        )
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return circuit


def _definitions(lines, scope, context):
    """Take parameters, models and subcircuits out of lines; the others are returned."""
    body, open_, models = [], [], []
    for line in lines:
        word = line.text.split(None, 1)[0]
        if word == ".subckt":
            open_.append([line, []])
            if len(open_) > 1:
                open_[-2][1].append(line)
        elif word == ".ends":
            if not open_:
                line.refuse(".ends without .subckt")
            head, inner = open_.pop()
            _named_end(line, head)
            if open_:
                open_[-1][1].append(line)
                for part in inner:
                    open_[-1][1].insert(-1, part)
            else:
                name, definition = _subcircuit(head, inner)
                if name in scope.subcircuits:
                    head.refuse(f"subcircuit {name!r} is defined twice")
                scope.subcircuits[name] = definition
        elif open_:
            open_[-1][1].append(line)
        elif word == ".param":
            for name, text in assignments(line, line.text[len(word) :]):
                scope.define(line, name, text)
        elif word == ".model":
            models.append(line)
        elif word == ".global":
            scope.globals |= {token.text for token in tokens(line)[1:]}
        else:
            body.append(line)
    if open_:
        open_[-1][0].refuse(".subckt without .ends")
    for line in models:  # once all parameters are known
        name, kind, values = read_model(line, scope, context.notes)
        if name in scope.models:
            line.refuse(f"model {name!r} is defined twice")
        scope.models[name] = kind, values
    return body


def _named_end(line, head):
    """Refuse an .ends that names another subcircuit."""
    words = line.text.split()
    if len(words) > 1 and len(head.text.split()) > 1 and words[1] != head.text.split()[1]:
        line.refuse(f".ends {words[1]} closes .subckt {head.text.split()[1]}")


def _subcircuit(line, body):
    """Name and definition of a .subckt line."""
    text = line.text.replace("params:", " ")
    cut = re.search(r"[\w.]+\s*=", text)
    head = text[: cut.start()] if cut else text
    words = re.split(r"[\s,()]+", head.strip())[1:]
    if len([w for w in words if w]) < 2:
        line.refuse(".subckt needs a name and at least one node")
    name, *nodes = [w for w in words if w]
    if len(set(nodes)) < len(nodes):
        line.refuse(f"subcircuit {name!r}: a node is named twice")
    return name, Subcircuit(line, tuple(nodes), assignments(line, text[cut.start() :]) if cut else [], body)


def _options(body, scope, context):
    """Take the lines that hold for the whole netlist out of its body."""
    for line in [line for line in body if line.text[0] == "."]:
        word = line.text.split(None, 1)[0]
        found = tokens(line)[1:]
        if word in (".options", ".option", ".opt"):
            _set_options(line, found, scope, context)
        elif word == ".temp":
            context.celsius = scope.number(line, found[0] if found else None, "temperature")
        elif word == ".tran":
            numbers = [scope.number(line, t, ".tran") for t in found if t.text != "uic"]
            if len(numbers) < 2 or numbers[0] <= 0 or numbers[1] <= 0:
                line.refuse(".tran needs a step and an end, both positive")
            context.tran = tuple(numbers[:2])
        elif word in (".ic", ".nodeset"):
            _set_initial(line, scope, context)
        elif word in OUTPUT:
            context.notes.append(f"{line.place}: {word}, a request for output, which is passed over")
        elif word != ".op":
            line.refuse(f"{word} is not known")
        body.remove(line)
    if context.celsius <= -273.15:
        raise ValueError(f"a temperature of {context.celsius:g} C is below absolute zero")


def _set_options(line, found, scope, context):
    at = 0
    while at < len(found):
        key, value = found[at].text, None
        if at + 2 < len(found) and found[at + 1].text == "=":
            value, at = found[at + 2], at + 2
        at += 1
        if key == "gmin":
            context.gmin = scope.number(line, value, "gmin")
            if context.gmin < 0:
                line.refuse("gmin is negative")
        elif key == "temp":
            context.celsius = scope.number(line, value, "temp")
        elif key in ("tnom", "rshunt", "scale", "defl", "defw", "oldlimit"):
            if key != "tnom" or scope.number(line, value, "tnom") != 27.0:
                line.refuse(f"option {key} changes the circuit and is not modelled")


def _set_initial(line, scope, context):
    """v(node)=volts of .ic and .nodeset: where the search starts."""
    text = line.text.split(None, 1)[1] if len(line.text.split(None, 1)) > 1 else ""
    pairs = re.findall(r"v\s*\(\s*([^\s()]+)\s*\)\s*=\s*(\{[^{}]*\}|'[^']*'|[^\s]+)", text)
    if not pairs or re.sub(r"v\s*\(\s*([^\s()]+)\s*\)\s*=\s*(\{[^{}]*\}|'[^']*'|[^\s]+)", "", text).strip():
        line.refuse("expected v(node)=value")
    for node, value in pairs:
        token = tokens(type(line)(value, line.place))[0]
        context.initial[scope.node(node)] = scope.number(line, token, f"v({node})")


def _expand(body, scope, factor, context, depth):
    """Elements of a body, subcircuits written out."""
    for line in body:
        letter = line.text[0]
        if letter == "x":
            _use(line, scope, factor, context, depth)
            continue
        if letter == ".":
            word = line.text.split(None, 1)[0]
            line.refuse(f"{word} is not known inside a subcircuit" if depth else f"{word} is not known")
        if letter not in LETTERS:
            line.refuse(f"element {letter.upper()!r} is not known; those that are: {LETTERS.upper()}X")
        card = Card(line, scope, factor, context)
        name, entry = card.read()
        if name in context.elements:
            line.refuse(f"there is an element {name!r} already, at {context.homes[name]}")
        if len(context.elements) >= MOST:
            line.refuse(f"more than {MOST} elements")
        if context.celsius != 27.0 and card.name[0] in "dm":
            line.refuse(f"{card.name}: its model at {context.celsius:g} C is not modelled, only at 27 C")
        context.elements[name], context.homes[name] = entry, line.place


def _use(line: Line, scope, factor, context, depth):
    """A use of a subcircuit: x1 nodes name k=v."""
    if depth >= DEEPEST:
        line.refuse(f"subcircuits are more than {DEEPEST} deep in each other; does one use itself?")
    text = line.text.replace("params:", " ")
    cut = re.search(r"[\w.]+\s*=", text)
    words = [w for w in re.split(r"[\s,()]+", text[: cut.start()] if cut else text) if w]
    if len(words) < 3:
        line.refuse("expected nodes and the name of a subcircuit")
    name, *nodes, kind = words
    definition = scope.find("subcircuits", kind)
    if definition is None:
        line.refuse(f"{name}: there is no subcircuit {kind!r}")
    if len(nodes) != len(definition.nodes):
        line.refuse(f"{name}: {kind!r} has {len(definition.nodes)} nodes, got {len(nodes)}")
    path = f"{scope.path}.{name}" if scope.path else name
    if path.split(".").count(name) > DEEPEST or len(path) > 2000:
        line.refuse(f"{name}: subcircuits are nested too deep")
    inner = Scope(_home(scope, kind), path)
    inner.nodes = {own: scope.node(outer) for own, outer in zip(definition.nodes, nodes, strict=True)}
    for key, value in definition.defaults:
        inner.define(definition.line, key, value)
    known = {key for key, _ in definition.defaults}
    for key, value in assignments(line, text[cut.start() :]) if cut else []:
        if key == "m" and key not in known:
            own = scope.expression(line, value)
            if not own > 0:
                line.refuse(f"{name}: m={own:g}, expected a positive number")
            factor *= own
            continue
        if key not in known:
            line.refuse(f"{name}: {kind!r} has no parameter {key!r}")
        inner.define(line, key, value, scope)
    rest = _definitions(definition.body, inner, context)
    _expand(rest, inner, factor, context, depth + 1)


def _home(scope, kind):
    """The scope in which a subcircuit is defined: its body sees the names around it."""
    while kind not in scope.subcircuits:
        scope = scope.parent
    return scope
