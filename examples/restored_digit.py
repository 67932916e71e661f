"""Damaged grey pictures of digits, restored by falling down an energy (a modern Hopfield network).

Sixty digits in six typefaces are stored as grey pictures.  A cue lacks its right half and is noisy everywhere; the
descent of the energy, followed by `integrate`, ends at one stored picture.  Below: the landscape on the plane
through the cue and the two nearest memories.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import integrate
from physlearn.models import ModernHopfield, energy_plane
from physlearn.plot import plot_landscape, plot_patterns

SIZE = 28
FACES = [(f, s) for f in ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono") for s in ("normal", "italic")]


def picture(digit, face, style):
    """One digit as grey levels, (28, 28), of mean 0 and length 1."""
    figure = plt.figure(figsize=(1, 1), dpi=SIZE)
    figure.text(0.5, 0.47, digit, family=face, style=style, size=64, ha="center", va="center")
    figure.canvas.draw()
    grey = 255.0 - np.asarray(figure.canvas.buffer_rgba())[..., :3].mean(-1)
    plt.close(figure)
    grey -= grey.mean()
    return grey / np.linalg.norm(grey)


pictures = np.array([picture(str(d), *face) for d in range(10) for face in FACES]).reshape(60, -1)
memory = ModernHopfield(pictures, beta=60.0)
rng = np.random.default_rng(0)
wanted = np.array([6 * d + (d % 6) for d in (2, 3, 5, 8)])
cues = pictures[wanted] + 0.03 * rng.standard_normal((4, SIZE**2))
cues.reshape(4, SIZE, SIZE)[:, :, SIZE // 2 :] = 0.0

run = integrate(memory, (0.0, 8.0), x0=cues, times=[0.0, 0.5, 1.0, 2.0, 8.0])
found = np.argmax(run.final @ pictures.T, 1)
print(f"restored {np.sum(found == wanted)} of 4; the energy falls: {bool(np.all(np.diff(run.energy, axis=0) < 0))}")
print("largest difference to the stored picture:", f"{np.max(np.abs(run.final - pictures[found])):.4f}")

figure = plt.figure(figsize=(10, 5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1.05, 1))
axes = left.subplots(4, 5)
for row in range(4):
    titles = [f"t = {t:g}" for t in run.t] if row == 0 else None
    shown = run.x[:, row].reshape(-1, SIZE, SIZE)
    plot_patterns(shown / np.abs(shown).max(axis=(1, 2), keepdims=True), titles=titles, axes=axes[row])
item = 3
second = np.argsort(cues[item] @ pictures.T)[::-1]
other = next(k for k in second if k // 6 != wanted[item] // 6)
plane = energy_plane(memory, [cues[item], pictures[wanted[item]], pictures[other]])
path = integrate(memory, (0.0, 8.0), x0=cues[item]).x
labels = ["cue", f"{wanted[item] // 6}", f"{other // 6}"]
plot_landscape(plane, paths=[path], labels=labels, ax=right.subplots()).set_title("down the energy")
figure.savefig("restored_digit.png", dpi=120)
