"""Networks that learn by equilibrium propagation: speed against their matrix products; digits against other learners.

Speed: one thread, processor time; "products" are the matrix products of one step alone, by NumPy.  Digits: 8 x 8
pixels, 1,400 of them learnt and 397 tested, ten seeds of split, start and order; scikit-learn's MLP of the same size
on the same splits; the network's own output trained on a frozen random hidden layer; and its exact gradient, which is
the centred nudge of strength 1e-2 at a tighter rest.
Usage: python benchmarks/networks_ep.py [speed | digits [SEEDS]]
"""

from common import processor_time, seconds, table  # isort: skip (sets thread counts first)

import sys
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from circuits import DeepResistiveNetwork
from physlearn import SGD, Adam, EquilibriumPropagation, SquaredError, learn, relax
from physlearn.models import Convolved, EPNetwork

COST = SquaredError("output")
SETTLED = {"tol": 1e-3}


def falling(rate, epochs):
    """A learning rate that falls by a cosine to zero."""
    return lambda epoch: rate * 0.5 * (1 + np.cos(np.pi * min(epoch / epochs, 1)))


def speed():
    """Milliseconds of relaxations, steps and epochs."""
    rng, rows = np.random.default_rng(0), []
    net, x = EPNetwork((64, 128, 10), gain=0.5, rng=0), rng.random((64, 64))
    ours, rest = seconds(lambda: [relax(net, clamp={"input": x}, tol=1e-3) for _ in range(20)][-1], 7)
    w1, w2 = net.theta["W1"], net.theta["W2"]

    def floor():
        for _ in range(20):
            a, o = x @ w1, np.zeros((64, 10))
            for _ in range(rest.steps):
                h = np.clip(a + o @ w2.T, 0, 1)
                o = h @ w2

    bare, _ = seconds(floor, 7)
    rows.append(
        ("relax 64-128-10, batch 64, tol 1e-3", f"{ours * 50:.2f} ms", f"NumPy, {rest.steps} sweeps {bare * 50:.2f}")
    )

    digits = load_digits()
    data = {"input": digits.data[:1400] / 16, "output": np.eye(10)[digits.target[:1400]]}
    told = dict(rule=EquilibriumPropagation(0.2), cost=COST, batch=64, optimizer=Adam(2e-3), rng=0)
    image = EPNetwork([(8, 8), Convolved(32, 3, pool=2), 10], gain=0.4, rng=0)
    for name, start in (("64-128-10", net), ("3x3x32, pool 2, 10", image)):
        once = {**told, "relax_options": SETTLED}
        learn(start, data, epochs=1, **once)
        took, _ = seconds(lambda start=start, once=once: learn(start, data, epochs=5, **once), 3)
        rows.append((f"EP epoch, digits, {name}, batch 64", f"{took * 200:.0f} ms", ""))

    x = rng.random((640, 784)) * (rng.random((640, 784)) < 0.19)
    data = {"input": x, "output": np.eye(10)[rng.integers(0, 10, 640)]}
    wide = EPNetwork((784, 512, 10), gain=0.5, rng=0)
    fixed = {"max_steps": (20, 4), "unconverged": "ignore"}
    told = dict(rule=EquilibriumPropagation(0.2, "positive"), cost=COST, batch=64, optimizer=SGD(0.01), rng=0)
    learn(wide, data, relax_options=fixed, **told)
    took, _ = seconds(lambda: learn(wide, data, epochs=2, relax_options=fixed, **told), 5)
    w1, w2, x, h, o = wide.theta["W1"], wide.theta["W2"], x[:64], rng.random((64, 512)), rng.random((64, 10))

    def products():
        for _ in range(20):
            x @ w1, x.T @ h, h.T @ o, h.T @ o
            for _ in range(24):
                o @ w2.T, h @ w2

    bare, _ = seconds(products, 5)
    step, alone = took / 20, bare / 20
    rows.append(("EP step, 784-512-10, batch 64, 20 + 4 sweeps", f"{step * 1e3:.1f} ms", f"products {alone * 1e3:.1f}"))

    x = rng.random((4000, 784)) * (rng.random((4000, 784)) < 0.19)
    data = {"input": x, "output": np.eye(10)[rng.integers(0, 10, 4000)]}
    for precision in ("single", "double"):
        deep = DeepResistiveNetwork((784, 100, 10), gain=100.0, precision=precision, rng=0)
        told = dict(
            rule=EquilibriumPropagation(1.0), cost=COST, batch=4, optimizer=SGD(0.006, bounds=deep.bounds), rng=0
        )
        told |= {"relax_options": {"max_steps": 4, "unconverged": "ignore"}}
        learn(deep, data, **told)
        took, _ = seconds(lambda told=told, deep=deep: learn(deep, data, epochs=3, **told), 3)
        rows.append((f"DRN 2x784-100-10, batch 4, 4 + 2x4 sweeps, {precision}", f"{12000 / took:.0f} samples/s", ""))
    table("Speed", rows, ("what", "ours", "beside"))


