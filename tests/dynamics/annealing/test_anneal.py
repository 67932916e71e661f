"""Annealing and greedy descent: known ground states, independent reads, schedules, bad input."""

import itertools

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Readout, Real, Spin, System
from physlearn.dynamics import Annealed, anneal, greedy
from physlearn.dynamics.sampling.engines import energies_of, start_sampler
from physlearn.models import SpinGlass
from physlearn.terms import Bias, Dense, Edges, Pairs, PottsBias, PottsPairs

SCHEDULES = ("geometric", "linear", "adaptive")


def glass(kind, rng, n=16):
    pairs = np.stack(np.triu_indices(n, 1), 1)
    theta = {"J": rng.normal(size=len(pairs)) / np.sqrt(n), "bias": rng.normal(0, 0.2, n)}
    return Energy({"s": (kind, n)}, [Pairs("s", pairs, n), Bias("s")], theta, {"some": Readout("s", [0, 7])})


def torus(length, rng):
    """+-J couplings on a periodic square lattice."""
    i = np.arange(length**2).reshape(length, length)
    across, down = np.roll(i, -1, 1), np.roll(i, -1, 0)
    pairs = np.concatenate([np.stack([i.ravel(), far.ravel()], 1) for far in (across, down)])
    theta = {"J": rng.choice([-1.0, 1.0], len(pairs))}
    return Energy({"s": (Spin(), length**2)}, [Pairs("s", pairs, length**2)], theta)


