"""Flows: densities, learning from data and from energies, weights, and chains that they propose to."""

import numpy as np
import pytest

from physlearn import Adam, ConvergenceError, Energy, ExactGradient, Real, check_energy, learn, sample
from physlearn.learning import MaximumLikelihood, ReverseKL, WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Silu, Tanh
from physlearn.models import ContinuousFlow, CouplingFlow, Reweighted, ScalarField, reweighted
from physlearn.terms import Parabola, Transported

QUIET = dict(rng=0, progress=False)


def moved(flow, rng, size=0.3):
    """A flow away from its start, where it is the identity."""
    return flow.with_theta({name: v + size * rng.standard_normal(v.shape) for name, v in flow.theta.items()})


def test_density_is_minus_the_energy_and_integrates_to_one(rng, tol):
    flow = moved(CouplingFlow(2, couplings=3, hidden=(8,), activation=Tanh(), rng=0), rng)
    check_energy(flow)
    z = rng.standard_normal((50, 2))
    x, log_q = flow.decode(z)
    back, again = flow.encode(x)
    assert np.max(np.abs(back - z)) < 1e3 * tol.IDENTITY and np.max(np.abs(again - log_q)) < 1e3 * tol.IDENTITY
    assert np.allclose(flow.system(x), -log_q, rtol=1e-12)
    grid = np.linspace(-25, 25, 1001)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    assert abs(np.exp(flow.log_density(points)).sum() * (grid[1] - grid[0]) ** 2 - 1) < 1e-3


def test_gaussian_data_are_learnt_to_their_entropy(rng):
    data = rng.standard_normal((4000, 2)) @ np.array([[1.5, 0.7], [0.0, 0.6]]) + [0.3, -1.0]
    flow = CouplingFlow(2, couplings=3, hidden=(), rng=0)
    task = dict(rule=MaximumLikelihood(), optimizer=Adam(0.02), batch=500)
    done = learn(flow, {"x": data}, epochs=100, **task, **QUIET)
    entropy = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * np.cov(data.T, bias=True))[1]
    assert abs(done.cost[-1] - entropy) < 5e-3 and done.method == "likelihood"
    assert isinstance(done.machine, CouplingFlow)
    whole = learn(flow, {"x": data}, epochs=4, **task, **QUIET)
    half = learn(flow, {"x": data}, epochs=2, **task, **QUIET)
    rest = learn(flow, {"x": data}, epochs=2, **task, progress=False, resume=half)
    assert all(np.array_equal(whole.theta[name], rest.theta[name]) for name in whole.theta)


def test_one_step_in_place_is_the_optimisers_own(rng, tol):
    """A whole training in place, against gradients by differences of -log p and Adam's own step."""
    flow = moved(CouplingFlow(3, couplings=2, hidden=(4,), activation=Tanh(), rng=0), rng)
    x, adam = rng.standard_normal((20, 3)), Adam(0.01)
    done = learn(flow, {"x": x}, rule=MaximumLikelihood(), optimizer=adam, epochs=3, batch=None, shuffle=False, **QUIET)
    theta, memory = {k: v.copy() for k, v in flow.theta.items()}, adam.start(flow.theta)
    for _ in range(3):
        gradient = {k: v / len(x) for k, v in flow.system.with_theta(theta).response({"x": x}).items()}
        theta = adam.step(theta, gradient, memory, 0.01)
    assert all(np.max(np.abs(theta[k] - done.theta[k])) < 1e2 * tol.IDENTITY for k in theta)
    assert done.memory["steps"] == 3 and set(done.memory["first"]) == set(theta)


class Wave:
    """A two-dimensional energy with a known norm: x ~ N(0, 1), y ~ N(sin 2x, 1/4)."""

    layers = ("x", "x")

    def energy(self, x, theta):
        a, b = x["x"].T
        return 0.5 * a**2 + 2 * (b - np.sin(2 * a)) ** 2

    def field(self, x, theta, layer):
        a, b = x["x"].T
        off = 4 * (b - np.sin(2 * a))
        return np.stack([-a + 2 * np.cos(2 * a) * off, -off], 1)

    def gradient(self, x, theta, weight):
        return {}