def error(machine, x, labels):
    """Percentage of wrong labels."""
    rest = relax(machine, clamp={"input": x}, tol=1e-5, unconverged="ignore")
    return 100 * np.mean(rest.x["output"].argmax(1) != labels)


def learners(seed):
    """Name to a function of (pairs, inputs, labels) that gives the test error."""

    def trained(net, rule, optimizer, epochs, batch, options=SETTLED, trainable=None):
        def run(data, x, labels):
            told = dict(rule=rule, cost=COST, epochs=epochs, batch=batch, optimizer=optimizer, relax_options=options)
            return error(learn(net, data, rng=seed, trainable=trainable, **told).machine, x, labels)

        return run

    dense, deep = EPNetwork((64, 128, 10), gain=0.5, rng=seed), DeepResistiveNetwork((64, 128, 10), gain=30.0, rng=seed)
    image = EPNetwork([(8, 8), Convolved(32, 3, pool=2), 10], gain=0.4, rng=seed)
    centred, adam = EquilibriumPropagation(0.2), Adam(falling(0.005, 40))
    strong, descent = EquilibriumPropagation(1.0), SGD(falling(0.1, 60), bounds=deep.bounds)
    fixed, tight = {"max_steps": (6, 4), "unconverged": "ignore"}, {"tol": 1e-5}
    many = {"max_steps": (12, 12), "unconverged": "ignore"}
    return {
        "EP 64-128-10": trained(dense, centred, adam, 40, 64),
        "its exact gradient": trained(dense, EquilibriumPropagation(1e-2), adam, 40, 64, tight),
        "its frozen hidden layer": trained(dense, centred, adam, 40, 64, trainable=["W2", "b2"]),
        "EP conv 3x3x32, pool 2": trained(image, centred, Adam(falling(0.005, 20)), 20, 64),
        "DRN 2x64-128-10": trained(deep, strong, descent, 60, 4, fixed),
        "its exact gradient ": trained(deep, EquilibriumPropagation(1e-2), descent, 60, 4, many),
        "its frozen hidden layer ": trained(deep, strong, descent, 60, 4, fixed, ["G2", "b2"]),
    }


def peer(seed, data, x, labels):
    """Test error of scikit-learn's MLP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp = MLPClassifier((128,), batch_size=64, learning_rate_init=2e-3, max_iter=60, random_state=seed)
        mlp.fit(data["input"], data["output"].argmax(1))
    return 100 * np.mean(mlp.predict(x) != labels)


def digits(seeds):
    """Test errors over seeds."""
    all_digits, found, cost = load_digits(), {}, {}
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(1797)
        x, labels = all_digits.data[order] / 16, all_digits.target[order]
        data = {"input": x[:1400], "output": np.eye(10)[labels[:1400]]}
        runs = learners(seed) | {"scikit-learn's MLP 64-128-10": lambda *given, seed=seed: peer(seed, *given)}
        for name, run in runs.items():
            began = processor_time()
            found.setdefault(name, []).append(run(data, x[1400:], labels[1400:]))
            cost[name] = cost.get(name, 0.0) + processor_time() - began
            print(f"seed {seed}, {name}: {found[name][-1]:.2f} %, {processor_time() - began:.0f} s", flush=True)
    rows = [
        (name, f"{np.mean(e):.2f} +- {np.std(e, ddof=1) if len(e) > 1 else 0:.2f}", f"{cost[name] / seeds:.1f} s")
        for name, e in found.items()
    ]
    table(f"Digits, test error in %, {seeds} seeds", rows, ("learner", "mean +- spread", "time of one"))


if __name__ == "__main__":
    if sys.argv[1:2] != ["digits"]:
        speed()
    if sys.argv[1:2] != ["speed"]:
        digits(int(sys.argv[2]) if len(sys.argv) > 2 else 10)
