"""LIF sampling against enumeration."""

import numpy as np
import pytest

from circuits.neurons import lif_boltzmann
from physlearn import Binary, Energy, Potts, Real, Spin, enumerate_states, integrate
from physlearn.terms import Bias, Edges, Pairs, PottsPairs

PAIRS = [(i, j) for i in range(5) for j in range(i)]


def machine(kind, seed=0):
    """Weights and biases of size 1.2 from a beta distribution, as in the source; the same law for spins."""
    rng = np.random.default_rng(seed)
    j, b = 1.2 * (rng.beta(0.5, 0.5, 10) - 0.5), 1.2 * (rng.beta(0.5, 0.5, 5) - 0.5)
    if isinstance(kind, Spin):
        w = np.zeros((5, 5))
        for (a, c), value in zip(PAIRS, j, strict=True):
            w[a, c] = w[c, a] = value
        j, b = j / 4, b / 2 + w.sum(1) / 4
    return Energy({"z": (kind, 5)}, [Pairs("z", PAIRS), Bias("z")], {"J": j, "bias": b})


@pytest.mark.parametrize(("kind", "temperature"), [(Binary(), 1.0), (Spin(), 1.0)])
def test_the_law_is_near_the_exact_one(kind, temperature):
    energy = machine(kind)
    sampler = lif_boltzmann(energy, copies=60, temperature=temperature)
    assert sampler.misfit < 0.03
    run = integrate(sampler.network, (0.0, 5.0), dt=sampler.dt, rng=1)
    z = sampler.states(run).reshape(-1, 5)
    assert set(np.unique(z)) == set(map(float, kind.levels))
    low = float(kind.levels[0])
    states = np.array([[1.0 if k >> i & 1 else low for i in range(5)] for k in range(32)])
    weights = np.exp(-energy(states) / temperature)
    exact = weights / weights.sum()
    drawn = np.bincount((z > 0) @ (1 << np.arange(5)), minlength=32) / len(z)
    kl = np.sum(drawn[drawn > 0] * np.log(drawn[drawn > 0] / exact[drawn > 0]))
    uniform = np.sum(exact * np.log(exact * 32))
    assert kl < 1e-2 < 0.1 < uniform
    np.testing.assert_allclose(enumerate_states(energy, temperature=temperature).means["z"], exact @ states, rtol=1e-10)


def test_what_does_not_fit_is_named():
    ring = [(0, 1), (1, 2)]
    for energy, message in (
        (Energy({"s": (Potts(3), 3)}, [PottsPairs("s", ring, 3)], {"J": [1.0, 1.0]}), "expected one of Binary or Spin"),
        (Energy({"v": (Real(), 3)}, [Edges("v", ring)], {"conductance": [1.0, 1.0]}), "expected one of Binary or Spin"),
    ):
        with pytest.raises(ValueError, match=message):
            lif_boltzmann(energy)
    for settings, message in (
        ({"temperature": 0.0}, "temperature"),
        ({"copies": 0}, "copies"),
        ({"sigma": -1.0}, "sigma in V"),
    ):
        with pytest.raises(ValueError, match=message):
            lif_boltzmann(machine(Binary()), **settings)
    with pytest.raises(TypeError, match="machine|energy"):
        lif_boltzmann("machine")
