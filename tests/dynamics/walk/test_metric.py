import numpy as np
import pytest
from scipy.integrate import dblquad

from physlearn import Energy, Real, sample
from physlearn.dynamics.walk.hmc import leapfrog
from physlearn.dynamics.walk.metric import Stretch, stretch_of, windows
from physlearn.terms import Parabola

D = 10
SCALES = np.logspace(-1, 1, D)
COVARIANCE = 0.9 ** np.abs(np.subtract.outer(np.arange(D), np.arange(D))) * np.outer(SCALES, SCALES)
EFFECT, ERROR = np.array([28, 8, -3, 7, -1, 1, 18, 12.0]), np.array([15, 10, 16, 11, 9, 11, 10, 18.0])


class Quadratic:
    layers = ("x", "x")

    def energy(self, x, theta):
        return 0.5 * np.sum((x["x"] @ theta["P"]) * x["x"], 1)

    def field(self, x, theta, layer):
        return -x["x"] @ theta["P"]

    def gradient(self, x, theta, weight):
        return {"P": 0.5 * np.einsum("b,bi,bj->ij", weight, x["x"], x["x"])}


class Schools:
    """Eight schools, not centred: x = (mu, log tau, z_1..z_8), mu ~ N(0, 5), tau ~ half Cauchy(5) (Rubin 1981)."""

    layers = ("x",)

    def energy(self, x, theta):
        q, tau = x["x"], np.exp(x["x"][:, 1])
        r = (EFFECT - q[:, :1] - tau[:, None] * q[:, 2:]) / ERROR
        prior = q[:, 0] ** 2 / 50 + 0.5 * np.sum(q[:, 2:] ** 2, 1) - q[:, 1] + np.log1p(tau**2 / 25)
        return prior + 0.5 * np.sum(r**2, 1)

    def field(self, x, theta, layer):
        q, tau = x["x"], np.exp(x["x"][:, 1])
        g = (EFFECT - q[:, :1] - tau[:, None] * q[:, 2:]) / ERROR**2
        slope = 1 - 2 * tau**2 / (25 + tau**2) + tau * np.sum(g * q[:, 2:], 1)
        return np.column_stack([g.sum(1) - q[:, 0] / 25, slope, g * tau[:, None] - q[:, 2:]])

    def gradient(self, x, theta, weight):
        return {}


def gaussian():
    return Energy({"x": (Real(), D)}, [Quadratic()], {"P": np.linalg.inv(COVARIANCE)})


@pytest.mark.parametrize(
    ("metric", "chains", "temperature"), [("diagonal", 64, 1.0), ("dense", 64, 0.5), ("dense", 4, 1.0)]
)
def test_a_badly_scaled_gaussian(metric, chains, temperature):
    """Variances over four decades, correlations 0.9: every one within four standard errors of many draws."""
    n, warmup = (120, 160) if chains == 64 else (2000, 500)
    drawn = sample(gaussian(), temperature=temperature, n_samples=n, chains=chains, warmup=warmup, method="hmc",
                   metric=metric, x0=np.random.default_rng(0).standard_normal((chains, D)), rng=1)  # fmt: skip
    assert f"{metric} metric" in drawn.method and 0.6 < np.mean(drawn.acceptance) < 0.99
    x = drawn.x.reshape(-1, D)
    assert np.max(np.abs(x.var(0) / (temperature * np.diag(COVARIANCE)) - 1)) < 0.12
    assert np.max(np.abs(np.corrcoef(x.T) - COVARIANCE / np.outer(SCALES, SCALES))) < 0.05


def test_eight_schools_against_quadrature():
    """The effects are integrated out: y_j ~ N(mu, s_j^2 + tau^2), two numbers are left."""

    def density(mu, log_tau):
        tau2 = np.exp(2 * log_tau)
        v = ERROR**2 + tau2
        return np.exp(-np.sum((EFFECT - mu) ** 2 / v + np.log(v)) / 2 - mu**2 / 50 + log_tau - np.log1p(tau2 / 25) + 25)

    def mean(f):
        return dblquad(lambda mu, s: f(mu, s) * density(mu, s), -6, 5, -20, 25, epsabs=1e-9, epsrel=1e-5)[0]

    norm = mean(lambda mu, s: 1.0)
    exact = mean(lambda mu, s: mu) / norm, mean(lambda mu, s: np.exp(s)) / norm
    energy = Energy({"x": (Real(), D)}, [Schools()], {})
    x0 = 0.5 * np.random.default_rng(0).standard_normal((128, D))
    drawn = sample(energy, temperature=1.0, n_samples=100, chains=128, warmup=160, x0=x0, method="hmc",
                   metric="diagonal", rng=2)  # fmt: skip
    for found, wanted in zip((drawn.x[..., 0], np.exp(drawn.x[..., 1])), exact, strict=True):
        error = found.mean(1).std() / np.sqrt(128)  # over chains
        assert abs(found.mean() - wanted) < 4 * error and error < 0.15


