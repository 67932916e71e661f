"""When spikes act: delays on the grid, per projection and per synapse."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Delta,
    Exponential,
    Population,
    Projection,
    Record,
    SpikeSource,
    SpikeTrains,
    SpikingNetwork,
    connect,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=1e-3)


def respond(delay, n=1, receptor=None, threads=1, times=(1e-3,)):
    source = Population(SpikeSource(times, [0] * len(times)), 1)
    target = Population(CELL, n, receptors={"r": receptor or Exponential(5e-3)})
    projection = Projection("s", "t", connect.all_to_all(), weight=1e-3, delay=delay)
    network = SpikingNetwork({"s": source, "t": target}, [projection])
    record = {"t": Record(["v", "r"])}
    return integrate(network, (0.0, 0.02), dt=1e-4, record=record, threads=threads).traces["t"]


@pytest.mark.parametrize("steps", [0, 1, 2, 15, 100])
def test_a_spike_arrives_after_the_delay_and_acts_from_the_next_step(steps, tol):
    trace = respond(steps * 1e-4)
    stamps = np.rint(trace.t / 1e-4).astype(int)
    arrived = stamps >= 10 + steps
    since = (stamps - 10 - steps) * 1e-4
    expected = np.where(arrived, 1e-3 * np.exp(-since / 5e-3), 0.0)
    np.testing.assert_allclose(trace["r"][:, 0], expected, rtol=1e-10, atol=0)
    v = 1e-3 * (np.exp(-since / 20e-3) - np.exp(-since / 5e-3)) / 3
    np.testing.assert_allclose(trace["v"][:, 0], np.where(stamps > 10 + steps, v, 0.0), rtol=1e-9, atol=1e-18)


def test_a_delta_jumps_in_the_step_after_arrival(tol):
    trace = respond(0.0, receptor=Delta())
    stamps = np.rint(trace.t / 1e-4).astype(int)
    expected = np.where(stamps > 10, 1e-3 * np.exp(-(stamps - 10) * 1e-4 / 20e-3), 0.0)
    np.testing.assert_allclose(trace["v"][:, 0], expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_delays_per_synapse_are_those_of_single_projections(threads, tol):
    steps = np.array([3, 0, 7, 20, 150]) if threads == 1 else np.array([3, 2, 7, 20, 150])
    times = (1e-3, 1.1e-3, 3e-3)
    together = respond(steps * 1e-4, 5, threads=threads, times=times)
    for k, step in enumerate(steps):
        alone = respond(step * 1e-4, times=times)
        np.testing.assert_allclose(together["r"][:, k], alone["r"][:, 0], rtol=tol.IDENTITY)


def test_one_synapse_may_be_much_slower_than_another():
    """70,000 steps: more than two bytes count."""
    source = Population(SpikeSource([1e-4], [0]), 1)
    target = Population(CELL, 2, receptors={"r": Exponential(5e-3)})
    slow = Projection("s", "t", connect.all_to_all(), weight=1e-3, delay=np.array([0.0, 7.0]))
    record = {"t": Record(["r"], every=1e-4)}
    trace = integrate(SpikingNetwork({"s": source, "t": target}, [slow]), (0.0, 7.01), dt=1e-4, record=record)
    arrived = [np.flatnonzero(column)[0] + 1 for column in trace.traces["t"]["r"].T]
    assert arrived == [1, 70001]


def test_spikes_where_a_run_starts_are_refused_and_not_lost():
    """A run covers start < t <= stop: a given spike at its start belongs to the run before, if there is one."""
    cell = Population(CELL, 1, receptors={"r": Delta()})
    for network in (
        SpikingNetwork({"s": Population(SpikeSource([0.01], [0]), 1)}),
        SpikingNetwork({"n": cell}, inputs=[SpikeTrains("n", [0.01], [0], 1e-3)]),
    ):
        with pytest.raises(ValueError, match="start < t <= stop"):
            integrate(network, (0.01, 0.02), dt=1e-4)
        before = integrate(network, (0.0, 0.01), dt=1e-4)
        integrate(network, (0.01, 0.02), dt=1e-4, state=before.state)


def test_refractory_neurons_ignore_jumps():
    cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=1e-3, v_reset=0.0, refractory=1e-3)
    source = Population(SpikeSource([1e-3, 1.5e-3, 2.1e-3, 2.2e-3], [0, 0, 0, 0]), 1)
    target = Population(cell, 1, receptors={"r": Delta()})
    projection = Projection("s", "t", connect.one_to_one(), weight=1.5e-3)
    out = integrate(SpikingNetwork({"s": source, "t": target}, [projection]), (0.0, 0.01), dt=1e-4)
    # the first jump arrives at step 10 and makes a spike at 11; refractory for steps 11 .. 20: the jumps at 15 and
    # at 21 (the end of the last refractory step, stamp 21, is when it is free) act or not accordingly
    np.testing.assert_array_equal(np.rint(out.spikes["t"].times / 1e-4), [11, 22])


def test_a_projection_without_synapses_may_have_delays():
    cells = Population(CELL, 2, receptors={"r": Delta()})
    none = Projection(
        "a", "a", connect.fixed_probability(0.0), weight=1.0, delay=lambda s, t, g: 1e-3 * np.ones(len(s))
    )
    out = integrate(SpikingNetwork({"a": cells}, [none]), (0.0, 0.01), dt=1e-3)
    assert out.t_stop == 0.01 and len(out.spikes["a"]) == 0


def test_refused_delays():
    for delay in (-1e-3, np.nan):
        with pytest.raises(ValueError, match="delay"):
            respond(delay)
    for delay in (0.55e-4, 1.55e-4, np.array([1e-4, 1.5e-4])):
        with pytest.raises(ValueError, match="delay"):
            respond(delay, np.size(delay))
    with pytest.raises(ValueError, match="delay"):
        respond(np.array([1e-4, 1e-4, 1e-4]), 2)
