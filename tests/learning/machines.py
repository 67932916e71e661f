"""Small machines the learning tests share."""

import numpy as np

from physlearn import Energy, Readout, Real, System
from physlearn.terms import Edges


def lattice_pairs(n):
    """Edges of an n x n periodic lattice."""
    i = np.arange(n * n).reshape(n, n)
    right, down = np.roll(i, -1, 1).ravel(), np.roll(i, -1, 0).ravel()
    return np.concatenate([np.stack([i.ravel(), right], 1), np.stack([i.ravel(), down], 1)])


def lattice(rng, outputs=2, inputs=2, n=4, drop=False):
    """A periodic lattice with randomly placed inputs, ground and outputs, as a plain Energy."""
    nodes = n * n
    place = rng.permutation(nodes)
    free = place[inputs + 1 :]
    if drop:
        rows = np.zeros((outputs, nodes))
        rows[np.arange(outputs), free[: 2 * outputs : 2]] = 1
        rows[np.arange(outputs), free[1 : 2 * outputs : 2]] = -1
        out = Readout("v", rows=rows)
    else:
        out = Readout("v", free[:outputs])
    readouts = {"in": Readout("v", place[:inputs]), "ground": Readout("v", [place[inputs]]), "out": out}
    pairs = lattice_pairs(n)
    g = rng.uniform(0.5, 1.5, len(pairs))
    return Energy({"v": (Real(), nodes)}, [Edges("v", pairs)], {"conductance": g}, readouts, {"ground": [0.0]})


class Quartic:
    """E = sum_i (x_i^4/4 + k x_i^2/2) - x.W.u/1 with u a clamped layer: nonlinear, learnable, convex for k > 0."""

    layers = ("x", "u")
    holomorphic = True

    def energy(self, x, theta):
        s, u = x["x"], x["u"]
        coupling = np.einsum("bi,ij,bj->b", s, theta["W"], u)
        return np.sum(s**4, 1) / 4 + theta["k"] * np.sum(s**2, 1) / 2 - coupling

    def field(self, x, theta, layer):
        s, u = x["x"], x["u"]
        return -(s**3) - theta["k"] * s + u @ theta["W"].T if layer == "x" else s @ theta["W"]

    def gradient(self, x, theta, weight):
        s, u = x["x"], x["u"]
        return {"W": -np.einsum("b,bi,bj->ij", weight, s, u), "k": np.asarray(weight @ np.sum(s**2, 1) / 2)}


class Coupling:
    """E = -x.J.x/2 with J symmetric, zero diagonal: makes the quartic sites interact."""

    layers = ("x", "x")
    holomorphic = True

    def energy(self, x, theta):
        return -0.5 * np.einsum("bi,ij,bj->b", x["x"], theta["J"] + theta["J"].T, x["x"]) / 2

    def field(self, x, theta, layer):
        return x["x"] @ (theta["J"] + theta["J"].T) / 2

    def gradient(self, x, theta, weight):
        return {"J": -0.5 * np.einsum("b,bi,bj->ij", weight, x["x"], x["x"])}


def quartic(rng, n=5, inputs=3):
    """A convex nonlinear machine: quartic wells, coupled, driven by a clamped layer."""
    j = 0.2 * rng.standard_normal((n, n))
    theta = {"W": rng.standard_normal((n, inputs)), "k": 1.5, "J": j + j.T - np.diag(np.diag(j + j.T))}
    layers = {"x": (Real(), n), "u": (Real(), inputs)}
    return Energy(layers, [Quartic(), Coupling()], theta, {"out": Readout("x", [0, 1])})


class Circulating:
    """f = W u - x - A x - x^3 with A not symmetric: a field that no energy has."""

    layers = ("x", "u")

    def field(self, x, theta, layer):
        s, u = x["x"], x["u"]
        return u @ theta["W"].T - s - s @ theta["A"].T - s**3 if layer == "x" else np.zeros_like(u)

    def response(self, x, theta, weight):
        s, u = x["x"], x["u"]
        return {"W": -np.einsum("b,bi,bj->ij", weight, s, u), "A": 0.5 * np.einsum("b,bi,bj->ij", weight, s, s)}


def circulating(rng, n=4, inputs=3):
    """A System without an energy, with one stable rest for every input."""
    a = rng.standard_normal((n, n))
    theta = {"W": rng.standard_normal((n, inputs)), "A": 0.6 * (a - a.T)}
    return System({"x": (Real(), n), "u": (Real(), inputs)}, [Circulating()], theta, {"out": Readout("x", [0, 1])})
