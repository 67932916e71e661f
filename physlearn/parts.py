"""Parts of a `System`, checked when it is built: layers, terms, theta, readouts, clamps that always hold, states."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, instance, integers, mapping, sequence, text
from physlearn.kinds import is_continuous
from physlearn.readout import Readout, State


class Layer(NamedTuple):
    """A named block of variables of one kind."""

    kind: Any
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of variables."""
        return math.prod(self.shape)

    @property
    def by_level(self) -> bool:
        """Whether the field on a variable is one number a level, on an axis of its own, rather than one number."""
        return not getattr(self.kind, "gap", True)

    @property
    def field_shape(self) -> tuple[int, ...]:
        """Shape of the field on an item."""
        return (*self.shape, len(self.kind.levels)) if self.by_level else self.shape

    def held(self, x):
        """Numbers as states hold them: codes as integers."""
        return x.astype(np.int64) if getattr(self.kind, "coded", False) else x


class Local(NamedTuple):
    """A term's single-variable form: three plain functions that compiled engines call.

    ``prepare(x, theta) -> (cache, ints, floats)`` in NumPy, x one flat state; ``gap(i, x, cache, ints,
    floats, codes, f) -> m`` writes the fields of m exceptional codes (Spin, Binary: m = 1, f[0]; Potts:
    all codes not listed have field 0); ``commit(i, new, x, cache, ints, floats)`` updates the cache
    while x[i] is still old.  Arrays are 1-d and contiguous: ints and codes int64, the others float64;
    codes and f have room for q entries (two for Spin and Binary).  What gap and commit call is @njit.
    Engines raise an `IndexError` where one of them reads or writes outside an array.

    Examples
    --------
    The field J s_(i-1) on every spin of an open chain, without a cache:

    >>> import numpy as np
    >>> def prepare(x, theta):
    ...     return np.zeros(0), np.zeros(0, np.int64), theta["J"]
    >>> def gap(i, x, cache, ints, floats, codes, f):
    ...     f[0] = floats[0] * x[i - 1] if i > 0 else 0.0
    ...     return 1
    >>> def commit(i, new, x, cache, ints, floats):
    ...     pass
    >>> chain = Local(prepare, gap, commit)
    """

    prepare: Callable
    gap: Callable
    commit: Callable

    __repr__ = brief


class Potential(NamedTuple):
    """A term's energy and force of one state, as functions that compiled trajectories call.

    ``prepare(theta) -> (ints, floats)`` in NumPy; ``force(x, ints, floats, f) -> energy`` writes -dE/dx to f and
    returns E.  x and f are the term's layers, each once, concatenated in order of first occurrence; arrays are 1-d and
    contiguous, ints int64, the others float64.  What force calls is @njit.  Engines raise an `IndexError` where it
    reads or writes outside an array.

    Examples
    --------
    Quartic wells, k x^4/4 for every variable:

    >>> def prepare(theta):
    ...     return np.zeros(0, np.int64), theta["k"]
    >>> def force(x, ints, floats, f):
    ...     energy = 0.0
    ...     for i in range(x.size):
    ...         f[i] = -floats[i] * x[i] ** 3
    ...         energy -= f[i] * x[i] / 4
    ...     return energy
    >>> wells = Potential(prepare, force)
    """

    prepare: Callable
    force: Callable

    __repr__ = brief


def parts_of(layers, terms, theta, readouts, fixed):
    """The parts of a `System` by name, checked; theta and fixed are read-only copies."""
    layers = layers_of(layers)
    terms = terms_of(terms, layers)
    readouts = readouts_of(readouts, layers)
    theta, fixed = read_only(theta_of(theta, terms)), read_only(fixed_of(fixed, readouts))
    return {"layers": layers, "terms": terms, "theta": theta, "readouts": readouts, "fixed": fixed}


def layers_of(layers):
    """{name: Layer}, shapes as tuples of int."""
    found = {}
    for name, entry in mapping("layers", layers, expected="a mapping of names to (kind, shape)").items():
        text("layers", name, "names")
        pair = sequence(f"layers[{name!r}]", entry, expected="(kind, shape), such as (Spin(), 10)")
        if len(pair) != 2:
            raise ValueError(f"layers[{name!r}]: got {len(pair)} entries, expected (kind, shape), such as (Spin(), 10)")
        kind, shape = pair
        if isinstance(kind, type) or not callable(getattr(kind, "valid", None)):
            what = f"the class {kind.__name__}" if isinstance(kind, type) else repr(kind)
            raise TypeError(f"layers[{name!r}]: got {what} as its kind, expected an instance such as Spin()")
        shape = integers(f"layers[{name!r}], its shape", shape, ndim=(0, 1), low=0)
        shape = tuple(int(k) for k in np.atleast_1d(shape))
        count(f"layers[{name!r}], its number of variables", math.prod(shape), 0, each=8)
        found[name] = Layer(kind, shape)
    if not found:
        raise ValueError("layers: got none, expected at least one, such as {'s': (Spin(), 10)}")
    return found


def terms_of(terms, layers):
    """A tuple of terms, each acting on layers that exist and told their kinds, if it asks (`on`)."""
    found = sequence("terms", terms, expected="a list of terms")
    for term in found:
        what = type(term).__name__
        if isinstance(term, type):
            raise TypeError(f"terms: got the class {term.__name__}, expected an instance: {term.__name__}(...)")
        if not hasattr(term, "layers"):
            raise TypeError(f"terms: got a {what}, expected a term, which has `layers` and methods such as `field`")
        for name in term.layers:
            if not isinstance(name, str) or name not in layers:
                raise ValueError(f"terms: {what} couples layer {name!r}, expected one of {list(layers)}")
    return tuple(term.on(layers) if hasattr(term, "on") else term for term in found)


