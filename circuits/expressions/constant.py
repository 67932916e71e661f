"""Expressions without voltages, worked out while a netlist is read."""

from __future__ import annotations

import math

_CALLS = {
    "abs": abs,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "ln": math.log,
    "log": math.log,
    "log10": math.log10,
    "arctan": math.atan,
    "floor": math.floor,
    "ceil": math.ceil,
    "nint": round,  # halves to even, as C's rint
    "int": math.trunc,
    "sgn": lambda x: (x > 0) - (x < 0),
    "min": min,
    "max": max,
    "pow": math.pow,
    "pwr": lambda x, y: math.pow(abs(x), y),
    "ternary_fcn": lambda c, a, b: a if c else b,
} | {name: getattr(math, name) for name in "sin cos tan asin acos atan sinh cosh tanh asinh".split()}
_SIGNS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "\\": lambda a, b: math.trunc(a / b),
    "**": lambda a, b: math.pow(abs(a), b),
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "&&": lambda a, b: bool(a) and bool(b),
    "||": lambda a, b: bool(a) or bool(b),
}


def value_of(tree, names) -> float:
    """Value of a tree of the dialect "param".

    Parameters
    ----------
    tree : tuple
        From `grammar.parse`.
    names : callable
        Name to value; a ValueError where there is none.

    Examples
    --------
    >>> from circuits.expressions.grammar import parse
    >>> value_of(parse("2**3**2 + x", "param"), {"x": 1.0}.__getitem__)
    65.0
    """
    try:
        found = float(_value(tree, names))
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, ValueError) and "math" not in str(error) and "expected" not in str(error):
            raise
        raise ValueError(f"its value does not exist ({error})") from None
    if not math.isfinite(found):
        raise ValueError(f"its value is {found}")
    return found


def _value(tree, names):
    kind = tree[0]
    if kind == "number":
        return tree[1]
    if kind == "name":
        return names(tree[1])
    if kind == "neg":
        return -_value(tree[1], names)
    if kind == "not":
        return float(not _value(tree[1], names))
    if kind == "if":
        return _value(tree[2] if _value(tree[1], names) else tree[3], names)
    if kind == "call":
        return float(_CALLS[tree[1]](*(_value(part, names) for part in tree[2])))
    if kind in ("v", "i"):
        raise ValueError(f"{kind}(...) has no value while a netlist is read")
    return float(_SIGNS[kind](_value(tree[1], names), _value(tree[2], names)))
