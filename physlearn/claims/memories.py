"""Claims on associative memories and Boltzmann machines."""

from __future__ import annotations

import math

import numpy as np

from physlearn.claims.claim import Claim, over_chains


def _recalled(load, scale, rng, *, n=2000):
    """Overlaps of patterns with the states that recall from them ends in, (runs, cues)."""
    from physlearn.models import Hopfield, overlap, random_patterns

    runs = []
    for _ in range(6 * scale):
        patterns = random_patterns(round(load * n), n, rng=rng)
        found = Hopfield.store(patterns).recall(patterns[:8], max_sweeps=200, rng=rng)
        runs.append(np.diagonal(overlap(np.asarray(found.x), patterns[:8])))
    return over_chains(runs)


def first_step(scale, rng):
    """Fraction of neurons whose field points away from a stored pattern, load 0.135."""
    from physlearn.models import Hopfield, random_patterns

    wrong = []
    for _ in range(10 * scale):
        patterns = random_patterns(135, 1000, rng=rng)
        wrong.append(np.mean(Hopfield.store(patterns).field(patterns) * patterns < 0))
    return over_chains(np.array(wrong)[:, None])


def mixture_of_three(scale, rng):
    """Overlap of the majority of three patterns with each, after recall from it."""
    from physlearn.models import Hopfield, overlap, random_patterns

    runs = []
    for _ in range(10 * scale):
        patterns = random_patterns(5, 2000, rng=rng)
        found = Hopfield.store(patterns).recall(np.sign(patterns[:3].sum(0)), rng=rng)
        runs.append(overlap(np.asarray(found.x).ravel(), patterns[:3]).mean())
    return over_chains(np.array(runs)[:, None])


def capacity_of_mean_field(scale, rng):
    """Critical load at T = 0."""
    from physlearn.models import critical_load

    return critical_load(0.0)[0]


def overlap_at_capacity(scale, rng):
    """Overlap there."""
    from physlearn.models import critical_load

    return critical_load(0.0)[1]


def attention_is_recall(scale, rng):
    """Largest difference of a memory's update from softmax attention over its patterns, and from PyTorch's formula."""
    from physlearn.models import ModernHopfield, attention

    stored, queries = rng.standard_normal((20, 16)), rng.standard_normal((50, 16))
    weight = np.exp(0.7 * queries @ stored.T)
    by_hand = weight / weight.sum(1, keepdims=True) @ stored
    ours = ModernHopfield(stored, beta=0.7).update(queries)
    return max(np.abs(ours - by_hand).max(), np.abs(attention(queries, stored, stored, beta=0.7) - by_hand).max())


def one_update_suffices(scale, rng):
    """Distance from a stored pattern after one update from a noisy cue, 32 dimensions, 1,000 patterns on a sphere."""
    from physlearn.models import ModernHopfield

    stored = rng.standard_normal((1000, 64))
    stored *= 8.0 / np.linalg.norm(stored, axis=1, keepdims=True)
    cues = stored + 0.2 * rng.standard_normal(stored.shape)
    return np.linalg.norm(ModernHopfield(stored, beta=1.0).update(cues) - stored, axis=1).max() / 8.0


def importance_sampling(scale, rng):
    """log Z by annealed importance sampling less that by enumeration, 12 hidden units."""
    from physlearn.models import RBM

    machine = RBM(20, 12, scale=0.5, rng=rng)
    exact = machine.log_z("exact").value
    found = [machine.log_z("ais", steps=1000, chains=50 * scale, rng=rng).value - exact for _ in range(6)]
    return over_chains(np.array(found)[:, None])


def _mnist_rbm(k):
    """Mean test log-likelihood of 500 hidden units after contrastive divergence with k sweeps."""

    def measure(scale, rng, data):
        from physlearn import SGD, ContrastiveDivergence, learn
        from physlearn.io import read_images
        from physlearn.models import RBM

        images = read_images(data, "MNIST")
        seen, test = ((x.reshape(-1, 784) / 255 > 0.5).astype(float) for x in (images.images, images.test_images))
        machine = RBM(784, 500, rng=rng)
        rule = ContrastiveDivergence(k)
        optimizer = SGD(lambda epoch: 0.05 / (1 + 0.05 * epoch), momentum=0.5)
        done = learn(machine, {"v": seen}, rule=rule, optimizer=optimizer, epochs=100, batch=100, rng=rng)
        found = done.machine.log_likelihood(test, "ais", steps=10_000, chains=100, rng=rng)
        return float(np.mean(found.value)), float(found.error)

    return measure


MEMORIES = (
    Claim(
        "capacity",
        "Hebb's rule at T = 0: critical load of the mean field",
        "Amit, Gutfreund and Sompolinsky 1987",
        0.138,
        capacity_of_mean_field,
        5e-4,
        "three digits printed",
        unit="patterns per neuron",
    ),
    Claim(
        "capacity-overlap",
        "overlap at the critical load",
        "Amit, Gutfreund and Sompolinsky 1987",
        0.967,
        overlap_at_capacity,
        5e-4,
        "three digits printed",
    ),
    Claim(
        "recall-0.10",
        "Hebb's rule, 2,000 neurons, load 0.10: overlap after recall",
        "Amit, Gutfreund and Sompolinsky 1987 (fixed point)",
        0.997999,
        lambda s, rng: _recalled(0.10, s, rng),
        5e-4,
        "2,000 neurons",
    ),
    Claim(
        "recall-0.12",
        "Hebb's rule, 2,000 neurons, load 0.12: overlap after recall",
        "Amit, Gutfreund and Sompolinsky 1987 (fixed point)",
        0.993223,
        lambda s, rng: _recalled(0.12, s, rng),
        2e-3,
        "2,000 neurons",
    ),
    Claim(
        "first-step",
        "Hebb's rule, load 0.135: neurons wrong in the first step",
        "Hopfield 1982; Amit et al. 1987",
        0.5 * math.erfc(1 / math.sqrt(2 * 0.135)),
        first_step,
        1.5e-4,
        "1,000 neurons",
    ),
    Claim(
        "mixture-of-three",
        "symmetric mixture of three patterns: overlap with each",
        "Amit, Gutfreund and Sompolinsky 1985",
        0.5,
        mixture_of_three,
        0.005,
        "5 patterns on 2,000 neurons",
    ),
    Claim(
        "attention",
        "update of a continuous memory less softmax attention: largest difference",
        "Ramsauer et al. 2021, eq. 3",
        0.0,
        attention_is_recall,
        1e-12,
        "rounding",
    ),
    Claim(
        "one-update",
        "1,000 patterns in 64 dimensions: relative distance after one update",
        "Ramsauer et al. 2021, theorem 4",
        0.01,
        one_update_suffices,
        relation="at most",
    ),
    Claim(
        "importance",
        "log Z of a restricted Boltzmann machine: annealed importance less enumeration",
        "Neal 2001",
        0.0,
        importance_sampling,
        unit="nats",
    ),
    *(
        Claim(
            f"mnist-cd-{k}",
            f"500 hidden units on MNIST, CD-{k}: test log-likelihood",
            "Salakhutdinov and Murray 2008, table 1",
            nats,
            _mnist_rbm(k),
            3.0,
            "settings of the training that the paper leaves open",
            unit="nats",
            needs="MNIST",
            hours=True,
        )
        for k, nats in ((1, -125.5), (3, -105.5), (25, -86.3))
    ),
)
