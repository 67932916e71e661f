import numpy as np
import pytest

from physlearn import reverse
from physlearn.models import GaussianMixture, OUProcess, Tilt, measured, tilted_start, tilted_transport

TWO = GaussianMixture([[-1.0], [1.2]], [0.1, 0.2], [0.7, 0.3])


def line(half, n):
    x = np.linspace(-half, half, n)
    return x, x[1] - x[0]


@pytest.mark.parametrize(("kappa", "noise", "share"), [(1.0, 2**0.5, 0.7), (0.6, 1.5, 0.95), (1.0, 2**0.5, 0.1)])
def test_the_start_leads_to_the_posterior_exactly(kappa, noise, share):
    """The reverse process is the Bayes kernel p(x_0 | x_t) of the prior: by quadrature, on a mixture."""
    process, tilt = OUProcess(kappa, noise), Tilt([[2.0]], [1.5])
    t = share * tilt.limit(process)
    x0, h0 = line(5, 2001)
    xt, ht = line(9, 2501)
    prior, before = (np.exp(law.log_density(x[:, None])) for law, x in ((TWO, x0), (process.noised(TWO, t), xt)))
    kernel = np.exp(-((xt[:, None] - process.mean(x0, t)) ** 2) / (2 * process.variance(t)))
    kernel /= np.sqrt(2 * np.pi * process.variance(t))
    late = tilt.at(process, t)
    start = before * np.exp(-0.5 * late.precision[0, 0] * xt**2 + late.shift[0] * xt)
    start /= start.sum() * ht
    end = prior * (kernel.T @ (start / before)) * ht
    posterior = prior * np.exp(-(x0**2) + 1.5 * x0)
    posterior /= posterior.sum() * h0
    assert np.max(np.abs(end - posterior)) < 1e-12 * np.max(posterior)
    # the mixture's own closed forms of both
    assert np.max(np.abs(np.exp(tilt.of(TWO).log_density(x0[:, None])) - posterior)) < 1e-12 * np.max(posterior)
    exact = np.exp(late.of(process.noised(TWO, t)).log_density(xt[:, None]))
    assert np.max(np.abs(exact - start)) < 1e-12 * np.max(start)


def test_the_equations_of_the_tilt(tol):
    """dQ/dt = 2 (1 + Q) Q and db/dt = (1 + 2Q) b for matrices, at kappa = 1; unmeasured directions: b e^t."""
    process, h = OUProcess(), 1e-6
    q = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.0]])
    tilt = Tilt(q, [1.0, -0.5, 0.3])
    here, ahead, behind = (tilt.at(process, 0.08 + s) for s in (0.0, h, -h))
    assert np.allclose(
        (ahead.precision - behind.precision) / (2 * h), 2 * (np.eye(3) + here.precision) @ here.precision
    )
    assert np.allclose((ahead.shift - behind.shift) / (2 * h), (np.eye(3) + 2 * here.precision) @ here.shift)
    assert abs(here.shift[2] - 0.3 * np.exp(0.08)) < tol.IDENTITY
    assert np.allclose(tilt.at(process, 0.0).precision, q, atol=tol.IDENTITY)
    assert abs(measured([[1.0]], [0.0], 0.1).limit(process) - 0.5 * np.log(1.01)) < tol.IDENTITY
    assert Tilt(np.zeros((1, 1)), [1.0]).limit(process) == np.inf


def test_only_the_reverse_sde_leads_there(tol):
    """A Gaussian prior of variance 0.3 by the moment equations of the paths: right for alpha = 1 alone."""
    process, law, tilt = OUProcess(), GaussianMixture([[0.0]], 0.3), Tilt([[2.0]], [0.7])
    start, means = tilt.at(process, 0.15).of(process.noised(law, 0.15)), {}
    for alpha in (0.0, 1.0, 2.0):
        back, n = reverse(process, process.score_of(law), alpha), 3000
        m, v = start.mean[0], start.covariance[0, 0]
        for k in range(n):  # linear drift
            t = 0.15 * (1 - (k + 0.5) / n)
            rate = back.drift(np.ones((1, 1)), t)[0, 0]
            m, v = m * (1 + 0.15 / n * rate), v + 0.15 / n * (2 * rate * v + 2 * alpha)
        means[alpha] = m, v
    assert np.allclose(means[1.0], (0.13125, 0.1875), atol=1e-4)
    assert np.allclose(means[0.0], (0.193, 0.056), atol=2e-3) and np.allclose(means[2.0], (0.089, 0.248), atol=2e-3)
    assert np.allclose((tilt.of(law).mean[0], tilt.of(law).covariance[0, 0]), (0.13125, 0.1875), atol=tol.IDENTITY)
    with pytest.raises(ValueError, match="alpha: got 0, expected 1"):
        tilted_transport(process, law, tilt, 0.1, 10, dt=0.01, rng=0, alpha=0)


