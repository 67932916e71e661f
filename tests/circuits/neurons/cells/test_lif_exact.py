"""Exact spike times where the current is held: closed forms, the general step, a run in pieces."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Constant,
    Delta,
    Exponential,
    Piecewise,
    Population,
    SpikeTrains,
    SpikingNetwork,
    lif_rate,
)
from circuits.neurons.engine.history import History
from circuits.neurons.engine.ordered import in_order
from physlearn import DivergenceError, integrate

CELL = {"tau": 20e-3, "v_rest": -70e-3, "v_threshold": -50e-3, "v_reset": -62e-3, "refractory": 2e-3, "resistance": 2e8}
RNG = np.random.default_rng(3)
SPREAD = {
    "tau": RNG.uniform(10e-3, 30e-3, 40),
    "v_threshold": RNG.uniform(-55e-3, -48e-3, 40),
    "refractory": RNG.choice([0.0, 1e-3, 4e-3], 40),
}


def network(cell, currents, *, filtered=False, jumps=False, initial=None):
    """With a receptor of a time constant, which nothing reaches, the general step takes over."""
    receptors = ({"jump": Delta()} if jumps else {}) | ({"slow": Exponential(5e-3)} if filtered else {})
    inputs = [Constant("n", currents), Piecewise("n", [0.0, 0.031, 0.08], [0.0, 20e-12, -30e-12])]
    if jumps:
        times = np.sort(np.random.default_rng(5).integers(1, 200, 300)) * 1e-3
        ids = np.random.default_rng(6).integers(0, len(currents), 300)
        inputs.append(SpikeTrains("n", times, ids, 6e-3, receptor="jump"))
    return SpikingNetwork(
        {"n": Population(cell, len(currents), receptors=receptors, initial=initial or {})}, inputs=inputs
    )


@pytest.mark.parametrize("dt", [1e-3, 1e-4])
@pytest.mark.parametrize("changes", [{}, {"refractory": 0.0}, SPREAD])
@pytest.mark.parametrize("jumps", [False, True])
def test_against_the_general_step(changes, jumps, dt):
    cell, currents = LIF(**(CELL | changes), exact_times=True), np.linspace(50e-12, 250e-12, 40)
    runs = []
    for filtered in (False, True):
        made = network(cell, currents, filtered=filtered, jumps=jumps, initial={"v": np.linspace(-70e-3, -49e-3, 40)})
        runs.append(integrate(made, (0.0, 0.2), dt=dt).spikes["n"])
    new, old = runs
    assert len(new) > 300 and np.array_equal(np.bincount(new.ids, minlength=40), np.bincount(old.ids, minlength=40))
    for a, b in zip(new.trains, old.trains, strict=True):
        assert a == pytest.approx(b, abs=1e-13)


@pytest.mark.parametrize("dt", [2e-3, 1e-3, 5e-4, 1e-4])
def test_rates_are_those_of_the_formula_at_any_step(dt):
    cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=2e-3, exact_times=True)
    currents = np.array([1.01, 1.3, 2.0, 5.0, 8.0])
    made = SpikingNetwork({"n": Population(cell, 5)}, inputs=[Constant("n", currents)])
    trains = integrate(made, (0.0, 1.0), dt=dt).spikes["n"].trains
    measured = [(len(t) - 1) / (t[-1] - t[0]) for t in trains]
    assert measured == pytest.approx(lif_rate(currents, cell), rel=1e-9)
    gaps = np.concatenate([np.diff(t) / np.diff(t).mean() for t in trains])
    assert np.abs(gaps - 1.0).max() < 1e-11


def test_one_spike_in_closed_form():
    """From rest under a constant current: tau ln(R I / (R I - (threshold - rest)))."""
    cell = LIF(**CELL, exact_times=True)
    currents = np.array([110e-12, 150e-12, 400e-12])
    made = SpikingNetwork({"n": Population(cell, 3)}, inputs=[Constant("n", currents)])
    first = [t[0] for t in integrate(made, (0.0, 0.2), dt=1e-3).spikes["n"].trains]
    push = 2e8 * currents
    assert first == pytest.approx(20e-3 * np.log(push / (push - 20e-3)), rel=1e-13)


def test_very_long_steps():
    """Where exp(-dt / tau) is below rounding, the crossing is still found from the start of the step."""
    cell = LIF(tau=1e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=0.1, exact_times=True)
    made = SpikingNetwork({"n": Population(cell, 1)}, inputs=[Constant("n", 1.5)])
    times = integrate(made, (0.0, 1.0), dt=0.1).spikes["n"].times
    assert times == pytest.approx(1e-3 * np.log(3.0) + (0.1 + 1e-3 * np.log(3.0)) * np.arange(len(times)), abs=1e-15)
    assert len(times) == 10


@pytest.mark.parametrize("jumps", [False, True])
def test_a_run_in_pieces_is_the_run(jumps):
    cell, currents = LIF(**(CELL | SPREAD), exact_times=True), np.linspace(50e-12, 250e-12, 40)
    made = network(cell, currents, jumps=jumps)
    whole = integrate(made, (0.0, 0.2), dt=1e-3).spikes["n"]
    parts, state = [], None
    for start, stop in ((0.0, 0.043), (0.043, 0.044), (0.044, 0.2)):
        run = integrate(made, (start, stop), dt=1e-3, x0=state)
        parts.append(run.spikes["n"])
        state = run.final
    assert np.array_equal(np.concatenate([p.times for p in parts]), whole.times)
    assert np.array_equal(np.concatenate([p.ids for p in parts]), whole.ids)


def test_two_spikes_in_a_step_stop_the_run():
    cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, exact_times=True)
    made = SpikingNetwork({"n": Population(cell, 2)}, inputs=[Constant("n", [0.5, 80.0])])
    with pytest.raises(DivergenceError, match="neuron 1 of population 'n' would spike twice"):
        integrate(made, (0.0, 0.1), dt=1e-3)


def test_large_populations_in_parts():
    """Blocks of 512 neurons, several parts: each neuron is the same alone."""
    currents = np.linspace(0.9, 5.0, 70_000)
    cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=2e-3, exact_times=True)
    many = SpikingNetwork({"n": Population(cell, len(currents))}, inputs=[Constant("n", currents)])
    spikes = integrate(many, (0.0, 0.03), dt=1e-3).spikes["n"]
    assert np.all(np.diff(spikes.times) >= 0)
    chosen = [0, 511, 512, 33_333, 69_999]
    few = SpikingNetwork({"n": Population(cell, 5)}, inputs=[Constant("n", currents[chosen])])
    for k, train in zip(chosen, integrate(few, (0.0, 0.03), dt=1e-3).spikes["n"].trains, strict=True):
        assert np.array_equal(spikes.times[spikes.ids == k], train)


@pytest.mark.parametrize("per_step", [0.3, 3, 200])
def test_spikes_in_the_order_of_their_times(per_step):
    g = np.random.default_rng(0)
    stamps = np.sort(g.integers(1, max(2, int(3000 / per_step)), 3000))
    late = g.choice([0.0, 1.0, 0.25], 3000) if per_step == 3 else g.random(3000) ** 4
    ids, dt = g.integers(0, 50, 3000), 1e-4
    history = History(n=50, base=1, capacity=3000, steps=int(stamps[-1]), exact=True)
    history.ids[:], history.late[:] = ids, late
    history.starts[: stamps[-1] + 1] = np.searchsorted(stamps, np.arange(1, stamps[-1] + 2))
    times, found = in_order(history, 1, stamps[-1] + 1, dt)
    order = np.argsort(stamps * dt - late * dt, kind="stable")
    assert np.array_equal(times, (stamps * dt - late * dt)[order])
    assert sorted(zip(times, found, strict=True)) == sorted(zip(times, ids[order], strict=True))
    assert in_order(history, 1, 1, dt)[0].size == 0
