"""Kernel PCA, local linear embedding and kernel densities, by scikit-learn on data of this library.

Spins of a magnet at many temperatures: the first axis of a kernel's features is the magnetisation.  Node voltages of a
network whose two inputs go round a circle: the embedding finds the circle.  A kernel density is the law of data with
noise on them: `GaussianMixture` of the data, which has its score and its denoiser too.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.neighbors import KernelDensity

from circuits import ResistorNetwork
from physlearn import relax, sample
from physlearn.models import GaussianMixture, Ising

spins, heat = [], np.repeat(np.linspace(1.5, 3.5, 12), 20)
for k, temperature in enumerate(np.unique(heat)):
    drawn = sample(
        Ising.square(16), temperature=temperature, chains=20, n_samples=1, warmup=300, method="swendsen_wang", rng=k
    )
    spins.append(drawn.x.reshape(20, -1))
spins = np.concatenate(spins).astype(float)
axis = KernelPCA(2, kernel="rbf", gamma=1e-3).fit_transform(spins)[:, 0]
m = spins.mean(1)
print(f"kernel PCA: correlation of the first axis with the magnetisation {abs(np.corrcoef(axis, m)[0, 1]):.4f}")

angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
graph = nx.grid_2d_graph(6, 6)
net = ResistorNetwork(graph, conductance=1.0, ground=(0, 0), inputs=[(5, 5), (0, 5)])
volts = relax(net, clamp={"input": np.stack([np.cos(angle), np.sin(angle)], 1)}).x
volts = np.tanh(3 * volts)  # what amplifiers that saturate show of it: a closed curve in 36 dimensions
flat = LocallyLinearEmbedding(n_neighbors=10, n_components=2).fit_transform(volts)
flat = flat / flat.std(0)
turned = np.unwrap(np.arctan2(*(flat - flat.mean(0)).T))
print(
    f"embedding: it goes round {abs(turned[-1] - turned[0]) / (2 * np.pi) + 1 / 300:.2f} times while the inputs do once"
)

data, width = flat, 0.3
places = np.random.default_rng(0).normal(size=(50, 2))
law = GaussianMixture(data, width**2)
gap = np.abs(law.log_density(places) - KernelDensity(bandwidth=width).fit(data).score_samples(places)).max()
print(f"density: largest difference of the two logarithms {gap:.1e}")
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
shown = axes[0].scatter(m, axis, c=heat, s=8, cmap="coolwarm")
axes[0].set(xlabel="magnetisation", ylabel="first axis of kernel PCA")
figure.colorbar(shown, ax=axes[0], label="temperature")
shown = axes[1].scatter(*flat.T, c=angle, s=8, cmap="twilight")
axes[1].set(xlabel="first coordinate", ylabel="second", title="voltages, embedded")
figure.colorbar(shown, ax=axes[1], label="angle of the inputs")
figure.savefig("kernels_and_manifolds.png", dpi=130)
