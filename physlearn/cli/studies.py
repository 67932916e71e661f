"""Commands on studies: run, plan, retry, status, export, report."""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from pathlib import Path

DONE, SOME_FAILED = 0, 2  # exit codes
SHOWN = 10  # failures on the screen
_NO_FILE = r"[/\\\0]"  # what no file name has


def run(options) -> int:
    """Run the missing tasks of a study file."""
    from physlearn.study.running.execute import execute

    study, folder = _study_file(options, trust=True)
    print(f"{study.name}: {study.plan.path}, seed {study.plan.seed}, {_counted(study.plan)}\n")
    how, executor = _how(options, study.options)
    return _finished(folder, lambda: execute(study.plan, folder, how, executor, True, study.name, file=study))


def retry(options) -> int:
    """Run again the tasks that failed, or the results of another version of the task."""
    from physlearn.study import open_study
    from physlearn.study.plans.trust import not_searched, search

    if not (options.failed or options.stale):
        raise ValueError("retry: give --failed, --stale or both")
    found = open_study(options.study)  # whose folder is absolute: a task may change the directory
    search(found.home, trust=options.trust)
    extra = {} if options.workers is None else {"workers": options.workers}
    again = functools.partial(found.retry, failed=options.failed, stale=options.stale, trust=options.trust, **extra)
    try:
        return _finished(found.folder, lambda: again(executor="serial" if options.serial else None))
    except ValueError as error:
        raise error if options.trust else not_searched(error, found.home) from None


def _finished(folder, work) -> int:
    """Run ``work``; then print results and failures, draw the pictures and write the report."""
    from physlearn.files import replace_file
    from physlearn.study import open_study
    from physlearn.study.plans.task import import_task
    from physlearn.study.plans.trust import same
    from physlearn.study.reports.figures import png_figures
    from physlearn.study.reports.summary import real_scalars, summarise, table
    from physlearn.study.storage.store import WriteError

    page, interrupted, broken = folder / "report.html", False, None
    before = _state(open_study(folder)) if page.exists() else None
    try:
        work()
    except KeyboardInterrupt:
        interrupted = True
    except (WriteError, RuntimeError) as error:  # in the middle of a run: a full disk, workers that cannot start
        broken = error
        print(error, file=sys.stderr)
    found = open_study(folder)
    counts, failures = found.status(), found.failures()
    if found.points == 1:
        print(table(summarise(real_scalars(found.returned())), import_task(found.task).headline))
    drawn = True
    if not interrupted and broken is None and _state(found) != before:
        try:
            found.report()
            for name, picture in png_figures(folder).items():
                if isinstance(picture, str):
                    print(f"{name} could not be drawn: {picture}", file=sys.stderr)
                else:
                    replace_file(folder / f"{re.sub(_NO_FILE, '_', name)}.png", picture)
        except Exception as error:  # the numbers are kept already
            drawn = False
            print(f"the report failed: {type(error).__name__}: {error}", file=sys.stderr)
    shown = os.path.relpath(folder)
    quoted = shlex.quote(shown)
    trust = "" if same(found.home) else "--trust "  # code beside a study file elsewhere is imported on request
    print(f"\n{shown}: {', '.join(sorted(path.name for path in folder.iterdir() if path.name != 'lock'))}")
    print(_words(counts))
    for failure in failures[:SHOWN]:
        where = f"{failure['params']} replicate {failure['replicate']}" if found.points > 1 else failure["replicate"]
        print(f"{failure['status']}: {where}: {failure['type']}: {failure['message']}", file=sys.stderr)
    if len(failures) > SHOWN:
        print(f"and {len(failures) - SHOWN} more failures: see report.html", file=sys.stderr)
    if any(failure["type"] != "ShapeError" for failure in failures):  # these would recur
        print(f"physlearn retry --failed {trust}{quoted} runs them again", file=sys.stderr)
    if counts["stale"]:
        print(
            f"{counts['stale']} results are from another version of the task: physlearn retry --stale {trust}{quoted}",
            file=sys.stderr,
        )
    if missing := counts["planned"]:
        why = "interrupted" if interrupted else "stopped"
        print(f"{why}: {missing} of {counts['total']} tasks are missing; the same command continues", file=sys.stderr)
    return DONE if drawn and broken is None and counts["done"] == counts["total"] else SOME_FAILED


def _state(study):
    """The state that a report shows; it changes when anything has run."""
    return study.status(), study.finished


def plan(options) -> int:
    """Count the tasks and estimate the time; run nothing."""
    from physlearn.study import open_study
    from physlearn.study.storage.additions import check_fits

    study, folder = _study_file(options, trust=options.trust)
    plan, total, done = study.plan, len(study.plan), 0
    print(f"{study.name}: {plan.path}, {_counted(plan)}")
    for dim, axes in plan.space.dims.items():
        print(f"  {dim:16} {len(next(iter(axes.values())).values)} values of {', '.join(axes)}")
    if plan.refine is not None:
        print(f"  and those that refinement of {plan.refine.observable} adds")
    seconds = None
    if (folder / "study.db").exists():
        check_fits(plan, folder)
        found = open_study(folder)
        counts, seconds = found.status(), found.seconds()
        done = counts["total"] - counts["planned"]
        print(f"{os.path.relpath(folder)}: {_words(counts)}")
    if seconds is None or not len(seconds):
        print("no task has run yet: time unknown")
        return DONE
    workers = study.options.workers or os.cpu_count() or 1
    rest = max(0, total - done) * seconds.mean() / workers
    print(f"{seconds.mean():.3g} s a task; {max(0, total - done)} to run: about {_duration(rest)} on {workers} workers")
    return DONE


def status(options) -> int:
    """Count the tasks by state."""
    from physlearn.study import open_study

    found = open_study(options.study)
    counts = found.status()
    print(f"{found.name}: {_words(counts)}")
    return DONE if counts["done"] == counts["total"] else SOME_FAILED


def export(options) -> int:
    """Write the dataset in the format of the file's suffix."""
    from physlearn.study import open_study

    print(open_study(options.study).export(options.to))
    return DONE


def report(options) -> int:
    """Write the report."""
    from physlearn.study import open_study
    from physlearn.study.plans.trust import search

    found = open_study(options.study)
    if options.trust:
        search(found.home, trust=True)
    print(found.report(trust=options.trust))
    return DONE


def _study_file(options, *, trust):
    from physlearn.files import path_of
    from physlearn.study import read_study
    from physlearn.study.plans.trust import not_searched, search

    path = path_of("STUDY.toml", options.study)
    home = path.resolve().parent
    search(home, trust=trust)
    try:
        study = read_study(path, overrides=options.overrides)
    except ValueError as error:
        raise error if trust else not_searched(error, home) from None
    out = Path("results") / study.name if options.out is None else path_of("--out", options.out)
    return study, out.absolute()  # a task may change the directory


def _how(options, kept):
    from physlearn.study.plans.options import checked_options

    given = {} if options.workers is None else {"workers": options.workers}
    if options.serial:
        given |= {"timeout": None, "memory": None}
    return checked_options(kept.model_dump() | given), "serial" if options.serial else None


def _counted(plan):
    points = len(plan) // plan.replicates
    return f"{points} points x {plan.replicates} replicates" if points > 1 else f"{plan.replicates} replicates"


def _words(counts):
    named = ", ".join(f"{n} {state}" for state, n in counts.items() if n and state != "total")
    return f"{named} of {counts['total']}"


def _duration(seconds):
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
