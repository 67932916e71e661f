"""Many parameter sets of one network in one call: same kernels, same connections, copies run side by side.

A name is "population.parameter" (of the model), "population.receptor.parameter" (such as "E.exc.tau"),
"projection.weight", "projection.delay", or "input k.field" (the k-th input, from 0).  Copies run in threads; each has
its own state and the same noise, so that results differ by the parameters only and do not depend on the number of
threads.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from circuits.neurons.engine import run as engine
from circuits.neurons.engine.recording import nearest
from physlearn import checks
from physlearn.checks import seen
from physlearn.progress import Bar
from physlearn.rng import seed_sequence


def run(network, t_span, sweep, *, threads, stream, rng, state, progress, what="state", **settings):
    """Recordings of all parameter sets, in their order; see `SpikingNetwork.__integrate__`."""
    if stream is not None:
        raise ValueError("stream: not with sweep; run the parameter sets one by one, each with its own directory")
    if not isinstance(sweep, Mapping) or not sweep:
        raise TypeError(f"sweep: got {sweep!r}, expected a mapping such as {{'E->I.weight': (m,) array}}")
    for name, values in sweep.items():
        checks.text("sweep", name, "names such as 'E->I.weight'")
        if isinstance(values, str) or not hasattr(values, "__len__"):
            raise TypeError(f"sweep: {name!r} is {values!r}, expected one value for each parameter set")
    lengths = {name: len(values) for name, values in sweep.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"sweep: values of different lengths {lengths}; give one of each for every parameter set")
    count, seed = next(iter(lengths.values())), seed_sequence(rng)
    threads = checks.count("threads", threads, most=engine.MOST_THREADS)
    if state is not None and (not isinstance(state, Sequence) or len(state) != count):
        raise ValueError(f"{what}: got {seen(state)}, expected a list of {count} states, one for each parameter set")
    sets = [{name: values[k] for name, values in sweep.items()} for k in range(count)]
    networks = [changed(network, values) for values in sets]
    for index in [k for k, projection in enumerate(network.projections) if not projection.coded]:
        for other in networks:  # the connections are drawn once
            other._drawn[index] = network.wiring(index)

    def one(k):
        start = None if state is None else state[k]
        copies = count if k == 0 else 1  # that all records fit is checked before the first run
        return engine.evolve(
            networks[k],
            t_span,
            rng=seed,
            state=start,
            what=what,
            stream=None,
            threads=1,
            copies=copies,
            progress=False,
            **settings,
        )

    if count == 0:
        return []
    with Bar("integrate", "parameter set", count, progress) as bar, ThreadPoolExecutor(threads) as pool:
        found = [one(0)]  # compiles; the others find the kernels ready
        bar.update()
        for recording in pool.map(one, range(1, count)):
            found.append(recording)
            bar.update()
    return found


def changed(network, values):
    """The network with other values of named parameters."""
    populations, projections, inputs = dict(network.populations), list(network.projections), list(network.inputs)
    names = [projection.name for projection in projections]
    for full, value in values.items():
        owner, _, parameter = full.rpartition(".")
        inside, _, receptor = owner.rpartition(".")
        if owner in populations:
            model = _with(populations[owner].model, owner, parameter, value)
            populations[owner] = dataclasses.replace(populations[owner], model=model)
        elif inside in populations and receptor in populations[inside].receptors:
            receptors = populations[inside].receptors
            kernel = _with(receptors[receptor], owner, parameter, value)
            populations[inside] = dataclasses.replace(populations[inside], receptors={**receptors, receptor: kernel})
        elif owner in names:
            nearest(f"sweep: parameter of {owner!r}", parameter, ("weight", "delay"))
            k = names.index(owner)
            projections[k] = dataclasses.replace(projections[k], **{parameter: value})
        elif owner.startswith("input ") and owner[6:].isdigit() and int(owner[6:]) < len(inputs):
            k = int(owner[6:])
            if parameter in ("target", "receptor"):
                raise ValueError(f"sweep: {full!r} is no parameter; the sets share what is connected to what")
            inputs[k] = _with(inputs[k], owner, parameter, value)
        else:
            known = [*populations, *names, *(f"input {k}" for k in range(len(inputs)))]
            known += [
                f"{name}.{receptor}" for name, population in populations.items() for receptor in population.receptors
            ]
            if not owner:
                raise ValueError(f"sweep: {full!r}, expected 'owner.parameter' with an owner out of {known}")
            nearest(f"sweep: owner in {full!r}", owner, known)
    other = copy.copy(network)
    fresh = {"populations": populations, "projections": projections, "inputs": inputs, "_drawn": {}, "_live": {}}
    for name, value in fresh.items():
        object.__setattr__(other, name, value)
    for given in inputs:
        if given.target is not None:
            given.check(populations[given.target])
    return other


def _with(thing, owner, parameter, value):
    """A model, receptor or input with another value of one parameter (of a `Neuron`, of its `parameters` too)."""
    own = getattr(thing, "parameters", {})
    fields = [field.name for field in dataclasses.fields(thing) if field.init and field.name != "parameters"]
    nearest(f"sweep: parameter of {owner!r}", parameter, [*fields, *own])
    if parameter in own:
        return dataclasses.replace(thing, parameters={**own, parameter: value})
    return dataclasses.replace(thing, **{parameter: value})
