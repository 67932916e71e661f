"""The variational autoencoder: its cost's formulas, probabilistic PCA, data learnt, drawn and interpolated."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import multivariate_normal, norm

from physlearn import Adam, ExactGradient, PredictiveCoding, check_map, learn
from physlearn.learning import NegativeELBO
from physlearn.maps import Affine, Chain, NormalDraw, Tanh
from physlearn.models import VariationalAutoencoder, linear_elbo

D, K, N = 5, 2, 60


def test_the_draw_passes_its_audit():
    check_map(NormalDraw(3), [6, 3])


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_cost_is_its_formula(likelihood, rng):
    cost = NegativeELBO("out", K, likelihood, beta=0.7, variance=0.3)
    out = rng.normal(size=(4, D + 2 * K))
    x = rng.integers(0, 2, (4, D)).astype(float) if likelihood == "bernoulli" else rng.normal(size=(4, D))
    target = np.concatenate([x, np.zeros((4, 2 * K))], 1)
    cost.check(target)
    y, m, log = out[:, :D], out[:, D : D + K], out[:, D + K :]
    if likelihood == "bernoulli":
        fits = np.sum(np.log(np.where(x > 0, expit(y), expit(-y))), 1)
    else:
        fits = norm(y, np.sqrt(0.3)).logpdf(x).sum(1)
    kl = 0.5 * np.sum(np.exp(log) + m * m - log - 1, 1)
    np.testing.assert_allclose(cost.value(out, target), 0.7 * kl - fits, rtol=1e-12)
    step = 1e-5
    for k in range(out.shape[1]):
        unit = step * np.eye(out.shape[1])[k]
        slope = (cost.value(out + unit, target) - cost.value(out - unit, target)) / (2 * step)
        bend = (cost.gradient(out + unit, target) - cost.gradient(out - unit, target)) / (2 * step)
        np.testing.assert_allclose(cost.gradient(out, target)[:, k], slope, atol=1e-8)
        np.testing.assert_allclose(cost.hessian(out, target)[:, :, k], bend, atol=1e-8)


def pca(rng):
    """Data, and the maximum of probabilistic PCA's likelihood in closed form (Tipping and Bishop 1999)."""
    x = rng.normal(size=(N, D)) @ rng.normal(size=(D, D)) + rng.normal(size=D)
    mean = x.mean(0)
    sizes, axes = np.linalg.eigh(np.cov(x.T, bias=True))
    sizes, axes = sizes[::-1], axes[:, ::-1]
    variance = sizes[K:].mean()
    W = axes[:, :K] * np.sqrt(sizes[:K] - variance)
    best = multivariate_normal(mean, W @ W.T + variance * np.eye(D)).logpdf(x)
    return x, mean, W, variance, best


def encoder_of(W, variance, rotation=None):
    """The best encoder with a diagonal covariance, of W turned."""
    W = W if rotation is None else W @ rotation
    M = W.T @ W + variance * np.eye(K)
    return W, np.linalg.solve(M, W.T), variance / np.diag(M), M


def test_the_linear_one_is_probabilistic_pca(rng):
    x, mean, W, variance, best = pca(rng)
    W, V, spread, _ = encoder_of(W, variance)
    np.testing.assert_allclose(linear_elbo(x, mean, W, V, spread, variance), best, rtol=1e-10)


def test_turned_axes_lose_what_the_formula_says(rng):
    """1/2 log(prod M_kk / det M), M = W'W + variance: the price of a diagonal covariance, the same for every datum."""
    x, mean, W, variance, best = pca(rng)
    for angle in (0.1, 0.7):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned, V, spread, M = encoder_of(W, variance, turn)
        lost = 0.5 * np.log(np.prod(np.diag(M)) / np.linalg.det(M))
        found = linear_elbo(x, mean, turned, V, spread, variance)
        np.testing.assert_allclose(best - found, lost, rtol=1e-9)
        assert lost > 1e-3


def linear(x, variance, rng):
    """A linear autoencoder as a graph, its data, and noise at the corners of which means of quadratics are exact."""
    model = VariationalAutoencoder(D, K, hidden=(), likelihood="gaussian", variance=variance, rng=rng)
    corners = np.sqrt(K) * np.concatenate([np.eye(K), -np.eye(K)])
    return model, model.data(np.repeat(x, 2 * K, 0), np.tile(corners, (len(x), 1)))


