"""Records: samples, chosen neurons, labels, files on disk that keep memory flat."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Constant,
    Exponential,
    Poisson,
    Population,
    Record,
    Spikes,
    SpikingNetwork,
    read_stream,
)
from physlearn import DivergenceError, integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)


def network(n=10):
    populations = {k: Population(CELL, n, receptors={"e": Exponential(5e-3)}) for k in ("a", "b")}
    drive = np.linspace(9e-3, 20e-3, n)
    return SpikingNetwork(populations, inputs=[Constant("a", drive), Constant("b", drive), Poisson("a", 500.0, 1e-3)])


def test_samples_fall_on_multiples_and_neurons_are_those_asked_for():
    full = integrate(network(), (0.0, 0.0503), dt=1e-4, record={"a": Record(["v", "e"])}, rng=1).traces["a"]
    assert full.values.shape == (503, 2, 10)
    record = {"a": Record(["e", "v"], every=5e-4, neurons=[7, 2]), "b": None}
    out = integrate(network(), (0.0, 0.0503), dt=1e-4, record=record, rng=1)
    part = out.traces["a"]
    np.testing.assert_allclose(part.t, 5e-4 * np.arange(1, 101))
    np.testing.assert_array_equal(part["v"], full["v"][4::5][:, [7, 2]])
    np.testing.assert_array_equal(part["e"], full["e"][4::5][:, [7, 2]])
    assert set(out.spikes) == {"a"}
    with pytest.raises(ValueError, match="did you mean 'v'"):
        part["w"]


def test_neurons_in_several_parts_keep_their_order(monkeypatch):
    populations = {"a": Population(CELL, 70_000, initial={"v": np.arange(70_000) * 1e-8})}
    many = SpikingNetwork(populations)
    assert len(many.bounds["a"]) > 2
    chosen = [69_999, 5, 30_000, 40_000, 0]
    trace = integrate(many, (0.0, 1e-3), dt=1e-3, record={"a": Record(["v"], neurons=chosen)}).traces["a"]
    np.testing.assert_allclose(trace["v"][0], np.array(chosen) * 1e-8 * np.exp(-0.05), rtol=1e-12)


def test_labels():
    pytest.importorskip("xarray")
    data = integrate(network(), (0.0, 0.01), dt=1e-4, record={"a": Record(["v"], neurons=[3])}).traces["a"].to_xarray()
    assert data.v.dims == ("time", "neuron")
    assert data.v.attrs["units"] == "V"
    assert data.neuron.values.tolist() == [3]


def test_nothing_recorded():
    out = integrate(network(), (0.0, 0.01), dt=1e-4, record=None)
    assert out.spikes == {} and out.traces == {}
    assert out.state.step == 100


def test_a_stream_holds_what_memory_would(tmp_path):
    record = {"a": Record(["v", "e"], every=3e-4, neurons=[1, 4]), "b": "spikes"}
    kept = integrate(network(), (0.0, 0.5), dt=1e-4, record=record, rng=1)
    streamed = integrate(network(), (0.0, 0.5), dt=1e-4, record=record, rng=1, stream=tmp_path / "run")
    spikes, traces = read_stream(tmp_path / "run")
    for name in ("a", "b"):
        for found in (streamed.spikes[name], spikes[name]):
            np.testing.assert_array_equal(found.times, kept.spikes[name].times)
            np.testing.assert_array_equal(found.ids, kept.spikes[name].ids)
    np.testing.assert_array_equal(traces["a"].values, kept.traces["a"].values)
    np.testing.assert_array_equal(traces["a"].t, kept.traces["a"].t)
    with pytest.raises(ValueError, match="new directory"):
        integrate(network(), (0.0, 0.01), dt=1e-4, stream=tmp_path / "run")


LONG = """
import resource, sys
from circuits.neurons import LIF, Constant, Population, Record, SpikingNetwork
from physlearn import integrate
cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
network = SpikingNetwork({"n": Population(cell, 200)}, inputs=[Constant("n", 40e-3)])
record = {"n": Record(["v"])}
sizes = []
for k, t in enumerate((1.0, float(sys.argv[2]))):
    integrate(network, (0.0, t), dt=1e-4, record=record, stream=sys.argv[1] + str(k))
    sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(sizes[1] - sizes[0])
