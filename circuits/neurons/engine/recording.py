"""What is recorded of a run: spikes, sampled variables, and the state to go on from."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.neurons.engine import loop
from circuits.neurons.program import steps_of
from physlearn.brief import brief
from physlearn.checks import flag, integers, positive, sequence
from physlearn.quantities import take_si


@dataclass(frozen=True)
class Record:
    """What to record of one population, or of one projection with STDP.

    Parameters
    ----------
    variables : sequence of str
        Rows of state: variables of the model ("v", "m", ...) and receptors by name (their current or conductance);
        of a projection "w", its weights.
    every : float, optional
        s between samples, whole steps; every step by default.  Samples fall on multiples of it.
    neurons : sequence of int, optional
        All by default; of a projection synapses, in the order of `SpikingNetwork.synapses`.
    spikes : bool

    Examples
    --------
    >>> Record(["v"], every=1e-3, neurons=[0, 1]).spikes
    True
    """

    variables: Any = ()
    every: float | None = None
    neurons: Any = None
    spikes: bool = True

    __repr__ = brief

    def __post_init__(self):
        take_si(self, every="s")
        names = (self.variables,) if isinstance(self.variables, str) else self.variables
        object.__setattr__(self, "variables", sequence("Record: variables", names, str, "names such as ['v']"))
        if self.every is not None:
            positive("Record: every in s", self.every)
        if self.neurons is not None:
            integers("Record: neurons", self.neurons, ndim=1, low=0)
        flag("Record: spikes", self.spikes)


@dataclass(frozen=True, eq=False)
class Traces:
    """Sampled variables of one population or projection; ``traces["v"]`` is (samples, neurons).

    Parameters
    ----------
    t : (samples,) array
        s.
    neurons : (k,) array of int
        Of a projection, synapses.
    variables, units : tuple of str
    values : (samples, variables, k) array
    """

    t: np.ndarray
    neurons: np.ndarray
    variables: tuple
    units: tuple
    values: np.ndarray

    def __repr__(self):
        return brief(self, t=self.t, neurons=len(self.neurons), **{name: self[name] for name in self.variables})

    def _repr_html_(self):
        return self.to_xarray()._repr_html_()

    def __getitem__(self, variable):
        return self.values[:, self.variables.index(nearest("variable", variable, self.variables))]

    def to_xarray(self):
        """An xarray.Dataset with dimensions time and neuron, units in the attributes."""
        import xarray

        coordinates = {"time": ("time", self.t, {"units": "s"}), "neuron": self.neurons}
        data = {
            name: (("time", "neuron"), self[name], {"units": unit})
            for name, unit in zip(self.variables, self.units, strict=True)
        }
        return xarray.Dataset(data, coordinates)


@dataclass(frozen=True, eq=False)
class NetworkState:
    """The state of a network at a grid point; pass it as ``state`` to continue the run bit for bit.

    Parameters
    ----------
    step : int
        Grid point, t = step * dt.
    dt : float
        s.
    arrays : dict
        Copies of all arrays that the next step depends on.
    """

    step: int
    dt: float
    arrays: dict = field(repr=False)

    __repr__ = brief


@dataclass(frozen=True, eq=False)
class Recording:
    """The record of a run.

    Parameters
    ----------
    spikes : dict of str to Spikes
        By population.
    traces : dict of str to Traces
    weights : dict of str to (m,) array
        Weights of plastic projections at the end, by source and then target.
    state : NetworkState
        At the end.
    t_start, t_stop, dt : float
        s.
    method : str
        Of each population, and the number of threads: fewer than asked for where more would not pay.
    """

    spikes: dict
    traces: dict
    weights: dict
    state: NetworkState
    t_start: float
    t_stop: float
    dt: float
    method: str

    def __repr__(self):
        spikes = {name: len(spikes) for name, spikes in self.spikes.items()}
        traces = {name: list(traces.variables) for name, traces in self.traces.items()}
        parts = {"spikes": spikes, "traces": traces, "weights": list(self.weights)}
        span = f"{self.t_start:g} to {self.t_stop:g} s"
        return brief(self, t=span, dt=self.dt, **{k: v for k, v in parts.items() if v}, method=self.method)

    def _repr_html_(self):
        from html import escape

        shown = [f"<pre>{escape(repr(self))}</pre>"]
        for name, traces in self.traces.items():
            shown.append(f"<p>traces[{escape(repr(name))}]</p>{traces._repr_html_()}")
        return "".join(shown)


def nearest(what, name, valid):
    """The name, if valid; else an error that names the nearest."""
    if isinstance(name, str) and name in valid:
        return name
    close = difflib.get_close_matches(str(name), [str(v) for v in valid], 1, 0.0)
    raise ValueError(f"{what}: {name!r} is none of {list(valid)}; did you mean {close[0] if close else None!r}?")


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
        self.plan, self.first, self.sink, self.threads = plan, first, sink, ""
        names = list(plan.network.populations)
        if record is None or isinstance(record, str):
            record = dict.fromkeys(names, record)
        if not isinstance(record, Mapping):
            raise TypeError(
                f"record: got {record!r}, expected 'spikes', None or a mapping such as {{{names[0]!r}: 'spikes'}}"
            )
        self.spiking, wanted = [], {}
        for name, what in record.items():
            nearest("record", name, [*names, *plan.plastic])
            if isinstance(what, str):
                nearest("record", what, ("spikes",))
                what = Record()
            if what is None:
                continue
            if not isinstance(what, Record):
                raise TypeError(f"record: {name!r} asks for {what!r}, expected 'spikes', None or a Record")
            if what.spikes and name in names:
                self.spiking.append(name)
            if len(what.variables):
                wanted[name] = what
        self.spikes = {name: [[] for _ in plan.parts[name]] for name in self.spiking}
        self.actions, self.traces = [], {}
        needed = copies * sum(self._size(name, what, last) for name, what in wanted.items())
        if sink is None and needed > 0.8 * available_memory():
            raise ValueError(
                f"record: traces of {needed / 2**30:.1f} GiB{f' in {copies} runs' * (copies > 1)} do not fit in memory "
                f"({available_memory() / 2**30:.1f} GiB free); sample less often (every=), fewer neurons (neurons=), "
                "or stream to disk (stream=)"
            )
        for name, what in wanted.items():
            self._trace(name, what, last)

    def _arrays(self, name):
        """Names and units of what can be sampled, and (part, array (rows, m), ascending numbers of its columns)."""
        network, parts = self.plan.network, self.plan.parts
        if name in parts:
            population = network.populations[name]
            pieces = [(part, part.state, np.arange(part.low, part.high)) for part in parts[name]]
            return population.rows, population.units, pieces
        wiring, weights = self.plan.plastic[name]
        projection = next(p for p in network.projections if p.name == name)
        target = network.populations[projection.target]
        unit = target.units[target.rows.index(network.receptor_of(projection))]
        numbers = wiring.cut(np.arange(wiring.size))
        return ["w"], [unit], list(zip(parts[projection.target], weights, numbers, strict=True))

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
        from physlearn.kernels.cfuncs import ACTION, compiled

        rows, units, pieces, neurons, every = self._layout(name, what)
        steps = last - self.first if self.sink is None else min(self.plan.block, last - self.first)
        clock = np.array([self.first // every + 1], np.int64)
        out = np.empty((steps // every + 2, len(rows), len(neurons)))
        column, order = 0, []
        for part, array, numbers in pieces:
            order.append(np.flatnonzero(np.isin(neurons, numbers)))
            here = np.searchsorted(numbers, neurons[order[-1]])
            entries = (array, len(numbers), np.array(rows, np.int64), len(rows), here, len(here), every, clock, out)
            table = np.array(
                [self.plan.address(e) if isinstance(e, np.ndarray) else e for e in (*entries, column, len(neurons))],
                np.int64,
            )
            self.actions.append((part, compiled(loop.sample, ACTION).address, self.plan.address(table)))
            column += len(here)
        self.traces[name] = (tuple(what.variables), units, neurons, np.concatenate(order), every, clock, out)

    def take(self, first, last):
        """Take over spikes stamped first .. last - 1 and, when streaming, the samples of these grid points."""
        for name in self.spiking:
            for part, chunks in zip(self.plan.parts[name], self.spikes[name], strict=True):
                stamps, ids, late = part.history.between(first, last)
                if len(ids):
                    late = late if part.history.exact else None
                    chunks.append((stamps, ids + part.low, late))
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
        stamps, ids = np.concatenate([c[0] for c in chunks]), np.concatenate([c[1] for c in chunks])
        times = stamps * self.plan.dt
        if chunks[0][2] is not None:
            times = times - np.concatenate([c[2] for c in chunks]) * self.plan.dt
        if len(self.spikes[name]) > 1 or chunks[0][2] is not None:
            order = np.argsort(times, kind="stable")
            times, ids = times[order], ids[order]
        times.flags.writeable = ids.flags.writeable = False  # millions of them, which `Spikes` need not copy
        return times, ids

    def result(self, step):
        """The recording up to a grid point."""
        from circuits.neurons.spikes import Spikes

        dt = self.plan.dt
        ends = {"t_start": self.first * dt, "t_stop": step * dt}
        spikes, traces = {}, {}
        if self.sink is not None:
            spikes, traces = self.sink.close(step * dt)
        elif step > self.first:
            for name in self.spiking:
                times, ids = self._merged(name)
                spikes[name] = Spikes(times, ids, n=self.plan.network.populations[name].n, **ends)
            for name, (variables, units, neurons, order, every, clock, out) in self.traces.items():
                count = step // every - clock[0] + 1
                values = out[:count]
                if np.any(np.diff(order) < 0):
                    values = values[:, :, np.argsort(order)]
                t = np.arange(clock[0], clock[0] + count) * (every * dt)
                traces[name] = Traces(t, neurons, variables, units, values)
        state = NetworkState(step, dt, self.plan.save(step))
        method = ", ".join([*(f"{name}: {used}" for name, used in self.plan.methods.items()), self.threads])
        return Recording(spikes, traces, self.plan.weights(), state, dt=dt, method=method, **ends)


def available_memory():
    """Bytes of memory that are free, or infinity where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return float("inf")
