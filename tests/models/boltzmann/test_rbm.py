"""Restricted Boltzmann machines against enumeration, closed forms and published bounds."""

import numpy as np
import pytest

from physlearn import (
    SGD,
    BoltzmannLearning,
    PersistentContrastiveDivergence,
    check_energy,
    enumerate_states,
    learn,
    sample,
)
from physlearn.models import RBM

KINDS = [("binary", "binary"), ("binary", "spin"), ("spin", "binary"), ("spin", "spin"), ("potts", "binary"),
         ("potts", "spin")]  # fmt: skip


def machine(visible, hidden, rng, n=4, m=3, temperature=1.3, scale=1.0):
    rbm = RBM(n, m, visible, hidden=hidden, q=3 if visible == "potts" else None, temperature=temperature,
              scale=scale, rng=rng)  # fmt: skip
    return rbm.with_theta({"a": rng.standard_normal(rbm.theta["a"].shape), "c": rng.standard_normal(m)})


def bars_and_stripes(k):
    """The 2^(k+1) - 2 distinct patterns of k x k pixels."""
    bits = (np.arange(2**k)[:, None] >> np.arange(k)) & 1
    bars = [np.repeat(b[None], k, 0) for b in bits]
    return np.unique([p.ravel() for p in bars + [b.T for b in bars]], axis=0).astype(float)


@pytest.mark.parametrize(("visible", "hidden"), [*KINDS, ("gaussian", "binary"), ("gaussian", "spin")])
def test_terms_pass_the_audit(visible, hidden, rng):
    check_energy(machine(visible, hidden, rng).energy)


@pytest.mark.parametrize(("visible", "hidden"), KINDS)
def test_sums_agree_with_enumeration(visible, hidden, rng, tol):
    rbm = machine(visible, hidden, rng)
    exact = enumerate_states(rbm.energy, temperature=1.3)
    assert rbm.log_z().value == pytest.approx(exact.log_z, rel=tol.IDENTITY)
    assert rbm.log_z().error == 0
    v = rbm.energy.random_state(5, rng)["v"]
    held = [enumerate_states(rbm.energy, temperature=1.3, clamp={"v": row}) for row in v]
    np.testing.assert_allclose(rbm.free_energy(v), [-1.3 * one.log_z for one in held], rtol=tol.IDENTITY)
    np.testing.assert_allclose(rbm.transform(v), [one.means["h"] for one in held], atol=tol.IDENTITY)
    np.testing.assert_allclose(rbm.log_likelihood(v).value, [one.log_z - exact.log_z for one in held], rtol=1e-11)


def test_either_side_may_be_the_smaller_one(rng, tol):
    wide, tall = machine("binary", "binary", rng, 3, 6), machine("binary", "binary", rng, 6, 3)
    for rbm in (wide, tall):
        exact = enumerate_states(rbm.energy, temperature=1.3).log_z
        assert rbm.log_z().value == pytest.approx(exact, rel=tol.IDENTITY)


def test_reconstruction_is_the_mean_given_the_mean(rng, tol):
    rbm = machine("binary", "binary", rng)
    v = np.array([[0.0, 1.0, 1.0, 0.0]])
    h = 1 / (1 + np.exp(-(rbm.theta["c"] + v @ rbm.theta["W"]) / 1.3))
    back = 1 / (1 + np.exp(-(rbm.theta["a"] + h @ rbm.theta["W"].T) / 1.3))
    np.testing.assert_allclose(rbm.reconstruct(v), back, rtol=tol.IDENTITY)
    np.testing.assert_allclose(machine("potts", "binary", rng).reconstruct(np.zeros(4)).sum(-1), 1.0)


