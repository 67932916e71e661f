"""Conditional energies of details: audits, the finest one exactly, draws against the transfer operator."""

import numpy as np
import pytest

from physlearn import check_energy, sample
from physlearn.models import ScalarField, ScaleByScale
from physlearn.models.learned.haar import join, split


@pytest.fixture(scope="module")
def ring():
    """A ring of phi^4 with a correlation length of a site and a half, and draws of it."""
    field = ScalarField(16, kappa=0.4, lam=0.5)
    drawn = sample(field, temperature=1.0, n_samples=80, chains=100, thin=2, method="hmc", target=0.9, rng=0)
    return field, drawn.x.reshape(-1, 16)


def test_haar_is_orthonormal(rng, tol):
    for shape in ((5, 8), (5, 8, 8)):
        phi = rng.standard_normal(shape)
        coarse, details = split(phi)
        assert np.max(np.abs(join(coarse, details) - phi)) < tol.IDENTITY * 10
        kept = np.sum(coarse.reshape(5, -1) ** 2, 1) + np.sum(details.reshape(5, -1) ** 2, 1)
        assert np.allclose(kept, np.sum(phi.reshape(5, -1) ** 2, 1), rtol=1e-13)


def test_the_finest_energy_is_the_fields_own(ring):
    """Score matching of the details finds lam, 1 - 2 lam and -2 kappa."""
    field, draws = ring
    model = ScaleByScale.learnt(draws, levels=2)
    for energy in model.energies:
        check_energy(energy)
    theta = model.energies[0].theta
    assert np.allclose(theta["powers"], [0.0, 0.5], atol=0.06) and np.allclose(theta["reaches"], [-0.8], atol=0.05)


def test_draws_from_coarse_to_fine_have_the_rings_law(ring, tol):
    field, draws = ring
    x, exact = ScaleByScale.learnt(draws, levels=2, reaches=(1, 2)).sample(4000, sweeps=40, rng=1), field.ring()
    for value, wanted in ((x**2, exact.square), (x * np.roll(x, 1, 1), exact.neighbours)):
        means = value.mean(1)
        assert abs(means.mean() - wanted) < tol.STATISTICAL * means.std() / np.sqrt(4000) + 0.01


def test_a_gaussian_field_in_two_dimensions(rng):
    """Independent sites: every factor is a parabola of the sites' stiffness, and so are the draws."""
    draws = 0.5 * rng.standard_normal((3000, 8, 8))
    model = ScaleByScale.learnt(draws, levels=2, powers=(2,))
    for energy in model.energies:
        assert abs(energy.theta["powers"][0] - 2.0) < 0.1 and np.all(np.abs(energy.theta["reaches"]) < 0.1)
        check_energy(energy)
    assert abs(model.sample(400, sweeps=20, method="hmc", rng=0).var() - 0.25) < 0.02


def test_wrong_fields_are_refused_by_name():
    for call, words in (
        (lambda: ScaleByScale.learnt(np.zeros((4, 6)), levels=2), "divisible by 4"),
        (lambda: ScaleByScale.learnt(np.zeros((4, 8, 4)), levels=1), "fields"),
        (lambda: ScaleByScale.learnt(np.ones((4, 8)), levels=1), "apart"),
        (lambda: ScaleByScale.learnt(np.ones((4, 8)), levels=1, powers=(3,)), "powers"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
