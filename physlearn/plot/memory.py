"""Pictures of memories: overlaps during recall, capacity, the retrieval phase, the energy landscape, attention."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, seen, sequence
from physlearn.plot._axes import axes_or_new, coordinates, labels_of, legend_beside, line_of


def plot_overlaps(overlaps, labels=None, *, ax=None):
    """Overlaps with every pattern against sweeps; the largest at the end stands out.

    Parameters
    ----------
    overlaps : (sweeps + 1, m) array
    labels : sequence of str, optional
        Names of the patterns.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = plot_overlaps([[0.1, 0.5], [0.0, 1.0]], ["A", "B"])
    >>> [line.get_label() for line in ax.lines if line.get_label()[0] != "_"]
    ['B']
    """
    overlaps = array("overlaps", overlaps)
    if overlaps.ndim != 2 or overlaps.size == 0:
        raise ValueError(f"overlaps: shape {overlaps.shape}, expected (sweeps + 1, m)")
    labels = None if labels is None else labels_of("labels", labels, overlaps.shape[1], "of the overlaps")
    ax = axes_or_new(ax)
    best = int(overlaps[-1].argmax())
    for k, line in enumerate(overlaps.T):
        if k != best:
            ax.plot(line, color="0.75", linewidth=1.0)
    label = f"pattern {best}" if labels is None else labels[best]
    ax.plot(overlaps[:, best], color="C0", linewidth=2.0, marker="o", markersize=4, label=label)
    ax.set(xlabel="sweep", ylabel="overlap", ylim=(min(-0.05, overlaps.min() - 0.05), 1.05))
    legend_beside(ax)
    ax.xaxis.get_major_locator().set_params(integer=True)  # pyright: ignore[reportCallIssue]
    return ax


def plot_capacity(curves, *, theory=None, ax=None):
    """Final overlap against load, one line with error bars for each size.

    Parameters
    ----------
    curves : CapacityCurve or sequence of them
        Or anything with ``n``, ``loads``, ``mean`` and ``error``.
    theory : (loads, overlaps), optional
        A line for comparison.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> curve = SimpleNamespace(n=100, loads=[0.1, 0.2], mean=[1.0, 0.4], error=[0.0, 0.05])
    >>> plot_capacity([curve]).get_xlabel()
    'load (patterns per neuron)'
    """
    expected = "a CapacityCurve or a sequence of them"
    curves = [curves] if hasattr(curves, "loads") else sequence("curves", curves, expected=expected)
    for curve in curves:
        if isinstance(curve, type) or not all(hasattr(curve, name) for name in ("n", "loads", "mean", "error")):
            raise TypeError(f"curves: got {seen(curve)}, expected {expected}")
    theory = None if theory is None else line_of("theory", theory)
    ax = axes_or_new(ax)
    if theory is not None:
        ax.plot(*theory, color="black", linewidth=1.2, label="mean field")
    shades = np.linspace(1.0, 0.35, len(curves))[::-1]
    for shade, curve in zip(shades, curves, strict=True):
        color = (0.12, 0.35, 0.65, shade)
        ax.errorbar(curve.loads, curve.mean, curve.error, color=color, marker="o", markersize=3, label=f"n = {curve.n}")
    ax.set(xlabel="load (patterns per neuron)", ylabel="overlap after recall", ylim=(0.0, 1.03))
    legend_beside(ax)
    return ax


def plot_phase_diagram(loads, temperatures, overlaps, *, boundary=None, ax=None):
    """Remaining overlap, shaded over load and temperature.

    Parameters
    ----------
    loads : (k,) array
    temperatures : (l,) array
    overlaps : (l, k) array
    boundary : (loads, temperatures), optional
        A line for comparison.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> plot_phase_diagram([0.05, 0.1], [0.1, 0.5], [[1.0, 1.0], [0.9, 0.1]]).get_ylabel()
    'temperature'
    """
    loads, temperatures = coordinates("loads", loads), coordinates("temperatures", temperatures)
    overlaps = array("overlaps", overlaps)
    if overlaps.shape != (len(temperatures), len(loads)):
        expected = f"{(len(temperatures), len(loads))}, a row for each of temperatures, a column for each of loads"
        raise ValueError(f"overlaps: shape {overlaps.shape}, expected {expected}")
    boundary = None if boundary is None else line_of("boundary", boundary)
    ax = axes_or_new(ax)
    image = ax.pcolormesh(loads, temperatures, overlaps, cmap="viridis", vmin=0.0, vmax=1.0, shading="nearest")
    if boundary is not None:
        ax.plot(*boundary, color="white", linewidth=2.0)
    ax.set(
        xlabel="load (patterns per neuron)",
        ylabel="temperature",
        xlim=(loads[0], loads[-1]),
        ylim=(temperatures[0], temperatures[-1]),
    )
    ax.figure.colorbar(image, ax=ax, label="overlap")
    return ax


def plot_landscape(plane, *, paths=(), labels=None, ax=None):
    """Energy on a plane through three states, with contours and trajectories.

    Parameters
    ----------
    plane : Plane
        From `physlearn.models.energy_plane`, or anything with ``u``, ``v``, ``energy`` and ``project``.
    paths : sequence of (steps, n) arrays, optional
        Trajectories, projected on the plane; dots mark their ends.
    labels : sequence of str, optional
        Names of the three corners.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> u = np.linspace(0.0, 1.0, 4)
    >>> plane = SimpleNamespace(u=u, v=u, energy=np.add.outer(u**2, u**2), project=lambda x: x)
    >>> plot_landscape(plane, paths=[np.ones((3, 2))]).get_xlabel()
    'towards the second state'
    """
    for name in ("u", "v", "energy", "project"):
        if isinstance(plane, type) or not hasattr(plane, name):
            raise TypeError(f"plane: got {seen(plane)} without {name}, expected what energy_plane gives")
    paths = [
        array("paths", path, ndim=2) for path in sequence("paths", paths, expected="a sequence of (steps, n) arrays")
    ]
    labels = () if labels is None else labels_of("labels", labels, 3, "corner")
    ax = axes_or_new(ax)
    bottom, top = np.min(plane.energy), np.max(plane.energy)
    if not top > bottom:
        raise ValueError(f"plane: its energy is {bottom:g} everywhere, expected one that varies; choose other corners")
    levels = bottom + (top - bottom) * np.linspace(0.0, 1.0, 25) ** 2  # dense where the memories are
    image = ax.contourf(plane.u, plane.v, plane.energy, levels, cmap="viridis")
    ax.contour(plane.u, plane.v, plane.energy, levels, colors="white", linewidths=0.3)
    for path in paths:
        at = plane.project(path)
        ax.plot(at[:, 0], at[:, 1], color="white", linewidth=1.2)
        ax.plot(at[-1, 0], at[-1, 1], color="white", marker="o", markersize=4)
    for place, name in zip(((0, 0), (1, 0), (0, 1)), labels, strict=False):
        ax.annotate(name, place, color="white", ha="center", va="bottom", xytext=(0, 5), textcoords="offset points")
        ax.plot(*place, color="white", marker="+")
    ax.set(xlabel="towards the second state", ylabel="towards the third state")
    ax.figure.colorbar(image, ax=ax, label="energy", format="%.2f")
    return ax


def plot_attention(weights, queries=None, keys=None, *, ax=None):
    """Attention weights, a row for each query.

    Parameters
    ----------
    weights : (queries, keys) array
    queries, keys : sequence of str, optional
        Names of rows and columns.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> plot_attention([[0.2, 0.8]], ["q"], ["a", "b"]).get_xlabel()
    'key'
    """
    weights = array("weights", weights)
    if weights.ndim != 2 or weights.size == 0:
        raise ValueError(f"weights: shape {weights.shape}, expected (queries, keys)")
    queries = None if queries is None else labels_of("queries", queries, weights.shape[0], "row of weights")
    keys = None if keys is None else labels_of("keys", keys, weights.shape[1], "column of weights")
    ax = axes_or_new(ax)
    image = ax.imshow(weights, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for axis, names, count in ((ax.xaxis, keys, weights.shape[1]), (ax.yaxis, queries, weights.shape[0])):
        if names is not None:
            axis.set_ticks(range(count), names)
    ax.set(xlabel="key", ylabel="query")
    ax.figure.colorbar(image, ax=ax, label="weight")
    return ax