"""


def test_memory_does_not_grow_with_the_duration_of_a_stream(tmp_path):
    """Five seconds of traces are 80 MB; streaming them costs less than 10 MB more than one second does."""
    command = [sys.executable, "-c", LONG, str(tmp_path / "s"), "5.0"]
    grown = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert grown < 10.0
    assert sum(f.stat().st_size for f in (tmp_path / "s1").iterdir()) > 80e6


def test_a_run_that_diverges_in_its_first_step_leaves_an_empty_stream(tmp_path):
    cells = Population(LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0), 2)
    network = SpikingNetwork({"n": cells}, inputs=[Constant("n", 1e308)])
    with pytest.raises(DivergenceError, match="neuron 0") as error:
        integrate(network, (0.0, 0.1), dt=1e-4, record={"n": Record("v")}, stream=tmp_path / "run")
    assert error.value.partial.spikes == {} and error.value.partial.traces == {}
    assert read_stream(tmp_path / "run") == ({}, {})


def test_variables_are_names():
    for wrong in (None, 3):
        with pytest.raises(TypeError, match="variables"):
            Record(wrong)


KILLED = """
import sys
from circuits.neurons import LIF, Constant, Population, Record, SpikingNetwork
from physlearn import integrate
cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
network = SpikingNetwork({"n": Population(cell, 50)}, inputs=[Constant("n", 40e-3)])
integrate(network, (0.0, float(sys.argv[2])), dt=1e-4, record={"n": Record(["v"], every=1e-3)}, stream=sys.argv[1])
"""


def test_a_killed_run_leaves_what_it_counted(tmp_path):
    """SIGKILL in the middle: the record ends at its t_stop, and is that of a run which ends there."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "run"), "1e4"])
    manifest, deadline = tmp_path / "run" / "record.json", time.monotonic() + 60.0
    try:
        while time.monotonic() < deadline and process.poll() is None:
            if manifest.is_file() and json.loads(manifest.read_text())["t_stop"] > 0.0:
                break
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    for name in ("spikes.0.times", "traces.0"):  # what was being written when it died
        with (tmp_path / "run" / name).open("ab") as file:
            file.write(b"torn")
    spikes, traces = read_stream(tmp_path / "run")
    end = spikes["n"].t_stop
    assert end > 0.0
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "whole"), repr(end)], check=True)
    whole_spikes, whole_traces = read_stream(tmp_path / "whole")
    np.testing.assert_array_equal(spikes["n"].times, whole_spikes["n"].times)
    np.testing.assert_array_equal(spikes["n"].ids, whole_spikes["n"].ids)
    np.testing.assert_array_equal(traces["n"].values, whole_traces["n"].values)
    assert len(traces["n"].t) == round(end / 1e-3)


def test_spikes_of_the_neurons_named(tmp_path):
    """Their own numbers stay; means are over them alone, and the others' rates are not called zero."""
    every = integrate(network(), (0.0, 0.3), dt=1e-4, rng=1).spikes["a"]
    record = {"a": Record(["v"], every=1e-2, neurons=[8, 3]), "b": Record(neurons=[9], spikes="all")}
    out = integrate(network(), (0.0, 0.3), dt=1e-4, record=record, rng=1)
    some, kept = out.spikes["a"], np.isin(every.ids, [3, 8])
    assert np.array_equal(some.times, every.times[kept]) and np.array_equal(some.ids, every.ids[kept])
    assert some.recorded.tolist() == [3, 8] and some.n == 10 and len(some) > 4
    assert some.rate() == pytest.approx(every.rates()[[3, 8]].mean(), rel=1e-12)
    assert np.array_equal(some.rates()[[3, 8]], every.rates()[[3, 8]]) and np.isnan(some.rates()[0])
    assert some.population_rate(0.1)[1] == pytest.approx(every.select([3, 8]).population_rate(0.1)[1], rel=1e-12)
    assert np.array_equal(some.between(0.1, 0.2).recorded, [3, 8])
    assert np.array_equal(some.select([8]).times, every.select([8]).times)
    with pytest.raises(ValueError, match="the spikes of 1 were not recorded"):
        some.select([1, 3])
    assert out.spikes["b"].recorded is None and set(out.spikes["b"].ids) > {9}
    integrate(network(), (0.0, 0.3), dt=1e-4, record=record, rng=1, stream=tmp_path / "run")
    read = read_stream(tmp_path / "run")[0]["a"]
    assert np.array_equal(read.times, some.times) and np.array_equal(read.recorded, some.recorded)


def test_spikes_of_some_neurons_in_several_parts_with_exact_times():
    cell = LIF(**(vars(CELL) | {"exact_times": True}))
    populations = {"a": Population(cell, 70_000, initial={"v": np.linspace(0.0, 9e-3, 70_000)})}
    many = SpikingNetwork(populations, inputs=[Constant("a", 50e-3)])
    every = integrate(many, (0.0, 0.01), dt=1e-3).spikes["a"]
    chosen = [69_999, 5, 30_000]
    some = integrate(many, (0.0, 0.01), dt=1e-3, record={"a": Record(neurons=chosen)}).spikes["a"]
    kept = np.isin(every.ids, chosen)
    assert np.array_equal(some.times, every.times[kept]) and np.array_equal(some.ids, every.ids[kept]) and len(some)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Record(spikes="some"), "spikes='some'"),
        (lambda: integrate(network(), (0.0, 0.01), dt=1e-4, record={"a": Record(neurons=[10])}), "outside 0 to 9"),
        (lambda: Spikes([0.1], [0], n=3, t_stop=1.0, recorded=[1, 2]), "ids: 0 is none of the recorded"),
        (lambda: Spikes([0.1], [0], n=3, t_stop=1.0, recorded=[2, 0]), "recorded"),
    ],
)
def test_bad_choices_of_neurons(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
