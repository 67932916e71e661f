"""Networks of predictions beside scikit-learn and torch (if installed), and beside their matrix products alone.

One epoch of a 64-256-10 network on 1,792 digits by Adam; one step of predictive coding in 784-256-256-10, 20 steps of
inference; one step of a small convolutional net.  Batch 64, both precisions.  "Products" are the matrix products alone.
Usage: python benchmarks/networks.py
"""

from common import processor_time, table  # isort: skip (sets thread counts first)

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from physlearn import SGD, Adam, CrossEntropy, ExactGradient, PredictiveCoding, SquaredError, learn
from physlearn.maps import Affine, Chain, Conv, Relu, Tanh
from physlearn.models import PredictionGraph

BATCH, STEPS = 64, 20


def best(function, repeats=5):
    """Least processor time of a call, ms: other programs on the machine only add to it."""
    function()
    times = []
    for _ in range(repeats):
        start = processor_time()
        function()
        times.append(processor_time() - start)
    return 1e3 * min(times)


def each(train, few=1, many=5):
    """Time of one epoch of ``train(epochs)``, without what a training costs once."""
    return (best(lambda: train(many)) - best(lambda: train(few))) / (many - few)


def in_precision(make, dtype):
    """A graph whose parameters are of one type; ``make(theta)``."""
    return make({name: value.astype(dtype) for name, value in make(None).theta.items()})


def products(shapes, dtype):
    """A function that makes matrix products of these shapes, (rows, inner, columns)."""
    pairs = [(np.ones((a, b), dtype), np.ones((b, c), dtype), np.empty((a, c), dtype)) for a, b, c in shapes]

    def run():
        for left, right, out in pairs:
            np.matmul(left, right, out=out)

    return run


def learner(net, data, rule, cost, optimizer):
    """A function that trains for some epochs."""
    task = dict(rule=rule, cost=cost, optimizer=optimizer, batch=BATCH, rng=0, progress=False)
    return lambda epochs: learn(net, data, epochs=epochs, **task)


def digits():
    """1,792 digits and their labels."""
    x, y = load_digits(return_X_y=True)
    return x[:1792] / 16, y[:1792]


def exact(dtype, rows):
    """Backpropagation and Adam, an epoch."""
    x, y = digits()
    net = in_precision(lambda theta: PredictionGraph.layered([64, 256, 10], Relu(), theta=theta, rng=0), dtype)
    ours = each(learner(net, {"x": x, "y": np.eye(10)[y]}, ExactGradient(), CrossEntropy("y"), Adam(1e-3)))
    shapes = [(64, 64, 256), (64, 256, 10), (256, 64, 10), (64, 10, 256), (64, 64, 256)] * (len(x) // BATCH)
    model = MLPClassifier((256,), batch_size=BATCH, max_iter=1, warm_start=True, random_state=0)
    x = x.astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs = best(lambda: model.fit(x, y))
    others = {"scikit-learn": theirs} | torch(dtype, x, y)
    rows += compared("64-256-10, one epoch", dtype, ours, products(shapes, dtype), others)


def predictive(dtype, rows):
    """Inference by steps and a step of the weights."""
    rng, sizes = np.random.default_rng(0), (784, 256, 256, 10)
    nodes = {
        "h1": ("x", Affine(256, "W1", "b1")),
        "h2": ("h1", Chain(Tanh(), Affine(256, "W2", "b2"))),
        "y": ("h2", Chain(Tanh(), Affine(10, "W3", "b3"))),
    }
    net = in_precision(lambda theta: PredictionGraph({"x": 784}, nodes, theta=theta, rng=0), dtype)
    data = {"x": rng.random((BATCH, 784)), "y": np.eye(10)[rng.integers(0, 10, BATCH)]}
    ours = each(learner(net, data, PredictiveCoding(steps=STEPS), SquaredError("y"), SGD(1e-3)))
    inner = [(64, 256, 256), (64, 256, 10), (64, 256, 256), (64, 10, 256)] * (STEPS + 1)
    shapes = [(64, 784, 256), *inner, *((a, 64, b) for a, b in zip(sizes, sizes[1:], strict=False))]
    h, out = rng.standard_normal((BATCH, 256)).astype(dtype), np.empty((BATCH, 256), dtype)
    tanh = best(lambda: [np.tanh(h, out=out) for _ in range(2 * (STEPS + 1))])
    rows += compared("predictive coding, one step", dtype, ours, products(shapes, dtype), {"its tanh alone": tanh})


def convolutional(dtype, rows):
    """Two convolutions and a readout, forwards, backwards and a step."""
    x, y = digits()
    first, second = Conv(16, 3, "K1", "k1", padding=1), Conv(32, 3, "K2", "k2", stride=2, padding=1)
    image = Chain(first, Relu(), second, Relu(), Affine(10, "W", "b"))
    net = in_precision(lambda theta: PredictionGraph({"x": (8, 8)}, {"y": ("x", image)}, theta=theta, rng=0), dtype)
    ours = each(learner(net, {"x": x, "y": np.eye(10)[y]}, ExactGradient(), CrossEntropy("y"), SGD(0.01)), many=2)
    forward = [(4096, 9, 16), (1024, 144, 32), (64, 512, 10)]
    shapes = forward + [(b, a, c) for a, b, c in forward] + [(a, c, b) for a, b, c in forward[1:]]
    found = torch(dtype, x, y, convolved=True)
    others = {name: value / 28 for name, value in found.items()}
    rows += compared("convolutional, one step", dtype, ours / 28, products(shapes, dtype), others)


def torch(dtype, x, y, convolved=False):
    """The same epoch in torch, where it is installed; nothing, and a line that says so, where it is not."""
    try:
        import torch as t
    except ImportError:
        print("torch is not installed: nothing beside it (pip install torch)")
        return {}
    t.set_num_threads(1)
    kind = t.float32 if dtype == np.float32 else t.float64
    if convolved:
        images = t.nn.Unflatten(1, (1, 8, 8)), t.nn.Conv2d(1, 16, 3, padding=1), t.nn.ReLU()
        rest = t.nn.Conv2d(16, 32, 3, stride=2, padding=1), t.nn.ReLU(), t.nn.Flatten(), t.nn.Linear(512, 10)
        net = t.nn.Sequential(*images, *rest).to(kind)
        optimizer = t.optim.SGD(net.parameters(), 0.01)
    else:
        net = t.nn.Sequential(t.nn.Linear(64, 256), t.nn.ReLU(), t.nn.Linear(256, 10)).to(kind)
        optimizer = t.optim.Adam(net.parameters(), fused=True)
    data, labels = t.tensor(x, dtype=kind), t.tensor(y)

    def epoch():
        for pick in t.randperm(len(data)).split(BATCH):
            optimizer.zero_grad()
            t.nn.functional.cross_entropy(net(data[pick]), labels[pick]).backward()
            optimizer.step()

    return {"torch" if convolved else "torch, fused Adam": best(epoch)}


def compared(what, dtype, ours, run, others):
    """Rows of one workload."""
    name = f"{what}, {np.dtype(dtype).name}"
    rows = [(name, "physlearn", f"{ours:.2f}", "1")]
    for other, value in ({"products": best(run)} | others).items():
        rows.append((name, other, f"{value:.2f}", f"{value / ours:.2f}"))
    return rows


def main():
    """All workloads in both precisions."""
    rows = []
    for dtype in (np.float32, np.float64):
        for workload in (exact, predictive, convolutional):
            workload(dtype, rows)
    table("networks of predictions, batch 64", rows, ("workload", "program", "ms", "ratio to ours"))


if __name__ == "__main__":
    main()
