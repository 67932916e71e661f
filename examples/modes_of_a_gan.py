"""An adversarial pair on a ring of eight Gaussians, with several seeds: which modes it makes, and how often.

A mode counts as made where at least 2 % of the draws are within three standard deviations of it.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam
from physlearn.maps import Affine, Chain, Relu
from physlearn.models import AdversarialPair, contest

SEEDS, TURNS = (3, 200) if len(sys.argv) < 3 else map(int, sys.argv[1:3])  # of four steps each
WIDTH, SPREAD = 64, 0.1
angle = 2 * np.pi * np.arange(8) / 8
centres = 2 * np.stack([np.cos(angle), np.sin(angle)], 1)
rng = np.random.default_rng(0)
data = centres[rng.integers(0, 8, 8000)] + SPREAD * rng.standard_normal((8000, 2))


def net(name, out):
    """Two hidden layers."""
    layers = [
        Affine(WIDTH, f"{name}1", f"{name}b1", scale=1.4),
        Relu(),
        Affine(WIDTH, f"{name}2", f"{name}b2", scale=1.4),
    ]
    return Chain(*layers, Relu(), Affine(out, f"{name}3", f"{name}b3"))


figure, axes = plt.subplots(2, min(SEEDS, 5), figsize=(2.7 * min(SEEDS, 5), 5), layout="constrained")
counts = []
for seed in range(SEEDS):
    pair = AdversarialPair(net("G", 2), net("D", 1), shape=2, noise=4, rng=seed)
    adam = Adam(1e-3, beta1=0.5)
    x = contest(pair, data, optimizer=adam, turns=TURNS, judge_steps=4, maker_steps=4, rng=seed).pair.make(4000, rng=0)
    apart = np.linalg.norm(x[:, None] - centres, axis=-1)
    near = apart.argmin(1)[apart.min(1) < 3 * SPREAD]
    weights = np.bincount(near, minlength=8) / len(x)
    made = np.count_nonzero(weights > 0.02)
    counts.append(made)
    print(f"seed {seed}: {made} of 8 modes, {weights.sum():.0%} of the draws near one, weights", *np.round(weights, 2))
    if seed < 5:
        axes[0, seed].plot(*centres.T, "k+")
        axes[0, seed].plot(*x[:1000].T, ".", ms=1.5)
        axes[0, seed].set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", title=f"seed {seed}: {made} modes")
        axes[1, seed].bar(range(8), weights)
        axes[1, seed].axhline(1 / 8, color="k", lw=1)
        axes[1, seed].set(xlabel="mode", ylim=(0, 0.6))
axes[1, 0].set_ylabel("share of draws")
print(f"all eight modes with {np.count_nonzero(np.array(counts) == 8)} of {SEEDS} seeds; fewest {min(counts)}")
figure.savefig("modes_of_a_gan.png", dpi=120)
