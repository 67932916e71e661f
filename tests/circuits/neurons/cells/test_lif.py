"""LIF: exact voltages, exact spike times, refractory counts, equality of the compiled paths."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Constant,
    Delta,
    Exponential,
    Gamma,
    Population,
    Record,
    SpikeTrains,
    SpikingNetwork,
)
from physlearn import DivergenceError, integrate

CELL = {"tau": 20e-3, "v_rest": 0.0, "v_threshold": 10e-3, "v_reset": 0.0, "refractory": 2e-3}


def run(model, n=1, current=0.0, t=1.0, dt=1e-4, record="spikes", receptors=None, inputs=(), **settings):
    population = Population(model, n, receptors=receptors or {})
    network = SpikingNetwork({"n": population}, inputs=[Constant("n", current), *inputs])
    return integrate(network, (0.0, t), dt=dt, record=record, **settings)


@pytest.mark.parametrize(("drive", "rate"), [(10.5, 15.9007), (15.0, 41.7149), (20.0, 63.0400), (40.0, 128.9717)])
def test_rate_with_exact_times_is_the_formula(drive, rate, tol):
    times = run(LIF(**CELL, exact_times=True), current=drive * 1e-3, t=2.0).spikes["n"].times
    period = 2e-3 - 20e-3 * np.log(1 - 10 / drive)
    first = period - 2e-3
    np.testing.assert_allclose(times, first + period * np.arange(len(times)), rtol=1e-9)
    assert len(times) == int((2.0 - first) / period) + 1
    assert 1 / period == pytest.approx(rate, abs=5e-5)


def test_on_the_grid_a_period_is_whole_steps_and_refractoriness_is_counted_exactly():
    times = run(LIF(**CELL), current=20e-3, t=0.1).spikes["n"].times
    climb = int(np.ceil(-20e-3 * np.log(0.5) / 1e-4))
    expected = climb + (climb + 20) * np.arange(len(times))
    np.testing.assert_array_equal(np.rint(times / 1e-4), expected)


def test_voltage_is_exact_for_any_step(tol):
    for dt in (1e-4, 1e-3, 2e-3):
        trace = run(LIF(**CELL), current=9e-3, t=0.05, dt=dt, record={"n": Record(["v"])}).traces["n"]
        np.testing.assert_allclose(trace["v"][:, 0], -9e-3 * np.expm1(-trace.t / 20e-3), rtol=tol.IDENTITY)


@pytest.mark.parametrize("receptor", [Exponential(20e-3), Exponential(5e-3), Gamma(3e-3, 2), Gamma(20e-3, 1)])
def test_potential_after_a_spike_is_exact(receptor, tol):
    """Against quadrature of the convolution with the membrane, equal time constants included."""
    inputs = [SpikeTrains("n", [1e-3], [0], weight=1e-3)]
    trace = run(
        LIF(**CELL, exact_times=True), t=0.03, dt=1e-3, receptors={"s": receptor}, inputs=inputs,
        record={"n": Record(["v", "s"])},
    ).traces["n"]  # fmt: skip
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for t, v, s in zip(trace.t, trace["v"][:, 0], trace["s"][:, 0], strict=True):
        span = max(t - 1e-3, 0.0)
        at = span * (nodes + 1) / 2
        exact = np.sum(weights * receptor.response(at) * np.exp(-(span - at) / 20e-3)) * span / 2 / 20e-3 * 1e-3
        assert v == pytest.approx(exact, rel=1e-10, abs=1e-16)
        assert s == pytest.approx(1e-3 * float(receptor.response(t - 1e-3 + 1e-18)), rel=1e-10, abs=1e-16)


def test_exact_times_do_not_depend_on_the_step():
    """Spike inputs on a coarse grid, synaptic currents: crossing and release inside the step."""
    inputs = [SpikeTrains("n", [0.01, 0.06, 0.11], [0, 0, 0], weight=30e-3)]
    found = [
        run(LIF(**CELL, exact_times=True), t=0.2, dt=dt, receptors={"s": Gamma(20e-3)}, inputs=inputs).spikes["n"].times
        for dt in (1e-3, 1e-4, 2e-5)
    ]
    assert len(found[0]) > 5
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[0], found[2], rtol=0, atol=1e-12)


def test_no_refractoriness_resumes_from_the_crossing():
    cell = LIF(**(CELL | {"refractory": 0.0}), exact_times=True)
    times = run(cell, current=20e-3, t=0.5, dt=1e-3).spikes["n"].times
    np.testing.assert_allclose(times, 20e-3 * np.log(2) * np.arange(1, len(times) + 1), rtol=1e-9)


@pytest.mark.parametrize("refractory", [0.0, 2e-3])
def test_a_jump_above_threshold_spikes_at_arrival(refractory):
    """On the grid it would have leaked below threshold by the end of the step."""
    cell = LIF(**(CELL | {"refractory": refractory}), exact_times=True)
    inputs = [SpikeTrains("n", [0.01, 0.05], [0, 0], weight=10.1e-3)]
    times = run(cell, t=0.1, dt=1e-3, receptors={"d": Delta()}, inputs=inputs).spikes["n"].times
    np.testing.assert_allclose(times, [0.01, 0.05], rtol=1e-15)


def test_two_spikes_in_a_step_stop_an_exact_run():
    cell = LIF(**(CELL | {"refractory": 0.0}), exact_times=True)
    with pytest.raises(DivergenceError, match=r"neuron 0 of population 'n' would spike twice .* smaller dt"):
        run(cell, current=1.0, t=0.1, dt=1e-3)
    assert len(run(cell, current=1.0, t=0.1, dt=1e-4).spikes["n"]) == int(0.1 / (-20e-3 * np.log(1 - 1e-2)))


@pytest.mark.parametrize(
    "receptors", [{}, {"a": Delta()}, {"a": Exponential(5e-3)}, {"a": Exponential(5e-3), "b": Exponential(1e-2)}]
)
def test_fused_and_general_steps_agree(receptors, rng, tol):
    """The second run has the same parameters as arrays, which takes the general step."""
    n = 700
    inputs = []
    for name in receptors:
        ids = rng.integers(0, n, 20000)
        inputs.append(SpikeTrains("n", rng.uniform(0, 0.2, 20000), ids, weight=2e-3, receptor=name))
    record = {"n": Record(["v"], every=1e-3)}
    out = []
    for model in (LIF(**CELL), LIF(**{k: np.full(n, v) for k, v in CELL.items()})):
        out.append(run(model, n, 9.5e-3, 0.2, receptors=receptors, inputs=inputs, record=record))
    np.testing.assert_array_equal(out[0].spikes["n"].ids, out[1].spikes["n"].ids)
    np.testing.assert_array_equal(out[0].spikes["n"].times, out[1].spikes["n"].times)
    np.testing.assert_allclose(out[0].traces["n"].values, out[1].traces["n"].values, rtol=1e-10, atol=1e-16)
    assert len(out[0].spikes["n"].times) > 100 or not receptors


def test_parameters_per_neuron_scan_one_thousand_neurons():
    drive = np.linspace(10.5e-3, 40e-3, 1000)
    model = LIF(**CELL, exact_times=True)
    spikes = run(model, 1000, drive, 1.0).spikes["n"]
    period = 2e-3 - 20e-3 * np.log(1 - 10e-3 / drive)
    expected = np.floor((1.0 - (period - 2e-3)) / period) + 1
    assert np.all(np.abs(np.bincount(spikes.ids, minlength=1000) - expected) <= 0)


def test_dimensionless_form_spikes_at_the_same_times():
    a = run(LIF(**CELL), current=15e-3).spikes["n"].times
    unit = CELL | {"v_threshold": 1.0}
    np.testing.assert_array_equal(a, run(LIF(**unit), current=1.5).spikes["n"].times)


def test_conductance_is_first_order_and_converges(tol):
    """A constant conductance has a closed form; a decaying one is first order in dt."""
    inputs = [SpikeTrains("n", [1e-3], [0], weight=2.0)]
    ends = []
    for dt in (5e-4, 2.5e-4, 1.25e-4, 1.5625e-5):
        record = {"n": Record(["v"])}
        receptors = {"g": Exponential(5e-3, reversal=9e-3)}
        ends.append(
            run(LIF(**CELL), t=0.01, dt=dt, receptors=receptors, inputs=inputs, record=record).traces["n"]["v"][-1, 0]
        )
    errors = np.abs(np.array(ends[:3]) - ends[3])
    slope = np.polyfit(np.log([4, 2, 1]), np.log(errors), 1)[0]
    assert slope == pytest.approx(1.0, abs=tol.ORDER_ODE)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tau": -1e-3}, "tau"),
        ({"tau": np.nan}, "tau"),
        ({"v_reset": 20e-3}, "v_threshold"),
        ({"refractory": -1e-3}, "refractory"),
        ({"resistance": 0.0}, "resistance"),
    ],
)
def test_bad_parameters(change, word):
    with pytest.raises(ValueError, match=word):
        LIF(**(CELL | change))


def test_exact_times_are_a_yes_or_no():
    with pytest.raises(TypeError, match="exact_times"):
        LIF(**CELL, exact_times="no")


def test_refractory_period_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="refractory"):
        run(LIF(**(CELL | {"refractory": 2.05e-3})))


def test_exact_times_with_conductances_are_refused():
    with pytest.raises(ValueError, match="exact_times"):
        run(LIF(**CELL, exact_times=True), receptors={"g": Exponential(5e-3, reversal=0.0)})


def test_a_step_longer_than_a_time_constant_is_refused_with_conductances():
    with pytest.raises(ValueError, match="dt"):
        run(LIF(**CELL), dt=1e-3, receptors={"g": Exponential(0.5e-3, reversal=0.0)})


def test_wrong_number_of_parameters():
    with pytest.raises(ValueError, match="tau"):
        run(LIF(**(CELL | {"tau": np.full(3, 20e-3)})), n=4)
