"""Coupled learning of circuits: the compiled engine against the plain loop, gradients, tasks."""

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import Circuit, Diode, Resistor, TransistorEdge, VoltageSource, square_lattice
from physlearn import SGD, CoupledLearning, EquilibriumPropagation, SquaredError, check_gradient, learn

COST = SquaredError("output")
# Logic levels of 0 and 0.9 V, a rail of 0.9 V; true is +30 mV across the outputs, false -30 mV.
XOR = np.array([[a, b, 1.0] for a in (0, 1) for b in (0, 1)]) * 0.9
LABELS = 0.03 * np.array([[-1.0], [1.0], [1.0], [-1.0]])


def transistors(seed, inputs=(14, 7, 10), outputs=((9, 2),)):
    """The 4x4 torus of Dillavou et al. 2024 with gates drawn between 1.5 and 4 V; node 0 is ground."""
    rng, graph = np.random.default_rng(seed), square_lattice(4, periodic=True)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 4.0)))
    return Circuit(graph, ground=0, inputs=list(inputs), outputs=list(outputs))


def best_linear(x, y):
    """Mean cost of the best affine map."""
    columns = np.column_stack([x, np.ones(len(x))])
    return 0.5 * np.mean((columns @ np.linalg.lstsq(columns, y, rcond=None)[0] - y) ** 2)


def train(seed, epochs, **changes):
    settings = dict(rule=CoupledLearning(eta=0.1), optimizer=SGD(1e4, bounds={"gate": (0.8, 8.0)}), cost=COST)
    data = {"input": XOR, "output": LABELS}
    return learn(transistors(seed), data, batch=1, rng=seed, epochs=epochs, **settings | changes)


def diodes(seed=0):
    rng, graph = np.random.default_rng(seed), nx.MultiGraph(nx.random_regular_graph(3, 10, seed=1))
    for u, v, k in list(graph.edges(keys=True)):
        graph.edges[u, v, k]["element"] = Resistor(float(rng.uniform(1e3, 1e4)))
    for u, v in ((1, 2), (5, 3), (7, 6), (2, 8)):
        graph.add_edge(u, v, element=Diode(1e-9))
    return Circuit(graph, ground=0, inputs=[4, 9], outputs=[1, 6], thermal_voltage=0.2)


@pytest.mark.parametrize("machine", [transistors, diodes])
@pytest.mark.parametrize("batch, variant", [(1, "positive"), (3, "centred")])
def test_compiled_epochs_follow_the_plain_loop(machine, batch, variant, tol):
    circuit, rng = machine(3), np.random.default_rng(5)
    ends = [
        circuit.system.readouts[name].read(circuit.system.state(np.zeros(len(circuit.nodes))))
        for name in ("input", "output")
    ]
    data = {"input": rng.uniform(0, 0.9, (4, ends[0].shape[1])), "output": rng.uniform(0, 0.3, (4, ends[1].shape[1]))}
    low = 1e-6 if machine is diodes else 0.8
    name = next(iter(circuit.theta))
    settings = dict(rule=CoupledLearning(0.3, variant), cost=COST, batch=batch, epochs=2, rng=1)
    optimizer = SGD(1e-6 if machine is diodes else 1e3, bounds={name: (low, 8.0)})
    found = {m: learn(circuit, data, method=m, optimizer=optimizer, **settings) for m in ("relax", "compiled")}
    moved = np.abs(found["relax"].system.theta[name] - circuit.theta[name]).max()
    assert moved > 0
    assert_allclose(found["compiled"].system.theta[name], found["relax"].system.theta[name], atol=1e-6 * moved)
    assert_allclose(found["compiled"].cost, found["relax"].cost, rtol=1e-8)


def test_angle_of_the_rule_to_the_exact_gradient():
    """Gates of their own: no power is least, so coupled learning is not along the gradient, but near it."""
    rng = np.random.default_rng(2)
    data = {"input": rng.uniform(0, 0.9, (3, 3)), "output": np.full((3, 1), 0.02)}
    check = check_gradient(transistors(1).system, data, CoupledLearning(), [1e-2, 1e-3], cost=COST)
    assert 0.5 < check.cosine_to_cost[-1] < 1 - 1e-4
    assert abs(check.cosine[0] - check.cosine[1]) < 1e-2


def test_networks_with_a_cocontent_follow_the_gradient():
    data = {"input": [[0.8, -0.3], [0.2, 0.9]], "output": [[0.1, 0.2], [0.3, 0.1]]}
    rule = EquilibriumPropagation(variant="centred")
    check = check_gradient(diodes().system, data, rule, np.array([2e-5, 1e-5, 5e-6]), cost=COST)
    assert check.limit == "gradient" and abs(check.slope - 2.0) < 0.2 and check.error[-1] < 1e-3


