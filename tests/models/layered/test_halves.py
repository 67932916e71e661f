"""Half digits completed by a graph from label to image, beside the class's mean and a restricted Boltzmann machine."""

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.datasets import load_digits

from physlearn import (
    SGD,
    Adam,
    PersistentContrastiveDivergence,
    PredictiveCoding,
    Readout,
    SquaredError,
    learn,
    relax,
)
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Tanh
from physlearn.models import RBM, PredictionGraph

UPPER, LOWER = np.arange(32), np.arange(32, 64)


def binary(seed):
    """The digits of examples/rbm_half_images.py, pixels on or off: to learn and held out, with labels."""
    x, y = load_digits(return_X_y=True)
    x, label = (x > 8).astype(float), np.eye(10)[y]
    train, test = np.split(np.random.default_rng(seed).permutation(len(x)), [1400])
    return x[train], label[train], x[test], label[test]


def by_graph(seed, x, label, seen, of):
    """Lower halves, by relaxing with the upper half and the label clamped."""
    image = Chain(Concatenate(), Affine(128, "W1", "b1"), Tanh(), Affine(64, "W2", "b2"))
    nodes = {"z": ("label", Affine(16, "M", None)), "image": (("label", "z"), image)}
    net = learn(
        PredictionGraph({"label": 10}, nodes, {"image": 0.1}, rng=seed),
        {"label": label, "image": x},
        rule=PredictiveCoding(),
        cost=SquaredError("image"),
        optimizer=Adam(WarmupCosine(5e-3, 20), decay={"W1": 3.0, "W2": 3.0}),
        epochs=20,
        batch=50,
        relax_options={"tol": 0.03, "max_steps": 40, "unconverged": "ignore"},
        rng=seed,
    ).machine
    codes = relax(net, clamp={"label": label, "image": x}, tol=1e-3).x["z"]
    variance = {"image": 0.1, "z": np.var(codes - net.forward(label)["z"], 0)}
    upper = {"upper": Readout("image", UPPER)}
    net = PredictionGraph({"label": 10}, nodes, variance, theta=net.theta, readouts=upper)
    return relax(net, clamp={"label": of, "upper": seen}, tol=1e-3).x["image"][:, LOWER]


def by_boltzmann_machine(seed, x, seen):
    """Lower halves, means of 30 draws with the upper half clamped, as in the example."""
    rule = PersistentContrastiveDivergence(k=1, chains=100, precision="single")
    falling = SGD(lambda epoch: 0.1 * (1 - epoch / 120))
    rbm = learn(
        RBM(64, 100, scale=0.05, rng=seed), {"v": x}, rule=rule, optimizer=falling, epochs=120, batch=20, rng=seed
    )
    known = np.concatenate([seen, np.full((len(seen), 32), np.nan)], 1)
    drawn = rbm.machine.generate(30 * len(seen), known=np.repeat(known, 30, 0), sweeps=60, rng=seed)
    return drawn.reshape(len(seen), 30, 64).mean(1)[:, LOWER]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_completes_better_than_the_class_mean_and_a_boltzmann_machine(seed):
    x, label, test, of = binary(seed)
    seen, truth = test[:, UPPER], test[:, LOWER]
    mean = np.stack([x[label[:, k] == 1].mean(0) for k in range(10)])[of.argmax(1)]
    found = {
        "graph": by_graph(seed, x, label, seen, of),
        "class mean": mean[:, LOWER],
        "Boltzmann machine": by_boltzmann_machine(seed, x, seen),
    }
    error = {name: np.mean((value - truth) ** 2) for name, value in found.items()}
    print({name: round(float(value), 4) for name, value in error.items()})
    assert error["graph"] < min(error["class mean"], error["Boltzmann machine"])
