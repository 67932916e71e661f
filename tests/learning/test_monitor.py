"""The monitor of sampled trainings: its values, when it is measured, that it goes to disk."""

import itertools

import numpy as np
import pytest

from physlearn import (
    SGD,
    BoltzmannLearning,
    ContrastiveDivergence,
    DenoisingScoreMatching,
    Energy,
    PersistentContrastiveDivergence,
    Real,
    Spin,
    enumerate_states,
    learn,
    load,
    save,
)
from physlearn.models import RBM, BoltzmannMachine
from physlearn.terms import Bias, Pairs, Parabola


def log_pseudo_likelihood(log_p, data, values):
    """By definition, from a function that gives log P(v) up to a constant."""
    total = []
    for row in data:
        for k in range(len(row)):
            alternatives = np.repeat(row[None], len(values), 0)
            alternatives[:, k] = values
            total.append(log_p(row[None])[0] - np.logaddexp.reduce(log_p(alternatives)))
    return np.sum(total) / len(data)


@pytest.mark.parametrize("rule", [ContrastiveDivergence(temperature=0.7), PersistentContrastiveDivergence(chains=5)])
@pytest.mark.parametrize("visible", ["binary", "spin"])
def test_restricted_machines_sum_over_the_hidden_units(rule, visible, rng, tol):
    data = (rng.random((9, 4)) < 0.4).astype(float) * (2 if visible == "spin" else 1) - (visible == "spin")
    machine = RBM(4, 3, visible=visible, temperature=rule.temperature, scale=0.8, rng=0)
    done = learn(machine.energy, {"v": data}, rule=rule, optimizer=SGD(0.2), epochs=3, batch=3, rng=0)
    after = machine.with_theta(done.theta)
    expected = log_pseudo_likelihood(
        lambda v: -after.free_energy(v) / after.temperature, data, [-1.0, 1.0] if visible == "spin" else [0.0, 1.0]
    )
    assert done.monitor_name == "log pseudo-likelihood" and "log pseudo-likelihood=" in repr(done)
    assert done.monitor[-1] == pytest.approx(expected, rel=tol.IDENTITY)


def test_visible_spins_from_their_fields(rng, tol):
    data = np.sign(rng.normal(size=(12, 4)))
    pairs = list(itertools.combinations(range(4), 2))
    energy = Energy({"s": (Spin(), 4)}, [Pairs("s", pairs), Bias("s")], {"J": np.zeros(6), "bias": np.zeros(4)})
    rule = PersistentContrastiveDivergence(chains=10)
    done = learn(energy, {"s": data}, rule=rule, optimizer=SGD(0.1), epochs=5, rng=0)
    expected = log_pseudo_likelihood(lambda s: -done.system(s), data, [-1.0, 1.0])
    assert done.monitor[-1] == pytest.approx(expected, rel=tol.IDENTITY)


def test_hidden_units_that_couple_are_drawn(rng):
    data = (rng.random((30, 4)) < 0.5).astype(float)
    machine = BoltzmannMachine(4, 2, rng=0)
    rule = BoltzmannLearning(exact=False, chains=10, warmup=5, draws=2)
    done = learn(machine.energy, {"v": data}, rule=rule, optimizer=SGD(0.01), epochs=2, batch=10, rng=0)
    # far from any learning every unit is a fair coin, nearly
    assert np.all(np.abs(done.monitor[~np.isnan(done.monitor)] + 4 * np.log(2)) < 0.3) and np.isfinite(done.monitor[-1])


def test_exact_likelihood_and_score_matching_show_their_cost(rng):
    pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [0.0]})
    done = learn(
        pair, {"s": [[1.0, 1.0], [1.0, -1.0]]}, rule=BoltzmannLearning(), optimizer=SGD(0.1), epochs=2, batch=None
    )
    assert done.monitor_name == "negative log-likelihood" and np.array_equal(done.monitor, done.cost)
    assert done.cost[0] == pytest.approx(enumerate_states(pair, temperature=1.0).log_z)
    well = Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [1.0]})
    data = {"x": rng.normal(size=(20, 1))}
    done = learn(well, data, rule=DenoisingScoreMatching(0.1), optimizer=SGD(1e-4), epochs=3, rng=0)
    assert done.monitor_name == "score matching loss" and np.array_equal(done.monitor, done.cost)


def test_training_does_not_notice_and_resuming_goes_on(tmp_path, rng):
    data = (rng.random((20, 4)) < 0.4).astype(float)
    machine, rule = RBM(4, 3, rng=0), PersistentContrastiveDivergence(chains=5)
    settings = {"rule": rule, "optimizer": SGD(0.1), "batch": 5}
    whole = learn(machine.energy, {"v": data}, epochs=60, rng=1, **settings)
    each = learn(machine.energy, {"v": data}, epochs=60, rng=1, callback=lambda record: False, **settings)
    half = learn(machine.energy, {"v": data}, epochs=30, rng=1, **settings)
    half = load(save(tmp_path / "half", half), machine.energy)
    resumed = learn(machine.energy, {"v": data}, epochs=30, resume=half, **settings)
    for other in (each, resumed):
        assert all(np.array_equal(whole.theta[name], other.theta[name]) for name in whole.theta)
        known = np.isfinite(whole.monitor)
        assert np.array_equal(whole.monitor[known], other.monitor[known])
    assert np.flatnonzero(known).tolist() == [0, 9, 59]


def test_long_epochs_are_all_measured(rng):
    data = (rng.random((2500, 400)) < 0.1).astype(float)
    machine, rule = RBM(400, 400, rng=0), ContrastiveDivergence()
    done = learn(machine.energy, {"v": data}, rule=rule, optimizer=SGD(0.01), epochs=4, batch=100, rng=0)
    assert np.isfinite(done.monitor).all() and done.monitor[-1] > done.monitor[0]
