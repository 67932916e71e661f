"""Scaling laws beside what is measured, and two published laws from one."""

import numpy as np
import pytest

from physlearn.models import RandomFeatures, best_size, kernel_error, power_law
from physlearn.tasks import ScalingParams, run_scaling


@pytest.mark.parametrize(("a", "b", "power"), [(2.0, 2.0, 1.0), (2.0, 4.0, 3.0), (1.5, 6.0, 3.0)])
def test_kernel_errors_fall_as_the_theory_says(a, b, power):
    """P^-min(2a, b - 1), for large P."""
    k = np.arange(1, 40_001.0)
    samples = np.array([64, 128, 256, 512])
    errors = [kernel_error(int(p), k**-a, k**-b) for p in samples]
    found, _ = power_law(samples, errors)
    assert abs(found + power) < 0.06


def test_kernel_errors_measured_are_the_theory(rng):
    """Regressions on random data, 20 each: within their scatter of the self-consistent equation."""
    for samples in (16, 64):
        params = ScalingParams(model="kernel", samples=samples, alpha=1.0, beta=0.5, variables=200)
        found = [run_scaling(params, rng) for _ in range(20)]
        losses, theory = np.array([f["loss"] for f in found]), found[0]["theory"]
        assert abs(losses.mean() - theory) < 4 * losses.std() / np.sqrt(20) + 0.03 * theory


def test_random_features_fall_by_their_exponents():
    """In time where the size does not matter, in size where time does not."""
    time, size, _ = RandomFeatures.exponents(0.8, 0.3)
    big = RandomFeatures(500, 1500, alpha=0.8, beta=0.3, rng=0)
    t = np.logspace(1, 3, 9)
    found, error = power_law(t, big.loss(t) - big.floor)
    assert abs(found + time) < 0.08 and error < 0.05
    sizes = np.array([20, 40, 80])
    floors = [np.mean([RandomFeatures(d, 1500, alpha=0.8, beta=0.3, rng=r).floor for r in range(2)]) for d in sizes]
    assert abs(power_law(sizes, floors)[0] + size) < 0.2  # the tail beyond `variables` is cut


def test_gradient_flow_is_gradient_descent_of_small_steps():
    """The closed sum over modes against plain descent of the same loss."""
    model, rate = RandomFeatures(5, 40, alpha=1.0, beta=0.4, rng=3), 1e-3
    j = np.arange(1, 41.0)
    w, theta = model._w, np.zeros(5)
    for _ in range(20_000):
        theta -= rate * w.T @ (j**-2.0 * (w @ theta - j**-0.4))
    left = w @ theta - j**-0.4
    np.testing.assert_allclose(model.loss(20.0), 0.5 * np.sum(j**-2.0 * left**2), rtol=1e-3)


def test_kaplan_and_chinchilla_are_one_law():
    """Chinchilla's optimum is C^0.45 or so with all parameters counted; without embeddings, over the sizes that Kaplan
    et al. trained (768 to 1.5e9), the same law looks like C^0.73 or so."""
    compute = np.logspace(12, 26, 200)
    every, _ = best_size(compute)
    assert abs(power_law(compute, every)[0] - 0.28 / 0.62) < 1e-3
    without, _ = best_size(compute, embeddings=False)
    seen = (without > 768) & (without < 1.5e9)
    small = power_law(compute[seen], without[seen])[0]
    assert 0.7 < small < 0.8
    huge = power_law(compute[-20:], without[-20:])[0]
    assert huge < 0.6  # the difference fades as embeddings do


def test_bigger_networks_learn_more():
    """Two layers on more units or more data lose less; the task's numbers are counts."""
    found = {
        (n, p): run_scaling(ScalingParams(model="mlp", size=n, samples=p, time=600), np.random.default_rng(0))
        for n, p in ((4, 2000), (32, 2000), (32, 60))
    }
    assert found[32, 2000]["loss"] < 0.5 * found[4, 2000]["loss"]
    assert found[32, 2000]["loss"] < 0.5 * found[32, 60]["loss"]
    assert found[32, 60]["parameters"] == 4 * 32 + 32 + 32 * 32 + 32 + 32 + 1


def test_bad_input_is_refused_by_name():
    with pytest.raises(ValueError, match="samples: got 5, expected fewer than the 5 eigenvalues"):
        kernel_error(5, np.ones(5), np.ones(5))
    with pytest.raises(ValueError, match="expected alpha above 1/2"):
        RandomFeatures.exponents(0.4, 0.3)
    with pytest.raises(ValueError, match="expected as many, at least three"):
        power_law([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="variables: got 3"):
        RandomFeatures(5, 3)
