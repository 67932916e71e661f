import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Real, Spin, System, check_energy, enumerate_states, relax, sample
from physlearn.lagrangians import Tanh
from physlearn.models import DenseMemory, Hopfield, dense_errors, digits, flip, letters, overlap, random_patterns
from physlearn.terms import LogSumExp, OneWay, Separation, SquaredNorm

POWERS = [2, 3, 4, None]


@pytest.mark.parametrize("kind", [Spin(), Binary(), Real()])
def test_terms_pass_the_audit(kind, rng):
    patterns = rng.uniform(-1.5, 1.5, (4, 6))
    for term in (
        Separation("s", 2),
        Separation("s", 3),
        Separation("s", 5, rectified=True),
        LogSumExp("s", 0.7),
    ):
        check_energy(Energy({"s": (kind, 6)}, [term], {"patterns": patterns}))
    check_energy(Energy({"s": (Real(), 6)}, [SquaredNorm("s")], {}))
    check_energy(System({"s": (kind, 6)}, [OneWay("s")], {"W": rng.standard_normal((6, 6))}))


def test_power_two_is_hebb():
    xi = random_patterns(5, 32, rng=1)
    x = random_patterns(20, 32, rng=2)
    dense, hebb = DenseMemory(xi, 2), Hopfield.store(xi)
    assert np.allclose(dense.energy(x) + 5 / 2, hebb.energy(x))  # the diagonal is m/2
    assert np.array_equal(dense.recall(x, order="fixed").x, hebb.recall(x, order="fixed").x)


def test_exponential_is_the_logarithm_of_demircigil():
    xi, x = random_patterns(5, 20, rng=1), random_patterns(3, 20, rng=2)
    assert np.allclose(DenseMemory(xi, None).energy(x), -np.log(np.sum(np.exp(x @ xi.T), 1)))


@pytest.mark.parametrize("power", POWERS)
def test_recall_and_relax_agree_and_energies_fall(power):
    xi = random_patterns(15, 40, rng=1)
    memory, cue = DenseMemory(xi, power), flip(xi, 0.15, rng=2)
    found, rest = memory.recall(cue, order="fixed"), relax(memory.energy, cue)
    assert np.array_equal(found.x, rest.x) and rest.method == "descent (compiled)"
    assert np.all(found.settled) and np.allclose(found.energy, memory.energy(found.x))
    assert np.all(found.energy <= memory.energy(cue) + 1e-12)
    assert np.all(memory.gaps(found.x) * found.x > -1e-12)
    if power != 2:
        assert np.array_equal(found.x, xi)
    single = memory.recall(cue[0], rng=5)
    assert np.array_equal(single.x, memory.recall(cue, rng=5).x[0])


@pytest.mark.parametrize("power", POWERS)
def test_finite_temperature_draws_from_the_boltzmann_distribution(power, tol):
    memory = DenseMemory(random_patterns(3, 8, rng=3), power, beta=0.3)
    exact = enumerate_states(memory.energy, temperature=0.8)
    energies = memory.recall(random_patterns(3000, 8, rng=1), temperature=0.8, max_sweeps=25, rng=2).energy
    assert abs(energies.mean() - exact.energy) < tol.STATISTICAL * energies.std(ddof=1) / np.sqrt(3000)
    drawn = sample(memory.energy, temperature=0.8, n_samples=100, chains=12, thin=5, rng=0)
    error = drawn.energy.mean(1).std(ddof=1) / np.sqrt(12)
    assert abs(drawn.energy.mean() - exact.energy) < tol.STATISTICAL * error


@pytest.mark.parametrize(("beta", "scale", "heat"), [(0.3, 1, 2.0), (20.0, 1, 2.0), (400.0, 1, 2.0), (1.0, 400, 800.0)])
def test_heat_is_felt_however_steep_the_exponential(beta, scale, heat, tol):
    xi = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]])
    term = LogSumExp("s", beta)
    energy = Energy({"s": (Spin(), 4)}, [term], {"patterns": scale * xi})
    exact = enumerate_states(energy, temperature=heat).energy
    run = sample(energy, temperature=heat, n_samples=50, chains=30, thin=4, rng=0)
    means = [run.energy.mean(1)]
    if scale == 1:
        means.append(DenseMemory(xi, None, beta=beta).recall(np.ones((2000, 4)), temperature=heat, rng=1).energy)
    for mean in means:
        assert abs(mean.mean() - exact) < tol.STATISTICAL * mean.std(ddof=1) / np.sqrt(len(mean))


