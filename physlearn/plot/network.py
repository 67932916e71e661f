"""Networks: conductance as line width, voltage as colour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

import numpy as np

from physlearn.checks import array, flag, instance, mapping, positive, seen, sequence
from physlearn.plot._axes import axes_or_new

# One shape per marked group, so that groups differ without colour; plain nodes are circles.
MARKERS = "sD^vPX*p"
WIDEST, THINNEST = 5.0, 0.4  # points


def plot_network(
    edges,
    *,
    conductance=None,
    nodes=None,
    voltage=None,
    pos=None,
    marked=None,
    period=None,
    labels=False,
    unit="S",
    widest=None,
    ax=None,
):
    """Draw a network: edges as wide as they conduct, nodes coloured by their voltage.

    Parameters
    ----------
    edges : ResistorNetwork, or sequence of (node, node) or (node, node, key)
        Parallel edges are drawn side by side.  A network brings its nodes, conductances, positions, and as marked
        groups its ground, inputs and outputs; arguments given here take precedence.
    conductance : (m,) array
        Siemens, or ``unit``; line width is proportional to it.
    nodes : sequence, optional
        Order of ``voltage``; default the order in which edges name them.
    voltage : (n,) array or Equilibrium, optional
        Volts.
    pos : mapping of node to (x, y), optional
        Default a layout by networkx, always the same.
    marked : mapping of str to sequence of nodes or node pairs, optional
        Groups shown by their own shapes and named in the legend, such as
        ``{"input": ["a"], "output": [("b", "c")]}``.
    period : (float, float), optional
        Sides of a periodic lattice: edges through the boundary are drawn as stubs.
    labels : bool
        Write every node's label next to it.
    unit : str
        Of the conductance.
    widest : float, optional
        Conductance drawn widest: give the same for pictures to be compared; default the largest.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = plot_network([("a", "b"), ("b", "c")], conductance=[1.0, 2.0], voltage=[3.0, 1.0, 0.0],
    ...                   marked={"input": ["a"], "ground": ["c"]})
    >>> len(ax.collections)  # the edges and three groups of nodes
    4
    """
    if hasattr(edges, "energy"):  # a network
        network, edges = edges, edges.edges
        conductance = network.energy.theta["conductance"] if conductance is None else conductance
        nodes, pos = network.nodes if nodes is None else nodes, network.pos if pos is None else pos
        if marked is None:
            groups = {"ground": network.ground} | dict(network.inputs) | dict(network.outputs)
            marked = {name: places for name, places in groups.items() if len(places)}
    elif conductance is None:
        raise TypeError("conductance: missing, expected one number per edge; a ResistorNetwork brings its own")
    voltage = getattr(voltage, "x", voltage)
    ends = _ends(edges)
    nodes = _nodes(nodes, ends)
    g = _one_each("conductance", conductance, len(ends), "edge")
    volts = None if voltage is None else _one_each("voltage", voltage, len(nodes), "node")
    pos = _positions(pos, nodes, ends)
    marked = {} if marked is None else mapping("marked", marked, expected="a mapping of names to nodes or node pairs")
    group = _groups(nodes, marked)
    if period is not None:
        period = array("period", period, shape=(2,))
        if np.any(period <= 0):
            raise ValueError(f"period: got {seen(period)}, expected two positive lengths")
    flag("labels", labels)
    instance("unit", unit, str, "the unit of the conductance")
    widest = (g.max() if g.size else 1.0) if widest is None else positive("widest", widest)
    ax = axes_or_new(ax, (4.6, 3.5))
    _draw_edges(ax, ends, pos, period, np.maximum(WIDEST * g / widest, THINNEST))
    size = float(np.clip(2400 / max(len(nodes), 1), 16, 110))
    _draw_nodes(ax, nodes, pos, group, marked, volts, size)
    if labels:
        _label_nodes(ax, nodes, pos, group, size)
    _legend(ax, g, marked, unit, widest)
    ax.set_aspect("equal")
    ax.margins(0.08)
    ax.autoscale_view()
    ax.set_axis_off()
    return ax


def _draw_edges(ax, ends, pos, period, width):
    """Every edge in its width (points)."""
    from matplotlib.collections import LineCollection

    lines, of_edge = _lines(ends, pos, period)
    style = {"colors": "0.55", "capstyle": "round", "clip_on": False, "zorder": 1}
    ax.add_collection(LineCollection(lines, linewidths=width[of_edge], **style))


def _draw_nodes(ax, nodes, pos, group, marked, volts, size):
    """Plain nodes as circles, then each marked group in its shape; with voltages, in their colours."""
    xy = array("pos", [pos[node] for node in nodes])
    style = {"edgecolors": "black", "linewidths": 0.8, "clip_on": False, "zorder": 2}
    if volts is not None:
        style |= _colours(volts)
    for k, name in enumerate([None, *marked]):
        chosen = np.array([i for i, node in enumerate(nodes) if group.get(node) == name], dtype=int)
        if chosen.size:
            shape, larger = ("o", 1.0) if name is None else (MARKERS[(k - 1) % len(MARKERS)], 1.5)
            shade = {"facecolors": "white"} if volts is None else {"c": volts[chosen]}
            points = ax.scatter(*xy[chosen].T, s=larger * size, marker=shape, **shade, **style)
            points.set_label("_" if name is None else name)
    if volts is not None:
        ax.figure.colorbar(points, ax=ax, label="voltage (V)", shrink=0.8)


def _label_nodes(ax, nodes, pos, group, size):
    """Write each node's name next to it."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.0, foreground="white")]  # readable across edges
    for node in nodes:
        away = 1.0 + 0.5 * np.sqrt(size * (1.5 if node in group else 1.0))  # points
        text = ax.annotate(str(node), pos[node], (away, away), textcoords="offset points")
        text.set(fontsize="small", path_effects=halo)


