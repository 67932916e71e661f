"""Izhikevich's neurons against SciPy on the equations as printed, in mV and ms."""

import numpy as np
import pytest

from circuits.neurons import Constant, Izhikevich, Population, Record, SpikingNetwork
from physlearn import integrate

PRINTED = {  # figure 2 of the paper: a, b, c, d
    "regular": (Izhikevich(), (0.02, 0.2, -65.0, 8.0)),
    "bursting": (Izhikevich.intrinsically_bursting(), (0.02, 0.2, -55.0, 4.0)),
    "chattering": (Izhikevich.chattering(), (0.02, 0.2, -50.0, 2.0)),
    "fast": (Izhikevich.fast_spiking(), (0.1, 0.2, -65.0, 2.0)),
    "low threshold": (Izhikevich.low_threshold_spiking(), (0.02, 0.25, -65.0, 2.0)),
}


CLASS_1 = Izhikevich(20.0, -100.0, -55e-3, 6.0, linear=4.1e3, constant=108.0)
PATTERNS = {  # figure 1 of the paper of 2004: the cell, its numbers in mV and ms, start, current
    "class 1": (CLASS_1, (0.02, -0.1, -55.0, 6.0, 4.1, 108.0), (-60.0, 6.0), 25.0),
    "spiking": (Izhikevich(-20.0, -1e3, -60e-3, 8.0), (-0.02, -1.0, -60.0, 8.0), (-63.8, 63.8), 75.0),
    "bursting": (Izhikevich(-26.0, -1e3, -45e-3, -2.0), (-0.026, -1.0, -45.0, -2.0), (-63.8, 63.8), 75.0),
}


def run(model, current, seconds, *, dt, method="auto", record="spikes", initial=None):
    population = Population(model, np.size(current), initial=initial or {})
    network = SpikingNetwork({"n": population}, inputs=[Constant("n", current)])
    return integrate(network, (0.0, seconds), dt=dt, method=method, record={"n": record})


def solved(numbers, start, current, milliseconds):
    """Spike times (ms) and end, by SciPy from spike to spike."""
    from scipy.integrate import solve_ivp

    a, b, c, d, linear, constant = (*numbers, 5.0, 140.0)[:6]

    def slope(t, x):
        return [0.04 * x[0] ** 2 + linear * x[0] + constant - x[1] + current, a * (b * x[0] - x[1])]

    def peak(t, x):
        return x[0] - 30.0

    peak.terminal = True
    t, x, times = 0.0, np.array(start), []
    while t < milliseconds:
        found = solve_ivp(slope, (t, milliseconds), x, method="DOP853", rtol=1e-11, atol=1e-11, events=peak)
        t, x = found.t[-1], found.y[:, -1].copy()
        if found.status == 1:
            times.append(t)
            x = np.array([c, x[1] + d])
    return np.array(times), x


@pytest.mark.parametrize("name", PRINTED)
@pytest.mark.parametrize("method", ["euler", "exponential_euler", "rk4", "adaptive"])
def test_spike_times(name, method):
    model, numbers = PRINTED[name]
    start = 1e3 * model.initial(1)[0, 0], model.initial(1)[1, 0]
    exact, _ = solved(numbers, start, 10.0, 60.0)
    got = 1e3 * run(model, 10.0, 60e-3, dt=2e-6, method=method).spikes["n"].times
    assert len(got) == len(exact) > 1
    # each spike waits for the grid, at most a step of 2 us, and what it adds to u comes as much later
    assert np.abs(got - exact).max() < 4e-3 * (1 + len(exact)) * (5 if "euler" in method else 1)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("method", ["rk4", "adaptive"])
def test_patterns_of_other_quadratics_and_of_negative_a(name, method):
    model, numbers, start, current = PATTERNS[name]
    exact, _ = solved(numbers, start, current, 45.0)
    initial = {"v": 1e-3 * start[0], "u": start[1]}
    got = 1e3 * run(model, current, 45e-3, dt=2e-6, method=method, initial=initial).spikes["n"].times
    assert len(got) == len(exact) > 0
    assert np.abs(got - exact).max() < 4e-3 * (1 + len(exact))


def test_rest_of_another_quadratic():
    """0.04 v^2 + 4.1 v + 108 = b v at b = -0.1, in mV and ms: v = -60."""
    v, u = CLASS_1.initial(2)
    assert v == pytest.approx(-60e-3, rel=1e-12) and u == pytest.approx(6.0, rel=1e-12)


@pytest.mark.parametrize("method, order", [("euler", 1), ("exponential_euler", 1), ("rk4", 4)])
def test_order_below_threshold(method, order, tol):
    model = Izhikevich()
    start = 1e3 * model.initial(1)[0, 0], model.initial(1)[1, 0]
    _, exact = solved((0.02, 0.2, -65.0, 8.0), start, 3.5, 10.0)
    errors = []
    for dt in (5e-4, 2.5e-4) if order == 4 else (2e-5, 1e-5):
        trace = run(model, 3.5, 10e-3, dt=dt, method=method, record=Record(["v"], every=10e-3)).traces["n"]
        errors.append(abs(1e3 * trace["v"][-1, 0] - exact[0]))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=tol.ORDER_ODE)


def test_rest_without_current():
    """The lower fixed point of the printed equations: -70 mV, u = -14 for the regular cell."""
    assert Izhikevich().initial(1)[:, 0] == pytest.approx([-70e-3, -14.0], rel=1e-12)
    trace = run(Izhikevich(), 0.0, 0.1, dt=1e-4, record=Record(["v"], every=0.1)).traces["n"]
    assert trace["v"][-1, 0] == pytest.approx(-70e-3, abs=1e-12)


def test_parameters_per_neuron():
    both = Izhikevich(a=np.array([20.0, 100.0]), d=np.array([8.0, 2.0]))
    spikes = run(both, np.full(2, 10.0), 0.1, dt=1e-4).spikes["n"]
    for k, alone in enumerate((Izhikevich(), Izhikevich.fast_spiking())):
        assert np.array_equal(spikes.times[spikes.ids == k], run(alone, 10.0, 0.1, dt=1e-4).spikes["n"].times)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Izhikevich(square=-1.0), "square="),
        (lambda: Izhikevich(constant=np.inf), "constant="),
        (lambda: run(Izhikevich(a=-2e3), 10.0, 0.1, dt=6e-4), "dt"),
        (lambda: Izhikevich(c=40e-3), "v_peak"),
        (lambda: Izhikevich(b=np.nan), "b="),
        (lambda: run(Izhikevich(), 10.0, 0.1, dt=2e-3), "dt"),
        (lambda: run(Izhikevich(), 10.0, 0.1, dt=2e-3, method="exponential_euler"), "dt"),
        (lambda: run(Izhikevich(d=np.zeros(3)), 10.0, 0.1, dt=1e-4), "d has shape"),
        (lambda: run(Izhikevich(), 10.0, 0.1, dt=1e-4, method="exact"), "method"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_quadratic_is_shared():
    with pytest.raises(TypeError, match="linear=.*expected one number"):
        Izhikevich(linear=[5e3, 4.1e3])
