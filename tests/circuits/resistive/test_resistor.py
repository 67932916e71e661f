"""Node voltages: theorems of linear circuits, ways to describe one, and what is refused."""

import copy
import pickle

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import (
    ResistorNetwork,
    dissipated_power,
    edge_currents,
    effective_resistance,
    energy_per_inference,
    laplacian,
    random_geometric_graph,
    response,
    source_currents,
)
from physlearn import Nudge
from physlearn.dynamics.linear.quadratic import equilibria
from physlearn.dynamics.linear.schur import clamp_force
from physlearn.learning import SquaredError

PATH = nx.path_graph(["a", "b", "c", "d"])


def driven(seed, n=24):
    """A random network with node, drop and current inputs, one node grounded, and their values."""
    rng = np.random.default_rng(seed)
    graph = random_geometric_graph(n, 0.4, rng=rng)
    a, b, c, d, e, f, g, h = rng.permutation(n)[:8].tolist()
    network = ResistorNetwork(
        graph,
        conductance=rng.uniform(0.1, 2.0, graph.size()),
        ground=a,
        inputs={"rails": [b, (c, d)], "drop": [(e, c)]},
        outputs=[g, (h, f)],
        currents={"drive": [f, (g, h)]},
    )
    clamp = {k: rng.normal(size=(5, s)) for k, s in (("rails", 2), ("drop", 1), ("drive", 2))}
    return network, clamp


@pytest.fixture(params=range(3))
def case(request):
    return driven(request.param)


def test_imposed_values_hold_and_current_is_conserved_elsewhere(case, tol):
    network, clamp = case
    x = network.solve(clamp).x
    assert_allclose(network.read(x, "rails"), clamp["rails"], rtol=tol.IDENTITY)
    assert_allclose(network.read(x, "drop"), clamp["drop"], rtol=tol.IDENTITY)
    assert np.all(network.read(x, "ground") == 0)
    outside = source_currents(network, x)
    assert_allclose(outside.sum(1), 0, atol=tol.IDENTITY * np.abs(outside).sum(1).max())
    touched = np.concatenate([ends.ravel() for k, ends in network.terminals.items() if k != "output"])
    free = np.setdiff1d(np.arange(len(network.nodes)), touched)
    assert_allclose(outside[:, free], 0, atol=tol.IDENTITY * np.abs(outside).max())


def test_input_power_is_dissipated_power(case, tol):
    network, clamp = case
    x = network.solve(clamp).x
    delivered = np.sum(source_currents(network, x) * x, 1)
    assert_allclose(dissipated_power(network, x), delivered, rtol=tol.IDENTITY)
    assert_allclose(dissipated_power(network, x), 2 * network.solve(clamp).energy, rtol=tol.IDENTITY)
    drops = network.read(x, [edge[:2] for edge in network.edges])
    assert_allclose(edge_currents(network, x), network.conductance * drops, rtol=tol.IDENTITY)


def test_superposition(case, tol):
    network, clamp = case
    other = {name: value[::-1] for name, value in clamp.items()}
    both = {name: 2.0 * clamp[name] - 3.0 * other[name] for name in clamp}
    x = 2.0 * network.solve(clamp).x - 3.0 * network.solve(other).x
    assert_allclose(network.solve(both).x, x, atol=tol.IDENTITY * np.abs(x).max())


@pytest.mark.parametrize("seed", range(3))
def test_reciprocity(seed, tol):
    rng = np.random.default_rng(seed)
    graph = random_geometric_graph(20, 0.45, rng=rng)
    places = [3, (7, 9), 12, (1, 2)]
    network = ResistorNetwork(
        graph,
        conductance=rng.uniform(0.1, 2.0, graph.size()),
        ground=0,
        currents={"drive": places},
        outputs={"seen": places},
    )
    transfer = response(network, output="seen", to="drive")
    assert_allclose(transfer, transfer.T, rtol=tol.IDENTITY)
    own = [(3, 0), (7, 9), (12, 0), (1, 2)]
    assert_allclose(np.diag(transfer), effective_resistance(network, own), rtol=tol.IDENTITY)


