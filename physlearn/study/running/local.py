"""Local workers: a process and a pipe each, so that a job can take down its own worker only.

Processes come from a fork server, which has the library loaded and no threads: plain fork dies in the first
parallel kernel, and a fresh interpreter for each worker takes a second.  Every outcome is sent at once, so a worker
that dies, or is stopped at its time limit, loses only its current job; the rest of its batch is returned.

Pools that share one pipe lose more.  Measured with pebble 5.2: a worker killed from outside while 60 tasks
ran failed all 60, and ``os._exit(0)`` in a task left its future pending for ever.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import types
from collections import deque
from multiprocessing import connection, forkserver, popen_forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import physlearn
from physlearn.study.plans.plan import Job
from physlearn.study.running.crew import Back, Done, Lost
from physlearn.study.running.worker import READY, RECALLED, Brief, Home, serve

STILLBORN = 20  # workers in a row that die before they are ready: something keeps killing them


class _Popen(popen_forkserver.Popen):
    """Start a worker without importing the user's script: it needs no main guard and is not run again."""

    def _launch(self, process_obj):
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            super()._launch(process_obj)  # pyright: ignore[reportAttributeAccessIssue]
        finally:
            sys.modules["__main__"] = main


class _Process(ForkServerProcess):
    @staticmethod
    def _Popen(process_obj):
        return _Popen(process_obj)


def _start_server():
    """Start the process that workers are forked from, with this physlearn and Numba loaded.

    By itself it would look into the working directory first, where another physlearn may lie.
    """
    forkserver.set_forkserver_preload(["physlearn.study.running.worker", "numba"])
    before = dict(os.environ)
    home = str(Path(physlearn.__file__).resolve().parents[1])
    os.environ.update(PYTHONSAFEPATH="1", PYTHONPATH=os.pathsep.join([home, *filter(None, [before.get("PYTHONPATH")])]))
    try:
        forkserver.ensure_running()
    finally:
        for name in ("PYTHONSAFEPATH", "PYTHONPATH"):
            del os.environ[name]
            if name in before:
                os.environ[name] = before[name]


class _Slot:
    """One worker, its remaining jobs, and the time at which it began the first of them."""

    def __init__(self, brief, home, threads, memory):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = _Process(target=serve, args=(theirs, brief, home, threads, memory), daemon=True)
        self.process.start()
        theirs.close()
        self.jobs: deque[Job] = deque()
        self.ready, self.recalled, self.since = False, False, time.monotonic()

    def stop(self):
        pid = self.process.pid
        assert pid  # 0 would be this process and its group
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Local:
    """A crew of local processes.

    Parameters
    ----------
    brief : Brief
    workers : int, optional
        One per processor by default.
    timeout : float, optional
        Seconds a job may take before its worker is killed.
    memory : int, optional
        Bytes a worker may map beyond those it has when it starts.
    """

    batch_seconds = 0.02

    def __init__(self, brief: Brief, workers: int | None, timeout: float | None, memory: int | None):
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.width = workers or allowed or 1
        self.brief, self.timeout, self.memory = brief, timeout, memory
        self.threads = 1 if self.width > 1 else None
        modules = [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)]  # "" is the folder of now
        self.home = Home(dict(os.environ), modules)
        _start_server()
        self.slots: list[_Slot] = []
        self.stillborn = 0

    def room(self) -> bool:
        """Whether a worker is idle; one that is still starting may be given its batch already."""
        return len(self.slots) < self.width or any(not slot.jobs for slot in self.slots)

    def submit(self, jobs: list[Job]) -> None:
        """Give a batch to an idle worker.

        A worker that is sending must never be sent to: both pipes could be full.
        """
        slot = next((slot for slot in self.slots if not slot.jobs), None)
        if slot is None:
            slot = _Slot(self.brief, self.home, self.threads, self.memory)
            self.slots.append(slot)
        slot.jobs.extend(jobs)
        slot.since = time.monotonic()
        try:
            slot.pipe.send(jobs)
        except OSError:
            pass  # it has died: `wait` will see

    def wait(self, seconds: float):
        """Outcomes of jobs, and the fate of workers."""
        waiting: list[Any] = [slot.pipe for slot in self.slots] + [slot.process.sentinel for slot in self.slots]
        if self.timeout is not None:
            oldest = min((slot.since for slot in self.slots if slot.jobs and slot.ready), default=time.monotonic())
            seconds = min(seconds, max(0.0, oldest + self.timeout - time.monotonic()))
        ready = set(connection.wait(waiting, seconds))
        now = time.monotonic()
        for slot in list(self.slots):
            alive = slot.process.sentinel not in ready
            if slot.pipe in ready or not alive:
                outcomes, back, alive = self._receive(slot, alive)
                if outcomes:
                    yield Done(outcomes)
                if back:
                    yield Back(back)
            if not alive:
                yield from self._died(slot)
            elif self.timeout is not None and slot.ready and slot.jobs and now - slot.since > self.timeout:
                said = f"took longer than timeout={self.timeout:g} s; its worker was stopped"
                yield from self._remove(slot, "timeout", ("TimeoutError", said, f"TimeoutError: {said}"))

    def _receive(self, slot, alive):
        """All messages of the worker so far."""
        outcomes, back, began = [], [], time.monotonic()
        try:
            while slot.pipe.poll() and (not alive or time.monotonic() - began < 0.05):  # others wait too
                said = slot.pipe.recv()
                slot.since = time.monotonic()
                if said == READY:
                    slot.ready, self.stillborn = True, 0
                elif said == RECALLED:
                    back += slot.jobs
                    slot.jobs.clear()
                elif isinstance(said, str):
                    raise RuntimeError(f"a worker could not start on {self.brief.path!r}:\n{said}")
                else:
                    outcomes.append(said)
                    slot.jobs.popleft()
        except (EOFError, OSError):  # also in the middle of a message
            alive = False
        return outcomes, back, alive

    def _died(self, slot):
        slot.process.join()
        code = slot.process.exitcode
        if not slot.ready:
            self.stillborn += 1
            if self.stillborn >= STILLBORN:
                raise RuntimeError(f"{STILLBORN} workers in a row died before they were ready, exit code {code}")
            jobs = list(slot.jobs)
            self._drop(slot)
            yield Back(jobs)
            return
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        said = f"its worker died ({how})"
        yield from self._remove(slot, "crashed", ("WorkerDied", said, f"WorkerDied: {said}"))

    def _remove(self, slot, status, error):
        """Stop a worker; the first of its jobs is the one that it was running."""
        jobs = list(slot.jobs)
        self._drop(slot)
        if jobs:
            yield Lost(jobs[:1], status, error)
        if jobs[1:]:
            yield Back(jobs[1:])

    def _drop(self, slot):
        self.slots.remove(slot)
        slot.stop()

    def recall(self) -> list[Job]:
        """Jobs of workers that are still starting; the others finish one job and then give back their batch."""
        back = []
        for slot in list(self.slots):
            if slot.jobs and not slot.ready:
                back += slot.jobs
                self._drop(slot)
            elif len(slot.jobs) > 1 and not slot.recalled:
                slot.recalled = True
                with contextlib.suppress(OSError):
                    slot.pipe.send([])
        return back

    def close(self) -> None:
        """Let idle workers end by themselves, so that they clean up, and kill the others."""
        for slot in self.slots:
            slot.pipe.close()
            if slot.jobs or not slot.ready:
                slot.process.kill()
        for slot in self.slots:
            slot.process.join(2.0)
            slot.stop()
        self.slots.clear()
