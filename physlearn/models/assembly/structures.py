"""Structures that a mixture remembers, and the bonds that store them.

A structure places species 1..N on lattice cells (0: no particle), each at most as often as its composition allows.
It needs the bonds between its neighbours.  The Hebbian rule stores several in one set of energies,

    J_d[i, j] = -strength * min(number of structures with j beside i in direction d, saturation)

(Murugan, Zeravcic, Brenner, Leibler 2015): shared bonds are no stronger than others (saturation 1), or add up
(saturation infinite).  Random permutations of the same N species on the same M = N cells are the limit of place
cells; a growing site with z/2 bonds then has m^(z/2) N^(1 - z/2) accidental candidates among m structures, which
bounds their number by N^((z - 2)/z).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, choice, count, flag, integers, number, reals, seen, sequence
from physlearn.rng import generator
from physlearn.terms.lattice import STEPS, Lattice


@dataclass(frozen=True, eq=False)
class Structure:
    """Species on lattice cells.

    Parameters
    ----------
    codes : array of int
        (rows, columns) or (planes, rows, columns); 0 where there is no particle, else the species 1..N.
    composition : int
        Most particles of one species.
    name : str

    Raises
    ------
    ValueError
        No particle, negative codes, another number of axes, a species used more often than its composition.

    Examples
    --------
    >>> Structure([[1, 2], [3, 4]]).bonds().tolist()  # (direction, species, the species there)
    [[0, 1, 2], [0, 3, 4], [1, 3, 1], [1, 4, 2]]
    """

    codes: np.ndarray
    composition: int = 1
    name: str = ""

    __repr__ = brief

    def __post_init__(self):
        codes = reals("codes", self.codes, finite=False)
        if codes.ndim not in (2, 3) or not np.issubdtype(codes.dtype, np.integer) or np.any(codes < 0):
            raise ValueError(
                f"codes: got {codes.dtype} of shape {codes.shape}, expected species 1, 2, .. (0: no particle) on "
                "(rows, columns) or (planes, rows, columns)"
            )
        if not np.any(codes):
            raise ValueError("codes: there is no particle in it, expected at least one species 1, 2, ..")
        count("composition", self.composition)
        if not isinstance(self.name, str):
            raise TypeError(f"name: got {seen(self.name)}, expected a str")
        species, often = np.unique(codes[codes > 0], return_counts=True)
        if often.max() > self.composition:
            raise ValueError(
                f"codes: species {species[often.argmax()]} is used {often.max()} times, its composition allows "
                f"{self.composition}; raise composition, or use other species"
            )
        codes = np.array(codes, dtype=np.int64)
        codes.flags.writeable = False
        object.__setattr__(self, "codes", codes)

    @property
    def size(self):
        """Number of particles."""
        return int(np.count_nonzero(self.codes))

    @property
    def shape(self):
        """Of the box around it."""
        return self.codes.shape

    @property
    def species(self):
        """The species it is made of, sorted."""
        return np.unique(self.codes[self.codes > 0])

    def bonds(self, kind=None, periodic=False):
        """Its pairs of neighbours, (k, 3): direction, species, and the species there.

        Parameters
        ----------
        kind : {"square", "triangular", "cubic"}, optional
            Default square, or cubic for three axes.
        periodic : bool
            Whether it closes on itself: a structure that fills a periodic lattice.
        """
        lattice = Lattice(
            self.shape, kind if kind is not None else ("square" if self.codes.ndim == 2 else "cubic"), periodic
        )
        flat, out = self.codes.ravel(), []
        for d in range(lattice.directions):
            there = lattice.neighbours[:, d]
            here = np.flatnonzero((there >= 0) & (flat > 0) & (flat[there] > 0))
            out.append(np.stack([np.full(len(here), d), flat[here], flat[there[here]]], 1))
        return np.concatenate(out)

    def patch(self, *cells):
        """A part of it, as a seed: slices or index ranges of the codes' axes.

        Examples
        --------
        >>> Structure([[1, 2], [3, 4]]).patch(slice(1), slice(2)).codes.tolist()
        [[1, 2]]
        """
        return Structure(self.codes[cells], self.composition, self.name)

    @classmethod
    def from_picture(cls, picture, n_species, *, rng=None, name=""):
        """A picture's bright or true cells, each of another species drawn at random from 1..n_species.

        Parameters
        ----------
        picture : array
            Bool, or numbers of which those above half of the largest are cells; or lines of text, blank or "." for
            no particle.
        n_species : int
        rng : int, Generator or None

        Examples
        --------
        >>> Structure.from_picture(["##", "#."], 9, rng=0).size
        3
        """
        lines = isinstance(picture, list | tuple) and len(picture) > 0 and all(isinstance(row, str) for row in picture)
        if lines:
            width = max(len(line) for line in picture)
            cells = np.array([[c not in " ." for c in line.ljust(width)] for line in picture])
        else:
            cells = reals("picture", picture, ndim=(2, 3))
            if cells.dtype != bool:
                cells = cells > cells.max(initial=0) / 2
        size, n_species = int(np.count_nonzero(cells)), count("n_species", n_species, each=8)
        if size > n_species:
            raise ValueError(f"picture: {size} cells, but only {n_species} species; raise n_species, or crop it")
        codes = np.zeros(cells.shape, np.int64)
        codes[cells] = generator(rng).permutation(n_species)[:size] + 1
        return cls(codes, name=name)


def check_structures(structures) -> list:
    """Structures, at least one and nothing else, as a list."""
    structures = list(sequence("structures", structures, expected="a sequence of Structure"))
    if not structures:
        raise ValueError("structures: got none, expected at least one")
    if odd := [s for s in structures if not isinstance(s, Structure)]:
        raise TypeError(f"structures: got a {type(odd[0]).__name__}, expected Structures; wrap it, Structure(codes)")
    return structures


def random_structures(n, shape, n_species=None, *, rng=None):
    """Structures of one shape, each filled by species in a random order.

    Parameters
    ----------
    n : int
        How many.
    shape : tuple of int
        Of each; all cells are filled.
    n_species : int, optional
        N; default the number of cells M, so that all are permutations of the same species (M = N).
    rng : int, Generator or None

    Returns
    -------
    list of Structure

    Examples
    --------
    >>> [sorted(s.codes.ravel().tolist()) for s in random_structures(2, (2, 2), rng=0)]
    [[1, 2, 3, 4], [1, 2, 3, 4]]
    """
    shape = tuple(integers("shape", shape, ndim=1, low=1).tolist())
    cells = count("shape", math.prod(shape), each=8)
    n = count("n", n, least=0, each=8 * cells)
    n_species = cells if n_species is None else count("n_species", n_species, each=8)
    if cells > n_species:
        raise ValueError(f"shape: {cells} cells, but only {n_species} species; each cell takes another one")
    rng = generator(rng)
    drawn = [rng.permutation(n_species)[:cells].reshape(shape) + 1 for _ in range(n)]
    return [Structure(codes, name=str(k)) for k, codes in enumerate(drawn)]


def store(structures, strength=1.0, *, n_species=None, kind=None, directional=True, saturation=1.0, periodic=False):
    """Bond energies that hold every structure together (Hebb's rule).

    Parameters
    ----------
    structures : sequence of Structure
    strength : float or one for each structure
        eps > 0, energy: a bond has J = -eps.
    n_species : int, optional
        N; default the largest species used.
    kind : {"square", "triangular", "cubic"}, optional
        Of the lattice; default square, or cubic for three axes.
    directional : bool
        Whether a species' sides differ; if not, two species bond in every direction.
    saturation : float
        A bond's largest energy in units of the largest strength: 1 (a bond that several structures need is no
        stronger), infinite (they add up), or between.
    periodic : bool
        Whether each structure closes on itself.

    Returns
    -------
    J : (D, N, N) array, or (N, N) and symmetric if not directional
        J[d, i, j] is the energy of species i + 1 with species j + 1 in direction d of it.

    Examples
    --------
    >>> J = store([Structure([[1, 2]]), Structure([[2, 1]])], 4.0)
    >>> J.shape, J[0].tolist()
    ((2, 2, 2), [[0.0, -4.0], [-4.0, 0.0]])
    """
    structures, strengths = check_structures(structures), array("strength", strength, finite=False)
    directional, periodic = flag("directional", directional), flag("periodic", periodic)
    if not (isinstance(saturation, float) and saturation == np.inf):
        saturation = number("saturation", saturation)
    if strengths.shape not in ((), (len(structures),)):
        raise ValueError(f"strength: shape {strengths.shape}, expected one or {len(structures)}, as many as structures")
    strengths = np.broadcast_to(strengths, len(structures))
    if not np.all(np.isfinite(strengths) & (strengths > 0)) or not saturation > 0:
        raise ValueError(f"strength, saturation: got {strength!r} and {saturation!r}, expected positive numbers")
    used = max(int(s.codes.max()) for s in structures)
    n_species = used if n_species is None else count("n_species", n_species)
    if used > n_species:
        raise ValueError(f"n_species: got {n_species}, but species {used} is used")
    kind = ("square" if structures[0].codes.ndim == 2 else "cubic") if kind is None else kind
    choice("kind", kind, STEPS)
    count("n_species", n_species, each=9 * len(STEPS[kind]) * n_species)  # of J and of what a structure adds
    J = np.zeros((len(STEPS[kind]), n_species, n_species))
    for structure, eps in zip(structures, strengths, strict=True):
        d, i, j = structure.bonds(kind, periodic).T
        if not directional:
            d, i, j = np.zeros_like(np.append(d, d)), np.append(i, j), np.append(j, i)
        present = np.zeros_like(J, dtype=bool)  # a bond that one structure has twice counts once
        present[d, i - 1, j - 1] = True
        J -= eps * present
    J = np.maximum(J, -saturation * strengths.max())
    return J if directional else J[0]
