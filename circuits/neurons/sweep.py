"""Many parameter sets of one network in one call: same kernels, same connections, copies run side by side.

A name is "population.parameter" (of the model), "projection.weight", "projection.delay", or "input k.field" (the
k-th input, from 0).  Copies run in threads; each has its own state and the same noise, so that results differ by the
parameters only and do not depend on the number of threads.
"""

from __future__ import annotations

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from circuits.neurons import engine
from circuits.neurons.recording import nearest
from physlearn.rng import seed_sequence


def run(network, t_span, sweep, *, threads, stream, rng, state, **settings):
    """Recordings of all parameter sets, in their order; see `SpikingNetwork.__integrate__`."""
    if stream is not None:
        raise ValueError("stream: not with sweep; run the parameter sets one by one, each with its own directory")
    if not sweep:
        raise ValueError("sweep: empty; expected a mapping such as {'E->I.weight': (m,) array}")
    lengths = {name: len(np.atleast_1d(values)) for name, values in sweep.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"sweep: values of different lengths {lengths}; give one of each for every parameter set")
    count, seed = next(iter(lengths.values())), seed_sequence(rng)
    if state is not None and len(state) != count:
        raise ValueError(f"state: {len(state)} states, expected {count}, one for each parameter set")
    sets = [{name: values[k] for name, values in sweep.items()} for k in range(count)]
    networks = [changed(network, values) for values in sets]
    for index in range(len(network.projections)):
        for other in networks:  # the connections are drawn once
            other._drawn[index] = network.wiring(index)

    def one(k):
        start = None if state is None else state[k]
        return engine.evolve(networks[k], t_span, rng=seed, state=start, stream=None, threads=1, **settings)

    if count == 0:
        return []
    first = one(0)  # compiles; the others find the kernels ready
    with ThreadPoolExecutor(max(1, int(threads))) as pool:
        return [first, *pool.map(one, range(1, count))]


def changed(network, values):
    """The network with other values of named parameters."""
    populations, projections, inputs = dict(network.populations), list(network.projections), list(network.inputs)
    names = [projection.name for projection in projections]
    for full, value in values.items():
        owner, _, parameter = full.rpartition(".")
        if owner in populations:
            model = populations[owner].model
            fields = [f.name for f in dataclasses.fields(model) if f.init]
            nearest(f"sweep: parameter of {owner!r}", parameter, fields)
            populations[owner] = dataclasses.replace(
                populations[owner], model=dataclasses.replace(model, **{parameter: value})
            )
        elif owner in names:
            nearest(f"sweep: parameter of {owner!r}", parameter, ("weight", "delay"))
            k = names.index(owner)
            projections[k] = dataclasses.replace(projections[k], **{parameter: value})
        elif owner.startswith("input ") and owner[6:].isdigit() and int(owner[6:]) < len(inputs):
            k = int(owner[6:])
            nearest(f"sweep: parameter of {owner!r}", parameter, [f.name for f in dataclasses.fields(inputs[k])])
            inputs[k] = dataclasses.replace(inputs[k], **{parameter: value})
        else:
            known = [*populations, *names, *(f"input {k}" for k in range(len(inputs)))]
            if not owner:
                raise ValueError(f"sweep: {full!r}, expected 'owner.parameter' with an owner out of {known}")
            nearest(f"sweep: owner in {full!r}", owner, known)
    other = copy.copy(network)
    fresh = {"populations": populations, "projections": projections, "inputs": inputs, "_drawn": {}}
    for name, value in fresh.items():
        object.__setattr__(other, name, value)
    for given in inputs:
        given.check(populations[given.target])
    return other
