"""The store: one folder per study, written by one process, readable by all at any time.

``study.db`` (SQLite, write-ahead log) holds the plan and every result, ``blobs/`` arrays of more than a megabyte;
``study.json`` is a copy of the plan for people.  A result exists when its transaction has been committed; nothing
else is trusted after a kill: tasks in flight count as not done.  Measured: 0.1 ms per commit; none was lost or torn
when writers were killed.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from physlearn.files import refuse_link, replace_file
from physlearn.study.plans.identity import canonical
from physlearn.study.storage.integrity import digest, result_digest
from physlearn.study.storage.reader import (
    SCHEMA,
    STATES,
    TABLES,
    StoreError,
    another,
    check_names,
    check_schema,
    definition_in,
    differences,
    points_in,
)
from physlearn.study.storage.values import LARGE, Value, write_blob

WRITTEN = ("study.db", "study.db-wal", "study.db-shm", "study.db-journal", "study.json", "lock", "blobs", "study.toml")


class Record(NamedTuple):
    """The record of a task."""

    key: int
    id: str
    params: str
    status: str
    attempts: int
    seconds: float | None
    values: list[Value]
    error: tuple[str, str, str] | None


class WriteError(StoreError):
    """A result could not be written; earlier ones are safe."""


class Store:
    """The writer of a store; a context manager that holds the lock.

    Parameters
    ----------
    folder, definition, name
        The place, the plan and the name of the study.
    places : callable, optional
        ``places(old definition, added points)``: the number that each point of an older plan has in this one, or
        None if this is another study.
    """

    def __init__(self, folder: Path, definition: dict, name: str, places: Callable = lambda old, added: None):
        self.folder = folder
        for path in (folder, *(folder / name for name in WRITTEN)):
            refuse_link(path)
        try:
            with ExitStack() as undo:
                folder.mkdir(parents=True, exist_ok=True)
                _refuse_others(folder)  # before a file of theirs could be taken for the lock
                undo.callback(os.close, _locked(folder))
                self.db = _opened(folder, definition, name)
                undo.callback(self.db.close)
                self._inode = os.stat(folder / "study.db").st_ino
                if differ := differences(self.definition(), definition):
                    self._grow(definition, places, differ)
                _copy_plan(folder, definition, name)
                self._open = undo.pop_all()
        except StoreError:
            raise
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                raise _damaged(folder, error) from error
            raise StoreError(
                f"{folder}: no study can be kept here ({error}); give a folder that can be written"
            ) from error

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:  # one file that can be copied; a failure here loses nothing
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass
        self._open.close()
        if isinstance(error, sqlite3.DatabaseError):  # read where nothing was written
            raise _damaged(self.folder, error) from error

    @contextmanager
    def _writing(self):
        try:
            if os.stat(self.folder / "study.db").st_ino != self._inode:  # what has been moved would be written on
                raise OSError("it is another file than at the start")
            with self.db:
                self.db.execute("BEGIN IMMEDIATE")
                yield self.db
        except (OSError, sqlite3.Error) as error:
            raise WriteError(
                f"{self.folder}: cannot be written ({error}); the results that are stored are safe. Make room, make "
                "the folder writable or put it back, and run the same study again: it continues from there"
            ) from error

    def definition(self) -> dict:
        """The stored plan."""
        return definition_in(self.db)[0]

    def _grow(self, definition, places, differ) -> None:
        """Take a larger plan: stored tasks get their numbers in it."""
        old, more = self.definition(), definition["replicates"]
        found = places(old, self.points())
        if found is None:
            raise another(self.folder, differ)
        check_names(self.db, definition)
        with self._writing() as db:
            for table, column in (("task", "key"), ("result", "task"), ("error", "task")):
                keys = [key for (key,) in db.execute(f"SELECT DISTINCT {column} FROM {table}")]
                parts = [(key, *divmod(key, old["replicates"])) for key in keys]
                moves = [(-1 - found[point] * more - replicate, key) for key, point, replicate in parts]
                db.executemany(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", moves)  # out of each other's way
                db.execute(f"UPDATE {table} SET {column} = -1 - {column} WHERE {column} < 0")
            # failed with values: for their shapes, beside those of the older plan's first task
            db.execute("UPDATE task SET status = 1 WHERE status = 2 AND key IN (SELECT task FROM result)")
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", _rows({"definition": definition}))

    def record(self, records: list[Record]) -> None:
        """Write the outcomes of tasks, all or nothing."""
        now = time.time()
        with self._writing() as db:
            for r in records:
                row = (r.key, r.id, STATES.index(r.status), r.attempts, r.seconds, now, r.params, len(r.values))
                old = db.execute("SELECT 1 FROM task WHERE key = ?", (r.key,)).fetchone()
                if old:
                    db.execute("DELETE FROM result WHERE task = ?", (r.key,))
                db.execute("INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
                db.executemany("INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?)", [self._row(r, v) for v in r.values])
                if r.error is not None:
                    db.execute("INSERT INTO error VALUES (?, ?, ?, ?, ?, ?)", (r.key, r.attempts, *r.error, now))

    def _row(self, record: Record, value: Value):
        large = len(value.data) > LARGE
        data, file = None if large else value.data, write_blob(self.folder / "blobs", value) if large else None
        row = (value.name, value.dtype, canonical(list(value.shape)), data, file)
        return (record.key, *row, result_digest(record.id, *row))

    def known(self, start: int, stop: int) -> dict[int, tuple[str, int]]:
        """Id and status of the stored tasks, by number."""
        rows = self.db.execute("SELECT key, id, status FROM task WHERE key >= ? AND key < ?", (start, stop))
        return {key: (found, status) for key, found, status in rows}

    def count(self, *states: int) -> int:
        """Number of tasks in any of these states."""
        marks = ", ".join("?" * len(states))
        return self.db.execute(f"SELECT COUNT(*) FROM task WHERE status IN ({marks})", states).fetchone()[0]

    def mark(self, keys: list[int], status: int) -> None:
        """Give tasks another status; their values stay."""
        if keys:
            with self._writing() as db:
                db.executemany("UPDATE task SET status = ? WHERE key = ?", [(status, key) for key in keys])

    def forget(self, *states: int) -> int:
        """Plan again all tasks in these states; their past errors stay.  Returns their number."""
        marks = ", ".join("?" * len(states))
        with self._writing() as db:
            db.execute(f"DELETE FROM result WHERE task IN (SELECT key FROM task WHERE status IN ({marks}))", states)
            return db.execute(f"DELETE FROM task WHERE status IN ({marks})", states).rowcount

    def lose(self, keys) -> None:
        """Plan again these tasks."""
        with self._writing() as db:
            for statement in ("DELETE FROM result WHERE task = ?", "DELETE FROM task WHERE key = ?"):
                db.executemany(statement, [(key,) for key in keys])

    def fail(self, errors: dict[int, tuple[str, str, str]]) -> None:
        """Mark done tasks as failed, with these errors."""
        if errors:
            now = time.time()
            with self._writing() as db:
                db.executemany("UPDATE task SET status = 2 WHERE key = ?", [(key,) for key in errors])
                db.executemany(
                    "INSERT INTO error SELECT key, attempts, ?, ?, ?, ? FROM task WHERE key = ?",
                    [(*error, now, key) for key, error in errors.items()],
                )

    def points(self) -> list[dict]:
        """Points that refinement has added."""
        return points_in(self.db)

    def add_points(self, first: int, rows: list[dict]) -> None:
        """Keep points that refinement adds; the first of them gets the number ``first``."""
        with self._writing() as db:
            db.executemany("INSERT INTO point VALUES (?, ?, ?)", _rows(dict(enumerate(rows, first))))

    def set(self, **values) -> None:
        """Keep JSON values by name."""
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", _rows(values))

    def first(self, **values) -> None:
        """Keep JSON values by name, unless these exist already."""
        with self._writing() as db:
            db.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?, ?)", _rows(values))

    def log(self, action: str) -> None:
        """Log an action with its time, host and process."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?)", (time.time(), socket.gethostname(), os.getpid(), action)
            )


