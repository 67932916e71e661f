"""Runs of maps of sequences, sets and graphs, of codes, attacks and scaling laws."""

import networkx as nx
import numpy as np

from physlearn import SGD, Adam, CrossEntropy, ExactGradient, PredictiveCoding, SquaredError, learn
from physlearn.learning import Adversary, TokenCrossEntropy, Trades, fgsm, input_gradient, pgd
from physlearn.maps import (
    GRU,
    LSTM,
    RNN,
    Affine,
    Attention,
    Bidirectional,
    Chain,
    Concatenate,
    Each,
    EdgeAttention,
    Embedding,
    GraphConvolution,
    Last,
    MessagePassing,
    MinGRU,
    Pool,
    Positions,
    Tanh,
    TransformerBlock,
    pack_graphs,
    unroll,
)
from physlearn.models import PredictionGraph, RandomFeatures, VariationalAutoencoder, best_size, kernel_error
from physlearn.tasks import ScalingParams, run_scaling

LAYERS = {
    "rnn": RNN(5),
    "lstm": LSTM(5),
    "gru": GRU(5),
    "gru, before": GRU(5, reset="before"),
    "mingru": MinGRU(5),
    "both ways": Bidirectional(GRU(5, "f"), RNN(4, "b", reverse=True)),
    "attention": Attention(2, causal=True),
    "block": TransformerBlock(2, 6),
}


def generator(seed=0):
    return np.random.default_rng(seed)


def sequences(layer, dtype=float):
    """A layer, its last state, a readout."""
    rng, nodes = generator(1), {"h": ("x", Chain(layer, Last())), "y": ("h", Affine(2, "V", "c"))}
    theta = PredictionGraph({"x": (7, 4)}, nodes, rng=1).theta
    net = PredictionGraph({"x": (7, 4)}, nodes, theta={name: value.astype(dtype) for name, value in theta.items()})
    data = {"x": rng.normal(size=(12, 28)), "y": rng.normal(size=(12, 2))}
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=Adam(0.01), epochs=2, batch=5, rng=0)
    done = learn(net, data, **task)
    return done.theta, done.cost


def padded():
    """Sequences of several lengths, by predictive coding in the unrolled graph."""
    rng, layer = generator(2), GRU(3, masked=True)
    nodes = unroll(layer, 4, inputs=("x", "m")) | {"y": ("h4", Affine(1))}
    net = PredictionGraph({"x": (4, 2), "m": 4}, nodes, rng=0)
    mask = (np.arange(4) < rng.integers(1, 5, (6, 1))).astype(float)
    data = {"x": rng.normal(size=(6, 8)), "m": mask, "y": rng.normal(size=(6, 1))}
    task = dict(rule=PredictiveCoding(0.1), cost=SquaredError("y"), optimizer=SGD(0.05), epochs=2, batch=3, rng=0)
    done = learn(net, data, **task)
    return done.theta, done.cost


def letters():
    """Codes, places, a causal block, the next token of every place."""
    rng = generator(3)
    text = Chain(Embedding(5, 4), Positions("p"), TransformerBlock(2, 8, causal=True), Each(Affine(5)))
    net = PredictionGraph({"x": 6}, {"y": ("x", text)}, rng=0)
    codes = rng.integers(0, 5, (10, 7))
    data = {"x": codes[:, :-1].astype(float), "y": np.eye(5)[codes[:, 1:]].reshape(10, -1)}
    task = dict(rule=ExactGradient(), cost=TokenCrossEntropy("y", 5), optimizer=Adam(0.01), epochs=2, batch=4, rng=0)
    done = learn(net, data, **task)
    return done.theta, done.cost


def graphs(layer):
    """Graphs of several sizes in one batch."""
    rng = generator(4)
    packed = pack_graphs([nx.cycle_graph(4), nx.star_graph(3), nx.path_graph(2), nx.complete_graph(5)])
    x, shapes = rng.normal(size=(4, 5, 3)), {"edges": packed["edges"].shape[1:], "mask": 5}
    nodes = {
        "h": (("x", "edges"), layer),
        "g": ("h", Tanh()),
        "p": (("g", "mask"), Pool("mean", masked=True)),
        "y": ("p", Affine(1, "V", "c")),
    }
    net = PredictionGraph({"x": (5, 3)} | shapes, nodes, rng=0)
    inputs = {"x": x.reshape(4, -1), "edges": packed["edges"].reshape(4, -1), "mask": packed["mask"]}
    data = inputs | {"y": rng.normal(size=(4, 1))}
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=Adam(0.01), epochs=3, batch=2, rng=0)
    done = learn(net, data, **task)
    return done.theta, done.cost


def codes():
    """A variational autoencoder, what it draws, and its bound."""
    x = generator(5).random((20, 6))
    model = VariationalAutoencoder(6, 2, hidden=(5,), rng=0)
    task = dict(rule=ExactGradient(), cost=model.cost, optimizer=Adam(0.01), epochs=5, rng=0)
    model = learn(model, model.batches(x, 8), **task).machine
    return model.theta, model.generate(3, rng=1), model.elbo(x, draws=2, rng=2), model.interpolate(x[0], x[1], 3)


def attacks():
    """Steps up a cost, and training against them."""
    rng, layer = generator(6), Chain(Affine(6, "W1", "b1"), Tanh(), Affine(3, "W2", "b2"))
    net = PredictionGraph({"x": 4}, {"y": ("x", layer)}, rng=0)
    data = {"x": rng.normal(size=(8, 4)), "y": np.eye(3)[rng.integers(3, size=8)]}
    cost = CrossEntropy("y")
    found = pgd(net, data, cost=cost, eps=0.2, steps=3, restarts=2, norm="2", rng=0)
    pair = {"y": ("x", layer), "y'": ("x'", layer), "both": (("y", "y'"), Concatenate())}
    against = Adversary(net, data, "y", 0.1, target="both", batch=4, steps=2)
    task = dict(rule=ExactGradient(), cost=Trades("both"), optimizer=Adam(0.01), epochs=3, rng=0)
    done = learn(PredictionGraph({"x": 4, "x'": 4}, pair, rng=0), against, callback=against.follow, **task)
    return found, fgsm(net, data, cost=cost, eps=0.2), input_gradient(net, data, cost=cost), done.theta, done.cost


def scaling():
    """Laws, and what the task measures."""
    k = np.arange(1, 101.0)
    runs = [run_scaling(ScalingParams(model=m, size=4, samples=20, time=5, variables=50), generator(7)) for m in MODELS]
    flow = RandomFeatures(5, 30, rng=0).loss([0.0, 1.0, 10.0])
    return runs, kernel_error(10, k**-2, k**-3), flow, best_size(np.array([1e15, 1e20]), embeddings=False)


MODELS = ("mlp", "features", "kernel")
GRAPHS = {
    "messages": MessagePassing(Affine(4)),
    "convolution": GraphConvolution(4),
    "edges": EdgeAttention(4, 2),
}
RUNS = {name: lambda layer=layer: sequences(layer) for name, layer in LAYERS.items()}
RUNS |= {f"{name}, single": lambda layer=LAYERS[name]: sequences(layer, np.float32) for name in ("gru", "block")}
RUNS |= {name: lambda layer=layer: graphs(layer) for name, layer in GRAPHS.items()}
RUNS |= {run.__name__: run for run in (padded, letters, codes, attacks, scaling)}
