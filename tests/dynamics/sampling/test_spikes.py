"""The spiking engine against enumeration: both two-level kinds, two temperatures, refractory periods, clamps."""

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Readout, Spin, enumerate_states, sample
from physlearn.dynamics.sampling import spikes
from physlearn.dynamics.sites.local import BINARY, SPIN
from physlearn.dynamics.sites.spiking import chance
from physlearn.terms import Bias, Pairs, PottsPairs

CASES = [(Spin(), 0.8, 4), (Spin(), 2.0, 15), (Binary(), 0.8, 15), (Binary(), 2.0, 1)]


def triangle(kind):
    terms = [Pairs("s", [(0, 1), (1, 2), (0, 2)]), Bias("s")]
    theta = {"J": [1.0, -0.8, 0.5], "bias": [0.3, -0.4, 0.2]}
    return Energy({"s": (kind, 3)}, terms, theta, {"first": Readout("s", [0])})


@pytest.mark.parametrize(("kind", "temperature", "tau"), CASES)
def test_states_are_distributed_as_the_energy_says(kind, temperature, tau, tol):
    """A spin's field is half of its gap: without the 2 its law would be that of another temperature."""
    energy = triangle(kind)
    exact = enumerate_states(energy, temperature=temperature)
    settings = {"method": "spikes", "tau": tau, "n_samples": 120, "chains": 64, "warmup": 40, "rng": 1}
    drawn = sample(energy, temperature=temperature, **settings)
    pairs = [(drawn.energy, exact.energy), *((drawn.x[..., k], exact.means["s"][k]) for k in range(3))]
    for measured, expected in pairs:
        means = measured.mean(1)
        assert abs(means.mean() - expected) < tol.STATISTICAL * means.std(ddof=1) / np.sqrt(64)
    assert f"tau={tau}" in drawn.method


def test_a_clamped_neuron_stays_and_a_spike_lasts():
    settings = {"n_samples": 40, "chains": 3, "method": "spikes", "tau": 6, "rng": 0}
    drawn = sample(triangle(Binary()), temperature=1.0, clamp={"first": [1.0]}, **settings)
    assert np.all(drawn.x[..., 0] == 1.0)
    on = np.diff(np.pad(drawn.x[..., 1:], ((0, 0), (1, 1), (0, 0))), axis=1)
    for chain in range(3):
        for k in range(2):
            begins, ends = np.flatnonzero(on[chain, :, k] > 0), np.flatnonzero(on[chain, :, k] < 0)
            inner = (begins > 0) & (ends < 40)
            assert np.all((ends - begins)[inner] % 6 == 0)


def test_a_chain_does_not_depend_on_the_others():
    settings = {"temperature": 1.0, "n_samples": 5, "method": "spikes", "tau": 3, "rng": 4}
    few, many = sample(triangle(Spin()), chains=2, **settings), sample(triangle(Spin()), chains=40, **settings)
    assert np.array_equal(few.x, many.x[:2])


def test_what_does_not_fit_is_refused():
    coded = Energy({"s": (Potts(3), 2)}, [PottsPairs("s", [(0, 1)], 3)], {"J": [1.0]})
    with pytest.raises(ValueError, match="a spike turns on a variable of two levels"):
        sample(coded, temperature=1.0, n_samples=1, method="spikes")
    for tau in (0, 2.5):
        with pytest.raises(ValueError, match="tau"):
            sample(triangle(Spin()), temperature=1.0, n_samples=1, method="spikes", tau=tau)


def one_sweep(fields, code, temperature, tau, chance=chance):
    """Transition matrix of a sweep over the counters of three neurons, and each state's on-off code."""
    zeta = np.array(list(np.ndindex(*[tau + 1] * 3)))
    number = {tuple(z): k for k, z in enumerate(zeta)}
    whole = np.eye(len(zeta))
    for i in range(3):
        step = np.zeros((len(zeta), len(zeta)))
        for k, z in enumerate(zeta):
            if z[i] > 1:
                step[k, number[(*z[:i], z[i] - 1, *z[i + 1 :])]] = 1.0
                continue
            on = z >= 1
            p = chance(float(fields(np.where(on, 1.0, -1.0 if code == SPIN else 0.0))[i]), code, temperature, tau)
            step[k, number[(*z[:i], tau, *z[i + 1 :])]] += p
            step[k, number[(*z[:i], 0, *z[i + 1 :])]] += 1.0 - p
        whole = whole @ step
    return whole, (zeta >= 1) @ [4, 2, 1]


