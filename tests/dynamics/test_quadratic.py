"""The direct engine against dense algebra, its choice of solver, and what it refuses."""

import networkx as nx
import numpy as np
import pytest

from physlearn import CrossEntropy, Energy, Nudge, Readout, Real, SquaredError, relax
from physlearn.dynamics import factor
from physlearn.dynamics.levels import width_and_depth
from physlearn.dynamics.quadratic import equilibria
from physlearn.terms import Bias, Edges
from tests.learning.machines import lattice, lattice_pairs


class Quadratic:
    """E = x.A.x/2 - b.x over two layers: any quadratic term a user may write."""

    layers = ("x", "y")

    def __init__(self, a, b):
        self.a, self.b = a, b

    def energy(self, x, theta):
        z = np.concatenate([x["x"], x["y"]], 1)
        return 0.5 * np.einsum("bi,ij,bj->b", z, self.a, z) - z @ self.b

    def field(self, x, theta, layer):
        f = self.b - np.concatenate([x["x"], x["y"]], 1) @ self.a
        return f[:, : x["x"].shape[1]] if layer == "x" else f[:, x["x"].shape[1] :]

    def gradient(self, x, theta, weight):
        return {}

    def quadratic(self, theta):
        return self.a, self.b


def dense_minimum(a, b, fixed, values, rows=None, drops=None):
    """Solve the bordered system (KKT) of min x.A.x/2 - b.x with x[fixed] = values and rows x = drops."""
    n = len(b)
    c = np.zeros((len(fixed), n))
    c[np.arange(len(fixed)), fixed] = 1
    c = c if rows is None else np.concatenate([c, rows])
    d = np.asarray(values) if drops is None else np.concatenate([values, drops])
    kkt = np.block([[a, c.T], [c, np.zeros((len(c), len(c)))]])
    return np.linalg.solve(kkt, np.concatenate([b, d]))[:n]


def test_general_quadratic_over_two_layers(rng, tol):
    root = rng.standard_normal((7, 7))
    a, b = root @ root.T + np.eye(7), rng.standard_normal(7)
    energy = Energy({"x": (Real(), 3), "y": (Real(), 4)}, [Quadratic(a, b)], {}, {"in": Readout("y", [1, 2])})
    found = relax(energy, clamp={"in": [0.3, -0.7]})
    expected = dense_minimum(a, b, [4, 5], [0.3, -0.7])
    np.testing.assert_allclose(np.concatenate([found.x["x"], found.x["y"]]), expected, rtol=1e-10)
    assert found.converged
    assert found.method.startswith("direct")


def test_nodes_drops_and_currents_together(rng):
    pairs, g = lattice_pairs(4), rng.uniform(0.5, 2, 32)
    rows = np.zeros((2, 16))
    rows[0, [3, 9]], rows[1, [9, 12]] = (1, -1), (2, -2)
    readouts = {
        "ground": Readout("v", [5]),
        "drop": Readout("v", rows=rows),
        "current": Readout("v", [1, 7], force=True),
    }
    energy = Energy(
        {"v": (Real(), 16)},
        [Edges("v", pairs), Bias("v")],
        {"conductance": g, "bias": rng.standard_normal(16)},
        readouts,
    )
    drops, currents = rng.standard_normal((5, 2)), rng.standard_normal((5, 2))
    found = relax(energy, clamp={"ground": [0.0], "drop": drops, "current": currents})
    a = energy.terms[0].quadratic(energy.theta)[0].toarray()
    for item in range(5):
        b = energy.theta["bias"].copy()
        b[[1, 7]] += currents[item]
        np.testing.assert_allclose(
            found.x[item], dense_minimum(a, b, [5], [0.0], rows, drops[item]), rtol=1e-9, atol=1e-11
        )


def test_one_drop_clamp_anchors_to_ground_through_other_drops():
    """A chain of voltage sources from ground fixes every node on it."""
    rows = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 1.0, -1.0, 0.0]])
    energy = Energy(
        {"v": (Real(), 4)},
        [Edges("v", [(0, 3), (1, 3), (2, 3)])],
        {"conductance": [1.0, 1.0, 2.0]},
        {"ground": Readout("v", [2]), "drop": Readout("v", rows=rows)},
        {"ground": [0.0]},
    )
    np.testing.assert_allclose(relax(energy, clamp={"drop": [1.0, 2.0]}).x, [3.0, 2.0, 0.0, 1.25])


@pytest.mark.parametrize("cost", [SquaredError("out"), CrossEntropy("out", 3.0)])
def test_full_nudge_is_stationary(cost, rng, tol):
    energy, target = lattice(rng), np.array([[1.0, 0.0], [0.0, 1.0]])
    clamp = {"in": rng.uniform(0, 1, (2, 2))}
    found = relax(energy, clamp=clamp, nudge=Nudge(cost, target, 0.7))
    force = energy.field({"v": found.x}, "v")
    out = energy.readouts["out"]
    force += out.pull(-0.7 * cost.gradient(out.read({"v": found.x}), target), 16)
    free = np.setdiff1d(np.arange(16), np.concatenate([energy.readouts["in"].index, energy.readouts["ground"].index]))
    assert np.max(np.abs(force[:, free])) < 100 * tol.IDENTITY


