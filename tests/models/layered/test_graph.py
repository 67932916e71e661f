"""Graphs of maps: energies that pass the audit, one pass as the free phase, exact gradients, inference by errors."""

import numpy as np
import pytest

from physlearn import SGD, CrossEntropy, ExactGradient, Margin, Nudge, Readout, SquaredError, check_energy, learn, relax
from physlearn.learning.engines.adjoint import contrast_by_adjoint
from physlearn.maps import Affine, Chain, Concatenate, Constant, Relu, Sum, Tanh
from physlearn.models import PredictionGraph


def layered(variance=1.0, sizes=(5, 8, 7, 3), **more):
    return PredictionGraph.layered(sizes, variance={"y": variance}, rng=1, **more)


def decoder():
    """Label and a free latent node to an image of 2 x 3, by a node that has two parents."""
    nodes = {
        "image": ("h", Affine((2, 3), "W2", "b2")),
        "h": (("label", "z"), Chain(Concatenate(), Affine(6, "W1", "b1"), Tanh())),
        "z": ((), Constant(2)),
    }
    left = {"left": Readout("image", [0, 3])}
    return PredictionGraph({"label": 3}, nodes, {"image": 0.5, "z": 2.0}, rng=2, readouts=left)


def recurrent(steps=4):
    """A network unrolled in time: every step has the same weights."""
    inputs = {"s0": 3} | {f"u{k}": 2 for k in range(steps)}
    step = Chain(Concatenate(), Affine(3, "W", "b"), Tanh())
    nodes = {f"s{k + 1}": ((f"s{k}", f"u{k}"), step) for k in range(steps)}
    return PredictionGraph(inputs, nodes | {"y": (f"s{steps}", Affine(2, "V", None))}, rng=3)


def differences(f, theta, h=1e-5):
    """df/dtheta by central differences, every entry."""
    out = {}
    for name, value in theta.items():
        slope = np.zeros(value.shape)
        for k in np.ndindex(value.shape):
            step = np.zeros(value.shape)
            step[k] = h
            slope[k] = (f({**theta, name: value + step}) - f({**theta, name: value - step})) / (2 * h)
        out[name] = slope
    return out


@pytest.mark.parametrize("make", [layered, decoder, recurrent])
def test_passes_the_audit(make):
    check_energy(make(), batch=2)


def test_residual_graph_is_an_energy():
    block = Chain(Affine(4, "W", "b"), Tanh())
    nodes = {"f": ("x", block), "h": (("x", "f"), Sum()), "y": (("h", "x"), Chain(Concatenate(), Affine(2, "V", "c")))}
    check_energy(PredictionGraph({"x": 4}, nodes, rng=0), batch=2)


@pytest.mark.parametrize("make", [layered, decoder, recurrent])
def test_free_phase_is_one_pass(make, rng):
    net = make()
    x = {name: rng.standard_normal((4, *shape)) for name, shape in net.inputs.items()}
    values = net.forward(x)
    assert np.max(net(values)) == 0.0
    free = relax(net, clamp=x)
    assert free.converged and free.steps == 1
    for name, value in values.items():
        np.testing.assert_array_equal(free.x[name], value)
    alone = net.forward({name: value[0] for name, value in x.items()})
    np.testing.assert_allclose(alone[net.terms[-1].child], values[net.terms[-1].child][0], rtol=1e-13)


@pytest.mark.parametrize("cost", [SquaredError("y"), CrossEntropy("y", 0.7), Margin("y", 0.3)])
def test_reverse_mode_equals_differences(cost, rng, tol):
    net = layered()
    x, target = {"x": rng.standard_normal((6, 5))}, np.eye(3)[rng.integers(0, 3, 6)]

    def loss(theta):
        return cost.value(net.with_theta(theta).forward(x)["y"], target).mean()

    value, gradient = net.exact_gradient(cost, x, target)
    assert value.mean() == pytest.approx(loss({}), rel=1e-14)
    for name, slope in differences(loss, dict(net.theta)).items():
        np.testing.assert_allclose(gradient[name], slope, rtol=tol.GRADIENT, atol=1e-9)


