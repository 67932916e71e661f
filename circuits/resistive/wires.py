"""A networkx graph as arrays: node numbers and conductances, checked edge by edge."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from physlearn.checks import array


def wires(graph: Any):
    """Labels of nodes and of edges, and the edges' node numbers (m, 2); refuse anything but a circuit."""
    if not isinstance(graph, nx.Graph):
        raise TypeError(f"graph: got {type(graph).__name__}, expected a networkx Graph or MultiGraph")
    if graph.is_directed():
        raise TypeError(
            f"graph: got a {type(graph).__name__}, but a resistor conducts both ways; pass graph.to_undirected()"
        )
    nodes = tuple(graph.nodes)
    edges = tuple(graph.edges(keys=True)) if isinstance(graph, nx.MultiGraph) else tuple(graph.edges)
    if not edges:
        raise ValueError(f"graph: {len(nodes)} nodes and no edges; add at least one edge")
    loops = [edge for edge in edges if edge[0] == edge[1]]
    if loops:
        raise ValueError(
            f"graph: {len(loops)} self-loops, the first {loops[0]!r}; they carry no current, remove "
            "them: graph.remove_edges_from(list(networkx.selfloop_edges(graph)))"
        )
    number = {node: k for k, node in enumerate(nodes)}
    pairs = np.array([(number[edge[0]], number[edge[1]]) for edge in edges])
    return nodes, edges, pairs


def siemens(edges, conductance, kind, graph=None):
    """Positive, finite conductances (m,) S from an attribute's name, a number or one per edge.

    Without a graph there are no attributes to read.
    """
    if not isinstance(kind, str) or kind not in ("conductance", "resistance"):
        raise ValueError(f"kind: got {kind!r}, expected 'conductance' (S) or 'resistance' (ohm)")
    if isinstance(conductance, str):
        conductance = _attribute(edges, conductance, graph)
    try:
        values = array("conductance", conductance, finite=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{error}; expected an edge attribute's name, a number or one per edge") from None
    if values.ndim and values.shape != (len(edges),):
        raise ValueError(
            f"conductance: shape {values.shape}, expected a number or ({len(edges)},), one per edge "
            "in the order of graph.edges"
        )
    values = np.broadcast_to(values, len(edges))
    with np.errstate(divide="ignore"):
        g = values.astype(float) if kind == "conductance" else 1.0 / values
    bad = np.flatnonzero(~(np.isfinite(values) & np.isfinite(g) & (g > 0)))
    if bad.size:
        raise ValueError(
            f"conductance: edge {edges[bad[0]]!r} has {kind} {values[bad[0]]:g}, expected a positive "
            f"finite number ({bad.size} of {len(edges)} edges are wrong). For an open circuit remove "
            "the edge, for a short merge its nodes (networkx.contracted_nodes)"
        )
    return g


def _attribute(edges, name, graph):
    if graph is None:
        raise TypeError(
            f"conductance: got the name {name!r}, expected numbers; attributes are read from the "
            "graph, when a network is built"
        )
    data = [attributes for *_, attributes in graph.edges(data=True)]
    missing = [edge for edge, attributes in zip(edges, data, strict=True) if name not in attributes]
    if missing:
        raise ValueError(
            f"conductance: edge {missing[0]!r} has no attribute {name!r} ({len(missing)} of "
            f"{len(edges)} edges lack it); set it or pass an array"
        )
    return [attributes[name] for attributes in data]
