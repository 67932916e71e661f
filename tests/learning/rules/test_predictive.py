"""Predictive coding against backpropagation, the clamped energy, and its fixed-prediction limit."""

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    BinaryCrossEntropy,
    ConvergenceError,
    CrossEntropy,
    ExactGradient,
    PredictiveCoding,
    Readout,
    Real,
    SquaredError,
    System,
    check_gradient,
    learn,
    relax,
)
from physlearn.maps import Affine, Chain, Concatenate, Sum, Tanh
from physlearn.models import PredictionGraph

TIGHT = {"tol": 1e-11, "unconverged": "raise"}


def layered(variance=1.0):
    return PredictionGraph.layered([5, 8, 7, 3], variance={"y": variance, "h1": 0.5}, rng=1)


def branched():
    """Two inputs, a skip connection, and weights that are used twice."""
    step = Chain(Affine(4, "W", "b"), Tanh())
    nodes = {
        "a": ("x", step),
        "b": ("a", step),
        "c": (("a", "b"), Sum()),
        "y": (("c", "u"), Chain(Concatenate(), Affine(3, "V", "c"))),
    }
    return PredictionGraph({"x": 4, "u": 2}, nodes, {"b": 2.0}, rng=2)


def task(net, rng, n=6):
    inputs = {name: rng.standard_normal((n, *shape)) for name, shape in net.inputs.items()}
    return inputs, rng.standard_normal((n, 3)), np.eye(3)[rng.integers(0, 3, n)]


def distance(found, exact):
    square = sum(np.sum((found[name] - exact[name]) ** 2) for name in exact)
    return np.sqrt(square / sum(np.sum(value**2) for value in exact.values()))


@pytest.mark.parametrize("make", [layered, branched])
@pytest.mark.parametrize("cost", [SquaredError("y"), CrossEntropy("y"), BinaryCrossEntropy("y")])
def test_approaches_backpropagation_with_slope_one(make, cost, rng, tol):
    net = make()
    inputs, numbers, classes = task(net, rng)
    target = numbers if isinstance(cost, SquaredError) else classes
    loss, exact = net.exact_gradient(cost, inputs, target)
    precisions = np.array([1e-3, 1e-4, 1e-5])
    errors = []
    for p in precisions:
        value, found = PredictiveCoding(p).swept(net, inputs, target, cost, TIGHT)
        np.testing.assert_allclose(value, loss, rtol=tol.IDENTITY)
        errors.append(distance(found, exact))
    slope = np.polyfit(np.log(precisions), np.log(errors), 1)[0]
    assert abs(slope - 1) < 0.05 and errors[-1] < 1e-3


@pytest.mark.parametrize("make", [layered, branched])
def test_equals_backpropagation_under_fixed_predictions(make, rng, tol):
    net, cost = make(), SquaredError("y")
    inputs, target, _ = task(net, rng)
    _, exact = net.exact_gradient(cost, inputs, target)
    _, found = PredictiveCoding(2.0, fixed=True).swept(net, inputs, target, cost, {})
    assert distance(found, exact) < tol.IDENTITY


def test_fixed_predictions_are_what_errors_settle_to(rng):
    """Errors that flow with predictions and slopes held: de/dt = -e/v + J'.e/v; then the local products."""
    net, p = layered(), 0.7
    inputs, target, _ = task(net, rng)
    values, errors, tapes = net.forward(inputs), {}, {}
    for term in net.terms:
        _, tapes[term.child] = term.map.forward(tuple(values[name] for name in term.parents), net.theta)
        errors[term.child] = np.zeros_like(values[term.child])
    errors["y"] = p * (target - values["y"])  # e/v of the output
    for _ in range(400):
        for term in net.terms[1:]:
            (parent,) = term.parents
            (pull,), _ = term.map.pullback(tapes[term.child], errors[term.child], net.theta)
            errors[parent] += 0.3 * (pull - errors[parent])
    _, found = PredictiveCoding(p, fixed=True).swept(net, inputs, target, SquaredError("y"), {})
    for term in net.terms:
        _, slopes = term.map.pullback(tapes[term.child], errors[term.child], net.theta)
        for name, value in slopes.items():
            np.testing.assert_allclose(found[name], -value / p / len(target), rtol=1e-9, atol=1e-12)


def test_is_the_gradient_of_the_clamped_energy(rng):
    net, cost = layered(2.0), SquaredError("y")
    inputs, target, _ = task(net, rng)
    rest = relax(net, clamp=inputs | {"y": target}, tol=1e-12)
    clamped = net.response(net.state(rest.x))
    _, found = PredictiveCoding().swept(net, inputs, target, cost, TIGHT)
    for name, value in clamped.items():
        np.testing.assert_allclose(found[name], 2.0 * value / len(target), atol=1e-9)


