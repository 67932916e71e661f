"""The Gaussian mixture's energy: audited, normalised, blurred, drawn from, refused."""

import numpy as np
import pytest

from physlearn import Energy, Real, check_energy, sample
from physlearn.terms import Mixture


def parameters(rng, form, components=3, d=2):
    root = rng.normal(size=(components, d, d))
    precisions = {
        "one": rng.uniform(0.5, 2.0, components),
        "diagonal": rng.uniform(0.5, 2.0, (components, d)),
        "full": root @ root.transpose(0, 2, 1) + np.eye(d),
    }
    means = rng.normal(scale=1.5, size=(components, d))
    return {"logits": rng.normal(size=components), "means": means, "precisions": precisions[form]}


def mixture(theta, shape=2):
    return Energy({"x": (Real(), shape)}, [Mixture("x")], theta)


def lattice(size, points):
    grid = np.linspace(-size, size, points)
    return np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2), (grid[1] - grid[0]) ** 2


@pytest.mark.parametrize("form", ["one", "diagonal", "full"])
def test_audit(form, rng):
    check_energy(mixture(parameters(rng, form)))
    check_energy(mixture(parameters(rng, form, d=6), (2, 3)))


@pytest.mark.parametrize("form", ["one", "diagonal", "full"])
def test_density_is_normalised_and_of_the_right_moments(form, rng, tol):
    theta = parameters(rng, form)
    x, area = lattice(15, 601)
    p = np.exp(-mixture(theta)(x)) * area
    assert abs(p.sum() - 1) < 1e-9
    w = np.exp(theta["logits"]) / np.sum(np.exp(theta["logits"]))
    assert np.allclose(p @ x, w @ theta["means"], atol=1e-9)
    draws = Mixture("x").draw(theta, 20_000, rng)
    for power in (1, 2):
        gap = np.mean(draws**power, 0) - p @ x**power
        assert np.max(np.abs(gap) / (np.std(draws**power, 0) / np.sqrt(20_000))) < tol.STATISTICAL


def test_all_forms_agree(rng, tol):
    theta, x = parameters(rng, "one", d=3), {"x": rng.normal(size=(5, 3))}
    p = theta["precisions"]
    diagonal = {**theta, "precisions": np.repeat(p[:, None], 3, 1)}
    full = {**theta, "precisions": p[:, None, None] * np.eye(3)}
    term = Mixture("x")
    for other in (diagonal, full):
        assert np.allclose(term.energy(x, theta), term.energy(x, other), rtol=tol.IDENTITY)
        assert np.allclose(term.field(x, theta, "x"), term.field(x, other, "x"), rtol=1e-11)
        assert np.allclose(term.responsibilities(x, theta), term.responsibilities(x, other), rtol=1e-11)
    assert np.allclose(term.responsibilities(x, theta).sum(1), 1, rtol=tol.IDENTITY)


@pytest.mark.parametrize("form", ["one", "diagonal", "full"])
def test_blurred_is_the_convolution(form, rng):
    theta, sigma, term = parameters(rng, form), 0.7, Mixture("x")
    x, area = lattice(15, 301)
    p = np.exp(-mixture(theta)(x)) * area
    at = rng.normal(scale=2.0, size=(4, 2))
    kernel = np.exp(-np.sum((at[:, None] - x) ** 2, -1) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    blurred = term.energy({"x": at}, term.blurred(theta, sigma))
    assert np.allclose(np.exp(-blurred), kernel @ p, rtol=1e-9)


def test_far_away_and_nowhere(rng):
    theta = parameters(rng, "one")
    x = np.array([[1e6, -1e6], [np.nan, 0.0], [0.0, 0.0]])
    energy, field = Mixture("x").energy({"x": x}, theta), Mixture("x").field({"x": x}, theta, "x")
    assert np.isfinite(energy[[0, 2]]).all() and np.isfinite(field[[0, 2]]).all()
    assert np.isnan(energy[1]) and np.isnan(field[1, 0])


def test_a_sampler_finds_the_weights(tol):
    """Wells close enough to cross between: moments and weights in closed form."""
    weights, means = np.array([0.5, 0.3, 0.2]), np.array([[0.0, 0.0], [2.5, 0.0], [0.0, 2.5]])
    theta = {"logits": np.log(weights), "means": means, "precisions": np.ones(3)}
    drawn = sample(mixture(theta), temperature=1.0, n_samples=300, chains=64, warmup=300, thin=2, rng=1)
    assert drawn.method.startswith("HMC")
    for values, exact in ((drawn.x, weights @ means), (drawn.x**2, 1 + weights @ means**2)):
        per_chain = values.mean(1)
        assert np.max(np.abs(per_chain.mean(0) - exact) / (per_chain.std(0) / 8)) < tol.STATISTICAL
    r = Mixture("x").responsibilities({"x": drawn.x.reshape(-1, 2)}, theta).reshape(64, -1, 3).mean(1)
    assert np.max(np.abs(r.mean(0) - weights) / (r.std(0) / 8)) < tol.STATISTICAL


@pytest.mark.parametrize(
    "change, match",
    [
        ({"precisions": np.array([1.0, -0.5, 1.0])}, "the smallest is -0.5, expected positive numbers"),
        ({"precisions": -np.ones((3, 2, 2))}, "not positive definite"),
        ({"precisions": np.ones(4)}, r"shape \(4,\), expected \(3,\), \(3, 2\) or \(3, 2, 2\)"),
        ({"means": np.ones((2, 2))}, r"shape \(2, 2\), expected \(3, d\)"),
        ({"means": np.ones((3, 5)), "precisions": np.ones(3)}, "5 columns, but layer 'x' has 2 variables"),
    ],
)
def test_bad_parameters(change, match, rng):
    with pytest.raises(ValueError, match=match):
        mixture(parameters(rng, "one") | change)(np.zeros(2))
