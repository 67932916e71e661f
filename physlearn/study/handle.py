"""Handle on a study's folder: everything that can be read from it, also while it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physlearn.checks import flag
from physlearn.files import path_of
from physlearn.study.plans.space import Space
from physlearn.study.plans.trust import refuse_own
from physlearn.study.storage.dataset import assemble, returned, warn_of_damage
from physlearn.study.storage.reader import DAMAGED, FAILED, STATES, definition_in, definition_of, meta_of, reading


@dataclass(frozen=True)
class Study:
    """A study's folder, open for reading; made by `study` and `open_study`.

    Attributes
    ----------
    folder : pathlib.Path
    """

    folder: Path

    def __repr__(self) -> str:
        try:
            counts = ", ".join(f"{n} {state}" for state, n in self.status().items() if n)
        except (OSError, ValueError):  # the folder has gone or holds something else: printing must not fail
            counts = "cannot be read"
        return f"Study({str(self.folder)!r}: {counts})"

    def _repr_html_(self) -> str | None:
        try:
            return self.to_dataset()._repr_html_()
        except (OSError, ValueError):
            return None

    @property
    def name(self) -> str:
        """The study's name."""
        return definition_of(self.folder)[1]

    @property
    def task(self) -> str:
        """Import path of the task."""
        return definition_of(self.folder)[0]["task"]

    @property
    def home(self) -> Path | None:
        """Folder of the study file that was run, beside which the task may lie; None without one."""
        kept = meta_of(self.folder).get("home")
        return None if kept is None else Path(kept)

    @property
    def finished(self) -> float | None:
        """Time at which the last task ended, in seconds since 1970."""
        with reading(self.folder) as db:
            return db.execute("SELECT MAX(finished) FROM task").fetchone()[0]

    @property
    def points(self) -> int:
        """Number of points, including those added by refinement."""
        with reading(self.folder) as db:
            db.execute("BEGIN")
            return _points(db, definition_in(db)[0])

    def to_dataset(self):
        """All results as labelled arrays, complete or not, also while the study runs.

        Returns
        -------
        xarray.Dataset
            Dimensions: the space's and "replicate", then each result's own.  Missing numbers are NaN (whole
            numbers become floats where some are missing), and "status" says why: planned, done, failed, timeout,
            crashed, stale (from another version of the task; see `retry`), damaged (missing from the folder or
            changed since it was written; reported by a warning, computed again by `retry`).  Units are in
            ``attrs["units"]``.
        """
        data, broken = assemble(self.folder)
        warn_of_damage(self.folder, broken)
        return data

    def status(self) -> dict[str, int]:
        """Number of tasks in each state, and in total."""
        with reading(self.folder) as db:
            db.execute("BEGIN")  # one state of the store, though a driver may be writing
            definition, _ = definition_in(db)
            counts = dict(db.execute("SELECT status, COUNT(*) FROM task GROUP BY status"))
            total = _points(db, definition) * definition["replicates"]
        found = {state: counts.get(number, 0) for number, state in enumerate(STATES[:DAMAGED])}
        return found | {"planned": total - sum(counts.values()), "total": total}

    def failures(self) -> list[dict[str, Any]]:
        """The last error of every task that failed: params, replicate, status, type, message, traceback, attempts."""
        with reading(self.folder) as db:
            db.execute("BEGIN")
            definition, _ = definition_in(db)
            rows = db.execute(
                "SELECT t.key, t.params, t.status, t.attempts, e.type, e.message, e.traceback FROM task t "
                "JOIN error e ON e.rowid = (SELECT MAX(rowid) FROM error WHERE task = t.key) "
                f"WHERE t.status IN {FAILED} ORDER BY t.key"
            ).fetchall()
        return [
            {
                "params": json.loads(params),
                "replicate": key % definition["replicates"],
                "status": STATES[status],
                "type": kind,
                "message": message,
                "traceback": traceback,
                "attempts": attempts,
            }
            for key, params, status, attempts, kind, message, traceback in rows
        ]

    def returned(self) -> list[dict[str, Any]]:
        """Results of every done task, in the order of the plan, including ragged arrays."""
        return returned(self.folder)

    def seconds(self) -> np.ndarray:
        """Wall time (s) of every task that has run to its end, in the order of the plan."""
        with reading(self.folder) as db:
            rows = db.execute("SELECT seconds FROM task WHERE seconds IS NOT NULL ORDER BY key").fetchall()
        return np.array(rows, dtype=float).ravel()

    def report(self, path=None, *, trust=False) -> Path:
        """Write the report, one HTML file; by default ``report.html`` in the folder.

        Parameters
        ----------
        path : path-like, optional
        trust : bool
            Import the task, whoever wrote it, for the pictures that it draws of a study of one point.  Without it
            nothing is imported: only the library's own tasks draw, and a task whose module is loaded already.
        """
        from physlearn.study.reports.figures import png_figures
        from physlearn.study.reports.report import write_report

        path = path_of("path", path) if path is not None else self.folder / "report.html"
        data, broken = assemble(self.folder)
        warn_of_damage(self.folder, broken)
        drawn = png_figures(self.folder, trust=trust)
        return write_report(data, self.failures() + broken, path, title=self.name, task_figures=drawn)

    def export(self, path) -> Path:
        """Write the dataset (``.nc``, ``.zarr``), or its scalars, one row a task (``.parquet``, ``.csv``)."""
        from physlearn.study.storage.export import export

        return export(self.to_dataset(), path_of("path", path))

    def to_pandas(self):
        """Parameters, status and scalar results, one row per task; for polars, ``polars.from_pandas`` of it.

        Returns
        -------
        pandas.DataFrame
        """
        from physlearn.study.storage.export import table

        return table(self.to_dataset())

    def retry(self, *, failed=True, stale=False, trust=False, executor=None, progress=True, **options) -> Study:
        """Run again the tasks that failed or are damaged, and on request the results of another version of the task.

        Parameters
        ----------
        failed, stale : bool
            Which to run.
        trust : bool
            Run it also if the task's module lies inside this folder; otherwise that is refused.
        executor, progress, **options
            As for `study`; the default of each option is its value in the last run.
        """
        from physlearn.study.plans.options import checked_options
        from physlearn.study.running.execute import execute, stored_plan

        for given, value in (("failed", failed), ("stale", stale), ("progress", progress)):
            flag(given, value)
        if not trust:
            refuse_own(self.task, self.folder)
        plan = stored_plan(self.folder)
        kept = meta_of(self.folder).get("options", {})
        if executor is not None:  # which has no such limits
            kept |= {"timeout": None, "memory": None}
        how = checked_options(kept | options)
        execute(plan, self.folder, how, executor, progress, self.name, failed=failed, stale=stale)
        return self


def _points(db, definition) -> int:
    (added,) = db.execute("SELECT COUNT(*) FROM point").fetchone()
    return len(Space.from_json(definition["space"])) + added


def open_study(folder) -> Study:
    """The study in a folder, for reading: running, complete or moved here from elsewhere.

    Raises
    ------
    OSError
        The folder holds no study.
    """
    found = Study(path_of("folder", folder).absolute())
    found.status()
    return found