WAVE = Energy({"x": (Real(), 2)}, [Wave()], {})
WAVE_LOG_Z, WAVE_SQUARE = np.log(2 * np.pi * 0.5), 0.25 + 0.5 * (1 - np.exp(-8.0))


@pytest.fixture(scope="module")
def wave():
    """A flow that has learnt it by reverse KL."""
    flow = CouplingFlow(2, couplings=4, hidden=(32,), activation=Tanh(), rng=0)
    rate = Adam(WarmupCosine(1e-2, 700))
    return learn(flow, flow.noise(256), rule=ReverseKL(WAVE), optimizer=rate, epochs=700, **QUIET)


def test_a_flow_learns_an_energy(wave, tol):
    """The variational free energy comes down to -log Z, and weights make it and the moments exact."""
    assert abs(wave.cost[-100:].mean() + WAVE_LOG_Z) < 0.05
    draws = reweighted(wave.machine, WAVE, 20_000, rng=1)
    assert draws.effective > 0.6 * 20_000
    assert abs(draws.log_z.value - WAVE_LOG_Z) < tol.STATISTICAL * draws.log_z.error
    for f, exact in ((lambda x: x[:, 1] ** 2, WAVE_SQUARE), (lambda x: x[:, 0] ** 2, 1.0)):
        value, error = draws.mean(f)
        assert abs(value - exact) < tol.STATISTICAL * error


def test_gradient_of_the_reverse_divergence_by_differences(rng):
    flow = moved(CouplingFlow(2, couplings=2, hidden=(4,), activation=Tanh(), rng=0), rng, 0.2)
    z = rng.standard_normal((30, 2))

    def value(flow):
        x, log_q = flow.decode(z)
        return float(np.mean(WAVE(x) / 0.7 + log_q))

    one = learn(flow, {"noise": z}, rule=ReverseKL(WAVE, 0.7), optimizer=_Kept(), batch=None, **QUIET)
    assert abs(one.cost[0] - value(flow)) < 1e-10
    for name, g in one.memory["kept"].items():
        for _ in range(2):
            v = rng.standard_normal(g.shape)
            h = 1e-6
            apart = [value(flow.with_theta({name: flow.theta[name] + s * h * v})) for s in (1, -1)]
            slope = (apart[0] - apart[1]) / (2 * h)
            assert abs(np.sum(g * v) - slope) < 1e-6 * max(1.0, abs(slope))


class _Kept:
    """An optimiser that stays, and keeps the gradient."""

    lr = 0.1

    def start(self, theta):
        return {"kept": {name: np.zeros_like(value) for name, value in theta.items()}}

    def step(self, theta, gradient, memory, lr):
        for name, value in gradient.items():
            memory["kept"][name][...] = value
        return {name: np.array(theta[name]) for name in gradient}


def test_a_bad_proposal_still_gives_the_exact_law(tol):
    """N(0, 1) proposes to a well of other widths: means as they should be, acceptance as the overlap says."""
    well = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.5, 3.0]})
    flow = CouplingFlow(2, couplings=2, hidden=(4,), rng=0)
    drawn = sample(well, temperature=1.0, n_samples=400, chains=100, method="independence", proposal=flow, rng=0)
    for j, k in enumerate((1.5, 3.0)):
        means = np.mean(drawn.x[..., j] ** 2, 1)
        assert abs(means.mean() - 1 / k) < tol.STATISTICAL * means.std(ddof=1) / 10
    assert 0.4 < drawn.acceptance.mean() < 0.9 and drawn.method == "independence"
    few = sample(well, temperature=1.0, n_samples=20, chains=3, method="independence", proposal=flow, rng=0)
    assert np.array_equal(few.x, drawn.x[:3, :20])
    assert np.allclose(few.energy, well(few.x.reshape(-1, 2)).reshape(3, -1))