def test_shared_weights_are_backpropagated_through_time(rng, tol):
    net, cost = recurrent(), SquaredError("y")
    x = {name: rng.standard_normal((3, *shape)) for name, shape in net.inputs.items()}
    target = rng.standard_normal((3, 2))
    _, gradient = net.exact_gradient(cost, x, target)
    slopes = differences(
        lambda theta: cost.value(net.with_theta(theta).forward(x)["y"], target).mean(), dict(net.theta)
    )
    for name, slope in slopes.items():
        np.testing.assert_allclose(gradient[name], slope, rtol=tol.GRADIENT, atol=1e-9)


def test_reverse_mode_equals_the_adjoint_state(rng, tol):
    net, cost = layered(sizes=(3, 4, 2)), SquaredError("y")
    x, target = {"x": rng.standard_normal((3, 3))}, rng.standard_normal((3, 2))
    found = contrast_by_adjoint(net, x, target, ExactGradient(), cost, {"tol": 1e-12})
    for name, slope in net.exact_gradient(cost, x, target)[1].items():
        np.testing.assert_allclose(found.gradient[name], slope, rtol=tol.GRADIENT, atol=1e-9)


def test_exact_gradient_with_a_clamped_hidden_node(rng, tol):
    """Not the free phase of a pass: both are found by relaxing."""
    net, cost = layered(sizes=(3, 4, 2)), SquaredError("y")
    inputs, target = {"h1": rng.standard_normal((2, 4))}, rng.standard_normal((2, 2))
    _, gradient = net.exact_gradient(cost, inputs, target)
    y = inputs["h1"] @ net.theta["W2"] + net.theta["b2"]
    np.testing.assert_allclose(gradient["W2"], inputs["h1"].T @ (y - target) / 2, rtol=tol.GRADIENT)


@pytest.mark.parametrize("variance", [1.0, 100.0])
def test_inference_agrees_with_another_engine(variance, rng):
    net = layered(variance)
    clamp = {"x": rng.standard_normal((3, 5)), "y": rng.standard_normal((3, 3))}
    by_errors, by_states = relax(net, clamp=clamp), relax(net, clamp=clamp, method="lbfgs")
    assert by_errors.method == "L-BFGS in errors" and by_errors.converged and by_errors.steps < by_states.steps
    for name in net.layers:
        np.testing.assert_allclose(by_errors.x[name], by_states.x[name], atol=1e-6)
    residual = max(np.max(np.abs(net.field(net.state(by_errors.x), name))) for name in ("h1", "h2"))
    assert residual == pytest.approx(np.max(by_errors.residual), abs=1e-15)


def test_parts_of_a_node_are_clamped_and_completed(rng):
    net = decoder()
    clamp = {"label": np.eye(3), "left": rng.standard_normal((3, 2))}
    by_errors, by_states = relax(net, clamp=clamp), relax(net, clamp=clamp, method="lbfgs")
    assert by_errors.method == "L-BFGS in errors"
    np.testing.assert_array_equal(by_errors.x["image"].reshape(3, 6)[:, [0, 3]], clamp["left"])
    for name in net.layers:
        np.testing.assert_allclose(by_errors.x[name], by_states.x[name], atol=1e-6)


def test_free_roots_are_inferred(rng):
    """Classification by a graph from label to image: the image is given and the label free."""
    net = PredictionGraph({"label": 3}, {"image": ("label", Chain(Affine(8, "W", "b"), Tanh()))}, rng=0)
    label = rng.uniform(-1, 1, (4, 3))
    image = net.forward(label)["image"]
    found = relax(net, clamp={"image": image})
    np.testing.assert_allclose(found.x["label"], label, atol=1e-6)


def test_linear_network_in_closed_form(rng, tol):
    """Least energy r.S^-1.r/2 with r = y - W3' W2' W1' x and S = 1 + sum_l (W_L .. W_l)(W_L .. W_l)'."""
    sizes = (4, 6, 5, 3)
    nodes = {
        "h1": ("x", Affine(6, "W1", None)),
        "h2": ("h1", Affine(5, "W2", None)),
        "y": ("h2", Affine(3, "W3", None)),
    }
    net = PredictionGraph({"x": 4}, nodes, rng=4)
    w1, w2, w3 = (net.theta[f"W{k}"].T for k in (1, 2, 3))
    x, y = rng.standard_normal((5, sizes[0])), rng.standard_normal((5, sizes[-1]))
    s = np.eye(3) + w3 @ w3.T + (w3 @ w2) @ (w3 @ w2).T
    r = y - x @ (w3 @ w2 @ w1).T
    exact = 0.5 * np.sum(r * np.linalg.solve(s, r.T).T, 1)
    found = relax(net, clamp={"x": x, "y": y}, tol=1e-12)
    np.testing.assert_allclose(found.energy, exact, rtol=tol.IDENTITY)


