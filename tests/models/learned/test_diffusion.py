"""Diffusion models: schedules, the table of parametrisations, samplers against exact recursions, floors, learning."""

import numpy as np
import pytest

from physlearn import Adam, DivergenceError, ExactGradient, check_energy, learn, load, sample, save
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Silu
from physlearn.models import (
    DiffusionModel,
    GaussianMixture,
    NoiseSchedule,
    Parametrisation,
    ScalarField,
    ancestral,
    converted,
    ddim,
    probability_flow,
    two_sample,
)
from physlearn.models.learned.backwards import step_of

HUNDRED = NoiseSchedule.linear(100, 1e-4, 0.2)
KINDS = [kind.value for kind in Parametrisation]


def exact_noise(schedule, variance, mean=0.0):
    """The noise that N(mean, variance) data are expected to hold at x of step k."""

    def predict(x, k):
        a, s = schedule.signal[k], schedule.noise[k]
        return s * (x - a * mean) / (a**2 * variance + s**2)

    return predict


def variance_by_recursion(schedule, variance, kind):
    """Ho et al.'s algorithm 2 in its own letters, on N(0, variance) data: the variance that its draws have."""
    alpha, bar, v = 1 - schedule.beta, np.cumprod(1 - schedule.beta), 1.0
    for t in range(len(alpha) - 1, -1, -1):
        gain = (1 - (1 - alpha[t]) / (bar[t] * variance + 1 - bar[t])) / np.sqrt(alpha[t])
        width = 0.0
        if t:
            width = schedule.beta[t] * ((1 - bar[t - 1]) / (1 - bar[t]) if kind == "posterior" else 1.0)
        v = gain**2 * v + width
    return v


def propagated(schedule, variance, kind, steps=None):
    """The same by the sampler's own steps, mean gain and variance."""
    path = list(range(len(schedule) - 1, -1, -1))
    v, gain = 1.0, 1.0
    for k, j in zip(path, [*path[1:], -1], strict=True):
        keep, pull, width = step_of(schedule, k, j, 1.0, kind == "beta")
        slope = keep + pull * exact_noise(schedule, variance)(1.0, k)
        v, gain = slope**2 * v + width**2, slope * gain
    return v, gain


def test_published_biases_of_a_hundred_steps(tol):
    """The sampler's own steps give the finite recursion to rounding, and its known numbers."""
    known = {
        "beta": {0.25: 0.2587, 1.0: 0.9999, 4.0: 3.905},
        "posterior": {0.25: 0.2190, 1.0: 0.9204, 4.0: 3.759},
    }
    for kind, table in known.items():
        for variance, value in table.items():
            recursion = variance_by_recursion(HUNDRED, variance, kind)
            assert abs(propagated(HUNDRED, variance, kind)[0] / recursion - 1) < tol.IDENTITY
            assert abs(recursion / value - 1) < 5e-4


@pytest.mark.parametrize("kind", ["posterior", "beta"])
def test_draws_follow_the_recursion(rng, tol, kind):
    n, variance = 20_000, 0.25
    x = ancestral(exact_noise(HUNDRED, variance), HUNDRED, rng.standard_normal((n, 1)), variance=kind, rng=rng)
    expected = variance_by_recursion(HUNDRED, variance, kind)
    assert abs(x.var() - expected) < tol.STATISTICAL * expected * np.sqrt(2 / n)
    assert abs(x.mean()) < tol.STATISTICAL * np.sqrt(expected / n)


def test_mean_and_covariance_of_a_correlated_law(tol):
    """Two dimensions with a mean: the affine map and the noise of every step, composed, against the recursion."""
    law = GaussianMixture([[1.0, -2.0]], np.array([[[1.0, 0.6], [0.6, 0.5]]]))

    def predict(x, k):
        a, s = HUNDRED.signal[k], HUNDRED.noise[k]
        return -s * law.noised(a, s**2).score(x)

    linear, shift, cov = np.eye(2), np.zeros(2), np.eye(2)
    own, own_shift, own_cov = np.eye(2), np.zeros(2), np.eye(2)
    bar = np.cumprod(1 - HUNDRED.beta)
    c, m = law.covariance, law.mean
    for k in range(99, -1, -1):
        keep, pull, width = step_of(HUNDRED, k, k - 1, 1.0)
        base = predict(np.zeros((1, 2)), k)[0]
        jac = (predict(np.eye(2), k) - base).T
        step = keep * np.eye(2) + pull * jac
        own, own_shift, own_cov = (
            step @ own,
            step @ own_shift + pull * base,
            step @ own_cov @ step.T + width**2 * np.eye(2),
        )
        alpha, b = 1 - HUNDRED.beta[k], HUNDRED.beta[k]
        inverse = np.linalg.inv(bar[k] * c + (1 - bar[k]) * np.eye(2))
        gain = (np.eye(2) - b * inverse) / np.sqrt(alpha)
        noise = b * (1 - bar[k - 1]) / (1 - bar[k]) if k else 0.0
        linear = gain @ linear
        shift = gain @ shift + b / np.sqrt(alpha) * np.sqrt(bar[k]) * inverse @ m
        cov = gain @ cov @ gain.T + noise * np.eye(2)
    for a, b in ((own, linear), (own_shift, shift), (own_cov, cov)):
        assert np.max(np.abs(a - b)) < 10 * tol.IDENTITY * np.max(np.abs(b))


