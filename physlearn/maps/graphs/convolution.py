r"""Graph convolution: a layer on each node after a mean over its neighbours and itself (Kipf and Welling 2017, eq. 2).

    y = S x W + b,    S = D^(-1/2) (A + 1) D^(-1/2)

with A the weights between nodes, no node with itself, and D the row sums of A + 1.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, not_negative, text
from physlearn.maps.graphs.edges import Wires, collect
from physlearn.maps.graphs.message import nodes_and_edges
from physlearn.maps.map import Map


class GraphConvolution(Map):
    """Features of nodes, averaged over neighbours and transformed, (nodes, units).

    Parents: nodes, (nodes, d), and edges, (edges, 2), unless the map has a ``graph``, whose weights count.

    Parameters
    ----------
    units : int
    weight, bias : str
        Names in theta of W, (d, units), and b, (units,); bias None for none.
    graph : networkx graph, sparse matrix or (E, 2) array of int, optional
        Undirected, or a list with every edge both ways.
    scale : float
        W starts normal with standard deviation scale / sqrt(d); b at zero.

    Examples
    --------
    >>> import networkx as nx
    >>> import numpy as np
    >>> mean = GraphConvolution(1, bias=None, graph=nx.complete_graph(3))
    >>> mean.forward((np.array([[[0.0], [3.0], [6.0]]]),), {"W": np.ones((1, 1))})[0].ravel().round(12)
    array([3., 3., 3.])
    """

    def __init__(self, units, weight="W", bias="b", *, graph=None, scale=1.0):
        self.units, self.wires = count("units", units), Wires(graph)
        self.weight = text("weight", weight, "a parameter's name")
        self.bias = None if bias is None else text("bias", bias, "a parameter's name, or None")
        self.scale = not_negative("scale", scale)
        self.parameters = (self.weight,) if self.bias is None else (self.weight, self.bias)
        self.affine = graph is not None

    def __repr__(self):
        return brief(self, units=self.units, weight=self.weight, bias=self.bias)

    def shape(self, shapes):
        """(nodes, units)."""
        (nodes, _), _ = nodes_and_edges(self, self.wires, shapes, False)
        return nodes, self.units

    def start(self, shapes, rng):
        """W normal, b zero."""
        self.shape(shapes)
        d = shapes[0][1]
        count(f"theta[{self.weight!r}], its entries", d * self.units, each=8)
        first = {self.weight: rng.standard_normal((d, self.units)) * (self.scale / math.sqrt(d))}
        return first if self.bias is None else first | {self.bias: np.zeros(self.units)}

    def forward(self, parents, theta):
        """S (x W) + b; the tape is S by its edges, and the parents."""
        x, w = parents[0], theta[self.weight]
        n = x.shape[0] * x.shape[1]
        flat = self.wires.flat(len(x), x.shape[1], parents[1] if self.wires.parents else None)
        weight = np.ones(len(flat.place))
        if self.wires.given is not None:
            weight = self.wires.given[2][flat.place % len(self.wires.given[2])]
        size = 1 / np.sqrt(1 + np.bincount(flat.receivers, weight, minlength=n))
        along = (weight * size[flat.receivers] * size[flat.senders]).astype(x.dtype)[:, None]
        own = (size * size).astype(x.dtype)[:, None]
        rows = x.reshape(n, -1) @ w
        value = rows * own + collect(rows[flat.senders] * along, flat.receivers, n)
        if self.bias is not None:
            value += theta[self.bias]
        return value.reshape(*x.shape[:2], self.units), (flat, along, own, parents)

    def back(self, tape, cotangent, theta):
        """(S^T c) W^T."""
        found = [(self._through(tape, cotangent) @ theta[self.weight].T).reshape(tape[3][0].shape)]
        if self.wires.parents:
            found.append(np.zeros(tape[3][1].shape, cotangent.dtype))
        return tuple(found)

    def slope(self, tape, cotangent, theta):
        """x^T S^T c, and the sum of c."""
        x = tape[3][0]
        found = {self.weight: x.reshape(-1, x.shape[2]).T @ self._through(tape, cotangent)}
        return found if self.bias is None else found | {self.bias: cotangent.sum((0, 1))}

    def _through(self, tape, cotangent):
        flat, along, own, _ = tape
        c = cotangent.reshape(-1, self.units)
        return c * own + collect(c[flat.receivers] * along, flat.senders, len(c))
