"""Cells of a grid and the rates between neighbours: a Fokker-Planck equation as a jump process.

From a cell to its neighbour across a face, with the potential V at both centres and on the face,

    rate = T/h^2 exp(-(V_face - V_cell)/T)

so that both directions balance under exp(-V/T), exactly on any grid, and no mass is lost (Scharfetter and Gummel 1969
in another form; Latorre, Metzner, Hartmann and Schuette 2011).  Rates know differences of V within one cell only: they
do not overflow where exp(V/T) does.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, function, seen, sequence
from physlearn.energy import Energy

MOST = 600.0  # V within half a cell, in T, beyond which a rate leaves the floats
EDGE = 1e-6  # density at the end of a grid, relative to the largest, from which on the law is cut off there


def axes_of(grid) -> tuple[np.ndarray, ...]:
    """Centres of the cells along one or two axes, checked: equally spaced, ascending."""
    expected = "(n,) centres of cells, or two such arrays"
    parts = [grid] if isinstance(grid, np.ndarray) else sequence("grid", grid, expected=expected)
    if not isinstance(grid, np.ndarray) and all(np.ndim(part) == 0 for part in parts):
        parts = [parts]
    found = tuple(array("grid", axis) for axis in parts)
    if not 1 <= len(found) <= 2 or any(axis.ndim != 1 for axis in found):
        raise ValueError(f"grid: got {len(found)} axes of shapes {[axis.shape for axis in found]}, expected {expected}")
    for axis in found:
        step = np.diff(axis)
        if axis.size < 3 or not np.all(step > 0) or np.ptp(step) > 1e-6 * step.mean():
            raise ValueError(f"grid: got {seen(axis)}, expected at least 3 equally spaced, ascending centres of cells")
    return found


def potential_at(energy, points):
    """V at points (k, d), finite numbers (k,)."""
    if isinstance(energy, Energy):
        size = sum(layer.size for layer in energy.layers.values())
        if size != points.shape[1] or len(energy.layers) != 1:
            raise ValueError(
                f"energy: has {size} variables in {len(energy.layers)} layer(s), expected one layer of as many as the "
                f"grid has axes, {points.shape[1]}"
            )
        (layer,) = energy.layers.values()
        value = energy(points.reshape(-1, *layer.shape))
    else:
        value = function("energy", energy, 1, "an Energy, or a function V(x) of (k, d) points")(points)
    found = array("energy", value, finite=False)
    if found.shape != points.shape[:1]:
        raise ValueError(f"energy: V of {points.shape} points has the shape {found.shape}, expected ({len(points)},)")
    if not np.all(np.isfinite(found)):
        at = points[~np.isfinite(found)][0].tolist()
        raise ValueError(f"energy: V is not finite at {at}; leave such points out of the grid")
    return found


def mesh(axes):
    """All combinations of the axes' values, (cells, d), the last axis fastest."""
    return np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], 1)


def rates_of(energy, axes, temperature):
    """V (cells,), and for every face its cells (faces, 2) and the rates there and back, (faces,) each."""
    shape = tuple(len(axis) for axis in axes)
    number, v = np.arange(int(np.prod(shape))).reshape(shape), potential_at(energy, mesh(axes))
    pairs, there, back = [], [], []
    for k, axis in enumerate(axes):
        h = (axis[-1] - axis[0]) / (len(axis) - 1)
        faces = tuple((a[1:] + a[:-1]) / 2.0 if j == k else a for j, a in enumerate(axes))
        v_face = potential_at(energy, mesh(faces))
        a, b = (np.delete(number, end, k).ravel() for end in (-1, 0))
        rise = np.stack([v_face - v[a], v_face - v[b]]) / temperature
        if np.max(np.abs(rise)) > MOST:
            worst = int(np.argmax(np.max(np.abs(rise), 0)))
            raise ValueError(
                f"grid: within half a cell at {mesh(faces)[worst].tolist()} V changes by {np.max(np.abs(rise)):.3g} T, "
                f"more than exponentials hold ({MOST:g}); take smaller cells, cut the walls off, or raise temperature"
            )
        pairs.append(np.stack([a, b], 1))
        there.append(temperature / h**2 * np.exp(-rise[0]))
        back.append(temperature / h**2 * np.exp(-rise[1]))
    return v, np.concatenate(pairs), np.concatenate(there), np.concatenate(back)


def check_held(v, shape, temperature):
    """Refuse a grid at whose ends the law exp(-V/T) has not died out."""
    density = np.exp(-(v - v.min()) / temperature).reshape(shape)
    for axis in range(len(shape)):
        for end, name in ((0, "first"), (-1, "last")):
            edge = np.take(density, end, axis).max()
            if edge > EDGE:
                what = "has no normalisation on" if edge == 1.0 else "does not fit"
                raise ValueError(
                    f"grid: the law exp(-V/T) {what} this grid: at the {name} cells of axis {axis} it is {edge:.2g} of "
                    "its largest value. Take a longer grid; if its ends are walls of the machine, pass walls=True"
                )
