"""Phase planes: the flow of two variables.  Arrays in SI; drawn in the units of the labels."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, flag, seen, sequence
from physlearn.plot._axes import COLORS, axes_or_new, labels_of, line_of, numbers_of


def plot_phase_plane(
    x, y, dx, dy, *, trajectory=None, fixed_points=None, labels=("V (mV)", "n"), scale=(1e3, 1.0), ax=None
):
    """Flow of two variables, with nullclines, fixed points and a trajectory.

    Parameters
    ----------
    x, y : (p,) and (q,) array
        The grid.
    dx, dy : (q, p) array
        Time derivatives on it; their zeros are the nullclines.
    trajectory : (x, y), optional
        Two arrays (k,); NaN breaks the line, as at a reset.
    fixed_points : sequence of (x, y, stable), optional
        Filled where stable, open where not.
    labels : (str, str)
        Labels of the axes, in the units drawn.
    scale : (float, float)
        Factors from the arrays' units to those drawn: 1e3 draws volts in mV.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np
    >>> x = y = np.linspace(-1.0, 1.0, 11)
    >>> ax = plot_phase_plane(x, y, np.tile(x, (11, 1)), np.tile(-y[:, None], 11),
    ...                       fixed_points=[(0.0, 0.0, False)], labels=("x", "y"), scale=(1, 1))
    >>> [t.get_text() for t in ax.get_legend().get_texts()]
    ['dx/dt = 0', 'dy/dt = 0', 'unstable']
    """
    scale = array("scale", scale, shape=(2,))
    if np.any(scale <= 0):
        raise ValueError(f"scale: got {seen(scale)}, expected two positive factors")
    x, y = numbers_of("x", x) * scale[0], numbers_of("y", y) * scale[1]
    for name, values in (("x", x), ("y", y)):
        if len(values) < 2 or np.any(np.diff(values) <= 0):
            raise ValueError(f"{name}: got {seen(values)}, expected at least two numbers that rise")
    dx, dy = array("dx", dx) * scale[0], array("dy", dy) * scale[1]
    for name, field in (("dx", dx), ("dy", dy)):
        if field.shape != (len(y), len(x)):
            raise ValueError(
                f"{name}: shape {field.shape}, expected {(len(y), len(x))}: a row for each y, a column for each x"
            )
    labels = labels_of("labels", labels, 2, "axis")
    if trajectory is not None:
        trajectory = line_of("trajectory", trajectory, finite=False)
    points = [] if fixed_points is None else sequence("fixed_points", fixed_points, expected="a list of (x, y, stable)")
    for point in points:
        if not isinstance(point, tuple | list) or len(point) != 3:
            raise ValueError(f"fixed_points: got {seen(point)}, expected (x, y, stable)")
        array("fixed_points", point[:2])
        flag("fixed_points: stable", point[2])
    ax = axes_or_new(ax, (5.2, 4.0))
    ax.streamplot(x, y, dx, dy, color="0.8", density=0.9, linewidth=0.6, arrowsize=0.7)
    first, second = (text.split(" (")[0] for text in labels)
    for field, color, name in ((dx, COLORS[1], f"d{first}/dt = 0"), (dy, COLORS[2], f"d{second}/dt = 0")):
        if field.min() < 0 < field.max():
            ax.contour(x, y, field, levels=[0.0], colors=[color], linewidths=1.6)
            ax.plot([], [], color=color, linewidth=1.6, label=name)
    if trajectory is not None:
        ax.plot(
            *(values * factor for values, factor in zip(trajectory, scale, strict=True)),
            color=COLORS[0],
            linewidth=1.2,
        )
    named = set()
    for px, py, stable in points:
        name = "stable" if stable else "unstable"
        face = "black" if stable else "white"
        ax.plot(
            px * scale[0],
            py * scale[1],
            "o",
            color="black",
            markerfacecolor=face,
            markersize=7,
            zorder=5,
            label=None if name in named else name,
        )
        named.add(name)
    ax.set(xlabel=labels[0], ylabel=labels[1], xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4)
    return ax
