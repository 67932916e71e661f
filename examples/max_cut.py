"""Max-Cut from a file: colour the vertices of a graph in two so that as many edges as possible join unlike ones.

The file is in rudy's format, as of the Gset (Helmberg and Rendl 2000).  The largest cut is the ground state of
antiferromagnetic spins, J = -w, found here by three optimisers of one energy.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np

from physlearn import anneal, greedy, ladder, tempering
from physlearn.io import maxcut_energy

problem = maxcut_energy(Path(__file__).with_name("max_cut.rud"))
n, edges = problem.energy.layers["s"].size, len(problem.pairs)

quenched = greedy(problem.energy, reads=200, rng=0)
cooled = anneal(problem.energy, reads=200, sweeps=300, rng=0)
replicas = tempering(problem.energy, temperatures=ladder(0.3, 5.0, 12), n_samples=300, observe={}, rng=0)
best = problem.cut(cooled.x)
print(f"{n} vertices, {edges} edges; a random cut has {edges / 2:g}")
print(f"greedy: best {problem.cut(quenched.x):g}, mean {problem.cut(quenched.states).mean():.1f}")
print(f"annealing: best {best:g}, in {np.mean(problem.cut(cooled.states) == best):.0%} of the reads")
print(f"parallel tempering: best {problem.cut(replicas.best_x):g}")
print(f"sweeps to the best cut with probability 0.99: {cooled.time_to_solution(cooled.energy):.0f} by annealing")

graph = nx.Graph(problem.pairs.tolist())
place = nx.kamada_kawai_layout(graph)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=(1.2, 1), layout="constrained")
within = [(a, b) for a, b in graph.edges if cooled.x[a] == cooled.x[b]]
across = [edge for edge in graph.edges if edge not in set(within)]
nx.draw_networkx_edges(graph, place, across, ax=left, edge_color="0.7")
nx.draw_networkx_edges(graph, place, within, ax=left, edge_color="tab:red", width=1.5)
shades = ["tab:blue" if cooled.x[v] > 0 else "tab:orange" for v in graph]
nx.draw_networkx_nodes(graph, place, ax=left, node_color=shades, node_size=45)
left.set(title=f"{best:g} of {edges} edges cut; red: not cut")
left.axis("off")
cuts = [problem.cut(record.states) for record in (quenched, cooled)]
bins = np.arange(min(c.min() for c in cuts), best + 2) - 0.5
right.hist(cuts, bins, label=["greedy", "annealing"])
right.set(xlabel="edges cut", ylabel="reads of 200")
right.xaxis.get_major_locator().set_params(integer=True)
right.legend(frameon=False)
figure.savefig("max_cut.png", dpi=150)
