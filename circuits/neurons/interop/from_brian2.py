"""A Brian2 network read back: a closed list of models; any other term is refused by name.

The list, which docs/FORMATS.md has in full: groups of LIF neurons, tau dv/dt = v_rest - v + receptor currents, whose
receptors are linear: a jump of v, ``dg/dt = -g/tau``, or a chain ``dx/dt = -x/rise``, ``dg/dt = -g/decay + x/rise`` (an
alpha function where the two are equal); synapses whose ``on_pre`` adds a weight to one of them; `PoissonInput`.
Monitors are skipped.  Constant terms of dv/dt, injected currents among them, are part of v_rest.

Brian2's refractory period is one step shorter than its number (see `circuits.neurons.interop.brian2`), and
``v > threshold`` becomes v >= threshold.  Jumps of v that arrive at the last grid point of the refractory period count
here, not there; so do, without a refractory period, those that arrive in the step of a spike, where Brian2's default
schedule resets last.  Jumps in a refractory period are lost here; there only with ``*int(not_refractory_post)``, so
that others are told of by the logger ``physlearn``.
"""

from __future__ import annotations

import logging
import re

import numpy as np

from circuits.neurons import connect
from circuits.neurons.drive.trains import Poisson
from circuits.neurons.interop.brian2 import brian2
from circuits.neurons.interop.brian2_groups import Group, value_of
from circuits.neurons.network import SpikingNetwork
from circuits.neurons.synapses.projection import Projection
from physlearn.checks import instance, mapping

LOG = logging.getLogger("physlearn")
SCHEDULES = [
    ["start", "groups", "thresholds", "synapses", "resets", "end"],  # Brian2's
    ["start", "groups", "thresholds", "resets", "synapses", "end"],  # that of `to_brian2`
]
SLOTS = {  # when the parts of groups and synapses act
    "StateUpdater": "groups",
    "Thresholder": "thresholds",
    "Resetter": "resets",
    "SynapticPathway": "synapses",
    "PoissonInput": "synapses",
}
DENSE = 0.1  # spikes of a source of a PoissonInput in a step, whose number is binomial there


