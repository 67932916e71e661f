"""The engines of relax for continuous layers, against closed forms and against each other."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import lsq_linear

from physlearn import ConvergenceError, Energy, Nudge, Potts, Readout, Real, Spin, System, relax
from physlearn.terms import Bias, Edges, Parabola

ALL = ("newton", "lbfgs", "flow", "fire")


class Custom:
    """A term from plain functions of the one layer "x": value(v), slope(v), bend(v) of one state."""

    layers = ("x", "x")
    holomorphic = True

    def __init__(self, value, slope, bend):
        self.value, self.slope, self.bend = value, slope, bend

    def energy(self, x, theta):
        return self.value(x["x"])

    def field(self, x, theta, layer):
        return -self.slope(x["x"])

    def gradient(self, x, theta, weight):
        return {}

    def jacobian(self, x, theta):
        return -self.bend(x["x"][0])


DOUBLE_WELL = Custom(lambda v: np.sum((v**2 - 1) ** 2, 1) / 4, lambda v: v**3 - v, lambda v: np.diag(3 * v**2 - 1))
QUARTIC = Custom(lambda v: np.sum(v**4, 1) / 4, lambda v: v**3, lambda v: np.diag(3 * v**2))
HILL = Custom(lambda v: -np.sum(v**2, 1) / 2, lambda v: -v, lambda v: -np.eye(len(v)))


def rosenbrock_slope(v):
    out, gap = np.zeros_like(v), v[:, 1:] - v[:, :-1] ** 2
    out[:, 1:] += 200 * gap
    out[:, :-1] += -400 * gap * v[:, :-1] - 2 * (1 - v[:, :-1])
    return out


def rosenbrock_bend(v):
    a, b = v[:-1], v[1:]
    return (
        np.diag(np.append(1200 * a**2 - 400 * b + 2, 0) + np.append(0, np.full(len(a), 200.0)))
        - np.diag(400 * a, 1)
        - np.diag(400 * a, -1)
    )


ROSENBROCK = Custom(
    lambda v: np.sum(100 * (v[:, 1:] - v[:, :-1] ** 2) ** 2 + (1 - v[:, :-1]) ** 2, 1),
    rosenbrock_slope,
    rosenbrock_bend,
)


def single(term, n, kind=None):
    return Energy({"x": (kind or Real(), n)}, [term], {})


def least_squares(a, b):
    """|a x - b|^2 / 2."""
    return Custom(lambda v: 0.5 * np.sum((v @ a.T - b) ** 2, 1), lambda v: (v @ a.T - b) @ a, lambda v: a.T @ a)


class Squared:
    readout = "out"

    def value(self, y, target):
        return 0.5 * np.sum((y - target) ** 2, -1)

    def gradient(self, y, target):
        return y - target

    def hessian(self, y, target):
        return np.broadcast_to(np.eye(y.shape[-1]), (*y.shape, y.shape[-1]))


def network(rng, n=30, scale=1.0):
    """Random resistors with injected currents; rails, a floating source, driven nodes, drops as outputs."""
    pairs = [(i, i + 1) for i in range(n - 1)] + [(i, int(j)) for i, j in enumerate(rng.permutation(n)) if i != j]
    source, drops = np.zeros((1, n)), np.zeros((2, n))
    source[0, [4, 9]] = 1, -1
    drops[[0, 0, 1, 1], [12, 20, 14, 25]] = 1, -1, 1, -1
    return Energy(
        {"v": (Real(), n)},
        [Edges("v", pairs), Bias("v")],
        {"conductance": scale * rng.uniform(0.2, 5.0, len(pairs)), "bias": 0.1 * scale * rng.normal(size=n)},
        {
            "rails": Readout("v", [0, n - 1]),
            "source": Readout("v", rows=source),
            "drive": Readout("v", [7, 8], force=True),
            "out": Readout("v", rows=sp.csr_matrix(drops)),
        },
    )


CLAMPS = ("none", "source", "drive", "nudge", "linearised")


@pytest.mark.parametrize("given", CLAMPS)
@pytest.mark.parametrize("method", ALL)
def test_quadratic_equals_the_direct_engine(method, given, rng):
    energy, batch = network(rng), 3
    clamp = {"rails": rng.normal(size=(batch, 2))}
    if given == "source":
        clamp["source"] = rng.normal(size=(batch, 1))
    if given == "drive":
        clamp["drive"] = rng.normal(size=(batch, 2))
    target = rng.normal(size=(batch, 2))
    at = rng.normal(size=(batch, 2)) if given == "linearised" else None
    nudge = Nudge(Squared(), target, 0.7, at) if given in ("nudge", "linearised") else None
    exact = relax(energy, clamp=clamp, nudge=nudge, method="direct")
    found = relax(energy, clamp=clamp, nudge=nudge, method=method, tol=1e-10)
    assert found.converged
    stiffness = np.max(np.abs(energy.terms[0].quadratic(energy.theta)[0]).sum(1))
    assert np.all(found.residual <= 1e-10 * (stiffness + 0.7) * np.max(np.abs(found.x)))
    np.testing.assert_allclose(found.x, exact.x, atol=1e-8)
    np.testing.assert_allclose(found.energy, exact.energy, atol=1e-8)
    if method == "newton":
        assert found.steps == 1  # the nudge's own curvature is part of the jacobian


@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("method", ALL)
def test_units_do_not_matter(method, scale, rng):
    """Nano- and gigasiemens take as many steps as siemens."""
    steps = []
    for s in (1.0, scale):
        energy = network(np.random.default_rng(7), scale=s)
        rest = relax(energy, clamp={"rails": [1.0, 0.0]}, method=method)
        assert rest.converged
        steps.append(rest.steps)
    assert steps[1] == pytest.approx(steps[0], rel=0.25, abs=6)


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("rest", [0.0, 1.0])
def test_a_start_far_out_does_not_loosen_the_tolerance(method, rest):
    well = Energy({"x": (Real(), 2)}, [Parabola("x"), Bias("x")], {"stiffness": [1.0, 2.0], "bias": [rest, 2 * rest]})
    found = relax(well, [1e8, 0.0], method=method)
    assert found.converged and np.allclose(found.x, rest, rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", [{"tol": np.nan}, {"tol": "a"}, {"tol": -1.0}, {"max_steps": 2.5}])
def test_settings_that_are_no_numbers_are_refused(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))}: got"):
        relax(Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.0]}), **settings)
    with pytest.raises(ValueError, match="x0: got a batch of 0"):
        relax(Energy({"x": (Real(), 2)}, [Parabola("x")], {"stiffness": [1.0]}), np.zeros((0, 2)))


@pytest.mark.parametrize("method", ALL)
def test_double_well_falls_into_a_minimum(method, rng):
    start = 2 * rng.normal(size=(5, 4))
    rest = relax(single(DOUBLE_WELL, 4), start, method=method)
    np.testing.assert_allclose(np.abs(rest.x), 1.0, atol=1e-8)
    if method == "flow":  # the flow stays in the basin of its start
        np.testing.assert_array_equal(np.sign(rest.x), np.sign(start))


@pytest.mark.parametrize("n", [2, 300])
def test_newton_leaves_saddles_and_maxima(n):
    """Dense and sparse: a rest with a negative curvature is no equilibrium of an energy."""
    start = np.ones(n)
    start[0] = 0.0
    well = single(
        Custom(DOUBLE_WELL.value, DOUBLE_WELL.slope, lambda v: sp.diags(3 * v**2 - 1)) if n > 2 else DOUBLE_WELL,
        n,
    )
    np.testing.assert_allclose(np.abs(relax(well, start, method="newton").x), 1.0, atol=1e-8)
    np.testing.assert_allclose(np.abs(relax(well, 1e-3 * np.ones(n), method="newton").x), 1.0, atol=1e-8)


def test_newton_accepts_a_minimum_without_curvature():
    rest = relax(single(QUARTIC, 3), np.array([1.0, -2.0, 0.5]), method="newton")
    assert rest.converged
    assert np.all(np.abs(rest.x) < 3e-3)


@pytest.mark.parametrize("method", ALL)
def test_energy_without_minimum_is_not_converged(method):
    with pytest.raises(ConvergenceError) as caught:
        relax(single(HILL, 2), np.array([0.1, -0.2]), method=method, max_steps=300, unconverged="raise")
    assert not caught.value.partial.converged


@pytest.mark.parametrize("method", ["lbfgs", "flow", "fire"])
def test_bounded_least_squares(method, rng):
    a, b = rng.normal(size=(12, 6)), rng.normal(size=12)
    exact = lsq_linear(a, b, (-0.2, 0.15), tol=1e-14).x
    rest = relax(single(least_squares(a, b), 6, Real(-0.2, 0.15)), np.zeros((2, 6)), method=method, tol=1e-10)
    assert rest.converged
    assert np.any(np.abs(rest.x[0] + 0.025) == 0.175)  # some bound is active
    np.testing.assert_allclose(rest.x, np.tile(exact, (2, 1)), atol=1e-8)


@pytest.mark.parametrize(
    ("method", "steps"),
    [("newton", 60), ("lbfgs", 80), ("fire", 5000), pytest.param("flow", 60_000, marks=pytest.mark.slow)],
)
def test_rosenbrock(method, steps):
    """A curved valley of condition 2500; measured: 21, 38, 1287 and 24,599 steps, here with room to spare."""
    start = np.array([[-1.2, 1.0], [0.3, 2.0]])
    rest = relax(single(ROSENBROCK, 2), start, method=method, max_steps=steps, tol=1e-12)
    assert rest.converged
    np.testing.assert_allclose(rest.x, 1.0, atol=1e-7)


@pytest.mark.parametrize("method", ALL)
def test_items_do_not_influence_each_other(method, rng):
    """A slow neighbour changes nothing: not even how far an item is carried beyond its tolerance."""
    energy, starts = single(DOUBLE_WELL, 3), rng.normal(size=(6, 3)) * np.logspace(-2, 2, 6)[:, None]
    together = relax(energy, starts, method=method, tol=1e-5)
    alone = [relax(energy, start, method=method, tol=1e-5) for start in starts]
    np.testing.assert_allclose(together.x, [rest.x for rest in alone], rtol=1e-12)
    assert max(rest.steps for rest in alone) <= together.steps <= sum(rest.steps for rest in alone)


def grid(side):
    index = np.arange(side * side).reshape(side, side)
    return np.concatenate(
        [
            np.stack([index[:-1].ravel(), index[1:].ravel()], 1),
            np.stack([index[:, :-1].ravel(), index[:, 1:].ravel()], 1),
        ]
    )


class Diodes:
    """A diode from every node to ground: E = sum i0 (exp(v/vt) vt - v), current i0 (exp(v/vt) - 1)."""

    layers = ("v",)
    holomorphic = True
    i0, vt = 1e-6, 0.05

    def energy(self, x, theta):
        return np.sum(self.i0 * (self.vt * np.exp(x["v"] / self.vt) - x["v"]), 1)

    def field(self, x, theta, layer):
        return -self.i0 * (np.exp(x["v"] / self.vt) - 1)

    def gradient(self, x, theta, weight):
        return {}

    def jacobian(self, x, theta):
        return sp.diags(-self.i0 / self.vt * np.exp(x["v"][0] / self.vt))


def test_newton_on_a_sparse_grid_of_diodes(rng):
    """400 nodes at 5 V against diodes of 50 mV: overflow on the way is no obstacle."""
    pairs = grid(20)
    energy = Energy(
        {"v": (Real(), 400)},
        [Edges("v", pairs), Diodes()],
        {"conductance": rng.uniform(1e-3, 1e-2, len(pairs))},
        {"rails": Readout("v", [0, 399])},
    )
    rest = relax(energy, 5.0 * np.ones(400), clamp={"rails": [5.0, 0.0]}, method="newton", tol=1e-11)
    assert rest.converged
    assert rest.steps < 120  # from 100 diode voltages too high at one diode voltage a step
    other = relax(energy, np.zeros(400), clamp={"rails": [5.0, 0.0]}, method="lbfgs", tol=1e-9)
    np.testing.assert_allclose(rest.x, other.x, atol=1e-6)


def test_tolerance_beyond_the_rounding_of_the_energy(rng):
    """L-BFGS reaches forces that change the energy by less than its last digit."""
    shifted = Custom(lambda v: 1e6 + DOUBLE_WELL.value(v), DOUBLE_WELL.slope, DOUBLE_WELL.bend)
    for method in ("lbfgs", "newton"):
        assert relax(single(shifted, 4), 2 * rng.normal(size=4), method=method, tol=1e-11).converged


@pytest.mark.parametrize("method", ["newton", "flow"])
def test_complex_states(method):
    """x^3 + x = b continued to complex b (a given force): the root that grows out of the real one."""
    term = Custom(lambda v: np.sum(v**4 / 4 + v**2 / 2, 1), lambda v: v**3 + v, lambda v: np.diag(3 * v**2 + 1))
    energy = Energy({"x": (Real(), 1)}, [term], {}, {"b": Readout("x", force=True)})
    b = 1.0 + 0.5j
    roots = np.roots([1, 0, 1, -b])
    rest = relax(energy, clamp={"b": np.array([b])}, method=method, tol=1e-11)
    assert rest.converged
    np.testing.assert_allclose(rest.x, roots[np.argmin(np.abs(roots - 0.682))], atol=1e-10)


def test_refusals_say_why_and_what_fits():
    box = single(DOUBLE_WELL, 2, Real(-2, 2))
    with pytest.raises(
        ValueError,
        match=r"'newton' does not fit .* some variables have bounds. What fits: \['lbfgs', 'flow', 'fire'\]",
    ):
        relax(box, method="newton")
    plain = Energy({"s": (Spin(), 3)}, [Bias("s")], {"bias": np.ones(3)})
    for method in ALL:
        with pytest.raises(ValueError, match=r"layers \['s'\] are discrete"):
            relax(plain, method=method)
    smooth = single(DOUBLE_WELL, 2)
    for method in ("lbfgs", "fire"):
        with pytest.raises(ValueError, match="a complex energy has no minimum"):
            relax(smooth, np.zeros(2, complex), method=method)
    with pytest.raises(ValueError, match="the state is complex, and bounds mean nothing there"):
        relax(box, np.zeros(2, complex), method="flow")
    system = System({"v": (Real(), 2)}, [type("Field", (), {"layers": ("v",), "field": lambda *a: None})()], {})
    with pytest.raises(ValueError, match="Field has no `jacobian`"):
        relax(system, method="newton")


def test_auto_takes_what_the_terms_allow(rng):
    smooth, box = single(DOUBLE_WELL, 2), single(DOUBLE_WELL, 2, Real(-3, 3))
    start = rng.normal(size=2)
    assert relax(smooth, start).method == "Newton"
    assert relax(box, start).method == "L-BFGS-B"
    assert relax(smooth, start + 0.1j).method == "Newton"


@pytest.mark.parametrize("method", ALL)
def test_unconverged(method, rng):
    energy, start = single(ROSENBROCK, 4), rng.normal(size=4)
    with pytest.warns(RuntimeWarning, match="not at rest after .* Raise max_steps or tol"):
        warned = relax(energy, start, method=method, max_steps=2)
    assert not warned.converged
    with pytest.raises(ConvergenceError, match="not at rest") as caught:
        relax(energy, start, method=method, max_steps=2, unconverged="raise")
    partial = caught.value.partial
    np.testing.assert_array_equal(partial.x, warned.x)
    # the residual is that of the state handed back
    assert partial.residual == pytest.approx(np.max(np.abs(energy.field(energy.state(partial.x), "x"))))


@pytest.mark.parametrize("method", ALL)
def test_nothing_free_and_nothing_to_do(method):
    energy = network(np.random.default_rng(3))
    v = np.linspace(0.0, 1.0, 30)
    rest = relax(energy, clamp={"v": v}, method=method)
    assert rest.converged
    np.testing.assert_array_equal(rest.x, v)


def test_clamps_must_be_values_a_layer_can_take():
    energy = Energy({"x": (Potts(3), 2)}, [type("Flat", (Custom,), {"layers": ("x",)})(None, None, None)], {})
    with pytest.raises(ValueError, match=r"clamp: some values given to layer 'x' are not of the kind Potts"):
        relax(energy, clamp={"x": [0.5, 1.0]})
