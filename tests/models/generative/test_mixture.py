import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from physlearn import Energy, Real
from physlearn.models import DenseMemory, GaussianMixture
from physlearn.terms import Mixture

COVARIANCES = {"number": 0.3, "each": [0.3, 0.7, 0.1], "full": None}


def law(kind, d=3):
    rng = np.random.default_rng(5)
    c = COVARIANCES[kind]
    if c is None:
        roots = rng.standard_normal((3, d, d))
        c = roots @ np.swapaxes(roots, 1, 2) / d + 0.1 * np.eye(d)
    return GaussianMixture(rng.standard_normal((3, d)), c, [1.0, 2.0, 3.0])


def reference(mixture, x):
    parts = zip(mixture.weights, mixture.means, mixture._matrices(mixture.spread), strict=True)
    return sum(w * multivariate_normal(m, c).pdf(x) for w, m, c in parts)


@pytest.mark.parametrize("kind", COVARIANCES)
def test_densities_scores_and_denoisers(kind, rng, tol):
    mixture, x, h = law(kind), rng.standard_normal((6, 3)), 1e-5
    assert np.allclose(np.exp(mixture.log_density(x)), reference(mixture, x), rtol=1e-10)
    noisy = mixture.noised(0.6, 0.2)
    means = 0.6 * mixture.means
    spread = 0.36 * mixture._matrices(mixture.spread) + 0.2 * np.eye(3)
    direct = GaussianMixture(means, spread, mixture.weights)
    assert np.allclose(noisy.log_density(x), direct.log_density(x), rtol=1e-10)
    for j in range(3):
        step = h * np.eye(3)[j]
        slope = (mixture.log_density(x + step) - mixture.log_density(x - step)) / (2 * h)
        assert np.allclose(mixture.score(x)[:, j], slope, rtol=1e-6, atol=1e-7)
        slope = (mixture.denoise(x + step, 0.5) - mixture.denoise(x - step, 0.5)) / (2 * h)
        assert np.allclose([mixture.jacobian(y, 0.5)[:, j] for y in x], slope, rtol=1e-6, atol=1e-7)
    r = mixture.responsibilities(x)
    assert np.allclose(r.sum(1), 1, rtol=tol.IDENTITY) and r.shape == (6, 3)


def test_tweedie_is_the_posterior_mean():
    mixture, sigma = GaussianMixture([[-1.0], [1.5]], [0.1, 0.3], [0.4, 0.6]), 0.7

    def moment(y, power):
        def joint(x):
            return x**power * np.exp(mixture.log_density([[x]])[0] - (y - x) ** 2 / (2 * sigma**2))

        return quad(joint, -6, 6, epsabs=1e-12)[0]

    for y in (-0.6, 0.2, 2.0):
        mean = moment(y, 1) / moment(y, 0)
        assert abs(mixture.denoise([[y]], sigma)[0, 0] - mean) < 1e-9


def test_a_gaussian_is_shrunk_along_its_eigenvectors(rng, tol):
    root = rng.standard_normal((4, 4))
    c, sigma = root @ root.T, 0.8
    gaussian, y = GaussianMixture(np.zeros((1, 4)), c[None]), rng.standard_normal((5, 4))
    jacobian = gaussian.jacobian(y[0], sigma)
    values, vectors = np.linalg.eigh(c)
    assert np.allclose(np.linalg.eigvalsh(jacobian), values / (values + sigma**2))
    assert np.allclose(vectors.T @ jacobian @ vectors, np.diag(values / (values + sigma**2)), atol=1e-10)
    assert np.allclose(gaussian.denoise(y, sigma), y @ jacobian.T)  # homogeneous of degree 1: D(y) = J(y) y
    assert abs(gaussian.error(sigma) - np.sum(values * sigma**2 / (values + sigma**2))) < 1e-10
    x = gaussian.sample(20_000, rng)
    noisy = x + sigma * rng.standard_normal(x.shape)
    error = np.sum((gaussian.denoise(noisy, sigma) - x) ** 2, 1)
    assert abs(error.mean() - gaussian.error(sigma)) < tol.STATISTICAL * error.std() / np.sqrt(20_000)
    assert np.allclose(gaussian.covariance, c) and np.allclose(np.cov(x.T), c, atol=0.1 * np.max(c))


def test_the_empirical_score_is_a_dense_memory(rng):
    """Data of one length: the denoiser at sigma is the softmax retrieval of inverse temperature 1/sigma^2."""
    data = rng.choice([-1.0, 1.0], (6, 20))
    mixture, y, sigma = GaussianMixture(data), rng.standard_normal((4, 20)), 1.3
    overlaps = y @ data.T / sigma**2
    softmax = np.exp(overlaps - overlaps.max(1, keepdims=True))
    softmax /= softmax.sum(1, keepdims=True)
    assert np.allclose(mixture.denoise(y, sigma), softmax @ data, atol=1e-12)
    assert np.allclose(mixture.denoise(data + 0.01, 0.05), data, atol=1e-12)  # noise is removed exactly
    assert DenseMemory is not None and np.array_equal(mixture.sample(5, 0)[:, 0] ** 2, np.ones(5))


def test_rows_have_the_same_bits_in_any_batch(rng):
    for kind, alone in (("each", True), ("full", False)):
        mixture, x = law(kind), rng.standard_normal((100, 3))
        assert mixture.rowwise is alone
        if alone:
            assert np.array_equal(mixture.score(x)[40:43], mixture.score(x[40:43]))


def test_what_is_refused():
    with pytest.raises(ValueError, match="sigma: got 0"):
        law("each").denoise(np.zeros((1, 3)), 0.0)
    with pytest.raises(ValueError, match="a direction of variance 0 has no density"):
        GaussianMixture([[0.0]]).score([[1.0]])
    with pytest.raises(ValueError, match="covariances: a variance of -1"):
        GaussianMixture([[0.0]], -1.0)
    with pytest.raises(ValueError, match="not symmetric"):
        GaussianMixture([[0.0, 0.0]], [[[1.0, 0.5], [0.0, 1.0]]])
    with pytest.raises(ValueError, match="weights: got 0"):
        GaussianMixture([[0.0], [1.0]], 1.0, [1.0, 0.0])
    with pytest.raises(ValueError, match=r"x: got the shape \(3,\), expected \(n, 3\)"):
        law("each").score(np.zeros(3))
    with pytest.raises(ValueError, match="error: known for one Gaussian"):
        law("each").error(1.0)


def test_is_the_law_of_the_energy_of_the_same_mixture(rng):
    means, weights = rng.normal(size=(3, 2)), rng.uniform(0.5, 1.0, 3)
    roots = rng.normal(size=(3, 2, 2))
    covariances = roots @ np.swapaxes(roots, 1, 2) + 0.2 * np.eye(2)
    theta = {"logits": np.log(weights), "means": means, "precisions": np.linalg.inv(covariances)}
    energy, law = Energy({"x": (Real(), 2)}, [Mixture("x")], theta), GaussianMixture(means, covariances, weights)
    x = rng.normal(0.0, 2.0, (20, 2))
    np.testing.assert_allclose(law.log_density(x), -energy(x), rtol=1e-10)
    np.testing.assert_allclose(law.score(x), energy.field({"x": x}, "x"), rtol=1e-8)
