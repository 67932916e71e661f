"""The adjoint state by sweeps over layers, against the dense solve and against differences of the cost."""

import numpy as np
import pytest

from circuits import DeepResistiveNetwork
from physlearn import SGD, CrossEntropy, Energy, ExactGradient, Real, SquaredError, learn, relax
from physlearn.dynamics.problem import make_problem
from physlearn.lagrangians import Softmax
from physlearn.learning.engines import adjoint
from physlearn.learning.engines.adjoint import contrast_by_adjoint
from physlearn.models import Convolved, EPNetwork
from physlearn.terms import Dense, Parabola

TIGHT = {"method": "descent", "tol": 1e-13, "unconverged": "raise"}
MACHINES = {
    "hard sigmoid": lambda: EPNetwork((4, 7, 5, 3), gain=0.8, rng=3),
    "relu": lambda: EPNetwork((4, 7, 5, 3), activation="relu", gain=0.5, rng=3),
    "tanh": lambda: EPNetwork((4, 7, 5, 3), activation="tanh", gain=0.8, rng=3),
    "logistic to the end": lambda: EPNetwork((4, 7, 3), activation="logistic", output="logistic", rng=3),
    "softmax": lambda: EPNetwork((4, 7, 3), activation=Softmax(), rng=3),
    "images": lambda: EPNetwork([(2, 2), Convolved(3, 2, padding=1, pool=2), 3], gain=0.8, rng=3),
    "max pooling of the input's": lambda: EPNetwork(
        [(4, 1), Convolved(3, (2, 1), pool=(3, 1), pooling="max"), 3], rng=3
    ),
    "resistors": lambda: DeepResistiveNetwork((4, 8, 6, 3), gain=(4.0, 1.5, 2.0), rng=3),
}


def samples(rng, n=5):
    return {"input": rng.uniform(0.1, 1, (n, 4))}, np.eye(3)[rng.integers(0, 3, n)]


def by_dense_solve(monkeypatch, *task):
    with monkeypatch.context() as patch:
        patch.setattr(adjoint, "gradient_by_sweeps", lambda *given: None)
        return contrast_by_adjoint(*task)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("cost", [SquaredError("output"), CrossEntropy("output", 2.0)])
def test_equals_the_dense_solve(name, cost, rng, tol, monkeypatch):
    system = MACHINES[name]().system
    inputs, target = samples(rng)
    task = system, inputs, target, ExactGradient(), cost, TIGHT
    swept, solved = contrast_by_adjoint(*task), by_dense_solve(monkeypatch, *task)
    assert set(swept.gradient) == set(system.theta)
    scale = max(np.max(np.abs(v)) for v in solved.gradient.values())
    assert scale > 1e-3
    for key, value in solved.gradient.items():
        np.testing.assert_allclose(swept.gradient[key], value, rtol=tol.GRADIENT, atol=tol.GRADIENT * scale)


@pytest.mark.parametrize("name", ["hard sigmoid", "images", "resistors"])
def test_equals_differences_of_the_cost(name, rng, tol):
    machine, cost = MACHINES[name](), SquaredError("output")
    inputs, target = samples(rng)
    found = contrast_by_adjoint(machine.system, inputs, target, ExactGradient(), cost, TIGHT)

    def loss(key, h):
        moved = machine.with_theta({key: machine.theta[key] + h * direction})
        return cost.value(relax(moved, clamp=inputs, **TIGHT).x["output"], target).mean()

    for key, value in machine.theta.items():
        direction = np.abs(rng.standard_normal(value.shape)) * (value != 0)
        slope = (loss(key, 1e-5) - loss(key, -1e-5)) / 2e-5 if direction.any() else 0.0
        assert np.sum(found.gradient[key] * direction) == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_units_on_a_bound_learn_nothing_and_their_neighbours_do_not_hear_of_them(rng):
    net = MACHINES["hard sigmoid"]()
    net = net.with_theta({"b1": np.where(np.arange(7) < 3, -5.0, 0.5), "b2": np.full(5, 0.5)})
    inputs, target = samples(rng)
    found = contrast_by_adjoint(net.system, inputs, target, ExactGradient(), SquaredError("output"), TIGHT).gradient
    assert not np.any(found["W1"][:, :3]) and not np.any(found["b1"][:3]) and np.any(found["W1"][:, 3:])