def test_gaussian_units_are_a_mixture_in_closed_form(rng, tol):
    """v is a mixture over h of Gaussians with mean (a + W h)/k and variance T/k."""
    rbm = machine("gaussian", "binary", rng, 2, 3, temperature=0.7)
    rbm = rbm.with_theta({"k": np.array([1.5, 0.8])})
    w, a, c, k = (rbm.theta[name] for name in "Wack")
    h = np.array([[(b >> j) & 1 for j in range(3)] for b in range(8)], dtype=float)
    push = a + h @ w.T
    log_weight = (h @ c + np.sum(push**2 / (2 * k), 1)) / 0.7
    log_z = np.logaddexp.reduce(log_weight) + np.sum(0.5 * np.log(2 * np.pi * 0.7 / k))
    assert rbm.log_z().value == pytest.approx(log_z, rel=tol.IDENTITY)
    p = np.exp(log_weight - np.logaddexp.reduce(log_weight))
    mean = p @ (push / k)
    second = p @ ((push / k) ** 2) + 0.7 / k
    drawn = sample(rbm.energy, temperature=0.7, n_samples=200, chains=200, thin=2, warmup=20, rng=0).x["v"]
    for power, wanted in ((1, mean), (2, second)):
        by_chain = (drawn**power).mean(1)
        z = (by_chain.mean(0) - wanted) / (by_chain.std(0, ddof=1) / np.sqrt(len(by_chain)))
        assert np.all(np.abs(z) < tol.STATISTICAL)
    box = np.linspace(-12, 12, 301)
    grid = np.stack(np.meshgrid(box, box), -1).reshape(-1, 2)
    norm = np.exp(rbm.log_likelihood(grid).value).sum() * (box[1] - box[0]) ** 2
    assert norm == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("visible", "hidden"), [*KINDS, ("gaussian", "binary")])
def test_annealed_importance_sampling_finds_log_z(visible, hidden, rng, tol):
    rbm = machine(visible, hidden, rng, 6, 5)
    exact, found = rbm.log_z("exact"), rbm.log_z("ais", steps=200, chains=200, rng=1)
    assert abs(found.value - exact.value) < tol.STATISTICAL * found.error
    assert 0 < found.error < 0.1


def test_log_z_of_a_strongly_coupled_machine(rng, tol):
    rbm = RBM(30, 15, scale=1.0, rng=3)
    exact, found = rbm.log_z(), rbm.log_z("ais", steps=2000, chains=100, rng=1)
    assert abs(found.value - exact.value) < tol.STATISTICAL * found.error
    assert rbm.log_likelihood(np.zeros(30), "ais", steps=100, rng=0).error > 0


def test_block_gibbs_against_enumeration(rng, tol):
    """12 + 8 units: means, correlations across the sides, energy."""
    rbm = machine("binary", "binary", rng, 12, 8, temperature=1.0, scale=0.6)
    exact = enumerate_states(rbm.energy, temperature=1.0)
    drawn = sample(rbm.energy, temperature=1.0, n_samples=100, chains=128, thin=3, warmup=100, rng=2, method="gibbs")
    v, h = drawn.x["v"], drawn.x["h"]
    cross = np.einsum("cdi,cdj->cij", v, h) / v.shape[1]
    pairs = ((v.mean(1), exact.means["v"]), (h.mean(1), exact.means["h"]), (cross, exact.correlations("v", "h")))
    for by_chain, wanted in (*pairs, (drawn.energy.mean(1), exact.energy)):
        z = (by_chain.mean(0) - wanted) / (by_chain.std(0, ddof=1) / np.sqrt(len(by_chain)))
        assert np.max(np.abs(z)) < tol.STATISTICAL


def test_generation_with_clamped_units(rng, tol):
    rbm = machine("binary", "binary", rng)
    known = np.array([1.0, np.nan, 0.0, np.nan])
    drawn = rbm.generate(4000, known=known, sweeps=40, rng=0)
    assert np.all(drawn[:, 0] == 1)
    assert np.all(drawn[:, 2] == 0)
    states = np.array([[1.0, a, 0.0, b] for a in (0, 1) for b in (0, 1)])
    p = np.exp(rbm.log_likelihood(states).value)
    wanted = p @ states / p.sum()
    free = np.isnan(known)
    z = (drawn.mean(0) - wanted)[free] / np.sqrt((wanted * (1 - wanted))[free] / len(drawn))
    assert np.all(np.abs(z) < tol.STATISTICAL)
    own = rbm.generate(3, known=np.array([[1, np.nan, 0, 0], [0, np.nan, 0, 1], [1, np.nan, 1, 1]]), sweeps=2, rng=0)
    np.testing.assert_array_equal(own[:, [0, 2, 3]], [[1, 0, 0], [0, 0, 1], [1, 1, 1]])


def test_potts_machine_learns_which_codes_go_together():
    data = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    rbm = RBM(3, 4, "potts", q=3, scale=0.1, rng=0)
    done = learn(rbm.energy, {"v": data}, rule=BoltzmannLearning(), optimizer=SGD(1.0, 0.9), epochs=150, batch=None)
    rbm = rbm.with_theta(done.theta)
    assert rbm.log_likelihood(data).value.mean() == pytest.approx(-np.log(3), abs=0.05)
    assert done.cost[-1] == pytest.approx(-rbm.log_likelihood(data).value.mean(), abs=0.01)


