"""Capacity of a soup: growth of a patch against the number of structures stored.

A structure grows at kinks, sites that z/2 of its molecules already surround (z = 4 square, 6 cubic).  Of m random
permutations of N species, any of the other structures offers its own partner to each of these molecules, and a wrong
species fits all z/2 by accident

    k = (m - 1)^(z/2) N^(1 - z/2)

times on average.  Retrieval from a seed ends where k is of order 1, so the capacity grows as N^((z - 2)/z): N^(1/2) on
the square, N^(2/3) on the cubic lattice (Murugan, Zeravcic, Brenner and Leibler 2015, eq. 4).  The
energies at which kinks alone grow are in `physlearn.models.assembly.seeds`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, function, integers, number, positive, sequence
from physlearn.dynamics.sampling.sample import sample
from physlearn.models.assembly.mixture import Assembly
from physlearn.models.assembly.structures import Structure, check_structures, random_structures, store
from physlearn.models.curves import OverlapCurve, fall
from physlearn.rng import children
from physlearn.terms.lattice import Lattice

__all__ = [
    "RetrievalCurve",
    "accidental_candidates",
    "capacity_exponent",
    "retrieval_curve",
]


@dataclass(frozen=True, eq=False)
class RetrievalCurve(OverlapCurve):
    """Share of a patch that is filled as its structure says, against the number of structures.

    Attributes
    ----------
    n_species : int
    counts : (k,) array of int
        Structures stored.
    overlaps : (k, trials) array
        Of independent sets of structures.
    """

    n_species: int
    counts: np.ndarray
    overlaps: np.ndarray

    __repr__ = brief

    def __post_init__(self):
        count("n_species", self.n_species)
        counts = integers("counts", self.counts, ndim=1, low=1)
        overlaps = array("overlaps", self.overlaps, shape=(len(counts), "trials"))
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "overlaps", overlaps)

    @property
    def capacity(self):
        """Number of structures at which the mean falls to one half, by interpolation in ln m; NaN if it does not."""
        k = fall(self.mean)
        if k is None or self.mean[0] < 0.5:
            return float("nan")
        share = (self.mean[k] - 0.5) / (self.mean[k] - self.mean[k + 1])
        return float(np.exp((1 - share) * np.log(self.counts[k]) + share * np.log(self.counts[k + 1])))


def accidental_candidates(structures):
    """Wrong species that fit all z/2 neighbours of a kink, averaged over the kinks of all structures.

    Parameters
    ----------
    structures : sequence of Structure
        Of one shape, without holes, each species at most once; closed on themselves.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Structures of several shapes, with empty cells, or with a species at two places.

    Examples
    --------
    (5 - 1)^2/400 are expected:

    >>> 0.03 < accidental_candidates(random_structures(5, (20, 20), rng=0)) < 0.05
    True
    """
    structures = check_structures(structures)
    if len(shapes := {s.shape for s in structures}) != 1:
        raise ValueError(f"structures: got shapes {sorted(shapes)}, expected structures of one shape")
    for k, s in enumerate(structures):
        if len(s.species) != s.codes.size:
            raise ValueError(
                f"structures[{k}]: {len(s.species)} species on {s.codes.size} cells, expected another species on "
                "each cell and no empty one"
            )
    cells = np.stack([s.codes for s in structures])
    axes, n = range(1, cells.ndim), int(cells.max()) + 1
    offered = []  # per axis (m, n): what follows each species in each structure, -1 where it does not occur
    for axis in axes:
        table = np.full((len(cells), n), -1)
        after = np.roll(cells, -1, axis).reshape(len(cells), -1)
        table[np.arange(len(cells))[:, None], cells.reshape(len(cells), -1)] = after
        offered.append(table)
    found = 0
    for cell in cells:
        own, column = cell.ravel(), np.arange(cell.size)
        fits = np.ones((n, cell.size), bool)
        for axis, table in zip(axes, offered, strict=True):
            here = np.zeros((n + 1, cell.size), bool)  # the last row takes the -1
            here[table[:, np.roll(cell, 1, axis - 1).ravel()], column] = True
            fits &= here[:-1]
        fits[own, column] = False
        found += fits.sum()
    return float(found / cells.size)


def retrieval_curve(
    side, counts, *, bond, mu, dimension=2, patch=7, temperature=1.0, sweeps=1000, trials=16, rule=None, rng=None
):
    """Filling of a patch that grows from its edges, against the number of structures stored.

    The patch is a corner of the first structure; its first row and column (planes in three dimensions) are held, and
    all other sites, one after the other kinks, start empty.  It does not grow with the structures, which close on
    themselves, so that the curve measures the chance of an error at a kink, whatever their size.

    Parameters
    ----------
    side : int
        Of the structures, which are permutations of N = side^d species.
    counts : (k,) array of int
        Numbers of structures, rising.
    bond, mu : float
        eps and the cost of every molecule, energy.
    dimension : {2, 3}
        Square or cubic lattice.
    patch : int
        Side of the patch.
    temperature : float
    sweeps : int
    trials : int
        Independent sets of structures, at least 2; the same sets and noise whatever the rule.
    rule : callable, optional
        From structures to J, in place of Hebb's ``store(structures, bond, periodic=True)``.
    rng : int, Generator or None

    Returns
    -------
    RetrievalCurve

    Examples
    --------
    >>> curve = retrieval_curve(10, [2, 30], bond=8.0, mu=15.0, sweeps=300, trials=3, rng=0)
    >>> bool(curve.mean[0] > 0.9 > 0.3 > curve.mean[1])
    True
    """
    counts, side = integers("counts", counts), count("side", side, 2)
    if counts.ndim != 1 or counts.size == 0 or counts[0] < 1 or np.any(np.diff(counts) <= 0):
        raise ValueError(f"counts: got {counts}, expected rising numbers of structures, from 1")
    if isinstance(dimension, float) or dimension not in (2, 3):
        raise ValueError(f"dimension: got {dimension!r}, expected 2 (square lattice) or 3 (cubic)")
    if not 2 <= count("patch", patch, 2) <= side:
        raise ValueError(f"patch: got {patch}, expected 2..{side}, the side of the structures")
    count("trials", trials, 2)
    bond, mu, temperature = positive("bond", bond), number("mu", mu), positive("temperature", temperature)
    count("sweeps", sweeps)
    if rule is not None:
        function("rule", rule, 1, "a function from structures to J")
    cells = count("side", side**dimension, each=8 * dimension * side**dimension)  # of J
    count("counts", int(counts[-1]), each=8 * cells)
    lattice = Lattice((patch,) * dimension, "square" if dimension == 2 else "cubic", periodic=False)
    free = np.all(np.indices(lattice.shape) > 0, 0)
    overlaps = np.empty((len(counts), trials))
    for place, child in zip(np.ndindex(overlaps.shape), children(rng, overlaps.size), strict=True):
        draw = np.random.default_rng(child)
        stored = random_structures(int(counts[place[0]]), (side,) * dimension, rng=draw)
        corner = stored[0].codes[(slice(patch),) * dimension]
        J = store(stored, bond, periodic=True) if rule is None else rule(stored)
        soup = Assembly(side**dimension, J, mu, lattice)
        soup = soup.seed(Structure(np.where(free, 0, corner)), (0,) * dimension)
        last = sample(
            soup,
            temperature=temperature,
            n_samples=1,
            thin=sweeps,
            warmup=0,
            chains=1,
            x0=soup.empty(),
            observe={},
            rng=draw,
        ).final["s"][0]
        overlaps[place] = np.mean(last[free] == corner[free])
    return RetrievalCurve(side**dimension, counts, overlaps)


def capacity_exponent(curves):
    """Slope of ln(capacity - 1) against ln(N) and its standard error, from the scatter about the line.

    One structure is the right one; errors come from the others.

    Parameters
    ----------
    curves : sequence of RetrievalCurve
        Of at least three N.

    Examples
    --------
    >>> fall = np.array([[1.0], [0.0]])
    >>> curves = [RetrievalCurve(n**2, np.array([n // 2, 2 * n]), fall) for n in (10, 20, 30)]
    >>> [round(curve.capacity, 6) for curve in curves]
    [10.0, 20.0, 30.0]
    >>> round(capacity_exponent(curves)[0], 2)
    0.53
    """
    curves = sequence("curves", curves, RetrievalCurve, "RetrievalCurves")
    n, m = np.log([c.n_species for c in curves]), np.log([c.capacity - 1 for c in curves])
    if len(n) < 3 or not np.all(np.isfinite(m)):
        raise ValueError(
            f"curves: capacities {(1 + np.exp(m)).round(2)}, expected three or more that fall through one half"
        )
    (slope, _), covariance = np.polyfit(n, m, 1, cov=True)
    return float(slope), float(np.sqrt(covariance[0, 0]))
