"""Labelled arrays from a store, at any time: missing values are NaN, and ``status`` says why."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from physlearn.study.plans.axes import Axis
from physlearn.study.plans.identity import canonical
from physlearn.study.plans.space import Space
from physlearn.study.storage.integrity import KEPT, Damage, sound
from physlearn.study.storage.reader import (
    COMPLETE,
    DAMAGED,
    FAILED,
    STATES,
    definition_in,
    differences,
    digest_in,
    meta_in,
    points_in,
    reading,
)
from physlearn.study.storage.values import decode

SHOWN = 5  # damaged results that a warning names


def assemble(folder: Path):
    """All results of a study as an `xarray.Dataset` (see `Study.to_dataset`), and the damaged ones (see `damaged`)."""
    import xarray

    with reading(folder) as db:
        db.execute("BEGIN")  # one state of the store, though a driver may be writing
        definition, name = definition_in(db)
        meta = meta_in(db)
        added = points_in(db)
        space, task = Space.from_json(definition["space"]), meta.get("task", {})
        dims, coords = _coordinates(space, added, definition["replicates"], task.get("units", {}))
        shape = tuple(size for _, size in dims)
        status = np.zeros(int(np.prod(shape)), dtype=np.int8)
        found = db.execute("SELECT key, status FROM task").fetchall()
        if not all(type(state) is int and 0 <= state < DAMAGED for _, state in found):
            raise TypeError("a task is in no state that there is")
        rows = np.array(found, dtype=np.int64).reshape(-1, 2)
        status[rows[:, 0]] = rows[:, 1]
        ragged = task.get("ragged", ())
        columns, bad = _columns(db, folder, ragged)
        odd = misshapen(db, ragged, task.get("padded", ()), bad)
        status[list(odd)] = FAILED[0]
        status[list(bad)] = DAMAGED
        broken = _told(db, bad, definition["replicates"])
        columns = _without(columns, {*odd, *bad})
        source = _source(db, meta.get("provenance", {}))
    variables: dict[str, Any] = {}
    named, lengths = task.get("dims", {}), dict(dims)
    common = {result: values for result, column in columns.items() if (values := _common(result, column, named))}
    taken = {*lengths, *coords, *(set(columns) - set(common))}
    lengths |= {result: len(values) for result, (values,) in common.items()}
    for result, column in columns.items():
        about = {"long_name": task.get("headline", {}).get(result), "units": task.get("units", {}).get(result)}
        attrs = {key: value for key, value in about.items() if value}
        if result in common:
            coords[result] = (result, *common[result], attrs)
            continue
        values = _filled(result, column, len(status))
        inner = _inner_dims(result, values.shape[1:], named.get(result), lengths, taken)
        variables[result] = (tuple(lengths)[: len(dims)] + inner, values.reshape(shape + values.shape[1:]), attrs)
    legend = {"flag_values": np.arange(len(STATES), dtype=np.int8), "flag_meanings": " ".join(STATES)}
    variables["status"] = (tuple(d for d, _ in dims), status.reshape(shape), legend)
    attrs = {
        "name": name,
        "task": definition["task"],
        "version": task.get("version", ""),
        "seed": definition["seed"],
        "study": canonical(definition),
        "params": canonical(space.fixed),
        "provenance": canonical(source),
    }
    return xarray.Dataset(variables, coords, attrs), broken


def damaged(folder: Path, db) -> dict[int, str]:
    """Done tasks with a result that is missing or has changed since it was written, and which result."""
    return {key: str(value) for key, _, _, _, value in _read(folder, db) if isinstance(value, Damage)}


def warn_of_damage(folder: Path, broken) -> None:
    """Warn of results that are missing from a dataset, naming the first of them."""
    if broken:
        points = [f"{b['params']} replicate {b['replicate']}: {b['message']}" for b in broken]
        more = f"; and {len(points) - SHOWN} more" if len(points) > SHOWN else ""
        warnings.warn(
            f"{folder}: {len(points)} results are damaged and left out: {'; '.join(points[:SHOWN])}{more}. retry() "
            "(physlearn retry --failed) computes them again; or put back a copy",
            stacklevel=3,
        )


def _told(db, bad, replicates):
    """Damaged tasks in the form of `Study.failures`."""
    found = []
    for key, message in sorted(bad.items()):
        (params,) = db.execute("SELECT params FROM task WHERE key = ?", (key,)).fetchone()
        about = {"params": json.loads(params), "replicate": key % replicates, "status": STATES[DAMAGED]}
        found.append(about | {"type": "Damage", "message": message, "traceback": f"Damage: {message}", "attempts": 1})
    return found


def _source(db, first):
    """Provenance of the results, and its differences in later runs."""
    found = {line for (line,) in db.execute("SELECT DISTINCT action FROM event WHERE action LIKE 'run %'")}
    begun = {key: value for key, value in first.items() if key != "began"}
    later = [lines for line in sorted(found) if (lines := differences(begun, json.loads(line[4:])))]
    return first | ({"later runs": later} if later else {})


def misshapen(db, ragged=(), padded=(), left_out=()) -> dict[int, tuple[str, str, str]]:
    """Tasks whose result has another shape than in the first task of the plan, or is text instead of a number.

    Each with its error.  Padded results only need the same number of axes.  The reference is the first task of the
    plan, not of the run: which tasks fail must not depend on the order of the work.
    """
    count = f"t.status = {COMPLETE} AND t.key NOT IN ({', '.join(str(int(key)) for key in left_out)})"
    rows = db.execute(
        f"SELECT r.name, r.shape, {_TEXT}, MIN(r.task) FROM result r JOIN task t ON t.key = r.task WHERE {count} "
        f"GROUP BY r.name, r.shape, {_TEXT} ORDER BY MIN(r.task)"
    ).fetchall()
    first: dict[str, tuple[str, int, int]] = {}
    errors = {}
    for name, shape, text, task in rows:
        usual, words, where = first.setdefault(name, (shape, text, task))
        fits = shape == usual or (name in padded and len(_tuple(shape)) == len(_tuple(usual)))
        if (fits and text == words) or name in ragged:
            continue
        (params,) = db.execute("SELECT params FROM task WHERE key = ?", (where,)).fetchone()
        said = (
            f"result {name!r} has shape {_tuple(shape)}; at {params} it has {_tuple(usual)}, and a labelled array "
            "needs one shape. Name it in Task(padded=...), which fills it up with NaN where it has as many axes, or "
            "in Task(ragged=...), which keeps it out of the dataset; or return a summary"
            if not fits
            else f"result {name!r} is {_KIND[text]}; at {params} it is {_KIND[words]}: return one of them everywhere"
        )
        found = db.execute(
            "SELECT r.task FROM result r JOIN task t ON t.key = r.task "
            f"WHERE {count} AND r.name = ? AND r.shape = ? AND {_TEXT} = ?",
            (name, shape, text),
        )
        errors |= {key: ("ShapeError", said, f"ShapeError: {said}") for (key,) in found if key not in errors}
    return errors


def returned(folder: Path) -> list[dict[str, Any]]:
    """Results of every done task, in the order of the plan; damaged ones are left out and reported by a warning."""
    found: dict[int, dict] = {}
    bad: dict[int, str] = {}
    with reading(folder) as db:
        for key, name, dtype, shape, data in _read(folder, db):
            if isinstance(data, Damage):
                bad.setdefault(key, str(data))
                continue
            value = decode(dtype, json.loads(shape), data)
            found.setdefault(key, {})[name] = value if value.ndim else value.item()
        broken = _told(db, bad, definition_in(db)[0]["replicates"])
    warn_of_damage(folder, broken)
    return [values for key, values in found.items() if key not in bad]


_TEXT, _KIND = "(r.dtype LIKE '<U%')", ("a number", "text")


def _read(folder, db, but=()):
    """Results of done tasks: task number, name, dtype, shape, and the bytes or the `Damage`."""
    written = digest_in(db) != "NULL"
    rows = db.execute(
        f"SELECT r.task, t.id, r.name, r.dtype, r.shape, r.data, r.file, {KEPT if written else 'NULL'} FROM result r "
        f"JOIN task t ON t.key = r.task WHERE t.status = {COMPLETE} ORDER BY r.task, r.rowid"
    )
    found: dict[int, int] = {}
    for key, identity, name, dtype, shape, data, file, kept in rows:
        found[key] = found.get(key, 0) + 1
        if name in but:
            continue
        try:
            value = sound(folder, identity, name, dtype, shape, data, file, kept)
        except Damage as damage:
            value = damage
        yield key, name, dtype, shape, value
    if written:
        for key, count in db.execute(f"SELECT key, results FROM task WHERE status = {COMPLETE}"):
            if count not in (None, found.get(key, 0)):  # SQLite does not notice a row that a damaged page has lost
                yield key, "", "", "", Damage(f"study.db has {found.get(key, 0)} results where {count} were written")


def _tuple(shape):
    return tuple(json.loads(shape))


def _coordinates(space: Space, added, replicates, units: Mapping[str, str]):
    """Sizes of the dimensions, and labels along them; refined grids become a list of points."""
    if added:
        axes = {
            name: a._replace(values=tuple(space[k][name] for k in range(len(space))) + tuple(p[name] for p in added))
            for name, a in space.axes.items()
        }
        groups: Mapping[str, Mapping[str, Axis]] = {"point": axes}
    else:
        groups = space.dims
    dims, coords = [], {}
    for dim, axes in groups.items():
        dims.append((dim, len(next(iter(axes.values())).values)))
        for name, a in axes.items():
            unit = a.units or units.get(name)
            attrs = ({"units": unit} if unit else {}) | ({"scale": a.scale} if a.scale != "linear" else {})
            coords[name] = (dim, _labels(a.values), attrs)
    dims.append(("replicate", replicates))
    coords["replicate"] = ("replicate", np.arange(replicates))
    return dims, coords


def _labels(values):
    """Labels of an axis, an array in which two are equal only where the values are: numbers or words, else JSON."""
    found = _numbers(values)
    if found is None:
        words = [v if isinstance(v, str) else canonical(v) for v in values]
        if len(set(words)) < len(set(map(canonical, values))):  # the word "1" beside the number
            words = [canonical(v) for v in values]
        found = np.array(words)
    return found


def _numbers(values):
    """The values as an array of numbers, None where that would round one or make two of them equal."""
    if not all(type(v) in (int, float, bool) for v in values):
        return None
    if all(type(v) is int for v in values):
        kinds = [kind for kind in (np.int64, np.uint64) if all(_holds(kind, v) for v in values)]
        return np.array(values, kinds[0]) if kinds else None
    found = np.array(values)
    same = found.dtype.kind in "bif" and all(a == b for a, b in zip(found.tolist(), values, strict=True))
    return found if same and len(set(values)) == len(set(map(canonical, values))) else None


def _holds(kind, value):
    return np.iinfo(kind).min <= value <= np.iinfo(kind).max


def _columns(db, folder, ragged):
    """Name -> dtype and shape -> (task numbers, values); and damaged results, by task number."""
    columns: dict[str, dict] = {}
    bad: dict[int, str] = {}
    for key, name, dtype, shape, data in _read(folder, db, ragged):
        if isinstance(data, Damage):
            bad.setdefault(key, str(data))
            continue
        keys, chunks = columns.setdefault(name, {}).setdefault((dtype, shape), ([], []))
        keys.append(key)
        chunks.append(data)
    return columns, bad


def _without(columns, tasks):
    """The columns without these tasks."""
    if not tasks:
        return columns
    kept: dict[str, dict] = {}
    for name, column in columns.items():
        for kind, (keys, chunks) in column.items():
            if rows := [pair for pair in zip(keys, chunks, strict=True) if pair[0] not in tasks]:
                kept.setdefault(name, {})[kind] = tuple(map(list, zip(*rows, strict=True)))
    return kept


def _filled(name, column, total):
    """One array over all tasks: NaN, or the empty string, where there is no value."""
    known = sum(len(keys) for keys, _ in column.values())
    dtype = np.result_type(*(np.dtype(dtype) for dtype, _ in column))
    if known < total and dtype.kind in "biu":
        dtype = np.dtype(float)
    shapes = {shape: _tuple(shape) for _, shape in column}  # padded results may have several
    shape = tuple(map(max, zip(*shapes.values(), strict=True)))
    if len(shapes) > 1 and dtype.kind in "biu":
        dtype = np.dtype(float)
    if dtype.kind == "f" and any(_rounded(np.dtype(own), chunks) for (own, _), (_, chunks) in column.items()):
        warnings.warn(
            f"result {name!r}: integers beyond 2^53 are rounded in a dataset where some are missing or no integers; "
            "return them as text",
            stacklevel=4,
        )
    empty = "" if dtype.kind == "U" else np.nan if dtype.kind in "fc" else 0
    out = np.full((total, *shape), empty, dtype=dtype)
    for (stored, own), (keys, chunks) in column.items():
        values = np.frombuffer(b"".join(chunks), dtype=stored).reshape(len(keys), *shapes[own])
        out[(keys, *map(slice, shapes[own]))] = values
    return out


def _rounded(dtype, chunks):
    """Whether a column has integers that a float does not hold."""
    if dtype.kind not in "iu" or dtype.itemsize < 8:
        return False
    values = np.frombuffer(b"".join(chunks), dtype=dtype)
    return any(int(value) != int(float(value)) for value in values[np.abs(values.astype(float)) >= 2.0**53])


def _common(name, column, named):
    """The coordinate of an axis, in a tuple: an array with the axis's name that is the same at all points."""
    axes = {axis for each in named.values() for axis in each}
    if name not in axes or list(named.get(name, [name])) != [name] or len(column) > 1:
        return ()
    (((dtype, shape), (_, chunks)),) = column.items()
    if len(_tuple(shape)) != 1 or np.dtype(dtype).kind not in "iufU" or len(set(chunks)) > 1:
        return ()
    return (np.frombuffer(chunks[0], dtype=dtype),)


def _inner_dims(name, shape, named, lengths, taken):
    """Names of a result's own axes: the task's if they fit, otherwise NAME_0, NAME_1, ..."""
    fit = named and len(set(named)) == len(named) == len(shape) and not set(named) & taken
    if not fit or any(lengths.get(d, n) != n for d, n in zip(named, shape, strict=True)):
        named = []
        for k in range(len(shape)):
            dim = f"{name}_{k}"
            while dim in taken or dim in lengths:
                dim += "_"
            named.append(dim)
    lengths.update(zip(named, shape, strict=True))
    return tuple(named)
