"""Claims on spin glasses."""

from __future__ import annotations

import math

import numpy as np

from physlearn.claims.claim import Claim, over_chains


def nishimori_energy(scale, rng):
    """Energy per spin of the +-J square lattice where exp(2/T) = p/(1 - p), whatever its size."""
    from physlearn import sample
    from physlearn.models import SpinGlass

    energies = []
    for _ in range(24 * scale):
        glass = SpinGlass.edwards_anderson((8, 8), p=0.9, rng=rng)
        drawn = sample(glass, temperature=2 / math.log(9), chains=4, n_samples=100, warmup=200, observe={}, rng=rng)
        energies.append(drawn.energy.mean() / 64)
    return over_chains(np.array(energies)[:, None])


def gaussian_identity(scale, rng):
    """[u] + (z/2T) (1 - [q_link]) of the Gaussian square lattice: zero by an integration by parts over couplings."""
    from physlearn import sample
    from physlearn.models import SpinGlass, link_overlap, square_pairs

    pairs, off = square_pairs((6, 6)), []
    for _ in range(40 * scale):
        glass = SpinGlass.edwards_anderson((6, 6), disorder="gaussian", rng=rng)
        drawn = sample(glass, temperature=1.0, chains=8, n_samples=60, warmup=300, thin=4, rng=rng)
        s = np.asarray(drawn.x)
        links = link_overlap(s[:4], s[4:], pairs, 2)
        off.append(drawn.energy.mean() / 36 + 2.0 * (1 - links.mean()))
    return over_chains(np.array(off)[:, None])


def sk_warm(scale, rng):
    """Energy per spin of Sherrington-Kirkpatrick glasses at T = 2."""
    from physlearn import sample
    from physlearn.models import SpinGlass

    energies = []
    for _ in range(8 * scale):
        glass = SpinGlass.sherrington_kirkpatrick(400, rng=rng)
        drawn = sample(glass, temperature=2.0, chains=4, n_samples=50, warmup=50, observe={}, rng=rng)
        energies.append(drawn.energy.mean() / 400)
    return over_chains(np.array(energies)[:, None])


def sk_ground(scale, rng):
    """Lowest energies per spin of Sherrington-Kirkpatrick glasses."""
    from physlearn import anneal
    from physlearn.models import SpinGlass

    lowest = [
        anneal(SpinGlass.sherrington_kirkpatrick(127, rng=rng), reads=32, sweeps=400, rng=rng).energy / 127
        for _ in range(40 * scale)
    ]
    return over_chains(np.array(lowest)[:, None])


def glass_ground(scale, rng):
    """Lowest energies per spin of +-J square lattices."""
    from physlearn import anneal
    from physlearn.models import SpinGlass

    lowest = [
        anneal(SpinGlass.edwards_anderson((16, 16), rng=rng), reads=32, sweeps=1500, rng=rng).energy / 256
        for _ in range(30 * scale)
    ]
    return over_chains(np.array(lowest)[:, None])


GLASSES = (
    Claim(
        "nishimori",
        "+-J square lattice, p = 0.9, on Nishimori's line: energy per spin",
        "Nishimori 1981",
        -1.6,
        nishimori_energy,
    ),
    Claim(
        "gaussian-link",
        "Gaussian square lattice, T = 1: energy per spin plus (2/T)(1 - link overlap)",
        "Bray and Moore 1980; Contucci 2003",
        0.0,
        gaussian_identity,
    ),
    Claim(
        "sk-warm",
        "Sherrington-Kirkpatrick glass, T = 2: energy per spin",
        "Sherrington and Kirkpatrick 1975",
        -0.25,
        sk_warm,
        0.003,
        "400 spins; the correction falls as 1/N",
    ),
    Claim(
        "sk-ground",
        "Sherrington-Kirkpatrick glass of 127 spins: lowest energy per spin",
        "Parisi 1979; Boettcher 2005",
        -0.7632 + 0.70 * 127 ** (-2 / 3),
        sk_ground,
        0.004,
        "a fit over sizes, its amplitude printed with two digits",
    ),
    Claim(
        "glass-ground",
        "+-J square lattice of 16 x 16: lowest energy per spin",
        "De Simone et al. 1996",
        -1.4015,
        glass_ground,
        0.006,
        "16 x 16 in place of the infinite lattice",
    ),
)
