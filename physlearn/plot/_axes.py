"""The axes of a picture, and checks of its labels and lines."""

from __future__ import annotations

from numbers import Real

import numpy as np

from physlearn.checks import array, instance, sequence

# dark to light, distinct in grey as well
COLORS = ("#1f3b73", "#c8553d", "#4f9d69", "#8d6a9f")


def axes_or_new(ax, size=(5.0, 3.6), name="ax"):
    """The axes given, or those of a new figure of a size in inches."""
    if ax is not None:
        from matplotlib.axes import Axes

        return instance(name, ax, Axes, "matplotlib axes, such as plt.subplots() gives, or None")
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def legend_beside(ax, **settings):
    """The legend to the right of the axes, where it covers no data."""
    return ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, **settings)


def caption(name, value):
    """Text to show, or None."""
    return value if value is None else instance(name, value, str, "text to show, or None")


def labels_of(name, values, count, what) -> list[str]:
    """Names to show, ``count`` of them."""
    letters = tuple(values) if isinstance(values, str) else values  # "ABC" names three things
    found = sequence(name, letters, (str, Real, np.generic), f"names to show, one for each {what}")
    if len(found) != count:
        raise ValueError(f"{name}: got {len(found)}, expected {count}, one for each {what}")
    return [str(text) for text in found]


def line_of(name, pair, *, finite=True):
    """A line to compare with: two arrays (k,)."""
    both = sequence(name, pair, expected="two arrays (k,), across and up")
    if len(both) != 2:
        raise ValueError(f"{name}: got {len(both)} entries, expected two arrays (k,), across and up")
    across, up = both
    across, up = array(name, across, ndim=1, finite=finite), array(name, up, ndim=1, finite=finite)
    if across.shape != up.shape:
        raise ValueError(f"{name}: got {len(across)} and {len(up)} numbers, expected as many across as up")
    return across, up


def coordinates(name, values):
    """Numbers along an axis, (k,), at least one."""
    found = array(name, values, ndim=1)
    if not found.size:
        raise ValueError(f"{name}: got no numbers, expected (k,) of them")
    return found


def numbers_of(name, values, length=None):
    """Numbers (k,), as many as ``length``."""
    values = array(name, values)
    if values.ndim != 1 or values.size == 0 or (length is not None and len(values) != length):
        raise ValueError(f"{name}: shape {values.shape}, expected ({'k' if length is None else length},)")
    return values


def open_frame(ax):
    """Take away the upper and the right spine."""
    ax.spines[["top", "right"]].set_visible(False)
