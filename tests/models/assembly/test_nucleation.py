"""Nucleation: the block formula by counting, umbrella sampling against enumeration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from physlearn.models import (
    Assembly,
    Structure,
    block_energy,
    critical_size,
    growth_free_energy,
    nucleation_barrier,
    patch_barrier,
    random_structures,
    store,
)
from physlearn.terms import Lattice


@pytest.mark.parametrize("dimension", [2, 3])
def test_block_formula_is_the_energy_of_a_block(dimension, tol):
    """Against the model's own energy, and the maximum of the formula by a fine grid."""
    bond, mu = 4.0, 4.0 * dimension - 2.5
    whole = random_structures(1, (5,) * dimension, rng=0)[0]
    lattice = Lattice((7,) * dimension, "square" if dimension == 2 else "cubic", periodic=False)
    soup = Assembly(whole.size, store([whole], bond), mu, lattice)
    for size in range(1, 6):
        block = whole.patch(*[slice(size)] * dimension)
        exact = soup.energy(soup.place(block, (1,) * dimension))
        assert_allclose(block_energy(size, bond, mu, dimension=dimension), exact, rtol=tol.IDENTITY)
    sizes = np.linspace(0.5, 10, 100_001)
    energies = block_energy(sizes, bond, mu, dimension=dimension)
    assert_allclose(critical_size(bond, mu, dimension=dimension), sizes[energies.argmax()], atol=1e-4)
    assert_allclose(nucleation_barrier(bond, mu, dimension=dimension), energies.max(), rtol=1e-8)


@pytest.mark.parametrize("temperature", [1.0, 1.5])
def test_umbrella_against_enumeration(temperature, tol):
    """All 2^15 states of a 4 x 4 structure with a hole and uneven costs, amid another structure's bonds."""
    right, wrong = random_structures(2, (4, 4), rng=1)
    right = Structure(np.where(right.codes == right.codes[1, 0], 0, right.codes))
    soup = Assembly(16, store([right, wrong], 4.0), np.linspace(5.7, 6.3, 16), Lattice((4, 4), periodic=False))
    held = np.arange(2**15)[:, None] >> np.arange(15) & 1
    states = np.zeros((2**15, 4, 4), np.int64)
    states[:, right.codes > 0] = held * right.codes[right.codes > 0]
    weight = np.exp(-soup.energy(states) / temperature)
    exact = -temperature * np.log(np.bincount(held.sum(1), weight))
    found = growth_free_energy(soup, right, temperature=temperature, sweeps=5000, chains=16, rng=3)
    assert np.all(np.abs(found.free_energy - (exact - exact[0]))[1:] < tol.STATISTICAL * found.error[1:] + 1e-12)
    assert np.all(found.error < 0.1)
    assert found.critical == np.argmax(exact) and found.barrier == found.free_energy.max()


def test_the_first_molecule_costs_mu_however_cold():
    """exp(-mu/T) is zero in floating point; F(1) - F(0) = mu - T ln(places) all the same."""
    whole = random_structures(1, (3, 3), rng=0)[0]
    soup = Assembly(9, store([whole], 4.0), 6.0, Lattice((3, 3), periodic=False))
    found = growth_free_energy(soup, whole, temperature=6e-3, sweeps=10, rng=0)
    assert_allclose(found.free_energy[1], 6.0 - 6e-3 * np.log(9), rtol=1e-12)
    assert np.all(np.isfinite(found.free_energy))


def test_most_compact_shapes_are_the_blocks(tol):
    """n molecules hold at most 2n - ceil(2 sqrt n) bonds (Harary and Harborth 1976); shapes only lower the barrier."""
    bond, mu, temperature = 4.0, 6.5, 0.8
    n = np.arange(1, 26)
    least = mu * n - bond * (2 * n - np.ceil(2 * np.sqrt(n)))
    assert_allclose(least[[0, 3, 8, 15, 24]], block_energy(np.arange(1, 6), bond, mu), rtol=tol.IDENTITY)
    whole = random_structures(1, (8, 8), rng=1)[0]
    soup = Assembly(64, store([whole], bond), mu, Lattice((8, 8), periodic=False))
    found = growth_free_energy(soup, whole, temperature=temperature, largest=25, sweeps=500, chains=4, rng=0)
    assert np.all(found.free_energy[1:] < least + tol.STATISTICAL * found.error[1:])
    assert abs(np.sqrt(found.critical) - critical_size(bond, mu)) < 1
    assert nucleation_barrier(bond, mu) - 8 * temperature < found.barrier < least.max()


def test_a_frequent_patch_lowers_the_barrier():
    whole, other = random_structures(2, (6, 6), rng=2)
    mu = np.full(36, 6.5)
    mu[whole.codes[1:4, 1:4].ravel() - 1] -= 1.0
    assert patch_barrier(whole, np.full(36, 6.5), 4.0) == max(block_energy(np.arange(1, 7), 4.0, 6.5))
    assert patch_barrier(whole, mu, 4.0) < patch_barrier(other, mu, 4.0)


def test_bad_input():
    whole = random_structures(1, (3, 3), rng=0)[0]
    soup = Assembly(9, store([whole], 4.0), 6.0, Lattice((4, 4)))
    with pytest.raises(ValueError, match="no block is stable"):
        critical_size(3.0, 6.0)
    with pytest.raises(ValueError, match="bond: got -1"):
        critical_size(-1.0, -6.0)
    with pytest.raises(ValueError, match="temperature: got 0"):
        growth_free_energy(soup, whole, temperature=0)
    with pytest.raises(ValueError, match="species 10"):
        growth_free_energy(soup, whole.codes + 1, temperature=1.0)
    with pytest.raises(ValueError, match="largest: got 10"):
        growth_free_energy(soup, whole, temperature=1.0, largest=10)
    with pytest.raises(ValueError, match="largest: got 2.7"):
        growth_free_energy(soup, whole, temperature=1.0, largest=2.7)
    with pytest.raises(ValueError, match=r"structure: its box \(3, 3\) is larger than the lattice \(2, 4\)"):
        growth_free_energy(Assembly(9, soup.J, 6.0, Lattice((2, 4))), whole, temperature=1.0)
    with pytest.raises(ValueError, match="chains: got 1"):
        growth_free_energy(soup, whole, temperature=1.0, chains=1)
    driven = Assembly(9, np.zeros((4, 9, 9)), 6.0, Lattice((4, 4)), reciprocal=False)
    with pytest.raises(TypeError, match="not reciprocal"):
        growth_free_energy(driven, whole, temperature=1.0)
    with pytest.raises(ValueError, match="empty sites bond too"):
        growth_free_energy(Assembly(9, np.ones((10, 10)), 6.0, Lattice((4, 4))), whole, temperature=1.0)
    with pytest.raises(ValueError, match="mu, bond: got .*, expected finite"):
        patch_barrier(whole, np.full(9, np.nan), 1.0)
    with pytest.raises(ValueError, match=r"mu: got shape \(3,\)"):
        patch_barrier(whole, np.ones(3), 1.0)
