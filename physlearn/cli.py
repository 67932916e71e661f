"""The command ``physlearn``: run studies and look at them, list machines, say what is installed."""

from __future__ import annotations

import argparse
import functools
import inspect
import os
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path

DONE, USAGE, SOME_FAILED = 0, 1, 2
SHOWN = 10  # failures on the screen
_NO_FILE = r"[/\\\0]"  # what no file name has


def main(arguments=None) -> int:
    """Parse and dispatch; returns the exit code: 0 done, 1 usage, 2 some tasks failed or are missing."""
    parser = argparse.ArgumentParser(prog="physlearn", description="Simulate matter that learns.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, do, text, what=None):
        added = commands.add_parser(name, help=text, description=text)
        if what is not None:
            added.add_argument("study", type=Path, metavar=what)
        added.set_defaults(do=do)
        return added

    run = command("run", _run, "run what a study file's store lacks", "STUDY.toml")
    plan = command("plan", _plan, "count a study's tasks and estimate its time; runs nothing", "STUDY.toml")
    for added in (run, plan):
        added.add_argument("--out", type=Path, help="the study's folder (default results/NAME)")
    report = command("report", _report, "write a study's report, one HTML file", "FOLDER")
    retry = command("retry", _retry, "run again what failed", "FOLDER")
    retry.add_argument("--failed", action="store_true", help="tasks that failed, crashed or took too long")
    retry.add_argument("--stale", action="store_true", help="results of another version of the task")
    for added in (run, retry):
        added.add_argument(
            "--workers", type=int, help="local processes (default: the study file's, or one a processor)"
        )
        added.add_argument("--serial", action="store_true", help="run here, one by one, without limits: for debuggers")
    command("status", _status, "count a study's tasks by state", "FOLDER")
    for added in (plan, retry, report):
        added.add_argument("--trust", action="store_true", help="import code that came with the study")
    export = command("export", _export, "write a study's dataset", "FOLDER")
    export.add_argument("to", type=Path, metavar="FILE.nc|.zarr|.parquet")
    command("machines", _machines, "list what can be built")
    command("info", _info, "versions, threads, kernel cache")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse leaves with 2 on bad usage; here 2 means failed tasks
        return DONE if stop.code == 0 else USAGE
    try:
        return options.do(options)
    except (ValueError, OSError, ImportError) as error:
        print(error, file=sys.stderr)
        return USAGE


def _run(options) -> int:
    from physlearn.study.run import execute

    study, folder = _study_file(options, trust=True)
    print(f"{study.name}: {study.plan.path}, seed {study.plan.seed}, {_counted(study.plan)}\n")
    how, executor = _how(options, study.options)
    return _finished(folder, lambda: execute(study.plan, folder, how, executor, True, study.name, file=study))


def _retry(options) -> int:
    from physlearn.study import open_study
    from physlearn.study.trust import not_searched, search

    if not (options.failed or options.stale):
        raise ValueError("retry: give --failed, --stale or both")
    found = open_study(options.study)  # whose folder is absolute: a task may change the directory
    search(found.home, trust=options.trust)
    extra = {} if options.workers is None else {"workers": options.workers}
    run = functools.partial(found.retry, failed=options.failed, stale=options.stale, trust=options.trust, **extra)
    try:
        return _finished(found.folder, lambda: run(executor="serial" if options.serial else None))
    except ValueError as error:
        raise error if options.trust else not_searched(error, found.home) from None


def _finished(folder, run) -> int:
    """Run; then say what came out and what did not, draw, and write the report."""
    from physlearn.files import replace_file
    from physlearn.study import open_study
    from physlearn.study.figures import png_figures
    from physlearn.study.store import WriteError
    from physlearn.study.summary import real_scalars, summarise, table
    from physlearn.study.task import import_task
    from physlearn.study.trust import same

    page, interrupted, broken = folder / "report.html", False, None
    before = _state(open_study(folder)) if page.exists() else None
    try:
        run()
    except KeyboardInterrupt:
        interrupted = True
    except (WriteError, RuntimeError) as error:  # in the middle of it: a full disk, workers that cannot start
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
    if any(failure["type"] != "ShapeError" for failure in failures):  # which would come again
        print(f"physlearn retry --failed {trust}{quoted} runs them again", file=sys.stderr)
    if counts["stale"]:
        print(
            f"{counts['stale']} results are of another version of the task: physlearn retry --stale {trust}{quoted}",
            file=sys.stderr,
        )
    if missing := counts["planned"]:
        why = "interrupted" if interrupted else "stopped"
        print(f"{why}: {missing} of {counts['total']} tasks are missing; the same command goes on", file=sys.stderr)
    return DONE if drawn and broken is None and counts["done"] == counts["total"] else SOME_FAILED


def _state(study):
    """What a report shows: it is another one after anything has run."""
    return study.status(), study.finished


def _plan(options) -> int:
    from physlearn.study import open_study
    from physlearn.study.growth import check_fits

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


def _status(options) -> int:
    from physlearn.study import open_study

    found = open_study(options.study)
    counts = found.status()
    print(f"{found.name}: {_words(counts)}")
    return DONE if counts["done"] == counts["total"] else SOME_FAILED


def _export(options) -> int:
    from physlearn.study import open_study

    print(open_study(options.study).export(options.to))
    return DONE


def _report(options) -> int:
    from physlearn.study import open_study
    from physlearn.study.trust import search

    found = open_study(options.study)
    if options.trust:
        search(found.home, trust=True)
    print(found.report(trust=options.trust))
    return DONE


def _study_file(options, *, trust):
    from physlearn.files import path_of
    from physlearn.study import read_study
    from physlearn.study.trust import not_searched, search

    path = path_of("STUDY.toml", options.study)
    home = path.resolve().parent
    search(home, trust=trust)
    try:
        study = read_study(path)
    except ValueError as error:
        raise error if trust else not_searched(error, home) from None
    out = Path("results") / study.name if options.out is None else path_of("--out", options.out)
    return study, out.absolute()  # a task may change the directory


def _how(options, kept):
    from physlearn.study.options import checked_options

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


def _machines(options) -> int:
    points = sorted(metadata.entry_points(group="physlearn.machines"), key=lambda point: point.name)
    for point in points:
        try:
            doc = inspect.getdoc(point.load()) or ""
        except Exception as error:  # a broken plug-in must not hide the others
            doc = f"cannot be loaded: {error}"
        print(f"{point.name:20} {doc.splitlines()[0] if doc else ''}  [{point.value}]")
    if not points:
        print("no machines are registered; is the package installed?", file=sys.stderr)
    return DONE


def _info(options) -> int:
    import numba

    import physlearn
    from physlearn.study.provenance import provenance

    found = provenance()
    print(f"physlearn {physlearn.__version__}, Python {found['python']}, {found['platform']}")
    for package, version in found["versions"].items():
        print(f"  {package:14} {version or 'not installed'}")
    cache = os.environ.get("NUMBA_CACHE_DIR") or "beside the modules (__pycache__); set NUMBA_CACHE_DIR to move it"
    print(f"  threads        numba {numba.get_num_threads()} of {found['processors']} processors; BLAS 1")
    print(f"  kernel cache   {cache}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
