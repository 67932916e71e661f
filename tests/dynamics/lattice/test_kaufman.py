"""Finite tori of Ising spins against Kaufman's closed form (1949), and the plane against Onsager's (1944)."""

import math

import numpy as np
import pytest
from scipy.special import ellipk

from physlearn import enumerate_states, sample, transfer_matrix
from physlearn.models import Ising

TC = 2 / math.log(1 + math.sqrt(2))


def kaufman_log_z(size, k):
    """ln Z of the size x size torus at coupling k = J/T (Kaufman 1949, eq. 93), in extended precision.

    Z = (2 sinh 2k)^(n/2)/2 [P cosh, odd + P sinh, odd + P cosh, even + P sinh, even], each product over
    2 cosh or 2 sinh (L g_r/2), with cosh g_r = cosh 2k coth 2k - cos(pi r/L) and g_0 = 2k + ln tanh k.
    """
    k = np.longdouble(k)
    r = np.arange(2 * size)
    c = np.cosh(2 * k) / np.tanh(2 * k) - np.cos(np.longdouble(np.pi) * r / size)
    g = np.arccosh(np.maximum(c, 1))
    g[0] = 2 * k + np.log(np.tanh(k))
    half, parts, signs = size * np.abs(g) / 2, [], []
    for first in (1, 0):
        x = half[first::2]
        parts += [np.sum(x + np.log1p(np.exp(-2 * x))), np.sum(x + np.log(-np.expm1(-2 * x)))]
        signs += [1, 1 if first else np.sign(g[0])]
    top = max(parts)
    total = sum(s * np.exp(p - top) for s, p in zip(signs, parts, strict=True))
    return size**2 / 2 * np.log(2 * np.sinh(2 * k)) - np.log(np.longdouble(2)) + top + np.log(total)


def kaufman(size, temperature, h=1e-5):
    """Energy a spin, -d ln Z/dk / n."""
    k = 1 / temperature
    return float(-(kaufman_log_z(size, k + h) - kaufman_log_z(size, k - h)) / (2 * h) / size**2)


def onsager(temperature):
    """Energy a spin of the infinite lattice, -coth 2k [1 + (2/pi)(2 tanh^2 2k - 1) K(m)]."""
    k = 2 / temperature
    m = (2 * np.sinh(k) / np.cosh(k) ** 2) ** 2
    return -(1 + 2 / np.pi * (2 * np.tanh(k) ** 2 - 1) * ellipk(m)) / np.tanh(k)


def z_score(per_chain, exact):
    return (np.mean(per_chain) - exact) / (np.std(per_chain, ddof=1) / np.sqrt(len(per_chain)))


def test_the_closed_forms_agree_with_sums_and_tables():
    for temperature in (2.0, TC, 3.0):
        exact = enumerate_states(Ising.square(4), temperature=temperature)
        assert kaufman(4, temperature) == pytest.approx(exact.energy / 16, abs=1e-8)
        assert float(kaufman_log_z(4, 1 / temperature)) == pytest.approx(exact.log_z, rel=1e-12)
        assert kaufman(8, temperature) == pytest.approx(transfer_matrix(8, 8, temperature=temperature).energy, abs=1e-8)
    published = {(8, TC): -1.491589, (16, TC): -1.453065, (32, TC): -1.433658, (64, TC): -1.423938}
    published |= {(16, 2.0): -1.745531, (32, 2.0): -1.745565, (64, 2.0): -1.745565}
    for (size, temperature), energy in published.items():
        assert kaufman(size, temperature) == pytest.approx(energy, abs=1e-6)
    assert onsager(2.0) == pytest.approx(-1.745565, abs=1e-6) and onsager(3.0) == pytest.approx(-0.817310, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "temperature", "draws"), [("swendsen_wang", 2.0, 1000), ("swendsen_wang", TC, 1500), ("wolff", TC, 250)]
)
def test_critical_torus_of_64(method, temperature, draws, tol):
    """Cluster moves at 2.0 and at the critical point, where the torus is 0.0097 below the plane."""
    result = sample(Ising.square(64), temperature=temperature, n_samples=draws, chains=32, warmup=200, method=method,
                    observe={}, thin=2, rng=3)  # fmt: skip
    energy = result.energy.mean(1) / 4096
    assert np.std(energy, ddof=1) / np.sqrt(32) < 2e-3
    assert abs(z_score(energy, kaufman(64, temperature))) < tol.STATISTICAL


@pytest.mark.slow
@pytest.mark.parametrize("method", ["bytes", "checkerboard", "replicas"])
def test_single_spin_moves_on_the_torus_of_64(method, tol):
    """At T = 2.0 from an ordered start, where single-spin moves relax within a hundred sweeps."""
    result = sample(Ising.square(64), temperature=2.0, n_samples=400, chains=32, warmup=500, thin=5, method=method,
                    x0=np.ones((64, 64)), observe={}, rng=4)  # fmt: skip
    assert abs(z_score(result.energy.mean(1) / 4096, kaufman(64, 2.0))) < tol.STATISTICAL


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [2.0, 3.0])
def test_bitpacked_plane(temperature, tol):
    """256 x 256, where a torus is the plane to 1e-7: Onsager's energy and, at T = 2, Yang's magnetisation."""
    result = sample(Ising.square(256), temperature=temperature, n_samples=400, chains=32, warmup=500, thin=5,
                    method="bitpacked", x0=np.ones((256, 256)), rng=6,
                    observe={"m": lambda x: x["s"].mean((1, 2))})  # fmt: skip
    assert abs(z_score(result.energy.mean(1) / 65536, onsager(temperature))) < tol.STATISTICAL
    m = (1 - np.sinh(2 / temperature) ** -4.0) ** 0.125 if temperature < TC else 0.0
    assert abs(z_score(result.observed["m"].mean(1), m)) < tol.STATISTICAL
