"""The contract, proved from outside: terms of discrete layers that the library does not know.

Each is a dozen lines of NumPy with energy, field and gradient.  The audit, relaxation and textbook
samplers, written here with nothing but `system.field` and `kind.draw`, must all get them right.
"""

import itertools

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Spin, check_energy, relax


class Cross:
    """Couplings across two layers, E = -v.W.h."""

    layers = ("v", "h")

    def energy(self, x, theta):
        return -np.einsum("bi,ij,bj->b", x["v"], theta["W"], x["h"])

    def field(self, x, theta, layer):
        return x["h"] @ theta["W"].T if layer == "v" else x["v"] @ theta["W"]

    def gradient(self, x, theta, weight):
        return {"W": -np.einsum("b,bi,bj->ij", weight, x["v"], x["h"])}


class Within:
    """Dense couplings within one layer, every pair once: E = -sum_{i<j} J_ij s_i s_j."""

    layers = ("s", "s")

    def energy(self, x, theta):
        return -0.5 * np.einsum("bi,ij,bj->b", x["s"], self.symmetric(theta), x["s"])

    def field(self, x, theta, layer):
        return x["s"] @ self.symmetric(theta)

    def gradient(self, x, theta, weight):
        return {"J": -np.triu(np.einsum("b,bi,bj->ij", weight, x["s"], x["s"]), 1)}

    @staticmethod
    def symmetric(theta):
        upper = np.triu(theta["J"], 1)
        return upper + upper.T


class Pairs:
    """Sparse couplings, listed: E = -sum_e J_e s_i s_j."""

    layers = ("s", "s")

    def __init__(self, pairs):
        self.i, self.j = np.array(pairs).T

    def energy(self, x, theta):
        return -(x["s"][:, self.i] * x["s"][:, self.j]) @ theta["J"]

    def field(self, x, theta, layer):
        out = np.zeros_like(x["s"])
        np.add.at(out.T, self.i, (theta["J"] * x["s"][:, self.j]).T)
        np.add.at(out.T, self.j, (theta["J"] * x["s"][:, self.i]).T)
        return out

    def gradient(self, x, theta, weight):
        return {"J": -(weight @ (x["s"][:, self.i] * x["s"][:, self.j]))}


class CubicMemory:
    """Dense associative memory, n = 3: E = -sum_m (xi_m.s)^3 / N^2 (Krotov and Hopfield 2016)."""

    layers = ("s", "s", "s")

    def energy(self, x, theta):
        return -np.sum((x["s"] @ theta["xi"].T) ** 3, 1) / x["s"].shape[1] ** 2

    def field(self, x, theta, layer):
        s, xi = x["s"], theta["xi"]
        rest = (s @ xi.T)[:, :, None] - s[:, None, :] * xi  # overlaps without the variable itself
        return np.sum(3 * rest**2 * xi + xi**3, 1) / s.shape[1] ** 2

    def gradient(self, x, theta, weight):
        overlap = x["s"] @ theta["xi"].T
        return {"xi": -3 * np.einsum("b,bm,bi->mi", weight, overlap**2, x["s"]) / x["s"].shape[1] ** 2}


class Lattice:
    """Nearest neighbours on a periodic square lattice: E = -sum_<ij> U[x_i, x_j], U symmetric."""

    layers = ("x", "x")

    def energy(self, x, theta):
        codes, u = x["x"], self.symmetric(theta)
        return -sum(u[codes, np.roll(codes, 1, axis)].sum((1, 2)) for axis in (1, 2))

    def field(self, x, theta, layer):
        steps = [(1, 1), (-1, 1), (1, 2), (-1, 2)]
        return sum(self.symmetric(theta)[np.roll(x["x"], step, axis)] for step, axis in steps)

    def gradient(self, x, theta, weight):
        out, q = np.zeros_like(theta["U"]), len(theta["U"])
        for axis in (1, 2):
            pair = np.sort(np.stack([x["x"], np.roll(x["x"], 1, axis)]), 0)
            for w, a, b in zip(weight, *pair, strict=True):
                out -= w * np.bincount((a * q + b).ravel(), minlength=q * q).reshape(q, q)
        return {"U": out}

    @staticmethod
    def symmetric(theta):
        upper = np.triu(theta["U"], 1)
        return upper + upper.T + np.diag(np.diag(theta["U"]))


def glass(rng, n=6, kind=None):
    return Energy({"s": (kind or Spin(), n)}, [Within()], {"J": rng.normal(size=(n, n))})


def machines(rng):
    """One energy per term above."""
    ring = [(i, (i + k) % 9) for i in range(9) for k in (1, 2)]
    return {
        "cross": Energy({"v": (Spin(), 3), "h": (Spin(), 4)}, [Cross()], {"W": rng.normal(size=(3, 4))}),
        "binary": Energy({"v": (Binary(), 3), "h": (Binary(), 4)}, [Cross()], {"W": rng.normal(size=(3, 4))}),
        "within": glass(rng),
        "pairs": Energy({"s": (Spin(), 9)}, [Pairs(ring)], {"J": rng.normal(size=18)}),
        "cubic": Energy({"s": (Spin(), 12)}, [CubicMemory()], {"xi": rng.normal(size=(3, 12))}),
        "lattice": Energy({"x": (Potts(3), (4, 4))}, [Lattice()], {"U": rng.normal(size=(3, 3))}),
    }


