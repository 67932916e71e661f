"""Statistics of spikes against loops over single neurons, known processes, and Elephant's container."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from circuits.neurons import Spikes


@pytest.fixture
def noisy(rng):
    """Trains of different rates, one silent neuron first, in the middle and last."""
    trains = [np.cumsum(rng.gamma(3.0, 1 / 3.0 / rate, 400)) for rate in (20.0, 5.0, 80.0, 41.0)]
    trains = [[], trains[0], trains[1], [], [0.5], trains[2], [0.1, 0.7], trains[3], []]
    return [np.array([t for t in train if t <= 4.0]) for train in trains]


def test_trains_come_back(noisy):
    spikes = Spikes.from_trains(noisy, t_stop=4.0)
    assert len(spikes.trains) == len(noisy)
    for got, given in zip(spikes.trains, noisy, strict=True):
        assert_array_equal(got, given)
    assert_array_equal(spikes.counts, [len(train) for train in noisy])
    assert_allclose(spikes.rates(), spikes.counts / 4.0)
    assert spikes.rate() == pytest.approx(len(spikes) / 9 / 4.0)
    assert_array_equal(spikes.isi(), np.concatenate([np.diff(train) for train in noisy]))


def test_variation_of_intervals_neuron_by_neuron(noisy, tol):
    spikes = Spikes.from_trains(noisy, t_stop=4.0)
    for least in (1, 4):
        wanted = [np.diff(t).std() / np.diff(t).mean() if len(t) > least else np.nan for t in noisy]
        assert_allclose(spikes.cv(min_intervals=least), wanted, rtol=tol.IDENTITY)


def test_empty_records_have_statistics():
    spikes = Spikes([], [], n=3, t_stop=1.0)
    assert len(spikes) == 0 and spikes.rate() == 0 and spikes.isi().size == 0
    assert np.all(np.isnan(spikes.cv())) and np.all(np.isnan(spikes.fano(0.1)))
    assert [len(t) for t in spikes.trains] == [0, 0, 0]
    assert len(spikes.between(0.2, 0.4)) == 0 and len(spikes.select([1])) == 0
    assert_array_equal(spikes.population_rate(0.25)[1], np.zeros(4))


def test_counts_in_bins_take_the_end_and_not_the_start():
    dt = 1e-4  # spikes at k dt, as from a grid: no bin may gain or lose one by rounding
    steps = np.arange(1, 10_001)
    clock = Spikes(steps * dt, np.zeros(10_000, np.int64), n=1, t_stop=1.0)
    for width in (0.001, 0.0025, 0.1, 0.5):
        assert_array_equal(clock.binned(width), round(width / dt))
    assert clock.binned(0.3).shape == (3, 1)  # a bin that is not whole is left out
    assert len(clock.between(0.1, 0.2)) == 1000
    assert all(len(clock.between(0.0, round(k * dt, 4))) == k for k in range(1, 3000))  # 3 dt is not 0.0003
    shifted = Spikes(steps * dt + 2.0, np.zeros(10_000, np.int64), n=1, t_stop=3.0, t_start=2.0)
    assert_array_equal(shifted.binned(0.01), 100)


def test_poisson_process_has_fano_factor_and_variation_one(tol):
    rng, n, rate, duration = np.random.default_rng(3), 400, 50.0, 20.0
    trains = [np.sort(rng.uniform(0, duration, rng.poisson(rate * duration))) for _ in range(n)]
    spikes = Spikes.from_trains(trains, t_stop=duration)
    for value in (spikes.fano(0.1), spikes.cv()):
        assert abs(value.mean() - 1) < tol.STATISTICAL * value.std(ddof=1) / np.sqrt(n) + 1 / (rate * duration)
    t, population = spikes.population_rate(0.5)
    assert_allclose(t, 0.25 + 0.5 * np.arange(40))
    assert population.mean() == pytest.approx(spikes.rate())
    error = np.sqrt(rate / (n * 0.5))
    assert np.all(np.abs(population - rate) < 5 * error)


def test_selection_renumbers(noisy):
    spikes = Spikes.from_trains(noisy, t_stop=4.0)
    some = spikes.select([5, 0, 2])
    assert some.n == 3 and some.t_stop == 4.0
    for got, k in zip(some.trains, (5, 0, 2), strict=True):
        assert_array_equal(got, noisy[k])
    assert_array_equal(spikes.select(slice(None, None, 4)).counts, spikes.counts[::4])
    late = spikes.between(1.0, 3.0)
    assert (late.t_start, late.t_stop) == (1.0, 3.0)
    assert_array_equal(late.counts, [np.sum((t > 1.0) & (t <= 3.0)) for t in noisy])


def test_neo_holds_the_same_trains(noisy):
    pytest.importorskip("neo")
    trains = Spikes.from_trains(noisy, t_stop=4.0, t_start=-0.5).to_neo()
    for got, given in zip(trains, noisy, strict=True):
        assert_array_equal(got.rescale("s").magnitude, given)
        assert float(got.t_start.rescale("s")) == -0.5 and float(got.t_stop.rescale("s")) == 4.0
    rounded = Spikes([0.1 * 3], [0], n=1, t_stop=0.3)  # 0.30000000000000004: one rounding error late
    assert float(rounded.to_neo()[0][0]) == 0.1 * 3


def test_a_record_cannot_be_changed():
    spikes = Spikes(np.array([0.1, 0.2]), [0, 0], n=1, t_stop=1.0)
    with pytest.raises(ValueError, match="read-only"):
        spikes.times[0] = 0.5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Spikes([0.2, 0.1], [0, 0], n=1, t_stop=1.0), "ascending"),
        (lambda: Spikes([0.1, np.nan], [0, 0], n=1, t_stop=1.0), "finite"),
        (lambda: Spikes([0.1], [1], n=1, t_stop=1.0), "1 is no neuron"),
        (lambda: Spikes([0.1], [-1], n=1, t_stop=1.0), "-1 is no neuron"),
        (lambda: Spikes([1.1], [0], n=1, t_stop=1.0), "expected within"),
        (lambda: Spikes([0.1], [0, 0], n=1, t_stop=1.0), "shapes"),
        (lambda: Spikes([], [], n=0, t_stop=1.0), "n: got 0"),
        (lambda: Spikes([], [], n=1, t_stop=0.0), "t_stop"),
        (lambda: Spikes([], [], n=1, t_stop=np.inf), "t_stop"),
        (lambda: Spikes([], [], n=1, t_stop=1.0).binned(2.0), "width: got 2"),
        (lambda: Spikes([], [], n=1, t_stop=1.0).fano(0.7), "window: 0.7"),
        (lambda: Spikes([], [], n=1, t_stop=1.0).cv(min_intervals=0), "min_intervals"),
        (lambda: Spikes([], [], n=2, t_stop=1.0).select([1, 1]), "distinct"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize(
    ("change", "says"),
    [({"ids": [0.0]}, "ids: dtype float64"), ({"n": 1.5}, "n: got 1.5"), ({"t_stop": "a"}, "t_stop='a'")],
)
def test_types_of_what_is_no_array_of_times(change, says):
    with pytest.raises(TypeError, match=says):
        Spikes(**({"times": [0.1], "ids": [0], "n": 1, "t_stop": 1.0} | change))
