"""Parallel tempering against plain Metropolis: a cold chain keeps to its valley, replicas that swap do not.

Sherrington-Kirkpatrick glass of 20 spins, small enough to enumerate.  At T = 0.2 the exact distribution of the
overlap with the ground state, q, has two sides of equal weight and valleys in between; after as many sweeps of as
many spins a Metropolis chain has seen only where it fell.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import enumerate_states, ladder, sample, tempering
from physlearn.models import SpinGlass

N, COLD, REPLICAS, DRAWS = 20, 0.2, 8, 4000
glass = SpinGlass.sherrington_kirkpatrick(N, rng=3)
exact = enumerate_states(glass, temperature=COLD)
ground = exact.states(np.argmin(exact.energies))[0]
bins = np.arange(-N - 1, N + 2, 2) / N
values = (bins[1:] + bins[:-1]) / 2
whole = exact.mean(lambda x: np.rint((x["s"] @ ground + N) / 2)[:, None] == np.arange(N + 1))


def overlap(x):
    """With the ground state, (chains,)."""
    return x["s"] @ ground / N


settings = dict(n_samples=DRAWS, observe={"q": overlap}, method="metropolis", rng=0)
plain = sample(glass, temperature=COLD, chains=REPLICAS, warmup=500, **settings)
swapped = tempering(glass, temperatures=ladder(COLD, 2.0, REPLICAS), warmup=500, **settings)
runs = {"Metropolis": plain.observed["q"], "parallel tempering": swapped.observed["q"][0]}
for name, q in runs.items():
    seen = np.array([np.histogram(chain, bins)[0] / DRAWS for chain in q])
    off = np.abs(seen - whole).sum(1).mean() / 2
    print(f"{name:20s} distance of a chain's histogram from the exact one {off:.2f}, mean q {q.mean(1).round(2)}")
print(f"swaps made: {swapped.exchange.min():.2f}..{swapped.exchange.max():.2f}, round trips: {swapped.round_trips[0]}")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=(1.5, 1), layout="constrained")
for name, q in runs.items():
    left.plot(q[0][:1500], lw=0.7, label=name)
    right.step(values, np.histogram(q[0], bins)[0] / DRAWS, where="mid", label=f"{name}, one chain")
right.bar(values, whole, width=2 / N, color="0.85", label="exact")
left.set(xlabel="draw", ylabel="overlap with the ground state", ylim=(-1.1, 1.35))
right.set(xlabel="overlap with the ground state", ylabel="probability")
for axis in (left, right):
    axis.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0))
figure.savefig("tempering_vs_metropolis.png", dpi=150)
