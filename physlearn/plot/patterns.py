"""Patterns as pictures in a grid."""

from __future__ import annotations

import numpy as np

from physlearn import checks
from physlearn.checks import array, integers
from physlearn.plot._axes import axes_or_new, labels_of


def plot_patterns(patterns, shape=None, titles=None, *, columns=None, axes=None, ax=None):
    """Patterns as pictures in a grid, dark where large: 0 and 1, or -1 and +1, are white and black.

    Parameters
    ----------
    patterns : (m, n) or (m, rows, columns) array
        Or a memory with ``patterns``, or the result of a recall with its states ``x``.
    shape : (rows, columns), optional
        Of flat patterns; default square, if n is.
    titles : sequence of str, optional
        One for each.
    columns : int, optional
        Pictures side by side; default about as many as rows, and one row for up to eight.
    axes : sequence of matplotlib.axes.Axes, optional
        One for each picture; default a new figure.
    ax : matplotlib.axes.Axes, optional
        Axes to be replaced by the whole grid.

    Returns
    -------
    array of matplotlib.axes.Axes

    Examples
    --------
    >>> len(plot_patterns(np.ones((2, 6)), (2, 3), ["a", "b"]))
    2
    """
    patterns = _pictures(patterns, shape)
    titles = None if titles is None else labels_of("titles", titles, len(patterns), "of the patterns")
    if axes is not None and ax is not None:
        raise ValueError("axes, ax: got both, expected one for each picture or one for all")
    if axes is None:
        axes = _grid(patterns.shape, columns, ax)
    else:
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(axes) != len(patterns):
            raise ValueError(f"axes: got {len(axes)}, expected {len(patterns)}, one for each of the patterns")
        for place in axes:
            axes_or_new(place, name="axes")
    largest = max(abs(patterns.min()), abs(patterns.max()), 1.0)
    low = -largest if patterns.min() < 0 else 0.0
    for k, (place, picture) in enumerate(zip(axes, patterns, strict=True)):
        place.imshow(picture, cmap="gray_r", vmin=low, vmax=largest, interpolation="nearest")
        place.set(xticks=[], yticks=[])
        if titles is not None:
            place.set_title(titles[k], fontsize="small")
    return axes


def _pictures(patterns, shape):
    """(m, rows, columns) numbers."""
    patterns = getattr(patterns, "patterns", getattr(patterns, "x", patterns))
    patterns = array("patterns", patterns)
    if shape is not None:
        shape = tuple(integers("shape", shape, shape=(2,), low=1).tolist())
    if patterns.ndim == 1:
        patterns = patterns[None]
    if patterns.ndim == 2 and shape is None and np.sqrt(patterns.shape[1]).is_integer():
        shape = (int(np.sqrt(patterns.shape[1])),) * 2
    if patterns.ndim == 2 and shape is not None and np.prod(shape) == patterns.shape[1]:
        patterns = patterns.reshape(-1, *shape)
    if patterns.ndim != 3 or patterns.size == 0:
        raise ValueError(f"patterns: shape {patterns.shape} with shape={shape}, expected (m, rows, columns) pictures")
    return patterns


def _grid(size, columns, ax):
    """Axes for the pictures (m, rows, columns), in the place of ``ax`` or in a new figure."""
    count, columns = size[0], None if columns is None else checks.count("columns", columns)
    across = (count if count <= 8 else int(np.ceil(np.sqrt(count)))) if columns is None else min(columns, count)
    down = -(-count // across)
    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(
            figsize=(1.2 * across, (1.1 * size[1] / size[2] + 0.25) * down + 0.15), layout="constrained"
        )
        grid = figure.add_gridspec(down, across)
    else:
        place = axes_or_new(ax).get_subplotspec()
        if place is None:
            raise ValueError("ax: it is in no grid that could be divided, expected axes from plt.subplots")
        figure, grid = ax.figure, place.subgridspec(down, across)
        ax.set_axis_off()
    return np.array([figure.add_subplot(grid[divmod(k, across)]) for k in range(count)], dtype=object)
