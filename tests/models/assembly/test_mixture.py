"""Assemblies: the lattice, identities of equilibrium, engines against enumeration, and what is refused."""

import itertools

import numpy as np
import pytest

from physlearn import Energy, Potts, anneal, check_energy, enumerate_states, relax, sample
from physlearn.dynamics import kinetics
from physlearn.models import (
    Assembly,
    Ising,
    PottsModel,
    Structure,
    cubic_pairs,
    random_structures,
    square_pairs,
    store,
    triangular_pairs,
)
from physlearn.terms import FeltBonds, Lattice, LatticeBonds

PAIRS = {"square": square_pairs, "triangular": triangular_pairs, "cubic": cubic_pairs}
SHAPES = {"square": (3, 4), "triangular": (4, 3), "cubic": (3, 2, 4)}


def symmetric(rng, n):
    J = rng.normal(size=(n, n))
    return J + J.T


def random_codes(soup, rng, batch=5):
    return rng.integers(0, soup.n_species + 1, (batch, *soup.lattice.shape))


# ---------------------------------------------------------------- the lattice and the term
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("kind", "shape"), [*SHAPES.items(), ("triangular", (1, 4)), ("cubic", (1, 2, 3))])
def test_neighbours_are_those_of_the_pair_lists(kind, shape, periodic):
    lattice = Lattice(shape, kind, periodic)
    d = lattice.directions
    ours = [(i, int(j)) for i, row in enumerate(lattice.neighbours[:, :d]) for j in row if j >= 0]
    theirs = PAIRS[kind](shape, periodic=periodic).tolist()
    assert sorted(tuple(sorted(p)) for p in ours) == sorted(tuple(sorted(p)) for p in theirs)
    for k, i in itertools.product(range(2 * d), range(lattice.sites)):
        if (j := lattice.neighbours[i, k]) >= 0:
            assert lattice.neighbours[j, (k + d) % (2 * d)] == i


def test_directions_are_those_of_the_printed_array():
    lattice = Lattice((3, 3), periodic=False)
    assert lattice.neighbours[4].tolist() == [5, 1, 3, 7]
    mixed = Lattice((3, 4), periodic=(False, True))
    assert mixed.neighbours[0].tolist() == [1, -1, 3, 4]


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("kind", PAIRS)
def test_terms_pass_the_audit(kind, periodic, rng):
    lattice = Lattice(SHAPES[kind], kind, periodic)
    d = lattice.directions
    for J in (rng.normal(size=(d, 3, 3)), symmetric(rng, 3), symmetric(rng, 4)):
        report = check_energy(Assembly(3, J, rng.normal(size=3), lattice).energy)
        assert {check.form for check in report.checks} >= {"field", "gradient", "local"}
    driven = Assembly(3, rng.normal(size=(2 * d, 3, 3)), 1.0, lattice, reciprocal=False)
    check_energy(driven.energy)


def test_energy_is_the_sum_over_pairs(rng):
    lattice = Lattice((4, 5), periodic=(True, False))
    J, mu = rng.normal(size=(2, 4, 4)), rng.normal(size=3)
    soup = Assembly(3, J, mu, lattice)
    x = random_codes(soup, rng)
    flat, costs = x.reshape(len(x), -1), np.concatenate([[0.0], mu])
    total = costs[flat].sum(1)
    for i, d in itertools.product(range(lattice.sites), range(2)):
        if (j := lattice.neighbours[i, d]) >= 0:
            total += J[d, flat[:, i], flat[:, j]]
    np.testing.assert_allclose(soup.energy(x), total, rtol=1e-12)


def test_felt_bonds_of_mutual_energies_are_the_field_of_the_energy(rng, tol):
    lattice, J = Lattice((3, 4)), rng.normal(size=(2, 3, 3))
    mutual = Assembly(3, J, 1.0, lattice)
    felt = Assembly(3, np.concatenate([J, J.transpose(0, 2, 1)]), 1.0, lattice, reciprocal=False)
    x = {"s": random_codes(mutual, rng)}
    np.testing.assert_allclose(felt.energy.field(x, "s"), mutual.energy.field(x, "s"), atol=tol.IDENTITY)
    np.testing.assert_array_equal(mutual.bond_matrix(mutual.energy.theta), J)
    np.testing.assert_array_equal(felt.bond_matrix(felt.energy.theta), felt.J)


