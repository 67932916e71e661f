"""Adversarial pairs: the judge against p/(p + q), the value against its divergence, and turns."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from physlearn import Adam, ExactGradient, check_energy, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Tanh
from physlearn.models import AdversarialPair, contest


def judge(width=16):
    return Chain(Affine(width, "D1", "d1"), Tanh(), Affine(width, "D2", "d2"), Tanh(), Affine(1, "D3", "d3"))


def shifted(by, rng=0):
    """A maker that is N(by, 1) in one dimension."""
    return AdversarialPair(Affine(1, "G", "g"), judge(), shape=1, noise=1, theta={"G": [[1.0]], "g": [by]}, rng=rng)


def test_both_energies_pass_the_audit():
    pair = shifted(1.0)
    check_energy(pair)
    check_energy(pair.judge_system)


def test_the_judge_learns_the_densities_ratio(rng):
    """Two unit Gaussians one apart: D to 0.02 where the data are, the value to -log 4 + 2 JSD."""
    pair, data = shifted(1.0), rng.standard_normal((200_000, 1))
    task = dict(rule=ExactGradient(), cost=pair.cost, optimizer=Adam(WarmupCosine(0.01, 2000)), rng=0, progress=False)
    pair = pair.with_theta(learn(pair.judge_system, pair.judging(data, 256), epochs=2000, **task).theta)
    x = np.linspace(-2, 3, 101)
    p, q = norm.pdf(x), norm.pdf(x, 1)
    assert np.max(np.abs(pair.probability(x[:, None]) - p / (p + q))) < 0.02

    def half(m):
        return quad(lambda y: norm.pdf(y, m) * np.log(2 * norm.pdf(y, m) / (norm.pdf(y) + norm.pdf(y, 1))), -12, 13)[0]

    exact = -np.log(4) + half(0) + half(1)
    assert abs(exact + 1.163451) < 1e-6
    assert abs(pair.value(data, pair.make(200_000, rng=1)) - exact) < 0.01


def test_turns_move_the_maker_to_the_data_and_resume(rng):
    data = rng.standard_normal((2000, 1)) + 1.5
    settings = dict(optimizer=Adam(0.01), batch=64)
    done = contest(shifted(0.0), data, turns=200, rng=1, **settings)
    assert abs(done.pair.make(4000, rng=2).mean() - 1.5) < 0.3 and done.judge_cost.shape == (200,)
    half = contest(shifted(0.0), data, turns=6, rng=1, **settings)
    rest = contest(shifted(0.0), data, turns=4, resume=half, rng=1, **settings)
    whole = contest(shifted(0.0), data, turns=10, rng=1, **settings)
    assert all(np.array_equal(whole.pair.theta[k], rest.pair.theta[k]) for k in whole.pair.theta)
    assert np.array_equal(whole.maker_cost, rest.maker_cost)


def test_a_turn_changes_one_side_at_a_time(rng):
    pair = shifted(0.5)
    made = pair.making(8)
    task = dict(rule=ExactGradient(), cost=pair.cost, optimizer=Adam(0.1), epochs=2, rng=0, progress=False)
    done = learn(pair, made, trainable=["G", "g"], **task).machine
    assert isinstance(done, AdversarialPair) and not np.array_equal(done.theta["G"], pair.theta["G"])
    assert np.array_equal(done.theta["D1"], pair.theta["D1"])


def test_a_conditional_pair_makes_what_is_asked_for(rng):
    label = rng.integers(0, 2, 2000)
    data, c = (4.0 * label - 2.0 + 0.3 * rng.standard_normal(2000))[:, None], np.eye(2)[label]
    both = Chain(Concatenate(), judge())
    pair = AdversarialPair(Chain(Concatenate(), Affine(1, "G", "g")), both, shape=1, noise=1, condition=2, rng=0)
    done = contest(pair, data, optimizer=Adam(0.02), turns=250, batch=64, condition=c, rng=0).pair
    ends = [done.make(500, condition=np.tile(np.eye(2)[k], (500, 1)), rng=1).mean() for k in (0, 1)]
    assert ends[0] < -1.0 < 1.0 < ends[1]


def test_wrong_pairs_are_refused_by_name():
    for call, words in (
        (lambda: AdversarialPair(Affine(2, "G", "g"), judge(), shape=1, noise=1), "maker"),
        (lambda: AdversarialPair(Affine(1, "G", "g"), Affine(2, "D", "d"), shape=1, noise=1), "judge"),
        (lambda: AdversarialPair(Affine(1, "D1", "g"), judge(), shape=1, noise=1), "names of their own"),
        (lambda: shifted(0.0).make(3, condition=np.eye(3)), "condition"),
        (lambda: shifted(0.0).judging(np.zeros((4, 2))), "data"),
        (lambda: shifted(0.0).probability(np.zeros(4)), "x"),
        (lambda: contest(shifted(0.0), np.zeros((4, 1)), optimizer=Adam(0.1), turns=0), "turns"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
