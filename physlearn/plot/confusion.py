"""Confusion matrices."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array
from physlearn.plot._axes import axes_or_new, labels_of


def plot_confusion(counts, labels=None, *, ax=None):
    """Counts of predicted against true classes, shaded by the fraction of the true class.

    Parameters
    ----------
    counts : (k, k) array of int
        Row: true class; column: predicted class.
    labels : sequence of str, optional
        Names of the classes; default their numbers.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = plot_confusion([[9, 1], [0, 10]], ["cat", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['9', '1', '0', '10']
    """
    counts = array("counts", counts)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.size == 0:
        raise ValueError(f"counts: shape {counts.shape}, expected (k, k)")
    if not np.all(counts >= 0):
        raise ValueError("counts: some are negative or not finite, expected numbers of samples")
    k = len(counts)
    labels = labels_of("labels", range(k) if labels is None else labels, k, "class")
    side = 2.2 + 0.35 * min(k, 20)
    ax = axes_or_new(ax, (side + 0.7, side))
    fraction = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    image = ax.imshow(fraction, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        # white on the dark half of the map: contrast of at least 4.5 to 1 everywhere
        shade = "white" if fraction[row, column] > 0.55 else "black"
        size = "medium" if k <= 12 else "xx-small"
        ax.text(column, row, f"{count:g}", ha="center", va="center", color=shade, fontsize=size)
    long = max(len(label) for label in labels) > 8 - k // 4
    ax.set_xticks(range(k), labels, rotation=40 if long else 0, ha="right" if long else "center")
    ax.set_yticks(range(k), labels)
    ax.tick_params(length=0)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.figure.colorbar(image, ax=ax, label="fraction of true class", shrink=0.9)
    return ax
