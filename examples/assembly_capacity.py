"""How many structures a soup remembers: a capacity scan on the square lattice.

A growing site with two neighbours has (m - 1)^2/N accidental candidates among m structures of N species, so the
number that can be stored grows as the square root of N (Murugan, Zeravcic, Brenner and Leibler 2015).
"""

import matplotlib.pyplot as plt
import numpy as np

from physlearn.models import capacity_exponent, retrieval_curve
from physlearn.plot import plot_retrieval

curves, axis = [], None
for side in (8, 12, 18):
    counts = np.unique(np.round(side * np.array([0.3, 0.5, 0.7, 0.85, 1.0, 1.2])).astype(int))
    curve = retrieval_curve(side, counts, bond=12.0, mu=23.0, patch=6, sweeps=400, trials=10, rng=0)
    axis = plot_retrieval(counts, curve.mean, curve.error, label=f"N = {side**2}", capacity=curve.capacity, ax=axis)
    curves.append(curve)
    print(f"N = {side**2}: {curve.capacity:.1f} structures, sqrt(N) = {side}")
slope, error = capacity_exponent(curves)
print(f"capacity - 1 grows as N^({slope:.2f} +- {error:.2f}), theory 1/2")
axis.set_ylabel("patch filled as stored")
plt.savefig("assembly_capacity.png", dpi=150)
