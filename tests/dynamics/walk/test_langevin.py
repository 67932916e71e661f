"""Langevin, MALA and HMC: known distributions, leapfrog's own laws, independence, refusals."""

import warnings

import numpy as np
import pytest
from scipy import stats

from physlearn import ConvergenceError, Energy, Readout, Real, Spin, anneal, sample, tempering
from physlearn.dynamics.sampling.engines import start_sampler
from physlearn.dynamics.walk.hmc import leapfrog
from physlearn.terms import Bias, Dense, Edges, Mixture

STEPS = {"hmc": {}, "mala": {}, "ula": {"step": 0.05}}


class Own:
    """A separable energy sum u(x) of one layer, by its value and slope."""

    layers = ("x", "x")

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def energy(self, x, theta):
        return np.sum(self.value(x["x"]), 1)

    def field(self, x, theta, layer):
        return -self.slope(x["x"])

    def gradient(self, x, theta, weight):
        return {}


def springs(n, k):
    """n variables on springs to a grounded one: E = sum k x^2/2."""
    pairs = [(i, n) for i in range(n)]
    terms, readouts = [Edges("x", pairs)], {"ground": Readout("x", [n])}
    return Energy({"x": (Real(), n + 1)}, terms, {"conductance": np.full(n, k)}, readouts, {"ground": [0.0]})


def double_well(n=3, kind=Real()):  # noqa: B008
    return Energy({"x": (kind, n)}, [Own(lambda x: (x**2 - 1) ** 2 / 4, lambda x: x * (x**2 - 1))], {})


def mixture(d=100, components=4):
    theta = {
        "logits": np.zeros(components),
        "means": np.random.default_rng(0).normal(size=(components, d)),
        "precisions": np.ones(components),
    }
    return Energy({"x": (Real(), d)}, [Mixture("x")], theta)


def z_score(values, exact):
    """Of a mean over independent chains, (chains,)."""
    return (np.mean(values) - exact) / (np.std(values, ddof=1) / np.sqrt(len(values)))


def quadrature(u, temperature, *functions, low=-8.0, high=8.0):
    x = np.linspace(low, high, 40001)
    p = np.exp(-(u(x) - u(x).min()) / temperature)
    return [np.sum(p * f(x)) / np.sum(p) for f in functions]


# ---------------------------------------------------------------- ULA
@pytest.mark.parametrize("h", [0.1, 0.5, 0.9])
def test_ula_has_its_own_variance(h, tol):
    k, temperature = 2.0, 0.7
    drawn = sample(
        springs(50, k), temperature=temperature, n_samples=40, chains=64, thin=8, method="ula", step=h, rng=1
    )
    x = drawn.x[..., :50]
    exact = temperature / k / (1 - h * k / 2)
    assert abs(z_score(np.mean(x**2, (1, 2)), exact)) < tol.STATISTICAL
    assert abs(z_score(np.mean(x, (1, 2)), 0.0)) < tol.STATISTICAL
    lag = (1 - h * k) ** 8  # Euler's step multiplies by 1 - h k
    assert abs(z_score(np.mean(x[:, 1:] * x[:, :-1], (1, 2)) / exact, lag)) < tol.STATISTICAL


def test_ula_bias_is_of_first_order(tol):
    steps = np.array([0.05, 0.1, 0.2])
    bias = []
    for h in steps:
        drawn = sample(
            springs(100, 1.0), temperature=1.0, n_samples=120, chains=64, thin=round(1 / h), method="ula", step=h, rng=2
        )
        bias.append(np.mean(drawn.x[..., :100] ** 2) - 1.0)
    slope = np.polyfit(np.log(steps), np.log(bias), 1)[0]
    assert abs(slope - 1.0) < tol.ORDER_SDE


def test_ula_reports_instability():
    with pytest.raises(ConvergenceError, match=r"ran away.*step 1\.1.*Lower step") as caught:
        sample(springs(2, 2.0), temperature=1.0, n_samples=2000, chains=2, method="ula", step=1.1, rng=0)
    assert caught.value.partial["x"].shape == (2, 3)


