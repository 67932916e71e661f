"""Growth from seeds, parts of a structure, and the phases that they end in.

Growth at kinks and nowhere else needs mu/2 < eps (on the cubic lattice mu/3 < eps < mu/2) and, so that one bond with
any of m partners does not hold, eps < mu - T ln m.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, number, positive, text
from physlearn.dynamics.sampling.sample import sample
from physlearn.models.assembly.mixture import Assembly
from physlearn.models.assembly.order import assembly_order
from physlearn.models.assembly.registration import check_lattice
from physlearn.models.assembly.structures import check_structures, store
from physlearn.rng import children

__all__ = ["grow_seeds", "phase_map"]

NAMES = ("retrieved", "chimera", "liquid", "dispersed")


def grow_seeds(
    structures, lattice, *, bond, mu, temperature=1.0, seed=0.5, sweeps=1000, chains=4, method="auto", rng=None
):
    """Order of the states that seeds grow into.

    Parameters
    ----------
    structures : sequence of Structure
    lattice : Lattice
    bond, mu, temperature : float
    seed : float
        Side of the seed, a block amid the structure, over the structure's.
    sweeps : int
    chains : int
        Chain k starts from a seed of structure k mod m in the middle of the lattice; the seed may melt.
    method : str
        Engine, as of `sample`.
    rng : int, Generator or None

    Returns
    -------
    AssemblyOrder
        Of the final states.

    Examples
    --------
    >>> from physlearn.models import random_structures
    >>> from physlearn.terms import Lattice
    >>> found = grow_seeds(random_structures(2, (8, 8), rng=0), Lattice((12, 12)), bond=7.5, mu=12.5, rng=0)
    >>> found.name.tolist()
    ['retrieved', 'retrieved', 'retrieved', 'retrieved']
    """
    structures, lattice = check_structures(structures), check_lattice(lattice)
    bond, mu, temperature = positive("bond", bond), number("mu", mu), positive("temperature", temperature)
    text("method", method, "the name of an engine")
    if not 0 < number("seed", seed) <= 1:
        raise ValueError(f"seed: got {seed!r}, expected a share of the structure's side in (0, 1]")
    if other := [s.shape for s in structures if len(s.shape) != len(lattice.shape)]:
        raise ValueError(f"structures: one has shape {other[0]}, expected {len(lattice.shape)} axes as the lattice has")
    count("chains", chains, each=8 * lattice.sites)
    count("sweeps", sweeps)
    large = [s.shape for s in structures if np.any(np.array(s.shape) > lattice.shape)]
    if large:
        raise ValueError(f"lattice: {lattice.shape} is smaller than a structure of {large[0]}; take a larger one")
    n_species = max(int(s.codes.max()) for s in structures)
    soup = Assembly(n_species, store(structures, bond, kind=lattice.kind, n_species=n_species), mu, lattice)
    start = []
    for k in range(chains):
        codes = structures[k % len(structures)].codes
        size = [max(1, round(seed * n)) for n in codes.shape]
        low = [(n - s) // 2 for n, s in zip(codes.shape, size, strict=True)]
        part = codes[tuple(slice(a, a + s) for a, s in zip(low, size, strict=True))]
        start.append(soup.place(part, [(n - s) // 2 for n, s in zip(lattice.shape, size, strict=True)]))
    run = sample(
        soup,
        temperature=temperature,
        n_samples=1,
        thin=sweeps,
        warmup=0,
        chains=chains,
        x0=np.stack(start),
        method=method,
        observe={},
        rng=rng,
    )
    return assembly_order(run.final["s"], structures, lattice)


def phase_map(structures, lattice, bonds, mus, *, rng=None, **settings):
    """Shares of the states that seeds grow into, over bond energy and chemical potential.

    Parameters
    ----------
    structures, lattice
        As of `grow_seeds`, which also takes ``settings``.
    bonds : (k,) array
    mus : (l,) array
    rng : int, Generator or None

    Returns
    -------
    (l, k, 4) array
        Shares of chains that end "retrieved" (as the structure of their seed), "chimera", "liquid", "dispersed".

    Examples
    --------
    >>> from physlearn.models import random_structures
    >>> from physlearn.terms import Lattice
    >>> stored = random_structures(2, (8, 8), rng=0)
    >>> phase_map(stored, Lattice((12, 12)), [2.0, 7.5], [12.5], sweeps=300, rng=0)[0].tolist()
    [[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]
    """
    structures = check_structures(structures)
    bonds, mus = array("bonds", bonds, ndim=1).tolist(), array("mus", mus, ndim=1).tolist()
    shares = np.zeros((len(mus), len(bonds), len(NAMES)))
    roots = iter(children(rng, len(mus) * len(bonds)))
    for row, mu in enumerate(mus):
        for column, bond in enumerate(bonds):
            found = grow_seeds(structures, lattice, bond=bond, mu=mu, rng=next(roots), **settings)
            wanted = np.arange(len(found.name)) % len(structures)
            names = np.where((found.name == "retrieved") & (found.main != wanted), "chimera", found.name)
            shares[row, column] = [np.mean(names == name) for name in NAMES]
    return shares
