"""Batches made by a function, validation data, early stopping, gradient norms, schedules: and all of it resumed."""

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    ContrastiveDivergence,
    CoupledLearning,
    CrossEntropy,
    Energy,
    EquilibriumPropagation,
    ExactGradient,
    PredictiveCoding,
    Readout,
    Real,
    SquaredError,
    learn,
    load,
    save,
)
from physlearn.learning import WarmupCosine
from physlearn.models import RBM, PredictionGraph
from physlearn.plot import plot_gradient_norms, plot_learning_curve
from physlearn.terms import Edges


def graph():
    return PredictionGraph.layered([4, 9, 3], rng=1)


def examples(seed, n=30):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4))
    return {"x": x, "y": np.eye(3)[np.argmax(x[:, :3] + 0.5 * rng.standard_normal((n, 3)), 1)]}


def noisy(rng, step):
    """Ten samples with noise on the inputs that falls with the step."""
    pick, data = rng.integers(0, 30, 10), examples(0)
    return {"x": data["x"][pick] + rng.standard_normal((10, 4)) / (1 + step), "y": data["y"][pick]}


TASK = dict(rule=ExactGradient(), cost=CrossEntropy("y"), optimizer=Adam(0.03))


@pytest.mark.parametrize("rule", [ExactGradient(), PredictiveCoding(0.1)])
def test_batches_made_by_a_function(rule, tmp_path):
    task = TASK | {"rule": rule, "relax_options": {"tol": 1e-6}}
    whole = learn(graph(), noisy, **task, epochs=60, rng=3)
    assert whole.cost.shape == (60,) and np.mean(whole.cost[-10:]) < 0.7 * np.mean(whole.cost[:10])
    half = learn(graph(), noisy, **task, epochs=25, rng=3)
    rest = learn(graph(), noisy, **task, epochs=35, resume=load(save(tmp_path / "half", half), graph()))
    np.testing.assert_array_equal(rest.cost, whole.cost)
    for name, value in whole.theta.items():
        np.testing.assert_array_equal(rest.theta[name], value)


def test_functions_serve_every_rule():
    divider = Energy(
        {"v": (Real(), 3)},
        [Edges("v", [(0, 1), (1, 2)])],
        {"conductance": [1.0, 3.0]},
        {"in": Readout("v", [0, 2]), "out": Readout("v", [1])},
    )

    def halves(rng, step):
        top = rng.uniform(1, 2, (4, 1))
        return {"in": np.hstack([top, np.zeros((4, 1))]), "out": top / 2}

    bounded = SGD(0.5, bounds={"conductance": (0.01, 10)})
    for rule in (CoupledLearning(0.1), EquilibriumPropagation(0.1), ExactGradient()):
        done = learn(divider, halves, rule=rule, cost=SquaredError("out"), optimizer=bounded, epochs=200, rng=0)
        assert done.cost[-1] < 1e-3 * done.cost[0]
    bits = lambda rng, step: {"v": rng.integers(0, 2, (5, 6)).astype(float)}  # noqa: E731
    assert learn(RBM(6, 2, rng=0), bits, rule=ContrastiveDivergence(), optimizer=SGD(0.1), epochs=4, rng=0).epochs == 4


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (lambda rng, step: {"x": np.ones((2, 4))}, "no targets"),
        (lambda rng, step: {"x": np.ones((2, 4 + step)), "y": np.eye(3)[:2]}, "step 1: data.*5 columns, expected 4"),
        (lambda rng, step: np.ones(3), "made for step 0: got a ndarray"),
        (lambda rng, step: {"x": np.full((2, 4), np.nan), "y": np.eye(3)[:2]}, "row 0 holds NaN"),
        (lambda rng: {}, "called with 2 argument"),
    ],
)
def test_functions_that_give_something_else_are_refused(source, said):
    with pytest.raises((TypeError, ValueError), match=said):
        learn(graph(), source, **TASK, epochs=3, rng=0)


def test_validation_cost_is_that_of_the_trained_machine():
    data, held = examples(0), examples(1)
    done = learn(graph(), data, **TASK, epochs=3, batch=10, validation=held, rng=0)
    y = done.machine.forward(held["x"])["y"]
    assert done.validation.shape == (3,)
    assert done.validation[-1] == pytest.approx(TASK["cost"].value(y, held["y"]).mean(), rel=1e-13)
    plain = learn(graph(), data, **TASK, epochs=3, batch=10, rng=0)
    np.testing.assert_array_equal(plain.theta["W1"], done.theta["W1"])  # watching changes nothing


