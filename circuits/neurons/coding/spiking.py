"""A population code in spikes: neurons, projections of low rank, signals, and probes of what is decoded."""

from __future__ import annotations

import numpy as np

from circuits.neurons.connect import low_rank
from circuits.neurons.drive.currents import Constant
from circuits.neurons.drive.signal import Signal
from circuits.neurons.network import SpikingNetwork
from circuits.neurons.population import Population
from circuits.neurons.synapses.projection import Projection
from circuits.neurons.synapses.receptors import Exponential
from physlearn.checks import array, mapping, positive


def network_of(code, decoded, given, probe, plasticity):
    """The `SpikingNetwork` of a `PopulationCode`; ``decoded`` {ensemble: decoders of what it represents}."""
    tau = positive("probe", probe)
    given = mapping("given", {} if given is None else given, expected="{name: value or function of times}")
    rules = mapping(
        "plasticity", {} if plasticity is None else plasticity, [c.name for c in code.connections], "{connection: rule}"
    )
    populations = {name: Population(e.model, e.n) for name, e in code.ensembles.items()}
    ways = [
        Projection(
            c.source,
            c.target,
            low_rank(code.theta[f"{c.name}.decoders"], code.ensembles[c.target].scaled_encoders.T),
            receptor=Exponential(c.tau, normalised="area"),
            plasticity=rules.get(c.name),
            name=c.name,
        )
        for c in code.connections
    ]
    probes = [
        Projection(name, None, low_rank(values), receptor=Exponential(tau, normalised="area"), name=f"{name}.decoded")
        for name, values in decoded.items()
    ]
    inputs = [Constant(name, e.bias) for name, e in code.ensembles.items()]
    inputs += [_signal(code, name, value) for name, value in given.items()]
    return SpikingNetwork(populations, [*ways, *probes], inputs)


def _signal(code, name, value):
    """What is given under a readout's name: a value for an ensemble, or a force, through the filter of its target."""
    forces = [readout for readout, item in code.system.readouts.items() if item.force]
    mapping("given", {name: value}, [*code.ensembles, *forces], "{name: value or function of times}")
    if name in code.ensembles:
        ensemble = code.ensembles[name]
        return Signal(name, _function(name, value, ensemble.dimensions), ensemble.scaled_encoders.T)
    readout = code.system.readouts[name]
    tau = next(c.tau for c in code.connections if c.target == readout.layer)
    rows = np.asarray(readout.rows, dtype=float)
    encoders = rows @ code.ensembles[readout.layer].scaled_encoders.T
    return Signal(readout.layer, _function(name, value, len(rows)), encoders, tau=tau)


def _function(name, value, k):
    """A function of times (m,) that gives (m, k)."""
    if callable(value):
        return value
    constant = array(f"given[{name!r}]", np.atleast_1d(value), shape=(k,))
    return lambda t: np.tile(constant, (len(t), 1))
