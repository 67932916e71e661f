"""Autoencoders as scikit-learn transformers: a `PredictionGraph` that predicts its own input."""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.sklearn.arguments import data_of, generator_of  # isort: skip (says what is missing)

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from physlearn.checks import choice, count, flag, not_negative, positive, sequence
from physlearn.learning.costs import SquaredError
from physlearn.learning.learn import learn
from physlearn.learning.optimizers import Adam
from physlearn.learning.rules.contrastive import ExactGradient
from physlearn.maps import Affine, Chain
from physlearn.models.layered.graph import PredictionGraph
from physlearn.sklearn.networks import ACTIVATIONS


class EnergyAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Autoencoder x -> code -> x, linear or deep, tied or not, denoising or not.

    A linear one without noise spans the subspace of the first principal components (Baldi and Hornik 1989).

    Parameters
    ----------
    n_components : int
        Units of the code.
    hidden : sequence of int
        Units of the layers between input and code; the decoder has the same, in reverse.
    activation : {"identity", "tanh", "relu", "logistic", "softplus", "hard_sigmoid"}
        Of the hidden layers; code and output are linear.
    tied : bool
        Whether the decoder's weights are the encoder's, transposed.
    noise : float
        Standard deviation of noise that is added to the inputs while learning, in their units.
    rule : rule, optional
        Default the exact gradient.
    learning_rate : float or callable
        Of Adam; a function of the epoch, such as `physlearn.learning.WarmupCosine`.
    batch_size, max_iter : int
        Samples a step, and passes through the data.
    precision : {"single", "double"}
        Arithmetic.
    relax_options : mapping, optional
        Settings of relaxations, for rules that infer.
    random_state : int, RandomState or None

    Attributes
    ----------
    network_ : PredictionGraph
        Nodes "x", "e1", ..., "code", "d1", ..., "y", of inputs less their mean.
    mean_ : (n_features,) array
    loss_curve_ : array
        Half the squared error of a sample, measured before each step.
    n_iter_, n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.sklearn import EnergyAutoencoder
    >>> line = np.linspace(-1, 1, 50)[:, None] * [3.0, 4.0]
    >>> auto = EnergyAutoencoder(1, learning_rate=0.05, random_state=0).fit(line)
    >>> bool(np.abs(auto.inverse_transform(auto.transform(line)) - line).max() < 0.1)
    True
    """

    def __init__(
        self, n_components=2, *, hidden=(), activation="identity", tied=False, noise=0.0, rule=None,
        learning_rate=1e-3, batch_size=64, max_iter=200, precision="double", relax_options=None, random_state=None,
    ):  # fmt: skip
        self.n_components = n_components
        self.hidden = hidden
        self.activation = activation
        self.tied = tied
        self.noise = noise
        self.rule = rule
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.precision = precision
        self.relax_options = relax_options
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn from X (n, n_features), from fresh parameters; y is ignored.

        Examples
        --------
        >>> EnergyAutoencoder(1, max_iter=1, random_state=0).fit([[0.0, 1.0], [1.0, 0.0]]).mean_.tolist()
        [0.5, 0.5]
        """
        self._check()
        X = data_of(self, X)
        rng = generator_of(self.random_state)
        self.mean_ = X.mean(0)
        self.network_ = self._network(X.shape[1], rng)
        data: Any = {"x": X - self.mean_, "y": X - self.mean_}
        epochs, size, rates = self.max_iter, min(self.batch_size, len(X)), self.learning_rate
        if self.noise > 0:
            steps = -(-len(X) // size)  # of an epoch: `learn` takes each batch that is made for one
            clean, epochs = data["x"], self.max_iter * steps
            if callable(rates):
                rates = lambda step, rates=rates: rates(step // steps)  # noqa: E731

            def noisy(rng, step):
                batch = clean[rng.integers(0, len(clean), size)]
                return {"x": batch + self.noise * rng.standard_normal(batch.shape), "y": batch}

            data = noisy

        done = learn(
            self.network_,
            data,
            rule=ExactGradient() if self.rule is None else self.rule,
            cost=SquaredError("y"),
            optimizer=Adam(rates),
            epochs=epochs,
            batch=size,
            rng=rng,
            relax_options=self.relax_options,
        )
        self.network_, self.loss_curve_, self.n_iter_ = done.machine, done.cost, self.max_iter
        return self

    def transform(self, X):
        """Codes, (n, n_components)."""
        check_is_fitted(self)
        return np.asarray(self.network_.forward(data_of(self, X, reset=False) - self.mean_)["code"], float)

    def inverse_transform(self, X):
        """What codes X (n, n_components) stand for, (n, n_features)."""
        check_is_fitted(self)
        numbers: Any = np.float64
        value = check_array(X, dtype=numbers, input_name="X")
        if value.shape[1] != self.n_components:
            raise ValueError(f"X: got {value.shape[1]} columns, expected {self.n_components}, the units of the code")
        value = value.astype(self.network_.dtype)
        for term in self.network_.terms[len(self.hidden) + 1 :]:
            value = term.map.forward((value,), self.network_.theta)[0]
        return value + self.mean_

    def score(self, X, y=None):
        """Less the mean squared error of a reconstructed entry."""
        X = data_of(self, X, reset=False)
        return -float(np.mean((self.inverse_transform(self.transform(X)) - X) ** 2))

    def _check(self):
        """Refuse settings by their names."""
        count("n_components", self.n_components)
        for units in sequence("hidden", self.hidden, expected="numbers of units of the hidden layers"):
            count("hidden", units)
        choice("activation", self.activation, ACTIVATIONS)
        flag("tied", self.tied)
        not_negative("noise", self.noise)
        if not callable(self.learning_rate) or isinstance(self.learning_rate, type):
            positive("learning_rate", self.learning_rate)
        count("batch_size", self.batch_size)
        count("max_iter", self.max_iter, least=0)
        choice("precision", self.precision, ("single", "double"))

    def _network(self, inputs, rng):
        sizes = [inputs, *self.hidden, self.n_components]
        act, nodes, parent = ACTIVATIONS[self.activation], {}, "x"
        for k, units in enumerate(sizes[1:], 1):
            name = "code" if k == len(sizes) - 1 else f"e{k}"
            affine = Affine(units, f"W{k}", f"b{k}")
            nodes[name] = (parent, affine if name == "code" else Chain(affine, act))
            parent = name
        for k, units in enumerate(reversed(sizes[:-1]), 1):
            name, layer = "y" if k == len(sizes) - 1 else f"d{k}", len(sizes) - k
            weight = f"W{layer}" if self.tied else f"V{layer}"
            affine = Affine(units, weight, f"c{layer}", transposed=self.tied)
            nodes[name] = (parent, affine if name == "y" else Chain(affine, act))
            parent = name
        graph = PredictionGraph({"x": inputs}, nodes, rng=rng)
        if self.precision == "double":
            return graph
        theta = {name: value.astype(np.float32) for name, value in graph.theta.items()}
        return PredictionGraph({"x": inputs}, nodes, theta=theta)

    @property
    def _n_features_out(self):
        return self.n_components