@pytest.mark.parametrize(("k", "count", "uniform"), [(2, 6, -1.791759), (3, 14, -2.639057), (4, 30, -3.401197)])
def test_bars_and_stripes_are_as_published(k, count, uniform):
    patterns = bars_and_stripes(k)
    assert len(patterns) == count
    assert -np.log(count) == pytest.approx(uniform, abs=1e-6)


def trained(epochs, k, chains, seed=0):
    patterns = bars_and_stripes(4)
    rbm = RBM(16, 12, scale=0.1, rng=seed)
    done = learn(
        rbm.energy,
        {"v": patterns},
        rule=PersistentContrastiveDivergence(k, chains, precision="single"),
        optimizer=SGD(lambda epoch: 0.1 * (1 - epoch / epochs) + 1e-4),
        epochs=epochs,
        batch=None,
        rng=seed,
    )
    return rbm.with_theta(done.theta).log_likelihood(patterns).value.sum()


def test_bars_and_stripes_are_learnt():
    """Summed over the 30 patterns, no model exceeds 30 log(1/30) = -102.04; the start has -333."""
    assert -112 < trained(15_000, 5, 300) < -102.04


@pytest.mark.slow
def test_bars_and_stripes_come_close_to_the_bound():
    assert -105 < trained(60_000, 10, 500) < -102.04


def test_bad_input_is_named(rng):
    rbm = RBM(30, 25, rng=0)
    with pytest.raises(ValueError, match=r"method: the smaller side has 2\^25 states"):
        rbm.log_z("exact")
    with pytest.raises(ValueError, match="n_visible: got 0"):
        RBM(0, 3)
    with pytest.raises(ValueError, match="q: got None for 'potts'"):
        RBM(2, 2, "potts")
    with pytest.raises(ValueError, match="visible, hidden: got 'real'"):
        RBM(2, 2, "real")
    with pytest.raises(ValueError, match=r"theta\['W'\]: shape \(3, 2\)"):
        RBM(2, 3, theta={"W": np.zeros((3, 2))})
    with pytest.raises(ValueError, match="temperature: got 0"):
        RBM(2, 3, temperature=0)
    with pytest.raises(ValueError, match=r"v: shape \(1, 3\), expected \(n, 30\)"):
        rbm.free_energy(np.zeros(3))
    with pytest.raises(ValueError, match="n_hidden: got 2.5"):
        RBM(2, 2.5)
    for visible, wrong in (("binary", 3.0), ("spin", -2.0), ("potts", 0.5), ("potts", 7), ("gaussian", np.inf)):
        machine = RBM(2, 2, visible, q=3 if visible == "potts" else None)
        with pytest.raises(ValueError, match="v: some values are not of the kind"):
            machine.free_energy([[wrong, 1]])
    for visible in ("binary", "spin"):
        machine = RBM(2, 2, visible)
        assert np.isfinite(machine.free_energy([[0.5, 1]])) and np.all(machine.transform([[0.5, 1]]) >= 0)  # means
        with pytest.raises(ValueError, match="have no probability"):
            machine.log_likelihood([[0.5, 1]])
    with pytest.raises(ValueError, match=r"v: shape \(0, 2\)"):
        RBM(2, 2).free_energy(np.zeros((0, 2)))
    with pytest.raises(ValueError, match="n: got 0"):
        rbm.generate(0)
    with pytest.raises(ValueError, match="sweeps: got 0"):
        rbm.generate(1, sweeps=0)
    for q in (0, 1, 2.5):
        with pytest.raises(ValueError, match=f"q: got {q}"):
            RBM(2, 2, "potts", q=q)
    with pytest.raises(ValueError, match="not of the kind"):
        rbm.transform(np.full(30, np.nan))
    with pytest.raises(ValueError, match="rows differ in what is NaN"):
        RBM(2, 1).generate(2, known=[[np.nan, 1], [1, np.nan]])
    with pytest.raises(ValueError, match="not of the kind"):
        RBM(2, 1).generate(2, known=[0.5, np.nan])
    with pytest.raises(ValueError, match=r"theta\['k'\]: some values are not positive"):
        RBM(2, 1, "gaussian", theta={"k": [0.0, 1.0]})
    with pytest.raises(ValueError, match="curvature on layer 'v' is not positive"):
        RBM(2, 1, "gaussian").with_theta({"k": [0.0, 1.0]}).log_z()
    with pytest.raises(ValueError, match="steps: got 0"):
        rbm.log_z("ais", steps=0)