# ---------------------------------------------------------------- special cases
def test_without_bonds_every_species_has_its_ideal_density(tol):
    concentrations, temperature = np.array([0.1, 0.02, 0.3]), 0.7
    soup = Assembly.from_concentrations(np.zeros((3, 3)), concentrations, Lattice((2, 2)), temperature=temperature)
    np.testing.assert_allclose(soup.concentrations(temperature), concentrations, rtol=tol.IDENTITY)
    wanted = concentrations / (1.0 + concentrations.sum())
    exact = enumerate_states(soup.energy, temperature=temperature).means["s"]
    np.testing.assert_allclose(exact[..., 1:], np.broadcast_to(wanted, (2, 2, 3)), rtol=tol.IDENTITY)
    large = Assembly(3, soup.J, soup.mu, Lattice((64, 64)))
    drawn = sample(large.energy, temperature=temperature, n_samples=10, chains=2, rng=0)
    for k in range(3):  # sites are independent: binomial
        density, n = np.mean(drawn.x == k + 1), drawn.x.size
        assert abs(density - wanted[k]) < tol.STATISTICAL * np.sqrt(wanted[k] * (1 - wanted[k]) / n)


def test_one_species_is_the_ising_lattice_gas(rng, tol):
    eps, mu, size = 1.3, 2.1, (4, 5)
    gas = Assembly(1, [[-eps]], mu, Lattice(size))
    ising = Ising.square(size, J=eps / 4, field=(2 * eps - mu) / 2)
    n = rng.integers(0, 2, (50, *size))
    shift = gas.energy(n) - ising(2.0 * n - 1.0)
    np.testing.assert_allclose(shift, shift[0], rtol=tol.IDENTITY)
    field = gas.energy.field({"s": n}, "s")
    np.testing.assert_allclose(
        field[..., 1] - field[..., 0], 2 * ising.field({"s": 2.0 * n - 1.0}, "s"), atol=tol.IDENTITY
    )


def test_equal_couplings_are_a_potts_model(rng, tol):
    x = rng.integers(0, 3, (20, 4, 4))
    every = Assembly(2, -0.8 * np.eye(3), 0.0, Lattice((4, 4)))  # empty sites bond as well: three equal codes
    np.testing.assert_allclose(every.energy(x), PottsModel.square(4, q=3, J=0.8)(x), rtol=tol.IDENTITY, atol=1e-12)
    equal = Assembly(2, -1.1 * np.ones((2, 2)), 0.9, Lattice((4, 4)))  # all species alike: occupation is a lattice gas
    gas = Assembly(1, [[-1.1]], 0.9, Lattice((4, 4)))
    np.testing.assert_allclose(equal.energy(x), gas.energy((x > 0).astype(int)), rtol=tol.IDENTITY)


# ---------------------------------------------------------------- every engine against enumeration
SYSTEMS = {
    "directed": (2, lambda rng: rng.normal(size=(2, 2, 2)), [0.5, 1.0]),
    "attractive": (3, lambda rng: -1.2 * (rng.random((2, 3, 3)) < 0.4), [1.0, 0.8, 1.2]),
    "repulsive": (2, lambda rng: np.abs(symmetric(rng, 2)), -1.0),
    "solvent": (2, lambda rng: 0.3 * symmetric(rng, 3), [0.5, 1.0]),
}


def against(exact, energy, codes, n_species, tol):
    """Mean energy and densities, from (independent runs, draws, ...), within standard errors."""
    density = exact.means["s"].reshape(-1, n_species + 1).mean(0)
    for k in range(n_species + 1):
        runs = np.mean(codes == k, axis=tuple(range(1, codes.ndim)))
        assert abs(runs.mean() - density[k]) < tol.STATISTICAL * runs.std(ddof=1) / np.sqrt(len(runs)), k
    runs = energy.mean(1)
    assert abs(runs.mean() - exact.energy) < tol.STATISTICAL * runs.std(ddof=1) / np.sqrt(len(runs))


