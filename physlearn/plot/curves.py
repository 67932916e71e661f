"""Learning curves."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, seen
from physlearn.plot._axes import axes_or_new, caption, legend_beside


def plot_learning_curve(history, *, epochs=None, label=None, ylabel=None, color=None, ax=None):
    """Cost against epoch on a logarithmic axis; replicates as mean and range; values below zero on a linear one.

    Call it again with the same ``ax`` to compare; labelled curves make a legend.

    Parameters
    ----------
    history : Training, or (epochs,) or (replicates, epochs) array
        Such as ``Training.cost``; a training brings its cost, or its monitor if its rule has no cost.  For replicates
        the line is the mean, and the band reaches from the smallest to the largest.  Values that are zero, NaN or
        infinite leave a gap.
    epochs : (epochs,) array, optional
        Epochs of the values; default 1, 2, ...
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
    if hasattr(history, "monitor"):
        history, epochs, ylabel = _of_training(history, epochs, ylabel)
    values = array("history", history, finite=False)
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(f"history: shape {values.shape}, expected (epochs,) or (replicates, epochs)")
    rows = np.atleast_2d(values)
    where = np.arange(1, rows.shape[1] + 1) if epochs is None else array("epochs", epochs)
    if where.shape != rows.shape[1:]:
        raise ValueError(f"epochs: shape {where.shape}, expected {rows.shape[1:]}, one per value")
    scale = "linear" if np.any(rows < 0) and not np.any(rows > 0) else "log"  # log-likelihoods are below zero
    if scale == "log" and not np.any(rows > 0):
        raise ValueError("history: no value is positive, so a logarithmic axis has nothing to show")
    label, ylabel = caption("label", label), caption("ylabel", ylabel)
    if color is not None:
        from matplotlib.colors import is_color_like

        if not is_color_like(color):
            raise ValueError(f"color: got {seen(color)}, expected a colour of Matplotlib, such as 'C0' or (0, 0, 1)")
    ax = axes_or_new(ax, (3.6, 2.7))
    positive = np.where(np.isfinite(rows) & ((rows > 0) | (scale == "linear")), rows, np.nan)
    single = "o" if rows.shape[1] == 1 else None  # a line of one point would be invisible
    (line,) = ax.plot(where, positive.mean(0), color=color, label=label, marker=single, linewidth=1.5)
    if len(rows) > 1:
        low, high = positive.min(0), positive.max(0)
        ax.fill_between(where, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    ax.set(xlabel="epoch", ylabel=ylabel or ax.get_ylabel() or "cost", yscale=scale)
    ax.spines[["top", "right"]].set_visible(False)
    if label is not None:
        legend_beside(ax)
    return ax


def _of_training(training, epochs, ylabel):
    """The curve of a training, its epochs and its label."""
    if np.isfinite(training.cost).any():
        return training.cost, epochs, ylabel
    known = np.isfinite(training.monitor)
    if not known.any():
        raise ValueError(f"history: {training!r} has neither a cost nor a monitor")
    unit = " (nats per sample)" if "likelihood" in training.monitor_name else ""
    at = np.flatnonzero(known) + 1 if epochs is None else np.asarray(epochs)[known]
    return training.monitor[known], at, ylabel or f"{training.monitor_name}{unit}"
