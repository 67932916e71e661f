"""What a `System` is built of, checked when it is built: layers, terms, theta, readouts and what is fixed."""

from __future__ import annotations

import math

import numpy as np

from physlearn.checks import array, count, instance, integers, mapping, sequence, text
from physlearn.readout import Readout


def layers_of(layers):
    """{name: (kind, shape)}, shapes as tuples of int."""
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
        found[name] = kind, shape
    if not found:
        raise ValueError("layers: got none, expected at least one, such as {'s': (Spin(), 10)}")
    return found


def terms_of(terms, layers):
    """A tuple of terms, each acting on layers that exist."""
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
    return found


class Theta(dict):
    """Parameters by name; one that is missing is a ValueError that says who may read it.

    Parameters
    ----------
    values : mapping of str to array
    terms : sequence of terms
        Those that do not say what they read are named in the error.
    """

    def __init__(self, values, terms):
        super().__init__(values)
        self.readers = [type(term).__name__ for term in terms if not names_read(term)]

    def __missing__(self, name):
        who = f"read by {' or '.join(dict.fromkeys(self.readers))}, " if self.readers else ""
        raise ValueError(f"theta: parameter {name!r}, {who}is missing; got {list(self)}")


def theta_of(theta, terms):
    """A `Theta` of copies, with all that the terms say they read."""
    found = {}
    for name, value in mapping("theta", theta, expected="a mapping of names to arrays").items():
        text("theta", name, "names")
        found[name] = np.array(array(f"theta[{name!r}]", value), order="C")
    for term in terms:
        for name in names_read(term):
            if name not in found:
                raise ValueError(
                    f"theta: parameter {name!r}, read by {type(term).__name__}, is missing; got {list(found)}"
                )
    return Theta(found, terms)


def names_read(term):
    """Names in theta that a term says it reads: its ``parameters``, or the one in ``parameter``."""
    names = getattr(term, "parameters", None) or (getattr(term, "parameter", None),)
    return [name for name in names if isinstance(name, str)]


def readouts_of(readouts, layers):
    """{name: Readout}, every layer's own included; ``layers`` maps names to (kind, shape)."""
    given = mapping("readouts", readouts, expected="a mapping of names to Readout")
    found = {name: Readout(name) for name in layers} | dict(given)
    for name, readout in found.items():
        text("readouts", name, "names")
        instance(f"readouts[{name!r}]", readout, Readout, "a Readout")
        if readout.layer not in layers:
            raise ValueError(
                f"readouts[{name!r}]: layer {readout.layer!r} does not exist, expected one of {list(layers)}"
            )
        size = math.prod(layers[readout.layer][1])
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
    return {name: np.array(array(f"fixed[{name!r}]", value, dtype=None)) for name, value in fixed.items()}
