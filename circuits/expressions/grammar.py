r"""Grammar of expressions: a tree of tuples from a text, by precedence climbing.

    a ? b : c      ||      &&      == != <>      < <= > >=      + -      * / (% \ in param)      - ! (prefix)      ^ **

all binary operators from the left, so that 2**3**2 is 64.  A leading minus binds less than a power: -2**2 is -4.  After
an operator the dialects differ: 2**-1**2 is 2**-(1**2) in sources and (2**-1)**2 in .param, where 2*-3**2 is 2*(-3)**2
and where a minus before a name and a power is read by ngspice 39 as part of the next exponent (2*-sqrt(4)**2 is 0.5):
that is refused here.  "equation", of neurons, has the names as written, no scales, powers from the right as Python has
them, and neither v() nor i().  The trees are

    ("number", 2.0)   ("name", "x")   ("v", "a", "b" or None)   ("i", "v1")   ("call", "exp", (tree, ...))
    ("+", tree, tree) and so on   ("neg", tree)   ("not", tree)   ("if", tree, tree, tree)
"""

from __future__ import annotations

import re
from typing import NoReturn

from circuits.expressions.words import words

LEVELS = {"||": 2, "&&": 3, "==": 4, "!=": 4, "<>": 4, "=": 4, "<": 5, "<=": 5, ">": 5, ">=": 5}
LEVELS |= {"+": 6, "-": 6, "*": 7, "/": 7, "%": 7, "\\": 7, "^": 9, "**": 9}
PREFIX, TERNARY = 8, 1
SPELT = {"<>": "!=", "=": "==", "^": "**"}
ONLY_PARAM = ("%", "\\", "=")
DEEPEST = 100  # nesting that no netlist needs, well below Python's own limit
# number of arguments
_ONE = "abs sqrt exp ln log log10 sin cos tan asin acos atan sinh cosh tanh asinh floor ceil nint sgn"
FUNCTIONS = {name: 1 for name in _ONE.split()} | {"min": 2, "max": 2, "pow": 2, "pwr": 2, "ternary_fcn": 3}
DIALECTS = {
    "source": FUNCTIONS | {"u": 1, "u2": 1, "uramp": 1, "acosh": 1, "atanh": 1},
    "param": FUNCTIONS | {"int": 1, "arctan": 1},
    "equation": {name: FUNCTIONS[name] for name in "abs sqrt exp log sin cos tan sinh cosh tanh min max".split()},
}
CONSTANTS = {"pi": 3.141592653589793, "e": 2.718281828459045}


def parse(text, dialect="source"):
    """The tree of an expression.

    Parameters
    ----------
    text : str
    dialect : {"source", "param", "equation"}

    Raises
    ------
    ValueError
        That says what is wrong, and at which column.

    Examples
    --------
    >>> parse("-v(a)**2")
    ('neg', ('**', ('v', 'a', None), ('number', 2.0)))
    """
    parser = _Parser(text, dialect)
    tree = parser.expression(0)
    if parser.word.kind != "end":
        parser.refuse(f"{parser.word.value!r} is left over")
    return tree


class _Parser:
    def __init__(self, text, dialect):
        self.text, self.dialect = text, dialect
        self.words, self.at, self.depth = words(text, dialect), 0, 0

    @property
    def word(self):
        return self.words[self.at]

    def refuse(self, why) -> NoReturn:
        raise ValueError(f"{self.text!r}: {why} at column {self.word.at + 1}")

    def sign(self, *signs):
        """Whether the next word is one of these signs."""
        return self.word.kind == "sign" and self.word.value in signs

    def take(self, sign):
        if not self.sign(sign):
            found = "the end" if self.word.kind == "end" else repr(self.word.value)
            self.refuse(f"expected {sign!r}, got {found}")
        self.at += 1

    def expression(self, least, first=True) -> tuple:
        """Operators that bind at least as much as ``least``; ``first``: nothing stands before it."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"more than {DEEPEST} nested parts")
        left = self.operand(first)
        while self.word.kind == "sign":
            sign = self.word.value
            if sign == "?" and least <= TERNARY:
                self.at += 1
                yes = self.expression(TERNARY, self.dialect != "param")
                self.take(":")
                left = ("if", left, yes, self.expression(TERNARY, self.dialect != "param"))
                continue
            level = LEVELS.get(sign, -1)
            if level < max(least, TERNARY + 1) or (sign in ONLY_PARAM and self.dialect != "param"):
                break
            self.at += 1
            after = (
                level if sign == "**" and self.dialect == "equation" else level + 1
            )  # from the right, or from the left
            left = (SPELT.get(sign, sign), left, self.expression(after, first=False))
        self.depth -= 1
        return left

    def operand(self, first) -> tuple:
        if self.sign("-", "+", "!"):
            sign = self.word.value
            self.at += 1
            if self.dialect == "param" and not first and sign != "!":
                return self.signed(sign)
            # the next operand of a prefix begins like one after an operator
            inner = self.expression(PREFIX, first=False)
            return inner if sign == "+" else ("neg" if sign == "-" else "not", inner)
        if self.sign("("):
            self.at += 1
            inner = self.expression(0)
            self.take(")")
            return inner
        word = self.word
        self.at += 1
        if word.kind == "number":
            return ("number", word.value)
        if word.kind == "name":
            return self.named(word.value)
        self.at -= 1
        found = "the expression ends" if word.kind == "end" else f"{word.value!r} stands"
        self.refuse(f"{found} where a number, a name or '(' is expected")

    def signed(self, sign):
        """An operand of .param with a sign after an operator."""
        if sign == "+":
            self.at -= 1
            self.refuse("a plus sign after an operator, which ngspice refuses; leave it out;")
        number = self.word.kind == "number"
        inner = self.operand(False)
        if not number and self.sign("^", "**"):
            self.refuse(
                "a minus sign after an operator, before a power: ngspice reads it as the sign of the exponent; write "
                "parentheses;"
            )
        return ("number", -inner[1]) if number else ("neg", inner)

    def named(self, name):
        if not self.sign("("):
            return ("name", name)
        if name in ("v", "i") and self.dialect == "source":
            return self.probe(name)
        known = DIALECTS[self.dialect]
        if name not in known:
            self.at -= 1
            self.refuse(f"there is no function {name!r} (known: {', '.join(sorted(known))})")
        self.at += 1
        arguments = [self.expression(0)]
        while self.sign(","):
            self.at += 1
            arguments.append(self.expression(0))
        if len(arguments) != known[name]:
            self.refuse(f"{name} takes {known[name]} argument(s), got {len(arguments)}")
        self.take(")")
        return ("call", name, tuple(arguments))

    def probe(self, kind):
        """v(a), v(a,b) or i(source): names of nodes may be numbers and hold other signs."""
        start = self.word.at + 1
        end = self.text.find(")", start)
        if end < 0:
            self.refuse("expected ')'")
        names = [part.strip().lower() for part in self.text[start:end].split(",")]
        if not 1 <= len(names) <= (2 if kind == "v" else 1) or not all(re.fullmatch(r"[^\s(){},=]+", n) for n in names):
            wanted = "v(node) or v(node,node)" if kind == "v" else "i(source)"
            self.refuse(f"{self.text[start:end]!r} is not what {wanted} takes")
        while self.word.at <= end and self.word.kind != "end":
            self.at += 1
        names = ["0" if name == "gnd" and kind == "v" else name for name in names]
        return ("i", names[0]) if kind == "i" else ("v", names[0], names[1] if len(names) > 1 else None)
