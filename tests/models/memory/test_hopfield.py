import numpy as np
import pytest

from physlearn import Binary, Spin, System, check_energy, enumerate_states, relax, sample
from physlearn.models import Hopfield, flip, letters, overlap, random_patterns
from physlearn.models.memory import storage


def random_couplings(n, rng, whole):
    w = rng.integers(-3, 4, (n, n)).astype(float) if whole else rng.standard_normal((n, n))
    w = np.triu(w, 1)
    return w + w.T


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("kind", [Spin(), Binary()])
def test_asynchronous_updates_never_raise_the_energy(kind, whole, rng):
    for trial in range(20):
        n = int(rng.integers(2, 40))
        memory = Hopfield(random_couplings(n, rng, whole), rng.standard_normal(n), kind=kind)
        h = rng.standard_normal(n)
        path = memory.recall(kind.random((5, n), rng), order=("random", "fixed")[trial % 2], field=h, trace=True, rng=1)
        energies = np.array([memory.energy(x) - x @ h for x in path.trace])
        assert np.all(np.diff(energies, axis=0) <= 1e-12 * np.abs(energies).max())
        assert np.all(path.settled)
        gap = (memory.field(path.x) + h) * (path.x if kind == Spin() else 2 * path.x - 1)
        assert np.all(gap > -1e-12)  # every neuron aligned: a fixed point


@pytest.mark.parametrize("rule", ["hebb", "projection", "storkey"])
@pytest.mark.parametrize("binary", [False, True])
def test_recall_relax_and_energy_agree(rule, binary):
    xi = random_patterns(7, 64, rng=1)  # 7 is odd and 64 a power of 2: no ties, no rounding
    cue = flip(xi, 0.2, rng=2)
    if binary:
        xi, cue = (xi + 1) / 2, (cue + 1) / 2
    memory = Hopfield.store(xi, rule)
    check_energy(memory.energy)
    found, rest = memory.recall(cue, order="fixed"), relax(memory.energy, cue)
    assert np.array_equal(found.x, rest.x)
    assert np.allclose(found.energy, rest.energy, rtol=1e-12)


def test_0_and_1_neurons_store_what_spins_store():
    xi = random_patterns(5, 60, rng=1)
    spins, bits = Hopfield.store(xi), Hopfield.store((xi + 1) / 2)
    x = random_patterns(10, 60, rng=2)
    difference = spins.energy(x) - bits.energy((x + 1) / 2)
    assert np.allclose(difference, difference[0])
    found = bits.recall((flip(xi, 0.1, rng=3) + 1) / 2, order="fixed").x
    assert np.array_equal(2 * found - 1, spins.recall(flip(xi, 0.1, rng=3), order="fixed").x)


@pytest.mark.parametrize("rule", ["hebb", "projection", "storkey"])
@pytest.mark.parametrize("n", [6, 11, 30])
def test_0_and_1_neurons_tie_where_spins_tie(rule, n):
    xi, x = random_patterns(4, n, rng=4), random_patterns(40, n, rng=99)
    spins, bits = Hopfield.store(xi, rule), Hopfield.store((xi + 1) / 2, rule)
    found = bits.recall((x + 1) / 2, order="fixed").x
    assert np.array_equal(2 * found - 1, spins.recall(x, order="fixed").x)


def test_couplings_that_are_almost_whole_are_not_rounded():
    w = np.zeros((3, 3))
    w[0, 1] = w[1, 0] = 1 + 5e-10
    w[0, 2] = w[2, 0] = 1.0
    assert Hopfield(w).recall([-1, 1, -1], order="fixed", max_sweeps=9).x[0] == 1  # its field is 5e-10


def test_couplings_symmetric_to_rounding_have_an_energy(rng):
    b = rng.standard_normal((20, 20))
    w = storage.hollow(b @ np.diag(rng.standard_normal(20)) @ b.T)
    w[0, 1] = np.nextafter(w[1, 0], np.inf)
    memory = Hopfield(w)
    check_energy(memory.energy)
    assert np.isfinite(memory.recall(np.ones(20)).energy)
    learned = storage.storkey(random_patterns(5, 50, rng=1))
    assert np.array_equal(learned, learned.T)
    assert Hopfield.store(random_patterns(2, 10, rng=1)).contrast(random_patterns(3, 10, rng=2)).symmetric


def test_a_memory_keeps_what_it_was_given():
    xi = random_patterns(2, 20, rng=1)
    w, bias = storage.hebb(xi), np.zeros(20)
    memory = Hopfield(w, bias)
    w *= -1
    bias += 9
    assert np.array_equal(memory.recall(xi).x, xi) and np.allclose(memory.field(xi), xi @ -w)
    with pytest.raises(ValueError, match="read-only"):
        memory.couplings[0, 1] = 1.0


