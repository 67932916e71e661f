"""Discrete kinds, the library's and others' own, in every verb, against sums over all states made by hand."""

import itertools

import numpy as np
import pytest

from physlearn import (
    Clock,
    Discrete,
    Energy,
    Potts,
    SpinOne,
    anneal,
    annealed_importance,
    check_energy,
    enumerate_states,
    greedy,
    population_annealing,
    relax,
    sample,
    tempering,
)
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.sampling.engines import ENGINES
from physlearn.terms import Bias, Dense, Pairs, Parabola, PottsBias, PottsPairs, Separation, SquaredNorm

RING = [(0, 1), (1, 2), (2, 3), (3, 0)]


class Ion(Discrete):
    """A kind of a user's own: its values, and nothing else."""

    values = (0.0, 1.0, 3.0)


class Quartic:
    """E = sum a x^4 - b cos(x_0 x_1): a term of a user's own, by its three methods alone."""

    layers = ("s", "s")

    def energy(self, x, theta):
        s = x["s"]
        return theta["a"] * np.sum(s**4, 1) - theta["b"] * np.cos(s[:, 0] * s[:, 1])

    def field(self, x, theta, layer):
        s = x["s"]
        out = -4 * theta["a"] * s**3
        for i in (0, 1):
            out[:, i] -= theta["b"] * np.sin(s[:, 0] * s[:, 1]) * s[:, 1 - i]
        return out

    def gradient(self, x, theta, weight):
        s = x["s"]
        return {"a": weight @ np.sum(s**4, 1), "b": -weight @ np.cos(s[:, 0] * s[:, 1])}


def numbers(kind, *more):
    terms = [Pairs("s", RING), Parabola("s", "D"), *more]
    theta = {"J": np.array([1.0, -0.5, 0.7, 0.3]), "D": np.full(4, 0.9), "a": 0.02, "b": 0.4}
    return Energy({"s": (kind, 4)}, terms, theta)


def codes(kind, J):
    weights = np.linspace(-0.4, 0.5, 4 * kind.q).reshape(4, kind.q)
    return Energy({"s": (kind, 4)}, [PottsPairs("s", RING, kind.q), PottsBias("s")], {"J": J, "bias": weights})


MATRIX = np.array([[0.5, -0.7, 0.2], [0.9, 0.0, -0.3], [-0.4, 0.6, 1.0]])
ENERGIES = {
    "spin 1": lambda: numbers(SpinOne()),
    "three values": lambda: numbers(Discrete((0.0, 1.0, 3.0))),
    "two unequal values": lambda: numbers(Discrete((-0.5, 2.0))),
    "unsorted values": lambda: numbers(Discrete((1.5, -1.0, 0.25))),
    "a user's kind": lambda: numbers(Ion()),
    "a user's term": lambda: numbers(SpinOne(), Quartic()),
    "a user's kind and term": lambda: numbers(Ion(), Quartic()),
    "memory": lambda: Energy(
        {"s": (SpinOne(), 4)}, [Separation("s", 3), SquaredNorm("s")], {"patterns": np.array([[1.0, 1, -1, 1]])}
    ),
    "all to all": lambda: Energy(
        {"s": (SpinOne(), 4)},
        [Dense(("s", "s"), "J"), Bias("s")],
        {"J": 0.5 * (np.ones((4, 4)) - np.eye(4)), "bias": [0.1, -0.2, 0.3, 0.0]},
    ),
    "clock": lambda: codes(Clock(5), [1.0, -0.5, 0.7, 0.3]),
    "Potts": lambda: codes(Potts(3), [1.0, -0.5, 0.7, 0.3]),
    "one matrix": lambda: codes(Potts(3), MATRIX),
    "a matrix a pair": lambda: codes(Potts(3), np.stack([MATRIX, MATRIX.T, -MATRIX, 2 * MATRIX])),
    "clock with a matrix": lambda: codes(Clock(3), MATRIX),
}


