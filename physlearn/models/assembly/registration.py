"""Place of a structure in a lattice of species: every occupied site votes for the places that would explain it.

A structure of M sites at one place has overlap (sites in place)/M; it is the largest over all translations and,
where bonds are isotropic, over the rotations and reflections of the lattice.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import flag, reals, sequence
from physlearn.terms.lattice import STEPS, Lattice

__all__ = ["Registration", "registration"]
# Tables have a row for every species up to the largest.
MOST = 2**24


class Registration(NamedTuple):
    """Best fit of each structure.

    Attributes
    ----------
    overlap : (batch, m) array
        Sites in place over the sites of the structure.
    place : (batch, m, dimensions) array of int
        Lattice site of the corner of the structure's bounding box.
    image : (batch, m) array of int
        Number of the rotation or reflection; 0 is none.
    """

    overlap: np.ndarray
    place: np.ndarray
    image: np.ndarray

    __repr__ = brief


def registration(states, structures, lattice, *, rotations=False):
    """Best fit of each structure: every occupied site votes for the places that would explain it.

    Parameters
    ----------
    states, structures, lattice
        As of `physlearn.models.assembly_order`.
    rotations : bool
        Try the lattice's rotations and reflections too.

    Returns
    -------
    Registration

    Examples
    --------
    >>> import numpy as np
    >>> lattice = Lattice((4, 4))
    >>> state = np.zeros((4, 4), int)
    >>> state[3, 0], state[0, 0] = 1, 3  # a column that passes the edge
    >>> registration(state, [[[1, 2], [3, 4]]], lattice).place.tolist()
    [[[3, 0]]]
    """
    states, cells = check_states(states, structures, lattice)
    shape, periodic = np.array(lattice.shape), np.array(lattice.periodic)
    images = _symmetries(lattice.kind) if flag("rotations", rotations) else [np.eye(len(shape), dtype=np.int64)]
    overlap = np.zeros((len(states), len(cells)))
    place = np.zeros((len(states), len(cells), len(shape)), np.int64)
    image = np.zeros((len(states), len(cells)), np.int64)
    for s, cell in enumerate(cells):
        where = np.argwhere(cell)
        order = np.argsort(cell[tuple(where.T)], kind="stable")
        where, species = where[order], cell[tuple(where.T)][order]
        start, end = (np.searchsorted(species, np.arange(cell.max() + 2), side) for side in ("left", "right"))
        for number, matrix in enumerate(images):
            turned = where @ matrix.T
            turned = turned - turned.min(0)
            room = np.where(periodic, shape, shape + turned.max(0))
            for row, state in enumerate(states):
                sites = np.argwhere((state > 0) & (state <= cell.max()))
                codes = state[tuple(sites.T)]
                many = end[codes] - start[codes]
                first = np.repeat(start[codes] - (np.cumsum(many) - many), many)
                offset = np.repeat(sites, many, 0) - turned[first + np.arange(many.sum())]
                offset = np.where(periodic, offset % shape, offset + turned.max(0))
                if not len(offset):
                    continue
                votes = np.bincount(np.ravel_multi_index(tuple(offset.T), tuple(room)))
                best = votes.argmax()
                if votes[best] / len(where) > overlap[row, s]:
                    at = np.array(np.unravel_index(best, tuple(room)))
                    overlap[row, s] = votes[best] / len(where)
                    place[row, s] = at - np.where(periodic, 0, turned.max(0))
                    image[row, s] = number
    return Registration(overlap, place, image)


def check_lattice(lattice):
    """Refuse anything but a Lattice."""
    if not isinstance(lattice, Lattice):
        raise TypeError(f"lattice: got a {type(lattice).__name__}, expected a Lattice, such as Lattice((8, 8))")
    return lattice


def check_states(states, structures, lattice, name="states"):
    """States as a batch of int64 codes, and structures as arrays of species that fit the lattice."""
    shape = check_lattice(lattice).shape
    states = reals(name, states, finite=False)
    if states.shape == shape:
        states = states[None]
    if states.shape[1:] != shape:
        raise ValueError(f"{name}: shape {states.shape}, expected {shape} or (batch, {', '.join(map(str, shape))})")
    if not len(states):
        raise ValueError(f"{name}: got an empty batch, expected a state at least")
    if not np.all(states == np.floor(states)) or np.any((states < 0) | (states > MOST)):
        raise ValueError(f"{name}: some values are not integer codes, expected 0 for an empty site and species from 1")
    cells = cells_of(structures, len(shape))
    for number, cell in enumerate(cells):
        if np.any(np.array(cell.shape) > shape):
            raise ValueError(f"structures[{number}]: its box {cell.shape} is larger than the lattice {shape}")
    return states.astype(np.int64), cells


def cells_of(structures, axes=None):
    """Structures as arrays of species, 0 where there is none."""
    cells = [cell_of(s, axes, f"structures[{number}]") for number, s in enumerate(sequence("structures", structures))]
    if not cells:
        raise ValueError("structures: got none, expected at least one")
    return cells


def cell_of(structure, axes=None, name="structure"):
    """A structure as an array of species, 0 where there is none."""
    cell = reals(name, getattr(structure, "codes", structure), finite=False)
    wrong = not np.issubdtype(cell.dtype, np.integer) or np.any((cell < 0) | (cell > MOST)) or not cell.any()
    if wrong or not cell.ndim or cell.ndim != (cell.ndim if axes is None else axes):
        raise ValueError(
            f"{name}: {cell.dtype} array of shape {cell.shape}, expected species (integers from 1 to {MOST}, 0 where "
            f"there is none){'' if axes is None else f' on {axes} axes'}"
        )
    return cell


def _symmetries(kind):
    """Integer matrices that map the lattice's steps onto steps, the identity first."""
    steps = np.array(STEPS[kind])
    both = np.concatenate([steps, -steps])
    allowed = {tuple(s) for s in both}
    size = steps.shape[1]
    found = [np.eye(size, dtype=np.int64)]
    for columns in itertools.product(both, repeat=size):
        matrix = np.stack(columns, 1)
        mapped = {tuple(s) for s in both @ matrix.T}
        if mapped == allowed and not np.array_equal(matrix, found[0]):
            found.append(matrix)
    return found
