"""Resistances over many decades against rational arithmetic: paths, trees, series-parallel and arbitrary graphs."""

from fractions import Fraction
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from circuits import ResistorNetwork, effective_resistance, kirchhoff_index, resistance_matrix
from circuits.resistive import elimination
from circuits.resistive.elimination import all_resistances


def series_parallel(n, rng):
    """Edges of a two-terminal network, each replaced by two in series or in parallel, at random."""
    edges, nodes = [(0, 1)], 2
    while len(edges) < n:
        k = int(rng.integers(len(edges)))
        a, b = edges[k]
        if rng.random() < 0.5:
            edges.append((a, b))
        else:
            edges[k], nodes = (a, nodes), nodes + 1
            edges.append((nodes - 1, b))
    return nx.MultiGraph(edges)


GRAPHS = {
    "two nodes": lambda rng: nx.path_graph(2),
    "path": lambda rng: nx.path_graph(9),
    "star": lambda rng: nx.star_graph(10),
    "tree": lambda rng: nx.random_labeled_tree(13, seed=5),
    "ring": lambda rng: nx.cycle_graph(7),
    "series and parallel": lambda rng: series_parallel(18, rng),
    "complete": lambda rng: nx.complete_graph(7),
    "ladder": lambda rng: nx.ladder_graph(5),
    "random": lambda rng: nx.random_regular_graph(4, 9, seed=2),
}


def exact(network):
    """Resistances of all pairs, as fractions: all other nodes eliminated, pair by pair."""
    n, place = len(network.nodes), {node: k for k, node in enumerate(network.nodes)}
    g = [[Fraction(0)] * n for _ in range(n)]
    for edge, value in zip(network.edges, network.conductance, strict=True):
        a, b = place[edge[0]], place[edge[1]]
        g[a][b] = g[b][a] = g[a][b] + Fraction(float(value))
    out = {}
    for pair in combinations(range(n), 2):
        h, left = [row[:] for row in g], set(range(n))
        for k in left - set(pair):
            left.discard(k)
            total = sum(h[k][j] for j in left)
            for i, j in combinations(left, 2):
                h[i][j] = h[j][i] = h[i][j] + h[k][i] * h[k][j] / total
        out[pair] = 1 / h[pair[0]][pair[1]]
    return out


def worst(found, expected):
    return max(abs(float((Fraction(float(a)) - b) / b)) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("decades", [0, 4, 12, 30])
def test_resistances_hold_all_digits_over_any_decades(name, decades, rng, tol):
    graph = GRAPHS[name](rng)
    g = 10.0 ** rng.uniform(-decades / 2, decades / 2, graph.number_of_edges())
    network = ResistorNetwork(graph, conductance=g)
    expected = exact(network)
    matrix = resistance_matrix(network)
    assert np.array_equal(matrix, matrix.T) or np.allclose(matrix, matrix.T, rtol=tol.IDENTITY, atol=0)
    assert worst([matrix[pair] for pair in expected], expected.values()) < tol.IDENTITY
    assert worst([kirchhoff_index(network)], [sum(expected.values())]) < tol.IDENTITY
    pairs = [(network.nodes[a], network.nodes[b]) for a, b in expected]
    assert worst(effective_resistance(network, pairs), expected.values()) < tol.IDENTITY
    assert worst([effective_resistance(network, pairs[-1])], [list(expected.values())[-1]]) < tol.IDENTITY


def test_paths_are_sums(rng, tol):
    for n in (3, 17, 64, 129):
        g = 10.0 ** rng.uniform(-10, 10, n - 1)
        along = np.concatenate([[0], np.cumsum([Fraction(1) / Fraction(value) for value in g])])
        network = ResistorNetwork(nx.path_graph(n), conductance=g)
        expected = [abs(along[i] - along[j]) for i, j in combinations(range(n), 2)]
        assert worst(resistance_matrix(network)[np.triu_indices(n, 1)], expected) < tol.IDENTITY


@pytest.mark.parametrize("n", [97, 150, 200])
def test_networks_beyond_one_panel_agree_with_the_inverse(n, rng, tol):
    g = rng.uniform(0.5, 1.5, (n, n))
    g += g.T
    green = np.linalg.inv(np.diag(g.sum(1) - np.diag(g)) - g + np.diag(np.diag(g)) + 1.0)
    level = np.diag(green)
    expected = level[:, None] + level - green - green.T
    off = ~np.eye(n, dtype=bool)
    assert np.allclose(all_resistances(g)[off], expected[off], rtol=tol.IDENTITY, atol=0)


def test_parts_that_nothing_joins(rng, tol):
    graph = nx.disjoint_union(nx.path_graph(3), nx.path_graph(3))
    network = ResistorNetwork(graph, conductance=[1e9, 1e-9, 1.0, 2.0])
    assert np.allclose(effective_resistance(network, [(0, 1), (1, 2), (3, 5)]), [1e-9, 1e9, 1.5], rtol=tol.IDENTITY)
    assert effective_resistance(network, (0, 3)) == np.inf == kirchhoff_index(network)


def test_a_part_too_large_to_eliminate_is_warned_of(monkeypatch):
    network = ResistorNetwork(nx.complete_graph(8), conductance=np.geomspace(1e-6, 1.0, 28))
    expected = effective_resistance(network, (0, 7))
    monkeypatch.setattr(elimination, "MOST", 5)
    with pytest.warns(RuntimeWarning, match="conductances span 1e"):
        assert effective_resistance(network, (0, 7)) == pytest.approx(expected, rel=1e-6)
