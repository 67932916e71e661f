"""fokker_planck: the density of walkers in a potential, in one or two dimensions.

    dp/dt = div(p grad V + T grad p),    the law of dx = -grad V dt + sqrt(2 T) dW,

on cells of a grid whose ends reflect.  Its stationary law exp(-V/T)/Z is exact on any grid, mass is conserved, and the
free energy sum p (V + T log p) falls (Risken 1989, chapters 4 and 5).

The cells are a resistor network with capacitors: charge p on capacities exp(-V/T), at voltages u = p exp(V/T), through
conductances T/h^2 exp(-V/T) of the faces.  Relaxation is its discharge, the slow mode of two wells an RC time (Kramers
1940), and passages are resistances (`passage_time`, `commute_time`).  Densities are nevertheless computed as p: in
voltages a start in a steep wall is e^(V/T) beside numbers of order one, which it erases.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, count, flag, not_negative, positive
from physlearn.dynamics.density import implicit
from physlearn.dynamics.density.cells import axes_of, check_held, rates_of
from physlearn.dynamics.time.trajectory import Trajectory
from physlearn.progress import Bar

FINEST = 1e-11  # of a step: rounding times the weights of the extrapolation is 1e-13


class Spectrum(NamedTuple):
    """Relaxation rates, ascending from zero, (k,), and their modes, (k, *shape): p(t) = sum_k c_k e^(-rate_k t) mode_k.

    The first mode is the stationary law; all are orthonormal under the weight volume/law.
    """

    rates: np.ndarray
    modes: np.ndarray


@dataclass(frozen=True, eq=False)
class FokkerPlanck:
    """Cells and rates of a Fokker-Planck equation; made by `fokker_planck`, followed by `integrate`.

    ``integrate(machine, (0.0, t), x0=p)`` takes a density p, (*shape) or (batch, *shape), ``times`` (default 101 of
    them) and ``tol`` (error of a step relative to the mass, default 1e-10), and returns a `Trajectory` of densities
    with their free energies.

    Attributes
    ----------
    axes : tuple of (n,) arrays
        Centres of the cells.
    temperature : float
    potential : array
        V at the cells, (*shape).
    pairs : (faces, 2) array
        Cells on both sides of every face.
    there, back : (faces,) arrays
        Rates from the first to the second and back, 1/s.
    """

    axes: tuple
    temperature: float
    potential: np.ndarray
    pairs: np.ndarray
    there: np.ndarray
    back: np.ndarray

    __repr__ = brief

    @property
    def shape(self):
        """Number of cells along each axis."""
        return self.potential.shape

    @property
    def volume(self) -> float:
        """Of a cell."""
        return float(np.prod([(axis[-1] - axis[0]) / (len(axis) - 1) for axis in self.axes]))

    @cached_property
    def capacity(self) -> np.ndarray:
        """exp(-(V - min V)/T) of every cell, (*shape)."""
        return np.exp(-(self.potential - self.potential.min()) / self.temperature)

    @cached_property
    def conductance(self) -> np.ndarray:
        """Of every face, in the capacities' unit per second, (faces,)."""
        a, b = self.capacity.ravel()[self.pairs].T
        return np.where(a > b, self.there * a, self.back * b)  # equal, but for what underflows

    @property
    def stationary(self) -> np.ndarray:
        """The density exp(-V/T)/Z, (*shape)."""
        return self.capacity / (self.capacity.sum() * self.volume)

    def free_energy(self, p):
        """Of densities (..., *shape): sum p (V + T log p), (...); least, -T log Z, in the stationary law."""
        p = self._density("p", p, any_sign=True)
        mass = np.maximum(p, np.finfo(float).tiny)
        share = mass * (self.potential + self.temperature * np.log(mass)) * self.volume
        return np.sum(share, tuple(range(-len(self.shape), 0)))

    def spectrum(self, k: int = 6) -> Spectrum:
        """The k slowest relaxation rates and their modes.

        Rates are right to rounding of the fastest one, about 1e-16 of it; slower ones are warned of (`commute_time`
        has them in all digits).
        """
        cells = self.potential.size
        count("k", k, most=cells if len(self.shape) == 1 else cells - 1)
        a, b = self.pairs.T
        diagonal = np.bincount(a, self.there, cells) + np.bincount(b, self.back, cells)
        off = -np.sqrt(self.there) * np.sqrt(self.back)
        rates, u = _lowest(diagonal, off, self.pairs, k, len(self.shape) == 1)
        resolved = 100.0 * np.finfo(float).eps * diagonal.max()
        if k > 1 and rates[1] < resolved:
            warnings.warn(
                f"spectrum: rates below {resolved:.2g}/s are not resolved beside the fastest, {diagonal.max():.2g}/s; "
                "take larger cells, or 1/passage_time for the rate between two wells",
                RuntimeWarning,
                stacklevel=2,
            )
        root = np.sqrt(self.stationary)
        u = u.T.reshape(k, *self.shape) / np.sqrt(self.volume)
        u[0] *= np.sign(u[0].sum())
        return Spectrum(np.where(np.arange(k) == 0, 0.0, rates), u * root)

    def _density(self, name, p, any_sign=False):
        p = array(name, p)
        if p.shape[-len(self.shape) :] != self.shape:
            raise ValueError(f"{name}: got the shape {p.shape}, expected {self.shape} or (batch, *{self.shape})")
        if not any_sign and (np.any(p < 0) or not np.all(np.sum(p.reshape(-1, self.potential.size), 1) > 0)):
            raise ValueError(f"{name}: got negative numbers or no mass, expected a density")
        return p

    def __integrate__(self, span, *, x0, times=None, tol=1e-10, progress=None) -> Trajectory:
        p = self._density("x0", x0)
        if p.ndim > len(self.shape) + 1:
            raise ValueError(f"x0: got the shape {p.shape}, expected {self.shape} or (batch, *{self.shape})")
        if not FINEST <= positive("tol", tol) < 1:
            raise ValueError(f"tol: got {tol!r}, expected a number from {FINEST:g}, near rounding, to 1")
        times = (
            np.linspace(span[0], span[1], 101)
            if times is None
            else array("times", times, ndim=1, low=span[0], high=span[1])
        )
        if times.size == 0 or np.any(np.diff(times) <= 0):
            raise ValueError(f"times: got {times!r}, expected ascending times within t_span {span}")
        made: Any = implicit.Line if len(self.shape) == 1 else implicit.Net
        solve = made(self.potential.size, self.pairs, self.there, self.back)
        found, steps, items = [], 0, p.reshape(-1, self.potential.size)
        with Bar("integrate", "density", len(items), progress) as bar:
            for item in items:
                path, taken = implicit.follow(solve, item, [span[0], *times], tol)
                found.append(path[1:].reshape(len(times), *self.shape))
                steps = max(steps, taken)
                bar.update()
        x = found[0] if p.ndim == len(self.shape) else np.stack(found, 1)
        return Trajectory(
            times, x, self.free_energy(x), f"implicit Euler, extrapolated to order {implicit.ORDER}", steps
        )


