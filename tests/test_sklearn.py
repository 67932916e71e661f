"""The scikit-learn estimator keeps scikit-learn's contract, and learns."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from physlearn.sklearn import BernoulliRBM


@parametrize_with_checks([BernoulliRBM(n_components=3, n_iter=2, random_state=0)])
def test_keeps_the_contract(estimator, check):
    check(estimator)


def test_learns_two_patterns():
    x = np.repeat([[0, 0, 1, 1, 1], [1, 1, 0, 0, 1]], 50, axis=0)
    rbm = BernoulliRBM(4, learning_rate=0.5, n_iter=200, persistent=False, random_state=0).fit(x)
    assert rbm.score_samples(x).mean() > -0.9  # the best is -log 2 = -0.69
    assert list(rbm.get_feature_names_out()) == [f"bernoullirbm{k}" for k in range(4)]


def test_partial_fit_goes_on_where_fit_stopped():
    x = (np.random.default_rng(0).random((40, 6)) < 0.3).astype(float)
    once = BernoulliRBM(3, n_iter=3, random_state=5).fit(x)
    bit_by_bit = BernoulliRBM(3, n_iter=1, random_state=5).fit(x)
    for _ in range(2):
        bit_by_bit.partial_fit(x)
    np.testing.assert_array_equal(once.components_, bit_by_bit.components_)


def test_grey_values_are_probabilities(tol):
    grey = np.full((500, 1), 0.3)
    rbm = BernoulliRBM(1, learning_rate=0.02, batch_size=50, n_iter=300, random_state=0).fit(grey)
    on = np.exp(rbm.score_samples(np.ones((1, 1))))[0]
    assert abs(on - 0.3) < 0.06


def test_features_help_a_linear_classifier():
    data = load_digits()
    x, y = (data.data > 8).astype(float), data.target
    rbm = BernoulliRBM(64, learning_rate=0.05, n_iter=20, random_state=0)
    chain = make_pipeline(clone(rbm), LogisticRegression(max_iter=1000)).fit(x[:1200], y[:1200])
    assert chain.score(x[1200:], y[1200:]) > 0.85


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="precision: got 'half'"):
        BernoulliRBM(precision="half").fit(np.eye(3))
    for name, wrong in (
        ("batch_size", 0), ("batch_size", 10**30), ("n_components", 2.5), ("n_iter", "ten"), ("n_iter", 10**30),
        ("k", None), ("learning_rate", "fast"), ("momentum", 1.0), ("decay", -1.0), ("precision", ["single"]),
        ("random_state", -1), ("random_state", "seed"), ("persistent", 1),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=f"^{name}: got"):
            BernoulliRBM(**{name: wrong}).fit(np.eye(3))


def test_bad_data_is_named():
    rbm = BernoulliRBM(2, n_iter=1, random_state=0)
    for wrong in (None, "text", [1.0, 2.0], [[np.nan, 1.0]], [[1j, 0.0]]):
        with pytest.raises((TypeError, ValueError), match="^X: "):
            rbm.fit(wrong)
