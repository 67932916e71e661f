"""Errors of given values, reported all at once: one line each, with the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError


def validated(model: type[BaseModel], values: Any, where: str, *, strict=None) -> tuple[Any, list[str]]:
    """The model's instance, or None, and one line per error; ``strict`` does not accept "3" for 3."""
    if not isinstance(values, Mapping):
        return None, [f"{where.removesuffix(':')}: expected a table, got {values!r}"]
    try:
        return model.model_validate(values, strict=strict), []
    except ValidationError as error:
        return None, lines(model, error, where)


def no_text(value: Any) -> Any:
    """The value; text and flags, which pydantic would read as numbers, are refused."""
    if isinstance(value, str | bytes | bool):
        raise ValueError("expected a number")
    return value


def lines(model: type[BaseModel], error: ValidationError, where: str) -> list[str]:
    """One line for each error that pydantic found."""
    return [_line(model, item, where) for item in error.errors()]


def unknown(names: Iterable[str], model: type[BaseModel], where: str) -> list[str]:
    """One line for each name that the model does not have."""
    valid = {*model.model_fields, *(f.alias for f in model.model_fields.values() if f.alias)}
    return [f"{where} unknown key {name!r}{nearest(name, valid)}" for name in names if name not in valid]


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name that was probably meant, or all of them."""
    close = difflib.get_close_matches(name, list(valid), 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; expected one of {sorted(valid)}"


def _line(model, item, where):
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{where} unknown key {key!r}{nearest(key, model.model_fields)}"
    if item["type"] == "missing":
        return f"{where} {key}: missing"
    said = item["msg"].removeprefix("Value error, ")
    return f"{where} {key}: got {item['input']!r}; {said[0].lower()}{said[1:]}" if key else f"{where} {said}"
