import numpy as np
import pytest
from scipy.stats import binom

from physlearn.models import (
    Hopfield,
    basin_size,
    capacity_curve,
    critical_load,
    dense_errors,
    extrapolate,
    first_step_error,
    flip,
    mean_field_overlap,
    phase_diagram,
    random_patterns,
    retrieval_boundary,
)
from physlearn.models.memory import capacity
from physlearn.models.memory.retrieval import by_overlaps


def test_mean_field_at_the_tabulated_loads():
    loads = [0.05, 0.10, 0.12, 0.13, 0.135]
    assert np.allclose(mean_field_overlap(loads), [0.999992, 0.997999, 0.993223, 0.987212, 0.980791], atol=1e-6)
    load, overlap = critical_load()
    assert abs(load - 0.137906) < 1e-6 and abs(overlap - 0.967417) < 1e-4
    assert mean_field_overlap(0.14) == 0


@pytest.mark.parametrize("temperature", [0.0049, 0.0051, 0.02, 0.049])
def test_mean_field_holds_at_low_temperatures(temperature):
    load, z = 0.135, np.linspace(-9.0, 9.0, 20_001)
    weight = np.exp(-0.5 * z * z) / np.exp(-0.5 * z * z).sum()
    m, r = 1.0, 1.0
    for _ in range(60):  # the three equations, iterated from below the end of retrieval
        t = np.tanh((m + np.sqrt(load * r) * z) / temperature)
        m, q = t @ weight, t * t @ weight
        r = q / (1.0 - (1.0 - q) / temperature) ** 2
    assert abs(mean_field_overlap(load, temperature) - m) < 1e-4


def test_retrieval_boundary_joins_its_two_ends():
    boundary = retrieval_boundary([0.0, 0.05, 0.1, 0.3, 0.6, 0.9, 0.99, 1.0, 1.5])
    assert np.all(np.diff(boundary[:-1]) < 0) and np.all(boundary[-2:] == 0)
    assert abs(boundary[1] - boundary[0]) < 3e-4 and boundary[6] < 1e-4
    # no other patterns: the ferromagnet M = tanh(M/T)
    m = float(mean_field_overlap(1e-6, 0.6))
    assert abs(m - np.tanh(m / 0.6)) < 1e-3


@pytest.mark.parametrize(("load", "error"), [(0.05, 3.87e-6), (0.10, 7.83e-4), (0.135, 3.25e-3)])
def test_first_step_error_is_tabulated(load, error):
    assert abs(first_step_error(load) / error - 1) < 2e-3


def test_first_step_error_is_measured(tol):
    n, m, wrong = 2000, 400, []
    for seed in range(3):
        xi = random_patterns(m, n, rng=seed)
        wrong.append(np.mean((xi * Hopfield.store(xi).field(xi)) < 0, 1))
    wrong = np.concatenate(wrong)
    # mean and variance of the field are 1 and (m - 1)/n to leading order; the next one is a few 1/n
    z = (wrong.mean() - first_step_error((m - 1) / n)) / (wrong.std(ddof=1) / np.sqrt(wrong.size))
    assert abs(z) < tol.STATISTICAL


def test_kept_overlaps_and_kept_fields_agree():
    xi = random_patterns(21, 128, rng=1)
    cue = flip(xi[0], 0.2, rng=2)
    x = cue.astype(np.float32)
    by_overlaps(x, np.ascontiguousarray(xi.T, dtype=np.int8), np.arange(128), 100)
    assert np.array_equal(x, Hopfield.store(xi).recall(cue, order="fixed").x)


def test_overlap_collapses_around_the_critical_load(tol):
    curve = capacity_curve(2000, [0.05, 0.10, 0.12, 0.16, 0.20], seeds=8, rng=1)
    assert np.all(np.abs(curve.mean - mean_field_overlap(curve.loads))[:3] < 0.003)
    assert np.all(curve.mean[3:] < 0.9)
    again = capacity_curve(2000, [0.05], seeds=8, rng=1)
    assert np.array_equal(again.overlaps[0], curve.overlaps[0])


