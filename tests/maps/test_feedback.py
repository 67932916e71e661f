"""Feedback by weights of its own: what it follows, that it aligns, and who refuses it."""

import numpy as np
import pytest

from physlearn import (
    SGD,
    ExactGradient,
    PredictiveCoding,
    SquaredError,
    check_map,
    learn,
    relax,
    sample,
)
from physlearn.maps import Affine, Chain, Conv, FeedbackAffine, Tanh
from physlearn.models import PredictionGraph
from physlearn.terms import Coupling


def graph(feedback=True, **theta):
    last = FeedbackAffine(2, "W2", "b2", "B2") if feedback else Affine(2, "W2", "b2")
    nodes = {"h": ("x", Affine(9, "W1", "b1")), "y": ("h", Chain(Tanh(), last))}
    return PredictionGraph({"x": 4}, nodes, theta=theta or None, rng=3)


def pairs(rng, n=60):
    x = rng.standard_normal((n, 4))
    return {"x": x, "y": np.stack([np.tanh(x[:, 0] - x[:, 1]), x[:, 2] * x[:, 3] / 2], 1)}


def angle(net):
    w, b = net.theta["W2"].ravel(), net.theta["B2"].ravel()
    return np.degrees(np.arccos(w @ b / np.linalg.norm(w) / np.linalg.norm(b)))


def test_passes_what_of_its_audit_holds(tol):
    forms = {check.form for check in check_map(FeedbackAffine(3), [4]).checks}
    assert {"gradient of W", "gradient of b", "batch"} <= forms and not {"parent 0", "gradient of B"} & forms
    assert Chain(Tanh(), FeedbackAffine(3)).returning == ("B",)


def test_errors_return_by_the_feedback(rng, tol):
    """Written out: the hidden error is pulled by e B^T, and B's step is W's."""
    net, data = graph(), pairs(rng, 7)
    th = net.theta
    a = data["x"] @ th["W1"] + th["b1"]
    e = (np.tanh(a) @ th["W2"] + th["b2"] - data["y"]) / 7
    _, found = PredictiveCoding(fixed=True).swept(net, {"x": data["x"]}, data["y"], SquaredError("y"), {})
    hidden = e @ th["B2"].T * (1 - np.tanh(a) ** 2)
    np.testing.assert_allclose(found["W1"], data["x"].T @ hidden, rtol=tol.IDENTITY, atol=1e-14)
    np.testing.assert_allclose(found["W2"], np.tanh(a).T @ e, rtol=tol.IDENTITY, atol=1e-14)
    np.testing.assert_array_equal(found["B2"], found["W2"])


def test_symmetric_feedback_is_the_symmetric_network(rng):
    w = graph().theta["W2"]
    two, one, data = graph(B2=w), graph(False), pairs(rng)
    task = dict(rule=PredictiveCoding(steps=10), cost=SquaredError("y"), optimizer=SGD(0.1), epochs=5, batch=10, rng=0)
    two, one = (learn(net, data, **task).theta for net in (two, one))
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", [PredictiveCoding(fixed=True), PredictiveCoding(steps=20)])
def test_learnt_feedback_aligns_and_fixed_feedback_is_aligned_with(rule, rng):
    """Kolen and Pollack: with decay W - B falls as (1 - lr decay)^steps, whatever is learnt."""
    net, data = graph(), pairs(rng)
    task = dict(rule=rule, cost=SquaredError("y"), batch=10, rng=0)
    decayed = SGD(0.1, decay={"W2": 0.05, "B2": 0.05})
    done = learn(net, data, optimizer=decayed, epochs=100, **task)
    gap = (done.theta["W2"] - done.theta["B2"]) / (net.theta["W2"] - net.theta["B2"])
    np.testing.assert_allclose(gap, (1 - 0.1 * 0.05) ** 600, rtol=1e-9)
    assert angle(net) > 60 and angle(done.machine) < 10 and done.cost[-1] < 0.5 * done.cost[0]
    held = learn(net, data, optimizer=SGD(0.1), epochs=100, trainable=["W1", "b1", "W2", "b2"], **task)
    np.testing.assert_array_equal(held.theta["B2"], net.theta["B2"])
    assert angle(held.machine) < angle(net) - 10 and held.cost[-1] < 0.5 * held.cost[0]


def test_what_needs_a_gradient_refuses(rng):
    net, data = graph(), pairs(rng)
    task = dict(cost=SquaredError("y"), optimizer=SGD(0.1))
    said = "come back by weights of their own"
    with pytest.raises(ValueError, match=f"ExactGradient: .*{said}"):
        learn(net, data, rule=ExactGradient(), **task)
    with pytest.raises(ValueError, match=f"PredictiveCoding: .*{said}.*give steps, or fixed=True"):
        learn(net, data, rule=PredictiveCoding(), **task)
    with pytest.raises(ValueError, match=f"exact_gradient: .*{said}"):
        net.exact_gradient(SquaredError("y"), {"x": data["x"]}, data["y"])
    for method in ("errors", "lbfgs"):
        with pytest.raises(ValueError, match=said):
            relax(net, clamp=data, method=method)
    with pytest.raises(ValueError, match=said):
        sample(net, temperature=1.0, n_samples=2, rng=0)
    with pytest.raises(ValueError, match="sends errors back by weights of its own"):
        Coupling(("a", "b"), Chain(Conv(1, 2), FeedbackAffine(2, "V", None)))
    with pytest.raises(ValueError, match="feedback: got 'W', the weights' own name"):
        FeedbackAffine(2, feedback="W")


def test_flow_comes_to_the_rest_of_its_own_forces(rng):
    net, data = graph(), pairs(rng, 3)
    rest = relax(net, clamp=data, method="flow", tol=1e-9)
    assert rest.converged
    np.testing.assert_allclose(net.field(rest.x, "h"), 0, atol=1e-6)