# ---------------------------------------------------------------- MALA and HMC
@pytest.mark.parametrize("method", ["mala", "hmc"])
def test_gaussian_is_unbiased(method, tol):
    temperature = np.repeat([0.3, 2.0], 32)
    drawn = sample(
        springs(20, 2.0), temperature=temperature, n_samples=200, chains=64, thin=2, warmup=300, method=method, rng=3
    )
    scaled = np.mean(drawn.x[..., :20] ** 2, (1, 2)) / (temperature / 2.0)
    assert abs(z_score(scaled[:32], 1.0)) < tol.STATISTICAL
    assert abs(z_score(scaled[32:], 1.0)) < tol.STATISTICAL
    fourth = np.mean(drawn.x[..., :20] ** 4, (1, 2)) / (temperature / 2.0) ** 2
    assert abs(z_score(fourth, 3.0)) < tol.STATISTICAL
    assert drawn.method.startswith(method.upper())


@pytest.mark.parametrize("method", ["mala", "hmc"])
@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_double_well_is_unbiased(method, temperature, tol):
    energy = double_well()
    drawn = sample(energy, temperature=temperature, n_samples=400, chains=64, warmup=300, thin=3, method=method, rng=4)
    u = lambda x: (x**2 - 1) ** 2 / 4  # noqa: E731
    second, fourth, mean = quadrature(u, temperature, lambda x: x**2, lambda x: x**4, u)
    x = drawn.x
    assert abs(z_score(np.mean(x**2, (1, 2)), second)) < tol.STATISTICAL
    assert abs(z_score(np.mean(x**4, (1, 2)), fourth)) < tol.STATISTICAL
    assert abs(z_score(np.mean(x, (1, 2)), 0.0)) < tol.STATISTICAL
    assert abs(z_score(np.mean(drawn.energy, 1) / 3, mean)) < tol.STATISTICAL


@pytest.mark.parametrize("method, optimum", [("mala", 0.574), ("hmc", 0.651)])
def test_acceptance_comes_near_its_optimum(method, optimum):
    drawn = sample(mixture(), temperature=1.0, n_samples=300, chains=48, warmup=800, method=method, rng=5)
    assert abs(np.mean(drawn.acceptance) - optimum) < 0.05
    high = sample(mixture(), temperature=1.0, n_samples=300, chains=48, warmup=800, method=method, rng=5, target=0.9)
    assert abs(np.mean(high.acceptance) - 0.9) < 0.05


def test_steps_do_not_change_after_the_warm_up():
    sampler = start_sampler(double_well(), 4, None, None, "hmc", 0, {})
    sampler.warm(50, np.ones(4))
    step = sampler.step.copy()
    sampler.run(20, np.ones(4))
    assert np.array_equal(sampler.step, step)
    assert np.array_equal(sampler.proposed, np.full(4, 20.0))
    fixed = start_sampler(double_well(), 4, None, None, "hmc", 0, {"step": 0.1})
    fixed.warm(50, np.ones(4))
    assert np.all(fixed.step == 0.1)


def test_a_step_is_found_without_a_warm_up():
    drawn = sample(springs(20, 400.0), temperature=1.0, n_samples=50, chains=8, warmup=0, method="mala", rng=0)
    assert np.all(drawn.acceptance > 0.1)


def test_most_moves_leading_nowhere_is_reported():
    slit = Energy({"x": (Real(), 2)}, [Own(lambda x: np.where(np.abs(x) < 0.1, 0.0, np.inf), np.zeros_like)], {})
    with pytest.warns(RuntimeWarning, match="more than half of all moves went nowhere under HMC"):
        sample(slit, temperature=1.0, n_samples=100, chains=2, method="hmc", step=0.02, x0=np.zeros(2), rng=0)


