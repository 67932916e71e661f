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

from typing import Any, NamedTuple

import numpy as np

from physlearn.checks import array, count, flag, not_negative, positive, sequence
from physlearn.dynamics.time.integrate import integrate
from physlearn.learning.rules.diffusion import Coincidence, Diffusion, diffusion_constants, reaction_diffusion
from physlearn.terms.lattice import STEPS

__all__ = ["Coincidence", "Diffusion", "MolecularLearning", "learn_by_diffusion", "reaction_diffusion", "sharpen"]


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
    diffusion = diffusion_constants(diffusion, n_species)
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
