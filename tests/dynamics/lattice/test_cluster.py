"""Swendsen-Wang and Wolff against enumeration, duality and published values."""

import math

import numpy as np
import pytest

from physlearn import check_energy, enumerate_states, sample
from physlearn.dynamics.rest.relax import make_problem
from physlearn.dynamics.sampling.engines import ENGINES, start_sampler
from physlearn.models import Ising, PottsModel, SpinGlass

METHODS = ["swendsen_wang", "wolff"]
TC = 2 / math.log(1 + math.sqrt(2))


def potts_tc(q):
    return 1 / math.log(1 + math.sqrt(q))


def z_score(per_chain, exact):
    return (np.mean(per_chain) - exact) / (np.std(per_chain, ddof=1) / np.sqrt(len(per_chain)))


MODELS = {
    "square": (Ising.square(4), [2.0, TC, 3.0]),
    "triangular": (Ising.triangular(4, 0.5), [1.8]),
    "graph": (Ising.random_regular(12, 5, np.linspace(0.0, 1.0, 30), rng=1), [2.5]),
    "potts": (PottsModel.square(3, q=3), [potts_tc(3), 1.0, 1.5]),
    "potts graph": (PottsModel.random_regular(8, 3, np.linspace(0.2, 1.5, 12), q=4, rng=2), [0.8]),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("method", METHODS)
def test_against_enumeration(method, name, tol):
    model, temperatures = MODELS[name]
    for temperature in temperatures:
        exact = enumerate_states(model, temperature=temperature)
        result = sample(model, temperature=temperature, n_samples=200, chains=100, thin=2, method=method, rng=4)
        assert abs(z_score(result.energy.mean(1), exact.energy)) < tol.STATISTICAL
        assert abs(z_score((result.energy**2).mean(1), exact.probability @ exact.energies**2)) < tol.STATISTICAL
        # One pair that is not a neighbour pair, from correlations (of codes for Potts).
        x = result.x.reshape(100, 200, -1)
        q = getattr(model.layers["s"].kind, "q", 0)
        wanted = exact.correlations("s", "s")
        wanted = np.trace(wanted[:q, 5 * q : 6 * q]) if q else wanted[0, 5]
        seen = (x[..., 0] == x[..., 5]) if q else x[..., 0] * x[..., 5]
        assert abs(z_score(seen.mean(1), wanted)) < tol.STATISTICAL


@pytest.mark.parametrize("method", METHODS)
def test_one_sweep_leaves_the_boltzmann_distribution_invariant(method, tol):
    model = PottsModel.from_pairs([(0, 1), (1, 2)], [0.5, 1.0], q=2)  # 8 states
    exact = enumerate_states(model, temperature=1.0)
    chains = 20_000
    drawn = np.random.default_rng(0).choice(8, chains, p=exact.probability)
    sampler = start_sampler(
        model, chains, exact.states(drawn), None, method, 3, {"clusters": 1} if method == "wolff" else {}
    )
    sampler.run(1, np.ones(chains))
    after = sampler.state()["s"] @ np.array([4, 2, 1])
    moved = np.zeros((8, 8))
    np.add.at(moved, (drawn, after), 1.0)
    wanted = exact.probability * chains
    assert np.all(np.abs(moved.sum(0) - wanted) < tol.STATISTICAL * np.sqrt(wanted))
    # Detailed balance: as many moves from a to b as from b to a.
    assert np.all(np.abs(moved - moved.T) <= tol.STATISTICAL * np.sqrt(moved + moved.T))


@pytest.mark.parametrize(("size", "energy"), [(16, -1.453065), (32, -1.433658)])
def test_critical_tori(size, energy, tol):
    """Kaufman's energies of L x L tori at the critical point, where single-spin moves are slow."""
    result = sample(
        Ising.square(size), temperature=TC, n_samples=120, chains=24, warmup=60, thin=3, method="swendsen_wang", rng=1
    )
    assert abs(z_score(result.energy.mean(1) / size**2, energy)) < tol.STATISTICAL


def test_potts_of_two_codes_is_ising(tol):
    """E_potts = E_ising(J/2) - bonds/2, by both machines' own samplers."""
    potts = sample(PottsModel.square(8, q=2), temperature=1.2, n_samples=100, chains=48, thin=2, method="wolff", rng=2)
    ising = sample(Ising.square(8, 0.5), temperature=1.2, n_samples=100, chains=48, thin=2, method="replicas", rng=3)
    a, b = potts.energy.mean(1), ising.energy.mean(1) - 64.0
    error = np.hypot(a.std(ddof=1), b.std(ddof=1)) / np.sqrt(48)
    assert abs(a.mean() - b.mean()) < tol.STATISTICAL * error


@pytest.mark.slow
@pytest.mark.parametrize(("q", "power", "systematic"), [(2, 1.0, 0.001), (3, 0.8, 0.001), (4, 0.5, 0.01)])
def test_potts_critical_energy(q, power, systematic, tol):
    """-(1 + 1/sqrt q) per site at the self-dual point, extrapolated in L^-(2 - 1/nu); q = 4 has logarithms."""
    mean, error = {}, {}
    for size in (32, 64):
        result = sample(
            PottsModel.square(size, q=q),
            temperature=potts_tc(q),
            n_samples=1500,
            chains=16,
            warmup=300,
            thin=2,
            method="swendsen_wang",
            observe={},
            rng=q,
        )
        seen = result.energy.mean(1) / size**2
        mean[size], error[size] = seen.mean(), seen.std(ddof=1) / 4
    ratio = 2.0**power
    limit = (ratio * mean[64] - mean[32]) / (ratio - 1.0)
    spread = np.hypot(ratio * error[64], error[32]) / (ratio - 1.0)
    assert abs(limit + 1 + 1 / math.sqrt(q)) < tol.STATISTICAL * spread + systematic


@pytest.mark.slow
def test_first_order_jump(tol):
    """q = 10 at its transition: both phases last, 0.6961 apart, around -(1 + 1/sqrt 10) (Baxter 1973).

    The correlation length is 10.6 (Buffenoir and Wallon 1993), so L = 128 is large, and 500 sweeps relax either phase.
    """
    model, size, seen = PottsModel.square(128, q=10), 128, []
    for start in (np.zeros((size, size), int), None):
        result = sample(
            model,
            temperature=potts_tc(10),
            n_samples=500,
            chains=16,
            warmup=500,
            x0=start,
            method="swendsen_wang",
            observe={},
            rng=1,
        )
        seen.append(result.energy.mean(1) / size**2)
    ordered, disordered = seen
    error = np.hypot(ordered.std(ddof=1), disordered.std(ddof=1)) / 4
    assert error < 0.01
    assert abs(disordered.mean() - ordered.mean() - 0.6961) < tol.STATISTICAL * error
    assert abs((ordered.mean() + disordered.mean()) / 2 + 1 + 1 / math.sqrt(10)) < tol.STATISTICAL * error / 2


def test_what_cluster_moves_refuse():
    def reason(model):
        return ENGINES["wolff"].refusal(make_problem(model, None, None)[0])

    assert "negative" in reason(SpinGlass.edwards_anderson((4, 4), rng=0))
    assert "field" in reason(Ising.square(4, field=0.1))
    assert "PottsBias" in reason(PottsModel.square(3, q=3, field=0.1))
    assert "Dense" in reason(SpinGlass.sherrington_kirkpatrick(5, rng=0))
    assert reason(Ising.square(4, field=0.0)) is None
    with pytest.raises(ValueError, match="negative.*What fits"):
        sample(Ising.square(4, -1.0), temperature=1.0, n_samples=1, method="swendsen_wang")
    with pytest.raises(ValueError, match="clusters: got 0"):
        sample(Ising.square(4), temperature=1.0, n_samples=1, method="wolff", clusters=0)


def test_potts_terms_pass_the_audit(rng):
    model = PottsModel.triangular(3, rng.normal(size=27), q=4, field=rng.normal(size=(3, 3, 4)))
    forms = {check.form for check in check_energy(model).checks}
    assert {"field", "gradient", "local (compiled)"} <= forms
    with pytest.raises(ValueError, match="q: got 1"):
        PottsModel.square(3, q=1)
