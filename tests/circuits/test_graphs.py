"""Graphs: sizes, order, positions, seeds."""

import networkx as nx
import numpy as np
import pytest

import circuits
from circuits import (
    complete_graph,
    erdos_renyi_graph,
    layered_graph,
    random_geometric_graph,
    random_regular_graph,
    square_lattice,
)

GRAPHS = {
    "square": (lambda rng: square_lattice(3, 5), 15, 22),
    "torus": (lambda rng: square_lattice(4, periodic=True), 16, 32),
    "complete": (lambda rng: complete_graph(7), 7, 21),
    "layered": (lambda rng: layered_graph([2, 4, 3]), 9, 20),
    "regular": (lambda rng: random_regular_graph(12, 3, rng=rng), 12, 18),
    "geometric": (lambda rng: random_geometric_graph(25, 0.35, rng=rng), 25, None),
    "erdos_renyi": (lambda rng: erdos_renyi_graph(25, 0.2, rng=rng), 25, None),
}


@pytest.mark.parametrize("build, nodes, edges", GRAPHS.values(), ids=GRAPHS)
def test_size_order_positions_and_seed(build, nodes, edges):
    graph = build(7)
    assert list(graph) == list(range(nodes)) and nx.is_connected(graph)
    assert edges is None or graph.size() == edges
    pos = nx.get_node_attributes(graph, "pos")
    assert len(pos) == nodes and all(len(xy) == 2 for xy in pos.values())
    assert len({tuple(np.round(xy, 9)) for xy in pos.values()}) == nodes
    again = build(np.random.default_rng(7))
    assert list(again.edges) == list(graph.edges)
    assert nx.get_node_attributes(again, "pos") == pos


def test_square_lattice_is_numbered_row_by_row():
    graph = square_lattice(2, 3)
    assert set(graph.edges) == {(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)}
    assert graph.nodes[4]["pos"] == (1.0, -1.0)
    torus = square_lattice(3, 4, periodic=True)
    assert torus.graph["period"] == (4.0, 3.0)
    assert set(torus[0]) == {1, 3, 4, 8}


def test_regular_degrees():
    assert {d for _, d in random_regular_graph(20, 4, rng=0).degree} == {4}


def test_layers_are_joined_completely():
    graph = layered_graph([2, 3, 2])
    assert [graph.nodes[k]["layer"] for k in graph] == [0, 0, 1, 1, 1, 2, 2]
    assert set(graph[0]) == {2, 3, 4} and set(graph[2]) == {0, 1, 5, 6}


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: square_lattice(0), "rows: got 0, expected an integer of at least 1"),
        (lambda: square_lattice(3, 2, periodic=True), "3 x 2 lattice .* at least 3 rows"),
        (lambda: complete_graph(1), "n: got 1"),
        (lambda: layered_graph([3]), r"sizes: got \[3\], expected at least two layers"),
        (lambda: layered_graph([3, 0]), "sizes: got 0"),
        (lambda: random_regular_graph(5, 3), "degree: got 3 for n = 5"),
        (lambda: erdos_renyi_graph(5, 1.5), "probability: got 1.5"),
        (lambda: erdos_renyi_graph(50, 0.01, rng=0), "none of 200 draws was connected"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unconnected_on_request():
    assert not nx.is_connected(random_geometric_graph(50, 0.05, rng=0, connected=False))


def test_table_of_contents():
    assert all(hasattr(circuits, name) for name in circuits.__all__)
    assert set(circuits.__all__) <= set(dir(circuits))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = circuits.no_such_name