def test_a_flow_that_has_learnt_proposes_well(wave, tol):
    drawn = sample(WAVE, temperature=1.0, n_samples=200, chains=64, method="independence", proposal=wave.machine, rng=0)
    means = np.mean(drawn.x[..., 1] ** 2, 1)
    assert abs(means.mean() - WAVE_SQUARE) < tol.STATISTICAL * means.std(ddof=1) / 8
    assert drawn.acceptance.mean() > 0.7


def test_a_field_on_a_ring(tol):
    """log Z and <phi^2> of phi^4 by a flow's weights, against the transfer operator."""
    ring = ScalarField(8, kappa=0.2, lam=0.3)
    flow = CouplingFlow(8, couplings=4, hidden=(24,), activation=Tanh(), rng=0)
    done = learn(flow, flow.noise(200), rule=ReverseKL(ring), optimizer=Adam(5e-3), epochs=400, **QUIET)
    draws, exact = reweighted(done.machine, ring, 10_000, rng=1), ring.ring()
    assert draws.effective > 3000
    assert abs(draws.log_z.value - exact.log_z) < tol.STATISTICAL * draws.log_z.error
    value, error = draws.mean(lambda x: np.mean(x**2, 1))
    assert abs(value - exact.square) < tol.STATISTICAL * error


def linear_velocity(matrix):
    """x -> A x, whatever the time."""
    n = len(matrix)
    theta = {"W": np.concatenate([np.asarray(matrix, float).T, np.zeros((2, n))])}
    return ContinuousFlow(Chain(Concatenate(), Affine(n, "W", None)), shape=n, features=2, theta=theta, steps=40)


def test_liouville_of_a_linear_velocity(rng, tol):
    from scipy.linalg import expm

    matrix = np.array([[0.3, -1.0], [0.7, -0.5]])
    flow, z = linear_velocity(matrix), rng.standard_normal((5, 2))
    x, log_q = flow.decode(z)
    normal = -0.5 * np.sum(z * z, 1) - np.log(2 * np.pi)
    assert np.allclose(x, z @ expm(matrix).T, atol=1e-7) and np.allclose(log_q, normal - np.trace(matrix), atol=1e-12)
    back, again = flow.encode(x)
    assert np.allclose(back, z, atol=1e-7) and np.allclose(again, log_q, atol=1e-7)
    many = flow.decode(np.repeat(z[:1], 4000, 0), trace="stochastic", rng=0)[1]
    assert abs(many.mean() - log_q[0]) < tol.STATISTICAL * 0.3 / np.sqrt(4000)  # e'Ae has deviation |A01 + A10|
    assert abs(many.std() - 0.3) < 0.02


def test_flow_matching_learns_a_law_with_its_density(rng):
    data = np.where(rng.random((4000, 1)) < 0.5, -1.0, 1.0) + 0.4 * rng.standard_normal((4000, 1))
    net = Chain(Concatenate(), Affine(32, "W1", "b1"), Silu(), Affine(32, "W2", "b2"), Silu(), Affine(1, "W3", "b3"))
    flow = ContinuousFlow(net, shape=1, rng=0)
    done = learn(
        flow,
        flow.batches(data),
        rule=ExactGradient(),
        cost=flow.cost,
        optimizer=Adam(WarmupCosine(1e-2, 700)),
        epochs=700,
        **QUIET,
    )
    done = done.machine
    x = np.linspace(-3, 3, 121)[:, None]
    p = 0.5 * sum(np.exp(-((x[:, 0] - m) ** 2) / 0.32) for m in (-1, 1)) / np.sqrt(0.32 * np.pi)
    q = np.exp(done.log_density(x))
    assert np.sum(np.abs(p - q)) * 0.05 < 0.25 and abs(np.sum(q) * 0.05 - 1) < 0.02


