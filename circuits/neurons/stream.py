"""Records on disk, written as the run goes on, so that memory does not grow with its duration.

A directory with ``record.json`` (what there is, units, shapes, how much) and raw little-endian arrays: for spikes
``spikes.K.times`` (float64, s) and ``spikes.K.ids`` (int64), for traces ``traces.K`` (float64, (samples, variables,
neurons)), K counting the populations in ``record.json``.  That file is replaced as a whole, at the start and about
five times a second, after what it counts has been written: a run that is killed leaves a record up to its ``t_stop``.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np

from circuits.neurons.recording import Traces

PERIOD = 0.2  # s between two updates of record.json


class Sink:
    """Files of one streamed record.

    Parameters
    ----------
    path : str or Path
        A directory that does not exist yet or is empty.
    """

    def __init__(self, path):
        self.path = Path(path)
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise ValueError(f"stream: {str(path)!r} exists already; name a new directory")
        self.path.mkdir(parents=True, exist_ok=True)
        self.files, self.entries, self.written = {}, {}, 0.0

    def open(self, recorder, t_start):
        """Create the files for what a recorder records."""
        populations = recorder.plan.network.populations
        self.header = {"dt": recorder.plan.dt, "t_start": t_start, "t_stop": t_start, "spikes": [], "traces": []}
        for name in recorder.spiking:
            self._begin("spikes", name, {"n": populations[name].n}, ("times", "ids"))
        for name, (variables, units, neurons, _, every, clock, _) in recorder.traces.items():
            entry = {"variables": variables, "units": units, "neurons": neurons.tolist()}
            self._begin("traces", name, entry | {"every": every, "first": int(clock[0])}, ("",))
        self._write(t_start)

    def _begin(self, kind, name, entry, parts):
        k = len(self.header[kind])
        self.entries[kind, name] = {"population": name, "count": 0} | entry
        self.header[kind].append(self.entries[kind, name])
        for part in parts:
            self.files[kind, name, part] = (self.path / f"{kind}.{k}{part and '.'}{part}").open("wb")

    def spikes(self, name, times, ids):
        """Append spikes."""
        self.files["spikes", name, "times"].write(times.astype("<f8").tobytes())
        self.files["spikes", name, "ids"].write(ids.astype("<i8").tobytes())
        self.entries["spikes", name]["count"] += len(ids)

    def samples(self, name, values):
        """Append samples."""
        self.files["traces", name, ""].write(np.ascontiguousarray(values, "<f8").tobytes())
        self.entries["traces", name]["count"] += len(values)

    def reached(self, t):
        """Everything up to a time has been appended."""
        if time.monotonic() > self.written + PERIOD:
            self._write(t)

    def _write(self, t):
        for file in self.files.values():
            file.flush()
        self.header["t_stop"] = t
        fresh = self.path / "record.json.new"
        fresh.write_text(json.dumps(self.header), encoding="utf-8")
        os.replace(fresh, self.path / "record.json")
        self.written = time.monotonic()

    def close(self, t_stop):
        """Finish the record; return it as `read_stream` does."""
        self._write(t_stop)
        for file in self.files.values():
            file.close()
        return read_stream(self.path)


def read_stream(path):
    """Spikes and traces of a streamed run, mapped from the files and not read into memory.

    Of a run that goes on, or that was killed, it gives what had been written by the time ``spikes["E"].t_stop``;
    nothing, if that is its start.

    Parameters
    ----------
    path : str or Path
        The directory given as ``stream``.

    Returns
    -------
    spikes : dict of str to Spikes
    traces : dict of str to Traces

    Examples
    --------
    >>> read_stream("no such directory")
    Traceback (most recent call last):
        ...
    ValueError: path: 'no such directory' holds no record.json, so no run was streamed to it
    """
    from circuits.neurons.spikes import Spikes

    path = Path(path)
    if not (path / "record.json").is_file():
        raise ValueError(f"path: {str(path)!r} holds no record.json, so no run was streamed to it")
    header = json.loads((path / "record.json").read_text(encoding="utf-8"))
    spikes, traces = {}, {}
    if header["t_stop"] <= header["t_start"]:  # killed before its first samples
        return spikes, traces
    for k, entry in enumerate(header["spikes"]):
        count, ends = entry["count"], {"t_start": header["t_start"], "t_stop": header["t_stop"]}
        times, ids = _mapped(path / f"spikes.{k}.times", "<f8", count), _mapped(path / f"spikes.{k}.ids", "<i8", count)
        spikes[entry["population"]] = Spikes(times, ids, n=entry["n"], **ends)
    for k, entry in enumerate(header["traces"]):
        shape = entry["count"], len(entry["variables"]), len(entry["neurons"])
        values = _mapped(path / f"traces.{k}", "<f8", int(np.prod(shape))).reshape(shape)
        t = (entry["first"] + np.arange(len(values))) * (entry["every"] * header["dt"])
        neurons = np.array(entry["neurons"], np.int64)
        traces[entry["population"]] = Traces(t, neurons, tuple(entry["variables"]), tuple(entry["units"]), values)
    return spikes, traces


def _mapped(path, kind, size):
    return np.memmap(path, kind, "r", shape=(size,)) if size else np.zeros(0, kind)