@pytest.mark.parametrize("engine", ["heatbath", "metropolis", "heatbath cold", "heatbath, random start"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_single_site_engines_sample_the_ensemble(name, engine, tol, monkeypatch):
    n, J, mu = SYSTEMS[name]
    soup = Assembly(n, J(np.random.default_rng(3)), mu, Lattice((3, 3)))
    if n == 3:  # 4^9 states: fewer by clamping two sites
        soup = soup.seed(Structure([[1, 2]]), (0, 0))
    exact = enumerate_states(soup.energy, temperature=1.0)
    if "cold" in engine:  # sums of exponents in place of products of factors
        monkeypatch.setattr("physlearn.dynamics.sites.candidates.LARGEST", 0.0)
    start = None if "random" in engine else soup.empty()
    method = engine.split()[0].strip(",")
    drawn = sample(soup.energy, temperature=1.0, n_samples=600, chains=32, x0=start, thin=2, method=method, rng=5)
    assert "bonded candidates" in drawn.method
    against(exact, drawn.energy, drawn.x, n, tol)


@pytest.mark.parametrize(
    ("J", "mu", "shape"),
    [
        (1000.0 + np.array([[0.0, 0.4, -0.3], [0.4, 0.1, 0.6], [-0.3, 0.6, 0.2]]), [0.5, 1.0], (2, 2)),
        (1000.0 * np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]]), [0.3, 1000.5], (1, 2)),
    ],
    ids=["all codes bond", "one does not, and costs as much"],
)
def test_where_every_code_is_disfavoured_the_heat_bath_weighs_them(J, mu, shape, tol):
    """All Boltzmann factors at a site vanish in floating point; their ratios do not."""
    soup = Assembly(2, J, mu, Lattice(shape, periodic=False))
    exact = enumerate_states(soup.energy, temperature=1.0)
    drawn = sample(soup.energy, temperature=1.0, n_samples=300, chains=32, method="heatbath", rng=5)
    against(exact, drawn.energy, drawn.x, 2, tol)


def test_a_cold_heat_bath_stays_in_the_ground_state():
    gas = Assembly(1, [[5.0]], -1.0, Lattice((4, 4)))
    board = np.indices((4, 4)).sum(0) % 2
    cold = sample(gas.energy, temperature=1e-3, n_samples=3, chains=1, x0=board, warmup=0, rng=0)
    assert "bonded candidates" in cold.method and np.all(cold.energy == -8.0)


@pytest.mark.parametrize(
    "lattice",
    [
        Lattice((3, 3), periodic=False),
        Lattice((2, 4), periodic=(False, True)),
        Lattice((3, 3), "triangular", False),
        Lattice((2, 2, 2), "cubic", False),
    ],
    ids=["closed", "one axis closed", "triangular", "cubic"],
)
def test_every_engine_and_clock_holds_a_seed(lattice, tol):
    n, axes = 2, len(lattice.shape)
    J = np.random.default_rng(3).normal(size=(lattice.directions, n, n))
    soup = Assembly(n, J, [0.3, 0.8], lattice).seed(np.array([1, 2]).reshape((1,) * (axes - 1) + (2,)), (0,) * axes)
    exact = enumerate_states(soup.energy, temperature=1.0)
    for method in ("heatbath", "metropolis"):
        drawn = sample(soup.energy, temperature=1.0, n_samples=200, chains=32, thin=2, method=method, rng=1)
        assert np.all(drawn.x.reshape(32, 200, -1)[..., :2] == [1, 2])
        against(exact, drawn.energy, drawn.x, n, tol)
    for clock in ("gillespie", "metropolis", "heat bath"):
        path = kinetics(soup, temperature=1.0, t_span=10_000, record=1000, clock=clock, rng=2)
        assert np.all(path.x.reshape(1001, -1)[:, :2] == [1, 2])
        against(exact, path.energy[1:].reshape(50, -1), path.x[1:].reshape(50, -1), n, tol)


