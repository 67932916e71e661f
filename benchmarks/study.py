"""Studies: what a task costs beyond itself, assembling results, large plans, two workers.

Usage: python benchmarks/study.py [seconds of the compute-bound study, default 60]
Wall times: run it on an idle machine.
"""

import os
import resource
import sys
import tempfile
import threading
import time
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import xarray  # noqa: F401  (a second to import, which is no part of what is measured)
from common import table

from physlearn.study import grid, open_study, study

TURNS = 3


def nothing(params, rng):
    return {"x": 1.0}


def hundred(params, rng):
    return {"x": rng.uniform(size=100), "y": params["a"]}


def iterate(params, rng):
    x = rng.uniform()
    for _ in range(1_000_000):
        x = 3.9 * x * (1.0 - x)
    return {"x": x}


def timed(task, count, folder, name, **how):
    began, used = time.perf_counter(), time.process_time()
    done = study(f"study:{task}", {"a": list(range(count))}, store=Path(folder, name), progress=False, **how)
    took = time.perf_counter() - began, time.process_time() - used
    assert done.status()["done"] == count
    return *took, done


def overhead(folder, tasks=10_000):
    """What a task that does nothing costs, start of the workers included."""
    rows = []
    for name, how in (
        ("serial", {"executor": "serial"}),
        ("2 local processes, batched", {"workers": 2}),
        ("2 local processes, one by one", {"workers": 2, "batch": 1}),
    ):
        took, used, _ = timed("nothing", tasks, folder, name, **how)
        rows.append((name, f"{1e3 * took / tasks:.3f} ms", f"{1e3 * used / tasks:.3f} ms"))
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        return rows
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        pool: Executor = client.get_executor(pure=False)
        for name, count, how in (("dask, batched", tasks, {}), ("dask, one by one", tasks // 10, {"batch": 1})):
            took, used, _ = timed("nothing", count, folder, name, executor=pool, **how)
            rows.append((name, f"{1e3 * took / count:.3f} ms", f"{1e3 * used / count:.3f} ms"))
    return rows


def first_of_100_000(folder):
    """Seconds to the first stored result of a plan of 100,000 points, and memory that running half of it adds."""
    space, first = grid(a=list(range(1000)), b=list(range(100))), []
    store = Path(folder, "large")

    def watch(began):
        while not first:
            try:
                if open_study(store).status()["done"]:
                    first.append(time.perf_counter() - began)
            except OSError:
                pass
            time.sleep(0.01)

    watcher = threading.Thread(target=watch, args=(time.perf_counter(),))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    watcher.start()
    done = study("study:nothing", space, store=store, workers=2, progress=False)
    watcher.join()
    assert done.status()["done"] == 100_000
    return first[0], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as folder:
        rows = overhead(folder)
        table("10,000 tasks that do nothing", rows, ("executor", "wall time a task", "of the driver's processor"))
        *_, done = timed("hundred", 10_000, folder, "hundred", workers=2)
        began = time.process_time()
        data = done.to_dataset()
        took = time.process_time() - began
        first, growth = first_of_100_000(folder)
        table(
            "Large studies",
            (
                (f"{data.sizes['a']} stored points of 101 numbers to a Dataset, processor time", f"{took:.2f} s"),
                ("100,000 points: first result stored after", f"{first:.2f} s"),
                ("100,000 points: the driver grows by", f"{growth:.0f} MiB"),
            ),
            ("what", "value"),
        )
        probe, *_ = timed("iterate", 100, folder, "probe", workers=1)
        count = max(20, int(100 * seconds / probe))
        load = os.getloadavg()[0]
        walls = [
            [timed("iterate", count, folder, f"{turn}/{n}", workers=n)[0] for n in (1, 2)] for turn in range(TURNS)
        ]
        one, two = np.min(walls, axis=0)
        rows = [(f"turn {k + 1}", f"{a:.1f} s", f"{b:.1f} s", f"{a / b:.2f}") for k, (a, b) in enumerate(walls)]
        rows.append(("shortest", f"{one:.1f} s", f"{two:.1f} s", f"{one / two:.2f}"))
        name = f"{count} compute-bound tasks, wall time; load before {load:.1f} on {os.cpu_count()} processors"
        table(name, rows, ("", "1 worker", "2 workers", "ratio"))


if __name__ == "__main__":
    main()
