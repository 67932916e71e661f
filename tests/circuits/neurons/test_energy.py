"""Joules of a run: the membrane's balance in closed form, and a chip's prices."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    AdEx,
    Constant,
    Delta,
    Exponential,
    HardwarePrice,
    PoissonSource,
    Population,
    Projection,
    Record,
    SpikeTrains,
    SpikingNetwork,
    connect,
    hardware_energy,
    physical_energy,
)
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-65e-3, resistance=1e8, refractory=2e-3)


def test_the_current_source_pays_for_leak_and_reset():
    """Over one period, I (v - v_rest) = leak + C (u_threshold^2 - u_reset^2) / 2, and the closed form of the leak."""
    current, dt = 3e-10, 1e-6
    network = SpikingNetwork({"E": Population(CELL, 1, initial={"v": -65e-3})}, inputs=[Constant("E", current)])
    run = integrate(network, (0.0, 0.2), dt=dt, record={"E": Record(["v"])})
    bill = physical_energy(network, run)
    capacitance, goal = 20e-3 / 1e8, 1e8 * current  # u relaxes to 30 mV from 5 mV, and spikes at 20 mV
    period = 20e-3 * np.log((goal - 5e-3) / (goal - 20e-3))
    away, a = 5e-3 - goal, np.exp(-period / 20e-3)
    square = goal**2 * period + 2 * goal * away * 20e-3 * (1 - a) + away**2 * 10e-3 * (1 - a**2)
    mean = goal * period + away * 20e-3 * (1 - a)
    assert current * mean == pytest.approx(square / 1e8 + capacitance * (20e-3**2 - 5e-3**2) / 2)
    count = bill.spikes
    assert count == int(0.2 / (period + 2e-3))
    rest = 0.2 - count * (period + 2e-3)  # into the next period
    b = np.exp(-rest / 20e-3)
    part = goal**2 * rest + 2 * goal * away * 20e-3 * (1 - b) + away**2 * 10e-3 * (1 - b**2)
    leak = (count * (square + 2e-3 * 5e-3**2) + part) / 1e8
    assert bill.parts["leak"] == pytest.approx(leak, rel=1e-4)
    assert bill.parts["reset"] == pytest.approx(count * capacitance * 15e-3**2 / 2, rel=1e-12)
    assert bill.parts["synapses"] == 0.0
    assert bill.per_spike == bill.total / count


def test_a_conductance_dissipates():
    receptor = Exponential(5e-3, reversal=0.0)
    silent = LIF(tau=1e-3, v_rest=-70e-3, v_threshold=1.0, v_reset=-75e-3, resistance=1e3)  # held at rest by its leak
    network = SpikingNetwork(
        {"E": Population(silent, 1, receptors={"s": receptor})}, inputs=[SpikeTrains("E", [1e-3], [0], weight=1e-9)]
    )
    run = integrate(network, (0.0, 0.05), dt=1e-5, record={"E": Record(["v", "s"])})
    expected = 1e-9 * 5e-3 * -np.expm1(-0.049 / 5e-3) * 70e-3**2
    assert physical_energy(network, run).parts["synapses"] == pytest.approx(expected, rel=3e-3)
    with pytest.raises(ValueError, match="'s' of all neurons of 'E' is needed at every step"):
        physical_energy(network, integrate(network, (0.0, 0.01), dt=1e-5, record={"E": Record(["v"])}))


def chain():
    cells = Population(LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0), 3, receptors={"d": Delta()})
    rule = connect.where(lambda i, j: j < i)
    return SpikingNetwork(
        {"S": Population(PoissonSource(50.0), 4), "E": cells}, [Projection("S", "E", rule, weight=0.6)]
    )


def test_a_chip_asks_for_events_and_updates():
    network = chain()
    run = integrate(network, (0.0, 1.0), dt=1e-3, rng=0)
    events = int(run.spikes["S"].counts @ [0, 1, 2, 3])
    for price, event, update in (("loihi", 27.1e-12, 81e-12), (HardwarePrice("mine", 2.0, 3.0), 2.0, 3.0)):
        bill = hardware_energy(network, run, price)
        assert bill.parts == {"synaptic events": events * event, "neuron updates": 3000 * update}
        assert bill.spikes == len(run.spikes["S"]) + len(run.spikes["E"])
    assert bill.account == "hardware: mine"
    twice = bill + bill
    assert twice.total == 2 * bill.total and twice.spikes == 2 * bill.spikes


def test_accounts_are_not_mixed_and_what_is_missing_is_named():
    network = chain()
    run = integrate(network, (0.0, 0.1), dt=1e-3, rng=0)
    with pytest.raises(ValueError, match="different accounts"):
        hardware_energy(network, run, "loihi") + hardware_energy(network, run, "spinnaker")
    with pytest.raises(ValueError, match="did you mean 'loihi'"):
        hardware_energy(network, run, "lohi")
    with pytest.raises(ValueError, match="currents are in volts and nothing is in joules"):
        physical_energy(network, run)
    with pytest.raises(ValueError, match="the spikes of all neurons of 'S' are needed"):
        hardware_energy(network, integrate(network, (0.0, 0.1), dt=1e-3, record={"E": "spikes"}), "loihi")
    with pytest.raises(ValueError, match="HardwarePrice: event"):
        HardwarePrice("x", -1.0, 0.0)
    aeif = SpikingNetwork({"E": Population(AdEx(), 1)})
    with pytest.raises(ValueError, match="dissipation of AdEx"):
        physical_energy(aeif, integrate(aeif, (0.0, 0.01), dt=1e-4))
    low = Projection("S", None, connect.low_rank(np.ones((4, 1))), receptor=Exponential(5e-3))
    coded = SpikingNetwork(network.populations, [low])
    with pytest.raises(ValueError, match="low_rank has no synapses, and so no price"):
        hardware_energy(coded, integrate(coded, (0.0, 0.1), dt=1e-3), "loihi")
