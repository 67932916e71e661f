"""Networks of LIF neurons in NIR, the Neuromorphic Intermediate Representation (Pedersen et al. 2024).

NIR has neurons ``LIF`` (tau dv/dt = v_leak - v + r I) and ``CubaLIF`` (the same with tau_syn dI/dt = -I + w_in S),
spikes as unit impulses, ``Linear`` weights (targets, sources), ``Delay`` and ``Scale`` nodes, edges that are wires.  So

- an `Exponential` receptor is a ``CubaLIF`` with w_in = tau_syn (weights are peaks) or 1 (weights are areas);
- a `Delta` receptor is an ``LIF`` behind ``Scale`` by tau / r: an impulse of that size moves v by the weight;
- a projection is ``Delay`` (where it has one) and ``Linear``;
- a `Constant` current is the bias of an ``Affine`` without weights, behind an ``Input`` of one number; on reading the
  bias of any ``Affine`` in front of ``LIF`` neurons is one;
- each population has its own ``Input`` and ``Output``.

It has no refractory period, no conductances, one time constant of synapses per neuron, no other kernels, no plasticity,
no initial state and no other injected currents: these are refused by name.  Spikes need v > threshold in NIR, v >=
threshold here; the difference is one value of v.  NIR file: ``nir.write("network.nir", to_nir(network))``.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from circuits.neurons import connect
from circuits.neurons.cells.lif import LIF
from circuits.neurons.coding.code import PopulationCode
from circuits.neurons.drive.currents import Constant
from circuits.neurons.interop import nir_codes
from circuits.neurons.network import SpikingNetwork
from circuits.neurons.population import Population
from circuits.neurons.synapses.projection import Projection
from circuits.neurons.synapses.receptors import Delta, Exponential
from physlearn.checks import array, mapping, positive

LOG = logging.getLogger("physlearn")
IMPULSES = {"spikes": "unit impulses"}  # metadata of our graphs
MODEL = ("tau", "resistance", "v_rest", "v_threshold", "v_reset")


def to_nir(network):
    """The network as a NIR graph; connections are drawn and stored as matrices.

    Parameters
    ----------
    network : SpikingNetwork or PopulationCode
        A code without refractory periods: see `circuits.neurons.interop.nir_codes`.

    Returns
    -------
    nir.NIRGraph

    Raises
    ------
    ValueError
        What NIR cannot express, by name.

    Examples
    --------
    >>> from circuits.neurons import LIF, Exponential, Population, Projection, SpikingNetwork, connect
    >>> cells = LIF(tau=20e-3, v_rest=0.0, v_threshold=10e-3, v_reset=0.0)
    >>> ring = SpikingNetwork({"E": Population(cells, 3, receptors={"exc": Exponential(5e-3)})},
    ...                       [Projection("E", "E", connect.one_to_one(), weight=1e-3, delay=2e-3)])
    >>> list(to_nir(ring).nodes)
    ['E', 'E.in', 'E.out', 'E->E.delay', 'E->E']
    """
    nir = _nir()
    if isinstance(network, PopulationCode):
        return nir_codes.graph_of(network, nir)
    if not isinstance(network, SpikingNetwork):
        raise TypeError(f"network: got {type(network).__name__}, expected a SpikingNetwork")
    for given in network.inputs:
        kernels = {} if given.target is None else network.populations[given.target].receptors
        if isinstance(given, Constant) and not any(kernel.taus for kernel in kernels.values()):
            continue
        raise ValueError(
            f"inputs: NIR has no {type(given).__name__} (into {given.target!r}); export the network without inputs and "
            "feed the graph's Input nodes"
        )
    nodes, edges = _Nodes(), []
    for name, population in network.populations.items():
        nodes[name], scale = _node(nir, name, population)
        shape = np.array([population.n])
        nodes[f"{name}.in"], nodes[f"{name}.out"] = nir.Input({"input": shape}), nir.Output({"output": shape})
        edges += [(f"{name}.in", name), (name, f"{name}.out")]
        if scale is not None and any(projection.target == name for projection in network.projections):
            nodes[f"{name}.scale"] = nir.Scale(scale)
            edges.append((f"{name}.scale", name))
    for projection in network.projections:
        label = projection.name
        if projection.coded:
            raise ValueError(
                f"{label}: connect.low_rank is not translated; form the weights, "
                "connect.from_matrix(decoders @ encoders), onto a receptor of the target"
            )
        if projection.plasticity is not None:
            raise ValueError(f"{label}: NIR has no {type(projection.plasticity).__name__}; drop the plasticity")
        delay = projection.delay
        if callable(delay) or (np.size(delay) and np.ptp(delay) > 0):
            raise ValueError(f"{label}: NIR has no delay per synapse; give the projection one delay")
        sources, targets, weights = network.synapses(label)
        if not np.all((np.diff(sources) > 0) | (np.diff(targets) > 0)):
            raise ValueError(f"{label}: NIR has no repeated synapses between two neurons; connect them once")
        source, target = (network.populations[end] for end in (projection.source, projection.target))
        matrix = np.zeros((target.n, source.n))
        matrix[targets, sources] = weights
        start = projection.source
        if np.max(delay, initial=0.0) > 0:
            nodes[f"{label}.delay"] = nir.Delay(np.full(source.n, np.max(delay)))
            edges.append((start, f"{label}.delay"))
            start = f"{label}.delay"
        nodes[label] = nir.Linear(matrix)
        end = f"{projection.target}.scale" if f"{projection.target}.scale" in nodes else projection.target
        edges += [(start, label), (label, end)]
    for name, population in network.populations.items():
        given = [constant.current for constant in network.inputs if constant.target == name]
        if given:
            bias = np.array(np.broadcast_to(sum(map(np.asarray, given)), (population.n,)), dtype=float)
            nodes[f"{name}.drive.in"] = nir.Input({"input": np.array([1])})
            nodes[f"{name}.drive"] = nir.Affine(np.zeros((population.n, 1)), bias)
            edges += [(f"{name}.drive.in", f"{name}.drive"), (f"{name}.drive", name)]
    return nir.NIRGraph(dict(nodes), edges, metadata=dict(IMPULSES))


def from_nir(graph, *, sources=None, step=None):
    """The network that a NIR graph describes.

    Parameters
    ----------
    graph : nir.NIRGraph or path
        Of LIF, CubaLIF, Linear, Affine (with a bias only in front of LIF), Flatten, Delay, Scale, Input, Output nodes.
    sources : mapping of str to model, optional
        For Input nodes whose signal is weighted before it reaches neurons: the population that spikes there, such as
        ``{"input": PoissonSource(rate=20.0)}``.  Inputs wired straight to neurons stand for injected currents, which
        the network takes as `inputs`.
    step : float, optional
        s that a spike lasts in the file's weights.  NIR's spikes are unit impulses; a network that was trained in steps
        of dt, in which a spike is 1 for one step, means impulses of area dt: its weights are multiplied by ``step``.
        The logger ``physlearn`` says so of files that do not tell.

    Returns
    -------
    SpikingNetwork
        Populations by the names of their nodes; or the `PopulationCode` that was written.  Export, import and export
        again give the same bits.

    Raises
    ------
    ValueError
        Nodes, or uses of them, that have no counterpart here, by name.

    Examples
    --------
    >>> import nir, numpy as np
    >>> one = np.ones(2)
    >>> cells = nir.LIF(tau=20e-3 * one, r=one, v_leak=0 * one, v_threshold=one, v_reset=0 * one)
    >>> from_nir(nir.NIRGraph.from_list(cells)).populations["lif"].model.tau
    0.02
    """
    nir = _nir()
    if isinstance(graph, str | Path):
        graph = nir.read(graph)
    if not isinstance(graph, nir.NIRGraph):
        raise TypeError(f"graph: got {type(graph).__name__}, expected a NIRGraph or a path")
    if graph.metadata.get("kind") == nir_codes.KIND:
        return nir_codes.code_of(graph, nir)
    inputs = [name for name, node in graph.nodes.items() if isinstance(node, nir.Input)]
    mapping("sources", {} if sources is None else sources, inputs, "a mapping of Input nodes to models")
    area = 1.0 if step is None else positive("step in s", step)
    known = (
        nir.LIF, nir.CubaLIF, nir.Linear, nir.Affine, nir.Flatten, nir.Delay, nir.Scale, nir.Input, nir.Output
    )  # fmt: skip
    for name, node in graph.nodes.items():
        if not isinstance(node, known):
            raise ValueError(f"{name}: no counterpart of NIR's {type(node).__name__}; LIF and CubaLIF are read")
        for field, value in vars(node).items():
            if isinstance(value, np.ndarray):
                array(f"{name}: {field}", value)
    for edge in graph.edges:
        if list(graph.edges).count(edge) > 1:
            raise ValueError(f"{edge[0]} -> {edge[1]}: the graph has this edge twice; keep one, or add up the weights")
    after = {name: [b for a, b in graph.edges if a == name] for name in graph.nodes}
    neurons = {k: v for k, v in graph.nodes.items() if isinstance(v, nir.LIF | nir.CubaLIF)}
    paths = []
    for start in graph.nodes:
        if start in neurons or isinstance(graph.nodes[start], nir.Input):
            paths += _paths(graph, after, [start], nir)
    paths = [[k for k in path if not isinstance(graph.nodes[k], nir.Flatten)] for path in paths if path[-1] in neurons]
    used = {name for path in paths for name in path}
    currents, paths = _biases(graph, paths, nir)
    for name, node in graph.nodes.items():
        if isinstance(node, nir.Linear | nir.Affine | nir.Delay | nir.Scale) and name not in used:
            raise ValueError(
                f"{name}: a {type(node).__name__} that leads to no neurons, such as a readout; apply it to the "
                "recorded spikes, and drop it from the graph"
            )
    populations = {}
    for name, node in neurons.items():
        # an edge from neurons to neurons carries spikes too, each of weight 1
        driven = any(path[-1] == name and (len(path) > 2 or path[0] in neurons) for path in paths)
        populations[name] = _population(name, node, driven, nir)
    for name, node in graph.nodes.items():
        if isinstance(node, nir.Input) and any(path[0] == name and len(path) > 2 for path in paths):
            if sources is None or name not in sources:
                raise ValueError(
                    f"{name}: an Input whose signal is weighted needs a population; give sources={{{name!r}: ...}}"
                )
            populations[name] = Population(sources[name], int(np.prod(node.input_type["input"])))
    projections, used = [], {}
    for path in paths:
        if isinstance(graph.nodes[path[0]], nir.Input) and len(path) == 2:
            continue
        matrix, delay = _weights(graph, path, populations, nir)
        matrix = matrix if step is None else matrix * area
        label = next((k for k in path if isinstance(graph.nodes[k], nir.Linear | nir.Affine)), f"{path[0]}->{path[-1]}")
        used[label] = used.get(label, 0) + 1
        if used[label] > 1:
            label = f"{label} ({used[label]})"
        rule = connect.from_matrix(matrix.T)
        projections.append(Projection(path[0], path[-1], rule, delay=delay, name=label))
    if step is None and projections and graph.metadata.get("spikes") != IMPULSES["spikes"]:
        LOG.warning(
            "graph: its spikes are read as unit impulses, as NIR defines them; if it was trained in steps of dt, in "
            "which a spike is 1 for one step, read it with from_nir(graph, step=dt)"
        )
    return SpikingNetwork(populations, projections, [Constant(name, bias) for name, bias in currents.items()])


def _biases(graph, paths, nir):
    """Constant currents {neurons: (n,)} of the biases on the way to them, and the paths that carry spikes."""
    found, seen, kept = {}, set(), []
    for path in paths:
        node, bare = graph.nodes[path[-1]], False
        for k, name in enumerate(path[1:-1], 1):
            affine = graph.nodes[name]
            if not isinstance(affine, nir.Affine):
                continue
            bare = isinstance(graph.nodes[path[0]], nir.Input) and not np.any(affine.weight)
            if not np.any(affine.bias) or (name, path[-1]) in seen:  # a node adds its bias once, whatever reaches it
                continue
            if isinstance(node, nir.CubaLIF):
                raise ValueError(
                    f"{name}: an Affine with a bias in front of CubaLIF {path[-1]!r}, whose synapse would take time to "
                    "follow it; put it into v_leak"
                )
            seen.add((name, path[-1]))
            bias = np.ravel(np.asarray(affine.bias, dtype=float))
            for later in path[k + 1 : -1]:
                if isinstance(graph.nodes[later], nir.Scale):
                    bias = bias * np.ravel(graph.nodes[later].scale)
            if bias.shape != (np.size(node.v_threshold),):
                raise ValueError(f"{name}: a bias of shape {bias.shape}, expected ({np.size(node.v_threshold)},)")
            found[path[-1]] = found[path[-1]] + bias if path[-1] in found else bias
        if not bare:
            kept.append(path)
    return {name: _shared(bias) for name, bias in found.items()}, kept


class _Nodes(dict):
    """The nodes of a graph; refuses names that meet, and those that its file (HDF5) takes for a path."""

    def __setitem__(self, name, node):
        if name in self:
            raise ValueError(
                f"{name!r}: two nodes of the graph would have this name; rename a population or projection"
            )
        if "/" in name or name in ("", "."):
            raise ValueError(
                f"{name!r}: a NIR file takes '/' in a name for a path; rename the population or projection"
            )
        super().__setitem__(name, node)


def _nir():
    try:
        import nir
    except ImportError as error:
        raise ImportError("NIR needs its package: pip install 'physlearn-sim[nir]'") from error
    return nir


def _node(nir, name, population):
    """The node of a population, and the scale of its impulses (None where the node weighs them itself)."""
    model = population.model
    if not isinstance(model, LIF):
        raise ValueError(f"{name}: NIR has no {type(model).__name__}; LIF neurons can be exported")
    if np.any(np.asarray(model.refractory) > 0):
        raise ValueError(f"{name}: NIR has no refractory period, got {model.refractory!r} s; set it to 0")
    if model.exact_times:
        raise ValueError(f"{name}: NIR does not say how threshold crossings are found; set exact_times=False")
    if population.initial:
        raise ValueError(f"{name}: NIR has no initial state; drop `initial` and set the state when you run the network")
    tau, r, leak, threshold, reset = (np.broadcast_to(getattr(model, k), population.n).astype(float) for k in MODEL)
    values: dict[str, Any] = dict(r=r, v_leak=leak, v_threshold=threshold, v_reset=reset)
    if len(population.receptors) > 1:
        raise ValueError(
            f"{name}: NIR has one kind of synapse per neuron, got receptors {list(population.receptors)}; keep one"
        )
    for label, receptor in population.receptors.items():
        values["metadata"] = {"receptor": label}
        if receptor.reversal is not None:
            raise ValueError(f"{name}: NIR has no conductances, receptor {label!r} has a reversal potential")
        if isinstance(receptor, Delta):
            return nir.LIF(tau=tau, **values), tau / r
        if len(receptor.taus) > 1:
            raise ValueError(
                f"{name}: NIR has no {type(receptor).__name__} kernel (receptor {label!r}); use Exponential"
            )
        tau_syn = np.full(population.n, receptor.taus[0])
        w_in = tau_syn if receptor.normalised == "peak" else np.ones(population.n)
        return nir.CubaLIF(tau_mem=tau, tau_syn=tau_syn, w_in=w_in, **values), None
    return nir.LIF(tau=tau, **values), None


def _paths(graph, after, path, nir):
    """All ways from a population through weights and delays to the next."""
    found = []
    for name in after[path[-1]]:
        node = graph.nodes[name]
        if isinstance(node, nir.LIF | nir.CubaLIF | nir.Output):
            found.append([*path, name])
        elif name in path:
            raise ValueError(f"{name}: a loop without neurons in it, {' -> '.join([*path, name])}")
        else:
            found += _paths(graph, after, [*path, name], nir)
    return found


def _population(name, node, driven, nir):
    cuba = isinstance(node, nir.CubaLIF)
    fields = ("tau_mem" if cuba else "tau", "r", "v_leak", "v_threshold", "v_reset")
    values: dict[str, Any] = {to: _shared(getattr(node, given)) for to, given in zip(MODEL, fields, strict=True)}
    n = int(np.size(node.v_threshold))
    metadata = node.metadata if isinstance(node.metadata, dict) else {}
    label = metadata.get("receptor", "spikes" if driven or cuba else None)
    label = label.decode() if isinstance(label, bytes) else label
    receptors = {}
    if cuba:
        tau: Any = _shared(node.tau_syn)
        if np.ndim(tau):
            raise ValueError(f"{name}: tau_syn differs between neurons; put them into populations of one tau_syn each")
        receptors[label] = Exponential(tau, normalised="peak" if np.all(node.w_in == node.tau_syn) else "area")
    elif label is not None:
        receptors[label] = Delta()
    return Population(LIF(**values), n, receptors=receptors)


def _shared(values):
    values = np.asarray(values, dtype=float).ravel()
    return float(values[0]) if np.all(values == values[0]) else values


def _weights(graph, path, populations, nir):
    """Weights (targets, sources) and delay of one path from population to population."""
    source, target, node = populations[path[0]], populations[path[-1]], graph.nodes[path[-1]]
    matrix, delay, scale, linear = np.eye(source.n), 0.0, np.ones(target.n), False
    for name in path[1:-1]:
        step = graph.nodes[name]
        if isinstance(step, nir.Delay):
            if np.ptp(step.delay) > 0:
                raise ValueError(f"{name}: a delay for each neuron; split the population by delay")
            delay += float(np.ravel(step.delay)[0])
        elif isinstance(step, nir.Scale):
            if not linear:
                raise ValueError(f"{name}: a Scale before the weights; multiply it into them")
            scale = scale * np.ravel(step.scale)
        else:
            if linear:
                raise ValueError(f"{name}: two weight matrices in a row, {' -> '.join(path)}; multiply them")
            matrix, linear = np.asarray(step.weight, dtype=float), True
            if matrix.shape != (target.n, source.n):
                raise ValueError(f"{name}: weight of shape {matrix.shape}, expected ({target.n}, {source.n})")
    if not linear and source.n != target.n:
        raise ValueError(
            f"{' -> '.join(path)}: an edge without weights joins neuron k to neuron k, and there are {source.n} and "
            f"{target.n}; put a Linear node between them"
        )
    if isinstance(node, nir.CubaLIF):
        peak = next(iter(target.receptors.values())).normalised == "peak"  # the kernel says w_in = tau_syn
        gain = scale if peak else scale * np.ravel(node.w_in)
    else:
        gain = np.where(scale == np.ravel(node.tau / node.r), 1.0, scale * np.ravel(node.r / node.tau))
    return (matrix if np.all(gain == 1.0) else matrix * gain[:, None]), delay
