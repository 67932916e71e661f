"""Records on disk, written during the run, so that memory does not grow with its duration.

A directory with ``record.json`` (contents, units, shapes, lengths) and raw little-endian arrays: for spikes
``spikes.K.times`` (float64, s) and ``spikes.K.ids`` (int64), for traces ``traces.K`` (float64, (samples, variables,
neurons)), K counting the populations in ``record.json``.  That file is replaced as a whole, at the start and about
five times a second, after what it counts has been written: a run that is killed leaves a record up to its ``t_stop``.
It keeps the CRC-32 of what it counts, and a SHA-256 of itself, so that damage is found.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib

import numpy as np

from circuits.neurons.engine.recording import Traces
from physlearn.files import path_of, refuse_link

PERIOD = 0.2  # s between two updates of record.json
PIECE = 2**20  # bytes read at a time to verify a file


class Sink:
    """Files of one streamed record.

    Parameters
    ----------
    path : str or Path
        A directory that does not exist yet or is empty.
    """

    def __init__(self, path):
        self.path = refuse_link(path_of("stream", path))
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise ValueError(f"stream: {str(path)!r} exists already; name a new directory")
        self.path.mkdir(parents=True, exist_ok=True)
        self.files, self.entries, self.written = {}, {}, 0.0

    def open(self, recorder, t_start):
        """Create the files for what a recorder records."""
        populations = recorder.plan.network.populations
        self.header = {"dt": recorder.plan.dt, "t_start": t_start, "t_stop": t_start, "spikes": [], "traces": []}
        for name, chosen in recorder.spiking.items():
            some = {} if chosen is None else {"recorded": chosen.tolist()}
            self._begin("spikes", name, {"n": populations[name].n} | some, ("times", "ids"))
        for name, (variables, units, neurons, _, every, clock, _) in recorder.traces.items():
            entry = {"variables": variables, "units": units, "neurons": neurons.tolist()}
            self._begin("traces", name, entry | {"every": every, "first": int(clock[0])}, ("",))
        self._write(t_start)

    def _begin(self, kind, name, entry, parts):
        k = len(self.header[kind])
        self.entries[kind, name] = {"population": name, "count": 0, "crc": dict.fromkeys(parts, 0)} | entry
        self.header[kind].append(self.entries[kind, name])
        for part in parts:
            self.files[kind, name, part] = (self.path / f"{kind}.{k}{part and '.'}{part}").open("wb")

    def spikes(self, name, times, ids):
        """Append spikes."""
        self._append("spikes", name, "times", times.astype("<f8").tobytes())
        self._append("spikes", name, "ids", ids.astype("<i8").tobytes())
        self.entries["spikes", name]["count"] += len(ids)

    def samples(self, name, values):
        """Append samples."""
        self._append("traces", name, "", np.ascontiguousarray(values, "<f8").tobytes())
        self.entries["traces", name]["count"] += len(values)

    def _append(self, kind, name, part, data):
        self.files[kind, name, part].write(data)
        crc = self.entries[kind, name]["crc"]
        crc[part] = zlib.crc32(data, crc[part])

    def reached(self, t):
        """Everything up to a time has been appended."""
        if time.monotonic() > self.written + PERIOD:
            self._write(t)

    def _write(self, t):
        for file in self.files.values():
            file.flush()
        self.header["t_stop"] = t
        fresh = self.path / "record.json.new"
        fresh.write_text(json.dumps(self.header | {"digest": _digest(self.header)}), encoding="utf-8")
        os.replace(fresh, self.path / "record.json")
        self.written = time.monotonic()

    def close(self, t_stop):
        """Finish the record; return it as `read_stream` does."""
        self._write(t_stop)
        for file in self.files.values():
            file.close()
        return read_stream(self.path, verify=False)  # what has just been written


def read_stream(path, *, verify=True):
    """Spikes and traces of a streamed run, mapped from the files and not kept in memory.

    For a run that is still going, or was killed, it returns what had been written up to ``spikes["E"].t_stop``, which
    is nothing if that is the start.

    Parameters
    ----------
    path : str or Path
        The directory given as ``stream``.
    verify : bool
        Read all files once, to find damage; False maps them at once, which matters for many gigabytes.

    Returns
    -------
    spikes : dict of str to Spikes
    traces : dict of str to Traces

    Raises
    ------
    ValueError
        No record there, or files that are damaged, by name.

    Examples
    --------
    >>> read_stream("no such directory")
    Traceback (most recent call last):
        ...
    ValueError: path: 'no such directory' holds no record.json, so no run was streamed to it
    """
    path = path_of("path", path)
    if not (path / "record.json").is_file():
        raise ValueError(f"path: {str(path)!r} holds no record.json, so no run was streamed to it")
    try:
        header = json.loads((path / "record.json").read_bytes())
        digest = header.pop("digest", None)  # none in records of earlier versions
        if digest is not None and digest != _digest(header):
            raise ValueError("its digest is another")
        return _mapped(path, header, verify)
    except _Damaged as damage:
        raise ValueError(str(damage)) from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"{path / 'record.json'}: damaged, or not of a streamed run ({type(error).__name__}: {error}); put back a "
            "copy of the directory"
        ) from error


class _Damaged(Exception):
    """A file does not match ``record.json``."""


def _digest(header):
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _mapped(path, header, verify):
    from circuits.neurons.spikes import Spikes

    spikes, traces = {}, {}
    if header["t_stop"] <= header["t_start"]:  # killed before its first samples
        return spikes, traces
    for k, entry in enumerate(header["spikes"]):
        crc = entry.get("crc", {}) if verify else {}
        ends = {"t_start": header["t_start"], "t_stop": header["t_stop"]}
        times, ids = (
            _file(path / f"spikes.{k}.{part}", kind, (entry["count"],), crc.get(part))
            for part, kind in (("times", "<f8"), ("ids", "<i8"))
        )
        try:
            recorded = entry.get("recorded")
            spikes[entry["population"]] = Spikes(times, ids, n=entry["n"], recorded=recorded, **ends)
        except ValueError as error:
            raise _Damaged(f"{path / f'spikes.{k}.*'}: damaged ({error}); put back a copy of them") from error
    for k, entry in enumerate(header["traces"]):
        shape = entry["count"], len(entry["variables"]), len(entry["neurons"])
        crc = entry.get("crc", {}) if verify else {}
        values = _file(path / f"traces.{k}", "<f8", shape, crc.get(""))
        t = (entry["first"] + np.arange(len(values))) * (entry["every"] * header["dt"])
        neurons = np.array(entry["neurons"], np.int64)
        traces[entry["population"]] = Traces(t, neurons, tuple(entry["variables"]), tuple(entry["units"]), values)
    return spikes, traces


def _file(path, kind, shape, crc):
    """An array mapped from a file that may hold more; its CRC-32 is compared where there is one."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    try:
        if path.stat().st_size < size:
            raise _Damaged(f"{path}: {path.stat().st_size} bytes, expected {size}; put back a copy of it")
        if crc is not None and _crc(path, size) != crc:
            raise _Damaged(f"{path}: damaged, its bytes are not those that were written; put back a copy of it")
        return np.memmap(path, kind, "r", shape=shape) if size else np.zeros(shape, kind)
    except OSError as error:
        raise _Damaged(f"{path}: cannot be read ({error}); put back a copy of it") from error


def _crc(path, size):
    found = 0
    with path.open("rb") as file:
        while size and (piece := file.read(min(size, PIECE))):
            found, size = zlib.crc32(piece, found), size - len(piece)
    return found
