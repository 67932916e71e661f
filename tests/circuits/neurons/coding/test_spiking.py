"""Population codes in spikes: what they decode beside rate mode, the dynamics that they stand for, learning."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    PES,
    Connection,
    Ensemble,
    Population,
    PopulationCode,
    Record,
    Signal,
    SpikingNetwork,
    communication_channel,
    controlled_integrator,
    decoders,
    integrator,
    legendre_memory,
    oscillator,
)
from physlearn import integrate, relax

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=10e-3, exact_times=True)


def decoded(network, name, duration, **more):
    run = integrate(network, (0.0, duration), dt=1e-3, record={f"{name}.decoded": Record(["x"])}, **more)
    trace = run.traces[f"{name}.decoded"]
    return trace.t, trace["x"]


@pytest.mark.parametrize("value", [-0.7, 0.0, 0.5])
def test_a_constant_is_decoded_as_in_rate_mode(value):
    """The mean over a second of spikes at 1 ms, through two ensembles; on a rounded grid 0.5 would read 0.39."""
    code = communication_channel(300, 1, rng=1)
    _, x = decoded(code.network({"a": [value]}, probe=0.1), "b", 2.0)
    b = relax(code, clamp={"a": [value]}).x["b"]
    own = code.ensembles["b"].tuning(b)
    assert abs(x[1000:].mean() - (own @ decoders(code.ensembles["b"]).values)[0, 0]) < 0.01
    assert abs(x[1000:].mean() - value) < 0.03


def test_a_sine_passes_a_channel():
    code = communication_channel(500, 2, rng=1)

    def wave(t):
        return 0.5 * np.column_stack([np.sin(2 * np.pi * t), np.cos(2 * np.pi * t)])

    t, x = decoded(code.network({"a": wave}), "b", 1.0)
    late = t > 0.3
    assert np.sqrt(np.mean((x[late] - wave(t[late] - 0.025)) ** 2)) < 0.03


def test_an_integrator_sums_up_and_holds():
    code = integrator(600, rng=1)
    t, x = decoded(code.network({"x.input": lambda t: np.where(t < 0.4, 1.5, 0.0)}), "x", 1.0)
    np.testing.assert_allclose(x[(t > 0.9)].mean(), 0.6, atol=0.06)
    rate = integrate(code, (0.0, 0.5), dt=1e-3, clamp={"x.input": lambda t: [1.5 * (t < 0.4)]})
    middle = np.searchsorted(t, 0.3)
    assert abs(x[middle - 20 : middle + 20].mean() - np.interp(0.28, rate.t, rate.x[:, 0])) < 0.04


def test_control_makes_an_integrator_forget():
    code = controlled_integrator(800, rng=1)
    given = {"input": lambda t: np.where(t < 0.3, 2.0, 0.0)}
    for control, low, high in ((1.0, 0.3, 0.75), (0.4, -0.1, 0.12)):
        t, x = decoded(code.network(given | {"control": lambda t, c=control: np.where(t < 0.3, 1.0, c)}), "x", 0.8)
        assert low < x[t > 0.7, 0].mean() < high


def test_an_oscillator_turns():
    code = oscillator(600, 2.0, rng=1)
    kick = {"x.input": lambda t: np.multiply.outer(np.where(t < 0.1, 10.0, 0.0), [1.0, 0.0])}
    t, x = decoded(code.network(kick), "x", 2.0)
    late = t > 0.5
    phase = np.unwrap(np.arctan2(x[late, 1], x[late, 0]))
    assert abs(np.polyfit(t[late], phase, 1)[0] / (4 * np.pi) - 1) < 0.05
    assert np.all(np.hypot(*x[late].T) > 0.5)


def test_a_legendre_memory_delays():
    code = legendre_memory(150, 6, 0.5, rng=1)
    t, x = decoded(code.network({"u": lambda t: 0.8 * np.sin(2 * np.pi * 0.7 * t)}), "x", 2.0)
    late = t > 1.0
    expected = 0.8 * np.sin(2 * np.pi * 0.7 * (t[late] - 0.52))
    assert np.sqrt(np.mean((x[late].sum(1) - expected) ** 2)) < 0.12


def test_learning_in_spikes_changes_the_decoders_of_both_modes():
    """PES in spikes; the decoders that it finds make the channel in rate mode."""
    ensembles = {name: Ensemble(200, 1, rng=k) for k, name in enumerate(("a", "b", "error"))}
    ways = [Connection("a", "b", lambda x: 0 * x, tau=5e-3), Connection("b", "error", tau=5e-3)]
    code = PopulationCode(ensembles, ways)

    def wave(t):
        return 0.8 * np.sin(2 * np.pi * t)

    rule = {"a->b": PES(1e-3, "error.decoded")}
    network = code.network({"a": wave, "error": lambda t: -wave(t)}, plasticity=rule, probe=5e-3)
    run = integrate(network, (0.0, 6.0), dt=1e-3, record={"b.decoded": Record(["x"])})
    x, t = run.traces["b.decoded"]["x"][:, 0], run.traces["b.decoded"].t
    error = (x - wave(t)) ** 2
    assert error[-1000:].mean() < 0.25 * error[:1000].mean()
    learnt = code.with_theta({"a->b.decoders": run.weights["a->b.decoders"]})
    for value in (-0.5, 0.5):
        assert abs(relax(learnt, clamp={"a": [value]}).x["b"][0] - value) < 0.15


def test_a_filtered_signal_is_the_filter_of_its_function():
    """A step through 20 ms, as means over the steps; a run in two pieces is the same."""
    signal = Signal(None, lambda t: np.ones(len(t)), name="u", tau=20e-3)
    network = SpikingNetwork({"n": Population(CELL, 1)}, inputs=[signal])
    whole = integrate(network, (0.0, 0.05), dt=1e-3, record={"u": Record(["x"])})
    t = whole.traces["u"].t
    edges = np.concatenate([[0.0], t])
    mean = 1 - np.diff(-20e-3 * np.exp(-edges / 20e-3)) / 1e-3
    np.testing.assert_allclose(whole.traces["u"]["x"][:, 0], mean, rtol=1e-12)
    first = integrate(network, (0.0, 0.02), dt=1e-3, record=None)
    rest = integrate(network, (0.02, 0.05), dt=1e-3, x0=first.final, record={"u": Record(["x"])})
    np.testing.assert_array_equal(rest.traces["u"]["x"], whole.traces["u"]["x"][20:])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda code: code.network({"b.imput": [1.0]}), ValueError, "there is no 'b.imput'"),
        (lambda code: code.network({"a": [1.0, 2.0]}), ValueError, "given.'a'.: got the shape"),
        (lambda code: code.network(probe=0.0), ValueError, "probe: got 0.0"),
        (lambda code: code.network(plasticity={"b": 1}), ValueError, "plasticity: there is no 'b'"),
        (
            lambda code: integrate(code.network(), (0.0, 0.1), dt=1e-2),
            ValueError,
            "dt: 0.01 s is longer than the time constant 0.005 s of the filter of 'a->b'",
        ),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(communication_channel(10, 1, rng=0, max_rates=50.0, model=CELL))
