r"""Messages along edges (Gilmer et al. 2017): y_i = sum over edges j -> i of f(h_j, h_i, e_ji), or mean, or maximum.

Three maps: `Ends` puts what an edge knows side by side, `Each` makes a message of it, `Collect` brings the messages
to their receivers; `MessagePassing` is all three.  Whatever the order in which edges and nodes are numbered, the same
nodes get the same sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, count, flag
from physlearn.maps.compose import check_is_map
from physlearn.maps.graphs.edges import Wires, collect
from physlearn.maps.map import Map
from physlearn.maps.sequence.entries import Each


class Ends(Map):
    """What an edge knows: features of its sender, of its receiver, and its own, side by side; (edges, 2 d + own).

    Parents: nodes, (nodes, d); edges, (edges, 2), unless the map has a ``graph``; with ``features`` those of edges,
    (edges, own).  Edges that are padded (-1) get zeros.

    Parameters
    ----------
    graph : networkx graph, sparse matrix or (E, 2) array of int, optional
        One graph for all items.
    features : bool

    Examples
    --------
    >>> import numpy as np
    >>> Ends([[0, 1]]).forward((np.array([[[3.0], [5.0]]]),), {})[0]
    array([[[3., 5.]]])
    """

    def __init__(self, graph=None, *, features=False):
        self.wires, self.features = Wires(graph), flag("features", features)

    def __repr__(self):
        return brief(self, graph=self.wires.given and self.wires.given[0], features=self.features)

    def shape(self, shapes):
        """(edges, 2 d + own)."""
        (_, d), edges = nodes_and_edges(self, self.wires, shapes, self.features)
        own = shapes[-1][1] if self.features else 0
        if self.features and (len(shapes[-1]) != 2 or shapes[-1][0] != edges):
            raise ValueError(
                f"Ends: got features of shape {tuple(shapes[-1])}, expected ({edges}, own), one row an edge"
            )
        return edges, 2 * d + own

    def forward(self, parents, theta):
        """Gathered; the tape says from where."""
        x = parents[0]
        flat = self.wires.flat(len(x), x.shape[1], parents[1] if self.wires.parents else None)
        d, rows = x.shape[2], x.reshape(-1, x.shape[2])
        edges = parents[-1].shape[1] if self.features or self.wires.parents else len(self.wires.given[0])
        own = parents[-1].shape[2] if self.features else 0
        value = np.zeros((len(x) * edges, 2 * d + own), x.dtype)
        value[flat.place, :d], value[flat.place, d : 2 * d] = rows[flat.senders], rows[flat.receivers]
        if self.features:
            value[flat.place, 2 * d :] = parents[-1].reshape(-1, own)[flat.place]
        return value.reshape(len(x), edges, -1), (flat, [parent.shape for parent in parents])

    def back(self, tape, cotangent, theta):
        """Summed at senders and receivers."""
        flat, shapes = tape
        d, n = shapes[0][2], shapes[0][0] * shapes[0][1]
        c = cotangent.reshape(-1, cotangent.shape[2])[flat.place]
        found = collect(c[:, :d], flat.senders, n) + collect(c[:, d : 2 * d], flat.receivers, n)
        out: list[Any] = [found.reshape(shapes[0])]
        if self.wires.parents:
            out.append(np.zeros(shapes[1], c.dtype))
        if self.features:
            own = np.zeros((shapes[-1][0] * shapes[-1][1], shapes[-1][2]), c.dtype)
            own[flat.place] = c[:, 2 * d :]
            out.append(own.reshape(shapes[-1]))
        return tuple(out)


class Collect(Map):
    """Messages of edges brought to their receivers, (nodes, m); a node that nothing reaches gets zeros.

    Parents: messages, (edges, m), and edges, (edges, 2), unless the map has a ``graph``.

    Parameters
    ----------
    nodes : int
        Number of nodes, padded ones included.
    graph : networkx graph, sparse matrix or (E, 2) array of int, optional
    by : {"sum", "mean", "max"}

    Examples
    --------
    >>> import numpy as np
    >>> Collect(3, [[0, 1], [2, 1]]).forward((np.array([[[3.0], [4.0]]]),), {})[0].ravel()
    array([0., 7., 0.])
    """

    def __init__(self, nodes, graph=None, *, by="sum"):
        self.nodes, self.wires = count("nodes", nodes), Wires(graph)
        self.by = choice("by", by, ("sum", "mean", "max"))

    def __repr__(self):
        return brief(self, nodes=self.nodes, graph=self.wires.given and self.wires.given[0], by=self.by)

    def shape(self, shapes):
        """(nodes, m)."""
        wanted = 1 + self.wires.parents
        if len(shapes) != wanted or len(shapes[0]) != 2:
            raise ValueError(f"Collect: got parents of shapes {list(shapes)}, expected {wanted}: messages (edges, m)")
        edges = self.wires.check(self, self.nodes, shapes[1:])
        if shapes[0][0] != edges:
            raise ValueError(f"Collect: got {shapes[0][0]} messages, expected {edges}, one an edge")
        return self.nodes, shapes[0][1]

    def forward(self, parents, theta):
        """Sums, means or maxima over each receiver's edges."""
        x = parents[0]
        flat = self.wires.flat(len(x), self.nodes, parents[1] if self.wires.parents else None)
        rows, n = x.reshape(-1, x.shape[2])[flat.place], len(x) * self.nodes
        shapes = [parent.shape for parent in parents]
        if self.by == "max":
            value = np.zeros((n, x.shape[2]), x.dtype)
            best = np.maximum.reduceat(rows, flat.first, 0)
            value[flat.receivers[flat.first]] = best
            run = np.repeat(np.arange(len(flat.first)), np.diff(flat.first, append=len(rows)))
            winner = np.where(rows == best[run], np.arange(len(rows))[:, None], len(rows))
            taken = np.minimum.reduceat(winner, flat.first, 0)  # of equal maxima the first counts
            return value.reshape(len(x), self.nodes, -1), (flat, shapes, taken)
        value = collect(rows, flat.receivers, n)
        share = None
        if self.by == "mean":
            share = (1 / np.maximum(np.bincount(flat.receivers, minlength=n), 1)).astype(x.dtype)[:, None]
            value = value * share
        return value.reshape(len(x), self.nodes, -1), (flat, shapes, share)

    def back(self, tape, cotangent, theta):
        """Back to each message."""
        flat, shapes, how = tape
        c = cotangent.reshape(-1, cotangent.shape[2])
        if self.by == "max":
            rows: Any = np.zeros((len(flat.receivers), c.shape[1]), c.dtype)
            np.put_along_axis(rows, how, c[flat.receivers[flat.first]], 0)
        else:
            rows = (c if how is None else c * how)[flat.receivers]
        found = np.zeros((shapes[0][0] * shapes[0][1], shapes[0][2]), c.dtype)
        found[flat.place] = rows
        out = found.reshape(shapes[0])
        return (out, np.zeros(shapes[1], c.dtype)) if self.wires.parents else (out,)


