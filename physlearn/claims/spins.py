"""Claims on spins: lattices with exact solutions, angles, spins of one."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ellipk, iv

from physlearn.claims.claim import Claim, over_chains

CRITICAL = 2 / math.log(1 + math.sqrt(2))  # Kramers and Wannier 1941
EDGE = "the torus differs from the plane by less"


def onsager_energy(temperature):
    """Energy per spin of the square lattice, J = 1 (Onsager 1944)."""
    b = 1 / temperature
    k = 2 * math.sinh(2 * b) / math.cosh(2 * b) ** 2
    return -(1 + 2 / math.pi * (2 * math.tanh(2 * b) ** 2 - 1) * ellipk(k * k)) / math.tanh(2 * b)


def yang_magnetisation(temperature):
    """Spontaneous magnetisation of the square lattice (Yang 1952, eq. 96)."""
    return (1 - math.sinh(2 / temperature) ** -4) ** 0.125


def _square(size, temperature, scale, rng, seen, *, J=1.0, method="swendsen_wang", draws=150):
    from physlearn import sample
    from physlearn.models import Ising

    model = Ising.square(size, J)
    drawn = sample(
        model,
        temperature=temperature,
        chains=8,
        n_samples=draws * scale,
        warmup=200,
        method=method,
        observe={"seen": lambda x: seen(x["s"])} if seen else {},
        rng=rng,
    )
    return over_chains(drawn.observed["seen"] if seen else drawn.energy / size**2)


def _per_chain(fluctuating, drawn):
    values = np.array([fluctuating(one) for one in drawn])
    return over_chains(values[:, None])


def binder_at_criticality(scale, rng):
    """Binder's cumulant of the square torus, L = 32."""
    from physlearn import sample
    from physlearn.models import Ising, binder, magnetisation

    drawn = sample(
        Ising.square(32),
        temperature=CRITICAL,
        chains=16,
        n_samples=600 * scale,
        warmup=200,
        method="swendsen_wang",
        observe={"m": lambda x: magnetisation(x["s"], 2)},
        rng=rng,
    )
    return _per_chain(binder, drawn.observed["m"])


def cubic_binder(scale, rng):
    """Binder's cumulant of the cubic torus, L = 16."""
    from physlearn import sample
    from physlearn.models import Ising, binder, magnetisation

    drawn = sample(
        Ising.cubic(16),
        temperature=1 / 0.22165463,
        chains=16,
        n_samples=250 * scale,
        warmup=100,
        method="swendsen_wang",
        observe={"m": lambda x: magnetisation(x["s"], 3)},
        rng=rng,
    )
    return _per_chain(binder, drawn.observed["m"])


def central_charge(scale, rng):
    """Slope of log Z per spin against 1/L^2 at criticality, from two strips: pi c/6."""
    from physlearn import transfer_matrix

    near, far = (transfer_matrix(width, temperature=CRITICAL).log_z for width in (12, 14))
    return 6 / math.pi * (near - far) / (12**-2 - 14**-2)


def chain_energy(scale, rng):
    """Energy per spin of a ring of 16."""
    from physlearn import enumerate_states
    from physlearn.models import Ising

    ring = Ising.from_pairs([(k, (k + 1) % 16) for k in range(16)])
    return enumerate_states(ring, temperature=1.3).energy / 16


def triangular_entropy(scale, rng):
    """Entropy per spin of the triangular antiferromagnet's ground states: log Z + E/T where all are ground states."""
    from physlearn import annealed_importance
    from physlearn.models import Ising

    size, temperature = 24, 0.12
    model = Ising.triangular(size, -1.0)
    found = [
        annealed_importance(model, temperature=temperature, steps=1500, chains=20 * scale, rng=rng) for _ in range(4)
    ]
    values = np.array([one.value - size**2 / temperature for one in found]) / size**2
    return over_chains(values[:, None])


def angles_on_a_ring(scale, rng):
    """Mean cosine between neighbours of four XY spins on a ring at K = 1."""
    from physlearn import Angle, Energy, sample
    from physlearn.terms import AnglePairs

    ring = [(0, 1), (1, 2), (2, 3), (3, 0)]
    model = Energy({"a": (Angle(), 4)}, [AnglePairs("a", ring)], {"J": np.ones(4)})
    drawn = sample(model, temperature=1.0, chains=16, n_samples=500 * scale, warmup=100, observe={}, rng=rng)
    return over_chains(-drawn.energy / 4)


