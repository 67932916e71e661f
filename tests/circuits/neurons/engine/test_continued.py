"""A run goes on from the state of another: the state is taken up, the network's own constants are not."""

import dataclasses

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    AdEx,
    Constant,
    Exponential,
    Gate,
    HodgkinHuxley,
    Izhikevich,
    Population,
    Rate,
    Record,
    SpikeSource,
    SpikingNetwork,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)
BIASED = dataclasses.replace(CELL, tau=np.array([20e-3]))
EXACT = dataclasses.replace(CELL, exact_times=True)
SQUID = HodgkinHuxley.squid()
SLOW = dataclasses.replace(SQUID, n=Gate(Rate("linoid", 50.0, -55e-3, 10e-3), SQUID.n.beta))
CONDUCTING = {"e": Exponential(5e-3, reversal=0.0)}


def longer(model):
    """The same with a longer refractory period."""
    return dataclasses.replace(model, refractory=20e-3)


@pytest.mark.parametrize(
    ("before", "after", "drive", "method", "receptors"),
    [
        (CELL, longer(CELL), 30e-3, "auto", {}),
        (BIASED, longer(BIASED), 30e-3, "auto", {}),
        (EXACT, longer(EXACT), 30e-3, "auto", {}),
        (CELL, longer(CELL), 30e-3, "auto", CONDUCTING),
        (AdEx(), longer(AdEx()), 1e-9, "auto", {}),
        (AdEx(), longer(AdEx()), 1e-9, "euler", {}),
        (Izhikevich.fast_spiking(), longer(Izhikevich.fast_spiking()), 10.0, "auto", {}),
        (SQUID, SLOW, 0.1, "auto", {}),
    ],
    ids=["fused", "per neuron", "exact times", "conductance", "adex", "adex euler", "izhikevich", "rates"],
)
def test_a_continued_run_has_the_constants_of_its_own_network(before, after, drive, method, receptors):
    def network(model, **start):
        population = Population(model, 1, receptors=receptors, initial=start)
        return SpikingNetwork({"n": population}, inputs=[Constant("n", drive)])

    record, dt = {"n": Record("v")}, 1e-5 if isinstance(before, HodgkinHuxley) else 1e-4
    first = integrate(network(before), (0.0, 0.033), dt=dt, method=method)
    state = first.state.arrays["n/0/state"][:, 0]
    assert 0.0 < first.spikes["n"].times[-1] < 0.033 - getattr(before, "refractory", 0.0)  # free
    on = integrate(network(after), (0.033, 0.1), dt=dt, method=method, state=first.state, record=record)
    start = dict(zip(after.variables, state.tolist(), strict=False))
    anew = integrate(network(after, **start), (0.033, 0.1), dt=dt, method=method, record=record)
    np.testing.assert_array_equal(on.traces["n"]["v"], anew.traces["n"]["v"])


def test_a_shorter_refractory_period_releases_later_spikes_first():
    def spikes(cell):
        drive = Constant("n", np.linspace(11e-3, 0.4, 40))
        nets = [
            SpikingNetwork({"n": Population(dataclasses.replace(cell, refractory=r), 40)}, inputs=[drive])
            for r in (30e-3, 1e-3)
        ]
        first = integrate(nets[0], (0.0, 0.05), dt=1e-4)
        return integrate(nets[1], (0.05, 0.15), dt=1e-4, state=first.state).spikes["n"]

    fused, each = spikes(CELL), spikes(dataclasses.replace(CELL, tau=np.full(40, 20e-3)))
    assert np.any(fused.counts > 20)
    np.testing.assert_array_equal(fused.times, each.times)
    np.testing.assert_array_equal(fused.ids, each.ids)


def test_a_source_goes_on_with_its_own_times():
    def network(*times):
        return SpikingNetwork({"s": Population(SpikeSource(times, [0] * len(times)), 1)})

    first = integrate(network(0.01, 0.15), (0.0, 0.1), dt=1e-3)
    on = integrate(network(0.01, 0.12, 0.18), (0.1, 0.2), dt=1e-3, state=first.state)
    np.testing.assert_allclose(on.spikes["s"].times, [0.12, 0.18])
