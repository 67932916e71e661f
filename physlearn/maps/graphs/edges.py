"""Edges of graphs as arrays: of one graph that a map keeps, or of every item of a batch its own.

An edge goes from a sender to a receiver; an undirected graph has every edge both ways.  Graphs of several sizes in one
batch are padded: edges with -1, nodes with whatever their mask hides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.checks import integers, seen, sequence


class Flat(NamedTuple):
    """Edges of a batch whose nodes are numbered through, sorted by receiver.

    Attributes
    ----------
    senders, receivers : (E,) array of int
        Item times nodes plus node.
    place : (E,) array of int
        Where each edge was among the batch's edges, item times edges plus edge.
    first : (R,) array of int
        Where each receiver's run begins.
    """

    senders: np.ndarray
    receivers: np.ndarray
    place: np.ndarray
    first: np.ndarray


def edges_of(graph, name="graph"):
    """Edges (E, 2), sender and receiver, the number of nodes, and weights (E,).

    Parameters
    ----------
    graph : networkx graph, sparse matrix or (E, 2) array of int
        A matrix A has an edge from j to i for every stored A[i, j]; a networkx graph's nodes are numbered in its
        order, and weights are its edges' "weight".

    Examples
    --------
    >>> edges_of([[0, 1], [1, 2]])[0].tolist()
    [[0, 1], [1, 2]]
    """
    if hasattr(graph, "edges") and hasattr(graph, "nodes"):
        number = {node: k for k, node in enumerate(graph.nodes)}
        found = [(number[a], number[b], float(w)) for a, b, w in graph.edges(data="weight", default=1.0)]
        if not graph.is_directed():
            found += [(b, a, w) for a, b, w in found if a != b]
        pairs = np.array([edge[:2] for edge in found], np.int64).reshape(-1, 2)
        weight, nodes = np.array([edge[2] for edge in found], float), len(number)
    elif hasattr(graph, "tocoo"):
        coo = graph.tocoo()
        if coo.shape[0] != coo.shape[1]:
            raise ValueError(f"{name}: got a matrix of shape {coo.shape}, expected a square one")
        pairs, weight, nodes = np.stack([coo.col, coo.row], 1).astype(np.int64), coo.data.astype(float), coo.shape[0]
    else:
        try:
            pairs = integers(name, graph, shape=("edges", 2), low=0)
        except (TypeError, ValueError):
            raise type_of(graph)(
                f"{name}: got {seen(graph)}, expected a networkx graph, a sparse matrix, or pairs of node numbers"
            ) from None
        nodes, weight = int(pairs.max(initial=-1)) + 1, np.ones(len(pairs))
    if not len(pairs):
        raise ValueError(f"{name}: it has {nodes} nodes and no edges, expected at least one edge")
    return pairs, nodes, weight


def type_of(graph):
    """The error for what is no graph: a ValueError for numbers, else a TypeError."""
    return ValueError if isinstance(graph, list | tuple | np.ndarray) else TypeError


def pack_graphs(graphs) -> dict[str, np.ndarray]:
    """Graphs of several sizes as one batch: edges, their weights, and which nodes there are.

    Parameters
    ----------
    graphs : sequence of networkx graphs or sparse matrices

    Returns
    -------
    dict
        "edges", (n, E, 2), padded by -1; "weight", (n, E), padded by 0; "mask", (n, N), 1 where there is a node.

    Examples
    --------
    >>> import networkx as nx
    >>> packed = pack_graphs([nx.path_graph(2), nx.path_graph(3)])
    >>> packed["edges"].shape, packed["mask"].tolist()
    ((2, 4, 2), [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    """
    given = sequence("graphs", graphs, expected="networkx graphs or sparse matrices")
    if not given:
        raise ValueError("graphs: got none, expected at least one")
    found = [edges_of(graph, f"graphs[{k}]") for k, graph in enumerate(given)]
    most, nodes = max(len(pairs) for pairs, _, _ in found), max(n for _, n, _ in found)
    edges, weight = np.full((len(found), most, 2), -1.0), np.zeros((len(found), most))
    mask = np.zeros((len(found), nodes))
    for k, (pairs, n, w) in enumerate(found):
        edges[k, : len(pairs)], weight[k, : len(pairs)], mask[k, :n] = pairs, w, 1.0
    return {"edges": edges, "weight": weight, "mask": mask}


class Wires:
    """The edges that a map's nodes have: one graph's for all items, or a parent of theirs.

    Parameters
    ----------
    graph : graph or None
        See `edges_of`; None where a parent gives the edges, (E, 2), -1 for none.
    """

    def __init__(self, graph):
        self.given: Any = None if graph is None else edges_of(graph)
        self.kept: tuple[Any, Any] = (None, None)

    @property
    def parents(self):
        """Number of parents that give edges, 0 or 1."""
        return int(self.given is None)

    def check(self, map, nodes, shapes):
        """Number of edges; ValueError where shapes are not those of edges, or nodes too few."""
        if self.given is not None:
            if self.given[1] > nodes:
                raise ValueError(
                    f"{type(map).__name__}: its graph has {self.given[1]} nodes, the parent {nodes}; expected as many"
                )
            return len(self.given[0])
        (shape,) = shapes
        if len(shape) != 2 or shape[1] != 2:
            raise ValueError(f"{type(map).__name__}: got edges of shape {tuple(shape)}, expected (edges, 2)")
        return shape[0]

    def flat(self, items, nodes, edges=None) -> Flat:
        """The batch's edges."""
        if self.given is None:
            return _flat(edges, nodes)
        if self.kept[0] != (items, nodes):
            pairs = np.broadcast_to(self.given[0], (items, *self.given[0].shape))
            self.kept = ((items, nodes), _flat(pairs, nodes))
        return self.kept[1]


def _flat(edges, nodes):
    """Edges (batch, E, 2) numbered through and sorted; -1 are left out."""
    ends = np.rint(edges).astype(np.int64)
    there = (ends >= 0).all(2)
    if ends.max() >= nodes:
        raise ValueError(f"edges: got the node {ends.max()}, expected one of 0 .. {nodes - 1}, or -1 for no edge")
    empty = np.flatnonzero(~there.any(1))
    if empty.size:
        raise ValueError(f"edges: item {empty[0]} has none, expected at least one edge in every graph")
    item, edge = np.nonzero(there)
    sender, receiver = (item * nodes + ends[item, edge, k] for k in range(2))
    order = np.argsort(receiver, kind="stable")
    receiver = receiver[order]
    first = np.flatnonzero(np.diff(receiver, prepend=-1))
    return Flat(sender[order], receiver, (item * edges.shape[1] + edge)[order], first)


def collect(values, index, n):
    """Sums of rows by index: (n, ...) of values (E, ...).

    >>> collect(np.array([[1.0], [2.0], [3.0]]), np.array([0, 0, 2]), 3).ravel()
    array([3., 0., 3.])
    """
    from scipy.sparse import csr_matrix

    flat = values.reshape(len(values), -1)
    ones = np.ones(len(index), values.dtype)
    by = csr_matrix((ones, index, np.arange(len(index) + 1)), (len(index), n))
    return (by.T @ flat).reshape(n, *values.shape[1:])