def _nodes(nodes, ends):
    """The nodes in the order of their voltages."""
    if nodes is None:
        return list(dict.fromkeys(node for pair in ends for node in pair))
    nodes = _listed("nodes", nodes, "the nodes, in the order of voltage")
    if lost := {node for pair in ends for node in pair} - {node for node in nodes if isinstance(node, Hashable)}:
        raise ValueError(f"nodes: without {seen(next(iter(lost)))}, which an edge has; expected all nodes")
    return nodes


def _positions(pos, nodes, ends):
    """Where each node lies."""
    pos = _layout(nodes, ends) if pos is None else mapping("pos", pos, expected="a mapping of node to (x, y)")
    missing = [node for node in nodes if node not in pos]
    if missing:
        raise ValueError(f"pos: no position for node {missing[0]!r} ({len(missing)} of {len(nodes)})")
    return {node: array(f"pos[{node!r}]", pos[node], shape=(2,)) for node in nodes}


def _listed(name, values, expected):
    """The entries in their order; networkx's views of nodes and edges are sets, but ordered."""
    ordered = type(values).__module__.startswith("networkx.") and hasattr(values, "__iter__")
    return list(values if ordered else sequence(name, values, expected=expected))


def _ends(edges):
    """The two nodes of every edge."""
    ends = []
    for edge in _listed("edges", edges, "a sequence of (node, node), or a ResistorNetwork"):
        if not isinstance(edge, tuple | list | np.ndarray) or len(edge) not in (2, 3):
            raise ValueError(f"edges: got {seen(edge)}, expected (node, node) or (node, node, key)")
        if not all(isinstance(node, Hashable) for node in edge[:2]):
            raise TypeError(f"edges: got {seen(edge)}, expected nodes that can be keys of a dict")
        ends.append((edge[0], edge[1]))
    return ends


def _one_each(name, values, count, what):
    values = array(name, values, finite=False)
    if values.shape != (count,):
        raise ValueError(f"{name}: shape {values.shape}, expected ({count},), one per {what} ({what}s: {count})")
    if not np.all(np.isfinite(values)) or (what == "edge" and np.any(values < 0)):
        raise ValueError(f"{name}: some values are not finite or negative, expected one per {what}")
    return values


