"""Where a picture goes."""

from __future__ import annotations


def axes_or_new(ax, size=(5.0, 3.6)):
    """The axes given, or those of a new figure of a size in inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def legend_beside(ax, **settings):
    """The legend to the right of the axes, where it covers no data."""
    return ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, **settings)
