"""The standard codes in rate mode against the dynamics that they stand for."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from circuits.neurons import (
    communication_channel,
    controlled_integrator,
    integrator,
    legendre_memory,
    lorenz,
    oscillator,
)
from circuits.neurons.coding.builders import legendre_system
from physlearn import integrate, relax


def test_a_channel_passes_a_function_on_with_its_filter():
    code = communication_channel(300, 2, lambda x: x[:, 0] * x[:, 1], tau=5e-3, rng=1)
    assert code.system.layers["b"].shape == (1,)
    run = integrate(code, (0.0, 0.02), times=[0.005, 0.02], clamp={"a": [0.6, -0.5]})
    np.testing.assert_allclose(run.x["b"][:, 0], -0.3 * (1 - np.exp([-1.0, -4.0])), atol=0.02)
    np.testing.assert_allclose(relax(code, clamp={"a": [0.6, -0.5]}).x["b"], -0.3, atol=0.02)


def test_an_integrator_sums_up_its_input_and_drifts_to_a_rest():
    code = integrator(400, rng=1)
    run = integrate(code, (0.0, 1.0), times=[0.5, 1.0], clamp={"x.input": lambda t: [np.where(t < 0.5, 1.2, -0.4)]})
    np.testing.assert_allclose(run.x[:, 0], [0.6, 0.4], atol=0.01)
    held = relax(code, [0.5])
    assert held.converged and abs(held.x[0] - 0.5) < 0.02


@pytest.mark.parametrize(("control", "end"), [(1.0, 0.6), (0.5, 0.6 * np.exp(-0.5 * 0.4 / 0.1))])
def test_control_decides_whether_the_value_is_kept(control, end):
    code = controlled_integrator(600, tau=0.1, regularisation=0.02, rng=1)
    run = integrate(code, (0.0, 0.4), x0=[0.6, control], times=[0.4], clamp={"control": [control]})
    np.testing.assert_allclose(run.x[0], [end, control], atol=0.04)


@pytest.mark.parametrize("frequency", [1.0, -2.5])
def test_an_oscillator_turns_at_its_frequency(frequency):
    code = oscillator(800, frequency, rng=1)
    run = integrate(code, (0.0, 2.0), x0=[0.9, 0.0], dt=5e-3)
    phase = np.unwrap(np.arctan2(run.x[:, 1], run.x[:, 0]))
    assert abs(np.polyfit(run.t, phase, 1)[0] / (2 * np.pi * frequency) - 1) < 0.02
    assert np.all(np.abs(np.hypot(*run.x.T) - 0.95) < 0.25)


def test_the_lorenz_code_follows_the_equations():
    """The velocity on the attractor, and a path for as long as errors have not grown."""
    code = lorenz(1500, regularisation=0.01, rng=1)

    def flow(t, x):
        return np.array([10 * (x[1] - x[0]), -x[0] * x[2] - x[1], x[0] * x[1] - 8 / 3 * (x[2] + 28)])

    path = solve_ivp(flow, (0, 40), [5.0, 5.0, -5.0], t_eval=np.linspace(5, 40, 500), rtol=1e-8, atol=1e-8).y
    found = code.system.field({"x": path.T}, "x") / 0.1
    error = found - flow(0, path).T
    assert np.sqrt(np.mean(error**2)) < 0.08 * np.sqrt(np.mean(flow(0, path) ** 2))
    exact = solve_ivp(flow, (0, 0.3), path[:, 0], rtol=1e-9, atol=1e-9).y[:, -1]
    near = integrate(code, (0.0, 0.3), x0=path[:, 0], dt=5e-3).final
    assert np.linalg.norm(near - exact) < 0.15 * np.linalg.norm(exact)


def test_the_legendre_memory_is_the_delay_that_its_equations_are():
    code = legendre_memory(100, 6, 0.5, rng=1)
    A, B = legendre_system(6, 0.5)
    given = lambda t: 0.8 * np.sin(2 * np.pi * 0.6 * t)  # noqa: E731
    times = np.linspace(1.0, 3.0, 51)
    run = integrate(code, (0.0, 3.0), dt=4e-3, times=times, clamp={"u": lambda t: [given(t)]})
    exact = solve_ivp(lambda t, m: A @ m + B * given(t), (0, 3), np.zeros(6), t_eval=times, rtol=1e-9, atol=1e-9).y.T
    assert np.sqrt(np.mean((run.x - exact) ** 2)) < 0.03
    delayed = code.system.readouts["delayed"].read({"x": run.x})[:, 0]
    assert np.sqrt(np.mean((delayed - given(times - 0.5)) ** 2)) < 0.05
    np.testing.assert_allclose(exact.sum(1), given(times - 0.5), atol=2e-3)


def test_seeds_and_settings_reach_the_ensembles():
    a, b = integrator(20, rng=3), integrator(20, rng=3)
    np.testing.assert_array_equal(a.theta["x->x.decoders"], b.theta["x->x.decoders"])
    code = communication_channel(20, 1, rng=3, radius=2.0, intercepts=(-0.5, 0.5))
    assert all(e.radius == 2.0 and np.abs(e.intercepts).max() <= 0.5 for e in code.ensembles.values())
    assert not np.array_equal(*(e.intercepts for e in code.ensembles.values()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: oscillator(10, np.nan), "frequency: got nan"),
        (lambda: legendre_memory(10, 0), "order: got 0"),
        (lambda: legendre_memory(10, 3, -1.0), "window: got -1.0"),
        (lambda: lorenz(10, tau=0.0), "tau: got 0.0"),
        (lambda: integrator(10, max_rates=600.0), "less than 1/refractory"),
        (lambda: controlled_integrator(10, tau=-1.0), "tau: got -1.0"),
    ],
)
def test_bad_numbers_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
