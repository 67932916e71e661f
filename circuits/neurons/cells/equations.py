"""Equations of a neuron as text: parsed by the small grammar of `circuits.expressions`, written out as plain functions.

    dv/dt = (v_rest - v + R*I)/tau        one line a variable, the first the membrane potential
    total = v + w                         a name for a part, used in the lines below it
    # a comment; "; " separates as a new line does

Nothing of the text is executed: what is compiled is written anew from the tree of operators, numbers, known functions
and known names.
"""

from __future__ import annotations

import functools
import keyword
import math
import re
from typing import NamedTuple

from circuits.expressions.grammar import parse

CURRENT = "I"  # the name of the current that a neuron gets
_LINE = re.compile(r"(?:d(?P<variable>[A-Za-z_]\w*)\s*/\s*dt|(?P<name>[A-Za-z_]\w*))\s*=(?!=)\s*(?P<right>.+)")
_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?P<sign>[-+*/]?)=(?!=)\s*(?P<right>.+)")
_WORDS = ((r"\band\b", "&&"), (r"\bor\b", "||"), (r"\bnot\b", "!"))
_PYTHON = {"&&": "and", "||": "or"}
_NAMES = {"abs": "abs", "min": "min", "max": "max"}


class Equations(NamedTuple):
    """Variables in order, and (name, tree) of every line: "d/dt" before the names of variables' slopes."""

    variables: tuple[str, ...]
    lines: tuple


class Text(NamedTuple):
    """What a neuron was read from."""

    equations: str
    threshold: str | None
    reset: str | None


def read(text: str, parameters=()) -> Equations:
    """The lines of equations, every name known.

    Parameters
    ----------
    text : str
    parameters : sequence of str

    Raises
    ------
    ValueError
        With the line that is not understood, a name that is not known, or one that is defined twice.

    Examples
    --------
    >>> read("dv/dt = (u - v)/tau; du/dt = -u", ["tau"]).variables
    ('v', 'u')
    """
    found, known = [], [CURRENT, *parameters]
    parts = [part.strip() for line in text.splitlines() for part in line.split("#", 1)[0].split(";")]
    matches = []
    for part in filter(None, parts):
        match = _LINE.fullmatch(part)
        if match is None:
            raise ValueError(f"equations: {part!r}, expected 'dNAME/dt = expression' or 'NAME = expression'")
        matches.append(match)
    variables = tuple(match["variable"] for match in matches if match["variable"])
    if not variables:
        raise ValueError("equations: no line of the form 'dv/dt = expression'")
    known += variables
    for name in known[1:]:
        _check_name(name)
    for name in dict.fromkeys(known):
        if known.count(name) > 1:
            raise ValueError(f"equations: {name!r} is defined twice")
    for match in matches:
        name = match["variable"] or match["name"]
        if not match["variable"]:
            _check_name(name)
            if name in known:
                raise ValueError(f"equations: {name!r} is defined twice")
        tree = tree_of(match["right"], known)
        found.append((f"d/dt {name}" if match["variable"] else name, tree))
        if not match["variable"]:
            known.append(name)
    return Equations(variables, tuple(found))


def _check_name(name):
    if keyword.iskeyword(name) or name in ("x", "p", "out", "math"):
        raise ValueError(f"equations: {name!r} is taken; choose another name")


def tree_of(text: str, known, what="equations"):
    """The tree of an expression whose names are all known.

    Examples
    --------
    >>> tree_of("v > 1 and w < 2", ["v", "w"])
    ('&&', ('>', ('name', 'v'), ('number', 1.0)), ('<', ('name', 'w'), ('number', 2.0)))
    """
    for word, sign in _WORDS:
        text = re.sub(word, sign, text)
    try:
        tree = parse(text, "equation")
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    for name in _names(tree):
        if name not in known:
            raise ValueError(f"{what}: {text!r}: {name!r} is not known, expected one of {', '.join(sorted(known))}")
    return tree


def _names(tree):
    if tree[0] == "name":
        yield tree[1]
    elif tree[0] == "call":
        for part in tree[2]:
            yield from _names(part)
    elif tree[0] != "number":
        for part in tree[1:]:
            yield from _names(part)


def assignments(text: str, known):
    """(name, tree) of every assignment of a reset, "v = v_reset; w += b"; only variables are assigned to.

    Parameters
    ----------
    text : str
    known : (variables, parameters)
    """
    variables, parameters = known
    found = []
    for part in filter(None, (part.strip() for line in text.splitlines() for part in line.split(";"))):
        match = _ASSIGNED.fullmatch(part)
        if match is None or match["name"] not in variables:
            raise ValueError(f"reset: {part!r}, expected an assignment to one of {', '.join(variables)}")
        right = tree_of(match["right"], [*variables, *parameters], "reset")
        found.append((match["name"], (match["sign"], ("name", match["name"]), right) if match["sign"] else right))
    return found


def python(tree) -> str:
    """A tree as an expression of Python, every operation in parentheses.

    Examples
    --------
    >>> python(tree_of("-v**2 + exp(w)", ["v", "w"]))
    '((-(v ** 2.0)) + math.exp(w))'
    """
    kind = tree[0]
    if kind == "number":
        return repr(float(tree[1]))
    if kind == "name":
        return tree[1]
    if kind == "call":
        return f"{_NAMES.get(tree[1], f'math.{tree[1]}')}({', '.join(map(python, tree[2]))})"
    if kind == "neg":
        return f"(-{python(tree[1])})"
    if kind == "not":
        return f"(not {python(tree[1])})"
    if kind == "if":
        return f"({python(tree[2])} if {python(tree[1])} else {python(tree[3])})"
    return f"({python(tree[1])} {_PYTHON.get(kind, kind)} {python(tree[2])})"


@functools.cache
def functions(text: Text, parameters: tuple[str, ...]):
    """``(variables, field, threshold, reset)`` of a `Neuron`; the same objects for the same text.

    Parameters
    ----------
    text : Text
    parameters : tuple of str
        In the order of p.
    """
    found = read(text.equations, parameters)
    values = [f"    {name} = x[{k}]" for k, name in enumerate(found.variables)]
    values += [f"    {name} = p[{k}]" for k, name in enumerate(parameters)]
    body = [f"def field(x, {CURRENT}, p, out):", *values]
    for name, tree in found.lines:
        variable = name.removeprefix("d/dt ")
        to = f"out[{found.variables.index(variable)}]" if name != variable else name
        body.append(f"    {to} = {python(tree)}")
    field, threshold, reset = _made("\n".join(body), "field"), None, None
    if text.threshold is not None:
        tree = tree_of(text.threshold, [*found.variables, *parameters], "threshold")
        threshold = _made("\n".join(["def threshold(x, p):", *values, f"    return bool({python(tree)})"]), "threshold")
    if text.reset is not None:
        lines = ["def reset(x, p):", *values]
        for name, tree in assignments(text.reset, (found.variables, parameters)):
            lines += [f"    {name} = {python(tree)}", f"    x[{found.variables.index(name)}] = {name}"]
        reset = _made("\n".join(lines), "reset")
    return found.variables, field, threshold, reset


def _made(source, name):
    """The function of a source that was written from trees alone."""
    place = {"math": math, "__name__": "equations"}
    exec(compile(source, f"<{name} of a neuron>", "exec"), place)
    return place[name]
