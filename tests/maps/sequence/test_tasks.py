"""What recurrent layers are for: sums over long gaps, and echoes."""

import numpy as np
import pytest

from physlearn import Adam, ExactGradient, SquaredError, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import GRU, RNN, Affine, Chain, Each, Last
from physlearn.models import PredictionGraph

pytestmark = pytest.mark.slow


def trained(shape, layer, batch, steps, lr):
    """A layer between a sequence and an output, in single precision, after some steps."""
    nodes = {"y": ("x", layer)}
    first = PredictionGraph({"x": shape}, nodes, rng=0).theta
    net = PredictionGraph({"x": shape}, nodes, theta={name: value.astype(np.float32) for name, value in first.items()})
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), epochs=steps, rng=0, progress=False)
    return learn(net, batch, optimizer=Adam(WarmupCosine(lr, steps, 20)), **task).machine


def test_adding_problem():
    """The sum of two marked numbers among 50 (Hochreiter and Schmidhuber 1997): a constant answer leaves 1/6."""

    def batch(rng, step, n=64):
        x, k = np.zeros((n, 50, 2)), np.arange(n)
        x[:, :, 0] = rng.random((n, 50))
        x[k, rng.integers(0, 25, n), 1] = x[k, rng.integers(25, 50, n), 1] = 1.0
        return {"x": x.reshape(n, -1), "y": (x[:, :, 0] * x[:, :, 1]).sum(1, keepdims=True)}

    net = trained((50, 2), Chain(GRU(40), Last(), Affine(1, "V", "c")), batch, 500, 0.01)
    new = batch(np.random.default_rng(1), 0, 2000)
    assert abs(np.var(new["y"]) - 1 / 6) < 0.02
    assert np.mean((net.forward(new["x"])["y"] - new["y"]) ** 2) < 0.01


def test_echo():
    """A stream of signs, 40 steps later: 40 numbers to hold at any moment, which an orthogonal linear layer can."""

    def batch(rng, step, n=32):
        x = rng.choice([-1.0, 1.0], (n, 70))
        y = np.zeros((n, 70))
        y[:, 40:] = x[:, :-40]
        return {"x": x, "y": y}

    layer = Chain(RNN(64, activation="identity"), Each(Affine(1, "V", "c")))
    net = trained((70, 1), layer, batch, 400, 0.003)
    new = batch(np.random.default_rng(1), 0, 200)
    found = net.forward(new["x"])["y"].reshape(200, 70)
    assert np.mean((found - new["y"])[:, 40:] ** 2) < 0.02
    assert np.all(np.sign(found[:, 40:]) == new["y"][:, 40:])