class MessagePassing(Map):
    """One round of messages: y_i = sum, mean or maximum over edges j -> i of f(h_j, h_i, e_ji).

    Parents: nodes, (nodes, d); edges, (edges, 2), unless the map has a ``graph``; with ``features`` those of edges,
    (edges, own).

    Parameters
    ----------
    message : map
        f, of one parent: sender's features, receiver's, and the edge's, side by side.
    graph : networkx graph, sparse matrix or (E, 2) array of int, optional
    features : bool
    by : {"sum", "mean", "max"}

    Examples
    --------
    The graph's Laplacian, from differences along edges:

    >>> import networkx as nx
    >>> import numpy as np
    >>> from physlearn.maps import Affine
    >>> laplacian = MessagePassing(Affine(1, "W", None), nx.path_graph(3))
    >>> laplacian.forward((np.array([[[0.0], [1.0], [4.0]]]),), {"W": np.array([[-1.0], [1.0]])})[0].ravel()
    array([-1., -2.,  3.])
    """

    def __init__(self, message, graph=None, *, features=False, by="sum"):
        self.message = check_is_map("message", message)
        self.ends, self.each, self.by = Ends(graph, features=features), Each(message), by
        choice("by", by, ("sum", "mean", "max"))
        self.parameters = self.each.parameters

    def __repr__(self):
        return brief(self, message=self.message, features=self.ends.features, by=self.by)

    def shape(self, shapes):
        """(nodes, m)."""
        made = self.each.shape([self.ends.shape(shapes)])
        if len(made) != 2:
            raise ValueError(f"MessagePassing: its message has the shape {made[1:]}, expected (m,)")
        return shapes[0][0], made[1]

    def start(self, shapes, rng):
        """The message's."""
        return self.each.start([self.ends.shape(shapes)], rng)

    def forward(self, parents, theta):
        """Gathered, made into messages, and collected."""
        known, first = self.ends.forward(parents, theta)
        messages, second = self.each.forward((known,), theta)
        collector = Collect(parents[0].shape[1], by=self.by)
        collector.wires = self.ends.wires
        edges = parents[1:2] if self.ends.wires.parents else ()
        value, third = collector.forward((messages, *edges), theta)
        return value, (first, second, third, collector)

    def pullback(self, tape, cotangent, theta):
        """Back along the same edges."""
        first, second, third, collector = tape
        c = collector.back(third, cotangent, theta)[0]
        (c,), gradient = self.each.pullback(second, c, theta)
        return self.ends.back(first, c, theta), gradient


def nodes_and_edges(map, wires, shapes, features):
    """Shape of the nodes and number of edges; ValueError where parents are not what the map takes."""
    wanted = ["nodes", *["edges"] * wires.parents, *["features of edges"] * features]
    if len(shapes) != len(wanted):
        raise ValueError(
            f"{type(map).__name__}: got {len(shapes)} parents, expected {len(wanted)}: {', '.join(wanted)}"
        )
    if len(shapes[0]) != 2:
        raise ValueError(f"{type(map).__name__}: got nodes of shape {tuple(shapes[0])}, expected (nodes, features)")
    return tuple(shapes[0]), wires.check(map, shapes[0][0], shapes[1 : 1 + wires.parents])
