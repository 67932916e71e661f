"""Run the missing tasks of a plan: store, workers, driver and refinement brought together."""

from __future__ import annotations

import functools
import json
import logging
import math
import sys
import time
import warnings
from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from physlearn.files import replace_file
from physlearn.study.plans.identity import canonical
from physlearn.study.plans.options import Options
from physlearn.study.plans.plan import Plan, checked
from physlearn.study.plans.space import RESERVED, Space
from physlearn.study.plans.task import file_of, import_task
from physlearn.study.running.crew import Crew, Futures, Serial
from physlearn.study.running.driver import Driver, Interrupts
from physlearn.study.running.worker import Brief
from physlearn.study.storage.additions import places
from physlearn.study.storage.dataset import damaged, misshapen
from physlearn.study.storage.integrity import KEPT, Damage, sound
from physlearn.study.storage.provenance import provenance, source_of
from physlearn.study.storage.reader import COMPLETE, FAILED, STALE, definition_of, meta_in
from physlearn.study.storage.store import Store

LOG = logging.getLogger(__name__)


def stored_plan(folder: Path) -> Plan:
    """The plan that a store has frozen, with the task as it is now."""
    kept, _ = definition_of(folder)
    return checked(
        import_task(kept["task"]),
        kept["task"],
        Space.from_json(kept["space"]),
        replicates=kept["replicates"],
        seed=kept["seed"],
        common_random_numbers=kept["common_random_numbers"],
        refine=kept["refine"],
    )


def execute(
    plan: Plan, folder: Path, options: Options, executor, progress, name, *, failed=False, stale=False, file=None
) -> None:
    """Run missing tasks, and again those that failed or are stale; ``file`` is the `StudyFile` that was read."""
    from tqdm.auto import tqdm

    taken = (*plan.space.dims, *plan.space.axes, *RESERVED)
    crew = _crew(Brief(plan.path, plan.seed, taken, file_of(plan.path)), executor, options)
    with Store(folder, plan.definition(), name, functools.partial(places, plan)) as store:
        if failed:
            store.forget(*FAILED)
            store.lose(damaged(folder, store.db))
        _note_run(store, plan, options)
        _warn_of_edits(store, plan)
        if file is not None:
            store.set(home=str(file.folder))
            replace_file(folder / "study.toml", file.text)
        plan.added = store.points()
        stored = store.count(COMPLETE, STALE, *FAILED)
        if plan.task.warm is not None and (stale or stored < len(plan)):
            plan.task.warm()
        LOG.info("study %s: %s, %d of %d tasks stored", name, "resumed" if stored else "started", stored, len(plan))
        hidden = None if progress else True
        bar = tqdm(total=len(plan), initial=stored, desc=name, unit="task", disable=hidden, smoothing=0.05)
        driver = Driver(
            plan,
            store,
            crew,
            retries=options.retries,
            max_failures=options.max_failures,
            batch=options.batch,
            renew=stale,
            tell=lambda done, failed: (
                bar.set_postfix(failed=driver.failures, refresh=False),
                bar.update(done + failed),
            ),
        )
        try:
            with Interrupts(driver):
                _run_and_refine(driver, bar)
        finally:
            crew.close()
            bar.close()
            _note_end(store, plan, name)


def _note_run(store: Store, plan: Plan, options: Options) -> None:
    """Keep what readers need to know of the task and of this run."""
    task = plan.task
    about = {"units": dict(task.units), "dims": dict(task.dims), "ragged": list(task.ragged)}
    about |= {"padded": list(task.padded), "headline": dict(task.headline or {}), "version": task.version}
    source = provenance(plan.path.partition(":")[0])
    store.log(f"run {canonical(source)}")
    store.set(task=about, options=options.model_dump())
    store.first(provenance=source | {"began": time.time()})


def _run_and_refine(driver: Driver, bar) -> None:
    """Run the space, then the points of each refinement, until nothing is left or the driver is stopping."""
    plan, store = driver.plan, driver.store
    driver.run()
    while plan.refine is not None and not driver.stopping and (rows := _refined(plan, store)):
        start = len(plan)
        store.add_points(len(plan.space) + len(plan.added), rows)
        plan.added += rows
        bar.total = len(plan)
        driver.run(start)


