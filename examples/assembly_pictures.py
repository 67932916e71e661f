"""Three pictures in one soup: each is stored as bonds between the same molecules, and a corner of it brings it back.

Every picture places the same 150 species at random on its dark cells.  Their bonds are added up; a corner of
a picture grows into the whole one, whichever it is.  The last one is written as an animation.
"""

import matplotlib.pyplot as plt
import numpy as np

from physlearn.dynamics import kinetics
from physlearn.models import Assembly, Structure, assembly_order, site_labels, store
from physlearn.plot import animate_assembly, plot_assembly
from physlearn.terms import Lattice

r, c = np.mgrid[-6:7, -6:7]
PICTURES = {
    "disc": r**2 + c**2 < 38,
    "cross": (abs(r) < 4) | (abs(c) < 4),
    "house": (abs(c) <= r + 6) & (r < 5),
}
N, BOND, COST = 150, 8.0, 13.2  # energies in units of T

rng = np.random.default_rng(1)
stored = [Structure.from_picture(picture, N, rng=rng, name=name) for name, picture in PICTURES.items()]
lattice = Lattice((17, 17))
soup = Assembly(N, store(stored, BOND, n_species=N), COST, lattice)

figure, axes = plt.subplots(2, 3, figsize=(8.5, 5.0), layout="constrained")
for k, (structure, pair) in enumerate(zip(stored, axes.T, strict=True)):
    part = np.where((np.arange(13)[:, None] > 4) & (np.arange(13) > 4), structure.codes, 0)
    seed = soup.place(Structure(part), (2, 2))
    run = kinetics(soup, temperature=1.0, t_span=900, clock="heat bath", x0=seed, record=60, rng=k)
    order = assembly_order(run.final, stored, lattice)
    print(
        f"{structure.name}: {order.name[0]}, overlap {order.overlap[0, k]:.2f}, "
        f"errors per contact {order.error[0]:.3f}, {run.clock}"
    )
    for axis, state, title in zip(pair, (seed, run.final), ("seed", "after 900 sweeps"), strict=True):
        plot_assembly(site_labels(state, stored, lattice), ax=axis)
        axis.set_title(f"{structure.name}: {title}", fontsize=9)
    frames = [site_labels(state, stored, lattice) for state in run.x]
animate_assembly(frames, "assembly_growth.gif", [f"{t:.0f} sweeps" for t in run.t], fps=12)
figure.savefig("assembly_pictures.png", dpi=150)
