"""Decoders against least squares, Monte Carlo and their scaling with the number of neurons; quadrature."""

import numpy as np
import pytest

from circuits.neurons import Ensemble, decoders
from circuits.neurons.coding.quadrature import ball


def in_ball(rng, m, dimensions):
    x = rng.standard_normal((m, dimensions))
    return x / np.linalg.norm(x, axis=1, keepdims=True) * rng.random((m, 1)) ** (1 / dimensions)


@pytest.mark.parametrize(("dimensions", "count"), [(1, 100), (1, 350), (2, 300), (3, 500)])
def test_quadrature_is_exact_for_polynomials(dimensions, count, tol):
    x, weight = ball(dimensions, count)
    assert len(x) >= count and np.all(np.linalg.norm(x, axis=1) < 1) and np.all(weight > 0)
    d = dimensions
    np.testing.assert_allclose(weight @ (np.ones(len(x))), 1.0, rtol=tol.IDENTITY)
    np.testing.assert_allclose(weight @ (x), 0.0, atol=tol.IDENTITY)
    np.testing.assert_allclose(weight @ (np.square(x).sum(1)), d / (d + 2), rtol=tol.IDENTITY)
    np.testing.assert_allclose(weight @ (x[:, 0] ** 2), 1 / (d + 2), rtol=tol.IDENTITY)
    np.testing.assert_allclose(weight @ (x[:, -1] ** 4), 3 / ((d + 2) * (d + 4)), rtol=tol.IDENTITY)


@pytest.mark.parametrize("dimensions", [4, 8, 64])
def test_points_of_many_dimensions_fill_the_ball_evenly(dimensions):
    x, weight = ball(dimensions, 4096)
    assert np.isfinite(x).all() and np.all(np.linalg.norm(x, axis=1) < 1)
    radius = np.linalg.norm(x, axis=1) ** dimensions  # uniform
    np.testing.assert_allclose(np.sort(radius), (np.arange(4096) + 0.5) / 4096, atol=1e-3)
    np.testing.assert_allclose(weight @ x, 0.0, atol=0.01)
    np.testing.assert_allclose(weight @ np.square(x), 1 / (dimensions + 2), rtol=0.05)


@pytest.mark.parametrize(("n", "points"), [(150, 60), (40, 200), (100, 100)], ids=["dual", "primal", "square"])
def test_decoders_are_the_least_squares_of_rates_and_regulariser(n, points):
    ensemble = Ensemble(n, 2, rng=3)

    def f(x):
        return np.column_stack([x[:, 0] * x[:, 1], x[:, 0], np.sin(3 * x[:, 1])])

    found = decoders(ensemble, f, points=points)
    x, weight = ball(2, points)
    root = np.sqrt(weight)[:, None]
    s = 0.1 * ensemble.max_rates.max()
    A = np.concatenate([root * ensemble.tuning(x), s * np.eye(n)])
    right = np.concatenate([root * f(x), np.zeros((n, 3))])
    np.testing.assert_allclose(found.values, np.linalg.lstsq(A, right, rcond=None)[0], rtol=1e-8, atol=1e-12)
    assert found.deviation == s and 1 < found.condition < 1e6


def test_distortion_and_noise_are_what_monte_carlo_finds(rng, tol):
    ensemble = Ensemble(80, 2, rng=3, radius=2.0)
    found = decoders(ensemble, lambda x: x[:, 0] * x[:, 1])
    x = 2.0 * in_ball(rng, 40_000, 2)
    rates = ensemble.tuning(x)
    square = (x[:, 0] * x[:, 1] - rates @ found.values[:, 0]) ** 2
    assert abs(square.mean() - found.distortion[0] ** 2) < tol.STATISTICAL * square.std() / 200 + 0.01 * square.mean()
    noise = rng.standard_normal((4000, 80)) * found.deviation @ found.values[:, 0]
    assert abs(noise.std() / found.noise[0] - 1) < tol.STATISTICAL / np.sqrt(8000)


def test_one_call_for_many_functions_gives_each_of_them(tol):
    ensemble = Ensemble(120, 1, rng=5)
    functions = {"x": None, "square": lambda x: x**2, "pair": lambda x: np.column_stack([x, -x])}
    together = decoders(ensemble, functions)
    for name, function in functions.items():
        alone = decoders(ensemble, function)
        np.testing.assert_allclose(together[name].values, alone.values, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(together[name].distortion, alone.distortion, rtol=1e-6)
    np.testing.assert_allclose(together["pair"].values[:, 1], -together["x"].values[:, 0], rtol=1e-9, atol=1e-15)


def test_error_falls_with_the_number_of_neurons_as_the_theory_says():
    """Noise as 1/N; distortion as 1/N^2 or faster where the regulariser is weak (Eliasmith and Anderson 2003)."""
    sizes = np.array([50, 200, 800])
    noise, distortion = np.empty((3, 5)), np.empty((3, 5))
    for i, n in enumerate(sizes):
        for k in range(5):
            ensemble = Ensemble(n, 1, rng=100 * n + k)
            noise[i, k] = decoders(ensemble).noise[0] ** 2
            distortion[i, k] = decoders(ensemble, regularisation=1e-3).distortion[0] ** 2
    noise, distortion = np.median(noise, 1), np.median(distortion, 1)
    assert np.all(np.abs(np.diff(np.log2(noise)) / 2 + 1) < 0.15)
    assert np.all(np.diff(np.log2(distortion)) / 2 < -1.7)
    assert 1e-3 < noise[0] < 2e-3 and 1e-6 < distortion[0] < 2e-5  # published-style populations of 50


def test_singular_and_ill_conditioned_decoders_are_said_with_their_condition_number():
    twins = Ensemble(8, 1, max_rates=300.0, intercepts=-0.5, encoders=np.ones((8, 1)))
    with pytest.raises(ValueError, match="condition number of .*raise regularisation above 0"):
        decoders(twins, regularisation=0.0)
    with pytest.warns(UserWarning, match="ill-conditioned, condition number .*raise regularisation"):
        found = decoders(Ensemble(200, 1, rng=1), regularisation=0.0)
    assert 1e12 < found.condition < 1e15


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (dict(function=lambda x: x[:3]), ValueError, "called with all points at once"),
        (dict(function=lambda x: np.zeros((len(x), 1, 1))), ValueError, r"function\(x\): got an array of shape"),
        (dict(function=lambda x: np.full(len(x), np.nan)), ValueError, "NaN or infinite"),
        (dict(function={"f": 3.0}), TypeError, r"function\['f'\]: got 3.0"),
        (dict(function={}), ValueError, "empty mapping"),
        (dict(regularisation=-0.1), ValueError, "regularisation: got -0.1"),
        (dict(points=1), ValueError, "points: got 1"),
        (dict(points=np.zeros((5, 3))), ValueError, "points: got the shape .5, 3."),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        decoders(Ensemble(10, 1, rng=0), **call)
    with pytest.raises(TypeError, match="ensemble: got 3, expected an Ensemble"):
        decoders(3)
