"""Kinds: what they draw, and what they refuse to be."""

import numpy as np
import pytest
from scipy.stats import truncnorm

from physlearn import Energy, Potts, Real, Spin, sample
from physlearn.rng import Chains, streams
from physlearn.terms import Bias, Dense, Parabola


@pytest.mark.parametrize(
    ("low", "high", "mean", "sd"),
    [
        (0.0, 1.0, 0.5, 1.0),
        (0.0, 1.0, -30.0, 1.0),
        (0.0, 1.0, 40.0, 2.0),
        (0.0, np.inf, -4.0, 1.0),
        (-9.0, 1.0, 3.0, 0.1),
    ],
)
def test_bounded_gaussians(low, high, mean, sd, tol):
    """Means and spreads against SciPy's, within the interval and far out in either tail."""
    rng = Chains(streams(1, 4))
    x = Real(low, high).draw(0.0, 1 / sd**2, np.full((4, 5000), mean), 1.0, rng).ravel()
    exact = truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)
    assert low <= x.min() and x.max() <= high
    assert abs(x.mean() - exact.mean()) < tol.STATISTICAL * x.std() / np.sqrt(x.size)
    assert abs(np.mean((x - exact.mean()) ** 2) - exact.var()) < tol.STATISTICAL * np.std((x - x.mean()) ** 2) / 141


def test_block_gibbs_of_bounded_variables(tol):
    """One bounded number beside one spin, against quadrature."""
    terms = [Dense(("x", "s")), Parabola("x"), Bias("s")]
    theta = {"W": np.array([[1.5]]), "stiffness": np.array([2.0]), "bias": np.array([0.3])}
    energy = Energy({"x": (Real(0.0, 1.0), 1), "s": (Spin(), 1)}, terms, theta)
    drawn = sample(energy, temperature=0.7, n_samples=100, chains=100, rng=0)
    assert drawn.method == "Gibbs (blocks)"
    x = (np.arange(4000) + 0.5) / 4000
    weight = {s: np.exp(-(x**2 - 1.5 * x * s - 0.3 * s) / 0.7) for s in (1.0, -1.0)}
    total = sum(w.sum() for w in weight.values())
    for seen, exact in (
        (drawn.x["x"][..., 0], sum(w @ x for w in weight.values()) / total),
        (drawn.x["s"][..., 0], sum(s * w.sum() for s, w in weight.items()) / total),
    ):
        by_chain = seen.mean(1)
        assert abs(by_chain.mean() - exact) < tol.STATISTICAL * by_chain.std(ddof=1) / 10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Potts(2.5), "q: got 2.5"),
        (lambda: Potts(1), "q: got 1"),
        (lambda: Real(2.0, 1.0), "low, high: got 2.0, 1.0"),
        (lambda: Real(np.nan), "low, high: got nan"),
        (lambda: Real("a"), "low, high: got 'a'"),
    ],
)
def test_kinds_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()