def test_learns_xor():
    net = PredictionGraph.layered([2, 8, 1], rng=0)
    data = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [0.0, 1.0, 1.0, 0.0]}
    done = learn(
        net, data, rule=ExactGradient(), optimizer=SGD(0.5), cost=SquaredError("y"), epochs=2000, batch=None, rng=0
    )
    assert isinstance(done.system, PredictionGraph)
    np.testing.assert_allclose(done.system.forward(np.array(data["x"], float))["y"][:, 0], data["y"], atol=0.05)


def test_single_precision_stays_single(rng):
    double = layered(100.0)
    single = layered(100.0, theta={name: value.astype(np.float32) for name, value in double.theta.items()})
    x, target = rng.standard_normal((4, 5)), rng.standard_normal((4, 3))
    assert all(value.dtype == np.float32 for value in single.theta.values())
    assert all(value.dtype == np.float32 for value in single.forward(x).values())
    _, gradient = single.exact_gradient(SquaredError("y"), {"x": x}, target)
    _, exact = double.exact_gradient(SquaredError("y"), {"x": x}, target)
    for name, slope in gradient.items():
        assert slope.dtype == np.float32
        np.testing.assert_allclose(slope, exact[name], rtol=1e-4, atol=1e-5)
    assert single.with_theta(dict(single.theta)).theta["W1"].dtype == np.float32


def test_cycles_are_named():
    nodes = {"a": ("b", Tanh()), "b": (("x", "c"), Sum()), "c": ("a", Tanh())}
    with pytest.raises(
        ValueError, match="b -> a -> c -> b is a cycle|a -> c -> b -> a is a cycle|c -> b -> a -> c is a"
    ):
        PredictionGraph({"x": 2}, nodes)


def test_shapes_that_do_not_chain_name_both_nodes():
    with pytest.raises(ValueError, match=r"nodes\['s'\].*'a' \(3,\) and 'b' \(2,\).*Sum"):
        PredictionGraph(
            {"x": 2}, {"a": ("x", Affine(3, "A", None)), "b": ("x", Affine(2, "B", None)), "s": (("a", "b"), Sum())}
        )
    with pytest.raises(
        ValueError, match=r"theta\['W'\]: shape \(2, 3\), but node 'b' \(3,\) of 'a' \(3,\) needs \(3, 3\)"
    ):
        PredictionGraph({"x": 2}, {"a": ("x", Affine(3)), "b": ("a", Affine(3))})


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({"y": ("z", Tanh())}, "no parent 'z'"),
        ({"x": ("x", Tanh())}, "is an input, too"),
        ({"y": ("x",)}, "1 entries"),
        ({"y": ("x", Tanh)}, "the class Tanh"),
        ({}, "got none"),
    ],
)
def test_wrong_nodes_are_named(nodes, said):
    with pytest.raises((TypeError, ValueError), match=said):
        PredictionGraph({"x": 2}, nodes)


def test_wrong_inputs_are_named():
    net = layered()
    for wrong in (np.ones((2, 4)), {"y": np.ones(3)}, [[np.nan] * 5]):
        with pytest.raises((TypeError, ValueError), match="x"):
            net.forward(wrong)
    with pytest.raises(ValueError, match=r"variance: got 0 among|expected numbers"):
        layered(0.0)


def test_relu_graph_relaxes(rng):
    net = PredictionGraph.layered([4, 6, 2], Relu(), rng=0)
    found = relax(net, clamp={"x": rng.standard_normal((5, 4)), "y": rng.standard_normal((5, 2))})
    assert found.converged


def test_nudges_that_unbind_the_energy_are_refused(rng):
    net = layered()
    target = rng.standard_normal((2, 3))
    with pytest.raises(ValueError, match="nudge: with it the energy has no minimum"):
        relax(net, clamp={"x": rng.standard_normal((2, 5))}, nudge=Nudge(SquaredError("y"), target, -3.0))
    held = relax(net, clamp={"x": rng.standard_normal((2, 5))}, nudge=Nudge(SquaredError("y"), target, -0.2))
    assert held.converged