@pytest.mark.slow
def test_the_graph_reaches_it_from_anywhere(rng):
    """By its exact gradient, the expectation over codes taken exactly by corners of the noise: to 1e-10 of a nat."""
    x, _, _, variance, best = pca(rng)
    model, data = linear(x, variance, rng)
    names = list(model.theta)
    sizes = np.cumsum([0, *(model.theta[name].size for name in names)])

    def parts(flat):
        cuts = zip(names, sizes, sizes[1:], strict=False)
        return {name: flat[a:b].reshape(model.theta[name].shape) for name, a, b in cuts}

    def mean_cost(flat):
        inputs = {"x": data["x"], "noise": data["noise"]}
        loss, slope = model.system.with_theta(parts(flat)).exact_gradient(model.cost, inputs, data["out"])
        return loss.mean(), np.concatenate([slope[name].ravel() for name in names])

    first = np.concatenate([model.theta[name].ravel() for name in names])
    done = minimize(mean_cost, first, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 0, "gtol": 1e-9})
    assert abs(done.fun + best.mean()) < 1e-10


def test_the_graph_agrees_with_the_closed_expectation(rng):
    x, mean, W, variance, best = pca(rng)
    model, data = linear(x, variance, rng)
    W, V, spread, _ = encoder_of(W, variance)
    encoder = {"eW1": np.concatenate([V.T, np.zeros((D, K))], 1), "eb1": np.concatenate([-V @ mean, np.log(spread)])}
    model = model.with_theta(encoder | {"dW1": W.T.copy(), "db1": mean})
    out = model.system.forward({"x": data["x"], "noise": data["noise"]})["out"]
    bound = -model.cost.value(out, data["out"]).reshape(N, -1).mean(1)
    np.testing.assert_allclose(bound, best, rtol=1e-10)
    drawn = model.elbo(x, draws=400, rng=0)
    assert abs(drawn.mean() - best.mean()) < 0.05


def test_it_learns_and_draws(rng):
    """Bars of two kinds: drawn pictures are bars, codes of a kind lie together, and the bound is nearly log 2."""
    x = np.repeat([[1.0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]], 30, 0)
    model = VariationalAutoencoder(6, 1, hidden=(16,), rng=0)
    task = dict(rule=ExactGradient(), cost=model.cost, optimizer=Adam(0.02), epochs=350, rng=0)
    done = learn(model, model.batches(x, 30), **task)
    model = done.machine
    assert -1.2 < model.elbo(x, draws=100, rng=0).mean() < -np.log(2)
    pictures = model.generate(200, rng=1)
    near = np.abs(pictures[:, None] - x[[0, -1]]).max(2).min(1)
    assert np.mean(near < 0.2) > 0.8
    assert 0.3 < np.mean(pictures[:, 0] > 0.5) < 0.7
    for path in ("line", "sphere"):
        line = model.interpolate(x[0], x[-1], 7, path=path)
        np.testing.assert_allclose(line[[0, -1]], x[[0, -1]], atol=0.2)
    means, spreads = model.encode(x)
    assert means[:30].std() < 1e-9 < abs(means[0] - means[-1]).min() and np.all(spreads > 0)


def test_predictive_coding_follows_the_same_bound(rng):
    net = Chain(Affine(4, "E", "e"), Tanh(), Affine(4, "F", "f"))
    model = VariationalAutoencoder(3, 2, encoder=net, hidden=(4,), rng=0)
    data = model.data(rng.random((5, 3)), rng.normal(size=(5, 2)))
    inputs = {"x": data["x"], "noise": data["noise"]}
    _, exact = model.system.exact_gradient(model.cost, inputs, data["out"])
    errors = []
    for precision in (1e-2, 1e-3):
        rule = PredictiveCoding(precision)
        _, found = rule.swept(model.system, inputs, data["out"], model.cost, {"tol": 1e-12})
        errors.append(max(np.abs(found[n] - exact[n]).max() / np.abs(exact[n]).max() for n in exact))
    assert errors[0] < 0.2 and 8 < errors[0] / errors[1] < 12


def test_bad_input_is_refused_by_name():
    with pytest.raises(ValueError, match=r"out.*holds -1 .. 2, expected probabilities"):
        NegativeELBO("out", 1).check(np.array([[-1.0, 2.0, 0, 0]]))
    with pytest.raises(ValueError, match="2 columns, expected more than 2 of the code"):
        NegativeELBO("out", 1).check(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="decoder: it makes 4 numbers, expected 3"):
        VariationalAutoencoder(3, 1, decoder=Affine(4))
    with pytest.raises(ValueError, match="likelihood: got 'normal'"):
        VariationalAutoencoder(3, 1, likelihood="normal")
    with pytest.raises(ValueError, match="expected at least one row"):
        VariationalAutoencoder(3, 1).batches(np.zeros((0, 3)), 5)
    with pytest.raises(ValueError, match=r"code.*NormalDraw: got parents of shapes"):
        VariationalAutoencoder(3, 2, encoder=Affine(3))
