"""Order parameters of assemblies, on states whose answer is known by construction."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from physlearn.models import Structure, assembly_order, random_structures, registration, site_labels, time_to_assembly
from physlearn.terms.lattice import STEPS, Lattice


def placed(shape, *parts):
    """Arrays of codes put on an empty periodic lattice."""
    state = np.zeros(shape, np.int64)
    for cell, at in parts:
        where = np.argwhere(cell)
        state[tuple(((where + np.array(at)) % shape).T)] = cell[tuple(where.T)]
    return state


@pytest.fixture
def stored():
    """Three 6 x 6 permutations."""
    return random_structures(3, (6, 6), rng=5)


def slow_overlap(state, cell, periodic):
    """All places one by one."""
    best, shape, size = 0, np.array(state.shape), np.array(cell.shape)
    low, high = (np.zeros(2, int), shape) if periodic else (1 - size, shape)
    for r in range(low[0], high[0]):
        for c in range(low[1], high[1]):
            at = np.argwhere(cell) + (r, c)
            inside = np.all((at >= 0) & (at < shape), 1) | periodic
            at = at % shape
            best = max(best, np.sum(inside & (state[tuple(at.T)] == cell[cell > 0])))
    return best / np.count_nonzero(cell)


@pytest.mark.parametrize("periodic", [True, False])
def test_overlap_is_the_best_of_all_places(periodic, rng):
    """Also where a structure uses a species twice and has holes."""
    cells = [np.array([[1, 2, 0], [2, 3, 1]]), np.array([[3, 3], [1, 2]])]
    states = rng.integers(0, 4, (20, 5, 6))
    found = registration(states, cells, Lattice((5, 6), periodic=periodic))
    expected = [[slow_overlap(state, cell, periodic) for cell in cells] for state in states]
    assert_allclose(found.overlap, expected)
    assert 0 < np.min(expected) < np.max(expected)


@pytest.mark.parametrize("kind, images", [("square", 8), ("triangular", 12), ("cubic", 48)])
def test_a_turned_structure_is_found_among_the_images_of_the_lattice(kind, images, rng):
    lattice = Lattice((9,) * len(STEPS[kind][0]), kind)
    axes = len(lattice.shape)
    cell = rng.permutation(3**axes).reshape((3,) * axes) + 1
    where = np.argwhere(cell)
    seen = set()
    steps = {tuple(s) for s in lattice.steps}
    for columns in np.ndindex((len(steps),) * axes):
        matrix = np.stack([lattice.steps[c] for c in columns], 1)
        if {tuple(s) for s in lattice.steps @ matrix.T} != steps:
            continue
        state = np.zeros(lattice.shape, np.int64)
        state[tuple(((where @ matrix.T) % 9).T)] = cell[tuple(where.T)]
        found = registration(state, [cell], lattice, rotations=True)
        assert found.overlap[0, 0] == 1.0
        seen.add(int(found.image[0, 0]))
        if not np.array_equal(matrix, np.eye(axes)):
            assert registration(state, [cell], lattice).overlap[0, 0] < 1.0
    assert seen == set(range(images))


def test_the_four_names(rng):
    """One structure; half of one bonded to half of another; chains side by side; a gas."""
    a, b, c = (s.codes.copy() for s in random_structures(3, (12, 12), rng=5))
    for at, species in (((0, 0), a[4, 5]), ((0, 1), c[4, 6])):  # b bonds the two halves of the chimera
        b[b == species] = b[at]
        b[at] = species
    lattice = Lattice((20, 20))
    whole = placed((20, 20), (b, (13, 4)))
    chimera = placed((20, 20), (a[:, :6], (2, 2)), (c[:, 6:], (2, 8)))
    liquid = placed((20, 20), (a[:, :1], (3, 3)))
    for k in range(12):  # a chain to the right of every molecule of a column, from one structure after the other
        cell = (b, c, a)[k % 3]
        row, column = np.argwhere(cell == a[k, 0])[0]
        liquid[3 + k, 3 : 15 - column] = cell[row, column:]
    gas = np.where(rng.random((20, 20)) < 0.02, rng.integers(1, 145, (20, 20)), 0)
    found = assembly_order(np.stack([whole, chimera, liquid, gas]), [a, b, c], lattice)
    assert found.name.tolist() == ["retrieved", "chimera", "liquid", "dispersed"]
    assert found.overlap[0, 1] == 1.0 and found.error[0] == 0.0 and found.chimera[0] == 0.0
    assert found.main[0] == 1 and found.largest[0] == 144 and found.largest[1] == 144
    assert_allclose(found.density[:2], 144 / 400)
    assert np.all((found.overlap[1, [0, 2]] >= 0.5) & (found.overlap[1, [0, 2]] < 0.52))
    assert 0.4 < found.chimera[1] < 0.6 < 0.4 + found.promiscuous[2]


def test_content_counts_contacts(stored):
    """By hand: 2 x 3 of one structure, 7 contacts, with one wrong molecule in it."""
    lattice = Lattice((8, 8), periodic=False)
    a = stored[0].codes
    wrong = next(s for s in range(1, 37) if s not in a[:3, :4])
    for at, errors, crystalline in (((1, 1), 2, 4), ((1, 2), 3, 3)):  # at its corner; amid its long side
        state = placed((8, 8), (a[:2, :3], (1, 1)))
        state[at] = wrong
        found = assembly_order(state, [stored[0]], lattice)
        assert found.largest[0] == 6 and found.overlap[0, 0] == 5 / 36 and found.main[0] == 0
        assert_allclose([found.error[0], found.promiscuous[0], 1 - found.specific[0]], errors / 7)
        assert_allclose(found.crystalline[0], crystalline / 6)
        assert site_labels(state, [stored[0]], lattice)[at] == -1
    assert found.name[0] == "dispersed" and found.chimera[0] == 0.0


@pytest.mark.parametrize("turned", [(0, 0), (2, 3)])
def test_a_structure_that_closes_on_itself_holds_the_bonds_across_its_edges(stored, turned):
    lattice, whole = Lattice((6, 6)), np.roll(stored[0].codes, turned, (0, 1))
    closed = assembly_order(whole, stored, lattice, periodic=True)
    assert closed.error[0] == 0.0 and closed.content[0, 0] == 1.0 and closed.name[0] == "retrieved"
    box = assembly_order(whole, stored, lattice)
    assert_allclose(box.error, 12 / 72)  # of 2 x 36 contacts those across the box
    edge = np.zeros((6, 6), int)
    edge[0, 0], edge[0, 1] = stored[0].codes[0, -1], stored[0].codes[0, 0]
    assert site_labels(edge, stored, lattice, periodic=True)[0, 0] == 0
    assert site_labels(edge, stored, lattice)[0, 0] != 0


def test_isotropic_bonds_count_in_all_directions(stored):
    lattice = Lattice((12, 12))
    turned = placed((12, 12), (np.rot90(stored[0].codes), (1, 1)))
    assert assembly_order(turned, stored, lattice, isotropic=True).name[0] == "retrieved"
    assert assembly_order(turned, stored, lattice).crystalline[0] == 0.0


def test_time_to_assembly():
    times = time_to_assembly([0, 1, 4], [[[0.0, 0.95, 0.2], [0, 0, 0.9]], [[0.1, 0.2, 0.3], [1, 1, 1]]])
    assert_array_equal(times, [[1, 4], [np.inf, 0]])


def test_bad_input(stored):
    lattice = Lattice((8, 8))
    empty = np.zeros((8, 8), int)
    with pytest.raises(TypeError, match="expected a Lattice"):
        assembly_order(empty, stored, (8, 8))
    with pytest.raises(ValueError, match=r"states: shape \(1, 7, 8\)"):
        assembly_order(empty[None, :7], stored, lattice)
    with pytest.raises(ValueError, match="integer codes"):
        assembly_order(empty + 0.5, stored, lattice)
    with pytest.raises(ValueError, match="got none"):
        assembly_order(empty, [], lattice)
    with pytest.raises(ValueError, match=r"structures\[0\]"):
        assembly_order(empty, [np.ones(3, int)], lattice)
    with pytest.raises(ValueError, match=r"structures\[1\]: its box \(9, 1\) is larger than the lattice"):
        assembly_order(empty, [*stored[:1], np.arange(1, 10)[:, None]], lattice)
    with pytest.raises(ValueError, match="states: got an empty batch"):
        assembly_order(np.zeros((0, 8, 8), int), stored, lattice)
    with pytest.raises(ValueError, match="pure: got 0"):
        assembly_order(empty, stored, lattice, pure=0)
    with pytest.raises(ValueError, match="expected one state"):
        site_labels(np.zeros((2, 8, 8), int), stored, lattice)
    with pytest.raises(ValueError, match="one overlap a time|rising"):
        time_to_assembly([1, 0], [[0.1, 0.2]])


def test_structures_and_plain_arrays_are_the_same():
    cell = np.array([[1, 2], [3, 4]])
    lattice, state = Lattice((4, 4)), placed((4, 4), (cell, (0, 3)))
    one, two = (assembly_order(state, [s], lattice) for s in (cell, Structure(cell)))
    assert_array_equal(one.overlap, two.overlap)
