"""Schema of a store, and reading from it at any time, also while a driver writes."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from physlearn.study.plans.identity import canonical
from physlearn.study.storage.integrity import digest

SCHEMA = 3  # format 2 had no digests; the next driver adds them
STATES = ("planned", "done", "failed", "timeout", "crashed", "stale", "damaged")
PLANNED, COMPLETE, STALE, DAMAGED = 0, 1, 5, 6  # damaged is not stored but detected on reading
FAILED = (2, 3, 4)
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, digest BLOB);
CREATE TABLE task (key INTEGER PRIMARY KEY, id TEXT NOT NULL, status INTEGER NOT NULL, attempts INTEGER NOT NULL,
                   seconds REAL, finished REAL NOT NULL, params TEXT NOT NULL, results INTEGER);
CREATE TABLE result (task INTEGER NOT NULL, name TEXT NOT NULL, dtype TEXT NOT NULL, shape TEXT NOT NULL,
                     data BLOB, file TEXT, digest BLOB);
CREATE INDEX result_task ON result (task);
CREATE TABLE error (task INTEGER NOT NULL, attempt INTEGER NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL,
                    traceback TEXT NOT NULL, time REAL NOT NULL);
CREATE INDEX error_task ON error (task);
CREATE TABLE point (number INTEGER PRIMARY KEY, params TEXT NOT NULL, digest BLOB);
CREATE TABLE event (time REAL NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, action TEXT NOT NULL);
"""


class StoreError(OSError):
    """The store cannot be used or written; its contents are safe."""


@contextmanager
def reading(folder: Path):
    """A read-only connection, also while a driver writes and on read-only media.

    Raises
    ------
    StoreError
        The folder holds no study, or one of another format.
    """
    path = folder / "study.db"
    if not path.exists():
        raise StoreError(f"{folder}: holds no study (no study.db); give the folder of one")
    wal = path.with_name("study.db-wal")
    mode = "ro"
    if os.access(folder, os.W_OK) and os.access(path, os.W_OK):
        mode = "rw"  # whoever leaves last tidies the log away, which a mere reader cannot
    elif not (wal.exists() and wal.stat().st_size):
        mode = "ro&immutable=1"  # nobody can be writing, and SQLite could not make its shared memory
    try:
        with closing(sqlite3.connect(f"file:{_quoted(path)}?mode={mode}", uri=True, timeout=30)) as db:
            db.execute("PRAGMA query_only = 1")
            check_schema(folder, db)
            yield db
    except (sqlite3.Error, UnicodeError, json.JSONDecodeError, LookupError, TypeError, OverflowError) as error:
        raise StoreError(
            f"{folder}: cannot be read ({error}); if it lies on a read-only medium, copy it first; if study.db is "
            "damaged, put back a copy of the folder"
        ) from error


def definition_of(folder: Path) -> tuple[dict, str]:
    """The plan of a study and the study's name."""
    with reading(folder) as db:
        return definition_in(db)


def meta_of(folder: Path) -> dict[str, Any]:
    """All values kept by name: options, task, provenance, ..."""
    with reading(folder) as db:
        return meta_in(db)


def meta_in(db) -> dict[str, Any]:
    """The same, of an open store."""
    return _kept(db, db.execute(f"SELECT key, value, {digest_in(db)} FROM meta"))


def definition_in(db) -> tuple[dict, str]:
    """The same, of an open store."""
    kept = _kept(db, db.execute(f"SELECT key, value, {digest_in(db)} FROM meta WHERE key IN ('definition', 'name')"))
    return kept["definition"], kept["name"]


def points_in(db) -> list[dict]:
    """Points that refinement has added."""
    rows = db.execute(f"SELECT number, params, {digest_in(db)} FROM point ORDER BY number")
    return list(_kept(db, rows).values())


def digest_in(db) -> str:
    """The column of digests, as the store's format has it."""
    return "digest" if db.execute("PRAGMA user_version").fetchone()[0] > 2 else "NULL"


def _kept(db, rows):
    """JSON values by key, compared with their digests."""
    found = {}
    for key, value, kept in rows:
        if kept is not None and digest(f"{key}\0{value}") != kept:
            file = db.execute("PRAGMA database_list").fetchone()[2]
            raise StoreError(
                f"{file}: damaged, {key!r} has changed since it was written; put back a copy of the folder"
            )
        found[key] = json.loads(value)
    return found


def check_schema(folder: Path, db) -> None:
    """Refuse a store of another version's format."""
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        raise StoreError(f"{folder}: holds no study yet (study.db is empty)")
    if found not in (2, SCHEMA):
        raise StoreError(
            f"{folder}: store format {found}, this physlearn reads {SCHEMA}; use the version that wrote it"
        )


def differences(old, new, where="") -> list[str]:
    """Differences between two frozen plans, as lines."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*old, *new})
        return [line for k in keys for line in differences(old.get(k), new.get(k), f"{where}.{k}" if where else k)]
    if canonical(old) == canonical(new):  # 1 and 1.0 are equal, but give tasks of different names
        return []
    return [f"  - {where}: {_short(old)}", f"  + {where}: {_short(new)}"]


def another(folder: Path, differ: list[str]) -> ValueError:
    """The error for a plan that is neither the folder's nor an extension of it."""
    return ValueError(
        f"{folder} holds another study; nothing was changed or run. Points and replicates may be added to a study, "
        "never changed or left out. Give another folder, or go back:\n  - stored, + given\n" + "\n".join(differ)
    )


def check_names(db, definition) -> None:
    """Refuse a plan whose dimensions or coordinates have the names of stored results."""
    axes = {name for dim, inner in definition["space"]["dims"].items() for name in (dim, *inner)}
    results = {name for (name,) in db.execute("SELECT DISTINCT name FROM result")}
    if clash := sorted(axes & results):
        raise ValueError(
            f"space: {', '.join(clash)}: a result in the store has this name, so it cannot become an axis of the "
            "dataset; nothing was changed or run. Return the result under another name, and give another folder"
        )


def _short(value):
    text = "(absent)" if value is None else json.dumps(value)
    return text if len(text) < 100 else f"{text[:60]} ... {text[-30:]} ({len(text)} characters)"


def _quoted(path):
    from urllib.parse import quote

    return quote(str(Path(path).resolve()))