def test_ddim_is_the_ancestral_sampler_at_eta_one_and_eulers_step_at_zero(rng, tol):
    x, predict = rng.standard_normal((50, 3)), exact_noise(HUNDRED, 0.3)
    one, other = ddim(predict, HUNDRED, x, eta=1.0, rng=1), ancestral(predict, HUNDRED, x, rng=1)
    assert np.array_equal(one, other)
    sigma = HUNDRED.noise / HUNDRED.signal
    y = x / HUNDRED.signal[-1]
    for k in range(99, -1, -1):
        y = y + ((sigma[k - 1] if k else 0.0) - sigma[k]) * predict(HUNDRED.signal[k] * y, k)
    assert np.max(np.abs(ddim(predict, HUNDRED, x) - y)) < 1e3 * tol.IDENTITY


def test_order_of_the_flow(tol):
    """Gaussian data: steps left out cost Euler's method an error of first order, and Heun's one of second."""
    schedule, x, slopes = NoiseSchedule.linear(2000), np.array([[1.0]]), {}
    for method in (ddim, probability_flow):
        whole, *few = (method(exact_noise(schedule, 0.25), schedule, x, steps=n)[0, 0] for n in (2000, 50, 100))
        slopes[method] = np.log2(abs(few[0] - whole) / abs(few[1] - whole))
        assert abs(whole - 0.5) < 1e-3  # the flow stretches to the data's deviation
    assert abs(slopes[ddim] - 1) < tol.ORDER_ODE and abs(slopes[probability_flow] - 2) < tol.ORDER_ODE


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("wanted", KINDS)
def test_every_conversion(rng, tol, given, wanted):
    x0, eps, k = rng.standard_normal((5, 2)), rng.standard_normal((5, 2)), rng.integers(0, 100, 5)
    a, s = HUNDRED.signal[k][:, None], HUNDRED.noise[k][:, None]
    truth = {"eps": eps, "x0": x0, "v": a * eps - s * x0, "score": -eps / s}
    x = HUNDRED.noised(x0, k, eps)
    got = converted(truth[given], x, a, s, given, wanted)
    assert np.max(np.abs(got - truth[wanted])) < 1e4 * tol.IDENTITY * np.max(np.abs(truth[wanted]))


@pytest.mark.parametrize("kind", KINDS)
def test_floor_is_the_loss_of_the_exact_predictor(rng, tol, kind):
    """Least errors on Gaussian data of two variances, against draws of them."""
    spread, n = np.array([0.2, 2.0]), 40_000
    k = 40
    x0, eps = rng.standard_normal((n, 2)) * np.sqrt(spread), rng.standard_normal((n, 2))
    a, s = HUNDRED.signal[k], HUNDRED.noise[k]
    x = HUNDRED.noised(x0, k, eps)
    best = s * x / (a**2 * spread + s**2)
    target = converted(eps, x, a, s, "eps", kind)
    off = np.mean((converted(best, x, a, s, "eps", kind) - target) ** 2, 1)
    floor = HUNDRED.floor(np.diag(spread), kind)[k]
    assert abs(off.mean() - floor) < tol.STATISTICAL * off.std() / np.sqrt(n)


def net(width=32, out=1):
    return Chain(
        Concatenate(), Affine(width, "W1", "b1"), Silu(), Affine(width, "W2", "b2"), Silu(), Affine(out, "W3", "b3")
    )


def trained(model, data, steps, **batches):
    rate = Adam(WarmupCosine(1e-2, steps))
    task = dict(rule=ExactGradient(), cost=model.cost, optimizer=rate, epochs=steps, rng=0, progress=False)
    return learn(model, model.batches(data, **batches), **task)