def by_hand(energy):
    """Every state, and its energy."""
    kind = energy.layers["s"].kind
    x = np.array(list(itertools.product(kind.levels, repeat=4)))
    return x, energy(x)


def boltzmann(energy, temperature):
    e = by_hand(energy)[1]
    w = np.exp((e.min() - e) / temperature)
    return w / w.sum(), np.log(w.sum()) - e.min() / temperature


@pytest.mark.parametrize("name", ENERGIES)
def test_audit_and_sums(name):
    energy = ENERGIES[name]()
    check_energy(energy)
    exact, (x, e) = enumerate_states(energy, temperature=0.8), by_hand(energy)
    p, log_z = boltzmann(energy, 0.8)
    np.testing.assert_allclose(exact.log_z, log_z, rtol=1e-12)
    np.testing.assert_allclose(exact.energy, p @ e, rtol=1e-12)
    kind = energy.layers["s"].kind
    shown = x if not kind.coded else (x[..., None] == kind.levels).astype(float)
    np.testing.assert_allclose(exact.means["s"], np.tensordot(p, shown, 1), atol=1e-12)


@pytest.mark.parametrize("name", ENERGIES)
def test_every_engine_that_takes_it_draws_it(name):
    energy = ENERGIES[name]()
    p, _ = boltzmann(energy, 1.2)
    x, e = by_hand(energy)
    problem, _ = make_problem(energy, None, None)
    fits = [method for method, engine in ENGINES.items() if engine.refusal(problem) is None]
    assert "gibbs" in fits
    for method in fits:
        drawn = sample(energy, temperature=1.2, n_samples=60, warmup=30, chains=64, thin=2, method=method, rng=1)
        for got, wanted in ((drawn.energy, p @ e), (np.mean(drawn.x**2, -1), p @ np.mean(x**2.0, 1))):
            chain = got.mean(1)
            assert abs(chain.mean() - wanted) < 4.5 * chain.std(ddof=1) / 8.0, (method, chain.mean(), wanted)


@pytest.mark.parametrize("name", ["spin 1", "a user's kind and term", "two unequal values", "clock", "one matrix"])
def test_other_verbs(name):
    energy = ENERGIES[name]()
    p, log_z = boltzmann(energy, 1.0)
    _, e = by_hand(energy)
    found = annealed_importance(energy, temperature=1.0, steps=150, chains=60, rng=2)
    assert abs(found.value - log_z) < 4 * found.error
    assert anneal(energy, sweeps=60, reads=4, rng=0).energy == pytest.approx(e.min())
    assert greedy(energy, reads=30, rng=0).energy == pytest.approx(e.min())
    ladder = [1.0, 1.7, 3.0]
    chain = tempering(energy, temperatures=ladder, n_samples=60, chains=32, rng=1).at(0).energy.mean(1)
    assert abs(chain.mean() - p @ e) < 4.5 * chain.std(ddof=1) / 32**0.5
    falling = population_annealing(energy, temperatures=[6.0, 3.0, 1.5, 1.0], population=400, sweeps=4, rng=0)
    assert abs(falling.log_z[-1] - log_z) < 0.15


@pytest.mark.parametrize("name", ENERGIES)
def test_rest_is_where_no_move_gains(name):
    energy = ENERGIES[name]()
    start = energy.random_state(12, np.random.default_rng(0))
    rest = relax(energy, start["s"])
    assert rest.converged
    np.testing.assert_allclose(rest.residual, 0.0, atol=1e-12)
    for i, level in itertools.product(range(4), energy.layers["s"].kind.levels):
        moved = rest.x.copy()
        moved[:, i] = level
        assert np.all(energy(moved) >= rest.energy - 1e-12)
    np.testing.assert_allclose(energy(rest.x), rest.energy)


