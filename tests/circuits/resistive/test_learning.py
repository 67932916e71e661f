"""Resistor networks that learn: theorems, published tasks, and an honest Iris."""

import networkx as nx
import numpy as np
import pytest

from circuits import ResistorNetwork, random_geometric_graph, square_lattice
from physlearn import SGD, Adam, ContrastiveHebbian, CoupledLearning, Energy, Real, SquaredError, learn, relax
from physlearn.terms import Edges

BOUNDS = {"conductance": (1e-3, 10.0)}


def contrastive_function(network, data, theta=None):
    """F = mean of E_clamped - E_free, outputs clamped at their targets."""
    energy = network.energy if theta is None else network.energy.with_theta({"conductance": theta})
    inputs = {name: value for name, value in data.items() if name != "output"}
    clamped = relax(energy, clamp=data).energy
    return np.mean(clamped - relax(energy, clamp=inputs).energy)


def small(rng, hidden=True):
    """A complete network: two inputs, ground, and either no or three hidden nodes beside two outputs."""
    n = 8 if hidden else 5
    graph = nx.complete_graph(n)
    network = ResistorNetwork(
        graph, conductance=rng.uniform(0.5, 1.5, graph.size()), ground=0, inputs=[1, 2], outputs=[3, 4]
    )
    x = rng.uniform(0, 1, (6, 2))
    return network, {"input": x, "output": x @ rng.uniform(0, 0.4, (2, 2))}


@pytest.mark.parametrize("lr", [1e-3, 0.1, 3.0])
def test_contrastive_learning_is_gradient_descent_on_f_at_every_step_size(lr, rng, tol):
    network, data = small(rng)
    g, h = network.conductance.copy(), 1e-5
    slope = np.empty_like(g)
    for e in range(len(g)):
        step = np.zeros_like(g)
        step[e] = h
        slope[e] = (contrastive_function(network, data, g + step) - contrastive_function(network, data, g - step)) / (
            2 * h
        )
    done = learn(
        network.energy,
        data,
        rule=ContrastiveHebbian(),
        optimizer=SGD(lr),
        cost=SquaredError("output"),
        batch=None,
    )
    np.testing.assert_allclose(done.theta["conductance"] - g, -lr * slope, rtol=tol.GRADIENT, atol=1e-9 * lr)


def midpoint_excess(network, data, rng):
    """F at the middle of a random segment less the mean of its ends: positive only if F is not convex."""
    a, b = (rng.uniform(0.05, 3, len(network.conductance)) for _ in range(2))
    ends = contrastive_function(network, data, a) + contrastive_function(network, data, b)
    return contrastive_function(network, data, (a + b) / 2) - ends / 2


def test_f_is_convex_without_hidden_nodes_and_not_with_them(rng):
    network, data = small(rng, hidden=False)
    assert max(midpoint_excess(network, data, rng) for _ in range(200)) <= 1e-15
    network, data = small(rng, hidden=True)
    assert max(midpoint_excess(network, data, rng) for _ in range(200)) > 1e-5


def test_f_falls_below_the_lipschitz_step(rng):
    """Projected gradient descent lowers F whenever lr < 2/L, L the largest curvature on its way."""
    network, data = small(rng)
    g = network.conductance.copy()

    def gradient(g):
        at = network.energy.with_theta({"conductance": g})
        rule = ContrastiveHebbian()
        return (
            g
            - learn(at, data, rule=rule, optimizer=SGD(1.0), cost=SquaredError("output"), batch=None).theta[
                "conductance"
            ]
        )

    hessian = np.array([(gradient(g + 1e-5 * e) - gradient(g - 1e-5 * e)) / 2e-5 for e in np.eye(len(g))])
    lr = 0.5 / np.max(np.abs(np.linalg.eigvalsh((hessian + hessian.T) / 2)))
    values = [contrastive_function(network, data)]
    energy = network.energy
    for _ in range(100):
        optimizer = SGD(lr, bounds=BOUNDS)
        done = learn(
            energy,
            data,
            rule=ContrastiveHebbian(),
            optimizer=optimizer,
            cost=SquaredError("output"),
            batch=None,
        )
        energy = done.system
        values.append(contrastive_function(network, data, energy.theta["conductance"]))
    assert np.all(np.diff(values) <= 1e-16)
    assert values[-1] < 0.9 * values[0]


def regression(seed, weights):
    """A randomly placed 4x4 periodic lattice and a linear task; 300 samples to learn, 100 to test."""
    rng = np.random.default_rng(seed)
    weights = np.array(weights)
    place = [int(k) for k in rng.permutation(16)]
    network = ResistorNetwork(
        square_lattice(4, periodic=True),
        conductance=rng.uniform(0.5, 1.5, 32),
        ground=place[0],
        inputs=place[1:3],
        outputs=place[3 : 3 + len(weights)],
    )
    x = rng.uniform(0, 1, (400, 2))
    return network, x, x @ weights.T, rng


