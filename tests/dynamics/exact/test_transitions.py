"""Transition matrices of the compiled kernels: exact ones leave exp(-E/T) invariant, and the kernels have those.

Where all states can be listed (at most 16), a kernel is run once from every state, many times over, and the
counts are compared with the exact matrix, whose stationarity and detailed balance are identities.  Lattices that
the kernel takes only when they are larger have sites of one colour that move independently given the other
colour: there the chance of a move is counted for every class of neighbours, and each class is reversible.
"""

import itertools

import numpy as np
import pytest

from physlearn import Energy, Spin
from physlearn.dynamics.annealing.tempering import _Replicas
from physlearn.dynamics.rest.relax import make_problem
from physlearn.dynamics.sampling.engines import start_sampler
from physlearn.models import RBM, Ising, PottsModel, SpinGlass
from physlearn.terms import Bias

COPIES = 2000  # runs from every state


def listed(values, n):
    return np.array(list(itertools.product(values, repeat=n)))


def boltzmann(energies, temperature):
    p = np.exp(-(energies - energies.min()) / temperature)
    return p / p.sum()


def one_site(energies, states, site, temperature):
    """Heat bath of one variable: to every state that differs there only, by their weights."""
    rest = np.delete(states, site, 1)
    same = np.all(rest[:, None] == rest[None], 2)
    weight = np.exp(-(energies - energies.min()) / temperature)
    return same * weight / (same @ weight)[:, None]


def assert_reversible(p, pi, tol):
    np.testing.assert_allclose(p.sum(1), 1.0, rtol=tol.IDENTITY)
    np.testing.assert_allclose(pi[:, None] * p, (pi[:, None] * p).T, atol=tol.IDENTITY)


def assert_stationary(p, pi, tol):
    np.testing.assert_allclose(p.sum(1), 1.0, rtol=tol.IDENTITY)
    np.testing.assert_allclose(pi @ p, pi, atol=tol.IDENTITY)


def number_of(x, states):
    """Which of the listed states the rows of x are."""
    key = {tuple(s): k for k, s in enumerate(states)}
    return np.array([key[tuple(row)] for row in np.asarray(x).reshape(len(x), -1)])


def assert_counted(before, after, p, tol):
    """Counts of one step against the matrix: no step of probability 0, all others within the error."""
    seen = np.zeros(p.shape)
    np.add.at(seen, (before, after), 1.0)
    starts = seen.sum(1, keepdims=True)
    assert np.all(seen[p < 1e-15] == 0)
    error = np.sqrt(np.maximum(p * (1 - p), 1e-300) * starts) + 1e-9
    # Rare steps are Poisson: three more or less.
    assert np.all(np.abs(seen - p * starts) <= tol.STATISTICAL * error + 3.0)


def stepped(model, method, temperature, states, **settings):
    """Every state COPIES times, before and after one sweep of an engine."""
    before = np.repeat(np.arange(len(states)), COPIES)
    start = states[before]
    layers = list(model.layers)
    if len(layers) == 1:
        x0 = start.reshape(-1, *model.layers[layers[0]].shape)
    else:
        cut = model.layers[layers[0]].size
        x0 = {layers[0]: start[:, :cut], layers[1]: start[:, cut:]}
    sampler = start_sampler(model, len(start), x0, None, method, 5, settings)
    sampler.run(1, np.full(len(start), temperature))
    after = np.concatenate([sampler.state()[name].reshape(len(start), -1) for name in layers], 1)
    return before, number_of(after, states), sampler


def energies_of(model, states):
    layers = list(model.layers)
    if len(layers) == 1:
        return model(states.reshape(-1, *model.layers[layers[0]].shape))
    cut = model.layers[layers[0]].size
    return model({layers[0]: states[:, :cut], layers[1]: states[:, cut:]})


def test_checkerboard_with_any_couplings(tol):
    """Half a sweep draws two spins that do not couple: reversible; the two halves in turn are stationary only."""
    model = Ising.square((2, 2), [0.7, -0.4, 1.1, 0.3], periodic=False, field=np.array([[0.2, -0.5], [0.1, 0.4]]))
    states, heat = listed((-1.0, 1.0), 4), 1.3
    e = energies_of(model, states)
    pi, site = boltzmann(e, heat), [one_site(e, states, k, heat) for k in range(4)]
    first, second = site[0] @ site[3], site[1] @ site[2]
    np.testing.assert_allclose(first, site[3] @ site[0], atol=tol.IDENTITY)
    for half in (*site, first, second):
        assert_reversible(half, pi, tol)
    assert_stationary(first @ second, pi, tol)
    flow = pi[:, None] * (first @ second)
    assert np.max(np.abs(flow - flow.T)) > 1e-3
    before, after, _ = stepped(model, "checkerboard", heat, states)
    assert_counted(before, after, first @ second, tol)


