"""Connections that are given: a matrix, a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, flag, instance, text


@dataclass(frozen=True, eq=False)
class from_matrix:  # noqa: N801
    """The stored entries of a sparse (or the nonzero ones of a dense) matrix (sources, targets); values are weights.

    Parameters
    ----------
    matrix : scipy.sparse array or (sources, targets) array
    weighted : bool
        False takes the pattern only, and weights from the projection.

    Examples
    --------
    >>> from_matrix([[0, 1e-3], [0, 0]]).weighted
    True
    """

    matrix: Any
    weighted: bool = True

    __repr__ = brief

    def __post_init__(self):
        flag("from_matrix: weighted", self.weighted)
        if getattr(self.matrix, "dtype", np.dtype(float)).kind == "c":
            raise TypeError(f"from_matrix: a matrix of {self.matrix.dtype}, expected real weights")
        if isinstance(self.matrix, type) or not hasattr(self.matrix, "tocsr"):
            array("from_matrix: matrix", self.matrix, ndim=2)
        elif not np.all(np.isfinite(self.matrix.tocsr().data)):
            raise ValueError("from_matrix: matrix: some of its entries are NaN or infinite, expected finite weights")

    def chunks(self, source, target, same, rng):
        """All rows at once."""
        from scipy.sparse import csr_array

        matrix = csr_array(self.matrix).copy()
        if matrix.dtype.kind not in "buif":
            raise TypeError(f"from_matrix: a matrix of {matrix.dtype}, expected real weights")
        matrix.sort_indices()
        if matrix.shape != (source.n, target.n):
            raise ValueError(f"from_matrix: shape {matrix.shape}, expected ({source.n}, {target.n}): sources, targets")
        weights = np.asarray(matrix.data, dtype=float) if self.weighted else None
        yield 0, matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), weights


@dataclass(frozen=True, eq=False)
class from_graph:  # noqa: N801
    """The edges of a networkx graph (both ways if undirected); nodes count in the graph's order.

    Parallel edges of a multigraph are as many synapses.

    Parameters
    ----------
    graph : networkx.Graph
    weight : str or None
        Edge attribute with the weight; None takes weights from the projection.

    Examples
    --------
    >>> import networkx as nx
    >>> from_graph(nx.path_graph(3)).weight is None
    True
    """

    graph: Any
    weight: str | None = None

    __repr__ = brief

    def __post_init__(self):
        import networkx as nx

        instance("from_graph: graph", self.graph, nx.Graph, "a networkx graph")
        if self.weight is not None:
            text("from_graph: weight", self.weight, "the name of an edge attribute")

    def chunks(self, source, target, same, rng):
        """All rows at once."""
        graph, weights = self.graph, None
        n = graph.number_of_nodes()
        if n != source.n or n != target.n:
            raise ValueError(f"from_graph: a graph of {n} nodes, expected {source.n} sources and {target.n} targets")
        place = {node: k for k, node in enumerate(graph.nodes)}
        edges = list(graph.edges(data=self.weight)) if self.weight is not None else [(*e, 0.0) for e in graph.edges()]
        for *edge, value in edges:
            if value is None:
                raise ValueError(f"from_graph: edge {tuple(edge)} has no attribute {self.weight!r}")
        values = array("from_graph: weight", [value for *_, value in edges])
        ends = np.array([(place[a], place[b]) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2)
        if not graph.is_directed():
            back = ends[:, 0] != ends[:, 1]
            ends, values = np.concatenate([ends, ends[back, ::-1]]), np.concatenate([values, values[back]])
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        if self.weight is not None:
            weights = values[order]
        yield 0, np.searchsorted(ends[order, 0], np.arange(n + 1)), ends[order, 1].astype(np.int32), weights
