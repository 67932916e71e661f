"""A diffusion model learns Ising configurations and draws new ones: energies and magnetisations beside Monte Carlo.

The spins are real numbers on the way back, and their signs at the end.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, ExactGradient, learn, sample
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Silu
from physlearn.models import DiffusionModel, Ising, NoiseSchedule, two_sample

SIDE, T, STEPS, WIDTH = 6, 2.6, 3000, 192
model = Ising.square(SIDE)
spins = sample(model, temperature=T, n_samples=200, chains=100, thin=10, rng=0).x.reshape(-1, SIDE, SIDE)
fresh = sample(model, temperature=T, n_samples=20, chains=100, thin=20, rng=1).x.reshape(-1, SIDE, SIDE)

layers = [Affine(WIDTH, "W1", "b1"), Silu(), Affine(WIDTH, "W2", "b2"), Silu(), Affine((SIDE, SIDE), "W3", "b3")]
net = Chain(Concatenate(), *layers)
schedule = NoiseSchedule.cosine(100)
first = DiffusionModel(net, schedule, "v", shape=(SIDE, SIDE), rng=0).single()
rate = Adam(WarmupCosine(2e-3, STEPS, 100))
done = learn(first, first.batches(spins), rule=ExactGradient(), cost=first.cost, optimizer=rate, epochs=STEPS, rng=0)
drawn = np.sign(done.machine.sample(2000, rng=1))


def energy(s):
    """Per spin."""
    return -np.mean(s * (np.roll(s, 1, 1) + np.roll(s, 1, 2)), (1, 2))


figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
for axis, quantity, name in ((left, energy, "energy per spin"), (middle, lambda s: s.mean((1, 2)), "magnetisation")):
    a, b = quantity(fresh), quantity(drawn.astype(float))
    width = 4 / SIDE**2 if axis is left else 4 / SIDE**2
    edges = np.arange(-2 - width / 2, 1.5, width) if axis is left else np.arange(-1 - width / 2, 1 + width, width)
    axis.hist(a, edges, density=True, histtype="step", color="k", label="Monte Carlo")
    axis.hist(b, edges, density=True, alpha=0.5, label="diffusion model")
    axis.set(xlabel=name, ylabel="density")
    error = np.sqrt(a.var() / len(a) + b.var() / len(b))
    print(
        f"{name}: Monte Carlo {a.mean():.3f} ({a.std():.3f}), model {b.mean():.3f} ({b.std():.3f}), error {error:.3f}"
    )
left.legend()
for name in ("energy", "mmd"):
    test = two_sample(drawn[:1000], fresh[::2], distance=name, rng=0)
    print(f"{name} test of whole configurations: distance {test.distance:.4f}, p {test.p_value:.2f}")
tiles = drawn[:24].reshape(4, 6, SIDE, SIDE)
right.imshow(
    np.pad(tiles, ((0, 0), (0, 0), (0, 1), (0, 1))).transpose(0, 2, 1, 3).reshape(4 * (SIDE + 1), -1), cmap="gray"
)
right.set(title="drawn by the model", xticks=[], yticks=[])
figure.savefig("ising_by_diffusion.png", dpi=120)
