"""The spiking engine against enumeration: both two-level kinds, two temperatures, refractory periods, clamps."""

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Readout, Spin, enumerate_states, sample
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
