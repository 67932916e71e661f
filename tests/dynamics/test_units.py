"""Systems whose variables have units of their own, and fields that end."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from physlearn import Readout, Real, SquaredError, System, integrate, relax
from physlearn.learning import ExactGradient
from physlearn.learning.engines.adjoint import contrast_by_adjoint


@dataclass(frozen=True)
class Sized(Real):
    scale: Any = 1.0
    start: Any = 0.0


class Rotor:
    """dx/dt = A (c - x) with a cubic, in units of ``size`` for each variable."""

    layers = ("x",)

    def __init__(self, size):
        self.size = np.asarray(size)

    def field(self, x, theta, layer):
        y = x["x"] / self.size
        return ((theta["c"] - y) @ theta["A"].T - 0.1 * y**3) * self.size

    def response(self, x, theta, weight):
        return {}

    def jacobian(self, x, theta):
        y = x["x"][0] / self.size
        return (-theta["A"] - np.diag(0.3 * y**2)) * self.size[:, None] / self.size


class Walled(Rotor):
    def limit(self, x, theta):
        return 0.4 - x["x"][:, 0] / self.size[0], "the wall is there"


THETA = {"A": [[1.0, 2.0], [-2.0, 1.0]], "c": [1.0, 0.5]}
READ = {"y": Readout("x", [1])}


def rotor(size, kind=None, term=Rotor):
    kind = Sized(scale=tuple(map(float, size))) if kind is None else kind
    return System({"x": (kind, 2)}, [term(size)], THETA, READ)


@pytest.mark.parametrize("method", ["newton", "flow"])
@pytest.mark.parametrize("size", [(1.0, 1e-12), (1e9, 1e-3), (1e-7, 1e4)])
def test_rests_do_not_depend_on_units(size, method):
    plain, sized = relax(rotor((1.0, 1.0), Real()), method=method), relax(rotor(size), method=method)
    assert sized.converged and sized.steps == plain.steps
    assert sized.x / size == pytest.approx(plain.x, rel=1e-9)
    assert sized.residual == pytest.approx(plain.residual, rel=1e-3, abs=1e-12)
    held = relax(rotor(size), clamp={"y": [0.3 * size[1]]}, method=method)
    assert held.x[0] / size[0] == pytest.approx(relax(rotor((1, 1), Real()), clamp={"y": [0.3]}).x[0], rel=1e-8)


@pytest.mark.parametrize("settings", [{}, {"method": "stiff"}, {"dt": 1e-2}, {"dt": 1e-2, "method": "euler"}])
def test_flows_do_not_depend_on_units(settings):
    size = np.array([1e3, 1e-12])
    start = np.array([0.4, 0.0])
    plain = integrate(rotor((1.0, 1.0), Real()), (0.0, 2.0), x0=start, **settings)
    sized = integrate(rotor(size), (0.0, 2.0), x0=start * size, **settings)
    assert sized.final / size == pytest.approx(plain.final, rel=1e-10 if "dt" in settings else 1e-5)


def test_noise_in_units_of_its_own():
    """The same kicks in the variables' own units: x + sqrt(2 T dt / tau) xi."""
    size, settings = np.array([1e3, 1e-2]), {"temperature": 1e-8, "dt": 1e-2, "method": "euler_maruyama", "rng": 1}
    plain = integrate(rotor(size, Real()), (0.0, 1e-2), x0=[0.0, 0.0], **settings)
    sized = integrate(rotor(size), (0.0, 1e-2), x0=[0.0, 0.0], **settings)
    assert sized.final == pytest.approx(plain.final, rel=1e-12)


def test_a_variable_that_starts_at_zero_without_a_force_is_followed_to_its_own_size():
    """Without a scale its error would be allowed to be as large as that of the other, 10^12 times larger one."""
    size = (1.0, 1e-12)
    start = np.array([0.5, 0.0])  # the second variable feels no force there
    exact = integrate(rotor((1.0, 1.0), Real()), (0.0, 1.0), x0=start, tol=1e-11).final
    run = integrate(rotor(size), (0.0, 1.0), x0=start * size, tol=1e-8)
    assert run.final / size == pytest.approx(exact, rel=1e-6)


def test_gradients_do_not_depend_on_units():
    size = np.array([1e2, 1e-3])
    found = []
    for system, unit in ((rotor((1.0, 1.0), Real()), 1.0), (rotor(size), size[1])):
        target = np.array([[0.9 * unit]])
        gradient = contrast_by_adjoint(system, {}, target, ExactGradient(), SquaredError("y"), {}).gradient
        found.append({name: value / unit**2 for name, value in gradient.items()})
    for name in THETA:
        assert found[1][name] == pytest.approx(found[0][name], rel=1e-6)


def test_kinds_tell_where_to_start():
    system = rotor((1.0, 1.0), Sized(scale=(1.0, 1.0), start=(0.7, -0.2)))
    assert integrate(system, (0.0, 1.0), times=[0.0, 1.0]).x[0] == pytest.approx([0.7, -0.2])


@pytest.mark.parametrize("settings", [{"method": "adaptive"}, {"method": "stiff"}, {"dt": 1e-3}])
def test_a_field_that_ends(settings):
    exact = integrate(rotor((1.0, 1.0), Real()), (0.0, 2.0), tol=1e-10, times=np.linspace(0, 2, 20_001))
    ends = exact.t[np.argmax(exact.x[:, 0] >= 0.4)]
    with pytest.warns(RuntimeWarning, match="the wall is there"):
        run = integrate(rotor((1e3, 1.0), term=Walled), (0.0, 2.0), **settings)
    reached = float(run.stopped.split("t = ")[1].split()[0])
    assert run.t[-1] <= reached and ends - 2e-4 <= reached <= ends + 1e-3
    with pytest.warns(RuntimeWarning, match="none of the system: the wall is there"):
        assert not relax(rotor((1.0, 1.0), term=Walled)).converged
    with pytest.raises(ValueError, match="x0: the wall is there"):
        integrate(rotor((1.0, 1.0), term=Walled), (0.0, 1.0), x0=[0.5, 0.0])