def test_ones_are_values_of_both_kinds():
    assert Hopfield.store(np.ones((1, 4)), kind=Binary()).recall([1, 0, 1, 1]).x.tolist() == [1, 1, 1, 1]


def test_finite_temperature_draws_from_the_boltzmann_distribution(tol):
    memory = Hopfield.store(random_patterns(2, 8, rng=3))
    exact = enumerate_states(memory.energy, temperature=0.7)
    energies = memory.recall(random_patterns(3000, 8, rng=1), temperature=0.7, max_sweeps=30, rng=2).energy
    z = (energies.mean() - exact.energy) / (energies.std(ddof=1) / np.sqrt(3000))
    assert abs(z) < tol.STATISTICAL
    drawn = sample(memory.energy, temperature=0.7, n_samples=200, chains=20, thin=10, rng=0)
    error = drawn.energy.mean(1).std(ddof=1) / np.sqrt(20)
    assert abs(drawn.energy.mean() - exact.energy) < tol.STATISTICAL * error


@pytest.mark.parametrize("order", ["random", "synchronous"])
@pytest.mark.parametrize("kind", [Spin(), Binary()])
def test_uncoupled_neurons_follow_their_bias_and_the_field(kind, order, tol):
    bias, field, temperature = np.array([-1.0, 0.0, 0.5, 0.8]), np.array([0.0, 0.3, 0.0, -0.4]), 0.7
    memory = Hopfield(np.zeros((4, 4)), bias, kind=kind)
    start = kind.random((4000, 4), np.random.default_rng(1))
    x = memory.recall(start, order=order, temperature=temperature, field=field, max_sweeps=2, rng=2).x
    gap = (bias + field) * (2 if kind == Spin() else 1)
    p = 1 / (1 + np.exp(-gap / temperature))
    assert np.all(np.abs((x == 1).mean(0) - p) < tol.STATISTICAL * np.sqrt(p * (1 - p) / 4000))


def test_a_cue_depends_on_the_seed_and_its_number_only():
    for xi in (random_patterns(12, 90, rng=1), random_patterns(40, 90, rng=1)):
        for memory in (Hopfield.store(xi), Hopfield.store(xi, "projection")):
            for settings in ({}, {"order": "synchronous"}, {"temperature": 0.5, "max_sweeps": 5}):
                cues = random_patterns(9, 90, rng=2)
                many, few = memory.recall(cues, rng=3, **settings), memory.recall(cues[:2], rng=3, **settings)
                assert np.array_equal(many.x[:2], few.x)
                assert np.array_equal(many.sweeps[:2], few.sweeps) and np.array_equal(many.flips[:2], few.flips)
                assert np.array_equal(many.energy[:2], few.energy)


def test_synchronous_updates_find_cycles_of_length_two():
    pair = Hopfield([[0.0, 1.0], [1.0, 0.0]])
    found = pair.recall([[1, -1], [1, 1]], order="synchronous")
    assert found.period.tolist() == [2, 1] and found.settled.tolist() == [False, True]
    assert "2-cycles=1" in repr(found)
    rng = np.random.default_rng(1)
    memory = Hopfield(random_couplings(30, rng, False))
    found = memory.recall(random_patterns(200, 30, rng=2), order="synchronous", max_sweeps=1000)
    assert np.all(found.period > 0) and np.any(found.period == 2)  # symmetric: nothing else can happen
    twice = np.sign(memory.field(np.sign(memory.field(found.x))))
    assert np.array_equal(twice, found.x)


def test_gradient_flow_reaches_hebb_and_its_course_variant_never_stops():
    xi = random_patterns(4, 30, rng=1)
    rest = storage.gradient_flow(xi)
    assert np.allclose(rest, 30 / 4 * storage.hebb(xi))
    h, w = 1e-4, storage.gradient_flow(xi, time=0.8, tau=2.0)
    slope = (storage.gradient_flow(xi, time=0.8 + h, tau=2.0) - storage.gradient_flow(xi, time=0.8 - h, tau=2.0)) / (
        2 * h
    )
    assert np.allclose(2.0 * slope, rest - w, rtol=1e-6, atol=1e-9)
    one = storage.gradient_flow(xi, time=1.0, variant="course")
    assert np.allclose(storage.gradient_flow(xi, time=7.0, variant="course"), 7 * one)
    going_on = storage.gradient_flow(xi, time=1.0, start=storage.gradient_flow(xi, time=0.5))
    assert np.allclose(going_on, storage.gradient_flow(xi, time=1.5))


def test_projection_holds_correlated_letters_that_hebb_mixes_up():
    xi = letters().reshape(26, 35)
    assert np.all(Hopfield.store(xi, "projection").recall(xi, order="synchronous").x == xi)
    assert np.mean(Hopfield.store(xi).recall(xi).x == xi) < 0.9


