"""Networks that learn by equilibrium propagation: speed against their matrix products; results: `digits_networks`.

One thread, processor time; "products" are the matrix products of one step alone, by NumPy.
Usage: python benchmarks/networks_ep.py
"""

from common import seconds, table  # isort: skip (sets thread counts first)

import numpy as np
from sklearn.datasets import load_digits

from circuits import DeepResistiveNetwork
from physlearn import SGD, Adam, EquilibriumPropagation, SquaredError, learn, relax
from physlearn.models import Convolved, EPNetwork

COST = SquaredError("output")
SETTLED = {"tol": 1e-3}


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

    images = rng.random((640, 784)) * (rng.random((640, 784)) < 0.19)
    data = {"input": images, "output": np.eye(10)[rng.integers(0, 10, 640)]}
    fixed = {"max_steps": (20, 4), "unconverged": "ignore"}
    told = dict(rule=EquilibriumPropagation(0.2, "positive"), cost=COST, batch=64, optimizer=SGD(0.01), rng=0)
    for precision in ("single", "double"):
        wide = EPNetwork((784, 512, 10), gain=0.5, precision=precision, rng=0)
        learn(wide, data, relax_options=fixed, **told)
        took, _ = seconds(lambda wide=wide: learn(wide, data, epochs=2, relax_options=fixed, **told), 5)
        w1, w2 = wide.theta["W1"], wide.theta["W2"]
        states = images[:64], rng.random((64, 512)), rng.random((64, 10))
        x, h, o = (value.astype(w1.dtype) for value in states)

        def products(x=x, h=h, o=o, w1=w1, w2=w2):
            for _ in range(20):
                x @ w1, x.T @ h, h.T @ o, h.T @ o
                for _ in range(24):
                    o @ w2.T, h @ w2

        bare, _ = seconds(products, 5)
        what = f"EP step, 784-512-10, batch 64, 20 + 4 sweeps, {precision}"
        rows.append((what, f"{took * 50:.1f} ms", f"products {bare * 50:.1f}"))

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


if __name__ == "__main__":
    speed()