def from_brian2(net, *, namespace=None):
    r"""The network that a Brian2 `Network` describes.

    Parameters
    ----------
    net : brian2.Network
    namespace : dict, optional
        Values of names in the equations that are neither in their group nor in its own namespace; default the
        caller's variables, as in ``net.run``.

    Returns
    -------
    SpikingNetwork
        Populations and receptors by the names that they have in Brian2 (jumps of v go to the receptor "delta");
        v starts from its present value.

    Raises
    ------
    ValueError
        Whatever is not on the list (docs/FORMATS.md), by name and term.

    Examples
    --------
    >>> import brian2 as b2
    >>> group = b2.NeuronGroup(2, "dv/dt = (11*mV - v + ge)/(20*ms) : volt\ndge/dt = -ge/(5*ms) : volt",
    ...                        threshold="v > 10*mV", reset="v = 0*mV", method="exact", name="cells")
    >>> network = from_brian2(b2.Network(group))
    >>> network.populations["cells"].model.v_rest, network.populations["cells"].receptors
    (0.011, {'ge': Exponential(tau=0.005, reversal=None, normalised='peak')})
    """
    b2 = brian2()
    instance("net", net, b2.Network, "a brian2.Network")
    if namespace is not None:
        mapping("namespace", namespace, expected="a mapping of names to values")
    else:
        from brian2.core.namespace import get_local_namespace

        namespace = get_local_namespace(level=1)
    from brian2.groups.group import CodeRunner

    if list(net.schedule) not in SCHEDULES:
        raise ValueError(f"net: the schedule {list(net.schedule)} is not read, expected one of {SCHEDULES}")
    passed = (b2.SpikeMonitor, b2.StateMonitor, b2.PopulationRateMonitor, b2.EventMonitor)
    readers, wires, inputs, steps = {}, [], [], {}
    for thing in net.objects:
        for part in (thing, *thing.contained_objects):
            if type(part) is CodeRunner:  # parts of a group have types of their own
                raise ValueError(f"{part.group.name}: run_regularly({str(part.abstract_code)!r}) is not read")
            usual = SLOTS.get(type(part).__name__, part.when)
            if part.when != usual and getattr(part, "event", "spike") == "spike":  # other events are told of below
                raise ValueError(f"{part.name}: when={part.when!r} is not read, expected {usual!r}")
            if isinstance(thing, b2.NeuronGroup | b2.Synapses | b2.PoissonInput):
                steps[part.name] = float(part.clock.dt)
            idle = isinstance(thing, passed) or (isinstance(thing, b2.Synapses) and not len(thing))
            if not (part.active or idle):
                raise ValueError(f"{part.name}: active = False is not read; leave {thing.name} out of the network")
        if isinstance(thing, b2.NeuronGroup):
            readers[thing.name] = Group(thing, namespace)
        elif isinstance(thing, b2.Synapses):
            wires.append(thing)
        elif isinstance(thing, b2.PoissonInput):
            inputs.append(thing)
        elif not isinstance(thing, passed) and thing not in [
            c for other in net.objects for c in other.contained_objects
        ]:
            raise ValueError(f"{thing.name}: a {type(thing).__name__} is not read")
    if len(set(steps.values())) > 1:
        raise ValueError(f"net: groups or synapses with different dt, {steps}; one is read")
    projections = [p for thing in sorted(wires, key=lambda s: s.name) for p in _projections(thing, readers, namespace)]
    given = []
    for thing in inputs:
        reader = readers.get(thing._group.name)
        if reader is None or thing._group is not reader.group:
            raise ValueError(f"{thing.name}: a PoissonInput into a part of a group; give it the whole group")
        receptor, scale = reader.receptor(thing.name, thing._target_var)
        if receptor == "delta" and reader.model.refractory > 0:
            LOG.warning("%s: moves v in refractory periods too in Brian2, and is lost in them here", thing.name)
        if isinstance(thing._weight, str):
            raise ValueError(f"{thing.name}: the weight {thing._weight!r} is an expression, expected a number")
        rate, chance = float(thing.rate) * int(thing.N), float(thing.rate) * reader.dt
        if chance > DENSE:
            raise ValueError(
                f"{thing.name}: each source spikes in {chance:.3g} of the steps, expected at most {DENSE}, below which "
                "binomial and Poisson numbers of spikes are close"
            )
        given.append(Poisson(reader.group.name, rate=rate, weight=float(thing._weight) * scale, receptor=receptor))
    return SpikingNetwork({name: reader.population() for name, reader in readers.items()}, projections, given)


