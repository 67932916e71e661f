"""Small calls beside their bare arithmetic in NumPy, and an optimiser of one's own beside the built-in one.

Usage: python benchmarks/small.py.  Least processor time of many calls in turns, one thread.
"""

from common import grid_pairs, table  # isort: skip (sets thread counts first)

import time

import numpy as np

from circuits.neurons import HodgkinHuxley, Population, SpikingNetwork, Step
from physlearn import SGD, CoupledLearning, Energy, Readout, Real, Spin, SquaredError, integrate, learn, relax
from physlearn.terms import Bias, Dense, Edges, Pairs, Parabola

TOL = 1e-3


def least(functions, calls=3, rounds=60):
    """Least processor time of a call of each, seconds, in turns."""
    best = dict.fromkeys(functions, np.inf)
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            began = time.process_time_ns()
            for _ in range(calls):
                function()
            best[name] = min(best[name], 1e-9 * (time.process_time_ns() - began) / calls)
    return best


class Own:
    """A user's coupling between two layers: three methods and a curvature."""

    def __init__(self, a, b, parameter):
        self.layers, self.parameter = (a, b), parameter

    def energy(self, x, theta):
        a, b = self.layers
        return -np.sum((x[a] @ theta[self.parameter]) * x[b], 1)

    def field(self, x, theta, layer):
        a, b = self.layers
        return x[a] @ theta[self.parameter] if layer == b else x[b] @ theta[self.parameter].T

    def gradient(self, x, theta, weight):
        a, b = self.layers
        return {self.parameter: -(x[a] * weight[:, None]).T @ x[b]}

    def curvature(self, x, theta, layer):
        return np.zeros(x[layer].shape[1:])


def layered(coupling, rng):
    """64-128-10 variables in [0, 1] above given ones."""
    layers = {"x": (Real(), 64), "h": (Real(0, 1), 128), "o": (Real(0, 1), 10)}
    theta = {"W1": rng.normal(0, 1 / 8, (64, 128)), "W2": rng.normal(0, 128**-0.5, (128, 10))}
    theta |= {"bh": np.zeros(128), "bo": np.zeros(10), "k": np.ones(128), "ko": np.ones(10)}
    terms = [coupling("x", "h", "W1"), coupling("h", "o", "W2"), Bias("h", "bh"), Bias("o", "bo")]
    return Energy(layers, [*terms, Parabola("h", "k"), Parabola("o", "ko")], theta)


def many_items():
    """A batch of 64 items, relaxed by blocks."""
    rng = np.random.default_rng(0)
    built, own = (layered(c, np.random.default_rng(1)) for c in (lambda a, b, p: Dense((a, b), p), Own))
    x, w1, w2 = rng.random((64, 64)), built.theta["W1"], built.theta["W2"]

    def bare():
        pushed, o = x @ w1, np.zeros((64, 10))
        while True:
            h = np.clip(pushed + o @ w2.T, 0, 1)
            new = np.clip(h @ w2, 0, 1)
            moved, o = np.max(np.abs(new - o)), new
            if moved < TOL:
                return h, o

    best = least({
        "NumPy: products and clips to the same tol": bare,
        "`relax`, Dense, Bias and Parabola": lambda: relax(built, clamp={"x": x}, tol=TOL),
        "`relax`, couplings of one's own with `curvature`": lambda: relax(own, clamp={"x": x}, tol=TOL),
    })  # fmt: skip
    first = best["NumPy: products and clips to the same tol"]
    rows = [(name, f"{1e3 * took:.2f} ms", f"{took / first:.1f}") for name, took in best.items()]
    table("64-128-10, batch 64, tol 1e-3: one relaxation", rows, ("what", "processor time", "ratio"))


