"""What is frozen does not follow the arrays, lists and mappings that it was made from."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Constant,
    Delta,
    Neuron,
    Piecewise,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Spikes,
    SpikeSource,
    SpikeTrains,
    SpikingNetwork,
    connect,
)

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)


def field(x, current, p, out):
    out[0] = p[0] * current


@pytest.mark.parametrize(
    ("make", "read"),
    [
        (lambda a: LIF(tau=a, v_rest=0.0, v_threshold=10.0, v_reset=0.0), lambda made: made.tau),
        (lambda a: Constant("n", a), lambda made: made.current),
        (lambda a: Piecewise("n", a, a), lambda made: made.times),
        (lambda a: Poisson("n", a, 1.0), lambda made: made.rate),
        (lambda a: PoissonSource(a), lambda made: made.rate),
        (lambda a: SpikeSource(a, [0, 0]), lambda made: made.times),
        (lambda a: SpikeTrains("n", [0.1, 0.2], [0, 0], a), lambda made: made.weight),
        (lambda a: Spikes(a, [0, 0], n=1, t_stop=5.0), lambda made: made.times),
        (lambda a: Spikes(np.broadcast_to(a[:1], 2), [0, 0], n=1, t_stop=5.0), lambda made: made.times),
        (lambda a: Projection("a", "b", connect.one_to_one(), weight=a), lambda made: made.weight),
        (lambda a: Population(CELL, 2, initial={"v": a}), lambda made: made.initial["v"]),
        (lambda a: Population(CELL, 2, positions=a[:, None]), lambda made: made.positions),
        (lambda a: Neuron(field, parameters={"gain": a}), lambda made: made.parameters["gain"]),
    ],
)
def test_arrays_are_copied_and_read_only(make, read):
    given = np.array([1.0, 2.0])
    made = make(given)
    before = read(made).copy()
    given[:] = -7.0
    np.testing.assert_array_equal(read(made), before)
    with pytest.raises(ValueError, match="read-only"):
        read(made)[0] = 3.0


def test_records_of_a_run_are_not_copied_again():
    spikes = Spikes([0.1, 0.2, 0.3], [0, 0, 0], n=1, t_stop=1.0)
    assert np.shares_memory(spikes.times, Spikes(spikes.times, spikes.ids, n=1, t_stop=1.0).times)
    assert np.shares_memory(spikes.times, spikes.between(0.1, 0.3).times)


def test_a_network_keeps_its_populations_projections_and_inputs():
    populations = {"a": Population(CELL, 2, receptors={"d": Delta()})}
    projections, inputs = [Projection("a", "a", connect.all_to_all(), weight=1.0)], [Constant("a", 1.0)]
    network = SpikingNetwork(populations, projections, inputs)
    populations.clear()
    projections[0] = inputs[0] = None
    assert list(network.populations) == ["a"] and network.synapses("a->a")[2].sum() == 2.0
    assert isinstance(network.inputs[0], Constant)