def _projections(synapses, readers, namespace):
    label = synapses.name
    events = synapses.event_driven
    if plastic := sorted({*synapses.equations.diff_eq_names, *(events.diff_eq_names if events else ())}):
        raise ValueError(f"{label}: {plastic}: synapses with equations of their own (plasticity) are not read")
    if synapses.summed_updaters:
        name = next(iter(synapses.summed_updaters))
        raise ValueError(f"{label}: {name} (summed) is not read; synapses that add a weight at a spike are")
    source, first = _whole(synapses.source, readers, label)
    target, second = _whole(synapses.target, readers, label)
    i, j = np.asarray(synapses.i[:]) + first, np.asarray(synapses.j[:]) + second
    order = np.lexsort((j, i))
    for number, pathway in enumerate(synapses._pathways):
        if pathway.queue is not None and _on_their_way(pathway.queue):
            raise ValueError(
                f"{label}: spikes are on their way, which are not read; read the network before it runs, or when all "
                "have arrived"
            )
        if pathway.event != "spike":
            raise ValueError(f"{label}: on_event={pathway.event!r} is not read; spikes are")
        if pathway.prepost == "post":
            raise ValueError(f"{label}: on_post={pathway.code!r} is not read")
        code = re.sub(r"\*\s*int\(not_refractory_post\)", "", pathway.code)
        matched = re.fullmatch(r"\s*(\w+?)(?:_post)?\s*([+-])=\s*(.+?)\s*", code)
        if matched is None:
            raise ValueError(f"{label}: on_pre={pathway.code!r}, expected 'g_post += weight'")
        variable, sign, expression = matched.groups()
        if "timestep(" in expression:  # as `to_brian2` writes the refractory test of a jump
            expression = re.sub(r"\*\s*int\(timestep\(.*\)$", "", expression)
        receptor, scale = target.receptor(f"{label}: on_pre", variable)
        if (
            receptor == "delta"
            and target.model.refractory > 0
            and "not_refractory" not in pathway.code
            and ("timestep(" not in pathway.code)
        ):
            LOG.warning(
                "%s: on_pre=%r moves v in refractory periods too in Brian2, and is lost in them here; with "
                "'*int(not_refractory_post)' both lose it",
                label,
                pathway.code,
            )
        weight = _weight(synapses, expression, label, namespace) * (scale if sign == "+" else -scale)
        delay = np.asarray(
            pathway.delay.get_value()
            if hasattr(pathway.delay, "get_value")
            else pathway.variables["delay"].get_value(),
            float,
        )
        delay = np.floor(delay / target.dt + 0.5) * target.dt  # as Brian2 rounds: half a step is a whole one
        delay = float(delay.flat[0]) if delay.size and np.ptp(delay) == 0 else delay[order] if delay.size else 0.0
        yield Projection(
            source.group.name,
            target.group.name,
            connect.from_matrix(_matrix(i, j, np.broadcast_to(weight, i.shape)[order], order, source, target)),
            delay=delay,
            receptor=receptor,
            name=label if number == 0 else f"{label} {pathway.name}",
        )


def _matrix(i, j, weights, order, source, target):
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=source.group.N))])
    return csr_array((np.array(weights, float), j[order], starts), shape=(source.group.N, target.group.N))


def _weight(synapses, expression, label, namespace):
    import sympy
    from brian2.parsing.sympytools import str_to_sympy

    try:
        expression = str_to_sympy(expression)
    except SyntaxError:
        raise ValueError(f"{label}: on_pre={expression!r} is no one weight; one 'g_post += weight' is read") from None
    symbols = sorted(expression.free_symbols, key=str)
    for symbol in symbols:
        if str(symbol).endswith(("_post", "_pre")) or str(symbol) in ("t", "i", "j"):
            raise ValueError(f"{label}: on_pre: the weight {expression} depends on {symbol}, which is not read")
    if expression.atoms(sympy.Function):
        raise ValueError(f"{label}: on_pre: the weight {expression} is no constant, which is not read")
    values = [_of_synapses(synapses, str(symbol), namespace, label) for symbol in symbols]
    return np.asarray(sympy.lambdify(symbols, expression, "numpy")(*values), float)


def _of_synapses(synapses, name, namespace, label):
    """Number(s) in SI units that a name stands for in a weight: one, or one per synapse."""
    variable = synapses.variables.get(name)
    if variable is None or variable.scalar:
        return value_of(synapses, name, namespace, label)
    index, owner = synapses.variables.indices[name], variable.owner
    given = getattr(owner, "user_equations", owner.equations).parameter_names
    if name not in (*given, "N_incoming", "N_outgoing"):
        raise ValueError(f"{label}: on_pre: the weight depends on {name}, which is no parameter and is not read")
    values = value_of(synapses, name, namespace, label)
    return values if index == "_idx" else values[synapses.variables[index].get_value()]


def _on_their_way(queue):
    """Whether a queue of Brian2 holds spikes: the one in Cython, or the one in Python."""
    return any(len(slot) for slot in queue._full_state()[1]) if not hasattr(queue, "n") else bool(np.any(queue.n))


def _whole(group, readers, label):
    """The reader of a group or of the group that it is a part of, and the offset."""
    whole = getattr(group, "source", group)
    if whole.name not in readers:
        raise ValueError(f"{label}: a {type(whole).__name__} ({whole.name!r}) is not read")
    return readers[whole.name], int(getattr(group, "start", 0))