def single():
    """Calls on systems of a few variables."""
    rng = np.random.default_rng(0)
    pairs = grid_pairs(4, True)
    readouts = {"in": Readout("v", [3, 9]), "ground": Readout("v", [0])}
    theta = {"conductance": rng.uniform(0.5, 1.5, len(pairs))}
    network = Energy({"v": (Real(), 16)}, [Edges("v", pairs)], theta, readouts, {"ground": [0.0]})
    i, j = np.triu_indices(100, 1)
    glass = Energy({"s": (Spin(), 100)}, [Pairs("s", np.stack([i, j], 1), 100)], {"J": rng.normal(size=i.size)})
    s, matrix, load = rng.choice([-1.0, 1.0], 100), rng.normal(size=(13, 13)) + 20 * np.eye(13), np.ones(13)
    best = least({
        "bare solve of 13 variables": lambda: np.linalg.solve(matrix, load),
        "`relax`, 16 nodes": lambda: relax(network, clamp={"in": [1.0, 0.5]}),
        "bare sum over 4,950 pairs": lambda: (s.take(i) * s.take(j)) @ glass.theta["J"],
        "`Energy(x)`, 100 spins, 4,950 pairs": lambda: glass(s),
    })  # fmt: skip
    rows = [(name, f"{1e6 * took:.0f} us") for name, took in best.items()]
    inputs = [Step("axon", 0.1, start=5e-3)]
    for n in (1, 128):
        axon = SpikingNetwork({"axon": Population(HodgkinHuxley.squid(), n)}, inputs=inputs)
        runs = {k: lambda k=k, axon=axon: integrate(axon, (0.0, k * 1e-5), dt=1e-5) for k in (1, 5001)}
        one, many = least(runs, 1, 12).values()
        rows.append((f"`integrate`, {n} squid axon{'s' * (n > 1)}: a run of one step", f"{1e3 * one:.1f} ms"))
        rows.append((f"`integrate`, {n} squid axon{'s' * (n > 1)}: each further step", f"{(many - one) / 5e-3:.2f} us"))
    table("Calls on small systems", rows, ("what", "processor time"))


def noisy(theta, gradient, kept, numbers, lr, count, rng):
    for k in range(theta.size):
        moved = theta[k] - lr * gradient[k] + numbers[0] * rng.standard_normal()
        theta[k] = min(max(moved, 1e-3), 10.0)


class Noisy:
    """Descent with noisy updates within bounds."""

    lr = 0.3

    def start(self, theta, rng):
        return {"rng": rng}

    def step(self, theta, gradient, memory, lr):
        draw = memory["rng"].standard_normal
        return {k: np.clip(theta[k] - lr * g + 1e-4 * draw(g.shape), 1e-3, 10.0) for k, g in gradient.items()}


class Compiled(Noisy):
    def compiled(self):
        return noisy, [1e-4]


def optimisers():
    """Online coupled learning at batch 1."""
    rows = []
    for n in (4, 8):
        rng = np.random.default_rng(0)
        place, pairs = rng.permutation(n * n), grid_pairs(n, True)
        names = {"in": place[:2], "ground": place[2:3], "out": place[3:5]}
        readouts = {name: Readout("v", index) for name, index in names.items()}
        theta = {"conductance": rng.uniform(0.5, 1.5, len(pairs))}
        network = Energy({"v": (Real(), n * n)}, [Edges("v", pairs)], theta, readouts, {"ground": [0.0]})
        x = rng.uniform(0, 1, (100, 2))
        data = {"in": x, "out": x @ np.array([[0.15, 0.25], [0.20, 0.10]])}
        kinds = {
            "SGD": SGD(0.3, bounds={"conductance": (1e-3, 10.0)}),
            "of one's own, with noise": Noisy(),
            "the same, `compiled`": Compiled(),
        }

        def train(optimizer, network=network, data=data):
            task = dict(rule=CoupledLearning(0.1), cost=SquaredError("out"), epochs=100, rng=1)
            return learn(network, data, optimizer=optimizer, **task)

        best = least({k: lambda o=o: train(o) for k, o in kinds.items()}, 1, 6)
        rows += [(n * n, k, f"{took / 1e4 * 1e6:.2f} us", f"{took / best['SGD']:.1f}") for k, took in best.items()]
    table("A step of online coupled learning", rows, ("nodes", "optimiser", "processor time", "ratio"))


if __name__ == "__main__":
    many_items()
    single()
    optimisers()
