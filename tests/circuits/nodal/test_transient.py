"""Circuits in time: measured orders against closed forms, waveforms, noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import (
    Capacitor,
    Circuit,
    CurrentSource,
    Diode,
    DriftMemristor,
    Points,
    Pulse,
    Resistor,
    Sine,
    VoltageSource,
)
from physlearn import integrate

BOLTZMANN = 1.380649e-23


def low_pass(source):
    return Circuit(
        {"V": (VoltageSource(source), "a", "0"), "R": (Resistor(1e3), "a", "b"), "C": (Capacitor(1e-6), "b", "0")}
    )


@pytest.mark.parametrize("method", ["trapezoidal", "bdf2", "midpoint"])
def test_order_two(method, tol):
    circuit, errors = low_pass(1.0), []
    steps = np.array([1e-4, 5e-5, 2.5e-5])
    for dt in steps:
        run = integrate(circuit, (0.0, 1e-3), dt=dt, uic=True, method=method)
        errors.append(abs(run.voltages["b"][-1] - (1 - np.exp(-1))))
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert abs(slope - 2.0) < tol.ORDER_ODE


def test_sine_through_a_low_pass():
    """Amplitude and phase after the start has died away."""
    run = integrate(low_pass(Sine(0.5, 2.0, 200.0)), (0.0, 0.016), dt=2e-5)
    w = 2 * np.pi * 200.0
    gain = 1 / (1 + 1j * w * 1e-3)
    late = run.t > 0.011
    exact = 0.5 + 2.0 * np.imag(gain * np.exp(1j * w * run.t[late]))
    assert_allclose(run.voltages["b"][late], exact, atol=2e-4)


def test_charge_goes_round_between_two_capacitors(tol):
    """Floating capacitors: the total charge stays."""
    net = {"C1": (Capacitor(2e-6, 3.0), "a", "0"), "C2": (Capacitor(1e-6), "b", "0"), "R": (Resistor(1e3), "a", "b")}
    net |= {"R0": (Resistor(1e12), "a", "0"), "C3": (Capacitor(1e-9), "a", "b")}
    run = integrate(Circuit(net), (0.0, 0.05), dt=1e-4, uic=True)
    charge = 2e-6 * run.voltages["a"] + 1e-6 * run.voltages["b"]
    assert_allclose(charge, charge[0], rtol=1e-6)
    assert_allclose(run.voltages["b"][-1], charge[0] / 3e-6, rtol=1e-6)


def test_starts_at_rest_and_follows_functions(tol):
    circuit = low_pass(2.0)
    still = integrate(circuit, (0.0, 1e-3), dt=1e-4)
    assert_allclose(still.voltages["b"], 2.0, rtol=tol.IDENTITY)
    ramp = integrate(circuit, (0.0, 5e-3), dt=1e-5, clamp={"V": lambda t: 100.0 * t})
    assert_allclose(ramp.voltages["b"][-1], 100.0 * (5e-3 - 1e-3 * (1 - np.exp(-5))), rtol=1e-5)


def test_a_rectifier_holds_its_peak():
    net = {"V": (VoltageSource(Sine(0.0, 5.0, 50.0)), "a", "0"), "D": (Diode(1e-9), "a", "b")}
    net |= {"C": (Capacitor(1e-4), "b", "0"), "R": (Resistor(1e5), "b", "0")}
    run = integrate(Circuit(net), (0.0, 0.06), dt=1e-4, method="bdf2")
    late = run.voltages["b"][run.t > 0.025]
    assert late.min() > 4.5 and late.max() < 5.0


def test_noise_has_the_variance_of_equipartition(tol):
    """k T / C whatever the resistances, a node without a capacitor between them included."""
    net = {"R1": (Resistor(1e3), "b", "m"), "R2": (Resistor(3e3), "m", "0"), "R3": (Resistor(1e5), "b", "0")}
    circuit = Circuit(net | {"C": (Capacitor(1e-12), "b", "0")}, temperature=350.0)
    run = integrate(circuit, (0.0, 200 * 4e-9), dt=4e-9, noise=True, batch=200, rng=3)
    v = run.voltages["b"][40:]
    a = 4e-9 * (1 / 4e3 + 1e-5) / 2e-12
    correlation = (1 - a) / (1 + a)  # of neighbouring steps; squares forget with its square
    effective = v.size * (1 - correlation**2) / (1 + correlation**2)
    expected = BOLTZMANN * 350.0 / 1e-12
    assert abs(np.mean(v**2) / expected - 1) < tol.STATISTICAL * np.sqrt(2 / effective)
    alone = integrate(circuit, (0.0, 20 * 4e-9), dt=4e-9, noise=True, batch=1, rng=3)
    assert np.array_equal(alone.voltages["b"], run.voltages["b"][:21, 0])


@pytest.mark.parametrize("method", ["trapezoidal", "bdf2"])
def test_adaptive_steps_keep_their_error(method):
    """Errors fall with the tolerance, at a cost that grows as its third root: the method is of order 2."""
    circuit, exact = low_pass(1.0), lambda t: 1 - np.exp(-t / 1e-3)
    errors, steps = [], []
    for tol in (1e-3, 1e-5, 1e-6):
        run = integrate(circuit, (0.0, 5e-3), tol=tol, uic=True, method=method)
        assert run.t[-1] == 5e-3 and np.all(np.diff(run.t) > 0)
        errors.append(np.max(np.abs(run.voltages["b"] - exact(run.t))))
        steps.append(run.steps)
    assert errors[0] < 1e-2 and errors[1] < 3e-4 and errors[2] < 6e-5
    assert 1.4 < steps[2] / steps[1] < 3.2  # 10^(1/3) = 2.2


def test_adaptive_steps_find_short_pulses():
    """A pulse of 2 us in 10 ms: a step would pass over it, did steps not end at corners."""
    pulse = Pulse(0.0, 1.0, delay=4e-3, rise=1e-7, fall=1e-7, width=2e-6)
    run = integrate(low_pass(pulse), (0.0, 10e-3), tol=1e-5)
    charge = 2.1e-6 * 1e-3  # V s / ohm
    after = run.t > 4.01e-3
    expected = charge / 1e-6 * np.exp(-(run.t[after] - 4.0011e-3) / 1e-3)
    assert_allclose(run.voltages["b"][after], expected, rtol=2e-3, atol=1e-7)
    assert run.steps < 200


def test_adaptive_steps_agree_with_short_ones_and_end_at_times_asked_for():
    net = {"V": (VoltageSource(Sine(0.0, 5.0, 50.0)), "a", "0"), "D": (Diode(1e-9, resistance=1.0), "a", "b")}
    circuit = Circuit(net | {"C": (Capacitor(1e-5), "b", "0"), "R": (Resistor(1e4), "b", "0")})
    times = np.array([1e-3, 4e-3, 1.3e-2, 2e-2])
    run = integrate(circuit, (0.0, 0.02), tol=1e-6, times=times)
    fine = integrate(circuit, (0.0, 0.02), dt=5e-6)
    assert np.array_equal(run.t[1:], times)
    assert_allclose(run.voltages["b"][1:], np.interp(times, fine.t, fine.voltages["b"]), atol=5e-5)
    batch = integrate(circuit, (0.0, 0.02), tol=1e-5, clamp={"V": np.array([[0.5], [1.0], [2.0]])}, times=times)
    assert batch.voltages["b"].shape == (5, 3)


def test_adaptive_memristors():
    net = {"V": (VoltageSource(Sine(0.0, 1.0, 1.0)), "a", "0"), "M": (DriftMemristor(state=0.2), "a", "b")}
    circuit = Circuit(net | {"R": (Resistor(500.0), "b", "0")})
    coarse, fine = (integrate(circuit, (0.0, 0.5), tol=tol).states["M"][-1] for tol in (1e-3, 1e-6))
    exact = integrate(circuit, (0.0, 0.5), dt=1e-3).states["M"][-1]
    assert abs(coarse - exact) < 1e-2 and abs(fine - exact) < 1e-4


def test_waveforms():
    t = np.array([0.0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    assert_allclose(Pulse(1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 4.0)(t), [1, 1, 2, 3, 2, 1, 2])
    assert_allclose(Points((1.0, 2.0), (0.0, 4.0))(t), [0, 0, 2, 4, 4, 4, 4])
    assert_allclose(Sine(1.0, 2.0, 0.25, delay=1.0, damping=0.1)(t[2]), 1 + 2 * np.sin(np.pi / 4) * np.exp(-0.05))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"dt": 3e-4}, "dt: got 0.0003, expected a whole part"),
        ({"dt": 1e-4, "method": "rk4"}, "method: got 'rk4'"),
        ({"dt": 1e-4, "method": "bdf2", "noise": True}, "expected 'midpoint'"),
        ({"dt": 1e-4, "clamp": {"Q": 1.0}}, "clamp: there is no 'Q'"),
        ({"dt": -1.0}, "dt"),
        ({"noise": True}, "dt: missing; midpoint steps, and noise, have one length"),
        ({"dt": 1e-4, "times": [1e-3]}, "times: steps of dt are kept by `every`"),
        ({"times": [2e-3]}, "times: expected ascending times after 0 and up to 0.001 s"),
        ({"tol": 0.0}, "tol: got 0.0"),
    ],
)
def test_faults(settings, message):
    with pytest.raises(ValueError, match=message):
        integrate(low_pass(1.0), (0.0, 1e-3), **settings)


def test_noise_needs_a_resistor():
    circuit = Circuit(
        {"I": (CurrentSource(1e-3), "0", "a"), "D": (Diode(), "a", "0"), "C": (Capacitor(1e-9), "a", "0")}
    )
    with pytest.raises(ValueError, match="noise: the circuit has no resistors"):
        integrate(circuit, (0.0, 1e-3), dt=1e-4, noise=True)