def test_validation_where_outputs_are_relaxed():
    divider = Energy(
        {"v": (Real(), 3)},
        [Edges("v", [(0, 1), (1, 2)])],
        {"conductance": [1.0, 3.0]},
        {"in": Readout("v", [0, 2]), "out": Readout("v", [1])},
    )
    data = {"in": [[1.0, 0.0]], "out": [[0.5]]}
    task = dict(rule=CoupledLearning(), cost=SquaredError("out"), optimizer=SGD(0.5))
    done = learn(divider, data, **task, epochs=4, validation=data)
    again = learn(divider, data, **task, epochs=5)
    np.testing.assert_allclose(done.validation, again.cost[1:], rtol=1e-9)  # the cost before the next step


def test_early_stopping_keeps_the_best(tmp_path):
    data, held = examples(0, 12), examples(1)
    settings = TASK | {"batch": 4, "validation": held, "patience": 5}
    done = learn(graph(), data, **settings, epochs=500, rng=0)
    best = int(np.argmin(done.validation))
    assert done.epochs == best + 6 < 500
    y = graph().with_theta(done.best).forward(held["x"])["y"]
    assert TASK["cost"].value(y, held["y"]).mean() == pytest.approx(done.validation[best], rel=1e-12)
    again = load(save(tmp_path / "done", done), graph())
    np.testing.assert_array_equal(again.validation, done.validation)
    np.testing.assert_array_equal(again.best["W1"], done.best["W1"])


def test_norms_are_those_of_the_gradient():
    data = examples(0)
    done = learn(graph(), data, **TASK, epochs=3, batch=None, norms=True, rng=0)
    assert set(done.norms) == {"W1", "b1", "W2", "b2"} and done.norms["W1"].shape == (3,)
    _, gradient = done.machine.exact_gradient(TASK["cost"], {"x": data["x"]}, data["y"])
    assert done.norms["W2"][-1] == pytest.approx(np.linalg.norm(gradient["W2"]), rel=1e-12)


def test_a_deep_logistic_chain_shows_vanishing_gradients():
    from physlearn.maps import Logistic

    deep = PredictionGraph.layered([4, *[8] * 8, 3], Logistic(), rng=0)
    done = learn(deep, examples(0), **TASK, epochs=1, batch=None, norms=True, rng=0)
    norms = [done.norms[f"W{k}"][0] for k in range(1, 10)]
    assert norms[0] < 1e-4 * norms[-1] and np.all(np.diff(norms) > 0)


def test_pictures():
    done = learn(graph(), examples(0), **TASK, epochs=3, batch=10, validation=examples(1), norms=True, rng=0)
    assert len(plot_learning_curve(done).get_lines()) == 2
    assert len(plot_gradient_norms(done).get_lines()) == 4
    with pytest.raises(ValueError, match="expected one with gradient norms"):
        plot_gradient_norms(learn(graph(), examples(0), **TASK))


def test_warmup_and_cosine(tmp_path):
    rates = WarmupCosine(0.1, epochs=10, warmup=4, last=0.01)
    found = [rates(k) for k in range(12)]
    assert found[:5] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1]) and found[10] == found[11] == pytest.approx(0.01)
    assert np.all(np.diff(found[4:11]) < 0)
    task = TASK | {"optimizer": SGD(rates), "batch": 10}
    whole = learn(graph(), examples(0), **task, epochs=8, rng=0)
    half = learn(graph(), examples(0), **task, epochs=3, rng=0)
    rest = learn(graph(), examples(0), **task, epochs=5, resume=load(save(tmp_path / "half", half), graph()))
    np.testing.assert_array_equal(rest.theta["W1"], whole.theta["W1"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"patience": 3}, "patience: it counts epochs"),
        ({"patience": 0, "validation": examples(1)}, "patience: got 0"),
        ({"validation": {"x": np.ones((2, 4))}}, "validation: data: no targets"),
        ({"validation": {"y": np.eye(3)}}, r"validation: it gives \[\], expected \['x'\]"),
        ({"norms": 1}, "norms: got 1"),
    ],
)
def test_wrong_settings_are_named(settings, said):
    with pytest.raises((TypeError, ValueError), match=said):
        learn(graph(), examples(0), **TASK, **settings)
    with pytest.raises(ValueError, match="warmup: got 5 of 5 epochs"):
        WarmupCosine(0.1, 5, warmup=5)