def test_generic_local_form_samples_the_same_ensemble(tol):
    soup = Assembly(2, np.random.default_rng(3).normal(size=(2, 2, 2)), [0.5, 1.0], Lattice((3, 3)))

    class Mine(LatticeBonds):
        """Not recognised by the engine of candidates."""

    bonds, values = soup._entries()
    term = Mine("s", soup.lattice.neighbours, 3, bonds)
    energy = Energy({"s": (Potts(3), (3, 3))}, [term], {"bonds": values, "mu": soup.mu})
    drawn = sample(energy, temperature=1.0, n_samples=500, chains=16, rng=1)
    assert "local forms" in drawn.method
    against(enumerate_states(soup.energy, temperature=1.0), drawn.energy, drawn.x, 2, tol)


@pytest.mark.parametrize("settings", [{}, {"partners": "anywhere"}, {"clusters": 0.3}])
def test_exchange_samples_one_composition(settings, tol):
    soup = Assembly(2, np.random.default_rng(4).normal(size=(2, 2, 2)), [0.5, 1.0], Lattice((3, 3)))
    start = np.array([[1, 1, 0], [2, 2, 0], [0, 0, 0]])
    exact = enumerate_states(soup.energy, temperature=1.0)
    states = exact.states()
    kept = np.all([(states == k).sum((1, 2)) == (start == k).sum() for k in (1, 2)], axis=0)
    p = exact.probability * kept / exact.probability[kept].sum()
    drawn = sample(
        soup.energy, temperature=1.0, n_samples=1500, chains=32, x0=start, method="kawasaki", rng=2, **settings
    )
    assert all(np.all((drawn.x == k).sum((2, 3)) == (start == k).sum()) for k in (1, 2))
    runs = drawn.energy.mean(1)
    assert abs(runs.mean() - p @ exact.energies) < tol.STATISTICAL * runs.std(ddof=1) / np.sqrt(len(runs))
    runs = (drawn.energy**2).mean(1)
    assert abs(runs.mean() - p @ exact.energies**2) < tol.STATISTICAL * runs.std(ddof=1) / np.sqrt(len(runs))


def test_clusters_diffuse_whole():
    pair = Structure([[1, 2], [3, 4]])
    soup = Assembly(4, store([pair], 30.0), 1.0, Lattice((8, 8)))
    start = soup.place(pair, (2, 2))
    drawn = sample(
        soup.energy, temperature=1.0, n_samples=800, chains=2, x0=start, method="kawasaki", clusters=1.0, rng=0
    )
    assert np.all(drawn.energy == -120.0 + 4.0)
    assert len({x.tobytes() for x in drawn.x[0]}) > 20
    still = sample(soup.energy, temperature=1.0, n_samples=5, chains=1, x0=start, method="kawasaki", rng=0)
    assert np.all(still.x == start)


@pytest.mark.parametrize("size", [2, 6])
def test_a_cluster_of_s_particles_diffuses_at_the_rate_1_over_s(size, tol):
    """A sweep draws each of its s particles once, and the shift is made at 1/s^2: a squared distance of 1/s a sweep."""
    rod = Structure(np.arange(1, size + 1)[None])
    soup = Assembly(size, store([rod], 1.0), 1.0, Lattice((40, 40)))
    runs, records = 8, 1500
    drawn = sample(
        soup.energy, temperature=1.0, n_samples=records, chains=runs, x0=soup.place(rod, (20, 20)), warmup=0,
        method="kawasaki", clusters=1.0, rng=3,
    )  # fmt: skip
    head = np.argwhere(drawn.x.reshape(-1, 40, 40) == 1)[:, 1:].reshape(runs, records, 2)
    step = (np.diff(head, axis=1) + 20) % 40 - 20  # across the edges
    squared = np.sum(step**2, -1).mean(1)
    assert abs(squared.mean() - 1.0 / size) < tol.STATISTICAL * squared.std(ddof=1) / np.sqrt(runs)


