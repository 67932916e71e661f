"""The course of a run: continuation and threads change no bit, divergence stops it, bad input is refused."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    STDP,
    Constant,
    Delta,
    Exponential,
    Gamma,
    HodgkinHuxley,
    OrnsteinUhlenbeck,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Record,
    ShortTermPlasticity,
    SpikeTrains,
    SpikingNetwork,
    connect,
)
from physlearn import DivergenceError, integrate

CELL = {"tau": 20e-3, "v_rest": 0.0, "v_threshold": 20e-3, "v_reset": 10e-3, "refractory": 2e-3}


def cuba(n=4000, p=0.02, seed=1):
    cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    receptors = {"exc": Exponential(5e-3), "inh": Exponential(10e-3)}
    start = {"v": lambda generator, n: generator.uniform(-60e-3, -50e-3, n)}
    sizes = {"E": 4 * n // 5, "I": n // 5}
    populations = {k: Population(cells, m, receptors=receptors, initial=start) for k, m in sizes.items()}
    rule = connect.fixed_probability(p)
    synapses = {"E": (1.62e-3, "exc"), "I": (-9e-3, "inh")}
    projections = [Projection(a, b, rule, weight=synapses[a][0], receptor=synapses[a][1]) for a in "EI" for b in "EI"]
    return SpikingNetwork(populations, projections, seed=seed)


def rich():
    """Everything that a state can hold: delays in flight of both sorts, noise, plasticity, several parts."""
    receptors = {"d": Delta(), "a": Gamma(3e-3), "e": Exponential(5e-3)}
    cell = LIF(**CELL)
    populations = {
        "E": Population(cell, 7000, receptors=receptors),
        "I": Population(cell, 500, receptors={"e": Exponential(5e-3)}),
        "P": Population(PoissonSource(40.0), 300),
    }
    stdp = STDP(20e-3, 20e-3, 1e-5, 1.05e-5, w_max=1e-3)
    projections = [
        Projection("E", "E", connect.fixed_probability(0.04), weight=0.1e-3, delay=1.5e-3, receptor="d"),
        Projection("I", "E", connect.fixed_indegree(20), weight=-1e-3, delay=0.5e-3, receptor="e",
                   plasticity=ShortTermPlasticity(0.4, 0.3, 0.1)),
        Projection("E", "I", connect.fixed_probability(0.02), weight=0.3e-3, receptor="e",
                   delay=lambda s, t, generator: 1e-4 * generator.integers(5, 30, len(s))),
        Projection("P", "E", connect.fixed_probability(0.1), weight=0.5e-3, delay=1e-3, receptor="a", plasticity=stdp),
    ]  # fmt: skip
    inputs = [
        Poisson("E", 8000.0, 0.1e-3, "d"),
        Poisson("I", lambda t: 6000 * (1 + np.sin(60 * t)), 0.15e-3),
        OrnsteinUhlenbeck("E", 3e-3, 2e-3, tau=5e-3),
        SpikeTrains("E", np.linspace(0.001, 0.099, 500), np.arange(500), 1e-3, "e"),
    ]
    return SpikingNetwork(populations, projections, inputs, seed=3)


def same(a, b):
    for name in a.spikes:
        np.testing.assert_array_equal(a.spikes[name].times, b.spikes[name].times)
        np.testing.assert_array_equal(a.spikes[name].ids, b.spikes[name].ids)
    assert a.state.arrays.keys() == b.state.arrays.keys()
    for name, array in a.state.arrays.items():
        np.testing.assert_array_equal(array, b.state.arrays[name], err_msg=name)


def test_cuba_reference():
    """Brette et al. 2007: uncoupled 18.883 Hz; the network between 5 and 6 Hz with a CV of 0.52."""
    network = cuba()
    out = integrate(network, (0.0, 1.0), dt=1e-4)
    spikes = out.spikes["E"]
    rate = sum(len(s.times) for s in out.spikes.values()) / 4000
    assert 5.0 < rate < 6.0
    # the mean CV over neurons; its error over seeds is about 0.01
    order = np.lexsort((spikes.times, spikes.ids))
    late = spikes.times[order] > 0.1
    trains = np.split(spikes.times[order][late], np.flatnonzero(np.diff(spikes.ids[order][late])) + 1)
    cv = [np.std(np.diff(t)) / np.mean(np.diff(t)) for t in trains if len(t) >= 5]
    assert np.mean(cv) == pytest.approx(0.52, abs=0.03)
    alone = integrate(SpikingNetwork(network.populations, seed=1), (0.0, 1.0), dt=1e-4)
    assert len(alone.spikes["E"].times) / 3200 == pytest.approx(18.883, abs=0.15)  # the grid rounds periods up


def test_continuation_is_bitwise():
    network = rich()
    whole = integrate(network, (0.0, 0.1), dt=1e-4, rng=5)
    assert all(len(s.times) for s in whole.spikes.values())
    first = integrate(network, (0.0, 0.0437), dt=1e-4, rng=5)
    second = integrate(network, (0.0437, 0.1), dt=1e-4, state=first.state)
    for name, spikes in whole.spikes.items():
        np.testing.assert_array_equal(
            spikes.times, np.concatenate([first.spikes[name].times, second.spikes[name].times])
        )
        np.testing.assert_array_equal(spikes.ids, np.concatenate([first.spikes[name].ids, second.spikes[name].ids]))
    for name, array in whole.state.arrays.items():
        np.testing.assert_array_equal(array, second.state.arrays[name], err_msg=name)
    np.testing.assert_array_equal(whole.weights["P->E"], second.weights["P->E"])


def test_threads_change_no_bit():
    network = rich()
    assert len(network.bounds["E"]) > 2  # cut into parts, or nothing is tested
    one = integrate(network, (0.0, 0.05), dt=1e-4, rng=5)
    for threads in (2, 3):
        several = integrate(network, (0.0, 0.05), dt=1e-4, rng=5, threads=threads)
        same(one, several)
        assert several.method.endswith(f"{threads} threads")


def test_the_record_says_which_methods_ran():
    small = integrate(cuba(400, 0.1), (0.0, 0.01), dt=1e-4, threads=4)
    assert small.method == "E: exact, I: exact, 1 thread (4 asked for; a delay is shorter than 2 steps)"


def test_seeds():
    network = rich()
    a, b, c = (integrate(network, (0.0, 0.02), dt=1e-4, rng=rng).spikes["P"].times for rng in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    x, y, z = (cuba(400, 0.1, seed).synapses("E->I")[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(x, y)
    assert not np.array_equal(x, z)


def test_parts_do_not_change_the_physics(monkeypatch):
    """The same connections delivered to one part or to three give the same bits."""
    from circuits.neurons.engine import plan

    def network():
        start = {"v": lambda generator, n: generator.uniform(0.0, 20e-3, n)}
        populations = {"E": Population(LIF(**CELL), 9300, receptors={"d": Delta()}, initial=start)}
        rule = connect.fixed_probability(0.05)
        projections = [Projection("E", "E", rule, weight=-0.05e-3, delay=1e-3)]
        return SpikingNetwork(populations, projections, [Constant("E", 25e-3)], seed=1)

    cut = network()
    assert len(cut.bounds["E"]) > 2
    monkeypatch.setattr(plan, "PART", 10**6)
    uncut = network()
    assert len(uncut.bounds["E"]) == 2
    a, b = (integrate(n, (0.0, 0.1), dt=1e-4).spikes["E"] for n in (cut, uncut))
    assert len(a.times) > 1000
    np.testing.assert_array_equal(a.times, b.times)
    np.testing.assert_array_equal(a.ids, b.ids)


def test_many_spikes_in_long_delays():
    """Histories grow: every neuron spikes in every step, with a delay of more steps than a buffer holds."""
    cell = LIF(tau=20e-3, v_rest=1.0, v_threshold=1e-3, v_reset=0.0)
    for threads in (1, 2):
        populations = {k: Population(cell, 50, receptors={"d": Delta()}) for k in "ab"}
        network = SpikingNetwork(populations, [Projection("a", "b", connect.one_to_one(), weight=0.0, delay=0.2)])
        out = integrate(network, (0.0, 0.5), dt=1e-4, threads=threads)
        assert len(out.spikes["a"].times) == len(out.spikes["b"].times) == 50 * 5000
        on = integrate(network, (0.5, 0.51), dt=1e-4, threads=threads, state=out.state)
        assert len(on.spikes["a"].times) == 50 * 100


def test_divergence_stops_with_neuron_time_and_state():
    populations = {
        "n": Population(LIF(**CELL), 5, receptors={"s": Exponential(5e-3)}),
    }
    inputs = [SpikeTrains("n", [0.0105, 0.0205], [3, 3], weight=[1e-3, 1e304])]
    record = {"n": Record(["v"])}
    with pytest.raises(
        DivergenceError, match=r"neuron 3 of population 'n' diverged in the step to t = 0.0206 s"
    ) as error:
        integrate(SpikingNetwork(populations, inputs=inputs), (0.0, 0.1), dt=1e-4, record=record)
    kept = error.value.partial
    assert kept.t_stop == pytest.approx(0.0205)
    assert len(kept.traces["n"].t) == 205
    assert np.all(np.isfinite(kept.traces["n"]["v"]))


def test_each_population_may_have_its_own_method():
    cells = {"n": LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0), "h": HodgkinHuxley.squid()}
    network = SpikingNetwork({k: Population(model, 1) for k, model in cells.items()}, inputs=[Constant("h", 0.1)])
    record = {"h": Record("v")}
    mixed = integrate(network, (0.0, 0.005), dt=1e-5, method={"h": "rk4"}, record=record)
    assert mixed.method.startswith("n: exact, h: rk4")
    alone = dataclasses.replace(network, populations={"h": network.populations["h"]})
    whole = integrate(alone, (0.0, 0.005), dt=1e-5, method="rk4", record=record)
    np.testing.assert_array_equal(mixed.traces["h"]["v"], whole.traces["h"]["v"])


def test_bad_input():
    network = cuba(100, 0.1)
    for settings, word in [
        ({"dt": -1e-4}, "dt"),
        ({"dt": np.nan}, "dt"),
        ({"dt": 1e-4, "method": {"X": "exact"}}, "method: 'X' is no population"),
        ({"dt": 1e-4, "threads": 0}, "threads"),
        ({"dt": 1e-4, "threads": None}, "threads"),
        ({"dt": 1e-4, "threads": np.inf}, "threads"),
        ({"dt": 1e-4, "record": {"E": "spike"}}, "spikes"),
        ({"dt": 1e-4, "record": {"X": "spikes"}}, "'E'"),
        ({"dt": 1e-4, "record": {"E": Record(["u"])}}, "did you mean 'v'"),
        ({"dt": 1e-4, "record": {"E": Record(["v"], neurons=[80])}}, "outside"),
        ({"dt": 1e-4, "record": {"E": Record(["v"], every=1.5e-4)}}, "every"),
        ({"dt": 1e-4, "method": "rk4"}, "method"),
    ]:
        with pytest.raises(ValueError, match=word):
            integrate(network, (0.0, 0.01), **settings)
    with pytest.raises(ValueError, match="t_span"):
        integrate(network, (0.0, 0.01234), dt=1e-3)
    with pytest.raises(ValueError, match="stream"):
        integrate(network, (0.0, 1e6), dt=1e-4, record={"E": Record(["v"])})
    out = integrate(network, (0.0, 0.01), dt=1e-4)
    with pytest.raises(ValueError, match="state"):
        integrate(network, (0.02, 0.03), dt=1e-4, state=out.state)
    with pytest.raises(ValueError, match="state"):
        integrate(cuba(200, 0.1), (0.01, 0.03), dt=1e-4, state=out.state)
    with pytest.raises(TypeError, match="state"):
        integrate(network, (0.01, 0.02), dt=1e-4, state=out)
    slower = [dataclasses.replace(projection, delay=2e-3) for projection in network.projections]
    with pytest.raises(ValueError, match="longest delay"):
        integrate(dataclasses.replace(network, projections=slower), (0.01, 0.02), dt=1e-4, state=out.state)


def test_networks_that_make_no_sense():
    population = Population(LIF(**CELL), 10, receptors={"a": Delta(), "b": Exponential(5e-3)})
    rule = connect.all_to_all()
    for projection, word in [
        (Projection("x", "n", rule, weight=1.0, receptor="a"), "source"),
        (Projection("n", "n", rule, weight=1.0), "receptor"),
        (Projection("n", "n", rule, weight=1.0, receptor="c"), "receptor"),
    ]:
        with pytest.raises(ValueError, match=word):
            SpikingNetwork({"n": population}, [projection])
    twice = [Projection("n", "n", rule, weight=1.0, receptor="a")] * 2
    with pytest.raises(ValueError, match="name"):
        SpikingNetwork({"n": population}, twice)
    with pytest.raises(ValueError, match="positive integer"):
        Population(LIF(**CELL), 0)
    for model in ("LIF", LIF):
        with pytest.raises(TypeError, match="model"):
            Population(model, 3)
    with pytest.raises(TypeError, match="receptors"):
        Population(LIF(**CELL), 3, receptors={"a": Exponential})
    forever = Projection("n", "n", rule, weight=1.0, delay=1e4, receptor="a")
    with pytest.raises(ValueError, match="in seconds"):
        integrate(SpikingNetwork({"n": population}, [forever]), (0.0, 0.1), dt=1e-4)


PROGRAM = """
from circuits.neurons import LIF, Constant, Exponential, Population, SpikingNetwork
from circuits.neurons.cells import lif_steps
from circuits.neurons.engine import loop
from physlearn import integrate
from physlearn.kernels.cfuncs import UPDATE, compiled
cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=1e-2, v_reset=0.0)
cells = Population(cell, 3, receptors={"e": Exponential(5e-3)})
integrate(SpikingNetwork({"n": cells}, inputs=[Constant("n", 2e-2)]), (0.0, 0.1), dt=1e-4)
step = compiled(lif_steps.fused, UPDATE, "update", "or use a built-in neuron")
print(sum(loop.run.stats.cache_misses.values()), step.cache_hits)
"""


def test_a_second_process_compiles_nothing():
    def counts():
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
        return done.stdout.split()

    counts()
    assert counts() == ["0", "1"]