def test_mala_accepts_by_the_hastings_ratio(tol):
    """exp(-dH/T) of one leapfrog step is pi(x') q(x|x') / (pi(x) q(x'|x))."""
    h, temperature = 0.3, 0.7
    u, force = lambda x: np.sum((x**2 - 1) ** 2, 1) / 4, lambda x: -x * (x**2 - 1)
    rng = np.random.default_rng(0)
    x, p = rng.normal(size=(5, 3)), np.sqrt(temperature) * rng.normal(size=(5, 3))
    new, q, _ = leapfrog(force, x, p, np.full(5, np.sqrt(2 * h)), 1)
    assert np.allclose(new, x + h * force(x) + np.sqrt(2 * h) * p, rtol=tol.IDENTITY)

    def log_q(to, start):
        return -np.sum((to - start - h * force(start)) ** 2, 1) / (4 * h * temperature)

    ratio = (u(x) - u(new)) / temperature + log_q(x, new) - log_q(new, x)
    error = u(new) - u(x) + np.sum(q**2 - p**2, 1) / 2
    assert np.allclose(ratio, -error / temperature, atol=1e-12)


# ---------------------------------------------------------------- leapfrog
def test_leapfrog_keeps_the_harmonic_invariant(tol):
    omega, step = 1.7, 0.9
    z, p = np.array([[1.0, -0.3]]), np.array([[0.2, 2.0]])
    invariant = lambda z, p: p**2 + omega**2 * z**2 * (1 - step**2 * omega**2 / 4)  # noqa: E731
    end = leapfrog(lambda z: -(omega**2) * z, z, p, np.array([step]), 1000)
    assert np.allclose(invariant(*end[:2]), invariant(z, p), rtol=1000 * tol.IDENTITY, atol=0)


def test_leapfrog_is_of_second_order_and_reversible(tol):
    force, energy = lambda z: -z * (z**2 - 1), lambda z, p: np.sum((z**2 - 1) ** 2 / 4 + p**2 / 2)
    z, p = np.array([[0.7, -1.4]]), np.array([[0.5, 1.0]])
    steps = 2.0 / np.array([20, 40, 80, 160])
    errors = []
    for step in steps:
        z1, p1, _ = leapfrog(force, z, p, np.array([step]), round(2.0 / step))
        errors.append(abs(energy(z1, p1) - energy(z, p)))
        back, turned, _ = leapfrog(force, z1, -p1, np.array([step]), round(2.0 / step))
        assert np.allclose(back, z, atol=1e-13) and np.allclose(-turned, p, atol=1e-13)
    assert abs(np.polyfit(np.log(steps), np.log(errors), 1)[0] - 2.0) < tol.ORDER_ODE


def test_hmc_reports_instability():
    """Leapfrog is unstable beyond step omega = 2: no move is accepted, and a warning says so."""
    options = {"temperature": 1.0, "n_samples": 50, "chains": 2, "method": "hmc", "leaps": 30, "jitter": 0.0, "rng": 0}
    with pytest.warns(RuntimeWarning, match=r"2 of 2 chains accepted none of 50 moves.*Lower step"):
        drawn = sample(springs(20, 4.0), step=1.2, **options)
    assert np.all(drawn.acceptance == 0)
    assert "100 of 100 moves diverged" in drawn.method
    stable = sample(springs(20, 4.0), step=0.5, **options)
    assert np.all(stable.acceptance > 0.5)


# ---------------------------------------------------------------- bounds, singularities
@pytest.mark.parametrize("method", ["mala", "hmc"])
def test_bounds_are_walls(method, tol):
    temperature = 0.5
    options = {"n_samples": 300, "chains": 64, "warmup": 300, "thin": 3, "method": method, "rng": 6}
    half_line = Energy({"x": (Real(0.0), 2)}, [Bias("x")], {"bias": [-1.0, -2.0]})
    x = sample(half_line, temperature=temperature, **options).x
    for k, mean in enumerate([temperature, temperature / 2]):  # E = b x, x > 0: exponential
        assert abs(z_score(np.mean(x[..., k], 1), mean)) < tol.STATISTICAL
        assert abs(z_score(np.mean(x[..., k] ** 2, 1), 2 * mean**2)) < tol.STATISTICAL
    low, high = -0.5, 1.3
    box = Energy({"x": (Real(low, high), 3)}, [Own(lambda x: (x - 1) ** 2 / 2, lambda x: x - 1)], {})
    x = sample(box, temperature=temperature, **options).x
    assert x.min() >= low and x.max() <= high
    exact = stats.truncnorm(
        (low - 1) / np.sqrt(temperature), (high - 1) / np.sqrt(temperature), 1, np.sqrt(temperature)
    )
    assert abs(z_score(np.mean(x, (1, 2)), exact.mean())) < tol.STATISTICAL
    assert abs(z_score(np.mean(x**2, (1, 2)), exact.var() + exact.mean() ** 2)) < tol.STATISTICAL


