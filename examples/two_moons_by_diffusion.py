"""A diffusion model learns two moons: noise becomes data along the way back, by chance or by a flow.

The loss in bands of steps tells where the model is still above what is possible; two tests ask whether its draws and
fresh data could be of one law.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, ExactGradient, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Silu
from physlearn.models import DiffusionModel, NoiseSchedule, two_sample

STEPS = 5000


def moons(n, seed):
    """Two half circles that interlock, with noise 0.05 before they are standardised."""
    rng = np.random.default_rng(seed)
    angle, upper = np.pi * rng.random(n), rng.random(n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)), np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    x = np.stack(x, 1) + 0.05 * rng.standard_normal((n, 2))
    return (x - [0.5, 0.25]) / [0.868, 0.496]


layers = [Affine(128, "W1", "b1"), Silu(), Affine(128, "W2", "b2"), Silu(), Affine(2, "W3", "b3")]
net, schedule = Chain(Concatenate(), *layers), NoiseSchedule.cosine(100)
model = DiffusionModel(net, schedule, "v", shape=2, features=6, rng=0).single()
data, fresh = moons(4000, 0), moons(1000, 1)
rate = Adam(WarmupCosine(6e-3, STEPS, 100))
model = learn(
    model, model.batches(data), rule=ExactGradient(), cost=model.cost, optimizer=rate, epochs=STEPS, rng=0
).machine

figure, axes = plt.subplots(1, 4, figsize=(14, 4.2), layout="constrained")
axes[0].plot(*fresh.T, ".", ms=2, color="0.4")
axes[0].set_title("fresh data")
for axis, (method, steps) in zip(axes[1:], [("ancestral", 100), ("ddim", 20), ("flow", 50)], strict=True):
    x = model.sample(1000, method=method, steps=steps, rng=1)
    test = two_sample(x, fresh, rng=2)
    nearest = np.median([np.min(np.linalg.norm(data - point, axis=1)) for point in x])
    print(
        f"{method:9} {steps:3} steps: energy distance {test.distance:.4f} (p {test.p_value:.2f}), to data {nearest:.3f}"
    )
    axis.plot(*x.T, ".", ms=2, color="C0")
    axis.set_title(f"{method}, {steps} steps")
for axis in axes:
    axis.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", xlabel="x")
axes[0].set_ylabel("y")
for band in model.losses(data, bands=5, rng=3):
    print(f"steps {band.first:2} to {band.last:2}: loss of v {band.loss:.3f} +- {band.error:.3f}")
figure.savefig("two_moons_by_diffusion.png", dpi=120)
