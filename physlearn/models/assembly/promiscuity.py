"""Promiscuity of bonds: partners of every side of every species, and what fits a growing site by accident."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count


@dataclass(frozen=True)
class Promiscuity:
    """Numbers of partners of species.

    Attributes
    ----------
    partners : (2 D, N) array of int
        Species that bond to each species in each step (the D directions, then their opposites); (1, N) for
        isotropic bonds.
    mean, most : float, int
        Over the sides that have a partner; over all.
    histogram : array of int
        Sides with 0, 1, 2, ... partners.
    accidental : float
        Expected number of species that fit a growing site with D = z/2 bonds by accident: N prod_d (p_d / N), with p_d
        the mean number of partners in direction d.  NaN for isotropic bonds whose number of directions is not given.
    """

    partners: np.ndarray
    mean: float
    most: int
    histogram: np.ndarray
    accidental: float

    __repr__ = brief


def promiscuity(J, *, directions=None):
    """Partners of every side of every species.

    Parameters
    ----------
    J : (D, N, N) or (N, N) array
        Bond energies; partners are those with J < 0.
    directions : int, optional
        D of the lattice on which isotropic bonds, (N, N), are used: 2 (square) or 3 (triangular, cubic).

    Returns
    -------
    Promiscuity

    Raises
    ------
    ValueError
        J of another shape; directions other than those that J has.

    Examples
    --------
    >>> from physlearn.models import random_structures, store
    >>> two = store(random_structures(2, (10, 10), rng=0), 4.0)
    >>> found = promiscuity(two)
    >>> found.most, round(found.mean, 1)
    (2, 1.9)
    """
    J = array("J", J)
    if J.ndim not in (2, 3) or J.shape[-1] != J.shape[-2]:
        raise ValueError(f"J: shape {J.shape}, expected (N, N) or (D, N, N)")
    if directions is not None and count("directions", directions) != len(J) and J.ndim == 3:
        raise ValueError(f"directions: got {directions}, but J has {len(J)}; leave it out")
    bonded = J[None] < 0 if J.ndim == 2 else J < 0
    partners = bonded.sum(2) if J.ndim == 2 else np.concatenate([bonded.sum(2), bonded.sum(1)])
    n = J.shape[-1]
    some = partners[partners > 0]
    share = bonded.mean((1, 2))  # p_d / N
    if J.ndim == 2:
        share = np.full(directions or 1, share[0] if directions else np.nan)
    return Promiscuity(
        partners,
        float(some.mean()) if some.size else 0.0,
        int(partners.max(initial=0)),
        np.bincount(partners.ravel()),
        float(n * np.prod(share)),
    )
