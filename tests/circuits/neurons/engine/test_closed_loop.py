"""Runs in pieces that share one plan, and Python that is called within a run."""

import copy
import pickle

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    STDP,
    ClosedLoop,
    Constant,
    Exponential,
    OrnsteinUhlenbeck,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Record,
    Signal,
    SpikeTrains,
    SpikingNetwork,
    connect,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0, refractory=2e-3)
EXACT = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=2e-3, exact_times=True)
DT = 5e-4


def later(sources, targets, generator):
    return DT * (1 + (sources + targets) % 5)


def busy():
    """A network with everything that has a state: noise, delays, plasticity, sources, filters."""
    populations = {
        "S": Population(PoissonSource(40.0), 30),
        "E": Population(CELL, 40, receptors={"s": Exponential(5e-3)}),
    }
    stdp = STDP(tau_plus=20e-3, tau_minus=20e-3, a_plus=1e-4, a_minus=1e-4, w_max=4e-3)
    seen = connect.low_rank(np.random.default_rng(0).standard_normal((40, 2)))
    return SpikingNetwork(
        populations,
        [
            Projection("S", "E", connect.all_to_all(), weight=2e-3, delay=2e-3, plasticity=stdp),
            Projection("E", "E", connect.fixed_probability(0.2), weight=1e-3, delay=later),
            Projection("E", None, seen, receptor=Exponential(10e-3), name="x"),
        ],
        [
            OrnsteinUhlenbeck("E", 5e-3, 3e-3, 5e-3),
            Poisson("E", rate=200.0, weight=1e-3),
            SpikeTrains("E", [0.011, 0.0505, 0.1], [3, 4, 5], weight=20e-3),
        ],
    )


RECORD = {"E": Record(["v", "s"], every=1e-3, neurons=[0, 7]), "x": Record(["x"], every=2e-3), "S": "spikes"}


def pieces(network, ends, record, touch=None, **more):
    state, found = None, []
    for start, stop in zip(ends[:-1], ends[1:], strict=True):
        found.append(integrate(network, (start, stop), dt=DT, record=record, x0=state, rng=3, **more))
        state = found[-1].final
        if touch:
            state = touch(state)
    return found


@pytest.mark.parametrize("touch", [None, lambda s: s.arrays and s, lambda s: pickle.loads(pickle.dumps(s)), copy.copy])
def test_pieces_are_one_run_bit_for_bit(touch):
    network = busy()
    whole = integrate(network, (0.0, 0.12), dt=DT, record=RECORD, rng=3)
    found = pieces(busy(), [0.0, 1e-3, 0.02, 0.0205, 0.055, 0.056, 0.12], RECORD, touch)
    for name in ("E", "S"):
        for what in ("times", "ids"):
            joined = np.concatenate([getattr(piece.spikes[name], what) for piece in found])
            np.testing.assert_array_equal(joined, getattr(whole.spikes[name], what))
    for name in ("E", "x"):
        kept = [piece.traces[name] for piece in found]
        np.testing.assert_array_equal(np.concatenate([trace.values for trace in kept]), whole.traces[name].values)
        np.testing.assert_allclose(np.concatenate([trace.t for trace in kept]), whole.traces[name].t, rtol=1e-12)
    np.testing.assert_array_equal(found[-1].weights["S->E"], whole.weights["S->E"])
    for name, array in whole.final.arrays.items():
        np.testing.assert_array_equal(found[-1].final.arrays[name], array, err_msg=name)


def test_a_piece_takes_the_plan_of_the_one_before_and_no_other():
    network = busy()
    first = integrate(network, (0.0, 0.01), dt=DT, rng=3)
    plan = network._live["run"][0].plan
    second = integrate(network, (0.01, 0.02), dt=DT, x0=first.final)
    assert network._live["run"][0].plan is plan
    again = integrate(network, (0.01, 0.02), dt=DT, x0=first.final)  # from before: another plan, the same result
    assert network._live["run"][0].plan is not plan
    np.testing.assert_array_equal(again.spikes["E"].times, second.spikes["E"].times)
    other = integrate(network, (0.02, 0.03), dt=DT, x0=again.final, record={"E": Record(["v"])})
    assert other.traces["E"]["v"].shape == (20, 40)
    assert pickle.loads(pickle.dumps(network))._live == {} == copy.copy(network)._live


def test_a_state_that_was_changed_in_between_counts():
    network = SpikingNetwork({"E": Population(CELL, 2)}, inputs=[Constant("E", 9e-3)])
    record = {"E": Record(["v"])}
    first = integrate(network, (0.0, 0.01), dt=DT, record=record)
    first.final.arrays["E/0/state"][0, 1] = 0.0
    second = integrate(network, (0.01, 0.02), dt=DT, record=record, x0=first.final)
    v = 9e-3 * -np.expm1(-1e-2 / 20e-3 - DT / 20e-3), 9e-3 * -np.expm1(-DT / 20e-3)
    np.testing.assert_allclose(second.traces["E"]["v"][0], v, rtol=1e-12)


