"""Spin updates per nanosecond of processor time: lattice engines beside peapods, dwave-samplers, a plain loop.

    python benchmarks/ising.py

Peers are optional: `pip install peapods dwave-samplers`; a missing one is left out of its table.
"""

import functools
import os
import time

os.environ["NUMBA_NUM_THREADS"] = "2"  # one of them is used but for `threads`
from common import processor_time, seconds, table  # isort: skip (sets thread counts first)

import numba
import numpy as np

from physlearn import enumerate_states, sample
from physlearn.dynamics.sampling.sample import start_sampler
from physlearn.models import Ising, SpinGlass

SIDE, HEAT = 1024, 2.269


@numba.njit
def plain(s, chance, sweeps):
    """What one writes in an afternoon: checkerboard Metropolis with np.random."""
    n = len(s)
    for _ in range(sweeps):
        for colour in range(2):
            for i in range(n):
                for j in range((i + colour) & 1, n, 2):
                    k = s[i, j] * (s[i - 1, j] + s[(i + 1) % n, j] + s[i, j - 1] + s[i, (j + 1) % n])
                    if k <= 0 or np.random.random() < chance[k]:
                        s[i, j] = -s[i, j]


def rate(function, updates, repeats=5):
    """Updates per processor nanosecond, median."""
    function()
    return updates / seconds(function, repeats)[0] / 1e9


def ours(model, method, sweeps, chains=1, measure=None, heat=HEAT):
    sampler = start_sampler(model, chains, np.ones(model.layers["s"].shape), None, method, 0, {})
    temperature = np.full(chains, heat)
    updates = sweeps * chains * model.layers["s"].size

    def run():
        if measure is None:
            return sampler.run(sweeps, temperature)
        for _ in range(sweeps // 10):
            sampler.run(10, temperature)
            measure(sampler)

    return rate(run, updates)


def measured(sampler):
    """Energy and magnetisation, from whatever the engine keeps."""
    if hasattr(sampler, "energies"):
        return sampler.energies(), sampler.state()["s"].mean((1, 2))
    return sampler.state()["s"].mean((1, 2))


def sampled(model, draws=200):
    """Through the verb, its start included."""
    run = functools.partial(
        sample,
        model,
        temperature=HEAT,
        n_samples=draws,
        chains=1,
        warmup=0,
        thin=10,
        x0=np.ones((SIDE, SIDE)),
        method="bitpacked",
        observe={"m": lambda x: x["s"].mean((1, 2))},
        rng=0,
    )
    return rate(run, 10 * draws * SIDE**2, 3)


def square():
    model = Ising.square(SIDE)
    normal = SpinGlass.edwards_anderson((SIDE, SIDE), disorder="gaussian", rng=0)
    fastest = ours(model, "bitpacked", 200)
    rows = [
        ["ours, bit-packed (64 spins a word)", fastest],
        ["ours, bit-packed, energy and magnetisation every 10 sweeps", ours(model, "bitpacked", 200, measure=measured)],
        ["ours, bit-packed, `sample(thin=10)` observing the magnetisation", sampled(model)],
        ["ours, checkerboard on bytes", ours(model, "bytes", 100)],
        ["ours, checkerboard, normal couplings", ours(normal, "checkerboard", 20)],
        ["ours, Swendsen-Wang", ours(model, "swendsen_wang", 4)],
    ]
    s = np.ones((SIDE, SIDE), np.int8)
    chance = np.exp(-2 * np.arange(5) / HEAT)
    rows.append(["plain numba checkerboard, np.random", rate(lambda: plain(s, chance, 5), 5 * SIDE**2)])
    try:
        from peapods import Ising as Peapods
    except ImportError:
        print("peapods is not installed")
    else:
        for mode in ("metropolis", "gibbs"):
            peer = Peapods((SIDE, SIDE), temperatures=np.array([HEAT]))
            run = functools.partial(peer.sample, 10, sweep_mode=mode, warmup_ratio=0.0)
            speed = rate(run, 10 * SIDE**2, 3)
            rows.append([f"peapods {mode} (measures every sweep)", speed])
    print_rates(f"2-D Ising, {SIDE} x {SIDE}, T = {HEAT}", rows, fastest)


def threads(turns=9, sweeps=2000):
    """Wall times of one lattice, and of two on two threads, in turns: how often the second costs nothing."""
    model = Ising.square(SIDE)
    samplers = [start_sampler(model, n, np.ones(model.layers["s"].shape), None, "bitpacked", 0, {}) for n in (1, 2)]

    def wall(n):
        start = time.perf_counter()
        samplers[n - 1].run(sweeps, np.full(n, HEAT))
        return time.perf_counter() - start

    numba.set_num_threads(2)
    wall(1), wall(2)
    walls = np.array([[wall(1), wall(2)] for _ in range(turns)])
    ratio = np.sort(2 * walls[:, 0] / walls[:, 1])
    numba.set_num_threads(1)
    one, two = np.median(walls, 0)
    rows = [["one", f"{one:.3f} s", ""]]
    rows.append(["two, on two threads", f"{two:.3f} s", f"{np.median(ratio):.2f} ({ratio[0]:.2f} to {ratio[-1]:.2f})"])
    table(f"Independent lattices, {sweeps} sweeps, wall time, {turns} turns", rows, ("lattices", "median", "speed-up"))


def glass():
    model = SpinGlass.edwards_anderson((10, 10, 10), rng=0)
    fastest = ours(model, "replicas", 2000, chains=64, heat=1.1)
    rows = [
        ["ours, 64 replicas a word", fastest],
        ["ours, checkerboard, any couplings, 64 chains", ours(model, "checkerboard", 50, chains=64, heat=1.1)],
    ]
    try:
        from dwave.samplers import SimulatedAnnealingSampler
    except ImportError:
        print("dwave-samplers is not installed")
    else:
        couplings = {(int(i), int(j)): -float(J) for (i, j), J in zip(model.pairs, model.couplings, strict=True)}
        sampler, sweeps, reads = SimulatedAnnealingSampler(), 1000, 16

        def anneal():
            return sampler.sample_ising(
                {}, couplings, num_reads=reads, num_sweeps=sweeps, beta_range=(0.1, 3.0), seed=1
            )

        rows.append(["dwave-samplers, annealing", rate(anneal, reads * sweeps * 1000, 3)])
    print_rates("3-D Edwards-Anderson +-J, L = 10", rows, fastest)


def enumeration():
    rows = []
    for n in (16, 20):
        ring = Ising.from_pairs([(k, (k + 1) % n) for k in range(n)])
        took, exact = seconds(lambda ring=ring: enumerate_states(ring, temperature=2.0), 3)
        rows.append([f"{n} spins, {2**n} states", f"{took:.3f} s", f"{exact.energy:.6f}"])
    table("Enumeration with all pair correlations", rows, ("system", "processor time", "energy"))


def print_rates(title, rows, fastest):
    table(
        title,
        [[name, f"{speed:.3f}", f"{speed / fastest:.3f}"] for name, speed in rows],
        ("engine", "updates per ns", "ratio to ours"),
    )


if __name__ == "__main__":
    numba.set_num_threads(1)
    start = processor_time()
    square()
    threads()
    glass()
    enumeration()
    print(f"\n{processor_time() - start:.0f} s of processor time in all")
