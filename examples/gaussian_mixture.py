"""The energy of a Gaussian mixture learnt from samples, and samples drawn from what was learnt.

Denoising score matching blurs the data and asks the force to point back; no state is sampled while it
learns.  It does not know that there are five wells and takes twelve; the blur shrinks in three stages, so
that wells which start together part.  Annealed Langevin dynamics then draws: the temperature falls from
20 to 1, so that walkers spread before the wells close.  Scores see the shape of each well, but hardly how
much it holds where wells do not touch: compare the crowds.
(Vincent 2011; Song and Ermon 2019.)
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, DenoisingScoreMatching, Energy, Real, learn, sample
from physlearn.terms import Mixture

rng = np.random.default_rng(0)
term, wells = Mixture("x"), 5
angle = 2 * np.pi * np.arange(wells) / wells
truth = {
    "logits": np.log(np.arange(1.0, wells + 1)),
    "means": 4 * np.stack([np.cos(angle), np.sin(angle)], 1),
    "precisions": np.full(wells, 3.0),
}
data = term.draw(truth, 4000, rng)

start = {"logits": np.zeros(12), "means": rng.choice(data, 12), "precisions": np.ones(12)}
energy = Energy({"x": (Real(), 2)}, [term], start)
optimizer = Adam(lambda epoch: 0.03 if epoch < 20 else 0.003, bounds={"precisions": (0.05, 20.0)})
for sigma in (2.0, 1.0, 0.3):
    rule = DenoisingScoreMatching(sigma)
    energy = learn(energy, {"x": data}, rule=rule, optimizer=optimizer, batch=100, epochs=30, rng=rng).system

blurred = term.blurred(truth, sigma)  # what remains of the truth: the density of the blurred data
at = {"x": term.draw(blurred, 4000, rng)}
known = term.field(at, blurred, "x")
error = np.linalg.norm(energy.field(at, "x") - known) / np.linalg.norm(known)
print(f"learnt against known score: relative error {error:.3f}")

x = rng.uniform(-6, 6, (500, 2))
for temperature in np.geomspace(20, 1, 15):
    options = {"method": "ula", "step": 0.05, "chains": len(x), "warmup": 100, "rng": rng}
    x = sample(energy, temperature=temperature, n_samples=1, x0=x, **options).final["x"]

grid = np.linspace(-7, 7, 201)
landscape = energy(np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)).reshape(201, 201)
figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharex=True, sharey=True, layout="constrained")
axes[0].plot(*data.T, ".", ms=1)
axes[1].contourf(grid, grid, landscape, levels=np.linspace(0, 25, 26), extend="max")
axes[2].plot(*x.T, ".", ms=3)
for ax, title in zip(axes, ("data", "learnt energy", "annealed Langevin draws"), strict=True):
    ax.set(title=title, aspect="equal")
figure.savefig("gaussian_mixture.png", dpi=150)
