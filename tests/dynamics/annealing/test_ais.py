"""Annealed importance sampling against exact partition functions."""

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Real, Spin, enumerate_states
from physlearn.dynamics.annealing.ais import annealed_importance, bayes_factor, estimate
from physlearn.models import GaussianMixture
from physlearn.terms import Bias, Dense, Pairs, Parabola, PottsPairs


def ring(n):
    return [(k, (k + 1) % n) for k in range(n)]


def machine(kind, rng):
    if kind == "potts":
        return Energy({"s": (Potts(3), 6)}, [PottsPairs("s", ring(6), 3)], {"J": rng.standard_normal(6)})
    if kind == "layers":
        theta = {"W": rng.standard_normal((4, 5)), "b": rng.standard_normal(4)}
        return Energy({"v": (Binary(), 4), "h": (Spin(), 5)}, [Dense(("v", "h")), Bias("v", "b")], theta)
    pairs = np.argwhere(np.triu(np.ones((9, 9)), 1))
    theta = {"J": rng.standard_normal(36) / 3, "bias": 0.2 * rng.standard_normal(9)}
    return Energy({"s": (Spin() if kind == "spin" else Binary(), 9)}, [Pairs("s", pairs), Bias("s")], theta)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
@pytest.mark.parametrize("kind", ["spin", "binary", "potts", "layers"])
def test_finds_log_z(kind, temperature, rng, tol):
    energy = machine(kind, rng)
    exact = enumerate_states(energy, temperature=temperature).log_z
    found = annealed_importance(energy, temperature=temperature, steps=300, chains=150, rng=1)
    assert abs(found.value - exact) < tol.STATISTICAL * found.error
    assert found.error < 0.2
    assert 1 <= found.effective <= 150


def test_sums_over_what_is_not_clamped(rng, tol):
    energy = machine("layers", rng)
    clamp = {"h": np.array([1.0, -1, 1, 1, -1])}
    exact = enumerate_states(energy, temperature=1.0, clamp=clamp).log_z
    found = annealed_importance(energy, temperature=1.0, steps=100, clamp=clamp, rng=1)
    assert abs(found.value - exact) < tol.STATISTICAL * found.error


def test_error_bars_are_calibrated_and_shrink_with_steps(rng):
    """Over 40 seeds: z of unit width; the error falls as one over the root of the steps."""
    energy = machine("spin", rng)
    exact = enumerate_states(energy, temperature=1.0).log_z
    errors = {}
    for steps in (50, 800):
        runs = [annealed_importance(energy, temperature=1.0, steps=steps, chains=60, rng=k) for k in range(40)]
        z = np.array([(run.value - exact) / run.error for run in runs])
        assert 0.65 < np.std(z) < 1.4  # 3 standard errors of a standard deviation from 40
        assert abs(z.mean()) < 4 / np.sqrt(40)
        errors[steps] = np.mean([run.error for run in runs])
    assert 2.5 < errors[50] / errors[800] < 6.5


def test_same_seed_same_bits(rng):
    energy = machine("spin", rng)
    first, again, other = (annealed_importance(energy, temperature=1.0, steps=20, rng=k) for k in (3, 3, 4))
    assert first == again
    assert first != other


def test_weights_of_any_size_are_averaged():
    found = estimate(np.array([1000.0, 1000.0 + np.log(3.0)]), 2.0)
    assert found.value == pytest.approx(1002.0 + np.log(2.0))
    assert found.error == pytest.approx(0.5)  # weights 1 and 3: mean 2, standard error 1
    assert found.effective == pytest.approx(1.6)


def test_bad_input_is_named(rng):
    energy = machine("spin", rng)
    with pytest.raises(ValueError, match="chains: got 1, expected an integer of at least 2"):
        annealed_importance(energy, temperature=1.0, steps=10, chains=1)
    with pytest.raises(ValueError, match="temperature: got 0"):
        annealed_importance(energy, temperature=0)
    loose = Energy({"x": (Real(), 2), "s": (Spin(), 2)}, [Dense(("x", "s"))], {"W": np.eye(2)})
    with pytest.raises(ValueError, match="free Real variables"):
        annealed_importance(loose, temperature=1.0)
    walled = Energy({"x": (Real(0.0), 2)}, [Parabola("x")], {"stiffness": np.ones(2)})
    with pytest.raises(ValueError, match="energy: some variables have bounds"):
        annealed_importance(walled, temperature=1.0)
    free = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": np.ones(2)})
    with pytest.raises(TypeError, match="start: got 3, expected a Variational, or a law with sample"):
        annealed_importance(free, temperature=1.0, start=3)
    with pytest.raises(ValueError, match=r"start: its covariance has the shape \(1, 1\), expected that of 2 free"):
        annealed_importance(free, temperature=1.0, start=GaussianMixture([[0.0]], 1.0))
    with pytest.raises(ValueError, match=r"energy: layers \['s'\] are discrete"):
        annealed_importance(energy, temperature=1.0, start=GaussianMixture([[0.0]], 1.0))
    with pytest.raises(TypeError, match="one: got 3, expected what annealed_importance returns"):
        bayes_factor(3, 4)
