"""Arrays in the IDX format, that of MNIST and its relatives, from a user's folder; unpacked or gzipped.

Two bytes of zero, a byte for the type of the numbers, a byte for the number of axes, the length of each axis in four
bytes, and the numbers, the last axis fastest; all of them with the largest byte first (LeCun, Cortes, Burges 1998).
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice
from physlearn.files import path_of

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
# md5 of the unpacked files, in the order of FILES
KNOWN = {
    "MNIST": (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    )
}


class LabelledImages(NamedTuple):
    """Images to learn and to test, (n, height, width) bytes, and their labels, (n,) bytes; ``name`` "" if not known."""

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    name: str

    __repr__ = brief


def read_idx(path):
    """Read one file.

    Parameters
    ----------
    path : path
        Unpacked, or gzipped (known by its first bytes, whatever its name).

    Returns
    -------
    array
        Of the file's type of numbers, in the machine's order of bytes.

    Raises
    ------
    ValueError
        Another format; a file that ends early or goes on.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "labels")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(file)
    array([7, 2, 1], dtype=uint8)
    """
    return _array(path_of("path", path))[0]


def read_images(folder, name=None):
    """Read the four files of a data set from a folder: images and labels, to learn and to test.

    Parameters
    ----------
    folder : path
        With ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte``, each with or without ``.gz``.
    name : str, optional
        "MNIST" refuses files whose contents are not MNIST's, by their md5.

    Returns
    -------
    LabelledImages
        Its ``name`` says which known data set the files are.

    Raises
    ------
    FileNotFoundError
        A file is missing.
    ValueError
        Files of another format, or that do not fit together, or that are not what ``name`` says.
    """
    root = path_of("folder", folder)
    if name is not None:
        choice("name", name, tuple(KNOWN))
    parts, sums = [], []
    for file in FILES:
        found = next((root / (file + end) for end in ("", ".gz") if (root / (file + end)).exists()), None)
        if found is None:
            raise FileNotFoundError(f"folder: {root} has neither {file} nor {file}.gz")
        array, md5 = _array(found)
        if name is not None and md5 != KNOWN[name][len(sums)]:
            raise ValueError(f"folder: {found} is not {name}'s: its md5 is {md5}, expected {KNOWN[name][len(sums)]}")
        if array.dtype != np.uint8 or array.ndim != (3 if "idx3" in file else 1):
            raise ValueError(
                f"folder: {found} holds {array.dtype} of shape {array.shape}, expected bytes, as its name says"
            )
        parts.append(array)
        sums.append(md5)
    images, labels, test_images, test_labels = parts
    for some, what in ((images, labels), (test_images, test_labels)):
        if len(some) != len(what):
            raise ValueError(f"folder: {root} has {len(some)} images and {len(what)} labels, expected as many")
    if images.shape[1:] != test_images.shape[1:]:
        raise ValueError(
            f"folder: {root} has images of {images.shape[1:]} to learn and {test_images.shape[1:]} to test"
        )
    known = next((key for key, value in KNOWN.items() if tuple(sums) == value), "")
    return LabelledImages(images, labels, test_images, test_labels, known)


def _array(path):
    """A file's array, and the md5 of its bytes, unpacked."""
    if not path.is_file():
        raise FileNotFoundError(f"path: there is no file {path}")
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"path: {path} is damaged: {error}") from None
    if len(data) < 4 or data[:2] != b"\x00\x00" or data[2] not in TYPES:
        raise ValueError(
            f"path: {path} begins with {data[:4].hex() or 'nothing'}, expected an IDX file (0000, type, axes)"
        )
    axes, dtype = data[3], np.dtype(TYPES[data[2]])
    start = 4 + 4 * axes
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">u4")) if len(data) >= start else ()
    wanted = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(data) < start or len(data) != wanted:
        raise ValueError(f"path: {path} has {len(data)} bytes, expected {wanted} of an array of shape {shape}")
    array = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("=")), hashlib.md5(data, usedforsecurity=False).hexdigest()
