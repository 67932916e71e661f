"""Feedforward networks as scikit-learn estimators: a `PredictionGraph` under `learn`, by any rule that it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.sklearn.arguments import data_of, generator_of  # isort: skip (says what is missing)

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from physlearn.checks import choice, count, not_negative, positive, seen, sequence
from physlearn.learning.costs import CrossEntropy, SquaredError
from physlearn.learning.learn import learn
from physlearn.learning.optimizers import Adam
from physlearn.learning.rules.contrastive import ExactGradient
from physlearn.maps import Affine, Chain, HardSigmoid, Identity, Logistic, Relu, Softplus, Tanh
from physlearn.models.layered.graph import PredictionGraph

ACTIVATIONS = {
    "relu": Relu(),
    "tanh": Tanh(),
    "logistic": Logistic(),
    "softplus": Softplus(),
    "hard_sigmoid": HardSigmoid(),
    "identity": Identity(),
}


class _Network(BaseEstimator):
    """What classifier and regressor have in common: settings, network, training, outputs."""

    _cost: Any

    def __init__(
        self, hidden=(100,), *, activation="relu", rule=None, learning_rate=1e-3, batch_size=64, max_iter=200,
        decay=0.0, variance=1.0, validation_fraction=0.1, patience=None, precision="double", relax_options=None,
        random_state=None,
    ):  # fmt: skip
        self.hidden = hidden
        self.activation = activation
        self.rule = rule
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.decay = decay
        self.variance = variance
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.precision = precision
        self.relax_options = relax_options
        self.random_state = random_state

    def _check(self):
        """Refuse settings by their names."""
        for units in sequence("hidden", self.hidden, expected="numbers of units of the hidden layers"):
            count("hidden", units)
        choice("activation", self.activation, ACTIVATIONS)
        if not callable(self.learning_rate) or isinstance(self.learning_rate, type):
            positive("learning_rate", self.learning_rate)
        count("batch_size", self.batch_size)
        count("max_iter", self.max_iter, least=0)
        not_negative("decay", self.decay)
        positive("variance", self.variance)
        if not 0 < positive("validation_fraction", self.validation_fraction) < 1:
            raise ValueError(f"validation_fraction: got {seen(self.validation_fraction)}, expected a number in (0, 1)")
        if self.patience is not None:
            count("patience", self.patience)
        choice("precision", self.precision, ("single", "double"))

    def _network(self, inputs, outputs, rng):
        """A fresh network, weights scaled to its activation."""
        gain = np.sqrt(2.0) if self.activation in ("relu", "softplus") else 1.0
        sizes, nodes = [inputs, *self.hidden, outputs], {}
        for k in range(1, len(sizes)):
            last = k == len(sizes) - 1
            affine = Affine(sizes[k], f"W{k}", f"b{k}", scale=1.0 if last else gain)
            name, parent = "y" if last else f"h{k}", "x" if k == 1 else f"h{k - 1}"
            nodes[name] = (parent, affine if last else Chain(affine, ACTIVATIONS[self.activation]))
        graph = PredictionGraph({"x": inputs}, nodes, {"y": self.variance}, rng=rng)
        if self.precision == "double":
            return graph
        theta = {name: value.astype(np.float32) for name, value in graph.theta.items()}
        return PredictionGraph({"x": inputs}, nodes, {"y": self.variance}, theta=theta)

    def _learn(self, X, target, epochs, validation=None):
        """Continue learning; with ``patience`` the best network is kept."""
        rule = ExactGradient() if self.rule is None else self.rule
        self._training = learn(
            self.network_,
            {"x": X, "y": target},
            rule=rule,
            cost=self._cost,
            optimizer=Adam(self.learning_rate, decay=self._decays()),
            epochs=epochs,
            batch=self.batch_size,
            rng=self._rng,
            resume=self._training,
            validation=validation,
            patience=None if validation is None else self.patience,
            relax_options=self.relax_options,
        )
        self.network_ = self._training.machine
        if validation is not None and self._training.best:
            self.network_ = self.network_.with_theta(self._training.best)
        self.loss_curve_ = self._training.cost
        self.n_iter_ = self._training.epochs

    def _decays(self):
        """Weight decay of weights, not of biases."""
        return {name: self.decay for name in self.network_.theta if name.startswith("W")}

    def _begin(self, inputs, outputs):
        self._rng = generator_of(self.random_state)
        self.network_ = self._network(inputs, outputs, self._rng)
        self._training: Any = None

    def _fit(self, X, target):
        self._begin(X.shape[1], target.shape[1])
        if self.patience is None:
            self._learn(X, target, self.max_iter)
            return self
        held = max(1, round(self.validation_fraction * len(X)))
        if held >= len(X):
            raise ValueError(f"X: {len(X)} samples leave none to learn from; expected more, or patience=None")
        order = self._rng.permutation(len(X))
        kept, rest = order[:held], order[held:]
        self._learn(X[rest], target[rest], self.max_iter, {"x": X[kept], "y": target[kept]})
        return self

    def _outputs(self, X):
        check_is_fitted(self)
        return np.asarray(self.network_.forward(data_of(self, X, reset=False))["y"], float)


class EnergyClassifier(ClassifierMixin, _Network):
    """Feedforward classifier whose network is an energy: learnt by the exact gradient, or by a local rule.

    Parameters
    ----------
    hidden : sequence of int
        Units of the hidden layers.
    activation : {"relu", "tanh", "logistic", "softplus", "hard_sigmoid", "identity"}
    rule : rule, optional
        Such as `physlearn.PredictiveCoding(0.01)`; default the exact gradient.
    learning_rate : float or callable
        Of Adam; a function of the epoch, such as `physlearn.learning.WarmupCosine`.
    batch_size, max_iter : int
        Samples a step, and passes through the data.
    decay : float
        Weight decay of the weights, not of the biases.
    variance : float
        Of the output node, for rules that infer.
    validation_fraction : float
        Share of the data that is kept for early stopping.
    patience : int, optional
        Stop when the validation cost has not fallen for so many epochs, and keep the best network; None: never.
    precision : {"single", "double"}
        Arithmetic.
    relax_options : mapping, optional
        Settings of relaxations, for rules that infer.
    random_state : int, RandomState or None

    Attributes
    ----------
    network_ : PredictionGraph
        Nodes "x", "h1", ..., "y"; y are log odds.
    classes_ : (n_classes,) array
        Those among the labels given to `fit`: a class that a fold lacks is never predicted there.
    loss_curve_ : (epochs,) array
        Cross-entropy, measured before each step.
    n_iter_, n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.sklearn import EnergyClassifier
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), ["no", "yes", "yes", "no"]
    >>> net = EnergyClassifier((8,), activation="tanh", learning_rate=0.05, random_state=0).fit(X, y)
    >>> net.predict(X).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    _cost = CrossEntropy("y")

    def fit(self, X, y):
        """Learn from X (n, n_features) and labels y (n,), from fresh parameters.

        Examples
        --------
        >>> EnergyClassifier((2,), max_iter=1, random_state=0).fit([[0.0], [1.0]], [3, 7]).classes_.tolist()
        [3, 7]
        """
        X, y = self._given(X, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y: got one class, {self.classes_.tolist()[0]!r}, expected labels of at least two classes"
            )
        return self._fit(X, np.eye(len(self.classes_))[codes])

    def partial_fit(self, X, y, classes=None):
        """Continue learning: one pass through the data; ``classes`` are all labels there will be, given first.

        Examples
        --------
        >>> net = EnergyClassifier((2,), random_state=0).partial_fit([[0.0]], [3], classes=[3, 7])
        >>> net.partial_fit([[1.0]], [7]).n_iter_
        2
        """
        first = not hasattr(self, "network_")
        X, y = self._given(X, y, reset=first)
        if first:
            if classes is None:
                raise ValueError("classes: expected all labels there will be, in the first call of partial_fit")
            self.classes_ = np.unique(np.asarray(classes))
            if len(self.classes_) < 2:
                raise ValueError(f"classes: got {len(self.classes_)}, expected at least two")
            self._begin(X.shape[1], len(self.classes_))
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(f"y: got the label {unknown.tolist()[0]!r}, expected one of {self.classes_.tolist()}")
        self._learn(X, np.eye(len(self.classes_))[np.searchsorted(self.classes_, y)], 1)
        return self

    def _given(self, X, y, reset=True):
        self._check()
        X, y = data_of(self, X, reset, y=y)
        check_classification_targets(y)
        return X, y

    def decision_function(self, X):
        """Log odds, (n, n_classes); (n,) of the second class where there are two."""
        y = self._outputs(X)
        return y[:, 1] - y[:, 0] if len(self.classes_) == 2 else y

    def predict_proba(self, X):
        """Probabilities of the classes, (n, n_classes)."""
        y = self._outputs(X)
        e = np.exp(y - y.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def predict(self, X):
        """The most probable labels, (n,)."""
        y = self._outputs(X)
        return self.classes_[np.argmax(y, 1)]


class EnergyRegressor(RegressorMixin, _Network):
    """Feedforward regression whose network is an energy: learnt by the exact gradient, or by a local rule.

    Parameters
    ----------
    hidden, activation, rule, learning_rate, batch_size, max_iter, decay, variance
        As for `EnergyClassifier`.
    validation_fraction, patience, precision
        The same.
    relax_options : mapping, optional
        Settings of relaxations, for rules that infer.
    random_state : int, RandomState or None

    Attributes
    ----------
    network_ : PredictionGraph
        Nodes "x", "h1", ..., "y"; y in units of the targets' standard deviations, from their means.
    mean_, scale_ : (n_outputs,) array
        Mean and standard deviation of the targets.
    loss_curve_ : (epochs,) array
        Half the squared error, measured before each step.
    n_iter_, n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> net = EnergyRegressor((20,), activation="tanh", learning_rate=0.02, random_state=0).fit(X, X[:, 0] ** 2)
    >>> bool(net.score(X, X[:, 0] ** 2) > 0.95)
    True
    """

    _cost = SquaredError("y")

    def __sklearn_tags__(self):
        """Several outputs are taken."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X, y):
        """Learn from X (n, n_features) and targets y (n,) or (n, n_outputs), from fresh parameters.

        Examples
        --------
        >>> EnergyRegressor((2,), max_iter=1, random_state=0).fit([[0.0], [1.0]], [0.0, 1.0]).mean_.tolist()
        [0.5]
        """
        self._check()
        X, y = data_of(self, X, y=y, multi_output=True, y_numeric=True)
        self._flat = y.ndim == 1
        y = np.asarray(y, float).reshape(len(X), -1)
        self.mean_, scale = y.mean(0), y.std(0)
        self.scale_ = np.where(scale > 0, scale, 1.0)
        return self._fit(X, (y - self.mean_) / self.scale_)

    def predict(self, X):
        """Outputs, (n,) or (n, n_outputs) as the targets were."""
        y = self._outputs(X) * self.scale_ + self.mean_
        return y[:, 0] if self._flat else y
