"""Nucleation of structures: the critical nucleus, its barrier, and the structure that an uneven soup starts.

A block of l^d molecules of cost mu, held by bonds of energy -eps between neighbours of a (hyper)cubic lattice, costs

    E(l) = l^d (mu - d eps) + d l^(d-1) eps

which is largest at l* = (d - 1) eps/(d eps - mu), the critical size, with the barrier eps l*^(d-1): for d = 2,
l* = eps/(2 eps - mu) and eps^2/(2 eps - mu).  The block is stable if mu < d eps.  This counts bonds of blocks;
`growth_free_energy` measures the barrier with all shapes, by umbrella sampling: one window for each number n of
molecules in place, neighbouring windows joined by the ratio of their acceptances (Bennett 1976),

    F(n + 1) - F(n) = -T ln(< sum_empty min(1, e^(-dE_in/T)) >_n / < sum_held min(1, e^(-dE_out/T)) >_(n+1))

Where the species of a patch of one structure are more concentrated (mu_i = -T ln c_i is smaller there), its nucleus
costs less and wins: a concentration pattern is recognised (`physlearn.models.assembly.recognition`; Zhong, Schwab and
Murugan 2017; Evans, O'Brien, Winfree and Murugan 2024).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, instance, number, positive, seen
from physlearn.kernels.jit import inlined, kernel
from physlearn.models.assembly.mixture import Assembly
from physlearn.models.assembly.registration import cell_of
from physlearn.rng import seed, streams, uniform
from physlearn.terms.lattice import Lattice

__all__ = [
    "GrowthProfile",
    "block_energy",
    "critical_size",
    "growth_free_energy",
    "nucleation_barrier",
    "patch_barrier",
]

# Of a lattice; more make powers of sizes that no float holds.
MOST_AXES = 100


def block_energy(size, bond, mu, *, dimension=2):
    """Energy of a block of size^d molecules.

    Parameters
    ----------
    size : float or array
        l, molecules along an edge.
    bond, mu : float
        eps and mu, energy.
    dimension : int

    Examples
    --------
    >>> float(block_energy(2, bond=4.0, mu=6.0))  # 4 molecules, 4 bonds
    8.0
    """
    size, bond, mu = array("size", size), number("bond", bond), number("mu", mu)
    count("dimension", dimension, most=MOST_AXES)
    return size**dimension * (mu - dimension * bond) + dimension * size ** (dimension - 1) * bond


def critical_size(bond, mu, *, dimension=2):
    """Edge l* of the block from which growth pays, (d - 1) eps/(d eps - mu).

    Raises
    ------
    ValueError
        Bonds that do not attract; mu >= d eps: no block is stable.

    Examples
    --------
    >>> critical_size(bond=4.0, mu=6.0)
    2.0
    """
    _stable(bond, mu, dimension)
    return (dimension - 1) * bond / (dimension * bond - mu)


def nucleation_barrier(bond, mu, *, dimension=2):
    """Energy of the critical block, eps l*^(d - 1).

    Examples
    --------
    >>> nucleation_barrier(bond=4.0, mu=6.0)
    8.0
    """
    return bond * critical_size(bond, mu, dimension=dimension) ** (dimension - 1)


def patch_barrier(structure, mu, bond):
    """Barrier of a structure whose molecules cost mu_i each: the largest over l of the cheapest l^d block's energy.

    Parameters
    ----------
    structure : Structure or array of int
    mu : (n_species,) array
        Costs, energy.
    bond : float
        eps, energy.

    Returns
    -------
    float

    Notes
    -----
    The block may sit anywhere in the structure, at another place for another l.  With equal mu it is
    `nucleation_barrier` on integer l.

    Examples
    --------
    >>> patch = np.arange(1, 17).reshape(4, 4)
    >>> mu = np.full(16, 6.0)
    >>> mu[:2] = 4.0  # two molecules are frequent
    >>> patch_barrier(patch, np.full(16, 6.0), 4.0), patch_barrier(patch, mu, 4.0)
    (8.0, 4.0)
    """
    cell, mu = cell_of(structure), array("mu", mu, finite=False)
    if mu.ndim != 1 or cell.max() > len(mu):
        raise ValueError(f"mu: got shape {mu.shape}, expected one cost for each species up to {cell.max()}")
    if not isinstance(bond, int | float | np.number) or isinstance(bond, bool):
        raise TypeError(f"bond: got {seen(bond)}, expected a finite energy")
    if not (np.all(np.isfinite(mu)) and np.isfinite(bond)):
        raise ValueError(f"mu, bond: got {mu} and {bond!r}, expected finite energies")
    cost = np.where(cell > 0, np.concatenate([[0.0], mu])[cell], np.inf)
    d, worst = cell.ndim, -np.inf
    for size in range(1, min(cell.shape) + 1):
        windows = np.lib.stride_tricks.sliding_window_view(cost, (size,) * d)
        cheapest = windows.sum(tuple(range(d, 2 * d))).min()
        if not np.isfinite(cheapest):
            break
        worst = max(worst, cheapest - bond * d * size ** (d - 1) * (size - 1))
    return float(worst)


class GrowthProfile(NamedTuple):
    """Free energy of a growing structure.

    Attributes
    ----------
    size : (k,) array of int
        Molecules in place, from 0.
    free_energy, error : (k,) array
        F(n) - F(0) and its standard error over chains.
    critical : int
        The n of largest F.
    barrier : float
        Its F.
    """

    size: np.ndarray
    free_energy: np.ndarray
    error: np.ndarray
    critical: int
    barrier: float

    __repr__ = brief


def growth_free_energy(assembly, structure, *, temperature, largest=None, sweeps=1000, chains=4, rng=None):
    """Free energy against the number of molecules in place, by umbrella sampling.

    Every place of one copy of the structure is empty or holds its own molecule; mistakes and other copies are left out.

    Parameters
    ----------
    assembly : Assembly
        Gives bonds and costs.
    structure : Structure or array of int
    temperature : float
        In the energy's units.
    largest : int, optional
        Last n; default the whole structure.
    sweeps : int
        Of every window, after a tenth as many that do not count.
    chains : int
        Independent chains, at least 2, each from another place.  Where T is far below eps / 10 shapes hardly change
        within a window, and only many chains average over them.
    rng : int, Generator or None

    Returns
    -------
    GrowthProfile

    Raises
    ------
    TypeError
        Bonds that are not reciprocal: there is no free energy.
    ValueError
        A structure of other species or another number of axes, or larger than the lattice; T <= 0; empty sites that
        bond.

    Examples
    --------
    One molecule of cost 3 at one place: F(1) - F(0) = 3 at any temperature.

    >>> from physlearn.models import Assembly
    >>> from physlearn.terms import Lattice
    >>> monomer = Assembly(1, np.zeros((1, 1)), 3.0, Lattice((1, 2), periodic=False))
    >>> growth_free_energy(monomer, [[1]], temperature=2.0, sweeps=10, rng=0).free_energy
    array([0., 3.])
    """
    temperature = positive("temperature", temperature)
    count("sweeps", sweeps)
    count("chains", chains, 2)
    instance("assembly", assembly, Assembly, "an Assembly")
    seed(rng)
    if not assembly.reciprocal:
        raise TypeError("assembly: its bonds are not reciprocal, so that there is no free energy; use kinetics")
    felt = assembly.energy.terms[0].felt(assembly.energy.theta)
    if np.any(felt.codes == 0):
        raise ValueError("assembly: empty sites bond too; pass one whose J is of its species only")
    cell = cell_of(structure, len(assembly.lattice.shape))
    if cell.max() > assembly.n_species:
        raise ValueError(f"structure: it has species {cell.max()}, the assembly has {assembly.n_species}")
    if np.any(np.array(cell.shape) > assembly.lattice.shape):
        raise ValueError(f"structure: its box {cell.shape} is larger than the lattice {assembly.lattice.shape}")
    places = np.flatnonzero(cell)
    largest = len(places) if largest is None else count("largest", largest)
    if largest > len(places):
        raise ValueError(f"largest: got {largest}, expected 1..{len(places)}, the molecules of the structure")
    own = cell.ravel()[places]
    number = np.full(cell.size + 1, -1)
    number[places] = np.arange(len(places))
    near = number[Lattice(cell.shape, assembly.lattice.kind, periodic=False).neighbours[places]]
    bonds = np.zeros(near.shape)
    for step in range(near.shape[1]):
        row = step * (assembly.n_species + 1) + np.where(near[:, step] >= 0, own[near[:, step]], 0)
        for k in np.flatnonzero(near[:, step] >= 0):
            entry = slice(felt.indptr[row[k]], felt.indptr[row[k] + 1])
            bonds[k, step] = felt.values[entry][felt.codes[entry] == own[k]].sum()
    profile = np.zeros((chains, largest + 1))
    for chain, stream in enumerate(streams(rng, chains)):
        _umbrella(stream, near, bonds, felt.mu[own], float(temperature), max(1, sweeps // 10), sweeps, profile[chain])
    mean, error = profile.mean(0), profile.std(0, ddof=1) / np.sqrt(chains)
    top = int(mean.argmax())
    return GrowthProfile(np.arange(largest + 1), mean, error, top, float(mean[top]))


def _stable(bond, mu, dimension):
    positive("bond", bond)
    count("dimension", dimension, most=MOST_AXES)
    if not number("mu", mu) < dimension * bond:
        raise ValueError(f"mu: got {mu}, expected less than {dimension} bonds of {bond}: no block is stable")


@kernel
def _umbrella(s, near, bonds, mu, temperature, warm, sweeps, profile):
    """Fill profile (largest + 1,): F(n) - F(0) from canonical chains at every n."""
    m, largest = len(mu), len(profile) - 1
    held = np.zeros(m, np.bool_)
    order = np.arange(m)  # the first n are held
    for k in range(m - 1, 0, -1):
        other = np.int64(uniform(s) * (k + 1))
        order[k], order[other] = order[other], order[k]
    into_before = -np.inf
    for n in range(largest + 1):
        if n > 0:  # the cheapest of the empty places: a start near the typical states
            best = n - 1
            for k in range(n, m):
                if _cost(order[k], held, near, bonds, mu) < _cost(order[best], held, near, bonds, mu):
                    best = k
            order[n - 1], order[best] = order[best], order[n - 1]
            held[order[n - 1]] = True
        into, into_top, out, out_top = 0.0, -np.inf, 0.0, -np.inf
        for sweep in range(warm + sweeps):
            for _ in range(n if n < m else 0):
                a, b = np.int64(uniform(s) * n), n + np.int64(uniform(s) * (m - n))
                i, j = order[a], order[b]
                held[i] = False
                change = _cost(j, held, near, bonds, mu) - _cost(i, held, near, bonds, mu)
                if change <= 0 or uniform(s) < np.exp(-change / temperature):
                    held[j] = True
                    order[a], order[b] = j, i
                else:
                    held[i] = True
            if sweep >= warm:
                for i in range(m):
                    cost = _cost(i, held, near, bonds, mu)
                    if held[i]:
                        out, out_top = _add(min(0.0, cost) / temperature, out, out_top)
                    else:
                        into, into_top = _add(min(0.0, -cost) / temperature, into, into_top)
        if n > 0:
            profile[n] = profile[n - 1] - temperature * (into_before - np.log(out) - out_top)
        into_before = np.log(into) + into_top


@inlined
def _add(exponent, total, top):
    """A sum of exponentials, total exp(top), with one more of them: none that counts underflows."""
    if exponent > top:
        return total * np.exp(top - exponent) + 1.0, exponent
    return total + np.exp(exponent - top), top


@kernel
def _cost(i, held, near, bonds, mu):
    """Energy of the molecule at place i next to those that are held."""
    cost = mu[i]
    for step in range(near.shape[1]):
        if near[i, step] >= 0 and held[near[i, step]]:
            cost += bonds[i, step]
    return cost
