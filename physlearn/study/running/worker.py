"""The worker: it imports the task once, runs jobs and sends back bytes.  Workers never open the store."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any, NamedTuple

from physlearn.progress import silenced
from physlearn.study.plans.identity import stream
from physlearn.study.plans.plan import Job
from physlearn.study.plans.task import Task, file_of, import_task
from physlearn.study.storage.values import Value, encode

READY, RECALLED = 1, 2  # messages of workers other than outcomes
THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class StopNow(KeyboardInterrupt):
    """Ctrl-C, pressed twice in the process that drives the study."""


class Brief(NamedTuple):
    """The part that all jobs of a study share."""

    path: str
    seed: int
    taken: tuple[str, ...]
    file: str | None = None  # of the driver's task


class Home(NamedTuple):
    """The driver's environment at the start of a local worker; the fork server's is older."""

    environment: dict[str, str]
    modules: list[str]  # sys.path


class Outcome(NamedTuple):
    """Outcome of a job: values, or an error as (type, message, traceback)."""

    key: int
    status: str
    seconds: float
    values: list[Value]
    error: tuple[str, str, str] | None


@functools.lru_cache
def _imported(path: str) -> Task:
    return import_task(path)


def run_job(task: Task, brief: Brief, job: Job) -> Outcome:
    """Run one job; any exception is the job's failure, except the user's second Ctrl-C."""
    began = time.perf_counter()
    try:
        with silenced():  # the study has a bar of its own
            values = encode(task(json.loads(job.params), stream(brief.seed, job.spawn)), brief.taken)
    except StopNow:
        raise
    except BaseException as error:  # a task's own KeyboardInterrupt or SystemExit ends no worker and no study
        return Outcome(job.key, "failed", time.perf_counter() - began, [], told(error, traceback.format_exc()))
    return Outcome(job.key, "done", time.perf_counter() - began, values, None)


def told(error: BaseException, trace: str | None = None) -> tuple[str, str, str]:
    """An exception as text that can be stored, whatever its message is: type, message, traceback."""
    kind = type(error).__name__
    try:
        message = str(error)
    except Exception as broken:
        message = f"(its message cannot be shown: {type(broken).__name__})"
    parts = (kind, message, trace or f"{kind}: {message}")
    kind, message, trace = (part.encode("utf-8", "backslashreplace").decode() for part in parts)
    return kind, message, trace


def run_batch(brief: Brief, jobs: list[Job]) -> list[Outcome] | str:
    """Run jobs in an executor's worker; returns a traceback if the task cannot be imported."""
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(1)  # of this thread: the executor's workers share the cores already
    with _deaf():
        try:
            task = _imported(brief.path)
        except Exception:
            return traceback.format_exc()
        return [run_job(task, brief, job) for job in jobs]


@contextlib.contextmanager
def _deaf():
    """Ignore Ctrl-C, which the driver handles: a terminal sends it to the workers too."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def serve(connection, brief: Brief, home: Home, threads: int | None, memory: int | None) -> None:
    """A local worker: batches in, outcomes out one by one, until the driver is gone.

    An empty batch that arrives during another one cancels the rest of it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    os.setpgid(0, 0)  # programs that a task has started are stopped with it
    _die_with_the_driver()
    os.environ.clear()
    os.environ.update(home.environment)
    sys.path[:] = home.modules
    try:
        limit_threads(threads)
        task = _imported(brief.path)
        if (found := file_of(brief.path)) != brief.file:
            raise ImportError(
                f"task: {brief.path!r} is in {found} for workers, in {brief.file} for the driver, which imported it "
                "from a folder that is not the first on its sys.path any more; start Python again in that folder"
            )
        if memory is not None:
            limit_memory(memory)
    except BaseException:
        connection.send(traceback.format_exc())
        return
    with contextlib.suppress(EOFError, OSError):  # the driver is gone
        connection.send(READY)
        while True:
            for number, job in enumerate(connection.recv()):
                if number and connection.poll():
                    connection.send(RECALLED)
                    break
                connection.send(run_job(task, brief, job))


def limit_threads(count: int | None) -> None:
    """Limit the threads of kernels and BLAS, whether these are loaded yet or not; None: as the environment says."""
    if count is not None:
        os.environ.update(dict.fromkeys(THREADS, str(count)))
    if "numba" in sys.modules:  # came with the fork server
        import numba

        loaded = numba.get_num_threads()
        numba.set_num_threads(min(loaded, int(os.environ.get(THREADS[0], loaded))))
        os.environ[THREADS[0]] = str(loaded)  # another number there, and it refuses to compile
    if count is not None:
        from threadpoolctl import threadpool_limits

        threadpool_limits(count)


def limit_memory(extra: int) -> None:
    """Let this process map ``extra`` bytes more than it has now; beyond that, allocations raise MemoryError."""
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + extra, hard))


def _die_with_the_driver() -> None:
    """End this process when the driver is killed, even inside a kernel that never returns."""
    import multiprocessing

    parent: Any = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
    if sys.platform == "linux":  # a kernel holds the interpreter lock, so the thread above may never run
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; the parent here is the fork server