def test_ula_stays_within_bounds():
    box = Energy({"x": (Real(-0.5, 1.0), 3)}, [Own(lambda x: x**2 / 2, lambda x: x)], {})
    x = sample(box, temperature=3.0, n_samples=200, chains=4, method="ula", step=0.2, rng=0).x
    assert x.min() >= -0.5 and x.max() <= 1.0


@pytest.mark.parametrize("method", ["mala", "hmc"])
def test_a_move_to_nowhere_is_rejected_and_counted(method, tol):
    """E = x - 2 log x is NaN at x < 0: what is left is the gamma density x^2 exp(-x)/2, of mean 3."""
    gamma = Energy({"x": (Real(), 1)}, [Own(lambda x: x - 2 * np.log(x), lambda x: 1 - 2 / x)], {})
    options = {"temperature": 1.0, "chains": 64, "warmup": 500, "x0": np.ones(1), "method": method}
    drawn = sample(gamma, n_samples=600, thin=3, rng=7, **options)
    assert np.all(drawn.x > 0)
    assert abs(z_score(np.mean(drawn.x, (1, 2)), 3.0)) < tol.STATISTICAL
    assert abs(z_score(np.mean(drawn.x**2, (1, 2)), 12.0)) < tol.STATISTICAL
    assert "diverged" in drawn.method
    with pytest.raises(ValueError, match="x0: the energy or the force of chain 1 is not finite"):
        sample(gamma, n_samples=1, **{**options, "chains": 2, "x0": [[1.0], [-1.0]]})


# ---------------------------------------------------------------- clamps
@pytest.mark.parametrize("method", ["mala", "hmc"])
def test_clamps_ties_and_forces(method, tol):
    """A ladder with a grounded node, a voltage source between two nodes and a current: T (P^T A P)^-1 exactly."""
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (1, 3), (0, 4)]
    readouts = {
        "ground": Readout("v", [0]),
        "source": Readout("v", rows=[[0, 1.0, 0, -1.0, 0]]),
        "current": Readout("v", [4], force=True),
    }
    theta = {"conductance": [1.0, 2.0, 0.5, 1.5, 1.0, 0.7]}
    energy = Energy({"v": (Real(), 5)}, [Edges("v", pairs)], theta, readouts, {"ground": [0.0]})
    clamp, options = {"source": [0.8], "current": [0.4]}, {"temperature": 0.3, "chains": 64, "rng": 8}
    exact = sample(energy, n_samples=1500, clamp=clamp, method="gaussian", **options).x
    x = sample(energy, n_samples=200, warmup=200, thin=2, clamp=clamp, method=method, **options).x
    assert np.all(x[..., 0] == 0) and np.allclose(x[..., 1] - x[..., 3], 0.8, atol=1e-12)
    for k in (1, 2, 4):
        for power in (1, 2):
            a, b = np.mean(x[..., k] ** power, 1), np.mean(exact[..., k] ** power, 1)
            gap = (a.mean() - b.mean()) / np.sqrt((a.var() + b.var()) / 64)
            assert abs(gap) < tol.STATISTICAL


# ---------------------------------------------------------------- independence, choice, refusals
def two_layers(rng):
    """Two real layers coupled by a matrix and held by their own wells; products of matrices in every field."""
    theta = {"W": 0.3 * rng.normal(size=(7, 5)), "J": np.zeros((7, 7))}
    terms = [Dense(("x", "y")), Own(lambda x: x**4, lambda x: 4 * x**3), Held()]
    return Energy({"x": (Real(), 7), "y": (Real(), 5)}, terms, theta)


