"""Learning curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from physlearn.checks import array, seen, sequence
from physlearn.plot._axes import axes_or_new, caption, legend_beside


def plot_learning_curve(history, *, epochs=None, label=None, ylabel=None, color=None, ax=None):
    """Cost against epoch on a logarithmic axis; replicates as mean and range; values below zero on a linear one.

    Call it again with the same ``ax`` to compare; labelled curves make a legend.

    Parameters
    ----------
    history : Training, or (epochs,) or (replicates, epochs) array
        Such as ``Training.cost``; a training brings its cost (dashed: of its validation data), or its monitor if its
        rule has no cost.  For replicates the line is the mean, and the band reaches from the smallest to the largest.
        Values that are zero, NaN or infinite leave a gap.
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
    held = np.asarray(getattr(history, "validation", ()))
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
    if held.shape == where.shape:
        said = f"{label}, validation" if label is not None else "validation"
        ax.plot(where, np.where(held > 0, held, np.nan), "--", color=line.get_color(), label=said, linewidth=1.2)
    ax.set(xlabel="epoch", ylabel=ylabel or ax.get_ylabel() or "cost", yscale=scale)
    ax.spines[["top", "right"]].set_visible(False)
    if label is not None:
        legend_beside(ax)
    return ax


def plot_gradient_norms(training, *, names=None, ax=None):
    """Norm of the gradient by each parameter against the epoch, from the first layers (dark) to the last (light).

    Norms that fall from one layer to the next show a gradient that vanishes, norms that grow one that explodes.

    Parameters
    ----------
    training : Training
        Of ``learn(..., norms=True)``.
    names : sequence of str, optional
        Parameters to show; default all that have norms.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from physlearn import SGD, ExactGradient, SquaredError, learn
    >>> from physlearn.models import PredictionGraph
    >>> done = learn(PredictionGraph.layered([1, 2, 1], rng=0), {"x": [[1.0]], "y": [[0.5]]}, rule=ExactGradient(),
    ...              cost=SquaredError("y"), optimizer=SGD(0.1), epochs=3, norms=True)
    >>> [line.get_label() for line in plot_gradient_norms(done, names=["W1", "W2"]).get_lines()]
    ['W1', 'W2']
    """
    norms = getattr(training, "norms", None)
    if not isinstance(norms, Mapping) or not norms:
        raise ValueError(f"training: got {seen(training)}, expected one with gradient norms, learn(..., norms=True)")
    names = list(norms) if names is None else list(sequence("names", names, str, "names of parameters"))
    for name in names:
        if name not in norms:
            raise ValueError(f"names: there are no norms of {name!r}, expected some of {list(norms)}")
    from matplotlib import colormaps

    ax = axes_or_new(ax, (4.2, 2.7))
    for place, name in zip(np.linspace(0.0, 0.85, max(len(names), 1)), names, strict=True):
        values = np.where(norms[name] > 0, norms[name], np.nan)
        mark = "o" if len(values) == 1 else None
        color = colormaps["viridis"](place)
        ax.plot(np.arange(1, len(values) + 1), values, color=color, label=name, marker=mark, linewidth=1.2)
    ax.set(xlabel="epoch", ylabel="norm of the gradient", yscale="log")
    ax.spines[["top", "right"]].set_visible(False)
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