def _note_end(store: Store, plan: Plan, name) -> None:
    """Log the end; once all tasks are stored, results of differing shapes are failures."""
    store.log("stop")
    kept, lost = store.count(COMPLETE), store.count(*FAILED)
    LOG.info("study %s: ended, %d of %d tasks done, %d failed", name, kept, len(plan), lost)
    if store.count(COMPLETE, STALE, *FAILED) == len(plan):  # before, the first task may have to come yet
        store.fail(misshapen(store.db, plan.task.ragged, plan.task.padded))


def _warn_of_edits(store: Store, plan: Plan) -> None:
    """Warn when stored results come from another source code of the function."""
    kept, now = meta_in(store.db).get("source", {}), source_of(plan.task.run)
    version = str(plan.task.version)
    if now is None:
        return
    if store.count(COMPLETE) and kept.get(version, now) != now:
        warnings.warn(
            f"{plan.path}: the source of the function has changed since its first results in {store.folder}, which are "
            "kept and not computed again; if it gives other numbers, change Task.version (they are then stale), or "
            "give another folder",
            stacklevel=4,
        )
    else:
        store.set(source=kept | {version: now})


def _refined(plan: Plan, store: Store) -> list[dict]:
    """Points that refinement needs next."""
    from physlearn.study.plans.refine import refine

    assert plan.refine is not None
    names = list(plan.refined_axes())
    store.fail(misshapen(store.db, plan.task.ragged, plan.task.padded))
    rows = store.db.execute(
        f"SELECT r.task, t.id, r.name, r.dtype, r.shape, r.data, r.file, {KEPT} FROM result r "
        "JOIN task t ON t.key = r.task WHERE t.status = ? AND r.name = ?",
        (COMPLETE, plan.refine.observable),
    ).fetchall()
    count = len(plan) // plan.replicates
    values = np.full((count, plan.replicates), np.nan)
    for key, identity, name, dtype, shape, data, file, kept in rows:
        try:
            data = sound(store.folder, identity, name, dtype, shape, data, file, kept)
        except Damage:  # as what has failed
            continue
        if math.prod(json.loads(shape)) != 1 or np.dtype(dtype).kind not in "biuf":
            raise ValueError(f"refine: observable {plan.refine.observable!r} has shape {shape}, expected a real scalar")
        values[divmod(key, plan.replicates)] = np.frombuffer(data, dtype=dtype)[0]
    if not rows and store.count(COMPLETE):
        raise ValueError(f"refine: no result is called {plan.refine.observable!r}")
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
        mean = np.where(known.any(1), np.where(known, values, 0).sum(1) / np.maximum(known.sum(1), 1), np.nan)
    points = np.array([[plan.point(k)[name] for name in names] for k in range(count)], dtype=float)
    new = refine(
        plan.refined_axes(),
        points,
        mean,
        tolerance=plan.refine.tolerance,
        levels=plan.refine.levels,
        log=plan.log_axes(),
    )
    single = {name: a.values[0] for name, a in plan.space.axes.items() if name not in names}
    added = [single | dict(zip(names, row, strict=True)) for row in new.tolist()]
    for row in added:
        plan.task.resolve({**plan.space.fixed, **row})
    return added


def _crew(brief: Brief, executor, options: Options) -> Crew:
    if executor is None:
        from physlearn.study.running.local import Local

        memory = None if options.memory is None else int(options.memory)
        if memory is not None and sys.platform != "linux":
            raise ValueError("memory: only Linux can limit it; leave it out")
        return Local(brief, options.workers, options.timeout, memory)
    if options.timeout is not None or options.memory is not None:
        raise ValueError("timeout, memory: only local processes (executor=None) can be limited; leave them out")
    if executor == "serial":
        return Serial(brief)
    if not isinstance(executor, Executor):
        raise TypeError(
            f"executor: got {executor!r}, expected None, 'serial' or a concurrent.futures.Executor "
            "(of dask: client.get_executor(pure=False))"
        )
    return Futures(brief, executor, options.workers)