class Held(Own):
    layers = ("y", "y")

    def __init__(self):
        pass

    def energy(self, x, theta):
        return np.sum(x["y"] ** 2, 1)

    def field(self, x, theta, layer):
        return -2 * x["y"]


@pytest.mark.parametrize("method", ["hmc", "mala", "ula"])
def test_chains_do_not_depend_on_how_many_run(method, rng):
    energy = two_layers(rng)
    options = {"temperature": 0.8, "n_samples": 5, "warmup": 20, "method": method, "rng": 9, **STEPS[method]}
    few, many = (sample(energy, chains=chains, **options) for chains in (3, 37))
    for name in ("x", "y"):
        assert np.array_equal(few.x[name], many.x[name][:3])
        assert len(np.unique(many.x[name][:, -1].round(12), axis=0)) == 37
    clamp = {"y": np.linspace(-1, 1, 5)}
    few, many = (sample(energy, chains=chains, clamp=clamp, **options) for chains in (3, 37))
    assert np.array_equal(few.x["x"], many.x["x"][:3])


def test_auto_takes_an_unbiased_engine():
    options = {"temperature": 1.0, "n_samples": 2, "chains": 2, "rng": 0}
    assert sample(double_well(), **options).method.startswith("HMC")
    assert sample(springs(3, 1.0), **options).method.startswith("Gaussian")


@pytest.mark.parametrize("method", ["hmc", "mala", "ula", "gaussian"])
def test_refusals(method):
    spins = Energy({"s": (Spin(), 3)}, [Bias("s")], {"bias": np.zeros(3)})
    options = {"n_samples": 1, "chains": 2, "method": method, "rng": 0}
    reason = "over unbounded Real layers" if method == "gaussian" else r"layers \['s'\] are discrete"
    with pytest.raises(ValueError, match=rf"method '{method}' does not fit this energy: .*{reason}"):
        sample(spins, temperature=1.0, **options)
    for temperature in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="temperature: got"):
            sample(springs(2, 1.0), temperature=temperature, **options)


@pytest.mark.parametrize(
    "method, settings, match",
    [
        ("ula", {}, "step: 'ula' needs one"),
        ("ula", {"step": -1.0}, "step: got -1.0, expected a positive finite number or one for each of 2 chains"),
        ("hmc", {"step": [0.1, 0.2, 0.3]}, "step: got"),
        ("hmc", {"leaps": 0}, "leaps: got 0"),
        ("hmc", {"jitter": 1.0}, "jitter: got 1.0"),
        ("mala", {"target": 1.5}, "target: got 1.5"),
    ],
)
def test_settings_are_checked(method, settings, match):
    with pytest.raises(ValueError, match=match):
        sample(double_well(), temperature=1.0, n_samples=1, chains=2, method=method, rng=0, **settings)


def test_all_clamped_is_refused():
    with pytest.raises(ValueError, match="clamps leave no variable free"):
        sample(double_well(), temperature=1.0, n_samples=1, clamp={"x": np.zeros(3)}, method="hmc", rng=0)


def test_no_warning_from_an_adapted_sampler():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample(double_well(), temperature=1.0, n_samples=200, chains=8, rng=0)


@pytest.mark.parametrize("verb", ["sample", "tempering", "anneal"])
def test_every_verb_warns_of_steps_that_are_too_long(verb):
    given = {"method": "hmc", "step": 1e4, "rng": 0}
    with pytest.warns(RuntimeWarning, match=f"{verb}: .* accepted none"):
        if verb == "sample":
            sample(double_well(), temperature=1.0, n_samples=30, **given)
        elif verb == "tempering":
            tempering(double_well(), temperatures=[1.0, 2.0], n_samples=30, **given)
        else:
            anneal(double_well(), np.geomspace(2.0, 1.0, 30), reads=4, **given)
