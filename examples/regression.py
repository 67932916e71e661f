"""Linear regression by a 4x4 periodic resistor lattice: y = 0.15 x1 + 0.20 x2, learnt online.

Every step sees one sample: the free voltages, then the voltages with the output clamped a tenth of the
way to its target.  Each resistor compares its own two voltage drops; nothing else is communicated.
(Coupled learning: Stern, Hexner, Rocks, Liu 2021.)
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import ResistorNetwork, square_lattice
from physlearn import SGD, CoupledLearning, SquaredError, learn
from physlearn.plot import plot_learning_curve, plot_network

rng = np.random.default_rng(0)
graph = square_lattice(4, periodic=True)
a, b, ground, output = (int(node) for node in rng.permutation(16)[:4])
network = ResistorNetwork(graph, conductance=rng.uniform(0.5, 1.5, 32), ground=ground, inputs=[a, b], outputs=[output])

x = rng.uniform(0, 1, (400, 2))
y = x @ [[0.15], [0.20]]
training = learn(
    network,
    {"input": x[:300], "output": y[:300]},
    rule=CoupledLearning(eta=0.1),
    optimizer=SGD(lr=2.0, bounds={"conductance": (1e-3, 10.0)}),
    cost=SquaredError("output"),
    epochs=66,
    rng=rng,
)
trained = training.machine
error = trained.read(trained.solve({"input": x[300:]}).x, "output") - y[300:]
print(f"{training}\nmean squared error on 100 unseen samples: {np.mean(error**2):.1e} V^2")

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
plot_learning_curve(training.cost, ylabel="mean cost of an epoch (V²)", ax=axes[0])
plot_network(
    network.edges,
    conductance=trained.conductance,
    nodes=network.nodes,
    voltage=trained.solve({"input": [1.0, 0.5]}).x,
    pos=network.pos,
    period=graph.graph["period"],
    marked={"input": [a, b], "ground": [ground], "output": [output]},
    ax=axes[1],
)
figure.savefig("regression.png", dpi=150)