def test_symbolic_work_is_shared_and_numbers_are_not(rng):
    energy = lattice(rng)
    first = equilibria(energy, ("ground", "in"))
    assert equilibria(energy, ("ground", "in")) is first
    other = energy.with_theta({"conductance": 2 * energy.theta["conductance"]})
    second = equilibria(other, ("ground", "in"))
    assert second is not first
    assert second.pattern is first.pattern


def test_all_solvers_agree(rng):
    pairs = np.array(nx.random_regular_graph(4, 300, seed=1).edges)
    base = Energy(
        {"v": (Real(), 300)},
        [Edges("v", pairs)],
        {"conductance": np.ones(len(pairs))},
        {"rails": Readout("v", [0, 1])},
    )
    makers = {
        "direct (banded)": None,
        "direct (SuperLU)": factor.SuperLU(),
        "conjugate gradients": factor.ConjugateGradients(),
    }
    if factor._cholmod() is not None:
        makers["direct (CHOLMOD)"] = factor.Cholmod()
    draws = [rng.uniform(0.5, 2, len(pairs)) for _ in range(2)]  # the second reuses the symbolic work of the first
    solutions = {}
    for name, maker in makers.items():
        pattern = equilibria(base, ("rails",)).pattern
        pattern.solver = maker or factor.plan_solver(pattern.reduce(base.terms[0].quadratic(base.theta)[0]))
        for draw, g in enumerate(draws):
            found = relax(base.with_theta({"conductance": g}), clamp={"rails": [1.0, 0.0]})
            assert found.converged
            assert found.method == name
            solutions[name, draw] = found.x
    for (_, draw), x in solutions.items():
        np.testing.assert_allclose(x, solutions["direct (SuperLU)", draw], atol=1e-11)


def test_solver_is_chosen_by_width_and_depth():
    import scipy.sparse as sp

    grid = nx.to_scipy_sparse_array(
        nx.convert_node_labels_to_integers(nx.grid_2d_graph(60, 60)), format="csc", dtype=float
    )
    random = nx.to_scipy_sparse_array(nx.random_regular_graph(4, 20_000, seed=0), format="csc", dtype=float)
    assert width_and_depth(grid.indptr, grid.indices) == (60, 119)
    width, depth = width_and_depth(random.indptr, random.indices)
    assert width > 5000
    assert depth < 20
    assert factor.plan_solver(sp.csc_matrix(grid)).name == "direct (banded)"
    assert factor.plan_solver(sp.csc_matrix(random)).name == "conjugate gradients"
    large = nx.to_scipy_sparse_array(
        nx.convert_node_labels_to_integers(nx.grid_2d_graph(400, 400)), format="csc", dtype=float
    )
    assert factor.plan_solver(sp.csc_matrix(large)).name in ("direct (CHOLMOD)", "direct (SuperLU)")


def test_indefinite_energy_is_refused():
    energy = Energy(
        {"v": (Real(), 3)},
        [Edges("v", [(0, 1), (1, 2)])],
        {"conductance": [1.0, -2.0]},
        {"g": Readout("v", [0])},
    )
    with pytest.raises(ValueError, match="no minimum"):
        relax(energy, clamp={"g": [0.0]})


def test_indefinite_energy_with_positive_diagonal_is_refused():
    energy = Energy(
        {"x": (Real(), 2), "y": (Real(), 1)},
        [Quadratic(np.array([[1, 2, 0], [2, 1, 0], [0, 0, 1.0]]), np.zeros(3))],
        {},
    )
    with pytest.raises(ValueError, match="no minimum"):
        relax(energy)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(clamp={"nowhere": [1.0]}), "there is no readout 'nowhere'"),
        (dict(clamp={"in": [1.0, 2.0, 3.0]}), r"clamp\['in'\]: shape \(3,\), expected \(2,\)"),
        (dict(clamp={"in": [[1.0, 2.0]] * 2, "out": [[1.0, 2.0]] * 3}), "batches .* do not fit together"),
        (dict(clamp={"in": [np.inf, 0.0]}), "NaN or infinite"),
        (dict(clamp={"in": [1.0, 0.0], "v": np.ones(16)}), "clamped twice"),
        (dict(clamp={"in": [1.0, 0.0]}, method="magic"), "method: got 'magic'"),
        (dict(clamp={"in": [1.0, 0.0]}, unconverged="sulk"), "unconverged: got 'sulk'"),
        (dict(x0=np.ones(15), clamp={"in": [1.0, 0.0]}), r"shape \(15,\), expected \(16,\)"),
        (dict(x0=np.full(16, np.nan), clamp={"in": [1.0, 0.0]}), "not of the kind"),
    ],
)
def test_bad_input_is_refused(arguments, message, rng):
    with pytest.raises(ValueError, match=message):
        relax(lattice(rng), **arguments)


def test_a_row_of_three_variables_cannot_be_clamped(rng):
    energy = lattice(rng)
    rows = np.zeros((1, 16))
    rows[0, :3] = 1, 1, -2
    energy = Energy(
        energy.layers,
        energy.terms,
        energy.theta,
        energy.readouts | {"sum": Readout("v", rows=rows)},
        {"ground": [0.0]},
    )
    with pytest.raises(ValueError, match="combines 3 variables .* nudge this readout instead"):
        relax(energy, clamp={"sum": [1.0]})


def test_direct_method_that_does_not_fit_says_what_does(rng):
    from tests.learning.machines import quartic

    with pytest.raises(ValueError, match="method 'direct' does not fit .* What fits"):
        relax(quartic(rng), clamp={"u": np.zeros(3)}, method="direct")
