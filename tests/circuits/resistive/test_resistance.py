"""Effective resistances against closed forms, theorems and networkx."""

import math

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import (
    ResistorNetwork,
    effective_resistance,
    erdos_renyi_graph,
    kirchhoff_index,
    random_regular_graph,
    resistance_matrix,
    square_lattice,
)

CYCLE = nx.cycle_graph(9)
CUBE = nx.hypercube_graph(3)  # nodes are tuples of bits: distance is the number of differing bits
PETERSEN = nx.petersen_graph()
ICOSAHEDRON, DODECAHEDRON = nx.icosahedral_graph(), nx.dodecahedral_graph()


def at_distance(graph, k):
    """A pair of nodes k edges apart."""
    start = next(iter(graph))
    return start, next(b for b, d in nx.shortest_path_length(graph, start).items() if d == k)


EXACT = {
    "cube edge": (CUBE, at_distance(CUBE, 1), 7 / 12),
    "cube face diagonal": (CUBE, at_distance(CUBE, 2), 3 / 4),
    "cube space diagonal": (CUBE, at_distance(CUBE, 3), 5 / 6),
    "tetrahedron": (nx.tetrahedral_graph(), (0, 3), 1 / 2),
    "octahedron edge": (nx.octahedral_graph(), at_distance(nx.octahedral_graph(), 1), 5 / 12),
    "octahedron far": (nx.octahedral_graph(), at_distance(nx.octahedral_graph(), 2), 1 / 2),
    "icosahedron edge": (ICOSAHEDRON, at_distance(ICOSAHEDRON, 1), 11 / 30),
    "dodecahedron edge": (DODECAHEDRON, at_distance(DODECAHEDRON, 1), 19 / 30),
    "Petersen edge": (PETERSEN, at_distance(PETERSEN, 1), 3 / 5),
    "Petersen far": (PETERSEN, at_distance(PETERSEN, 2), 4 / 5),
    "infinite ladder": (nx.ladder_graph(40), (0, 40), math.sqrt(3) - 1),  # R = 1 || (2 + R)
    "path": (nx.path_graph(8), (0, 7), 7.0),
    **{f"complete {n}": (nx.complete_graph(n), (0, n - 1), 2 / n) for n in (2, 5, 12)},
    **{
        f"bipartite {m},{n}": (nx.complete_bipartite_graph(m, n), (0, m), (m + n - 1) / (m * n))
        for m, n in ((1, 4), (3, 3), (4, 7))
    },
    **{
        f"hypercube {d}": (
            nx.hypercube_graph(d),
            at_distance(nx.hypercube_graph(d), 1),
            (2**d - 1) / (d * 2 ** (d - 1)),
        )
        for d in (2, 4, 6)
    },
    **{f"cycle {k} of 9": (CYCLE, (0, k), k * (9 - k) / 9) for k in (1, 3, 4)},
}


@pytest.mark.parametrize("graph, pair, ohms", EXACT.values(), ids=EXACT)
def test_unit_resistors(graph, pair, ohms, tol):
    network = ResistorNetwork(graph, conductance=1.0)
    assert_allclose(effective_resistance(network, pair), ohms, rtol=tol.IDENTITY)
    a, b = (network.nodes.index(node) for node in pair)
    assert_allclose(resistance_matrix(network)[a, b], ohms, rtol=tol.IDENTITY)


def test_half_infinite_ladder_is_the_golden_ratio(tol):
    # Feynman's ladder: R = 1 + 1/(1 + 1/R); series resistors on one rail, the other is a plain wire.
    graph = nx.Graph()
    for k in range(40):
        graph.add_edges_from([(k, k + 1), (k + 1, "rail")])
    network = ResistorNetwork(graph, conductance=1.0)
    golden = (1 + math.sqrt(5)) / 2
    assert_allclose(effective_resistance(network, (0, "rail")), golden, rtol=tol.IDENTITY)


@pytest.mark.parametrize("ohms", [[1.0, 2.0], [0.5, 7.0, 30.0], [0.1, 10.0, 100.0, 5.0]])
def test_series_and_parallel(ohms, tol):
    series = ResistorNetwork(nx.path_graph(len(ohms) + 1), conductance=ohms, kind="resistance")
    assert_allclose(effective_resistance(series, (0, len(ohms))), sum(ohms), rtol=tol.IDENTITY)
    bundle = nx.MultiGraph([("a", "b")] * len(ohms))
    parallel = ResistorNetwork(bundle, conductance=ohms, kind="resistance")
    assert len(parallel.edges) == len(ohms)
    assert_allclose(
        effective_resistance(parallel, ("a", "b")),
        1 / sum(1 / r for r in ohms),
        rtol=tol.IDENTITY,
    )


def random_network(seed, n=30):
    rng = np.random.default_rng(seed)
    graph = erdos_renyi_graph(n, 0.2, rng=rng)
    return ResistorNetwork(graph, conductance=np.exp(rng.normal(size=graph.size()))), graph


@pytest.mark.parametrize("seed", range(4))
def test_foster(seed, tol):
    network, graph = random_network(seed)
    total = network.conductance @ effective_resistance(network, network.edges)
    assert_allclose(total, len(graph) - 1, rtol=tol.IDENTITY)


