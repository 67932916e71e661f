"""Resistor networks: ohmic resistors on the edges of any graph.

    E(v; g) = sum_e g_e (v_i - v_j)^2 / 2        over edges e = (i, j)

v are node voltages (V, relative to ground), g conductances (S), E half the dissipated power (W).  At
rest dE/dv = 0 on every node that no source holds: Kirchhoff's current law (1845).  That the voltages
minimise the power is Thomson's principle (Doyle and Snell 1984, section 3.5).  Linear and exact.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from circuits.resistive.places import drop_rows, is_known, terminals_of
from circuits.resistive.wires import siemens, wires
from physlearn.brief import short
from physlearn.checks import array, instance, mapping, seen, sequence, text
from physlearn.dynamics.frame import frame_of
from physlearn.dynamics.rest.equilibrium import Equilibrium
from physlearn.dynamics.rest.relax import relax
from physlearn.energy import Energy, Readout, Real
from physlearn.terms.edges import Edges

LEAST = 1e-6  # of the largest conductance: where learning without bounds stops, short of an open circuit


@dataclass(frozen=True, init=False, repr=False, eq=False)
class ResistorNetwork:
    """Ohmic resistors on the edges of an undirected graph.

    Parameters
    ----------
    graph : networkx.Graph or networkx.MultiGraph
        Any node labels.  Parallel edges of a multigraph stay separate resistors.
    conductance : str, float or (m,) array
        An edge attribute's name, one value for all, or one per edge in the order of ``graph.edges``.
    kind : {"conductance", "resistance"}
        Whether these are siemens or ohms.
    ground : node or list of nodes, optional
        Held at 0 V in every call, unless ``clamp`` gives "ground" other values.  Optional: input
        voltages alone may define the level.
    inputs : list of places, or mapping of str to such lists, optional
        Where voltages are imposed.  A place is a node (its voltage) or a pair of nodes (a, b) (the drop
        v_a - v_b, an ideal source between them); a list may mix both.  A bare list is named "input".
    outputs : list of places, or mapping of str to such lists, optional
        Places that are read, nudged or trained; a bare list is named "output".
    currents : list of places, or mapping of str to such lists, optional
        Where currents (A) are injected: into a node from ground, or into a and out of b for a pair
        (a, b).  A bare list is named "current".

    Attributes
    ----------
    nodes, edges : tuple
        Labels, in the order of ``graph.nodes`` and ``graph.edges``; edges carry keys in a multigraph.
    ground : tuple
        The grounded nodes.
    inputs, outputs, currents : dict of str to tuple of places
        As above, with names.
    terminals : dict of str to (k, 2) array of int
        Node numbers of every readout's places, ground included; -1 in the second column: single node.
    energy : Energy
        Layer "v" (n,), theta {"conductance": (m,) S}.
    pos : dict or None
        Node positions for drawing, if every node of the graph has the attribute ``pos``.

    Raises
    ------
    TypeError, ValueError
        Directed graphs, self-loops, conductances that are missing or not positive and finite, places
        that are no nodes, names used twice, sources that contradict each other.

    Examples
    --------
    A voltage divider, 3 V across 1 S and 2 S in series:

    >>> import networkx as nx
    >>> divider = ResistorNetwork(nx.path_graph(["a", "b", "c"]), conductance=[1.0, 2.0],
    ...                           ground="c", inputs=["a"], outputs=["b", ("a", "b")])
    >>> v = divider.solve({"input": [3.0]}).x
    >>> v
    array([3., 1., 0.])
    >>> divider.read(v, "output")
    array([1., 2.])
    """

    nodes: tuple
    edges: tuple
    ground: tuple
    inputs: dict[str, tuple]
    outputs: dict[str, tuple]
    currents: dict[str, tuple]
    terminals: dict[str, np.ndarray]
    energy: Energy
    pos: dict | None

    def __init__(
        self,
        graph,
        *,
        conductance: Any,
        kind: str = "conductance",
        ground: Any = (),
        inputs: Any = (),
        outputs: Any = (),
        currents: Any = (),
    ):
        nodes, edges, pairs = wires(graph)
        number = {node: k for k, node in enumerate(nodes)}
        g = siemens(edges, conductance, kind, graph)
        grounded = _grounded(ground, number)
        named = {"inputs": (inputs, "input"), "outputs": (outputs, "output")}
        named["currents"] = (currents, "current")
        terminals = {"ground": np.array([(number[a], -1) for a in grounded], int).reshape(-1, 2)}
        places: dict[str, dict] = {}
        for argument, (given, default) in named.items():
            places[argument] = {}
            for name, group in _groups(argument, given, default).items():
                text(f"{argument}: name of a readout", name)
                if name in terminals or name == "v":
                    raise ValueError(
                        f"{argument}: the name {name!r} is taken; readouts need distinct names, "
                        "and 'ground' and 'v' are the network's own"
                    )
                where = f"{argument}[{name!r}]"
                places[argument][name], terminals[name] = terminals_of(where, group, number)
        readouts = {
            name: _readout(ends, len(nodes), force=name in places["currents"])
            for name, ends in terminals.items()
            if len(ends)
        }
        energy = Energy(
            {"v": (Real(), len(nodes))},
            [Edges("v", pairs, nodes=len(nodes), labels=nodes, least=min(g.min(), LEAST * g.max()))],
            {"conductance": g},
            readouts,
            fixed={"ground": np.zeros(len(grounded))} if grounded else {},
        )
        for name in places["inputs"]:  # sources that contradict each other are refused here already
            frame_of(energy, (*energy.fixed, name))
        pos = nx.get_node_attributes(graph, "pos")
        values = dict(nodes=nodes, edges=edges, ground=grounded, terminals=terminals, energy=energy)
        values |= places | {"pos": pos if len(pos) == len(nodes) else None}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def system(self) -> Energy:
        """The `Energy` that the verbs move."""
        return self.energy

    @property
    def theta(self):
        """The parameters that can learn, read-only: "conductance", S."""
        return self.energy.theta

    def with_theta(self, theta) -> ResistorNetwork:
        """The same network with other conductances, such as learnt ones; symbolic work on the graph is shared."""
        return self.with_conductance(self.energy.with_theta(theta).theta["conductance"])

    @property
    def conductance(self) -> np.ndarray:
        """Conductance of every edge, (m,) S, read-only."""
        view = self.energy.theta["conductance"].view()
        view.flags.writeable = False
        return view

    def with_conductance(self, conductance, *, kind="conductance") -> ResistorNetwork:
        """Return the same network with other values, in siemens or ohms.

        Symbolic work on the graph (orderings, patterns) is shared with the original.

        Parameters
        ----------
        conductance : float or (m,) array
            In the order of ``edges``.
        kind : {"conductance", "resistance"}
            Siemens or ohms.

        Examples
        --------
        >>> import networkx as nx
        >>> wire = ResistorNetwork(nx.path_graph(2), conductance=1.0)
        >>> wire.with_conductance([4.0], kind="resistance").conductance
        array([0.25])
        """
        g = siemens(self.edges, conductance, kind)
        changed = copy.copy(self)
        object.__setattr__(changed, "energy", self.energy.with_theta({"conductance": g}))
        return changed

    def to_graph(self):
        """The network as a networkx graph; places are attributes of the nodes.

        Returns
        -------
        networkx.Graph or MultiGraph
            Nodes with "ground", "inputs" and "outputs" where they are such places; edges with "conductance", siemens.

        Examples
        --------
        >>> import networkx as nx
        >>> from circuits import ResistorNetwork
        >>> graph = ResistorNetwork(nx.path_graph(3), conductance=2.0, ground=0, inputs=[2]).to_graph()
        >>> graph.edges[0, 1]["conductance"], graph.nodes[0], graph.nodes[2]
        (2.0, {'ground': True}, {'inputs': ['input']})
        """
        import networkx as nx

        plain = len({frozenset(edge) for edge in self.edges}) == len(self.edges)
        graph = nx.Graph() if plain else nx.MultiGraph()
        graph.add_nodes_from(self.nodes)
        for (a, b), value in zip(self.edges, self.conductance, strict=True):
            graph.add_edge(a, b, conductance=float(value))
        for node in self.ground:
            graph.nodes[node]["ground"] = True
        for kind in ("inputs", "outputs", "currents"):
            for name, places in getattr(self, kind).items():
                for place in places:
                    for node in place if isinstance(place, tuple) and place not in graph else (place,):
                        graph.nodes[node].setdefault(kind, []).append(name)
        for node, at in (self.pos or {}).items():
            graph.nodes[node]["pos"] = tuple(map(float, at))
        return graph

    def solve(self, clamp=None, *, nudge=None) -> Equilibrium:
        """Node voltages under imposed voltages and injected currents.

        Parameters
        ----------
        clamp : mapping of str to (k,) or (batch, k) array
            Readout name to volts (amperes where declared in ``currents``).  Readouts not named are left
            free; ground is held at 0 V.
        nudge : Nudge, optional
            A cost added to the energy; see `physlearn.relax`.

        Returns
        -------
        Equilibrium
            ``x`` are the voltages in the order of ``nodes``, (n,) or (batch, n).

        Raises
        ------
        ValueError
            Names or shapes that do not fit, sources that contradict each other (nodes are named), nodes
            that float because no resistor leads from them to a given voltage.

        Examples
        --------
        >>> import networkx as nx
        >>> ring = ResistorNetwork(nx.cycle_graph(4), conductance=1.0, ground=0, currents=[2])
        >>> ring.solve({"current": [1.0]}).x
        array([0. , 0.5, 1. , 0.5])
        """
        if clamp is not None:
            mapping("clamp", clamp)
        return relax(self.energy, clamp=clamp, nudge=nudge)

    def read(self, x, places):
        """Voltages at places: (k,) of one state (n,), (batch, k) of a batch (batch, n).

        Parameters
        ----------
        x : (n,) or (batch, n) array
            Node voltages, V.
        places : str or list of places
            A readout's name, or nodes and pairs of nodes.

        Examples
        --------
        >>> import networkx as nx
        >>> line = ResistorNetwork(nx.path_graph(3), conductance=1.0, ground=2, inputs=[0])
        >>> line.read([2.0, 1.0, 0.0], [1, (0, 1)])
        array([1., 1.])
        """
        if isinstance(places, str):
            if places not in self.terminals:
                raise ValueError(
                    f"places: there is no readout {places!r}, expected one of {list(self.terminals)} "
                    "or a list of nodes and node pairs"
                )
            ends = self.terminals[places]
        else:
            number = {node: k for k, node in enumerate(self.nodes)}
            ends = terminals_of("places", places, number)[1]
        x = voltages(self, x)
        low = np.where(ends[:, 1] >= 0, x[..., ends[:, 1]], 0.0)
        return x[..., ends[:, 0]] - low

    def __repr__(self):
        sizes = {k: {n: len(p) for n, p in getattr(self, k).items()} for k in ("inputs", "outputs")}
        return (
            f"ResistorNetwork({len(self.nodes)} nodes, {len(self.edges)} edges, ground={short(list(self.ground))}, "
            f"inputs={short(sizes['inputs'])}, outputs={short(sizes['outputs'])})"
        )


def checked_network(network) -> ResistorNetwork:
    """The network, if it is one."""
    return instance("network", network, ResistorNetwork, "a ResistorNetwork")


def voltages(network, x):
    """States of a network, (n,) or (batch, n) V."""
    n = len(checked_network(network).nodes)
    x = array("x", x)
    if x.shape[-1:] != (n,):
        raise ValueError(f"x: shape {x.shape}, expected ({n},) or (batch, {n}), one voltage per node")
    return x


def _grounded(ground, number):
    """Grounded labels: a tuple may be one node's label, so several come as a list."""
    if ground is None or (isinstance(ground, tuple) and not ground):
        return ()
    grounded = tuple(ground) if isinstance(ground, list | range | np.ndarray) else (ground,)
    for node in grounded:
        if not is_known(node, number):
            raise ValueError(f"ground: {seen(node)} is no node of the graph; give a node or a list")
    if len(set(grounded)) < len(grounded):
        raise ValueError(f"ground: {ground!r} names a node twice; name it once")
    return grounded


def _groups(argument, given, default):
    """``{name: list of places}``."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return given
    expected = "a list of nodes and node pairs, or a mapping of names to such lists"
    given = sequence(argument, given, expected=expected)
    return {default: given} if given else {}


def _readout(ends, n, force):
    if np.all(ends[:, 1] < 0):
        return Readout("v", index=ends[:, 0], force=force)
    return Readout("v", rows=drop_rows(ends, n), force=force)
