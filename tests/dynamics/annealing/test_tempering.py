"""Parallel tempering: every temperature exact, swaps as often as they should be, ladders independent."""

import itertools

import numpy as np
import pytest

from physlearn import Binary, Energy, Mean, Potts, Readout, Real, Spin
from physlearn.dynamics import ladder, tempering
from physlearn.terms import Bias, Dense, Edges, Pairs, PottsPairs

LADDER = ladder(0.3, 3.0, 6)


def glass(kind, rng, n=12):
    pairs = np.stack(np.triu_indices(n, 1), 1)
    theta = {"J": rng.normal(size=len(pairs)) / np.sqrt(n), "bias": rng.normal(0, 0.1, n)}
    readouts = {"some": Readout("s", [0, 7]), "push": Readout("s", [2], force=True)}
    return Energy({"s": (kind, n)}, [Pairs("s", pairs, n), Bias("s")], theta, readouts)


def states_of(kind, n):
    return np.array(list(itertools.product((-1.0, 1.0) if isinstance(kind, Spin) else (0.0, 1.0), repeat=n)))


def assert_exact(drawn, states, energies, temperatures, tol):
    """Energy, every variable and every product of two, at every temperature, from independent ladders."""
    i, j = np.triu_indices(states.shape[1], 1)
    features = np.concatenate([energies[:, None], states, states[:, i] * states[:, j]], 1)
    for k, temperature in enumerate(temperatures):
        x = drawn.x[k]
        found = np.concatenate([drawn.energy[k][..., None], x, x[..., i] * x[..., j]], -1)
        assert_means(found, features, np.exp(-(energies - energies.min()) / temperature), tol)


def assert_means(found, features, weight, tol):
    """Means of found (chains, draws, ...) against exact ones; no less error than of independent draws."""
    p = weight / weight.sum()
    exact, chains = p @ features, found.mean(1)
    least = np.sqrt(np.maximum(p @ features**2 - exact**2, 1e-20) / (found.shape[0] * found.shape[1]))
    error = np.maximum(chains.std(0, ddof=1) / np.sqrt(len(chains)), least)
    assert np.max(np.abs(chains.mean(0) - exact) / error) < tol.STATISTICAL


@pytest.mark.parametrize("kind", [Spin(), Binary()])
@pytest.mark.parametrize("method", ["heatbath", "metropolis"])
def test_every_temperature_is_exact(kind, method, rng, tol):
    energy = glass(kind, rng)
    drawn = tempering(energy, temperatures=LADDER, n_samples=60, chains=200, warmup=100, thin=3, method=method, rng=2)
    states = states_of(kind, 12)
    e = energy(states)
    assert_exact(drawn, states, e, LADDER, tol)
    # Neighbours are independent at a swap: its rate is a double sum over states, i cold and j hot.
    gap = np.sort(e) - e.min()
    for k in range(5):
        p, q = (np.exp(-gap / t) / np.exp(-gap / t).sum() for t in LADDER[k : k + 2])
        tilt = np.exp((1 / LADDER[k] - 1 / LADDER[k + 1]) * gap)
        rate = q @ (p[::-1].cumsum()[::-1] + ((p * tilt).cumsum() - p * tilt) / tilt)
        assert drawn.exchange[k] == pytest.approx(rate, abs=0.02)
    assert drawn.best_energy == pytest.approx(e.min())
    assert np.array_equal(drawn.best_x, states[np.argmin(e)])
    assert np.all(drawn.round_trips >= 1)


def test_clamps_and_given_forces(rng, tol):
    energy = glass(Spin(), rng)
    clamp = {"some": [1.0, -1.0], "push": [0.9]}
    drawn = tempering(energy, temperatures=LADDER, n_samples=60, chains=200, thin=3, clamp=clamp, rng=2)
    states = states_of(Spin(), 12)
    states = states[(states[:, 0] == 1) & (states[:, 7] == -1)]
    free = np.delete(np.arange(12), [0, 7])
    for k, temperature in enumerate(LADDER):
        felt = energy(states) - 0.9 * states[:, 2]
        assert_means(drawn.x[k][..., free], states[:, free], np.exp(-(felt - felt.min()) / temperature), tol)
    np.testing.assert_allclose(drawn.energy[2, 5], energy(drawn.x[2, 5]), atol=1e-12)  # without the force's work


def test_a_ladder_does_not_depend_on_the_number_of_ladders(rng):
    energy = glass(Spin(), rng)

    def run(chains, **settings):
        return tempering(energy, temperatures=[2.0, 1.0, 0.5], n_samples=10, chains=chains, rng=3, **settings)

    few, many, threads = run(2), run(40), run(40, threads=2)
    assert np.array_equal(few.x, many.x[:, :2]) and np.array_equal(few.energy, many.energy[:, :2])
    assert np.array_equal(few.round_trips, many.round_trips[:2])
    assert np.array_equal(threads.x, many.x) and np.array_equal(threads.exchange, many.exchange)
    assert len({x.tobytes() for x in many.x[0]}) == 40
    assert many.temperatures.tolist() == [2.0, 1.0, 0.5] and np.all(np.diff(many.energy.mean((1, 2))) < 0)


