"""Pictures of scans whose points form no grid: refined, listed or drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import text
from physlearn.plot._axes import axes_or_new
from physlearn.plot._scales import REPLICATE, Axis, label_of, labelled, limits_of, mean_over_replicates


def plot_refined(data, *, x=None, y=None, limits=None, ax=None):
    """An observable at scattered points of two parameters: an interpolated map, the points, and a contour half way.

    For spaces that were refined, listed or drawn at random.  Colours are interpolated over triangles between points;
    dots are the points, crosses those without a value.

    Parameters
    ----------
    data : xarray.DataArray
        One dimension with two coordinates of numbers along it, and "replicate", over which the mean is shown.
    x, y : str, optional
        Names of the coordinates; default the first two.
    limits : (float, float), optional
        Values at the ends of the colours; default the extremes.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Other than one dimension; fewer than two such coordinates.

    Examples
    --------
    >>> import xarray
    >>> at = {"load": ("point", [0.0, 0.1, 0.0, 0.1]), "temperature": ("point", [0.0, 0.0, 1.0, 1.0])}
    >>> plot_refined(xarray.DataArray([1.0, 1.0, 0.0, 0.0], at, "point", "overlap")).get_ylabel()
    'temperature'
    """
    data = mean_over_replicates(labelled(data))
    limits = None if limits is None else limits_of(limits)
    for name, value in (("x", x), ("y", y)):
        if value is not None:
            text(name, value, "the name of a coordinate")
    if data.ndim != 1:
        raise ValueError(f"data: dimensions {data.dims}, expected one, of points (and {REPLICATE!r})")
    numbers = [name for name, at in data.coords.items() if at.dims == data.dims and at.dtype.kind in "iuf"]
    numbers = [name for name in numbers if name != data.dims[0]]
    if len(numbers) < 2:
        raise ValueError(f"data: coordinates of numbers {numbers}, expected at least two along {data.dims[0]!r}")
    x, y = x or numbers[0], y or next(name for name in numbers if name != (x or numbers[0]))
    if missing := {x, y} - set(numbers):
        raise ValueError(f"x, y: got {x!r}, {y!r}; {sorted(missing)} not among the coordinates {numbers}")
    values = np.asarray(data, dtype=float)
    known = np.isfinite(values)
    across, up = Axis(data[x]), Axis(data[y])
    ax = axes_or_new(ax, (5.0, 3.8))
    low, high = limits or ((values[known].min(), values[known].max()) if known.any() else (0.0, 1.0))
    color: dict[str, Any] = {"cmap": "viridis", "vmin": low, "vmax": high}
    inside = known & across.placed & up.placed
    px, py, pz = across.at[inside], up.at[inside], values[inside]
    triangles = _triangles(across.scaled[inside], up.scaled[inside])
    if triangles is not None:
        from matplotlib.tri import Triangulation

        between = Triangulation(px, py, triangles)
        ax.tripcolor(between, pz, shading="gouraud", rasterized=True, **color)
        middle = (low + high) / 2
        if pz.min() < middle < pz.max():
            ax.tricontour(between, pz, levels=[middle], colors="white", linewidths=1.6)
    size = float(np.clip(1500 / max(len(values), 1), 3, 36))
    dots = ax.scatter(px, py, size, pz, edgecolors="white", linewidths=0.3 if size < 8 else 0.6, zorder=3, **color)
    if not known.all():
        ax.plot(across.at[~known], up.at[~known], "x", color="#c0392b", markersize=4.5, label="no value", zorder=4)
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize="small")
    across.draw(ax, "x")
    up.draw(ax, "y")
    ax.margins(0.03)
    ax.figure.colorbar(dots, ax=ax, label=label_of(data), pad=0.02)
    return ax


def _triangles(x, y):
    """Triangles between points, in units of the extents; None where there are none."""
    from scipy.spatial import Delaunay, QhullError

    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    try:
        return Delaunay(np.stack([(x - x.min()) / np.ptp(x), (y - y.min()) / np.ptp(y)], 1)).simplices
    except QhullError:  # all on one line
        return None
