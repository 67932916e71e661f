"""Projections of low rank: the same spikes as with the matrix that they stand for, and probes."""

import re

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    PES,
    STDP,
    AdEx,
    Constant,
    DualExponential,
    Exponential,
    Gamma,
    Population,
    Projection,
    Record,
    ShortTermPlasticity,
    Signal,
    SpikingNetwork,
    connect,
)
from physlearn import integrate

UNIT = {"tau": 20e-3, "v_rest": 0.0, "v_threshold": 1.0, "v_reset": 0.0, "refractory": 2e-3}
AREA = Exponential(5e-3, normalised="area")


def factors(sources, targets, rank, seed=0):
    rng = np.random.default_rng(seed)
    return 2e-3 * rng.standard_normal((sources, rank)), rng.standard_normal((rank, targets))


def networks(cells, decoders, encoders, kernel, delay, unit=1.0, recurrent=False):
    """The same network of low rank, and with the matrix on a receptor of the target."""
    drive = Constant("a", unit * np.linspace(1.1, 2.0, len(decoders)))
    ends = ("a", "a") if recurrent else ("a", "b")
    sizes = {"a": len(decoders)} | ({} if recurrent else {"b": encoders.shape[1]})
    low = Projection(*ends, connect.low_rank(decoders, unit * encoders), delay=delay, receptor=kernel)
    full = Projection(*ends, connect.from_matrix(unit * decoders @ encoders), delay=delay, receptor="s")
    inputs = [drive] if recurrent else [drive, Constant("b", unit * 1.2)]
    return (
        SpikingNetwork({name: Population(cells, n) for name, n in sizes.items()}, [low], inputs),
        SpikingNetwork(
            {name: Population(cells, n, receptors={"s": kernel}) for name, n in sizes.items()}, [full], inputs
        ),
    )


@pytest.mark.parametrize(
    ("kernel", "delay", "recurrent"),
    [
        (AREA, 0.0, True),
        (DualExponential(2e-3, 8e-3, normalised="area"), 3e-3, False),
        (Gamma(3e-3, order=2, normalised="area"), 1e-3, True),
        (Exponential(20e-3, normalised="area"), 0.0, False),  # as the membrane's
    ],
)
def test_spike_for_spike_as_the_full_matrix(kernel, delay, recurrent):
    decoders, encoders = factors(60, 60 if recurrent else 70, 3)
    low, full = (
        integrate(network, (0.0, 0.5), dt=1e-3)
        for network in networks(LIF(**UNIT), decoders, encoders, kernel, delay, recurrent=recurrent)
    )
    end = "a" if recurrent else "b"
    assert len(full.spikes[end].times) > 1000
    np.testing.assert_array_equal(low.spikes[end].times, full.spikes[end].times)
    np.testing.assert_array_equal(low.spikes[end].ids, full.spikes[end].ids)


@pytest.mark.parametrize("method", ["exponential_euler", "rk4"])  # held at the start of a step, and at its middle
def test_other_models_hold_it_as_they_hold_a_receptor(method):
    decoders, encoders = factors(40, 30, 2)
    low, full = (
        integrate(network, (0.0, 0.3), dt=1e-4, method=method)
        for network in networks(AdEx(), decoders, encoders, AREA, 1e-3, unit=1e-9)
    )
    assert len(full.spikes["b"].times) > 200
    np.testing.assert_array_equal(low.spikes["b"].times, full.spikes["b"].times)


def test_exact_times_against_the_full_matrix_in_numpy():
    """Closed-form crossings under the current that is held, and decoding on the grid, written out with W formed."""
    n, dt, tau, tau_s, steps = 40, 1e-3, 20e-3, 5e-3, 300
    decoders, encoders = factors(n, n, 2, seed=3)
    bias = np.linspace(1.1, 3.0, n)
    cells = LIF(**UNIT, exact_times=True)
    network = SpikingNetwork(
        {"a": Population(cells, n)},
        [Projection("a", "a", connect.low_rank(decoders, encoders), receptor=AREA)],
        [Constant("a", bias)],
    )
    found = integrate(network, (0.0, steps * dt), dt=dt).spikes["a"]

    weights, leak, fade = decoders @ encoders, np.exp(-dt / tau), np.exp(-dt / tau_s)
    seen = tau_s / (tau_s - tau) * (fade - leak) / (1.0 - leak)  # the mean, weighted as v weights it
    v, g, free, times = np.zeros(n), np.zeros(n), np.zeros(n), []
    for step in range(steps):
        t = step * dt
        current = bias + seen * g
        start = np.where(free > t + 1e-15, 0.0, v)
        ahead = np.clip(t + dt - np.maximum(free, t), 0.0, dt)
        v = current + (start - current) * np.exp(-ahead / tau)
        crossed = np.flatnonzero(v >= 1.0)
        since = -tau * np.log((v[crossed] - current[crossed]) / (1.0 - current[crossed]))
        times += [(t + dt - s, i) for s, i in zip(since, crossed, strict=True)]
        free[crossed] = t + dt - since + UNIT["refractory"]
        v[crossed] = 0.0
        g = fade * g + weights[crossed].sum(axis=0) / tau_s
    times.sort()
    assert len(times) > 700
    np.testing.assert_array_equal(found.ids, [i for _, i in times])
    np.testing.assert_allclose(found.times, [t for t, _ in times], rtol=0, atol=1e-12)


