"""Expressions of voltages and currents with their derivatives: many elements of one form at once.

A form is a tree whose numbers and variables are replaced by places, ("p", 0) and ("u", 0); elements of the same form
are worked out together.  Every value is a pair (x, {place: dx/du}).  As in ngspice, a power takes the absolute value of
its base (`pwr` gives it back its sign), a division adds 1e-32 to its divisor, and exp grows no further than 1e99.
The infinite slope of a root at 0, where searches start, counts as 0.
"""

from __future__ import annotations

import numpy as np

FUDGE, HIGHEST = 1e-32, 1e99


def form_of(tree):
    """A tree as (form, variables, numbers): variables are ("v", a, b) and ("i", source), each once.

    >>> form_of(("*", ("number", 2.0), ("v", "a", None)))
    (('*', ('p', 0), ('u', 0)), [('v', 'a', None)], [2.0])
    """
    variables: list[tuple] = []
    numbers: list[float] = []

    def walk(tree):
        if tree[0] in ("v", "i"):
            if tree not in variables:
                variables.append(tree)
            return ("u", variables.index(tree))
        if tree[0] == "number":
            numbers.append(tree[1])
            return ("p", len(numbers) - 1)
        if tree[0] == "call":
            return ("call", tree[1], tuple(walk(part) for part in tree[2]))
        return (tree[0], *(walk(part) for part in tree[1:]))

    return walk(tree), variables, numbers


def evaluate(form, u, p):
    """Values (batch, m) and derivatives (batch, m, k) of a form at variables u (batch, m, k), numbers p (m, q)."""
    with np.errstate(all="ignore"):
        value, slopes = _dual(form, u, p)
    out = np.zeros(u.shape)
    for place, slope in slopes.items():
        out[..., place] = slope
    return np.broadcast_to(value, u.shape[:2]).copy(), out


def _dual(form, u, p):
    kind = form[0]
    if kind == "p":
        return p[:, form[1]], {}
    if kind == "u":
        return u[..., form[1]], {form[1]: 1.0}
    if kind == "neg":
        x, dx = _dual(form[1], u, p)
        return -x, _scaled(dx, -1.0)
    if kind == "not":
        return (_dual(form[1], u, p)[0] == 0).astype(float), {}
    if kind == "if":
        c, _ = _dual(form[1], u, p)
        return _chosen(c != 0, _dual(form[2], u, p), _dual(form[3], u, p))
    if kind == "call":
        return _call(form[1], [_dual(part, u, p) for part in form[2]])
    return _binary(kind, _dual(form[1], u, p), _dual(form[2], u, p))


def _scaled(slopes, factor):
    return {place: slope * factor for place, slope in slopes.items()}


def _sum(first, second):
    return {k: first.get(k, 0.0) + second.get(k, 0.0) for k in {**first, **second}}


def _chosen(test, first, second):
    slopes = {k: np.where(test, first[1].get(k, 0.0), second[1].get(k, 0.0)) for k in {**first[1], **second[1]}}
    return np.where(test, first[0], second[0]), slopes


def _binary(sign, first, second):
    (x, dx), (y, dy) = first, second
    if sign == "+":
        return x + y, _sum(dx, dy)
    if sign == "-":
        return x - y, _sum(dx, _scaled(dy, -1.0))
    if sign == "*":
        return x * y, _sum(_scaled(dx, y), _scaled(dy, x))
    if sign == "/":
        below = y + np.where(y >= 0, FUDGE, -FUDGE)
        return x / below, _sum(_scaled(dx, 1.0 / below), _scaled(dy, -x / below / below))
    if sign == "**":
        return _power(np.abs(x), y, _scaled(dx, np.where(x < 0, -1.0, 1.0)), dy)
    tests = {
        "==": np.equal,
        "!=": np.not_equal,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
        "&&": np.logical_and,
        "||": np.logical_or,
    }
    return tests[sign](x, y).astype(float), {}


def _power(x, y, dx, dy):
    """x ** y of x >= 0."""
    value = x**y
    by_x = np.where((y == 0) | ((x == 0) & (y < 1)), 0.0, y * x ** (y - 1.0))
    by_y = np.where(x > 0, value * np.log(np.where(x > 0, x, 1.0)), 0.0)
    return value, _sum(_scaled(dx, by_x), _scaled(dy, by_y)) if dy else _scaled(dx, by_x)


def _call(name, parts):
    x, dx = parts[0]
    if name in ("min", "max"):
        y = parts[1][0]
        return _chosen(x < y if name == "min" else x > y, parts[0], parts[1])
    if name == "ternary_fcn":
        return _chosen(x != 0, parts[1], parts[2])
    if name in ("pow", "pwr"):
        sign = np.where(x < 0, -1.0, 1.0)
        value, slopes = _power(np.abs(x), parts[1][0], _scaled(dx, sign), parts[1][1])
        return (value, slopes) if name == "pow" else (sign * value, _scaled(slopes, sign))
    if name == "exp":
        value = np.minimum(np.exp(x), HIGHEST)
        return value, _scaled(dx, value)
    value, slope = _ONE[name](x)
    return value, _scaled(dx, slope) if slope is not None else {}


_ONE = {
    "abs": lambda x: (np.abs(x), np.sign(x)),
    "sqrt": lambda x: (np.sqrt(x), np.where(x == 0, 0.0, 0.5 / np.sqrt(x))),
    "ln": lambda x: (np.log(x), 1.0 / x),
    "log": lambda x: (np.log(x), 1.0 / x),
    "log10": lambda x: (np.log10(x), 1.0 / (x * np.log(10.0))),
    "sin": lambda x: (np.sin(x), np.cos(x)),
    "cos": lambda x: (np.cos(x), -np.sin(x)),
    "tan": lambda x: (np.tan(x), 1.0 / np.cos(x) ** 2),
    "asin": lambda x: (np.arcsin(x), 1.0 / np.sqrt(1.0 - x * x)),
    "acos": lambda x: (np.arccos(x), -1.0 / np.sqrt(1.0 - x * x)),
    "atan": lambda x: (np.arctan(x), 1.0 / (1.0 + x * x)),
    "sinh": lambda x: (np.sinh(x), np.cosh(x)),
    "cosh": lambda x: (np.cosh(x), np.sinh(x)),
    "tanh": lambda x: (np.tanh(x), 1.0 - np.tanh(x) ** 2),
    "asinh": lambda x: (np.arcsinh(x), 1.0 / np.sqrt(1.0 + x * x)),
    "acosh": lambda x: (np.arccosh(x), 1.0 / np.sqrt(x * x - 1.0)),
    "atanh": lambda x: (np.arctanh(x), 1.0 / (1.0 - x * x)),
    "floor": lambda x: (np.floor(x), None),
    "ceil": lambda x: (np.ceil(x), None),
    "nint": lambda x: (np.rint(x), None),
    "sgn": lambda x: (np.sign(x), None),
    "u": lambda x: (0.5 * (np.sign(x) + 1.0), None),
    "u2": lambda x: (np.clip(x, 0.0, 1.0), np.where((x > 0) & (x < 1), 1.0, 0.0)),
    "uramp": lambda x: (np.maximum(x, 0.0), np.where(x > 0, 1.0, 0.0)),
}
