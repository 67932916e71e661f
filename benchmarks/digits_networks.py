"""Networks that learn the 8 x 8 digits, ten seeds: test errors beside the exact gradient's and other learners'.

A seed draws a split (1,400 digits to learn, 397 to test), starts and orders.  Each learner's settings are chosen anew
for every seed, by the error on 300 of the 1,400 after learning the other 1,100; then it learns all 1,400.  The test
digits decide nothing.  All classifiers have 128 hidden units, but the convolutional one.  A frozen hidden layer is the
network's own, as drawn; its outputs learn.  Autoencoders have codes of 16 numbers: root mean square error of a pixel.

A study: stopped at any time, it goes on where it was.  Usage: python benchmarks/digits_networks.py STORE [SEEDS]
"""

from common import processor_time, table  # isort: skip (sets thread counts first)

import sys
import warnings
from itertools import product

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from circuits import DeepResistiveNetwork
from physlearn import (
    SGD,
    Adam,
    CrossEntropy,
    EquilibriumPropagation,
    ExactGradient,
    PredictiveCoding,
    SquaredError,
    learn,
    relax,
)
from physlearn.learning import WarmupCosine
from physlearn.maps import Relu
from physlearn.models import Convolved, EPNetwork, PredictionGraph
from physlearn.sklearn import EnergyAutoencoder
from physlearn.study import grid, study

HIDDEN, EPOCHS, LEARNT, TRIED, CODE = 128, 15, 1400, 1100, 16
EXACT, SETTLED = ExactGradient(), {"tol": 1e-3, "max_steps": 500, "unconverged": "ignore"}
SWEEPS = {"max_steps": (6, 4), "unconverged": "ignore"}


def one_hot(labels):
    """Rows of the identity."""
    return np.eye(10)[labels]


def wrong(outputs, labels):
    """Percentage of wrong labels."""
    return 100 * float(np.mean(outputs.argmax(1) != labels))


def graph(rule, trainable=None):
    """A network of predictions, by cross-entropy and Adam."""

    def run(train, test, seed, rate):
        net = PredictionGraph.layered([64, HIDDEN, 10], Relu(), rng=seed)
        data, optimizer = {"x": train[0], "y": one_hot(train[1])}, Adam(WarmupCosine(rate, EPOCHS))
        told = dict(
            rule=rule, cost=CrossEntropy("y"), optimizer=optimizer, epochs=EPOCHS, batch=32, trainable=trainable
        )
        done = learn(net, data, relax_options={"tol": 1e-2}, rng=seed, **told)
        return wrong(done.machine.forward(test[0])["y"], test[1])

    return run, [(2e-3,), (6e-3,)]


def relaxing(build, rule, optimizer, epochs, batch, options, choices, trainable=None):
    """A network that relaxes, by the squared error."""

    def run(train, test, seed, rate, gain):
        net = build(gain, seed)
        data, told = {"input": train[0], "output": one_hot(train[1])}, dict(cost=SquaredError("output"), batch=batch)
        told |= dict(rule=rule, optimizer=optimizer(net, rate, epochs), epochs=epochs, trainable=trainable)
        found = learn(net, data, relax_options=options, rng=seed, **told).machine
        rest = relax(found, clamp={"input": test[0]}, tol=1e-5, unconverged="ignore")
        return wrong(rest.x["output"], test[1])

    return run, list(choices)


def layered(gain, seed):
    """The layered network."""
    return EPNetwork((64, HIDDEN, 10), gain=gain, precision="single", rng=seed)


def images(gain, seed):
    """Its convolutional kin: 32 kernels of 3 x 3, averaged over 2 x 2."""
    return EPNetwork([(8, 8), Convolved(32, 3, pool=2), 10], gain=gain, precision="single", rng=seed)


def resistors(gain, seed):
    """Resistors and diodes."""
    return DeepResistiveNetwork((64, HIDDEN, 10), gain=gain, precision="single", rng=seed)


def adam(net, rate, epochs):
    """Adam, its rate falling to zero."""
    return Adam(WarmupCosine(rate, epochs))


def descent(net, rate, epochs):
    """Gradient descent with conductances >= 0, its rate falling to zero."""
    return SGD(WarmupCosine(rate, epochs), bounds=net.bounds)