def error_of(weights, lr, steps, seed):
    network, x, y, rng = regression(seed, weights)
    data = {"input": x[:300], "output": y[:300]}
    done = learn(network.energy, data, rule=CoupledLearning(0.1), optimizer=SGD(lr, bounds=BOUNDS),
                 cost=SquaredError("output"), epochs=steps // 300, rng=rng)  # fmt: skip
    trained = network.with_conductance(done.theta["conductance"])
    return np.mean((trained.read(trained.solve({"input": x[300:]}).x, "output") - y[300:]) ** 2)


@pytest.mark.parametrize("seed", range(10))
def test_regression_with_one_output_within_20_000_steps(seed):
    assert error_of([[0.15, 0.20]], 2.0, 20_000, seed) < 1e-12


@pytest.mark.parametrize("seed", range(10))
def test_regression_with_two_outputs_within_300_000_steps(seed):
    assert error_of([[0.15, 0.20], [0.25, 0.10]], 1.0, 300_000, seed) < 1e-12


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_allostery_on_64_nodes(seed):
    """A drop at a pair on the left is made to cause half of it at a pair on the far right."""
    rng = np.random.default_rng(seed)
    graph = random_geometric_graph(64, 0.22, rng=rng)
    pos = nx.get_node_attributes(graph, "pos")
    order = sorted(graph, key=lambda node: pos[node][0])
    source, target = (sorted(group, key=lambda node: pos[node][1]) for group in (order[:10], order[-10:]))
    network = ResistorNetwork(
        graph,
        conductance=rng.uniform(0.5, 1.5, graph.size()),
        ground=source[0],
        inputs=[(source[-1], source[0])],
        outputs=[(target[-1], target[0])],
    )
    before = network.read(network.solve({"input": [1.0]}).x, "output")[0]
    done = learn(network.energy, {"input": [[1.0]], "output": [[0.5]]}, rule=CoupledLearning(0.1),
                 optimizer=SGD(20.0, bounds=BOUNDS), cost=SquaredError("output"), epochs=1000)  # fmt: skip
    trained = network.with_conductance(done.theta["conductance"])
    assert abs(before) < 0.2
    assert trained.read(trained.solve({"input": [1.0]}).x, "output")[0] == pytest.approx(0.5, abs=1e-3)


def contradicting(seed=6):
    """A network asked for an output below zero, which positive conductances cannot give, and its data."""
    rng = np.random.default_rng(seed)
    network = ResistorNetwork(
        square_lattice(4, periodic=True),
        conductance=rng.uniform(0.5, 1.5, 32),
        ground=0,
        inputs=[3, 9],
        outputs=[6],
    )
    x = rng.uniform(0, 1, (20, 2))
    return network, {"input": x, "output": x @ [[0.9], [-0.3]]}


@pytest.mark.parametrize("optimizer", [SGD(5.0), SGD(1.0, momentum=0.9), Adam(0.2)])
@pytest.mark.parametrize("method", ["compiled", "moments", "relax"])
def test_conductances_stay_positive_without_bounds(optimizer, method):
    network, data = contradicting()
    settings = dict(rule=CoupledLearning(0.5), optimizer=optimizer, cost=SquaredError("output"), method=method)
    epochs = 4 if method == "relax" else 15
    done = learn(network, data, epochs=epochs, rng=0, **settings)
    g = done.theta["conductance"]
    assert np.min(g) >= 1e-6 * np.max(network.conductance) * (1 - 1e-12)
    assert optimizer.bounds == {}  # the caller's own is left alone
    same = learn(network.energy, data, epochs=epochs, rng=0, **settings)
    assert np.array_equal(same.theta["conductance"], g)
    half = learn(network, data, epochs=epochs // 2, rng=0, **settings)
    whole = learn(network, data, epochs=epochs - epochs // 2, resume=half, **settings)
    assert np.array_equal(whole.theta["conductance"], g)


def test_bounds_of_the_optimiser_take_the_place_of_the_default_ones():
    network, data = contradicting()
    settings = dict(rule=CoupledLearning(0.5), cost=SquaredError("output"), epochs=5, rng=0)
    done = learn(network, data, optimizer=Adam(0.2, bounds={"conductance": (0.25, 2.0)}), **settings)
    assert done.theta["conductance"].min() == 0.25
    with pytest.raises(ValueError, match=r"bounds\['conductance'\]: got the lower end -1"):
        learn(network, data, optimizer=SGD(0.1, bounds={"conductance": (-1.0, 2.0)}), **settings)


def test_negative_conductances_are_refused_where_resistors_are_meant():
    network, _ = contradicting()
    theta = {"conductance": np.where(np.arange(32) == 5, -0.3, 1.0)}
    for call in (
        lambda: network.energy.with_theta(theta)(np.zeros(16)),
        lambda: relax(network.energy.with_theta(theta), clamp={"input": [1.0, 0.0]}),
        lambda: network.with_conductance(theta["conductance"]),
    ):
        with pytest.raises(ValueError, match="-0.3"):
            call()
    general = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, -0.2]})
    assert general(np.array([1.0, 0.0, 2.0])) == pytest.approx(0.1)  # springs may push
