"""What spikes cost in joules, on two accounts that are never mixed.

Physical: every membrane is a circuit, a capacitance C = tau / R and a leak R, and dissipates

    leak      (v - v_rest)^2 / R          integrated over time
    synapses  g (v - reversal)^2          of conductance receptors
    reset     C (v_threshold - v_reset)^2 / 2      a spike, in the switch that takes the membrane to v_reset

Hardware: events that a chip counts, each at its price: an update of a neuron in a time step, a spike at a synapse.
Prices per event and update: Loihi 27.1 pJ and 81 pJ (M. Davies et al., IEEE Micro 38 (2018) 82), SpiNNaker 13.3 nJ
and 26 nJ (S. Hoppner et al., 2017), SpiNNaker 2 0.45 nJ and 2.19 nJ (the same), as KerasSpiking lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from circuits.neurons.cells.lif import LIF
from circuits.neurons.engine.recording import Recording, nearest
from circuits.neurons.network import SpikingNetwork
from physlearn.brief import brief
from physlearn.checks import count, instance, mapping, not_negative, text


@dataclass(frozen=True)
class HardwarePrice:
    """What a chip asks for its two kinds of events.

    Parameters
    ----------
    name : str
    event : float
        J, of a spike at a synapse.
    update : float
        J, of a neuron in a time step.

    Examples
    --------
    >>> HardwarePrice("mine", event=1e-12, update=2e-12).update
    2e-12
    """

    name: str
    event: float
    update: float

    __repr__ = brief

    def __post_init__(self):
        text("HardwarePrice: name", self.name)
        for what in ("event", "update"):
            not_negative(f"HardwarePrice: {what} in J", getattr(self, what))


PRICES = {
    "loihi": HardwarePrice("loihi", 27.1e-12, 81e-12),
    "spinnaker": HardwarePrice("spinnaker", 13.3e-9, 26e-9),
    "spinnaker2": HardwarePrice("spinnaker2", 0.45e-9, 2.19e-9),
}


@dataclass(frozen=True)
class SpikingEnergy:
    """Joules of a run by what they went to, on one account.

    Parameters
    ----------
    account : str
        "physical", or "hardware: " and the name of the price list.
    parts : mapping of str to float
        J.
    spikes : int
        Of all populations that are counted.

    Examples
    --------
    >>> bill = SpikingEnergy("physical", {"leak": 2e-12, "reset": 1e-12}, 3)
    >>> bill.total, bill.per_spike
    (3e-12, 1e-12)
    """

    account: str
    parts: Mapping[str, float]
    spikes: int

    __repr__ = brief

    def __post_init__(self):
        text("SpikingEnergy: account", self.account, "the name of an account")
        parts = mapping("SpikingEnergy: parts", self.parts, expected="a mapping of names to joules")
        for name, joules in parts.items():
            text("SpikingEnergy: parts", name, "names of parts")
            not_negative(f"SpikingEnergy: parts[{name!r}] in J", joules)
        count("SpikingEnergy: spikes", self.spikes, 0)

    @property
    def total(self) -> float:
        """J."""
        return float(sum(self.parts.values()))

    @property
    def per_spike(self) -> float:
        """J; NaN without spikes."""
        return self.total / self.spikes if self.spikes else float("nan")

    def __add__(self, other):
        if not isinstance(other, SpikingEnergy):
            return NotImplemented
        if other.account != self.account:
            raise ValueError(
                f"SpikingEnergy: {self.account!r} and {other.account!r} are different accounts, which do not add up"
            )
        names = dict.fromkeys((*self.parts, *other.parts))
        parts = {name: self.parts.get(name, 0.0) + other.parts.get(name, 0.0) for name in names}
        return SpikingEnergy(self.account, parts, self.spikes + other.spikes)


def hardware_energy(network, recording, price):
    """Energy of a run on a chip, from its counts.

    Parameters
    ----------
    network : SpikingNetwork
    recording : Recording
        Of a run of it, with the spikes of all neurons.
    price : str or HardwarePrice
        "loihi", "spinnaker" or "spinnaker2", or prices of one's own.

    Returns
    -------
    SpikingEnergy
        Spikes of `Poisson` and `SpikeTrains` inputs, which no neuron sends, are not counted.

    Examples
    --------
    >>> from circuits.neurons import LIF, Constant, Population, SpikingNetwork
    >>> from physlearn import integrate
    >>> cell = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
    >>> network = SpikingNetwork({"E": Population(cell, 2)}, inputs=[Constant("E", 15e-3)])
    >>> hardware_energy(network, integrate(network, (0.0, 1.0), dt=1e-3), "loihi").parts
    {'synaptic events': 0.0, 'neuron updates': 1.62e-07}
    """
    _check(network, recording)
    if isinstance(price, str):
        price = PRICES[nearest("price", price, list(PRICES))]
    instance("price", price, HardwarePrice, f"a HardwarePrice or one of {list(PRICES)}")
    counts = {name: _spikes(recording, name).counts for name in network.populations}
    events = 0
    for projection in network.projections:
        if projection.coded:
            raise ValueError(
                f"{projection.name}: connect.low_rank has no synapses, and so no price; form the weights, "
                "connect.from_matrix(decoders @ encoders)"
            )
        sources = network.synapses(projection.name)[0]
        events += int(np.sum(counts[projection.source][sources]))
    steps = round((recording.t_stop - recording.t_start) / recording.dt)
    neurons = sum(p.n for p in network.populations.values() if not getattr(p.model, "sends_only", False))
    parts = {"synaptic events": events * price.event, "neuron updates": neurons * steps * price.update}
    return SpikingEnergy(f"hardware: {price.name}", parts, int(sum(c.sum() for c in counts.values())))


def physical_energy(network, recording):
    """Energy that membranes and synapses dissipate in a run.

    Parameters
    ----------
    network : SpikingNetwork
        Of `LIF` neurons whose resistance is in ohms; populations that only send cost nothing.
    recording : Recording
        With the spikes and v of all neurons at every step, and the conductance of each receptor that has a reversal:
        ``Record(["v", "exc"])``.

    Returns
    -------
    SpikingEnergy
        Parts "leak" (exact between spikes), "synapses" (trapezia) and "reset".

    Examples
    --------
    >>> from circuits.neurons import LIF, Constant, Population, Record, SpikingNetwork
    >>> from physlearn import integrate
    >>> cell = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-70e-3, resistance=1e8)
    >>> network = SpikingNetwork({"E": Population(cell, 1)}, inputs=[Constant("E", 3e-10)])
    >>> run = integrate(network, (0.0, 1.0), dt=1e-4, record={"E": Record(["v"])})
    >>> print(f"{physical_energy(network, run).per_spike:.2e} J")
    7.80e-14 J
    """
    _check(network, recording)
    parts, number = {"leak": 0.0, "synapses": 0.0, "reset": 0.0}, 0
    for name, population in network.populations.items():
        model = population.model
        if getattr(model, "sends_only", False):
            continue
        if not isinstance(model, LIF):
            raise ValueError(f"{name}: the dissipation of {type(model).__name__} is not known here, expected LIF")
        if np.any(np.asarray(model.resistance) == 1.0):
            raise ValueError(
                f"{name}: resistance=1, with which currents are in volts and nothing is in joules; give ohms"
            )
        spikes, v = _spikes(recording, name), _trace(recording, name, "v", population)
        rest, r = np.asarray(model.v_rest), np.asarray(model.resistance)
        before = np.concatenate([np.full((1, population.n), np.nan), v[:-1]])
        after = v.copy()
        steps = np.rint((np.ceil(spikes.times / recording.dt - 1e-6) * recording.dt - recording.t_start) / recording.dt)
        top = np.broadcast_to(model.v_threshold, (population.n,))
        after[steps.astype(int) - 1, spikes.ids] = top[spikes.ids]
        before[0] = after[0]  # the value at the start is not recorded: the first step counts as the end of it
        parts["leak"] += float(np.sum(_relaxing(before - rest, after - rest, recording.dt, model.tau) / r))
        reset = np.asarray(model.tau) / r * (np.asarray(model.v_threshold) - model.v_reset) ** 2 / 2
        parts["reset"] += float(np.sum(np.broadcast_to(reset, (population.n,)) * spikes.counts))
        for label, receptor in population.receptors.items():
            if receptor.reversal is not None:
                power = _trace(recording, name, label, population) * _open(receptor, v) * (v - receptor.reversal) ** 2
                parts["synapses"] += float(np.sum(power[:-1] + power[1:]) * recording.dt / 2)
        number += len(spikes)
    return SpikingEnergy("physical", parts, number)


def _relaxing(u, end, dt, tau):
    """Integral of u^2 over a step in which u relaxes exponentially to ``end``."""
    tau = np.asarray(tau)
    a = np.exp(-dt / tau)
    goal = (end - u * a) / (1.0 - a)
    away = u - goal
    return goal**2 * dt + 2 * goal * away * tau * (1.0 - a) + away**2 * tau * (1.0 - a**2) / 2


def _open(receptor, v):
    """Part of a receptor's conductance that is open."""
    return receptor.block(v) if hasattr(receptor, "block") else 1.0


def _check(network, recording):
    instance("network", network, SpikingNetwork, "a SpikingNetwork")
    instance("recording", recording, Recording, "the Recording of a run of it")


def _spikes(recording, name):
    if name not in recording.spikes or recording.spikes[name].recorded is not None:
        raise ValueError(f"recording: the spikes of all neurons of {name!r} are needed; record them")
    return recording.spikes[name]


def _trace(recording, name, variable, population):
    steps = round((recording.t_stop - recording.t_start) / recording.dt)
    traces = recording.traces.get(name)
    if traces is None or variable not in traces.variables or traces[variable].shape != (steps, population.n):
        raise ValueError(
            f"recording: {variable!r} of all neurons of {name!r} is needed at every step; record it, "
            f"{{{name!r}: Record([{variable!r}])}}"
        )
    return traces[variable]
