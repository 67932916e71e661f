"""Exact descent: blocks, single variables, clamps, nudges, and what it refuses."""

import itertools

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from physlearn import Binary, Energy, Nudge, Potts, Readout, Real, Spin, System, check_energy, relax
from physlearn.terms import Bias, Dense, Edges


class Cross:
    """E = -a.W.b across two layers of any kind that is a number."""

    def __init__(self, a, b, name):
        self.layers, self.name = (a, b), name

    def energy(self, x, theta):
        return -np.einsum("bi,ij,bj->b", x[self.layers[0]], theta[self.name], x[self.layers[1]])

    def field(self, x, theta, layer):
        a, b = self.layers
        return x[b] @ theta[self.name].T if layer == a else x[a] @ theta[self.name]

    def gradient(self, x, theta, weight):
        a, b = self.layers
        return {self.name: -np.einsum("b,bi,bj->ij", weight, x[a], x[b])}

    def curvature(self, x, theta, layer):
        return np.zeros(())


class Spring:
    """E = k |x|^2 / 2 on one layer."""

    def __init__(self, layer, k):
        self.layers, self.k = (layer,), k

    def energy(self, x, theta):
        return 0.5 * self.k * np.sum(x[self.layers[0]] ** 2, 1)

    def field(self, x, theta, layer):
        return -self.k * x[layer]

    def gradient(self, x, theta, weight):
        return {}

    def curvature(self, x, theta, layer):
        return np.full((), self.k)


class Within(Cross):
    """E = -s.W.s / 2 within one layer, W symmetric with zero diagonal."""

    def __init__(self, layer, name):
        self.layers, self.name = (layer, layer), name

    def energy(self, x, theta):
        return 0.5 * super().energy(x, theta)

    def gradient(self, x, theta, weight):
        return {self.name: 0.5 * super().gradient(x, theta, weight)[self.name]}


def symmetric(rng, n, size=1.0):
    w = size * rng.normal(size=(n, n))
    w = w + w.T
    np.fill_diagonal(w, 0.0)
    return w


def layered(rng, kinds=(None, None, None)):
    """Three layers in a row, the real ones in springs."""
    kinds = [kind or Real() for kind in kinds]
    shapes = dict(zip("abc", (3, 5, 4), strict=True))
    springs = [Spring(name, 3.0) for name, kind in zip("abc", kinds, strict=True) if isinstance(kind, Real)]
    terms = [Cross("a", "b", "W"), Cross("b", "c", "V"), Bias("a"), *springs]
    theta = {
        "W": 0.5 * rng.normal(size=(3, 5)),
        "V": 0.5 * rng.normal(size=(5, 4)),
        "bias": rng.normal(size=3),
    }
    return Energy({k: (kind, shapes[k]) for k, kind in zip("abc", kinds, strict=True)}, terms, theta)


def hessian(energy):
    h = 3.0 * np.eye(12)
    h[:3, 3:8], h[3:8, 8:] = -energy.theta["W"], -energy.theta["V"]
    return np.triu(h) + np.triu(h, 1).T


def flat(x):
    return np.concatenate([x[k] for k in "abc"], -1)


class Squared:
    readout = "out"

    def value(self, y, target):
        return 0.5 * np.sum((y - target) ** 2, -1)

    def gradient(self, y, target):
        return y - target

    def hessian(self, y, target):
        return np.broadcast_to(np.eye(y.shape[-1]), (*y.shape, y.shape[-1]))


class Quartic(Squared):
    def value(self, y, target):
        return 0.25 * np.sum((y - target) ** 4, -1)

    def gradient(self, y, target):
        return (y - target) ** 3

    def hessian(self, y, target):
        return 3 * np.eye(y.shape[-1]) * (y - target)[..., None] ** 2


def test_layered_quadratic(rng):
    energy = layered(rng)
    rest = relax(energy, tol=1e-12)
    assert rest.method == "descent (blocks)"
    push = np.concatenate([energy.theta["bias"], np.zeros(9)])
    np.testing.assert_allclose(flat(rest.x), np.linalg.solve(hessian(energy), push), atol=1e-11)


