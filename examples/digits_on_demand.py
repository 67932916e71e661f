"""One diffusion model of 8x8 digits draws what it is asked for; guidance makes it clearer, and less like the data.

A classifier that has seen the data only says how many draws are what was asked for.  Needs scikit-learn.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from physlearn import Adam, ExactGradient, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Silu
from physlearn.models import DiffusionModel, NoiseSchedule, two_sample

STEPS, WIDTH = 3000, 256
x, label = load_digits(return_X_y=True)
x = x / 8 - 1
layers = [Affine(WIDTH, "W1", "b1"), Silu(), Affine(WIDTH, "W2", "b2"), Silu(), Affine(64, "W3", "b3")]
net, schedule = Chain(Concatenate(), *layers), NoiseSchedule.cosine(100)
model = DiffusionModel(net, schedule, "v", shape=64, condition=10, rng=0).single()
batches = model.batches(x, 128, condition=np.eye(10)[label], drop=0.1)
rate = Adam(WarmupCosine(2e-3, STEPS, 100))
model = learn(model, batches, rule=ExactGradient(), cost=model.cost, optimizer=rate, epochs=STEPS, rng=0).machine

judge = KNeighborsClassifier(3).fit(x, label)
asked = np.repeat(np.arange(10), 40)
figure, axes = plt.subplots(1, 3, figsize=(12, 4.6), layout="constrained")
for axis, w in zip(axes, (0.0, 0.5, 2.0), strict=True):
    drawn = model.sample(400, condition=np.eye(10)[asked], guidance=w, rng=1)
    right = np.mean(judge.predict(drawn) == asked)
    spread = np.mean([drawn[asked == k].std(0).mean() for k in range(10)])
    test = two_sample(drawn, x[:400], rng=0)
    print(f"guidance {w:.1f}: {right:.0%} as asked for; spread {spread:.3f}, energy distance {test.distance:.3f}")
    tiles = np.pad(drawn.reshape(10, 40, 8, 8)[:, :8], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-1)
    axis.imshow(tiles.transpose(0, 2, 1, 3).reshape(100, 80), cmap="gray_r", vmin=-1, vmax=1)
    axis.set(title=f"guidance {w:.1f}: {right:.0%} right", xticks=[], yticks=10 * np.arange(10) + 4.5)
    axis.set_yticklabels(map(str, range(10)))
axes[0].set_ylabel("digit asked for")
spread = np.mean([x[label == k].std(0).mean() for k in range(10)])
print(f"spread of the data within a digit {spread:.3f}")
figure.savefig("digits_on_demand.png", dpi=120)