def test_threads_and_chains_do_not_change_the_draws():
    soup = Assembly(9, store(random_structures(2, (3, 3), rng=0), 3.0), 3.0, Lattice((6, 6)))
    few = sample(soup.energy, temperature=1.0, n_samples=4, chains=2, rng=7)
    many = sample(soup.energy, temperature=1.0, n_samples=4, chains=5, rng=7, threads=2)
    np.testing.assert_array_equal(few.x, many.x[:2])


def test_verbs_apply():
    square = Structure([[1, 2], [3, 4]])
    soup = Assembly(4, store([square], 4.0), 5.0, Lattice((4, 4), periodic=False))
    found = anneal(soup.energy, reads=4, sweeps=200, hot=4.0, cold=0.2, rng=0)
    assert found.energy == pytest.approx(min(0.0, -16.0 + 20.0), abs=1e-12)
    hold = soup.seed(square.patch(slice(1)), (1, 1))
    rest = relax(hold.energy, hold.empty())
    assert rest.x[1:3, 1:3].tolist() == [[1, 2], [0, 0]] and rest.converged


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("deep", [0, 2, 4], ids=["isotropic", "directions", "steps"])
def test_plastic_entries_are_the_parameters(deep, size, rng):
    """All, or those of a mask, whatever the shape of J; a theta comes back as J, and seeds keep the mask."""
    reciprocal = deep != 4
    J = np.zeros((deep, size, size) if deep else (size, size))
    some = rng.random(J.shape) < 0.5
    some = some | some.T if not deep else some
    for plastic, number in (("all", J.size), (some, np.count_nonzero(some)), (None, 0)):
        soup = Assembly(2, J, 1.0, Lattice((3, 3)), reciprocal, plastic=plastic).seed([[1]], (0, 0))
        bonds = soup.energy.theta["bonds"]
        back = soup.bond_matrix({"bonds": np.arange(1.0, 1.0 + len(bonds))})
        assert np.count_nonzero(back) == number and back.shape == J.shape
    two = np.concatenate([some, some.transpose(0, 2, 1)]) if deep == 2 else some
    same = Assembly(2, np.zeros(two.shape), 1.0, Lattice((3, 3)), reciprocal, plastic=two)
    assert len(same.energy.theta["bonds"]) == np.count_nonzero(some if deep else np.triu(some))


