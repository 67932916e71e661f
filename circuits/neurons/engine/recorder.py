"""Buffers that take over spikes and samples while a network runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from circuits.neurons.engine import loop, recording
from circuits.neurons.engine.ordered import in_order
from circuits.neurons.engine.recording import Record, Recording, Traces, nearest
from circuits.neurons.program import steps_of
from circuits.neurons.spikes import Spikes
from physlearn.kernels.cfuncs import ACTION, compiled

OUT = 8  # where the table of `loop.sample` has the address of its samples


class Recorder:
    """Buffers of one run.

    Parameters
    ----------
    plan : Plan
    record : "spikes", None or mapping
    first, last : int
        Steps.
    sink : Sink or None
        Where records are streamed to.
    copies : int
        How many such records must fit in memory.
    """

    def __init__(self, plan, record, first, last, sink=None, copies=1):
        self.plan, self.first, self.sink, self.threads, self.method = plan, first, sink, "", ""
        names = list(plan.network.populations)
        if record is None or isinstance(record, str):
            record = dict.fromkeys(names, record)
        if not isinstance(record, Mapping):
            raise TypeError(
                f"record: got {record!r}, expected 'spikes', None or a mapping such as {{{names[0]!r}: 'spikes'}}"
            )
        self.spiking, wanted = {}, {}  # population: the neurons whose spikes are kept, ascending, or None for all
        for name, what in record.items():
            nearest("record", name, [*names, *plan.plastic, *plan.values])
            if isinstance(what, str):
                nearest("record", what, ("spikes",))
                what = Record()
            if what is None:
                continue
            if not isinstance(what, Record):
                raise TypeError(f"record: {name!r} asks for {what!r}, expected 'spikes', None or a Record")
            if what.spikes and name in names:
                chosen = None if what.spikes == "all" or what.neurons is None else self._layout(name, what)[3]
                if chosen is None or len(chosen):
                    self.spiking[name] = None if chosen is None else np.unique(chosen)
            if len(what.variables):
                wanted[name] = what
        self.spikes = {name: [[] for _ in plan.parts[name]] for name in self.spiking}
        self.actions, self.traces, self.tables = [], {}, {}
        needed = copies * sum(self._size(name, what, last) for name, what in wanted.items())
        if sink is None and needed > 0.8 * recording.available_memory():
            raise ValueError(
                f"record: traces of {needed / 2**30:.1f} GiB{f' in {copies} runs' * (copies > 1)} do not fit in memory "
                f"({recording.available_memory() / 2**30:.1f} GiB free); sample less often (every=), fewer neurons "
                "(neurons=), or stream to disk (stream=)"
            )
        for name, what in wanted.items():
            self._trace(name, what, last)

    def again(self, first, last):
        """Begin the record of the next piece of the same run."""
        self.first = first
        self.spikes = {name: [[] for _ in self.plan.parts[name]] for name in self.spiking}
        for name, (variables, units, neurons, order, every, clock, out) in self.traces.items():
            clock[0] = first // every + 1
            out = np.empty(((last - first) // every + 2, *out.shape[1:]))  # results keep the former one
            for table in self.tables[name]:
                table[OUT] = out.ctypes.data
            self.traces[name] = (variables, units, neurons, order, every, clock, out)

    def _arrays(self, name):
        """Names and units of what can be sampled, and (part, array (rows, m), ascending numbers of its columns)."""
        network, parts = self.plan.network, self.plan.parts
        if name in parts:
            population = network.populations[name]
            pieces = [(part, part.state, np.arange(part.low, part.high)) for part in parts[name]]
            return population.rows, population.units, pieces
        if name in self.plan.values:
            part, value = self.plan.values[name]
            return ["x"], ["1"], [(part, value[None], np.arange(len(value)))]
        _, pieces = self.plan.plastic[name]
        projection = next(p for p in network.projections if p.name == name)
        target = network.populations[projection.target]
        unit = target.units[target.rows.index(network.receptor_of(projection))]
        return ["w"], [unit], [(part, w[None], numbers) for part, w, numbers in pieces]

    def _layout(self, name, what):
        names, units, pieces = self._arrays(name)
        rows = [names.index(nearest("record", v, names)) for v in what.variables]
        size = sum(len(numbers) for _, _, numbers in pieces)
        neurons = np.arange(size) if what.neurons is None else np.asarray(what.neurons)
        if neurons.ndim != 1 or (neurons.size and neurons.dtype.kind not in "iu"):
            raise TypeError(f"record: neurons of {name!r}: got {what.neurons!r}, expected a list of integers")
        if neurons.size and not (0 <= neurons.min() and neurons.max() < size):
            raise ValueError(f"record: neurons of {name!r} lie outside 0 to {size - 1}: {what.neurons!r}")
        every = 1 if what.every is None else int(steps_of("record: every", what.every, self.plan.dt, 1))
        return rows, tuple(units[row] for row in rows), pieces, neurons.astype(np.int64), every

    def _size(self, name, what, last):
        rows, _, _, neurons, every = self._layout(name, what)
        return 8 * len(rows) * len(neurons) * (last // every - self.first // every)

    def _trace(self, name, what, last):
        rows, units, pieces, neurons, every = self._layout(name, what)
        steps = last - self.first if self.sink is None else min(self.plan.block, last - self.first)
        clock = np.array([self.first // every + 1], np.int64)
        out = np.empty((steps // every + 2, len(rows), len(neurons)))
        column, order, tables = 0, [], []
        for part, array, numbers in pieces:
            order.append(np.flatnonzero(np.isin(neurons, numbers)))
            here = np.searchsorted(numbers, neurons[order[-1]])
            entries = (array, len(numbers), np.array(rows, np.int64), len(rows), here, len(here), every, clock, out)
            table = np.array(
                [self.plan.address(e) if isinstance(e, np.ndarray) else e for e in (*entries, column, len(neurons))],
                np.int64,
            )
            self.actions.append((part, compiled(loop.sample, ACTION).address, self.plan.address(table)))
            tables.append(table)
            column += len(here)
        self.traces[name] = (tuple(what.variables), units, neurons, np.concatenate(order), every, clock, out)
        self.tables[name] = tables

    def take(self, first, last):
        """Take over spikes stamped first .. last - 1 and, when streaming, the samples of these grid points."""
        for name in self.spiking:
            chosen = self.spiking[name]
            for part, chunks in zip(self.plan.parts[name], self.spikes[name], strict=True):
                if part.history.exact:
                    times, ids = in_order(part.history, first, last, self.plan.dt)
                else:
                    counts, ids = part.history.counted(first, last)
                    times = np.repeat(np.arange(first, last), counts) * self.plan.dt
                if part.low:
                    ids += part.low
                if chosen is not None:
                    kept = np.isin(ids, chosen)
                    times, ids = times[kept], ids[kept]
                if len(ids):
                    chunks.append((times, ids))
            if self.sink is not None:
                self.sink.spikes(name, *self._merged(name))
                self.spikes[name] = [[] for _ in self.plan.parts[name]]
        if self.sink is not None:
            for name, (_, _, neurons, order, every, clock, out) in self.traces.items():
                count = (last - 1) // every - clock[0] + 1
                self.sink.samples(name, out[:count][:, :, np.argsort(order)] if len(neurons) else out[:count])
                clock[0] = (last - 1) // every + 1
            self.sink.reached((last - 1) * self.plan.dt)

    def _merged(self, name):
        chunks = [chunk for part in self.spikes[name] for chunk in part]
        if not chunks:
            return np.zeros(0), np.zeros(0, np.int64)
        times, ids = chunks[0] if len(chunks) == 1 else (np.concatenate(each) for each in zip(*chunks, strict=True))
        if len(self.spikes[name]) > 1:
            order = np.argsort(times, kind="stable")
            times, ids = times[order], ids[order]
        times.flags.writeable = ids.flags.writeable = False  # millions of them, which `Spikes` need not copy
        return times, ids

    def result(self, step):
        """The recording up to a grid point."""
        dt = self.plan.dt
        ends = {"t_start": self.first * dt, "t_stop": step * dt}
        spikes, traces = {}, {}
        if self.sink is not None:
            spikes, traces = self.sink.close(step * dt)
        elif step > self.first:
            for name in self.spiking:
                times, ids = self._merged(name)
                n = self.plan.network.populations[name].n
                spikes[name] = Spikes.checked(times, ids, n=n, recorded=self.spiking[name], **ends)
            for name, (variables, units, neurons, order, every, clock, out) in self.traces.items():
                count = step // every - clock[0] + 1
                values = out[:count]
                if np.any(np.diff(order) < 0):
                    values = values[:, :, np.argsort(order)]
                t = np.arange(clock[0], clock[0] + count) * (every * dt)
                traces[name] = Traces(t, neurons, variables, units, values)
        state = self.plan.save(step)
        if not self.method:
            self.method = ", ".join([*(f"{name}: {used}" for name, used in self.plan.methods.items()), self.threads])
        return Recording(spikes, traces, self.plan.weights(), state, dt=dt, method=self.method, **ends)