def test_projection_capacity_is_the_number_of_neurons():
    n = 60
    for m in (30, 55):
        xi = random_patterns(m, n, rng=m)
        w = storage.projection(xi)
        # xi = P xi, so the field without the diagonal is (1 - P_ii) xi_i: positive up to m = n - 1
        assert np.all(xi * (xi @ w) > 0)
        full = np.linalg.pinv(xi) @ xi
        assert np.allclose(w, full - np.diag(np.diag(full)))


def test_storkey_is_the_printed_rule_and_beats_hebb():
    xi = random_patterns(4, 9, rng=1)
    w, n = np.zeros((9, 9)), 9
    for p in xi:
        h = np.array([[sum(w[i, k] * p[k] for k in range(n) if k not in (i, j)) for j in range(n)] for i in range(n)])
        w = w + (np.outer(p, p) - p[:, None] * h.T - h * p[None, :]) / n
        np.fill_diagonal(w, 0.0)
    assert np.allclose(storage.storkey(xi), w)
    xi = random_patterns(50, 250, rng=2)  # load 0.2, above Hebb's 0.138
    given = xi.copy()
    kept = [np.mean(Hopfield.store(xi, rule).recall(xi, rng=1).x == xi) for rule in ("hebb", "storkey")]
    assert np.array_equal(given, xi)  # cues are left alone
    assert kept[0] < 0.95 and kept[1] > 0.99


def test_perceptron_and_contrast_learn_what_hebb_cannot():
    xi = random_patterns(30, 60, rng=5)
    assert not np.array_equal(Hopfield.store(xi).recall(xi).x, xi)
    learned = Hopfield.store(xi, "perceptron", margin=0.1)
    assert np.all(xi * learned.field(xi) > 0.1) and learned.symmetric
    contrasted = Hopfield(np.zeros((60, 60)), np.zeros(60)).contrast(xi, epochs=300)
    assert np.array_equal(contrasted.recall(xi, order="fixed").x, xi)
    bits = Hopfield(np.zeros((60, 60)), kind=Binary()).contrast((xi + 1) / 2, epochs=500)
    assert np.array_equal(bits.recall((xi + 1) / 2, order="fixed").x, (xi + 1) / 2)
    with pytest.warns(RuntimeWarning, match="still below"):
        storage.perceptron(random_patterns(200, 20, rng=1), max_epochs=3)


def test_unlearning_removes_spurious_states():
    xi = random_patterns(15, 100, rng=2)
    starts, before = random_patterns(200, 100, rng=3), Hopfield.store(xi)
    after = before.unlearn(rate=0.01, rounds=400, rng=4)
    reached = [np.mean(np.abs(overlap(m.recall(starts, rng=5).x, xi)).max(1) > 0.95) for m in (before, after)]
    assert reached[1] > reached[0] + 0.2


def test_low_activity_patterns_need_the_covariance_rule():
    xi = random_patterns(60, 400, activity=0.1, values="binary", rng=1)
    memory = Hopfield.store(xi, "covariance", activity=0.1)
    assert np.allclose(memory.bias, -0.4)
    cue = xi * (np.random.default_rng(2).random(xi.shape) > 0.2)  # a fifth of the ones are lost
    assert np.mean(memory.recall(cue, rng=3).x != xi) < 2e-3
    assert np.mean(Hopfield.store(xi).recall(cue, rng=3).x != xi) > 0.01


def test_a_field_cues_and_may_change():
    xi = random_patterns(4, 200, rng=1)
    memory = Hopfield.store(xi)
    assert np.array_equal(memory.recall(xi[0], field=3.0 * xi[1], rng=1).x, xi[1])
    switched = memory.recall(xi[0], field=lambda t: 3.0 * xi[2] if t == 5 else np.zeros(200), max_sweeps=10, trace=True)
    m = overlap(switched.trace, xi)
    assert m[5, 0] == 1 and m[6, 2] == 1 and m[-1, 2] == 1  # it stays when the field has gone
    together = memory.recall(
        xi[:2], order="synchronous", field=lambda t: 3.0 * xi[[2, 3]] if t == 2 else np.zeros(200), max_sweeps=5
    )
    assert np.array_equal(together.x, xi[[2, 3]])


def test_dilution_keeps_patterns_and_asymmetry_loses_the_energy():
    xi = random_patterns(5, 500, rng=1)
    cut = storage.dilute(storage.hebb(xi), 0.5, rng=2)
    assert abs(np.count_nonzero(cut) / np.count_nonzero(storage.hebb(xi)) - 0.5) < 0.01
    assert np.mean(Hopfield(cut).recall(flip(xi, 0.1, rng=3)).x == xi) > 0.999
    oneway = Hopfield(storage.dilute(storage.hebb(xi), 0.5, symmetric=False, rng=2))
    found = oneway.recall(flip(xi, 0.1, rng=3))
    assert np.mean(found.x == xi) > 0.999 and np.all(np.isnan(found.energy))
    assert isinstance(oneway.system, System) and Hopfield(cut).system is not None
    x = found.x
    assert np.allclose(oneway.system.field({"s": x}, "s"), oneway.field(x))
    check_energy(oneway.system)
    with pytest.raises(ValueError, match="asymmetric"):
        _ = oneway.energy


