"""The command ``physlearn``: studies, claims, lists of machines and tasks, the installation."""

from __future__ import annotations

import argparse
import os
import select
import sys
from pathlib import Path

from physlearn.cli import catalogue, info, studies
from physlearn.cli.intact import version
from physlearn.cli.reproduce import reproduce

DONE, USAGE = 0, 1
ABANDONED = 141  # as a shell reports a program that wrote to a pipe nobody reads (128 + SIGPIPE)


def main(arguments=None) -> int:
    """Parse and dispatch.

    Returns
    -------
    int
        The exit code: 0 done, 1 wrong usage, 2 some tasks failed or are missing, 141 the reader of the output has gone.
    """
    try:
        code = _dispatched(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # what fails here would fail with a traceback when the interpreter ends
        return code
    except (ValueError, OSError, ImportError) as error:
        if isinstance(error, BrokenPipeError) and sys.stdout is not None and _reader_left(sys.stdout):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # takes the rest of the buffer
            return ABANDONED
        print(error, file=sys.stderr)
        return USAGE


def _dispatched(arguments) -> int:
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as stop:  # argparse leaves with 2 on bad usage; here 2 means failed tasks
        return DONE if stop.code == 0 else USAGE
    return options.do(options)


def _reader_left(output) -> bool:
    """Whether an output is a pipe that nobody reads any more; other pipes, such as a study's own, stay errors."""
    try:
        watched = select.poll()
        watched.register(output.fileno(), 0)  # errors are reported unasked
    except (AttributeError, OSError, ValueError):  # a system without poll, or an output without a file
        return False
    return bool(watched.poll(0))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="physlearn", description="Simulate matter that learns.")
    parser.add_argument("--version", action="version", version=f"physlearn {version()}")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, do, text, what=None):
        added = commands.add_parser(name, help=text, description=text)
        if what is not None:
            added.add_argument("study", type=Path, metavar=what)
        added.set_defaults(do=do)
        return added

    run = command("run", studies.run, "run the missing tasks of a study file", "STUDY.toml")
    plan = command("plan", studies.plan, "count a study's tasks and estimate its time; runs nothing", "STUDY.toml")
    for added in (run, plan):
        added.add_argument("--out", type=Path, help="the study's folder (default results/NAME)")
        added.add_argument(
            "--set",
            dest="overrides",
            metavar="TABLE.KEY=VALUE",
            action="append",
            default=[],
            help="use this value (as in TOML, text also without quotes) in place of the file's; may be repeated",
        )
    retry = command("retry", studies.retry, "run failed or stale tasks again", "FOLDER")
    retry.add_argument("--failed", action="store_true", help="tasks that failed, crashed or took too long")
    retry.add_argument("--stale", action="store_true", help="results of another version of the task")
    for added in (run, retry):
        added.add_argument(
            "--workers", type=int, help="local processes (default: the study file's, or one per processor)"
        )
        added.add_argument("--serial", action="store_true", help="run in this process, without limits: for debuggers")
    command("status", studies.status, "count a study's tasks by state", "FOLDER")
    export = command("export", studies.export, "write a study's dataset", "FOLDER")
    export.add_argument("to", type=Path, metavar="FILE.nc|.zarr|.parquet|.csv")
    report = command("report", studies.report, "write a study's report, one HTML file", "FOLDER")
    for added in (plan, retry, report):
        added.add_argument("--trust", action="store_true", help="import code that came with the study")
    claims = command("reproduce", reproduce, "measure published and exact numbers again; a study, so it can be resumed")
    claims.add_argument("names", nargs="*", metavar="CLAIM", help="only these (default: all)")
    claims.add_argument("--quick", action="store_true", help="few draws: minutes in place of hours")
    claims.add_argument("--list", action="store_true", help="print the claims, measure nothing")
    claims.add_argument(
        "--data", type=Path, metavar="FOLDER", help="data sets that some claims need (MNIST's IDX files)"
    )
    claims.add_argument("--out", type=Path, help="the study's folder (default results/reproduce...)")
    claims.add_argument("--workers", type=int, help="local processes (default: one per processor)")
    claims.add_argument("--serial", action="store_true", help="run in this process, for debuggers")
    command("machines", catalogue.machines, "list the machines that can be built")
    tasks = command("tasks", catalogue.tasks, "list the tasks that a study can name, with their parameters")
    tasks.add_argument("names", nargs="*", metavar="MODULE:NAME", help="only these; custom tasks too")
    command("info", info.info, "versions, threads, kernel cache, whether the packages are intact")
    return parser
