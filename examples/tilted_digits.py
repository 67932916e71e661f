"""Half a digit is filled in by tilted transport, beside the exact posterior (Bruna and Han 2024).

The prior is a mixture of ten Gaussians, one a class of 8x8 digits.  The left halves of new digits are seen, with noise.
The tilted start is drawn at t = 0.1, where the law is smoother, and the prior's own reverse process does the rest.
Needs scikit-learn for its data.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from physlearn.models import GaussianMixture, OUProcess, measured, tilted_transport

images, labels = load_digits(return_X_y=True)
x = images / 8.0 - 1.0
train, classes, test = x[:1500], labels[:1500], x[1500:]
means = np.array([train[classes == c].mean(0) for c in range(10)])
covariances = np.array([np.cov(train[classes == c].T) + 0.02 * np.eye(64) for c in range(10)])
prior, process = GaussianMixture(means, covariances), OUProcess()

seen = np.flatnonzero(np.arange(64) % 8 < 4)
sensor, noise, rng = np.eye(64)[seen], 0.5, np.random.default_rng(0)
figure, axes = plt.subplots(5, 6, figsize=(7, 6), layout="constrained")
worst = []
for row, digit in enumerate(test[[3, 11, 20, 37, 52]]):
    y = digit[seen] + noise * rng.standard_normal(len(seen))
    tilt = measured(sensor, y, noise)
    draws = tilted_transport(process, prior, tilt, 0.1, 400, dt=0.005, rng=row)
    exact = tilt.of(prior)
    deviation = np.sqrt(np.diag(exact.covariance))
    worst.append(np.max(np.abs(draws.mean(0) - exact.mean) / deviation))
    cue = np.full(64, np.nan)
    cue[seen] = y
    pictures = [digit, cue, draws[0], draws[1], draws.mean(0), exact.mean]
    for ax, picture in zip(axes[row], pictures, strict=True):
        ax.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
print(f"time limit {tilt.limit(process):.3f}; means are within {max(worst):.2f} posterior deviations of the exact ones")
for ax, title in zip(axes[0], ["digit", "seen", "a draw", "another", "mean", "exact mean"], strict=True):
    ax.set_title(title, fontsize=9)
figure.savefig("tilted_digits.png", dpi=120)
