"""Recurrent layers and attention beside torch (if installed): forwards, backwards and a step, all through `learn`.

GRU of 64 units (reset gate after the product, as torch has it) on 50 steps of 32 numbers, batch 64; attention of 4
heads on 16 items of 64 tokens of width 64.  Squared error of every output, gradient descent, both precisions, one
thread. "Products" are the matrix products alone.  Usage: python benchmarks/sequences.py
"""

from common import processor_time, table  # isort: skip (sets thread counts first)

import numpy as np

from physlearn import SGD, ExactGradient, SquaredError, learn
from physlearn.maps import GRU, Attention
from physlearn.models import PredictionGraph

STEPS, ROUNDS = 20, 7


def gru(dtype):
    """Our training of some steps, torch's, and the products, of the recurrent layer."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(64, 50, 32)), rng.normal(size=(64, 50, 64))
    shapes = [(3200, 32, 192), (32, 3200, 192), (64, 3200, 192)] + [(64, 64, 192), (64, 192, 64)] * 50
    return trainer(GRU(64), x, target, dtype), rival("GRU", x, target, dtype), products(shapes, dtype)


def attention(dtype):
    """The same of attention."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(16, 64, 64)), rng.normal(size=(16, 64, 64))
    dense = [(1024, 64, 64)] * 7 + [(64, 1024, 64)] * 4  # no cotangent of the data
    inside = [(64, 16, 64), (64, 64, 16), (64, 16, 64), (64, 64, 16), (64, 64, 16), (64, 64, 16)] * 64
    return (
        trainer(Attention(4), x, target, dtype),
        rival("attention", x, target, dtype),
        products(dense[:9] + inside, dtype),
    )


def trainer(layer, x, target, dtype):
    """A function that trains for some steps."""
    nodes, shape = {"y": ("x", layer)}, {"x": x.shape[1:]}
    theta = {name: v.astype(dtype) for name, v in PredictionGraph(shape, nodes, rng=0).theta.items()}
    net, data = (
        PredictionGraph(shape, nodes, theta=theta),
        {"x": x.reshape(len(x), -1), "y": target.reshape(len(x), -1)},
    )
    task = dict(rule=ExactGradient(), cost=SquaredError("y"), optimizer=SGD(1e-6), batch=None, progress=False)
    return lambda steps: learn(net, data, epochs=steps, **task)


def rival(what, x, target, dtype):
    """The same in torch, or None."""
    try:
        import torch as t
    except ImportError:
        return None
    t.set_num_threads(1)
    kind = t.float32 if dtype == np.float32 else t.float64
    x, target = t.tensor(x, dtype=kind), t.tensor(target, dtype=kind)
    if what == "GRU":
        net = t.nn.GRU(32, 64, batch_first=True).to(kind)
    else:
        net = t.nn.MultiheadAttention(64, 4, bias=False, batch_first=True).to(kind)
    descent = t.optim.SGD(net.parameters(), lr=1e-6)

    def train(steps):
        for _ in range(steps):
            descent.zero_grad()
            y = net(x)[0] if what == "GRU" else net(x, x, x, need_weights=False)[0]
            (0.5 * ((y - target) ** 2).sum() / len(x)).backward()
            descent.step()

    return train


def products(shapes, dtype):
    """A function that makes matrix products of these shapes, (rows, inner, columns), some times."""
    pairs = [(np.ones((a, b), dtype), np.ones((b, c), dtype), np.empty((a, c), dtype)) for a, b, c in shapes]

    def run(steps):
        for _ in range(steps):
            for left, right, out in pairs:
                np.matmul(left, right, out=out)

    return run


def compared(what, dtype, runs):
    """Rows of one workload: the least processor time of a step, measured in turns."""
    for run in runs.values():
        run(2)
    least = dict.fromkeys(runs, np.inf)
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = processor_time()
            run(STEPS)
            least[name] = min(least[name], 1e3 * (processor_time() - start) / STEPS)
    ours = least["physlearn"]
    return [(f"{what}, {np.dtype(dtype).name}", n, f"{v:.2f}", f"{v / ours:.2f}") for n, v in least.items()]


def main():
    """Both workloads in both precisions."""
    rows = []
    for what, make in (("GRU", gru), ("attention", attention)):
        for dtype in (np.float32, np.float64):
            ours, theirs, alone = make(dtype)
            runs = {"physlearn": ours} | ({"torch": theirs} if theirs else {}) | {"products": alone}
            rows += compared(what, dtype, runs)
    table("sequences, one step", rows, ("workload", "program", "ms", "ratio to ours"))


if __name__ == "__main__":
    main()
