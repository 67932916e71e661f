"""Whole epochs by sweeps through a network of predictions: the plain loop's bits, and its ends."""

from dataclasses import dataclass

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    BinaryCrossEntropy,
    ConvergenceError,
    CrossEntropy,
    EquilibriumPropagation,
    ExactGradient,
    Margin,
    PredictiveCoding,
    SquaredError,
    learn,
    load,
    save,
)
from physlearn.dynamics.predictions import hold
from physlearn.maps import Affine, BatchNorm, Chain, Dropout, Relu, Tanh
from physlearn.models import PredictionGraph


def graph(dtype=float):
    net = PredictionGraph.layered([4, 9, 3], Relu(), rng=1)
    return PredictionGraph.layered([4, 9, 3], Relu(), theta={k: v.astype(dtype) for k, v in net.theta.items()})


def examples(rng, n=22):
    x = rng.standard_normal((n, 4))
    return {"x": x, "y": np.eye(3)[np.argmax(x[:, :3], 1)]}


@dataclass(frozen=True)
class Signs:
    """A custom optimiser: steps of one length."""

    lr: float = 0.01
    bounds = {}  # noqa: RUF012

    def start(self, theta):
        return {"steps": 0}

    def step(self, theta, gradient, memory, lr):
        memory["steps"] += 1
        return {name: theta[name] - lr * np.sign(g) for name, g in gradient.items()}


OPTIMIZERS = [
    SGD(0.1),
    SGD(0.05, momentum=0.9, decay={"W1": 0.1}, bounds={"W2": (-0.6, 0.6)}),
    Adam(0.02, decay=0.01),
    Adam(lambda epoch: 0.02 / (1 + epoch), bounds={"b1": (-0.1, 0.1)}),
    Signs(),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_is_the_plain_loop_bit_for_bit(optimizer, dtype, rng):
    task = dict(rule=ExactGradient(), cost=CrossEntropy("y"), optimizer=optimizer, epochs=3, batch=5, rng=2)
    data = examples(rng)
    fast, plain = (learn(graph(dtype), data, **task, method=method) for method in ("auto", "relax"))
    assert (fast.method, plain.method) == ("sweep", "relax")
    for name, value in plain.theta.items():
        assert value.dtype == dtype
        np.testing.assert_array_equal(fast.theta[name], value)
    np.testing.assert_allclose(fast.cost, plain.cost, rtol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("cost", [SquaredError("y"), BinaryCrossEntropy("y"), Margin("y")])
def test_every_cost_falls(cost, rng):
    done = learn(
        graph(), examples(rng), rule=ExactGradient(), cost=cost, optimizer=Adam(0.02), epochs=30, batch=5, rng=2
    )
    assert done.method == "sweep" and done.cost[-1] < 0.5 * done.cost[0]


def test_predictive_coding_by_the_plain_loop(rng):
    task = dict(cost=SquaredError("y"), optimizer=Adam(0.02), epochs=2, batch=5, rng=2)
    data = examples(rng)
    for rule in (PredictiveCoding(), PredictiveCoding(steps=5), PredictiveCoding(fixed=True)):
        fast, plain = (learn(graph(), data, rule=rule, **task, method=m) for m in ("auto", "relax"))
        assert fast.method == "sweep"
        np.testing.assert_allclose(fast.cost, plain.cost, rtol=1e-9)


def test_only_named_parameters_change(rng):
    net = graph()
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=SGD(0.1), rng=0, batch=5)
    done = learn(net, examples(rng), **task, trainable=["b2"])
    changed = [name for name in net.theta if not np.array_equal(net.theta[name], done.theta[name])]
    assert changed == ["b2"]


def test_resumes_bit_for_bit(rng, tmp_path):
    task = dict(rule=ExactGradient(), cost=CrossEntropy("y"), optimizer=Adam(0.02), batch=5)
    data = examples(rng)
    whole = learn(graph(), data, **task, epochs=6, rng=3)
    half = learn(graph(), data, **task, epochs=2, rng=3)
    rest = learn(graph(), data, **task, epochs=4, resume=load(save(tmp_path / "half", half), graph()))
    for name, value in whole.theta.items():
        np.testing.assert_array_equal(rest.theta[name], value)
    np.testing.assert_array_equal(rest.cost, whole.cost)


def test_divergence_ends_with_the_last_good_theta(rng):
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=SGD(1e6), epochs=50, batch=5, rng=0)
    with pytest.raises(ConvergenceError, match="not finite") as caught:
        learn(graph(), examples(rng), **task)
    assert all(np.isfinite(value).all() for value in caught.value.partial.theta.values())