def fokker_planck(energy, grid, temperature, *, walls=False) -> FokkerPlanck:
    """The Fokker-Planck equation of overdamped walkers, dx = -grad V dt + sqrt(2 T) dW, on a grid.

    Parameters
    ----------
    energy : Energy or callable
        V: an energy of one layer with one or two variables, or a function of points (k, d) that returns (k,).
    grid : (n,) array, or two such arrays
        Centres of equally spaced cells along each axis.
    temperature : float
        Positive, in the energy's unit.
    walls : bool
        Whether the ends of the grid are reflecting walls of the machine itself; if not, a grid that cuts the law off
        is refused.

    Returns
    -------
    FokkerPlanck

    Raises
    ------
    ValueError
        T = 0, cells in which V rises by more than exponentials hold, a grid that does not hold the law.

    Examples
    --------
    Two wells exchange what they hold at twice the rate of Kramers, (sqrt2/2 pi) exp(-1/4T) here:

    >>> import numpy as np
    >>> from physlearn import fokker_planck, integrate
    >>> wells = fokker_planck(lambda x: x[:, 0]**4 / 4 - x[:, 0]**2 / 2, np.linspace(-2.2, 2.2, 401), 0.1)
    >>> print(f"{wells.spectrum(2).rates[1]:.4f}", f"{np.sqrt(2) / np.pi * np.exp(-2.5):.4f}")
    0.0335 0.0370
    >>> start = np.exp(-((wells.axes[0] + 1) ** 2) / 0.1)
    >>> run = integrate(wells, (0.0, 300.0), x0=start / (start.sum() * wells.volume), times=[0.0, 300.0])
    >>> bool(np.max(np.abs(run.final - wells.stationary)) < 1e-4), bool(run.energy[0] > run.energy[1])
    (True, True)
    """
    axes, temperature = axes_of(grid), not_negative("temperature", temperature)
    flag("walls", walls)
    if temperature == 0:
        raise ValueError(
            "temperature: got 0, expected a positive number; without noise a density is a point, see relax"
        )
    v, pairs, there, back = rates_of(energy, axes, temperature)
    shape = tuple(len(axis) for axis in axes)
    if not walls:
        check_held(v, shape, temperature)
    return FokkerPlanck(axes, temperature, v.reshape(shape), pairs, there, back)


def _lowest(diagonal, off, pairs, k, line):
    """Lowest eigenvalues (k,) and vectors (cells, k) of a symmetric matrix with these entries."""
    if line:
        from scipy.linalg import eigh_tridiagonal

        return eigh_tridiagonal(diagonal, off, select="i", select_range=(0, k - 1))
    import scipy.sparse as sp
    from scipy.sparse.linalg import eigsh

    (a, b), cells = pairs.T, len(diagonal)
    matrix = sp.csc_matrix((np.concatenate([off, off]), (np.concatenate([a, b]), np.concatenate([b, a]))), (cells,) * 2)
    start = np.cos(np.arange(cells) ** 2)  # the same in every call
    rates, u = eigsh(matrix + sp.diags(diagonal), k, sigma=-1e-6 * np.median(diagonal), v0=start)
    order = np.argsort(rates)
    return rates[order], u[:, order]