def test_a_probe_shows_the_filtered_sum_of_decoders():
    decoders, _ = factors(50, 1, 3, seed=5)
    network = SpikingNetwork(
        {"a": Population(LIF(**UNIT), 50)},
        [Projection("a", None, connect.low_rank(decoders), delay=2e-3, receptor=AREA, name="seen")],
        [Constant("a", np.linspace(1.1, 2.0, 50))],
    )
    run = integrate(network, (0.0, 0.2), dt=1e-3, record={"a": "spikes", "seen": Record(["x"], every=2e-3)})
    trace = run.traces["seen"]
    stamps = np.rint(run.spikes["a"].times / 1e-3)
    age = np.rint(trace.t / 1e-3)[:, None] - stamps - 2
    step = 1.0 - np.exp(-0.2)  # the mean over a step that begins with 1
    kernel = np.where(age >= 0, step * np.exp(-0.2 * np.maximum(age, 0)) / 1e-3, 0.0)
    assert trace.values.shape == (100, 1, 3)
    np.testing.assert_allclose(trace["x"], kernel @ decoders[run.spikes["a"].ids], rtol=1e-12, atol=1e-15)
    assert trace.units == ("1",)
    assert set(run.final.arrays) >= {"seen#0/0/filter", "seen#0/0/value"}


