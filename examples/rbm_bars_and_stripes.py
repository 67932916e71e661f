"""A restricted Boltzmann machine learns bars and stripes, and its likelihood is exact at every stage.

The 30 patterns of 4 x 4 pixels are equally likely, so no model has a summed log-likelihood above
30 log(1/30) = -102.04.  At the end the machine completes patterns of which it sees only the upper half.
"""

import matplotlib.pyplot as plt
import numpy as np

from physlearn import SGD, PersistentContrastiveDivergence, learn
from physlearn.models import RBM

K, EPOCHS = 4, 20_000
bits = (np.arange(2**K)[:, None] >> np.arange(K)) & 1
stripes = [np.repeat(row[None], K, 0) for row in bits]
patterns = np.unique([p.ravel() for p in stripes + [s.T for s in stripes]], axis=0).astype(float)

rbm = RBM(K * K, 12, scale=0.1, rng=0)
epochs, likelihood, training = [0], [rbm.log_likelihood(patterns).value.sum()], None
for end in np.unique(np.geomspace(100, EPOCHS, 25).astype(int)):
    training = learn(
        rbm,
        {"v": patterns},
        rule=PersistentContrastiveDivergence(k=5, chains=500, precision="single"),
        optimizer=SGD(lambda epoch: 0.1 * (1 - epoch / EPOCHS)),
        epochs=int(end) - epochs[-1],
        batch=None,
        rng=0,
        resume=training,
    )
    rbm = training.machine
    epochs.append(int(end))
    likelihood.append(rbm.log_likelihood(patterns).value.sum())
print(f"summed log-likelihood {likelihood[0]:.1f} -> {likelihood[-1]:.2f}, bound {-30 * np.log(30):.2f}")

half = np.where(np.arange(K * K) < K * K // 2, patterns[[3, 8, 13, 20, 25]], np.nan)
whole = rbm.generate(len(half), known=half, sweeps=200, rng=1)
right = (whole[:, None] == patterns).all(2).any(1).sum()
print(f"{right} of {len(whole)} completed halves are bars or stripes")

figure = plt.figure(figsize=(8, 3), layout="constrained")
left, other = figure.subfigures(1, 2, width_ratios=(1, 1.2))
axis = left.subplots()
axis.plot(epochs[1:], likelihood[1:], marker=".")
axis.axhline(-30 * np.log(30), color="0.5", ls="--")
axis.set(xscale="log", xlabel="epoch", ylabel="summed log-likelihood (nats)")
for axes, seen, drawn in zip(other.subplots(2, len(half)).T, half, whole, strict=True):
    for axis, image in zip(axes, (seen, drawn), strict=True):
        axis.imshow(image.reshape(K, K), cmap="viridis", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
other.suptitle("clamped half (above), completed (below)", fontsize=9)
figure.savefig("rbm_bars_and_stripes.png", dpi=150)
