"""Graphs to build networks on: thin over networkx, seeded, nodes 0..n-1, positions in ``pos``.

``pos`` (x, y) is a node attribute, for drawing; a periodic lattice carries ``graph.graph["period"]``.
Random graphs are drawn again until they are connected, because a part without a path to a source
floats.
"""

from __future__ import annotations

import itertools

import networkx as nx

from physlearn.checks import count, flag, number, sequence
from physlearn.rng import generator

NODE, EDGE = 500, 200  # bytes that networkx takes at least


def square_lattice(rows: int, columns: int | None = None, *, periodic: bool = False) -> nx.Graph:
    """Nodes on a square grid, each joined to its nearest neighbours.

    Parameters
    ----------
    rows, columns : int
        Size; square by default.  Node ``r * columns + c`` is in row r, column c.
    periodic : bool
        Close both directions to a torus, on which every node has four edges if both are at least 3.

    Returns
    -------
    networkx.Graph

    Examples
    --------
    The 16-node, 32-edge lattice of Dillavou et al. 2024:

    >>> torus = square_lattice(4, periodic=True)
    >>> len(torus), torus.size()
    (16, 32)
    """
    rows = count("rows", rows, each=NODE)
    columns = count("rows", rows, each=NODE * rows) if columns is None else count("columns", columns, each=NODE * rows)
    if flag("periodic", periodic) and min(rows, columns) < 3:
        raise ValueError(
            f"periodic: a {rows} x {columns} lattice would join two nodes twice or a node to itself; "
            "take at least 3 rows and 3 columns"
        )
    grid = nx.grid_2d_graph(rows, columns, periodic=periodic)
    graph = nx.convert_node_labels_to_integers(grid, ordering="default", label_attribute="pos")
    for _, data in graph.nodes(data=True):
        row, column = data["pos"]
        data["pos"] = (float(column), float(-row))
    if periodic:
        graph.graph["period"] = (float(columns), float(rows))
    return graph


def complete_graph(n: int) -> nx.Graph:
    """Every node joined to every other, drawn on a circle.

    Parameters
    ----------
    n : int
        Number of nodes, at least 2.

    Examples
    --------
    >>> complete_graph(5).size()
    10
    """
    n = count("n", n, 2)
    count("n", n, each=EDGE * (n - 1) // 2)
    return _placed(nx.complete_graph(n), nx.circular_layout)


def layered_graph(sizes) -> nx.Graph:
    """Layers of nodes, neighbouring layers joined completely.

    Parameters
    ----------
    sizes : sequence of int
        Nodes in each layer.  Nodes are numbered layer by layer and carry the attribute ``layer``.

    Examples
    --------
    >>> layered_graph([2, 3, 1]).size()
    9
    """
    sizes = sequence("sizes", sizes, expected="a list of whole numbers, nodes in each layer")
    if len(sizes) < 2:
        raise ValueError(f"sizes: got {list(sizes)}, expected at least two layers")
    sizes = [count("sizes", size) for size in sizes]
    for here, there in itertools.pairwise(sizes):
        count("sizes", here, each=EDGE * there)
    graph, layers, start = nx.Graph(), [], 0
    apart = max(1.0, 1.2 * (max(sizes) - 1) / (len(sizes) - 1))  # a picture a little wider than high
    for depth, size in enumerate(sizes):
        layers.append(range(start, start + size))
        for k, node in enumerate(layers[-1]):
            graph.add_node(node, layer=depth, pos=(apart * depth, 0.5 * (size - 1) - k))
        start += size
    for here, there in itertools.pairwise(layers):
        graph.add_edges_from(itertools.product(here, there))
    return graph


def random_regular_graph(n: int, degree: int, *, rng=None, connected: bool = True) -> nx.Graph:
    """Uniformly random among graphs in which every node has ``degree`` edges.

    Parameters
    ----------
    n, degree : int
        Their product must be even.
    rng : int, numpy.random.Generator or None
    connected : bool
        Draw again until the graph is connected.

    Notes
    -----
    Asymptotically uniform (Steger and Wormald 1999).

    Examples
    --------
    >>> random_regular_graph(10, 4, rng=0).size()
    20
    """
    n, degree = count("n", n, 2, each=NODE), count("degree", degree)
    if not 0 < degree < n or n * degree % 2:
        raise ValueError(f"degree: got {degree} for n = {n}, expected 0 < degree < n, n * degree even")
    graph = _drawn(lambda seed: nx.random_regular_graph(degree, n, seed=seed), rng, connected)
    # networkx adds nodes in the order of its draws; readers expect 0..n-1
    ordered = nx.Graph()
    ordered.add_nodes_from(range(n))
    ordered.add_edges_from(sorted(tuple(sorted(edge)) for edge in graph.edges))
    return _placed(ordered, nx.circular_layout)


def random_geometric_graph(n: int, radius: float, *, rng=None, connected: bool = True) -> nx.Graph:
    """Points uniform in the unit square, joined if closer than ``radius``.

    Parameters
    ----------
    n : int
    radius : float
        In units of the square's side.
    rng : int, numpy.random.Generator or None
    connected : bool
        Draw again until the graph is connected.

    Examples
    --------
    >>> len(random_geometric_graph(30, 0.4, rng=1))
    30
    """
    n, radius = count("n", n, 2, each=NODE), number("radius", radius, 0.0)
    return _drawn(lambda seed: nx.random_geometric_graph(n, radius, seed=seed), rng, connected)


def erdos_renyi_graph(n: int, probability: float, *, rng=None, connected: bool = True) -> nx.Graph:
    """Each of the n (n - 1) / 2 edges present with the same probability, independently.

    Parameters
    ----------
    n : int
    probability : float
        Between 0 and 1.
    rng : int, numpy.random.Generator or None
    connected : bool
        Draw again until the graph is connected.

    Examples
    --------
    >>> len(erdos_renyi_graph(20, 0.3, rng=1))
    20
    """
    n, probability = count("n", n, 2, each=NODE), number("probability", probability, 0.0, 1.0)
    graph = _drawn(lambda seed: nx.gnp_random_graph(n, probability, seed=seed), rng, connected)
    return _placed(graph, nx.circular_layout)


def _drawn(draw, rng, connected, tries=200):
    flag("connected", connected)
    stream = generator(rng)
    for _ in range(tries):
        graph = draw(stream)
        if not connected or nx.is_connected(graph):
            return graph
    raise ValueError(
        f"connected: none of {tries} draws was connected; ask for more edges (a larger degree, radius "
        "or probability) or pass connected=False and keep one component"
    )


def _placed(graph, layout):
    nx.set_node_attributes(graph, {node: tuple(xy) for node, xy in layout(graph).items()}, name="pos")
    return graph
