"""Passage times of a Fokker-Planck equation, as resistances of its network.

With capacities C and the conductances of the faces, the mean time from a to b is the voltage at a when every cell is
fed the current C_x and b is grounded.  There and back it is the total capacity times the effective resistance between
a and b (Chandra, Raghavan, Ruzzo, Smolensky and Tiwari 1989); one way,

    t(a -> b) = 1/2 sum_x C_x (R_ab + R_bx - R_ax)                                    (Tetali 1991)
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, instance
from physlearn.dynamics.density.fokker_planck import FokkerPlanck


def passage_time(machine: FokkerPlanck, start, end) -> float:
    """Mean time until walkers from ``start`` first reach ``end``, in the time unit of dx = -grad V dt.

    Parameters
    ----------
    machine : FokkerPlanck
    start : float or (d,) array
        A point; the cell that is nearest.
    end : float, (d,) array, or bool array of the grid's shape
        A point, or all cells that count as arrived.

    Raises
    ------
    ValueError
        Points off the grid, a barrier too high for floats.

    Examples
    --------
    Free diffusion between reflecting and absorbing ends takes L^2/2T:

    >>> import numpy as np
    >>> from physlearn import fokker_planck, passage_time
    >>> free = fokker_planck(lambda x: 0.0 * x[:, 0], np.linspace(0.0, 1.0, 401), 0.5, walls=True)
    >>> print(f"{passage_time(free, 0.0, 1.0):.3f}")
    1.003
    """
    instance("machine", machine, FokkerPlanck, "what fokker_planck returns")
    a, there = _cell(machine, "start", start), _cells(machine, "end", end)
    if there[a]:
        return 0.0
    return _finite(_voltages(machine, machine.capacity.ravel(), there)[a])


def commute_time(machine: FokkerPlanck, a, b) -> float:
    """Mean time from a to b and back: total capacity times effective resistance.

    Parameters
    ----------
    machine : FokkerPlanck
    a, b : float or (d,) array
        Points; the nearest cells.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import commute_time, fokker_planck, passage_time
    >>> tilted = fokker_planck(lambda x: (x[:, 0]**2 - 1)**2 + x[:, 0] / 4, np.linspace(-2.5, 2.5, 301), 0.4)
    >>> there, back = passage_time(tilted, -1.0, 1.0), passage_time(tilted, 1.0, -1.0)
    >>> bool(there > back), bool(abs(commute_time(tilted, -1.0, 1.0) / (there + back) - 1) < 1e-12)
    (True, True)
    """
    instance("machine", machine, FokkerPlanck, "what fokker_planck returns")
    one, other = _cell(machine, "a", a), _cell(machine, "b", b)
    if one == other:
        return 0.0
    unit, there = np.zeros(machine.potential.size), np.zeros(machine.potential.size, bool)
    unit[one], there[other] = 1.0, True
    return _finite(_voltages(machine, unit, there)[one] * machine.capacity.sum())


def _voltages(machine, current, grounded):
    """Voltages (cells,) under currents fed to the cells, some of which are grounded."""
    g, (a, b), cells = machine.conductance, machine.pairs.T, len(current)
    if len(machine.shape) == 1:  # towards the nearest grounded cell on either side, by sums of positive numbers
        with np.errstate(all="ignore"):
            return _line(current, 1.0 / g, np.flatnonzero(grounded), g)
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    if np.any(g == 0):
        raise ValueError("machine: some faces conduct less than floats hold; cut the walls off, or raise temperature")
    free = np.flatnonzero(~grounded)
    rows, columns = np.concatenate([a, b, a, b]), np.concatenate([b, a, a, b])
    laplacian = sp.csc_matrix((np.concatenate([-g, -g, g, g]), (rows, columns)), (cells, cells))
    out = np.zeros(cells)
    out[free] = splu(laplacian[free][:, free].tocsc(), permc_spec="MMD_AT_PLUS_A").solve(current[free])
    return out


def _line(current, resistance, ground, g):
    """Voltages of a chain: beyond its grounded ends by sums, between two of them by superposition."""
    out, first, last = np.zeros(len(current)), ground[0], ground[-1]
    left = np.cumsum(current[:first])  # what flows through face i, from i to i + 1
    out[:first] = np.cumsum((left * resistance[:first])[::-1])[::-1]
    right = np.cumsum(current[:last:-1])[::-1]
    out[last + 1 :] = np.cumsum(right * resistance[last:])
    for a, b in zip(ground, ground[1:], strict=False):
        if b - a < 2:
            continue
        inner, r = np.cumsum(current[a + 1 : b]), resistance[a:b]  # flow through faces a + 1 ... b - 1, less that at a
        flow = -np.sum(inner * r[1:]) / np.sum(r)
        out[a + 1 : b] = -np.cumsum(np.concatenate([[flow], flow + inner])[:-1] * r[:-1])
    return out


def _finite(time):
    if not np.isfinite(time):
        raise ValueError("machine: the barrier takes longer to cross than floats hold; raise temperature")
    return float(time)


def _cell(machine, name, point):
    """Flat index of the nearest cell."""
    at = array(name, point)
    at = at.reshape(1) if at.ndim == 0 else at
    if at.shape != (len(machine.axes),):
        raise ValueError(f"{name}: got the shape {at.shape}, expected a point of {len(machine.axes)} coordinate(s)")
    index = []
    for x, axis in zip(at, machine.axes, strict=True):
        half = 0.5 * (axis[1] - axis[0]) * (1.0 + 1e-9)
        if not axis[0] - half <= x <= axis[-1] + half:
            raise ValueError(f"{name}: got {point!r}, expected a point of the grid, {axis[0]:g} to {axis[-1]:g}")
        index.append(int(np.argmin(np.abs(axis - x))))
    return int(np.ravel_multi_index(index, machine.shape))


def _cells(machine, name, where):
    """Mask (cells,) of a point's cell, or the mask that was given."""
    given = np.asarray(where)
    if given.dtype == bool:
        if given.shape != machine.shape or not given.any():
            raise ValueError(
                f"{name}: got {given.sum()} cells of shape {given.shape}, expected some of {machine.shape}"
            )
        return given.ravel()
    out = np.zeros(machine.potential.size, bool)
    out[_cell(machine, name, where)] = True
    return out