def test_response_is_what_solving_gives(case, tol):
    network, clamp = case
    y = network.read(network.solve(clamp).x, "output")
    predicted = sum(clamp[name] @ response(network, to=name).T for name in clamp)
    assert_allclose(y, predicted, atol=tol.IDENTITY * np.abs(y).max())


def test_output_clamped_by_schur_complement_equals_direct(case, tol):
    network, clamp = case
    target = np.random.default_rng(9).normal(size=(5, 2))
    free = network.solve(clamp).x
    eq = equilibria(network.energy, ["ground", *clamp])
    columns, s = eq.green("output")
    pull = clamp_force(s, target - network.read(free, "output"))
    direct = network.solve(clamp | {"output": target}).x
    assert_allclose(free + pull @ columns, direct, atol=tol.IDENTITY * np.abs(direct).max())


def test_nudge_pulls_outputs_to_their_target(case):
    network, clamp = case
    target = np.zeros((5, 2))
    size = [
        np.abs(network.read(network.solve(clamp, nudge=n).x, "output")).max()
        for n in (None, Nudge(SquaredError("output"), target, 1e9))
    ]
    assert size[0] > 1e-3 and size[1] < 1e-6


def test_single_item_and_batch(tol):
    network, clamp = driven(0)
    batch = network.solve(clamp).x
    one = network.solve({name: value[2] for name, value in clamp.items()})
    assert one.x.shape == (24,) and np.ndim(one.energy) == 0
    assert_allclose(one.x, batch[2], rtol=tol.IDENTITY)
    assert np.ndim(dissipated_power(network, one.x)) == 0
    heat = energy_per_inference(network, batch, settling_time=2e-6)
    assert_allclose(heat, 2e-6 * dissipated_power(network, batch))


def test_ground_holds_by_default_and_can_be_lifted():
    network = ResistorNetwork(PATH, conductance=1.0, ground=["a", "d"], inputs=["b"])
    assert_allclose(network.solve({"input": [2.0]}).x, [0, 2, 1, 0])
    lifted = network.solve({"input": [2.0], "ground": [1.0, 4.0]}).x
    assert_allclose(lifted, [1, 2, 3, 4])


def test_input_alone_may_set_the_level():
    network = ResistorNetwork(PATH, conductance=1.0, inputs=["a", "d"])
    assert_allclose(network.solve({"input": [3.0, 0.0]}).x, [3, 2, 1, 0])


def test_conductance_and_resistance_from_attributes_arrays_and_numbers(tol):
    graph = PATH.copy()
    for k, edge in enumerate(graph.edges):
        graph.edges[edge].update(siemens=k + 1.0, ohm=1 / (k + 1.0), weight=77.0)
    networks = [
        ResistorNetwork(graph, conductance="siemens"),
        ResistorNetwork(graph, conductance="ohm", kind="resistance"),
        ResistorNetwork(graph, conductance=[1, 2, 3]),
        ResistorNetwork(graph, conductance=5.0).with_conductance([1.0, 2.0, 3.0]),
    ]
    for network in networks:
        assert_allclose(network.conductance, [1, 2, 3], rtol=tol.IDENTITY)
    assert_allclose(laplacian(networks[0]).diagonal(), [1, 3, 5, 3], rtol=tol.IDENTITY)


def test_parallel_edges_stay_separate_and_add():
    graph = nx.MultiGraph([("a", "b"), ("a", "b"), ("b", "c")])
    network = ResistorNetwork(graph, conductance=[1.0, 2.0, 3.0], ground="c", inputs=["a"])
    assert network.edges == (("a", "b", 0), ("a", "b", 1), ("b", "c", 0))
    x = network.solve({"input": [2.0]}).x
    assert_allclose(x, [2, 1, 0])
    assert_allclose(edge_currents(network, x), [1, 2, 3])


def test_places_on_tuple_labels_and_from_lists():
    grid = nx.grid_2d_graph(2, 2)  # nodes (0, 0), (0, 1), ...
    network = ResistorNetwork(grid, conductance=1.0, ground=(0, 0), inputs=[(1, 1)], outputs=[[0, 1], [(1, 1), (1, 0)]])
    assert network.outputs == {"output": ((0, 1), ((1, 1), (1, 0)))}
    assert_allclose(network.read(network.solve({"input": [2.0]}).x, "output"), [1, 1])


