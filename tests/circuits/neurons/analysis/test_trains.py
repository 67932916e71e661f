"""PSTH, correlations, correlograms and synchrony against processes whose values are known."""

import numpy as np
import pytest

from circuits.neurons import Spikes, correlation, correlogram, psth, synchrony


def poisson(rate, n, seconds, seed=0, dt=1e-3):
    rng = np.random.default_rng(seed)
    steps, ids = np.nonzero(rng.random((int(seconds / dt), n)) < rate * dt)
    return steps, ids


def test_the_psth_of_a_rate_that_follows_events():
    rng = np.random.default_rng(1)
    events = np.arange(0.5, 99.5, 0.5)
    t = np.arange(1, 100_001) * 1e-3
    since = t[:, None] - 0.5e-3 - events[np.clip(np.searchsorted(events, t - 1e-6) - 1, 0, None)][:, None]
    rate = 10.0 + np.array([40.0, 0.0]) * ((since > 0) & (since < 0.1))
    steps, ids = np.nonzero(rng.random((len(t), 2)) < rate * 1e-3)
    centres, found = psth(Spikes(t[steps], ids, n=2, t_stop=100.0), events, before=0.1, after=0.3, width=0.1)
    np.testing.assert_allclose(centres, [-0.05, 0.05, 0.15, 0.25])
    expected = np.array([[10.0, 10.0], [50.0, 10.0], [10.0, 10.0], [10.0, 10.0]])
    np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(50.0 / (0.1 * len(events))))
    assert found.sum() * 0.1 * len(events) == pytest.approx(
        sum(np.sum((t[steps] > e - 0.1 + 1e-9) & (t[steps] <= e + 0.3 + 1e-9)) for e in events)
    )


def test_correlations_are_those_of_the_counts():
    common, own = poisson(20.0, 1, 200.0), poisson(20.0, 3, 200.0, seed=1)
    steps = np.concatenate([own[0], common[0], common[0]])
    ids = np.concatenate([own[1], 0 * common[0], 0 * common[0] + 1])
    order = np.argsort(steps, kind="stable")
    spikes = Spikes((steps[order] + 1) * 1e-3, ids[order], n=4, t_stop=200.0)
    found = correlation(spikes, 0.05)
    np.testing.assert_allclose(found[:3, :3], np.corrcoef(spikes.binned(0.05)[:, :3].T), rtol=1e-10)
    assert found[0, 1] == pytest.approx(0.5, abs=4 / np.sqrt(4000))  # half of the spikes are shared
    assert np.isnan(found[3]).all() and np.isnan(found[:, 3]).all()
    assert synchrony(spikes.select([2, 3]), 0.05) == pytest.approx(0.5)  # one of two varies alone
    assert synchrony(Spikes.from_trains([own[0][own[1] == 0] * 1e-3 + 1e-3] * 5, t_stop=200.0), 0.05) == pytest.approx(
        1.0
    )


def test_independent_neurons_are_not_synchronous():
    steps, ids = poisson(20.0, 50, 100.0, seed=3)
    assert synchrony(Spikes((steps + 1) * 1e-3, ids, n=50, t_stop=100.0), 0.02) == pytest.approx(1 / 50, rel=0.1)


def test_a_correlogram_shows_the_lag_and_is_1_for_independent_trains():
    steps, ids = poisson(40.0, 2, 400.0, seed=5)
    a, b = ((steps[ids == k] + 1) * 1e-3 for k in range(2))
    follows = Spikes.from_trains([a, b, a[a < 399.9] + 7e-3], t_stop=400.0)
    lag, ratio = correlogram(follows, 0, 1, span=0.05, width=5e-3)
    np.testing.assert_allclose(lag, np.arange(-10, 11) * 5e-3)
    assert np.all(np.abs(ratio - 1) < 4 / np.sqrt(40.0**2 * 400.0 * 5e-3))
    lag, ratio = correlogram(follows, 0, 2, span=0.02, width=2e-3)
    assert lag[np.argmax(ratio)] in (pytest.approx(6e-3), pytest.approx(8e-3))
    assert ratio.max() == pytest.approx(1 + 1 / (40.0 * 2e-3), rel=0.1)
    lag, ratio = correlogram(follows, 0, 0, span=0.02, width=2e-3)
    assert abs(ratio[len(lag) // 2] - 1) < 1  # without each spike's pair with itself, of 12.5 times as much


def test_recorded_neurons_alone_count():
    steps, ids = poisson(20.0, 6, 20.0, seed=7)
    spikes = Spikes((steps + 1) * 1e-3, ids, n=6, t_stop=20.0)
    kept = np.isin(ids, [1, 4])
    some = Spikes(spikes.times[kept], ids[kept], n=6, t_stop=20.0, recorded=[1, 4])
    assert synchrony(some, 0.1) == pytest.approx(synchrony(spikes.select([1, 4]), 0.1))
    found = correlation(some, 0.1)
    assert found[1, 4] == pytest.approx(correlation(spikes, 0.1)[1, 4])
    assert np.isnan(found[0]).all()


def test_what_does_not_fit_is_named():
    spikes = Spikes([0.1, 0.2], [0, 1], n=3, t_stop=1.0)
    for call, message in (
        (lambda: psth(spikes, [0.5], after=0.1, width=0.03), "whole bins"),
        (lambda: psth(spikes, [0.95], after=0.1, width=0.05), "leave the record"),
        (lambda: psth(spikes, [], after=0.1, width=0.05), "leave the record"),
        (lambda: correlation(spikes, 1.0), "1 bin"),
        (lambda: correlogram(spikes, 0, 3, span=0.1, width=0.1), "second"),
        (lambda: correlogram(spikes, 0, 2, span=0.1, width=0.1), "1 and 0 spikes"),
        (lambda: correlogram(spikes, 0, 1, span=2.0, width=0.1), "span"),
        (lambda: synchrony(Spikes([], [], n=2, t_stop=1.0), 0.1), "no count varies"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="spikes"):
        synchrony([0.1], 0.1)
