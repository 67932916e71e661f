"""AdEx against SciPy, closed forms of its linear limit, and its own convergence."""

import numpy as np
import pytest

from circuits.neurons import Adaptive, AdEx, Constant, Population, Record, SpikingNetwork
from physlearn import integrate

METHODS = ("euler", "exponential_euler", "rk4", "adaptive")


def run(model, current, seconds, *, dt, method="auto", record="spikes"):
    network = SpikingNetwork({"n": Population(model, np.size(current))}, inputs=[Constant("n", current)])
    return integrate(network, (0.0, seconds), dt=dt, method=method, record={"n": record})


def final(model, current, seconds, **settings):
    trace = run(model, current, seconds, record=Record(["v", "w"], every=seconds), **settings).traces["n"]
    return np.array([trace["v"][-1, 0], trace["w"][-1, 0]])


def solved(current, seconds, start=(-70.6e-3, 0.0), events=None):
    """SciPy on the equations of the paper, in mV, ms, nA (uS, nF) with figures of its table."""
    from scipy.integrate import solve_ivp

    def slope(t, x):
        v, w = x
        rise = 30.0 * 2.0 * np.exp((v + 50.4) / 2.0)
        return [(-30.0 * (v + 70.6) + rise - w + 1e12 * current) / 281.0, (4.0 * (v + 70.6) - w) / 144.0]

    x0 = [1e3 * start[0], 1e12 * start[1]]
    found = solve_ivp(slope, (0, 1e3 * seconds), x0, method="DOP853", rtol=1e-12, atol=1e-12, events=events)
    return found.y[:, -1] * [1e-3, 1e-12], found.t_events


@pytest.mark.parametrize("method, order", [("euler", 1), ("exponential_euler", 1), ("rk4", 4)])
def test_order_below_threshold(method, order, tol):
    exact, _ = solved(0.9e-9, 10e-3)
    steps = np.array([2e-4, 1e-4]) if order == 4 else np.array([1e-5, 5e-6])
    errors = [abs(final(AdEx(), 0.9e-9, 10e-3, dt=dt, method=method) - exact)[0] for dt in steps]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=tol.ORDER_ODE)


def test_adaptive_follows_its_tolerance():
    exact, _ = solved(0.9e-9, 10e-3)
    errors = [
        abs(final(AdEx(), 0.9e-9, 10e-3, dt=5e-3, method=Adaptive(tolerance)) - exact)[0] for tolerance in (1e-5, 1e-8)
    ]
    assert errors[1] < 1e-2 * errors[0] and errors[1] < 1e-8


@pytest.mark.parametrize("method", METHODS)
def test_first_spike_is_where_the_solution_blows_up(method):
    def peak(t, x):
        return x[0] + 30.0  # from here to the peak it takes 0.4 us

    peak.terminal = True
    _, events = solved(1e-9, 20e-3, events=peak)
    first = run(AdEx(), 1e-9, 20e-3, dt=2e-6, method=method).spikes["n"].times[0]
    assert first == pytest.approx(1e-3 * events[0][0], abs=4e-6 if method in ("rk4", "adaptive") else 2e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_start_above_the_peak_is_a_spike(method):
    population = Population(AdEx(), 1, initial={"v": 0.02})
    out = integrate(SpikingNetwork({"n": population}), (0.0, 1e-3), dt=1e-5, method=method, record={"n": "spikes"})
    np.testing.assert_allclose(out.spikes["n"].times, [1e-5])


def test_linear_limit_is_the_rc_circuit(tol):
    """Far below threshold and without adaptation, v relaxes as exp(-t g / C)."""
    cell = AdEx(a=0.0, v_threshold=0.0)
    end = final(cell, 0.1e-9, 20e-3, dt=1e-4)
    exact = -70.6e-3 + 0.1e-9 / 30e-9 * -np.expm1(-20e-3 * 30e-9 / 281e-12)
    assert end[0] == pytest.approx(exact, rel=1e-9) and end[1] == 0.0


def test_methods_agree_on_a_train_of_spikes():
    trains = [run(AdEx(), 1e-9, 0.3, dt=5e-6, method=method).spikes["n"].times for method in ("rk4", "adaptive")]
    assert len(trains[0]) == len(trains[1]) > 8
    assert np.abs(trains[0] - trains[1]).max() < 2e-4
    assert np.all(np.diff(np.diff(trains[0])) > -1e-5)  # adaptation: intervals grow


@pytest.mark.parametrize("method", METHODS)
def test_reset_adds_b_and_refractoriness_holds_the_voltage(method):
    cell = AdEx(refractory=2e-3, v_reset=-60e-3)
    found = run(cell, 1e-9, 30e-3, dt=1e-4, method=method, record=Record(["v", "w"], every=1e-4))
    k = round(found.spikes["n"].times[0] / 1e-4) - 1  # samples are stamped 1, 2, ... steps
    v, w = found.traces["n"]["v"][:, 0], found.traces["n"]["w"][:, 0]
    assert np.all(v[k : k + 21] == -60e-3) and v[k + 21] != -60e-3
    assert w[k] - w[k - 1] == pytest.approx(cell.b, abs=2e-11)
    assert w[k + 20] < w[k]


def test_parameters_per_neuron():
    weights = np.array([0.0, 0.2e-9])
    spikes = run(AdEx(b=weights), np.full(2, 1e-9), 0.3, dt=1e-4).spikes["n"]
    for k in (0, 1):
        alone = run(AdEx(b=float(weights[k])), 1e-9, 0.3, dt=1e-4).spikes["n"]
        assert np.array_equal(spikes.times[spikes.ids == k], alone.times)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: AdEx(tau_w=-1.0), "tau_w"),
        (lambda: AdEx(v_reset=30e-3), "v_peak"),
        (lambda: AdEx(v_peak=-55e-3), "v_threshold"),
        (lambda: AdEx(refractory=-1e-3), "refractory"),
        (lambda: AdEx(b=np.inf), "b="),
        (lambda: run(AdEx(), 1e-9, 0.1, dt=1e-2), "dt"),
        (lambda: run(AdEx(), 1e-9, 0.1, dt=1e-2, method="exponential_euler"), "dt"),
        (lambda: run(AdEx(refractory=1.5e-4), 1e-9, 0.1, dt=1e-4), "refractory"),
        (lambda: run(AdEx(a=np.zeros(3)), 1e-9, 0.1, dt=1e-4), "a has shape"),
        (lambda: run(AdEx(), 1e-9, 0.1, dt=1e-4, method="strang"), "method"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
