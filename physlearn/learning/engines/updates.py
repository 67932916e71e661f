"""An optimiser's own compiled step between the steps of a compiled epoch: no Python is called.

Between the kernel of an epoch, which calls C functions ``(epoch, table) -> status``, and the user's function stands
`act`: it finds arrays, rates and the random generator by the addresses in a table.  NumPy's generator is drawn from
where it is, so that the training keeps its state, and a step of compiled code takes the draws of the same step in
Python.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from copy import deepcopy
from inspect import signature
from typing import Any

import numpy as np
from numba import carray

from physlearn.kernels.cfuncs import ACTION, STEP, address_of, call_step, compiled, generator_at, pointer
from physlearn.kernels.checked import failure
from physlearn.learning.engines.called import FUNCTION
from physlearn.learning.optimizers import rate, stepped

HEAD, ROW = 10, 6  # a table: number of parameters, function, numbers, rates, counter and generator; each parameter's
SAME = 1e-9  # relative difference of a step in Python from the compiled one that is rounding
REMEDY = "or leave `compiled` out: `step` is then called"


def act(epoch, at):
    """Step every parameter; table: see `Update`."""
    head = carray(at, HEAD)
    table, counter = carray(at, HEAD + ROW * head[0]), carray(pointer(head[5]), 1, np.int64)
    numbers, rates = carray(pointer(head[2]), head[3], np.float64), carray(pointer(head[4]), epoch + 1, np.float64)
    rng = generator_at(head[6], head[7], head[8], head[9])
    counter[0] += 1
    for k in range(head[0]):
        row = HEAD + ROW * k
        n = table[row]
        theta, new = carray(pointer(table[row + 1]), n, np.float64), carray(pointer(table[row + 3]), n, np.float64)
        gradient = carray(pointer(table[row + 2]), n, np.float64)
        kept = carray(pointer(table[row + 4]), (table[row + 5], n), np.float64)
        for i in range(n):
            new[i] = theta[i]
        if call_step(head[1], new, gradient, kept, numbers, rates[epoch], counter[0], rng) != 0:
            return 1
    return 0


class Update:
    """Steps of an optimiser by its `compiled` form, for kernels that call C functions.

    Parameters
    ----------
    optimizer : Optimizer
    memory : dict
        The training's; `ended` brings it up to date.
    rates : sequence of float
        Learning rate of every epoch.
    theta, gradient, new : mapping of str to (n,) arrays
        Where the kernel keeps each trained parameter and its gradient, and looks for the new one.
    """

    def __init__(self, optimizer, memory, rates, theta, gradient, new):
        function, numbers = _form(optimizer)
        self.memory, self.function, self.names = memory, function, _kept_of(optimizer, theta)
        self.rates, self.counter = np.array(rates, float), np.array([memory["steps"]], np.int64)
        self.numbers, self.parts = numbers, (theta, gradient, new)
        self.rng = _generator(optimizer, memory)
        self.kept = {
            name: np.array([np.ravel(memory[key][name]) for key in self.names], float).reshape(-1, value.size)
            for name, value in theta.items()
        }
        bits = self.rng.bit_generator.ctypes
        calls = (bits.next_uint64, bits.next_uint32, bits.next_double)
        step = address_of(compiled(function, STEP, "optimizer, its compiled form", REMEDY))
        head = [len(theta), step, self.numbers.ctypes.data, self.numbers.size]
        head += [self.rates.ctypes.data, self.counter.ctypes.data, bits.state.value]
        head += [ctypes.cast(call, ctypes.c_void_p).value for call in calls]
        rows = [
            [value.size, *(part[name].ctypes.data for part in self.parts), self.kept[name].ctypes.data, len(self.names)]
            for name, value in theta.items()
        ]
        self.rows = np.array([*head, *(entry for row in rows for entry in row)], np.int64)
        self.address: Any = compiled(act, ACTION).address
        self.table = self.rows.ctypes.data

    def ended(self, stopped):
        """Write back what the steps kept; raise what has ``stopped`` the kernel."""
        if stopped:
            raise self._error()
        for name, kept in self.kept.items():
            for key, value in zip(self.names, kept, strict=True):
                self.memory[key][name] = value.reshape(np.shape(self.memory[key][name])).copy()
        self.memory["steps"] = int(self.counter[0])

    def _error(self):
        """What a step has raised, found again in plain Python."""
        theta, gradient, _ = self.parts
        given = [
            (theta[name], gradient[name], self.kept[name], self.numbers, self.rates[0], self.counter[0], self.rng)
            for name in theta
        ]
        return failure("optimizer", {"compiled": self.function}, {"compiled": given}) or ValueError(
            "optimizer: its compiled form failed, and does not fail in plain Python on the numbers of a step"
        )


def has_form(optimizer):
    """Whether an optimiser brings a compiled form of its step."""
    return hasattr(optimizer, "compiled")


def check_form(optimizer, theta):
    """Refuse a compiled form that does another step than ``step``: two of each are compared.

    Parameters
    ----------
    optimizer : Optimizer
    theta : mapping of str to array
        The trained parameters, where they start.
    """
    lr = rate(optimizer, 0)
    plain = {"steps": 0} | optimizer.start(theta, **_more(optimizer))
    flat = deepcopy(plain)
    before = {name: value.ravel().copy() for name, value in theta.items()}
    gradient = {name: np.cos(np.arange(value.size) ** 2) for name, value in theta.items()}
    new = {name: value.copy() for name, value in before.items()}
    update, known = Update(optimizer, flat, [lr], before, gradient, new), dict(theta)
    fresh = deepcopy(update.rng.bit_generator.state)
    for _ in range(2):
        shaped = {name: g.reshape(theta[name].shape) for name, g in gradient.items()}
        known |= stepped(optimizer, known, {name: g.copy() for name, g in shaped.items()}, plain, lr)
        update.ended(FUNCTION(update.address)(0, update.table) != 0)
        for name, value in new.items():
            before[name][:] = value
    if "rng" not in _more(optimizer) and update.rng.bit_generator.state != fresh:
        raise ValueError(
            "optimizer: its compiled form draws from rng, and its memory keeps none; give `start` a parameter rng and "
            "keep it as memory['rng']"
        )
    for key, value in plain.items():
        if isinstance(value, np.random.Generator):
            same = value.bit_generator.state == flat[key].bit_generator.state
        elif isinstance(value, Mapping):
            same = all(_close(entry, flat[key][name]) for name, entry in value.items())
        else:
            same = np.array_equal(value, flat[key])
        if not same:
            raise ValueError(
                f"optimizer: after the same steps `step` and `compiled` leave different memory[{key!r}]; compiled "
                "forms change arrays like theta, and draw from memory['rng'] what `step` draws"
            )
    for name, value in known.items():
        if not _close(value, before[name].reshape(value.shape)):
            off = float(np.max(np.abs(value - before[name].reshape(value.shape))))
            raise ValueError(
                f"optimizer: `step` and `compiled` move theta[{name!r}] differently, by up to {off:.3g} after two "
                "steps; make them agree, or leave `compiled` out"
            )


def _close(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(
        a, b, rtol=0, atol=SAME * float(np.max(np.abs(a), initial=0.0)), equal_nan=True
    )


def _form(optimizer):
    """The compiled form: a function and its numbers, (m,) float64."""
    found = optimizer.compiled()
    if not (isinstance(found, tuple) and len(found) == 2 and callable(found[0])):
        raise TypeError(f"optimizer: its `compiled` gave {found!r}, expected (function, numbers)")
    try:
        numbers = np.array(found[1], float).reshape(-1)
    except (TypeError, ValueError):
        raise TypeError(f"optimizer: the numbers of its `compiled` are {found[1]!r}, expected floats") from None
    return found[0], numbers


def _more(optimizer):
    """What `start` is given besides theta."""
    return {"rng": np.random.default_rng(0)} if "rng" in signature(optimizer.start).parameters else {}


def _generator(optimizer, memory):
    """The generator that the optimiser keeps; one that nothing depends on where it keeps none."""
    more = _more(optimizer)
    kept = memory.get("rng") if more else np.random.default_rng(0)
    if not isinstance(kept, np.random.Generator):
        raise ValueError(
            "optimizer: its compiled form draws from memory['rng']; have `start` keep its rng under that name"
        )
    return kept


def _kept_of(optimizer, theta):
    """Names of the dictionaries of arrays, one for each parameter and shaped like it, that an optimiser keeps."""
    found = {
        key: value for key, value in optimizer.start(theta, **_more(optimizer)).items() if isinstance(value, Mapping)
    }
    for key, value in found.items():
        for name, like in theta.items():
            if name not in value or np.size(value[name]) != like.size or np.asarray(value[name]).dtype != float:
                raise ValueError(
                    f"optimizer: it keeps memory[{key!r}] for {list(value)}; its compiled form takes arrays of floats "
                    f"like theta, of every parameter that is trained; {name!r} has none"
                )
    return list(found)
