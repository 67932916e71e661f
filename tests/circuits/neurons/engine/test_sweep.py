"""Parameter sets in one call: each equals the network built with it, on any number of threads."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Constant,
    Delta,
    Exponential,
    Neuron,
    Poisson,
    Population,
    Projection,
    Record,
    SpikingNetwork,
    connect,
)
from circuits.neurons.engine import recording
from physlearn import integrate

CELL = {"tau": 20e-3, "v_rest": 0.0, "v_threshold": 20e-3, "v_reset": 10e-3, "refractory": 2e-3}


def network(tau=20e-3, weight=0.5e-3, rate=9000.0):
    populations = {"E": Population(LIF(**(CELL | {"tau": tau})), 200, receptors={"d": Delta()})}
    projections = [Projection("E", "E", connect.fixed_probability(0.1), weight=weight, delay=1e-3)]
    return SpikingNetwork(populations, projections, [Poisson("E", rate, 0.1e-3), Constant("E", 4e-3)], seed=2)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_sweep_is_its_single_runs(threads):
    taus, weights, rates = [15e-3, 20e-3, 25e-3], [0.1e-3, 0.5e-3, -0.5e-3], [8000.0, 9000.0, 12000.0]
    sweep = {"E.tau": taus, "E->E.weight": weights, "input 0.rate": rates}
    found = integrate(network(), (0.0, 0.2), dt=1e-4, rng=3, sweep=sweep, threads=threads)
    assert len(found) == 3
    for out, tau, weight, rate in zip(found, taus, weights, rates, strict=True):
        alone = integrate(network(tau, weight, rate), (0.0, 0.2), dt=1e-4, rng=3)
        np.testing.assert_array_equal(out.spikes["E"].times, alone.spikes["E"].times)
        np.testing.assert_array_equal(out.spikes["E"].ids, alone.spikes["E"].ids)
    assert len({len(out.spikes["E"].times) for out in found}) == 3


def test_a_sweep_continues():
    sweep = {"E->E.weight": [0.1e-3, 0.5e-3]}
    whole = integrate(network(), (0.0, 0.1), dt=1e-4, rng=3, sweep=sweep)
    first = integrate(network(), (0.0, 0.05), dt=1e-4, rng=3, sweep=sweep)
    states = [out.state for out in first]
    second = integrate(network(), (0.05, 0.1), dt=1e-4, sweep=sweep, state=states)
    for a, b, c in zip(whole, first, second, strict=True):
        joined = np.concatenate([b.spikes["E"].times, c.spikes["E"].times])
        np.testing.assert_array_equal(a.spikes["E"].times, joined)


def test_parameters_of_receptors_and_of_ones_own_neuron():
    def field(x, current, p, out):
        out[0] = (current - x[0]) / p[0]

    def above(x, p):
        return x[0] > 10e-3

    def back(x, p):
        x[0] = 0.0

    def made(tau, decay):
        cell = Neuron(field, ("v",), above, back, parameters={"tau": tau})
        cells = Population(cell, 3, receptors={"e": Exponential(decay)})
        return SpikingNetwork({"n": cells}, inputs=[Poisson("n", 2e3, 5e-3)], seed=2)

    taus, decays = [10e-3, 10e-3, 20e-3], [2e-3, 5e-3, 5e-3]
    found = integrate(made(1e-3, 1e-3), (0.0, 0.1), dt=1e-4, rng=3, sweep={"n.tau": taus, "n.e.tau": decays})
    for out, tau, decay in zip(found, taus, decays, strict=True):
        alone = integrate(made(tau, decay), (0.0, 0.1), dt=1e-4, rng=3)
        np.testing.assert_array_equal(out.spikes["n"].times, alone.spikes["n"].times)
    assert len({len(out.spikes["n"].times) for out in found}) == 3


def test_that_all_records_fit_is_checked_before_the_first_run(monkeypatch):
    monkeypatch.setattr(recording, "available_memory", lambda: 5e6)
    record = {"E": Record("v")}
    integrate(network(), (0.0, 0.1), dt=1e-4, record=record)  # 1.6 MB
    with pytest.raises(ValueError, match="in 4 runs"):
        integrate(network(), (0.0, 0.1), dt=1e-4, record=record, sweep={"E.tau": [20e-3] * 4})


def test_bad_sweeps():
    for sweep, word in [({}, "sweep"), (["E.tau"], "sweep"), ({"E.tau": 1.0}, "E.tau"), ({"E.tau": "1"}, "E.tau")]:
        with pytest.raises(TypeError, match=word):
            integrate(network(), (0.0, 0.01), dt=1e-4, sweep=sweep)
    for settings in ({"threads": 0}, {"state": [None] * 2}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            integrate(network(), (0.0, 0.01), dt=1e-4, sweep={"E.tau": [1e-2]}, **settings)
    for sweep, word in [
        ({"E.tua": [1.0]}, "did you mean 'tau'"),
        ({"F.tau": [1.0]}, "owner"),
        ({"E.tau": [1.0, 2.0], "E->E.weight": [1.0]}, "lengths"),
        ({"E.tau": [-1.0]}, "tau"),
        ({"E->E.connect": [1.0]}, "weight"),
        ({"E.d.tau": [1.0]}, "tau"),
        ({"input 0.target": ["I"]}, "no parameter"),
    ]:
        with pytest.raises(ValueError, match=word):
            integrate(network(), (0.0, 0.01), dt=1e-4, sweep=sweep)
