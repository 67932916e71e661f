"""A study through dask-jobqueue on Slurm, one worker killed in its course: the same bits as a serial run.

Usage: python .ci/slurm_study.py FOLDER
"""

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
from dask.distributed import Client
from dask_jobqueue import SLURMCluster

from physlearn.study import grid, study

SPACE = grid(temperature=[1.8, 2.0, 2.2, 2.4, 2.6, 2.8], size=8, draws=400)


def kill_one(client, killed):
    """Kill the process of a worker once it has begun."""
    while not killed:
        found = client.run(os.getpid)
        if len(found) > 1:
            time.sleep(1.0)
            pid = next(iter(client.run(os.getpid).values()))
            os.kill(pid, 9)
            killed.append(pid)
        time.sleep(0.5)


def main():
    """Run it twice and compare."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    settings = {"replicates": 6, "seed": 3, "progress": False}
    cluster = SLURMCluster(
        queue="all",
        cores=1,
        processes=1,
        memory="1GB",
        walltime="00:10:00",
        python=sys.executable,
        log_directory=str(folder),
        local_directory=str(folder),
        interface="lo",
        job_script_prologue=[f"export NUMBA_CACHE_DIR={os.environ.get('NUMBA_CACHE_DIR', folder / 'kernels')}"],
        job_extra_directives=["--mem=0"],
    )
    cluster.scale(jobs=2)
    with Client(cluster) as client:
        try:
            client.wait_for_workers(2, timeout=120)
        except TimeoutError:
            print("the queue gives no workers: skipped", file=sys.stderr)
            sys.exit(77)
        killed = []
        threading.Thread(target=kill_one, args=(client, killed), daemon=True).start()
        executor = client.get_executor(pure=False)
        there = study("physlearn.tasks:ising", SPACE, store=folder / "there", executor=executor, workers=2, **settings)
    cluster.close()
    here = study("physlearn.tasks:ising", SPACE, store=folder / "here", executor="serial", **settings)
    print(there, here, f"killed worker processes: {len(killed)}")
    a, b = there.to_dataset(), here.to_dataset()
    for name in a.data_vars:
        assert np.array_equal(a[name].values, b[name].values, equal_nan=a[name].dtype.kind == "f"), name
    assert here.status()["done"] == there.status()["done"] == 36, (here, there)
    assert killed, "no worker was killed before the study ended"
    print("Slurm by dask-jobqueue, a worker lost: every bit as in a serial run")


if __name__ == "__main__":
    main()
