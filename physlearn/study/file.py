"""Study files: TOML, checked whole; every error at once, with the nearest valid name."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from physlearn.study.task import Task, import_task


class StudyTable(BaseModel):
    """The [study] table."""

    model_config = ConfigDict(extra="forbid")
    task: str
    name: str = Field(default="", pattern=r"^[^/\\]*$", description="results folder; default the file's name")
    seed: int = Field(default=0, ge=0)
    replicates: int = Field(default=1, ge=1)


class Study(NamedTuple):
    """A checked study: what to run, how often, from which seed.

    Examples
    --------
    >>> Study._fields[:3]
    ('name', 'task_path', 'task')
    """

    name: str
    task_path: str
    task: Task
    params: BaseModel
    seed: int
    replicates: int
    text: str


def read_study(path) -> Study:
    r"""Read and check a study file.

    Parameters
    ----------
    path : path-like
        A TOML file with a table [study] (task, name, seed, replicates) and a table [params].

    Returns
    -------
    Study

    Raises
    ------
    ValueError
        Everything that is wrong with it, one line each.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "quick.toml")
    ...     _ = path.write_text('[study]\ntask = "circuits.tasks:iris"\n[params]\nepochs = 5\n')
    ...     study = read_study(path)
    >>> study.name, study.params.epochs
    ('quick', 5)
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not valid TOML: {error}") from None
    errors = [
        f"{path}: unknown table [{name}]{_nearest(name, ['study', 'params'])}"
        for name in tables
        if name not in ("study", "params")
    ]
    table, found = _check(StudyTable, tables.get("study", {}), f"{path}: [study]")
    errors += found
    task, params = None, None
    named = tables["study"].get("task") if isinstance(tables.get("study"), dict) else None
    if isinstance(named, str):  # also where other keys of [study] are wrong: all errors at once
        try:
            task = import_task(named)
        except ValueError as error:
            errors.append(f"{path}: [study] {error}")
    if task is not None:
        params, found = _check(task.params, tables.get("params", {}), f"{path}: [params]")
        errors += found
    if errors or table is None or task is None or params is None:
        raise ValueError("\n".join(errors))
    name = table.name or path.stem
    return Study(name, table.task, task, params, table.seed, table.replicates, text)


def _check(model: type[BaseModel], values: Any, where: str) -> tuple[Any, list[str]]:
    if not isinstance(values, dict):
        return None, [f"{where}: expected a table, got {values!r}"]
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, [_line(model, item, where) for item in error.errors()]


def _line(model, item, where):
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{where} unknown key {key!r}{_nearest(key, model.model_fields)}"
    if item["type"] == "missing":
        return f"{where} {key}: missing"
    return f"{where} {key}: got {item['input']!r}; {item['msg'][0].lower()}{item['msg'][1:]}"


def _nearest(name, valid):
    close = difflib.get_close_matches(name, list(valid), 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; expected one of {sorted(valid)}"