def test_wrong_calls_are_refused_by_name(rng):
    flow = CouplingFlow(2, couplings=2, hidden=(4,), rng=0)
    well = Energy({"x": (Real(), 3)}, [Parabola("x")], {"stiffness": [1.0, 1.0, 1.0]})
    bounded = Energy({"x": (Real(0, 1), 2)}, [Parabola("x")], {"stiffness": [1.0, 1.0]})
    settings = dict(optimizer=Adam(0.01), **QUIET)
    for call, words in (
        (lambda: CouplingFlow(1), "shape"),
        (lambda: CouplingFlow(2, kept=[0, 1]), "kept"),
        (lambda: CouplingFlow(10**6, hidden=(10**6,)), "memory"),
        (lambda: flow.decode(np.zeros((3, 3))), "z"),
        (lambda: flow.log_density(np.zeros((0, 2))), "x"),
        (lambda: ReverseKL(bounded), "unbounded"),
        (lambda: learn(flow, flow.noise(5), rule=ReverseKL(well), **settings), "energy: has 3"),
        (lambda: learn(well, {"x": np.zeros((2, 3))}, rule=MaximumLikelihood(), **settings), "norm changes"),
        (lambda: reweighted(flow, well, 10), "energy"),
        (lambda: sample(bounded, temperature=1, n_samples=1, method="independence", proposal=flow), "bounds"),
        (lambda: sample(well, temperature=1, n_samples=1, method="independence", proposal=flow), "proposal"),
        (lambda: Reweighted(np.zeros((3, 1)), np.zeros(3)).mean(np.zeros(2)), "values"),
        (lambda: linear_velocity(np.eye(2)).decode(np.zeros((1, 2)), trace="some"), "trace"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(TypeError, match="proposal"):
        sample(well, temperature=1, n_samples=1, method="independence")
    with pytest.raises(TypeError, match="with_logdet"):
        Transported("x", Affine(2))
    with pytest.raises(ConvergenceError, match="Lower lr"):
        learn(
            flow,
            {"x": rng.standard_normal((50, 2))},
            rule=MaximumLikelihood(),
            optimizer=Adam(1e200),
            epochs=5,
            **QUIET,
        )
    far = Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1e9, 1e9]})
    with pytest.warns(RuntimeWarning, match="hardly move"):
        sample(far, temperature=1, n_samples=100, method="independence", proposal=flow, rng=0)


@pytest.mark.slow
@pytest.mark.parametrize(("side", "least"), [(6, 0.4), (8, 0.1)])
def test_a_field_in_two_dimensions_beside_hmc(side, least, tol):
    """phi^4 on a square: a flow's weights, a chain that it proposes to, and HMC agree on <phi^2> and the bonds."""
    field = ScalarField((side, side), kappa=0.15, lam=0.1)
    flow = CouplingFlow((side, side), couplings=6, hidden=(8 * side,), activation=Silu(), rng=0)
    rate = Adam(WarmupCosine(5e-3, 1200, 50))
    flow = learn(flow, flow.noise(128), rule=ReverseKL(field), optimizer=rate, epochs=1200, **QUIET).machine
    draws = reweighted(flow, field, 8000, rng=1)
    run = dict(temperature=1.0, n_samples=150, chains=64, rng=1, progress=False)
    chain = sample(field, method="independence", proposal=flow, **run)
    hmc = sample(field, method="hmc", target=0.9, **run)
    assert draws.effective / 8000 > least
    for f in (lambda x: np.mean(x**2, (-2, -1)), lambda x: np.mean(x * np.roll(x, 1, -1), (-2, -1))):
        found = [draws.mean(f)]
        for drawn in (chain, hmc):
            means = f(drawn.x).mean(1)
            found.append((means.mean(), means.std(ddof=1) / 8))
        for value, error in found[:2]:
            assert abs(value - found[2][0]) < tol.STATISTICAL * np.hypot(error, found[2][1])
