"""Runs of `relax`: every engine, clamps, nudges, bounds, layers with an activation, users' terms."""

import warnings

import numpy as np

from physlearn import (
    Angle,
    Binary,
    CrossEntropy,
    Energy,
    Local,
    Margin,
    Nudge,
    Potts,
    Readout,
    Real,
    Spin,
    SquaredError,
    System,
    check_energy,
    lagrangians,
    relax,
)
from physlearn.models import Ising, PottsModel, SpinGlass, layered_memory
from physlearn.terms import AnglePairs, Bias, Dense, Edges, OneWay, Pairs, Parabola, PottsDense


def generator(seed=0):
    return np.random.default_rng(seed)


def wires(pairs, n, *, drop=False):
    """Springs or conductors with grounded last node, two inputs, three outputs."""
    rng = generator(n)
    place = rng.permutation(n - 1)
    out = Readout("v", place[2:5])
    if drop:
        rows = np.zeros((2, n))
        rows[[0, 1], place[2:4]], rows[[0, 1], place[4:6]] = 1.0, -1.0
        out = Readout("v", rows=rows)
    readouts = {"in": Readout("v", place[:2]), "out": out, "ground": Readout("v", [n - 1])}
    readouts["current"] = Readout("v", place[6:8], force=True)
    terms, theta = [Edges("v", pairs), Bias("v")], {"conductance": rng.uniform(0.5, 2.0, len(pairs))}
    theta["bias"] = rng.normal(size=n)
    return Energy({"v": (Real(), n)}, terms, theta, readouts, {"ground": [0.0]})


def grid(side):
    """Neighbours on a square."""
    at = np.arange(side * side).reshape(side, side)
    right, down = (at[:, :-1], at[:, 1:]), (at[:-1], at[1:])
    return np.concatenate([np.stack([a.ravel(), b.ravel()], 1) for a, b in (right, down)])


