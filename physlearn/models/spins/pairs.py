"""Neighbour pairs of regular lattices, sites numbered in C order of the lattice's shape."""

from __future__ import annotations

import math

import numpy as np

from physlearn.checks import count, seen


def square_pairs(size, *, periodic=True):
    """Nearest neighbours on a square lattice (4 a site).

    Parameters
    ----------
    size : int or (int, int)
        Side, or rows and columns.
    periodic : bool or (bool, bool)
        Whether each direction closes on itself.  Where it closes after two sites, they are joined twice;
        after one, not at all.

    Returns
    -------
    pairs : (m, 2) array of int
        Direction by direction, each in the order of its first site.

    Examples
    --------
    >>> square_pairs(2, periodic=False).tolist()
    [[0, 2], [1, 3], [0, 1], [2, 3]]
    """
    return _pairs(_shape(size, 2), periodic, [(1, 0), (0, 1)])


def cubic_pairs(size, *, periodic=True):
    """Nearest neighbours on a simple cubic lattice (6 a site); see `square_pairs`.

    Examples
    --------
    >>> len(cubic_pairs(4))
    192
    """
    return _pairs(_shape(size, 3), periodic, [(1, 0, 0), (0, 1, 0), (0, 0, 1)])


def triangular_pairs(size, *, periodic=True):
    """Nearest neighbours on a triangular lattice (6 a site): a square one with one diagonal; see `square_pairs`.

    Examples
    --------
    >>> len(triangular_pairs(4))
    48
    """
    return _pairs(_shape(size, 2), periodic, [(1, 0), (0, 1), (1, 1)])


def _shape(size, dimensions):
    several = isinstance(size, list | tuple) or isinstance(size, np.ndarray) and size.ndim > 0
    shape = tuple(size) if several else (size,) * dimensions
    whole = all(isinstance(k, int | np.integer) and not isinstance(k, bool) and k > 0 for k in shape)
    if len(shape) != dimensions or not whole:
        raise ValueError(f"size: got {seen(size)}, expected a positive integer or {dimensions} of them")
    count("size", math.prod(int(k) for k in shape), each=32 * dimensions)  # of the pairs and what makes them
    return tuple(int(k) for k in shape)


def _pairs(shape, periodic, steps):
    flags = [periodic] if isinstance(periodic, bool | np.bool_) else periodic
    listed = isinstance(flags, list | tuple | np.ndarray) and all(isinstance(k, bool | np.bool_) for k in flags)
    if not listed or not (flags is not periodic or len(flags) == len(shape)):
        raise ValueError(f"periodic: got {periodic!r}, expected True or False, or {len(shape)} of them")
    closed = np.broadcast_to(np.asarray(periodic, dtype=bool), (len(shape),))
    sites = np.indices(shape).reshape(len(shape), -1)
    out = []
    for step in steps:
        there = sites + np.array(step)[:, None]
        extents = np.array(shape)[:, None]
        kept = np.all((there < extents) | closed[:, None] & (extents > 1), axis=0)
        ends = np.stack([np.ravel_multi_index(tuple(k), shape) for k in (sites, there % extents)], 1)
        out.append(ends[kept])
    return np.concatenate(out)