def test_continuous_states_fall_into_corners():
    xi = random_patterns(3, 20, rng=1)
    memory = DenseMemory(xi, 3)
    check_energy(memory.continuous)
    rest = relax(memory.continuous, 0.5 * flip(xi, 0.1, rng=2))
    assert np.array_equal(rest.x, xi)


def test_number_of_patterns_grows_as_a_power_of_neurons():
    # load K/(n^(p-1)/(2p-3)!!) at which 2 % of neurons are unstable; the slope of log K is p - 1
    for power, sizes, trials in ((2, (60, 120, 240), 100), (3, (30, 60, 120), 30)):
        held = []
        for n in sizes:
            scale = n ** (power - 1) / (1 if power == 2 else 3)
            counts = np.unique(np.round(np.geomspace(0.1, 0.7, 8) * scale).astype(int))
            errors = dense_errors(n, counts, power, trials=trials, rng=1)
            held.append(np.exp(np.interp(0.02, errors, np.log(counts))))
        slope = np.polyfit(np.log(sizes), np.log(held), 1)[0]
        assert abs(slope - (power - 1)) < 0.15, (power, held)


@pytest.mark.slow
def test_number_of_patterns_grows_as_the_cube_for_power_four():
    sizes, held = (40, 60, 90), []
    for n in sizes:
        counts = np.unique(np.round(np.geomspace(0.1, 0.7, 8) * n**3 / 15).astype(int))
        errors = dense_errors(n, counts, 4, trials=20, rng=1)
        held.append(np.exp(np.interp(0.02, errors, np.log(counts))))
    assert abs(np.polyfit(np.log(sizes), np.log(held), 1)[0] - 3) < 0.3, held


def test_exponential_memory_holds_exponentially_many():
    # Demircigil et al. 2017: exp(a n) patterns are fixed for a < ln(2)/2
    for n in (12, 18, 24, 30):
        assert dense_errors(n, [int(2 ** (n / 2))], None, trials=5, rng=n)[0] < 0.01
    xi = np.unique(random_patterns(2**12, 24, rng=3), axis=0)
    asked = xi[::200]
    assert np.array_equal(DenseMemory(xi, None).recall(asked, rng=1).x, asked)
    assert not np.array_equal(DenseMemory(xi, 2).recall(asked, rng=1).x, asked)


def test_an_exponential_of_many_neurons_does_not_underflow():
    xi = random_patterns(50, 1500, rng=1)
    assert np.array_equal(DenseMemory(xi, None).recall(flip(xi[:3], 0.4, rng=2), rng=3).x, xi[:3])
    assert np.array_equal(DenseMemory(xi, 30).recall(flip(xi[:3], 0.3, rng=2), rng=3).x, xi[:3])


@pytest.mark.parametrize("settings", [{"power": 400}, {"power": None, "beta": 1e6}])
@pytest.mark.parametrize("heat", [0.0, 1e-3])
def test_the_steepest_functions_do_not_overflow(settings, heat):
    xi = random_patterns(5, 30, rng=1)
    cue = xi if heat else flip(xi, 0.1, rng=2)  # beside the patterns the energy is flat
    with np.errstate(over="raise", invalid="raise"):
        assert np.array_equal(DenseMemory(xi, **settings).recall(cue, temperature=heat, max_sweeps=5, rng=3).x, xi)


def test_clamped_neurons_stay():
    xi = random_patterns(4, 30, rng=1)
    cue = flip(xi[0], 0.2, rng=2)
    found = DenseMemory(xi).recall(cue, free=np.arange(15), rng=1).x
    assert np.array_equal(found[15:], cue[15:]) and overlap(found[:15], xi[:1, :15])[0] == 1


