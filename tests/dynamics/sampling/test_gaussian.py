"""Exact draws from quadratic energies: covariance, thermal noise, independence, refusals."""

import numpy as np
import pytest

from circuits import ResistorNetwork, square_lattice
from physlearn import Energy, Readout, Real, relax, sample
from physlearn.dynamics.linear.quadratic import equilibria
from physlearn.dynamics.sampling import gaussian
from physlearn.terms import Bias, Dense, Edges

PAIRS = [(0, 1), (1, 2), (2, 3), (3, 4), (1, 3), (0, 4)]
G = np.array([1.0, 2.0, 0.5, 1.5, 1.0, 0.7])


def ladder(**readouts):
    readouts = {"ground": Readout("v", [0]), "current": Readout("v", [4], force=True), **readouts}
    return Energy({"v": (Real(), 5)}, [Edges("v", PAIRS)], {"conductance": G}, readouts, {"ground": [0.0]})


def laplacian(n=5):
    b = np.zeros((len(PAIRS), n))
    b[np.arange(len(PAIRS)), [i for i, _ in PAIRS]] = 1
    b[np.arange(len(PAIRS)), [j for _, j in PAIRS]] -= 1
    return b.T @ (G[:, None] * b)


def z_scores(values, exact):
    return (values.mean(0) - exact) / (values.std(0, ddof=1) / np.sqrt(len(values)))


def test_covariance_and_mean(tol):
    temperature = 0.6
    drawn = sample(
        ladder(), temperature=temperature, n_samples=2000, chains=32, clamp={"current": [0.4]}, warmup=0, rng=1
    )
    assert drawn.method == "Gaussian (dense Cholesky)" and drawn.acceptance is None
    a = laplacian()[1:, 1:]
    mean = np.linalg.solve(a, [0, 0, 0, 0.4])
    x = drawn.x[..., 1:]
    assert np.max(np.abs(z_scores(x.mean(1), mean))) < tol.STATISTICAL
    products = np.einsum("cdi,cdj->cij", x - mean, x - mean) / x.shape[1]
    assert np.max(np.abs(z_scores(products, temperature * np.linalg.inv(a)))) < tol.STATISTICAL
    # Johnson and Nyquist: across nodes i and j the voltage has variance T R_ij
    r = np.linalg.pinv(laplacian())
    resistance = r[2, 2] + r[4, 4] - 2 * r[2, 4]
    noise = (x - mean)[..., 1] - (x - mean)[..., 3]
    assert abs(z_scores(np.mean(noise**2, 1), temperature * resistance)) < tol.STATISTICAL


def test_every_mode_holds_half_the_temperature(tol):
    temperature = np.repeat([0.2, 3.0], 16)
    network = ResistorNetwork(square_lattice(6), conductance=2.0, ground=0, inputs=[35])
    energy, clamp = network.energy, {"input": [1.5]}
    lowest = relax(energy, clamp=clamp).energy
    drawn = sample(energy, temperature=temperature, n_samples=200, chains=32, clamp=clamp, rng=2)
    above = np.mean(drawn.energy - lowest, 1) / temperature
    assert abs(z_scores(above, 34 / 2)) < tol.STATISTICAL
    assert np.allclose(drawn.x[..., [0, 35]], [0.0, 1.5])


def test_draws_are_independent(tol):
    x = sample(ladder(), temperature=1.0, n_samples=2000, chains=32, rng=3).x[..., 1:]
    assert np.max(np.abs(z_scores(np.mean(x[:, 1:] * x[:, :-1], 1), 0.0))) < tol.STATISTICAL
    across = x[:16] * x[16:]
    assert np.max(np.abs(z_scores(across.mean(1), 0.0))) < tol.STATISTICAL


@pytest.mark.parametrize("factor", ["_dense", "_sparse"])
def test_the_factor_is_a_root_of_the_inverse(factor, rng):
    if factor == "_sparse":
        pytest.importorskip("sksparse.cholmod")
    energy = ResistorNetwork(square_lattice(9), conductance=rng.uniform(0.5, 2.0, 144), ground=40, inputs=[]).energy
    eq = equilibria(energy, tuple(energy.fixed))
    matrix = eq.pattern.reduce(eq.a)
    root = getattr(gaussian, factor)(matrix)(np.eye(80))
    exact = np.linalg.inv(matrix.toarray())
    assert np.allclose(root @ root.T, exact, rtol=0, atol=1e-12 * np.max(exact))


