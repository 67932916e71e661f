"""Molecules learn by diffusion: bonds grow between faces that meet, dJ_ij/dt = -integral C_i C_j.

Two structures of the same species are shown for a while each: every molecule releases at its place what its faces are
made of, and neighbours' faces meet first.  Saturated, the learned bonds are the designed ones, and seeds retrieve both
structures with them; too long a lesson blurs.
"""

import matplotlib.pyplot as plt
import numpy as np

from physlearn import sample
from physlearn.learning import learn_by_diffusion, sharpen
from physlearn.models import Assembly, assembly_order, random_structures, store
from physlearn.terms import Lattice

SIDE, BOND, COST = 6, 8.0, 12.8  # energies in units of T
N = SIDE**2
stored, lattice = random_structures(2, (SIDE, SIDE), rng=0), Lattice((10, 10))
designed = store(stored, 1.0)
durations, right, overlap = np.geomspace(0.1, 3.2, 5), [], []
for duration in durations:
    learned = learn_by_diffusion(stored, N, duration=duration, directional=True, padding=1, tol=1e-4)
    J = sharpen(learned.J, np.count_nonzero(designed))
    right.append(np.mean(J[designed < 0] < 0))
    soup = Assembly(N, BOND * J, COST, lattice)
    seeds = [soup.place(s.patch(slice(1, 5), slice(1, 5)), (3, 3)) for s in stored] * 4
    run = sample(soup, temperature=1.0, n_samples=1, thin=500, warmup=0, chains=8, x0=np.stack(seeds), rng=0)
    order = assembly_order(run.x[:, -1], stored, lattice)
    overlap.append(np.mean([order.overlap[k, k % 2] for k in range(8)]))
    print(
        f"duration {duration:.2f}: mass lost {learned.lost:.0e}, bonds right {right[-1]:.3f}, overlap of what seeds "
        f"became {overlap[-1]:.2f}"
    )

figure, axis = plt.subplots(figsize=(5, 3.4), layout="constrained")
axis.semilogx(durations, right, "s--", label="bonds as designed")
axis.semilogx(durations, overlap, "o-", label="overlap of what seeds became")
axis.set(xlabel="duration of a lesson (spacing² / D)", ylim=(0, 1.05))
axis.legend(frameon=False)
figure.savefig("assembly_diffusion.png", dpi=150)
