"""Learning curves."""

from __future__ import annotations

import numpy as np

from physlearn.plot._axes import axes_or_new


def plot_learning_curve(history, *, epochs=None, label=None, ylabel=None, color=None, ax=None):
    """Cost against epoch on a logarithmic axis; replicates as mean and range.

    Call it again with the same ``ax`` to compare; labelled curves make a legend.

    Parameters
    ----------
    history : (epochs,) or (replicates, epochs) array
        Such as ``Training.cost``.  Of replicates the line is the mean, the band reaches from the
        smallest to the largest.  Values that are zero or not finite leave a gap.
    epochs : (epochs,) array, optional
        Where the values belong; default 1, 2, ...
    label : str, optional
        Name in the legend.
    ylabel : str, optional
        With units, such as "mean squared error (V²)"; default "cost" on axes without a label.
    color : Matplotlib colour, optional
        Default the axes' next colour.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = plot_learning_curve([1.0, 0.1, 0.01], ylabel="mean squared error (V²)")
    >>> ax.get_yscale()
    'log'
    """
    values = np.asarray(history, dtype=float)
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(f"history: shape {values.shape}, expected (epochs,) or (replicates, epochs)")
    rows = np.atleast_2d(values)
    where = np.arange(1, rows.shape[1] + 1) if epochs is None else np.asarray(epochs)
    if where.shape != rows.shape[1:]:
        raise ValueError(f"epochs: shape {where.shape}, expected {rows.shape[1:]}, one per value")
    if not np.any(rows > 0):
        raise ValueError("history: no value is positive, so a logarithmic axis has nothing to show")
    ax = axes_or_new(ax, (3.6, 2.7))
    positive = np.where(np.isfinite(rows) & (rows > 0), rows, np.nan)
    single = "o" if rows.shape[1] == 1 else None  # a line of one point would be invisible
    (line,) = ax.plot(where, positive.mean(0), color=color, label=label, marker=single, linewidth=1.5)
    if len(rows) > 1:
        low, high = positive.min(0), positive.max(0)
        ax.fill_between(where, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    ax.set(xlabel="epoch", ylabel=ylabel or ax.get_ylabel() or "cost", yscale="log")
    ax.spines[["top", "right"]].set_visible(False)
    if label is not None:
        ax.legend(frameon=False)
    return ax