def blume_capel_ring(scale, rng):
    """<s^2> of a ring of four spins of one at T = 1, sampled."""
    from physlearn import Energy, SpinOne, sample
    from physlearn.terms import Pairs

    ring = Energy({"s": (SpinOne(), 4)}, [Pairs("s", [(0, 1), (1, 2), (2, 3), (3, 0)])], {"J": np.ones(4)})
    drawn = sample(ring, temperature=1.0, chains=16, n_samples=800 * scale, warmup=100, rng=rng)
    return over_chains(np.square(drawn.x))


def _spin_one_ring():
    """The same by its transfer matrix, trace of T^4 with s^2 between."""
    s = np.array([-1.0, 0.0, 1.0])
    step = np.exp(np.outer(s, s))
    four = np.linalg.matrix_power(step, 4)
    return float(np.trace(np.diag(s**2) @ four) / np.trace(four))


def _xy_ring():
    """Bessel sums: Z = sum_m I_m(K)^4."""
    orders = np.arange(-40, 41)
    bessel = iv(orders, 1.0)
    slope = (iv(orders - 1, 1.0) + iv(orders + 1, 1.0)) / 2
    return float(np.sum(slope * bessel**3) / np.sum(bessel**4))


SPINS = (
    Claim(
        "ising-energy-cold",
        "square Ising lattice, L = 64, T = 2: energy per spin",
        "Onsager 1944",
        onsager_energy(2.0),
        lambda scale, rng: _square(64, 2.0, scale, rng, None),
        1e-5,
        EDGE,
    ),
    Claim(
        "ising-energy-warm",
        "square Ising lattice, L = 64, T = 3: energy per spin",
        "Onsager 1944",
        onsager_energy(3.0),
        lambda scale, rng: _square(64, 3.0, scale, rng, None),
        1e-5,
        EDGE,
    ),
    Claim(
        "ising-magnetisation",
        "square Ising lattice, L = 64, T = 2: |m|",
        "Yang 1952, eq. 96",
        yang_magnetisation(2.0),
        lambda scale, rng: _square(64, 2.0, scale, rng, lambda s: np.abs(s.mean((-2, -1)))),
        1e-5,
        EDGE,
    ),
    Claim(
        "ising-torus",
        "square Ising torus, L = 16, at T_c: energy per spin",
        "Kaufman 1949",
        -1.453065,
        lambda scale, rng: _square(16, CRITICAL, scale, rng, None, draws=6000),
        5e-7,
        "six digits printed",
    ),
    Claim(
        "ising-metropolis",
        "the same torus, by heat bath in place of clusters",
        "Kaufman 1949",
        -1.453065,
        lambda scale, rng: _square(16, CRITICAL, scale, rng, None, method="checkerboard", draws=6000),
        5e-7,
        "six digits printed",
    ),
    Claim(
        "ising-chain",
        "Ising ring of 16, T = 1.3: energy per spin, by enumeration",
        "Ising 1925",
        -(math.tanh(1 / 1.3) + math.tanh(1 / 1.3) ** 15) / (1 + math.tanh(1 / 1.3) ** 16),
        chain_energy,
    ),
    Claim(
        "ising-binder",
        "square Ising torus, L = 32, at T_c: Binder's cumulant",
        "Kamieniarz and Bloete 1993",
        0.61069,
        binder_at_criticality,
        0.002,
        "corrections to scaling at L = 32",
    ),
    Claim(
        "cubic-binder",
        "cubic Ising torus, L = 16, at beta_c = 0.22165463: Binder's cumulant",
        "Ferrenberg, Xu and Landau 2018",
        0.46548,
        cubic_binder,
        0.02,
        "corrections to scaling at L = 16",
    ),
    Claim(
        "central-charge",
        "Ising strips of 12 and 14 spins at T_c: central charge from log Z",
        "Bloete, Cardy and Nightingale 1986",
        0.5,
        central_charge,
        0.005,
        "corrections of higher order in 1/L",
    ),
    Claim(
        "triangular-entropy",
        "triangular Ising antiferromagnet: entropy of the ground states per spin",
        "Wannier 1950, 1973",
        0.3230659,
        triangular_entropy,
        0.002,
        "a torus of 24 x 24, T = 0.12",
    ),
    Claim(
        "xy-ring",
        "four XY spins on a ring, K = 1: mean cosine of neighbours",
        "Joyce 1967 (Bessel sums)",
        _xy_ring(),
        angles_on_a_ring,
    ),
    Claim(
        "spin-one-ring",
        "ring of four spins of one, T = 1: mean square",
        "Blume 1966 (transfer matrix)",
        _spin_one_ring(),
        blume_capel_ring,
    ),
)
