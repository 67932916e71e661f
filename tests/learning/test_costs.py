"""Costs against formulas of SciPy, and their derivatives against differences."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, xlogy

from physlearn import CrossEntropy, SquaredError
from physlearn.learning import BinaryCrossEntropy, Margin

ONE_HOT, SHARES = np.eye(4)[[2, 0, 3]], np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.0, 0.3, 0.0], [0.25] * 4])
CASES = [
    (SquaredError("y"), SHARES, lambda y, t: 0.5 * np.sum((y - t) ** 2, 1)),
    (CrossEntropy("y", 1.7), ONE_HOT, lambda y, t: -np.sum(t * log_softmax(1.7 * y, 1), 1)),
    (CrossEntropy("y"), SHARES, lambda y, t: -np.sum(t * log_softmax(y, 1), 1)),
    (
        BinaryCrossEntropy("y", 0.6),
        SHARES,
        lambda y, t: -np.sum(t * np.log(expit(0.6 * y)) + (1 - t) * np.log(expit(-0.6 * y)), 1),
    ),
    (
        Margin("y", 0.9),
        ONE_HOT,
        lambda y, t: np.array(
            [
                sum(max(0.0, 0.9 - row[c] + row[k]) for k in range(4) if k != c)
                for row, c in zip(y, t.argmax(1), strict=True)
            ]
        ),
    ),
]
NAMES = [f"{type(cost).__name__} {k}" for k, (cost, *_) in enumerate(CASES)]


def outputs():
    return np.random.default_rng(3).normal(0.0, 2.0, (3, 4))


@pytest.mark.parametrize("cost, target, formula", CASES, ids=NAMES)
def test_value(cost, target, formula):
    np.testing.assert_allclose(cost.value(outputs(), target), formula(outputs(), target), rtol=1e-12)


@pytest.mark.parametrize("cost, target, formula", CASES, ids=NAMES)
def test_derivatives_against_differences(cost, target, formula):
    y, step = outputs(), 1e-6
    slope, bend = np.zeros((3, 4)), np.zeros((3, 4, 4))
    for k in range(4):
        high, low = y + step * np.eye(4)[k], y - step * np.eye(4)[k]
        slope[:, k] = (formula(high, target) - formula(low, target)) / (2 * step)
        bend[:, :, k] = (cost.gradient(high, target) - cost.gradient(low, target)) / (2 * step)
    np.testing.assert_allclose(cost.gradient(y, target), slope, atol=1e-8)
    np.testing.assert_allclose(cost.hessian(y, target), bend, atol=1e-8)


@pytest.mark.parametrize("cost, target, formula", CASES, ids=NAMES)
def test_both_at_once_and_in_single_precision(cost, target, formula):
    y = outputs()
    if hasattr(cost, "both"):
        value, gradient = cost.both(y, target)
        np.testing.assert_allclose(value, cost.value(y, target), rtol=1e-12)
        np.testing.assert_allclose(gradient, cost.gradient(y, target), atol=1e-12)
    single = cost.value(y.astype(np.float32), target.astype(np.float32))
    np.testing.assert_allclose(single, formula(y, target), rtol=1e-4)


@pytest.mark.parametrize("size", [40.0, 700.0, 1e5])
def test_certain_outputs_neither_overflow_nor_lose_the_cost(size):
    y = np.array([[size, -size], [-size, size]])
    right, wrong = np.eye(2), np.eye(2)[::-1].copy()
    np.testing.assert_array_equal(CrossEntropy("y").value(y, right) < 1e-15, True)
    np.testing.assert_allclose(CrossEntropy("y").value(y, wrong), 2 * size)
    np.testing.assert_allclose(BinaryCrossEntropy("y").value(y, wrong), 2 * size)
    assert np.isfinite(BinaryCrossEntropy("y").gradient(y, right)).all()


def test_the_entropy_of_the_target_is_the_least_cost():
    least = -np.sum(xlogy(SHARES, SHARES), 1)
    best = np.log(np.maximum(SHARES, 1e-300))
    np.testing.assert_allclose(CrossEntropy("y").value(best, SHARES), least, rtol=1e-12)
