"""Molecular learning: diffusion against its modes, mass to rounding, the learned couplings against Gaussians."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from physlearn import SGD, BoltzmannLearning, Energy, Real, check_energy, integrate, learn
from physlearn.learning.rules.molecular import Coincidence, Diffusion, learn_by_diffusion, reaction_diffusion, sharpen
from physlearn.models import Assembly, Structure, random_structures, store
from physlearn.terms import Lattice


def test_diffusion_is_an_energy(rng):
    energy = Energy({"C": (Real(), (2, 4, 5))}, [Diffusion("C", spacing=0.3)], {"D": [0.7, 1.9]})
    check_energy(energy, rng=rng)


def test_modes_decay_as_the_grid_says(tol):
    """cos(pi k (x + 1/2)/n) decays at D (2 - 2 cos(pi k/n))/h^2."""
    n, h, d = 12, 0.5, np.array([0.3, 1.1])
    x = np.arange(n) + 0.5
    mode = np.cos(np.pi * 3 * x / n)[:, None] * np.cos(np.pi * 2 * x / n)[None]
    soup = reaction_diffusion(2, (n, n), diffusion=d, spacing=h, rate=0.0)
    run = integrate(soup, (0.0, 0.4), x0={"C": np.stack([mode, mode]), "J": np.zeros((2, 2))}, times=[0.4], tol=1e-10)
    rate = (4 - 2 * np.cos(np.pi * 3 / n) - 2 * np.cos(np.pi * 2 / n)) / h**2
    exact = mode * np.exp(-d * rate * 0.4)[:, None, None]
    assert_allclose(run.x["C"][-1], exact, atol=1e-8)


def test_mass_is_conserved_to_rounding(rng):
    start = rng.random((3, 16, 16))
    soup = reaction_diffusion(3, (16, 16), diffusion=[0.1, 1.0, 5.0])
    run = integrate(soup, (0.0, 3.0), x0={"C": start, "J": np.zeros((3, 3))}, dt=0.02)
    mass = run.x["C"].reshape(len(run.t), 3, -1).sum(2)
    assert np.abs(mass / mass[0] - 1).max() < 1e-13
    assert np.ptp(run.x["C"][-1][2]) < 0.2 * np.ptp(start[2])


def test_decay_and_feed(tol):
    """Uniform C' = -k C + f."""
    soup = reaction_diffusion(1, (6,), decay=0.7, feed=0.2)
    run = integrate(soup, (0.0, 3.0), x0={"C": np.ones((1, 6)), "J": np.zeros((1, 1))}, tol=1e-10)
    assert_allclose(run.x["C"][:, 0, 4], 2 / 7 + (5 / 7) * np.exp(-0.7 * run.t), rtol=1e-8)


def test_couplings_grow_as_overlapping_gaussians():
    """Lumps in free space: dJ/dt = -m m' (4 pi s^2)^(-1) exp(-r^2/(4 s^2)), s^2 = s0^2 + (D + D') t, two dimensions."""
    h, s0, d = 0.2, 0.6, np.array([0.2, 0.5, 0.3])
    x = h * (np.arange(70) - 34.5)
    at = np.array([[0.0, 0.0], [1.0, 0.0], [-0.5, 1.5]])
    lump = np.exp(-((x[None, :, None] - at[:, :1, None]) ** 2 + (x[None, None] - at[:, 1:, None]) ** 2) / (2 * s0**2))
    start = lump / (2 * np.pi * s0**2)
    soup = reaction_diffusion(3, (70, 70), diffusion=d, spacing=h)
    run = integrate(soup, (0.0, 1.0), x0={"C": start, "J": np.zeros((3, 3))}, tol=1e-8)
    t = np.linspace(0, 1, 4001)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        width = s0**2 + (d[i] + d[j]) * t
        meet = np.exp(-np.sum((at[i] - at[j]) ** 2) / (4 * width)) / (4 * np.pi * width)
        exact = -np.sum((meet[1:] + meet[:-1]) / 2) * (t[1] - t[0])
        assert_allclose(run.x["J"][-1][i, j], exact, rtol=0.01)  # the grid's h^2: 0.2^2/12 of a variance of 0.36


def test_designed_bonds_are_learned_up_to_scale():
    """Three permutations: after saturation the learned matrix is the designed one; before, neighbours stand out."""
    structures = random_structures(3, (4, 4), rng=4)
    designed = store(structures, 1.0, directional=False)
    learned = learn_by_diffusion(structures, 16, duration=0.08)
    assert learned.lost < 1e-13
    i, j = np.triu_indices(16, 1)
    assert np.corrcoef(designed[i, j], learned.J[i, j])[0, 1] > 0.9
    assert_allclose(sharpen(learned.J, np.count_nonzero(designed[i, j])), designed)


def test_a_bond_of_a_species_with_itself_counts():
    J = np.array([[-3.0, -1.0], [-1.0, -2.0]])
    assert_allclose(sharpen(J, 1), [[-1.0, 0.0], [0.0, 0.0]])
    assert_allclose(sharpen(J, 2), [[-1.0, 0.0], [0.0, -1.0]])


def test_faces_learn_directions():
    """The learned bonds are the designed ones, east with west and north with south, and no others."""
    structures = random_structures(2, (3, 4), rng=4)
    designed = store(structures, 1.0)
    learned = learn_by_diffusion(structures, 12, duration=0.05, directional=True, padding=1)
    assert_allclose(sharpen(learned.J, np.count_nonzero(designed)), designed)
    assert np.corrcoef(designed.ravel(), learned.J.ravel())[0, 1] > 0.9


