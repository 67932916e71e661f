"""Pictures of scans: heat maps over two parameters, curves with bands over replicates, refined spaces.

They take labelled arrays (`xarray.DataArray`), such as the variables of `Study.to_dataset()`: coordinates become
axes, ``attrs["units"]`` and ``attrs["long_name"]`` become labels.  An axis is logarithmic if the coordinate's
``attrs["scale"]`` is "log", or if it has none and the values are spaced so.  Replicates are the dimension
"replicate".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.checks import array, count, instance, seen, text
from physlearn.plot._axes import axes_or_new, legend_beside
from physlearn.plot._scales import Axis, colour_norm, label_of, limits_of, text_of

REPLICATE = "replicate"
MISSING = "0.88"  # the grey behind points that have no value


def plot_heat_map(data, *, x=None, y=None, contours=5, limits=None, norm=None, cmap="viridis", ax=None):
    """An observable over two parameters, with contours; points without a value are hatched.

    Parameters
    ----------
    data : xarray.DataArray
        Two dimensions, and "replicate", over which the mean of what there is is shown.
    x, y : str, optional
        Dimensions of the axes; default the last is x.
    contours : int
        About how many contours; 0 for none.  They need numbers on both axes.
    limits : (float, float), optional
        Values at the ends of the colours; default the extremes.
    norm : str or matplotlib.colors.Normalize, optional
        Scale of the colours, such as "log" or ``matplotlib.colors.TwoSlopeNorm(0.0)``; default linear.
    cmap : str or Matplotlib colour map
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Not two dimensions; a name that is not one of them.

    Examples
    --------
    >>> import xarray
    >>> grid = {"temperature": [0.0, 0.5, 1.0], "load": [0.05, 0.1, 0.15, 0.2]}
    >>> data = xarray.DataArray(np.arange(12.0).reshape(3, 4), grid, name="overlap")
    >>> plot_heat_map(data).get_xlabel()
    'load'
    """
    from matplotlib.colors import Colormap, Normalize

    data = _mean(_labelled(data))
    contours = count("contours", contours, 0, most=1000)
    limits = None if limits is None else limits_of(limits)
    if data.ndim != 2:
        raise ValueError(f"data: dimensions {data.dims}, expected two (and {REPLICATE!r})")
    x, y = _two_names(data.dims, x, y, "y")
    data = _sorted(_sorted(data.transpose(y, x), x), y)
    values = np.ma.masked_invalid(np.asarray(data, dtype=float))
    ax = axes_or_new(ax, (5.0, 3.8))
    across, up = Axis(data[x]), Axis(data[y])
    norm = colour_norm(norm, limits, values)
    instance("cmap", cmap, (str, Colormap), "the name of a colour map, or one of Matplotlib's")
    ax.patch.set(facecolor=MISSING, hatch="////", edgecolor="0.7")
    image = ax.pcolormesh(across.edges, up.edges, values, cmap=cmap, norm=norm, rasterized=True)
    numbers = across.numbers and up.numbers and min(values.shape) > 1
    if contours and numbers and values.count() > 3 and np.ptp(values.compressed()) > 0:
        levels = norm.inverse(np.linspace(0.0, 1.0, contours + 2)[1:-1]) if type(norm) is not Normalize else contours
        lines = ax.contour(across.at, up.at, values, levels=levels, colors="white", linewidths=0.9, alpha=0.9)
        ax.clabel(lines, fontsize="x-small", fmt="%.4g")
    across.draw(ax, "x")
    up.draw(ax, "y")
    ax.set(xlim=across.edges[[0, -1]], ylim=up.edges[[0, -1]])
    ax.figure.colorbar(image, ax=ax, label=label_of(data), pad=0.02)
    return ax


def plot_bands(data, *, x=None, hue=None, band="range", ax=None):
    """Curves: the mean over replicates (of quantiles the median), and a band of their scatter.

    Parameters
    ----------
    data : xarray.DataArray
        One dimension, or two of which one tells the curves apart, and "replicate".  Values that are not finite
        are left out; the vertical axis is logarithmic where all are positive and span more than two decades.
    x : str, optional
        Dimension of the horizontal axis; default the last.
    hue : str, optional
        Dimension that tells curves apart; default the other.
    band : {"range", "sd", "se"} or (float, float)
        From the smallest replicate to the largest; one standard deviation, or standard error of the mean, to either
        side; or between two quantiles, such as (0.25, 0.75), about the median.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Not one or two dimensions; a name that is not one of them.

    Examples
    --------
    >>> import xarray
    >>> data = xarray.DataArray([[1.0, 0.1], [2.0, 0.2]], dims=["replicate", "epoch"], name="cost")
    >>> ax = plot_bands(data)
    >>> ax.lines[0].get_ydata()
    array([1.5 , 0.15])
    """
    dims = tuple(d for d in _labelled(data).dims if d != REPLICATE)
    if len(dims) not in (1, 2):
        raise ValueError(f"data: dimensions {data.dims}, expected one or two (and {REPLICATE!r})")
    if len(dims) == 1:
        if x is not None and x != dims[0] or hue is not None:
            raise ValueError(f"x, hue: got {x!r}, {hue!r}; the only dimension is {dims[0]!r}")
        x = dims[0]
    else:
        x, hue = _two_names(dims, x, hue, "hue")
    order = [d for d in (hue, REPLICATE, x) if d in data.dims]
    data = _sorted(data.transpose(*order), x)
    values = np.asarray(data, dtype=float)
    values = np.where(np.isfinite(values), values, np.nan)
    curves = values.reshape(data.sizes[hue] if hue else 1, -1, data.sizes[x])
    ax = axes_or_new(ax, (5.0, 3.8))
    across = Axis(data[x])
    colors = _shades(len(curves)) if hue else ["C0"]
    marker = "o" if curves.shape[2] <= 30 else None
    for k, (rows, color) in enumerate(zip(curves, colors, strict=True)):
        known = np.isfinite(rows).any(0)
        if not known.any():
            continue
        name = text_of(data[hue].values[k]) if hue else None
        if name and name.startswith("_"):  # which keeps a curve out of the legend
            name = f" {name}"
        at, rows = across.at[known], rows[:, known]
        middle, low, high = _band(rows, band)
        ax.plot(at, middle, color=color, label=name, marker=marker, markersize=3.5, linewidth=1.5)
        if len(rows) > 1:
            ax.fill_between(at, low, high, color=color, alpha=0.18, linewidth=0)
    across.draw(ax, "x")
    finite = curves[np.isfinite(curves)]
    if finite.size and finite.min() > 0 and finite.max() > 100 * finite.min():
        ax.set_yscale("log")
    ax.set_ylabel(label_of(data))
    ax.spines[["top", "right"]].set_visible(False)
    if hue and ax.lines:
        legend_beside(ax, title=label_of(data[hue]), fontsize="small", title_fontsize="small")
    return ax


def plot_refined(data, *, x=None, y=None, limits=None, ax=None):
    """An observable at scattered points of two parameters: a map between them, the points, and a contour half way.

    For spaces that were refined, listed or drawn at random.  Colours between points are interpolated over
    triangles; dots are the points, crosses those without a value.

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
        Not one dimension; no two such coordinates.

    Examples
    --------
    >>> import xarray
    >>> at = {"load": ("point", [0.0, 0.1, 0.0, 0.1]), "temperature": ("point", [0.0, 0.0, 1.0, 1.0])}
    >>> plot_refined(xarray.DataArray([1.0, 1.0, 0.0, 0.0], at, "point", "overlap")).get_ylabel()
    'temperature'
    """
    data = _mean(_labelled(data))
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


def _band(rows, band):
    """The line and the ends of its band, from replicates (r, k)."""
    if not isinstance(band, str):
        low, high = array("band", band, shape=(2,)) if isinstance(band, tuple | list | np.ndarray) else (np.nan, np.nan)
        if not 0 <= low < high <= 1:
            raise ValueError(f"band: got {band!r}, expected 'range', 'sd', 'se' or two quantiles, such as (0.25, 0.75)")
        low, middle, high = np.nanquantile(rows, [low, 0.5, high], axis=0)
        return middle, low, high
    if band not in ("range", "sd", "se"):
        raise ValueError(f"band: got {band!r}, expected 'range', 'sd', 'se' or two quantiles, such as (0.25, 0.75)")
    middle, count = np.nanmean(rows, 0), np.isfinite(rows).sum(0)
    if band == "range":
        return middle, np.nanmin(rows, 0), np.nanmax(rows, 0)
    spread = np.sqrt(np.nansum((rows - middle) ** 2, 0) / np.maximum(count - 1, 1))
    spread = spread / np.sqrt(count) if band == "se" else spread
    return middle, middle - spread, middle + spread


def _labelled(data):
    """The data, if they are a labelled array of numbers."""
    if isinstance(data, type) or not all(hasattr(data, name) for name in ("dims", "coords", "sizes", "attrs")):
        raise TypeError(f"data: got {seen(data)}, expected an xarray.DataArray")
    if not hasattr(data, "dtype") or data.dtype.kind not in "biuf":
        raise TypeError(f"data: got {getattr(data, 'dtype', 'a Dataset')}, expected an xarray.DataArray of numbers")
    return data


def _mean(data):
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
        return data.mean(REPLICATE, skipna=True, keep_attrs=True) if REPLICATE in data.dims else data


def _sorted(data, name):
    return data.sortby(name) if name in data.coords and data[name].dtype.kind in "iuf" else data


def _two_names(dims, x, other, second):
    for what, name in (("x", x), (second, other)):
        if name is not None and (not isinstance(name, str) or name not in dims):
            raise ValueError(f"{what}: got {seen(name)}, expected among the dimensions {dims}")
    if x is None:
        x = next(d for d in reversed(dims) if d != other)
    if other is None:
        other = next(d for d in dims if d != x)
    if x == other:
        raise ValueError(f"x, {second}: got {x!r} twice, expected both of {dims}")
    return x, other


def _triangles(x, y):
    """Triangles between points, in units of the extents; None where there are none."""
    from scipy.spatial import Delaunay, QhullError

    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    try:
        return Delaunay(np.stack([(x - x.min()) / np.ptp(x), (y - y.min()) / np.ptp(y)], 1)).simplices
    except QhullError:  # all on one line
        return None


def _shades(n):
    """Colours in order, from dark to light but never too light for white paper."""
    from matplotlib import colormaps

    return colormaps["viridis"](np.linspace(0.0, 0.82, max(n, 2)))[:n]
