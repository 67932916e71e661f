"""Wrong values for one argument, of the right type and of a wrong one, from its value and its docstring."""

import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

HUGE = 10**30
SERIES = ("sequence", "list", "tuple", "iterable")


@dataclass
class Wrong:
    """A wrong value.  ``must``: no reading of the docstring allows it, so that success is a fault as well."""

    label: str
    group: str  # "value" or "type"
    value: Any
    must: bool = True


def described(doc):
    """{parameter: (type line, description)} of a numpydoc text."""
    section = re.search(r"^( *)Parameters\n\1-+\n(.*?)(?=^\1\S[^\n]*\n\1---|\Z)", doc, re.M | re.S)
    if section is None:
        return {}
    indent, body, found, names = section[1], section[2], {}, []
    for line in body.splitlines():
        if line.startswith(indent) and line[len(indent) : len(indent) + 1].strip():
            left, _, kind = line.strip().partition(" : ")
            names = [n.strip().lstrip("*") for n in left.split(",")]
            found |= {n: [kind, ""] for n in names}
        else:
            for n in names:
                found[n][1] += " " + line.strip()
    return {n: tuple(v) for n, v in found.items()}


def kind_of(value, line):
    """What sort of argument it is: by its value, or by its line where the value is None."""
    if '{"' in line or "{'" in line:
        return "choice"
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, numbers.Integral):
        return "number" if "float" in line or "number" in line else "int"
    if isinstance(value, numbers.Real):
        return "number"
    if isinstance(value, str | PurePath):
        return "text"
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, np.ndarray):
        return "array" if value.dtype.kind in "biufc" else "sequence"
    if isinstance(value, list | tuple):
        try:
            return "array" if len(value) and np.asarray(value).dtype.kind in "biuf" else "sequence"
        except ValueError:
            return "sequence"
    if isinstance(value, type):
        return "object"
    if callable(value) and hasattr(value, "__code__"):
        return "callable"
    if value is None:
        for word, kind in (
            ("mapping", "mapping"), ("dict", "mapping"), ("array", "array"), ("int", "int"), ("float", "number"),
            ("callable", "callable"), ("str", "text"), ("bool", "bool"), ("sequence", "sequence"),
        ):  # fmt: skip
            if re.search(rf"\b{word}", line):
                return kind
        return "unknown"
    return "object"


def wrong(name, value, line, text, nullable, made=False):
    """The wrong values of argument ``name``; ``made``: of a constructor."""
    kind, both = kind_of(value, line), line + text
    found = list(of_right_type(kind, name, value, line, both, made))
    allowed = nullable or re.search(r"\bNone\b|optional", line) or value is None

    def says(*words):
        return any(re.search(rf"\b{w}", line, re.I) for w in words)

    for label, bad in WRONG_TYPES:
        fits = {
            "None": allowed,
            "text": kind in ("text", "choice") or says("str", "path", "name", "label", '"'),
            "digits": kind not in ("int", "number", "array", "bool", "unknown") or says("str", "path", "name", "label"),
            "texts": kind in ("sequence", "mapping", "text") or says("str", "name", "label", *SERIES),
            "number": kind in ("number", "int", "array") or says("float", "int", "number", "scalar", "array", "seed"),
            "fraction": kind != "int" or says("float", "array", "number"),
            "true": kind not in ("int", "number") or says("bool"),
            "complex": kind not in ("int", "number", "array") or "complex" in both,
            "complexes": kind != "array" or "complex" in both,
            "mapping": kind == "mapping" or says("mapping", "dict", "Mapping"),
            "set": kind in ("sequence", "callable", "object", "unknown") or says("set", "iterable", "collection"),
            "pair": kind != "mapping" or says("tuple", "pair", "sequence", "array", "float"),
            "class": "class" in line or "type" in line or says("callable") or kind == "callable",
            "object": says("any", "object") or line.strip() in ("Any", "value"),
        }[label]  # fmt: skip
        if not fits:
            found.append(Wrong(f"type:{label}", "type", bad, must=kind != "unknown" or label == "object"))
    return found


WRONG_TYPES = (
    ("None", None), ("text", "no_such_word"), ("digits", "1"), ("texts", ["a", "b"]), ("number", 12345),
    ("fraction", 1.5), ("true", True), ("complex", 1 + 1j), ("complexes", np.array([1 + 1j, 2 - 1j])),
    ("mapping", {"no_such_key": 1.0}), ("set", {1.0, 2.0}), ("pair", (0.0, 1.0)), ("class", int), ("object", object()),
)  # fmt: skip


