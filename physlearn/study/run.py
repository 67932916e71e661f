"""The function `study`: one call that runs all missing tasks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Literal

from physlearn.checks import flag, text
from physlearn.files import path_of
from physlearn.study.handle import Study
from physlearn.study.plans.options import checked_options
from physlearn.study.plans.plan import checked
from physlearn.study.plans.space import Space, as_space
from physlearn.study.plans.task import Task, locate
from physlearn.study.running.execute import execute


def study(
    task: Task | str | Callable,
    space: Space | dict,
    *,
    store,
    replicates: int = 1,
    seed: int = 0,
    executor: Literal["serial"] | Executor | None = None,
    workers: int | None = None,
    timeout: float | None = None,
    memory: float | None = None,
    retries: int = 1,
    max_failures: int | None = None,
    common_random_numbers: bool = False,
    refine=None,
    batch: int | Literal["auto"] = "auto",
    progress: bool = True,
    name: str | None = None,
) -> Study:
    """Run a task at every point of a space; what the store has already is not run again.

    Parameters
    ----------
    task : Task, "package.module:name" or function
        ``(params, rng) -> dict`` of scalars and arrays, importable by that name.
    space : Space or dict
        `grid`, `points`, `random`, `latin_hypercube` or `sobol`; a dict means `grid`.
    store : path-like
        The study's folder.  The same study, run again, continues where it was.  Points and replicates may be added,
        which leaves stored results as they are; any other study is refused.
    replicates : int
        Runs of every point, each with its own random numbers.
    seed : int
    executor : None, "serial" or concurrent.futures.Executor
        None: local processes.  "serial": this process, for debuggers.  Or an executor that runs functions
        elsewhere, such as ``dask.distributed.Client(...).get_executor(pure=False)`` (with dask-jobqueue on Slurm and
        PBS) or ``mpi4py.futures.MPIPoolExecutor()``; one thread per worker, which must be able to import the task.
    workers : int, optional
        Number of local processes (one per processor by default); for an executor, the number it has.
    timeout, memory : float, optional
        Seconds a task may take, and bytes its worker may take beyond those it starts with: local processes only.
    retries : int
        How often a task is tried again when its worker has died.
    max_failures : int, optional
        Stop, as after one Ctrl-C, when more tasks have failed.
    common_random_numbers : bool
        Replicate r draws the same numbers at every point: differences between points are less noisy.
    refine : dict, optional
        ``{"observable": ..., "tolerance": ..., "levels": ...}``: halve cells of a grid whose corners differ.
    batch : int or "auto"
        Tasks sent to a worker together.
    progress : bool
        A bar on stderr, where that is a terminal.
    name : str, optional
        Title of the report; the folder's name by default.

    Returns
    -------
    Study
        Failed tasks do not raise: look at ``status()`` and ``failures()``.

    Raises
    ------
    ValueError, TypeError
        Every error of the arguments and of any point, before anything runs; a folder of another study.
    OSError
        A folder that cannot be written, or that another driver is using.
    KeyboardInterrupt
        After Ctrl-C: once finishes the tasks in flight, twice stops; run again to continue.

    Notes
    -----
    A task's random numbers follow from its identity (`physlearn.study.plans.identity`), so results are the same,
    bit by bit, for any executor, number of workers, batch size and interruption.

    Examples
    --------
    >>> import tempfile
    >>> from physlearn.study import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = study("statistics:fmean", {"x": [1.0]}, store=folder + "/s", executor="serial", progress=False)
    ...     done.status()["failed"], done.failures()[0]["type"]  # fmean takes no parameters and no generator
    (1, 'TypeError')
    """
    flag("progress", progress)
    if name is not None:
        text("name", name, "a title, or None")
    path, found = locate(task)
    options = checked_options(
        {
            "workers": workers,
            "timeout": timeout,
            "memory": memory,
            "retries": retries,
            "max_failures": max_failures,
            "batch": batch,
        }
    )
    plan = checked(
        found,
        path,
        as_space(space),
        replicates=replicates,
        seed=seed,
        common_random_numbers=common_random_numbers,
        refine=refine,
    )
    if store == "":
        raise ValueError("store: got an empty text, expected a folder")
    folder = path_of("store", store).absolute()
    execute(plan, folder, options, executor, progress, name or folder.name)
    done = Study(folder)
    counts = done.status()
    if progress and counts["done"] < counts["total"]:
        print(f"{done}; failures() has the tracebacks, retry() runs them again", file=sys.stderr)
    return done