@pytest.mark.parametrize("kind", ["x0", "score", *(pytest.param(k, marks=pytest.mark.slow) for k in ("eps", "v"))])
def test_each_parametrisation_learns_a_gaussian_to_its_floor(rng, kind):
    data = 1.0 + 0.5 * rng.standard_normal((4000, 1))
    model = DiffusionModel(net(), NoiseSchedule.linear(50), kind, shape=1, rng=0)
    check_energy(model)
    model = trained(model, data, 700).machine
    x = model.sample(4000, rng=1)
    assert abs(x.mean() - 1.0) < 0.08 and abs(x.std() - 0.5) < 0.08
    for band in model.losses(data, bands=5, covariance=data.var(), rng=2)[1:]:
        assert -5 * band.error < band.loss - band.floor < 0.1 * band.floor + 0.01


def test_training_resumes_bit_for_bit_and_saves(rng, tmp_path):
    data = rng.standard_normal((100, 2))
    model = DiffusionModel(net(8, 2), NoiseSchedule.linear(30), shape=2, rng=0)
    task = dict(rule=ExactGradient(), cost=model.cost, optimizer=Adam(1e-3), progress=False)
    batches = model.batches(data, 16)
    whole = learn(model, batches, epochs=6, rng=3, **task)
    save(tmp_path / "half.npz", learn(model, batches, epochs=3, rng=3, **task))
    half = load(tmp_path / "half.npz", model)
    rest = learn(model, batches, epochs=3, resume=half, **task)
    assert all(np.array_equal(whole.theta[name], rest.theta[name]) for name in whole.theta)


def test_single_precision_from_end_to_end(rng):
    model = DiffusionModel(net(8, 2), NoiseSchedule.linear(30), shape=2, rng=0)
    single = DiffusionModel(
        net(8, 2), NoiseSchedule.linear(30), shape=2, theta={k: v.astype(np.float32) for k, v in model.theta.items()}
    )
    assert single.dtype == np.float32 and single.sample(5, rng=0).dtype == np.float32
    done = trained(single, rng.standard_normal((50, 2)), 3, size=16)
    assert done.theta["W1"].dtype == np.float32
    a, b = (m.sample(100, method="ddim", rng=1) for m in (model, single))
    assert np.max(np.abs(a - b)) < 1e-3 * np.max(np.abs(a))


def test_conditions_choose_and_guidance_sharpens(rng):
    label = rng.integers(0, 2, 2000)
    data = (2.0 * label - 1.0 + 0.4 * rng.standard_normal(2000))[:, None]
    model = DiffusionModel(net(), NoiseSchedule.linear(50), shape=1, condition=2, rng=0)
    model = trained(model, data, 700, condition=np.eye(2)[label], drop=0.2).machine
    plain, guided = (model.sample(1000, condition=[0.0, 1.0], guidance=w, rng=1) for w in (0.0, 2.0))
    assert abs(plain.mean() - 1.0) < 0.15 and abs(plain.std() - 0.4) < 0.12
    assert guided.mean() > plain.mean() and guided.std() < plain.std()
    both = model.sample(1000, rng=1)  # the condition dropped: the mixture
    assert abs(np.mean(both > 0) - 0.5) < 0.15 and both.std() > 0.8
    x = rng.standard_normal((4, 1))
    with_it, without = model.predict(x, 20, condition=[0.0, 1.0]), model.predict(x, 20)
    assert np.allclose(model.predict(x, 20, condition=[0.0, 1.0], guidance=2.0), 3 * with_it - 2 * without)


def test_same_seed_same_draws_whatever_the_method(rng):
    model = DiffusionModel(net(8, 2), NoiseSchedule.linear(25), shape=2, rng=0)
    for method in ("ancestral", "ddim", "flow"):
        assert np.array_equal(*(model.sample(300, method=method, steps=10, rng=4) for _ in range(2)))


