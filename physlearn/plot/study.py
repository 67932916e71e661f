"""Pictures of scans: heat maps over two parameters, curves with bands over replicates.

They take labelled arrays (`xarray.DataArray`), such as the variables of `Study.to_dataset()`: coordinates become
axes, ``attrs["units"]`` and ``attrs["long_name"]`` become labels.  An axis is logarithmic if the coordinate's
``attrs["scale"]`` is "log", or if it has none and its values are spaced geometrically.  Replicates are the dimension
"replicate".
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, instance, seen
from physlearn.plot._axes import axes_or_new, legend_beside
from physlearn.plot._scales import (
    REPLICATE,
    Axis,
    colour_norm,
    label_of,
    labelled,
    limits_of,
    mean_over_replicates,
    text_of,
)

MISSING = "0.88"  # the grey behind points that have no value


def plot_heat_map(data, *, x=None, y=None, contours=5, limits=None, norm=None, cmap="viridis", ax=None):
    """An observable over two parameters, with contours; points without a value are hatched.

    Parameters
    ----------
    data : xarray.DataArray
        Two dimensions, and "replicate", over which the mean of the available values is shown.
    x, y : str, optional
        Dimensions of the axes; default the last is x.
    contours : int
        Approximate number of contours; 0 for none.  They need numbers on both axes.
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
        Other than two dimensions; a name that is not one of them.

    Examples
    --------
    >>> import xarray
    >>> grid = {"temperature": [0.0, 0.5, 1.0], "load": [0.05, 0.1, 0.15, 0.2]}
    >>> data = xarray.DataArray(np.arange(12.0).reshape(3, 4), grid, name="overlap")
    >>> plot_heat_map(data).get_xlabel()
    'load'
    """
    from matplotlib.colors import Colormap, Normalize

    data = mean_over_replicates(labelled(data))
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
    """Curves: the mean over replicates (the median for bands of quantiles), and a band of their scatter.

    Parameters
    ----------
    data : xarray.DataArray
        One dimension, or two of which one distinguishes the curves, and "replicate".  Values that are not finite are
        left out; the vertical axis is logarithmic if all are positive and span more than two decades.
    x : str, optional
        Dimension of the horizontal axis; default the last.
    hue : str, optional
        Dimension that distinguishes the curves; default the other.
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
        Other than one or two dimensions; a name that is not one of them.

    Examples
    --------
    >>> import xarray
    >>> data = xarray.DataArray([[1.0, 0.1], [2.0, 0.2]], dims=["replicate", "epoch"], name="cost")
    >>> ax = plot_bands(data)
    >>> ax.lines[0].get_ydata()
    array([1.5 , 0.15])
    """
    dims = tuple(d for d in labelled(data).dims if d != REPLICATE)
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


def _shades(n):
    """Colours in order, from dark to light but never too light for white paper."""
    from matplotlib import colormaps

    return colormaps["viridis"](np.linspace(0.0, 0.82, max(n, 2)))[:n]
