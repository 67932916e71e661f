"""Relaxations and gradients do not depend on the units of the state: metres of molecules as well as of planets."""

import numpy as np
import pytest

from physlearn import Energy, ExactGradient, Readout, Real, SquaredError, integrate, relax
from physlearn.learning.engines.adjoint import exact_contrast

UNITS = [1e-15, 1e-9, 1e-4, 1e-2, 1.0, 1e9]


class Well:
    """V sum ((x/a)^2 - 1)^2 + 0.3 x/a: two minima for each variable, the left one lower."""

    layers, parameters = ("x",), ("V", "a")

    def energy(self, x, theta):
        u = x["x"] / theta["a"]
        return np.sum(theta["V"] * ((u**2 - 1) ** 2 + 0.3 * u), axis=1)

    def field(self, x, theta, layer):
        u = x["x"] / theta["a"]
        return -theta["V"] / theta["a"] * (4 * u * (u**2 - 1) + 0.3)

    def gradient(self, x, theta, weight):
        u = x["x"] / theta["a"]
        along = theta["V"] * (4 * u * (u**2 - 1) + 0.3) * (-u / theta["a"])
        return {"V": weight @ ((u**2 - 1) ** 2 + 0.3 * u), "a": np.asarray(weight @ np.sum(along, axis=1))}


class Bent(Well):
    """The same with a Jacobian, for Newton's method."""

    def jacobian(self, x, theta):
        u = x["x"][0] / theta["a"]
        return np.diag(-theta["V"] / theta["a"] ** 2 * (12 * u**2 - 4))


def wells(unit, height, term=Well):
    theta = {"V": height * np.array([1.0, 1.5, 0.5, 2.0]), "a": unit}
    return Energy({"x": (Real(), 4)}, [term()], theta, {"first": Readout("x", [0]), "rest": Readout("x", [1, 2, 3])})


LEFT, RIGHT = (min(np.roots([4, 0, -4, 0.3]).real, key=lambda r, s=s: abs(r - s)) for s in (-1.0, 1.0))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("height", [1e-20, 1.0, 1e10])
@pytest.mark.parametrize("method", ["flow", "fire", "lbfgs", "newton"])
def test_rests_scale_with_the_unit(unit, height, method):
    energy = wells(unit, height, Bent if method == "newton" else Well)
    start = unit * np.array([[0.7, -0.3, 2.0, -2.0], [1.3, -1.5, 0.8, -0.9]])
    found = relax(energy, start, method=method)
    assert found.converged and np.all(found.steps > 0)
    if method == "lbfgs":  # its first steps may pass into another well
        assert np.allclose(np.where(found.x > 0, found.x - RIGHT * unit, found.x - LEFT * unit) / unit, 0.0, atol=1e-6)
    else:
        assert np.allclose(found.x / unit, [[RIGHT, LEFT, RIGHT, LEFT]] * 2, rtol=1e-6)
    held = relax(energy, start, clamp={"first": [0.5 * unit]}, method=method)
    assert held.converged and np.all(held.x[:, 0] == 0.5 * unit)


@pytest.mark.parametrize("unit", UNITS)
def test_a_start_at_zero_takes_its_unit_from_what_is_given(unit):
    energy = wells(unit, 1.0)
    found = relax(energy, clamp={"first": [0.5 * unit]}, method="flow")
    assert found.converged and np.allclose(found.x / unit, [0.5, LEFT, LEFT, LEFT], rtol=1e-6)


@pytest.mark.parametrize("unit", UNITS)
def test_trajectories_end_where_relaxations_do(unit):
    energy = wells(unit, 1.0)
    run = integrate(energy, (0.0, 20 * unit**2), x0=unit * np.array([0.7, -0.3, 2.0, -2.0]))
    assert np.allclose(run.final / unit, [RIGHT, LEFT, RIGHT, LEFT], rtol=1e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_exact_gradients_by_differences_scale_with_the_unit(unit, tol):
    # rests are LEFT a whatever V: of the cost sum (x - y)^2/2 the derivative by a is sum (x - y) LEFT
    inputs, target = {"first": np.array([[0.5 * unit]])}, unit * np.array([[0.5, 0.0, -2.0]])
    options = {"method": "flow", "tol": 1e-12}
    found = exact_contrast(wells(unit, 1.0), inputs, target, ExactGradient(), SquaredError("rest"), options).gradient
    expected = np.sum((LEFT * unit - target) * LEFT)
    assert found["a"] == pytest.approx(expected, rel=tol.GRADIENT)
    assert np.max(np.abs(found["V"])) < 1e-6 * abs(expected) * unit
