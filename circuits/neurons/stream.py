"""Records on disk, written as the run goes on, so that memory does not grow with its duration.

A directory with ``record.json`` (what there is, units, shapes) and raw little-endian arrays: for spikes
``spikes.K.times`` (float64, s) and ``spikes.K.ids`` (int64), for traces ``traces.K`` (float64, (samples, variables,
neurons)), K counting the populations in ``record.json``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from circuits.neurons.recording import Traces


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
        self.files = {}

    def open(self, recorder):
        """Create the files for what a recorder records."""
        populations = recorder.plan.network.populations
        self.header = {"dt": recorder.plan.dt, "spikes": [], "traces": []}
        for name in recorder.spiking:
            k = len(self.header["spikes"])
            self.header["spikes"].append({"population": name, "n": populations[name].n})
            for what in ("times", "ids"):
                self.files["spikes", name, what] = (self.path / f"spikes.{k}.{what}").open("wb")
        for name, (variables, units, neurons, _, every, clock, _) in recorder.traces.items():
            k = len(self.header["traces"])
            entry = {"population": name, "variables": variables, "units": units, "neurons": neurons.tolist()}
            self.header["traces"].append(entry | {"every": every, "first": int(clock[0])})
            self.files["traces", name, ""] = (self.path / f"traces.{k}").open("wb")

    def spikes(self, name, times, ids):
        """Append spikes."""
        self.files["spikes", name, "times"].write(times.astype("<f8").tobytes())
        self.files["spikes", name, "ids"].write(ids.astype("<i8").tobytes())

    def samples(self, name, values):
        """Append samples."""
        self.files["traces", name, ""].write(np.ascontiguousarray(values, "<f8").tobytes())

    def close(self, *, t_start, t_stop):
        """Finish the record; return it as `read_stream` does."""
        for file in self.files.values():
            file.close()
        self.header |= {"t_start": t_start, "t_stop": t_stop}
        (self.path / "record.json").write_text(json.dumps(self.header), encoding="utf-8")
        return read_stream(self.path)


def read_stream(path):
    """Spikes and traces of a streamed run, mapped from the files and not read into memory.

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
    ValueError: path: 'no such directory' holds no record.json; was the run finished?
    """
    from circuits.neurons.spikes import Spikes

    path = Path(path)
    if not (path / "record.json").is_file():
        raise ValueError(f"path: {str(path)!r} holds no record.json; was the run finished?")
    header = json.loads((path / "record.json").read_text(encoding="utf-8"))
    spikes, traces = {}, {}
    for k, entry in enumerate(header["spikes"]):
        times, ids = _mapped(path / f"spikes.{k}.times", "<f8"), _mapped(path / f"spikes.{k}.ids", "<i8")
        spikes[entry["population"]] = Spikes(
            times, ids, n=entry["n"], t_start=header["t_start"], t_stop=header["t_stop"]
        )
    for k, entry in enumerate(header["traces"]):
        values = _mapped(path / f"traces.{k}", "<f8")
        values = values.reshape(-1, len(entry["variables"]), max(1, len(entry["neurons"])))
        t = (entry["first"] + np.arange(len(values))) * (entry["every"] * header["dt"])
        neurons = np.array(entry["neurons"], np.int64)
        traces[entry["population"]] = Traces(t, neurons, tuple(entry["variables"]), tuple(entry["units"]), values)
    return spikes, traces


def _mapped(path, kind):
    return np.memmap(path, kind, "r") if path.stat().st_size else np.zeros(0, kind)
