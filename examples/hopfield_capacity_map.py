"""Where a Hopfield network remembers: load against temperature, refined along the edge of the retrieval phase.

A 9 x 9 grid finds the edge, and the cells that it crosses are halved twice: as fine as a 33 x 33 grid there.
Replicates draw the same numbers at all points (common random numbers), which makes the edge smooth.  The dashed
curve is the mean-field theory of Amit, Gutfreund and Sompolinsky (1987), for endless networks.

Run it again: what is stored in ``capacity_map`` is not computed again.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn.models import retrieval_boundary
from physlearn.plot import plot_refined
from physlearn.study import grid, study

done = study(
    "physlearn.tasks:hopfield",
    grid(load=np.linspace(0.01, 0.17, 9), temperature=np.linspace(0.0, 1.2, 9), neurons=300, cues=4, sweeps=40),
    store="capacity_map",
    replicates=2,
    common_random_numbers=True,
    refine={"observable": "overlap", "tolerance": 0.3, "levels": 2},
)
print(done, "on a full grid:", 2 * 33**2)
print("report:", done.report())

temperatures = np.linspace(0, 1, 41)
ax = plot_refined(done.to_dataset()["overlap"], x="load", y="temperature", limits=(0, 1))
ax.plot(retrieval_boundary(temperatures), temperatures, "w--", lw=1.5)
ax.set(title="overlap after recall", xlabel="load (patterns per neuron)", xlim=(0.01, 0.17))
plt.savefig("hopfield_capacity_map.png", dpi=150)