def of_right_type(kind, name, value, line, both, made):
    """Wrong values of the right type."""
    seed = name in ("rng", "seed", "random_state")
    infinite = re.search(r"\binf", both) is not None
    blank = re.search(r"\bnan\b", both, re.I) is not None
    signed = re.search(r"index|negative|sign|offset|seed", both) is not None
    if seed:
        yield Wrong("-1", "value", -1)
        return
    if kind == "int":
        yield Wrong("-1", "value", -1, must=not signed)
        yield Wrong("0", "value", 0, must=False)
        yield Wrong("10**30", "value", HUGE, must=not name.startswith("max"))  # a bound that is not reached
    if kind == "number":
        yield Wrong("nan", "value", float("nan"), must=not blank)
        yield Wrong("inf", "value", float("inf"), must=not infinite)
        yield Wrong("-inf", "value", float("-inf"), must=not infinite)
        yield Wrong("-1.0", "value", -1.0, must=re.search(r"[Pp]ositive|> 0", both) is not None)
    if kind in ("choice", "text") and (kind == "choice" or isinstance(value, str)):
        must = kind == "choice" or name in ("method", "rule", "kind", "mode", "layer", "executor")
        unknowable = made and name == "layer"  # a term or readout is made before the energy that has the layers
        yield Wrong("unknown word", "value", "no_such_word", must=must and not unknowable)
        yield Wrong("empty word", "value", "", must=must)
    if kind == "array" and value is not None:
        yield from arrays(np.asarray(value), blank, infinite)
    if kind == "mapping" and value:
        first = next(iter(value))
        must = name in ("clamp", "force", "data", "theta", "nudge", "x", "x0") and not re.search(r"\bany name", both)
        yield Wrong("unknown key", "value", {**value, "no_such_key": value[first]}, must=must)
        yield Wrong("missing key", "value", {k: v for k, v in value.items() if k != first}, must=False)
        for label, bad in inside(value[first]):
            yield Wrong(f"[{first!r}]={label}", "value", {**value, first: bad})
    if kind == "sequence" and value is not None and len(value):
        yield Wrong("empty", "value", value[:0], must=False)
        yield Wrong("object inside", "value", [*value[:-1], object()], must=True)
    if kind == "callable":
        yield Wrong("takes nothing", "value", lambda: 0.0)
        yield Wrong("takes nine", "value", lambda a, b, c, d, e, f, g, h, i: 0.0)


def arrays(value, blank, infinite):
    """Arrays that do not fit."""
    if value.dtype.kind == "f":
        for label, bad, fine in (("nan inside", np.nan, blank), ("inf inside", np.inf, infinite)):
            worse = value.copy()
            if worse.size:
                worse.flat[0] = bad
                yield Wrong(label, "value", worse, must=not fine)
    if value.dtype.kind in "iu" and value.size:
        for label, bad in (("10**9 inside", 10**9), ("-10**9 inside", -(10**9))):
            worse = value.astype(np.int64)
            worse.flat[-1] = bad
            yield Wrong(label, "value", worse, must=False)
        worse = value.astype(float)
        worse.flat[0] = np.nan
        yield Wrong("nan inside", "value", worse, must=not blank)
    yield Wrong("empty", "value", value[:0] if value.ndim else value.reshape(1)[:0], must=False)
    if value.ndim:
        yield Wrong("one more", "value", np.concatenate([value, value[-1:]]), must=False)
        yield Wrong("one less", "value", value[:-1], must=False)
        yield Wrong("three dimensions more", "value", value[None, None, None], must=False)
    if value.ndim == 2 and value.shape[0] != value.shape[1]:
        yield Wrong("transposed", "value", value.T, must=False)


def inside(value):
    """Wrong values of one entry of a mapping."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_):
        yield "nan", float("nan")
        yield "text", "no_such_word"
    elif isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value) if not isinstance(value, tuple) else None
        if array is not None and array.dtype.kind in "iuf" and array.size:
            worse = array.astype(float)
            worse.flat[0] = np.nan
            yield "nan inside", worse
    yield "object", object()
