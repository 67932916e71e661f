"""What machines made of wires cost in physics, beside a processor that computes the same answer; all parts assumed.

Every machine has 1 pF a node and megohms or microamperes: a chip. The processor takes 100 pJ a multiply-add.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import (
    Circuit,
    DeepResistiveNetwork,
    ResistorNetwork,
    TransistorEdge,
    amplifier_network,
    amplifier_outputs,
    cost_table,
    physical_cost,
    square_lattice,
)
from physlearn.models import Hopfield

rng = np.random.default_rng(0)


def lattice(side):
    graph = square_lattice(side, side, periodic=True)
    g = rng.uniform(0.5e-6, 2e-6, graph.number_of_edges())
    return ResistorNetwork(graph, conductance=g, ground=0, inputs=[side, 2 * side], outputs=[side + 2])


graph = square_lattice(4, 4, periodic=True)
for u, v in graph.edges:
    graph.edges[u, v]["element"] = TransistorEdge(rng.uniform(1.5, 4.0), gain=1e-6)
transistors = Circuit(graph, ground=0, inputs=[14, 7, 10], outputs=[(9, 2)])
deep = DeepResistiveNetwork((8, 16, 4), gain=(4.0, 2.0), rng=0)
deep = deep.with_theta({name: 1e-6 * value for name, value in deep.theta.items()})
pattern = np.sign(rng.standard_normal((2, 16)))
memory = amplifier_network(1e-6 * Hopfield.store(pattern).couplings)
machines = {
    f"resistors {side}x{side}": physical_cost(lattice(side), {"input": [[0.5, 0.2]]}) for side in (4, 8, 16, 32)
}
machines |= {
    "transistors 4x4": physical_cost(transistors, {"input": [[0.9, 0.0, 0.9], [0.9, 0.9, 0.9]]}),
    "deep resistive 8-16-4": physical_cost(deep, {"input": rng.uniform(-1, 1, (4, 8))}),
    "Hopfield memory of 16": physical_cost(memory, {"outputs": amplifier_outputs(pattern)}),
}
print(cost_table(machines))

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for shift, label in ((-0.2, "joules"), (0.2, "processor_joules")):
    height = [getattr(cost, f"{label}_per_inference") for cost in machines.values()]
    ax.bar(np.arange(7) + shift, height, 0.4, label="physics" if shift < 0 else "processor")
ax.set(yscale="log", ylabel="joules per inference", xticks=range(7))
ax.set_xticklabels(machines, rotation=25, ha="right")
ax.legend(loc="upper left")
figure.savefig("joules_per_inference.png", dpi=150)
