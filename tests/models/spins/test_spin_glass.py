"""Ising models and spin glasses: constructors, observables, and identities that hold for every size."""

import math

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

from physlearn import check_energy, enumerate_states, sample
from physlearn.models import (
    Ising,
    PottsModel,
    SpinGlass,
    binder,
    correlation_length,
    cubic_pairs,
    frustrated_plaquettes,
    link_overlap,
    magnetisation,
    order_parameter,
    replica_overlap,
    specific_heat,
    square_pairs,
    susceptibility,
    triangular_pairs,
)


# ---------------------------------------------------------------- lattices
@pytest.mark.parametrize(
    ("pairs", "shape", "neighbours"),
    [(square_pairs, (4, 5), 4), (cubic_pairs, (3, 4, 5), 6), (triangular_pairs, (4, 5), 6)],
)
def test_every_site_has_its_neighbours(pairs, shape, neighbours):
    n = math.prod(shape)
    closed = pairs(shape)
    assert len(closed) == n * neighbours // 2
    assert np.all(np.bincount(closed.ravel(), minlength=n) == neighbours)
    assert len({tuple(sorted(pair)) for pair in closed.tolist()}) == len(closed)
    assert nx.is_connected(nx.Graph(pairs(shape, periodic=False).tolist()))


def test_lattice_edges():
    assert square_pairs(3, periodic=False).tolist() == [
        [0, 3], [1, 4], [2, 5], [3, 6], [4, 7], [5, 8], [0, 1], [1, 2], [3, 4], [4, 5], [6, 7], [7, 8],
    ]  # fmt: skip
    assert len(square_pairs((3, 4), periodic=(True, False))) == 12 + 9
    assert len(square_pairs((1, 4))) == 4 and len(square_pairs((2, 2))) == 8
    graph = nx.triangular_lattice_graph(4, 4)
    assert sum(nx.triangles(graph).values()) > 0
    corners = triangular_pairs(3, periodic=False)
    assert len(corners) == 12 + 4
    with pytest.raises(ValueError, match="size: got 0"):
        square_pairs(0)
    with pytest.raises(ValueError, match="expected a positive integer or 3 of them"):
        cubic_pairs((2, 2))


# ---------------------------------------------------------------- constructors
def test_energies_from_all_sources_agree(rng):
    graph = nx.petersen_graph()
    couplings = rng.normal(size=15)
    for (a, b), value in zip(graph.edges, couplings, strict=True):
        graph.edges[a, b]["weight"] = value
    matrix = nx.to_scipy_sparse_array(graph, nodelist=list(graph), weight="weight")
    field = rng.normal(size=10)
    machines = [
        Ising.from_graph(graph, "weight", field=field),
        Ising.from_graph(graph, couplings, field=field),
        Ising.from_pairs(list(graph.edges), couplings, field=field),
        Ising.from_matrix(matrix, field=field),
        Ising.from_matrix(matrix.toarray(), field=field),
        Ising.from_matrix(2 * sp.triu(matrix), field=field, symmetrise=True),
    ]
    s = rng.choice([-1.0, 1.0], (6, 10))
    wanted = -0.5 * np.einsum("bi,ij,bj->b", s, matrix.toarray(), s) - s @ field
    for machine in machines:
        np.testing.assert_allclose(machine(s), wanted, atol=1e-12)
        assert machine.couplings.shape == (len(machine.pairs),)
        check_energy(machine)
    assert type(machines[0].with_theta({"bias": -field})) is Ising


def test_disorder():
    glass = SpinGlass.edwards_anderson((20, 20, 20), p=0.9, rng=1)
    assert glass.layers["s"].shape == (20, 20, 20)
    assert np.mean(glass.couplings == 1) == pytest.approx(0.9, abs=4 * math.sqrt(0.09 / 24_000))
    normal = SpinGlass.edwards_anderson((100, 100), disorder="gaussian", rng=1).couplings
    assert abs(normal.mean()) < 4 / math.sqrt(20_000) and normal.var() == pytest.approx(1, abs=0.04)
    dense = SpinGlass.sherrington_kirkpatrick(200, rng=1)
    assert dense.couplings.var() * 200 == pytest.approx(1, abs=4 * math.sqrt(2 / 19_900))
    regular = SpinGlass.on_random_regular(50, 3, rng=1)
    assert np.all(np.bincount(regular.pairs.ravel()) == 3) and set(regular.couplings) == {-1.0, 1.0}
    again = SpinGlass.on_random_regular(50, 3, rng=1)
    np.testing.assert_array_equal(again.pairs, regular.pairs)
    np.testing.assert_array_equal(again.couplings, regular.couplings)


