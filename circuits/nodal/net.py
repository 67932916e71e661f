"""The equations of a circuit while its elements write themselves into them (modified nodal analysis).

Unknowns are the node voltages and, for elements that need one, a current of their own ("branch").  The row of a node
holds the currents that flow into it; the row of a branch holds what must vanish, v(+) - v(-) less what the element
imposes, with the sign turned.  Rows of branches are negative numbers (-1, -2, ...) until all nodes are known.
Source: Ho, Ruehli, Brennan 1975.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Net:
    """Equations, written by `Element.place`.

    Parameters
    ----------
    nodes : list of str
        Names of the nodes, ground first; devices may add inner ones.
    thermal_voltage : float
        k T / q, volts.
    gmin : float
        Siemens that elements put across each of their junctions.
    sensed : set of str
        Voltage sources whose current must be an unknown, because another element depends on it.
    """

    def __init__(self, nodes, thermal_voltage, gmin, sensed):
        self.nodes, self.thermal_voltage, self.gmin, self.sensed = list(nodes), thermal_voltage, gmin, sensed
        self.numbers = {str(node): k for k, node in enumerate(nodes)}
        self.edges: list[tuple] = []  # name, a, b, siemens
        self.voltages: dict[str, tuple] = {}  # name: a, b, volts
        self.currents: dict[str, tuple] = {}  # name: a, b, amperes
        self.branches: dict[str, int] = {}  # name: row
        self.driven: dict[str, float] = {}  # sensed voltage sources: volts
        self.entries: list[tuple] = []  # row, column, value: what x[column] adds to the row
        self.devices: dict[Any, list] = {}  # sort: entries as `device` makes them
        self.capacitors: list[tuple] = []  # name, a, b, farads, volts at the start
        self.states: list[tuple] = []  # memristors: name, edge, element, a, b
        self.meters: dict[str, tuple] = {}  # linear currents: plus, minus, factor

    def inner(self, name, what):
        """A new node inside an element."""
        self.nodes.append(f"{name}#{what}")
        return len(self.nodes) - 1

    def node(self, name, label):
        """Number of the node that element ``name`` calls by its label."""
        if label not in self.numbers:
            raise ValueError(f"{name}: there is no node {label!r}")
        return self.numbers[label]

    def edge(self, name, a, b, siemens):
        """A conductance from a to b."""
        self.edges.append((name, a, b, siemens))

    def voltage(self, name, a, b, volts):
        """A given voltage from a to b."""
        if name in self.sensed:
            self.driven[name] = volts
            self.branch(name, a, b)
        else:
            self.voltages[name] = (a, b, volts)

    def current(self, name, a, b, amperes):
        """A given current that flows out of a and into b."""
        self.currents[name] = (a, b, amperes)

    def capacitor(self, name, a, b, farads, initial):
        """A capacitance from a to b."""
        self.capacitors.append((name, a, b, farads, initial))

    def free_current(self, name, a, b):
        """A current from a to b, unknown, whose row is still empty."""
        row = -1 - len(self.branches)
        self.branches[name] = row
        self.entries += [(a, row, -1.0), (b, row, 1.0)]
        return row

    def branch(self, name, a, b):
        """A voltage from a to b that the row's further entries impose; its current is an unknown."""
        row = self.free_current(name, a, b)
        self.entries += [(row, a, -1.0), (row, b, 1.0)]
        return row

    def current_of(self, name, control):
        """The unknown current of a voltage source that element ``name`` depends on."""
        if control not in self.branches:
            raise ValueError(f"{name}: there is no voltage source {control!r} to take the current of")
        return self.branches[control]

    def entry(self, row, plus, minus, value):
        """Add value * (x[plus] - x[minus]) to a row; None stands for zero."""
        for column, sign in ((plus, 1.0), (minus, -1.0)):
            if column is not None:
                self.entries.append((row, column, sign * value))

    def measured(self, name, plus, minus, factor):
        """The current of a linear element that is no branch: factor * (x[plus] - x[minus])."""
        self.meters[name] = (plus, minus, factor)

    def device(self, name, element, out, into, drops, junction=None, sort=None):
        """A law of drops (pairs of unknowns; None: zero), which leaves the row ``out`` and enters the row ``into``.

        ``junction``, (n V_T, critical voltage, bias), has the solver limit the first drop as SPICE does.
        Devices of one ``sort`` (default: the element's law) are evaluated together.
        """
        self.devices.setdefault(sort or type(element), []).append((name, element, out, into, drops, junction))

    def place_of(self, index):
        """Number among the unknowns (nodes, then branches) of a node or row; None: no row."""
        return -1 if index is None else index if index >= 0 else len(self.nodes) - 1 - index

    def matrix(self):
        """Entries as a sparse (n, n) matrix over the unknowns."""
        import scipy.sparse as sp

        n = len(self.nodes) + len(self.branches)
        rows = [self.place_of(row) for row, _, _ in self.entries]
        columns = [self.place_of(column) for _, column, _ in self.entries]
        return sp.csr_matrix((np.array([v for *_, v in self.entries], float), (rows, columns)), (n, n))
