"""Restricted Boltzmann machine as a scikit-learn estimator: `physlearn.models.RBM` under `learn`."""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.sklearn.arguments import data_of, generator_of  # isort: skip (says what is missing)

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from physlearn.checks import choice, count, flag, not_negative, number
from physlearn.learning.learn import learn
from physlearn.learning.optimizers import SGD
from physlearn.learning.rules.sampled import ContrastiveDivergence, PersistentContrastiveDivergence
from physlearn.models.boltzmann.rbm import RBM


class BernoulliRBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Bernoulli restricted Boltzmann machine, learnt by (persistent) contrastive divergence.

    Drop-in for ``sklearn.neural_network.BernoulliRBM`` on dense data: same main parameters and attributes.

    Parameters
    ----------
    n_components : int
        Number of hidden units.
    learning_rate : float
        Steps follow the mean over the batch.
    batch_size, n_iter : int
        Samples a step, and passes through the data.
    k : int
        Block Gibbs sweeps a step.
    persistent : bool
        Persistent chains, one for each sample of a batch, instead of chains that start at the data.
    momentum, decay : float
        Heavy-ball momentum in [0, 1), and weight decay of the couplings (not of the biases).
    precision : {"single", "double"}
        Arithmetic of the training.
    random_state : int, RandomState or None

    Attributes
    ----------
    components_ : (n_components, n_features) array
        Couplings.
    intercept_hidden_, intercept_visible_ : (n_components,), (n_features,) arrays
        Biases.
    machine_ : RBM
        The machine: exact or estimated likelihoods, generation, conditional generation.
    n_features_in_ : int

    Notes
    -----
    Values are taken as probabilities: clipped to [0, 1], and redrawn as 0 or 1 in each pass where they are neither.
    Source: Tieleman 2008 (persistent), Hinton 2002 (not persistent).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.sklearn import BernoulliRBM
    >>> x = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    >>> BernoulliRBM(n_components=2, random_state=0).fit(x).transform(x).shape
    (4, 2)
    """

    def __init__(
        self, n_components=256, *, learning_rate=0.1, batch_size=10, n_iter=10, k=1, persistent=True, momentum=0.0,
        decay=0.0, precision="single", random_state=None,
    ):  # fmt: skip
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.k = k
        self.persistent = persistent
        self.momentum = momentum
        self.decay = decay
        self.precision = precision
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn from X (n, n_features), from fresh parameters; y is ignored.

        Examples
        --------
        >>> BernoulliRBM(n_components=1, n_iter=2, random_state=0).fit([[0, 1], [1, 0]]).components_.shape
        (1, 2)
        """
        data = data_of(self, X)
        self._check(data.shape[1])
        self._begin(data.shape[1])
        self._learn(data, self.n_iter)
        return self

    def partial_fit(self, X, y=None):
        """Continue learning: one pass through X (n, n_features), in batches; y is ignored.

        Examples
        --------
        >>> BernoulliRBM(n_components=1, random_state=0).partial_fit([[0, 1], [1, 0]]).n_features_in_
        2
        """
        first = not hasattr(self, "machine_")
        data = data_of(self, X, reset=first)
        self._check(data.shape[1])
        if first:
            self._begin(data.shape[1])
        self._learn(data, 1)
        return self

    def transform(self, X):
        """Probabilities of the hidden units, (n, n_components)."""
        check_is_fitted(self)
        data = data_of(self, X, reset=False)
        return self.machine_.transform(np.clip(data, 0.0, 1.0))

    def score_samples(self, X):
        """Log-likelihood of every sample, (n,): exact up to 20 units on the smaller side, else estimated.

        The estimate of log Z is by annealed importance sampling with a fixed seed; ``machine_.log_z`` gives its
        error.  Unlike scikit-learn's, it is not a pseudo-likelihood and not random.

        Examples
        --------
        >>> rbm = BernoulliRBM(n_components=1, n_iter=2, random_state=0).fit([[0, 1], [1, 0]])
        >>> rbm.score_samples([[0, 1]]).round(1)
        array([-1.4])
        """
        check_is_fitted(self)
        data = data_of(self, X, reset=False)
        return -self.machine_.free_energy(np.clip(data, 0.0, 1.0)) - self.machine_.log_z(rng=0).value

    def _check(self, n_features):
        """Refuse settings by scikit-learn's names; that convention wants them stored unseen."""
        count("n_components", self.n_components, each=16 * n_features)
        count("batch_size", self.batch_size, each=8 * (n_features + self.n_components))
        count("n_iter", self.n_iter, least=0)
        count("k", self.k)
        flag("persistent", self.persistent)
        number("learning_rate", self.learning_rate)
        if not 0 <= number("momentum", self.momentum) < 1:
            raise ValueError(f"momentum: got {self.momentum!r}, expected a number in [0, 1)")
        not_negative("decay", self.decay)
        choice("precision", self.precision, ("single", "double"))

    def _begin(self, n_features):
        self._rng = generator_of(self.random_state)
        self.machine_ = RBM(n_features, self.n_components, scale=0.01, rng=self._rng)
        self._training = None

    def _learn(self, X, epochs):
        X = np.clip(X, 0.0, 1.0)
        grey = bool(np.any((X > 0) & (X < 1)))
        if self.persistent:
            rule = PersistentContrastiveDivergence(self.k, self.batch_size, precision=self.precision)
        else:
            rule = ContrastiveDivergence(self.k, precision=self.precision)
        optimizer = SGD(self.learning_rate, self.momentum, decay={"W": self.decay})
        training: Any = self._training
        for _ in range(epochs if grey else 1):
            training = learn(
                self.machine_,
                {"v": (self._rng.random(X.shape) < X).astype(float) if grey else X},
                rule=rule,
                optimizer=optimizer,
                epochs=1 if grey else epochs,
                batch=self.batch_size,
                rng=self._rng,
                resume=training,
            )
        self._training = training
        self.machine_ = training.machine
        self.components_ = self.machine_.theta["W"].T.copy()
        self.intercept_visible_, self.intercept_hidden_ = self.machine_.theta["a"], self.machine_.theta["c"]

    @property
    def _n_features_out(self):
        return self.components_.shape[0]
