"""Plasticity with a delay per synapse: as one projection for each delay."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    STDP,
    Constant,
    Exponential,
    PoissonSource,
    Population,
    Projection,
    Record,
    ShortTermPlasticity,
    SpikingNetwork,
    connect,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=2e-3)
RULE = STDP(tau_plus=20e-3, tau_minus=15e-3, a_plus=0.02, a_minus=0.03, w_max=2.0)
DELAYS = np.array([1e-3, 4e-3, 0.0, 4e-3, 2.5e-3, 1e-3])


def run(plasticity, split, span=(0.0, 1.0), state=None, record=None):
    """12 sources onto 6 neurons, each with its own delay: in one projection, or in one for each neuron."""
    weight = lambda s, t, rng: 0.4 + 0.01 * s  # noqa: E731
    more = {"connect": connect.all_to_all(), "weight": weight, "plasticity": plasticity}
    projections = [Projection("S", "E", delay=lambda s, t, rng: DELAYS[t], **more)]
    if split:
        projections = [Projection("S", f"E[{k}:{k + 1}]", delay=DELAYS[k], **more) for k in range(6)]
    network = SpikingNetwork(
        {"S": Population(PoissonSource(60.0), 12), "E": Population(CELL, 6, receptors={"s": Exponential(5e-3)})},
        projections,
        [Constant("E", 0.9)],
    )
    return integrate(network, span, dt=5e-4, rng=4, x0=state, record=record or "spikes")


@pytest.mark.parametrize("plasticity", [RULE, ShortTermPlasticity(0.4, 0.1, tau_facilitation=0.05)])
def test_as_one_projection_for_each_delay(plasticity):
    together, apart = run(plasticity, False), run(plasticity, True)
    assert together.spikes["E"].counts.min() > 2
    np.testing.assert_array_equal(together.spikes["E"].times, apart.spikes["E"].times)
    np.testing.assert_array_equal(together.spikes["E"].ids, apart.spikes["E"].ids)
    if plasticity is RULE:
        joined = together.weights["S->E"].reshape(12, 6)
        assert np.ptp(joined) > 0.02
        np.testing.assert_array_equal(joined, np.stack([apart.weights[f"S->E[{k}:{k + 1}]"] for k in range(6)], axis=1))


def test_in_pieces_and_recorded():
    record = {"E": "spikes", "S->E": Record(["w"], every=0.1, neurons=[0, 13, 71])}
    whole, first = run(RULE, False, record=record), run(RULE, False, span=(0.0, 0.4))
    rest = run(RULE, False, span=(0.4, 1.0), state=first.final)
    np.testing.assert_array_equal(rest.weights["S->E"], whole.weights["S->E"])
    np.testing.assert_array_equal(whole.traces["S->E"]["w"][-1], whole.weights["S->E"][[0, 13, 71]])
