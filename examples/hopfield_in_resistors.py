"""A Hopfield network built of resistors, amplifiers and inverters: recall is a fall of the dissipated power.

The couplings become conductances between the wires +s_i and -s_i of every neuron's amplifier (Hopfield 1984).  At
every step of a recall the power of the resistors is twice the memory's energy plus a constant, so that the circuit
and the memory fall together, and by the currents alone the circuit decides as the memory does.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np

from circuits import amplifier_network, amplifier_outputs, source_currents
from physlearn.models import Hopfield, flip, random_patterns

n = 24
patterns = random_patterns(2, n, rng=3)
memory = Hopfield.store(patterns)
network = amplifier_network(memory.couplings)
constant = np.abs(memory.couplings).sum()

s, states = flip(patterns[0], 0.3, rng=1), []
for i in np.tile(np.random.default_rng(2).permutation(n), 2):
    states.append(s.copy())
    into = source_currents(network, network.solve({"outputs": amplifier_outputs(s)}).x)[2 * i]
    s[i] = np.sign(s[i] * np.abs(memory.couplings[i]).sum() - into) or s[i]  # its amplifier gives `into`, and gets h_i
states = np.array([*states, s])
power = np.array([network.solve({"outputs": amplifier_outputs(x)}).energy for x in states])
energy = memory.energy(states)
recalled = memory.recall(states[0], order="fixed").x
print(f"2 E + constant equals the power to {np.max(np.abs(2 * energy + constant - power)):.1e} W")
print(f"recalled: overlap {s @ patterns[0] / n:.2f}; the memory by itself: {recalled @ patterns[0] / n:.2f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
graph, place = nx.Graph(network.edges), nx.circular_layout(range(n))
shift = {"+": 1.0, "-": 0.86}
where = {(i, sign): shift[sign] * place[i] for i, sign in network.nodes}
volts = dict(zip(network.nodes, amplifier_outputs(s), strict=True))
nx.draw_networkx_edges(graph, where, ax=left, alpha=0.12, width=0.6)
colors = [volts[node] for node in network.nodes]
nx.draw_networkx_nodes(graph, where, list(network.nodes), 40, colors, cmap="coolwarm", ax=left)
left.set_title(f"{n} amplifiers and inverters, {len(network.edges)} resistors")
left.set_axis_off()
right.plot(power, color="C3", drawstyle="steps-post", label="dissipated power (over 2)")
right.plot(2 * energy + constant, "k.", markersize=4, label="2 E + sum |W|")
right.set(xlabel="neurons updated", ylabel="W", title="recall")
right.legend(frameon=False)
figure.savefig("hopfield_in_resistors.png", dpi=120)
