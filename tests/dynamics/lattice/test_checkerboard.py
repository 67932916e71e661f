"""Lattice engines (bit-packed, bytes, replicas, checkerboard) against enumeration, Onsager and each other."""

import math

import numba
import numpy as np
import pytest

from physlearn import Energy, Mean, Spin, enumerate_states, sample, transfer_matrix
from physlearn.dynamics.lattice import bitpacked, checkerboard, cluster, replicas, words
from physlearn.dynamics.rest.relax import make_problem
from physlearn.dynamics.sampling.engines import ENGINES, start_sampler
from physlearn.models import Ising, PottsModel, SpinGlass
from physlearn.terms import Pairs

SMALL = ["bytes", "replicas", "checkerboard"]
TC = 2 / math.log(1 + math.sqrt(2))


def z_score(per_chain, exact):
    return (np.mean(per_chain) - exact) / (np.std(per_chain, ddof=1) / np.sqrt(len(per_chain)))


def compare(model, method, temperature, tol, draws=300, thin=3, chains=128):
    """Energy, its square, every spin's mean and all pair correlations against enumeration."""
    exact = enumerate_states(model, temperature=temperature)
    result = sample(
        model,
        temperature=temperature,
        n_samples=draws,
        chains=chains,
        thin=thin,
        method=method,
        rng=7,
        observe={
            "s": Mean(lambda x: x["s"].reshape(chains, -1)),
            "ss": Mean(lambda x: np.einsum("ci,cj->cij", *[x["s"].reshape(chains, -1)] * 2)),
        },
    )
    assert abs(z_score(result.energy.mean(1), exact.energy)) < tol.STATISTICAL
    assert abs(z_score((result.energy**2).mean(1), exact.probability @ exact.energies**2)) < tol.STATISTICAL
    for name, wanted in (("s", exact.means["s"].ravel()), ("ss", exact.correlations("s", "s"))):
        seen = result.observed[name]
        error = seen.std(0, ddof=1) / np.sqrt(chains)
        assert np.all(np.abs(seen.mean(0) - wanted) < tol.STATISTICAL * error + 1e-12), name
    return result


@pytest.mark.parametrize("temperature", [2.0, TC, 3.0])
@pytest.mark.parametrize("method", SMALL)
def test_ising_torus(method, temperature, tol):
    result = compare(Ising.square(4), method, temperature, tol)
    assert result.acceptance is None


@pytest.mark.parametrize(
    ("model", "methods"),
    [
        (Ising.square(4, -0.7, field=0.4), ["bytes", "checkerboard"]),
        (Ising.square((4, 3), periodic=(True, False)), ["replicas", "checkerboard"]),
        (Ising.square((3, 5), 0.6, periodic=False, field=np.linspace(-1, 1, 15).reshape(3, 5)), ["checkerboard"]),
        (Ising.cubic((2, 2, 4), 0.4), ["replicas", "checkerboard"]),
        (Ising.cubic((3, 2, 2), 0.5, periodic=False), ["replicas", "checkerboard"]),
        (SpinGlass.edwards_anderson((4, 4), rng=3), ["replicas", "checkerboard"]),
        (SpinGlass.edwards_anderson((4, 4), disorder="gaussian", field=0.3, rng=4), ["checkerboard"]),
        (Ising.triangular(4, -1.0), ["replicas"]),
        (Ising.square(3), ["replicas"]),
        (SpinGlass.on_random_regular(12, 3, rng=5), ["replicas"]),
        (SpinGlass.on_random_regular(10, 7, rng=5), ["replicas"]),
    ],
    ids=range(11),
)
def test_against_enumeration(model, methods, tol):
    for method in methods:
        compare(model, method, 1.6, tol)


@pytest.mark.parametrize("J", [1.0, -1.0])
@pytest.mark.parametrize("temperature", [2.0, 3.0])
def test_bitpacked_torus(temperature, J, tol):
    """8 x 128 spins against the transfer matrix; the antiferromagnet has the same energy."""
    model, chains = Ising.square((8, 128), J), 64
    ordered = np.ones((8, 128)) if J > 0 else (-1.0) ** np.indices((8, 128)).sum(0)
    sampler = start_sampler(model, chains, ordered, None, "bitpacked", 1, {})
    heat = np.full(chains, temperature)
    sampler.run(1000, heat)
    seen = []
    for _ in range(400):
        sampler.run(5, heat)
        seen.append(sampler.energies())
    np.testing.assert_array_equal(model(sampler.state()["s"]), seen[-1])
    exact = transfer_matrix(8, 128, temperature=temperature).energy * 1024
    assert abs(z_score(np.mean(seen, 0), exact)) < tol.STATISTICAL