def torus_ground_energy(energy, length):
    """The minimum over all states, row by row (a transfer matrix in the algebra of min and +)."""
    across, down = energy.theta["J"].reshape(2, length, length)
    rows = np.array(list(itertools.product((-1.0, 1.0), repeat=length)))
    within = [-(rows * np.roll(rows, -1, 1)) @ across[r] for r in range(length)]
    between = [-(rows * down[r]) @ rows.T for r in range(length)]
    best = np.inf
    for first in range(len(rows) // 2):  # the other half has all spins turned
        cost = within[0][first] + between[0][first]
        for r in range(1, length):
            cost = np.min((cost + within[r])[:, None] + between[r], 0)
        best = min(best, cost[first])
    return best


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("method", ["auto", "heatbath", "gibbs"])
@pytest.mark.parametrize("kind, values", [(Spin(), (-1.0, 1.0)), (Binary(), (0.0, 1.0))])
def test_enumerated_glasses(schedule, method, kind, values, rng):
    energy = glass(kind, rng, 16 if method != "gibbs" else 9)
    states = np.array(list(itertools.product(values, repeat=energy.layers["s"].size)))
    e = energy(states)
    found = anneal(energy, schedule, reads=10, sweeps=200 if method != "gibbs" else 40, method=method, rng=1)
    assert found.energy == pytest.approx(e.min(), rel=1e-12)
    assert np.array_equal(found.x, states[np.argmin(e)])
    np.testing.assert_allclose(found.energies, energy(found.states), rtol=1e-12)
    low = values[0]
    held = states[(states[:, 0] == low) & (states[:, 7] == values[1])]
    clamped = anneal(energy, schedule, reads=10, sweeps=60, clamp={"some": [low, values[1]]}, method=method, rng=1)
    assert clamped.energy == pytest.approx(energy(held).min(), rel=1e-12)


@pytest.mark.parametrize("length", [4, 6])
def test_ground_states_of_small_tori(length, rng):
    energy = torus(length, rng)
    exact = torus_ground_energy(energy, length)
    found = anneal(energy, reads=40, sweeps=400, rng=2)
    assert found.energy == exact
    assert found.energies.min() == exact and np.all(found.energies >= exact)
    assert found.time_to_solution(exact) < 400 * 20


def test_sherrington_kirkpatrick_ground_states(tol):
    """Parisi's e = -0.76317 and its finite size 0.70 N^(-2/3) (Boettcher 2005), over samples of the couplings."""
    sizes, e, error = np.array([32, 64, 128]), [], []
    for n, samples in zip(sizes, (150, 100, 60), strict=True):
        glasses = [SpinGlass.sherrington_kirkpatrick(n, rng=1000 + k) for k in range(samples)]
        found = [anneal(g, reads=8, sweeps=300, hot=1.5, cold=0.05, rng=k).energy / n for k, g in enumerate(glasses)]
        e.append(np.mean(found))
        error.append(np.std(found, ddof=1) / np.sqrt(samples))
    assert np.all(np.abs(e - (-0.7631667 + 0.70 * sizes ** (-2 / 3))) < tol.STATISTICAL * np.array(error))
    (slope, limit), covariance = np.polyfit(sizes ** (-2 / 3), e, 1, w=1 / np.array(error), cov="unscaled")
    assert abs(limit + 0.7631667) < tol.STATISTICAL * np.sqrt(covariance[1, 1])
    assert abs(slope - 0.70) < tol.STATISTICAL * np.sqrt(covariance[0, 0])


def test_reads_are_independent_and_do_not_depend_on_their_number(rng):
    energy = torus(8, rng)
    # few sweeps: states of their own, which good reads would share
    few, many = anneal(energy, reads=3, sweeps=5, rng=4), anneal(energy, reads=80, sweeps=5, rng=4)
    assert np.array_equal(few.states, many.states[:3]) and np.array_equal(few.energies, many.energies[:3])
    assert np.array_equal(few.temperatures, many.temperatures)
    assert len({x.tobytes() for x in many.states}) == 80
    assert not np.array_equal(anneal(energy, reads=3, sweeps=5, rng=5).states, few.states)
    assert np.array_equal(anneal(energy, reads=80, sweeps=5, rng=4, threads=2).states, many.states)
    a, b = greedy(energy, reads=3, rng=4), greedy(energy, reads=80, rng=4)
    assert np.array_equal(a.states, b.states[:3]) and len({x.tobytes() for x in b.states}) == 80


def test_slower_is_lower(rng):
    energy = glass(Spin(), rng, 100)
    mean = [anneal(energy, reads=100, sweeps=sweeps, rng=0).energies.mean() for sweeps in (10, 100, 1000)]
    assert mean[0] > mean[1] > mean[2]
    assert greedy(energy, reads=100, rng=0).energies.mean() > mean[0]


@pytest.mark.parametrize("shape", ["sparse", "dense"])
def test_default_range_brackets_the_transition(shape, rng):
    if shape == "sparse":
        energy, transition = torus(10, rng), 1.0
    else:
        energy, transition = glass(Spin(), rng, 200), 1.0  # Sherrington-Kirkpatrick
    t = anneal(energy, reads=1, sweeps=3, rng=0).temperatures
    assert 8 * transition > t[0] > 1.5 * transition and 0.7 * transition > t[-1] > 1e-3 * transition
    # In units twice as large everything is twice as hot.
    doubled = anneal(energy.with_theta({k: 2 * v for k, v in energy.theta.items()}), reads=1, sweeps=3, rng=0)
    np.testing.assert_allclose(doubled.temperatures, 2 * t, rtol=1e-6)


@pytest.mark.parametrize("reads", [3, 20])  # chain by chain, and in lanes
@pytest.mark.parametrize("shape", ["sparse", "dense", "user"])
def test_reads_keep_their_best_state(shape, reads, rng):
    """A read that is heated again at the end still returns the lowest state that the same sweeps came through."""
    energy = torus(6, rng) if shape == "sparse" else glass(Spin(), rng, 30)
    method = "gibbs" if shape == "user" else "metropolis"  # gibbs: the loop for engines that keep no fields
    schedule = np.concatenate([np.geomspace(3.0, 0.2, 40), np.full(20, 5.0)])
    found = anneal(energy, schedule, reads=reads, method=method, rng=4)
    sampler, seen = start_sampler(energy, reads, None, None, method, 4, {}), []
    for temperature in schedule:
        sampler.run(1, np.full(reads, temperature))
        seen.append(energies_of(energy, sampler))
    np.testing.assert_allclose(found.energies, np.min(seen, 0), atol=1e-9)
    np.testing.assert_allclose(found.energies, energy(found.states), atol=1e-9)
    assert np.all(found.energies < seen[-1]) and found.energy == found.energies.min()
    few = anneal(energy, schedule, reads=2, method=method, rng=4)
    np.testing.assert_array_equal(few.states, found.states[:2])


def test_default_range_knows_the_kind(rng):
    # s = 2 x - 1: a 0/1 variable's gap of 4 J is the spin's gap of 2 |f| over the same moves.
    spin = torus(6, rng)
    pairs, j = np.stack([spin.terms[0].i, spin.terms[0].j], 1), spin.theta["J"]
    bias = -2 * np.bincount(pairs.ravel(), np.repeat(j, 2), 36)
    binary = Energy({"s": (Binary(), 36)}, [Pairs("s", pairs, 36), Bias("s")], {"J": 4 * j, "bias": bias})
    x = rng.choice([-1.0, 1.0], (5, 36))
    np.testing.assert_allclose(np.diff(spin(x)), np.diff(binary((x + 1) / 2)), atol=1e-12)
    a, b = (anneal(e, reads=1, sweeps=2, rng=0).temperatures for e in (spin, binary))
    np.testing.assert_allclose(a, b, rtol=0.35)


def test_schedules_have_their_shape(rng):
    energy = torus(4, rng)
    t = {name: anneal(energy, name, reads=2, sweeps=9, hot=4.0, cold=0.5, rng=0).temperatures for name in SCHEDULES}
    np.testing.assert_allclose(t["geometric"], 4.0 * 0.125 ** (np.arange(9) / 8))
    np.testing.assert_allclose(t["linear"], np.linspace(4.0, 0.5, 9))
    assert t["adaptive"][0] == pytest.approx(4.0) and t["adaptive"][-1] == pytest.approx(0.5)
    assert np.all(np.diff(t["adaptive"]) < 0)
    own = [3.0, 2.0, 1.0]
    assert anneal(energy, own, reads=2, rng=0).temperatures.tolist() == own


def test_adaptive_schedule_has_constant_thermodynamic_speed():
    # Free spins in fields h: sigma_E(T) = h / cosh(h/T), so the distance from T1 to T2 is known in closed form.
    n, h = 400, 1.0
    free = Energy({"s": (Spin(), n)}, [Bias("s")], {"bias": np.full(n, h)})
    found = anneal(free, "adaptive", reads=1, sweeps=41, hot=5.0, cold=0.2, method="heatbath", rng=0).temperatures
    length = np.arcsin(np.tanh(h / found))  # integral of sigma / T^2 dT = gd(h/T)
    steps = np.diff(length)
    assert np.all(np.abs(steps / steps.mean() - 1) < 0.25)


def test_other_machines(rng):
    # The cycle of five in three colours; a 3 + 2 restricted Boltzmann machine; a user's choice of engine.
    ring = [(i, (i + 1) % 5) for i in range(5)]
    colours = Energy({"s": (Potts(3), 5)}, [PottsPairs("s", ring, 3)], {"J": -np.ones(5)})
    found = anneal(colours, reads=10, sweeps=100, rng=0)
    assert found.energy == 0.0 and found.x.dtype == np.int64 and found.method == "heat bath (local forms)"
    w = rng.normal(size=(3, 2))
    rbm = Energy({"v": (Binary(), 3), "h": (Binary(), 2)}, [Dense(("v", "h"))], {"W": w})
    found = anneal(rbm, reads=20, sweeps=100, rng=0)
    bits = np.array(list(itertools.product((0.0, 1.0), repeat=5)))
    assert found.energy == pytest.approx(rbm({"v": bits[:, :3], "h": bits[:, 3:]}).min())
    assert set(found.x) == {"v", "h"} and found.states["v"].shape == (20, 3)
    assert greedy(rbm, reads=20, rng=0).energy == pytest.approx(found.energy)
    assert greedy(colours, reads=20, rng=0).energy == 0.0


@pytest.mark.parametrize("kind", [Spin(), Binary()])
@pytest.mark.parametrize("n", [12, 60])
def test_greedy_ends_where_no_move_lowers_the_energy(kind, n, rng):
    dense = glass(kind, rng, n)
    chain = Energy({"s": (kind, n)}, [Pairs("s", [(i, i + 1) for i in range(n - 1)], n)], {"J": rng.normal(size=n - 1)})
    for energy in (dense, chain):
        found = greedy(energy, reads=10, rng=3)
        np.testing.assert_allclose(found.energies, energy(found.states), rtol=1e-12, atol=1e-12)
        for x, e in zip(found.states, found.energies, strict=True):
            moved = np.tile(x, (n, 1))
            np.fill_diagonal(moved, (-x) if isinstance(kind, Spin) else 1 - x)
            assert np.all(energy(moved) >= e - 1e-9)


@pytest.mark.parametrize("reads", [2, 20])
def test_greedy_judges_ties_by_each_variable(reads):
    """A pair coupled 1e15 times weaker than another one beside it still falls."""
    pairs = Energy({"s": (Spin(), 4)}, [Pairs("s", [(0, 1), (2, 3)])], {"J": [1e12, 1e-3]})
    found = greedy(pairs, reads=reads, rng=0)
    assert np.all(found.states[:, 2] == found.states[:, 3]) and np.all(found.states[:, 0] == found.states[:, 1])


def test_greedy_warns_when_cut_short(rng):
    with pytest.warns(RuntimeWarning, match="not at rest after 1 sweeps; raise max_sweeps"):
        greedy(glass(Spin(), rng, 60), reads=4, max_sweeps=1, rng=0)


@pytest.mark.parametrize("kind", [Spin(), Binary()])
@pytest.mark.parametrize("penalty", [1e3, 1e6, 1e9, 1e12])
def test_weak_variables_beside_strong_ones_find_their_places(kind, penalty, rng):
    # constraints of size `penalty`, each pair of one sort; all else is free to follow its field of size 1
    low, groups, free = -1.0 if kind == Spin() else 0.0, 6, 40
    n = 2 * groups + free
    h = np.r_[np.tile([-penalty, 0.0], groups), rng.choice((-1.0, 1.0), free)]
    pairs = [(2 * k, 2 * k + 1) for k in range(groups)]
    pairs += [(2 * groups + k, 2 * groups + k + 1) for k in range(free - 1)]
    j = np.r_[np.full(groups, -penalty), np.full(free - 1, 0.1)]
    energy = Energy({"s": (kind, n)}, [Pairs("s", pairs, n), Bias("s")], {"J": j, "bias": h})
    chain = Energy(
        {"s": (kind, free)},
        [Pairs("s", [(k, k + 1) for k in range(free - 1)]), Bias("s")],
        {"J": j[groups:], "bias": h[2 * groups :]},
    )
    for schedule in ("geometric", "adaptive"):
        found = anneal(energy, schedule, reads=8, rng=0)
        weak = found.states[:, 2 * groups :]
        assert np.allclose(chain(weak), chain(np.where(h[2 * groups :] > 0, 1.0, low)), rtol=1e-12)
        assert np.all(found.states[:, : 2 * groups : 2] == low)


@pytest.mark.parametrize("decades", [3, 7, 12])
def test_fields_over_many_decades_are_all_followed(decades, rng):
    h = rng.choice((-1.0, 1.0), 60) * np.logspace(-decades, 0, 60)
    energy = Energy({"s": (Spin(), 60)}, [Bias("s")], {"bias": h})
    assert np.array_equal(anneal(energy, reads=4, rng=0).states, np.tile(np.sign(h), (4, 1)))


def test_potts_variables_of_two_scales():
    bias = np.zeros((12, 3))
    bias[:2, 1], bias[2:, 2] = 1e9, 1.0
    energy = Energy({"s": (Potts(3), 12)}, [PottsBias("s")], {"bias": bias})
    assert np.array_equal(anneal(energy, reads=4, rng=0).states, np.tile([1, 1, *[2] * 10], (4, 1)))


def test_moves_that_cost_nothing_but_rounding_do_not_set_the_cold_end(rng):
    # 0.1 + 0.2 - 0.3 is not zero in floats: spins between such couplings are free, whatever the temperature
    n = 40
    pairs = [(k, n + k) for k in range(n)] + [(k, 2 * n + k) for k in range(n)] + [(k, 3 * n + k) for k in range(n)]
    theta = {"J": np.repeat([0.1, 0.2, -0.3], n), "bias": np.r_[np.zeros(n), np.ones(3 * n)]}
    energy = Energy({"s": (Spin(), 4 * n)}, [Pairs("s", pairs, 4 * n), Bias("s")], theta)
    assert anneal(energy, reads=2, rng=0).temperatures[-1] > 0.01


@pytest.mark.parametrize("unit", [1e-18, 1e-12, 1.0, 1e12])
def test_what_counts_as_reached_does_not_depend_on_the_unit(unit):
    record = Annealed(None, 0.0, None, unit * np.array([-8.0, -4.0, -12.0]), np.ones(3), "")
    assert record.time_to_solution(-16 * unit) == np.inf
    assert record.time_to_solution(-12 * unit * (1 + 1e-10)) == record.time_to_solution(-12 * unit) < np.inf
    assert record.time_to_solution(-12 * unit * (1 + 1e-8)) == np.inf
    reached = Annealed(None, 0.0, None, unit * np.array([0.1 + 0.2 - 0.3, 0.5]), np.ones(3), "")
    assert reached.time_to_solution(0.0) == pytest.approx(3 * np.log(0.01) / np.log(0.5))


def test_time_to_solution():
    record = Annealed(np.ones(1), -2.0, np.ones((4, 1)), np.array([-2.0, -2.0, -1.0, 0.0]), np.ones(100), "none")
    assert record.time_to_solution(-2.0) == pytest.approx(100 * np.log(0.01) / np.log(0.5))
    assert record.time_to_solution(-2.0, confidence=0.4) == 100
    assert record.time_to_solution(0.0) == 100 and record.time_to_solution(-2.5) == np.inf
    with pytest.raises(ValueError, match="between 0 and 1"):
        record.time_to_solution(0.0, 1.0)
    assert "energy=-2, reads=4, sweeps=100" in repr(record)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"schedule": "fast"}, "expected one of .*geometric"),
        ({"schedule": [1.0, 0.0]}, "expected positive finite temperatures"),
        ({"schedule": []}, "expected positive finite temperatures"),
        ({"schedule": [1.0, 0.5], "sweeps": 3}, "got 2 temperatures and also sweeps"),
        ({"sweeps": 0}, "sweeps: got 0"),
        ({"sweeps": 1.5}, "sweeps: got 1.5"),
        ({"hot": "very"}, "hot: got 'very'"),
        ({"x0": np.ones((3, 16))}, "x0: 3 states"),
        ({"hot": 1.0, "cold": 2.0}, "expected hot to be the larger"),
        ({"hot": -1.0}, "hot: got -1.0"),
        ({"cold": np.nan}, "cold: got nan"),
        ({"reads": 0}, "at least 1"),
        ({"method": "fast"}, "method: got 'fast'"),
    ],
)
def test_bad_input(given, message, rng):
    with pytest.raises(ValueError, match=message):
        anneal(torus(4, rng), rng=0, **given)


