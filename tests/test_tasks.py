"""Built-in experiments: against enumeration, closed forms and other code; the same bits from the same stream."""

import numpy as np
import pytest
from scipy.special import gammaln

from physlearn import tasks
from physlearn.models import capacity_curve
from physlearn.study.plans.task import import_task, locate
from physlearn.study.storage.values import encode


def replicates(task, n, **params):
    """Means over n independent runs and their standard errors."""
    found = [task(task.resolve(params), np.random.default_rng(seed)) for seed in range(n)]
    columns = {name: np.array([f[name] for f in found]) for name in found[0]}
    return {name: (c.mean(0), c.std(0, ddof=1) / np.sqrt(n)) for name, c in columns.items()}


@pytest.mark.parametrize("name", ["ising", "hopfield", "rbm", "assembly", "diffusion"])
def test_is_a_task_that_a_study_can_keep(name):
    task = getattr(tasks, name)
    assert locate(task) == (f"physlearn.tasks:{name}", task) and import_task(f"physlearn.tasks:{name}") is task
    small = {
        "ising": {"draws": 20},
        "hopfield": {"neurons": 50},
        "rbm": {"epochs": 40},
        "assembly": {"side": 4, "sweeps": 50},
        "diffusion": {"dimensions": 4, "data": 60, "pairs": 10},
    }[name]
    first, again = (encode(task(task.resolve(small), np.random.default_rng(1))) for _ in range(2))
    assert first == again and all(np.all(np.isfinite(np.frombuffer(v.data, v.dtype))) for v in first)
    scalars = {v.name for v in first if v.shape == ()}
    assert set(task.headline) <= scalars
    assert {v.name: len(v.shape) for v in first if v.shape} == {k: len(d) for k, d in task.dims.items()}


@pytest.mark.parametrize(("coupling", "method"), [(1.0, "swendsen_wang"), (-0.7, "heatbath")])
def test_ising_against_all_states(coupling, method, tol):
    """A 4 x 4 torus, all 65,536 states."""
    s = (2.0 * ((np.arange(2**16)[:, None] >> np.arange(16)) & 1) - 1).reshape(-1, 4, 4)
    energy = -coupling * (s * np.roll(s, 1, 1) + s * np.roll(s, 1, 2)).sum((1, 2))
    t, m = 2.5, np.abs(s.mean((1, 2)))
    weight = np.exp(-(energy - energy.min()) / t)
    weight /= weight.sum()
    mean = {k: np.sum(weight * v) for k, v in {"m": m, "m2": m**2, "m4": m**4, "e": energy, "e2": energy**2}.items()}
    exact = {
        "magnetisation": mean["m"],
        "energy": mean["e"] / 16,
        "susceptibility": 16 * (mean["m2"] - mean["m"] ** 2) / t,
        "specific_heat": (mean["e2"] - mean["e"] ** 2) / (16 * t**2),
        "binder": 1 - mean["m4"] / (3 * mean["m2"] ** 2),
    }
    found = replicates(tasks.ising, 12, size=4, temperature=t, coupling=coupling, method=method, draws=1000)
    for name, value in exact.items():
        average, error = found[name]
        assert abs(average - value) < tol.STATISTICAL * error, name


def test_hopfield_with_one_pattern_is_the_curie_weiss_magnet(tol):
    """E = -n m^2/2: the overlap's distribution is a binomial times exp(n m^2/2T), its side m > 0 exactly."""
    n, t = 300, 0.7
    k = np.arange(n + 1)
    m = 2 * k / n - 1
    log_weight = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + n * m**2 / (2 * t)
    weight = np.where(m > 0, np.exp(log_weight - log_weight.max()), 0.0)
    exact = np.sum(weight * m) / weight.sum()
    average, error = replicates(tasks.hopfield, 40, neurons=n, load=1 / n, temperature=t, sweeps=100)["overlap"]
    assert abs(average - exact) < tol.STATISTICAL * error
    assert error < 0.01


def test_hopfield_against_kept_overlaps(tol):
    """`capacity_curve` never forms the couplings."""
    curve = capacity_curve(200, [0.15], seeds=60, cues=8, rng=0)
    found = replicates(tasks.hopfield, 60, neurons=200, load=0.15, sweeps=200)
    for name, other in (("overlap", curve.overlaps), ("retrieved", curve.retrieved)):
        average, error = found[name]
        spread = np.hypot(error, other.std(ddof=1) / np.sqrt(other.size))
        assert abs(average - other.mean()) < tol.STATISTICAL * spread, name


def test_hopfield_path():
    params = {"neurons": 200, "load": 0.02, "flipped": 0.2, "sweeps": 7}
    path = tasks.hopfield(tasks.hopfield.resolve(params), np.random.default_rng(0))["overlap_in_time"]
    assert path.shape == (8,) and path[0] == pytest.approx(0.6) and path[-1] == 1.0


def test_rbm_approaches_the_entropy_of_the_data(tol):
    assert [len(tasks.bars_and_stripes(k)) for k in (2, 3, 4)] == [6, 14, 30]
    found = tasks.rbm(tasks.rbm.resolve({"side": 2}), np.random.default_rng(0))
    assert found["log_likelihood"] == found["log_likelihood_in_time"][-1]
    assert found["shortfall"] == pytest.approx(-np.log(6) - found["log_likelihood"], rel=tol.IDENTITY)
    assert 0 < found["shortfall"] < 0.1 < -np.log(6) - found["log_likelihood_in_time"][0]


def test_assembly_by_bond_energy():
    """Below mu/2 seeds melt, within the window they become their structures, far above it they do not."""
    found = [replicates(tasks.assembly, 3, side=8, mu=12.5, bond=bond) for bond in (5.5, 7.5, 13.0)]
    melted, grown, wrong = ({name: mean for name, (mean, _) in each.items()} for each in found)
    assert melted["dispersed"] == 1.0 and melted["overlap"] < 0.2
    assert grown["retrieved"] == 1.0 and grown["overlap"] > 0.95 and grown["error"] < 0.1
    assert wrong["retrieved"] < 0.5 < wrong["chimera"] + wrong["liquid"]
    for each in (melted, grown, wrong):
        assert sum(each[name] for name in ("retrieved", "chimera", "liquid", "dispersed")) == pytest.approx(1.0)


def test_assembly_by_number_of_structures():
    """Sixteen structures of 64 species are far more than sqrt(64)."""
    (few, _), (many, _) = (replicates(tasks.assembly, 3, stored=m)["overlap"] for m in (2, 16))
    assert many < 0.5 < 0.9 < few


@pytest.mark.slow
def test_collapse_and_speciation_of_many_data():
    """20,000 data in 32 dimensions: the formula and a shift of 0.02 (Biroli et al. 2024); clones agree as in theory."""
    found = tasks.diffusion(tasks.diffusion.resolve({"dimensions": 32, "data": 20_000}), np.random.default_rng(0))
    assert abs(found["formula"] - 0.3866) < 1e-3 and abs(found["shift"] - 0.02) < 0.01
    assert found["miss"] < 4 * np.sqrt(0.25 / 500)
