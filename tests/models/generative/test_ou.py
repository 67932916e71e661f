import numpy as np
import pytest
from scipy.integrate import quad

from physlearn import integrate
from physlearn.models import GaussianMixture, OUProcess


@pytest.mark.parametrize(("kappa", "noise"), [(1.0, 2**0.5), (0.3, 2.0), (5.0, 0.1)])
def test_moments_are_those_of_the_equations(kappa, noise, tol):
    """dm/dt = -kappa m, dv/dt = -2 kappa v + noise^2, by differences; the semigroup; the stationary law."""
    process, h = OUProcess(kappa, noise), 1e-5
    for t in (0.01, 0.5, 3.0):
        m, v = process.mean(1.7, t), process.variance(t, 0.4)
        slope = (process.mean(1.7, t + h) - process.mean(1.7, t - h)) / (2 * h)
        assert abs(slope + kappa * m) < tol.GRADIENT * kappa
        slope = (process.variance(t + h, 0.4) - process.variance(t - h, 0.4)) / (2 * h)
        assert abs(slope + 2 * kappa * v - noise**2) < tol.GRADIENT * max(kappa, noise**2)
        assert abs(process.variance(0.3, process.variance(t)) / process.variance(t + 0.3) - 1) < tol.IDENTITY
        assert abs(process.covariance(1.0, 1.0 + t) / (process.stationary * np.exp(-kappa * t)) - 1) < tol.IDENTITY
    assert abs(process.variance(80.0 / kappa) / process.stationary - 1) < tol.IDENTITY
    assert process.variance(1e-12) == pytest.approx(noise**2 * 1e-12, rel=1e-10)


def test_the_transition_is_a_draw_from_its_density(tol, rng):
    process, x0, t = OUProcess(0.8, 1.1), np.full((20_000, 1), 1.5), 0.6
    x = process.transition(x0, t, rng)
    m, v = process.mean(1.5, t), process.variance(t)
    assert abs(x.mean() - m) < tol.STATISTICAL * np.sqrt(v / 20_000)
    assert abs(x.var() - v) < tol.STATISTICAL * v * np.sqrt(2 / 20_000)
    assert abs(np.mean(process.score(x, x0, t) ** 2) * v - 1) < tol.STATISTICAL * np.sqrt(2 / 20_000)
    at, h = np.linspace(-1, 2, 5), 1e-5
    density = lambda y: -((y - m) ** 2) / (2 * v)  # noqa: E731
    assert np.allclose(process.score(at, np.full(5, 1.5), t), (density(at + h) - density(at - h)) / (2 * h), rtol=1e-8)


@pytest.mark.parametrize(("kappa", "noise", "h"), [(1.0, 2**0.5, 0.01), (2.0, 0.7, 0.1)])
def test_the_scheme_has_its_own_mean_and_variance(kappa, noise, h, tol):
    """Euler and Maruyama: mean x0 (1 - kappa h)^n, variance noise^2 h (1 - (1 - kappa h)^2n)/(1 - (1 - kappa h)^2)."""
    process, n, paths = OUProcess(kappa, noise), 50, 20_000
    run = integrate(
        process.system(1),
        (0.0, n * h),
        x0=np.full((paths, 1), 2.0),
        dt=h,
        method="euler_maruyama",
        temperature=process.temperature,
        times=[n * h],
        rng=3,
    )
    a, x = 1 - kappa * h, run.final[:, 0]
    mean, variance = 2 * a**n, noise**2 * h * (1 - a ** (2 * n)) / (1 - a**2)
    assert abs(x.mean() - mean) < tol.STATISTICAL * np.sqrt(variance / paths)
    assert abs(x.var() - variance) < tol.STATISTICAL * variance * np.sqrt(2 / paths)
    if h == 0.01:
        assert abs(2 * 0.99**100 - 0.7321) < 1e-4 and abs(0.02 * (1 - 0.99**200) / (1 - 0.99**2) - 0.8704) < 1e-4


def test_the_current_of_neurons_is_the_same_process():
    """`OrnsteinUhlenbeck` is given tau = 1/kappa and the stationary deviation, not the noise."""
    from circuits.neurons import LIF, OrnsteinUhlenbeck, Population, Record, SpikingNetwork

    process = OUProcess(1 / 5e-3, 3.0)
    sigma = np.sqrt(process.stationary)
    assert abs(sigma - 3.0 * np.sqrt(5e-3 / 2)) < 1e-15
    cell = LIF(tau=1e-4, v_rest=0.0, v_threshold=1e9, v_reset=0.0)  # follows its current
    network = SpikingNetwork({"E": Population(cell, 400)}, inputs=[OrnsteinUhlenbeck("E", 0.0, sigma, tau=5e-3)])
    run = integrate(network, (0.0, 0.05), dt=1e-5, record={"E": Record(["v"], every=5e-3)}, rng=1)
    v = run.traces["E"]["v"][:, -5:]
    assert abs(v.std() / sigma - 1) < 0.1


def test_a_law_under_noise():
    process = OUProcess(1.3, 0.9)
    law = GaussianMixture([[-1.0], [2.0]], [0.1, 0.3], [0.7, 0.3])
    noised = process.noised(law, 0.4)

    def density(y):  # the integral over the start
        kernel = lambda x: np.exp(-((y - process.mean(x, 0.4)) ** 2) / (2 * process.variance(0.4)))  # noqa: E731
        start = lambda x: np.exp(law.log_density([[x]])[0])  # noqa: E731
        return quad(lambda x: kernel(x) * start(x), -4, 5, epsabs=1e-12)[0] / np.sqrt(2 * np.pi * process.variance(0.4))

    for y in (-1.2, 0.3, 1.0):
        assert abs(np.exp(noised.log_density([[y]])[0]) - density(y)) < 1e-9
        assert np.array_equal(process.score_of(law)(np.array([[y]]), 0.4), noised.score([[y]]))


def test_what_is_refused():
    for arguments in ((0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, np.inf)):
        with pytest.raises(ValueError, match="kappa|noise"):
            OUProcess(*arguments)
    with pytest.raises(ValueError, match="t: got -1"):
        OUProcess().variance(-1.0)
    with pytest.raises(ValueError, match="t: got 0"):
        OUProcess().score([0.0], [0.0], 0.0)
    with pytest.raises(TypeError, match="law: got"):
        OUProcess().noised(3, 1.0)