def test_finite_size_trend_of_the_load_at_half_recall():
    curves = [capacity_curve(n, np.arange(0.12, 0.2, 0.01), seeds=30, rng=2) for n in (250, 500, 1000)]
    half = [curve.half_load for curve in curves]
    assert half[0] > half[-1] > 0.137
    assert 0.13 < extrapolate([250, 500, 1000], half)[0] < half[-1]


@pytest.mark.slow
def test_overlap_collapses_around_the_critical_load_at_8000_neurons(tol):
    loads = np.array([0.10, 0.11, 0.12, 0.125, 0.13, 0.135, 0.14, 0.145, 0.15, 0.16, 0.17, 0.18])
    curves = {n: capacity_curve(n, loads, seeds=20, rng=3) for n in (1000, 2000, 4000, 8000)}
    big = curves[8000]
    expected = mean_field_overlap(loads)
    assert np.all(np.abs(big.mean - expected)[:5] < 0.003)
    half = [curve.half_load for curve in curves.values()]
    assert np.all(np.diff(half) < 0)
    limit, error = extrapolate(list(curves), half, exponent=0.5)
    assert abs(limit - 0.138) < 0.01


@pytest.mark.slow
def test_measured_phase_diagram_follows_the_boundary():
    temperatures, loads = [0.2, 0.5], [0.02, 0.05, 0.09, 0.13]
    measured = phase_diagram(2000, loads, temperatures, sweeps=200, rng=1)
    for row, temperature in zip(measured, temperatures, strict=True):
        boundary = critical_load(temperature)[0]
        inside = np.array(loads) < 0.7 * boundary
        assert np.allclose(row[inside], mean_field_overlap(np.array(loads)[inside], temperature), atol=0.02)
        assert np.all(row[np.array(loads) > 1.4 * boundary] < 0.6)


def test_phase_diagram_of_a_small_network():
    m = phase_diagram(400, [0.02, 0.3], [0.0, 0.3, 1.5], seeds=2, sweeps=40, rng=1)
    assert m.shape == (3, 2) and m[0, 0] > 0.99
    assert abs(m[1, 0] - mean_field_overlap(0.02, 0.3)) < 0.02
    assert np.all(m[2] < 0.25) and m[0, 1] < 0.7


def test_other_rules_hold_more():
    loads = [0.2]
    kept = {
        rule: capacity_curve(150, loads, rule=rule, seeds=4, rng=1).mean[0]
        for rule in ("hebb", "storkey", "projection")
    }
    assert kept["hebb"] < 0.9 and kept["storkey"] > 0.99 and kept["projection"] == 1.0


def test_too_few_sweeps_warn():
    with pytest.warns(RuntimeWarning, match="cues still move after 1 sweeps"):
        capacity_curve(100, [0.1], flipped=0.2, seeds=2, max_sweeps=1, rng=0)


def test_basins_shrink_with_the_load():
    radius = []
    for m in (3, 20):
        xi = random_patterns(m, 200, rng=1)
        rate, r = basin_size(Hopfield.store(xi), xi, trials=3, rng=2)
        assert rate[0] == 1.0 and rate[-1] < 0.5
        radius.append(r)
    assert radius[0] >= 0.35 > radius[1] > 0.05


@pytest.mark.parametrize(("n", "power"), [(3, 2), (20, 3), (21, 3), (64, 4), (65, None), (130, 2)])
def test_errors_of_a_count_do_not_depend_on_the_other_counts(n, power):
    counts = [1, 2, 3, 7, 40, 41, 150, 601]
    together = dense_errors(n, counts, power, trials=5, rng=3)
    assert [dense_errors(n, [c], power, trials=5, rng=3)[0] for c in counts] == together.tolist()
    assert dense_errors(n, counts[::3], power, trials=5, rng=3).tolist() == together[::3].tolist()


