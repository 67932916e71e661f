"""Frustration in a spin glass: plaquettes that no state satisfies, and the ground state that pays least for them.

Edwards-Anderson +-J glass on a 16 x 16 torus.  Every state breaks an odd number of the bonds around a frustrated
plaquette (Toulouse 1977), so strings of broken bonds, drawn across, join these plaquettes in pairs; a ground state
has the shortest strings.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import anneal, greedy
from physlearn.models import SpinGlass, frustrated_plaquettes

SIZE = 16
glass = SpinGlass.edwards_anderson((SIZE, SIZE), rng=1)
frustrated = frustrated_plaquettes(glass)
quenched = greedy(glass, reads=100, rng=0)
cooled = anneal(glass, reads=100, sweeps=2000, rng=0)
reached = np.mean(cooled.energies == cooled.energy)
print(f"{frustrated.sum()} of {SIZE**2} plaquettes are frustrated")
print(f"energy per spin: quenched {quenched.energies.mean() / SIZE**2:.3f}, annealed {cooled.energy / SIZE**2:.3f}")
print(f"{reached:.0%} of the reads end in the lowest state found; infinite lattice -1.402")


def strings(model, state):
    """Broken bonds: the middle of each, and whether it runs along a row."""
    i, j = model.pairs.T
    broken = model.couplings * state.ravel()[i] * state.ravel()[j] < 0
    for a, b in model.pairs[broken]:
        (ra, ca), (rb, cb) = divmod(a, SIZE), divmod(b, SIZE)
        along = ra == rb
        first = min(ca, cb) if abs(ca - cb) < 2 else SIZE - 1  # the bond that closes the torus leaves at the far end
        top = min(ra, rb) if abs(ra - rb) < 2 else SIZE - 1
        yield (first + 0.5, ra, True) if along else (ca, top + 0.5, False)


figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
for axis, x, name in ((axes[0], quenched.states[0], "a quench"), (axes[1], cooled.x, "the best of 100 annealed reads")):
    axis.imshow(x, cmap="Greys", vmin=-1.4, vmax=3.5, interpolation="nearest")
    rows, columns = np.nonzero(frustrated)
    axis.plot(columns + 0.5, rows + 0.5, "o", ms=5, color="tab:red")
    for column, row, along in strings(glass, x):  # across the bond: from plaquette to plaquette
        ends = ([column, column], [row - 0.5, row + 0.5]) if along else ([column - 0.5, column + 0.5], [row, row])
        axis.plot(*ends, color="tab:red", lw=2)
    axis.set(title=f"{name}: E = {glass(x).item():g}", xticks=[], yticks=[], xlim=(-0.6, SIZE), ylim=(SIZE, -0.6))
figure.suptitle("shades: spins; dots: frustrated plaquettes; lines: broken bonds, across", fontsize=9)
figure.savefig("spin_glass_frustration.png", dpi=150)
