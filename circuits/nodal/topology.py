"""What no operating point can have: loops of voltages, cut sets of currents, nodes without a path to ground.

Found on the graph of the elements before anything is solved, and said by the elements' names.
"""

from __future__ import annotations


class Groups:
    """Union of nodes, with the element that joined each."""

    def __init__(self, n):
        self.parent, self.link = list(range(n)), {}

    def root(self, k):
        """Representative of k."""
        while self.parent[k] != k:
            self.parent[k] = self.parent[self.parent[k]]
            k = self.parent[k]
        return k

    def join(self, a, b):
        """Join two; False if they were one already."""
        a, b = self.root(a), self.root(b)
        self.parent[a] = b
        return a != b


def check_topology(elements, nodes, imposed=()):
    """Refuse what has no operating point.

    Parameters
    ----------
    elements : list of (name, element, tuple of int)
        Node numbers as ``element.pins`` orders them.
    nodes : list of str
        Ground first.
    imposed : sequence of (int, int)
        Nodes, or pairs of them, whose voltage a call may give (-1: against ground).
    """
    _no_loops_of_sources(elements, nodes)
    groups = Groups(len(nodes))
    for _, element, ends in elements:
        for a, b in element.conducts:
            groups.join(ends[a], ends[b])
    for a, b in imposed:
        groups.join(a, max(b, 0))
    home = groups.root(0)
    loose = [k for k in range(len(nodes)) if groups.root(k) != home]
    if not loose:
        return
    part = [k for k in range(len(nodes)) if groups.root(k) == groups.root(loose[0])]
    touching = [(name, element) for name, element, ends in elements if set(ends) & set(part)]
    what = "nodes " + ", ".join(repr(nodes[k]) for k in part[:5]) + (" ..." if len(part) > 5 else "")
    what = what if len(part) > 1 else f"node {nodes[part[0]]!r}"
    gates = [name for name, element, ends in elements if "gate" in element.pins and ends[1] in part]
    currents = [name for name, element in touching if type(element).__name__ in ("CurrentSource", "VCCS", "CCCS")]
    others = ", ".join(name for name, _ in touching[:5])
    if gates and not currents:
        raise ValueError(
            f"{gates[0]}: its gate floats: {what} has no direct-current path to ground; join it to a source"
        )
    if currents:
        raise ValueError(
            f"{', '.join(currents[:5])}: a cut set of current sources: {what} has no other path to ground, so that "
            "the currents have no way or no level; add a resistor"
        )
    raise ValueError(
        f"{others}: {what} floats: no direct-current path leads to ground (capacitors and gates carry none); "
        "add a resistor"
    )


def _no_loops_of_sources(elements, nodes):
    """Refuse loops in which every voltage is given."""
    groups, joined = Groups(len(nodes)), []
    for name, element, ends in elements:
        if not getattr(element, "imposes", False):
            continue
        a, b = ends[:2]
        if not groups.join(a, b):
            path = [*_path(joined, a, b), name]
            raise ValueError(
                f"{', '.join(path)}: a loop of voltage sources through {nodes[a]!r} and {nodes[b]!r}: their voltages "
                "contradict each other, or their current has no value; add a resistor to the loop, or drop one"
            )
        joined.append((name, a, b))


def _path(joined, start, goal):
    """Names of the elements on the way from one node to another, in the forest of voltage sources."""
    around: dict[int, list] = {}
    for name, a, b in joined:
        around.setdefault(a, []).append((b, name))
        around.setdefault(b, []).append((a, name))
    ways, queue = {start: []}, [start]
    for here in queue:
        for there, name in around.get(here, ()):
            if there not in ways:
                ways[there] = [*ways[here], name]
                queue.append(there)
    return ways.get(goal, [])