class Unsaid:
    """Spin 1 written without its values: engines cannot know the energies of its levels."""

    def settle(self, f, curvature, x):
        return np.where(np.abs(f) <= 0.5, 0.0, np.sign(f))

    def draw(self, f, curvature, x, temperature, rng):
        p = np.exp(f[..., None] * np.array([-1.0, 0.0, 1.0])).cumsum(-1)
        return (rng.random(p.shape[:-1])[..., None] * p[..., -1:] > p).sum(-1) - 1.0

    def random(self, shape, rng):
        return rng.choice(np.array([-1.0, 0.0, 1.0]), shape)

    def valid(self, x):
        return bool(np.all(np.isin(x, (-1, 0, 1))))


@pytest.mark.parametrize(
    "verb",
    [
        check_energy,
        relax,
        lambda e: sample(e, temperature=1.0, n_samples=1),
        lambda e: sample(e, temperature=1.0, n_samples=1, method="heatbath"),
        lambda e: enumerate_states(e, temperature=1.0),
        lambda e: anneal(e, hot=2.0, cold=1.0, sweeps=2),
        lambda e: greedy(e, reads=2),
        lambda e: tempering(e, temperatures=[1.0, 2.0], n_samples=1),
        lambda e: population_annealing(e, temperatures=[2.0, 1.0]),
        lambda e: annealed_importance(e, temperature=1.0),
    ],
)
def test_a_kind_that_does_not_state_its_values_is_refused_by_name(verb):
    with pytest.raises(ValueError, match="Unsaid.*does not state its values.*Discrete"):
        verb(numbers(Unsaid()))


def test_the_audit_finds_a_kind_whose_methods_are_wrong():
    class Biased(SpinOne):
        def draw(self, f, curvature, x, temperature, rng):
            return super().draw(f, curvature, x, 1.1 * temperature, rng)

    class Shifted(SpinOne):
        def mean(self, f, temperature, curvature=None):
            return super().mean(f, temperature) + 0.01

    for kind, form in ((Biased(), "draw"), (Shifted(), "mean")):
        with pytest.raises(ValueError, match=f"layer s.*form '{form}'"):
            check_energy(numbers(kind))


def test_the_audit_finds_a_wrong_slope_or_curvature():
    class Bent(Parabola):
        def curvature(self, x, theta, layer):
            return 1.1 * theta[self.parameter]

    energy = numbers(SpinOne())
    wrong = Energy(energy.layers, [energy.terms[0], Bent("s", "D")], energy.theta)
    with pytest.raises(ValueError, match="1 Bent.*form 'field'"):
        check_energy(wrong)


def test_values_are_checked():
    for bad, says in (((1.0, 1.0), "all different"), ((1.0,), "at least 2"), (None, "got none")):
        with pytest.raises(ValueError, match=says):
            Discrete(bad)
    assert Discrete((0, 1)) == Discrete([0.0, 1.0]) and Discrete((0, 1)) != Ion()
    assert Discrete(np.eye(3)).coded and repr(Ion()) == "Ion()" and repr(Discrete((0, 2))) == "Discrete((0, 2))"
    assert not SpinOne().valid(np.array([0.5])) and SpinOne().valid(np.array([0.0, -1.0, 1.0]))


def test_clocks_of_two_and_three_hours_are_spins_and_codes():
    two, three = codes(Clock(2), [1.0, -0.5, 0.7, 0.3]), codes(Clock(3), [1.0, -0.5, 0.7, 0.3])
    x = two.random_state(5, np.random.default_rng(0))["s"]
    ring = Energy({"s": (SpinOne(), 4)}, [Pairs("s", RING)], {"J": two.theta["J"]})
    np.testing.assert_allclose(two.terms[0].energy({"s": x}, two.theta), ring(1.0 - 2.0 * x), atol=1e-12)
    potts = codes(Potts(3), 1.5 * np.array([1.0, -0.5, 0.7, 0.3]))
    x = three.random_state(5, np.random.default_rng(0))["s"]
    shift = 0.5 * three.theta["J"].sum()
    np.testing.assert_allclose(three(x), potts(x) + shift, atol=1e-12)


