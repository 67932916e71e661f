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


def run(model, current, seconds, *, dt, method="auto", record="spikes"):
    network = SpikingNetwork({"n": Population(model, np.size(current))}, inputs=[Constant("n", current)])
    return integrate(network, (0.0, seconds), dt=dt, method=method, record={"n": record})


def solved(numbers, start, current, milliseconds):
    """Spike times (ms) and end, by SciPy from spike to spike."""
    from scipy.integrate import solve_ivp

    a, b, c, d = numbers

    def slope(t, x):
        return [0.04 * x[0] ** 2 + 5 * x[0] + 140 - x[1] + current, a * (b * x[0] - x[1])]

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
        (lambda: Izhikevich(a=-1.0), "a="),
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
