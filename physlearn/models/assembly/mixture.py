"""Assembly: a soup of N species with specific bonds on a lattice, a memory made of molecules.

    E = sum_(x, d) J_d[s(x), s(x + e_d)] + sum_i mu_i n_i,    mu_i = -T ln c_i,    s(x) = 0 (empty) or 1..N

in units where k_B = 1.  A bond of strength eps has J = -eps; mu_i is the cost of a monomer from a dilute
reservoir of concentration c_i, in monomers per site.  Several structures stored in one J (`structures.store`) are
retrieved from a seed or from uneven concentrations (Murugan, Zeravcic, Brenner, Leibler 2015; Zhong, Schwab, Murugan
2017).  Without bonds every species has density c_i/(1 + sum_j c_j); N = 1 is the Ising lattice gas with
J_Ising = eps/4, and equal codes that bond equally are a Potts model.

A seeded structure of the square lattice grows where mu/2 < eps < mu - T ln m, m structures stored: below, nothing is
stable; above, single bonds hold and any of m candidates sticks.

Where each partner feels another energy (``reciprocal=False``; Osat and Golestanian 2023) there is no E: the
mixture is a driven `System`, which `kinetics` runs and `sample` refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, flag, integers, mapping, positive, reals, sequence
from physlearn.energy import Energy, Potts, Readout, System
from physlearn.terms.lattice import FeltBonds, Lattice, LatticeBonds


@dataclass(frozen=True, eq=False)
class Assembly:
    """N species on a lattice, for `sample`, `anneal`, `relax`, `learn` and `kinetics`.

    Parameters
    ----------
    n_species : int
        N.
    J : array
        Bond energies: (N, N) symmetric, the same in every direction; (D, N, N), J[d, i, j] of species i + 1 with
        species j + 1 in direction d of it; (2 D, N, N) with ``reciprocal=False``, what species i + 1 feels of j + 1
        in each of the 2 D steps.  N + 1 in place of N: code 0, the empty site, bonds too.
    mu : float or (N,) array
        Cost of a monomer, -T ln c, energy.
    lattice : Lattice
    reciprocal : bool
        Whether partners feel the same.
    seeds : tuple of (indices, codes)
        Held sites; see `seed`.
    plastic : {None, "all"} or bool array like J
        Entries of J that are parameters, "bonds" of the energy's theta, and so can learn: None, those that are not
        zero; "all" of them, so that bonds grow from J = 0; or a mask, which holds at least those that are not zero.

    Raises
    ------
    ValueError
        J of another shape, not finite, or not mutual without ``reciprocal=False``; mu or plastic of another shape;
        a mask that is not mutual as J is, or that leaves out a bond.

    Examples
    --------
    Two species that bond side by side, one below the other not at all:

    >>> import numpy as np
    >>> from physlearn import sample
    >>> from physlearn.models import Structure, store
    >>> pair = Structure([[1, 2]])
    >>> soup = Assembly(2, store([pair], 4.0), 3.0, Lattice((3, 3)))
    >>> float(soup.energy(soup.place(pair, (1, 1)))), np.round(soup.concentrations(1.0), 3)
    (2.0, array([0.05, 0.05]))
    >>> sample(soup, temperature=1.0, n_samples=3, chains=2, rng=0).x.shape
    (2, 3, 3, 3)
    """

    n_species: int
    J: Any
    mu: Any
    lattice: Lattice
    reciprocal: bool = True
    seeds: tuple = ()
    plastic: Any = None

    __repr__ = brief

    def __post_init__(self):
        if not isinstance(self.lattice, Lattice):
            raise TypeError(
                f"lattice: got a {type(self.lattice).__name__}, expected a Lattice, such as Lattice((8, 8))"
            )
        n, directions = count("n_species", self.n_species), self.lattice.directions
        flag("reciprocal", self.reciprocal)
        object.__setattr__(self, "seeds", self._seeds())
        if any(isinstance(part, np.ndarray) and np.iscomplexobj(part) for part in (self.J, self.mu)):
            raise ValueError("J, mu: got complex numbers, expected real energies")
        J, mu = np.array(array("J", self.J, finite=False)), np.array(array("mu", self.mu, finite=False))
        if mu.shape not in ((), (n,)) or not np.all(np.isfinite(mu)):
            raise ValueError(f"mu: got shape {mu.shape}, expected one finite number or one for each of {n} species")
        deep = directions if self.reciprocal else 2 * directions
        fits = J.ndim in (2, 3) and J.shape[-1] == J.shape[-2] and J.shape[-1] in (n, n + 1)
        if not fits or (J.ndim == 3 and len(J) not in (deep, 2 * directions)):
            remedy = "" if self.reciprocal else " (the energy felt in every step, as it is not reciprocal)"
            raise ValueError(
                f"J: shape {J.shape}, expected ({n}, {n}) or ({deep}, {n}, {n}){remedy} for {n} species on a "
                f"{self.lattice.kind} lattice, with {n + 1} in place of {n} if empty sites bond too"
            )
        if not np.all(np.isfinite(J)):
            raise ValueError(f"J: {np.sum(~np.isfinite(J))} entries are NaN or infinite, expected finite energies")
        if self.plastic is not None and not (isinstance(self.plastic, str) and self.plastic == "all"):
            object.__setattr__(self, "plastic", self._mask(J))
        if self.reciprocal:
            J = self._mutual(J)
        for name, value in (("J", J), ("mu", np.broadcast_to(mu, (n,)).copy())):
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    def _seeds(self):
        """The held sites, if they are sites and codes."""
        found, expected = [], "pairs (indices, codes), as `seed` makes them"
        for pair in sequence("seeds", self.seeds, tuple | list, expected):
            if len(pair) != 2 or np.shape(pair[0]) != np.shape(pair[1]):
                raise ValueError(f"seeds: got {len(pair)} arrays of several lengths, expected {expected}")
            index = integers("seeds", pair[0], ndim=1, low=0, high=self.lattice.sites - 1)
            found.append((index, integers("seeds", pair[1], ndim=1, low=1, high=self.n_species)))
        return tuple(found)

    def _sides(self, J):
        """J felt in each direction, the first D of 2 D steps; and J felt by the partners."""
        directions = self.lattice.directions
        if J.ndim == 3 and len(J) == directions:
            return J, J
        forward, back = (J, J) if J.ndim == 2 else (J[:directions], J[directions:])
        return forward, np.swapaxes(back, -1, -2)

    def _mutual(self, J):
        """J, if partners feel the same; the first D of 2 D steps."""
        forward, back = self._sides(J)
        gap = np.abs(forward - back)
        if np.any(gap > 1e-12 * np.max(np.abs(J), initial=0.0)):
            at = np.unravel_index(int(gap.argmax()), gap.shape)
            raise ValueError(
                f"J: partners feel different energies (by {gap.max():.3g} at {tuple(int(k) for k in at)}); an energy "
                "has mutual bonds: symmetrise J, or pass reciprocal=False for a driven System"
            )
        return forward

    def _mask(self, J):
        """The mask ``plastic``, if it fits J; the first D of 2 D steps."""
        mask = np.array(self.plastic)
        if mask.dtype != bool or mask.shape != J.shape:
            raise ValueError(
                f"plastic: got {mask.dtype} of shape {mask.shape}, expected None, 'all', or bools of J's shape "
                f"{J.shape}"
            )
        if missing := np.count_nonzero(J[~mask]):
            raise ValueError(
                f"plastic: {missing} entries of J are left out but not zero, and bonds are parameters; add J != 0"
            )
        if self.reciprocal:
            mask, back = self._sides(mask)
            if np.any(mask != back):
                raise ValueError("plastic: it names one partner of a mutual bond only; name both, as J has both")
        mask.flags.writeable = False
        return mask

    @classmethod
    def from_concentrations(cls, J, concentrations, lattice, *, temperature, reciprocal=True):
        """A mixture of given concentrations, monomers per site: mu_i = -T ln c_i.

        Raises
        ------
        ValueError
            T <= 0; concentrations that are not positive, or that sum above one, which no lattice holds.

        Examples
        --------
        >>> soup = Assembly.from_concentrations([[-4.0]], [0.01], Lattice((3, 3)), temperature=2.0)
        >>> soup.mu.round(2), soup.concentrations(2.0).round(4)
        (array([9.21]), array([0.01]))
        """
        c = np.atleast_1d(array("concentrations", concentrations, finite=False))
        temperature = positive("temperature", temperature)
        if c.ndim != 1 or not np.all((c > 0) & np.isfinite(c)):
            raise ValueError(f"concentrations: got {concentrations!r}, expected a positive number for each species")
        J = reals("J", J)
        if J.shape[-1:] not in ((c.size,), (c.size + 1,)) or not c.size:
            raise ValueError(f"J, concentrations: shapes {J.shape}, {c.shape}; expected a row of J for each species")
        if c.sum() > 1.0 + 1e-9:  # rounding: 150 times 1/150 is more than 1
            raise ValueError(
                f"concentrations: they sum to {c.sum():.6g}, more than one monomer per site; scale them down"
            )
        return cls(len(c), J, -temperature * np.log(c), lattice, reciprocal)

    def concentrations(self, temperature):
        """exp(-mu_i/T), monomers per site of the dilute reservoir, (N,)."""
        return np.exp(-np.asarray(self.mu) / positive("temperature", temperature))

    @cached_property
    def energy(self) -> Any:  # an Energy or a System, as `reciprocal` says
        """The `Energy` of one `Potts` layer "s", with theta "bonds" (the entries of J that ``plastic`` names) and "mu".

        A `System` if bonds are not reciprocal.  Readout "seed", where there is one, is held by every verb.
        """
        kind = LatticeBonds if self.reciprocal else FeltBonds
        bonds, values = self._entries()
        term = kind("s", self.lattice.neighbours, self.n_species + 1, bonds)
        readouts, fixed = {}, {}
        if self.seeds:
            index, codes = (np.concatenate(part) for part in zip(*self.seeds, strict=True))
            readouts, fixed = {"seed": Readout("s", index)}, {"seed": codes.astype(float)}
        machine = Energy if self.reciprocal else System
        layers = {"s": (Potts(self.n_species + 1), self.lattice.shape)}
        return machine(layers, [term], {"bonds": values, "mu": self.mu}, readouts, fixed)

    @property
    def system(self) -> Any:
        """The layers and terms that the verbs move: an `Energy`, or a `System` if bonds are not reciprocal."""
        return self.energy

    @property
    def theta(self):
        """The parameters that can learn, read-only: "bonds" and "mu"."""
        return self.system.theta

    def with_theta(self, theta):
        """The same mixture with other parameters, such as learnt ones; bonds that are zero now stay parameters.

        Examples
        --------
        >>> soup = Assembly(2, [[0.0, -1.0], [-1.0, 0.0]], 3.0, Lattice((3, 3)))
        >>> soup.with_theta({"bonds": [-2.0]}).J
        array([[ 0., -2.],
               [-2.,  0.]])
        """
        new = self.system.with_theta(theta).theta
        J, plastic = self.bond_matrix(new), self.plastic
        if plastic is None and np.any((J == 0) & (self.J != 0)):
            plastic = self.J != 0
        return replace(self, J=J, mu=new["mu"], plastic=plastic)

    def bond_matrix(self, theta):
        """J of a theta, shaped as ``J`` is.

        Examples
        --------
        >>> soup = Assembly(2, [[0.0, -1.0], [-1.0, 0.0]], 3.0, Lattice((3, 3)))
        >>> soup.bond_matrix({"bonds": [-2.0]})
        array([[ 0., -2.],
               [-2.,  0.]])
        """
        J, entries = np.zeros_like(self.J), self._entries()[0]
        if "bonds" not in mapping("theta", theta):
            raise ValueError(f'theta: got {list(theta)}, expected "bonds" among them')
        bonds = array("theta['bonds']", theta["bonds"], shape=(len(entries),))
        d, a, b = entries.T
        shift = J.shape[-1] == self.n_species
        if J.ndim == 2:
            J[a - shift, b - shift] = bonds
            if self.reciprocal:
                J[b - shift, a - shift] = bonds
        else:
            J[d, a - shift, b - shift] = bonds
        return J

    def _entries(self):
        """(step, code, code) and energy of every bond."""
        J = np.asarray(self.J)
        if self.plastic is None:
            mask = J != 0
        else:
            mask = np.ones(J.shape, bool) if isinstance(self.plastic, str) else self.plastic
        first = 0 if J.shape[-1] == self.n_species + 1 else 1
        isotropic = J.ndim == 2
        at = np.nonzero((np.triu(mask) if self.reciprocal else mask)[None] if isotropic else mask)
        values = J[at[1:]] if isotropic else J[at]
        step = np.full(len(values), -1) if isotropic else at[0]
        return np.stack([step, at[1] + first, at[2] + first], 1), values

    def empty(self):
        """The lattice without a particle but the seeds, (*shape) of int.

        Examples
        --------
        >>> Assembly(1, [[-1.0]], 3.0, Lattice((1, 3))).seed([[1]], (0, 1)).empty()
        array([[0, 1, 0]])
        """
        x = np.zeros(self.lattice.sites, np.int64)
        for index, codes in self.seeds:
            x[index] = codes
        return x.reshape(self.lattice.shape)

    def place(self, structure, at, *, on=None):
        """A configuration with a structure's box starting at the cell ``at``, by default on the empty lattice.

        Raises
        ------
        ValueError
            A structure larger than the lattice, or leaving it where it is closed; species above N.
        """
        index, codes = self._sites(structure, at)
        x = self.empty() if on is None else np.array(reals("on", on, finite=False))
        if x.shape != self.lattice.shape or not np.all(np.isin(x, np.arange(self.n_species + 1))):
            raise ValueError(f"on: shape {x.shape}, expected {self.lattice.shape} codes of 0 .. {self.n_species}")
        x = x.astype(np.int64).reshape(-1)
        x[index] = codes
        return x.reshape(self.lattice.shape)

    def seed(self, structure, at):
        """The same mixture with a structure's particles held at ``at``: a nucleus, which every verb clamps."""
        new = self._sites(structure, at)
        if not new[0].size:
            raise ValueError("structure: there is no particle in it, so nothing to hold; expected a species 1, 2, ..")
        for index, _ in self.seeds:
            if np.any(np.isin(new[0], index)):
                raise ValueError(f"at: a seed at {tuple(at)} overlaps another one")
        return replace(self, seeds=(*self.seeds, new))

    def _sites(self, structure, at):
        codes, shape = reals("structure", getattr(structure, "codes", structure)), self.lattice.shape
        at = integers("at", at).ravel()
        if codes.ndim != len(shape) or at.size != len(shape):
            raise ValueError(
                f"structure, at: {codes.ndim} axes at {at!r}, expected {len(shape)} axes as the lattice has, and a cell"
            )
        if np.any(np.array(codes.shape) > shape):
            raise ValueError(f"structure: its box {codes.shape} is larger than the lattice {shape}")
        if not codes.size:
            raise ValueError(f"structure: its box {codes.shape} has no cells")
        if not np.issubdtype(codes.dtype, np.integer) or codes.min() < 0:
            raise ValueError(f"structure: {codes.dtype} from {codes.min()}, expected species 1, 2, .. (0: no particle)")
        if codes.max() > self.n_species:
            raise ValueError(f"structure: it uses species {codes.max()}, the mixture has {self.n_species}")
        cells = np.argwhere(codes > 0) + at
        outside = ((cells < 0) | (cells >= shape)) & ~np.array(self.lattice.periodic)
        if np.any(outside) or np.any((at < 0) | (at >= shape)):
            raise ValueError(f"at: {tuple(at)} puts a box of {codes.shape} outside the lattice {shape}")
        return np.ravel_multi_index(tuple((cells % shape).T), shape), codes[codes > 0]