def test_wake_and_sleep_recover_the_design():
    """From 4000 configurations of a designed mixture, the contrast of bond statistics finds J and mu, from none."""
    designed = store([Structure([[1, 2], [3, 4]]), Structure([[4, 1], [2, 3]])], 2.0)
    lattice = Lattice((2, 2), periodic=False)
    soup = Assembly(4, designed, 1.0, lattice)
    states = np.stack(np.unravel_index(np.arange(5**4), (5,) * 4), 1)
    p = np.exp(-soup.energy(states.reshape(-1, 2, 2)))
    data = states[np.random.default_rng(0).choice(len(p), size=4000, p=p / p.sum())]
    blank = Assembly(4, np.zeros((2, 4, 4)), 1.0, lattice, plastic="all")
    rule = BoltzmannLearning(exact=True)
    trained = learn(blank.energy, {"s": data}, rule=rule, optimizer=SGD(4.0), epochs=400, batch=None, rng=0)
    J = blank.bond_matrix(trained.theta)
    assert np.corrcoef(J.ravel(), designed.ravel())[0, 1] > 0.95
    assert J[designed < 0].max() < J[designed == 0].min() - 0.5
    slope = np.sum(J * designed) / np.sum(designed**2)
    assert abs(slope - 1) < 0.15
    assert_allclose(trained.theta["mu"], 1.0, atol=0.25)


def test_only_plastic_bonds_learn():
    """Of three bonds the data hold, the one that is not in the mask stays zero; without any, learning is refused."""
    lattice = Lattice((1, 2), periodic=False)
    data = {"s": [[1, 2], [2, 2], [1, 1], [0, 0]]}
    settings = dict(rule=BoltzmannLearning(exact=True), optimizer=SGD(0.5), batch=None, rng=0)
    mask = np.array([[True, True], [True, False]])
    soup = Assembly(2, np.zeros((2, 2)), 1.0, lattice, plastic=mask)
    J = soup.bond_matrix(learn(soup.energy, data, **settings).theta)
    assert np.array_equal(J != 0, mask) and np.array_equal(J, J.T)
    with pytest.raises(ValueError, match=r"theta\['bonds'\] has no entries.*plastic"):
        learn(Assembly(2, np.zeros((2, 2)), 1.0, lattice).energy, data, trainable=["bonds", "mu"], **settings)
    with pytest.warns(RuntimeWarning, match="has no entries"):
        learn(Assembly(2, np.zeros((2, 2)), 1.0, lattice).energy, data, **settings)
    alone = learn(Assembly(2, np.zeros((2, 2)), 1.0, lattice).energy, data, trainable=["mu"], **settings)
    assert np.all(alone.theta["mu"] != 1.0)


def test_too_long_a_lesson_blurs():
    """Long diffusion makes everything a neighbour: contrast falls with duration."""
    structures = random_structures(1, (4, 4), rng=4)
    held = store(structures, 1.0, directional=False) < 0
    off = ~held & ~np.eye(16, dtype=bool)
    contrast = []
    for duration in (0.05, 0.4, 3.0):
        J = learn_by_diffusion(structures, 16, duration=duration, cells=1).J
        contrast.append(J[held].mean() / J[off].mean())
    assert contrast[0] > 2 * contrast[1] > 4 * contrast[2]


def test_bad_input():
    with pytest.raises(ValueError, match="diffusion: got"):
        reaction_diffusion(2, (4,), diffusion=-1.0)
    with pytest.raises(ValueError, match="n_species: got 0"):
        reaction_diffusion(0, (4,))
    with pytest.raises(ValueError, match="spacing"):
        Diffusion("C", spacing=0.0)
    with pytest.raises(ValueError, match="volume"):
        Coincidence("C", "J", volume=-1.0)
    with pytest.raises(ValueError, match="duration"):
        learn_by_diffusion([[[1, 2]]], 2, duration=0.0)
    with pytest.raises(ValueError, match=r"structures\[0\]: expected an array of species in 1..2"):
        learn_by_diffusion([[[1, 3]]], 2, duration=1.0)
    with pytest.raises(ValueError, match=r"structures\[1\]: 3 axes, expected 2"):
        learn_by_diffusion([[[1, 2]], [[[1, 2]]]], 2, duration=0.01, cells=1)
    with pytest.raises(ValueError, match="cells: got 2.5"):
        learn_by_diffusion([[[1, 2]]], 2, duration=1.0, cells=2.5)
    with pytest.raises(ValueError, match="J: 1 of 4 entries are NaN"):
        sharpen([[[np.nan, -1.0], [-1.0, 0.0]]], 1)
    for bad in (np.nan, -2.0):
        with pytest.raises(ValueError, match="strength: got"):
            sharpen([[0.0, -1.0], [-1.0, 0.0]], 1, strength=bad)
    with pytest.raises(ValueError, match="bonds: got 1.0"):
        sharpen([[0.0, -1.0], [-1.0, 0.0]], 1.0)
    with pytest.raises(ValueError, match="equally strong"):
        sharpen([[0, -1, -1], [-1, 0, 0], [-1, 0, 0]], 1)
    with pytest.raises(ValueError, match="attractive"):
        sharpen([[0.0, 1.0], [1.0, 0.0]], 1)
    with pytest.raises(ValueError, match="symmetric"):
        sharpen([[0.0, 1.0], [-1.0, 0.0]], 1)
