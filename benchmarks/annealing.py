"""Annealing against dwave-samplers (`pip install dwave-samplers dimod`): sweeps per processor second, best energies.

Three problems: the Sherrington-Kirkpatrick glass (N = 1000), a Max-Cut like G1 (800 vertices, 19,176 edges of weight
1) and the +-J Edwards-Anderson glass on a periodic cube (L = 10).  Sweeps per second: 32 reads of 1,000 sweeps
over the same geometric range of temperatures for both.  Energies: what either finds in the same processor time,
over several seeds: ours with its own default range (geometric) and the adaptive schedule, theirs with their
default range and with the range above.

    python benchmarks/annealing.py [seeds=10] [seconds=4]
"""

import sys
from functools import partial

from common import processor_time, seconds, table  # isort: skip (sets thread counts first)

import numpy as np

from physlearn import Energy, Spin
from physlearn.dynamics import anneal
from physlearn.terms import Pairs

READS, SWEEPS = 32, 1000


def sherrington_kirkpatrick(rng, n=1000):
    i, j = np.triu_indices(n, 1)
    return n, i, j, rng.normal(size=i.size) / np.sqrt(n), (0.2, 8.0)


def max_cut(rng, n=800, edges=19_176):
    i, j = np.triu_indices(n, 1)
    kept = rng.choice(i.size, edges, replace=False)
    return n, i[kept], j[kept], -np.ones(edges), (0.02, 2.0)


def edwards_anderson(rng, length=10):
    site = np.arange(length**3).reshape(length, length, length)
    i = np.tile(site.ravel(), 3)
    j = np.concatenate([np.roll(site, -1, axis).ravel() for axis in range(3)])
    return length**3, i, j, rng.choice([-1.0, 1.0], i.size), (0.1, 3.0)


PROBLEMS = {
    "SK, N = 1000": sherrington_kirkpatrick,
    "Max-Cut, 800 vertices": max_cut,
    "EA +-J, 10 x 10 x 10": edwards_anderson,
}


def best_in(budget, run, first_seed):
    """Lowest energy of as many calls as fit into a budget of processor seconds (at least one), and their time."""
    best, spent, seed = np.inf, 0.0, first_seed
    while spent < budget:
        start = processor_time()
        best = min(best, run(seed))
        spent += processor_time() - start
        seed += 1
    return best, spent


def main(seeds=10, budget=4.0):
    import dimod
    from dwave.samplers import SimulatedAnnealingSampler

    rates, energies = [], []
    for name, make in PROBLEMS.items():
        n, i, j, coupling, (hottest, coldest) = make(np.random.default_rng(12345))
        energy = Energy({"s": (Spin(), n)}, [Pairs("s", np.stack([i, j], 1), n)], {"J": coupling})
        model = dimod.BinaryQuadraticModel.from_numpy_vectors(np.zeros(n), (i, j, -coupling), 0.0, "SPIN")
        sampler = SimulatedAnnealingSampler()
        schedule = 1.0 / np.geomspace(hottest, coldest, SWEEPS)

        def ours(seed, reads=READS, schedule=schedule, energy=energy, **range_of):
            return anneal(energy, schedule, reads=reads, rng=seed, **range_of).energy

        def theirs(seed, reads=READS, model=model, sampler=sampler, beta_range=(hottest, coldest)):
            return sampler.sample(
                model, num_reads=reads, num_sweeps=SWEEPS, seed=seed, beta_range=beta_range
            ).first.energy

        ours(0, reads=2), ours(0)  # compile
        for reads in (4, READS):
            rate, peer_rate = (reads * SWEEPS / seconds(partial(run, 1, reads), 3)[0] for run in (ours, theirs))
            rates.append((name, reads, f"{rate:,.0f}", f"{peer_rate:,.0f}", f"{rate / peer_rate:.1f}"))
        ours(0, schedule="geometric"), ours(0, schedule="adaptive")
        runs = {
            "ours, geometric": partial(ours, reads=16, schedule="geometric", sweeps=SWEEPS),
            "ours, adaptive": partial(ours, reads=16, schedule="adaptive", sweeps=SWEEPS),
            "dwave, own range": partial(theirs, reads=4, beta_range=None),
            "dwave, range as above": partial(theirs, reads=4),
        }
        for who, run in runs.items():
            found = [best_in(budget, run, 1 + 10_000 * k) for k in range(seeds)]
            best, spent = (np.array(column) for column in zip(*found, strict=True))
            energies.append((name, who, f"{best.mean():.2f}", f"{best.min():.2f}", f"{spent.mean():.1f}"))
    table(
        f"Sweeps per processor second, {SWEEPS:,} sweeps a read",
        rates,
        ("problem", "reads", "ours", "dwave-samplers", "ratio"),
    )
    table(
        f"Best energy in {budget:g} processor seconds, {seeds} seeds",
        energies,
        ("problem", "sampler", "mean over seeds", "lowest", "seconds used"),
    )


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, float), sys.argv[1:], strict=False)))
