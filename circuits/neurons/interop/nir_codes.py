"""Population codes in NIR: encoders, LIF neurons, decoders and filters, as Nengo reads and writes them.

NIR's nodes are those of a population code: an ensemble is ``Affine`` (encoders times gain over radius, bias) and
``LIF``; a connection is ``Linear`` (decoders, (k, n)); what reaches an ensemble is filtered by ``LI``, whose value is
what the ensemble represents, and is also an ``Output``.  Spikes are unit impulses, so that ``LI`` with r = 1 filters
with unit area.  An ``Input`` "name.in" is the value of an ensemble that nothing else reaches; of others it is what
"name.input" gives, in units of x per second, behind ``Scale`` by tau.

NIR has no refractory period: a code with one is refused by name (``model=LIF(..., refractory=0.0)``).  The functions
that decoders were solved for are not in a file, the decoders are; so is the radius, as metadata.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.neurons.cells.lif import LIF
from circuits.neurons.coding.code import Connection, PopulationCode
from circuits.neurons.coding.ensemble import Ensemble

KIND = "population code"  # of a graph's metadata


def graph_of(code, nir):
    """The graph of a code."""
    nodes: dict[str, Any] = {}
    edges: list = []
    taus = {c.target: c.tau for c in code.connections}
    for name, ensemble in code.ensembles.items():
        model, n, d = ensemble.model, ensemble.n, ensemble.dimensions
        if np.any(np.asarray(model.refractory) > 0):
            raise ValueError(
                f"ensembles[{name!r}]: its neurons have a refractory period of {float(np.max(model.refractory))!r} s, "
                "which NIR cannot express; build the ensemble with model=LIF(..., refractory=0.0)"
            )
        nodes[f"{name}.in"] = nir.Input(input_type={"input": np.array([d])})
        meta = {"radius": ensemble.radius}
        nodes[f"{name}.encode"] = nir.Affine(ensemble.scaled_encoders.copy(), ensemble.bias.copy(), metadata=meta)
        values = (model.tau, model.resistance, model.v_rest, model.v_threshold, model.v_reset)
        tau, r, leak, top, reset = (np.full(n, 1.0) * value for value in values)
        nodes[name] = nir.LIF(tau=tau, r=r, v_leak=leak, v_threshold=top, v_reset=reset)
        edges.append((f"{name}.encode", name))
        if name not in taus:
            edges.append((f"{name}.in", f"{name}.encode"))
            continue
        nodes[f"{name}.scale"] = nir.Scale(np.full(d, taus[name]))
        nodes[f"{name}.filter"] = nir.LI(tau=np.full(d, taus[name]), r=np.ones(d), v_leak=np.zeros(d))
        nodes[f"{name}.out"] = nir.Output(output_type={"output": np.array([d])})
        edges += [(f"{name}.in", f"{name}.scale"), (f"{name}.scale", f"{name}.filter")]
        edges += [(f"{name}.filter", f"{name}.encode"), (f"{name}.filter", f"{name}.out")]
    for c in code.connections:
        if c.name in nodes:
            raise ValueError(f"Connection {c.name!r}: a node of that name is there already; give it another `name`")
        nodes[c.name] = nir.Linear(np.ascontiguousarray(code.theta[f"{c.name}.decoders"].T))
        edges += [(c.source, c.name), (c.name, f"{c.target}.filter")]
    return nir.NIRGraph(nodes, edges, metadata={"kind": KIND})


def code_of(graph, nir):
    """The code that a graph of `graph_of` describes: the same decoders, currents and rates."""
    nodes, taus = graph.nodes, {}
    ensembles = {name: _ensemble(name, nodes) for name, node in nodes.items() if isinstance(node, nir.LIF)}
    for name in ensembles:
        if f"{name}.filter" in nodes:
            taus[name] = float(nodes[f"{name}.filter"].tau[0])
    found = []
    for name, node in nodes.items():
        if not isinstance(node, nir.Linear):
            continue
        (source,) = (a for a, b in graph.edges if b == name)
        (end,) = (b for a, b in graph.edges if a == name)
        target = end.removesuffix(".filter")
        found.append(Connection(source, target, tau=taus[target], decoders=np.array(node.weight).T, name=name))
    return PopulationCode(ensembles, found)


def _ensemble(name, nodes):
    """An ensemble from its encoders times gain over radius, its biases and its neurons."""
    encode, cells = nodes[f"{name}.encode"], nodes[name]
    weight, bias = np.array(encode.weight, dtype=float), np.array(encode.bias, dtype=float)
    radius = float(encode.metadata.get("radius", 1.0))
    shared = {}
    for ours, theirs in dict(
        tau="tau", resistance="r", v_rest="v_leak", v_threshold="v_threshold", v_reset="v_reset"
    ).items():
        value = np.array(getattr(cells, theirs), dtype=float)
        shared[ours] = float(value[0]) if np.all(value == value[0]) else value
    return Ensemble.from_currents(weight, bias, radius=radius, model=LIF(**shared, exact_times=True))
