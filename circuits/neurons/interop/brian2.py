"""A network as an explicit Brian2 `Network` (Stimberg, Brette and Goodman 2019): equations, synapses, spike monitors.

Both have the same equations, connections, weights, initial values and order of a step (propagate, threshold, reset,
arrivals).  The differences are spelled out in the Brian2 objects:

- Brian2 stamps a spike with the start of its step, t_k; this package with its end, t_k + dt;
- Brian2 holds a neuron for refractory - dt after a spike, so its groups get ``refractory + dt``;
- units: a receptor's current is in amperes there, also where the resistance is 1 ohm and its number means volts.

Objects are found by name: ``net["E"]`` for a population, ``net["E_spikes"]`` for its spikes, ``net["E_to_I"]`` for
"E->I"; other characters become "_".
"""

from __future__ import annotations

import numpy as np

from circuits.neurons.cells.sources import PoissonSource, SpikeSource
from circuits.neurons.drive.currents import Constant, Ramp, Sine, Step
from circuits.neurons.drive.trains import Poisson
from circuits.neurons.interop.brian2_models import membrane
from circuits.neurons.interop.brian2_names import identifier, quantity, rows_of, unit_of
from circuits.neurons.network import SpikingNetwork
from circuits.neurons.program import stamps_of, steps_of
from circuits.neurons.synapses.plasticity import STDP
from circuits.neurons.synapses.receptors import Delta
from physlearn.checks import positive
from physlearn.quantities import si


def to_brian2(network, *, dt, method="auto"):
    """Build the same network in Brian2; nothing is run.

    Parameters
    ----------
    network : SpikingNetwork
        Of `LIF`, `HodgkinHuxley`, `AdEx` and `Izhikevich` neurons.  Poisson spikes have the same statistics there, but
        are drawn independently.
    dt : float
        Step, s.
    method : str
        As for `integrate`: "auto"; for Hodgkin-Huxley "exponential_euler" or "rk4".

    Returns
    -------
    brian2.Network
        Ready for ``net.run(1 * brian2.second)``, from the network's initial state.  It follows Brian2's
        preferences, such as ``brian2.prefs.codegen.target = "numpy"``.

    Raises
    ------
    ValueError
        Models, inputs or plasticity that are not translated, by name.

    Examples
    --------
    >>> from circuits.neurons import LIF, Exponential, Population, Projection, SpikingNetwork, connect
    >>> cells = LIF(tau=20e-3, v_rest=-49e-3, v_threshold=-50e-3, v_reset=-60e-3, refractory=5e-3)
    >>> net = to_brian2(SpikingNetwork(
    ...     {"E": Population(cells, 3, receptors={"exc": Exponential(5e-3)})},
    ...     [Projection("E", "E", connect.all_to_all(), weight=1e-3, delay=1e-3)]), dt=1e-4)
    >>> sorted(thing.name for thing in net.objects)
    ['E', 'E_spikes', 'E_to_E']
    """
    b2 = brian2()
    if not isinstance(network, SpikingNetwork):
        raise TypeError(f"network: got {type(network).__name__}, expected a SpikingNetwork")
    dt = positive("dt", si("dt", dt, "s"))
    names = [*network.populations, *(projection.name for projection in network.projections)]
    _distinct("network", [(name, identifier(name)) for name in names])
    clock = b2.Clock(dt * b2.second)
    net = b2.Network()
    net.schedule = ["start", "groups", "thresholds", "resets", "synapses", "end"]  # arrivals after resets
    groups = {}
    for index, (name, population) in enumerate(network.populations.items()):
        if isinstance(population.model, SpikeSource | PoissonSource):
            groups[name] = _source(b2, clock, name, population, dt)
            net.add(groups[name], b2.SpikeMonitor(groups[name], name=f"{identifier(name)}_spikes"))
            continue
        state = population.start(np.random.default_rng(network.stream(1, index)))
        groups[name] = _group(b2, clock, name, population, state, dt, method)
        net.add(groups[name], b2.SpikeMonitor(groups[name], name=f"{identifier(name)}_spikes"))
    for projection, delay in zip(network.projections, network.delays(dt), strict=True):
        if projection.coded:
            raise ValueError(
                f"{projection.name}: connect.low_rank is not translated; form the weights, "
                "connect.from_matrix(decoders @ encoders), onto a receptor of the target"
            )
        net.add(_synapses(b2, clock, network, projection, delay, groups, dt))
    for given in network.inputs:
        if given.target is None:
            raise ValueError(f"inputs: {type(given).__name__} {given.name!r} is not translated")
    for name, group in groups.items():
        given = [current for current in network.inputs if current.target == name]
        for spikes in [thing for thing in given if isinstance(thing, Poisson)]:
            net.add(_poisson(b2, network, spikes, group, dt))
            given.remove(spikes)
        for current in given:
            if not isinstance(current, Constant | Step | Ramp | Sine):
                raise ValueError(f"inputs: {type(current).__name__} (into {name!r}) is not translated")
        if given:
            net.add(_injection(b2, clock, given, group, 0.5 if method == "rk4" else 0.0))
    return net