def test_is_frozen_data():
    network, clamp = driven(1)
    with pytest.raises(AttributeError):
        network.nodes = ()
    with pytest.raises(ValueError, match="read-only"):
        network.conductance[0] = 1.0
    solved = network.solve(clamp).x
    for copied in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):  # factored already
        assert np.array_equal(copied.solve(clamp).x, solved)
        with pytest.raises(ValueError, match="read-only"):
            copied.energy.theta["conductance"][0] = 1.0
    assert "24 nodes" in repr(network) and "'rails': 2" in repr(network)


def test_other_values_share_symbolic_work():
    network, clamp = driven(1)
    network.solve(clamp)
    changed = network.with_conductance(2 * network.conductance)
    assert changed.energy.plans is network.energy.plans
    assert np.array_equal(network.conductance * 2, changed.conductance)


LOOP = nx.Graph([("a", "a"), ("a", "b")])
BAD_NETWORKS = {
    "directed": (nx.DiGraph(PATH), {}, TypeError, r"graph: got a DiGraph.*to_undirected"),
    "no graph": ([(0, 1)], {}, TypeError, "graph: got list, expected a networkx Graph"),
    "self-loop": (LOOP, {}, ValueError, r"1 self-loops, the first \('a', 'a'\).*selfloop_edges"),
    "no edges": (nx.empty_graph(3), {}, ValueError, "3 nodes and no edges"),
    "zero": (PATH, {"conductance": [1, 0, 1]}, ValueError, r"edge \('b', 'c'\) has conductance 0,"),
    "negative": (PATH, {"conductance": [1, 1, -2]}, ValueError, r"edge \('c', 'd'\) .* -2"),
    "NaN": (PATH, {"conductance": [np.nan, 1, 1]}, ValueError, r"edge \('a', 'b'\) .* nan"),
    "infinite": (PATH, {"conductance": [1, 1, np.inf]}, ValueError, r"inf.*contracted_nodes"),
    "zero ohm": (
        PATH,
        {"conductance": 0.0, "kind": "resistance"},
        ValueError,
        r"resistance 0, .*\(3 of 3",
    ),
    "infinite ohm": (
        PATH,
        {"conductance": np.inf, "kind": "resistance"},
        ValueError,
        "resistance inf.*remove the edge",
    ),
    "kind": (PATH, {"kind": "weight"}, ValueError, "kind: got 'weight', expected 'conductance'"),
    "shape": (PATH, {"conductance": [1, 2]}, ValueError, r"shape \(2,\), expected .* \(3,\)"),
    "attribute": (
        PATH,
        {"conductance": "weight"},
        ValueError,
        r"edge \('a', 'b'\) has no attribute 'weight' \(3 of 3",
    ),
    "text": (PATH, {"conductance": ["x", 1, 1]}, TypeError, "conductance: .*expected an edge attr"),
    "ground": (PATH, {"ground": "z"}, ValueError, "ground: 'z' is no node"),
    "ground twice": (PATH, {"ground": ["a", "a"]}, ValueError, "names a node twice"),
    "input": (PATH, {"inputs": ["z"]}, ValueError, r"inputs\['input'\]: 'z' is neither.*'a', 'b'"),
    "pair": (PATH, {"outputs": [("a", "z")]}, ValueError, r"outputs\['output'\]: \('a', 'z'\) is"),
    "same pair": (PATH, {"outputs": [("a", "a")]}, ValueError, "one node twice"),
    "bare node": (PATH, {"inputs": "a"}, TypeError, "inputs: got 'a', expected a list"),
    "bare nodes": (PATH, {"inputs": {"x": "a"}}, TypeError, r"inputs\['x'\]: got 'a', expected a l"),
    "empty": (PATH, {"inputs": {"x": []}}, ValueError, r"inputs\['x'\]: it is empty"),
    "name twice": (
        PATH,
        {"inputs": {"x": ["a"]}, "outputs": {"x": ["b"]}},
        ValueError,
        "outputs: the name 'x' is taken",
    ),
    "own name": (PATH, {"inputs": {"ground": ["a"]}}, ValueError, "name 'ground' is taken"),
    "node twice": (PATH, {"inputs": ["a", "a"]}, ValueError, "node 'a' is clamped twice"),
    "grounded input": (
        PATH,
        {"ground": "a", "inputs": ["a"]},
        ValueError,
        "node 'a' is clamped twice, by .'ground', 'input'.",
    ),
    "loop of sources": (
        PATH,
        {"inputs": [("a", "b"), ("b", "c"), ("a", "c")]},
        ValueError,
        "clamp 'input': over-determined.*node '.' and node '.'.*close a loop",
    ),
    "drop between given nodes": (
        PATH,
        {"ground": "d", "inputs": [("a", "d"), "a"]},
        ValueError,
        r"clamp 'input': over-determined.*node '.'.*close a loop",
    ),
    "ambiguous": (
        nx.Graph([(0, 1), (1, (0, 1))]),
        {"inputs": [(0, 1)]},
        ValueError,
        "is a node, and a pair of nodes as well; relabel",
    ),
}


