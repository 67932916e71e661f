"""Boltzmann machines against enumeration; learning distributions, and couplings from data."""

import numpy as np
import pytest

from physlearn import SGD, BoltzmannLearning, enumerate_states, learn
from physlearn.models import BoltzmannMachine

LOOSE = [(0, 3), (4, 1), (4, 3)]


def machine(connectivity, kind, rng, **settings):
    new = BoltzmannMachine(3, 2, connectivity, kind=kind, temperature=1.5, scale=1.0, rng=rng, **settings)
    return new.with_theta({"b": rng.standard_normal(5)})


def patterns(n, kind):
    bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return (2.0 * bits - 1.0) if kind == "spin" else bits.astype(float)


@pytest.mark.parametrize("kind", ["binary", "spin"])
@pytest.mark.parametrize("connectivity", ["full", "restricted", LOOSE])
def test_sums_agree_with_enumeration(connectivity, kind, rng, tol):
    boltzmann = machine(connectivity, kind, rng)
    exact, v = enumerate_states(boltzmann.energy, temperature=1.5), patterns(3, kind)
    held = [enumerate_states(boltzmann.energy, temperature=1.5, clamp={"v": row}).log_z for row in v]
    np.testing.assert_allclose(boltzmann.free_energy(v), -1.5 * np.array(held), rtol=tol.IDENTITY)
    assert boltzmann.log_z().value == pytest.approx(exact.log_z, rel=tol.IDENTITY)
    assert np.exp(boltzmann.log_likelihood(v).value).sum() == pytest.approx(1.0, rel=tol.IDENTITY)
    found = boltzmann.log_z("ais", steps=100, chains=200, rng=1)
    assert abs(found.value - exact.log_z) < tol.STATISTICAL * found.error


def test_generation_with_clamped_units(rng, tol):
    boltzmann = machine("full", "spin", rng)
    drawn = boltzmann.generate(3000, known=[1.0, np.nan, np.nan], sweeps=50, rng=0)
    states = patterns(3, "spin")
    states = states[states[:, 0] == 1]
    p = np.exp(boltzmann.log_likelihood(states).value)
    wanted = p @ states / p.sum()
    assert np.all(drawn[:, 0] == 1)
    z = (drawn.mean(0) - wanted)[1:] / np.sqrt((1 - wanted**2)[1:] / len(drawn))
    assert np.all(np.abs(z) < tol.STATISTICAL)


def test_learns_a_distribution_that_needs_hidden_units():
    """Parity of three bits: without hidden units KL stays above zero, with them it falls to near zero."""
    v = patterns(3, "binary")
    data = v[v.sum(1) % 2 == 0]
    divergence = {}
    for hidden in (0, 2):
        boltzmann = BoltzmannMachine(3, hidden, scale=0.5, rng=1)
        done = learn(boltzmann.energy, {"v": data}, rule=BoltzmannLearning(), optimizer=SGD(2.0, 0.9), epochs=1500,
                     batch=None)  # fmt: skip
        learnt = boltzmann.with_theta(done.theta)
        divergence[hidden] = -np.log(4) - learnt.log_likelihood(data).value.mean()
        assert done.cost[-1] == pytest.approx(np.log(4) + divergence[hidden], abs=1e-2)
    assert divergence[0] == pytest.approx(np.log(2), abs=1e-6)  # pairs see nothing of parity
    assert 0 < divergence[2] < 0.01


def test_a_visible_distribution_is_matched_exactly(rng):
    """Without hidden units, the moments of the data are reproduced: the fixed point of the rule."""
    data = (rng.random((200, 4)) < [0.3, 0.5, 0.7, 0.4]).astype(float)
    data[:, 1] = np.where(rng.random(200) < 0.7, data[:, 0], data[:, 1])
    boltzmann = BoltzmannMachine(4)
    done = learn(boltzmann.energy, {"v": data}, rule=BoltzmannLearning(), optimizer=SGD(0.5, 0.9), epochs=800,
                 batch=None)  # fmt: skip
    exact = enumerate_states(done.system, temperature=1.0)
    np.testing.assert_allclose(exact.means["s"], data.mean(0), atol=1e-6)
    i, j = boltzmann.pairs.T
    np.testing.assert_allclose(exact.correlations("s", "s")[i, j], (data.T @ data / 200)[i, j], atol=1e-6)


def test_couplings_are_inferred_from_data(tol):
    """Inverse Ising: maximum likelihood from exact draws lies within standard errors (Fisher) of the truth."""
    rng = np.random.default_rng(7)
    truth = BoltzmannMachine(6, kind="spin", temperature=2.0, scale=0.8, rng=rng)
    truth = truth.with_theta({"b": 0.3 * rng.standard_normal(6)})
    exact, n = enumerate_states(truth.energy, temperature=2.0), 4000
    data = exact.states(rng.choice(len(exact.probability), n, p=exact.probability))
    blank = BoltzmannMachine(6, kind="spin", temperature=2.0, scale=0.0)
    done = learn(blank.energy, {"v": data}, rule=BoltzmannLearning(temperature=2.0), optimizer=SGD(2.0, 0.9),
                 epochs=400, batch=None)  # fmt: skip
    i, j = truth.pairs.T
    states = exact.states()
    features = np.concatenate([states[:, i] * states[:, j], states], 1)
    centred = features - exact.probability @ features
    fisher = (centred * exact.probability[:, None]).T @ centred / 2.0**2
    error = np.sqrt(np.diag(np.linalg.inv(fisher)) / n)
    found, wanted = (np.concatenate([theta["J"], theta["b"]]) for theta in (done.theta, truth.theta))
    z = (found - wanted) / error
    assert np.max(np.abs(z)) < tol.STATISTICAL
    assert 0.4 < np.sqrt(np.mean(z**2)) < 1.6


def test_bad_input_is_named(rng):
    with pytest.raises(ValueError, match="n_visible: got 0"):
        BoltzmannMachine(0, 1)
    with pytest.raises(ValueError, match="kind: got 'potts'"):
        BoltzmannMachine(2, kind="potts")
    with pytest.raises(ValueError, match="connectivity: got 'ring'"):
        BoltzmannMachine(2, connectivity="ring")
    with pytest.raises(ValueError, match="listed twice"):
        BoltzmannMachine(2, connectivity=[(0, 1), (1, 0)])
    with pytest.raises(ValueError, match="joins variable 1 to itself"):
        BoltzmannMachine(2, connectivity=[(1, 1)])
    with pytest.raises(ValueError, match="expected 0..1"):
        BoltzmannMachine(2, connectivity=[(0, 2)])
    with pytest.raises(ValueError, match=r"theta\['J'\]: shape \(2,\)"):
        BoltzmannMachine(2, theta={"J": [1.0, 2.0]})
    with pytest.raises(ValueError, match="n_visible: got 2.5"):
        BoltzmannMachine(2.5)
    with pytest.raises(ValueError, match="v: got shape"):
        BoltzmannMachine(2).free_energy([[0.5, 1.0]])
    with pytest.raises(ValueError, match=r"25 units coupled among themselves have 2\^25 states"):
        BoltzmannMachine(1, 25).free_energy([[1.0]])
