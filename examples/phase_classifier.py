"""A phase as an answer: a soup of five molecules learns which of two phases it condenses into.

Input are the concentrations, output is the phase of least grand potential.  The energies of contact learn by a contrast
of phases: molecules of the wanted phase attract each other, those of the other let go.  The boundary is that of the
closed mean field; soups of 30 sites, sampled, fall on the same side of it.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import tempering
from physlearn.models import Condensates

rng, weights = np.random.default_rng(0), np.array([1.0, 0.4, -0.7, -1.0, 0.0])  # species 5 says nothing
c = np.exp(rng.uniform(-4.5, -1.5, (800, 5)))
labels = (c @ weights < 0).astype(int)
group = np.array([[1.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0]])
soups = {"untaught": Condensates(-7.0 * group.T @ group, 0.9 * group / group.sum(1, keepdims=True))}
soups["taught"] = soups["untaught"].taught(c[:400], labels[:400], sites=50, lr=6.0, steps=150)

figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
line = np.linspace(-4.5, -1.5, 61)
x, y = np.meshgrid(line, line)
plane = np.full((x.size, 5), np.exp(-3.0))
plane[:, 0], plane[:, 2] = np.exp(x.ravel()), np.exp(y.ravel())
for ax, (name, soup) in zip(axes, soups.items(), strict=False):
    right = np.mean(soup.answer(c[400:]) == labels[400:])
    print(f"{name}: {right:.3f} of the held-out mixtures fall into the right phase")
    potential = soup.phases(plane).potential
    ax.contourf(x, y, np.argmin(potential, 1).reshape(x.shape), levels=[-0.5, 0.5, 1.5], colors=["C0", "C1"], alpha=0.3)
    ax.contour(x, y, (plane @ weights).reshape(x.shape), levels=[0], colors="k", linestyles="--")
    ax.set(xlabel="ln $c_1$", ylabel="ln $c_3$", title=f"{name}, {right:.1%} right (dashed: the rule)")
places, agree = np.exp(rng.uniform(-4.0, -1.8, (12, 5))), 0
for k, mixture in enumerate(places):
    soup = soups["taught"]
    drawn = tempering(soup.energy(mixture, 30), temperatures=np.linspace(1.0, 2.0, 6), n_samples=200, rng=k)
    counts = np.array([np.sum(drawn.x[0] == species) for species in range(1, 6)])
    found, wanted = int(counts[:2].sum() < counts[2:4].sum()), soup.answer(mixture[None])[0]
    agree += found == wanted
print(f"sampled soups agree with the mean field in {agree} of {len(places)} mixtures")
for k, phi in enumerate(soups["taught"].phases(c[400:]).phi.mean(0)):
    axes[2].bar(np.arange(1, 6) + 0.4 * k - 0.2, phi, 0.4, label=f"phase {k + 1}")
axes[2].set(xlabel="species", ylabel="fraction", title="compositions are weights")
axes[2].legend()
figure.savefig("phase_classifier.png", dpi=120)