@pytest.mark.parametrize("graph, arguments, error, message", BAD_NETWORKS.values(), ids=BAD_NETWORKS)
def test_network_refused(graph, arguments, error, message):
    with pytest.raises(error, match=message):
        ResistorNetwork(graph, **{"conductance": 1.0} | arguments)


ISLANDS = nx.Graph([("a", "b"), ("c", "d")])
BAD_CALLS = {
    "floating part": (ISLANDS, {"ground": "a"}, {}, "floating: node 'c', node 'd'. No path"),
    "floating network": (PATH, {}, {}, "floating: node 'a', .*'d'"),
    "drop alone": (PATH, {"inputs": [("a", "d")]}, {"input": [1.0]}, "floating: node 'a', .*'d'"),
    "current into nothing": (
        ISLANDS,
        {"ground": "a", "currents": ["c"]},
        {"current": [1.0]},
        "floating: node 'c', node 'd'",
    ),
    "no such readout": (PATH, {"ground": "a"}, {"source": [1.0]}, "no readout 'source'"),
    "shape": (
        PATH,
        {"ground": "a", "inputs": ["b", "c"]},
        {"input": [1.0, 2.0, 3.0]},
        r"clamp\['input'\]: shape \(3,\), expected \(2,\) or \(batch, 2\)",
    ),
    "width": (
        PATH,
        {"ground": "a", "inputs": ["b", "c"]},
        {"input": np.ones((4, 3))},
        r"clamp\['input'\]: shape \(4, 3\), expected \(2,\) or \(batch, 2\)",
    ),
    "batches": (
        PATH,
        {"ground": "a", "inputs": ["b"], "currents": ["c"]},
        {"input": np.ones((4, 1)), "current": np.ones((3, 1))},
        "batches",
    ),
    "not finite": (PATH, {"ground": "a", "inputs": ["b"]}, {"input": [np.nan]}, "NaN"),
    "output is an input": (
        PATH,
        {"ground": "a", "inputs": ["b"], "outputs": ["b"]},
        {"input": [1.0], "output": [1.0]},
        "node 'b' is clamped twice, by .'input', 'output'.",
    ),
    "loop over two readouts": (
        PATH,
        {"ground": "a", "inputs": {"x": [("b", "a")], "y": ["b"]}},
        {"x": [1.0], "y": [1.0]},
        "clamp '[xy]': over-determined.*node '.'.*close a loop",
    ),
}


@pytest.mark.parametrize("graph, arguments, clamp, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_call_refused(graph, arguments, clamp, message):
    network = ResistorNetwork(graph, conductance=1.0, **arguments)
    with pytest.raises(ValueError, match=message):
        network.solve(clamp)


def test_other_refusals():
    network = ResistorNetwork(PATH, conductance=1.0, ground="a")
    with pytest.raises(TypeError, match="got the name 'weight', expected numbers"):
        network.with_conductance("weight")
    with pytest.raises(ValueError, match=r"edge \('b', 'c'\) has conductance 0"):
        network.with_conductance([1.0, 0.0, 1.0])
    with pytest.raises(ValueError, match="no readout 'outptu', expected one of"):
        network.read(np.zeros(4), "outptu")
    with pytest.raises(ValueError, match=r"x: shape \(3,\), expected \(4,\)"):
        dissipated_power(network, np.zeros(3))
    with pytest.raises(ValueError, match="settling_time: got -1"):
        energy_per_inference(network, np.zeros(4), settling_time=-1)