def test_what_needs_relaxing_is_refused(rng):
    task = dict(cost=SquaredError("y"), optimizer=SGD(0.1))
    with pytest.raises(ValueError, match="'sweep' does not fit: "):
        learn(graph(), examples(rng), rule=EquilibriumPropagation(), **task, method="sweep")
    with pytest.raises(ValueError, match=r"it needs all inputs \['x'\] given"):
        learn(graph(), {"h1": np.ones((2, 9)), "y": np.ones((2, 3))}, rule=ExactGradient(), **task, method="sweep")


def normalised(share=0.2):
    nodes = {
        "h": ("x", Chain(Affine(9, "W1", "b1"), BatchNorm("n"), Tanh(), Dropout(share))),
        "y": ("h", Affine(3, "W2", "b2")),
    }
    return PredictionGraph({"x": 4}, nodes, rng=1)


@pytest.mark.parametrize("rule", [ExactGradient(), PredictiveCoding(0.1)])
def test_masks_and_statistics_of_a_batch(rule, rng, tmp_path):
    data = examples(rng, 60)
    data["x"] = data["x"] * 3 + 5
    task = dict(rule=rule, cost=CrossEntropy("y"), optimizer=Adam(0.02), batch=20, relax_options={"tol": 1e-6})
    whole = learn(normalised(), data, **task, epochs=40, rng=3)
    assert whole.cost[-1] < 0.5 * whole.cost[0]
    values = normalised().with_theta(whole.theta).forward(data["x"])
    h = data["x"] @ whole.theta["W1"] + whole.theta["b1"]
    np.testing.assert_allclose(whole.theta["n.mean"], h.mean(0), atol=0.5 * h.std(0).max())
    assert np.mean(np.argmax(values["y"], 1) == np.argmax(data["y"], 1)) > 0.8
    half = learn(normalised(), data, **task, epochs=15, rng=3)
    again = learn(normalised(), data, **task, epochs=25, resume=load(save(tmp_path / "half", half), normalised()))
    for name, value in whole.theta.items():
        np.testing.assert_array_equal(again.theta[name], value)


def test_held_statistics_are_shared_by_all_phases(rng, tol):
    """The gradient of the held network: against differences with mask and statistics kept."""
    net, cost = normalised(), SquaredError("y")
    x, target = rng.standard_normal((8, 4)), rng.standard_normal((8, 3))
    held, measured = hold(net, {"x": x}, np.random.default_rng(0))
    assert set(measured) == {"n.mean", "n.variance"}
    _, gradient = held.exact_gradient(cost, {"x": x}, target)
    for name in ("W1", "n.gain", "n.shift", "W2"):
        step = rng.standard_normal(net.theta[name].shape)

        def loss(h, name=name, step=step):
            moved = held.with_theta({name: net.theta[name] + h * step})
            return cost.value(moved.forward(x)["y"], target).mean()

        slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
        assert np.sum(gradient[name] * step) == pytest.approx(slope, rel=tol.GRADIENT)


def test_a_constant_batch_is_refused_while_learning():
    data = {"x": np.ones((6, 4)), "y": np.eye(3)[[0, 1, 2, 0, 1, 2]]}
    with pytest.raises(ValueError, match="BatchNorm 'n': all 6 values"):
        learn(normalised(), data, rule=ExactGradient(), cost=CrossEntropy("y"), optimizer=SGD(0.1), batch=6)


def test_phases_that_relax_refuse_masks(rng):
    task = dict(cost=SquaredError("y"), optimizer=SGD(0.1))
    with pytest.raises(ValueError, match="BatchNorm and Dropout of one batch are known to sweeps only"):
        learn(normalised(), examples(rng), rule=EquilibriumPropagation(), **task, method="relax")
