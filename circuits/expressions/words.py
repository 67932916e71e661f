"""Words of an expression: numbers, names, signs."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from circuits.expressions.numbers import scale_of

_WORD = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?P<letters>[A-Za-z]*)"
    r"|(?P<name>[A-Za-z_][\w.#]*)"
    r"|(?P<sign>\*\*|&&|\|\||[<>=!]=|<>|[-+*/%\\^()<>?:,!=]))"
)


class Word(NamedTuple):
    """One word: its kind ("number", "name", "sign" or "end"), value and place in the text."""

    kind: str
    value: Any
    at: int


def words(text, dialect):
    """All words of an expression, an "end" last.

    >>> [word.value for word in words("2k*v(a)", "source")]
    [2000.0, '*', 'v', '(', 'a', ')', None]
    """
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise ValueError(f"{text!r}: there is no meaning for {text[at:].strip()[:1]!r} at column {at + 1}")
        if match["number"] is not None:
            if match.end() < len(text) and re.match(r"[\w.]", text[match.end()]):
                raise ValueError(
                    f"{text!r}: {match.group().strip() + text[match.end()]!r} at column {at + 1} is no number; digits "
                    "after a scale mean nothing (write 10.5k for 10k5)"
                )
            value = float(match["number"]) * scale_of(match["letters"], dialect)
            found.append(Word("number", value, at))
        elif match["name"] is not None:
            found.append(Word("name", match["name"] if dialect == "equation" else match["name"].lower(), at))
        else:
            found.append(Word("sign", match["sign"], at))
        at = match.end()
    return [*found, Word("end", None, len(text))]
