"""A network of resistors that loses a quarter of its elements while it learns, and recovers without being told.

9 nodes, 16 elements, each a digital potentiometer of 128 positions that moves by one in the direction it compares
(Dillavou et al. 2022; every element at its own random times: Wycoff et al. 2022). Four are cut after 1,500 steps.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import Failure, Hardware, ResistorNetwork, square_lattice
from physlearn import SGD, CoupledLearning, SquaredError, learn
from physlearn.plot import plot_network

rng = np.random.default_rng(3)
graph = square_lattice(3, 3, periodic=True)
graph.remove_edges_from(list(graph.edges)[::9])
ohms = np.linspace(100e3, 1e3, 128)
start = rng.uniform(2e-5, 1e-4, 16)
network = ResistorNetwork(graph, conductance=start, ground=0, inputs=[4, 8], outputs=[2])
cut = [Failure(1500, int(e), "cut") for e in rng.permutation(16)[:4]]
lab = Hardware(network, levels=1 / ohms, rounding="sign", active=0.3, failures=cut, rng=0)

x = rng.uniform(0, 1, (30, 2))
data = {"input": x, "output": x @ [[0.15], [0.20]]}
training = learn(
    lab,
    data,
    rule=CoupledLearning(eta=0.5),
    optimizer=SGD(lr=1e-3),
    cost=SquaredError("output"),
    batch=None,
    epochs=4000,
    rng=0,
)
before, after, late = (np.median(training.cost[k]) for k in (slice(1300, 1500), slice(1500, 1510), slice(-200, None)))
print(f"cost {training.cost[0]:.1e}, learnt {before:.1e}, damaged {after:.1e}, recovered {late:.1e} V^2")

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
axes[0].semilogy(np.arange(1, 4001), training.cost, lw=0.6)
axes[0].axvline(1500, color="tab:red", ls="--", label="four elements are cut")
axes[0].set(xlabel="step", ylabel="cost (V²)", title="128 levels, one step at a time")
axes[0].legend(loc="upper right")
trained = training.machine
plot_network(
    network.edges,
    conductance=1e6 * trained.theta["conductance"],
    unit="µS",
    nodes=network.nodes,
    voltage=trained.solve({"input": [1.0, 0.5]}).x,
    pos=network.pos,
    period=graph.graph["period"],
    marked={"input": [4, 8], "ground": [0], "output": [2]},
    ax=axes[1],
)
axes[1].set_title("after recovery")
figure.savefig("damage_and_recovery.png", dpi=150)
