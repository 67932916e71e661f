"""Iris: the flowers, their encoding as node voltages of a network, and the baselines to beat.

150 flowers, 4 lengths (cm), 3 species (Fisher 1936).  A resistor network's outputs are convex
combinations of its inputs, so no linear network can weigh a feature negatively or add a constant.  The
encoding gives it both: every standardised feature is applied as +z and -z volts, and two rails hold
+1 and -1 V (10 driven nodes).
"""

from __future__ import annotations

import csv
from importlib import resources

import numpy as np

SPECIES = ("setosa", "versicolor", "virginica")


def load_iris():
    """The data set, from the CSV that ships with the package.

    Returns
    -------
    features : (150, 4) array, cm
        Sepal length, sepal width, petal length, petal width.
    species : (150,) array of int
        Index into `SPECIES`.

    Examples
    --------
    >>> features, species = load_iris()
    >>> features.shape, species[[0, 50, 100]].tolist()
    ((150, 4), [0, 1, 2])
    """
    text = resources.files("circuits").joinpath("data/iris.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    features = np.array([[float(value) for value in row[:4]] for row in rows])
    return features, np.array([SPECIES.index(row[4]) for row in rows])


def split(species, test, rng):
    """Stratified split: each species gives the test set its share, rounded at random.

    Parameters
    ----------
    species : (n,) array of int
    test : int
        Number of flowers held out.
    rng : Generator

    Returns
    -------
    train, test : arrays of int
        Row numbers, shuffled.
    """
    groups = [rng.permutation(np.flatnonzero(species == k)) for k in np.unique(species)]
    share = np.array([test * len(group) // len(species) for group in groups])
    share[rng.permutation(len(groups))[: test - share.sum()]] += 1
    held = np.concatenate([group[:k] for group, k in zip(groups, share, strict=True)])
    kept = np.concatenate([group[k:] for group, k in zip(groups, share, strict=True)])
    return rng.permutation(kept), rng.permutation(held)


def encode(features, train):
    """Voltages of the 10 driven nodes, (n, 10) V: +z, -z, +1, -1, z standardised on the training rows."""
    z = standardise(features, train)
    one = np.ones((len(z), 1))
    return np.concatenate([z, -z, one, -one], 1)


def standardise(features, train):
    """Features less their training mean, in units of their training standard deviation."""
    return (features - features[train].mean(0)) / features[train].std(0)


def accuracy(outputs, species):
    """Fraction of flowers whose largest output is the right one."""
    return float(np.mean(np.argmax(outputs, 1) == species))


def nearest_mean(outputs, species, train):
    """Class by the nearest class mean of the outputs, learnt on the training rows: (n,) of int.

    A readout with 9 fitted numbers of its own: it classifies well behind an *untrained* network, which
    is why it is reported beside argmax and never instead.
    """
    means = np.array([outputs[train][species[train] == k].mean(0) for k in np.unique(species)])
    return np.argmin(((outputs[:, None] - means) ** 2).sum(2), 1)


def least_squares(z, species, train):
    """Outputs of the best linear map to one-hot targets: the ceiling of any squared-error training."""
    x = np.concatenate([z, np.ones((len(z), 1))], 1)
    return x @ np.linalg.lstsq(x[train], np.eye(3)[species[train]], rcond=None)[0]


def logistic_regression(z, species, train, penalty=1.0):
    """Outputs of multinomial logistic regression with an L2 penalty on the weights (not the offsets).

    Minimises sum of cross-entropies + penalty |w|^2 / 2; penalty 1 is scikit-learn's default (C = 1).
    """
    from scipy.optimize import minimize

    x = np.concatenate([z, np.ones((len(z), 1))], 1)
    target = np.eye(3)[species[train]]
    free = np.array([penalty] * z.shape[1] + [0.0])[:, None]

    def loss(flat):
        w = flat.reshape(x.shape[1], 3)
        a = x[train] @ w
        top = a.max(1, keepdims=True)
        e = np.exp(a - top)
        total = e.sum(1, keepdims=True)
        value = np.sum(np.log(total) + top) - np.sum(a * target) + np.sum(free * w**2) / 2
        return value, (x[train].T @ (e / total - target) + free * w).ravel()

    found = minimize(
        loss,
        np.zeros(x.shape[1] * 3),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": 1e-9, "ftol": 1e-15, "maxiter": 10_000},
    )
    return x @ found.x.reshape(x.shape[1], 3)
