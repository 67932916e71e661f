"""Population annealing against enumeration: free energies, means, families; and what it refuses."""

import numpy as np
import pytest

from physlearn import Binary, Energy, Mean, Readout, Real, Spin, enumerate_states
from physlearn.dynamics.annealing.population_annealing import population_annealing, systematic
from physlearn.models import RBM, Ising, PottsModel, SpinGlass
from physlearn.terms import Bias, Edges, Pairs

LADDER = np.geomspace(6.0, 0.7, 7)


def glass(rng, kind=None, n=12):
    pairs = np.stack(np.triu_indices(n, 1), 1)
    theta = {"J": rng.normal(size=len(pairs)) / np.sqrt(n), "bias": rng.normal(0, 0.2, n)}
    some = {"some": Readout("s", [0, 7]), "push": Readout("s", [2], force=True)}
    return Energy({"s": (kind or Spin(), n)}, [Pairs("s", pairs, n), Bias("s")], theta, some)


MACHINES = {
    "spins": (glass, "heatbath", "heat bath"),
    "bits": (lambda rng: glass(rng, Binary()), "metropolis", "Metropolis"),
    "lattice, 64 a word": (lambda rng: SpinGlass.edwards_anderson((4, 3), rng=rng), "auto", "64 chains a word"),
    "checkerboard": (lambda rng: Ising.square((4, 3), 0.5, periodic=False, field=0.2), "auto", "checkerboard"),
    "clusters": (lambda rng: PottsModel.square(3, q=3), "swendsen_wang", "Swendsen-Wang"),
    "codes": (lambda rng: PottsModel.square((2, 4), rng.normal(size=10), q=3, periodic=False), "auto", "local"),
    "RBM": (lambda rng: RBM(6, 5, scale=1.0, rng=rng).energy, "auto", "Gibbs (blocks)"),
}


def z_score(runs, exact):
    return (np.mean(runs) - exact) / (np.std(runs, ddof=1) / np.sqrt(len(runs)))


@pytest.mark.parametrize("name", MACHINES)
def test_against_enumeration(name, rng, tol):
    """<Z> over runs is exact at every temperature, and so are means weighted by Z (Machta 2010, eq. 20)."""
    make, method, shown = MACHINES[name]
    energy = make(rng)
    first = next(iter(energy.layers))
    watch = {"x": lambda x: x[first].reshape(len(x[first]), -1)[:, 1].astype(float)}
    runs = [
        population_annealing(energy, temperatures=LADDER, population=200, sweeps=2, method=method, observe=watch, rng=k)
        for k in range(24)
    ]
    assert shown in runs[0].method and runs[0].method.startswith("population annealing over")
    for k in (0, 3, 6):
        exact = enumerate_states(energy, temperature=LADDER[k])
        mean = exact.mean(lambda x: x[first].reshape(len(x[first]), -1)[:, 1])
        weight = np.array([np.exp(run.log_z[k] - exact.log_z) for run in runs])
        assert abs(z_score(weight, 1.0)) < tol.STATISTICAL
        seen = np.array([(run.energy[k], run.observed["x"][k]) for run in runs]) - (exact.energy, mean)
        for left in (weight[:, None] * seen).T:  # the error of a ratio of means
            assert abs(z_score(left, 0.0)) < tol.STATISTICAL
    lowest = enumerate_states(energy, temperature=1.0).energies.min()
    assert runs[0].best == pytest.approx(lowest)
    one = runs[0]
    np.testing.assert_allclose(one.free_energy, -LADDER * one.log_z, rtol=tol.IDENTITY)
    shape = np.shape(one.states if not isinstance(one.states, dict) else one.states[first])
    assert shape == (200, *energy.layers[first].shape) and float(energy(one.x)) == pytest.approx(one.best)


def test_heat_capacity_and_clamps(rng, tol):
    energy, clamp = glass(rng), {"some": [1.0, -1.0]}
    runs = [
        population_annealing(energy, temperatures=LADDER, population=400, sweeps=3, clamp=clamp, rng=k)
        for k in range(24)
    ]
    assert all(np.all(run.states[:, [0, 7]] == [1.0, -1.0]) for run in runs[:3])
    exact = enumerate_states(energy, temperature=LADDER[-1], clamp=clamp)
    weight = np.exp([run.log_z[-1] - exact.log_z for run in runs])
    assert abs(z_score(weight, 1.0)) < tol.STATISTICAL
    capacity = [run.heat_capacity[-1] for run in runs]
    assert np.mean(capacity) == pytest.approx(exact.heat_capacity, rel=0.05)
    np.testing.assert_allclose(energy(runs[0].states), runs[0].energies, rtol=tol.IDENTITY)


