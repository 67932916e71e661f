"""Networks as estimators: scikit-learn's contract, pipelines, searches, principal components, every rule."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits, make_moons
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from physlearn import SGD, ExactGradient, PredictiveCoding, SquaredError, learn
from physlearn.sklearn import EnergyAutoencoder, EnergyClassifier, EnergyRegressor

SMALL = dict(learning_rate=0.01, random_state=0)


@parametrize_with_checks(
    [
        EnergyClassifier((16,), max_iter=100, **SMALL),
        EnergyRegressor((16,), max_iter=100, **SMALL),
        EnergyAutoencoder(1, max_iter=20, **SMALL),
    ]
)
def test_keeps_the_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("rule", [None, PredictiveCoding(0.05), PredictiveCoding(0.05, steps=20)])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_classifies_moons(rule, precision):
    X, y = make_moons(200, noise=0.1, random_state=0)
    settings = dict(rule=rule, precision=precision, max_iter=80, relax_options={"tol": 1e-3}, random_state=0)
    net = EnergyClassifier((24,), activation="tanh", learning_rate=0.03, **settings).fit(X[:150], y[:150])
    assert net.score(X[150:], y[150:]) > 0.9
    assert net.network_.theta["W1"].dtype == (np.float32 if precision == "single" else np.float64)


def test_serves_pipelines_and_searches():
    X, y = make_moons(120, noise=0.1, random_state=0)
    chain = make_pipeline(StandardScaler(), EnergyClassifier((16,), max_iter=60, learning_rate=0.03, random_state=0))
    assert cross_val_score(chain, X, y, cv=3).mean() > 0.8
    search = GridSearchCV(chain, {"energyclassifier__activation": ["tanh", "relu"]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.8


def test_partial_fit_continues_where_it_stopped():
    X, y = make_moons(64, noise=0.1, random_state=0)
    once = EnergyClassifier((8,), max_iter=3, batch_size=16, random_state=1).fit(X, y)
    often = EnergyClassifier((8,), batch_size=16, random_state=1)
    for _ in range(3):
        often.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(once.network_.theta["W1"], often.network_.theta["W1"])


def test_a_class_that_a_batch_lacks():
    net = EnergyClassifier((4,), random_state=0).partial_fit([[0.0], [1.0]], ["a", "b"], classes=["a", "b", "c"])
    assert net.predict_proba([[0.5]]).shape == (1, 3)
    with pytest.raises(ValueError, match="y: got the label 'd', expected one of"):
        net.partial_fit([[0.0]], ["d"])
    with pytest.raises(ValueError, match="y: got one class"):
        EnergyClassifier().fit([[0.0], [1.0]], [1, 1])


def test_early_stopping():
    X, y = make_moons(200, noise=0.3, random_state=0)
    net = EnergyClassifier((32,), learning_rate=0.03, max_iter=500, patience=10, random_state=0).fit(X, y)
    assert net.n_iter_ < 500 and net.score(X, y) > 0.85


def test_linear_autoencoder_finds_the_principal_components():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    X = rng.standard_normal((60, 8)) * [2.0, 1.8, 1.6, 0.4, 0.4, 0.3, 0.2, 0.1] @ basis.T
    pca = PCA(3).fit(X)
    error = np.mean((pca.inverse_transform(pca.transform(X)) - X) ** 2)
    for tied in (False, True):
        settings = dict(learning_rate=0.01, batch_size=200, max_iter=300, random_state=0)
        auto = EnergyAutoencoder(3, tied=tied, **settings).fit(X)
        data = {name: X - X.mean(0) for name in "xy"}
        descent = SGD(0.03, momentum=0.9)  # Adam's steps do not shrink with the gradient
        exact = learn(
            auto.network_,
            data,
            rule=ExactGradient(),
            cost=SquaredError("y"),
            optimizer=descent,
            epochs=3000,
            batch=None,
        )
        theta, auto.network_ = exact.theta, exact.machine
        decoder = theta["W1"] if tied else theta["V1"].T
        assert np.max(subspace_angles(decoder, pca.components_.T)) < 1e-6
        assert -auto.score(X) == pytest.approx(error, rel=1e-9)
        if tied:
            np.testing.assert_allclose(theta["W1"].T @ theta["W1"], np.eye(3), atol=1e-6)


def test_denoising_shrinks_as_the_best_linear_map_does():
    """With noise s added, the best linear autoencoder scales a component of variance v by v/(v + s^2)."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 2)) * [2.0, 1.0]
    X = (X - X.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(X.T, ddof=0)).T) * [2.0, 1.0]
    settings = dict(noise=1.0, learning_rate=0.003, batch_size=500, max_iter=60, random_state=0)
    auto = EnergyAutoencoder(2, **settings).fit(X)
    scaled = auto.inverse_transform(auto.transform(np.eye(2)))
    np.testing.assert_allclose(scaled, np.diag([4 / 5, 1 / 2]), atol=0.05)


@pytest.mark.slow
def test_deep_autoencoder_beats_principal_components_on_digits():
    X = load_digits().data / 16
    pca = PCA(8).fit(X[:1400])
    error = np.mean((pca.inverse_transform(pca.transform(X[1400:])) - X[1400:]) ** 2)
    settings = dict(learning_rate=2e-3, max_iter=200, random_state=0)
    auto = EnergyAutoencoder(8, hidden=(128, 64), activation="relu", **settings).fit(X[:1400])
    assert -auto.score(X[1400:]) < 0.8 * error


def test_bad_settings_are_named():
    for name, wrong in (
        ("hidden", 8), ("hidden", (0,)), ("activation", "sine"), ("learning_rate", 0.0), ("batch_size", 0),
        ("max_iter", -1), ("decay", -1.0), ("variance", 0.0), ("validation_fraction", 1.5), ("patience", 0),
        ("precision", "half"), ("random_state", -1), ("rule", "backprop"),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=f"^{name}: got"):
            EnergyClassifier(**{name: wrong}).fit(np.eye(4), [0, 1, 0, 1])
    for name, wrong in (("n_components", 0), ("tied", 1), ("noise", -0.1), ("hidden", "8"), ("activation", None)):
        with pytest.raises((TypeError, ValueError), match=f"^{name}: got"):
            EnergyAutoencoder(**{name: wrong}).fit(np.eye(4))
    with pytest.raises(ValueError, match="^X: got 3 columns, expected 1"):
        EnergyAutoencoder(1, max_iter=1).fit(np.eye(4)).inverse_transform(np.eye(3))
