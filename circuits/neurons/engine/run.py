"""The course of a run: blocks of steps in compiled code, with Python's part between them.

With one thread, or where a delay is 0, a block is many steps of the whole network.  Threads take groups of parts
and advance them by the shortest delay, through which the groups cannot feel each other, then exchange spikes (as
NEST does between processes: A. Morrison et al., Neural Comput. 17, 1776 (2005)).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from circuits.neurons.engine import loop
from circuits.neurons.engine.closed_loop import ClosedLoop, Loop
from circuits.neurons.engine.history import free_steps
from circuits.neurons.engine.plan import Plan, root
from circuits.neurons.engine.recorder import Recorder
from circuits.neurons.engine.recording import NetworkState, Record
from circuits.neurons.program import steps_of
from physlearn.checks import MOST, array, count, instance, positive
from physlearn.progress import Bar

BLOCK = 2000  # most steps between two visits of Python
LIVE = 2**28  # bytes of a plan that is kept for the next piece of a run
PIECES = 50  # of the kept plan's blocks, in which a longer piece still goes on with it
MOST_THREADS = 4096


def evolve(
    network,
    t_span,
    *,
    dt,
    record,
    state,
    rng,
    method,
    stream,
    threads,
    progress=None,
    copies=1,
    what="state",
    closed_loop=None,
):
    """See `SpikingNetwork.__integrate__`; ``copies`` of the record must fit in memory, ``what`` is the state's name."""
    key = dt, threads, stream, _settled(method), _settled(record)
    run = _live(network, state, key)
    if run is None:
        dt = positive("dt", dt)
        threads = count("threads", threads, most=MOST_THREADS)
    first, last = _steps(t_span, dt)
    if last <= first:
        raise ValueError(f"t_span: {t_span!r} s has no step of dt={dt!r} s; the end must lie after the start")
    if state is None:
        _no_spikes_at(network, first, dt)
    elif not isinstance(state, NetworkState):
        raise TypeError(f"{what}: got a {type(state).__name__}, expected the `final` state of a Recording")
    elif state.step != first or state.dt != dt:
        raise ValueError(
            f"{what}: it is of t = {state.step * state.dt!r} s with dt={state.dt!r} s, not of t_span[0] with "
            f"dt={dt!r} s"
        )
    if closed_loop is not None:
        instance("closed_loop", closed_loop, ClosedLoop, "ClosedLoop(function, every)")
    if run is None or last - first > PIECES * run.plan.block:
        run = _begin(network, dt, first, last, record, state, rng, method, stream, threads, copies, what)
    else:
        kept: Any = state  # a run that goes on has one
        if not kept.untouched:
            run.plan.restore(kept.arrays, first, what)
        run.recorder.again(first, last)
    with Bar("integrate", "step", last - first, progress) as bar:
        recording = run.go(first, last, bar, None if closed_loop is None else Loop(closed_loop, run.plan))
    if run.small:
        network._live["run"] = run, recording.final, key
    return recording


def _steps(t_span, dt):
    """The steps at which a run begins and ends."""
    if type(t_span) is tuple and len(t_span) == 2 and type(t_span[0]) is type(t_span[1]) is type(dt) is float:
        start, stop = t_span[0] / dt, t_span[1] / dt  # quicker than arrays, where each is a step to the last digits
        first, last = round(start), round(stop)
        if abs(start - first) + abs(stop - last) < 1e-9 and abs(first) + abs(last) < MOST:
            return first, last
    first, last = steps_of("t_span", array("t_span", t_span, shape=(2,)), dt)
    return int(first), int(last)


def _live(network, state, key):
    """The run that ended in a state, to go on with its plan; None where another has to begin.

    The plan is kept with its network: laying it out takes longer than a few steps of it.
    """
    run, final, former = network._live.pop("run", (None, None, None))
    if run is None or final is not state or run.plan.network is not network:
        return None
    same = all(isinstance(setting, float | int) for setting in key[:2]) and key == former
    return run if same else None


def _settled(setting):
    """A method or a record as a value that is equal to another of the same content."""
    if isinstance(setting, Mapping):
        return tuple((name, _settled(value)) for name, value in setting.items())
    if isinstance(setting, Record):
        neurons = None if setting.neurons is None else setting.neurons.tobytes()
        return setting.variables, setting.every, neurons, setting.spikes
    return setting


