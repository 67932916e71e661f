"""Crews that run jobs: this process, or any ``concurrent.futures.Executor``; `study.running.local` has processes.

A crew takes batches (`submit` while there is `room`) and reports their outcomes (`wait`); it knows nothing of
plans and stores.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from physlearn.study.plans.plan import Job
from physlearn.study.plans.task import import_task
from physlearn.study.running.worker import Brief, Outcome, run_batch, run_job, told

PATIENCE = 5.0  # s without any result, after which an executor's workers are counted


class Done(NamedTuple):
    """Jobs that ran."""

    outcomes: list[Outcome]


class Lost(NamedTuple):
    """Jobs one of which ended its worker: "crashed" or "timeout"."""

    jobs: list[Job]
    status: str
    error: tuple[str, str, str]


class Back(NamedTuple):
    """Jobs that never started, through no fault of their own."""

    jobs: list[Job]


class Crew(Protocol):
    """Interface between the driver and the workers."""

    width: int  # workers, to share out the last jobs
    batch_seconds: float  # how long a batch should last, 20 times what sending it costs

    def room(self) -> bool:
        """Whether another batch would keep a worker busy."""
        ...

    def submit(self, jobs: list[Job]) -> None:
        """Take a batch."""
        ...

    def wait(self, seconds: float) -> Iterator[Done | Lost | Back]:
        """Events since the last call, after that many seconds at most."""
        ...

    def recall(self) -> list[Job]:
        """Withdraw and return the jobs that have not been started."""
        ...

    def close(self) -> None:
        """Stop everything at once."""
        ...


class Serial:
    """Jobs run in this process, one by one: for debuggers, and for comparison."""

    width, batch_seconds = 1, 0.02

    def __init__(self, brief: Brief):
        self.brief, self.task, self.jobs = brief, import_task(brief.path), []

    def room(self) -> bool:
        """One batch at a time."""
        return not self.jobs

    def submit(self, jobs) -> None:
        """Keep the batch for `wait`."""
        self.jobs = list(jobs)

    def wait(self, seconds):
        """Run one job."""
        if self.jobs:
            yield Done([run_job(self.task, self.brief, self.jobs.pop(0))])

    def recall(self):
        """Return the rest of the batch."""
        left, self.jobs = self.jobs, []
        return left

    def close(self) -> None:
        """Nothing to stop."""


class Futures:
    """Jobs go to an executor, such as ``dask.distributed.Client.get_executor(pure=False)``."""

    batch_seconds = 0.15  # dask takes 6 to 8 ms for a future

    def __init__(self, brief: Brief, executor: concurrent.futures.Executor, workers: int | None):
        self.brief, self.executor = brief, executor
        self.width = workers or getattr(executor, "_max_workers", None) or 16
        self.pending: dict[concurrent.futures.Future, list[Job]] = {}
        self.heard = time.monotonic()  # when anything came back
        self.told = False  # whether the lack of workers was reported

    def room(self) -> bool:
        """Enough in flight that no worker waits for the driver."""
        return len(self.pending) < 4 * self.width

    def submit(self, jobs) -> None:
        """Hand the batch over."""
        if not self.pending:
            self.heard = time.monotonic()
        self.pending[self.executor.submit(run_batch, self.brief, jobs)] = jobs

    def wait(self, seconds):
        """Outcomes that have come back."""
        ready, _ = concurrent.futures.wait(
            self.pending, timeout=seconds, return_when=concurrent.futures.FIRST_COMPLETED
        )
        if ready:
            self.heard, self.told = time.monotonic(), False
        elif not self.told and time.monotonic() > self.heard + PATIENCE:
            self._look_for_workers()
        for future in ready:
            jobs = self.pending.pop(future)
            try:
                found = future.result()
            except concurrent.futures.BrokenExecutor as error:
                raise RuntimeError(
                    f"the executor is broken ({error}); stored results are safe: run the study again with a new one. "
                    "executor=None survives workers that die"
                ) from error
            except (concurrent.futures.CancelledError, TimeoutError):
                yield Back(jobs)
            except Exception as error:  # the executor's own, such as dask's KilledWorker: run_batch raises nothing
                yield Lost(jobs, "crashed", told(error))
            else:
                if isinstance(found, str):
                    raise RuntimeError(f"a worker of the executor could not start on {self.brief.path!r}:\n{found}")
                yield Done(found)

    def _look_for_workers(self):
        """Report when dask has no workers: it keeps the jobs and waits in silence."""
        self.heard = time.monotonic()  # and again after a while
        client: Any = getattr(self.executor, "_client", None)
        if not hasattr(client, "nthreads"):
            return
        with contextlib.suppress(Exception):  # the scheduler may be gone; what its futures say comes in `wait`
            self.told = not client.nthreads()
        if self.told:
            print(
                f"\nthe executor has no workers: {sum(map(len, self.pending.values()))} tasks are waiting for one. "
                "Start some (cluster.scale), see the queue's log, or stop with Ctrl-C twice: the same call continues",
                file=sys.stderr,
            )

    def recall(self):
        """Cancel the jobs that have not started."""
        jobs = []
        for future in list(self.pending):
            if future.cancel():
                jobs += self.pending.pop(future)
        return jobs

    def close(self) -> None:
        """Cancel all jobs; shutting the executor down is left to its owner."""
        self.recall()
        self.pending.clear()
