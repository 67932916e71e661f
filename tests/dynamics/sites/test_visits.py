"""Single-variable moves: transition matrices of a visit and of a sweep, in a fixed and in a random order."""

import itertools

import numpy as np
import pytest

from physlearn import Binary, Energy, Readout, Spin, anneal, enumerate_states, sample
from physlearn.dynamics.sampling.engines import start_sampler
from physlearn.dynamics.sites.visits import TIE, TOSS
from physlearn.models import Assembly, Ising, PottsModel, SpinGlass
from physlearn.terms import Bias, Lattice, Pairs

METHODS = ("heatbath", "metropolis")
VALUES = {"spin": (Spin(), (-1.0, 1.0)), "binary": (Binary(), (0.0, 1.0))}


def every_state(values, n):
    return np.array(list(itertools.product(values, repeat=n)))


def kernels(energy, values, temperature, metropolis):
    """States, Boltzmann weights and the exact matrix of every single-variable move."""
    n = next(iter(energy.layers.values())).size
    states = every_state(values, n)
    e = energy(states.reshape(-1, *next(iter(energy.layers.values())).shape))
    number = {tuple(s): k for k, s in enumerate(states)}
    out = []
    for i in range(n):
        p = np.zeros((len(states), len(states)))
        for k, s in enumerate(states):
            other = s.copy()
            other[i] = values[0] + values[1] - s[i]
            to = number[tuple(other)]
            a = (e[to] - e[k]) / temperature
            toss = TOSS if abs(a) < TIE else 1.0
            p[k, to] = toss * min(1.0, np.exp(-a)) if metropolis else 1.0 / (1.0 + np.exp(a))
            p[k, k] = 1.0 - p[k, to]
        out.append(p)
    return states, np.exp(-e / temperature) / np.exp(-e / temperature).sum(), out


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", VALUES)
# Chain by chain, in lanes; a random order is shared by all chains, whose moves are then no independent counts.
@pytest.mark.parametrize(("chains", "order"), [(3, "fixed"), (64, "fixed"), (1, "random")])
def test_a_visit_is_reversible_and_a_sweep_stationary(method, kind, chains, order, tol):
    layer, values = VALUES[kind]
    triangle = Energy(
        {"s": (layer, 3)},
        [Pairs("s", [(0, 1), (1, 2), (0, 2)]), Bias("s")],
        {"J": [1.0, -0.7, 0.4], "bias": [0.3, -0.2, 0.1]},
        {"rest": Readout("s", [0, 2])},
    )
    states, pi, moves = kernels(triangle, values, 1.3, method == "metropolis")
    for p in moves:  # every visit is reversible ...
        flow = pi[:, None] * p
        np.testing.assert_allclose(flow, flow.T, atol=tol.IDENTITY)
    orders = [(0, 1, 2)] if order == "fixed" else list(itertools.permutations(range(3)))
    sweep = np.mean([np.linalg.multi_dot([moves[i] for i in visited]) for visited in orders], 0)
    np.testing.assert_allclose(pi @ sweep, pi, atol=tol.IDENTITY)
    flow = pi[:, None] * sweep
    if order == "fixed":
        assert np.max(np.abs(flow - flow.T)) > 1e-3  # ... a sweep in order is stationary only
    else:
        np.testing.assert_allclose(flow, flow.T, atol=tol.IDENTITY)  # ... every order and its reverse

    def counted(clamp, rounds):
        sampler = start_sampler(triangle, chains, None, clamp, method, 4, {"order": order})
        seen = np.zeros((8, 8))
        before = None
        for _ in range(rounds + 1):
            now = ((sampler.state()["s"] == values[1]) @ [4, 2, 1]).astype(int)
            if before is not None:
                np.add.at(seen, (before, now), 1)
            before = now
            sampler.run(1, np.full(chains, 1.3))
        return seen

    def assert_matrix(seen, p):
        visits_of = seen.sum(1, keepdims=True)
        error = np.sqrt(np.maximum(p * (1 - p), 1e-12) * np.maximum(visits_of, 1))
        assert np.max(np.abs(seen - p * visits_of) / error) < tol.STATISTICAL

    rounds = 40_000 // chains if order == "fixed" else 10_000
    assert_matrix(counted(None, rounds), sweep)
    # With the others clamped a sweep is one visit of the middle variable.
    for clamped in itertools.product(values, repeat=2):
        assert_matrix(counted({"rest": clamped}, rounds // 4), moves[1])


RING = [(i, (i + 1) % 6) for i in range(6)]
TIED = {  # graphs whose textbook sweeps fall into closed classes of states, and the form of the kernel
    "ring, in lanes": (Ising.from_pairs(RING), (-1.0, 1.0), "kept fields"),
    "all pairs, by rows": (Ising.from_pairs(list(itertools.combinations(range(5), 2))), (-1.0, 1.0), "kept fields"),
    "rounded ties": (Ising.from_pairs(list(itertools.combinations(range(5), 2)), 0.1), (-1.0, 1.0), "kept fields"),
    "two codes": (PottsModel.from_pairs(RING, q=2), (0, 1), "local forms"),
    "three codes": (PottsModel.from_pairs([(0, 1), (1, 2), (2, 3), (3, 0)], q=3), (0, 1, 2), "local forms"),
    "one species": (Assembly(1, [[-1.0]], 1.0, Lattice((6, 1))).energy, (0, 1), "bonded candidates"),
    "free": (Energy({"s": (Spin(), 5)}, [Bias("s")], {"bias": 0.0}), (-1.0, 1.0), "kept fields"),
}


@pytest.mark.parametrize("name", TIED)
def test_metropolis_in_order_is_ergodic_where_moves_tie(name, tol):
    model, values, form = TIED[name]
    states = every_state(values, model.layers["s"].size).reshape(-1, *model.layers["s"].shape)
    temperature = 2.0 * (0.1 if name == "rounded ties" else 1.0)
    before = np.repeat(np.arange(len(states)), 500)
    sampler = start_sampler(model, len(before), states[before], None, "metropolis", 3, {})
    sampler.run(1, np.full(len(before), temperature))
    assert form in sampler.method
    digits = (sampler.state()["s"].reshape(len(before), -1) - values[0]) / (values[1] - values[0])
    after = digits @ len(values) ** np.arange(digits.shape[1])[::-1]
    seen = np.zeros((len(states), len(states)))
    np.add.at(seen, (before, after.astype(int)), 1 / 500)
    assert np.all(np.linalg.matrix_power(seen, 64) > 0)  # one class, and no period
    if len(values) == 2:
        _, pi, moves = kernels(model, values, temperature, True)
        sweep = np.linalg.multi_dot(moves)
        np.testing.assert_allclose(pi @ sweep, pi, atol=tol.IDENTITY)
        assert np.sum(np.abs(np.linalg.eigvals(sweep)) > 1 - 1e-9) == 1
        error = np.sqrt(np.maximum(sweep * (1 - sweep), 1e-300) / 500)
        # Rare steps are Poisson: three more or less.
        assert np.all(np.abs(seen - sweep) <= tol.STATISTICAL * error + 3 / 500)


def test_annealing_finds_the_ground_state_of_a_ring():
    assert anneal(Ising.from_pairs([(i, (i + 1) % 20) for i in range(20)]), reads=10, rng=0).energy == -20


MODELS = {
    "glass": SpinGlass.edwards_anderson((4, 3), disorder="gaussian", field=0.3, rng=1),
    "all pairs": SpinGlass.sherrington_kirkpatrick(10, rng=1),
    "codes": PottsModel.square((2, 3), q=3, periodic=False),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_random_orders_against_enumeration(name, method, tol):
    model = MODELS[name]
    exact = enumerate_states(model, temperature=1.1)
    drawn = sample(model, temperature=1.1, n_samples=60, chains=100, thin=2, method=method, order="random", rng=3)
    assert drawn.method.endswith("(local forms, random order)")
    for power, wanted in ((1, exact.energy), (2, exact.probability @ exact.energies**2)):
        by_chain = (drawn.energy**power).mean(1)
        assert abs(by_chain.mean() - wanted) < tol.STATISTICAL * by_chain.std(ddof=1) / 10


@pytest.mark.parametrize("method", METHODS)
def test_a_chain_in_random_order_depends_on_the_seed_and_its_number_only(method):
    model, given = MODELS["glass"], dict(temperature=2.0, n_samples=20, method=method, order="random")
    many = sample(model, chains=70, rng=1, **given).x
    for chains, threads in ((1, 1), (7, 1), (7, 3)):
        np.testing.assert_array_equal(sample(model, chains=chains, threads=threads, rng=1, **given).x, many[:chains])
    assert len({x.tobytes() for x in many}) == 70
    fixed = sample(model, chains=7, rng=1, **(given | {"order": "fixed"})).x
    assert not np.array_equal(fixed, many[:7])


def test_annealing_in_random_order_finds_the_ground_state():
    model = MODELS["all pairs"]
    found = anneal(model, reads=8, sweeps=100, method="heatbath", order="random", rng=0)
    assert found.energy == pytest.approx(enumerate_states(model, temperature=1.0).energies.min(), rel=1e-12)
