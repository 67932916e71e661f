"""Tokens of an element line: names, numbers, "=", and expressions in braces or quotes."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(r"[\s,()]*(?:(?P<braced>\{[^{}]*\}|'[^']*')|(?P<equals>=)|(?P<word>[^\s,()={}']+))")


class Token(NamedTuple):
    """Text of a token; ``braced`` ones are expressions."""

    text: str
    braced: bool


def tokens(line):
    """Tokens of a line; commas and parentheses separate, as blanks do.

    >>> from circuits.spice.lines import Line
    >>> [t.text for t in tokens(Line("v1 (a, 0) pulse(0 {2*x})", ""))]
    ['v1', 'a', '0', 'pulse', '0', '2*x']
    """
    found, at = [], 0
    text = line.text.rstrip().rstrip("(), \t")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if re.fullmatch(r"[\s,()]*", text[at:]):
                break
            line.refuse(f"braces or quotes do not match from {text[at:][:20]!r} on")
        assert match is not None
        if match["braced"] is not None:
            found.append(Token(match["braced"][1:-1], True))
        else:
            found.append(Token(match["equals"] or match["word"], False))
        at = match.end()
    return found


def settings(line, found):
    """Tokens behind the nodes and the value, ``k = v`` each, as {k: Token}; words alone are keys with None."""
    out: dict[str, Token | None] = {}
    at = 0
    while at < len(found):
        key = found[at]
        if key.braced or key.text == "=":
            line.refuse(f"{key.text!r} stands where a setting's name is expected")
        given = at + 2 < len(found) and found[at + 1].text == "=" and not found[at + 1].braced
        if key.text in out:
            line.refuse(f"{key.text!r} is given twice")
        if at + 1 < len(found) and found[at + 1].text == "=" and not given:
            line.refuse(f"{key.text!r} has no value")
        out[key.text] = found[at + 2] if given else None
        at += 3 if given else 1
    return out
