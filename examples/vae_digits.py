"""A variational autoencoder of handwritten digits: numbers drawn from noise, and paths from one digit to another.

The noise of a code is a clamped layer, drawn anew for every batch, so that the bound on the likelihood falls by the
exact gradient of one graph.  Each of the codes' 8 numbers costs nats; those that say nothing of the image are left at
the prior.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from physlearn import Adam, ExactGradient, learn
from physlearn.learning import WarmupCosine
from physlearn.models import VariationalAutoencoder

LATENT, STEPS = 8, 1000
images, digit = load_digits(return_X_y=True)
images = images / 16
train, test = images[:1500], images[1500:]
model = VariationalAutoencoder(64, LATENT, hidden=(128,), rng=0)
single = {name: value.astype(np.float32) for name, value in model.theta.items()}
model = VariationalAutoencoder(64, LATENT, hidden=(128,), theta=single)
optimizer = Adam(WarmupCosine(3e-3, STEPS))
task = dict(rule=ExactGradient(), cost=model.cost, optimizer=optimizer, epochs=STEPS, rng=0, progress=False)
model = learn(model, model.batches(train, 100), **task).machine

means, spreads = model.encode(test)
nats = 0.5 * np.mean(means**2 + spreads**2 - 2 * np.log(spreads) - 1, 0)
pixels = np.clip(train.mean(0), 1e-3, 1 - 1e-3)
alone = np.mean(np.sum(test * np.log(pixels) + (1 - test) * np.log(1 - pixels), 1))
print(f"bound on the log-likelihood of new digits {model.elbo(test, draws=10, rng=0).mean():.1f} nats; of pixels alone")
print(f"{alone:.1f}; nats in each number of a code {np.sort(nats)[::-1].round(2)}")
drawn = model.generate(1000, rng=1)
kinds = np.bincount(SVC().fit(train, digit[:1500]).predict(drawn), minlength=10)
print(f"1,000 drawn, as another program reads them: {kinds} of the digits 0 to 9")

pairs = [(0, 1), (3, 8), (7, 4)]
paths = []
for a, b in pairs:
    one, other = (test[np.flatnonzero(digit[1500:] == k)[0]] for k in (a, b))
    paths.append(model.interpolate(one, other, 10, path="sphere"))
rows = [*drawn[:20].reshape(2, 10, 64), *paths]
figure, axes = plt.subplots(5, 10, figsize=(8, 4.2), layout="constrained")
for axis, picture in zip(axes.ravel(), np.concatenate(rows), strict=True):
    axis.imshow(picture.reshape(8, 8), vmin=0, vmax=1, cmap="viridis")
    axis.set(xticks=[], yticks=[])
for row, name in enumerate(("drawn", "drawn", *(f"{a} to {b}" for a, b in pairs))):
    axes[row, 0].set_ylabel(name)
figure.savefig("vae_digits.png", dpi=130)