def test_classes_go_from_features_to_prototypes():
    pictures = np.concatenate([digits(), letters("ABCDEF")]).reshape(16, 35)
    labels = 2.0 * np.eye(16) - 1.0
    shown = flip(np.repeat(pictures, 5, 0), 0.08, rng=1)
    used, right = [], []
    for power in (2, 3, 20):
        label, count = DenseMemory(np.concatenate([pictures, labels], 1), power).classify(shown, 16)
        right.append(np.mean(label == np.repeat(np.arange(16), 5)))
        used.append(count.mean())
    assert used[0] > used[1] > used[2] and used[0] > 8 and used[2] < 2  # Krotov and Hopfield 2016, section 5
    assert right[2] > 0.95
    one = DenseMemory(np.concatenate([pictures, labels], 1), None).classify(pictures[3], 16)
    assert one[0] == 3 and one[1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: DenseMemory([[1, 0.5]]), "got \\[0.5\\]"),
        (lambda: DenseMemory([[1, 0]]), "2\\*x - 1"),
        (lambda: DenseMemory([[1, np.nan]]), "NaN"),
        (lambda: DenseMemory([[1, -1]], 1), "power"),
        (lambda: DenseMemory([[1, -1]], 2.5), "power"),
        (lambda: DenseMemory([[1, -1]], None, beta=0.0), "beta"),
        (lambda: DenseMemory([[1, -1]]).recall([1, 0]), "of -1 and \\+1"),
        (lambda: DenseMemory([[1, -1]]).recall([1, 1, 1]), "shape"),
        (lambda: DenseMemory([[1, -1]]).recall([1, 1], order="synchronous"), "order"),
        (lambda: DenseMemory([[1, -1]]).recall([1, 1], temperature=np.nan), "temperature"),
        (lambda: DenseMemory([[1, -1]]).recall([1, 1], free=[2]), "free"),
        (lambda: DenseMemory([[1, -1]]).recall([1, 1], free=[0.5]), "whole numbers"),
        (lambda: DenseMemory([[1, -1], [1, -1]]), "occurs 2 times"),
        (lambda: DenseMemory([[1, -1]]).recall([1, np.nan]), "of -1 and"),
        (lambda: DenseMemory([[1, -1, 1]]).classify([1, np.nan], 1), "not -1 or"),
        (lambda: DenseMemory([[1, -1, 1]]).classify([1, 0.5], 1), "not -1 or"),
        (lambda: DenseMemory([[1, -1]]).classify([1, 1], 1), "classes"),
        (lambda: DenseMemory([[1, -1, 1], [1, 1, -1], [1, -1, -1]]).classify([1], 2), "last 2 entries of 1 patterns"),
        (lambda: DenseMemory([[1, -1]]).recall(np.zeros((0, 2))), "shape \\(0, 2\\)"),
        (lambda: DenseMemory([[1, -1]]).recall([1, 1], temperature=np.ones(2)), "temperature: got array"),
        (lambda: dense_errors(10, [3, 2], 2), "rising"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_term_asks_its_layer_for_its_kind():
    """One term in two energies: each has the fields of its own kind, exactly, and alone it says what it lacks."""
    xi, term = random_patterns(3, 8, rng=3), Separation("s", 3)
    bits, spins = (Energy({"s": (kind, 8)}, [term], {"patterns": xi}) for kind in (Binary(), Spin()))
    for energy in (spins, bits):
        exact = enumerate_states(energy, temperature=0.3)
        for method in ("heatbath", "metropolis", "gibbs"):
            drawn = sample(energy, temperature=0.3, n_samples=250, chains=10, method=method, rng=0)
            spread = exact.heat_capacity**0.5 * 0.3 / np.sqrt(drawn.energy.size / 10)
            assert abs(drawn.energy.mean() - exact.energy) < 4 * spread, method
    with pytest.raises(ValueError, match="alone it does not know its layer's kind"):
        term.field({"s": np.ones((1, 8))}, {"patterns": xi}, "s")


@pytest.mark.parametrize("make", [lambda: Separation("s", 3), lambda: LogSumExp("s", 0.5)])
def test_layers_without_overlaps_are_refused(make):
    for kind in (Potts(3), Tanh()):
        energy = Energy({"s": (kind, 4)}, [make()], {"patterns": np.ones((2, 4))})
        if kind == Tanh():
            assert check_energy(energy)
        else:
            with pytest.raises(ValueError, match="Potts.*have no overlaps"):
                check_energy(energy)
    with pytest.raises(ValueError, match="expected \\(2, 4\\)"):
        relax(Energy({"s": (Spin(), 4)}, [make()], {"patterns": np.ones((2, 5))}))
