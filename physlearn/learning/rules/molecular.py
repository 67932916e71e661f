"""Molecules that learn by meeting: couplings grow where species are found together while they diffuse.

    dC_i/dt = D_i lap C_i - k C_i + f            concentration fields of species i, per volume
    dJ_ij/dt = -rate integral C_i C_j dV         for i != j: Hebb's rule, C being the activity

Nothing drives C back, so the two are a `System` without an energy, for the verb `integrate`.  Species released at the
places they have in a picture meet their neighbours first: in free space, in d dimensions,

    integral C_i C_j dV = m_i m_j (4 pi s^2)^(-d/2) exp(-r_ij^2 / (4 s^2)),    s^2 = s_0^2 + (D_i + D_j) t

for lumps of mass m and initial variance s_0^2 at a distance r_ij, so couplings fall off with distance, and saturation
(`sharpen`) leaves those of neighbours: the bonds that a designer would have written.  Space is a grid of cubes with
closed walls; the flux out of one cell enters the next, so without decay and feed (k = f = 0) mass is conserved to
rounding.

Source: Poole, Ouldridge, Manoharan and Winfree 2017, and Zhong, Schwab and Murugan 2017, for learning by coincidence;
Hebb 1949 for the rule.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from physlearn.checks import array, count, flag, integers, not_negative, positive, sequence, text
from physlearn.dynamics.time.integrate import integrate
from physlearn.energy import Real, System
from physlearn.terms.bias import Bias
from physlearn.terms.lattice import STEPS
from physlearn.terms.parabola import Parabola

__all__ = ["Coincidence", "Diffusion", "MolecularLearning", "learn_by_diffusion", "reaction_diffusion", "sharpen"]


class Diffusion:
    """Diffusion of each species over a grid with closed walls: E = sum_i D_i/2 sum_neighbours (C - C')^2/h^2.

    Parameters
    ----------
    layer : str
        Concentrations, a `Real` layer of shape (species, *grid).
    spacing : float
        h, side of a cell, m.
    parameter : str
        Name in theta of the diffusion constants D, (species,), m^2/s.

    Examples
    --------
    >>> import numpy as np
    >>> heat = Diffusion("C", spacing=0.5)
    >>> heat.field({"C": np.array([[[1.0, 0.0, 0.0]]])}, {"D": np.array([2.0])}, "C")
    array([[[-8.,  8.,  0.]]])
    """

    def __init__(self, layer, spacing=1.0, parameter="D"):
        for name, value in (("layer", layer), ("parameter", parameter)):
            text(name, value)
        self.layers, self.spacing, self.parameter = (layer, layer), positive("spacing", spacing), parameter

    def energy(self, x, theta):
        """Roughness, (batch,)."""
        return self._roughness(x) @ theta[self.parameter]

    def field(self, x, theta, layer):
        """D lap C as fluxes between neighbours, shaped like the layer."""
        c = x[layer]
        rate = theta[self.parameter].reshape(-1, *(1,) * (c.ndim - 2)) / self.spacing**2
        out = np.zeros_like(c)
        for axis in range(2, c.ndim):
            flux = rate * np.diff(c, axis=axis)
            front, back = [slice(None)] * c.ndim, [slice(None)] * c.ndim
            front[axis], back[axis] = slice(None, -1), slice(1, None)
            out[tuple(front)] += flux
            out[tuple(back)] -= flux
        return out

    def gradient(self, x, theta, weight):
        """sum_b w_b of each species' roughness, (species,)."""
        return {self.parameter: np.asarray(weight) @ self._roughness(x)}

    def _roughness(self, x):
        c = x[self.layers[0]]
        steps = (np.diff(c, axis=axis).reshape(*c.shape[:2], -1) for axis in range(2, c.ndim))
        return sum(np.sum(step**2, -1) for step in steps) / (2 * self.spacing**2)


class Coincidence:
    """Hebb's rule on concentrations: dJ_ij/dt = -rate integral C_i C_j dV; C itself does not feel J.

    Parameters
    ----------
    layer, couplings : str
        Concentrations, (species, *grid), and couplings, (species, species).
    volume : float
        Of a cell.
    parameter : str
        Name in theta of the rate, a number.

    Examples
    --------
    >>> import numpy as np
    >>> x = {"C": np.array([[[1.0, 2.0], [3.0, 0.5]]]), "J": np.zeros((1, 2, 2))}
    >>> Coincidence("C", "J").field(x, {"rate": np.array(1.0)}, "J")
    array([[[ 0., -4.],
            [-4.,  0.]]])
    """

    def __init__(self, layer, couplings, volume=1.0, parameter="rate"):
        for name, value in (("layer", layer), ("couplings", couplings), ("parameter", parameter)):
            text(name, value)
        self.layers, self.volume, self.parameter = (layer, couplings), positive("volume", volume), parameter

    def field(self, x, theta, layer):
        """The growth of J, and nothing on C."""
        if layer != self.layers[1]:
            return np.zeros_like(x[layer])
        return -theta[self.parameter] * self._meetings(x) + 0.0  # no negative zeros

    def response(self, x, theta, weight):
        """No parameter learns here: J is a state."""
        return {}

    def _meetings(self, x):
        c = x[self.layers[0]].reshape(*x[self.layers[0]].shape[:2], -1)
        together = self.volume * np.matmul(c, c.transpose(0, 2, 1))
        together = (together + together.transpose(0, 2, 1)) / 2  # a matrix product rounds its two halves differently
        together[:, np.arange(c.shape[1]), np.arange(c.shape[1])] = 0.0
        return together


def reaction_diffusion(n_species, grid, *, diffusion=1.0, spacing=1.0, rate=1.0, decay=0.0, feed=0.0):
    """The concentrations "C" and couplings "J" of a soup that learns, for `integrate`.

    Parameters
    ----------
    n_species : int
    grid : tuple of int
        Cells along each axis.
    diffusion : float or (n_species,) array
        D_i, m^2/s.
    spacing : float
        Side of a cell, m.
    rate : float
        Of Hebb's rule.
    decay, feed : float
        k, 1/s, and f, which is added everywhere, per volume and second.

    Returns
    -------
    System

    Raises
    ------
    ValueError
        Numbers of species or cells below 1, negative constants.

    Examples
    --------
    >>> import numpy as np
    >>> soup = reaction_diffusion(2, (8,))
    >>> start = np.zeros((2, 8))
    >>> start[0, 3] = start[1, 4] = 1.0
    >>> run = integrate(soup, (0.0, 1.0), x0={"C": start, "J": np.zeros((2, 2))})
    >>> run.x["C"][-1].sum(1), bool(run.x["J"][-1][0, 1] < 0)
    (array([1., 1.]), True)
    """
    grid = tuple(int(k) for k in np.atleast_1d(integers("grid", grid, ndim=(0, 1), low=1)))
    count("n_species", n_species, each=8 * math.prod(grid))
    d = _constants(diffusion, n_species)
    for name, value in (("rate", rate), ("decay", decay), ("feed", feed)):
        not_negative(name, value)
    positive("spacing", spacing)
    terms = [Diffusion("C", spacing), Coincidence("C", "J", spacing ** len(grid))]
    theta = {"D": d, "rate": rate}
    for name, value, term in (("decay", decay, Parabola), ("feed", feed, Bias)):
        if value > 0:
            terms.append(term("C", name))
            theta[name] = np.full((n_species, *grid), value)
    return System({"C": (Real(), (n_species, *grid)), "J": (Real(), (n_species, n_species))}, terms, theta)


def _constants(diffusion, n_species):
    """(n_species,) diffusion constants."""
    d = array("diffusion", diffusion, low=0)
    if d.shape not in ((), (n_species,)):
        raise ValueError(f"diffusion: shape {d.shape}, expected one number, or ({n_species},)")
    return np.broadcast_to(d, (n_species,))


class MolecularLearning(NamedTuple):
    """Couplings learned by diffusion.

    Attributes
    ----------
    J : (n_species, n_species) or (D, n_species, n_species) array
        Learned couplings, all of them at most zero; with directions as `physlearn.models.Assembly` takes them.
    lost : float
        Largest change of a species' mass in an example, relative: rounding.
    """

    J: np.ndarray
    lost: float


def learn_by_diffusion(
    structures,
    n_species,
    *,
    duration,
    diffusion=1.0,
    directional=False,
    cells=3,
    padding=2,
    rate=1.0,
    tol=1e-6,
    progress=None,
):
    """Release the species of every structure at their places, let them diffuse, and keep the couplings that grow.

    Parameters
    ----------
    structures : sequence of Structure or arrays of int
        Species of each place from 1, 0 where there is none; all on the same number of axes.
    n_species : int
    duration : float
        s, of each example.
    diffusion : float or (n_species,) array
        Places are at unit distance.
    directional : bool
        Each face of a molecule releases a species of its own, so that bonds learn directions; ``cells`` is then 3, and
        faces lie a third of a place from the middle.
    cells : int
        Cells of the grid from one place to the next; odd puts places at the centres of cells.
    padding : int
        Empty places around each structure, which keep the walls away.
    rate, tol : float
        Of Hebb's rule; see `integrate`.
    progress : bool, optional
        As for `integrate`, which runs once for each structure.

    Returns
    -------
    MolecularLearning

    Examples
    --------
    Neighbours grow stronger bonds than diagonals:

    >>> J = learn_by_diffusion([[[1, 2], [3, 4]]], 4, duration=0.05).J
    >>> bool(J[0, 1] < 3 * J[0, 3] < 0)
    True
    """
    positive("duration", duration)
    count("n_species", n_species, most=10**6)
    diffusion = _constants(diffusion, n_species)
    flag("directional", directional)
    count("cells", cells, most=10**6)
    count("padding", padding, 0, most=10**6)
    not_negative("rate", rate)
    total, axes, lost, cells = None, 0, 0.0, 3 if directional else cells
    for number, structure in enumerate(sequence("structures", structures, expected="a list of Structures or arrays")):
        cell = array(f"structures[{number}]", getattr(structure, "codes", structure), dtype=None)
        if not np.issubdtype(cell.dtype, np.integer) or np.any((cell < 0) | (cell > n_species)) or not cell.any():
            raise ValueError(
                f"structures[{number}]: expected an array of species in 1..{n_species}, 0 for an empty place"
            )
        if cell.ndim > 3:
            raise ValueError(f"structures[{number}]: {cell.ndim} axes, expected at most 3, those of space")
        if total is not None and cell.ndim != axes:
            raise ValueError(f"structures[{number}]: {cell.ndim} axes, expected {axes} as of the first")
        axes = cell.ndim
        grid, at = tuple(cells * (np.array(cell.shape) + 2 * padding)), np.argwhere(cell)
        middle, species = cells * (at + padding) + cells // 2, cell[tuple(at.T)] - 1
        steps = np.array(STEPS["square" if cell.ndim == 2 else "cubic"])
        faces = np.concatenate([steps, -steps]) if directional else np.zeros((1, cell.ndim), np.int64)
        fields = len(faces) * n_species
        start = np.zeros((fields, *grid))
        for k, face in enumerate(faces):  # unit mass in one cell
            np.add.at(start, (k * n_species + species, *(middle + face).T), float(cells) ** cell.ndim)
        d: Any = np.tile(np.broadcast_to(diffusion, (n_species,)), len(faces))
        soup = reaction_diffusion(fields, grid, diffusion=d, spacing=1.0 / cells, rate=rate)
        x0 = {"C": start, "J": np.zeros((fields, fields))}
        run = integrate(soup, (0.0, duration), x0=x0, times=[duration], tol=tol, progress=progress)
        J = run.x["J"][-1]
        if directional:  # a face meets the opposite one of its neighbour, its molecule's own does not count
            J = J.reshape(len(faces), n_species, len(faces), n_species)
            J = np.stack([J[k, :, k + len(steps)] for k in range(len(steps))]) * (1 - np.eye(n_species)) + 0.0
        total = J if total is None else total + J
        before, after = (c.reshape(fields, -1).sum(1) for c in (start, run.x["C"][-1]))
        lost = max(lost, float(np.max(np.abs(after - before)[before > 0] / before[before > 0])))
    if total is None:
        raise ValueError("structures: got none, expected at least one")
    return MolecularLearning(total, lost)


def sharpen(J, bonds, *, strength=1.0):
    """Saturate couplings: the ``bonds`` strongest become -strength, the others zero.

    Parameters
    ----------
    J : (n, n) or (D, n, n) array
        Symmetric, a bond being a pair of species (of one species with itself, too); or with directions, a bond being
        an entry.
    bonds : int
        Number of bonds kept.
    strength : float
        Positive, energy.

    Returns
    -------
    array like J

    Raises
    ------
    ValueError
        Couplings that are not finite; fewer attractive ones than bonds; or no clear cut: the weakest kept and the
        strongest dropped are equal.

    Examples
    --------
    >>> sharpen([[0.0, -0.5, -0.1], [-0.5, 0.0, -0.4], [-0.1, -0.4, 0.0]], 2)
    array([[ 0., -1.,  0.],
           [-1.,  0., -1.],
           [ 0., -1.,  0.]])
    """
    J = array("J", J)
    if J.ndim not in (2, 3) or J.shape[-1] != J.shape[-2] or J.ndim == 2 and not np.array_equal(J, J.T):
        raise ValueError(f"J: shape {J.shape}, expected a symmetric matrix, or one matrix for each direction")
    strength = positive("strength", strength)
    values = np.sort(J[np.triu_indices(len(J))] if J.ndim == 2 else J.ravel())
    if not count("bonds", bonds) <= np.count_nonzero(values < 0):
        raise ValueError(f"bonds: got {bonds}, expected 1..{np.count_nonzero(values < 0)}, the attractive couplings")
    if bonds < len(values) and values[bonds] == values[bonds - 1]:
        raise ValueError(f"bonds: numbers {bonds} and {bonds + 1} are equally strong, choose another number")
    return np.where(J <= values[bonds - 1], -strength, 0.0)