# ---------------------------------------------------------------- bad input
def test_bad_input():
    lattice, J = Lattice((4, 4)), np.zeros((2, 3, 3))
    with pytest.raises(ValueError, match=r"J: shape \(2, 4, 5\)"):
        Assembly(3, np.zeros((2, 4, 5)), 1.0, lattice)
    with pytest.raises(ValueError, match=r"J: shape \(3, 3, 3\), expected .* square lattice"):
        Assembly(3, np.zeros((3, 3, 3)), 1.0, lattice)
    with pytest.raises(ValueError, match="reciprocal=False"):
        Assembly(2, [[0.0, 1.0], [0.0, 0.0]], 1.0, lattice)
    with pytest.raises(ValueError, match="reciprocal=False"):
        Assembly(2, np.random.default_rng(0).normal(size=(4, 2, 2)), 1.0, lattice)
    with pytest.raises(ValueError, match=r"expected .*\(4, 3, 3\)"):
        Assembly(3, J, 1.0, lattice, reciprocal=False)
    with pytest.raises(ValueError, match="NaN or infinite"):
        Assembly(3, J + np.nan, 1.0, lattice)
    with pytest.raises(ValueError, match="mu: got shape"):
        Assembly(3, J, [1.0, 2.0], lattice)
    with pytest.raises(TypeError, match="expected a Lattice"):
        Assembly(3, J, 1.0, (4, 4))
    for bad in (0, 3.0, np.nan, "three"):
        with pytest.raises(ValueError, match="n_species: got .*, expected an integer"):
            Assembly(bad, J, 1.0, lattice)
    with pytest.raises(ValueError, match="complex numbers, expected real energies"):
        Assembly(3, J + 1j, 1.0, lattice)
    soup = Assembly(3, J, 1.0, lattice)
    for bad in (np.zeros((3, 4), int), np.full((4, 4), 4), np.full((4, 4), 0.5)):
        with pytest.raises(ValueError, match=r"on: shape .* codes of 0 .. 3"):
            soup.place([[1]], (0, 0), on=bad)
    for bad in ([[1.5]], [[-1, 2]]):
        with pytest.raises(ValueError, match="structure: .* expected species 1, 2"):
            soup.seed(bad, (0, 0))
    for bad in ([[1]], "some", np.zeros((2, 3, 3))):
        with pytest.raises(ValueError, match=r"plastic: got .*, expected None, 'all', or bools of J's shape"):
            Assembly(3, J, 1.0, lattice, plastic=bad)
    with pytest.raises(ValueError, match="plastic: 1 entries of J are left out but not zero"):
        Assembly(1, [[-1.0]], 1.0, lattice, plastic=[[False]])
    with pytest.raises(ValueError, match="plastic: it names one partner"):
        Assembly(2, np.zeros((2, 2)), 1.0, lattice, plastic=np.array([[True, True], [False, True]]))
    with pytest.raises(ValueError, match=r"structure: its box \(0, 2\) has no cells"):
        soup.place(np.zeros((0, 2), int), (0, 0))
    with pytest.raises(ValueError, match="structure: there is no particle"):
        soup.seed([[0, 0]], (0, 0))
    assert Assembly.from_concentrations(np.zeros((150, 150)), np.full(150, 1 / 150), lattice, temperature=1.0)
    with pytest.raises(ValueError, match="sum to 1.2"):
        Assembly.from_concentrations(np.zeros((2, 2)), [0.6, 0.6], lattice, temperature=1.0)
    with pytest.raises(ValueError, match="expected a positive number for each"):
        Assembly.from_concentrations(np.zeros((2, 2)), [0.6, 0.0], lattice, temperature=1.0)
    for bad in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="temperature"):
            Assembly(3, J, 1.0, lattice).concentrations(bad)
    with pytest.raises(ValueError, match="kind"):
        Lattice((4, 4), "hexagonal")
    with pytest.raises(ValueError, match="3 positive integers"):
        Lattice((4, 4), "cubic")
    for bad in ("closed", 2.5, 1, [1, 0], None, [[True, False]]):
        with pytest.raises(ValueError, match="periodic: got .*, expected one bool"):
            Lattice((4, 4), periodic=bad)
    assert Lattice((4, np.int64(3)), periodic=np.array([True, False])).periodic == (True, False)
    for bad in ((True, 3), (2.5, 3), (np.nan, 3), ("2", 3)):
        with pytest.raises(ValueError, match="shape: got .* positive integers"):
            Lattice(bad)
    with pytest.raises(ValueError, match="do not lead back"):
        LatticeBonds("s", np.array([[1, -1], [-1, -1]]), 3, [(0, 1, 1)])
    with pytest.raises(ValueError, match="listed twice"):
        FeltBonds("s", lattice.neighbours, 3, [(0, 1, 2), (-1, 1, 2)])
    with pytest.raises(ValueError, match="codes of 0 .. 2"):
        LatticeBonds("s", lattice.neighbours, 3, [(0, 1, 3)])


def test_engines_refuse_what_does_not_fit(rng):
    soup = Assembly(2, 0.1 * symmetric(rng, 3), 1.0, Lattice((3, 3)))
    with pytest.raises(ValueError, match="empty sites bond too"):
        sample(soup.energy, temperature=1.0, n_samples=1, method="kawasaki", clusters=0.5)
    with pytest.raises(ValueError, match="partners"):
        sample(soup.energy, temperature=1.0, n_samples=1, method="kawasaki", partners="me")
    with pytest.raises(ValueError, match="LatticeBonds alone"):
        sample(PottsModel.square(3, q=3), temperature=1.0, n_samples=1, method="kawasaki")
    driven = Assembly(2, rng.normal(size=(4, 2, 2)), 1.0, Lattice((3, 3)), reciprocal=False)
    with pytest.raises(TypeError, match="no energy, so no Boltzmann distribution.*kinetics"):
        sample(driven.energy, temperature=1.0, n_samples=1)