def _layout(nodes, ends):
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(ends)
    if len(nodes) <= 100 and nx.is_connected(graph):
        return nx.kamada_kawai_layout(graph)
    return nx.spring_layout(graph, seed=0)


def _groups(nodes, marked):
    """Name of the group of every marked node; the first, if there are several."""
    known, group = set(nodes), {}
    for name, places in marked.items():
        for place in sequence(f"marked[{name!r}]", places, expected="nodes or node pairs"):
            if not isinstance(place, Hashable):
                raise TypeError(f"marked[{name!r}]: {seen(place)} is neither a node nor a node pair")
            pair = place if isinstance(place, tuple) and place not in known else (place,)
            for node in pair:
                if node not in known:
                    raise ValueError(f"marked[{name!r}]: {place!r} is neither a node nor a node pair")
                group.setdefault(node, name)
    return group


def _lines(ends, pos, period):
    """Polylines, and the number of the edge that each belongs to."""
    twins = defaultdict(list)
    for k, (a, b) in enumerate(ends):
        twins[frozenset((a, b))].append(k)
    lines, of_edge = [], []
    t = np.linspace(0.0, 1.0, 17)[:, None]
    for (a, b), k in zip(ends, range(len(ends)), strict=True):
        start, stop = np.asarray(pos[a], dtype=float), np.asarray(pos[b], dtype=float)
        if period is not None:
            step = stop - start
            short = step - np.asarray(period) * np.round(step / np.asarray(period))
            if not np.allclose(short, step, rtol=0.0, atol=1e-8 * np.max(np.abs(period))):
                lines += [np.stack([start, start + 0.45 * short]), np.stack([stop, stop - 0.45 * short])]
                of_edge += [k, k]
                continue
        same = twins[frozenset((a, b))]
        if len(same) == 1:
            lines.append(np.stack([start, stop]))
        else:  # bend each to its own side; the direction must not depend on how the edge was written
            first, last = (start, stop) if ends[same[0]][0] == a else (stop, start)
            across = np.array([first[1] - last[1], last[0] - first[0]])
            bend = 0.25 * (same.index(k) - 0.5 * (len(same) - 1))
            lines.append(first + t * (last - first) + 4 * t * (1 - t) * bend * across)
        of_edge.append(k)
    return lines, np.array(of_edge, dtype=int)


def _colours(volts):
    """Map and limits: zero white where voltages have both signs, a sequential map otherwise."""
    low, high = float(volts.min()), float(volts.max())
    if low < 0 < high:
        top = max(-low, high)
        return {"cmap": "RdBu_r", "vmin": -top, "vmax": top}
    return {"cmap": "cividis", "vmin": low, "vmax": high if high > low else low + 1.0}


def _legend(ax, g, marked, unit, widest):
    """Shapes of the groups in one row, two reference widths in the next."""
    from matplotlib.lines import Line2D

    shapes, widths = [], []
    for k, name in enumerate(marked):
        shape = {"marker": MARKERS[k % len(MARKERS)], "mfc": "white", "mec": "black", "ms": 7}
        shapes.append(Line2D([], [], linestyle="", label=name, **shape))
    if g.size and g.max() > 0:
        top = 10.0 ** np.floor(np.log10(widest))
        top *= max(digit for digit in (1, 2, 5) if digit * top <= widest * (1 + 1e-9))
        all_same = g.min() > 0.999 * widest
        for value in (g.max(),) if all_same else (top, top / 5):
            wide = max(WIDEST * value / widest, THINNEST)
            widths.append(Line2D([], [], color="0.55", linewidth=wide, label=f"{value:.3g} {unit}"))
    # a legend fills its columns first; the layout makes room for its whole width, so keep it narrow
    columns = max(len(shapes), len(widths))
    blank = Line2D([], [], linestyle="", label=" ")
    rows = [row + [blank] * (columns - len(row)) for row in (shapes, widths) if row]
    handles = [handle for column in zip(*rows, strict=True) for handle in column]
    if handles:
        ax.legend(
            handles=handles,
            ncols=columns,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            frameon=False,
            fontsize="small",
            columnspacing=1.2,
            handletextpad=0.5,
            borderaxespad=0.2,
        )
