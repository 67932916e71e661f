"""The Ising transition: magnetisation against Onsager's solution, and Binder cumulants that cross at Tc.

Square tori of three sizes, E = -sum s s'; cluster updates (Swendsen and Wang 1987) at every temperature.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import sample
from physlearn.models import Ising, binder, magnetisation

CRITICAL = 2 / np.log(1 + np.sqrt(2))
temperatures = np.linspace(1.9, 2.7, 17)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for size, marker in ((8, "o"), (16, "s"), (32, "^")):
    model = Ising.square(size)
    drawn = sample(
        model,
        temperature=temperatures,
        chains=len(temperatures),
        n_samples=3000,
        warmup=100,
        method="swendsen_wang",
        observe={"m": lambda x: magnetisation(x["s"], 2)},
        rng=0,
    )
    m = drawn.observed["m"]
    left.plot(temperatures, np.abs(m).mean(1), marker, ms=4, label=f"{size} x {size}")
    right.plot(temperatures, [binder(row) for row in m], marker + "-", ms=4, lw=0.8, label=f"{size} x {size}")

cold = np.linspace(1.9, CRITICAL, 200)
exact = np.maximum(1 - np.sinh(2 / cold) ** -4.0, 0) ** 0.125
left.plot(cold, exact, "k", lw=1, label="infinite (Onsager, Yang)")
for ax, name in ((left, "magnetisation per spin"), (right, "Binder cumulant")):
    ax.axvline(CRITICAL, color="0.6", lw=0.8, ls=":")
    ax.set(xlabel="temperature (J)", ylabel=name)
    ax.legend(frameon=False, fontsize="small")
figure.savefig("ising_transition.png", dpi=150)
print(f"{drawn}; exact Tc = {CRITICAL:.4f}")
