"""What a circuit is given: elements by name or on a graph, inputs and outputs, checked."""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx

from circuits.elements.element import Element
from circuits.resistive.places import is_known, terminals_of
from physlearn.checks import mapping, seen, sequence, text


def from_graph(graph):
    """{name: (element, u, v)} and node positions of a graph."""
    found: dict[str, tuple] = {}
    for u, v, *key, data in graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True):
        if "element" not in data:
            raise ValueError(f"netlist: edge {(u, v)!r} has no attribute 'element'; set one, such as Resistor(1e3)")
        name = data.get("name", f"{u}-{v}" + (f"#{key[0]}" if key and key[0] else ""))
        if name in found:
            raise ValueError(f"netlist: two edges are named {name!r}; give them names of their own")
        found[name] = (data["element"], u, v)
    pos = nx.get_node_attributes(graph, "pos")
    return found, pos if len(pos) == len(graph) else None


def checked(listed):
    """{name: (element, nodes)}, each with as many nodes as pins, not all the same."""
    listed = mapping("netlist", listed, expected="a mapping of names to (element, node, ...), or a networkx graph")
    elements = {}
    for name, entry in listed.items():
        text("netlist: name of an element", name)
        entry = sequence(f"netlist[{name!r}]", entry, expected="(element, node, ...)")
        element, *ends = entry or (None,)
        if not isinstance(element, Element):
            raise TypeError(f"netlist[{name!r}]: got {seen(element)}, expected an element first, such as Resistor(1e3)")
        if len(ends) != len(element.pins):
            raise ValueError(
                f"netlist[{name!r}]: {type(element).__name__} got {len(ends)} nodes, expected {len(element.pins)}: "
                + ", ".join(element.pins)
            )
        if ends[0] == ends[1] and len(ends) == 2:
            raise ValueError(f"netlist[{name!r}]: both ends are node {ends[0]!r} (a self-loop); remove it")
        elements[name] = (element, tuple(ends))
    if not elements:
        raise ValueError("netlist: it has no elements")
    return elements


def sensed(elements, groups):
    """Voltage sources whose current is an unknown: those that others depend on, and their whole groups."""
    found = set()
    for name, (element, _) in elements.items():
        for control in element.senses:
            if control not in elements or not elements[control][0].imposes:
                raise ValueError(f"{name}: its control {control!r} is no voltage source of the circuit")
            found.add(control)
    for names in groups.values():
        if found & set(names):
            found |= set(names)
    return found


def readouts_of(inputs, outputs, elements, number):
    """Groups of sources, places of nodes, and the two arguments by name."""
    groups, places, found = {}, {}, ({}, {})
    taken = {*elements, "ground", "v", "i"}
    for argument, given, default, kept in (
        ("inputs", inputs, "input", found[0]),
        ("outputs", outputs, "output", found[1]),
    ):
        if not isinstance(given, Mapping):
            given = sequence(argument, given, expected="a list of places, or a mapping of names to such lists")
            given = {default: given} if given else {}
        for name, entries in given.items():
            text(f"{argument}: name of a readout", name)
            if name in taken:
                raise ValueError(f"{argument}: the name {name!r} is taken; readouts and elements need distinct names")
            taken.add(name)
            entries = sequence(f"{argument}[{name!r}]", entries, expected="a list of places")
            sources = [entry for entry in entries if isinstance(entry, str) and entry in elements]
            if sources and argument == "inputs":
                _check_sources(name, entries, sources, elements, number)
                groups[name], kept[name] = tuple(entries), tuple(entries)
            else:
                kept[name], places[name] = terminals_of(f"{argument}[{name!r}]", entries, number)
    return groups, places, *found


def _check_sources(name, entries, sources, elements, number):
    kinds = {type(elements[source][0]).__name__ for source in sources}
    if len(sources) < len(entries):
        other = next(entry for entry in entries if entry not in sources)
        raise ValueError(f"inputs[{name!r}]: {seen(other)} is no source, the others are; give them separate names")
    if kinds not in ({"VoltageSource"}, {"CurrentSource"}):
        raise ValueError(f"inputs[{name!r}]: {sorted(kinds)}, expected voltage sources only, or current sources only")
    both = [source for source in sources if is_known(source, number)]
    if both:
        raise ValueError(f"inputs[{name!r}]: {both[0]!r} is a source and a node as well; rename one")
