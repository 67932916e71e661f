"""What a machine made of wires costs in physics, beside a processor that computes the same answer.

    inference   heat of all elements while the sources hold it, until its slowest mode has settled, and the charge of
                its nodes: P t + sum C v^2
    update      one inference of both twins, and the setting of every element that learns
    settling    ln(1 / accuracy) over the slowest rate of C dv/dt = I(v) about the rest
    processor   multiply-adds: the solves of an inference with the factors kept (linear), sweeps over the layers (deep
                resistive), or every Newton step with its factorisation; an update factors anew

All numbers are of the parts that `Technology` and `Processor` state, which are assumptions and not measurements.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import cast

import numpy as np

from circuits.elements.controlled import CCCS, CCVS, VCCS, VCVS
from circuits.elements.sources import CurrentSource, VoltageSource
from circuits.hardware.hardware import Hardware
from circuits.hardware.technology import Processor, Technology
from circuits.nodal.circuit import Circuit
from circuits.nodal.layered import as_circuit
from circuits.nodal.newton import Search
from circuits.nodal.plan import plan_of
from circuits.resistive.deep import DeepResistiveNetwork
from circuits.resistive.hessian import settling_time
from circuits.resistive.meters import dissipated_power
from circuits.resistive.resistor import ResistorNetwork
from physlearn.checks import instance, mapping
from physlearn.dynamics.frame import concatenate, frame_of
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.rest.relax import relax

SOURCES = (VoltageSource, CurrentSource, VCVS, VCCS, CCCS, CCVS)
LAW = 20.0  # multiply-adds of a nonlinear element's current and slopes


@dataclass(frozen=True)
class PhysicalCost:
    """What `physical_cost` found, a mean over the inputs given.

    Attributes
    ----------
    parts : mapping of str to int
        Elements of each kind in one copy of the network, and its nodes.
    area : float
        Of all copies, square metres.
    settling_time : float
        Seconds, of the slowest of the inputs.
    power : float
        Watts of one copy.
    joules_per_inference, joules_per_update : float
    operations_per_inference, operations_per_update : float
        Multiply-adds of a processor.
    processor_joules_per_inference, processor_joules_per_update : float
    processor_time : float
        Seconds of an inference.
    technology, processor
        The assumptions.

    Examples
    --------
    >>> from circuits import ResistorNetwork, square_lattice
    >>> network = ResistorNetwork(square_lattice(4), conductance=1e-5, ground=0, inputs=[5, 15], outputs=[10])
    >>> physical_cost(network, {"input": [0.5, 0.2]})
    PhysicalCost(5.31e-12 J an inference in 1.14e-06 s, 5.86e-11 J an update; processor 1.04e-08 J in 1.04e-07 s)
    """

    parts: dict
    area: float
    settling_time: float
    power: float
    joules_per_inference: float
    joules_per_update: float
    operations_per_inference: float
    operations_per_update: float
    processor_joules_per_inference: float
    processor_joules_per_update: float
    processor_time: float
    technology: Technology = field(repr=False)
    processor: Processor = field(repr=False)

    def __repr__(self):
        return (
            f"PhysicalCost({self.joules_per_inference:.3g} J an inference in {self.settling_time:.3g} s, "
            f"{self.joules_per_update:.3g} J an update; processor {self.processor_joules_per_inference:.3g} J in "
            f"{self.processor_time:.3g} s)"
        )


def physical_cost(machine, clamp, *, technology=None, processor=None) -> PhysicalCost:
    """Joules, seconds and parts of a machine of wires, beside a processor's.

    Parameters
    ----------
    machine : ResistorNetwork, Circuit, DeepResistiveNetwork or Hardware
    clamp : mapping of str to (k,) or (batch, k) array
        Inputs of the inferences, as for `solve`.
    technology : Technology, optional
    processor : Processor, optional

    Returns
    -------
    PhysicalCost

    Examples
    --------
    >>> from circuits import ResistorNetwork, square_lattice
    >>> network = ResistorNetwork(square_lattice(4), conductance=1e-5, ground=0, inputs=[5, 15], outputs=[10])
    >>> cost = physical_cost(network, {"input": [[0.5, 0.2], [0.1, 0.4]]})
    >>> cost.parts
    {'resistor': 24, 'node': 16}
    >>> cost.joules_per_inference < cost.processor_joules_per_inference
    True
    """
    technology = Technology() if technology is None else instance("technology", technology, Technology, "a Technology")
    processor = Processor() if processor is None else instance("processor", processor, Processor, "a Processor")
    machine = machine.network if isinstance(machine, Hardware) else machine
    deep = machine if isinstance(machine, DeepResistiveNetwork) else None
    machine = machine if deep is None else as_circuit(deep)
    instance("machine", machine, ResistorNetwork | Circuit, "a network of resistors or a Circuit")
    mapping("clamp", clamp)
    way = _of_resistors if isinstance(machine, ResistorNetwork) else _of_circuit
    parts, settling, power, charge, inference, update = way(machine, clamp, technology)
    learning = sum(value.size for value in machine.theta.values())
    if deep is not None:  # whose layers a processor settles one after the other
        inference = 2.0 * relax(deep, clamp=clamp, tol=1e-6).steps * learning
        update = technology.twins * (inference + learning)
    held = power * settling + charge
    return PhysicalCost(
        parts=parts,
        area=technology.twins * technology.area * sum(n for name, n in parts.items() if name != "node"),
        settling_time=settling,
        power=power,
        joules_per_inference=held,
        joules_per_update=technology.twins * (held + learning * technology.setting),
        operations_per_inference=inference,
        operations_per_update=update,
        processor_joules_per_inference=inference * processor.joules,
        processor_joules_per_update=update * processor.joules,
        processor_time=inference / processor.rate,
        technology=technology,
        processor=processor,
    )


def cost_table(costs) -> str:
    """A table of several machines, with its assumptions below.

    Parameters
    ----------
    costs : mapping of str to PhysicalCost

    Examples
    --------
    >>> from circuits import ResistorNetwork, square_lattice
    >>> network = ResistorNetwork(square_lattice(4), conductance=1e-5, ground=0, inputs=[5, 15], outputs=[10])
    >>> print(cost_table({"4x4": physical_cost(network, {"input": [0.5, 0.2]})}).splitlines()[0])
    machine  parts  mm^2  settling s  J/inference  J/update  processor J/inference  processor J/update  processor s
    """
    mapping("costs", costs, expected="a mapping of names to what physical_cost found")
    heads = (
        "machine", "parts", "mm^2", "settling s", "J/inference", "J/update", "processor J/inference",
        "processor J/update", "processor s",
    )  # fmt: skip
    rows: list[tuple] = [heads]
    for name, cost in costs.items():
        instance(f"costs[{name!r}]", cost, PhysicalCost, "what physical_cost found")
        numbers = (
            cost.area * 1e6, cost.settling_time, cost.joules_per_inference, cost.joules_per_update,
            cost.processor_joules_per_inference, cost.processor_joules_per_update, cost.processor_time,
        )  # fmt: skip
        parts = sum(n for kind, n in cost.parts.items() if kind != "node")
        rows.append((str(name), str(parts), *(f"{number:.2e}" for number in numbers)))
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
    said = dict.fromkeys(f"{_said(cost.technology)}; {_said(cost.processor)}" for cost in costs.values())
    return "\n".join([*lines, *(f"assumed: {line}" for line in said)])


def _said(assumed):
    return ", ".join(f"{part.name} {getattr(assumed, part.name):g}" for part in fields(assumed))


def _of_resistors(network, clamp, technology):
    """Parts, settling time, watts, charging joules, operations of an inference and of an update."""
    from physlearn.dynamics.linear.banded import plan_band

    x = np.atleast_2d(network.solve(clamp).x)
    imposed = [name for name in clamp if name in network.inputs]
    settling = settling_time(network, capacitance=technology.capacitance, accuracy=technology.accuracy, inputs=imposed)
    charge = technology.capacitance * float(np.mean(np.sum(x**2, 1)))
    frame = frame_of(network.energy, (*network.energy.fixed, *clamp))
    edges = network.energy.terms[0]
    _, band = plan_band(frame.cluster[edges.i], frame.cluster[edges.j], frame.m)
    band = min(band, frame.m)
    solve, factor = 2.0 * frame.m * band, 0.5 * frame.m * band**2
    if not frame.m:  # all voltages are given, and its currents are the answer
        solve = 2.0 * len(network.edges)
    parts = {"resistor": len(network.edges), "node": len(network.nodes)}
    power = float(np.mean(dissipated_power(network, x)))
    return parts, settling, power, charge, solve, factor + 2.0 * solve + 4.0 * len(network.edges)


def _of_circuit(circuit, clamp, technology):
    rest = circuit.solve(clamp)
    problem, _ = make_problem(circuit.system, None, clamp)
    state = circuit.system.state(rest.x)
    flat = concatenate(circuit.system, state)
    parts = Counter(type(element).__name__.lower() for element, _ in circuit.elements.values())
    parts = {name: n for name, n in parts.items() if name not in ("voltagesource", "currentsource")}
    number_of = {node: k for k, node in enumerate(circuit.nodes)}
    power = np.zeros(len(flat))
    for name, (element, ends) in circuit.elements.items():
        if not isinstance(element, SOURCES):
            a, b = (number_of[ends[element.pins.index(pin)]] for pin in _through(element))
            power += np.atleast_1d(rest.currents[name]) * (flat[:, a] - flat[:, b])
    plan = plan_of(problem)
    items = np.arange(len(flat))
    search = Search(problem, plan)
    _, slopes, _ = search.parts(flat, items, 1.0)
    data, _ = search.jacobian(flat, slopes, items)
    mass = _mass(circuit, plan, technology)
    settling = max(_slowest(plan, row, mass, technology) for row in data)
    size = plan.m**2 if plan.dense else len(plan.indices)
    fill = plan.m**3 / 3.0 if plan.dense else 10.0 * size
    laws = LAW * sum(len(term.names) for term in plan.devices)
    newton = max(rest.steps, 1) * (fill + size + laws)
    learning = sum(value.size for value in circuit.theta.values())
    charge = technology.capacitance * float(np.mean(np.sum(state["v"] ** 2, 1)))
    parts["node"] = len(circuit.nodes)
    return parts, settling, float(np.mean(power)), charge, newton, technology.twins * newton + 4.0 * learning


def _through(element):
    """Pins between which its current flows."""
    return ("drain", "source") if "drain" in element.pins else element.pins[:2]


def _mass(circuit, plan, technology):
    """Capacitances over the free unknowns, (m, m): of every node against ground, and the circuit's own."""
    whole = np.zeros((plan.n, plan.n))
    nodes = np.arange(1, plan.nodes)
    whole[nodes, nodes] = technology.capacitance
    for _, a, b, farads, _ in circuit.capacitors:
        whole[[a, b], [a, b]] += farads
        whole[[a, b], [b, a]] -= farads
    kept = np.flatnonzero(plan.frame.cluster >= 0)
    at = plan.frame.cluster[kept]
    mass = np.zeros((plan.m, plan.m))
    np.add.at(mass, (at[:, None], at[None, :]), whole[np.ix_(kept, kept)])
    return mass


def _slowest(plan, data, mass, technology):
    """Seconds in which the slowest mode about a rest falls to the accuracy."""
    import scipy.sparse as sp
    from scipy.linalg import eig

    if plan.dense:
        jacobian = data.reshape(plan.m, plan.m)
    else:
        jacobian = sp.csc_matrix((data, plan.indices, plan.indptr), (plan.m, plan.m)).toarray()
    if not plan.m:
        return 0.0
    # C dz/dt = J z, with 0 on the left for branches: generalised eigenvalues, of which infinite ones are left out
    siemens, farads = np.abs(jacobian).max(), mass.max()
    above, below = cast("tuple", eig(-jacobian / siemens, mass / farads, right=False, homogeneous_eigvals=True))
    finite = np.abs(below) > 1e-10 * np.abs(above)
    rates = (above[finite] / below[finite]).real * siemens / farads
    if np.any(rates <= 0):
        raise ValueError(
            "machine: it does not settle there: a mode about its rest grows, or no current flows (nodes that float)"
        )
    return float(np.log(1.0 / technology.accuracy) / rates.min()) if len(rates) else 0.0
