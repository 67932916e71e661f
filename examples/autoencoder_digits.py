"""Autoencoders squeeze handwritten digits into 8 numbers: linear, deep, and one that cleans noisy images.

A linear autoencoder can do no better than principal components, and does as well; a deep one bends.  One that learnt
with noise on its inputs gives clean images for noisy ones.  Needs scikit-learn (`pip install '.[sklearn]'` first).
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from physlearn.learning import WarmupCosine
from physlearn.sklearn import EnergyAutoencoder

CODE, NOISE, EPOCHS = 8, 0.25, 25
images = load_digits().data / 16
train, test = np.split(np.random.default_rng(0).permutation(images), [1400])
noisy = test + NOISE * np.random.default_rng(1).standard_normal(test.shape)
settings = dict(learning_rate=WarmupCosine(5e-3, EPOCHS), max_iter=EPOCHS, random_state=0)
linear = EnergyAutoencoder(CODE, **settings).fit(train)
deep = EnergyAutoencoder(CODE, hidden=(64,), activation="tanh", **settings).fit(train)
cleaner = EnergyAutoencoder(CODE, hidden=(64,), activation="tanh", noise=NOISE, **settings).fit(train)
pca = PCA(CODE).fit(train)


def through(auto, x):
    """What is left of images that went through a code."""
    return auto.inverse_transform(auto.transform(x))


def error(found):
    """Root mean square error of a pixel, of white."""
    return np.sqrt(np.mean((found - test) ** 2))


for name, auto in {"principal components": pca, "linear": linear, "deep": deep}.items():
    print(f"{name}: error of a pixel {error(through(auto, test)):.3f} from clean images")
print(f"noisy images themselves: {error(noisy):.3f}")
for name, auto in {"principal components": pca, "deep": deep, "deep, learnt with noise": cleaner}.items():
    print(f"{name}: error of a pixel {error(through(auto, noisy)):.3f} from noisy images")

rows = {
    "digit": test, "components": through(pca, test), "deep": through(deep, test),
    "noisy": noisy, "cleaned": through(cleaner, noisy),
}  # fmt: skip
figure, axes = plt.subplots(len(rows), 10, figsize=(8, 4.2), layout="constrained")
for line, (name, found) in zip(axes, rows.items(), strict=True):
    for axis, picture in zip(line, found, strict=False):
        axis.imshow(picture.reshape(8, 8), vmin=0, vmax=1, cmap="viridis")
        axis.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, fontsize=8)
figure.savefig("autoencoder_digits.png", dpi=130)