def brian2():
    """The package brian2, or an error that says how to install it."""
    try:
        import brian2
    except ImportError as error:
        raise ImportError("this needs Brian2: pip install 'physlearn-sim[brian2]'") from error
    return brian2


def _distinct(what, names):
    """Refuse two names that become one in Brian2; ``names`` are pairs (name, name in Brian2)."""
    first = {}
    for name, there in names:
        if there in first:
            raise ValueError(
                f"{what}: {first[there]!r} and {name!r} would both be called {there} in Brian2; rename one"
            )
        first[there] = name


def _group(b2, clock, name, population, state, dt, method):
    rows = [(label, row) for label, receptor in population.receptors.items() for row in rows_of(label, receptor)]
    _distinct(f"{name}: receptors", [("injected current", "I_injected"), *rows])
    model = membrane(population, method, dt, name)
    arrays = {k: pair for k, pair in model.parameters.items() if np.ndim(pair[0])}
    group = b2.NeuronGroup(
        population.n,
        "\n".join([*model.equations, *(f"{k} : {unit} (constant)" for k, (_, unit) in arrays.items())]),
        threshold=model.threshold,
        reset=model.reset,
        refractory=model.refractory,
        method=model.method,
        clock=clock,
        namespace={k: quantity(b2, *pair) for k, pair in model.parameters.items() if k not in arrays},
        name=identifier(name),
    )
    for k, pair in arrays.items():
        setattr(group, k, quantity(b2, *pair))
    for row, (variable, unit) in zip(state, model.rows, strict=True):
        if variable is not None:
            setattr(group, variable, quantity(b2, row, unit))
    return group


def _synapses(b2, clock, network, projection, delay, groups, dt):
    label, target = projection.name, network.populations[projection.target]
    receptor = network.receptor_of(projection)
    kernel = target.receptors[receptor]
    unit = unit_of(kernel)
    arrival = f"{_arrival(target, receptor, dt, f'{float(kernel.gain)!r}*w')}"
    model, on_post, namespace = [f"w : {unit}{' (constant)' * (projection.plasticity is None)}"], None, {}
    if projection.plasticity is not None:
        if not isinstance(projection.plasticity, STDP):
            raise ValueError(f"{label}: {type(projection.plasticity).__name__} is not translated, expected STDP")
        traces, arrival_more, on_post, namespace = _stdp(b2, projection.plasticity, unit)
        model, arrival = [*model, *traces], "\n".join([arrival, *arrival_more])
    sources, targets, weights = network.synapses(label)
    synapses = b2.Synapses(
        groups[projection.source],
        groups[projection.target],
        model="\n".join(model),
        on_pre=arrival,
        on_post=on_post,
        clock=clock,
        namespace=namespace,
        name=identifier(label),
        **({} if delay.ndim else {"delay": {"pre": float(delay) * dt * b2.second}}),
    )
    if not len(sources):
        synapses.active = False
        return synapses
    synapses.connect(i=sources, j=targets)
    synapses.w = quantity(b2, weights, unit)
    if delay.ndim:
        synapses.pre.delay = delay * dt * b2.second
    return synapses


