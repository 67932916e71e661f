"""Descent by blocks of `Real` variables: the rest, few fields, an honest certificate, items left in peace."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from physlearn import Energy, Nudge, Readout, Real, SquaredError, check_energy, relax
from physlearn.terms import Bias, Dense, Parabola


class Coupling:
    """E = -a.W.b, written with einsum, which counts how often its field is asked for."""

    def __init__(self, a, b, name):
        self.layers, self.name, self.calls = (a, b), name, 0

    def energy(self, x, theta):
        return -np.einsum("bi,ij,bj->b", x[self.layers[0]], theta[self.name], x[self.layers[1]])

    def field(self, x, theta, layer):
        self.calls += 1
        a, b = self.layers
        return x[b] @ theta[self.name].T if layer == a else x[a] @ theta[self.name]

    def gradient(self, x, theta, weight):
        a, b = self.layers
        return {self.name: -np.einsum("b,bi,bj->ij", weight, x[a], x[b])}

    def curvature(self, x, theta, layer):
        return np.zeros(())


class Product:
    """E = sum_i (1 + b_i^2) (a_i - c)^2 / 2: a separable quadratic in each; items differ in curvature."""

    layers = ("a", "b")

    def energy(self, x, theta):
        return 0.5 * np.sum((1 + x["b"] ** 2) * (x["a"] - theta["c"]) ** 2, 1)

    def field(self, x, theta, layer):
        off = x["a"] - theta["c"]
        return -(1 + x["b"] ** 2) * off if layer == "a" else -x["b"] * off**2

    def gradient(self, x, theta, weight):
        return {"c": -weight @ ((1 + x["b"] ** 2) * (x["a"] - theta["c"]))}

    def curvature(self, x, theta, layer):
        return 1 + x["b"] ** 2 if layer == "a" else (x["a"] - theta["c"]) ** 2


class OneSided:
    """E = k max(x - 1, 0)^2 / 2 + x^2 / 2 - f x: its curvature is not that of one quadratic, though it says so."""

    layers = ("a",)

    def __init__(self, k, f):
        self.k, self.f = k, f

    def energy(self, x, theta):
        a = x["a"]
        return np.sum(0.5 * self.k * np.maximum(a - 1, 0) ** 2 + 0.5 * a**2 - self.f * a, 1)

    def field(self, x, theta, layer):
        a = x["a"]
        return self.f - a - self.k * np.maximum(a - 1, 0)

    def gradient(self, x, theta, weight):
        return {}

    def curvature(self, x, theta, layer):
        return 1.0 + self.k * (x["a"] > 1)


def layered(coupling, rng, widths=(6, 9, 4), spread=0.4):
    """Input, hidden layers and output in [0, 1] or as they are, each with a stiffness and a bias but the input."""
    names = ["in", *(f"h{k}" for k in range(1, len(widths) - 1)), "out"]
    layers = {n: (Real() if n == "in" else Real(0, 1), w) for n, w in zip(names, widths, strict=True)}
    terms, theta = [], {}
    for k, (a, b) in enumerate(zip(names, names[1:], strict=False)):
        terms += [coupling(a, b, f"W{k}"), Bias(b, f"b{k}"), Parabola(b, f"k{k}")]
        theta |= {f"W{k}": spread * rng.standard_normal((widths[k], widths[k + 1]))}
        theta |= {f"b{k}": 0.3 * rng.standard_normal(widths[k + 1]), f"k{k}": rng.uniform(0.8, 2, widths[k + 1])}
    return Energy(layers, terms, theta)


def dense(a, b, name):
    return Dense((a, b), name)


@pytest.mark.parametrize("coupling", [dense, Coupling])
def test_rest_is_that_of_an_independent_solver(coupling, rng):
    """Bounded least squares of the same quadratic, item by item."""
    net = layered(coupling, rng, (6, 9, 4), 0.15)
    x = rng.standard_normal((5, 6))
    found = relax(net, clamp={"in": x}, tol=1e-12)
    assert found.converged and found.method == "descent (blocks)"
    th = net.theta
    hessian = np.block([[np.diag(th["k0"]), -th["W1"]], [-th["W1"].T, np.diag(th["k1"])]])
    root = np.linalg.cholesky(hessian).T
    for item in range(5):
        pull = np.concatenate([x[item] @ th["W0"] + th["b0"], th["b1"]])
        best = lsq_linear(root, np.linalg.solve(root.T, pull), (0, 1), tol=1e-14).x
        assert np.allclose(np.concatenate([found.x["h1"][item], found.x["out"][item]]), best, atol=1e-6)


def test_the_certificate_is_the_terms_own(rng):
    net = layered(Coupling, rng, (6, 9, 7, 4), 0.25)
    x = rng.standard_normal((5, 6))
    found = relax(net, clamp={"in": x}, tol=1e-4)
    left = np.zeros(5)
    for name in ("h1", "h2", "out"):
        f, v = net.field(found.x, name), found.x[name]
        held = (v <= 0) & (f < 0) | (v >= 1) & (f > 0)
        left = np.maximum(left, np.abs(np.where(held, 0, f)).max(1))
    assert found.converged and np.any(left > 0)
    assert np.allclose(found.residual, left, rtol=1e-9)


def test_products_with_a_clamped_input_are_made_once(rng):
    net = layered(Coupling, rng, (6, 9, 4), 0.3)
    found = relax(net, clamp={"in": rng.standard_normal((5, 6))}, tol=1e-10)
    first, second = (t for t in net.terms if isinstance(t, Coupling))
    assert found.steps > 10
    assert first.calls < found.steps < second.calls < 2 * found.steps + 60


def test_a_curvature_that_differs_between_items(rng):
    net = Energy(
        {"a": (Real(), 3), "b": (Real(-1, 1), 3)},
        [Product(), Parabola("b", "k")],
        {"c": np.ones(3), "k": 3.0 + np.zeros(3)},
    )
    check_energy(net)
    start = {"a": rng.standard_normal((4, 3)), "b": rng.uniform(0.2, 0.9, (4, 3))}
    found = relax(net, start, method="descent")
    assert found.converged and np.allclose(found.x["a"], 1) and np.allclose(found.x["b"], 0, atol=1e-8)


@pytest.mark.parametrize("k,f,rest", [(4.0, 3.0, 7 / 5), (4.0, 0.5, 0.5), (0.0, 3.0, 3.0)])
def test_a_promise_of_a_quadratic_that_is_not_kept_costs_time_and_not_truth(k, f, rest):
    net = Energy({"a": (Real(), 2)}, [OneSided(k, f)], {})
    found = relax(net, np.array([[2.0, -1.0]]), method="descent", tol=1e-10)
    assert found.converged and np.allclose(found.x, rest, atol=1e-9)
    assert np.allclose(found.residual, np.abs(net.field({"a": found.x}, "a")).max(1))


def test_given_variables_within_a_layer_that_moves(rng):
    net = layered(dense, rng, (3, 4, 2), 0.3)
    held = Energy(net.layers, net.terms, net.theta, {"some": Readout("h1", [1, 3]), "in": Readout("in")})
    found = relax(held, clamp={"in": rng.standard_normal((3, 3)), "some": [0.25, 0.75]}, tol=1e-10)
    assert found.converged and np.all(found.x["h1"][:, [1, 3]] == [0.25, 0.75])
    other = relax(held, clamp={"in": found.x["in"], "some": [0.25, 0.75]}, tol=1e-10, method="lbfgs")
    assert np.allclose(found.x["h1"], other.x["h1"], atol=1e-7) and np.allclose(
        found.x["out"], other.x["out"], atol=1e-7
    )


@pytest.mark.parametrize("strength", [0.5, -0.3])
@pytest.mark.parametrize("at", [None, 0.2])
def test_nudges(strength, at, rng):
    net = layered(dense, rng, (3, 5, 2), 0.3)
    x, at = rng.standard_normal((4, 3)), None if at is None else np.full((4, 2), at)
    nudge = Nudge(SquaredError("out"), rng.uniform(size=(4, 2)), strength, at)
    found = relax(net, clamp={"in": x}, nudge=nudge, tol=1e-11)
    other = relax(net, clamp={"in": x}, nudge=nudge, tol=1e-11, method="lbfgs")
    assert found.converged and found.method == "descent (blocks)"
    assert np.allclose(found.x["out"], other.x["out"], atol=1e-8)


def test_items_do_not_disturb_each_other_and_rest_when_they_are_at_rest(rng):
    net, x = layered(dense, rng, (6, 9, 4), 0.3), rng.standard_normal((8, 6))
    together = relax(net, clamp={"in": x}, tol=1e-9)
    again = relax(net, together.x, clamp={"in": x}, tol=1e-6)
    assert again.steps == 0 and np.array_equal(again.x["h1"], together.x["h1"])


def test_units_do_not_matter(rng):
    """Energies in units of 1e-9 and variables of 1e-3: as many sweeps."""
    net, x = layered(dense, rng, (6, 9, 4), 0.3), rng.standard_normal((8, 6))
    free = {n: (Real(), shape) for n, (_, shape) in net.layers.items()}
    plain = relax(Energy(free, net.terms, net.theta), clamp={"in": x}, method="descent")
    small = {n: v * 1e-9 * (1e-3 if n.startswith("b") else 1.0) for n, v in net.theta.items()}
    scaled = relax(Energy(free, net.terms, small), clamp={"in": 1e-3 * x}, method="descent")
    assert plain.steps == scaled.steps and np.allclose(scaled.x["out"], 1e-3 * plain.x["out"], rtol=1e-9)


def test_steps_run_out_and_it_is_said(rng):
    net, x = layered(dense, rng, (6, 9, 4), 0.3), rng.standard_normal((8, 6))
    with pytest.warns(RuntimeWarning, match="not at rest after 2 steps"):
        found = relax(net, clamp={"in": x}, max_steps=2)
    assert found.steps == 2 and not found.converged and np.all(np.isfinite(found.residual))


def test_a_curvature_that_falls_to_zero_is_refused(rng):
    net = Energy({"a": (Real(), 1), "b": (Real(-1, 1), 1)}, [Product()], {"c": np.ones(1)})
    with pytest.raises(ValueError, match="curvature on layer 'b' fell to 0"):
        relax(net, {"a": np.zeros((1, 1)), "b": np.ones((1, 1))}, method="descent")
