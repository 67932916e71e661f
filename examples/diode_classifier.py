"""Diodes and resistors tell the inside of a ring from its outside, which no network of resistors can.

Two coordinates drive four lines, two rails hold +-1 V; eight hidden nodes behind a diode each, and the answer is the
sign of the drop between two more. Every resistor compares its own drop in two phases. (Kendall et al. 2020.)
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import Circuit, Diode, Resistor
from physlearn import SGD, CoupledLearning, SquaredError, learn

rng = np.random.default_rng(0)
lines, hidden, answer = ["x", "-x", "y", "-y", "+1", "-1"], [f"h{k}" for k in range(8)], ["yes", "no"]
net = {}
for a, b in [(a, b) for a in lines for b in hidden] + [(a, b) for a in [*hidden, "+1", "-1"] for b in answer]:
    net[f"R {a} {b}"] = (Resistor(1 / rng.uniform(1e-4, 1e-3)), a, b)
for k, node in enumerate(hidden):  # in turns, diodes hold a node below 0.2 V or above -0.2 V
    net[f"D {node}"] = (Diode(1e-6), *((node, "0") if k % 2 else ("0", node)))
net |= {f"R {node}": (Resistor(1e4), node, "0") for node in answer}
circuit = Circuit(net, inputs=lines, outputs=[("yes", "no")])


def volts(points):
    x, y = points.T
    return np.column_stack([x, -x, y, -y, np.ones_like(x), -np.ones_like(x)])


points = rng.uniform(-1, 1, (300, 2))
inside = np.hypot(*points.T) < 0.7
train, test = np.arange(200), np.arange(200, 300)
data = {"input": volts(points), "output": np.where(inside, 0.05, -0.05)[:, None]}
optimizer = SGD(lr=1e-4, bounds={"conductance": (1e-6, 1e-2)})
settings = dict(rule=CoupledLearning(eta=0.1), optimizer=optimizer, cost=SquaredError("output"), batch=1, rng=0)
trained = learn(circuit, {name: value[train] for name, value in data.items()}, epochs=300, **settings).machine


def says(points):
    return trained.read(trained.solve({"input": volts(points)}).x, "output")[:, 0]


right = (says(points) > 0) == inside
print(f"right: {np.mean(right[train]):.1%} of the data, {np.mean(right[test]):.1%} of new ones; ", end="")
columns = data["input"]
linear = columns @ np.linalg.lstsq(columns[train], data["output"][train], rcond=None)[0]
print(f"best linear network {np.mean((linear[test, 0] > 0) == inside[test]):.1%}")

axis = np.linspace(-1, 1, 81)
grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
figure, ax = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
image = ax.contourf(axis, axis, 1e3 * says(grid).reshape(81, 81), 21, cmap="RdBu_r", vmin=-60, vmax=60)
figure.colorbar(image, label="drop between the answers (mV)")
ax.scatter(*points.T, c=np.where(inside, "k", "w"), s=14, edgecolors="k", linewidths=0.6)
ax.set(xlabel="x (V)", ylabel="y (V)", aspect="equal")
figure.savefig("diode_classifier.png", dpi=150)
