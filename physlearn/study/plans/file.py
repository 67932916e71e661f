"""Study files: TOML, checked as a whole; all errors at once, with the nearest valid name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from physlearn.brief import brief
from physlearn.checks import sequence
from physlearn.files import path_of, read_text
from physlearn.study.plans import draws, space as spaces
from physlearn.study.plans.axes import axis, zipped
from physlearn.study.plans.check import nearest, unknown, validated
from physlearn.study.plans.identity import plain
from physlearn.study.plans.options import Options, checked_options
from physlearn.study.plans.override import overridden, written
from physlearn.study.plans.plan import Plan, Refine
from physlearn.study.plans.space import Space
from physlearn.study.plans.task import import_task

TABLES = ("study", "params", "space", "refine")
SAMPLED = ("random", "latin_hypercube", "sobol")
WAYS = {  # to describe an axis, each with the keys that may accompany it
    "values": {"units", "scale"},
    "zip": set(),
    "low": {"high", "n", "scale", "integer", "units"},
}


class StudyTable(Options):
    """The [study] table."""

    task: str
    name: str = Field(default="", pattern=r"^(\w[^/\\]*)?$", description="results folder; default the file's name")
    seed: int = Field(default=0, ge=0)
    replicates: int = Field(default=1, ge=1)
    common_random_numbers: bool = False


class AxisTable(BaseModel):
    """An axis that is not a plain list: values, or a range from low to high, or a zip group; with units."""

    model_config = ConfigDict(extra="forbid")
    values: list | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = Field(default=None, ge=1)
    scale: str = Field(default="linear", pattern="^(linear|log)$")
    integer: bool = False
    units: str | None = None
    zip: dict[str, Any] | None = None


class StudyFile(NamedTuple):
    """A checked study file: the plan and the options of its run.

    Examples
    --------
    >>> StudyFile._fields
    ('name', 'plan', 'options', 'text', 'folder')
    """

    name: str
    plan: Plan
    options: Options
    text: str
    folder: Path

    __repr__ = brief


def read_study(path, *, overrides=()) -> StudyFile:
    r"""Read and check a study file.

    Parameters
    ----------
    path : path-like
        A TOML file with the tables [study] (task, name, seed, replicates, common_random_numbers, and how to run:
        workers, timeout, memory, retries, max_failures, batch), [params] (fixed values), [space] (axes as lists,
        ``{low, high, n, scale, integer, units}``, ``{values, units, scale}`` or ``{zip = {...}}``; with ``kind``
        "latin_hypercube", "sobol" or "random", ``samples`` points of ranges ``{low, high, scale, integer, units}``
        and perhaps ``sample_seed``; or ``points``, a list of tables) and [refine] (observable, tolerance, levels).
    overrides : sequence of str
        Values that replace or extend the file's, ``"params.size=16"``; checked and kept as if they stood in the file.

    Returns
    -------
    StudyFile

    Raises
    ------
    ValueError
        All errors of the file, one line each.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "quick.toml")
    ...     _ = path.write_text('[study]\ntask = "circuits.tasks:iris"\n[space]\nlr = [0.05, 0.1]\n')
    ...     study = read_study(path)
    >>> study.name, len(study.plan)
    ('quick', 2)
    """
    path = path_of("path", path)
    overrides = sequence("overrides", overrides, str, "a sequence of texts, such as ['params.size=16']")
    try:
        text = read_text(path)
        tables = tomllib.loads(text)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    if overrides:
        tables = overridden(tables, overrides)
        text = f"# {path.name!r} with {', '.join(map(repr, overrides))}\n\n{written(tables)}"
    errors = [f"{path}: unknown table [{name}]{nearest(name, TABLES)}" for name in tables if name not in TABLES]
    table, found = validated(StudyTable, tables.get("study", {}), f"{path}: [study]", strict=True)
    errors += found
    refine = None
    if "refine" in tables:
        refine, found = validated(Refine, tables["refine"], f"{path}: [refine]", strict=True)
        errors += found
    space, found = _space(tables.get("space", {}), tables.get("params", {}), path)
    errors += found
    task = None
    named = tables["study"].get("task") if isinstance(tables.get("study"), dict) else None
    if isinstance(named, str):  # also where other keys of [study] are wrong: all errors at once
        try:
            task = import_task(named)
        except ValueError as error:
            errors.append(f"{path}: [study] {error}")
    if task is not None:
        errors += _params(task.params, tables, path)
    plan = None
    if table is not None and task is not None and space is not None:
        plan = Plan(table.task, task, space, table.replicates, table.seed, table.common_random_numbers, refine)
        if not errors:
            errors += plan.errors(f"{path}: [space]" if space.dims else f"{path}: [params]")
    if errors or table is None or plan is None:
        raise ValueError("\n".join(errors))
    options = checked_options({name: getattr(table, name) for name in Options.model_fields})
    return StudyFile(table.name or path.stem, plan, options, text, path.resolve().parent)


def _params(model, tables, path) -> list[str]:
    """Errors of [params] and unknown axes, reported together with other errors."""
    params, table = tables.get("params", {}), tables.get("space", {})
    if model is None or not isinstance(params, dict) or not isinstance(table, dict):
        return []
    varied = _varied(table)
    _, errors = validated(model, params, f"{path}: [params]")
    errors = [line for line in errors if not any(line == f"{path}: [params] {name}: missing" for name in varied)]
    known = {line.split(";")[0] for line in errors}
    errors += [e for e in unknown(params, model, f"{path}: [params]") if e.split(";")[0] not in known]
    return errors + unknown(sorted(varied), model, f"{path}: [space]")


def _space(table, params, path) -> tuple[Space | None, list[str]]:
    where = f"{path}: [space]"
    errors = [
        f"{path}: [{n}]: expected a table, got {t!r}"
        for n, t in (("space", table), ("params", params))
        if not isinstance(t, dict)
    ]
    if errors:
        return None, errors
    both = sorted(set(params) & _varied(table))
    errors += [f"{where} {name}: also in [params]; a parameter varies or is fixed" for name in both]
    fixed = {name: _tried(f"{path}: [params]", errors, lambda: plain(value, name)) for name, value in params.items()}  # noqa: B023 (called at once)
    table = dict(table)
    kind = table.pop("kind", "points" if "points" in table else "grid")
    if kind == "points":
        rows = table.pop("points", [])
        errors += [f"{where} unknown key {name!r} beside points" for name in table]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            errors.append(f"{where} points: got {rows!r}, expected a list of tables")
            return None, errors
        found = _tried(where, errors, lambda: spaces.points(rows))
    elif kind in SAMPLED:
        samples, seed = table.pop("samples", None), table.pop("sample_seed", 0)
        ranges = {name: _range(name, given, where, errors) for name, given in table.items()}
        draw = getattr(draws, kind)
        found = None if errors else _tried(where, errors, lambda: draw(samples, sample_seed=seed, **ranges))
    elif kind == "grid":
        axes = {name: _axis(name, given, where, errors) for name, given in table.items()}
        found = None if errors else _tried(where, errors, lambda: spaces.grid(**axes))
    else:
        errors.append(f"{where} kind: got {kind!r}{nearest(str(kind), ('grid', 'points', *SAMPLED))}")
        found = None
    if errors or found is None:
        return None, errors
    whole = _tried(where, errors, lambda: Space(found.dims, {**fixed, **found.fixed}, found.origin))
    return whole, errors


def _varied(table) -> set[str]:
    """Parameters that a [space] table names, whether valid or not."""
    names: set[str] = set()
    sampled = table.get("kind") in SAMPLED
    for name, given in table.items():
        if name == "points" and isinstance(given, list):
            names.update(*(row for row in given if isinstance(row, dict)))
        elif isinstance(given, dict) and isinstance(given.get("zip"), dict):
            names |= set(given["zip"])
        elif name != "kind" and not (sampled and name in ("samples", "sample_seed")):
            names.add(name)
    return names


def _axis(name, given, where, errors):
    """A list, or a table in the form of `AxisTable`, tried alone so that every wrong axis is reported."""
    here = f"{where} {name}:"
    if isinstance(given, list):
        _tried(where, errors, lambda: spaces.grid(**{name: given}))
        return given
    if not isinstance(given, dict):
        errors.append(f"{here} got {given!r}, expected a list or {{low, high, n}}; fixed values belong to [params]")
        return None
    table, found = validated(AxisTable, given, here, strict=True)
    errors += found
    if table is None:
        return None
    ways = [way for way in WAYS if way in given]
    if len(ways) != 1 or (ways == ["low"] and (table.high is None or table.n is None)):
        errors.append(f"{here} got {given!r}, expected values, or low, high and n, or zip")
        return None
    if extra := sorted(given.keys() - WAYS[ways[0]] - {ways[0]}):
        errors.append(f"{here} {', '.join(extra)}: means nothing beside {ways[0]}; leave it out")
        return None
    if table.zip is not None:
        before = len(errors)
        axes = {inner: _axis(inner, values, here, errors) for inner, values in table.zip.items()}
        return None if len(errors) > before else _tried(here, errors, lambda: _alone(name, zipped(**axes)))
    if table.values is not None:
        return _tried(where, errors, lambda: _alone(name, axis(table.values, units=table.units, scale=table.scale)))
    if not np.all(np.isfinite([table.low, table.high])) or (table.scale == "log" and min(table.low, table.high) <= 0):
        above = " above zero for a log scale" if table.scale == "log" else ""
        errors.append(f"{here} got {table.low} to {table.high}, expected finite numbers{above}")
        return None
    if table.integer and not (table.low.is_integer() and table.high.is_integer()):
        errors.append(f"{here} got {table.low} to {table.high}, expected whole numbers with integer = true")
        return None
    values = (np.geomspace if table.scale == "log" else np.linspace)(table.low, table.high, table.n)
    if table.integer:
        values = np.unique(np.rint(values).astype(int))
    return _tried(where, errors, lambda: _alone(name, axis(values, units=table.units, scale=table.scale)))


def _alone(name, values):
    spaces.grid(**{name: values})
    return values


def _range(name, given, where, errors):
    here = f"{where} {name}:"
    if not isinstance(given, dict):
        errors.append(f"{here} got {given!r}, expected {{low = ..., high = ...}}; fixed values belong to [params]")
        return None
    table, found = validated(AxisTable, given, here, strict=True)
    errors += found
    if table is None:
        return None
    if table.low is None or table.high is None or given.keys() & {"values", "n", "zip"}:
        errors.append(f"{here} got {given!r}, expected low and high, and perhaps scale, integer and units")
        return None
    more = {"scale": table.scale, "integer": table.integer, "units": table.units}
    return _tried(here, errors, lambda: draws.between(table.low, table.high, **more))


def _tried(where, errors, make):
    try:
        return make()
    except (TypeError, ValueError) as error:
        errors.append(f"{where} {error}")
        return None
