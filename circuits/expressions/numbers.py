"""Numbers as SPICE writes them: 4.7k, 1meg, 100n, 3e-9; M is milli."""

from __future__ import annotations

import re

NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[ed][+-]?\d+)?", re.IGNORECASE)
_SCALES = {"t": 1e12, "g": 1e9, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}


def scale_of(letters, dialect="element"):
    """Factor of the letters behind a number; letters after the scale are a unit and ignored.

    In .param ngspice knows no mil: there 1mil is a milli.

    >>> scale_of("meg"), scale_of("mil"), scale_of("mil", "param"), scale_of("ohm")
    (1000000.0, 2.54e-05, 0.001, 1.0)
    """
    if dialect == "equation" and letters:
        raise ValueError(f"{letters!r} behind a number: equations have no scales or units there; write a product")
    letters = letters.lower()
    if letters.startswith("meg"):
        return 1e6
    if letters.startswith("mil") and dialect != "param":
        return 25.4e-6
    return _SCALES.get(letters[:1], 1.0)


def number_of(text):
    """Value of a number in an element line, and what of the text was not used; None where it is no number.

    >>> number_of("4.7kOhm"), number_of("10k5"), number_of("x")
    ((4700.0, ''), (10000.0, '5'), None)
    """
    sign = -1.0 if text[:1] == "-" else 1.0
    body = text[1:] if text[:1] in "+-" else text
    found = NUMBER.match(body)
    if not found:
        return None
    letters = re.match(r"[A-Za-z]*", body[found.end() :])
    assert letters is not None  # it may be empty
    value = sign * float(found.group().lower().replace("d", "e")) * scale_of(letters.group())
    return value, body[found.end() + letters.end() :]
