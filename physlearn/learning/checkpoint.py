"""save and load: a training, or a machine alone, on disk, in one .npz file with a version.

Arrays (theta, cost history, the memory of optimiser and rule) are stored as arrays, the rest, random states included,
as JSON; nothing is pickled, so a file from elsewhere can be opened safely.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from physlearn.checks import instance
from physlearn.files import path_of, replacing
from physlearn.learning.learn import Training
from physlearn.learning.resume import generator_of
from physlearn.machine import Machine, system_of

LOG = logging.getLogger(__name__)
FORMAT = 1
REMEDY = "put back a copy of it, or train again"


class _Foreign(ValueError):
    """A file of another format."""


def save(path, training: Training | Machine) -> Path:
    """Write a training, or a machine, to ``path`` (.npz), by way of a temporary file: a crash leaves the old one.

    Parameters
    ----------
    path : path-like
        Where; the suffix .npz is added if missing.
    training : Training or Machine
        Of a machine its theta is kept: `load` puts it on a machine that is built the same way.

    Returns
    -------
    Path

    Examples
    --------
    See `load`.
    """
    path = path_of("path", path)
    if not path.name:
        raise ValueError(f"path: got {path}, expected the name of a file")
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    if not isinstance(training, Training):
        return _save_machine(path, training)
    arrays = {f"theta/{name}": value for name, value in training.theta.items()} | {"cost": training.cost}
    arrays |= {"monitor": training.monitor, "validation": training.validation}
    arrays |= {f"best/{name}": value for name, value in training.best.items()}
    arrays |= {f"norms/{name}": value for name, value in training.norms.items()}
    scalars = {}
    for key, value in training.memory.items():
        if isinstance(value, dict):
            arrays |= {f"memory/{key}/{name}": array for name, array in value.items()}
        elif isinstance(value, np.random.Generator):
            scalars[key] = {"generator": _plain(value.bit_generator.state)}
        else:
            scalars[key] = _plain(value)
    head = {
        "format": FORMAT,
        "epochs": training.epochs,
        "method": training.method,
        "monitor_name": training.monitor_name,
        "notes": training.notes,
        "memory": scalars,
        "rng": _plain(training.rng),
    }
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, head=np.array(json.dumps(head)), **arrays)
    LOG.info("training of %d epochs saved to %s", training.epochs, path)
    return path


def _save_machine(path, machine) -> Path:
    if not isinstance(machine, Machine):
        instance("training", machine, Training, "what `learn` returned, or a machine")
    arrays = {f"theta/{name}": np.asarray(value) for name, value in machine.theta.items()}
    head = {"format": FORMAT, "machine": type(machine).__name__}
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, head=np.array(json.dumps(head)), **arrays)
    LOG.info("%s saved to %s", head["machine"], path)
    return path


def load(path, system: Machine) -> Any:
    """Read a training back, onto the system it was made from; or a machine's theta, onto a machine.

    Parameters
    ----------
    path : path-like
    system : Machine, Energy or System
        Gives layers, terms and readouts; its theta is replaced by the stored one, in `Training.machine` too.

    Returns
    -------
    Training or Machine
        What was saved.  Pass a training to `learn` as ``resume``.

    Raises
    ------
    ValueError
        A file that is damaged, no training or of another format version, or parameters that do not fit the system.

    Examples
    --------
    >>> import tempfile, os
    >>> from physlearn import SGD, CoupledLearning, Energy, Readout, Real, SquaredError, learn, load, save
    >>> from physlearn.terms import Edges
    >>> divider = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]},
    ...                  {"in": Readout("v", [0, 2]), "out": Readout("v", [1])})
    >>> half = learn(divider, {"in": [[1.0, 0.0]], "out": [[0.5]]}, rule=CoupledLearning(),
    ...              optimizer=SGD(0.5), cost=SquaredError("out"), epochs=3, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(os.path.join(folder, "half"), half), divider)
    >>> again
    Training(epochs=3, cost=0.0229, method='compiled')
    """
    path = path_of("path", path)
    machine, system = system, system_of(system)
    arrays = _arrays(path)
    if found := _machine_in(path, arrays):
        return _onto(path, found, arrays, machine)
    if "head" not in arrays:
        raise ValueError(f"path: {path} holds no physlearn training (no head); it has {sorted(arrays)[:5]}")
    try:
        head = json.loads(str(arrays.pop("head")))
        if head["format"] != FORMAT:
            raise _Foreign(
                f"path: {path} has format {head['format']}, expected {FORMAT}; use the version that wrote it"
            )
        theta, memory = _parts(arrays, {key: _kept(value) for key, value in head["memory"].items()})
        cost, epochs, method = arrays["cost"], int(head["epochs"]), str(head["method"])
        monitor = arrays.get("monitor", np.full(len(cost), np.nan))  # files of earlier versions have none
        monitor_name = str(head.get("monitor_name", ""))
        watched: Any = {"validation": arrays.get("validation", np.zeros(0))} | {
            key: {name.partition("/")[2]: value for name, value in arrays.items() if name.startswith(f"{key}/")}
            for key in ("best", "norms")
        }
        watched["notes"] = tuple(str(note) for note in head.get("notes", ()))
        rng: Any = _numbers(head["rng"])
        generator_of(rng)  # refuses what is none
    except _Foreign:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"path: {path} holds no whole training ({type(error).__name__}: {error}); {REMEDY}") from error
    shapes = {name: value.shape for name, value in theta.items()}
    expected = {name: value.shape for name, value in system.theta.items()}
    if shapes != expected:
        raise ValueError(f"path: {path} holds theta of shapes {shapes}, expected {expected}, the system's")
    known = cost, epochs, memory, rng, method, monitor, monitor_name
    return Training(system.with_theta(theta), *known, **watched, _origin=machine)


def _machine_in(path, arrays) -> str:
    """Class of the machine that a file holds, "" where it holds something else."""
    try:
        head = json.loads(str(arrays.get("head", "{}")))
    except ValueError:
        return ""
    if not isinstance(head, dict) or "machine" not in head:
        return ""
    if head.get("format") != FORMAT:
        raise _Foreign(
            f"path: {path} has format {head.get('format')}, expected {FORMAT}; use the version that wrote it"
        )
    return str(head["machine"])


def _onto(path, name, arrays, machine):
    if type(machine).__name__ != name:
        raise ValueError(f"path: {path} holds a {name}, expected a {type(machine).__name__}, as `system` is")
    theta = {key.partition("/")[2]: value for key, value in arrays.items() if key.startswith("theta/")}
    shapes = {key: value.shape for key, value in theta.items()}
    expected = {key: np.shape(value) for key, value in machine.theta.items()}
    if shapes != expected:
        raise ValueError(f"path: {path} holds theta of shapes {shapes}, expected {expected}, the machine's")
    return machine.with_theta(theta)


def _arrays(path) -> dict[str, Any]:
    """All arrays of an .npz file, which has a checksum of each."""
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except Exception as error:  # whatever NumPy and zipfile say of bytes that are no arrays
            raise ValueError(
                f"path: {path} is no .npz file, or a damaged one ({type(error).__name__}: {error}); {REMEDY}"
            ) from error


def _parts(arrays, memory):
    """Theta, and the optimiser's memory with its arrays."""
    theta = {}
    for name, value in arrays.items():
        kind, _, rest = name.partition("/")
        if kind == "theta":
            theta[rest] = value
        elif kind == "memory":
            key, _, parameter = rest.partition("/")
            memory.setdefault(key, {})[parameter] = value
        elif kind not in ("cost", "monitor", "validation", "best", "norms"):
            raise ValueError(
                f"an array {name!r}, expected theta/..., memory/..., best/..., norms/..., cost and monitor"
            )
    return theta, memory


def _kept(value):
    """An entry of the memory that was no mapping of arrays."""
    value = _numbers(value)
    return generator_of(value["generator"]) if isinstance(value, dict) and "generator" in value else value


def _plain(value):
    """Random states hold arrays in some generators (MT19937, Philox): lists with their type."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    return value.item() if isinstance(value, np.generic) else value


def _numbers(value):
    if isinstance(value, dict) and set(value) == {"array", "dtype"}:
        return np.array(value["array"], value["dtype"])
    return {key: _numbers(item) for key, item in value.items()} if isinstance(value, dict) else value
