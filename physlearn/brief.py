"""Reprs of objects: one short line, or a few; arrays as shape and range, nothing by its address."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

WIDTH, ITEMS, LONGEST = 110, 6, 160  # columns of a line, entries of a container, characters of one value


def brief(self, **parts) -> str:
    """An object as ``Name(part=..., ...)``; a class takes it as its ``__repr__``.

    Parameters
    ----------
    self : object
    **parts
        Parts to show; default the fields of a dataclass or of a named tuple.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass
    ... class Film:
    ...     frames: np.ndarray
    ...     titles: list
    ...     __repr__ = brief
    >>> Film(np.linspace(0, 1, 30).reshape(10, 3), ["begin", "end"])
    Film(frames=(10, 3) array in 0 .. 1, titles=['begin', 'end'])
    """
    if not parts:
        parts = {name: getattr(self, name) for name in _names(self)}
    texts = [f"{name}={short(value)}" for name, value in parts.items()]
    if not texts:
        return f"{type(self).__name__}()"
    lines = [f"{type(self).__name__}("]
    for k, text in enumerate(texts):
        text += ")" if k + 1 == len(texts) else ","
        if k and len(lines[-1]) + 1 + len(text) > WIDTH:
            lines.append(f"    {text}")
        else:
            lines[-1] += f" {text}" if k else text
    return "\n".join(lines)


def short(value: Any) -> str:
    """A value in a few words.

    Examples
    --------
    >>> short(np.zeros((100, 3))), short(np.array([1.0, 2.0, np.nan])), short(list(range(100)))
    ('(100, 3) array all 0', '(3,) array in 1 .. 2 (some not finite)', '100 numbers in 0 .. 99')
    >>> short({"E": [0.5, 2], "I": None}), short(short), short(1 / 3)
    ("{'E': [0.5, 2], 'I': None}", 'short', '0.333333')
    """
    if isinstance(value, float | np.floating):
        return repr(float(value)) if len(repr(float(value))) <= 8 else f"{float(value):.6g}"
    if isinstance(value, str):
        return repr(value if len(value) <= LONGEST else f"{value[: LONGEST - 3]}...")
    if hasattr(value, "nnz") and hasattr(value, "tocsr"):
        return f"{_shape(value)} sparse, {value.nnz} entries{_range(value.data if hasattr(value, 'data') else [])}"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"{_shape(value)} array{_range(value)}"
    if isinstance(value, Mapping):
        return _few([f"{short(k)}: {short(v)}" for k, v in list(value.items())[:ITEMS]], len(value), "{}")
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        if len(value) > ITEMS and all(isinstance(v, int | float | np.number) for v in value):
            return f"{len(value)} numbers{_range(np.asarray(value))}"
        return _few([short(v) for v in value[:ITEMS]], len(value), "()" if isinstance(value, tuple) else "[]")
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__.rpartition(".")[2]
    text = " ".join(repr(value).split())
    if " at 0x" in text:  # the name of its class says more, or what str makes of it, as for graphs
        text = str(value) if " at 0x" not in str(value) else type(value).__name__
    return text if len(text) <= LONGEST else f"{type(value).__name__}(...)"


def _names(thing):
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing) if field.repr]
    return getattr(thing, "_fields", ())


def _few(texts, count, ends):
    """Entries between brackets, as many as are short together."""
    shown = [text for k, text in enumerate(texts) if k == 0 or sum(map(len, texts[: k + 1])) <= LONGEST]
    more = [f"... {count - len(shown)} more"] if count > len(shown) else []
    comma = "," if ends == "()" and count == 1 else ""
    return f"{ends[0]}{', '.join(shown + more)}{comma}{ends[1]}"


def _shape(value):
    return f"({', '.join(map(str, value.shape))}{',' * (len(value.shape) == 1)})"


def _range(values):
    """In words: " all 1", " in -1 .. 1"."""
    values = np.asarray(values)
    if not values.size or values.dtype.kind not in "biuf":
        return f" of {values.dtype}" if values.dtype.kind not in "biufO" else ""
    if values.dtype.kind == "f" and not (known := np.isfinite(values)).all():
        return f"{_range(values[known])} (some not finite)" if known.any() else " (none finite)"
    low, high = values.min(), values.max()
    return f" all {_number(low)}" if low == high else f" in {_number(low)} .. {_number(high)}"


def _number(value):
    return f"{value}" if np.asarray(value).dtype.kind in "biu" else f"{value:.4g}"
