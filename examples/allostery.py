"""Allostery: a voltage drop at a source pair is to cause a drop at a distant target pair.

A disordered network of 64 nodes is trained so that a drop of 1 V at the source produces the asked
drop at the target, many resistors away (Rocks et al. 2019; coupled learning: Stern et al. 2021).
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import ResistorNetwork, random_geometric_graph
from physlearn import SGD, CoupledLearning, SquaredError, learn
from physlearn.plot import plot_network

rng = np.random.default_rng(1)
graph = random_geometric_graph(64, 0.22, rng=rng)
x, y = ({node: graph.nodes[node]["pos"][k] for node in graph} for k in (0, 1))
order = sorted(graph, key=x.get)
source, target = ((max(side, key=y.get), min(side, key=y.get)) for side in (order[:10], order[-10:]))
network = ResistorNetwork(
    graph,
    conductance=rng.uniform(0.5, 1.5, graph.size()),
    ground=source[1],
    inputs=[source],
    outputs=[target],
)

training = learn(
    network,
    {"input": [[1.0]], "output": [[0.5]]},
    rule=CoupledLearning(eta=0.1),
    optimizer=SGD(lr=20.0, bounds={"conductance": (1e-3, 10.0)}),
    cost=SquaredError("output"),
    epochs=1000,
)
trained = training.machine

figure, axes = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for ax, net, name in ((axes[0], network, "before"), (axes[1], trained, "after")):
    volts = net.solve({"input": [1.0]}).x
    drop = net.read(volts, "output")[0]
    print(f"{name} training: 1 V across the source gives {drop:.3f} V across the target")
    plot_network(
        net.edges,
        conductance=net.conductance,
        nodes=net.nodes,
        voltage=volts,
        pos=net.pos,
        widest=trained.conductance.max(),
        marked={"source": list(source), "target": list(target)},
        ax=ax,
    )
    ax.set_title(f"{name}: {drop:.2f} V across the target")
figure.savefig("allostery.png", dpi=150)
