"""Recognition of concentration patterns: the structure that an uneven soup grows.

A pattern raises the concentrations of the species in one patch of a structure.  Its nucleus then costs less than any
other's (`physlearn.models.patch_barrier`), forms first, and leaves no room: the soup answers with the whole
structure, winner takes all (Zhong, Schwab and Murugan 2017; Evans, O'Brien, Winfree and Murugan 2024).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, instance, integers, number, positive
from physlearn.dynamics.sampling.sample import sample
from physlearn.models.assembly.mixture import Assembly
from physlearn.models.assembly.order import assembly_order
from physlearn.models.assembly.registration import cell_of, cells_of
from physlearn.rng import children

__all__ = ["Recognition", "concentration_pattern", "recognise"]


def concentration_pattern(structure, n_species, *, at, shape, base, boost):
    """Concentrations that point to a patch of a structure.

    Parameters
    ----------
    structure : Structure or array of int
    n_species : int
    at, shape : tuple of int
        Corner and shape of the patch.
    base : float
        Concentration of all other species, monomers per site.
    boost : float
        Factor by which the species of the patch are more frequent; below 1 they are rarer.

    Returns
    -------
    (n_species,) array

    Raises
    ------
    ValueError
        A patch outside the structure, concentrations that sum above one monomer per site.

    Examples
    --------
    >>> concentration_pattern([[1, 2], [3, 4]], 5, at=(0, 0), shape=(1, 2), base=0.01, boost=10)
    array([0.1 , 0.1 , 0.01, 0.01, 0.01])
    """
    cell, n_species = cell_of(structure), count("n_species", n_species, each=8)
    at, shape = (np.atleast_1d(integers(name, value)) for name, value in (("at", at), ("shape", shape)))
    if (
        at.shape != shape.shape
        or len(at) != cell.ndim
        or np.any(at < 0)
        or np.any((shape < 1) | (at + shape > cell.shape))
    ):
        raise ValueError(f"at, shape: a patch {shape} at {at} leaves the structure of shape {cell.shape}")
    if cell.max() > n_species:
        raise ValueError(f"n_species: got {n_species}, but species {cell.max()} is used")
    base, boost = positive("base", base), positive("boost", boost)
    patch = cell[tuple(slice(a, a + s) for a, s in zip(at, shape, strict=True))]
    c = np.full(n_species, float(base))
    c[patch[patch > 0] - 1] *= boost
    if c.sum() > 1.0 + 1e-9:
        raise ValueError(
            f"base, boost: concentrations sum to {c.sum():.6g}, more than one monomer per site; scale down"
        )
    return c


class Recognition(NamedTuple):
    """Answers of soups to patterns.

    Attributes
    ----------
    winner : (patterns, chains) array of int
        The structure that held most of the largest cluster when it had grown; -1 if none grew.
    table : (patterns, m + 1) array of int
        Chains of every pattern by their winner, the last column for none.
    sweeps : (patterns, chains) array
        When the winner had grown; infinite if none.
    """

    winner: np.ndarray
    table: np.ndarray
    sweeps: np.ndarray

    __repr__ = brief


def recognise(
    assembly, structures, concentrations, *, temperature, grown=0.5, sweeps=5000, every=50, chains=4, rng=None
):
    """Structure that each empty soup of given concentrations grows.

    Parameters
    ----------
    assembly : Assembly
        Gives bonds and the lattice; its costs are replaced.
    structures : sequence of Structure
    concentrations : (patterns, n_species) array
        Monomers per site of the reservoir.
    temperature : float
    grown : float
        Share of the smallest structure that a cluster must reach.
    sweeps, every : int
        Longest run and interval between looks, in sweeps of the exact heat bath.
    chains : int
        Runs of each pattern.
    rng : int, Generator or None

    Returns
    -------
    Recognition
        Rows of ``table`` in the order of the patterns: a confusion table if pattern k points to structure k.

    Examples
    --------
    >>> from physlearn.models import Assembly
    >>> from physlearn.models import random_structures, store
    >>> from physlearn.terms import Lattice
    >>> stored = random_structures(2, (5, 5), rng=0)
    >>> soup = Assembly(25, store(stored, 7.0), 9.0, Lattice((9, 9)))
    >>> patterns = [concentration_pattern(s, 25, at=(1, 1), shape=(3, 3), base=5e-5, boost=300) for s in stored]
    >>> recognise(soup, stored, patterns, temperature=1.0, chains=3, rng=0).table
    array([[3, 0, 0],
           [0, 3, 0]])
    """
    instance("assembly", assembly, Assembly, "an Assembly")
    cells = cells_of(structures, len(assembly.lattice.shape))
    c, temperature = array("concentrations", concentrations, finite=False), positive("temperature", temperature)
    c = np.atleast_2d(c)
    if c.ndim != 2 or c.shape[1] != assembly.n_species or not np.all((c > 0) & np.isfinite(c)):
        raise ValueError(
            f"concentrations: shape {c.shape}, expected positive numbers, one for each of {assembly.n_species} species"
        )
    if np.any(c.sum(1) > 1.0 + 1e-9):
        raise ValueError(f"concentrations: they sum to {c.sum(1).max():.6g}, more than one monomer per site")
    count("sweeps", sweeps)
    count("every", every)
    count("chains", chains, each=8 * assembly.lattice.sites)
    if sweeps < every or not 0 < number("grown", grown) <= 1:
        raise ValueError(f"sweeps, every, grown: got {sweeps}, {every}, {grown}; expected sweeps >= every >= 1, 0..1")
    smallest = min(np.count_nonzero(cell) for cell in cells)
    winner = np.full((len(c), chains), -1)
    when = np.full((len(c), chains), np.inf)
    roots = children(rng, len(c))
    for row, (own, child) in enumerate(zip(c, roots, strict=True)):
        energy = assembly.energy.with_theta({"mu": -temperature * np.log(own)})
        x, draw = np.broadcast_to(assembly.empty(), (chains, *assembly.lattice.shape)), np.random.default_rng(child)
        for done in range(every, sweeps + 1, every):
            run = sample(
                energy,
                temperature=temperature,
                n_samples=1,
                thin=every,
                warmup=0,
                chains=chains,
                x0=x,
                observe={},
                rng=draw,
            )
            x = run.final["s"]
            found = assembly_order(x, cells, assembly.lattice, isotropic=assembly.J.ndim == 2)
            new = (winner[row] < 0) & (found.main >= 0) & (found.largest >= grown * smallest)
            winner[row, new], when[row, new] = found.main[new], done
            if np.all(winner[row] >= 0):
                break
    table = np.stack([np.sum(winner == k, 1) for k in (*range(len(cells)), -1)], 1)
    return Recognition(winner, table, when)