def test_a_closed_loop_sees_spikes_and_values_and_sets_signals():
    n, calls = 20, []
    rng = np.random.default_rng(1)
    decoders, encoders = 1e-3 * rng.standard_normal((n, 2)), rng.standard_normal((1, n))
    network = SpikingNetwork(
        {"E": Population(EXACT, n)},
        [Projection("E", None, connect.low_rank(decoders), receptor=Exponential(10e-3, normalised="area"), name="x")],
        [Constant("E", np.linspace(1.1, 2.0, n)), Signal("E", [0.5], encoders, name="u")],
    )

    def loop(t, seen):
        calls.append((t, seen["E"], seen["x"], seen["u"].item()))
        return {"u": [0.5 + 0.01 * len(calls)]} if len(calls) < 5 else None

    record = {"E": "spikes", "x": Record(["x"]), "u": Record(["x"])}
    run = integrate(network, (0.0, 0.1), dt=1e-3, record=record, closed_loop=ClosedLoop(loop, every=5e-3))
    np.testing.assert_allclose([t for t, *_ in calls], np.arange(20) * 5e-3, atol=1e-15)
    counts = [run.spikes["E"].between(k * 5e-3, (k + 1) * 5e-3).counts for k in range(19)]
    np.testing.assert_array_equal([count for _, count, *_ in calls], [np.zeros(n), *counts])
    np.testing.assert_array_equal([x for _, _, x, _ in calls[1:]], run.traces["x"]["x"][4:-1:5])
    set_to = np.minimum(0.5 + 0.01 * np.arange(1, 21), 0.54)
    np.testing.assert_allclose(run.traces["u"]["x"][:, 0], np.repeat(set_to, 5), rtol=1e-15)
    np.testing.assert_allclose([u for *_, u in calls], [0.5, *set_to[:-1]], rtol=1e-15)
    # the same as inputs that were known before
    known = SpikingNetwork(
        network.populations,
        inputs=[
            network.inputs[0],
            Signal("E", lambda t: set_to[np.rint(t / 1e-3).astype(int) // 5], encoders),
        ],
    )
    same = integrate(known, (0.0, 0.1), dt=1e-3)
    np.testing.assert_array_equal(run.spikes["E"].times, same.spikes["E"].times)


def test_a_closed_loop_in_pieces_is_called_at_the_same_times():
    def network():
        return SpikingNetwork({"E": Population(EXACT, 1)}, inputs=[Signal("E", [1.0], [[1.0]], name="u")])

    def follow(ends):
        calls = []
        loop = ClosedLoop(lambda t, seen: calls.append((t, seen["E"][0])) or {"u": [1.5 + np.sin(100 * t)]}, every=4e-3)
        net, state, times = network(), None, []
        for start, stop in zip(ends[:-1], ends[1:], strict=True):
            run = integrate(net, (start, stop), dt=1e-3, x0=state, closed_loop=loop)
            state = run.final
            times += run.spikes["E"].times.tolist()
        return [t for t, _ in calls], times

    whole, parts = follow([0.0, 0.2]), follow([0.0, 0.004, 0.05, 0.051, 0.2])
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-15)
    assert parts[1] == whole[1]
    assert len(whole[1]) > 5


def test_what_does_not_fit_is_named():
    network = SpikingNetwork({"E": Population(CELL, 3)}, inputs=[Signal("E", [0.0, 0.0], np.ones((2, 3)), name="u")])

    def run(function, every=1e-3, **more):
        return integrate(network, (0.0, 0.01), dt=DT, closed_loop=ClosedLoop(function, every), **more)

    for function, message, error in (
        (lambda t, seen: {"v": [1.0]}, "'v' is none of", ValueError),
        (lambda t, seen: {"u": [1.0]}, r"'u' at t = 0 s: got the shape \(1,\)", ValueError),
        (lambda t, seen: {"u": [np.nan, 0.0]}, "NaN", ValueError),
        (lambda t, seen: [1.0], "expected a mapping", TypeError),
        (lambda t, seen: seen["I"], "'I' is none of", ValueError),
    ):
        with pytest.raises(error, match=message):
            run(function)
    with pytest.raises(ValueError, match="whole number of steps"):
        run(lambda t, seen: None, every=7e-4)
    with pytest.raises(TypeError, match=r"closed_loop: got .* expected ClosedLoop"):
        integrate(network, (0.0, 0.01), dt=DT, closed_loop=lambda t, seen: None)
    with pytest.raises(TypeError, match="called with 2 argument"):
        ClosedLoop(lambda t: None, 1e-3)
    with pytest.raises(ValueError, match="not with sweep"):
        run(lambda t, seen: None, sweep={"E.tau": [1e-2]})
