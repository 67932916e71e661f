r"""Attention over edges (Velickovic et al. 2018): a node's neighbours, and itself, weighted by what both are.

    p = h W,   score_ji = f(a . p_j + b . p_i),   y_i = sum over j of softmax_j(score_ji) p_j,   f(s) = max(s, slope s)

in several heads, each with a block of W's columns; their values are side by side.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, not_negative, number, text
from physlearn.maps.graphs.edges import Flat, Wires, collect
from physlearn.maps.graphs.message import nodes_and_edges
from physlearn.maps.map import Map


class EdgeAttention(Map):
    """Features of nodes, means over neighbours and the node itself with learnt weights, (nodes, units).

    Parents: nodes, (nodes, d), and edges, (edges, 2), unless the map has a ``graph``.

    Parameters
    ----------
    units : int
        Of all heads together.
    heads : int
        Divides ``units``.
    name : str
        Of the parameters: name + ".W", (d, units); ".send" and ".receive", (units,), the vectors a and b of all heads.
    graph : networkx graph, sparse matrix or (E, 2) array of int, optional
    slope : float
        Of f below zero.
    scale : float
        W starts normal with standard deviation scale / sqrt(d), a and b with 1 / sqrt(units).

    Examples
    --------
    >>> import networkx as nx
    >>> import numpy as np
    >>> mean = EdgeAttention(1, graph=nx.complete_graph(3))  # with a = b = 0 all neighbours count the same
    >>> theta = {"edges.W": np.ones((1, 1)), "edges.send": np.zeros(1), "edges.receive": np.zeros(1)}
    >>> mean.forward((np.array([[[0.0], [3.0], [6.0]]]),), theta)[0].ravel()
    array([3., 3., 3.])
    """

    def __init__(self, units, heads=1, name="edges", *, graph=None, slope=0.2, scale=1.0):
        self.units, self.heads, self.wires = count("units", units), count("heads", heads), Wires(graph)
        if units % heads:
            raise ValueError(f"heads: got {heads}, which does not divide the width {units}; expected a divisor")
        self.name = text("name", name, "the parameters' name")
        self.below, self.scale = number("slope", slope, 0, 1), not_negative("scale", scale)
        self.parameters = (f"{name}.W", f"{name}.send", f"{name}.receive")

    def __repr__(self):
        return brief(self, units=self.units, heads=self.heads, name=self.name)

    def shape(self, shapes):
        """(nodes, units)."""
        (nodes, _), _ = nodes_and_edges(self, self.wires, shapes, False)
        return nodes, self.units

    def start(self, shapes, rng):
        """All normal."""
        self.shape(shapes)
        d = shapes[0][1]
        count(f"theta[{self.name!r}], its entries", d * self.units, each=8)
        w = rng.standard_normal((d, self.units)) * (self.scale / math.sqrt(d))
        send, receive = rng.standard_normal((2, self.units)) / math.sqrt(self.units)
        return dict(zip(self.parameters, (w, send, receive), strict=True))

    def forward(self, parents, theta):
        """Weighted means; the tape is the weights and what they came from."""
        x = parents[0]
        w, send, receive = (theta[name] for name in self.parameters)
        n = x.shape[0] * x.shape[1]
        flat = _with_loops(self.wires.flat(len(x), x.shape[1], parents[1] if self.wires.parents else None), n)
        p = (x.reshape(n, -1) @ w).reshape(n, self.heads, -1)
        s, r = ((p * a.reshape(self.heads, -1)).sum(2) for a in (send, receive))
        raw = s[flat.senders] + r[flat.receivers]
        score = np.where(raw > 0, raw, raw.dtype.type(self.below) * raw)
        score -= np.maximum.reduceat(score, flat.first, 0)[flat.receivers]  # with loops every node is a receiver
        e = np.exp(score)
        share = e / np.add.reduceat(e, flat.first, 0)[flat.receivers]
        y = collect(share[:, :, None] * p[flat.senders], flat.receivers, n)
        return y.reshape(*x.shape[:2], self.units), (parents, flat, p, raw, share)

    def pullback(self, tape, cotangent, theta):
        """Through the means, the softmax over each node's edges, and the scores."""
        parents, flat, p, raw, share = tape
        x, n = parents[0], len(p)
        w, send, receive = (theta[name] for name in self.parameters)
        c = cotangent.reshape(p.shape)[flat.receivers]
        by_share = (c * p[flat.senders]).sum(2)
        mean = np.add.reduceat(by_share * share, flat.first, 0)[flat.receivers]
        by_raw = share * (by_share - mean) * np.where(raw > 0, 1, raw.dtype.type(self.below))
        by_s, by_r = collect(by_raw, flat.senders, n), collect(by_raw, flat.receivers, n)
        by_p = collect(share[:, :, None] * c, flat.senders, n)
        by_p += by_s[:, :, None] * send.reshape(self.heads, -1) + by_r[:, :, None] * receive.reshape(self.heads, -1)
        by_p = by_p.reshape(n, -1)
        found = [(by_p @ w.T).reshape(x.shape)]
        if self.wires.parents:
            found.append(np.zeros(parents[1].shape, by_p.dtype))
        gradients = (
            x.reshape(n, -1).T @ by_p,
            (by_s[:, :, None] * p).sum(0).ravel(),
            (by_r[:, :, None] * p).sum(0).ravel(),
        )
        return tuple(found), dict(zip(self.parameters, gradients, strict=True))


def _with_loops(flat, n):
    """The same edges and one from every node to itself."""
    senders, receivers = (np.concatenate([ends, np.arange(n)]) for ends in flat[:2])
    order = np.argsort(receivers, kind="stable")
    receivers = receivers[order]
    return Flat(senders[order], receivers, np.zeros(0, np.int64), np.flatnonzero(np.diff(receivers, prepend=-1)))