def test_a_unit_area_is_kept_on_any_grid():
    """A regular train of 100 Hz through decoders of 0.01 is 1 on average, at steps of 0.1 ms and of 5 ms alike."""
    for dt in (1e-4, 5e-3):
        clock = LIF(tau=1.0, v_rest=0.0, v_threshold=1.0, v_reset=0.0, refractory=5e-3)
        network = SpikingNetwork(
            {"a": Population(clock, 1)},
            [
                Projection(
                    "a", None, connect.low_rank([[0.01]]), receptor=Exponential(20e-3, normalised="area"), name="x"
                )
            ],
            [Constant("a", 1.0 / -np.expm1(-5e-3) + 1e-9)],
        )
        run = integrate(network, (0.0, 1.0), dt=dt, record={"a": "spikes", "x": Record(["x"])})
        rate = np.mean(np.diff(run.spikes["a"].times)) ** -1
        assert np.mean(run.traces["x"]["x"][len(run.traces["x"].t) // 2 :]) == pytest.approx(0.01 * rate, rel=2e-3)


def test_pieces_threads_and_theta():
    n = 6144  # two parts
    decoders, encoders = factors(n, n, 2, seed=1)
    cells = Population(LIF(**UNIT), n, receptors={"s": AREA})
    low = connect.low_rank(decoders / 10, encoders)
    network = SpikingNetwork(
        {"a": cells},
        [
            Projection("a", "a", low, delay=3e-3, receptor=AREA, name="coded"),
            Projection("a", "a", connect.fixed_indegree(300), weight=1e-6, delay=3e-3),
        ],
        [Constant("a", np.linspace(0.9, 2.0, n))],
    )
    assert len(network.bounds["a"]) == 3
    whole = integrate(network, (0.0, 0.04), dt=1e-3, threads=2)
    first = integrate(network, (0.0, 0.017), dt=1e-3)
    second = integrate(network, (0.017, 0.04), dt=1e-3, x0=first.final)
    np.testing.assert_array_equal(
        whole.spikes["a"].ids, np.concatenate([first.spikes["a"].ids, second.spikes["a"].ids])
    )
    assert "2 threads" in whole.method
    assert list(network.theta) == ["coded.decoders", "coded.encoders", "a->a"]
    np.testing.assert_array_equal(network.theta["coded.encoders"], encoders)
    other = network.with_theta({"coded.decoders": 2 * network.theta["coded.decoders"]})
    np.testing.assert_array_equal(other.projections[0].connect.decoders, 2 * low.decoders)
    np.testing.assert_array_equal(other.projections[0].connect.encoders, encoders)
    with pytest.raises(ValueError, match=r"'coded' is of low rank and has no synapses"):
        network.synapses("coded")


def test_a_signal_drives_through_encoders():
    encoders = np.array([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]])
    course = lambda t: np.stack([np.sin(40 * t), np.cos(30 * t)], axis=1)  # noqa: E731
    network = SpikingNetwork(
        {"a": Population(LIF(**UNIT), 3)}, inputs=[Signal("a", course, 0.5 * encoders, name="given")]
    )
    run = integrate(network, (0.0, 0.1), dt=1e-3, record={"a": Record(["v"], spikes=False), "given": Record(["x"])})
    t, v, traces = 1e-3 * np.arange(100), np.zeros(3), []
    for held in course(t) @ (0.5 * encoders):
        v = held + (v - held) * np.exp(-1e-3 / 20e-3)
        traces.append(v)
    assert np.max(traces) < 1.0
    np.testing.assert_allclose(run.traces["a"]["v"], traces, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(run.traces["given"]["x"], course(t))


def refused(match, error=ValueError):
    return pytest.raises(error, match=re.compile(match, re.DOTALL))


def test_what_does_not_fit_is_named():
    low, one = connect.low_rank(np.ones((4, 2)), np.ones((2, 3))), connect.low_rank(np.ones((4, 1)))
    stdp = STDP(20e-3, 20e-3, 1e-5, 1e-5, 1e-3)
    with refused(r"encoders of shape \(3, 2\).*expected \(2, targets\)"):
        connect.low_rank(np.ones((4, 2)), np.ones((3, 2)))
    with refused("decoders of shape"):
        connect.low_rank(np.ones((0, 2)))
    with refused("decoders: 1 of 4 entries are NaN"):
        connect.low_rank([[1.0, 2.0], [np.nan, 1.0]])
    with refused("without encoders there are no weights"):
        _ = one.matrix
    with refused("receptor=None of connect.low_rank, expected the filter"):
        Projection("a", "b", low)
    with refused("receptor='s' of connect.low_rank, expected the filter"):
        Projection("a", "b", low, receptor="s")
    with refused("reversal=0.0 V makes a conductance"):
        Projection("a", "b", low, receptor=Exponential(5e-3, reversal=0.0))
    with refused("STDP does not fit connect.low_rank"):
        Projection("a", "b", low, receptor=AREA, plasticity=stdp)
    with refused("ShortTermPlasticity does not fit connect.low_rank"):
        Projection("a", "b", low, receptor=AREA, plasticity=ShortTermPlasticity(0.5, 0.1))
    with refused("PES does not fit connect.one_to_one"):
        Projection("a", "b", connect.one_to_one(), weight=1.0, plasticity=PES(1e-4, "x"))
    with refused("target='b' of connect.low_rank without encoders"):
        Projection("a", "b", one, receptor=AREA)
    with refused("target", TypeError):
        Projection("a", None, low, receptor=AREA)
    with refused("delay: connect.low_rank has no synapses"):
        Projection("a", "b", low, receptor=AREA, delay=[1e-3, 2e-3])
    with refused("brings weights already"):
        Projection("a", "b", low, receptor=AREA, weight=1.0)
    cells = {"a": Population(LIF(**UNIT), 4), "b": Population(LIF(**UNIT), 2)}
    with refused(r"encoders of shape \(2, 3\) for 2 neurons, expected \(D, 2\)"):
        SpikingNetwork(cells, [Projection("a", "b", low, receptor=AREA)])
    with refused(r"decoders of shape \(4, 2\) for 2 neurons, expected \(2, D\)"):
        SpikingNetwork(cells, [Projection("b", "a", low, receptor=AREA)])
    with refused(r"encoders of shape \(1, 3\), expected \(D, 2\)"):
        SpikingNetwork(cells, inputs=[Signal("b", lambda t: t, np.ones((1, 3)))])
    with refused("without encoders"):
        Signal("b", lambda t: t)
    with refused("needs a name"):
        Signal(None, lambda t: t)
    with refused(r"of 1 times has shape \(3, 1\)"):
        Signal("b", lambda t: np.zeros((3, 1)), np.ones((1, 2)))
    with refused("name='a' is taken"):
        SpikingNetwork(cells, inputs=[Signal(None, lambda t: t, name="a")])