def test_bounds(rng):
    """Block coordinate descent in a box: the bounded least squares solution."""
    box = (Real(-0.1, 0.2), Real(0.0), Real(-0.05, 0.05))
    energy = layered(rng, box)
    rest = relax(energy, tol=1e-12)
    low, high = (np.repeat([getattr(kind, side) for kind in box], (3, 5, 4)) for side in ("low", "high"))
    root = np.linalg.cholesky(hessian(energy)).T
    push = np.concatenate([energy.theta["bias"], np.zeros(9)])
    exact = lsq_linear(root, np.linalg.solve(root.T, push), (low, high), tol=1e-14).x
    assert np.any(exact == low) or np.any(np.isclose(exact, high))
    np.testing.assert_allclose(flat(rest.x), exact, atol=1e-9)


KINDS = ((Real(), Spin(), Binary()), (Spin(), Real(-1.0, 1.0), Spin()), (Binary(), Spin(), Real()))


@pytest.mark.parametrize("kinds", KINDS)
def test_energy_never_rises(kinds, rng):
    energy = layered(rng, kinds)
    check_energy(energy)
    start = energy.random_state(20, rng)
    before = energy(start)
    for steps in range(1, 12):
        now = relax(energy, start, max_steps=steps, unconverged="ignore").energy
        assert np.all(now <= before + 1e-12)
        before = now
    assert relax(energy, start).converged


def test_one_variable_at_a_time_says_so(rng):
    n = 7
    energy = Energy(
        {"s": (Spin(), n)},
        [Within("s", "W"), Bias("s")],
        {"W": symmetric(rng, n), "bias": rng.normal(size=n)},
    )
    rest = relax(energy, energy.random_state(30, rng))
    assert rest.method == "descent (one variable at a time)"
    every = energy(np.array(list(itertools.product([-1.0, 1.0], repeat=n))))
    assert rest.energy.min() == pytest.approx(every.min())  # one of 30 starts finds the ground state
    assert np.all(rest.residual == 0)


def test_only_the_layers_that_need_it_go_one_at_a_time(rng):
    energy = Energy(
        {"s": (Spin(), 4), "h": (Spin(), 6)},
        [Within("s", "W"), Cross("s", "h", "V")],
        {"W": symmetric(rng, 4), "V": rng.normal(size=(4, 6))},
    )
    rest = relax(energy, energy.random_state(5, rng))
    assert rest.method == "descent (blocks; s one variable at a time)"
    assert rest.converged


def test_real_layer_that_couples_within(rng):
    """Coordinate descent on a quadratic with a known diagonal."""
    energy = Energy(
        {"x": (Real(), 6)},
        [Within("x", "W"), Spring("x", 8.0), Bias("x")],
        {"W": symmetric(rng, 6), "bias": np.ones(6)},
    )
    rest = relax(energy, tol=1e-12)
    assert rest.method == "descent (one variable at a time)"
    np.testing.assert_allclose(rest.x, np.linalg.solve(8 * np.eye(6) - energy.theta["W"], np.ones(6)), atol=1e-11)


def test_clamps_and_forces(rng):
    n = 8
    w = symmetric(rng, n)
    readouts = {"held": Readout("s", [0, 5]), "drive": Readout("s", [1, 2, 3], force=True)}
    energy = Energy({"s": (Spin(), n)}, [Within("s", "W")], {"W": w}, readouts)
    drive = 20.0 * np.array([[1.0, -1.0, 1.0]])
    rest = relax(energy, energy.random_state(4, rng), clamp={"held": [-1.0, 1.0], "drive": drive})
    np.testing.assert_array_equal(rest.x[:, [0, 5]], np.tile([-1.0, 1.0], (4, 1)))
    np.testing.assert_array_equal(rest.x[:, [1, 2, 3]], np.tile(np.sign(drive), (4, 1)))  # nothing else is as strong
    with pytest.raises(ValueError, match="not of the kind Spin"):
        relax(energy, clamp={"held": [0.3, 1.0]})


@pytest.mark.parametrize("kind", [Spin(), Binary()])
@pytest.mark.parametrize("linearised", [False, True])
def test_nudged_discrete_outputs(kind, linearised, rng):
    """No single flip lowers energy plus cost: the cost's gap is used, not its slope."""
    n, strength = 6, 1.5
    energy = Energy({"s": (kind, n)}, [Within("s", "W")], {"W": symmetric(rng, n)}, {"out": Readout("s", [1, 4])})
    target = rng.normal(size=(10, 2))
    nudge = Nudge(Squared(), target, strength, rng.normal(size=(10, 2)) if linearised else None)
    rest = relax(energy, energy.random_state(10, rng), nudge=nudge)
    assert rest.converged

    def total(x):
        return energy(x) + nudge.value(x[:, [1, 4]])

    for i in range(n):
        other = rest.x.copy()
        other[:, i] = -other[:, i] if isinstance(kind, Spin) else 1 - other[:, i]
        assert np.all(total(other) >= total(rest.x) - 1e-12)


