"""Laws of one's own: compiled, kept, refused by the element's name."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import Circuit, CurrentSource, Diode, Law, Resistor, VoltageSource


def cubic(v, p):
    return p[0] * v + p[1] * v**3


def cubic_slope(v, p):
    return p[0] + 3 * p[1] * v**2


def sine(v):
    return 1e-3 * np.sin(v)


def cosine(v):
    return 1e-3 * np.cos(v)


def nowhere(v):
    return np.nan if v > 0.5 else v


def pair(v):
    return np.array([v, v])


def beyond(v, p):
    return p[7]


def one(v):
    return 1.0


def test_a_diode_of_ones_own_is_the_diode(tol):
    vt = 0.05

    def current(v):
        return 1e-9 * (np.exp(v / 0.05) - 1)

    def slope(v):
        return 1e-9 / 0.05 * np.exp(v / 0.05)

    net = {"V": (VoltageSource(0.9), "a", "0"), "R": (Resistor(1e3), "a", "b")}
    own = Circuit(net | {"N": (Law(current, slope), "b", "0")}, thermal_voltage=vt).solve()
    ours = Circuit(net | {"N": (Diode(1e-9), "b", "0")}, thermal_voltage=vt).solve()
    assert_allclose(own.voltages["b"], ours.voltages["b"], rtol=1e-10)


def test_parameters_differ_between_elements(tol):
    net = {"I": (CurrentSource(1e-3), "0", "a"), "A": (Law(cubic, cubic_slope, (1e-3, 2e-3)), "a", "b")}
    rest = Circuit(net | {"B": (Law(cubic, cubic_slope, (4e-3, 0.0)), "b", "0")}).solve()
    assert_allclose(rest.voltages["b"], 0.25, rtol=tol.IDENTITY)
    drop = rest.voltages["a"] - 0.25
    assert_allclose(1e-3 * drop + 2e-3 * drop**3, 1e-3, rtol=tol.IDENTITY)


def test_a_negative_slope_is_followed(tol):
    rest = Circuit(
        {"V": (VoltageSource(3.0), "a", "0"), "R": (Resistor(2e2), "a", "b"), "N": (Law(sine, cosine), "b", "0")}
    ).solve()
    v = rest.voltages["b"]
    assert rest.converged
    assert_allclose((3.0 - v) / 2e2, 1e-3 * np.sin(v), rtol=1e-9)


@pytest.mark.parametrize(
    "law, error, message",
    [
        (Law(nowhere, one), ValueError, "N: its function current returns NaN .* V"),
        (Law(pair, one), TypeError, "N: current: Numba cannot compile pair"),
        (Law(beyond, cubic_slope, (1.0, 2.0)), ValueError, "N: its function current returns NaN \\(or fails\\)"),
    ],
)
def test_faulty_functions_name_the_element(law, error, message):
    with pytest.raises(error, match=message):
        Circuit({"I": (CurrentSource(1.0), "0", "a"), "N": (law, "a", "0")}).solve()


def test_functions_are_checked():
    with pytest.raises(TypeError, match="current: got 1.0"):
        Law(1.0, one)
    with pytest.raises(TypeError, match="slope: got a function of \\(v\\)"):
        Law(cubic, one, (1.0, 2.0))
