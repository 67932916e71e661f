"""Results as bytes: checked in the worker, in the form in which the store keeps them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from physlearn.files import replace_file
from physlearn.study.plans.identity import text

KINDS = "biufcU"  # booleans, whole numbers, reals, complex numbers, strings
LARGE = 2**20  # bytes; larger arrays get their own file


class Value(NamedTuple):
    """One named result."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes


def encode(found: Any, taken=()) -> list[Value]:
    """The results of a task, as bytes.

    Raises
    ------
    TypeError, ValueError
        Anything but a mapping of names to scalars and arrays of numbers, booleans or strings; names that the dataset
        takes; text that files cannot hold.
    """
    if not isinstance(found, Mapping):
        raise TypeError(f"the task returned a {type(found).__name__}, expected a dict of scalars and arrays")
    out = []
    for name, value in found.items():
        if not isinstance(name, str) or not name:
            raise TypeError(f"result {name!r}: got a {type(name).__name__} as name, expected a string")
        text(name, "result")
        if name in taken:
            raise ValueError(f"result {name!r}: this name is a dimension of the dataset; return it under another")
        if isinstance(value, np.ma.MaskedArray):
            raise TypeError(f"result {name!r}: got a masked array, whose mask would be lost; fill it, with NaN")
        if "/" in name:
            raise ValueError(f"result {name!r}: '/' separates groups in netCDF; return it under another name")
        try:
            array = np.asarray(value)
        except ValueError as error:  # lists of unequal lengths
            raise ValueError(f"result {name!r}: {error}") from error
        if array.dtype.kind not in KINDS or array.dtype.char in "gG":  # long doubles differ from machine to machine
            raise TypeError(
                f"result {name!r}: got a {type(value).__name__} ({array.dtype}), expected a number of at most "
                "64 bits, a boolean, a string, or an array of them"
            )
        if array.dtype.kind == "U":
            text("".join(array.ravel().tolist()), f"result {name!r}")
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        out.append(Value(name, array.dtype.str, array.shape, array.tobytes()))
    return out


def decode(dtype: str, shape, data: bytes) -> np.ndarray:
    """The array again; scalars have shape ()."""
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()


def write_blob(folder: Path, value: Value) -> str:
    """Keep an array as ``blobs/SHA256.npy``: written to another name, synced, renamed; equal arrays share a file."""
    buffer = io.BytesIO()
    np.save(buffer, decode(*value[1:]), allow_pickle=False)
    name = hashlib.sha256(buffer.getbuffer()).hexdigest() + ".npy"
    try:
        read_blob(folder, name)
    except (OSError, ValueError):  # missing, or damaged
        folder.mkdir(exist_ok=True)
        replace_file(folder / name, buffer.getvalue())
    return name


def read_blob(folder: Path, name: str) -> np.ndarray:
    """An array that `write_blob` kept.

    Raises
    ------
    OSError, ValueError
        A file that cannot be read, or has changed since it was written: its name is its digest.
    """
    data = (folder / name).read_bytes()
    if hashlib.sha256(data).hexdigest() + ".npy" != name:
        raise ValueError("its bytes are not those that were written")
    return np.load(io.BytesIO(data), allow_pickle=False)