def test_bounds_and_a_metric():
    walled = Energy({"x": (Real(0.0, np.inf), 3)}, [Parabola("x")], {"stiffness": [1e4, 1.0, 1e-4]})
    drawn = sample(
        walled, temperature=1.0, n_samples=150, chains=64, warmup=160, method="hmc", metric="diagonal", rng=3
    )
    x = drawn.x.reshape(-1, 3) * [1e2, 1.0, 1e-2]
    assert np.all(x >= 0) and np.allclose(x.mean(0), np.sqrt(2 / np.pi), atol=0.04)  # half normal
    with pytest.raises(ValueError, match="metric: 'dense' mixes variables, some of which have walls"):
        sample(walled, temperature=1.0, n_samples=1, method="hmc", metric="dense")
    with pytest.raises(ValueError, match="metric: got 'round'"):
        sample(walled, temperature=1.0, n_samples=1, method="hmc", metric="round")


@pytest.mark.parametrize("a", [np.array([0.5, 2.0]), np.array([[1.0, 0.0], [0.7, 0.4]])])
def test_stretched_leapfrog_is_leapfrog_in_stretched_variables(a, rng):
    full = np.diag(a) if a.ndim == 1 else a
    k = np.array([[2.0, 0.3], [0.3, 1.0]])
    z, p, step = rng.standard_normal((5, 2)), rng.standard_normal((5, 2)), np.full(5, 0.1)
    end, momentum, _ = leapfrog(lambda z: -z @ k, z, p, step, 7, stretch=Stretch(a))
    y, q, _ = leapfrog(lambda y: -y @ (full.T @ k @ full), z @ np.linalg.inv(full).T, p, step, 7)
    assert np.allclose(end, y @ full.T) and np.allclose(momentum, q)


def test_a_metric_is_the_covariance_of_draws(rng):
    c = np.array([[4.0, 1.0], [1.0, 0.5]])
    draws = rng.multivariate_normal([1.0, 2.0], 0.25 * c, (400, 8))
    heat = np.full(8, 0.25)
    assert np.allclose(stretch_of(draws, "diagonal", heat).a ** 2, np.diag(c), rtol=0.1)
    dense = stretch_of(draws, "dense", heat).a
    assert np.allclose(dense @ dense.T, c, rtol=0.1) and dense[0, 1] == 0
    assert stretch_of(draws[:2], "diagonal", heat) is None and stretch_of(0 * draws, "dense", heat) is None
    assert sum(windows(37)) == 37 and sum(windows(1)) == 1


class Trap:
    """A flat well with a cliff of NaN: chains near the cliff lose their moves."""

    layers = ("x",)

    def energy(self, x, theta):
        v = x["x"][:, 0]
        return np.where(v > 4.0, np.nan, 0.5 * np.where(v > 2.5, 1e-3 * (v - 3.9) ** 2, 16 * v**2))

    def field(self, x, theta, layer):
        v = x["x"]
        return np.where(v > 2.5, 1e-3 * (3.9 - v), -16 * v)

    def gradient(self, x, theta, weight):
        return {}


def test_a_chain_that_fails_alone_is_named():
    """One of eight chains starts beside a cliff of NaN, which it never accepts."""
    energy = Energy({"x": (Real(), 1)}, [Trap()], {})
    x0 = np.zeros((8, 1))
    x0[5] = 3.9
    with pytest.warns(RuntimeWarning, match="chain 5 fails alone: .* moves diverged"):
        drawn = sample(energy, temperature=1.0, n_samples=300, chains=8, x0=x0, method="hmc", step=0.05, rng=4)
    assert np.all(np.isfinite(drawn.x)) and np.all(np.isfinite(drawn.energy))
