"""One hash for each of many small seeded runs: whether a change of the code has changed a number.

``python tests/hashes.py [--only PREFIX] [--reverse]`` prints a line for each run of the tables in `tests/hashed/`: its
name, and the first 16 digits of the SHA-256 of all that it returned.  Every engine and every machine has a run.  The
runs use public names only, so that they also tell whether moving code has changed anything: keep the lines from
before, and compare.  Lines of two computers may differ, as their processors' instructions do.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib
import sys
import time
from collections.abc import Mapping

import numpy as np

GROUPS = (
    "relaxing",
    "sampling",
    "moving",
    "inferring",
    "learning",
    "sequences",
    "likelihood",
    "generating",
    "memories",
    "assembling",
    "wiring",
    "circuitry",
    "neurons",
    "spiking",
    "coding",
)


def leaves(value, name=""):
    """Every array, number and text inside a result, with its name; mappings and records in the order of names."""
    if hasattr(value, "terms"):  # a system stands for what it has learnt
        value = value.theta
    elif dataclasses.is_dataclass(value):
        # these look on, and may change without the numbers
        skipped = ("_", "monitor", "notes", "validation", "best", "norms", "unrested")
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if not f.name.startswith(skipped)}
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    elif isinstance(value, np.random.Generator):
        value = value.bit_generator.state
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from leaves(value[key], f"{name}.{key}")
    elif isinstance(value, list | tuple) and not np.isscalar(value):
        for k, item in enumerate(value):
            yield from leaves(item, f"{name}[{k}]")
    elif value is None or isinstance(value, str | bytes | int | frozenset):
        yield name, repr(sorted(value) if isinstance(value, frozenset) else value).encode()
    else:
        array = np.ascontiguousarray(value)
        if array.dtype.kind not in "biufcU":
            raise TypeError(f"{name}: got {type(value).__name__}, expected arrays, numbers, texts or records of them")
        yield name, f"{array.dtype.str} {np.shape(value)} ".encode() + array.tobytes()


def digest(result):
    """The first 16 digits of the SHA-256 of a result's names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name, content in leaves(result):
        total.update(f"{name} {len(content)} ".encode() + content)
    return total.hexdigest()[:16]


def runs(prefix=""):
    """The runs whose names, ``group.what``, begin with a prefix."""
    table = {}
    for group in GROUPS:
        if not f"{group}.".startswith(prefix[: len(group) + 1]):
            continue
        for name, run in importlib.import_module(f"hashed.{group}").RUNS.items():
            table[f"{group}.{name}"] = run
    return {name: run for name, run in table.items() if name.startswith(prefix)}


def main(arguments=None):
    """Print the lines; with --times, to stderr the seconds that each took."""
    parser = argparse.ArgumentParser(description="Print a hash of every run.")
    parser.add_argument("--only", default="", metavar="PREFIX", help="runs whose names begin so")
    parser.add_argument("--reverse", action="store_true", help="the last run first")
    parser.add_argument("--times", action="store_true", help="seconds of every run, on stderr")
    options = parser.parse_args(arguments)
    chosen = list(runs(options.only).items())
    if not chosen:
        parser.error(f"--only {options.only}: no run's name begins so")
    for name, run in chosen[::-1] if options.reverse else chosen:
        begin = time.perf_counter()
        print(name, digest(run()), flush=True)
        if options.times:
            print(f"{time.perf_counter() - begin:8.3f} s  {name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
