"""Circuit: elements joined at nodes, solved, measured and trained."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import networkx as nx
import numpy as np

from circuits.elements.resistor import Resistor
from circuits.nodal.assemble import assembled, system_of
from circuits.nodal.given import checked, from_graph, readouts_of, sensed
from circuits.nodal.measure import currents_of
from circuits.nodal.net import Net
from circuits.nodal.operating_point import Named, OperatingPoint
from circuits.nodal.topology import check_topology
from circuits.nodal.transient import Transient, follow
from circuits.resistive.places import is_known, terminals_of
from physlearn.brief import short
from physlearn.checks import array, mapping, not_negative, positive, seen, sequence, text
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.rest.relax import relax

BOLTZMANN, CHARGE = 1.380649e-23, 1.602176634e-19  # J/K and C, exact since 2019
ROOM = 300.15  # K, SPICE's 27 degrees Celsius


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Circuit:
    """Elements joined at nodes.

    Parameters
    ----------
    netlist : mapping of str to tuple, or networkx graph
        Name to (element, node, ...), nodes in the order of the element's ``pins``; or a graph whose edges
        have an attribute ``element`` (and perhaps ``name``; default "u-v"), first pin at the edge's first node.
    ground : node
        The node at 0 V.
    inputs : list of places, or mapping of str to such lists, optional
        What a call may impose under one name: a source (by its name), a node (its voltage) or a pair of nodes (the
        drop).  A bare list is named "input".  Sources keep their own value where a call gives none.
    outputs : list of places, or mapping of str to such lists, optional
        Nodes and pairs of nodes that are read, nudged or trained; a bare list is named "output".
    temperature : float
        Kelvin.
    gmin : float
        Siemens across every junction, as in SPICE, whose default is 1e-12.
    thermal_voltage : float, optional
        Volts; default k T / q with the constants of 2019.  Simulators carry older ones.
    initial : mapping of node to float, optional
        Where the search for an operating point starts (SPICE's .nodeset), volts.
    title : str
        First line of a netlist written from it.
    notes : tuple of str
        What a reader of netlists passed over.

    Attributes
    ----------
    elements : mapping of str to (Element, tuple of nodes)
    nodes : tuple
        Ground first, inner nodes of elements last.
    system : Energy or System
        Layer "v" (volts), and "i" for currents that are unknowns; what `relax` and `learn` take.
    theta : mapping of str to array
        Its learning degrees of freedom: "conductance" (S) of resistors, "gate" (V) of transistor edges.

    Raises
    ------
    ValueError, TypeError
        Elements at one node, loops of voltage sources, places that do not exist.

    Examples
    --------
    A diode behind a resistor:

    >>> from circuits import Diode, Resistor, VoltageSource
    >>> circuit = Circuit({"V1": (VoltageSource(5.0), "in", "0"), "R1": (Resistor(1e3), "in", "out"),
    ...                    "D1": (Diode(1e-14), "out", "0")})
    >>> rest = circuit.solve()
    >>> rest.converged, f"{rest.voltages['out']:.3f} V", f"{rest.currents['D1'] * 1e3:.3f} mA"
    (True, '0.693 V', '4.307 mA')

    A batch of inputs:

    >>> circuit.solve({"V1": [[1.0], [2.0]]}).voltages["out"].round(3)
    array([0.629, 0.663])
    """

    elements: Mapping[str, tuple]
    nodes: tuple
    ground: Any
    inputs: dict[str, tuple]
    outputs: dict[str, tuple]
    system: Any
    temperature: float
    gmin: float
    thermal_voltage: float
    initial: dict
    title: str
    notes: tuple
    pos: dict | None
    _net: Net
    _groups: dict

    def __init__(
        self,
        netlist,
        *,
        ground: Any = "0",
        inputs: Any = (),
        outputs: Any = (),
        temperature: float = ROOM,
        gmin: float = 0.0,
        thermal_voltage: float | None = None,
        initial: Any = None,
        title: str = "circuit",
        notes: tuple = (),
    ):
        temperature, gmin = positive("temperature", temperature), not_negative("gmin", gmin)
        volts = BOLTZMANN * temperature / CHARGE if thermal_voltage is None else thermal_voltage
        volts = positive("thermal_voltage", volts)
        text("title", title)
        notes = sequence("notes", notes, of=str, expected="a list of texts")
        listed, pos = from_graph(netlist) if isinstance(netlist, nx.Graph) else (netlist, None)
        elements = checked(listed)
        if not is_known(ground, {node: 0 for _, ends in elements.values() for node in ends}):
            raise ValueError(f"ground: no element is joined to {seen(ground)}; voltages need a node at zero")
        nodes = [ground, *dict.fromkeys(node for _, ends in elements.values() for node in ends)]
        nodes = list(dict.fromkeys(nodes))
        number = {node: k for k, node in enumerate(nodes)}
        groups, places, inputs, outputs = readouts_of(inputs, outputs, elements, number)
        numbered = [(name, e, tuple(number[node] for node in ends)) for name, (e, ends) in elements.items()]
        check_topology(
            numbered, [str(node) for node in nodes], [ends for p in inputs if p in places for ends in places[p]]
        )
        net = assembled(numbered, nodes, volts, gmin, sensed(elements, groups))
        start = {node: float(v) for node, v in mapping("initial", initial or {}, number).items()}
        values = dict(elements=MappingProxyType(elements), nodes=tuple(net.nodes), ground=ground, inputs=inputs)
        values |= dict(
            outputs=outputs, temperature=temperature, gmin=gmin, thermal_voltage=volts, title=title, notes=notes
        )
        values |= dict(initial=start, pos=pos, _net=net, _groups=groups, system=system_of(net, groups, places))
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def theta(self):
        """Learning degrees of freedom of the system, read-only."""
        return self.system.theta

    def with_theta(self, theta) -> Circuit:
        """Return the same circuit with other learning degrees of freedom, its elements included.

        Parameters
        ----------
        theta : mapping of str to array
            Some or all of them, shaped as they are.

        Examples
        --------
        >>> from circuits import Resistor, VoltageSource
        >>> wire = Circuit({"V1": (VoltageSource(1.0), "a", "0"), "R1": (Resistor(4.0), "a", "0")})
        >>> wire.with_theta({"conductance": [0.5]}).elements["R1"]
        (Resistor(resistance=2.0), ('a', '0'))
        """
        changed = copy.copy(self)
        system = self.system.with_theta(theta)
        elements = dict(self.elements)
        if "conductance" in theta:
            for (name, *_), old, new in zip(
                self._net.edges, self.theta["conductance"], system.theta["conductance"], strict=True
            ):
                if old != new and name in elements and isinstance(elements[name][0], Resistor):
                    elements[name] = (Resistor(1.0 / positive(f"conductance of {name}", float(new))), elements[name][1])
        for term in system.terms:
            for name in getattr(term, "learns", {}):
                if name in theta:
                    for device, value in zip(term.names, system.theta[name], strict=True):
                        element, ends = elements[device]
                        elements[device] = (replace(element, **{name: float(value)}), ends)
        for name, value in {"system": system, "elements": MappingProxyType(elements)}.items():
            object.__setattr__(changed, name, value)
        return changed

    def solve(self, clamp=None, *, x0=None, nudge=None, tol=1e-9, max_steps=2000, unconverged="warn") -> OperatingPoint:
        """Operating point: all voltages and currents at rest.

        Parameters
        ----------
        clamp : mapping of str to (k,) or (batch, k) array, optional
            Source or input to volts or amperes, in place of the sources' own values.
        x0 : OperatingPoint, array or mapping of layers to arrays, optional
            Where to start: the solution of a similar problem saves most of the steps.
        nudge : Nudge, optional
            A cost added to the circuit; see `physlearn.relax`.
        tol : float
            Largest current left at a node, relative to its conductances times the largest voltage.
        max_steps : int
            Newton steps, those of gmin and source stepping included.
        unconverged : {"warn", "raise", "ignore"}

        Returns
        -------
        OperatingPoint

        Raises
        ------
        ConvergenceError
            With ``unconverged="raise"``.

        Examples
        --------
        >>> from circuits import Resistor, VoltageSource
        >>> wire = Circuit({"V1": (VoltageSource(1.0), "a", "0"), "R1": (Resistor(4.0), "a", "0")})
        >>> wire.solve({"V1": [[2.0], [4.0]]}).currents["R1"]
        array([0.5, 1. ])
        """
        if clamp is not None:
            mapping("clamp", clamp, [*self.system.readouts], "a mapping of sources or inputs to values")
        start = x0.x if isinstance(x0, OperatingPoint) else x0
        if start is None and self.initial:
            start = self._start()
        rest = relax(
            self.system,
            start,
            clamp=clamp,
            nudge=nudge,
            method="own",
            tol=tol,
            max_steps=max_steps,
            unconverged=unconverged,
        )
        return self._named(rest, clamp, nudge)

    def _start(self):
        v = np.zeros(len(self.nodes))
        for node, volts in self.initial.items():
            v[self.nodes.index(node)] = volts
        system = self.system
        return {"v": v, "i": np.zeros(system.layers["i"].size)} if "i" in system.layers else v

    def _named(self, rest, clamp, nudge):
        system = self.system
        x = system.state(rest.x)
        problem, _ = make_problem(system, None, clamp, nudge)
        currents, loose = currents_of(self._net, problem, x, self._groups)
        single = np.ndim(rest.residual) == 0
        pick = (lambda value: float(value[0])) if single else (lambda value: value)
        voltages = Named({node: pick(x["v"][:, k]) for k, node in enumerate(self.nodes)})
        found = Named({name: pick(value) for name, value in currents.items()})
        floating = tuple(node for node, free in zip(self.nodes, loose, strict=True) if free)
        known = {part.name: getattr(rest, part.name) for part in fields(rest)}
        return OperatingPoint(**known, voltages=voltages, currents=found, floating=floating)

    def read(self, x, places):
        """Voltages at places of states (n,) or (batch, n), as `ResistorNetwork.read`; an OperatingPoint will do.

        Parameters
        ----------
        x : OperatingPoint, array or mapping of layers to arrays
        places : str or list of places
            An output's name, or nodes and pairs of nodes.

        Examples
        --------
        >>> from circuits import Resistor, VoltageSource
        >>> wire = Circuit({"V1": (VoltageSource(1.0), "a", "0"), "R1": (Resistor(4.0), "a", "0")})
        >>> wire.read(wire.solve(), ["a", ("0", "a")])
        array([ 1., -1.])
        """
        v = x.x if isinstance(x, OperatingPoint) else x
        v = array("x", mapping("x", v, ("v", "i"))["v"] if isinstance(v, Mapping) else v, ndim=(1, 2))
        if v.shape[-1] != len(self.nodes):
            raise ValueError(f"x: shape {v.shape}, expected {len(self.nodes)} voltages, one per node")
        if isinstance(places, str) and places in self.outputs:
            places = self.outputs[places]
        ends = terminals_of("places", places, {node: k for k, node in enumerate(self.nodes)})[1]
        return v[..., ends[:, 0]] - np.where(ends[:, 1] >= 0, v[..., ends[:, 1]], 0.0)

    @property
    def capacitors(self):
        """Capacitors as (name, node number, node number, farads, initial volts or None)."""
        return tuple(self._net.capacitors)

    @property
    def memristors(self):
        """Elements with a state as (name, edge, element, node number, node number)."""
        return tuple(self._net.states)

    def __integrate__(
        self,
        t_span,
        *,
        dt=None,
        tol=1e-4,
        times=None,
        method="auto",
        x0=None,
        uic=False,
        clamp=None,
        noise=False,
        every=1,
        batch=1,
        rng=None,
    ) -> Transient:
        """Follow the circuit in time; called by `physlearn.integrate`.

        Parameters
        ----------
        t_span : (float, float)
            Begin and end, s.
        dt : float, optional
            Length of every step, s, of which t_span is a whole number.  Default: steps as long as ``tol`` allows, which
            end where a waveform has a corner.
        tol : float
            Relative error of such a step, of every capacitor's voltage (beside a thousandth of the largest voltage)
            and of every memristor's state.
        times : (k,) array, optional
            When to keep the state, s, without ``dt``; default every step.
        method : {"auto", "trapezoidal", "bdf2", "midpoint"}
            All of order 2.  "auto" is trapezoidal, and midpoint under noise.
        x0 : OperatingPoint, array or mapping of layers to arrays, optional
            State at the start; default the operating point there.
        uic : bool
            Start from the capacitors' ``initial`` voltages instead (those without one are empty).
        clamp : mapping of str to array or to function of time, optional
            Source or input to values, in place of the sources' own values and waveforms.
        noise : bool
            Johnson noise of all resistors at the circuit's temperature.
        every : int
            Keep every so many steps.
        batch : int
            How many runs at once, with noise of their own.
        rng : int, Generator or None
            Of the noise; a run's noise does not depend on how many there are.

        Examples
        --------
        A capacitor of 1 uF charging through 1 kohm: the time constant is 1 ms.

        >>> from circuits import Capacitor, Resistor, VoltageSource
        >>> from physlearn import integrate
        >>> rc = Circuit({"V1": (VoltageSource(1.0), "a", "0"), "R1": (Resistor(1e3), "a", "b"),
        ...               "C1": (Capacitor(1e-6), "b", "0")})
        >>> run = integrate(rc, (0.0, 1e-3), dt=1e-5, uic=True, method="bdf2")
        >>> print(f"{run.voltages['b'][-1]:.4f}", f"{1 - np.exp(-1):.4f}")
        0.6321 0.6321
        """
        return follow(
            self,
            t_span,
            dt=dt,
            tol=tol,
            times=times,
            method=method,
            x0=x0,
            uic=uic,
            clamp=clamp,
            noise=noise,
            every=every,
            batch=batch,
            rng=rng,
        )

    def __repr__(self):
        return (
            f"Circuit({len(self.elements)} elements, {len(self.nodes)} nodes, ground={self.ground!r}, "
            f"inputs={short(dict.fromkeys(self.inputs))}, outputs={short(dict.fromkeys(self.outputs))})"
        )
