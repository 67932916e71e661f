"""Structures: Hebb's rule, pictures, promiscuity, seeds; linkers integrated out; what is refused."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from physlearn import enumerate_states, sample
from physlearn.models import Assembly, Structure, linked, promiscuity, random_structures, store
from physlearn.terms import Lattice


def test_store_is_hebb(rng):
    structures = random_structures(3, (4, 4), rng=rng)
    J = store(structures, 2.0, saturation=np.inf)
    expected = np.zeros((2, 16, 16))
    for s in structures:
        for r, c in itertools.product(range(4), range(4)):
            if c < 3:
                expected[0, s.codes[r, c] - 1, s.codes[r, c + 1] - 1] -= 2.0
            if r > 0:
                expected[1, s.codes[r, c] - 1, s.codes[r - 1, c] - 1] -= 2.0
    np.testing.assert_array_equal(J, expected)
    capped = store(structures, 2.0)
    np.testing.assert_array_equal(capped, np.maximum(expected, -2.0))
    both = store(structures, 2.0, directional=False)
    np.testing.assert_array_equal(both, both.T)
    assert np.all((both < 0) >= (capped < 0).any(0))


@pytest.mark.parametrize(("shape", "kind"), [((4, 4), "square"), ((4, 4), "triangular"), ((3, 3, 3), "cubic")])
def test_a_stored_structure_has_all_its_bonds(shape, kind):
    structures = random_structures(3, shape, 80, rng=1)
    soup = Assembly(
        80, store(structures, 5.0, n_species=80, kind=kind), 7.0, Lattice(tuple(k + 2 for k in shape), kind)
    )
    for s in structures:
        x = soup.place(s, (1,) * len(shape))
        assert soup.energy(x) == 7.0 * s.size - 5.0 * len(s.bonds(kind))


def test_promiscuity_of_random_structures(tol):
    n, m = 400, 5
    found = promiscuity(store(random_structures(m, (20, 20), rng=2), 1.0))
    assert found.partners.shape == (4, n) and found.partners.sum() == 4 * m * 380 - 2 * np.sum(
        (store(random_structures(m, (20, 20), rng=2), 1.0, saturation=np.inf) < -1.0) * 1.0
    )
    assert found.most == m and found.histogram.sum() == 4 * n
    assert abs(found.accidental - m**2 / n * 0.95**2) < 0.01 * m**2 / n  # m^(z/2) N^(1 - z/2), less the rims


@pytest.mark.parametrize("directions", [2, 3])
def test_promiscuity_without_directions(directions):
    """p of N species stick by each of D bonds: N (p/N)^D; of how many bonds, J does not say."""
    J = store(random_structures(3, (10, 10), rng=0), 4.0, directional=False)
    share = np.mean(J < 0)
    assert_allclose(promiscuity(J, directions=directions).accidental, 100 * share**directions)
    assert np.isnan(promiscuity(J).accidental)
    with pytest.raises(ValueError, match="directions: got 4, but J has 2"):
        promiscuity(np.stack([J, J]), directions=4)


def test_pictures_and_patches():
    ring = Structure.from_picture(["###", "# #", "###"], 20, rng=0, name="ring")
    assert ring.size == 8 and len(ring.species) == 8 and len(ring.bonds()) == 8 and ring.codes[1, 1] == 0
    grey = Structure.from_picture(np.array([[0.0, 0.9], [1.0, 0.2]]), 5, rng=0)
    assert (grey.codes > 0).tolist() == [[False, True], [True, False]]
    assert Structure([[1, 1]], composition=2).bonds().tolist() == [[0, 1, 1]]
    assert len(Structure([[1, 2]]).bonds(periodic=True)) == 2


def test_seeds_hold(rng):
    a, b = random_structures(2, (3, 3), rng=rng)
    soup = Assembly(9, store([a, b], 4.0), 6.0, Lattice((8, 8)))
    two = soup.seed(a.patch(slice(2), slice(2)), (1, 1)).seed(b.patch(slice(1)), (7, 6))  # across the boundary
    drawn = sample(two.energy, temperature=1.0, n_samples=5, chains=2, rng=0)
    held = two.empty()
    assert (
        np.count_nonzero(held) == 7 and held[7, 6:].tolist() == b.codes[0, :2].tolist() and held[7, 0] == b.codes[0, 2]
    )
    assert np.all(drawn.x[..., held > 0] == held[held > 0])


# ---------------------------------------------------------------- linkers
def test_linkers_are_integrated_out_exactly(tol):
    rng, temperature = np.random.default_rng(8), 0.8
    large = rng.normal(size=(4, 4))  # two species, two linkers
    large += large.T
    c, mu = np.array([0.3, 0.05]), np.array([0.4, 1.0])
    lattice = Lattice((2, 2), periodic=False)
    soup = Assembly(2, linked(large, 2, c, temperature=temperature), mu, lattice)
    exact = enumerate_states(soup.energy, temperature=temperature)
    pairs = [(i, int(j)) for i, row in enumerate(lattice.neighbours[:, :2]) for j in row if j >= 0]
    weight = []
    for codes in exact.states().reshape(-1, 4):
        total = 0.0
        for chosen in itertools.product(range(3), repeat=len(pairs)):  # a linker or none on every pair
            e = sum(mu[k - 1] for k in codes if k)
            for (i, j), l in zip(pairs, chosen, strict=True):
                a, b = codes[i], codes[j]
                e += large[a - 1, b - 1] if a and b else 0.0
                if l:
                    e += -temperature * np.log(c[l - 1])
                    e += sum(large[k - 1, 1 + l] for k in (a, b) if k)
            total += np.exp(-e / temperature)
        weight.append(total)
    np.testing.assert_allclose(exact.probability, np.array(weight) / np.sum(weight), rtol=tol.IDENTITY)


def test_bad_structures():
    with pytest.raises(ValueError, match="species 2 is used 2 times"):
        Structure([[1, 2], [2, 3]])
    with pytest.raises(ValueError, match="no particle"):
        Structure([[0, 0]])
    with pytest.raises(ValueError, match="expected species"):
        Structure([[1.5, 2.0]])
    with pytest.raises(ValueError, match="codes: got .*rows differ in length"):
        Structure([[1, 2], [3]])
    with pytest.raises(ValueError, match="composition: got 1.5"):
        Structure([[1, 2]], 1.5)
    with pytest.raises(TypeError, match="got a ndarray, expected Structures"):
        store([np.array([[1, 2]])])
    with pytest.raises(ValueError, match=r"strength: shape \(2,\), expected one or 1"):
        store([Structure([[1, 2]])], [1.0, 2.0])
    with pytest.raises(ValueError, match="kind: got 'hex', expected one of"):
        store([Structure([[1, 2]])], kind="hex")
    with pytest.raises(ValueError, match="n_species: got 0"):
        linked(np.zeros((3, 3)), 0, 0.1, temperature=1.0)
    with pytest.raises(ValueError, match="9 cells, but only 8 species"):
        Structure.from_picture(np.ones((3, 3), bool), 8)
    with pytest.raises(ValueError, match="each cell takes another"):
        random_structures(1, (3, 3), 8)
    with pytest.raises(ValueError, match="expected positive numbers"):
        store([Structure([[1, 2]])], -1.0)
    with pytest.raises(ValueError, match="species 2 is used"):
        store([Structure([[1, 2]])], 1.0, n_species=1)
    closed = Assembly(4, np.zeros((2, 4, 4)), 1.0, Lattice((3, 3), periodic=False))
    square = Structure([[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="outside the lattice"):
        closed.seed(square, (2, 2))
    with pytest.raises(ValueError, match="outside the lattice"):
        closed.seed(square, (-1, 0))
    with pytest.raises(ValueError, match="at: got 0.5 among its entries, expected whole numbers"):
        closed.place(square, (0.5, 0))
    with pytest.raises(ValueError, match="larger than the lattice"):
        closed.seed(Structure([[1, 2, 3, 4]]), (0, 0))
    with pytest.raises(ValueError, match="uses species 5"):
        closed.place(Structure([[5]]), (0, 0))
    with pytest.raises(ValueError, match="overlaps"):
        closed.seed(square, (0, 0)).seed(Structure([[4]]), (1, 1))
    with pytest.raises(ValueError, match="at least one linker"):
        linked(np.zeros((2, 2)), 2, 0.1, temperature=1.0)
    with pytest.raises(ValueError, match="at least 0"):
        linked(np.zeros((3, 3)), 2, -0.1, temperature=1.0)