def test_nudged_real_outputs(rng):
    energy = layered(rng)
    energy = Energy(energy.layers, energy.terms, energy.theta, {"out": Readout("c", [0, 2])})
    target = rng.normal(size=2)
    rest = relax(energy, nudge=Nudge(Squared(), target, 2.0), tol=1e-12)
    h, push = hessian(energy), np.concatenate([energy.theta["bias"], np.zeros(9)])
    h[[8, 10], [8, 10]] += 2.0
    push[[8, 10]] += 2.0 * target
    assert rest.method == "descent (blocks)"
    np.testing.assert_allclose(flat(rest.x), np.linalg.solve(h, push), atol=1e-11)


def test_items_do_not_influence_each_other(rng):
    energy = layered(rng, (Spin(), Real(), Real()))
    start = energy.random_state(8, rng)
    together = relax(energy, start, tol=1e-4)
    for item in range(8):
        alone = relax(energy, {k: v[item] for k, v in start.items()}, tol=1e-4)
        np.testing.assert_allclose(flat(alone.x), flat({k: v[item] for k, v in together.x.items()}), rtol=1e-12)


class Bonds:
    """Potts variables on a path of sites: E = -sum_i U[x_i, x_i+1]."""

    layers = ("x", "x")

    def energy(self, x, theta):
        return -np.sum(theta["U"][x["x"][:, :-1], x["x"][:, 1:]], 1)

    def field(self, x, theta, layer):
        out = np.zeros((*x["x"].shape, len(theta["U"])))
        out[:, 1:] += theta["U"][x["x"][:, :-1]]
        out[:, :-1] += theta["U"].T[x["x"][:, 1:]]
        return out

    def gradient(self, x, theta, weight):
        return {}


def test_potts_codes_and_ties(rng):
    """Codes stay integers; where all codes are equally good the state is kept."""
    flat_bonds = Energy({"x": (Potts(4), 5)}, [Bonds()], {"U": np.zeros((4, 4))})
    start = flat_bonds.random_state(3, rng)
    rest = relax(flat_bonds, start)
    assert rest.x.dtype == np.int64
    np.testing.assert_array_equal(rest.x, start["x"])
    energy = flat_bonds.with_theta({"U": rng.normal(size=(4, 4))})
    rest = relax(energy, start)
    assert rest.x.dtype == np.int64
    assert np.all(rest.residual == 0)
    assert np.all(rest.energy <= energy(start))


def test_residual_is_the_energy_still_to_be_gained(rng):
    energy = Energy({"x": (Potts(4), 5)}, [Bonds()], {"U": rng.normal(size=(4, 4))})
    start = energy.random_state(6, rng)["x"]
    rest = relax(energy, start, max_steps=0, unconverged="ignore")
    gain = np.zeros(6)
    for i, code in itertools.product(range(5), range(4)):
        other = start.copy()
        other[:, i] = code
        gain = np.maximum(gain, energy(start) - energy(other))
    np.testing.assert_allclose(rest.residual, gain, atol=1e-14)
    assert not rest.converged


def test_one_large_field_does_not_hide_what_others_gain(rng):
    layers, terms = {"v": (Binary(), 6), "h": (Spin(), 4)}, [Cross("v", "h", "W"), Bias("v")]
    bias = np.array([1e10, *rng.standard_normal(5)])
    biased = Energy(layers, terms, {"W": rng.standard_normal((6, 4)), "bias": bias})
    start = biased.random_state(20, rng)
    rest = relax(biased, start)
    assert rest.converged and np.array_equal(rest.x["v"], biased.field(rest.x, "v") > 0)
    assert np.array_equal(rest.x["h"], np.sign(biased.field(rest.x, "h")))


class Ternary:
    """-1, 0 or 1 with a threshold: a kind of the user's own."""

    def settle(self, f, curvature, x):
        return np.where(np.abs(f) <= 0.5, 0.0, np.sign(f))

    def random(self, shape, rng):
        return rng.choice([-1.0, 0.0, 1.0], shape)

    def valid(self, x):
        return bool(np.all(np.isin(x, (-1, 0, 1))))


