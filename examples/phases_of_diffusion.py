"""On the way back from noise, first a class is chosen, then a datum is copied (Biroli et al. 2024).

Left: two clones that part at time t end in the same of two classes, measured by their paths and in theory.  Right: the
weight of a datum in the posterior of its own noised form falls from 1 (copies) to 0 around the collapse time.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import integrate, reverse
from physlearn.models import GaussianMixture, OUProcess, clones_agree, collapse_time, own_weight, speciation_time

D, PATHS = 16, 1500
process, m = OUProcess(), np.ones(D)
law = GaussianMixture([m, -m], 1.0)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")

back, times = reverse(process, process.score_of(law), 1.0), np.arange(0.4, 3.3, 0.4)
agree = []
for t in times:
    parting = process.noised(law, t).sample(PATHS, rng=1)
    ends = [integrate(back, (0.0, t), x0=parting, dt=0.02, times=[0.0], rng=seed).final @ m > 0 for seed in (2, 3)]
    agree.append(np.mean(ends[0] == ends[1]))
fine = np.linspace(0.1, 3.4, 60)
left.plot(fine, [clones_agree(np.sqrt(D) * np.exp(-t)) for t in fine], "k", label="theory")
left.plot(times, agree, "o", label=f"{PATHS} pairs of paths")
t_s = 0.5 * np.log(D)
left.axvline(t_s, ls=":", color="0.5")
left.axhline(0.7752, ls=":", color="0.5")
left.set(xlabel="time of parting t", ylabel="both end in one class", title=f"speciation at {t_s:.2f}")
left.legend()
worst = np.max(np.abs(agree - np.array([clones_agree(np.sqrt(D) * np.exp(-t)) for t in times])))
print(
    f"speciation: largest difference to theory {worst:.3f}; time from data {speciation_time(law.sample(4000, 5)):.2f}"
)

for n, d in ((500, 16), (3000, 16), (500, 32)):
    data = np.random.default_rng(0).standard_normal((n, d))
    t_c = collapse_time(n, d)
    t = np.linspace(0.3, 2.5, 12) * t_c
    (curve,) = right.plot(t, [own_weight(data, s, rng=1) for s in t], label=f"n = {n}, d = {d}")
    right.axvline(t_c, ls=":", color=curve.get_color())
right.axhline(0.5, ls=":", color="0.5")
right.set(xlabel="t", ylabel="own weight of a datum", title="collapse (dotted: formula)")
right.legend()
figure.savefig("phases_of_diffusion.png", dpi=120)