def test_bitpacked_spins_forget_at_any_temperature(tol):
    """At T = 300 nearly every move is made, but a single chain's energies still spread as they should."""
    model = Ising.square((8, 128))
    drawn = sample(model, temperature=300.0, n_samples=2000, chains=8, thin=4, method="bitpacked", rng=2)
    cool, warm = (transfer_matrix(8, 128, temperature=heat).energy for heat in (299.0, 301.0))
    ratio = drawn.energy.var(1) / 300.0**2 / 1024 / ((warm - cool) / 2.0)  # of the specific heats, in each chain
    assert abs(z_score(ratio, 1.0)) < tol.STATISTICAL and np.all(np.abs(ratio - 1) < 0.25)


@pytest.mark.parametrize(("temperature", "energy", "m"), [(2.0, -1.745565, 0.911319), (3.0, -0.817310, None)])
def test_onsager(temperature, energy, m, tol):
    """L = 64: bulk energy and magnetisation (Onsager 1944, Yang 1952) to within the finite size, 1e-6."""
    result = sample(
        Ising.square(64),
        temperature=temperature,
        n_samples=150,
        chains=24,
        warmup=300,
        thin=10,
        x0=np.ones((64, 64)),
        observe={"m": lambda x: np.abs(x["s"].mean((1, 2)))},
        rng=5,
    )
    assert result.method == "checkerboard heat bath (bytes)"
    assert abs(z_score(result.energy.mean(1) / 4096, energy)) < tol.STATISTICAL
    if m is not None:
        assert abs(z_score(result.observed["m"].mean(1), m)) < tol.STATISTICAL


@pytest.mark.parametrize("method", SMALL)
def test_one_sweep_leaves_the_boltzmann_distribution_invariant(method, tol):
    """20,000 chains drawn exactly from 16 states, moved once: their histogram does not change."""
    model = Ising.square((2, 2), 0.7) if method != "bytes" else Ising.square((4, 4), 0.4)
    exact = enumerate_states(model, temperature=1.0)
    chains = 20_000
    drawn = np.random.default_rng(0).choice(len(exact.energies), chains, p=exact.probability)
    sampler = start_sampler(model, chains, exact.states(drawn), None, method, 3, {})
    sampler.run(1, np.ones(chains))
    after = sampler.state()["s"]
    # By symmetry and size: classes of equal (energy, magnetisation) for the larger lattice.
    label = 1000 * np.round(model(exact.states()), 6) + exact.states().sum((1, 2))
    seen = 1000 * np.round(model(after), 6) + after.sum((1, 2))
    classes, number = np.unique(label, return_inverse=True)
    wanted = np.bincount(number, exact.probability) * chains
    count = np.bincount(np.searchsorted(classes, seen), minlength=len(classes))
    kept = wanted > 5
    chi2 = np.sum((count - wanted)[kept] ** 2 / wanted[kept])
    assert abs(chi2 - kept.sum()) < tol.STATISTICAL * np.sqrt(2 * kept.sum())


MODELS = {
    "bitpacked": Ising.square((4, 128)),
    "bytes": Ising.square(6),
    "replicas": SpinGlass.edwards_anderson((4, 4, 4), rng=1),
    "checkerboard": SpinGlass.edwards_anderson((4, 6), disorder="gaussian", rng=1),
    "swendsen_wang": Ising.triangular(5),
    "wolff": Ising.square(5),
}


@pytest.mark.parametrize("method", MODELS)
def test_a_chain_depends_on_the_seed_and_its_number_only(method, monkeypatch):
    monkeypatch.setattr(words, "THREADED", 0)
    temperature = np.linspace(4.0, 8.0, 70)

    def run(chains, threads):
        numba.set_num_threads(threads)
        return sample(
            MODELS[method], temperature=temperature[:chains], n_samples=3, chains=chains, method=method, rng=11
        ).x

    before = numba.get_num_threads()
    try:
        many = run(70, 1)
        np.testing.assert_array_equal(run(3, 1), many[:3])
        if before > 1:
            np.testing.assert_array_equal(run(70, 2), many)
    finally:
        numba.set_num_threads(before)
    assert len({x.tobytes() for x in many}) == 70


def test_words_are_xoshiro():
    """Every lane is the scalar generator from its own seed."""
    from physlearn.rng import next_word, streams

    stream = streams(3, 1)
    lanes = words.lanes_of(stream, 5)[0]
    rows, out = np.ascontiguousarray(lanes.T), np.empty(5, np.uint64)

    @numba.njit
    def advance(lanes, out):
        words.next_words(lanes, out)

    scalar = numba.njit(lambda row: next_word(row))
    for _ in range(4):
        advance(lanes, out)
        assert out.tolist() == [scalar(row) for row in rows]