def test_a_kind_of_the_users_own(rng):
    energy = Energy({"t": (Ternary(), 4), "s": (Spin(), 5)}, [Cross("t", "s", "W")], {"W": rng.normal(size=(4, 5))})
    rest = relax(energy, energy.random_state(3, rng))
    assert rest.converged
    np.testing.assert_array_equal(rest.x["t"], Ternary().settle(energy.field(rest.x, "t"), None, rest.x["t"]))


def test_spins_start_down():
    energy = Energy({"s": (Spin(), 3)}, [Bias("s")], {"bias": np.array([1.0, -1.0, 0.0])})
    np.testing.assert_array_equal(relax(energy).x, [1.0, -1.0, -1.0])


class Tanh:
    def activation(self, x):
        return np.tanh(x)

    def lagrangian(self, x):
        return np.sum(np.log(np.cosh(x)), -1)

    def valid(self, x):
        return True


def test_refusals(rng):
    def refused(system, match, **options):
        with pytest.raises(ValueError, match=match):
            relax(system, method="descent", **options)

    pairs = [(0, 1), (1, 2)]
    resistors = Energy(
        {"v": (Real(), 3)},
        [Edges("v", pairs)],
        {"conductance": [1.0, 1.0]},
        {"d": Readout("v", rows=np.array([[1.0, -1.0, 0.0]]))},
    )
    refused(resistors, "a term has no `curvature` for layer .v.")
    tie = Energy({"v": (Real(), 3)}, [Spring("v", 1.0)], {}, {"d": Readout("v", rows=np.array([[1.0, -1.0, 0.0]]))})
    refused(tie, "a clamp ties variables together", clamp={"d": [1.0]})
    refused(tie, "a complex energy has no minimum", x0=np.zeros(3, complex))
    refused(Energy({"v": (Real(), 3)}, [Spring("v", -1.0)], {}), "the curvature on layer 'v' is not positive")
    refused(Energy({"v": (Tanh(), 3)}, [Dense(("v", "v"))], {"W": np.zeros((3, 3))}), "have an activation")
    refused(Energy({"v": (Tanh(), 3)}, [Spring("v", 1.0)], {}), "the energy is not linear in what layer 'v' shows")
    refused(System({"s": (Spin(), 3)}, [Bias("s")], {"bias": np.zeros(3)}), "a System has none")
    outputs = Energy(tie.layers, tie.terms, {}, {"out": Readout("v", [0, 1])})
    refused(
        outputs,
        "the nudge Quartic is not a quadratic in single variables",
        nudge=Nudge(Quartic(), np.zeros(2), 1.0),
    )
    differences = Energy(tie.layers, tie.terms, {}, {"out": Readout("v", rows=np.array([[1.0, -1.0, 0.0]]))})
    refused(differences, "not a quadratic in single variables", nudge=Nudge(Squared(), np.zeros(1), 1.0))
    readouts = {"out": Readout("x", [0]), "push": Readout("x", [0], force=True)}
    codes = Energy({"x": (Potts(3), 4)}, [Bonds()], {"U": np.eye(3)}, readouts)
    refused(codes, r"a force is given on layer 'x'", clamp={"push": [1.0]})
    refused(codes, r"layer 'x' is nudged, and Potts\(q=3\) has no slope", nudge=Nudge(Squared(), np.zeros(1), 1.0))


def test_curvature_that_turns_negative_on_the_way_is_an_error():
    """E = a^2/2 - a + (1 - 4 a) b^2 / 2: b is bound only while a stays small, and a does not."""

    class Softening:
        layers = ("a", "b")

        def energy(self, x, theta):
            a, b = x["a"][:, 0], x["b"][:, 0]
            return a**2 / 2 - a + (1 - 4 * a) * b**2 / 2

        def field(self, x, theta, layer):
            return 1 - x["a"] + 2 * x["b"] ** 2 if layer == "a" else -(1 - 4 * x["a"]) * x["b"]

        def gradient(self, x, theta, weight):
            return {}

        def curvature(self, x, theta, layer):
            return np.ones(1) if layer == "a" else 1 - 4 * x["a"]

    with pytest.raises(ValueError, match="the curvature on layer 'b' fell to -3"):
        relax(Energy({"a": (Real(), 1), "b": (Real(), 1)}, [Softening()], {}), method="descent")
