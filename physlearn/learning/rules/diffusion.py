"""Diffusing species that meet, the terms of `molecular`: diffusion on a grid, and couplings that grow by coincidence.

    dC_i/dt = D_i lap C_i - k C_i + f,    dJ_ij/dt = -rate integral C_i C_j dV

with concentrations C and couplings J, both states of a `System` without an energy.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.checks import array, count, integers, not_negative, positive, text
from physlearn.energy import Real, System
from physlearn.terms.bias import Bias
from physlearn.terms.fits import DISCRETE, expect_shape, refuse_kinds
from physlearn.terms.parabola import Parabola

__all__ = ["Coincidence", "Diffusion", "reaction_diffusion"]


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

    def check(self, layers, theta):
        """Refuse layers that are not of real numbers on a grid, and another number of diffusion constants."""
        name, _ = self.layers
        refuse_kinds(self, layers, name, DISCRETE, "concentrations are Real")
        shape = layers[name].shape
        if len(shape) < 2:
            raise ValueError(f"Diffusion: layer {name!r} has shape {shape}, expected (species, *grid)")
        expect_shape(theta, self.parameter, shape[:1], f"one for each species of layer {name!r}")

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

    def check(self, layers, theta):
        """Refuse discrete layers, and couplings of another shape than one for each two species."""
        for name in self.layers:
            refuse_kinds(self, layers, name, DISCRETE, "concentrations and couplings are Real")
        species, wanted = layers[self.layers[0]].shape[:1], layers[self.layers[1]].shape
        if wanted != species * 2 or len(wanted) != 2:
            raise ValueError(f"Coincidence: layer {self.layers[1]!r} has shape {wanted}, expected {species * 2}")
        expect_shape(theta, self.parameter, (), "a rate")

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
    >>> from physlearn import integrate
    >>> soup = reaction_diffusion(2, (8,))
    >>> start = np.zeros((2, 8))
    >>> start[0, 3] = start[1, 4] = 1.0
    >>> run = integrate(soup, (0.0, 1.0), x0={"C": start, "J": np.zeros((2, 2))})
    >>> run.x["C"][-1].sum(1), bool(run.x["J"][-1][0, 1] < 0)
    (array([1., 1.]), True)
    """
    grid = tuple(int(k) for k in np.atleast_1d(integers("grid", grid, ndim=(0, 1), low=1)))
    count("n_species", n_species, each=8 * math.prod(grid))
    d = diffusion_constants(diffusion, n_species)
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


def diffusion_constants(diffusion, n_species):
    """(n_species,) diffusion constants."""
    d = array("diffusion", diffusion, low=0)
    if d.shape not in ((), (n_species,)):
        raise ValueError(f"diffusion: shape {d.shape}, expected one number, or ({n_species},)")
    return np.broadcast_to(d, (n_species,))
