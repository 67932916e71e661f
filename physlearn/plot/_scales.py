"""Labelled arrays on paper: the axes, colours and names of pictures of scans."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, seen

REPLICATE = "replicate"


def labelled(data):
    """The data, if they are a labelled array of numbers."""
    if isinstance(data, type) or not all(hasattr(data, name) for name in ("dims", "coords", "sizes", "attrs")):
        raise TypeError(f"data: got {seen(data)}, expected an xarray.DataArray")
    if not hasattr(data, "dtype") or data.dtype.kind not in "biuf":
        raise TypeError(f"data: got {getattr(data, 'dtype', 'a Dataset')}, expected an xarray.DataArray of numbers")
    return data


def mean_over_replicates(data):
    """The mean of the replicates that have a value."""
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
        return data.mean(REPLICATE, skipna=True, keep_attrs=True) if REPLICATE in data.dims else data


def label_of(data) -> str:
    """Name of a variable or coordinate, with its units: "current (A)"."""
    name, units = data.attrs.get("long_name") or data.name or "", data.attrs.get("units", "")
    return f"{name} ({units})" if units and units != "1" else str(name)


def text_of(value) -> str:
    """A value as text; dollar signs do not start mathematics."""
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value).replace("$", r"\$")


def is_geometric(values) -> bool:
    """Whether numbers are spaced evenly in their logarithm rather than evenly."""
    values = np.unique(np.asarray(values, dtype=float))
    values = values[np.isfinite(values)]
    if len(values) < 3 or values[0] <= 0 or values[-1] < 10 * values[0]:
        return False
    uneven, uneven_log = (np.std(np.diff(v)) / np.ptp(v) for v in (values, np.log(values)))
    return bool(uneven_log < 0.5 * uneven)


class Axis:
    """A coordinate on paper: positions of its values, edges of their cells, scale and ticks."""

    def __init__(self, coordinate):
        self.coordinate = coordinate
        values = np.asarray(coordinate.values)
        self.numbers = values.dtype.kind in "iuf" and bool(np.all(np.isfinite(values)))
        self.at = values.astype(float) if self.numbers else np.arange(float(len(values)))
        scale = coordinate.attrs.get("scale")
        self.log = self.numbers and self.at.min() > 0 and (scale == "log" or (scale is None and is_geometric(self.at)))
        self.scaled = np.log(self.at) if self.log else self.at
        self.placed = np.isfinite(self.scaled)

    @property
    def edges(self):
        s = self.scaled
        if len(s) == 1:
            width = abs(s[0]) * 0.1 or 0.5
            edges = np.array([s[0] - width, s[0] + width])
        else:
            middles = (s[1:] + s[:-1]) / 2
            edges = np.concatenate([[2 * s[0] - middles[0]], middles, [2 * s[-1] - middles[-1]]])
        return np.exp(edges) if self.log else edges

    def draw(self, ax, which):
        """Set scale, ticks and label of the axis "x" or "y"."""
        if self.log:
            ax.set(**{f"{which}scale": "log"})
        if not self.numbers:
            ax.set(**{f"{which}ticks": self.at, f"{which}ticklabels": [text_of(v) for v in self.coordinate.values]})
        ax.set(**{f"{which}label": label_of(self.coordinate)})


def limits_of(limits):
    """Two rising numbers: the values at the ends of the colours."""
    low, high = array("limits", limits, shape=(2,)).tolist()
    if not low < high:
        raise ValueError(f"limits: got {limits!r}, expected two rising numbers")
    return low, high


def colour_norm(norm, limits, values):
    """Scale of the colours, with both ends set."""
    import matplotlib.colors as mc

    known = {"linear": mc.Normalize, "log": mc.LogNorm, "symlog": lambda: mc.SymLogNorm(1.0)}
    if norm is None or isinstance(norm, str):
        if norm not in (None, *known):
            raise ValueError(f"norm: got {norm!r}, expected one of {list(known)} or a matplotlib.colors.Normalize")
        norm = known[norm or "linear"]()
    elif not isinstance(norm, mc.Normalize):
        raise TypeError(f"norm: got {norm!r}, expected 'log' or a matplotlib.colors.Normalize")
    if limits is not None:
        norm.vmin, norm.vmax = limits
    if isinstance(norm, mc.LogNorm):
        values = np.ma.masked_less_equal(values, 0.0)
        if not values.count():
            raise ValueError("norm: no value is positive, so logarithmic colours have nothing to show")
    norm.autoscale_None(values)
    return norm
