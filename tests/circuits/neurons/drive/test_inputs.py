"""Currents against their formulas, noise and Poisson spikes against their statistics."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    Constant,
    Delta,
    Exponential,
    OrnsteinUhlenbeck,
    Piecewise,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Ramp,
    Record,
    Sine,
    SpikeSource,
    SpikeTrains,
    SpikingNetwork,
    Step,
    connect,
)
from circuits.neurons.drive.trains import cumulative
from physlearn import integrate

CELL = LIF(tau=10e-3, v_rest=0.0, v_threshold=1e9, v_reset=-1e9)
DT = 1e-4


def voltages(inputs, n=1, t=0.05, receptors=None, rng=0, cell=CELL, every=None):
    network = SpikingNetwork({"n": Population(cell, n, receptors=receptors or {})}, inputs=inputs)
    return integrate(network, (0.0, t), dt=DT, record={"n": Record(["v"], every=every)}, rng=rng).traces["n"]["v"]


@pytest.mark.parametrize(
    ("given", "course"),
    [
        (Constant("n", 2.0), lambda t: 2.0 + 0 * t),
        (Step("n", 2.0, 0.01, 0.02), lambda t: 2.0 * ((t > 0.00995) & (t < 0.01995))),
        (Ramp("n", 1.0, 3.0, 0.01, 0.03), lambda t: (1 + 100 * (t - 0.01)) * ((t > 0.00995) & (t < 0.02995))),
        (Sine("n", 2.0, 50.0, 0.3), lambda t: 2 * np.sin(100 * np.pi * t + 0.3)),
        (Piecewise("n", [0.01, 0.02, 0.04], [1.0, -2.0, 0.5]),
         lambda t: 1.0 * (t > 0.00995) - 3.0 * (t > 0.01995) + 2.5 * (t > 0.03995)),
    ],
)  # fmt: skip
def test_currents_are_held_from_the_beginning_of_each_step(given, course, tol):
    leak = np.exp(-DT / 10e-3)
    v, expected = 0.0, []
    for t in np.arange(500) * DT:
        v = leak * v + (1 - leak) * course(t)
        expected.append(v)
    np.testing.assert_allclose(voltages([given])[:, 0], expected, rtol=1e-10, atol=1e-13)


def test_currents_add_up_and_may_differ_between_neurons(tol):
    amplitude = np.linspace(-1, 1, 5)
    table = Piecewise("n", [0.0, 0.01], np.stack([amplitude, -amplitude]))
    v = voltages([Constant("n", amplitude), table, Step("n", amplitude, 0.01)], 5)
    single = voltages([Constant("n", 1.0), Piecewise("n", [0.0, 0.01], [1.0, -1.0]), Step("n", 1.0, 0.01)])
    np.testing.assert_allclose(v, single * amplitude, rtol=1e-10, atol=1e-14)


def test_resistance_turns_current_into_voltage(tol):
    cell = LIF(tau=10e-3, v_rest=0.0, v_threshold=1e9, v_reset=-1e9, resistance=1e8)
    np.testing.assert_allclose(voltages([Constant("n", 1e-10)], t=1.0, cell=cell)[-1], 1e-2, rtol=1e-10)


def test_ornstein_uhlenbeck(tol):
    """A neuron with tau_m much shorter than a step reads the current: mean, variance, correlation time."""
    cell = LIF(tau=1e-7, v_rest=0.0, v_threshold=1e9, v_reset=-1e9)
    x = voltages([OrnsteinUhlenbeck("n", 1.0, 0.5, tau=2e-3)], 2000, 0.02, cell=cell)
    assert abs(x[0].mean() - 1.0) < tol.STATISTICAL * 0.5 / np.sqrt(2000)  # stationary from the start
    assert abs(x[0].var() - 0.25) < tol.STATISTICAL * 0.25 * np.sqrt(2 / 2000)
    for lag in (1, 20, 60):
        rho = np.exp(-lag * DT / 2e-3)
        found = np.corrcoef(x[5], x[5 + lag])[0, 1]
        assert abs(found - rho) < tol.STATISTICAL * (1 - rho**2) / np.sqrt(2000)
    assert abs(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) < 0.5


@pytest.mark.parametrize(
    "rate", [20.0, 200.0, 2e4, 3e5, np.full(1500, 2e4), lambda t: 2e4 + 0 * t, lambda t: np.full((len(t), 1500), 2e4)]
)
def test_poisson_counts(rate, tol):
    """Jumps of weight 1 into a receptor that does not decay (1e9 s): counts are Poisson in mean and variance."""
    receptors = {"r": Exponential(1e9)}
    network = SpikingNetwork({"n": Population(CELL, 1500, receptors=receptors)}, inputs=[Poisson("n", rate, 1.0)])
    record = {"n": Record(["r"])}
    x = integrate(network, (0.0, 0.02), dt=DT, record=record, rng=1).traces["n"]["r"]
    counts = np.diff(np.rint(x), axis=0, prepend=0.0)
    np.testing.assert_allclose(np.rint(x), x, atol=1e-6)
    mean = (2e4 if np.ndim(rate) or callable(rate) else rate) * DT
    m = counts.size
    assert abs(counts.mean() - mean) < tol.STATISTICAL * np.sqrt(mean / m)
    assert abs(counts.var() - mean) < tol.STATISTICAL * np.sqrt((mean + 2 * mean**2) / m)
    assert abs(np.mean(counts == 0) - np.exp(-mean)) < tol.STATISTICAL * np.sqrt(np.exp(-mean) / m) + 1e-12
    if mean >= 0.1:  # the same place in two rounds of the generators
        assert abs(np.corrcoef(counts[:, 0], counts[:, 128])[0, 1]) < 5 / np.sqrt(len(counts))


def test_cumulative_table():
    from scipy.stats import poisson

    for mean in (1e-4, 0.5, 2.0, 40.0, 500.0):
        table = cumulative(mean)
        assert len(table) % 4 == 0
        exact = poisson.cdf(np.arange(len(table)), mean) * 2.0**32
        np.testing.assert_allclose(table.astype(float), np.minimum(exact, 2.0**32 - 1), atol=1.01)


def test_time_varying_rate():
    network = SpikingNetwork(
        {"n": Population(CELL, 2000, receptors={"r": Exponential(1e9)})},
        inputs=[Poisson("n", lambda t: np.where(t < 0.01, 0.0, 1e4), 1.0)],
    )
    record = {"n": Record(["r"])}
    x = integrate(network, (0.0, 0.02), dt=DT, record=record, rng=1).traces["n"]["r"]
    assert np.all(x[:100] == 0)
    assert x[-1].mean() == pytest.approx(100, abs=4 * 10 / np.sqrt(2000))


def test_spike_trains_arrive_at_the_first_grid_point_that_is_not_before(tol):
    given = SpikeTrains("n", [1.01e-3, 2e-3, 2e-3], [1, 0, 0], [1.0, 2.0, 3.0])
    v = voltages([given], 2, 4e-3, receptors={"r": Delta()})
    expected = np.zeros((40, 2))
    expected[11:, 1] = np.exp(-np.arange(1, 30) * DT / 10e-3)
    expected[20:, 0] = 5 * np.exp(-np.arange(1, 21) * DT / 10e-3)
    np.testing.assert_allclose(v, expected, rtol=1e-12, atol=1e-15)


def test_sources(tol):
    populations = {"p": Population(PoissonSource(50.0), 2000), "s": Population(SpikeSource([2e-3, 1.5e-3], [1, 0]), 2)}
    out = integrate(SpikingNetwork(populations), (0.0, 0.5), dt=DT, rng=2)
    assert abs(len(out.spikes["p"].times) - 50000) < tol.STATISTICAL * np.sqrt(50000) + 125  # once per step at most
    np.testing.assert_allclose(out.spikes["s"].times, [1.5e-3, 2e-3])
    np.testing.assert_array_equal(out.spikes["s"].ids, [0, 1])


def test_bad_inputs():
    def network(given):
        return SpikingNetwork({"n": Population(CELL, 3, receptors={"r": Delta()})}, inputs=[given])

    for make, word in [
        (lambda: Constant("n", np.nan), "current"),
        (lambda: network(Constant("n", np.zeros(2))), "shape"),
        (lambda: network(Constant("m", 1.0)), "target"),
        (lambda: Ramp("n", 0.0, 1.0, 1.0, 0.0), "stop"),
        (lambda: Piecewise("n", [0.0, 0.0], [1.0, 2.0]), "times"),
        (lambda: Piecewise("n", [0.0, 1.0], [1.0]), "values"),
        (lambda: OrnsteinUhlenbeck("n", 0.0, 1.0, -1.0), "tau"),
        (lambda: OrnsteinUhlenbeck("n", 0.0, -1.0, 1.0), "sigma"),
        (lambda: Poisson("n", -1.0, 1.0), "rate"),
        (lambda: network(Poisson("n", np.ones(2), 1.0)), "rate"),
        (lambda: network(Poisson("n", 1.0, 1.0, "s")), "receptor"),
        (lambda: integrate(network(Poisson("n", 1e8, 1.0)), (0.0, 1e-3), dt=DT), "rate"),
        (lambda: network(SpikeTrains("n", [0.1], [3], 1.0)), "ids"),
        (lambda: SpikeTrains("n", [np.inf], [0], 1.0), "finite"),
        (lambda: PoissonSource(-1.0), "rate"),
        (lambda: Constant("n", None), "current"),
        (lambda: Sine("n", 1.0, frequency=None), "frequency"),
        (lambda: Sine("n", 1.0, frequency=[1.0, 2.0]), "one number"),
        (lambda: Step("n", 1.0, start=np.zeros(3)), "one number"),
        (lambda: Poisson("n", 1.0, np.ones(3)), "weight"),
        (lambda: integrate(network(Poisson("n", lambda t: np.ones((len(t), 5)), 1.0)), (0.0, 1e-3), dt=DT), "5"),
        (lambda: integrate(network(Poisson("n", lambda t: 5.0, 1.0)), (0.0, 1e-3), dt=DT), "shape"),
        (lambda: SpikeTrains("n", [0.1, 0.2], [0, 1], np.ones(3)), "weight"),
    ]:
        with pytest.raises(ValueError, match=word):
            make()
    for make in (
        lambda: Constant("n", "much"),
        lambda: Poisson("n", "often", 1.0),
        lambda: Poisson("n", 1.0, "strong"),
        lambda: SpikeTrains("n", [0.1], [0], "strong"),
        lambda: PoissonSource("often"),
    ):
        with pytest.raises(TypeError, match="expected numbers"):
            make()


def test_what_only_sends_takes_no_input():
    """But for STDP, for which given spikes may be the postsynaptic ones (`test_plasticity`)."""
    for model in (PoissonSource(10.0), SpikeSource([0.1], [0])):
        cells = {"s": Population(model, 1, receptors={"r": Delta()})}
        for given in (Constant("s", 1.0), Poisson("s", 1.0, 1.0), SpikeTrains("s", [0.1], [0], 1.0)):
            with pytest.raises(ValueError, match="only sends"):
                SpikingNetwork(cells, inputs=[given])
        with pytest.raises(ValueError, match="only sends"):
            SpikingNetwork(cells, [Projection("s", "s", connect.all_to_all(), weight=1.0)])


def test_a_source_does_not_lose_most_of_its_spikes():
    """At most one a step: 10 kHz at 0.1 ms would be left with 6.3 kHz."""
    with pytest.raises(ValueError, match="at most once per step"):
        integrate(SpikingNetwork({"p": Population(PoissonSource(1e4), 3)}), (0.0, 0.1), dt=1e-4)


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize(
    ("make", "first", "last"),
    [
        (lambda u: Step("n", 0.5, start=5 * u, stop=8 * u), 50, 79),
        (lambda u: Step("n", 0.5, start=(0.1 + 0.2) * u, stop=0.7 * u), 3, 6),
        (lambda u: Ramp("n", 0.5, 1.0, start=5 * u, stop=8 * u), 50, 79),
        (lambda u: Piecewise("n", [5 * u, 8 * u], [0.5, 0.0]), 50, 79),
        (lambda u: Piecewise("n", [5 * u, 8 * u], [[0.5], [0.0]]), 50, 79),
        (lambda u: Piecewise("n", [0.3 * u, (0.1 + 0.6) * u], [[0.5], [0.0]]), 3, 6),
    ],
)
def test_currents_begin_and_end_at_the_same_steps_in_any_unit(unit, make, first, last):
    cell = LIF(tau=20 * unit, v_rest=0.0, v_threshold=1.0, v_reset=0.0)
    network = SpikingNetwork({"n": Population(cell, 1)}, inputs=[make(unit)])
    v = integrate(network, (0.0, 10 * unit), dt=0.1 * unit, record={"n": Record(["v"])}).traces["n"]["v"].ravel()
    assert (np.argmax(v > 0), np.argmax(v)) == (first, last)


@pytest.mark.parametrize("make", [lambda t: Step("n", 0.5, start=t), lambda t: Piecewise("n", [t], [0.5])])
def test_a_time_that_rounding_left_beside_zero_is_zero(make):
    v = voltages([make(0.1 + 0.2 - 0.3)])
    assert v[1, 0] > 0
