"""The efficient balanced network: every spike lowers the energy, errors fall as 1/N, the step does not matter."""

import numpy as np
import pytest

from circuits.neurons import BalancedNetwork
from physlearn import Machine, check_energy, integrate, relax


def sine(t):
    return 0.5 + 0.4 * np.sin(2 * np.pi * t)


def circle(t):
    return np.column_stack([np.cos(3 * t), np.sin(3 * t)]) * (0.6 + 0.2 * np.sin(t))[:, None]


def replayed(network, run, dt):
    """Change of the energy by every spike of a run, in its order, from the spikes and the signal alone."""
    G, keep, mu = network.decoders, np.exp(-dt / network.tau), network.mu
    r, changes, decoded = np.zeros(len(G)), [], np.zeros_like(run.x)
    stamps = np.rint((run.spikes.times - run.t[0]) / dt).astype(int)
    events = np.searchsorted(stamps, np.arange(len(run.t) + 1))
    for step in range(1, len(run.t)):
        r *= keep
        for k in run.spikes.ids[events[step] : events[step + 1]]:
            x, before = run.x[step], r.copy()
            r[k] += 1
            rise = np.sum((x - r @ G) ** 2) - np.sum((x - before @ G) ** 2)
            changes.append(rise + mu * (r @ r - before @ before))
        decoded[step] = r @ G
    np.testing.assert_allclose(decoded, run.estimate, atol=1e-12)
    np.testing.assert_allclose(r, run.final, rtol=1e-10, atol=1e-13)
    return np.array(changes)


@pytest.mark.parametrize("dt", [1e-3, 1e-4])
@pytest.mark.parametrize(("dimensions", "signal"), [(1, sine), (2, circle)], ids=["line", "plane"])
def test_no_spike_of_a_run_raises_the_energy(dt, dimensions, signal):
    network = BalancedNetwork.spread(60, dimensions, mu=1e-4, rng=2)
    run = integrate(network, (0.0, 1000 * dt), dt=dt, signal=signal, rng=1)
    changes = replayed(network, run, dt)
    assert len(changes) == len(run.spikes) > 30
    assert np.all(changes < 0)


def test_the_error_times_the_number_of_neurons_is_constant():
    """From 20 to 640 neurons; independent spikes at the same rates would lose a factor of 5.7."""
    sizes, error, rate = [20, 40, 80, 160, 320, 640], [], []
    for n in sizes:
        run = integrate(BalancedNetwork.spread(n), (0.0, 2.0), dt=1e-4, signal=sine, rng=1)
        error.append(np.sqrt(np.mean((run.estimate - run.x)[5000:] ** 2)))
        rate.append(run.spikes.rate())
    scaled = np.array(sizes) * error
    np.testing.assert_allclose(scaled, scaled.mean(), rtol=0.04)
    np.testing.assert_allclose(rate, np.mean(rate), rtol=0.05)  # 2.5 Hz a neuron, whatever their number


def test_it_is_stable_and_as_precise_at_one_millisecond():
    network = BalancedNetwork.spread(320)
    errors, rates = [], []
    for dt in (1e-3, 1e-5):
        run = integrate(network, (0.0, 1.0), dt=dt, signal=sine, rng=1)
        late = run.t > 0.4
        errors.append(np.sqrt(np.mean((run.estimate - run.x)[late] ** 2)))
        rates.append(run.spikes.rate())
    assert errors[0] < 1.15 * errors[1] and rates[0] < 1.1 * rates[1]


def test_work_is_spread_over_the_neurons():
    run = integrate(BalancedNetwork.spread(100), (0.0, 20.0), dt=1e-3, signal=lambda t: np.full(len(t), 0.5), rng=1)
    counts = run.spikes.counts[::2]  # those of positive weight
    assert counts.min() > 0.7 * counts.mean() and counts.max() < 1.3 * counts.mean()
    assert run.spikes.counts[1::2].sum() < 0.02 * counts.sum()


def test_the_energy_at_rest_is_that_which_spikes_hover_above():
    """Mean activities of a long run with a constant signal beside the minimum over activities that are not negative."""
    network = BalancedNetwork.spread(40, 2, mu=3e-3, rng=3)
    assert isinstance(network, Machine)
    x = np.array([0.6, -0.3])
    best = relax(network, clamp={"x": x})
    run = integrate(network, (0.0, 30.0), dt=1e-3, signal=lambda t: np.tile(x, (len(t), 1)), rng=1)
    mean = run.spikes.counts * network.tau / 30.0
    assert best.converged and np.all(best.x["r"] >= 0)
    assert network.energy(x[None], mean[None])[0] < 1.2 * best.energy
    assert np.corrcoef(mean, best.x["r"])[0, 1] > 0.98
    np.testing.assert_allclose(network.energy(x[None], best.x["r"][None])[0], best.energy, rtol=1e-12)
    check_energy(network, {"x": x[None], "r": best.x["r"][None] + 0.1})


def test_a_run_goes_on_from_the_end_of_another():
    network = BalancedNetwork.spread(50, mu=1e-4)
    first = integrate(network, (0.0, 0.5), dt=1e-3, signal=sine, rng=1)
    second = integrate(network, (0.5, 1.0), dt=1e-3, signal=sine, x0=first.final, rng=2)
    assert second.t[0] == 0.5 and np.abs(second.estimate - second.x).max() < 0.05
    again = integrate(network, (0.0, 0.5), dt=1e-3, signal=sine, rng=1)
    np.testing.assert_array_equal(first.spikes.ids, again.spikes.ids)


def test_voltages_of_the_recurrent_weights_are_those_of_the_energy(tol):
    """V = G (x - y) - mu r leaks, is driven by G (dx/dt + x/tau), and jumps by the weights: membranes of a network."""
    network = BalancedNetwork.spread(30, 2, mu=1e-3, rng=1)
    dt, G = 1e-3, network.decoders
    run = integrate(network, (0.0, 0.3), dt=dt, signal=circle, rng=1)
    keep, v, r = np.exp(-dt / network.tau), G @ run.x[0], np.zeros(30)
    stamps = np.rint(run.spikes.times / dt).astype(int)
    for step in range(1, len(run.t)):
        v = keep * v + G @ (run.x[step] - keep * run.x[step - 1])
        r *= keep
        for k in run.spikes.ids[stamps == step]:
            assert v[k] > 0.5 * (G[k] @ G[k] + network.mu) * (1 - 1e-9)
            v += network.weights[k]
            r[k] += 1
        np.testing.assert_allclose(v, G @ (run.x[step] - run.estimate[step]) - network.mu * r, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: BalancedNetwork([[1.0], [0.0]]), "a row 1 of zeros"),
        (lambda net: BalancedNetwork([[1.0]], tau=0.0), "tau: got 0.0"),
        (lambda net: BalancedNetwork([[1.0]], mu=-1.0), "mu: got -1.0"),
        (lambda net: integrate(net, (0.0, 1.0), dt=0.2, signal=sine), "dt: got 0.2 s, expected at most tau = 0.1 s"),
        (lambda net: integrate(net, (1.0, 1.0), dt=0.1, signal=sine), "begin before end"),
        (lambda net: integrate(net, (0.0, 0.15), dt=0.1, signal=sine), "no whole number of steps"),
        (lambda net: integrate(net, (0.0, 1.0), dt=0.1, signal=circle), r"signal\(t\): got the shape"),
        (lambda net: integrate(net, (0.0, 1.0), dt=0.1, signal=sine, x0=[-1.0] * 10), "x0: got -1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(BalancedNetwork.spread(10))