class Product:
    """E = a^2 (1 + b^2)/2 - a - b: quadratic in each, but no quadratic form of both."""

    layers = ("a", "b")

    def energy(self, x, theta):
        return np.sum(0.5 * x["a"] ** 2 * (theta["k"] + x["b"] ** 2) + x["b"] ** 2 - x["a"] - x["b"], 1)

    def field(self, x, theta, layer):
        a, b = x["a"], x["b"]
        return 1 - a * (theta["k"] + b * b) if layer == "a" else 1 - b * (a * a + 2)

    def gradient(self, x, theta, weight):
        return {"k": 0.5 * weight @ (x["a"] ** 2)}

    def curvature(self, x, theta, layer):
        return theta["k"] + x["b"] ** 2 if layer == "a" else x["a"] ** 2 + 2


def test_other_energies_are_solved_densely(rng):
    system = Energy({"a": (Real(), 1), "b": (Real(), 1)}, [Product()], {"k": np.ones(1)})
    cost, target = SquaredError("a"), np.zeros((1, 1))
    found = contrast_by_adjoint(system, {}, target, ExactGradient(), cost, {"tol": 1e-13}).gradient["k"]

    def loss(k):
        return 0.5 * relax(system.with_theta({"k": np.array([k])}), tol=1e-13).x["a"][0] ** 2

    assert found[0] == pytest.approx((loss(1 + 1e-5) - loss(1 - 1e-5)) / 2e-5, rel=1e-6)


def test_sweeps_that_do_not_end_are_solved_densely_or_counted(rng):
    """Two layers coupled so strongly that sweeps fall slowly."""
    layers = {"u": (Real(), 2), "a": (Real(0, 9), 2), "b": (Real(), 2)}
    terms = [
        Dense(("u", "a"), "U"),
        Dense(("a", "b"), "W"),
        Parabola("a", fixed=np.ones(2)),
        Parabola("b", fixed=np.ones(2)),
    ]
    system = Energy(layers, terms, {"U": np.eye(2), "W": 0.995 * np.eye(2)})
    inputs, target = {"u": np.ones((1, 2)) / 50}, np.zeros((1, 2))
    x = relax(system, clamp=inputs, tol=1e-13).x
    problem, pull = make_problem(system, x, inputs)[0], {"b": x["b"] - target}
    few = {"max_steps": 5, "tol": 1e-12}
    assert adjoint.gradient_by_sweeps(problem, x, pull, few | {"unconverged": "raise"}) is None
    _, rested = adjoint.gradient_by_sweeps(problem, x, pull, few | {"unconverged": "ignore"})
    assert not rested
    told = dict(rule=ExactGradient(), cost=SquaredError("b"), optimizer=SGD(0.0), batch=None)
    done = learn(system, inputs | {"b": target}, relax_options=few | {"unconverged": "ignore"}, **told)
    assert done.unrested == 2  # the free phase and the adjoint's


@pytest.mark.parametrize("name", ["hard sigmoid", "images", "resistors"])
def test_learns_in_place_as_step_by_step(name, rng):
    machine = MACHINES[name]()
    inputs, target = samples(rng, 12)
    bounds = getattr(machine, "bounds", {})
    told = dict(rule=ExactGradient(), cost=SquaredError("output"), optimizer=SGD(0.02, bounds=bounds), batch=4)
    done = learn(machine, inputs | {"output": target}, epochs=10, rng=0, relax_options={"tol": 1e-10}, **told)
    assert done.method == "relax" and done.cost[-1] < done.cost[0]
    first = learn(machine, inputs | {"output": target}, shuffle=False, relax_options={"tol": 1e-10}, **told)
    theta = dict(machine.theta)
    for k in range(3):
        rows = slice(4 * k, 4 * k + 4)
        task = {"input": inputs["input"][rows]}, target[rows], ExactGradient(), SquaredError("output"), {"tol": 1e-10}
        step = contrast_by_adjoint(machine.with_theta(theta).system, *task).gradient
        theta = {key: np.clip(v - 0.02 * step[key], *bounds.get(key, (-np.inf, np.inf))) for key, v in theta.items()}
    for key, value in theta.items():
        np.testing.assert_allclose(first.theta[key], value, rtol=1e-9, atol=1e-12)