def test_bad_input():
    with pytest.raises(ValueError, match=r"not symmetric, J\[0, 1\] = 1.0 but J\[1, 0\] = 0.0.*symmetrise=True"):
        Ising.from_matrix([[0, 1], [0, 0]])
    with pytest.raises(ValueError, match="not symmetric"):
        Ising.from_matrix(sp.csr_matrix([[0.0, 1.0], [0.5, 0.0]]))
    with pytest.raises(ValueError, match=r"J\[1, 1\] = 2.0, expected a zero diagonal"):
        Ising.from_matrix([[0, 1], [1, 2]])
    with pytest.raises(ValueError, match="expected a zero diagonal"):
        Ising.from_matrix(sp.eye(3))
    with pytest.raises(ValueError, match="expected .n, n."):
        Ising.from_matrix(np.ones((2, 3)))
    with pytest.raises(ValueError, match="1 entries are NaN"):
        Ising.from_matrix(sp.csr_matrix([[0.0, np.nan], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="NaN or infinite"):
        Ising.square(3, np.inf)
    with pytest.raises(ValueError, match="J: shape .5,., expected one number or one for each of 18 pairs"):
        Ising.square(3, np.ones(5))
    with pytest.raises(ValueError, match="field: shape .2,., expected one number or .3, 3."):
        Ising.square(3, field=np.ones(2))
    with pytest.raises(ValueError, match="directed"):
        Ising.from_graph(nx.DiGraph([(0, 1)]))
    with pytest.raises(ValueError, match="no attribute 'weight'"):
        Ising.from_graph(nx.path_graph(3), "weight")
    with pytest.raises(ValueError, match="to itself"):
        Ising.from_pairs([(0, 0)])
    with pytest.raises(ValueError, match="expected 0..2"):
        Ising.from_pairs([(0, 3)], shape=3)
    with pytest.raises(TypeError, match="pairs: got float64 values, expected whole numbers"):
        Ising.from_pairs([(0.5, 1.2)])
    with pytest.raises(ValueError, match="periodic: got .True,., expected True or False, or 2"):
        Ising.square(3, periodic=(True,))
    with pytest.raises(ValueError, match="periodic: got 'no'"):
        Ising.square(3, periodic="no")
    with pytest.raises(ValueError, match="none are given and no shape"):
        Ising.from_pairs([])
    with pytest.raises(TypeError, match="graph: got list"):
        Ising.from_graph([(0, 1)])
    for call, message in (
        (lambda: susceptibility([0.1], 4, 0.0), "temperature: got 0.0"),
        (lambda: specific_heat([1.0, 2.0], 4, -1.0), "temperature: got -1.0"),
        (lambda: specific_heat([1.0, 2.0], 0, 1.0), "n: got 0"),
        (
            lambda: order_parameter(np.array([0, 5]), 1, 3),
            "codes: got 5 among its entries, expected whole numbers from 0 to 2",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match="expected .n, n."):
        Ising.from_matrix(np.zeros((0, 0)))
    with pytest.raises(ValueError, match="n: got 0"):
        SpinGlass.sherrington_kirkpatrick(0)
    with pytest.raises(ValueError, match="even product"):
        SpinGlass.on_random_regular(5, 3)
    with pytest.raises(ValueError, match="disorder: got 'cauchy'"):
        SpinGlass.edwards_anderson((3, 3), disorder="cauchy")
    with pytest.raises(ValueError, match="p: got 1.5"):
        SpinGlass.edwards_anderson((3, 3), p=1.5)
    with pytest.raises(ValueError, match="size: got 3"):
        SpinGlass.edwards_anderson(3)
    with pytest.raises(ValueError, match="not of the kind"):
        Ising.square(2)(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="temperature"):
        sample(Ising.square(2), temperature=0.0, n_samples=1)


# ---------------------------------------------------------------- observables
def test_observables_of_the_enumerated_torus():
    """The same formulas on weighted exact states: draws in proportion to their probability."""
    model, temperature = Ising.square(4), 2.0
    exact = enumerate_states(model, temperature=temperature)
    m = magnetisation(exact.states(), 2)
    draws = np.random.default_rng(0).choice(len(m), 400_000, p=exact.probability)
    assert binder(m[draws]) == pytest.approx(0.644811, abs=2e-3)
    assert specific_heat(exact.energies[draws], 16, temperature) == pytest.approx(0.605533, abs=1e-2)
    wanted = 16 * (exact.probability @ m**2 - (exact.probability @ np.abs(m)) ** 2) / temperature
    assert susceptibility(m[draws], 16, temperature) == pytest.approx(wanted, abs=1e-2)
    assert susceptibility(np.stack([m[draws], m[draws]]), 16, temperature, axis=1).shape == (2,)


def test_order_parameter():
    codes = np.array([[[0, 0], [0, 0]], [[0, 1], [2, 0]]])
    np.testing.assert_allclose(order_parameter(codes, 2, 3), [1.0, 0.25])


def test_overlaps(rng):
    a, b = rng.choice([-1.0, 1.0], (2, 3, 7, 4, 4))
    np.testing.assert_allclose(replica_overlap(a, b, 2), (a * b).mean((2, 3)))
    pairs = square_pairs(4)
    q = (a * b).reshape(3, 7, 16)
    np.testing.assert_allclose(link_overlap(a, b, pairs, 2), (q[..., pairs[:, 0]] * q[..., pairs[:, 1]]).mean(-1))
    assert np.all(link_overlap(a, -a, pairs, 2) == 1)


def test_frustration(rng):
    assert not frustrated_plaquettes(Ising.square(4)).any()
    assert not frustrated_plaquettes(Ising.square(4, -1.0)).any()
    fully = np.ones((2, 4, 4))
    fully[0, :, ::2] = -1.0  # Villain's odd model: every second column of bonds turned round
    assert frustrated_plaquettes(Ising.square(4, fully)).all()
    for seed in range(5):
        glass = SpinGlass.edwards_anderson((5, 6), rng=seed)
        seen = frustrated_plaquettes(glass)
        assert seen.sum() % 2 == 0
        # Gauge transformations J_ij -> e_i J_ij e_j leave frustration as it is.
        e = rng.choice([-1.0, 1.0], 30)
        turned = glass.with_theta({"J": glass.couplings * e[glass.pairs].prod(1)})
        np.testing.assert_array_equal(frustrated_plaquettes(turned), seen)
    assert frustrated_plaquettes(Ising.square((3, 4), -1.0, periodic=False)).shape == (3, 4)
    with pytest.raises(ValueError, match="square lattice"):
        frustrated_plaquettes(Ising.cubic(3))


def test_correlation_length_of_a_ring():
    """Draws of a ring whose correlations tanh(J/T)^r and so chi(k) are known."""
    n, t = 32, math.tanh(1.0)
    chain = np.random.default_rng(1)
    kept = chain.random((40_000, n - 1)) < (1 + t) / 2
    s = np.cumprod(np.concatenate([np.ones((40_000, 1)), np.where(kept, 1.0, -1.0)], 1), 1)
    g = t ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    wave = np.exp(2j * np.pi * np.arange(n) / n)
    wanted = math.sqrt(g.sum() / (wave.conj() @ g @ wave).real - 1) / (2 * math.sin(math.pi / n))
    assert correlation_length(s, 1) == pytest.approx(wanted, rel=0.02)


# ---------------------------------------------------------------- identities of the disorder average
def z_of(values):
    return np.mean(values) / (np.std(values, ddof=1) / np.sqrt(len(values)))


def test_nishimori_energy(tol):
    """+-J with P(+) = p at e^(2/T) = p/(1 - p): [u] = -(z/2)(2p - 1) for every size; all up is a fair start."""
    p, size = 0.9, 8
    temperature = 2 / math.log(p / (1 - p))
    excess = []
    for seed in range(60):
        glass = SpinGlass.edwards_anderson((size, size), p=p, rng=seed)
        result = sample(
            glass, temperature=temperature, n_samples=40, chains=64, warmup=40, thin=2, observe={}, rng=seed,
            x0=np.ones((size, size)), method="replicas",
        )  # fmt: skip
        excess.append(result.energy.mean() / size**2 + 1.6)
    assert abs(z_of(excess)) < tol.STATISTICAL


def test_gaussian_link_overlap_identity(tol):
    """[u] = -(z/2)(1 - [q_link])/T: each sample's difference averages to zero over the disorder."""
    temperature, gap = 1.5, []
    for seed in range(50):
        glass = SpinGlass.edwards_anderson((4, 4), disorder="gaussian", rng=seed)
        result = sample(
            glass, temperature=temperature, n_samples=60, chains=40, warmup=100, thin=3, rng=seed, method="checkerboard"
        )
        links = link_overlap(result.x[:20], result.x[20:], glass.pairs, 2).mean()
        gap.append(result.energy.mean() / 16 + 2 / temperature * (1 - links))
    assert abs(z_of(gap)) < tol.STATISTICAL


def test_sherrington_kirkpatrick_identity(tol):
    """[u] = -(1 - [<q^2>])/(2T) for every N, by enumeration: <q^2> = sum_ij <s_i s_j>^2 / N^2."""
    n, temperature, gap = 8, 1.2, []
    for seed in range(300):
        exact = enumerate_states(SpinGlass.sherrington_kirkpatrick(n, rng=seed), temperature=temperature)
        q2 = np.sum(exact.correlations("s", "s") ** 2) / n**2
        gap.append(exact.energy / n + (1 - q2) / (2 * temperature))
    assert abs(z_of(gap)) < tol.STATISTICAL


def test_sherrington_kirkpatrick_paramagnet(tol):
    """Sampled at T = 2: u = -(1 - <q^2>)/(2T), close to -1/(2T) as <q^2> falls like 1/N."""
    n, temperature, gap, energies = 64, 2.0, [], []
    for seed in range(24):
        glass = SpinGlass.sherrington_kirkpatrick(n, rng=seed)
        result = sample(glass, temperature=temperature, n_samples=40, chains=16, warmup=30, thin=2, rng=seed)
        q2 = np.mean(replica_overlap(result.x[:8], result.x[8:], 1) ** 2)
        energies.append(result.energy.mean() / n)
        gap.append(energies[-1] + (1 - q2) / (2 * temperature))
    assert abs(z_of(gap)) < tol.STATISTICAL
    assert np.mean(energies) == pytest.approx(-1 / (2 * temperature), abs=0.02)


def test_potts_model_sources():
    model = PottsModel.from_graph(nx.cycle_graph(5), 2.0, q=3)
    assert model(np.array([0, 0, 1, 1, 1])) == -6.0
    assert PottsModel.cubic(2, q=2).layers["s"].shape == (2, 2, 2)


def test_observables_of_integers_and_of_tiny_couplings():
    total = np.array([60_000, -70_000, 80_000], np.int64)  # its fourth power is beyond 2^63
    assert binder(total) == pytest.approx(binder(total / 1.0), rel=1e-12) and binder(total) > 0.6
    assert susceptibility(total.astype(np.int32), 9, 2.0) == pytest.approx(
        susceptibility(total / 1.0, 9, 2.0), rel=1e-12
    )
    glass = SpinGlass.edwards_anderson((4, 4), rng=1)
    tiny = glass.with_theta({"J": 1e-100 * glass.couplings})
    np.testing.assert_array_equal(frustrated_plaquettes(tiny), frustrated_plaquettes(glass))
    with pytest.raises(ValueError, match="expected Spin"):
        frustrated_plaquettes(PottsModel.square(4, q=2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ising.from_pairs([(0, 1)], shape=2.7), "shape: got 2.7"),
        (lambda: Ising.from_pairs([(0, 1)], shape=(-2, -1)), "shape: got -2"),
        (lambda: Ising.from_matrix(np.array([[0, 1j], [-1j, 0]])), "matrix: complex"),
        (lambda: Ising.from_matrix(sp.csr_matrix([[0, 1j], [1j, 0]])), "matrix: complex"),
    ],
)
def test_shapes_and_couplings_that_would_be_cut_to_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()