@pytest.mark.parametrize("seed", range(4))
def test_all_routes_agree_with_networkx(seed, tol):
    network, graph = random_network(seed)
    for (u, v), g in zip(network.edges, network.conductance, strict=True):
        graph.edges[u, v]["ohm"] = 1 / g
    theirs = nx.resistance_distance(graph, weight="ohm", invert_weight=True)  # weight: resistance
    matrix = resistance_matrix(network)
    pairs = [(a, b) for a in graph for b in graph if a < b]
    expected = [theirs[a][b] for a, b in pairs]
    assert_allclose(effective_resistance(network, pairs), expected, rtol=tol.IDENTITY)
    assert_allclose([matrix[pair] for pair in pairs], effective_resistance(network, pairs), rtol=tol.IDENTITY)
    few = effective_resistance(network, pairs[:3])  # solved pair by pair instead of node by node
    assert_allclose(few, [matrix[pair] for pair in pairs[:3]], rtol=tol.IDENTITY)


@pytest.mark.parametrize("seed", range(3))
def test_kirchhoff_index_is_the_sum_of_resistances(seed, tol):
    network, _ = random_network(seed)
    assert_allclose(kirchhoff_index(network), resistance_matrix(network).sum() / 2, rtol=tol.IDENTITY)


def test_kirchhoff_index_of_a_cycle(tol):
    n = 11
    network = ResistorNetwork(nx.cycle_graph(n), conductance=1.0)
    assert_allclose(kirchhoff_index(network), (n**3 - n) / 12, rtol=tol.IDENTITY)


@pytest.mark.parametrize("seed", range(3))
def test_rayleigh_monotonicity(seed):
    network, _ = random_network(seed)
    rng = np.random.default_rng(100 + seed)
    before = resistance_matrix(network)
    raised = network.conductance * np.where(rng.random(len(network.edges)) < 0.3, 2.0, 1.0)
    after = resistance_matrix(network.with_conductance(raised))
    assert np.all(after <= before * (1 + 1e-13))
    assert after.sum() < before.sum()


INFINITE = {(1, 0): 1 / 2, (1, 1): 2 / math.pi, (2, 0): 2 - 4 / math.pi, (2, 1): 4 / math.pi - 1 / 2}


@pytest.mark.parametrize("step, ohms", INFINITE.items(), ids=str)
def test_square_grid_approached_by_tori(step, ohms, tol):
    # On the N x N torus the extracted current is spread over all N^2 nodes' worth of neutrality:
    # R falls short by (p^2 + q^2) / (2 N^2) to leading order.
    p, q = step
    sizes = np.array([16, 32, 64, 128])
    short = []
    for n in sizes:
        torus = ResistorNetwork(square_lattice(int(n), periodic=True), conductance=1.0)
        short.append(ohms - effective_resistance(torus, (0, int(p * n + q))))
    slope = np.polyfit(np.log(sizes), np.log(short), 1)[0]
    assert abs(slope + 2) < tol.ORDER_ODE
    assert_allclose(short[-1], (p**2 + q**2) / (2 * sizes[-1] ** 2), rtol=0.01)


def test_random_regular_mean(tol):
    n, d = 400, 4
    network = ResistorNetwork(random_regular_graph(n, d, rng=5), conductance=1.0)
    mean = np.mean(effective_resistance(network, network.edges))
    assert_allclose(mean, 2 * (n - 1) / (n * d), rtol=tol.IDENTITY)


def test_expander_solved_by_iteration_obeys_foster():
    # 6,000 nodes of a random regular graph: the planner takes conjugate gradients (rtol 1e-12)
    n, d = 6000, 4
    network = ResistorNetwork(random_regular_graph(n, d, rng=5), conductance=1.0)
    ohms = effective_resistance(network, network.edges[:20])
    assert network.energy.numbers["bare"].method == "conjugate gradients"
    assert np.all((ohms > 0.4) & (ohms < 0.75))
    assert_allclose(np.mean(ohms), 2 / d, rtol=0.05)


def test_separate_parts(tol):
    network = ResistorNetwork(nx.Graph([("a", "b"), ("c", "d")]), conductance=[2.0, 4.0])
    ohms = effective_resistance(network, [("a", "b"), ("a", "c"), ("d", "c")])
    assert_allclose(ohms, [0.5, np.inf, 0.25], rtol=tol.IDENTITY)
    assert np.isinf(resistance_matrix(network)[0, 2]) and np.isinf(kirchhoff_index(network))


@pytest.mark.parametrize(
    "pairs, message",
    [
        ([("a", "z")], r"pairs: \('a', 'z'\) is neither a node nor a pair of nodes.*'a', 'b', 'c'"),
        (["a"], "pairs: got 'a', expected a pair of nodes"),
        ([("a", "a")], "one node twice"),
    ],
)
def test_refused(pairs, message):
    network = ResistorNetwork(nx.path_graph(["a", "b", "c"]), conductance=1.0)
    with pytest.raises(ValueError, match=message):
        effective_resistance(network, pairs)


def test_sources_play_no_part(tol):
    plain = ResistorNetwork(nx.cycle_graph(5), conductance=1.0)
    driven = ResistorNetwork(nx.cycle_graph(5), conductance=1.0, ground=[1, 4], inputs=[(0, 2)], outputs=[3])
    driven.solve({"input": [1.0]})
    assert_allclose(effective_resistance(driven, (0, 2)), effective_resistance(plain, (0, 2)), rtol=tol.IDENTITY)