def test_draws_of_a_correlated_posterior(rng, tol):
    prior = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], [[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.4]]])
    process, tilt = OUProcess(), measured([[1.0, 1.0]], [0.3], 0.8)
    exact, n = tilt.of(prior), 6000
    x = tilted_transport(process, prior, tilt, 0.12, n, dt=0.005, rng=4)
    for k in range(2):
        assert abs(x[:, k].mean() - exact.mean[k]) < tol.STATISTICAL * np.sqrt(exact.covariance[k, k] / n) + 5e-3
    assert np.max(np.abs(np.cov(x.T) - exact.covariance)) < 0.04


def test_data_as_a_prior_are_weighed():
    """Covariance 0: the posterior keeps the data, with weights of the likelihood."""
    data = np.array([[0.0], [1.0], [2.0]])
    after = measured([[1.0]], [1.6], 0.5).of(GaussianMixture(data))
    likelihood = np.exp(-((data[:, 0] - 1.6) ** 2) / 0.5)
    assert np.allclose(after.weights, likelihood / likelihood.sum()) and np.array_equal(after.means, data)


def test_the_start_drawn_by_its_own_sampler_is_certified(tol):
    """Two wells, one of them preferred by the measurement: weights of the wells, mean and evidence are exact."""
    prior = GaussianMixture([[-1.5, 0.0], [1.5, 0.5]], [0.15, 0.25], [0.6, 0.4])
    process, tilt, t, n = OUProcess(), measured([[1.0, 0.3]], [0.2], 0.9), 0.2, 1500
    start = tilted_start(process, prior, tilt, t, n, steps=40, rng=1)
    late, noised = tilt.at(process, t), process.noised(prior, t)
    exact = late.of(noised)
    assert start.certified and start.effective > 0.6 * n and start.balance < 5
    for k in range(2):
        deviation = np.sqrt(exact.covariance[k, k] / start.effective)
        assert abs(start.x[:, k].mean() - exact.mean[k]) < tol.STATISTICAL * deviation
    assert np.max(np.abs(np.cov(start.x.T) - exact.covariance)) < 0.1
    x, y = np.meshgrid(np.linspace(-6, 6, 601), np.linspace(-6, 6, 601))
    grid = np.stack([x.ravel(), y.ravel()], 1)
    weight = np.exp(-0.5 * np.sum((grid @ late.precision) * grid, 1) + grid @ late.shift)
    mean = np.sum(np.exp(noised.log_density(grid)) * weight) * (12 / 600) ** 2
    assert abs(start.log_z - np.log(mean)) < tol.STATISTICAL * start.error
    draws = tilted_transport(process, prior, tilt, t, n, dt=0.01, rng=2, start=start)
    after = tilt.of(prior)
    for k in range(2):
        assert abs(draws[:, k].mean() - after.mean[k]) < tol.STATISTICAL * np.sqrt(after.covariance[k, k] / n) + 0.01
    annealed = tilted_transport(process, prior, tilt, t, 50, dt=0.02, rng=2, start="annealed")
    assert annealed.shape == (50, 2)
    again, other = (tilted_start(process, prior, tilt, t, 50, steps=5, rng=seed).x for seed in (1, 2))
    assert np.array_equal(again, tilted_start(process, prior, tilt, t, 50, steps=5, rng=1).x)
    assert not np.array_equal(again, other)


def test_a_start_that_is_worth_little_is_not_certified():
    """A sharp measurement far from the prior, in one step: few chains carry all weight."""
    prior, process, tilt = GaussianMixture([[0.0]], 1.0), OUProcess(), measured([[1.0]], [6.0], 0.2)
    with pytest.warns(RuntimeWarning, match=r"tilted_start: 300 draws are worth \d+\.\d, .* take more steps or chains"):
        start = tilted_start(process, prior, tilt, 0.01, 300, steps=1, rng=0)
    assert not start.certified and start.effective < 30
    with pytest.raises(ValueError, match="start: has 300 draws, expected n = 10"):
        tilted_transport(process, prior, tilt, 0.01, 10, dt=0.01, rng=0, start=start)
    with pytest.raises(ValueError, match="start: got 'best'"):
        tilted_transport(process, prior, tilt, 0.01, 10, dt=0.01, rng=0, start="best")
    with pytest.raises(ValueError, match="law: has 2 dimensions, expected 1"):
        tilted_start(process, GaussianMixture([[0.0, 0.0]], 1.0), tilt, 0.01, 10)
    with pytest.raises(ValueError, match="t: got 0.1, expected a time below"):
        tilted_start(process, prior, tilt, 0.1, 10)


def test_what_is_refused():
    process, tilt = OUProcess(), measured([[1.0]], [0.0], 0.1)
    with pytest.raises(ValueError, match=r"t: got 0.1, expected a time below 0.004975"):
        tilt.at(process, 0.1)
    with pytest.raises(ValueError, match="noise: got 0"):
        measured([[1.0]], [0.0], 0.0)
    with pytest.raises(ValueError, match="negative eigenvalue"):
        Tilt([[-1.0]], [0.0])
    with pytest.raises(ValueError, match="law: has 2 dimensions"):
        tilt.of(GaussianMixture([[0.0, 0.0]], 1.0))
