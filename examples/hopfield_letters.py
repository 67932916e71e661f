"""Letters recalled from noise by a Hopfield network, and where its capacity ends.

Letters are alike, so Hebb's rule mixes them up and the projection rule does not.  Random patterns are forgotten
all at once near 0.138 n of them (Amit, Gutfreund and Sompolinsky 1985).
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn.models import Hopfield, capacity_curve, erase, flip, letters, mean_field_overlap, overlap
from physlearn.plot import plot_capacity, plot_overlaps, plot_patterns

alphabet = "HOPFIELD"
pictures = np.kron(letters(alphabet), np.ones((2, 2)))  # 14 x 10 pixels
patterns = pictures.reshape(8, -1)
cues = np.stack(
    [flip(patterns[alphabet.index("P")], 0.2, rng=1), erase(patterns[alphabet.index("D")], 0.5, contiguous=True)]
)

figure = plt.figure(figsize=(10, 7.2), layout="constrained")
upper, lower = figure.subfigures(2, 1, height_ratios=(1.25, 1))
axes = upper.subplots(3, 6)
for row, (rule, cue) in enumerate((("hebb", cues[0]), ("projection", cues[0]), ("projection", cues[1]))):
    memory = Hopfield.store(patterns, rule)
    steps = memory.recall(cue, order="random", trace=True, rng=2)
    shown = np.concatenate([steps.trace[:5], np.repeat(steps.x[None], max(0, 5 - len(steps.trace)), 0), steps.x[None]])
    titles = ["cue", *(f"sweep {k}" for k in range(1, 5)), "at rest"]
    plot_patterns(shown, (14, 10), titles, axes=axes[row])
    axes[row, 0].set_ylabel(rule)
    m = overlap(steps.trace, patterns)
    best = m[-1].argmax()
    print(f"{rule}: at rest after {steps.sweeps} sweeps, nearest letter {alphabet[best]}, overlap {m[-1, best]:.2f}")

left, right = lower.subplots(1, 2)
warm = Hopfield.store(patterns, "projection").recall(cues[1], temperature=0.15, max_sweeps=20, trace=True, rng=3)
plot_overlaps(overlap(warm.trace, patterns), alphabet, ax=left)
left.set_title("half of the D again: a run at T = 0.15 that gets out")
for heat in (0.0, 0.15):
    runs = memory.recall(np.tile(cues[1], (200, 1)), temperature=heat, max_sweeps=20, rng=4).x
    print(f"half of the D at T = {heat}: {np.mean(overlap(runs, patterns)[:, 7] > 0.95):.0%} of 200 runs find it")
loads = np.linspace(0.05, 0.2, 13)
curves = [capacity_curve(n, loads, seeds=10, rng=n) for n in (250, 1000, 4000)]
fine = np.linspace(0.05, 0.2, 500)
plot_capacity(curves, theory=(fine, mean_field_overlap(fine)), ax=right)
right.set_title("Hebb's rule forgets all at once")
for curve in curves:
    print(f"n = {curve.n}: half of the cues are lost at {curve.half_load:.3f} patterns per neuron")
figure.savefig("hopfield_letters.png", dpi=120)