def test_many_steps_end_at_the_rest(rng):
    net, cost = layered(), SquaredError("y")
    inputs, target, _ = task(net, rng)
    _, rest = PredictiveCoding().swept(net, inputs, target, cost, TIGHT)
    distances = [
        distance(PredictiveCoding(steps=steps, rate=0.1).swept(net, inputs, target, cost, {})[1], rest)
        for steps in (1, 20, 1000)
    ]
    assert distances[0] > distances[1] > 1e-4 and distances[2] < 1e-8


def test_steps_follow_the_plain_formula(rng, tol):
    """Against a network of two maps written out, every step of it."""
    net = PredictionGraph.layered([4, 5, 3], variance={"y": 0.5}, rng=3)
    x, target = rng.standard_normal((6, 4)), rng.standard_normal((6, 3))
    w1, b1, w2, b2 = (net.theta[name] for name in ("W1", "b1", "W2", "b2"))
    f = np.tanh(x @ w1 + b1)
    h = f.copy()
    for _ in range(7):
        h = h + 0.1 * (-(h - f) + (target - h @ w2 - b2) / 0.5 @ w2.T)
    e1, e2 = h - f, target - h @ w2 - b2
    expected = {"W2": -h.T @ e2 / 6, "b2": -e2.mean(0), "W1": -0.5 * x.T @ (e1 * (1 - f * f)) / 6}
    found = PredictiveCoding(steps=7, rate=0.1).swept(net, {"x": x}, target, SquaredError("y"), {})[1]
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-10, atol=1e-12)


def test_learns_as_backpropagation_does(rng):
    net, cost = layered(), CrossEntropy("y")
    x = rng.standard_normal((60, 5))
    data = {"x": x, "y": np.eye(3)[np.argmax(x[:, :3] + x[:, 2:], 1)]}
    settings = dict(cost=cost, optimizer=Adam(0.02), epochs=20, batch=20, rng=0)
    exact = learn(net, data, rule=ExactGradient(), **settings)
    found = learn(net, data, rule=PredictiveCoding(0.01), **settings, relax_options={"tol": 1e-6})
    np.testing.assert_allclose(found.cost, exact.cost, rtol=0.02)
    again = learn(net, data, rule=PredictiveCoding(0.01), **settings, relax_options={"tol": 1e-6})
    assert again.cost.tobytes() == found.cost.tobytes()


def test_single_precision(rng):
    double = layered()
    single = PredictionGraph.layered(
        [5, 8, 7, 3],
        variance={"y": 1.0, "h1": 0.5},
        theta={name: value.astype(np.float32) for name, value in double.theta.items()},
    )
    inputs, target, _ = task(double, rng)
    for rule in (PredictiveCoding(steps=20), PredictiveCoding()):
        _, exact = rule.swept(double, inputs, target, SquaredError("y"), TIGHT)
        _, found = rule.swept(single, inputs, target, SquaredError("y"), {"tol": 1e-3})
        assert all(value.dtype == np.float32 for value in found.values())
        assert distance(found, exact) < 2e-3


def test_what_does_not_fit_is_refused(rng):
    net, cost = layered(), SquaredError("y")
    inputs, target, _ = task(net, rng)
    data, settings = inputs | {"y": target}, dict(cost=cost, optimizer=SGD(0.1))

    class Leak:
        layers = ("x",)

        def field(self, x, theta, layer):
            return -x["x"]

        def response(self, x, theta, weight):
            return {}

    leak = System({"x": (Real(), 2)}, [Leak()], {}, {"a": Readout("x", [0]), "y": Readout("x", [1])})
    with pytest.raises(ValueError, match="Leak is no prediction; expected a PredictionGraph"):
        learn(leak, {"a": [[1.0]], "y": [[1.0]]}, rule=PredictiveCoding(), **settings)
    with pytest.raises(ValueError, match=r"fixed: expected all inputs \['x'\] clamped"):
        learn(net, {"h1": np.ones((6, 8)), "y": target}, rule=PredictiveCoding(fixed=True), **settings)
    with pytest.raises(ConvergenceError, match="6 of 6 items are not at rest"):
        learn(net, data, rule=PredictiveCoding(), **settings, batch=6, relax_options={"max_steps": 3})
    with pytest.raises(ValueError, match="precision: got 0"):
        PredictiveCoding(0)
    with pytest.raises(ValueError, match="steps"):
        PredictiveCoding(steps=0)


def test_check_gradient_measures_its_order(rng):
    net = layered()
    inputs, target, _ = task(net, rng)
    data = inputs | {"y": target}
    check = check_gradient(net, data, PredictiveCoding(), [1e-2, 1e-3, 1e-4], cost=SquaredError("y"))
    assert abs(check.slope - 1) < 0.05 and check.cosine[-1] > 0.999