@pytest.mark.parametrize(
    "model",
    [
        Ising.from_pairs([(0, 1), (1, 2), (0, 2)], [1.0, -1.0, -1.0]),
        SpinGlass.from_pairs([(0, 1), (1, 2)], [-0.8, 0.8]),
        Ising.from_pairs([(0, 1)], 0.6, shape=3),
    ],
    ids=["frustrated triangle", "chain", "a free spin"],
)
def test_replicas(model, tol):
    """Heat bath of one spin after another, 64 chains a word, in the engine's own order."""
    states, heat = listed((-1.0, 1.0), 3), 1.2
    e = energies_of(model, states)
    pi = boltzmann(e, heat)
    before, after, sampler = stepped(model, "replicas", heat, states)
    sweep = np.eye(8)
    for k in sampler.order:
        site = one_site(e, states, k, heat)
        assert_reversible(site, pi, tol)
        sweep = sweep @ site
    assert_stationary(sweep, pi, tol)
    assert_counted(before, after, sweep, tol)


def test_replicas_have_temperatures_of_their_own(tol):
    """Neighbouring bits of a word at T = 0.8 and T = 3 each have their own matrix."""
    model, states = Ising.from_pairs([(0, 1), (1, 2), (0, 2)], -1.0), listed((-1.0, 1.0), 3)
    before = np.repeat(np.arange(8), COPIES)
    heat = np.where(np.arange(len(before)) % 2, 3.0, 0.8)
    sampler = start_sampler(model, len(before), states[before], None, "replicas", 2, {})
    sampler.run(1, heat)
    after = number_of(sampler.state()["s"], states)
    for value in (0.8, 3.0):
        e = energies_of(model, states)
        sweep = np.linalg.multi_dot([one_site(e, states, k, value) for k in sampler.order])
        assert_counted(before[heat == value], after[heat == value], sweep, tol)


@pytest.mark.parametrize("visible", ["binary", "spin"])
def test_block_gibbs(visible, tol):
    """Layer by layer, each block reversible; 2 + 1 units, 8 states."""
    rbm = RBM(2, 1, visible, theta={"W": [[1.2], [-0.7]], "a": [0.3, -0.4], "c": [0.5]}).energy
    v, h = ((0.0, 1.0), (-1.0, 1.0))[visible == "spin"], (0.0, 1.0)
    states = np.array([[*a, b] for a in itertools.product(v, repeat=2) for b in h])
    e = energies_of(rbm, states)
    pi = boltzmann(e, 1.1)
    site = [one_site(e, states, k, 1.1) for k in range(3)]
    both = site[0] @ site[1]
    assert_reversible(both, pi, tol)
    sweep = both @ site[2]
    assert_stationary(sweep, pi, tol)
    before, after, _ = stepped(rbm, "gibbs", 1.1, states)
    assert_counted(before, after, sweep, tol)


CLUSTERED = {
    "spins": (Ising.from_pairs([(0, 1), (1, 2), (0, 2)], [0.5, 1.0, 0.3]), (-1.0, 1.0)),
    "codes": (PottsModel.from_pairs([(0, 1)], 0.8, q=3), (0, 1, 2)),
}


def bonds_of(model, state, heat):
    """Every set of kept bonds of a state: (clusters as frozensets of sites, probability)."""
    pairs, couplings = model.pairs, model.couplings
    cost = couplings * (2.0 if type(model.layers["s"].kind) is Spin else 1.0)
    like = [k for k, (i, j) in enumerate(pairs) if state[i] == state[j]]
    for kept in itertools.product((False, True), repeat=len(like)):
        p, groups = 1.0, [{k} for k in range(len(state))]
        for on, k in zip(kept, like, strict=True):
            chance = -np.expm1(-cost[k] / heat)
            p *= chance if on else 1.0 - chance
            if on:
                a, b = (next(g for g in groups if end in g) for end in pairs[k])
                if a is not b:
                    a |= b
                    groups.remove(b)
        yield groups, p


@pytest.mark.parametrize("name", CLUSTERED)
@pytest.mark.parametrize("method", ["swendsen_wang", "wolff"])
def test_clusters(method, name, tol):
    """All sets of kept bonds, all new values: both moves are reversible."""
    model, values = CLUSTERED[name]
    n, heat = model.layers["s"].size, 1.4
    states = listed(values, n)
    key = {tuple(s): k for k, s in enumerate(states)}
    p = np.zeros((len(states), len(states)))
    for k, state in enumerate(states):
        for groups, chance in bonds_of(model, state, heat):
            if method == "wolff":
                for group in groups:  # a cluster is chosen by one of its sites
                    others = [value for value in values if value != state[next(iter(group))]]
                    for value in others:
                        to = [value if site in group else old for site, old in enumerate(state)]
                        p[k, key[tuple(to)]] += chance * len(group) / n / len(others)
                continue
            for new in itertools.product(values, repeat=len(groups)):
                to = list(state)
                for value, group in zip(new, groups, strict=True):
                    for site in group:
                        to[site] = value
                p[k, key[tuple(to)]] += chance / len(values) ** len(groups)
    pi = boltzmann(energies_of(model, states), heat)
    assert_reversible(p, pi, tol)
    assert_stationary(p, pi, tol)
    before, after, _ = stepped(model, method, heat, states, **({"clusters": 1} if method == "wolff" else {}))
    assert_counted(before, after, p, tol)


