"""Transistors learn XOR, which no network of resistors can: a 4x4 torus of 32 edges, each with a gate of its own.

Inputs are 0 or 0.9 V at two nodes, a rail holds a third at 0.9 V, a fourth is ground; the answer is the sign of the
voltage between two more. Every gate compares its own drop in two phases. (Dillavou et al. 2024.)
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import Circuit, TransistorEdge, square_lattice
from physlearn import SGD, CoupledLearning, SquaredError, learn
from physlearn.plot import plot_network

rng = np.random.default_rng(0)
graph = square_lattice(4, periodic=True)
for u, v in graph.edges:
    graph.edges[u, v]["element"] = TransistorEdge(gate=rng.uniform(1.5, 4.0))
circuit = Circuit(graph, ground=0, inputs=[14, 7, 10], outputs=[(9, 2)])

bits = np.array([[a, b] for a in (0, 1) for b in (0, 1)])
x = 0.9 * np.column_stack([bits, np.ones(4)])
label = np.where(bits[:, :1] != bits[:, 1:], 0.03, -0.03)
training = learn(
    circuit,
    {"input": x, "output": label},
    rule=CoupledLearning(eta=0.1),
    optimizer=SGD(lr=1e4, bounds={"gate": (0.8, 8.0)}),
    cost=SquaredError("output"),
    batch=1,
    epochs=3000,
    rng=0,
)
trained = training.machine
answers = trained.read(trained.solve({"input": x}), "output")[:, 0]
for bit, answer in zip(bits, answers, strict=True):
    print(f"{bit[0]} XOR {bit[1]}: {1e3 * answer:+.2f} mV")
linear = 0.5 * np.var(label)  # the best that resistors can: always their mean
print(f"cost {training.cost[-1]:.1e}, of the best linear network {linear:.1e} V^2")

figure, axes = plt.subplots(2, 2, figsize=(11, 9), layout="constrained")
for ax, one, bit, answer in zip(axes.flat, x, bits, answers, strict=True):
    v = trained.solve({"input": one}).x
    marked = {"input": [14, 7], "rail": [10], "ground": [0], "output": [9, 2]}
    size = 1e-3 * (trained.theta["gate"] - 0.7)  # siemens of each channel at 0 V
    plot_network(
        graph.edges,
        conductance=size,
        nodes=trained.nodes,
        voltage=v,
        pos=trained.pos,
        period=graph.graph["period"],
        marked=marked,
        ax=ax,
    )
    ax.set_title(f"{bit[0]} XOR {bit[1]}: {1e3 * answer:+.1f} mV")
figure.savefig("xor_transistors.png", dpi=150)