def test_families(rng):
    """Families only shrink; without a step's weights (a flat energy) nobody dies."""
    found = population_annealing(glass(rng), temperatures=LADDER, population=500, rng=1)
    assert np.all(np.diff(found.families) <= 0) and found.families[-1] == len(np.unique(found.family))
    sizes = np.bincount(found.family)
    assert found.rho_t[-1] == pytest.approx(np.sum(sizes**2) / 500) and np.all(np.diff(found.rho_t) > -1e-12)
    flat = Energy({"s": (Spin(), 4)}, [Bias("s")], {"bias": np.zeros(4)})
    still = population_annealing(flat, temperatures=[2.0, 1.0], population=50, rng=0)
    assert still.rho_t.tolist() == [1.0, 1.0] and still.families.tolist() == [50, 50]
    np.testing.assert_allclose(still.log_z, 4 * np.log(2))


def testsystematic_resampling_gives_a_state_its_share(rng):
    share = rng.dirichlet(np.ones(7))
    counts = np.array([np.bincount(systematic(share, u), minlength=7) for u in (np.arange(5000) + 0.5) / 5000])
    assert np.all(np.abs(counts - 7 * share) < 1.0)  # one of the two whole numbers beside the share
    np.testing.assert_allclose(counts.mean(0), 7 * share, atol=2e-4)


def test_free_energy_of_the_critical_torus(tol):
    """4 x 4 Ising at T = 3 and T = 2.0: ln Z of the literature's enumeration."""
    ladder = 1 / np.linspace(0.05, 0.5, 10)
    ladder = np.sort(np.append(ladder, 3.0))[::-1]
    runs = [population_annealing(Ising.square(4), temperatures=ladder, population=512, sweeps=3, rng=k)
            for k in range(16)]  # fmt: skip
    for temperature, exact in ((3.0, 13.281033), (2.0, 17.105367)):
        k = int(np.argmin(np.abs(ladder - temperature)))
        assert abs(z_score(np.exp([run.log_z[k] - exact for run in runs]), 1.0)) < tol.STATISTICAL


def test_same_seed_same_bits(rng):
    energy = glass(rng)

    def run(**settings):
        return population_annealing(energy, temperatures=LADDER, population=150, rng=4, **settings)

    a, b = run(method="heatbath"), run(method="heatbath", threads=2)
    assert np.array_equal(a.states, b.states) and np.array_equal(a.log_z, b.log_z)
    assert not np.array_equal(a.states, population_annealing(energy, temperatures=LADDER, population=150, rng=5).states)
    assert "rho_t=" in repr(a)


def test_too_few_families_are_reported():
    ring = Energy({"s": (Spin(), 12)}, [Pairs("s", [(k, (k + 1) % 12) for k in range(12)])], {"J": np.ones(12)})
    with pytest.warns(RuntimeWarning, match="rho_t = .* take more temperatures"):
        population_annealing(ring, temperatures=[0.05], population=100, rng=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"temperatures": [1.0, 2.0]}, "strictly decreasing"),
        ({"temperatures": []}, "expected a line"),
        ({"temperatures": [[1.0]]}, "expected a line"),
        ({"temperatures": [1.0, 0.0]}, "positive finite"),
        ({"population": 1}, "population: got 1"),
        ({"sweeps": 0}, "sweeps: got 0"),
        ({"clamp": {"some": np.ones((3, 2))}}, "a batch of 3 items"),
        ({"clamp": {"push": [1.0]}}, "gives a force"),
        ({"method": "wolff"}, "does not fit"),
        ({"observe": {"m": lambda x: x["s"].mean()}}, r"observe\['m'\]: returned float64 of shape \(\)"),
        ({"observe": {"energy": lambda x: x["s"].mean(1)}}, "observe: 'energy' is the name"),
    ],
)
def test_bad_input(given, message, rng):
    with pytest.raises(ValueError, match=message):
        population_annealing(glass(rng), **({"temperatures": [2.0, 1.0], "rng": 0} | given))


def test_observables_are_means_over_the_population(rng):
    watch = {"s": lambda x: x["s"], "kept": Mean(lambda x: x["s"]), "m": lambda x: x["s"].mean(1)}
    found = population_annealing(glass(rng), temperatures=[2.0, 1.0], population=50, observe=watch, rng=0)
    np.testing.assert_allclose(found.observed["s"][-1], found.states.mean(0), atol=1e-12)
    np.testing.assert_array_equal(found.observed["kept"], found.observed["s"])
    np.testing.assert_allclose(found.observed["m"], found.observed["s"].mean(1), atol=1e-12)
    with pytest.raises(TypeError, match="observe: got a list"):
        population_annealing(glass(rng), temperatures=[2.0], observe=[1], rng=0)


def test_real_variables_are_refused():
    spring = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [2.0]})
    with pytest.raises(ValueError, match="no uniform distribution to start from"):
        population_annealing(spring, temperatures=[1.0])
