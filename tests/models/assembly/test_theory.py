"""Theory of multifarious assembly: the retrieval window, the capacity, the four phases, the clocks.

The `slow` tests are the full versions; `benchmarks/assembly_theory.py` draws them.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from physlearn import sample
from physlearn.dynamics import kinetics
from physlearn.models import (
    Assembly,
    RetrievalCurve,
    Structure,
    accidental_candidates,
    assembly_order,
    capacity_exponent,
    concentration_pattern,
    critical_size,
    grow_seeds,
    phase_map,
    random_structures,
    recognise,
    retrieval_curve,
    store,
)
from physlearn.terms import Lattice


# ---------------------------------------------------------------- the window mu/2 < eps < mu - T ln m
def test_one_bond_holds_above_the_upper_edge(tol):
    """Beside one molecule with m partners, a site is filled with m exp((eps - mu)/T) : 1, half at eps = mu - T ln m."""
    m, n, mu, temperature = 5, 40, 9.0, 1.3
    J = np.zeros((2, n, n))
    for gap in (-1.0, 0.0, 1.0):
        eps = mu - temperature * np.log(m) + gap
        J[0, 0, 1 : m + 1] = -eps
        held = Structure([[1]])
        soup = Assembly(n, J, mu, Lattice((1, 2), periodic=False)).seed(held, (0, 0))
        x0 = soup.empty()
        drawn = sample(soup.energy, temperature=temperature, n_samples=25, chains=100, warmup=5, x0=x0, rng=1).x
        filled = np.mean(drawn[..., 0, 1] > 0, 1)
        odds = m * np.exp((eps - mu) / temperature) + (n - m) * np.exp(-mu / temperature)
        exact = odds / (1 + odds)
        assert abs(filled.mean() - exact) < tol.STATISTICAL * filled.std(ddof=1) / np.sqrt(len(filled))


def test_seeds_grow_within_the_window_only():
    """Below mu/2 a seed melts; above mu - T ln m it is overgrown."""
    stored, mu, m = random_structures(2, (10, 10), rng=0), 14.0, 2
    for eps, expected in ((0.49 * mu, {"dispersed"}), (0.6 * mu, {"retrieved"}), (mu, {"chimera", "liquid"})):
        assert eps < mu - np.log(m) or expected == {"chimera", "liquid"}
        found = grow_seeds(stored, Lattice((16, 16)), bond=eps, mu=mu, chains=6, sweeps=800, rng=2)
        assert set(found.name) <= expected
        if expected == {"retrieved"}:
            assert found.main.tolist() == [0, 1] * 3 and found.overlap.max(1).min() > 0.9


def test_seeds_above_the_critical_size_grow():
    """l* = eps/(2 eps - mu) = 4: seeds of 2 x 2 melt, seeds of 6 x 6 grow."""
    (whole,) = random_structures(1, (12, 12), rng=0)
    eps, mu, temperature = 8.0, 14.0, 0.8
    assert critical_size(eps, mu) == 4.0
    settings = dict(bond=eps, mu=mu, temperature=temperature, chains=6, sweeps=2000, rng=1)
    assert set(grow_seeds([whole], Lattice((14, 14)), seed=2 / 12, **settings).name) == {"dispersed"}
    assert set(grow_seeds([whole], Lattice((14, 14)), seed=6 / 12, **settings).name) == {"retrieved"}


# ---------------------------------------------------------------- capacity N^((z - 2)/z)
@pytest.mark.parametrize("dimension, sides", [(2, (8, 14, 22)), (3, (4, 6, 8))])
def test_accidental_candidates(dimension, sides, tol):
    """(m - 1)^(z/2) N^(1 - z/2) on average, so that one a kink is reached at m - 1 = N^((z - 2)/z)."""
    for side in sides:
        n = side**dimension
        m = round(n ** (1 - 1 / dimension) / 2)
        drawn = np.array([accidental_candidates(random_structures(m, (side,) * dimension, rng=k)) for k in range(12)])
        exact = (m - 1) ** dimension / n ** (dimension - 1)
        # Two ways to the same species count once: fewer by a factor 1 - O(exact).
        assert 0.75 * exact < drawn.mean() < exact + tol.STATISTICAL * drawn.std(ddof=1) / np.sqrt(12)


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 2)])
def test_accidental_candidates_one_by_one(shape):
    """Of 24 species, most are absent from a structure."""
    stored = [s.codes for s in random_structures(4, shape, 24, rng=0)]
    found = 0
    for cell in stored:
        for at in np.ndindex(shape):
            before = [np.roll(cell, 1, axis)[at] for axis in range(len(shape))]
            fits = [
                {int(np.roll(other, -1, axis)[other == a][0]) for other in stored if a in other}
                for axis, a in enumerate(before)
            ]
            found += len(set.intersection(*fits) - {int(cell[at])})
    assert accidental_candidates(random_structures(4, shape, 24, rng=0)) == found / (4 * cell.size) > 0


def scan(dimension, sides, loads, **settings):
    """Curves at loads k = m^(z/2) N^(1 - z/2)."""
    curves = []
    for side in sides:
        n = side**dimension
        counts = np.unique([max(1, round((k * n ** (dimension - 1)) ** (1 / dimension))) for k in loads])
        curves.append(retrieval_curve(side, counts, dimension=dimension, rng=1, **settings))
    return curves


def test_capacity_grows_as_the_root_of_n():
    curves = scan(2, (8, 14, 20), (0.4, 0.7, 1.0, 1.5), bond=12.0, mu=23.0, patch=6, sweeps=300, trials=10)
    slope, error = capacity_exponent(curves)
    assert abs(slope - 1 / 2) < 0.1 and error < 0.08


@pytest.mark.slow
def test_capacity_exponents_of_both_lattices():
    """Measured as in `benchmarks/assembly_theory.py`; what is missing to 1/2 and 2/3 is finite size."""
    loads = (0.3, 0.45, 0.6, 0.8, 1.0, 1.3, 1.7)
    square = scan(2, (8, 12, 16, 24), loads, bond=12.0, mu=23.0, patch=6, sweeps=1000, trials=16)
    cubic = scan(3, (5, 6, 7, 8), loads, bond=9.0, mu=26.0, patch=4, sweeps=1000, trials=12)
    for curves, theory in ((square, 1 / 2), (cubic, 2 / 3)):
        slope, error = capacity_exponent(curves)
        assert abs(slope - theory) < 0.08 and error < 0.04
    assert capacity_exponent(cubic)[0] > capacity_exponent(square)[0] + 0.08


# ---------------------------------------------------------------- phases
def test_the_four_phases():
    lattice = Lattice((30, 30))
    few, many = random_structures(2, (20, 20), rng=0), random_structures(12, (20, 20), rng=0)
    shares = phase_map(few, lattice, [4.6, 6.0, 7.5], [10.0], chains=2, sweeps=1000, rng=0)
    assert_allclose(shares.sum(-1), 1.0)
    assert shares[0, 0, 3] == 1.0 and shares[0, 1, 0] == 1.0 and shares[0, 2, 1] == 1.0
    assert phase_map(many, lattice, [9.0], [10.0], chains=2, sweeps=200, rng=0)[0, 0, 2] == 1.0


# ---------------------------------------------------------------- clocks
def reliable(clock, bonds, mu, runs, side=8, m=2):
    """Shares of runs in a closed box that end as the structure of their seed, for each bond energy."""
    stored, shares = random_structures(m, (side, side), rng=3), []
    lattice, low = Lattice((side, side), periodic=False), side // 4
    part = stored[0].patch(*[slice(low, side - low)] * 2)
    duration = 30 * np.exp(mu) if clock == "gillespie" else 1000
    for bond in bonds:
        soup = Assembly(side * side, store(stored, bond), mu, lattice)
        start = soup.place(part, (low, low))
        ends = [
            kinetics(soup, temperature=1.0, t_span=duration, clock=clock, x0=start, rng=k).final for k in range(runs)
        ]
        found = assembly_order(np.stack(ends), stored, lattice)
        shares.append(np.mean((found.name == "retrieved") & (found.overlap[:, 0] > 0.9)))
    return np.array(shares)


def test_the_gillespie_clock_has_the_smaller_region():
    """In continuous time wrong molecules are held before they can leave (Metson, Osat and Golestanian 2025)."""
    bonds = (5.0, 6.0, 7.0, 8.0)
    discrete, continuous = (reliable(clock, bonds, 8.0, runs=4) for clock in ("heat bath", "gillespie"))
    assert continuous[0] >= 0.5 and discrete[0] >= 0.5
    assert continuous.sum() + 1 < discrete.sum()
    assert np.all(continuous <= discrete + 0.25)


# ---------------------------------------------------------------- recognition
def test_a_concentration_pattern_names_its_structure():
    """Each of three patterns grows the structure that it points to; a uniform soup of the same mean grows nothing."""
    stored = random_structures(3, (6, 6), rng=0)
    soup = Assembly(36, store(stored, 7.0), 9.0, Lattice((10, 10)))
    patterns = [concentration_pattern(s, 36, at=(1, 1), shape=(3, 3), base=4e-5, boost=300) for s in stored]
    found = recognise(soup, stored, patterns, temperature=1.0, chains=6, sweeps=4000, rng=1)
    assert_allclose(found.table.sum(1), 6)
    assert np.trace(found.table) >= 16
    uniform = np.full((1, 36), 4e-5)
    quiet = recognise(soup, stored, uniform, temperature=1.0, chains=6, sweeps=int(np.median(found.sweeps)) + 50, rng=1)
    assert quiet.table[0, -1] == 6


def test_a_turned_structure_wins_where_bonds_are_isotropic():
    stored = random_structures(2, (4, 4), rng=0)
    soup = Assembly(16, store(stored, 7.0, directional=False), 9.0, Lattice((8, 8)))
    grown = soup.seed(Structure(np.rot90(stored[1].codes)), (2, 2))
    found = recognise(grown, stored, np.full((1, 16), 1e-9), temperature=1.0, chains=2, sweeps=10, every=10, rng=0)
    assert found.winner.tolist() == [[1, 1]]


def test_bad_input():
    stored = random_structures(2, (4, 4), rng=0)
    soup = Assembly(16, store(stored, 5.0), 8.0, Lattice((6, 6)))
    with pytest.raises(ValueError, match="counts: got"):
        retrieval_curve(4, [3, 2], bond=5.0, mu=8.0)
    with pytest.raises(ValueError, match="dimension: got 4"):
        retrieval_curve(4, [1], bond=5.0, mu=8.0, dimension=4)
    with pytest.raises(ValueError, match="patch: got 7"):
        retrieval_curve(4, [1], bond=5.0, mu=8.0)
    with pytest.raises(ValueError, match="trials: got 1"):
        retrieval_curve(8, [1], bond=5.0, mu=8.0, trials=1)
    with pytest.raises(ValueError, match="seed: got 0"):
        grow_seeds(stored, Lattice((6, 6)), bond=5.0, mu=8.0, seed=0)
    with pytest.raises(ValueError, match="structures: one has shape .*, expected 3 axes"):
        grow_seeds(stored, Lattice((6, 6, 6), "cubic"), bond=5.0, mu=8.0)
    with pytest.raises(ValueError, match="chains: got 0"):
        grow_seeds(stored, Lattice((6, 6)), bond=5.0, mu=8.0, chains=0)
    with pytest.raises(ValueError, match="expected structures of one shape"):
        accidental_candidates([*stored, *random_structures(1, (3, 4), rng=0)])
    for bad in ([[1, 0], [2, 3]], [[1, 1], [2, 3]]):
        with pytest.raises(ValueError, match=r"structures\[0\]: . species on 4 cells"):
            accidental_candidates([Structure(bad, composition=2)])
    with pytest.raises(ValueError, match=r"lattice: \(3, 6\) is smaller"):
        grow_seeds(stored, Lattice((3, 6)), bond=5.0, mu=8.0)
    for temperature in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="temperature: got"):
            grow_seeds(stored, Lattice((6, 6)), bond=5.0, mu=8.0, temperature=temperature)
    with pytest.raises(ValueError, match="three or more"):
        capacity_exponent([RetrievalCurve(9, np.array([1]), np.ones((1, 2)))] * 3)
    with pytest.raises(ValueError, match="sum to 1.6, more than one"):
        concentration_pattern(stored[0], 16, at=(0, 0), shape=(1, 1), base=0.1, boost=1.0)
    with pytest.raises(ValueError, match="leaves the structure"):
        concentration_pattern(stored[0], 16, at=(3, 0), shape=(2, 1), base=0.01, boost=1.0)
    with pytest.raises(ValueError, match="one for each of 16"):
        recognise(soup, stored, np.ones((1, 3)), temperature=1.0)
    with pytest.raises(ValueError, match="more than one monomer"):
        recognise(soup, stored, np.full((1, 16), 0.5), temperature=1.0)
