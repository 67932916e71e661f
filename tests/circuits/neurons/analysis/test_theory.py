"""Rates against reference values, adaptive quadrature, and simulations written here."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erf, erfcx

from circuits.neurons import lif_rate, mean_field, siegert_cv, siegert_rate
from physlearn import ConvergenceError


def cells(reset=10e-3, threshold=20e-3, **more):
    values = dict(tau=20e-3, v_rest=0.0, v_threshold=threshold, v_reset=reset, refractory=2e-3, resistance=1.0)
    return SimpleNamespace(**(values | more))


def test_rate_without_noise_is_the_four_reference_values():
    drive = np.array([10e-3, 10.5e-3, 15e-3, 20e-3, 40e-3])
    rate = lif_rate(drive, cells(0.0, 10e-3))
    assert_allclose(rate, [0.0, 15.9007, 41.7149, 63.0400, 128.9717], rtol=4e-6)
    v_in = drive[1:] / 10e-3
    assert_allclose(rate[1:], 1 / (2e-3 - 20e-3 * np.log(1 - 1 / v_in)), rtol=1e-12)
    ohms = cells(0.0, 10e-3, resistance=50e6)
    assert_allclose(lif_rate(drive / 50e6, ohms), rate, rtol=1e-12)


def test_rate_of_the_scan_on_a_grid_and_without():
    drive = 40e-3 * np.arange(1000) / 999
    exact = lif_rate(drive, cells(0.0, 10e-3))
    some = exact > 0
    period = 1 / exact[some]
    counts = np.floor((1.0 - (period - 2e-3)) / period + 1)  # 1 s from rest: the first spike needs no refractory time
    assert counts.clip(0).sum() / 1000 == pytest.approx(58.855, abs=1e-9)
    period = np.ones(300)  # step by step: integer steps to the threshold, then 20 of rest
    some = drive[700:]
    for k, goal in enumerate(some):
        v, steps = 0.0, 0
        while v < 10e-3:
            v, steps = goal + (v - goal) * np.exp(-1e-4 / 20e-3), steps + 1
        period[k] = (steps + 20) * 1e-4
    assert_allclose(lif_rate(some, cells(0.0, 10e-3), dt=1e-4), 1 / period, rtol=1e-12)


def test_siegert_reference_values():
    assert siegert_rate(21.025e-3, 7.683e-3, cells()) == pytest.approx(37.95, abs=0.005)
    assert siegert_cv(21.025e-3, 7.683e-3, cells()) == pytest.approx(0.675, abs=5e-4)


@pytest.mark.parametrize(("a", "b"), [(-1.4, -0.13), (-20, -18), (-3, 2), (0.5, 1.5), (2, 4), (-50, -49.5), (3, 3.1)])
def test_siegert_against_adaptive_quadrature(a, b, tol):
    tau, rest, sigma = 20e-3, 2e-3, 1e-3
    inner = quad(lambda u: erfcx(-u), a, b, epsabs=0, epsrel=1e-13)[0]
    one = cells(a * sigma, b * sigma)
    rate = 1 / (rest + tau * np.sqrt(np.pi) * inner)
    assert_allclose(siegert_rate(0.0, sigma, one), rate, rtol=tol.IDENTITY)

    def below(x):  # Int_-inf^x exp(x^2 - u^2) erfcx(-u)^2 du
        start = min(x, 0.0) - 7
        points = [p for p in (x - 0.1, x - 1) if p > start]
        return quad(lambda u: np.exp(x * x - u * u) * erfcx(-u) ** 2, start, x, epsabs=0, epsrel=1e-11, points=points)[
            0
        ]

    outer = quad(below, a, b, epsabs=0, epsrel=1e-10)[0]
    assert_allclose(siegert_cv(0.0, sigma, one), np.sqrt(2 * np.pi * outer) * tau * rate, rtol=1e-8)


def test_siegert_limits(tol):
    mean = np.array([15e-3, 21e-3, 40e-3])
    silent = siegert_rate(mean, 0.0, cells())
    assert_allclose(silent, lif_rate(mean, cells()), rtol=tol.IDENTITY)
    for sigma in (1e-6, 1e-7):  # the correction is of order (sigma/(mu - threshold))^2
        assert_allclose(siegert_rate(mean, sigma, cells()), silent, rtol=3 * (sigma / 1e-3) ** 2)
    assert siegert_rate(-1.0, 1e-3, cells()) == 0.0  # exp(-1e6): underflows, does not overflow
    far = siegert_cv(np.array([-10e-3, 0.0]), 3e-3, cells(0.0, refractory=0.0))
    assert_allclose(far, 1.0, atol=1e-6)  # rare escapes are a Poisson process
    # Kramers: rate -> b exp(-b^2)/(tau sqrt(pi)) for b >> 1, a << 0
    b = 30.0
    kramers = b * np.exp(-(b**2)) / (20e-3 * np.sqrt(np.pi))
    assert siegert_rate(0.0, 1e-3, cells(-1.0, b * 1e-3)) == pytest.approx(kramers, rel=1e-3)
    assert erf(1.0) == pytest.approx(1 - np.exp(-1) * erfcx(1.0))


def test_siegert_against_simulated_noise_on_a_grid(tol):
    n, dt, steps, one = 400, 1e-4, 20_000, cells(refractory=0.0)
    mu, sigma, decay = 21e-3, 7.7e-3, np.exp(-1e-4 / 20e-3)
    rng = np.random.default_rng(1)
    v, spikes = np.full(n, 10e-3), np.zeros(n)
    for _ in range(steps):
        v = mu + (v - mu) * decay + sigma * np.sqrt((1 - decay**2) / 2) * rng.standard_normal(n)
        fired = v >= 20e-3
        spikes += fired
        v[fired] = 10e-3
    rate, error = spikes.mean() / (dt * steps), spikes.std(ddof=1) / np.sqrt(n) / (dt * steps)
    corrected, plain = siegert_rate(mu, sigma, one, dt=dt), siegert_rate(mu, sigma, one)
    # the correction leaves a term of order dt/tau = 0.5 %: allow that beside the noise
    assert abs(rate - corrected) < tol.STATISTICAL * error + 0.005 * corrected
    assert abs(rate - plain) > 10 * abs(rate - corrected)


@pytest.mark.parametrize(
    ("g", "eta", "reset", "rate", "cv"),
    [
        (5, 2, 10e-3, 37.95, 0.675),
        (5, 2, 0.0, 32.03, 0.421),
        (6, 4, 10e-3, 55.84, 0.736),
        (6, 4, 0.0, 49.15, 0.437),
        (4.5, 0.9, 10e-3, 6.52, 0.776),
        (4.5, 0.9, 0.0, 5.83, 0.689),
    ],
)
def test_mean_field_of_brunels_network(g, eta, reset, rate, cv):
    j = 0.1e-3
    found = mean_field(
        cells(reset),
        indegree=[[1000, 250]] * 2,
        weight=[[j, -g * j]] * 2,
        external_rate=eta * 20e-3 / (j * 20e-3),
        external_weight=j,
    )
    assert_allclose(found.rate, rate, atol=0.006)
    assert_allclose(found.cv, cv, atol=6e-4)
    assert_allclose(siegert_rate(found.mean, found.deviation, cells(reset)), found.rate, rtol=1e-9)
    assert_allclose(found.mean, 20e-3 * j * (eta * 10e3 + 1000 * found.rate * (1 - g / 4)), rtol=1e-9)


@pytest.mark.parametrize(("g", "eta"), [(0, 0.9), (3, 4), (3.8, 0.9)])
def test_mean_field_where_excitation_wins(g, eta):
    """Alike populations have one equation; from 0 the flow rises to its lowest solution."""
    j = 0.1e-3

    def surplus(rate):
        mean = 20e-3 * j * (eta * 10e3 + (1000 - 250 * g) * rate)
        deviation = np.sqrt(20e-3 * j**2 * (eta * 10e3 + (1000 + 250 * g**2) * rate))
        return siegert_rate(mean, deviation, cells()) - rate

    rates = np.linspace(0.0, 500.0, 1001)
    first = int(np.flatnonzero(surplus(rates) < 0)[0])
    lowest = brentq(surplus, rates[first - 1], rates[first], xtol=1e-12)
    found = mean_field(
        cells(), indegree=[[1000, 250]] * 2, weight=[[j, -g * j]] * 2, external_rate=eta * 10e3, external_weight=j
    )
    assert_allclose(found.rate, lowest, rtol=1e-8)


def test_mean_field_ends_where_the_flow_does_and_says_when_that_is_unstable():
    def found(weight, rate, start=0.0, indegree=(534.53, 191.17)):
        weight = 1e-4 * np.array(weight)
        return mean_field(
            cells(), indegree=[indegree] * 2, weight=weight, external_rate=rate, external_weight=1e-4, start=start
        )

    past_a_saddle = found([[1, -2.5160], [0.86961, -6.0206]], [18796.5, 39720.8])
    assert_allclose(past_a_saddle.rate, [360.75, 155.21], atol=5e-3)
    against = [[0, -5], [-5, 0]]  # two populations that inhibit each other: one wins, unless they start alike
    with pytest.raises(ConvergenceError, match="unstable"):
        found(against, 20e3, indegree=(500, 500))
    rates = found(against, 20e3, start=[10.0, 0.0], indegree=(500, 500)).rate
    assert rates[0] > 100 * rates[1]


def test_mean_field_of_unequal_populations_is_self_consistent():
    two = cells(tau=np.array([20e-3, 10e-3]))
    indegree, weight = np.array([[400, 100], [200, 80]]), np.array([[0.1e-3, -0.6e-3], [0.2e-3, -0.5e-3]])
    found = mean_field(two, indegree=indegree, weight=weight, external_rate=[15e3, 25e3], external_weight=0.1e-3)
    mean = two.tau * ([1.5, 2.5] + (indegree * weight) @ found.rate)
    assert_allclose(found.mean, mean, rtol=1e-12)
    assert_allclose(siegert_rate(found.mean, found.deviation, two), found.rate, rtol=1e-9)
    assert abs(found.rate[0] - found.rate[1]) > 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lif_rate([np.nan], cells()), "current"),
        (lambda: siegert_rate(0.0, -1e-3, cells()), "deviation"),
        (lambda: siegert_rate(np.inf, 1e-3, cells()), "mean"),
        (lambda: siegert_cv(0.0, 1e-3, cells(30e-3)), "v_reset"),
        (lambda: mean_field(cells(), indegree=[1, 2], weight=1.0, external_rate=1, external_weight=1), r"\(p, p\)"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
