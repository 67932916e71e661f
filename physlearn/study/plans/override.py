"""Values given with a study file, ``table.key=value``: they become part of it, as if they stood in the file."""

from __future__ import annotations

import copy
import datetime
import json
import math
import tomllib
from collections.abc import Sequence


def overridden(tables: dict, overrides: Sequence[str]) -> dict:
    """The tables of a study file with other values; if a key is given twice, the last counts.

    Parameters
    ----------
    tables : dict
        As `tomllib` reads them; not changed.
    overrides : sequence of str
        ``study.seed=3``, ``space.eta.low=0.1``, ``params.rule=hebb``: a path of keys with dots between, and a value as
        TOML writes it, or text without quotes.

    Raises
    ------
    ValueError
        Text that is not of that form, or a path through a value that is not a table.  The checks of the file say
        whether the key exists.

    Examples
    --------
    >>> overridden({"params": {"size": 8}}, ["params.size=16", "params.method=metropolis"])
    {'params': {'size': 16, 'method': 'metropolis'}}
    """
    tables = copy.deepcopy(tables)
    for text in overrides:
        keys, value = _parsed(text)
        inner = tables
        for k, key in enumerate(keys[:-1], 1):
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise ValueError(
                    f"--set {text}: {'.'.join(keys[:k])} is {inner!r}, which has no keys; set it as a whole, "
                    f"{'.'.join(keys[:k])}=..."
                )
        inner[keys[-1]] = value
    return tables


def written(tables: dict) -> str:
    """Tables as TOML that reads back as the same tables.

    Examples
    --------
    >>> print(written({"study": {"task": "pendulum:swing"}, "space": {"angle": {"values": [0.1, 1.0]}}}), end="")
    [study]
    task = "pendulum:swing"
    <BLANKLINE>
    [space]
    angle = {values = [0.1, 1.0]}
    """
    single = [f"{_key(name)} = {as_toml(value)}\n" for name, value in tables.items() if not isinstance(value, dict)]
    parts = [
        f"[{_key(name)}]\n" + "".join(f"{_key(key)} = {as_toml(value)}\n" for key, value in table.items())
        for name, table in tables.items()
        if isinstance(table, dict)
    ]
    return "\n".join((["".join(single)] if single else []) + parts)


def _parsed(text) -> tuple[list[str], object]:
    path, equals, value = text.partition("=")
    expected = f"--set {text}: expected TABLE.KEY=VALUE, such as study.replicates=5 or params.size=16"
    if not equals or "\n" in path:
        raise ValueError(expected)
    try:
        inner = tomllib.loads(f"{path} = 0")
    except tomllib.TOMLDecodeError:
        raise ValueError(expected) from None
    keys = []
    while isinstance(inner, dict):
        ((key, inner),) = inner.items()
        keys.append(key)
    value = value.strip()
    if not value:
        raise ValueError(f'{expected}; an empty text is ""')
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"--set {text!r}: not UTF-8, which study files are written in") from None
    try:
        found = tomllib.loads(f"value = {value}")
        if len(found) > 1:
            raise ValueError(f"--set {text!r}: several values; give each a --set of its own")
        return keys, found["value"]
    except tomllib.TOMLDecodeError as error:
        if value[0] in "[{\"'":  # meant as a list, a table or a text with quotes
            raise ValueError(f"--set {text}: {value} is not valid TOML: {error}") from None
        return keys, value


def _key(name) -> str:
    plain = name and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
    return name if plain else _text(name)


def _text(text) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def as_toml(value) -> str:
    """A value as a study file would write it."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # nan, inf and -inf, the same words
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {as_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