def test_a_seed_sequence_gives_the_same_numbers_each_time():
    root = np.random.SeedSequence(4)
    for call in (
        lambda: dense_errors(20, [30], 2, trials=3, rng=root),
        lambda: capacity_curve(40, [0.2], seeds=3, rng=root).overlaps,
        lambda: phase_diagram(30, [0.2], [0.5], seeds=2, sweeps=5, rng=root),
    ):
        assert np.array_equal(call(), call())


def test_blocks_of_patterns_do_not_alter_the_errors(monkeypatch):
    whole = dense_errors(40, [300, 900], 3, trials=3, rng=1)
    shares, lengths = capacity._shares, []

    def seen(xi, *rest):
        lengths.append(len(xi))
        return shares(xi, *rest)

    monkeypatch.setattr(capacity, "_shares", seen)
    monkeypatch.setattr(capacity, "BLOCK", 40 * 17)  # 18 patterns at a time
    assert dense_errors(40, [300, 900], 3, trials=3, rng=1).tolist() == whole.tolist() and max(lengths) == 18


def test_errors_at_power_two_are_those_of_the_binomial(tol):
    # the gap of a neuron is n - 1 and the crosstalk of 8 patterns, (n - 1) random signs each
    n, others = 41, 8
    errors = np.array([dense_errors(n, [1 + others], 2, trials=100, rng=seed)[0] for seed in range(30)])
    expected = binom.cdf((others - 1) * (n - 1) // 2 - 1, others * (n - 1), 0.5)
    assert abs(errors.mean() - expected) < tol.STATISTICAL * errors.std(ddof=1) / np.sqrt(len(errors))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mean_field_overlap(-0.1), "load"),
        (lambda: mean_field_overlap(0.1, 1.0), "temperature"),
        (lambda: first_step_error(np.nan), "load"),
        (lambda: capacity_curve(100, [0.0]), "loads"),
        (lambda: mean_field_overlap(0.1, np.nan), "temperature"),
        (lambda: retrieval_boundary([np.nan]), "temperature"),
        (lambda: capacity_curve(1, [0.1]), "n: got 1"),
        (lambda: capacity_curve(100.5, [0.1]), "n: got 100.5"),
        (lambda: capacity_curve(100, [0.1], seeds=1), "seeds: got 1"),
        (lambda: capacity_curve(100, [0.1], max_sweeps=0), "max_sweeps: got 0"),
        (lambda: capacity_curve(100, []), "loads"),
        (lambda: capacity_curve(100, [0.3, 0.05]), "rising"),
        (lambda: capacity_curve(100, [0.1], rule="sequence"), "leads away"),
        (lambda: basin_size(Hopfield.store([[1, -1]]), [[1, -1]], [0.5, 0.1]), "rising fractions"),
        (lambda: extrapolate([1, 2], [1, 2]), "3 or more"),
        (lambda: extrapolate([9, 9, 9], [1, 2, 3]), "3 or more different"),
        (lambda: extrapolate([0, 1, 2], [1, 2, 3]), "different positive"),
        (lambda: extrapolate([1, 2, 3], [1, 2, 3], exponent=0), "exponent"),
        (lambda: basin_size(Hopfield.store([[1, -1]]), [[1, -1]], trials=0), "trials: got 0"),
        (lambda: basin_size(Hopfield.store([[1, -1]]), [[1, -1]], []), "fractions"),
        (lambda: phase_diagram(50, [-0.1], [0.1]), "loads"),
        (lambda: phase_diagram(50, [0.1], [np.nan]), "temperatures"),
        (lambda: phase_diagram(50, [0.1], [0.1], seeds=0), "seeds: got 0"),
        (lambda: dense_errors(10, [3], 2, trials=0), "trials: got 0"),
        (lambda: dense_errors(10, [3], 1.5), "power: got 1.5"),
        (lambda: dense_errors(10, [3], None, beta=-1), "beta"),
        (lambda: dense_errors(10, [2.5], 2), "counts"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