def _begin(network, dt, first, last, record, state, rng, method, stream, threads, copies, what):
    """A run laid out anew."""
    plan = Plan(network, dt, first, root(rng), method, min(BLOCK, last - first))
    if state is not None:
        plan.restore(state.arrays, first, what)
    sink = None
    if stream is not None:
        from circuits.neurons.engine.stream import Sink

        sink = Sink(stream)
    recorder = Recorder(plan, record, first, last, sink, copies)
    if sink is not None:
        sink.open(recorder, first * dt)
    alone = plan.shortest < 2 or plan.teaching
    groups = [plan.all_parts] if alone else shared_out(plan.all_parts, threads)
    recorder.threads = f"{len(groups)} thread{'s' * (len(groups) > 1)}"
    if len(groups) < threads:
        why = "a delay is shorter than 2 steps" if plan.shortest < 2 else "small populations are not cut"
        why = "decoders or encoders learn" if plan.teaching else why
        recorder.threads += f" ({threads} asked for; {why})"
    return Run(plan, recorder, groups)


def _no_spikes_at(network, first, dt):
    """Refuse given spikes at the start of a run that nothing precedes: they would be lost."""
    for given in (*(population.model for population in network.populations.values()), *network.inputs):
        if hasattr(given, "spikes_at") and given.spikes_at(first, dt):
            raise ValueError(
                f"{type(given).__name__}: a spike at {first * dt!r} s, where the run starts; a run covers start < t <= "
                f"stop, so give it at {(first + 1) * dt!r} s, or start earlier"
            )


def shared_out(parts, threads):
    """Parts in at most ``threads`` groups of about equal numbers of neurons."""
    groups = [[] for _ in range(threads)]
    for part in sorted(parts, key=lambda part: -part.n):
        min(groups, key=lambda group: sum(p.n for p in group)).append(part)
    return [group for group in groups if group]


class Run:
    """One run of a plan.

    Parameters
    ----------
    plan : Plan
    recorder : Recorder
    groups : list of lists of Part
        The parts that each thread advances.
    """

    def __init__(self, plan, recorder, groups):
        self.plan, self.recorder = plan, recorder
        self.lists = [plan.lists(group, recorder.actions) for group in groups]
        self.status = np.zeros((len(groups), 2), np.int64)
        self.small = recorder.sink is None and plan.bytes <= LIVE  # enough to be kept for the next piece
        self.free = min(free_steps(part.n) for part in plan.all_parts)

    def go(self, first, last, bar, loop=None):
        """Run to the end, counting steps on a bar and calling a closed loop; return the recording."""
        step = first
        with ThreadPoolExecutor(len(self.lists)) if len(self.lists) > 1 else _Here() as pool:
            while step < last:
                stop = min(step + self.plan.block, last)
                if loop is not None:
                    loop.call(step)
                    stop = min(stop, loop.until(step))
                if self.plan.courses:
                    self.plan.prepare(step, stop)
                while step < stop:
                    done = self._advance(pool, step, stop)
                    self.recorder.take(step + 1, done + 1)
                    if loop is not None:
                        loop.take(step + 1, done + 1)
                    for part in self.plan.all_parts:
                        part.history.forget(done + 1 - self.plan.longest, done + 1)
                    bar.update(done - step)
                    step = done
                    if self.status.item(0) < 0 or (len(self.status) > 1 and np.any(self.status[:, 0] < 0)):
                        self._diverged(step)
        return self.recorder.result(last)

    def _advance(self, pool, step, stop):
        """Advance all groups; return the grid point they have reached."""
        if len(self.lists) == 1:
            actions, tables, _ = self.lists[0]
            return loop.run(actions, tables, step, stop, self.status[0])
        while step < stop:
            further = min(step + int(self.plan.shortest), step + self.free, stop)
            if any(not part.history.fits(step + 1, further - step) for part in self.plan.all_parts):
                return step
            jobs = [
                pool.submit(loop.run, actions, tables, step, further, status)
                for (actions, tables, _), status in zip(self.lists, self.status, strict=True)
            ]
            done = min(job.result() for job in jobs)
            if done < further:
                return done
            step = further
        return step

    def _diverged(self, step):
        from physlearn.errors import DivergenceError

        group = int(np.flatnonzero(self.status[:, 0] < 0)[0])
        code, place = self.status[group]
        part = self.lists[group][2][place]
        cause, neuron = divmod(int(-code - 1), part.n)
        if cause == 2:
            owner = f"neuron {neuron + part.low} of population {part.population!r}"
            raise part.failure(f"{owner}, in the step to t = {(step + 1) * self.plan.dt:.9g} s", neuron, part.drive)
        population = self.plan.network.populations[part.population]
        values = dict(zip(population.rows, part.state[:, neuron].tolist(), strict=True))
        what, remedy = "diverged", "a smaller dt or smaller weights may help"
        if cause == 1:
            what, remedy = "would spike twice", "take a smaller dt or a refractory period"
        raise DivergenceError(
            f"neuron {neuron + part.low} of population {part.population!r} {what} in the step to "
            f"t = {(step + 1) * self.plan.dt:.9g} s: {values}; {remedy}. What was recorded is in `partial`",
            self.recorder.result(step),
        )


class _Here:
    """Stands in for the thread pool where there is one thread."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False
