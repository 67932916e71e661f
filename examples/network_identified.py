"""A network identified from measurements in a file: every resistor with its error bar, and what is not determined.

Currents are injected at three nodes and 15 voltages are read, with 5 mV of noise. One edge hangs at a node that
carries no current, and no measurement tells its value.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from circuits import ResistorNetwork, identify, read_measurements, square_lattice, write_wiring

rng = np.random.default_rng(2)
graph = square_lattice(4, 4)
graph.add_edge(5, "end")
truth = rng.uniform(0.5e-3, 2e-3, graph.number_of_edges())
outputs = list(range(1, 16))
network = ResistorNetwork(graph, conductance=truth, ground=0, currents=[6, 9, 15], outputs=outputs)
amperes = rng.uniform(-1e-3, 1e-3, (200, 3))
volts = network.read(network.solve({"current": amperes}).x, "output") + 5e-3 * rng.standard_normal((200, 15))
columns = [f"current[{k}]" for k in range(3)] + [f"output[{k}]" for k in range(15)]
np.savetxt("measured.csv", np.hstack([amperes, volts]), delimiter=",", header=",".join(columns), comments="")

guess = network.with_conductance(1e-3)
found = identify(guess, read_measurements("measured.csv", guess))
known = np.isfinite(found.error)
off = (found.value - truth)[known] / found.error[known]
print(f"noise {1e3 * found.noise:.2f} mV; not determined: {[network.edges[e] for e in found.undetermined]}")
rms, most = np.sqrt(np.mean(off**2)), np.abs(off).max()
print(f"{known.sum()} conductances, off by {rms:.2f} error bars (rms), at most {most:.1f}")
path = write_wiring(found.machine, Path("identified.csv"))
print(path.read_text().splitlines()[:2])

figure, ax = plt.subplots(figsize=(5, 4.5), layout="constrained")
ax.errorbar(1e3 * truth[known], 1e3 * found.value[known], 1e3 * found.error[known], fmt="o", ms=4, capsize=2)
ax.plot([0.4, 2.1], [0.4, 2.1], color="gray", lw=0.8, zorder=0)
ax.set(xlabel="true conductance (mS)", ylabel="identified, one standard deviation (mS)")
figure.savefig("network_identified.png", dpi=150)
