"""Three-factor STDP against its definition, step by step, and against the integral of a pair that is rewarded later."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    STDP,
    Exponential,
    Population,
    Projection,
    Record,
    Signal,
    SpikeSource,
    SpikingNetwork,
    ThreeFactorSTDP,
    connect,
)
from physlearn import integrate

DT = 1e-4


def rule(**more):
    given = dict(tau_plus=15e-3, tau_minus=25e-3, a_plus=0.02, a_minus=0.015, tau_eligibility=30e-3, w_max=1.0)
    return ThreeFactorSTDP(**given | dict(modulator="reward") | more)


def trains(rng, n, steps):
    """Which neurons spike at which step, (steps + 1, n)."""
    fired = rng.random((steps + 1, n)) < 0.02
    fired[0] = False
    return fired


def source(fired):
    step, ids = np.nonzero(fired)
    return SpikeSource(step * DT, ids)


def reference(rule, pre, post, reward, delay, w0):
    """Weights (sources, targets) by the equations, one step after the other."""
    w, c = np.full((pre.shape[1], post.shape[1]), w0), np.zeros((pre.shape[1], post.shape[1]))
    x, y = np.zeros(pre.shape[1]), np.zeros(post.shape[1])
    lasting = rule.tau_eligibility * (1 - np.exp(-DT / rule.tau_eligibility))
    for step in range(1, len(pre)):
        w = np.clip(w + reward[step - 1] * lasting * c, rule.w_min, rule.w_max)
        c, x, y = (
            c * np.exp(-DT / rule.tau_eligibility),
            x * np.exp(-DT / rule.tau_plus),
            y * np.exp(-DT / rule.tau_minus),
        )
        arrived = pre[step - delay] if step >= delay else np.zeros(pre.shape[1], bool)
        x = x + arrived
        c[arrived] -= rule.a_minus * y
        y = y + post[step]
        c[:, post[step]] += rule.a_plus * x[:, None]
    return w


@pytest.mark.parametrize("delay", [0, 13])
@pytest.mark.parametrize("tau", [30e-3, 2e-4], ids=["slow", "rescaled often"])
def test_weights_follow_the_equations(delay, tau, rng):
    steps, plasticity = 2000, rule(tau_eligibility=tau)
    pre, post = trains(rng, 5, steps), trains(rng, 4, steps)

    def reward(t):
        return 40.0 * np.sin(60.0 * t) * (np.sin(9.0 * t) > 0)

    populations = {
        "s": Population(source(pre), 5),
        "t": Population(source(post), 4, receptors={"r": Exponential(5e-3)}),
    }
    projection = Projection("s", "t", connect.all_to_all(), weight=0.4, delay=delay * DT, plasticity=plasticity)
    network = SpikingNetwork(populations, [projection], [Signal(None, reward, name="reward")])
    out = integrate(network, (0.0, steps * DT), dt=DT, record={"s->t": Record(["w"], every=50 * DT)})
    wanted = reference(plasticity, pre, post, reward(np.arange(steps) * DT), delay, 0.4)
    np.testing.assert_allclose(out.weights["s->t"].reshape(5, 4), wanted, rtol=1e-10)
    assert np.ptp(wanted) > 1e-3
    half = integrate(network, (0.0, 1000 * DT), dt=DT)
    rest = integrate(network, (1000 * DT, steps * DT), dt=DT, x0=half.final)
    np.testing.assert_array_equal(rest.weights["s->t"], out.weights["s->t"])


def test_a_pair_that_is_rewarded_later_gains_what_is_left_of_its_trace():
    """Pre at 10 ms, post at 15 ms, reward of 50/s from 100 to 150 ms: a_plus exp(-5/15) 50 Int exp(-(t - 15)/200)."""
    plasticity = rule(tau_eligibility=0.2, a_minus=0.0)
    pre, post = np.zeros((3001, 1), bool), np.zeros((3001, 1), bool)
    pre[100], post[150] = True, True
    populations = {
        "s": Population(source(pre), 1),
        "t": Population(source(post), 1, receptors={"r": Exponential(5e-3)}),
    }
    projection = Projection("s", "t", connect.one_to_one(), weight=0.4, plasticity=plasticity)
    reward = Signal(None, lambda t: 50.0 * ((t > 0.09995) & (t < 0.14995)), name="reward")
    out = integrate(SpikingNetwork(populations, [projection], [reward]), (0.0, 0.3), dt=DT)
    left = 0.2 * (np.exp(-(0.1 - 0.015) / 0.2) - np.exp(-(0.15 - 0.015) / 0.2))
    assert out.weights["s->t"][0] == pytest.approx(0.4 + 0.02 * np.exp(-5 / 15) * 50.0 * left, rel=1e-10)


def test_a_reward_that_is_always_there_makes_stdp_of_fast_traces(rng):
    """M = 1 / tau_eligibility with a trace much shorter than the intervals: the weights of plain STDP."""
    steps, tau = 2000, 1e-6
    pre, post = trains(rng, 5, steps), trains(rng, 4, steps)
    pre[-2:], post[-2:] = False, False  # events of the last step would not be rewarded yet
    populations = {
        "s": Population(source(pre), 5),
        "t": Population(source(post), 4, receptors={"r": Exponential(5e-3)}),
    }
    found = []
    for plasticity in (
        rule(tau_eligibility=tau, w_min=-9.0, w_max=9.0),  # bounds apply to the sum of a step's changes
        STDP(15e-3, 25e-3, 0.02, 0.015, w_min=-9.0, w_max=9.0),
    ):
        projection = Projection("s", "t", connect.all_to_all(), weight=0.4, plasticity=plasticity)
        reward = Signal(None, lambda t: np.full(len(t), 1 / tau), name="reward")
        out = integrate(SpikingNetwork(populations, [projection], [reward]), (0.0, steps * DT), dt=DT)
        found.append(out.weights["s->t"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


def test_neurons_learn_from_a_probe_of_others():
    """The modulator may be what a population of neurons represents."""
    driven = LIF(tau=20e-3, v_rest=2.0, v_threshold=1.0, v_reset=0.0)
    populations = {
        "s": Population(driven, 3, initial={"v": [0.0, 0.3, 0.6]}),
        "t": Population(driven, 2, receptors={"r": Exponential(5e-3)}, initial={"v": [0.1, 0.5]}),
        "dopamine": Population(driven, 1),
    }
    ways = [
        Projection("s", "t", connect.all_to_all(), weight=0.01, plasticity=rule(modulator="level")),
        Projection(
            "dopamine", None, connect.low_rank([[1.0]]), receptor=Exponential(20e-3, normalised="area"), name="level"
        ),
    ]
    with_it = integrate(SpikingNetwork(populations, ways), (0.0, 0.5), dt=DT).weights["s->t"]
    assert np.all(with_it != 0.01)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (dict(tau_eligibility=0.0), "tau_eligibility=0.0 s, expected a positive time"),
        (dict(a_plus=np.inf), "expected finite numbers"),
        (dict(w_min=2.0), "expected finite bounds in this order"),
    ],
)
def test_bad_numbers_are_named(bad, message):
    with pytest.raises(ValueError, match=message):
        rule(**bad)
    with pytest.raises(TypeError, match="modulator: got 3, expected the name"):
        rule(modulator=3)


def test_a_modulator_must_be_a_number_of_the_network():
    populations = {
        "s": Population(SpikeSource([0.1], [0]), 1),
        "t": Population(LIF(0.02, 0.0, 1.0, 0.0), 1, receptors={"r": Exponential(5e-3)}),
    }
    projection = Projection("s", "t", connect.one_to_one(), weight=0.4, plasticity=rule())
    with pytest.raises(ValueError, match="'reward' is no probe, projection or signal"):
        SpikingNetwork(populations, [projection])
    pair = Signal(None, lambda t: np.zeros((len(t), 2)), name="reward")
    with pytest.raises(ValueError, match="'reward' has 2 numbers, expected 1"):
        SpikingNetwork(populations, [projection], [pair])
