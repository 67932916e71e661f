import numpy as np
import pytest
from scipy.integrate import solve_ivp

from physlearn import integrate, reverse
from physlearn.models import GaussianMixture, OUProcess


def gaussian(process, variance):
    return process.score_of(GaussianMixture([[0.0]], variance))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize(("kappa", "noise"), [(1.0, 2**0.5), (0.7, 0.5)])
def test_the_moment_equation_returns_the_variance_of_the_data(alpha, kappa, noise):
    """The drift is linear, so dv/ds = 2 drift'(s) v + alpha noise^2 is exact."""
    process, last = OUProcess(kappa, noise), 3.0
    back = reverse(process, gaussian(process, 0.3), alpha)

    def velocity(s, v):
        return 2 * back.drift(np.ones((1, 1)), last - s)[0, 0] * v + alpha * noise**2

    end = solve_ivp(velocity, (0, last), [process.variance(last, 0.3)], rtol=1e-11, atol=1e-13).y[0, -1]
    assert abs(end - 0.3) < 1e-8


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0])
def test_paths_return_the_data(alpha, tol):
    """Two clusters of different weights: mean, variance and share of one cluster."""
    process, law, paths = OUProcess(), GaussianMixture([[-1.0], [1.5]], [0.1, 0.2], [0.7, 0.3]), 5000
    back = reverse(process, process.score_of(law), alpha)
    noise = process.noised(law, 4.0).sample(paths, 5)
    run = integrate(back, (0.0, 4.0), x0=noise, dt=0.02, times=[4.0, 1.0, 0.0], rng=6)
    assert list(run.t) == [4.0, 1.0, 0.0] and np.array_equal(run.x[0], noise)
    for t, x in zip(run.t, run.x[:, :, 0], strict=True):
        exact = process.noised(law, t)
        assert abs(x.mean() - exact.mean[0]) < tol.STATISTICAL * x.std() / np.sqrt(paths) + 2e-3
        error = np.std((x - x.mean()) ** 2) / np.sqrt(paths)
        assert abs(x.var() - exact.covariance[0, 0]) < tol.STATISTICAL * error + 5e-3
    share = np.mean(run.final[:, 0] > 0.2)
    assert abs(share - 0.3) < tol.STATISTICAL * np.sqrt(0.21 / paths) + 5e-3


def test_the_flow_is_a_map_from_noise_to_data_and_back():
    """Gaussian data: x_0 = x_T sqrt(v_0/v_T), whatever method; adaptive without dt."""
    process = OUProcess(0.7, 0.5)
    back, x = reverse(process, gaussian(process, 0.3), 0), np.array([[0.4], [-1.0]])
    scale = np.sqrt(0.3 / process.variance(2.0, 0.3))
    for settings in ({"tol": 1e-9}, {"dt": 0.01}, {"dt": 0.01, "method": "rk4"}):
        assert np.allclose(integrate(back, (0.0, 2.0), x0=x, times=[0.0], **settings).final, scale * x, atol=1e-8)
    one = integrate(back, (0.5, 2.0), x0=x[0], dt=0.1)
    assert one.x.shape == (16, 1) and one.t[0] == 2.0 and one.t[-1] == 0.5 and one.energy.shape == (16,)


def test_density_along_the_flow(rng):
    process = OUProcess(1.2, 1.0)
    law = GaussianMixture([[-0.5, 0.3], [0.8, -0.4]], [0.05, 0.2], [0.4, 0.6])
    back, x = reverse(process, process.score_of(law), 1.0), law.sample(8, rng)
    found = back.log_density(x, (0.0, 1.5), end=process.noised(law, 1.5).log_density, steps=200)
    assert np.max(np.abs(found - law.log_density(x))) < 1e-5
    late = back.log_density(x[:5], (0.0, 9.0), steps=600)  # what is left of the mean: e^-10.8
    assert np.max(np.abs(late - law.log_density(x[:5]))) < 1e-4


def test_what_is_refused():
    process, x = OUProcess(), np.zeros((3, 2))
    score = lambda x, t: -x  # noqa: E731
    with pytest.raises(TypeError, match="process: got the class OUProcess"):
        reverse(OUProcess, score, 1)
    with pytest.raises(ValueError, match="alpha: got -1"):
        reverse(process, score, -1)
    with pytest.raises(TypeError, match="score: got a function of"):
        reverse(process, lambda x: x, 1)
    with pytest.raises(ValueError, match=r"score: returned the shape \(\d+,\) for points"):
        integrate(reverse(process, lambda x, t: x[:, 0], 1), (0, 1), x0=x, dt=0.1)
    with pytest.raises(ValueError, match="score: returned NaN at t"):
        integrate(reverse(process, lambda x, t: np.nan * x, 1), (0, 1), x0=x, dt=0.1)
    with pytest.raises(TypeError, match="temperature: no setting of a reverse process"):
        integrate(reverse(process, score, 1), (0, 1), x0=x, dt=0.1, temperature=1.0)
    with pytest.raises(ValueError, match="t_span: got"):
        integrate(reverse(process, score, 1), (-1, 1), x0=x, dt=0.1)
    data = GaussianMixture(x + np.arange(3)[:, None])
    with pytest.raises(ValueError, match="a direction of variance 0 has no density and no score"):
        integrate(reverse(process, process.score_of(data), 1), (0, 1), x0=x, dt=0.1, rng=0)
