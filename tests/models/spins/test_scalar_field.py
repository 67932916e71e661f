"""The scalar field against its transfer operator, the free field and the Ising ring."""

import numpy as np
import pytest

from physlearn import check_energy, sample
from physlearn.models import ScalarField


def test_audit_in_one_and_two_dimensions():
    for shape in (5, (3, 4)):
        check_energy(ScalarField(shape, kappa=0.2, lam=0.7))


def test_published_ring():
    ring = ScalarField(16, kappa=0.3, lam=0.5).ring(120)
    assert abs(ring.square - 0.529632949184) < 1e-10 and abs(ring.correlation_length - 0.8161727518) < 1e-9


def test_free_field_by_its_modes(tol):
    """lam = 0: <phi^2> is the mean over waves of 1/(2 - 4 kappa cos p), log Z half the sum of the logs."""
    exact, p = ScalarField(10, kappa=0.3, lam=0.0).ring(400), 2 * np.pi * np.arange(10) / 10
    stiff = 2 - 4 * 0.3 * np.cos(p)
    assert abs(exact.square - np.mean(1 / stiff)) < 1e-10
    assert abs(exact.neighbours - np.mean(np.cos(p) / stiff)) < 1e-10
    assert abs(exact.log_z - 0.5 * np.sum(np.log(2 * np.pi / stiff))) < 1e-9


def test_ising_limit():
    """lam -> infinity: neighbours agree as on an Ising ring with K = 2 kappa."""
    n, k = 12, 0.5
    t = np.tanh(k)
    ising = (t + t ** (n - 1)) / (1 + t**n)
    assert abs(ScalarField(n, kappa=0.25, lam=400.0).ring(1000).neighbours - ising) < 5e-3


def test_hmc_draws_the_ring(tol):
    field = ScalarField(16, kappa=0.3, lam=0.5)
    drawn = sample(field, temperature=1.0, n_samples=100, chains=64, method="hmc", target=0.9, rng=0)
    means = np.mean(drawn.x**2, (1, 2))
    assert abs(means.mean() - field.ring().square) < tol.STATISTICAL * means.std(ddof=1) / 8


def test_wrong_fields_are_refused_by_name():
    for call, words in (
        (lambda: ScalarField(2, kappa=0.1, lam=1.0), "shape"),
        (lambda: ScalarField(8, kappa=0.5, lam=0.0), "kappa"),
        (lambda: ScalarField(8, kappa=0.1, lam=-1.0), "lam"),
        (lambda: ScalarField((4, 4), kappa=0.1, lam=1.0).ring(), "one axis"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