def test_new_couplings_temperatures_and_sizes_compile_nothing():
    kernels = {
        "bitpacked": (bitpacked.sweep, [Ising.square((4, 128), J) for J in (0.5, -1.0)]),
        "bytes": (checkerboard.sweep_bytes, [Ising.square(4), Ising.cubic(4, -2.0, field=0.1)]),
        "replicas": (replicas.sweep, [Ising.square(3), SpinGlass.on_random_regular(10, 3, rng=0)]),
        "checkerboard": (
            checkerboard.sweep_bonds,
            [SpinGlass.edwards_anderson(shape, disorder="gaussian", rng=0) for shape in ((4, 4), (2, 2, 2))],
        ),
        "swendsen_wang": (cluster.swendsen_wang, [Ising.square(3), PottsModel.cubic(2, 0.3, q=5)]),
        "wolff": (cluster.wolff, [Ising.square(3), PottsModel.cubic(2, 0.3, q=5)]),
    }
    for method, (kernel, models) in kernels.items():
        for model, temperature in zip(models, (1.0, [2.0, 3.0]), strict=True):
            sample(model, temperature=temperature, n_samples=2, chains=2, method=method, rng=0)
        assert len(kernel.signatures) == 1, method


@pytest.mark.parametrize("shape", [(4, 6), (3, 5), (4, 4, 2), (16, 40)])
def test_each_coupling_once_in_single_precision(shape, tol):
    """Nearly frozen, one sweep follows the fields as they are in float64; warm, it draws from the same law."""
    closed = tuple(extent % 2 == 0 for extent in shape)
    make = Ising.square if len(shape) == 2 else Ising.cubic
    rng = np.random.default_rng(5)
    bonds = len(make(shape, periodic=closed).system.terms[0].i)
    model = make(shape, 1e-21 * rng.normal(size=bonds), periodic=closed, field=1e-21 * rng.normal(size=shape))
    start = rng.choice([-1.0, 1.0], (3, *shape))
    cold = {}
    for precision in ("single", "double"):
        sampler = start_sampler(model, 3, start, None, "checkerboard", 1, {"precision": precision})
        sampler.run(1, np.full(3, 1e-27))
        cold[precision] = sampler.state()["s"]
        assert sampler.method == "checkerboard heat bath" + " (double)" * (precision == "double")
    assert np.array_equal(cold["single"], cold["double"]) and not np.array_equal(cold["single"], start)
    if np.prod(shape) < 30:
        exact = enumerate_states(model, temperature=1.5e-21)
        found = sample(model, temperature=1.5e-21, n_samples=100, chains=60, thin=3, method="checkerboard", rng=2)
        assert abs(z_score(found.energy.mean(1), exact.energy)) < tol.STATISTICAL
    with pytest.raises(ValueError, match="precision: got 'half'"):
        sample(model, temperature=1.0, n_samples=1, method="checkerboard", precision="half")


def test_what_engines_refuse():
    def reason(model, method, **more):
        return ENGINES[method].refusal(make_problem(model, None, more.get("clamp"))[0])

    assert "multiple of 128" in reason(Ising.square(64), "bitpacked")
    assert "field" in reason(Ising.square((2, 128), field=0.1), "bitpacked")
    assert "periodic" in reason(Ising.square((4, 128), periodic=False), "bitpacked")
    assert "not zero" in reason(Ising.square((4, 128), 0.0), "bitpacked")
    assert "odd number" in reason(Ising.square(5), "checkerboard")
    assert "nearest neighbours" in reason(Ising.triangular(4), "checkerboard")
    assert "shape (6,)" in reason(Ising.from_pairs([(0, 5)]), "checkerboard")
    assert "one number" in reason(SpinGlass.edwards_anderson((4, 4), rng=0), "bytes")
    assert "one size" in reason(SpinGlass.edwards_anderson((4, 4), disorder="gaussian", rng=0), "replicas")
    assert "has 8 couplings" in reason(SpinGlass.on_random_regular(10, 8, rng=0), "replicas")
    assert "field" in reason(Ising.square(4, field=1.0), "replicas")
    assert "clamped" in reason(Ising.square(4), "replicas", clamp={"s": np.ones(16)})
    two = Energy({"s": (Spin(), 2), "t": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
    assert "more than one layer" in reason(two, "checkerboard")
    with pytest.raises(ValueError, match="method 'bytes' does not fit.*What fits"):
        sample(two, temperature=1.0, n_samples=1, method="bytes")
