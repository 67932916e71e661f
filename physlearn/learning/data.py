"""The data and names of a training, checked before anything is computed."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array as numbers, function, mapping, seen, sequence
from physlearn.dynamics.frame import frame_of, rows_of

RELAX_OPTIONS = ("method", "tol", "max_steps", "unconverged")
NOUNS = {
    "rule": ((), "a rule such as CoupledLearning() or ContrastiveDivergence()"),
    "optimizer": (("start", "step", "lr"), "an optimiser such as SGD(0.1) or Adam(0.01)"),
    "cost": (("readout", "value", "gradient"), "a cost such as SquaredError('output')"),
}


class Assignment(NamedTuple):
    """One training, checked: what its engines and a rule's own contrast are given.

    Attributes
    ----------
    inputs : dict of str to (n, k) array
        Values of the readouts that are clamped.
    target : (n, k) array
        Of the cost's readout; (n, 0) without a cost.
    rule, optimizer, cost
        As `learn` was given them.
    size : int
        Samples a step.
    names : list of str
        Parameters that change.
    options : dict
        Settings of `relax`.
    """

    inputs: dict[str, np.ndarray]
    target: np.ndarray
    rule: Any
    optimizer: Any
    cost: Any
    size: int
    names: list[str]
    options: dict[str, Any] = {}

    __repr__ = brief


class Fresh(NamedTuple):
    """The data of one step, made for it, in the place of the order of an epoch."""

    inputs: dict[str, np.ndarray]
    target: np.ndarray


def check_nouns(**given):
    """Refuse anything but a rule, optimiser or cost, such as its name or its class."""
    for argument, value in given.items():
        attributes, such = NOUNS[argument]
        if isinstance(value, type):
            raise TypeError(f"{argument}: got the class {value.__name__}, expected an instance: {value.__name__}(...)")
        no_rule = argument == "rule" and not (hasattr(value, "phases") or hasattr(value, "contrast"))
        if no_rule or not all(hasattr(value, name) for name in attributes):
            raise TypeError(f"{argument}: got {seen(value)}, expected {such}")


def check_data(system, data, cost):
    """Inputs and target as checked float arrays; without a cost all data are inputs."""
    mapping("data", data, expected="a mapping of readout names to (n, k) arrays")
    if not data:
        raise ValueError("data: it is empty, expected a mapping of readout names to (n, k) arrays")
    if cost is not None and cost.readout not in data:
        raise ValueError(f"data: no targets for the cost's readout {cost.readout!r}; got {list(data)}")
    arrays = {}
    for name, value in data.items():
        if name not in system.readouts:
            raise ValueError(f"data: there is no readout {name!r}, expected one of {list(system.readouts)}")
        array = numbers(f"data[{name!r}]", value, finite=False)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"data[{name!r}]: shape {np.shape(value)}, expected (n, k) with at least one sample")
        if not np.all(np.isfinite(array)):
            bad = int(np.flatnonzero(~np.isfinite(array).all(1))[0])
            raise ValueError(f"data[{name!r}]: row {bad} holds NaN or infinity, expected finite numbers")
        if array.shape[1] != (size := _columns(system, name)):
            raise ValueError(f"data[{name!r}]: {array.shape[1]} columns, expected {size}, the readout's size")
        arrays[name] = np.ascontiguousarray(array)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"data: numbers of samples differ, {lengths}; expected one")
    if cost is None:
        return arrays, np.zeros((next(iter(lengths.values())), 0))
    target = arrays.pop(cost.readout)
    if hasattr(cost, "check"):
        cost.check(target)
    _check_free(system, cost, tuple(dict(system.fixed) | arrays))
    return arrays, target


def _check_free(system, cost, clamped):
    """Refuse outputs that clamps determine."""
    frame, readout = frame_of(system, clamped), system.readouts[cost.readout]
    if readout.rows is None:  # variables, each by itself
        index = np.arange(system.layers[readout.layer].size) if readout.index is None else readout.index
        if np.all(frame.cluster[frame.offset[readout.layer] + index] >= 0):
            return
    rows = rows_of(system, cost.readout, frame.offset, len(frame.cluster))
    for k in range(rows.shape[0]):
        indices, free = rows[k].indices, frame.cluster[rows[k].indices]
        if not np.any(np.bincount(free[free >= 0], rows[k].data[free >= 0])):
            what = "variables that clamps tie together" if np.any(free >= 0) else "clamped variables"
            raise ValueError(
                f"data[{cost.readout!r}]: output {k} reads only {what} {indices.tolist()}, "
                "so it cannot learn; choose a free variable as output or do not clamp it"
            )


def made(source, generator, step):
    """The batch that a user's function makes for a step."""
    function("data", source, 2, "a mapping of readout names to arrays, or a function of a generator and the step")
    found = source(generator, step)
    return mapping(f"data, made for step {step}", found, expected="a mapping of readout names to (n, k) arrays")