class Theta(dict):
    """Parameters by name; reading a missing one is a ValueError that names the terms that may need it.

    Parameters
    ----------
    values : mapping of str to array
    terms : sequence of terms
        The error names those that do not declare what they read.
    """

    def __init__(self, values, terms):
        super().__init__(values)
        self.readers = [type(term).__name__ for term in terms if not names_read(term)]

    def __missing__(self, name):
        who = f"read by {' or '.join(dict.fromkeys(self.readers))}, " if self.readers else ""
        raise ValueError(f"theta: parameter {name!r}, {who}is missing; got {list(self)}")


def theta_of(theta, terms):
    """A `Theta` of copies, with all parameters that the terms declare; float32 stays where every term is ``single``."""
    found = {}
    single = bool(terms) and all(getattr(term, "single", False) for term in terms)
    for name, value in mapping("theta", theta, expected="a mapping of names to arrays").items():
        text("theta", name, "names")
        kept = single and getattr(value, "dtype", None) == np.float32
        found[name] = np.array(array(f"theta[{name!r}]", value), np.float32 if kept else float, order="C")
    for term in terms:
        for name in names_read(term):
            if name not in found:
                raise ValueError(
                    f"theta: parameter {name!r}, read by {type(term).__name__}, is missing; got {list(found)}"
                )
    return Theta(found, terms)


def names_read(term):
    """Names in theta that a term declares: its ``parameters``, or the one in ``parameter``."""
    names = getattr(term, "parameters", None) or (getattr(term, "parameter", None),)
    return [name for name in names if isinstance(name, str)]


def readouts_of(readouts, layers):
    """{name: Readout}, every layer's own included; ``layers`` as {name: Layer}."""
    given = mapping("readouts", readouts, expected="a mapping of names to Readout")
    found = {name: Readout(name) for name in layers} | dict(given)
    for name, readout in found.items():
        text("readouts", name, "names")
        instance(f"readouts[{name!r}]", readout, Readout, "a Readout")
        if readout.layer not in layers:
            raise ValueError(
                f"readouts[{name!r}]: layer {readout.layer!r} does not exist, expected one of {list(layers)}"
            )
        size = layers[readout.layer].size
        index = np.zeros(0) if readout.index is None else readout.index
        if np.any((index < 0) | (index >= size)):
            raise ValueError(
                f"readouts[{name!r}]: index {index.tolist()} leaves 0..{size - 1}, the variables of {readout.layer!r}"
            )
        if readout.rows is not None and readout.rows.shape[1] != size:
            raise ValueError(
                f"readouts[{name!r}]: rows have {readout.rows.shape[1]} columns, expected {size}, "
                f"the variables of {readout.layer!r}"
            )
    return found


def fixed_of(fixed, readouts):
    """{readout: values}, copies."""
    for name in mapping("fixed", fixed, expected="a mapping of readouts' names to values"):
        if name not in readouts:
            raise ValueError(f"fixed: there is no readout {name!r}, expected one of {list(readouts)}")
    return {name: np.array(array(f"fixed[{name!r}]", value)) for name, value in fixed.items()}


def changed_theta(theta, changes, terms):
    """A `Theta` of copies with some parameters replaced by others of the same shapes."""
    for name, value in mapping("theta", changes, expected="a mapping of names to arrays").items():
        if name not in theta:
            raise ValueError(f"theta: there is no parameter {name!r}, expected one of {list(theta)}")
        if np.shape(value) != theta[name].shape:
            raise ValueError(f"theta[{name!r}]: shape {np.shape(value)}, expected {theta[name].shape}")
    return theta_of(dict(theta) | dict(changes), terms)


def read_only(arrays):
    """Mapping of read-only arrays: `System.numbers` would not notice a change of theta in place."""
    for value in arrays.values():
        value.flags.writeable = False
    return MappingProxyType(arrays)


def state_of(layers, x, name):
    """Plain array or mapping ``x``, batched or not, as {layer: (batch, *shape)}; ``layers`` as {name: Layer}."""
    if not isinstance(x, Mapping):
        if len(layers) != 1:
            raise TypeError(f"{name}: got one array, expected a mapping with the layers {list(layers)}")
        x = {next(iter(layers)): x}
    mapping(name, x, layers)
    out = {}
    for layer, (kind, shape) in layers.items():
        if layer not in x:
            raise ValueError(f"{name}: layer {layer!r} is missing; got {list(x)}")
        value = x[layer]
        if type(value) is not np.ndarray or value.dtype.kind not in "biufc":
            value = array(f"{name}[{layer!r}]", value, finite=False, dtype=None)
        if value.shape == shape:
            value = value[None]
        if value.shape[1:] != shape:
            batched = ", ".join(["batch", *map(str, shape)])
            raise ValueError(f"{name}[{layer!r}]: shape {np.shape(x[layer])}, expected {shape} or ({batched})")
        if value.dtype.kind == "c" and not is_continuous(kind):
            raise TypeError(f"{name}[{layer!r}]: got complex values, expected those of the kind {kind}")
        if not kind.valid(value):
            raise ValueError(f"{name}[{layer!r}]: some values are not of the kind {kind}")
        coded = getattr(kind, "coded", False)
        out[layer] = value.astype(np.int64 if coded else np.result_type(value, np.float64))
    if len({len(v) for v in out.values()}) > 1:
        raise ValueError(f"{name}: layers have batches of { {k: len(v) for k, v in out.items()} }, expected one size")
    return out


def batch_size(x: State) -> int:
    """Number of items in a state."""
    return len(next(iter(x.values())))