NAMES = ("cross", "binary", "within", "pairs", "cubic", "lattice")


@pytest.mark.parametrize("name", NAMES)
def test_audit_passes(name, rng):
    check_energy(machines(rng)[name])


@pytest.mark.parametrize("name", NAMES)
def test_relax_ends_where_no_single_change_lowers_the_energy(name, rng):
    energy = machines(rng)[name]
    start = energy.random_state(4, rng)
    rest = relax(energy, start)
    assert rest.converged
    assert np.all(rest.residual == 0)
    assert np.all(rest.energy <= energy(start))
    end = energy.state(rest.x)
    for layer, (kind, shape) in energy.layers.items():
        values = np.arange(kind.q) if isinstance(kind, Potts) else (0, 1) if isinstance(kind, Binary) else (-1, 1)
        for index in np.ndindex(shape):
            for value in values:
                other = {k: v.copy() for k, v in end.items()}
                other[layer][(slice(None), *index)] = value
                assert np.all(energy(other) >= rest.energy - 1e-12 * np.abs(rest.energy))


def test_cubic_memory_recalls(rng):
    """Three patterns in 60 spins: 10 flipped bits are repaired (capacity grows as N^2)."""
    xi = rng.choice([-1.0, 1.0], (3, 60))
    memory = Energy({"s": (Spin(), 60)}, [CubicMemory()], {"xi": xi})
    probe = xi.copy()
    probe[:, rng.choice(60, 10, replace=False)] *= -1
    assert np.array_equal(relax(memory, probe).x, xi)


def enumerate_states(energy, temperature):
    """All states of an energy of two-valued layers, and their Boltzmann weights."""
    sizes = [layer.size for layer in energy.layers.values()]
    values = [0.0, 1.0] if isinstance(next(iter(energy.layers.values())).kind, Binary) else [-1.0, 1.0]
    flat = np.array(list(itertools.product(values, repeat=sum(sizes))))
    blocks = np.split(flat, np.cumsum(sizes)[:-1], 1)
    p = np.exp(-energy(dict(zip(energy.layers, blocks, strict=True))) / temperature)
    return flat, p / p.sum()


def compare_moments(samples, states, p, tol):
    """First and second moments within standard errors; samples are independent."""
    for power in (lambda a: a, lambda a: np.einsum("bi,bj->bij", a, a).reshape(len(a), -1)):
        exact, seen = p @ power(states), power(samples)
        sd = np.sqrt(np.maximum(p @ power(states) ** 2 - exact**2, 0.0))
        error = np.abs(seen.mean(0) - exact)
        assert np.all(error <= tol.STATISTICAL * sd / np.sqrt(len(samples)) + 1e-12)


@pytest.mark.parametrize("name", ["cross", "binary"])
def test_block_gibbs_matches_enumeration(name, rng, tol):
    energy, temperature, chains = machines(rng)[name], 1.3, 4000
    x = energy.random_state(chains, rng)
    for _ in range(60):
        for layer, (kind, _) in energy.layers.items():
            x[layer] = kind.draw(energy.field(x, layer), None, x[layer], temperature, rng)
    compare_moments(np.concatenate([x["v"], x["h"]], 1), *enumerate_states(energy, temperature), tol)


@pytest.mark.parametrize("name", ["within", "pairs", "cubic"])
def test_single_variable_heat_bath_matches_enumeration(name, rng, tol):
    energy, temperature, chains = machines(rng)[name], 2.0, 4000
    kind, (n,) = energy.layers["s"]
    x = energy.random_state(chains, rng)
    for _ in range(40):
        for i in range(n):
            x["s"][:, i] = kind.draw(energy.field(x, "s")[:, i], None, x["s"][:, i], temperature, rng)
    compare_moments(x["s"], *enumerate_states(energy, temperature), tol)


def test_potts_heat_bath_matches_enumeration(rng, tol):
    """2 x 3 sites of three states, site by site; neighbours across the short side count twice."""
    energy, temperature, chains = (
        Energy({"x": (Potts(3), (2, 3))}, [Lattice()], {"U": rng.normal(size=(3, 3))}),
        1.5,
        4000,
    )
    kind = energy.layers["x"].kind
    x = energy.random_state(chains, rng)
    for _ in range(40):
        for site in np.ndindex(2, 3):
            at = (slice(None), *site)
            x["x"][at] = kind.draw(energy.field(x, "x")[at], None, x["x"][at], temperature, rng)
    states = np.array(list(itertools.product(range(3), repeat=6))).reshape(-1, 2, 3)
    p = np.exp(-energy(states) / temperature)
    hot = [np.eye(3)[codes].reshape(len(codes), -1) for codes in (x["x"], states)]
    compare_moments(*hot, p / p.sum(), tol)