def remade(source, generator, step, system, task):
    """The task of another step, whose batch has the readouts and columns of the first."""
    found = made(source, generator, step)
    try:
        inputs, target = check_data(system, found, task.cost)
    except (TypeError, ValueError) as error:
        raise type(error)(f"step {step}: {error}") from None
    if set(inputs) != set(task.inputs):
        raise ValueError(
            f"data, made for step {step}: gives {sorted(inputs)}, expected {sorted(task.inputs)}, as before"
        )
    return task._replace(inputs=inputs, target=target, size=len(target))


def fresh(source, generator, step, system, task):
    """The same as `Fresh`; a batch that looks like the first is not checked again in all that depends on names."""
    found = mapping(f"data, made for step {step}", source(generator, step))
    wanted = task.inputs if task.cost is None else task.inputs | {task.cost.readout: task.target}
    alike = len(found) == len(wanted) and all(
        type(value := found.get(name)) is np.ndarray
        and value.dtype == np.float64
        and value.shape == first.shape
        and np.isfinite(value).all()
        for name, first in wanted.items()
    )
    if not alike:
        new = remade(source=lambda *_: found, generator=generator, step=step, system=system, task=task)
        return Fresh(new.inputs, new.target)
    if task.cost is None:
        return Fresh(dict(found), task.target)
    target = found[task.cost.readout]
    if hasattr(task.cost, "check"):
        task.cost.check(target)
    return Fresh({name: found[name] for name in task.inputs}, target)


def _columns(system, name):
    """Number of values that a readout reads."""
    readout = system.readouts[name]
    if readout.rows is not None:
        return readout.rows.shape[0]
    return system.layers[readout.layer].size if readout.index is None else np.size(readout.index)


def check_names(system, trainable, optimizer):
    """Names of the parameters that change.

    Refuses unknown names, empty parameters that were asked for or are the only ones, and starts outside the bounds.
    """
    said = "a list of names in theta"
    names = list(system.theta) if trainable is None else list(sequence("trainable", trainable, of=str, expected=said))
    bounds = getattr(optimizer, "bounds", {})
    for name in [*names, *bounds]:
        if name not in system.theta:
            raise ValueError(f"trainable/bounds: there is no parameter {name!r}, expected one of {list(system.theta)}")
    if empty := [name for name in names if not system.theta[name].size]:
        said = (
            f"trainable: theta[{empty[0]!r}] has no entries, so that none of it can learn; give the system some (an "
            "Assembly whose J is zero: plastic='all'), or name in trainable what else is to learn"
        )
        if trainable is not None or len(empty) == len(names):
            raise ValueError(said)
        warnings.warn(said, RuntimeWarning, stacklevel=4)
    for name, (low, high) in bounds.items():
        value = system.theta[name]
        if np.any((value < low) | (value > high)):
            raise ValueError(
                f"theta[{name!r}]: starts between {value.min():.4g} and {value.max():.4g}, outside the optimiser's "
                f"bounds ({low}, {high}); start inside or widen them"
            )
    return names