def test_sequences_step_from_pattern_to_pattern():
    xi = random_patterns(6, 400, rng=1)
    memory = Hopfield.store(xi, "sequence")
    path = memory.recall(flip(xi[0], 0.1, rng=2), order="synchronous", max_sweeps=12, trace=True)
    assert overlap(path.trace, xi)[1:].argmax(1).tolist() == [1, 2, 3, 4, 5, 0] * 2
    assert overlap(path.trace, xi)[2:].max(1).min() > 0.99
    held = Hopfield.store(xi, "sequence", hold=2.0)
    assert np.array_equal(held.recall(xi, order="synchronous").x, xi)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Hopfield.store([[1, 2]]), "got \\[2.0\\]"),
        (lambda: Hopfield.store([[1, np.nan]]), "NaN"),
        (lambda: Hopfield.store([[1, -1], [1, -1]]), "occurs 2 times"),
        (lambda: Hopfield.store([[1, -1]], "hebbian"), "rule"),
        (lambda: Hopfield.store([[1, -1]], kind=Binary()), "values are -1"),
        (lambda: Hopfield.store(random_patterns(5, 4, rng=2), "projection"), "fewer than 4|occurs"),
        (lambda: Hopfield.store([[1, 1, 1, -1], [-1, -1, -1, 1]], "projection"), "rank 1 of 2"),
        (lambda: Hopfield.store([[1, -1]], "sequence"), "at least 2"),
        (lambda: Hopfield.store([[1, -1]], "covariance"), "takes 0 and 1"),
        (lambda: Hopfield.store([[1, -1]], "flow", variant="course"), "finite time"),
        (lambda: storage.gradient_flow([[1, -1]], time=-1.0), "time"),
        (lambda: storage.hebb([[0, 1]]), "2\\*x - 1"),
        (lambda: storage.dilute(np.zeros((2, 2)), 1.0), "fraction"),
        (lambda: Hopfield(np.ones((2, 2))), "diagonal"),
        (lambda: Hopfield(np.ones((2, 3))), "expected \\(n, n\\)"),
        (lambda: Hopfield([[0, np.inf], [0, 0]]), "infinite"),
        (lambda: Hopfield([[0, 1e308], [1e308, 0]]), "beyond 1e\\+300"),
        (lambda: Hopfield(np.zeros((2, 2)), [1.0]), "bias"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 0]), "1 values are not of the kind Spin.*example 0"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, np.nan]), "1 values are not of the kind Spin.*example nan"),
        (lambda: Hopfield(np.zeros((2, 2))).unlearn(rounds=-1), "rounds"),
        (lambda: Hopfield(np.zeros((2, 2))).unlearn(rate=np.nan), "rate: got nan"),
        (lambda: Hopfield(np.zeros((2, 2))).contrast([[1, -1]], rate=-1.0), "rate: got -1.0"),
        (lambda: storage.perceptron([[1, -1]], margin=0.0), "margin: got 0.0"),
        (lambda: storage.perceptron([[1, -1]], max_epochs=1.5), "max_epochs: got 1.5"),
        (lambda: Hopfield(np.zeros((2, 2))).recall(np.zeros((0, 2))), "shape \\(0, 2\\)"),
        (lambda: Hopfield(np.zeros((2, 2))).contrast([[1, -1]], epochs=1.5), "epochs"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 1, 1]), "shape"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 1], temperature=-1.0), "temperature"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 1], temperature=np.ones(2)), "temperature: got array"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 1], order="any"), "order"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 1], max_sweeps=0), "max_sweeps"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 1], field=[1.0]), "field"),
        (lambda: Hopfield(np.zeros((2, 2))).recall([1, 1], field=[1.0, np.nan]), "field"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_no_rest_in_time_warns():
    with pytest.warns(RuntimeWarning, match="still move"):
        Hopfield.store(random_patterns(30, 100, rng=1)).recall(random_patterns(20, 100, rng=2), max_sweeps=1)
    with pytest.warns(RuntimeWarning, match="2 of 2 patterns still move after 3 epochs"):
        Hopfield(np.zeros((2, 2)), [-9.0, -9.0]).contrast([[1, 1], [1, -1]], epochs=3)
    with pytest.raises(TypeError, match="kind"):
        Hopfield(np.zeros((2, 2)), kind="spin")
