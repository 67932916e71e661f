"""Claims on neural networks as energies."""

from __future__ import annotations

import math

import numpy as np

from physlearn.claims.claim import Claim, over_chains


def linear_inference(scale, rng):
    """Least energy of a linear network of three layers, over r' S^-1 r / 2 in closed form."""
    from physlearn import relax
    from physlearn.maps import Affine
    from physlearn.models import PredictionGraph

    nodes = {
        "h1": ("x", Affine(6, "W1", None)),
        "h2": ("h1", Affine(5, "W2", None)),
        "y": ("h2", Affine(3, "W3", None)),
    }
    net = PredictionGraph({"x": 4}, nodes, rng=rng)
    w1, w2, w3 = (net.theta[f"W{k}"].T for k in (1, 2, 3))
    x, y = rng.standard_normal((1, 4)), rng.standard_normal((1, 3))
    s = np.eye(3) + w3 @ w3.T + (w3 @ w2) @ (w3 @ w2).T
    r = (y - x @ (w3 @ w2 @ w1).T)[0]
    return float(relax(net, clamp={"x": x, "y": y}, tol=1e-12).energy[0]) / (0.5 * r @ np.linalg.solve(s, r))


def predictive_order(scale, rng):
    """Order in which predictive coding's update approaches backpropagation's as the output's precision falls."""
    from physlearn import PredictiveCoding, SquaredError, check_gradient
    from physlearn.maps import Tanh
    from physlearn.models import PredictionGraph

    net = PredictionGraph.layered([5, 7, 6, 3], Tanh(), rng=rng)
    data = {"x": rng.standard_normal((4, 5)), "y": rng.standard_normal((4, 3))}
    return check_gradient(net, data, PredictiveCoding(0.01), np.geomspace(1e-4, 1e-2, 5), cost=SquaredError("y")).slope


def principal_subspace(scale, rng):
    """Error of a trained linear autoencoder over the sum of the eigenvalues that it has to leave out."""
    from physlearn import Adam, ExactGradient, SquaredError, learn
    from physlearn.learning import WarmupCosine
    from physlearn.maps import Affine
    from physlearn.models import PredictionGraph

    x = rng.standard_normal((200, 8)) @ np.diag([3, 2.5, 2, 1, 0.7, 0.5, 0.3, 0.2]) @ rng.standard_normal((8, 8))
    x -= x.mean(0)
    rest = np.linalg.eigvalsh(x.T @ x / len(x))[:-3].sum()
    net = PredictionGraph({"x": 8}, {"h": ("x", Affine(3, "E", None)), "y": ("h", Affine(8, "D", None))}, rng=rng)
    steps = 4000
    done = learn(
        net, {"x": x, "y": x}, rule=ExactGradient(), optimizer=Adam(WarmupCosine(0.02, steps)), cost=SquaredError("y"),
        epochs=steps, batch=None, rng=rng,
    )  # fmt: skip
    off = done.machine.forward(x)["y"] - x
    return float(np.mean(np.sum(off**2, 1)) / rest)


def holomorphic(scale, rng):
    """Ratio by which two more points on the circle shrink the error of holomorphic equilibrium propagation."""
    from physlearn import EquilibriumPropagation, SquaredError, check_gradient
    from physlearn.models import EPNetwork

    net = EPNetwork([4, 6, 3], activation="tanh", rng=rng)
    data = {"input": rng.uniform(0.2, 1, (3, 4)), "output": rng.uniform(0, 1, (3, 3))}
    errors = [
        check_gradient(
            net,
            data,
            EquilibriumPropagation(0.2, "holomorphic", points=points),
            [0.2, 0.1],
            cost=SquaredError("output"),
        ).error[0]
        for points in (2, 4, 6)
    ]
    return math.sqrt(errors[2] / errors[0])


def _digits(hidden, rule):
    def measure(scale, rng):
        from sklearn.datasets import load_digits

        from physlearn import Adam, CrossEntropy, learn
        from physlearn.learning import WarmupCosine
        from physlearn.maps import Relu
        from physlearn.models import PredictionGraph

        x, y = load_digits(return_X_y=True)
        label, right = np.eye(10)[y], []
        for _ in range(3):
            train, test = np.split(rng.permutation(len(x)), [1400])
            net = PredictionGraph.layered([64, hidden, 10], Relu(), rng=rng)
            done = learn(
                net, {"x": x[train] / 16, "y": label[train]}, rule=rule(), cost=CrossEntropy("y"),
                optimizer=Adam(WarmupCosine(3e-3, 40)), epochs=40, batch=32, rng=rng, relax_options={"tol": 1e-2},
            )  # fmt: skip
            right.append(100 * np.mean(np.argmax(done.machine.forward(x[test] / 16)["y"], 1) == y[test]))
        return over_chains(np.array(right)[:, None])

    return measure


def exact_rule():
    """The exact gradient."""
    from physlearn import ExactGradient

    return ExactGradient()


def predictive_rule():
    """Predictive coding whose output is half as precise as its hidden layer."""
    from physlearn import PredictiveCoding

    return PredictiveCoding(0.5)


NETWORKS = (
    Claim(
        "linear-inference",
        "linear network of three layers: least energy over its closed form",
        "Millidge et al. 2022; Innocenti et al. 2024",
        1.0,
        linear_inference,
    ),
    Claim(
        "predictive-order",
        "predictive coding: order of its distance to backpropagation in the output's precision",
        "Whittington and Bogacz 2017",
        1.0,
        predictive_order,
        0.1,
        "a fit over precisions of 1e-4 to 1e-2",
    ),
    Claim(
        "autoencoder",
        "linear autoencoder of 3 units: error over the eigenvalues left out",
        "Baldi and Hornik 1989",
        1.0,
        principal_subspace,
        1e-4,
        "4,000 steps",
    ),
    Claim(
        "holomorphic",
        "holomorphic equilibrium propagation: error's ratio for two more points at nudge 0.2",
        "Laborieux and Zenke 2022 (exponential)",
        0.5,
        holomorphic,
        relation="at most",
    ),
    Claim(
        "digits-exact",
        "8 x 8 digits, 64 hidden units, exact gradient: accuracy",
        "scikit-learn 1.7, MLPClassifier, ten splits: 97.30",
        97.3,
        _digits(64, exact_rule),
        0.5,
        "half a point",
        unit="%",
    ),
    Claim(
        "digits-predictive",
        "8 x 8 digits, 64 hidden units, predictive coding: accuracy",
        "exact gradient of the same network, 97.30",
        97.3,
        _digits(64, predictive_rule),
        1.0,
        "one point",
        unit="%",
    ),
)
