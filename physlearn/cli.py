"""The command ``physlearn``: run a study, list machines, say what is installed."""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from importlib import metadata
from pathlib import Path

DONE, USAGE, SOME_FAILED = 0, 1, 2


def main(arguments=None) -> int:
    """Parse and dispatch; returns the exit code: 0 done, 1 usage, 2 some replicates or figures failed."""
    parser = argparse.ArgumentParser(prog="physlearn", description="Simulate matter that learns.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a study file and keep its results")
    run.add_argument("study", type=Path, metavar="STUDY.toml")
    run.add_argument("--out", type=Path, help="results folder (default results/NAME)")
    run.set_defaults(do=_run)
    commands.add_parser("machines", help="list what can be built").set_defaults(do=_machines)
    commands.add_parser("info", help="versions, threads, kernel cache").set_defaults(do=_info)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse leaves with 2 on bad usage; here 2 means failed replicates
        return DONE if stop.code == 0 else USAGE
    return options.do(options)


def _run(options) -> int:
    from physlearn.study import read_study, run_study
    from physlearn.study.run import table

    try:
        study = read_study(options.study)
        folder = options.out or Path("results") / study.name
        result = run_study(study, folder)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return USAGE
    print(f"{study.name}: {study.task_path}, seed {study.seed}, {study.replicates} replicates\n")
    print(table(study, result))
    kept = sorted(path.name for path in Path(folder).iterdir())
    print(f"\n{folder}: {', '.join(kept)}")
    bad = [r for r in result["replicates"] if r["status"] != "done"]
    failed = [r for r in bad if r["status"] == "failed"]
    for record in failed:
        last = record["traceback"].strip().splitlines()[-1]
        print(f"replicate {record['replicate']} failed: {last}", file=sys.stderr)
    if missing := len(bad) - len(failed):
        print(f"interrupted: {missing} of {study.replicates} replicates are missing", file=sys.stderr)
    if "figures" in result:
        print(f"figures failed: {result['figures'].strip().splitlines()[-1]}", file=sys.stderr)
    return SOME_FAILED if bad or "figures" in result else DONE


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
    from physlearn.study.run import provenance

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