def test_wrong_calls_are_refused_by_name(rng):
    for call, words in (
        (lambda: NoiseSchedule(np.full(10, 0.01)), "does not end in noise"),
        (lambda: NoiseSchedule.linear(10), "last"),
        (lambda: NoiseSchedule([0.5, 1.5]), "beta"),
        (lambda: DiffusionModel(net(), HUNDRED, "noise", shape=1), "parametrisation"),
        (lambda: DiffusionModel(net(), HUNDRED, shape=2), "gives the shape"),
        (lambda: DiffusionModel(Affine(1), HUNDRED, shape=1), "does not take parents"),
        (lambda: ancestral(lambda x, k: x[:1], HUNDRED, rng.standard_normal((5, 2))), "predict"),
        (lambda: ancestral(lambda x, k: 0, HUNDRED, rng.standard_normal((5, 2))), "predict"),
        (lambda: ddim(lambda x, k: x, HUNDRED, np.zeros(3)), "x"),
        (lambda: converted(np.zeros(2), np.zeros(2), 0.9, 0.9, "eps", "v"), "signal, noise"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    model = DiffusionModel(net(), HUNDRED, shape=1, rng=0)
    for call, words in (
        (lambda: model.batches(np.zeros((3, 2))), "data"),
        (lambda: model.batches(np.zeros((3, 1)), drop=0.5), "drop"),
        (lambda: model.sample(3, guidance=1.0), "guidance"),
        (lambda: model.sample(3, condition=[1.0]), "condition"),
        (lambda: model.sample(3, steps=200), "steps"),
        (lambda: model.predict(np.zeros((3, 2)), 5), "x"),
        (lambda: model.predict(np.zeros((3, 1)), 500), "k"),
        (lambda: model.sample(10**18), "n"),
        (lambda: DiffusionModel(net(10**9), HUNDRED, shape=1, rng=0), "memory"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(DivergenceError, match="left the numbers"):
        ddim(lambda x, k: -1e4 * x, HUNDRED, rng.standard_normal((5, 1)))


def test_draws_of_a_mixture_with_its_exact_score_pass_the_two_sample_test(rng):
    law = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], 0.05, [0.3, 0.7])
    schedule = NoiseSchedule.cosine(200)

    def predict(x, k):
        a, s = schedule.signal[k], schedule.noise[k]
        return -s * law.noised(a, s**2).score(x)

    x, other = rng.standard_normal((500, 2)), law.sample(500, rng)
    for draw in (ancestral(predict, schedule, x, rng=0), probability_flow(predict, schedule, x, steps=100)):
        assert all(two_sample(draw, other, distance=d, rng=0).p_value > 0.01 for d in ("energy", "mmd"))
    assert two_sample(x, other, rng=0).p_value < 0.01


def test_distances_against_sums_over_pairs(rng, tol):
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((5, 3)) + 0.3

    def apart(a, b):
        return np.linalg.norm(a[:, None] - b[None], axis=-1)

    def kernel(a, b):
        return np.exp(-(apart(a, b) ** 2) / 2 / 0.7**2)

    across, inside, other = apart(x, y).mean(), apart(x, x).sum() / 42, apart(y, y).sum() / 20
    found = two_sample(x, y, permutations=5, rng=0)
    assert abs(found.distance - (2 * across - inside - other)) < 100 * tol.IDENTITY
    mmd = (kernel(x, x).sum() - 7) / 42 + (kernel(y, y).sum() - 5) / 20 - 2 * kernel(x, y).mean()
    got = two_sample(x, y, distance="mmd", bandwidth=0.7, permutations=5, rng=0).distance
    assert abs(got - mmd) < 100 * tol.IDENTITY
    with pytest.raises(ValueError, match="y: draws of"):
        two_sample(x, y[:, :2])


@pytest.mark.slow
def test_a_field_learnt_by_diffusion_beside_its_own_law(tol):
    """phi^4 on a ring: whole configurations by two tests, <phi^2> and the bonds against the transfer operator."""
    ring = ScalarField(8, kappa=0.25, lam=0.5)
    run = dict(temperature=1.0, chains=100, method="hmc", target=0.9, progress=False)
    data = sample(ring, n_samples=100, thin=2, rng=0, **run).x.reshape(-1, 8)
    fresh = sample(ring, n_samples=4, thin=20, rng=1, **run).x.reshape(-1, 8)
    model = DiffusionModel(net(128, 8), NoiseSchedule.cosine(100), "v", shape=8, features=6, rng=0).single()
    x = trained(model, data, 5000).machine.sample(400, rng=1).astype(float)
    tests = [two_sample(x, fresh, distance=d, rng=0) for d in ("energy", "mmd")]
    assert all(test.p_value > 0.01 for test in tests)
    for value, wanted in ((x**2, ring.ring().square), (x * np.roll(x, 1, 1), ring.ring().neighbours)):
        means = value.mean(1)
        assert abs(means.mean() - wanted) < tol.STATISTICAL * means.std() / 20
