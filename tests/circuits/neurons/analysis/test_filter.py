"""The running sums against the plain double sum, areas and times of peaks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.neurons import Alpha, Delta, DualExponential, Exponential, Gamma, Spikes, spike_train_filter

KERNELS = [
    Exponential(5e-3),
    Alpha(3e-3),
    Gamma(4e-3, order=0, normalised="area"),
    Gamma(4e-3, order=1, normalised="area"),
    Gamma(4e-3, order=2),
    DualExponential(1e-3, 7e-3),
    DualExponential(1e-3, 7e-3, normalised="area"),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_equals_the_sum_over_all_spikes(kernel, rng, tol):
    trains = [np.sort(rng.uniform(-0.1, 1.0, k)) for k in (300, 0, 1, 40)]
    spikes = Spikes.from_trains(trains, t_stop=1.0, t_start=-0.1)
    times = np.sort(np.concatenate([rng.uniform(-0.2, 1.2, 200), trains[0][:5], trains[3][-1:]]))
    found = spike_train_filter(spikes, kernel, times=times)
    wanted = np.array([[kernel.response(t - train).sum() for train in trains] for t in times])
    assert found.shape == (len(times), 4)
    assert_allclose(found, wanted, rtol=tol.IDENTITY, atol=tol.IDENTITY * wanted.max())
    assert_allclose(spike_train_filter(trains[0][::-1], kernel, times=times), found[:, 0], rtol=tol.IDENTITY)


def test_zero_of_time_does_not_matter(tol):
    """Trials are often counted from their stimulus."""
    there, here = [
        spike_train_filter(np.array([0.1, 0.3]) - shift, Alpha(3e-3), times=np.array([0.103, 0.31]) - shift)
        for shift in (0.0, 10.0)
    ]
    assert_allclose(here, there, rtol=1e3 * tol.IDENTITY)


@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.normalised == "area"], ids=repr)
def test_unit_area_makes_a_firing_rate(kernel):
    clock = np.arange(1, 2001) * 1e-3
    times = 1.0 + (np.arange(9000) + 0.5) * 1e-4  # midpoints: the exponential jumps at spikes
    assert spike_train_filter(clock, kernel, times=times).mean() == pytest.approx(1000.0, rel=2e-3)
    once = spike_train_filter([0.0], kernel, times=np.linspace(0, 0.2, 200_001))
    assert np.trapezoid(once, dx=1e-6) == pytest.approx(1.0, rel=2e-4)


def test_gamma_kernels_peak_at_order_times_tau():
    times = np.linspace(0.0, 0.05, 50_001)
    for order in (1, 2):
        s = spike_train_filter([0.0], Gamma(4e-3, order=order), times=times)
        assert times[s.argmax()] == pytest.approx(order * 4e-3, abs=1e-6) and s.max() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: spike_train_filter([0.1], Delta(), times=[0.0]), TypeError, "kernel"),
        (lambda: spike_train_filter([0.1], Exponential(1e-3), times=[1.0, 0.0]), ValueError, "times"),
        (lambda: spike_train_filter([np.nan], Exponential(1e-3), times=[1.0]), ValueError, "spikes"),
    ],
)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()
