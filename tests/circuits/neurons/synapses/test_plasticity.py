"""STDP and short-term plasticity against their definitions, spike by spike."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    STDP,
    Exponential,
    Population,
    Projection,
    Record,
    ShortTermPlasticity,
    SpikeSource,
    SpikingNetwork,
    connect,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0)


def reference(rule, pre, post, delay, w0):
    """Weight after spikes at steps ``pre`` (emitted) and ``post``, dt = 0.1 ms, by sums over pairs."""
    events = sorted([(t + delay, 0) for t in pre] + [(t, 1) for t in post])
    w, before = w0, {0: [], 1: []}
    for t, kind in events:
        others = before[1 - kind]
        if rule.pairing == "nearest":
            others = others[-1:]
        tau = (rule.tau_minus, rule.tau_plus)[kind]
        trace = sum(np.exp(-(t - s) * 1e-4 / tau) for s in others)
        change = rule.a_plus * trace if kind else -rule.a_minus * trace
        if rule.dependence == "multiplicative":
            change *= 1 - w / rule.w_max if kind else w / rule.w_max
        w = min(max(w + change, rule.w_min), rule.w_max)
        before[kind].append(t)
    return w


@pytest.mark.parametrize("pairing", ["all", "nearest"])
@pytest.mark.parametrize("dependence", ["additive", "multiplicative"])
@pytest.mark.parametrize("delay", [0, 13])
def test_stdp_is_the_sum_over_pairs(pairing, dependence, delay, rng):
    """Trains that coincide at times; postsynaptic spikes are forced one to one, so they are known."""
    rule = STDP(15e-3, 25e-3, 0.02, 0.015, w_max=1.0, pairing=pairing, dependence=dependence)
    n = 6
    pre = [np.sort(rng.choice(np.arange(1, 1900), 40, replace=False)) for _ in range(n)]
    post = [np.sort(rng.choice(np.arange(1, 1900), 40, replace=False)) for _ in range(4)]
    post[0] = pre[0] + delay  # arrivals and spikes on the same grid points
    trains = [
        SpikeSource(np.concatenate(t) * 1e-4, np.repeat(np.arange(len(t)), [len(x) for x in t])) for t in (pre, post)
    ]
    target = Population(trains[1], 4, receptors={"r": Exponential(5e-3)})
    projection = Projection(
        "s", "t", connect.all_to_all(), weight=0.4, delay=delay * 1e-4, plasticity=rule, name="plastic"
    )  # fmt: skip
    out = integrate(SpikingNetwork({"s": Population(trains[0], n), "t": target}, [projection]), (0.0, 0.2), dt=1e-4)
    weights = out.weights["plastic"].reshape(n, 4)
    for i in range(n):
        for j in range(4):
            inside = pre[i][pre[i] + delay <= 2000]
            assert weights[i, j] == pytest.approx(reference(rule, inside, post[j], delay, 0.4), rel=1e-11)
    assert np.ptp(weights) > 0.05


def test_weights_are_sampled_while_they_change():
    """Chosen synapses of a network cut into parts; the last sample is the weight at the end."""
    rng = np.random.default_rng(2)
    n = 6144
    pre, post = rng.choice(400 * 3, 300, replace=False), rng.choice(400 * n, 3000, replace=False)
    populations = {
        "s": Population(SpikeSource(1e-4 * (1 + pre // 3), pre % 3), 3),
        "t": Population(SpikeSource(1e-4 * (1 + post // n), post % n), n, receptors={"r": Exponential(5e-3)}),
    }
    rule = STDP(15e-3, 25e-3, 0.02, 0.015, w_max=1.0)
    network = SpikingNetwork(populations, [Projection("s", "t", connect.all_to_all(), weight=0.4, plasticity=rule)])
    assert len(network.bounds["t"]) > 2
    chosen = [3 * n - 1, 0, n + 5, 2 * n + 4000]
    record = {"s->t": Record(["w"], every=1e-2, neurons=chosen)}
    out = integrate(network, (0.0, 0.04), dt=1e-4, record=record)
    assert set(out.spikes) == set() and out.traces["s->t"].units == ("A",)
    assert out.traces["s->t"]["w"].shape == (4, 4)
    np.testing.assert_array_equal(out.traces["s->t"]["w"][-1], out.weights["s->t"][chosen])
    half = integrate(network, (0.0, 0.02), dt=1e-4)
    np.testing.assert_array_equal(out.traces["s->t"]["w"][1], half.weights["s->t"][chosen])
    with pytest.raises(ValueError, match="did you mean 'w'"):
        integrate(network, (0.0, 0.04), dt=1e-4, record={"s->t": Record(["v"])})


def test_a_coincident_pair_potentiates():
    rule = STDP(15e-3, 25e-3, 0.02, 0.015, w_max=1.0)
    source = Population(SpikeSource([1e-3], [0]), 1)
    target = Population(SpikeSource([2e-3], [0]), 1, receptors={"r": Exponential(5e-3)})
    projection = Projection("s", "t", connect.one_to_one(), weight=0.4, delay=1e-3, plasticity=rule)
    out = integrate(SpikingNetwork({"s": source, "t": target}, [projection]), (0.0, 0.01), dt=1e-4)
    assert out.weights["s->t"] == pytest.approx(0.42)


@pytest.mark.parametrize("facilitation", [0.0, 50e-3])
def test_short_term_plasticity_follows_its_recursion(facilitation):
    rule = ShortTermPlasticity(0.3, tau_recovery=100e-3, tau_facilitation=facilitation)
    times = np.array([10, 30, 50, 70, 90, 500, 510]) * 1e-4
    source = Population(SpikeSource(times, np.zeros(7, int)), 1)
    target = Population(CELL, 1, receptors={"r": Exponential(5e-3)})
    projection = Projection("s", "t", connect.one_to_one(), weight=2.0, delay=1e-3, plasticity=rule)
    network = SpikingNetwork({"s": source, "t": target}, [projection])
    trace = integrate(network, (0.0, 0.06), dt=1e-4, record={"t": Record(["r"])}).traces["t"]
    u, x, last, expected = 0.0, 1.0, -np.inf, np.zeros(len(trace.t))
    for t in times:
        u = u * np.exp(-(t - last) / facilitation) if facilitation else 0.0
        u += 0.3 * (1 - u)
        x = 1 - (1 - x) * np.exp(-(t - last) / 100e-3)
        since = trace.t - t - 1e-3
        expected += np.where(since > -1e-9, 2.0 * u * x * np.exp(-since / 5e-3), 0.0)
        x -= u * x
        last = t
    np.testing.assert_allclose(trace["r"][:, 0], expected, rtol=1e-9, atol=1e-12)


def test_bad_plasticity():
    good = {"tau_plus": 2e-2, "tau_minus": 2e-2, "a_plus": 0.1, "a_minus": 0.1, "w_max": 1.0}
    for change, word in [
        ({"tau_plus": -1.0}, "tau_plus"),
        ({"a_minus": np.nan}, "a_minus"),
        ({"w_min": 2.0}, "w_max"),
        ({"pairing": "some"}, "pairing"),
        ({"dependence": "power"}, "dependence"),
        ({"dependence": "multiplicative", "w_min": -1.0}, "multiplicative"),
    ]:
        with pytest.raises(ValueError, match=word):
            STDP(**(good | change))
    for u_0, recovery, facilitation in [(0.0, 0.1, 0.0), (0.5, -0.1, 0.0), (0.5, 0.1, -1.0)]:
        with pytest.raises(ValueError, match="ShortTermPlasticity"):
            ShortTermPlasticity(u_0, recovery, facilitation)
    population = Population(CELL, 3, receptors={"r": Exponential(5e-3)})
    projection = Projection("n", "n", connect.all_to_all(), plasticity=STDP(**good), weight=2.0)
    with pytest.raises(ValueError, match="w_max"):
        integrate(SpikingNetwork({"n": population}, [projection]), (0.0, 0.01), dt=1e-4)