def law(matrix, codes):
    """Probabilities of the eight on-off states under the stationary law of a chain."""
    n = len(matrix)
    stationary = np.linalg.solve(np.vstack([(matrix.T - np.eye(n))[:-1], np.ones(n)]), np.eye(n)[-1])
    return np.bincount(codes, stationary, 8)


@pytest.mark.parametrize("tau", [1, 2, 5])
@pytest.mark.parametrize("temperature", [0.7, 2.0])
@pytest.mark.parametrize(("kind", "code"), [(Spin(), SPIN), (Binary(), BINARY)])
def test_the_full_transition_matrix_of_three_neurons_keeps_the_law(kind, code, temperature, tau, tol):
    """By the kernel's own probability of a spike; half a spin's gap would give another law."""
    energy = triangle(kind)
    low = -1.0 if code == SPIN else 0.0
    states = np.array([[1.0 if k & bit else low for bit in (4, 2, 1)] for k in range(8)])
    weights = np.exp(-energy(states) / temperature)
    exact = weights / weights.sum()
    found = law(*one_sweep(lambda s: energy.field({"s": s[None]}, "s")[0], code, temperature, tau))
    np.testing.assert_allclose(found, exact, rtol=tol.IDENTITY)
    if code == SPIN:
        halved = law(*one_sweep(lambda s: energy.field({"s": s[None]}, "s")[0] / 2, code, temperature, tau))
        assert np.abs(halved - exact).max() > 0.02


def test_all_at_once_the_law_is_another():
    """Neurons that decide together on what the others did: a bias that longer spikes make small."""
    energy, found = triangle(Binary()), {}
    states = np.array([[float(bool(k & bit)) for bit in (4, 2, 1)] for k in range(8)])
    weights = np.exp(-energy(states))
    exact = weights / weights.sum()
    for tau in (2, 8):
        zeta = np.array(list(np.ndindex(*[tau + 1] * 3)))
        matrix = np.ones((len(zeta), len(zeta)))
        for i in range(3):
            fields = energy.field({"s": (zeta >= 1).astype(float)}, "s")[:, i]
            p = np.array([chance(float(f), BINARY, 1.0, tau) for f in fields])
            spent = zeta[:, i] > 1
            stays = (zeta[None, :, i] == zeta[:, i, None] - 1) & spent[:, None]
            draws = np.where(zeta[None, :, i] == tau, p[:, None], np.where(zeta[None, :, i] == 0, 1 - p[:, None], 0.0))
            matrix *= np.where(spent[:, None], stays, draws)
        drawn = law(matrix, (zeta >= 1) @ [4, 2, 1])
        found[tau] = np.sum(drawn * np.log(drawn / exact))
    assert found[2] > 2 * found[8] > 2e-3


@pytest.mark.parametrize("kind", [Spin(), Binary()])
def test_compiled_visits_are_those_of_numpy(kind, monkeypatch):
    """The same numbers in the same order: the same draws, clamped or not, whatever the number of threads."""
    rng = np.random.default_rng(3)
    pairs = [(i, j) for i in range(12) for j in range(i) if rng.random() < 0.4]
    theta = {"J": rng.normal(size=len(pairs)), "bias": rng.normal(size=12)}
    energy = Energy({"s": (kind, 12)}, [Pairs("s", pairs), Bias("s")], theta, {"some": Readout("s", [2, 7])})
    settings = {"temperature": 1.3, "n_samples": 20, "chains": 5, "method": "spikes", "tau": 4, "rng": 8}
    for clamp in (None, {"some": [1.0, kind.levels[0]]}):
        fast = sample(energy, clamp=clamp, threads=2, **settings)
        with monkeypatch.context() as patch:
            patch.setattr(spikes.moves, "refusal", lambda problem: "not now")
            slow = sample(energy, clamp=clamp, **settings)
        assert "local forms" in fast.method and "one variable at a time" in slow.method
        np.testing.assert_array_equal(fast.x, slow.x)


def test_two_layers_are_drawn_in_blocks():
    """An RBM: each layer at once, exact all the same, because its units are independent given the other layer."""
    from physlearn.models import RBM

    machine = RBM(3, 2).with_theta(
        {"W": [[1.0, -0.5], [0.4, 0.8], [-1.2, 0.3]], "a": [0.1, -0.2, 0.3], "c": [0.2, -0.4]}
    )
    exact = enumerate_states(machine, temperature=1.0)
    drawn = sample(machine, temperature=1.0, n_samples=200, chains=64, warmup=50, rng=2, method="spikes", tau=3)
    means = drawn.energy.mean(1)
    assert "blocks" in drawn.method
    assert abs(means.mean() - exact.energy) < 4 * means.std(ddof=1) / 8
