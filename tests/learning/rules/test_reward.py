"""Learning from a reward: the rule beside the exact gradient of the mean cost, by enumeration and by draws."""

import numpy as np
import pytest

from physlearn import SGD, Binary, Energy, RewardLearning, Spin, SquaredError, System, enumerate_states, learn
from physlearn.terms import Bias, Dense, Pairs

X = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
TARGET = np.array([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]])


class Prize:
    """A cost that no path leads back from: it depends on the whole word."""

    readout = "z"

    def __init__(self, table):
        self.table = table

    def value(self, y, target):
        return self.table[(y > 0).astype(int) @ (1 << np.arange(y.shape[1]))]

    def gradient(self, y, target):
        raise AssertionError("the rule needs no gradient")


def machine(rng, coupled, kind=Binary):
    terms = [Dense(("x", "z")), Bias("z")]
    theta = {"W": rng.standard_normal((3, 4)), "bias": rng.standard_normal(4)}
    if coupled:
        terms.append(Pairs("z", [(0, 1), (1, 2), (0, 3)]))
        theta["J"] = rng.standard_normal(3)
    return Energy({"x": (Binary(), 3), "z": (kind(), 4)}, terms, theta)


def mean_cost(system, cost, temperature):
    total = 0.0
    for x, target in zip(X, TARGET, strict=True):
        exact = enumerate_states(system, temperature=temperature, clamp={"x": x})
        z = system.state(exact.states())["z"]
        total += exact.probability @ cost.value(z, np.tile(target, (len(z), 1)))
    return total / len(X)


def step_of(rule, system, cost):
    from physlearn.learning.data import Assignment

    task = Assignment({"x": X}, TARGET, rule, None, cost, 2, list(system.theta))
    return rule.contrast(system, task), {"steps": 0} | rule.start(system, task, np.random.default_rng(3))


@pytest.mark.parametrize("coupled", [False, True], ids=["independent", "coupled"])
@pytest.mark.parametrize("kind", [Binary, Spin])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_the_rule_is_the_gradient_of_the_mean_cost(coupled, kind, temperature, rng):
    system, cost = machine(rng, coupled, kind), Prize(rng.standard_normal(16))
    step, memory = step_of(RewardLearning(temperature), system, cost)
    found, gradient = step(system, memory, np.arange(2))
    np.testing.assert_allclose(np.mean(found), mean_cost(system, cost, temperature), rtol=1e-12)
    h = 1e-5
    for name, value in system.theta.items():
        for i in range(value.size):
            unit = np.zeros(value.size)
            unit[i] = h
            up, down = (
                mean_cost(system.with_theta({name: value + sign * unit.reshape(value.shape)}), cost, temperature)
                for sign in (1, -1)
            )
            assert abs((up - down) / (2 * h) - gradient[name].flat[i]) < 1e-9


def test_for_independent_neurons_it_is_reward_times_coincidence(rng, tol):
    """(R - b) (z - p) x, summed over all words: the three-factor rule."""
    system, cost = machine(rng, False), Prize(rng.standard_normal(16))
    step, memory = step_of(RewardLearning(), system, cost)
    gradient = step(system, memory, np.arange(2))[1]
    z = ((np.arange(16)[:, None] >> np.arange(4)) & 1).astype(float)
    wanted = np.zeros((3, 4))
    for x in X:
        p = 1 / (1 + np.exp(-(x @ system.theta["W"] + system.theta["bias"])))
        share = np.prod(np.where(z == 1, p, 1 - p), 1)
        wanted += np.einsum("s,s,i,sj->ij", share, cost.value(z, None), x, z - p) / 2
    np.testing.assert_allclose(gradient["W"], wanted, rtol=1e-10, atol=tol.IDENTITY)


@pytest.mark.parametrize("draws", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_draws_give_it_on_average(draws, rng, tol):
    system, cost = machine(rng, True), Prize(rng.standard_normal(16))
    exact = step_of(RewardLearning(), system, cost)
    wanted = exact[0](system, exact[1], np.arange(2))[1]
    step, memory = step_of(RewardLearning(exact=False, draws=draws, warmup=5), system, cost)
    found: dict = {name: [] for name in wanted}
    for k in range(60):
        for name, value in step(system, memory | {"steps": k}, np.arange(2))[1].items():
            found[name].append(value)
    for name, values in found.items():
        error = np.std(values, 0) / np.sqrt(60)
        assert np.all(np.abs(np.mean(values, 0) - wanted[name]) < tol.STATISTICAL * error)


def test_learning_by_draws_raises_the_reward(rng):
    system = machine(rng, False)
    task = dict(rule=RewardLearning(exact=False, draws=20, warmup=1), cost=SquaredError("z"), optimizer=SGD(3.0))
    done = learn(system, {"x": X, "z": TARGET}, epochs=60, rng=0, **task)
    assert mean_cost(done.system, SquaredError("z"), 1.0) < 0.35 * mean_cost(system, SquaredError("z"), 1.0)
    again = learn(system, {"x": X, "z": TARGET}, epochs=60, rng=0, **task)
    np.testing.assert_array_equal(done.theta["W"], again.theta["W"])


def test_bad_arguments_are_named(rng):
    for bad, message in (
        (dict(temperature=0.0), "temperature: got 0.0"),
        (dict(draws=1), "draws: got 1"),
        (dict(warmup=0), "warmup: got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            RewardLearning(**bad)
    rotor = System({"z": (Binary(), 1)}, [], {})
    with pytest.raises(TypeError, match="RewardLearning draws from exp"):
        learn(rotor, {"z": [[1.0]]}, rule=RewardLearning(), cost=SquaredError("z"), optimizer=SGD(0.1), epochs=1)
