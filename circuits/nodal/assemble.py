"""From elements and nodes to a system: layers, terms, theta, readouts."""

from __future__ import annotations

import numpy as np

from circuits.nodal.curves import Curves
from circuits.nodal.devices import ConvexDevices, Devices
from circuits.nodal.expressions import Expressions
from circuits.nodal.linear import Linear
from circuits.nodal.net import Net
from circuits.nodal.system import CircuitEnergy, CircuitSystem
from circuits.resistive.places import drop_rows
from physlearn.energy import Readout, Real
from physlearn.terms.edges import Edges


def assembled(elements, nodes, thermal_voltage, gmin, sensed) -> Net:
    """The equations of elements [(name, element, node numbers)]."""
    net = Net(nodes, thermal_voltage, gmin, sensed)
    # voltage sources first: others may ask for their currents
    for name, element, ends in sorted(elements, key=lambda part: part[0] not in sensed):
        element.place(name, ends, net)
    return net


def system_of(net: Net, groups, places):
    """The system of a net.

    Parameters
    ----------
    groups : mapping of str to list of str
        Readouts that stand for several sources at once, by the sources' names.
    places : mapping of str to (k, 2) array of int
        Readouts of node voltages and drops (-1: single node).
    """
    n, branches = len(net.nodes), len(net.branches)
    layers = {"v": (Real(), n)} | ({"i": (Real(), branches)} if branches else {})
    sizes = (n, branches) if branches else (n,)
    terms, theta = [], {}
    if net.edges:
        pairs = [(a, b) for _, a, b, _ in net.edges]
        terms.append(Edges("v", pairs, nodes=n, labels=net.nodes))
        theta["conductance"] = [g for *_, g in net.edges]
    if net.entries:
        terms.append(Linear(tuple(layers), sizes, net.matrix(), net.nodes))
    for sort, found in net.devices.items():
        terms.append(_devices(net, sort, found, tuple(layers), sizes))
        for name, column in terms[-1].learns.items():
            theta[name] = terms[-1].numbers[:, column]
    convex = not net.entries and all(isinstance(t, Edges | ConvexDevices) for t in terms)
    readouts, fixed = _sources(net, groups, n)
    for name, ends in places.items():
        single = bool(np.all(ends[:, 1] < 0))
        readouts[name] = Readout("v", index=ends[:, 0]) if single else Readout("v", rows=drop_rows(ends, n))
    kind = CircuitEnergy if convex else CircuitSystem
    return kind(layers, terms, theta, readouts, {"ground": [0.0]} | fixed)


def _devices(net, sort, found, layers, sizes):
    """All devices of one sort as a term."""
    n = len(net.nodes)
    place = net.place_of
    rows = np.array([(place(out), place(into)) for _, _, out, into, _, _ in found])
    drops = np.array([[[0 if end is None else place(end) for end in drop] for drop in part[4]] for part in found])
    drops = drops.reshape(len(found), -1, 2).astype(np.int64)  # an expression may depend on nothing
    numbers = np.array([part[1].numbers(net) for part in found], float).reshape(len(found), -1)
    limits = [part[5] for part in found]
    junctions = None
    if any(limit is not None for limit in limits):  # the others are never limited
        junctions = np.array([limit or (1.0, np.inf, 0.0) for limit in limits])
    names = [part[0] for part in found]
    if isinstance(sort, tuple) and sort[0] == "law":
        return Curves(sort[1:], names, layers, sizes, rows, drops, numbers, None, net.nodes[:n])
    if isinstance(sort, tuple):  # what an expression gives, and its form
        return Expressions(sort[1], names, layers, sizes, rows, drops, numbers, None, net.nodes[:n])
    make = ConvexDevices if sort.cocontent is not None else Devices
    return make(sort, names, layers, sizes, rows, drops, numbers, junctions, net.nodes[:n])


def _sources(net, groups, n):
    """Readouts of the sources and the values that hold unless a call gives others."""
    readouts, fixed = {"ground": Readout("v", index=[0])}, {}
    grouped = {name for names in groups.values() for name in names}
    alone = {name: [name] for name in [*net.voltages, *net.driven, *net.currents] if name not in grouped}
    for readout, names in {**alone, **{k: list(v) for k, v in groups.items()}}.items():
        if names[0] in net.driven:
            rows = [-1 - net.branches[name] for name in names]
            readouts[readout], values = Readout("i", index=rows, force=True), [net.driven[name] for name in names]
        elif names[0] in net.voltages:
            ends = np.array([net.voltages[name][:2] for name in names])
            grounded = bool(np.all(ends[:, 1] == 0))
            readouts[readout] = Readout("v", index=ends[:, 0]) if grounded else Readout("v", rows=_signed(ends, n))
            values = [net.voltages[name][2] for name in names]
        else:  # a current leaves its first node and enters its second
            ends = np.array([net.currents[name][:2] for name in names])
            readouts[readout] = Readout("v", rows=_signed(ends[:, ::-1], n), force=True)
            values = [net.currents[name][2] for name in names]
        fixed[readout] = values
    return readouts, fixed


def _signed(ends, n):
    """Rows with +1 on the first and -1 on the second node of each, ground left out."""
    import scipy.sparse as sp

    k = np.arange(len(ends))
    rows, columns = np.concatenate([k, k]), np.concatenate([ends[:, 0], ends[:, 1]])
    signs = np.repeat([1.0, -1.0], len(ends))
    kept = columns > 0
    return sp.csr_matrix((signs[kept], (rows[kept], columns[kept])), (len(ends), n))
