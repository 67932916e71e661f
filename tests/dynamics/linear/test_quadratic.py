"""The direct engine against dense algebra, its choice of solver, and what it refuses."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from physlearn import CrossEntropy, Energy, Nudge, Readout, Real, SquaredError, relax
from physlearn.dynamics.linear import factor
from physlearn.dynamics.linear.levels import width_and_depth
from physlearn.dynamics.linear.quadratic import equilibria
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


def test_theta_cannot_change_behind_the_factorisation(rng):
    energy = lattice(rng)
    with pytest.raises(ValueError, match="read-only"):
        energy.theta["conductance"][0] = 2.0
    with pytest.raises(TypeError):
        energy.theta["conductance"] = np.ones(32)  # pyright: ignore


def test_a_copy_with_other_readouts_has_its_own_plans(rng):
    energy, clamp = lattice(rng), {"in": [1.0, 0.5]}
    relax(energy, clamp=clamp)
    where = energy.readouts["out"].index
    other = replace(energy, readouts={**energy.readouts, "in": Readout("v", where)})
    np.testing.assert_allclose(relax(other, clamp=clamp).x[where], clamp["in"])


def test_symbolic_work_is_shared_and_numbers_are_not(rng):
    energy = lattice(rng)
    first = equilibria(energy, ("ground", "in"))
    assert equilibria(energy, ("ground", "in")) is first
    other = energy.with_theta({"conductance": 2 * energy.theta["conductance"]})
    second = equilibria(other, ("ground", "in"))
    assert second is not first
    assert second.pattern is first.pattern


HAS_CHOLMOD = pytest.mark.skipif(factor._cholmod() is None, reason="scikit-sparse is not installed")


@pytest.mark.parametrize(
    "maker", [None, factor.ConjugateGradients, pytest.param(factor.Cholmod, marks=HAS_CHOLMOD)], ids=str
)
def test_all_solvers_agree(maker, rng):
    """The second values reuse the symbolic work of the first."""
    pairs = np.array(nx.random_regular_graph(4, 300, seed=1).edges)
    theta, rails = {"conductance": np.ones(len(pairs))}, {"rails": Readout("v", [0, 1])}
    base = Energy({"v": (Real(), 300)}, [Edges("v", pairs)], theta, rails)
    pattern = equilibria(base, ("rails",)).pattern
    own = pattern.solver
    assert own.name == "direct (banded)"
    solvers = factor.SuperLU(), own if maker is None else maker()
    for _ in range(2):
        energy = base.with_theta({"conductance": rng.uniform(0.5, 2, len(pairs))})
        found = {}
        for solver in solvers:
            pattern.solver = solver
            again = energy.with_theta({})
            found[solver.name] = relax(again, clamp={"rails": [1.0, 0.0]})
            assert found[solver.name].converged
            assert found[solver.name].method == solver.name
        np.testing.assert_allclose(*(rest.x for rest in found.values()), atol=1e-11)


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


@pytest.mark.parametrize("solved", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_a_part_cut_off_by_zero_conductances_floats(seed, solved):
    """Rounding may leave its pivot positive: 1 A would then raise it to 1e15 V, with a small residual."""
    rng = np.random.default_rng(seed)
    pairs = [(0, 1), (0, 2), (1, 3), (2, 3), (2, 4), (3, 5), (4, 5), (4, 6), (5, 6)]
    readouts = {"ground": Readout("v", [0]), "current": Readout("v", [6], force=True)}
    energy = Energy({"v": (Real(), 7)}, [Edges("v", pairs)], {"conductance": rng.uniform(0.5, 1.5, 9)}, readouts)
    clamp = {"ground": [0.0], "current": [1.0]}
    if solved:
        relax(energy, clamp=clamp)
    cut = np.where(np.isin(np.arange(9), [4, 5]), 0.0, energy.theta["conductance"])
    with pytest.raises(ValueError, match="floating: variable 4 of layer 'v', variable 5 .*, variable 6 "):
        relax(energy.with_theta({"conductance": cut}), clamp=clamp)


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ({"conductances": np.ones(32)}, "no parameter 'conductances', expected one of .'conductance'"),
        ({"conductance": np.ones(3)}, r"shape \(3,\), expected \(32,\)"),
        ({"conductance": np.full(32, np.nan)}, "32 entries are NaN or infinite"),
    ],
)
def test_theta_that_does_not_fit_is_refused(theta, message, rng):
    with pytest.raises(ValueError, match=message):
        lattice(rng).with_theta(theta)


def test_one_conductance_per_edge():
    energy = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0]})
    with pytest.raises(ValueError, match=r"theta\['conductance'\]: shape \(1,\), expected \(2,\), one per edge"):
        energy(np.zeros(3))


@pytest.mark.parametrize("index", [3, [True, False], [1.0], slice(2)])
def test_an_index_is_a_list_of_integers(index):
    with pytest.raises(TypeError, match="index: got .* expected a list of integers"):
        Readout("v", index)


def test_rows_are_a_matrix():
    with pytest.raises(ValueError, match=r"rows: shape \(3,\), expected \(k, n\)"):
        Readout("v", rows=[1.0, -1.0, 0.0])


@pytest.mark.parametrize(
    ("nudge", "message"),
    [
        (dict(target=[0.1]), r"nudge.target: shape \(1,\), expected \(2,\)"),
        (dict(target=0.1), r"nudge.target: shape \(\)"),
        (dict(target=[0.1, np.nan]), "target: 1 of 2 entries are NaN"),
        (dict(at=[[0.1]]), r"nudge.at: shape \(1, 1\)"),
        (dict(strength=np.nan), "nudge.strength: got nan"),
    ],
)
def test_bad_nudges_are_refused(nudge, message, rng):
    given = dict(target=[0.1, 0.2], strength=0.5) | nudge
    with pytest.raises(ValueError, match=message):
        relax(lattice(rng), clamp={"in": [1.0, 0.0]}, nudge=Nudge(SquaredError("out"), **given))


@pytest.mark.parametrize(
    ("system", "clamp", "message"),
    [
        (None, None, "system: got a NoneType"),
        (lattice, [1.0, 2.0], "clamp: got a list"),
        (lattice, {"in": "ab"}, "expected numbers"),
    ],
)
def test_what_is_of_another_type_is_refused(system, clamp, message, rng):
    with pytest.raises(TypeError, match=message):
        relax(system and system(rng), clamp=clamp)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(clamp={"in": np.zeros((0, 2))}), r"shape \(0, 2\), expected at least one item"),
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


@pytest.mark.parametrize("strength", [-5.0, -50.0])
def test_a_nudge_that_outweighs_the_energy_is_refused(strength, rng):
    """Its stationary point is a saddle, and no equilibrium."""
    with pytest.raises(ValueError, match="outweighs the energy's own curvature"):
        relax(lattice(rng), clamp={"in": [1.0, 0.0]}, nudge=Nudge(SquaredError("out"), [0.2, 0.1], strength))


def test_a_large_ratio_of_conductances_is_not_called_a_floating_node():
    energy = Energy(
        {"v": (Real(), 3)},
        [Edges("v", [(0, 1), (1, 2)])],
        {"conductance": [1e-9, 1e6]},
        {"rail": Readout("v", [0]), "in": Readout("v", [2], force=True)},
    )
    with pytest.raises(ValueError, match="1e12 times weaker .* lost in rounding"):
        relax(energy, clamp={"rail": [1.0], "in": [1e-9]})
    found = relax(energy.with_theta({"conductance": [1e-3, 1e6]}), clamp={"rail": [1.0], "in": [1e-3]})
    np.testing.assert_allclose(found.x, [1.0, 2.0, 2.0], rtol=1e-6)