def test_what_does_not_fit_the_compiled_way_is_said():
    with pytest.raises(ValueError, match="rules that clamp outputs"):
        train(0, 1, rule=EquilibriumPropagation(), method="compiled")
    with pytest.raises(ValueError, match="without momentum"):
        train(0, 1, optimizer=SGD(1.0, momentum=0.5), method="compiled")
    assert train(0, 1, optimizer=SGD(1.0, momentum=0.5)).method == "relax"


def test_a_linear_network_cannot_do_xor(tol):
    """o00 + o11 - o01 - o10 vanishes for every linear network."""
    graph = square_lattice(4, periodic=True)
    rng = np.random.default_rng(1)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = Resistor(float(rng.uniform(1e2, 1e4)))
    circuit = Circuit(graph, ground=0, inputs=[14, 7, 10], outputs=[(9, 2)])
    o = circuit.read(circuit.solve({"input": XOR}), "output")[:, 0]
    assert abs(o[0] + o[3] - o[1] - o[2]) < tol.IDENTITY


def test_transistors_learn_xor():
    """At least 8 of 10 random starts end below 1 % of the best linear network's cost.

    Places and rate were chosen on seeds below 10; of seeds 100 to 129, never looked at before, 26 succeeded.
    """
    reached = [train(seed, 3000).cost[-1] / best_linear(XOR, LABELS) for seed in range(100, 110)]
    assert sum(ratio < 0.01 for ratio in reached) >= 8, reached


@pytest.mark.slow
def test_transistors_learn_a_nonlinear_function():
    """Half a sine of one input, a rail at 0.45 V: below 1 % of the best linear cost from at least 8 of 10 starts.

    Places were chosen on seeds below 10, the number of epochs on 200 to 207; these are others.
    """
    u = np.linspace(0, 1, 9)[:, None]
    x, y = np.column_stack([0.9 * u, np.full(9, 0.45)]), 0.01 * (2 * np.sin(np.pi * u) - 1)
    optimizer = SGD(lambda epoch: 1e4 if epoch < 9000 else 1e3, bounds={"gate": (0.8, 8.0)})
    reached = []
    for seed in range(300, 310):
        circuit = transistors(seed, inputs=(7, 10), outputs=((3, 9),))
        settings = dict(rule=CoupledLearning(0.1), optimizer=optimizer, cost=COST, batch=1, rng=seed)
        run = learn(circuit, {"input": x, "output": y}, epochs=10_000, **settings)
        reached.append(run.cost[-1] / best_linear(x, y))
    assert sum(ratio < 0.01 for ratio in reached) >= 8, reached


@pytest.mark.slow
def test_modes_of_the_error_are_learnt_in_order():
    """Mean, then slope, then curvature fall below 4 mV for good (Dillavou et al. 2024)."""
    u = np.linspace(0, 1, 9)[:, None]
    x, y = np.column_stack([0.9 * u, np.full(9, 0.45)]), 0.01 * (2 * np.sin(np.pi * u) - 1) + 0.01 * (u - 0.5)
    modes = np.linalg.qr(np.column_stack([u**k for k in range(3)]))[0]
    stops = np.unique(np.round(np.geomspace(1, 1500, 24)).astype(int))
    optimizer, settings = SGD(1e4, bounds={"gate": (0.8, 8.0)}), dict(rule=CoupledLearning(0.1), cost=COST, batch=1)
    orders = []
    for seed in range(400, 410):
        circuit, run, sizes = transistors(seed, inputs=(7, 10), outputs=((3, 9),)), None, []
        for epochs in np.diff(stops, prepend=0).tolist():
            data = {"input": x, "output": y}
            run = learn(circuit, data, optimizer=optimizer, epochs=epochs, rng=seed, resume=run, **settings)
            error = run.machine.read(run.machine.solve({"input": x}), "output") - y
            sizes.append(np.abs(modes.T @ error[:, 0]))
        last = [np.flatnonzero(size > 4e-3)[-1] if np.any(size > 4e-3) else 0 for size in np.array(sizes).T]
        orders.append(last)
    mean, slope, curvature = np.array(orders).T
    assert np.all(curvature > np.maximum(mean, slope)), orders
    assert np.sum(mean <= slope) >= 7, orders


def test_a_trained_circuit_keeps_its_elements(tol):
    trained = train(1, 50).machine
    gates = [element.gate for element, _ in trained.elements.values()]
    assert_allclose(gates, trained.theta["gate"], rtol=tol.IDENTITY)
    again = Circuit({name: (element, *ends) for name, (element, ends) in trained.elements.items()}, ground=0)
    x = dict(zip((14, 7, 10), XOR[1], strict=True))
    net = {f"V{node}": (VoltageSource(float(v)), node, 0) for node, v in x.items()}
    again = Circuit({n: (e, *ends) for n, (e, ends) in again.elements.items()} | net, ground=0)
    expected = trained.solve({"input": XOR[1]})
    for node in range(16):
        assert_allclose(again.solve().voltages[node], expected.voltages[node], atol=1e-12)
