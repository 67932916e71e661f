"""A soup recognises patterns of concentrations: the structure whose patch is enriched nucleates, and wins.

Four structures are permutations of the same 49 species.  Pattern k raises the concentrations in a 3 x 3 patch of
structure k; its nucleus is the cheapest, as `patch_barrier` foresees.  No seed is given.
"""

import matplotlib.pyplot as plt
import numpy as np

from physlearn.models import Assembly, concentration_pattern, patch_barrier, random_structures, recognise, store
from physlearn.terms import Lattice

BOND, CHAINS = 5.6, 20  # energies in units of T
stored = random_structures(4, (7, 7), rng=0)
soup = Assembly(49, store(stored, BOND), 10.0, Lattice((11, 11)))
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
for axis, boost in zip(axes, (60, 20, 1), strict=True):
    patterns = [concentration_pattern(s, 49, at=(2, 2), shape=(3, 3), base=4e-5, boost=boost) for s in stored]
    found = recognise(soup, stored, patterns, temperature=1.0, chains=CHAINS, sweeps=2000, rng=1)
    foreseen = [np.argmin([patch_barrier(s, -np.log(c), BOND) for s in stored]) for c in patterns]
    right, none = np.trace(found.table), found.table[:, -1].sum()
    print(f"boost {boost}: {right} of {4 * CHAINS} recognised, {none} silent; cheapest nuclei {np.array(foreseen)}")
    axis.imshow(found.table, cmap="Blues", vmin=0, vmax=CHAINS)
    for (shown, grown), count in np.ndenumerate(found.table):
        axis.text(grown, shown, count, ha="center", va="center", color="white" if count > CHAINS / 2 else "black")
    axis.set(title=f"patch enriched {boost} times", xlabel="structure grown", ylabel="pattern shown")
    axis.set(xticks=range(5), xticklabels=[*"ABCD", "none"], yticks=range(4), yticklabels=[*"ABCD"])
figure.savefig("assembly_recognition.png", dpi=150)