def _arrival(target, receptor, dt, weight):
    """Effect of a spike on its target, as Brian2 code."""
    kernel = target.receptors[receptor]
    if not isinstance(kernel, Delta):
        return f"{rows_of(receptor, kernel)[0]}_post += {weight}"
    if not np.any(steps_of("refractory", getattr(target.model, "refractory", 0.0), dt)):
        return f"v_post += {weight}"
    return f"v_post += {weight}*int(timestep(t - lastspike_post, dt) >= held_post)"


def _stdp(b2, rule, unit):
    """Equations, further effects of an arrival, effects of a postsynaptic spike, and values."""
    down, up = "a_minus*y", "a_plus*x"
    if rule.dependence == "multiplicative":
        down, up = f"{down}*w/w_max", f"{up}*(1 - w/w_max)"
    left = "{0} += 1" if rule.pairing == "all" else "{0} = 1"
    namespace = {k: quantity(b2, getattr(rule, k), unit) for k in ("a_plus", "a_minus", "w_min", "w_max")}
    namespace |= {k: getattr(rule, k) * b2.second for k in ("tau_plus", "tau_minus")}
    return (
        ["dx/dt = -x/tau_plus : 1 (event-driven)", "dy/dt = -y/tau_minus : 1 (event-driven)"],
        [left.format("x"), f"w = clip(w - {down}, w_min, w_max)"],
        "\n".join([left.format("y"), f"w = clip(w + {up}, w_min, w_max)"]),
        namespace,
    )


def _source(b2, clock, name, population, dt):
    """A group that sends given spikes, one step before their stamp here, or Poisson spikes, drawn independently."""
    if isinstance(population.model, PoissonSource):
        chance = np.broadcast_to(-np.expm1(-np.asarray(population.model.rate) * dt) / dt, population.n)
        return b2.PoissonGroup(population.n, chance * b2.hertz, clock=clock, name=identifier(name))
    stamps = stamps_of(population.model.times, dt)
    kept = stamps >= 1
    times = (stamps[kept] - 1) * dt * b2.second
    return b2.SpikeGeneratorGroup(population.n, population.model.ids[kept], times, clock=clock, name=identifier(name))


def _poisson(b2, network, given, group, dt):
    """An operation that draws Poisson numbers of spikes at the end of each step, independently of ours."""
    if callable(given.rate):
        raise ValueError(f"inputs: Poisson (into {given.target!r}) with a rate that varies in time is not translated")
    target, receptor = network.populations[given.target], network.receptor_of(given)
    kernel = target.receptors[receptor]
    mean = f"mean_{len(group.contained_objects)}"
    means = np.broadcast_to(np.asarray(given.rate, float) * dt, target.n)
    group.variables.add_array(mean, size=target.n, values=means, constant=True)
    weight = f"({float(given.weight * kernel.gain)!r}*{unit_of(kernel)})*poisson({mean})"
    return group.run_regularly(_arrival(target, receptor, dt, weight).replace("_post", ""), when="synapses")


def _injection(b2, clock, given, group, ahead):
    """An operation that sets the group's injected current at the start of each step."""
    current, dt = group.variables["I_injected"], float(clock.dt)
    products = [(np.broadcast_to(a, group.N), course) for one in given for a, course in one._products(dt)]

    def inject():
        t = np.array([(int(clock.timestep[:].item()) + ahead) * dt])
        current.set_value(sum(a * (1.0 if course is None else np.ravel(course(t))[0]) for a, course in products))

    return b2.NetworkOperation(inject, clock=clock, when="start", name=f"{group.name}_current")
