"""Digits filled in and sharpened by tilted transport, beside the exact posterior (Bruna and Han 2024).

The prior is a mixture of ten Gaussians, one a class of 8x8 digits.  Of new digits the left halves are seen, or a row,
or all of them through a blur, with noise.  The tilted start is drawn at t = 0.1, where the law is smoother: exactly, or
by a sampler of its own that certifies its draws.  The prior's own reverse process does the rest.  Needs scikit-learn.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from physlearn.models import GaussianMixture, OUProcess, measured, tilted_start, tilted_transport

images, labels = load_digits(return_X_y=True)
x = images / 8.0 - 1.0
train, classes, test = x[:1500], labels[:1500], x[1500:]
means = np.array([train[classes == c].mean(0) for c in range(10)])
covariances = np.array([np.cov(train[classes == c].T) + 0.02 * np.eye(64) for c in range(10)])
prior, process = GaussianMixture(means, covariances), OUProcess()

NOISE = 0.5
line = np.exp(-0.5 * (np.arange(8)[:, None] - np.arange(8)) ** 2)
line /= line.sum(1, keepdims=True)
left, row = np.eye(64)[np.arange(64) % 8 < 4], np.eye(64)[24:32]
tasks = [("half", left, 3), ("half", left, 11), ("a row", row, 20)]
tasks += [("blurred", np.kron(line, line), digit) for digit in (3, 37, 52)]
rng = np.random.default_rng(0)
figure, axes = plt.subplots(6, 6, figsize=(7, 7.2), layout="constrained")
for k, (what, sensor, digit) in enumerate(tasks):
    y = sensor @ test[digit] + NOISE * rng.standard_normal(len(sensor))
    tilt, start, t, n, worth = measured(sensor, y, NOISE), "exact", 0.1, 400, ""
    if what == "a row":  # of few pixels the tilt is weak enough for a sampler
        t, n = 0.05, 150
        start = tilted_start(process, prior, tilt, t, n, steps=40, rng=0)
        worth = f", start by a sampler, worth {start.effective:.0f} of {n} draws, certified: {start.certified}"
    draws = tilted_transport(process, prior, tilt, t, n, dt=0.005, rng=k, start=start)
    exact = tilt.of(prior)
    off = np.max(np.abs(draws.mean(0) - exact.mean) / np.sqrt(np.diag(exact.covariance)))
    print(f"{what}: time limit {tilt.limit(process):.3f}, mean within {off:.2f} deviations{worth}")
    cue = np.where(sensor.any(0), sensor.T @ y if what != "blurred" else y, np.nan)
    pictures = [test[digit], cue, draws[0], draws[1], draws.mean(0), exact.mean]
    for ax, picture in zip(axes[k], pictures, strict=True):
        ax.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=-1, vmax=1)
        ax.set(xticks=[], yticks=[])
    axes[k, 0].set_ylabel(what, fontsize=8)
for ax, title in zip(axes[0], ["digit", "seen", "a draw", "another", "mean", "exact mean"], strict=True):
    ax.set_title(title, fontsize=9)
figure.savefig("tilted_digits.png", dpi=120)