def test_matrices_of_couplings_are_learnt_like_any_parameter():
    from physlearn import SGD, BoltzmannLearning, learn

    wanted = codes(Potts(3), MATRIX)
    data = sample(wanted, temperature=1.0, n_samples=100, chains=8, rng=0).x.reshape(-1, 4)
    start = wanted.with_theta({"J": np.zeros((3, 3))})
    done = learn(start, {"s": data}, rule=BoltzmannLearning(), optimizer=SGD(0.3), epochs=40, batch=None, rng=0)
    model = enumerate_states(start.with_theta(done.theta), temperature=1.0)
    pairs = sum(np.mean((data[:, i] == 0) & (data[:, j] == 2)) for i, j in RING)
    told = model.mean(lambda x: sum((x["s"][:, i] == 0) & (x["s"][:, j] == 2) for i, j in RING))
    assert abs(told - pairs) < 0.02


def test_a_restricted_boltzmann_machine_of_spins_of_one():
    from physlearn.models import RBM

    machine = RBM(4, 3, SpinOne(), hidden=Ion(), scale=0.4, rng=0)
    exact = enumerate_states(machine.energy, temperature=1.0)
    assert machine.log_z().value == pytest.approx(exact.log_z, rel=1e-12)
    estimate = machine.log_z("ais", steps=200, rng=0)
    assert abs(estimate.value - exact.log_z) < 4 * estimate.error
    v = np.array([1.0, 0.0, -1.0, 1.0])
    h = np.array(list(itertools.product(Ion().levels, repeat=3)))
    weights = np.exp(-machine.energy({"v": np.tile(v, (27, 1)), "h": h}))
    np.testing.assert_allclose(machine.free_energy(v), -np.log(weights.sum()), rtol=1e-12)
    np.testing.assert_allclose(machine.transform(v)[0], weights @ h / weights.sum(), rtol=1e-12)
    with pytest.raises(ValueError, match="visible, hidden.*discrete kinds of numbers"):
        RBM(4, 3, Clock(3))


def test_a_potts_model_takes_matrices():
    from physlearn.models import PottsModel

    model = PottsModel.square(2, MATRIX, q=3, periodic=False)
    assert model(np.array([[0, 1], [2, 2]])) == pytest.approx(
        -(MATRIX[0, 1] + MATRIX[0, 2] + MATRIX[1, 2] + MATRIX[2, 2])
    )
    with pytest.raises(ValueError, match="one number or one for each of 4 pairs"):
        PottsModel.square(2, np.ones((2, 3)), q=3, periodic=False)
    with pytest.raises(ValueError, match="not between equal codes alone"):
        sample(model, temperature=1.0, n_samples=1, method="wolff")


def test_a_user_s_kind_is_learnt_from_its_samples():
    from physlearn import SGD, BoltzmannLearning, ContrastiveDivergence, learn

    wanted = numbers(Ion())
    data = sample(wanted, temperature=1.0, n_samples=100, chains=8, rng=0).x.reshape(-1, 4)
    start = wanted.with_theta({"D": np.full(4, 1.5)})
    rule = BoltzmannLearning()
    done = learn(start, {"s": data}, rule=rule, optimizer=SGD(0.02), epochs=40, batch=None, rng=0)
    before, after = (
        enumerate_states(start.with_theta(theta), temperature=1.0).mean(lambda x: (x["s"] ** 2).mean(1))
        for theta in (start.theta, done.theta)
    )
    wanted_mean = (data**2).mean()
    assert abs(after - wanted_mean) < 0.3 * abs(before - wanted_mean)
    with pytest.raises(ValueError, match="Unsaid.*does not state its values"):
        learn(
            numbers(Unsaid()), {"s": np.minimum(data, 1.0)}, rule=ContrastiveDivergence(), optimizer=SGD(0.1), epochs=1
        )