def _copy_plan(folder, definition, name):
    path, text = folder / "study.json", json.dumps({"name": name, "definition": definition}, indent=1)
    if not path.exists() or path.read_bytes() != text.encode():
        replace_file(path, text)


def _rows(values):
    """Names or numbers, JSON and its digest."""
    texts = {key: canonical(value) for key, value in values.items()}
    return [(key, text, digest(f"{key}\0{text}")) for key, text in texts.items()]


def _damaged(folder, error):
    return StoreError(f"{folder / 'study.db'}: damaged ({error}); put back a copy of the folder")


def _refuse_others(folder):
    others = sorted(p.name for p in folder.iterdir() if p.name != "lock")
    if "study.db" not in others and others:
        raise FileExistsError(f"{folder} holds no study but {', '.join(others[:5])}; give a new or empty folder")


def _opened(folder, definition, name):
    db = sqlite3.connect(folder / "study.db", timeout=30, isolation_level=None)
    try:
        # some network drives share no memory: SQLite then keeps its rollback journal, which FULL makes safe
        wal = db.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal"
        db.execute(f"PRAGMA synchronous = {'NORMAL' if wal else 'FULL'}")
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            if (folder / "study.json").exists():  # which is written after the first commit
                raise sqlite3.DatabaseError("empty, though there was a study")
            db.execute("BEGIN IMMEDIATE")
            for statement in TABLES.split(";"):
                db.execute(statement)
            rows = _rows({"definition": definition, "name": name})
            db.executemany("INSERT INTO meta VALUES (?, ?, ?)", rows)
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            db.execute("COMMIT")
        check_schema(folder, db)
        if db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA:
            db.execute("BEGIN IMMEDIATE")
            for table in ("meta", "result", "point"):
                db.execute(f"ALTER TABLE {table} ADD COLUMN digest BLOB")  # rows that exist have none
            db.execute("ALTER TABLE task ADD COLUMN results INTEGER")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _locked(folder) -> int:
    """The driver's lock, which the system releases however the driver ends."""
    import fcntl

    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.read(lock, 200).decode(errors="replace").strip()
        os.close(lock)
        raise StoreError(f"{folder}: another driver is running this study ({who}); wait for it, or stop it") from None
    os.ftruncate(lock, 0)
    os.write(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
    return lock
