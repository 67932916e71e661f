"""Memristors against an independent integrator of their states."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from circuits import Circuit, DriftMemristor, Resistor, Sine, ThresholdMemristor, VoltageSource
from physlearn import integrate


@pytest.mark.parametrize(
    "element", [DriftMemristor(state=0.2, window=2), ThresholdMemristor(state=0.1, speed=20.0, set_voltage=0.3)]
)
def test_states_behind_a_resistor(element, tol):
    def rate(t, x):
        state = min(max(x[0], 0.0), 1.0)
        r = element.resistance(state)
        return [element.rate(state, np.sin(2 * np.pi * t) * r / (r + 500.0))]

    exact = solve_ivp(rate, (0, 0.4), [element.state], rtol=1e-10, atol=1e-12, max_step=1e-3).y[0, -1]
    net = {
        "V": (VoltageSource(Sine(0.0, 1.0, 1.0)), "a", "0"),
        "R": (Resistor(500.0), "a", "b"),
        "M": (element, "b", "0"),
    }
    errors = []
    for dt in (1e-2, 5e-3, 2.5e-3):
        run = integrate(Circuit(net), (0.0, 0.4), dt=dt)
        errors.append(abs(run.states["M"][-1] - exact))
    assert errors[-1] < 2e-4 * abs(exact - element.state)
    if isinstance(element, DriftMemristor):  # the threshold's corner costs the other its order
        assert abs(np.log2(errors[0] / errors[1]) - 2) < tol.ORDER_ODE


def test_the_loop_is_pinched_and_shrinks_with_frequency():
    areas = []
    for frequency in (1.0, 10.0):
        net = {"V": (VoltageSource(Sine(0.0, 1.0, frequency)), "a", "0"), "M": (DriftMemristor(), "a", "0")}
        run = integrate(Circuit(net), (0.0, 1 / frequency), dt=1 / (400 * frequency))
        v = run.voltages["a"]
        i = v / [DriftMemristor().resistance(x) for x in run.states["M"]]
        assert abs(i[200]) < 1e-9  # no voltage, no current
        areas.append(abs(np.trapezoid(i, v)))
    assert areas[0] > 3 * areas[1]


def test_at_rest_it_is_its_resistance(tol):
    net = {"V": (VoltageSource(2.0), "a", "0"), "M": (DriftMemristor(100.0, 1100.0, state=0.3), "a", "0")}
    assert_allclose(Circuit(net).solve().currents["M"], 2.0 / 800.0, rtol=tol.IDENTITY)


def test_faults():
    with pytest.raises(ValueError, match="expected on < off"):
        DriftMemristor(2e3, 1e3)
    with pytest.raises(ValueError, match="one below and one above zero"):
        ThresholdMemristor(reset_voltage=0.1)
    with pytest.raises(ValueError, match="state"):
        ThresholdMemristor(state=1.5)
    net = {"V": (VoltageSource(2.0), "a", "0"), "M": (DriftMemristor(), "a", "0")}
    with pytest.raises(ValueError, match="memristors have one state each"):
        integrate(Circuit(net), (0.0, 1.0), dt=0.1, clamp={"V": [[1.0], [2.0]]})
