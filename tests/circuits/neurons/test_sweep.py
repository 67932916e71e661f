"""Parameter sets in one call: each equals the network built with it, on any number of threads."""

import numpy as np
import pytest

from circuits.neurons import LIF, Constant, Delta, Poisson, Population, Projection, SpikingNetwork, connect

CELL = {"tau": 20e-3, "v_rest": 0.0, "v_threshold": 20e-3, "v_reset": 10e-3, "refractory": 2e-3}


def network(tau=20e-3, weight=0.5e-3, rate=9000.0):
    populations = {"E": Population(LIF(**(CELL | {"tau": tau})), 200, receptors={"d": Delta()})}
    projections = [Projection("E", "E", connect.fixed_probability(0.1), weight=weight, delay=1e-3)]
    return SpikingNetwork(populations, projections, [Poisson("E", rate, 0.1e-3), Constant("E", 4e-3)], seed=2)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_sweep_is_its_single_runs(threads):
    taus, weights, rates = [15e-3, 20e-3, 25e-3], [0.1e-3, 0.5e-3, -0.5e-3], [8000.0, 9000.0, 12000.0]
    sweep = {"E.tau": taus, "E->E.weight": weights, "input 0.rate": rates}
    found = network().__integrate__((0.0, 0.2), dt=1e-4, rng=3, sweep=sweep, threads=threads)
    assert len(found) == 3
    for out, tau, weight, rate in zip(found, taus, weights, rates, strict=True):
        alone = network(tau, weight, rate).__integrate__((0.0, 0.2), dt=1e-4, rng=3)
        np.testing.assert_array_equal(out.spikes["E"].times, alone.spikes["E"].times)
        np.testing.assert_array_equal(out.spikes["E"].ids, alone.spikes["E"].ids)
    assert len({len(out.spikes["E"].times) for out in found}) == 3


def test_a_sweep_continues():
    sweep = {"E->E.weight": [0.1e-3, 0.5e-3]}
    whole = network().__integrate__((0.0, 0.1), dt=1e-4, rng=3, sweep=sweep)
    first = network().__integrate__((0.0, 0.05), dt=1e-4, rng=3, sweep=sweep)
    states = [out.state for out in first]
    second = network().__integrate__((0.05, 0.1), dt=1e-4, sweep=sweep, state=states)
    for a, b, c in zip(whole, first, second, strict=True):
        joined = np.concatenate([b.spikes["E"].times, c.spikes["E"].times])
        np.testing.assert_array_equal(a.spikes["E"].times, joined)


def test_bad_sweeps():
    for sweep, word in [
        ({"E.tua": [1.0]}, "did you mean 'tau'"),
        ({"F.tau": [1.0]}, "owner"),
        ({"E.tau": [1.0, 2.0], "E->E.weight": [1.0]}, "lengths"),
        ({"E.tau": [-1.0]}, "tau"),
        ({"E->E.connect": [1.0]}, "weight"),
    ]:
        with pytest.raises(ValueError, match=word):
            network().__integrate__((0.0, 0.01), dt=1e-4, sweep=sweep)