@pytest.mark.parametrize("parity", [0, 1])
def test_exchange(parity, tol):
    """Three replicas of a spin in a field, 8 joint states: a sweep of each, then swaps of every other pair."""
    spin, heats = Energy({"s": (Spin(), 1)}, [Bias("s")], {"bias": [0.6]}), np.array([0.7, 1.5, 3.0])
    states = listed((-1.0, 1.0), 3)
    e = -0.6 * states
    pi = boltzmann(np.sum(e / heats, 1), 1.0)
    key = {tuple(s): k for k, s in enumerate(states)}
    sweep, swap = np.ones((8, 8)), np.zeros((8, 8))
    for k, t in enumerate(heats):
        sweep *= np.exp(-e[None, :, k] / t) / (2 * np.cosh(0.6 / t))
    low = parity  # one pair of neighbours in turn: (0, 1), then (1, 2)
    for k, state in enumerate(states):
        other = state.copy()
        other[[low, low + 1]] = other[[low + 1, low]]
        gain = (1 / heats[low] - 1 / heats[low + 1]) * (e[k, low] - e[k, low + 1])
        chance = min(1.0, np.exp(gain))
        swap[k, key[tuple(other)]] += chance
        swap[k, k] += 1.0 - chance
    for p in (sweep, swap):
        assert_reversible(p, pi, tol)
    assert_stationary(sweep @ swap, pi, tol)
    before = np.repeat(np.arange(8), COPIES)
    sampler = start_sampler(spin, 3 * len(before), states[before].reshape(-1, 1), None, "heatbath", 1, {})
    problem, root = make_problem(spin, None, None)[0], np.random.SeedSequence(2)
    replicas = _Replicas(spin, sampler, problem, heats, len(before), root)
    replicas.rounds = parity
    replicas.round(1)
    after = number_of(replicas.states()["s"].reshape(3, -1).T, states)
    assert_counted(before, after, sweep @ swap, tol)


def neighbour_sum(s):
    return sum(np.roll(s, step, axis) for axis in range(1, s.ndim) for step in (1, -1))


LATTICES = {
    "bitpacked": [(1.0, None, (8, 128)), (-0.7, None, (6, 256))],
    "bytes": [(0.4, 0.3, (4, 6)), (-0.3, 0.0, (4, 4, 4))],
}


@pytest.mark.parametrize("case", [0, 1])
@pytest.mark.parametrize("method", LATTICES)
def test_half_sweeps_of_lattices(method, case, tol):
    """One sweep from random states: each colour moves by its neighbours as they are when its turn comes."""
    coupling, field, shape = LATTICES[method][case]
    model = Ising.square(shape, coupling, field=field) if len(shape) == 2 else Ising.cubic(shape, coupling, field=field)
    chains, heat, h = 200_000 // int(np.prod(shape)) * 4, 2.1, field or 0.0
    before = np.random.default_rng(0).choice([-1.0, 1.0], (chains, *shape))
    sampler = start_sampler(model, chains, before, None, method, 8, {})
    sampler.run(1, np.full(chains, heat))
    after = sampler.state()["s"]
    colour = np.indices(shape).sum(0) % 2
    mixed = np.where(colour == 0, after, before)  # between the half sweeps
    for turn, (old, new) in enumerate(((before, mixed), (mixed, after))):
        around = neighbour_sum(old)
        chance = {}
        for total in np.unique(around):
            for spin in (-1.0, 1.0):
                here = (around == total) & (old == spin) & (colour == turn)
                gap = 2.0 * spin * (coupling * total + h)  # energy of turning the spin round
                metropolis = method == "bitpacked" and gap != 0.0  # a tie is a coin's toss
                want = min(1.0, np.exp(-gap / heat)) if metropolis else 1 / (1 + np.exp(gap / heat))
                seen, count = np.sum(new[here] != spin), np.sum(here)
                error = np.sqrt(max(want * (1 - want), 1e-300) * count) + 1e-9
                assert count > 500 and abs(seen - want * count) < tol.STATISTICAL * error
                chance[total, spin] = want
            # Given its neighbours a spin's two states exchange in balance.
            weight = [np.exp(spin * (coupling * total + h) / heat) for spin in (-1.0, 1.0)]
            assert weight[0] * chance[total, -1.0] == pytest.approx(weight[1] * chance[total, 1.0], rel=tol.IDENTITY)
        # Moves of different sites are independent: what is left over does not correlate, at any distance.
        want = np.zeros((100, *shape))
        for (total, spin), value in chance.items():
            want[(around[:100] == total) & (old[:100] == spin)] = value
        left = np.where(colour == turn, (new[:100] != old[:100]) - want, 0.0).reshape(len(want), -1)
        sites = np.flatnonzero(colour.ravel() == turn)[:64]
        left = left[:, sites] / np.sqrt(np.mean(left[:, sites] ** 2))
        together = (left.T @ left)[np.triu_indices(len(sites), 1)] / len(left)
        assert np.sqrt(np.mean(together**2) * len(left)) < 1 + tol.STATISTICAL / np.sqrt(2 * len(together)) + 0.2
