"""Errors of correlated draws, reweighting and finite-size scaling, against processes and models with exact answers."""

import numpy as np
import pytest

from physlearn import enumerate_states, sample
from physlearn.analysis import autocorrelation_time, collapse, crossing, estimate, mean_error, multi_histogram, reweight
from physlearn.models import Ising, magnetisation


def autoregressive(rng, phi, chains, n):
    x = np.empty((chains, n))
    x[:, 0] = rng.standard_normal(chains) / np.sqrt(1 - phi**2)
    for t in range(1, n):
        x[:, t] = phi * x[:, t - 1] + rng.standard_normal(chains)
    return x


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, -0.5])
def test_time_and_error_of_an_autoregressive_process(phi, rng):
    x = autoregressive(rng, phi, 16, 8000)
    found, exact = autocorrelation_time(x), 0.5 * (1 + phi) / (1 - phi)
    assert abs(found.tau - exact) < 5 * found.error + 0.01
    if phi >= 0:
        _, error = mean_error(x)
        assert error == pytest.approx(1 / (1 - phi) / np.sqrt(x.size), rel=0.15)


def test_errors_cover(rng):
    """The pull (value - exact)/error has unit variance: jackknife and bootstrap of a nonlinear estimator."""
    for method in ("jackknife", "bootstrap"):
        pulls = []
        for _ in range(40):
            x = 2.0 + autoregressive(rng, 0.6, 4, 1500)
            found = estimate(lambda x: np.log(x.mean()), x, method=method, rng=rng, resamples=60)
            pulls.append((found.value - np.log(2.0)) / found.error)
        assert 0.6 < np.std(pulls) < 1.5 and abs(np.mean(pulls)) < 0.6


def test_the_jackknife_takes_the_bias_off(rng):
    few = [rng.standard_normal(64) + 1.0 for _ in range(400)]
    plain = np.mean([x.mean() ** 2 for x in few]) - 1.0
    corrected = np.mean([estimate(lambda x: x.mean() ** 2, x, blocks=16).value for x in few]) - 1.0
    assert abs(plain - 1 / 64) < 0.03 and abs(corrected) < 0.03


def test_reweighting_and_pooling_against_enumeration(tol):
    lattice, temperatures, to = Ising.square(4), [1.8, 2.2, 2.7, 3.4], 2.45
    runs = [
        sample(
            lattice, temperature=t, n_samples=800, chains=16, warmup=200, thin=2, rng=k, method="heatbath",
            observe={"m": lambda x: np.abs(magnetisation(x["s"], 2))},
        )
        for k, t in enumerate(temperatures)
    ]  # fmt: skip
    exact = {t: enumerate_states(lattice, temperature=t) for t in (*temperatures, to)}
    one = estimate(lambda e: reweight(e, e, 2.2, to), runs[1].energy)
    assert abs(one.value - exact[to].energy) < tol.STATISTICAL * one.error
    energies = [run.energy for run in runs]
    pooled = multi_histogram(energies, temperatures)
    np.testing.assert_allclose(pooled.log_z, [exact[t].log_z - exact[1.8].log_z for t in temperatures], atol=0.15)
    assert pooled.log_z_at(to) == pytest.approx(exact[to].log_z - exact[1.8].log_z, abs=0.15)
    assert pooled.log_z_at(2.2) == pytest.approx(pooled.log_z[1], abs=1e-9)
    assert pooled.mean(energies, to) == pytest.approx(exact[to].energy, rel=0.02)
    m = exact[to].mean(lambda x: np.abs(magnetisation(x["s"], 2)))
    assert pooled.mean([run.observed["m"] for run in runs], to) == pytest.approx(float(m), rel=0.02)


def test_one_temperature_pooled_is_reweighting():
    drawn = sample(Ising.square(4), temperature=2.5, n_samples=400, chains=8, observe={}, rng=0)
    pooled = multi_histogram([drawn.energy], [2.5])
    assert pooled.mean([drawn.energy], 2.3) == pytest.approx(reweight(drawn.energy, drawn.energy, 2.5, 2.3), rel=1e-12)


def test_crossing_and_collapse_of_known_curves(rng):
    t, sizes, nu, beta = np.linspace(2.1, 2.5, 25), [8, 12, 16, 24], 0.8, 0.3
    error = 2e-3

    def curve(size, y):
        return size ** (-y) * (1 / (1 + np.exp((t - 2.3) * size ** (1 / nu)))) + error * rng.standard_normal(len(t))

    narrow = np.abs(t - 2.3) < 0.06
    found = crossing(
        t[narrow], curve(8, 0.0)[narrow], curve(16, 0.0)[narrow], 0 * t[narrow] + error, 0 * t[narrow] + error, rng=0
    )
    assert abs(found.value - 2.3) < 5 * found.error < 0.05
    whole = collapse(
        sizes, [t] * 4, [curve(s, beta / nu) for s in sizes], [0 * t + error] * 4,
        critical=2.27, inverse_nu=1.0, exponent=0.2, within=3.0, rng=1,
    )  # fmt: skip
    assert abs(whole.critical - 2.3) < 5 * whole.critical_error + 2e-3
    assert abs(whole.inverse_nu - 1 / nu) < 5 * whole.inverse_nu_error + 0.03
    assert abs(whole.exponent - beta / nu) < 5 * whole.exponent_error + 0.02
    assert whole.quality < 2.0


def test_refusals(rng):
    x = rng.standard_normal((2, 100))
    assert np.isnan(autocorrelation_time(np.ones((2, 50))).tau) and mean_error(np.ones(50)) == (1.0, 0.0)
    assert np.isinf(autocorrelation_time(np.linspace(0, 1, 50)).tau)
    with pytest.raises(ValueError, match="values: shape"):
        autocorrelation_time(x[:, :3])
    with pytest.raises(ValueError, match="fewer than 8 blocks"):
        estimate(np.mean, np.cumsum(rng.standard_normal(60)))
    with pytest.raises(ValueError, match="expected the same of all"):
        estimate(lambda a, b: a.mean() * b.mean(), x, x[:, :50])
    with pytest.raises(ValueError, match="estimator: returned nan"):
        estimate(lambda a: float("nan"), x)
    with pytest.raises(ValueError, match="is too far"):
        reweight(100 * x, x, 2.0, 0.1)
    with pytest.raises(ValueError, match="shape"):
        reweight(x, x[:, :50], 2.0, 1.9)
    with pytest.raises(ValueError, match="0 crossings"):
        crossing([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0])
    with pytest.raises(ValueError, match="errors: got values <= 0"):
        collapse([8, 16], [[1, 2, 3]] * 2, [[1, 2, 3]] * 2, [[0, 1, 1]] * 2, critical=2.0)
    with pytest.raises(ValueError, match="one for each"):
        multi_histogram([x], [1.0, 2.0])