def test_large_sparse_networks(tol, monkeypatch):
    pytest.importorskip("sksparse.cholmod")
    network = ResistorNetwork(square_lattice(60), conductance=1.0, ground=0, inputs=[])
    drawn = sample(network.energy, temperature=0.5, n_samples=10, chains=16, rng=4)
    assert drawn.method == "Gaussian (CHOLMOD)"
    assert abs(z_scores(np.mean(drawn.energy, 1), 0.5 * 3599 / 2)) < tol.STATISTICAL
    monkeypatch.setattr(gaussian, "_cholmod", lambda: None)
    with pytest.raises(ValueError, match="3599 free variables, and beyond 2000 needs CHOLMOD: pip install"):
        sample(network.energy, temperature=0.5, n_samples=1, rng=0, method="gaussian")


def test_ties_and_clamps_of_each_chain(tol):
    energy = ladder(source=Readout("v", rows=[[0, 1.0, 0, -1.0, 0]]))
    given = np.linspace(-1, 1, 16)[:, None]
    x = sample(energy, temperature=0.3, n_samples=500, chains=16, clamp={"source": given}, rng=5).x
    assert np.allclose(x[..., 1] - x[..., 3], given, atol=1e-12)
    mean = relax(energy, clamp={"source": given}).x
    free = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1.0]])  # v = free @ (v1, v2, v4) + given
    variance = 0.3 * np.diag(np.linalg.inv(free.T @ laplacian() @ free))
    gap = (x - mean[:, None])[..., [1, 2, 4]]
    assert np.max(np.abs(z_scores(np.mean(gap, 1), 0.0))) < tol.STATISTICAL
    assert np.max(np.abs(z_scores(np.mean(gap**2, 1), variance))) < tol.STATISTICAL


def test_chains_do_not_depend_on_how_many_run():
    few, many = (
        sample(ladder(), temperature=1.0, n_samples=4, chains=chains, clamp={"current": [0.1]}, rng=6).x
        for chains in (3, 37)
    )
    assert np.array_equal(few, many[:3])
    assert len(np.unique(many[:, -1, 2])) == 37


def test_dense_couplings_of_two_layers(tol):
    held = [Edges(name, [(0, 2), (1, 2)], parameter=f"g{name}") for name in "xy"]
    w = np.zeros((3, 3))
    w[:2, :2] = [[0.3, -0.2], [0.1, 0.4]]
    theta = {"W": w, "bias": np.array([1.0, -1.0, 0.0]), "gx": np.ones(2), "gy": np.full(2, 2.0)}
    readouts = {"gx": Readout("x", [2]), "gy": Readout("y", [2])}
    terms = [Dense(("x", "y")), Bias("x"), *held]
    energy = Energy({"x": (Real(), 3), "y": (Real(), 3)}, terms, theta, readouts, {"gx": [0.0], "gy": [0.0]})
    x = sample(energy, temperature=0.7, n_samples=1000, chains=32, rng=7).x
    flat = np.concatenate([x["x"][..., :2], x["y"][..., :2]], -1)
    a = np.block([[np.eye(2), -w[:2, :2]], [-w[:2, :2].T, 2 * np.eye(2)]])
    mean = np.linalg.solve(a, [1.0, -1.0, 0, 0])
    assert np.max(np.abs(z_scores(flat.mean(1), mean))) < tol.STATISTICAL
    products = np.einsum("cdi,cdj->cij", flat - mean, flat - mean) / 1000
    assert np.max(np.abs(z_scores(products, 0.7 * np.linalg.inv(a)))) < tol.STATISTICAL


def test_no_minimum_is_refused():
    options = {"temperature": 1.0, "n_samples": 1, "rng": 0}
    floating = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [1.0]})
    with pytest.raises(ValueError, match="floating"):
        sample(floating, **options)
    downhill = Energy({"v": (Real(), 2)}, [Dense(("v", "v"), "J")], {"J": np.array([[0, 1.0], [1.0, 0]])})
    with pytest.raises(ValueError, match="no minimum"):
        sample(downhill, **options)


def test_everything_clamped_stays():
    energy = ladder(rest=Readout("v", [1, 2, 3, 4]))
    drawn = sample(energy, temperature=1.0, n_samples=2, chains=2, clamp={"rest": [1.0, 2, 3, 4]}, rng=0)
    assert np.all(drawn.x == np.arange(5.0))


def test_bounds_and_other_terms_are_refused():
    bounded = Energy({"v": (Real(0.0), 1)}, [Bias("v")], {"bias": [-1.0]})
    with pytest.raises(ValueError, match="not a sum of terms with `quadratic` over unbounded Real layers"):
        sample(bounded, temperature=1.0, n_samples=1, method="gaussian", rng=0)
