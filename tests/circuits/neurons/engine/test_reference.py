"""Networks and neurons against values that are known: theory, other simulators' results, published rates."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from circuits.neurons import (
    LIF,
    Delta,
    Exponential,
    Poisson,
    Population,
    Projection,
    SpikingNetwork,
    connect,
    fi_curve,
    lif_rate,
    mean_field,
    siegert_cv,
    siegert_rate,
)
from physlearn import integrate

CELLS = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)


def test_rates_of_lif_neurons_on_the_grid_and_with_exact_times(tol):
    drive = np.array([10.5e-3, 15e-3, 20e-3, 40e-3])
    on_grid = fi_curve(CELLS, drive, duration=1.0).rate
    assert_allclose(on_grid, lif_rate(drive, CELLS, dt=1e-4), rtol=tol.IDENTITY)
    exact = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3, exact_times=True)
    found = fi_curve(exact, drive, duration=1.0).rate
    assert_allclose(found, [15.9007, 41.7149, 63.0400, 128.9717], rtol=4e-6)
    assert_allclose(found, lif_rate(drive, exact), rtol=1e-9)


def test_mean_rate_of_the_scan_of_a_thousand_currents():
    drive = 40e-3 * np.arange(1000) / 999
    spikes = fi_curve(CELLS, drive, duration=1.0).spikes
    before_the_end = spikes.times < 1.0 - 0.5e-4  # three spikes fall on t = 1 s itself
    assert len(spikes) - np.sum(before_the_end) == 3
    assert np.sum(before_the_end) / 1000 == pytest.approx(58.596, abs=1e-9)
    exact = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3, exact_times=True)
    assert fi_curve(exact, drive, duration=1.0).spikes.rate() == pytest.approx(58.855, abs=2e-3)


def test_noisy_rate_and_cv_follow_siegert(tol):
    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=10e-3, refractory=2e-3)
    dt, n, mean, deviation = 2e-5, 200, 21.025e-3, 7.683e-3
    noise = (deviation / np.sqrt(dt / cells.tau), 1e-8)  # a fresh current in each step
    run = fi_curve(cells, np.full(n, mean), duration=2.0, dt=dt, transient=0.1, noise=noise, rng=1)
    rates = run.spikes.between(0.1, 2.0).rates()
    rate, cv = (known(mean, deviation, cells, dt=dt) for known in (siegert_rate, siegert_cv))
    error = rates.std(ddof=1) / np.sqrt(n)
    assert abs(rates.mean() - rate) < tol.STATISTICAL * error + dt / cells.tau * rate  # the correction's next order
    error = run.cv.std(ddof=1) / np.sqrt(n)
    assert abs(run.cv.mean() - cv) < tol.STATISTICAL * error + cv / 70  # of some 70 intervals each: low by 1/70
    assert abs(siegert_rate(mean, deviation, cells) - 37.95) < 0.01


def cuba(seed, n=4000):
    cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    receptors = {"exc": Exponential(5e-3), "inh": Exponential(10e-3)}
    start = {"v": lambda generator, count: generator.uniform(-60e-3, -50e-3, count)}
    sizes = {"E": n * 4 // 5, "I": n // 5}
    populations = {k: Population(cells, m, receptors=receptors, initial=start) for k, m in sizes.items()}
    wires = [
        Projection(a, b, connect.fixed_probability(0.02), weight=w, receptor=r)
        for a, w, r in (("E", 1.62e-3, "exc"), ("I", -9e-3, "inh"))
        for b in populations
    ]
    return SpikingNetwork(populations, wires, seed=seed)


def test_cuba_fires_at_5_to_6_hz_with_cv_0_52(tol):
    rates, variations = [], []
    for seed in range(1, 7):
        spikes = integrate(cuba(seed), (0.0, 1.0), dt=1e-4).spikes
        rates.append(sum(len(s) for s in spikes.values()) / 4000)
        variations.append(np.nanmean(spikes["E"].between(0.1, 1.0).cv()))
    assert np.all((np.array(rates) > 5.0) & (np.array(rates) < 6.0))
    error = np.std(variations, ddof=1) / np.sqrt(len(variations))
    assert abs(np.mean(variations) - 0.52) < tol.STATISTICAL * error and error < 0.01


def test_uncoupled_cuba_neurons_fire_at_18_883_hz():
    cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    assert lif_rate(0.0, cells) == pytest.approx(18.883, abs=5e-4)


def brunel(reset=10e-3, g=5.0, eta=2.0, n=12_500, fixed=True):
    """Brunel (2000), model A."""
    cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=20e-3, v_reset=reset, refractory=2e-3)
    j, sizes = 0.1e-3, {"E": n * 4 // 5, "I": n // 5}
    populations = {k: Population(cells, m, receptors={"in": Delta()}) for k, m in sizes.items()}
    wires = [
        Projection(a, b, connect.fixed_indegree(sizes[a] // 10) if fixed else connect.fixed_probability(0.1),
                   weight=w, delay=1.5e-3)
        for a, w in (("E", j), ("I", -g * j))
        for b in populations
    ]  # fmt: skip
    drive = [Poisson(k, rate=eta * 20e-3 / (j * 20e-3), weight=j) for k in populations]
    return SpikingNetwork(populations, wires, drive, seed=1), cells


@pytest.mark.slow
@pytest.mark.parametrize(("fixed", "low", "high"), [(True, 36.0, 38.0), (False, 36.0, 39.0)])
def test_brunels_network_and_its_mean_field(fixed, low, high):
    network, cells = brunel(fixed=fixed)
    spikes = integrate(network, (0.0, 1.0), dt=1e-4, rng=0).spikes
    rate = sum(len(s) for s in spikes.values()) / 12_500
    cv = np.nanmean(spikes["E"].between(0.1, 1.0).cv())
    assert low < rate < high
    assert 0.39 < cv < 0.43
    j = 0.1e-3
    theory = mean_field(cells, indegree=[[1000, 250]] * 2, weight=[[j, -5 * j]] * 2, external_rate=20e3,
                        external_weight=j)  # fmt: skip
    assert theory.rate[0] == pytest.approx(37.95, abs=0.005) and theory.cv[0] == pytest.approx(0.675, abs=5e-4)
    # mean field with independent Poisson inputs: rates agree to a few per cent, recurrent spikes are more regular
    assert abs(rate / theory.rate[0] - 1) < 0.05 and cv < theory.cv[0] - 0.2


@pytest.mark.slow
def test_brunels_network_with_reset_to_rest():
    network, _ = brunel(reset=0.0)
    spikes = integrate(network, (0.0, 1.0), dt=1e-4, rng=0).spikes
    rate = sum(len(s) for s in spikes.values()) / 12_500
    assert rate == pytest.approx(31.99, rel=0.02)  # NEST
    assert np.nanmean(spikes["E"].between(0.1, 1.0).cv()) == pytest.approx(0.17, abs=0.02)


def test_threads_change_no_bit():
    runs = [integrate(cuba(1), (0.0, 0.1), dt=1e-4, threads=k).spikes for k in (1, 2)]
    for name in runs[0]:
        assert len(runs[0][name]) > 100
        assert_array_equal(runs[0][name].times, runs[1][name].times)
        assert_array_equal(runs[0][name].ids, runs[1][name].ids)