def test_it_crosses_barriers_that_a_cold_chain_does_not():
    n = 10
    pairs = np.stack(np.triu_indices(n, 1), 1)
    magnet = Energy({"s": (Spin(), n)}, [Pairs("s", pairs, n)], {"J": np.full(len(pairs), 1.0 / n)})
    drawn = tempering(magnet, temperatures=ladder(0.1, 2.0, 8), n_samples=400, chains=20, x0=np.ones(n), rng=1)
    side = np.sign(drawn.x[0].sum(-1)).mean(1)
    assert abs(side.mean()) < 4 * side.std(ddof=1) / np.sqrt(20) < 0.5


def test_observables_and_records(rng):
    energy = glass(Spin(), rng)
    given = dict(temperatures=LADDER, n_samples=12, chains=3, warmup=5, rng=3)  # as many draws as spins
    full = tempering(energy, **given)
    few = tempering(energy, **given, observe={"m": lambda x: x["s"].mean(1), "s": Mean(lambda x: x["s"])})
    assert few.x is None and np.array_equal(few.energy, full.energy)
    np.testing.assert_allclose(few.observed["m"], full.x.mean(-1), atol=1e-12)
    np.testing.assert_allclose(few.observed["s"], full.x.mean(2), atol=1e-12)
    assert full.x.shape == (6, 3, 12, 12) and full.final["s"].shape == (6, 3, 12)
    assert np.array_equal(full.final["s"], full.x[:, :, -1])
    cold = full.at(0)
    assert cold.temperature == pytest.approx(0.3) and np.array_equal(cold.x, full.x[0])
    data = few.to_dataset()
    assert data["s"].dims == ("temperature", "chain", "s_dim_0")
    assert data["m"].dims == ("temperature", "chain", "draw") and data["energy"].shape == (6, 3, 12)
    np.testing.assert_allclose(data["temperature"], LADDER)
    assert "parallel tempering over heat bath" in repr(full) and few.at(1).x is None


def test_other_machines(rng, tol):
    # A Potts ring, a restricted Boltzmann machine (block Gibbs) and a spring (exact Gaussian) under exchange.
    ring = [(i, (i + 1) % 5) for i in range(5)]
    potts = Energy({"s": (Potts(3), 5)}, [PottsPairs("s", ring, 3)], {"J": np.ones(5)})
    drawn = tempering(potts, temperatures=[0.5, 1.0], n_samples=50, chains=100, thin=2, rng=1)
    states = np.array(list(itertools.product(range(3), repeat=5)))
    rbm = Energy({"v": (Binary(), 3), "h": (Binary(), 2)}, [Dense(("v", "h"))], {"W": 2 * rng.normal(size=(3, 2))})
    bits = states_of(Binary(), 5)
    machine = tempering(rbm, temperatures=[0.5, 1.0], n_samples=50, chains=100, thin=2, rng=1)
    assert set(machine.x) == {"v", "h"} and machine.at(1).x["v"].shape == (100, 50, 3)
    spring = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [2.0]}, fixed={"end": [0.0]},
                    readouts={"end": Readout("v", [0])})  # fmt: skip
    pulled = tempering(spring, temperatures=[0.5, 1.0], n_samples=50, chains=100, rng=1)
    e = {"potts": potts(states), "rbm": rbm({"v": bits[:, :3], "h": bits[:, 3:]})}
    for k, temperature in enumerate((0.5, 1.0)):
        for name, record in (("potts", drawn), ("rbm", machine), ("spring", pulled)):
            if name == "spring":
                exact = temperature / 2
            else:
                p = np.exp(-(e[name] - e[name].min()) / temperature)
                exact = p @ e[name] / p.sum()
            chains = record.energy[k].mean(1)
            assert abs(chains.mean() - exact) < tol.STATISTICAL * chains.std(ddof=1) / 10


@pytest.mark.parametrize(
    "given, message",
    [
        ({"temperatures": [1.0]}, "at least two in a line"),
        ({"temperatures": [1.0, 0.0]}, "positive finite"),
        ({"temperatures": [1.0, 2.0, 1.5]}, "strictly increasing or decreasing"),
        ({"temperatures": ["a", "b"]}, "positive finite"),
        ({"n_samples": 0}, "n_samples: got 0"),
        ({"n_samples": 1.5}, "n_samples: got 1.5"),
        ({"sweeps": 0}, "sweeps: got 0"),
        ({"chains": "a"}, "chains: got 'a'"),
        ({"thin": 0.5}, "thin: got 0.5"),
        ({"warmup": -1}, "warmup: got -1"),
        ({"observe": {"m": lambda x: 1.0}}, r"observe\['m'\]: returned float64 of shape \(\)"),
        ({"method": "fast"}, "method: got 'fast'"),
        ({"clamp": {"some": np.ones((3, 2))}, "chains": 2}, "batch"),
    ],
)
def test_bad_input(given, message, rng):
    with pytest.raises(ValueError, match=message):
        tempering(glass(Spin(), rng), **({"temperatures": [1.0, 2.0], "n_samples": 2, "rng": 0} | given))


def test_bad_ladders():
    assert np.allclose(ladder(0.5, 2.0, 3), [0.5, 1.0, 2.0])
    for given, message in (
        ((1.0, 0.5, 3), "expected 0 < cold < hot"),
        ((0.0, 1.0, 3), "cold: got 0.0"),
        ((1.0, 2.0, 1), "n: got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            ladder(*given)
    with pytest.raises(TypeError, match="observe: got a function"):
        tempering(glass(Spin(), np.random.default_rng(0)), temperatures=[1, 2], n_samples=1, observe=lambda x: x)
