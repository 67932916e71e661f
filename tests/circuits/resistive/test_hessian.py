"""Modes and curvatures against closed forms, dense algebra and finite differences."""

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import (
    ResistorNetwork,
    cost_hessian,
    laplacian,
    random_geometric_graph,
    response,
    settling_time,
    soft_modes,
    square_lattice,
)
from physlearn.learning import CrossEntropy, SquaredError


@pytest.mark.parametrize("n", [5, 12])
def test_modes_of_a_line_held_at_both_ends(n, tol):
    line = ResistorNetwork(nx.path_graph(n + 1), conductance=2.0, ground=0, inputs=[n])
    values, modes = soft_modes(line, n - 1)
    k = np.arange(1, n)
    assert_allclose(values, 2.0 * 4 * np.sin(np.pi * k / (2 * n)) ** 2, rtol=tol.IDENTITY)
    assert np.all(modes[[0, n]] == 0)
    assert_allclose(modes.T @ modes, np.eye(n - 1), atol=tol.IDENTITY)
    first = np.sin(np.pi * np.arange(n + 1) / n)
    assert_allclose(modes[:, 0], first / np.linalg.norm(first), atol=tol.IDENTITY)


def test_modes_by_iteration_equal_dense_ones():
    n = 25
    sheet = ResistorNetwork(square_lattice(n), conductance=1.0, ground=[0, n * n - 1])
    values, modes = soft_modes(sheet, 4)
    free = np.arange(1, n * n - 1)
    dense = np.linalg.eigvalsh(laplacian(sheet).toarray()[np.ix_(free, free)])[:4]
    assert_allclose(values, dense, rtol=1e-9)  # ARPACK stops at machine precision of the largest 1/mu
    rest = laplacian(sheet) @ modes - values * modes
    assert_allclose(rest[free], 0, atol=1e-9)
    assert np.array_equal(soft_modes(sheet, 4)[1], modes)


def test_nodes_tied_by_a_drop_move_together(tol):
    ring = ResistorNetwork(nx.cycle_graph(6), conductance=1.0, ground=0, inputs=[(2, 4)])
    values, modes = soft_modes(ring)
    assert len(values) == 4
    assert_allclose(modes[2], modes[4], atol=tol.IDENTITY)
    assert_allclose(modes.T @ modes, np.eye(4), atol=tol.IDENTITY)


def test_settling_time_of_one_rc(tol):
    rc = ResistorNetwork(nx.path_graph(2), conductance=1e4, kind="resistance", ground=0)
    seconds = settling_time(rc, capacitance=2e-9, accuracy=1e-3)
    assert_allclose(seconds, 1e4 * 2e-9 * np.log(1e3), rtol=tol.IDENTITY)
    held = ResistorNetwork(nx.path_graph(2), conductance=1.0, ground=0, inputs=[1])
    assert settling_time(held, capacitance=1.0) == 0.0


def test_response_rows_sum_to_one_without_ground(tol):
    # raising all inputs raises everything
    rng = np.random.default_rng(3)
    graph = random_geometric_graph(20, 0.4, rng=rng)
    network = ResistorNetwork(graph, conductance=rng.uniform(0.1, 1, graph.size()), inputs=[0, 1, 2], outputs=[5, 6])
    assert_allclose(response(network).sum(1), 1, rtol=tol.IDENTITY)


def learner(seed):
    rng = np.random.default_rng(seed)
    graph = random_geometric_graph(12, 0.5, rng=rng)
    network = ResistorNetwork(
        graph,
        conductance=rng.uniform(0.5, 2.0, graph.size()),
        ground=0,
        inputs=[1, (2, 3)],
        outputs=[4, (5, 6), 7],
        currents=[8],
    )
    data = {"input": rng.normal(size=(4, 2)), "current": rng.normal(size=(4, 1))}
    return network, data | {"output": rng.dirichlet(np.ones(3), 4)}, rng


@pytest.mark.parametrize("cost", [SquaredError("output"), CrossEntropy("output", gain=3.0)], ids=repr)
@pytest.mark.parametrize("seed", range(2))
def test_cost_hessian_against_differences(cost, seed, tol):
    network, data, rng = learner(seed)
    hessian = cost_hessian(network, data, cost)
    clamp = {name: value for name, value in data.items() if name != "output"}

    def mean_cost(g):
        x = network.with_conductance(g).solve(clamp).x
        return np.mean(cost.value(network.read(x, "output"), data["output"]))

    def mixed(e, f, h):
        a, b = h * np.eye(len(network.edges))[[e, f]]
        g = network.conductance
        corners = mean_cost(g + a + b) - mean_cost(g + a - b) - mean_cost(g - a + b)
        return (corners + mean_cost(g - a - b)) / (4 * h**2)

    m = len(network.edges)
    for e, f in [(0, 0), *rng.integers(0, m, (12, 2))]:
        extrapolated = (4 * mixed(e, f, 3e-3) - mixed(e, f, 6e-3)) / 3
        assert_allclose(hessian[e, f], extrapolated, atol=tol.GRADIENT * np.abs(hessian).max())
    assert np.array_equal(hessian, hessian.T)


def test_cost_hessian_of_a_fitted_network_is_gauss_newton(tol):
    # k outputs, s inputs: at zero cost at most k s directions of conductance space are stiff
    network, data, _ = learner(0)
    del data["current"]
    data["output"] = network.read(network.solve({"input": data["input"]}).x, "output")
    values = np.linalg.eigvalsh(cost_hessian(network, data, SquaredError("output")))
    assert values[0] > -tol.IDENTITY * values[-1]
    assert 0 < np.sum(values > 1e-9 * values[-1]) <= 3 * 2


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda n: response(n, to="nothing"), "to: there is no readout 'nothing', expected one of"),
        (lambda n: response(n, output="out"), "output: there is no readout 'out'"),
        (lambda n: soft_modes(n, 0), "k: got 0, expected an integer of at least 1"),
        (lambda n: soft_modes(n, inputs=["x"]), "inputs: there is no readout 'x'"),
        (lambda n: settling_time(n, capacitance=0.0), "capacitance: got 0.0"),
        (lambda n: settling_time(n, capacitance=1.0, accuracy=2), "accuracy: got 2"),
        (
            lambda n: cost_hessian(n, {"input": np.ones((1, 3))}, SquaredError("output")),
            "data: no targets for the cost's readout 'output'",
        ),
        (
            lambda n: cost_hessian(n, {"output": [1.0, 2.0]}, SquaredError("output")),
            r"data\['output'\]: 1 columns, expected 3",
        ),
        (
            lambda n: cost_hessian(n, {"output": np.ones((1, 3)), "x": [1]}, SquaredError("output")),
            "data: there is no readout 'x'",
        ),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(learner(0)[0])