def test_what_cannot_be_annealed(rng):
    springs = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]})
    held = Energy(
        springs.layers, springs.terms, springs.theta, fixed={"end": [1.0]}, readouts={"end": Readout("v", [0])}
    )
    with pytest.raises(ValueError, match="no default range for layer 'v'.*pass hot and cold"):
        anneal(held, rng=0)
    found = anneal(held, reads=5, sweeps=50, hot=1.0, cold=1e-8, rng=0)
    assert found.energy < 1e-6
    bare = System({"s": (Spin(), 2)}, [Bias("s")], {"bias": [1.0, 1.0]})
    for verb in (anneal, greedy):
        with pytest.raises(TypeError, match="energy: "):
            verb(bare)
    with pytest.raises(ValueError, match="reads: got 0"):
        greedy(torus(4, rng), reads=0)


@pytest.mark.parametrize("schedule", ["geometric", "linear", "adaptive"])
@pytest.mark.parametrize("exponent", [-600, 500, 600])
def test_energies_whose_squares_leave_the_range_of_floats(schedule, exponent, rng):
    """Powers of two change no digit, so that every draw and every state are the same."""
    one, unit = torus(4, rng), 2.0**exponent
    other = one.with_theta({"J": unit * one.theta["J"]})
    a, b = (anneal(energy, schedule, reads=3, sweeps=30, rng=1) for energy in (one, other))
    np.testing.assert_array_equal(a.states, b.states)
    np.testing.assert_array_equal(a.energies, b.energies / unit)
    if schedule != "geometric":  # whose logarithms round
        np.testing.assert_allclose(a.temperatures, b.temperatures / unit, rtol=1e-12)
