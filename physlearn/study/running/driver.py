"""The driver: it hands out missing tasks, writes their results, and stops when asked.

Resuming is not a mode: the work is always the plan less the stored results.
"""

from __future__ import annotations

import itertools
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator

from physlearn.study.plans.plan import Job, Plan
from physlearn.study.running.crew import Back, Crew, Done, Lost
from physlearn.study.running.worker import StopNow
from physlearn.study.storage.reader import COMPLETE, FAILED, STALE
from physlearn.study.storage.store import Record, Store

CHUNK = 1000  # tasks looked up at a time
MOST = 500  # jobs in a batch


class Driver:
    """One run of a plan over a crew.

    Parameters
    ----------
    plan, store, crew
    retries : int
        How often a job whose worker died is tried again.  Exceptions and timeouts are not: with the same seed they
        would recur.
    max_failures : int, optional
        Stop when this run has more failures.
    batch : int or "auto"
        Jobs sent together.
    tell : callable
        ``tell(done, failed)`` after every write.
    renew : bool
        Run again the results of another version of the task; each stays until it is replaced.
    """

    def __init__(self, plan: Plan, store: Store, crew: Crew, *, retries, max_failures, batch, tell, renew=False):
        self.plan, self.store, self.crew = plan, store, crew
        self.retries, self.max_failures, self.batch, self.tell = retries, max_failures, batch, tell
        self.flying: dict[int, Job] = {}
        self.attempts: dict[int, int] = {}
        self.waiting: deque[Job] = deque()
        self.alone: deque[Job] = deque()  # suspects: one of them has ended a worker
        self.pace: float | None = None  # seconds a job takes
        self.failures, self.renew = 0, renew
        self.stopping = False

    def run(self, start: int = 0) -> None:
        """Run all missing tasks from number ``start`` on; return early when stopping."""
        missing = self._missing(start)
        self.left = max(1, len(self.plan) - self.store.count(COMPLETE, STALE, *FAILED))
        while True:
            while not self.stopping and self.crew.room() and (jobs := self._next(missing)):
                self.flying.update((job.key, job) for job in jobs)
                self.crew.submit(jobs)
            if self.stopping:
                for job in self.crew.recall():
                    del self.flying[job.key]
            if not self.flying:
                return
            records: list[Record] = []
            try:
                for event in self.crew.wait(0.2):
                    records += self._taken(event)
            finally:  # an executor that breaks must not lose results that it has already returned
                self._write(records)

    def _write(self, records: list[Record]) -> None:
        if not records:
            return
        self.store.record(records)
        failed = sum(r.status != "done" for r in records)
        self.failures += failed
        self.left = max(1, self.left - len(records))
        self.tell(len(records) - failed, failed)
        if self.max_failures is not None and self.failures > self.max_failures:
            self.stopping = True

    def _missing(self, start) -> Iterator[Job]:
        """Jobs that the store lacks; results of another version become stale, or good again."""
        jobs = self.plan.jobs(start)
        while chunk := list(itertools.islice(jobs, CHUNK)):
            known = self.store.known(chunk[0].key, chunk[-1].key + 1)
            same = {job.key: known[job.key][0] == job.id for job in chunk if job.key in known}
            old = [key for key, fits in same.items() if not fits and known[key][1] == COMPLETE]
            self.store.mark(old, STALE)
            self.store.mark([key for key, fits in same.items() if fits and known[key][1] == STALE], COMPLETE)
            stale = {key for key, fits in same.items() if not fits and known[key][1] in (COMPLETE, STALE)}
            yield from (job for job in chunk if job.key not in known or (self.renew and job.key in stale))

    def _next(self, missing) -> list[Job]:
        """The next batch: long enough that sending it costs little, short enough that all workers end together."""
        if self.alone:
            return [self.alone.popleft()]
        if self.batch != "auto":
            size = self.batch
        elif self.pace is None:
            size = 1
        else:
            size = min(MOST, int(self.crew.batch_seconds / max(self.pace, 1e-6)), self.left // (2 * self.crew.width))
        jobs = []
        for _ in range(max(1, size)):
            job = self.waiting.popleft() if self.waiting else next(missing, None)
            if job is None:
                break
            jobs.append(job)
        return jobs

    def _taken(self, event: Done | Lost | Back) -> list[Record]:
        if isinstance(event, Done):
            return [
                self._record(self.flying.pop(o.key), o.status, o.seconds, o.values, o.error) for o in event.outcomes
            ]
        for job in event.jobs:
            del self.flying[job.key]
        if isinstance(event, Back):
            self.waiting.extend(event.jobs)
            return []
        if len(event.jobs) > 1:  # whose fault it was shows when they run one by one
            self.alone.extend(event.jobs)
            return []
        (job,) = event.jobs
        tried = self.attempts.get(job.key, 0) + 1
        if event.status == "crashed" and tried <= self.retries and not self.stopping:
            self.attempts[job.key] = tried
            self.alone.append(job)
            return []
        return [self._record(job, event.status, None, [], event.error)]

    def _record(self, job, status, seconds, values, error):
        if seconds is not None:
            self.pace = seconds if self.pace is None else 0.9 * self.pace + 0.1 * seconds
        tried = self.attempts.pop(job.key, 0) + 1
        return Record(job.key, job.id, job.params, status, tried, seconds, values, error)


class Interrupts:
    """Ctrl-C once: finish the tasks in flight.  Twice: stop now.  Both end in KeyboardInterrupt."""

    def __init__(self, driver: Driver):
        self.driver, self.count = driver, 0

    def __enter__(self):
        self.before = None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self._heard)
        return self

    def _heard(self, *_):
        self.count += 1
        if self.count > 1:
            raise StopNow
        self.driver.stopping = True
        print(f"\nfinishing {len(self.driver.flying)} tasks in flight; Ctrl-C again stops now", file=sys.stderr)

    def __exit__(self, kind, *_):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
        if self.count and kind is None:
            raise KeyboardInterrupt
