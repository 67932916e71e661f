"""Pictures of a study's results: curves over one parameter, maps over two, learning curves.

The dimensions of the variable "status" are the study's: its parameters (or "point", for spaces that are not
grids) and "replicate".  Any further dimensions of a variable are its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.plot._scales import REPLICATE, label_of, text_of
from physlearn.plot.refined import plot_refined
from physlearn.plot.study import plot_bands, plot_heat_map

PANELS, CURVES = 6, 8  # most panels in a picture, most curves in a panel


class Picture(NamedTuple):
    """A figure with its title and caption."""

    title: str
    caption: str
    figure: Any


def space_of(dataset) -> list:
    """Dimensions of the space: those of "status" without the replicates."""
    return [d for d in dataset["status"].dims if d != REPLICATE]


def scalars_of(dataset) -> list:
    """Names of the variables that are one number at each point."""
    dims = {*dataset["status"].dims}
    numbers = [name for name, v in dataset.data_vars.items() if v.dtype.kind in "iufb" and {*v.dims} <= dims]
    return [name for name in numbers if name != "status"]


def pictures(dataset) -> tuple:
    """Pictures of the scalars, and of the arrays of one dimension; see `Task.dims`.

    Parameters
    ----------
    dataset : xarray.Dataset
        With a variable "status"; see the module.

    Returns
    -------
    scalars, curves : lists of Picture
        A variable that cannot be drawn gives a picture without a figure, whose caption says why.
    """
    space = [d for d in space_of(dataset) if dataset.sizes[d] > 1]
    dataset = dataset.isel({d: 0 for d in space_of(dataset) if d not in space}, drop=True)
    for d in space:  # a zip group: its first parameter of numbers that differ stands for it
        names = [name for name in _along(dataset, d) if d != "point" and d not in dataset.coords]
        names = [n for n in names if dataset[n].dtype.kind in "iuf" and len(np.unique(dataset[n])) == dataset.sizes[d]]
        if names:
            dataset = dataset.swap_dims({d: names[0]})
            space[space.index(d)] = names[0]
    scattered = "point" in space
    scalars, curves = [], []
    for name in scalars_of(dataset) if space else ():
        draw = _scattered if scattered else _on_grid
        scalars.append(_tried(draw, dataset[name].astype(float), space))
    for variable, own in _traces(dataset):
        curves.append(_tried(_curves, variable.astype(float), space, own))
    return [p for p in scalars if p], [p for p in curves if p]


def _traces(dataset):
    """Arrays of one dimension, each with that dimension: those with a named dimension, or all if none is named."""
    found = []
    for name, v in dataset.data_vars.items():
        own = [d for d in v.dims if d not in dataset["status"].dims]
        if len(own) == 1 and v.sizes[own[0]] > 1 and v.dtype.kind in "iufb":
            found.append((v, own[0], own[0].rstrip("_") != f"{name}_0"))
    some = any(named for *_, named in found)
    return [(v, own) for v, own, named in found if named or not some]


def _tried(draw, variable, *rest):
    title = label_of(variable)
    if not np.isfinite(variable.values).any():
        none = "No point has a value yet." if np.isnan(variable.values).all() else "No point has a finite value."
        return Picture(title, none, None)
    try:
        return draw(title, variable, *rest)
    except Exception as error:  # the other pictures and the numbers are worth more than this one
        return Picture(title, f"Could not be drawn: {type(error).__name__}: {error}", None)


def _on_grid(title, v, space):
    ranked = sorted(space, key=lambda d: (v[d].dtype.kind not in "iuf", -v.sizes[d]))
    if len(space) == 1:
        return Picture(title, _about(v, bands=True), _panels(v, [], lambda data, ax: plot_bands(data, ax=ax)))
    first, second = ranked[:2]
    if v[second].dtype.kind not in "iuf" or v.sizes[second] <= 3:
        shown, note = _thinned(v, second, CURVES)
        figure, left = _faceted(shown, ranked[2:], lambda data, ax: plot_bands(data, x=first, hue=second, ax=ax))
        return Picture(title, _about(v, bands=True) + note + left, figure)
    x, y = (d for d in space if d in (first, second))
    limits = _limits(v)
    finite = v.where(np.isfinite(v))
    error = finite.std(REPLICATE, ddof=1) / finite.count(REPLICATE) ** 0.5 if v.sizes.get(REPLICATE, 1) > 2 else None
    if len(space) == 2 and error is not None and np.isfinite(error.values).any():
        error.attrs, error.name = {"long_name": "standard error", "units": v.attrs.get("units", "")}, "error"
        figure, axes = _figure(2)
        plot_heat_map(v, x=x, y=y, ax=axes[0])
        top = float(error.max()) or 1.0
        plot_heat_map(error, x=x, y=y, contours=0, limits=(0.0, top), cmap="magma", ax=axes[1])
        return Picture(title, _about(v) + " Right: standard error of that mean.", figure)
    figure, left = _faceted(v, ranked[2:], lambda data, ax: plot_heat_map(data, x=x, y=y, limits=limits, ax=ax))
    return Picture(title, _about(v) + left, figure)


def _scattered(title, v, space):
    point = space[0]
    if len(space) > 1:
        raise ValueError(f"dimensions {space}, expected one of points")
    at = [name for name in _along(v, point) if len(np.unique(v[name].values)) > 1]
    few = [n for n in at if v[n].dtype.kind not in "iuf" or len(np.unique(v[n].values)) <= min(4, v.sizes[point] // 4)]
    many = [name for name in at if name not in few]
    if len(many) == 2:

        def draw(data, ax):
            return plot_refined(data, x=many[0], y=many[1], limits=_limits(v), ax=ax)

        figure, left = _faceted(v, few, draw)
        return Picture(title, _about(v) + " White line: half way between the extremes." + left, figure)
    if len(many) == 1 and len(at) == 1:
        line = v.swap_dims({point: many[0]})
        return Picture(title, _about(v, bands=True), _panels(line, [], lambda data, ax: plot_bands(data, ax=ax)))
    shown = (many or few)[:PANELS]
    figure, axes = _figure(len(shown))
    mean = _over_replicates(v)
    for ax, name in zip(axes, shown, strict=True):
        ax.plot(np.asarray(v[name].values), mean.values, "o", markersize=3.5, alpha=0.7)
        ax.set(xlabel=label_of(v[name]), ylabel=title)
        ax.spines[["top", "right"]].set_visible(False)
    more = f" Of {len(at)} parameters, {', '.join(shown)} are shown." if len(at) > len(shown) else ""
    return Picture(title, _about(v) + " Every point against one parameter after the other." + more, figure)


def _curves(title, v, space, own):
    ranked = sorted(space, key=lambda d: -v.sizes[d])
    note, hue = "", ranked[0] if ranked else None
    if hue == "point":  # refinement adds points in the order of its work
        v = v.isel({hue: np.lexsort([v[name].values for name in reversed(_along(v, hue))])})
    if hue is not None:
        v, note = _thinned(v, hue, CURVES)
        if hue not in v.coords:  # points: name them by their coordinates
            names = _along(v, hue)
            v = v.assign_coords({hue: [", ".join(f"{n} {_value(v[n].values[k])}" for n in names) for k in v[hue]]})
    figure, left = _faceted(v, ranked[1:], lambda data, ax: plot_bands(data, x=own, hue=hue, ax=ax))
    return Picture(title, _about(v, bands=True) + note + left, figure)


def _faceted(v, names, draw):
    """One panel for each value of the named dimensions or coordinates, at most PANELS of them."""
    groups = [({}, v)]
    for name in names:
        groups = [
            ({**label, name: value}, data.isel({data[name].dims[0]: np.flatnonzero(data[name].values == value)}))
            for label, data in groups
            for value in np.unique(data[name].values)
        ]
    note = f" The first {PANELS} of {len(groups)} combinations of {', '.join(names)}." if len(groups) > PANELS else ""
    groups = groups[:PANELS]
    groups = [(label, data.squeeze([n for n in names if n in data.dims])) for label, data in groups]
    figure, axes = _figure(len(groups), alike=True)
    for ax, (label, data) in zip(axes, groups, strict=True):
        draw(data, ax)
        if label:
            ax.set_title(", ".join(f"{name} = {text_of(value)}" for name, value in label.items()), fontsize="medium")
    _one_legend(figure, axes)
    return figure, note


def _one_legend(figure, axes):
    """One legend for all panels beside them, and room for it; few curves in one panel keep theirs inside."""
    found = [(ax.get_legend(), *ax.get_legend_handles_labels()) for ax in axes if ax.get_legend() is not None]
    if not found or (len(axes) == 1 and len(found[0][2]) <= 4):
        return
    legend, lines, names = max(found, key=lambda item: len(item[2]))
    figure.legend(lines, names, title=legend.get_title().get_text(), loc="outside right upper", frameon=False)
    for old, *_ in found:
        old.remove()
    figure.set_figwidth(figure.get_figwidth() + 0.5 + 0.08 * max(map(len, names)))  # inches


def _panels(v, names, draw):
    return _faceted(v, names, draw)[0]


def _figure(panels, alike=False):
    """A figure of n panels, in rows of at most three, and its axes; if alike, they share their scales."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = min(panels, 3) if panels != 4 else 2
    rows = -(-panels // columns)
    width, height = (5.4, 3.7) if panels == 1 else (4.6, 3.5)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    figure = Figure(figsize=(width * columns, height * rows), layout=layout)
    axes = np.atleast_1d(figure.subplots(rows, columns, sharex=alike, sharey=alike)).ravel()
    for ax in axes[panels:]:
        ax.set_axis_off()
    return figure, axes[:panels]


def _thinned(v, dim, most):
    """At most ``most`` values of a dimension, evenly chosen, and a sentence that says so."""
    if v.sizes[dim] <= most:
        return v, ""
    kept = np.unique(np.linspace(0, v.sizes[dim] - 1, most).round().astype(int))
    return v.isel({dim: kept}), f" Of {v.sizes[dim]} values of {dim}, {len(kept)} are shown."


def _about(v, bands=False):
    replicates = v.sizes.get(REPLICATE, 1)
    mean = _over_replicates(v)
    missing, infinite = int(np.isnan(mean.values).sum()), int(np.isinf(mean.values).sum())
    text = f"Mean over {replicates} replicates" if replicates > 1 else "One replicate"
    text += "; band from the smallest to the largest." if bands and replicates > 1 else "."
    text += f" {missing} of {mean.size} values are missing." if missing else ""
    return text + (f" {infinite} of {mean.size} values are infinite." if infinite else "")


def _over_replicates(v):
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
        return v.mean(REPLICATE, keep_attrs=True) if REPLICATE in v.dims else v


def _limits(v):
    """Extremes of the finite values."""
    mean = _over_replicates(v).values
    mean = mean[np.isfinite(mean)]
    return (float(mean.min()), float(mean.max())) if mean.size else None


def _along(data, dim):
    """Coordinates along a dimension, other than the dimension's own."""
    return [name for name, at in data.coords.items() if at.dims == (dim,) and name != dim]


def _value(value):
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