def ep(rule, build=layered, epochs=EPOCHS, trainable=None):
    """Equilibrium propagation on layers, and what stands beside it."""
    return relaxing(build, rule, adam, epochs, 64, SETTLED, product((5e-3,), (0.5, 1.0)), trainable)


def drn(rule, options=SWEEPS, trainable=None):
    """The same on resistors."""
    return relaxing(resistors, rule, descent, EPOCHS, 16, options, product((0.2,), (10.0, 30.0)), trainable)


def mlp():
    """scikit-learn's network of the same size."""

    def run(train, test, seed, rate):
        model = MLPClassifier((HIDDEN,), batch_size=32, learning_rate_init=rate, max_iter=EPOCHS, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return 100 * (1 - model.fit(*train).score(*test))

    return run, [(2e-3,), (6e-3,)]


def autoencoder(**settings):
    """Root mean square error of a pixel, in 1/16 of the range."""

    def run(train, test, seed, rate):
        auto = EnergyAutoencoder(
            CODE, learning_rate=WarmupCosine(rate, 3 * EPOCHS), max_iter=3 * EPOCHS, random_state=seed, **settings
        )
        return 16 * np.sqrt(-auto.fit(train[0]).score(test[0]))

    return run, [(2e-3,), (6e-3,)]


def principal():
    """Principal components, as many as the code has numbers."""

    def run(train, test, seed):
        pca = PCA(CODE).fit(train[0])
        return 16 * np.sqrt(np.mean((pca.inverse_transform(pca.transform(test[0])) - test[0]) ** 2))

    return run, [()]


CENTRED, STRONG = EquilibriumPropagation(0.2), EquilibriumPropagation(1.0)
LEARNERS = {
    "graph, exact gradient": graph(EXACT),
    "graph, predictive coding": graph(PredictiveCoding(0.05)),
    "graph, frozen hidden layer": graph(EXACT, ["W2", "b2"]),
    "scikit-learn's MLP": mlp(),
    "layers, equilibrium propagation": ep(CENTRED),
    "layers, exact gradient": ep(EXACT),
    "layers, frozen hidden layer": ep(CENTRED, trainable=["W2", "b2"]),
    "convolutional layers, equilibrium propagation": ep(CENTRED, images, 10),
    "resistors, equilibrium propagation": drn(STRONG),
    "resistors, exact gradient": drn(EXACT, {"max_steps": (6, 12), "unconverged": "ignore"}),
    "resistors, frozen hidden layer": drn(STRONG, trainable=["G2", "b2"]),
    "autoencoder 64-48-16-48-64, tanh": autoencoder(hidden=(48,), activation="tanh"),
    "linear autoencoder": autoencoder(),
    "principal components": principal(),
}


def task(params, rng):
    """One learner, one seed: settings chosen on held-out training digits, error on the test digits."""
    x, y = load_digits(return_X_y=True)
    order, seed = rng.permutation(len(x)), int(rng.integers(2**31))
    x, y, began = x[order] / 16, y[order], processor_time()
    tried, held, learnt, test = (
        (x[a:b], y[a:b]) for a, b in ((0, TRIED), (TRIED, LEARNT), (0, LEARNT), (LEARNT, None))
    )
    run, choices = LEARNERS[params["learner"]]
    errors = [run(tried, held, seed, *choice) for choice in choices] if len(choices) > 1 else [0.0]
    best = int(np.argmin(errors))
    return {"error": run(learnt, test, seed, *choices[best]), "choice": best, "seconds": processor_time() - began}


def main(store, seeds):
    """Run what is missing; print the table."""
    space = grid(learner=list(LEARNERS))
    done = study("digits_networks:task", space, store=store, replicates=seeds, common_random_numbers=True, workers=1)
    data = done.to_dataset()
    rows = []
    for name, (_, choices) in LEARNERS.items():
        one = data.sel(learner=name)
        errors, picked = one["error"].values, one["choice"].values
        chosen = ", ".join(
            f"{choices[int(k)]}: {np.sum(picked == k):.0f}" for k in np.unique(picked[~np.isnan(picked)])
        )
        spread = f"{np.nanmean(errors):.2f} +- {np.nanstd(errors, ddof=1):.2f}"
        rows.append((name, spread, np.sum(~np.isnan(errors)), chosen, f"{np.nanmean(one['seconds']):.0f} s"))
    table("Digits, test error in % (autoencoders: pixels)", rows, ("learner", "error", "seeds", "chosen", "a seed"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10)
