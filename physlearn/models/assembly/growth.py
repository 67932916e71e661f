"""Bonds that learn to grow: the right filling of a site, given the neighbours that are already there.

A structure grows at kinks, sites next to z/2 of its molecules.  There any of the 2 D = z bonds of a site may be of
any strength, as long as the sum of the right ones is at least mu and the sum of no wrong ones is: the energies of all
bonds are weights of a classifier whose classes are the species and the empty site,

    P(a | neighbours) = exp(-(mu_a + sum_k J_k[a, s_k])/T) / sum_b exp(-(mu_b + sum_k J_k[b, s_k])/T)

Hebb's rule gives every stored bond the same strength and errs where another species has as many bonds by accident;
learning makes the bonds that mislead weaker, and those that must win stronger.  Wake is a kink with the right
molecule and a single neighbour with none; sleep is the same neighbours and the free mixture.  The contrast of
their bond statistics climbs the mean of ln P(right | neighbours), which is concave: `BoltzmannLearning` with the
neighbours ``given``.
"""

from __future__ import annotations

import itertools

import numpy as np

from physlearn.checks import array, choice, flag, integers, seen, sequence
from physlearn.energy import Energy, Potts, Readout, System
from physlearn.terms.lattice import Lattice, LatticeBonds

__all__ = ["growing_site", "growth_examples"]


def growing_site(assembly):
    """One site of a mixture amid its neighbours, with the mixture's theta.

    Parameters
    ----------
    assembly : Assembly
        Reciprocal.

    Returns
    -------
    Energy
        Site 0 is the one that grows, readout "site"; its neighbours in the 2 D steps are the readout "around".

    Examples
    --------
    >>> from physlearn import SGD, BoltzmannLearning, learn
    >>> from physlearn.models import Assembly
    >>> from physlearn.models import random_structures, store
    >>> stored = random_structures(2, (3, 3), rng=0)
    >>> soup = Assembly(9, store(stored, 3.0), 5.0, Lattice((6, 6)))
    >>> rule = BoltzmannLearning(exact=True, given=("around",))
    >>> trained = learn(growing_site(soup), growth_examples(stored), rule=rule, optimizer=SGD(1.0), epochs=2,
    ...                 batch=None, trainable=["bonds"])
    >>> bool(trained.cost[1] < trained.cost[0]), soup.with_theta(trained.theta).J.shape
    (True, (2, 9, 9))
    """
    if not isinstance(getattr(assembly, "energy", None), System):
        raise TypeError(f"assembly: got {seen(assembly)}, expected an Assembly")
    if not assembly.reciprocal:
        raise TypeError("assembly: its bonds are not reciprocal, so that no energy weighs what a site takes")
    (term,), lattice = assembly.energy.terms, assembly.lattice
    steps = 2 * lattice.directions
    neighbours = np.full((steps + 1, steps), -1)
    neighbours[0] = np.arange(steps) + 1
    neighbours[np.arange(steps) + 1, (np.arange(steps) + lattice.directions) % steps] = 0
    q = assembly.n_species + 1
    readouts = {"site": Readout("s", [0]), "around": Readout("s", np.arange(steps) + 1)}
    bonds = LatticeBonds("s", neighbours, q, term.bonds)
    return Energy({"s": (Potts(q), steps + 1)}, [bonds], assembly.energy.theta, readouts)


def growth_examples(structures, *, kind=None, periodic=False, kinks=None):
    """Right fillings of a growing site: a cell's own molecule at a kink, none next to a single neighbour.

    Parameters
    ----------
    structures : sequence of Structure or arrays of int
    kind : {"square", "triangular", "cubic"}, optional
        Default square, or cubic for three axes.
    periodic : bool
        Whether each structure closes on itself.
    kinks : sequence of sequences of int, optional
        Steps to the neighbours that are there, as `Lattice.steps` numbers them; default one way of every axis, in all
        combinations: growth towards any side.

    Returns
    -------
    dict
        "around" (n, 2 D) and "site" (n, 1) codes, as readouts of `growing_site`.

    Raises
    ------
    ValueError
        Structures that are not species; steps that are not the lattice's; no cell with such neighbours.

    Examples
    --------
    Growth to the east and north of 1; west is step 2, south 3:

    >>> found = growth_examples([[[2, 4], [1, 3]]], kinks=[(2, 3)])
    >>> found["around"][0].tolist(), found["site"][0].tolist()
    ([0, 0, 2, 3], [4])
    """
    around, site = [], []
    flag("periodic", periodic)
    choice("kind", kind, (None, "square", "triangular", "cubic"))
    if kinks is not None:
        kinks = sequence("kinks", kinks, expected="sequences of steps")
        kinks = [tuple(integers("kinks", steps, ndim=1).tolist()) for steps in kinks]
    for number, structure in enumerate(sequence("structures", structures, expected="a list of Structures or arrays")):
        cell = array(f"structures[{number}]", getattr(structure, "codes", structure), dtype=None)
        if not np.issubdtype(cell.dtype, np.integer) or np.any(cell < 0):
            raise ValueError(f"structures[{number}]: expected an array of species from 1, 0 for an empty place")
        lattice = Lattice(cell.shape, kind or ("square" if cell.ndim == 2 else "cubic"), periodic)
        d = lattice.directions
        sets = list(itertools.product(*((k, k + d) for k in range(d)))) if kinks is None else kinks
        if any(not 0 <= k < 2 * d for chosen in sets for k in chosen):
            raise ValueError(f"kinks: got {kinks!r}, expected steps 0 .. {2 * d - 1} of a {lattice.kind} lattice")
        codes = cell.ravel()
        beside = np.where(lattice.neighbours >= 0, codes[lattice.neighbours], 0)
        for chosen in (*sets, *((k,) for k in range(2 * d))):
            there = np.isin(np.arange(2 * d), chosen)
            full = (codes > 0) & np.all((beside > 0) | ~there, 1)
            around.append(np.where(there, beside, 0)[full])
            site.append(np.where(len(chosen) > 1, codes, 0)[full])
    if not any(np.any(codes) for codes in site):
        raise ValueError("structures, kinks: no cell has these neighbours, so there is nothing to learn from")
    return {"around": np.concatenate(around), "site": np.concatenate(site)[:, None]}
