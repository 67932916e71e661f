"""Two denoisers that have seen different data: with few they copy them, with many they agree (Kadkhodaie et al. 2023).

Pictures of one blob, drawn from the same noise: the cosine of both draws rises to one, and copies become rare.
"""

import matplotlib.pyplot as plt
import numpy as np

from physlearn import Adam, ExactGradient, learn
from physlearn.learning import WarmupCosine
from physlearn.maps import Affine, Chain, Concatenate, Silu
from physlearn.models import DiffusionModel, GaussianMixture, NoiseSchedule, ddim

DRAWS, STEPS, NUMBERS, schedule = 100, 800, [3, 10, 30, 3000], NoiseSchedule.cosine(50, most=0.98)
rng = np.random.default_rng(0)


def blobs(n):
    """Pictures of about unit variance, (n, 64)."""
    place, width = rng.uniform(1.5, 5.5, (n, 2, 1)), rng.uniform(0.8, 1.6, (n, 1))
    u, v = (np.exp(-((np.arange(8) - place[:, k]) ** 2) / (2 * width**2)) for k in (0, 1))
    return (rng.uniform(2.4, 4, (n, 1, 1)) * u[:, :, None] * v[:, None] - 0.5).reshape(n, -1)


def learnt(data):
    """The noise that a map learns to see in these data."""
    net = Chain(Concatenate(), Affine(192, "W1", "b1"), Silu(), Affine(192, "W2", "b2"), Silu(), Affine(64, "W3", "b3"))
    model = DiffusionModel(net, schedule, "v", shape=64, rng=rng).single()
    task = dict(rule=ExactGradient(), cost=model.cost, optimizer=Adam(WarmupCosine(3e-3, STEPS)), epochs=STEPS, rng=rng)
    return learn(model, model.batches(data, 128), **task).machine.predict


def closed(data):
    """The noise that these very data hold: what a map would learn without end, which copies."""
    law, s = GaussianMixture(data[:1000]), schedule.noise
    return lambda x, k: -s[k] * law.noised(schedule.signal[k], s[k] ** 2).score(x)


mean, z, rows, shown = blobs(20_000).mean(0), rng.standard_normal((DRAWS, 64)), [], []
for n in NUMBERS:
    sets = blobs(n), blobs(n)
    for kind in (learnt, closed):
        x = [ddim(kind(data), schedule, z) for data in sets]
        a, b = (v - mean for v in x)
        cosine = np.sum(a * b, 1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        apart = [np.sort(np.linalg.norm(v[:, None] - data[:1000], axis=2), 1) for v, data in zip(x, sets, strict=True)]
        rows.append((cosine.mean(), cosine.std() / np.sqrt(DRAWS), np.mean([d[:, 0] < d[:, 1] / 3 for d in apart])))
        print(f"{n:5} data, {kind.__name__:6}: cosine {rows[-1][0]:.3f} +- {rows[-1][1]:.3f}, copies {rows[-1][2]:.0%}")
        shown += [np.stack(x)[:, :6].reshape(2, 6, 8, 8)] if kind is learnt else []
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
for k, label in enumerate(("learnt", "closed form")):
    left.errorbar(NUMBERS, *np.array(rows[k::2]).T[:2], fmt="os"[k] + "-", label=f"cosine, {label}")
    left.plot(NUMBERS, [row[2] for row in rows[k::2]], "os"[k] + ":", mfc="none", label=f"copies, {label}")
left.set(xscale="log", xlabel="data of each denoiser", ylim=(-0.1, 1.1))
left.legend(loc="center left", bbox_to_anchor=(1, 0.5))
right.imshow(np.concatenate([s.transpose(0, 2, 1, 3).reshape(16, 48) for s in shown]), cmap="gray_r", vmin=-0.5)
right.set_yticks(16 * np.arange(len(NUMBERS)) + 8, [f"{n} data" for n in NUMBERS])
right.set(xticks=[], title="rows: first and second denoiser, same noise")
figure.savefig("memorise_or_generalise.png", dpi=120)