def scattered(n, degree, seed=0):
    """A path and random edges besides: wide for an elimination."""
    rng = generator(seed)
    path = np.stack([np.arange(n - 1), np.arange(1, n)], 1)
    more = rng.integers(n, size=(n * (degree - 2) // 2, 2))
    return np.unique(np.sort(np.concatenate([path, more[more[:, 0] != more[:, 1]]]), 1), axis=0)


CLAMP = {"in": [[1.0, -0.5], [0.25, 2.0], [0.0, 1.0]], "current": [0.1, -0.2]}


def direct(pairs, n, nudge=None, **more):
    return relax(wires(pairs, n, **more), clamp=CLAMP, nudge=nudge, method="direct")


class Quartic:
    """E = sum_i x_i^4/4 + k x_i^2/2 - b_i x_i: convex, not quadratic, with every form that Newton asks for."""

    layers = ("x",)
    holomorphic = True

    def energy(self, x, theta):
        s = x["x"]
        return np.sum(s**4, 1) / 4 + theta["k"] * np.sum(s**2, 1) / 2 - s @ theta["b"]

    def field(self, x, theta, layer):
        return -(x["x"] ** 3) - theta["k"] * x["x"] + theta["b"]

    def gradient(self, x, theta, weight):
        return {"k": np.asarray(weight @ np.sum(x["x"] ** 2, 1) / 2), "b": -weight @ x["x"]}

    def jacobian(self, x, theta):
        return np.diag(-3 * x["x"][0] ** 2 - theta["k"])


def quartic(bound=np.inf, n=8):
    rng = generator(3)
    terms = [Quartic(), Edges("x", scattered(n, 4))]
    theta = {"k": 0.5, "b": 3 * rng.normal(size=n), "conductance": rng.uniform(0.1, 1.0, len(terms[1].i))}
    readouts = {"a": Readout("x", [0]), "out": Readout("x", [2, 3])}
    return Energy({"x": (Real(-bound, bound), n)}, terms, theta, readouts)


def nonlinear(method, batch=4, bound=np.inf, **more):
    start = generator(4).uniform(-0.5, 0.5, (batch, 8))
    found = relax(quartic(bound), start, clamp={"a": [0.3]}, method=method, tol=1e-8, **more)
    return found


def circulating():
    """A System: one-way couplings, which no energy has."""
    rng = generator(5)

    class Decay:
        layers = ("x",)

        def field(self, x, theta, layer):
            return theta["b"] - x["x"] - x["x"] ** 3

        def response(self, x, theta, weight):
            return {"b": -weight @ x["x"]}

    theta = {"W": 0.3 * rng.normal(size=(6, 6)) * (1 - np.eye(6)), "b": rng.normal(size=6)}
    return relax(System({"x": (Real(), 6)}, [OneWay("x"), Decay()], theta), np.full((2, 6), 0.1))


def pair_prepare(x, theta):
    j = np.triu(theta["J"], 1)
    j = j + j.T
    return j @ x, np.array([len(x)]), j.ravel()


def pair_gap(i, x, cache, ints, floats, codes, f):
    f[0] = cache[i]
    return 1


def pair_commit(i, new, x, cache, ints, floats):
    for j in range(ints[0]):
        cache[j] += floats[i * ints[0] + j] * (new - x[i])


class UsersPairs:
    """E = -sum_{i<j} J_ij s_i s_j, as a user would write it with a local form of plain functions."""

    layers = ("s", "s")
    local = Local(pair_prepare, pair_gap, pair_commit)

    def energy(self, x, theta):
        return -np.einsum("bi,ij,bj->b", x["s"], np.triu(theta["J"], 1), x["s"])

    def field(self, x, theta, layer):
        j = np.triu(theta["J"], 1)
        return x["s"] @ (j + j.T)

    def gradient(self, x, theta, weight):
        return {"J": -np.triu(np.einsum("b,bi,bj->ij", weight, x["s"], x["s"]), 1)}


def users(kind, n=12):
    return Energy({"s": (kind, n)}, [UsersPairs()], {"J": generator(6).normal(size=(n, n))})


class FieldOnly(UsersPairs):
    """The same without a local form."""

    local = None


def start_of(kind, shape, seed=7):
    return kind.random(shape, generator(seed))


def fall(energy, batch=5, **more):
    """Descent from random starts."""
    start = {name: start_of(layer.kind, (batch, *layer.shape)) for name, layer in energy.layers.items()}
    return relax(energy, start if len(start) > 1 else start[next(iter(start))], **more)


def bipartite(hidden, visible=None):
    rng = generator(8)
    layers = {"v": (visible or Spin(), 9), "h": (hidden, 5)}
    theta = {"W": rng.normal(size=(9, 5)), "a": rng.normal(size=9), "c": rng.normal(size=5)}
    terms = [Dense(("v", "h")), Bias("v", "a"), Bias("h", "c")]
    if isinstance(hidden, Real):
        terms.append(Parabola("h", "k"))
        theta["k"] = rng.uniform(1.0, 2.0, 5)
    return Energy(layers, terms, theta, {"out": Readout("h", [0, 1]), "seen": Readout("v", [0, 1])})


def potts_layers():
    rng = generator(9)
    terms = [PottsDense(("v", "h")), Bias("h", "c")]
    theta = {"W": rng.normal(size=(6, 3, 4)), "c": rng.normal(size=4)}
    return fall(Energy({"v": (Potts(3), 6), "h": (Binary(), 4)}, terms, theta))


def graded(kinds):
    rng = generator(10)
    weights = [0.1 * rng.normal(size=(6, 4))]
    start = {"x0": rng.normal(size=(3, 6)), "x1": rng.normal(size=(3, 4))}
    return relax(layered_memory(kinds, weights), start, tol=1e-7)


def complex_rest():
    nudge = Nudge(SquaredError("out"), np.array([[1.0, -1.0]]), 0.1 + 0.05j)
    return relax(quartic(), np.full((1, 8), 0.2 + 0j), clamp={"a": [0.3]}, nudge=nudge, method="newton")


def unfinished():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [relax(quartic(), max_steps=3, method=m) for m in ("lbfgs", "fire", "flow", "newton")]


def audits():
    """Numbers of `check_energy` for energies with every form."""
    return [str(check_energy(e)) for e in (wires(grid(4), 16), quartic(), users(Spin()))]


SQUARE, TARGET = SquaredError("out"), [[0.5, 0.1, -0.2]]
ONE_HOT = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def directions():
    """An XY glass."""
    rng, pairs = generator(4), [(i, j) for i in range(8) for j in range(i)]
    return Energy({"x": (Angle(), 8)}, [AnglePairs("x", pairs)], {"J": rng.standard_normal(len(pairs))})


RUNS = {
    "angles": lambda: relax(directions(), generator(5).uniform(-3.0, 3.0, (2, 8))),
    "angles, flow": lambda: relax(directions(), generator(5).uniform(-3.0, 3.0, 8), method="flow"),
    "banded": lambda: direct(grid(7), 49),
    "sparse factors": lambda: direct(scattered(900, 5), 900),
    "conjugate gradients": lambda: direct(scattered(2600, 6), 2600),
    "nudge, squared error": lambda: direct(grid(5), 25, Nudge(SQUARE, TARGET, 0.3)),
    "nudge, cross entropy": lambda: direct(grid(5), 25, Nudge(CrossEntropy("out", 5.0), ONE_HOT, 0.3)),
    "nudge, margin": lambda: direct(grid(5), 25, Nudge(Margin("out", 0.5), ONE_HOT, 0.3, at=np.zeros((3, 3)))),
    "nudge, drops": lambda: direct(grid(5), 25, Nudge(SQUARE, [[0.5, 0.1]], 0.3), drop=True),
    "nudge, linearised": lambda: direct(grid(5), 25, Nudge(SQUARE, TARGET, 0.3, at=np.zeros((1, 3)))),
    "newton": lambda: nonlinear("newton"),
    "fire, bounds": lambda: nonlinear("fire", bound=0.6),
    "newton, complex": complex_rest,
    "lbfgs": lambda: nonlinear("lbfgs"),
    "lbfgs, bounds": lambda: nonlinear("lbfgs", bound=0.6),
    "fire": lambda: nonlinear("fire"),
    "flow": lambda: nonlinear("flow"),
    "flow, bounds": lambda: nonlinear("flow", bound=0.6),
    "nudge, newton": lambda: nonlinear("newton", nudge=Nudge(SquaredError("out"), [[1.0, -1.0]], 0.4)),
    "system": circulating,
    "unfinished": unfinished,
    "kept fields, pairs": lambda: fall(SpinGlass.edwards_anderson((6, 6), disorder="gaussian", rng=1)),
    "kept fields, dense": lambda: fall(SpinGlass.sherrington_kirkpatrick(40, rng=1)),
    "kept fields, binary": lambda: fall(
        Energy(
            {"s": (Binary(), 16)},
            [Pairs("s", grid(4)), Bias("s")],
            {"J": generator(1).normal(size=24), "bias": generator(2).normal(size=16)},
        )
    ),
    "local forms, potts": lambda: fall(PottsModel.square(6, q=4, J=generator(3).normal(size=72))),
    "local forms, user's": lambda: fall(users(Spin())),
    "local forms, user's binary": lambda: fall(users(Binary())),
    "one by one": lambda: fall(Energy({"s": (Spin(), 12)}, [FieldOnly()], users(Spin()).theta)),
    "blocks": lambda: fall(bipartite(Binary())),
    "blocks, real": lambda: fall(bipartite(Real())),
    "blocks, clamped": lambda: fall(bipartite(Spin()), clamp={"seen": [1.0, -1.0]}),
    "blocks, potts": potts_layers,
    "blocks, nudge": lambda: fall(bipartite(Real()), nudge=Nudge(SquaredError("out"), [[0.5, -0.5]], 0.5)),
    "triangular": lambda: fall(Ising.triangular(6, -1.0)),
    "graded, relu": lambda: graded([lagrangians.Identity(), lagrangians.Relu()]),
    "graded, tanh": lambda: graded([lagrangians.Tanh(1.5), lagrangians.Sigmoid(2.0)]),
    "graded, softmax": lambda: graded([lagrangians.LayerNorm(), lagrangians.Softmax(2.0)]),
    "audits": audits,
}
