"""Claims on networks of resistors: exact resistances, and learning in them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from physlearn.claims.claim import Claim, over_chains


def between(graph, a, b):
    """Effective resistance between two nodes, every edge 1 ohm."""
    from circuits import ResistorNetwork, effective_resistance

    return float(np.squeeze(effective_resistance(ResistorNetwork(graph, conductance=1.0), [(a, b)])))


def _named(build, a, b):
    def measure(scale, rng):
        import networkx as nx

        return between(build(nx), a, b)

    return measure


def _torus(dx, dy, size=256):
    def measure(scale, rng):
        from circuits import square_lattice

        return between(square_lattice(size, periodic=True), 0, size * dx + dy)

    return measure


def foster(scale, rng):
    """Sum of conductance times resistance over the edges of a random graph of 60 nodes."""
    from circuits import ResistorNetwork, effective_resistance, erdos_renyi_graph

    graph = erdos_renyi_graph(60, 0.2, rng=rng)
    network = ResistorNetwork(graph, conductance=rng.uniform(0.1, 2.0, graph.number_of_edges()))
    return float(np.sum(network.conductance * np.ravel(effective_resistance(network, list(network.edges)))))


def path_index(scale, rng):
    """Kirchhoff index of a path of 30 nodes."""
    import networkx as nx

    from circuits import ResistorNetwork, kirchhoff_index

    return float(kirchhoff_index(ResistorNetwork(nx.path_graph(30), conductance=1.0)))


def commute(scale, rng):
    """Steps of walks there and back over twice the edges times the network's resistance, on the Petersen graph."""
    import networkx as nx

    graph = nx.petersen_graph()
    near = np.array([sorted(graph[node]) for node in range(10)])
    unit = 2 * graph.number_of_edges() * between(graph, 0, 1)
    found = []
    for _ in range(20):
        steps = np.zeros(500 * scale, int)
        at, turned = np.zeros(len(steps), int), np.zeros(len(steps), bool)
        alive = np.ones(len(steps), bool)
        while alive.any():
            at[alive] = near[at[alive], rng.integers(0, 3, alive.sum())]
            steps[alive] += 1
            alive &= ~(turned & (at == 0))
            turned |= at == 1
        found.append(steps.mean() / unit)
    return over_chains(np.array(found)[:, None])


def _trained_lattice(rng):
    from circuits import ResistorNetwork, square_lattice

    return ResistorNetwork(
        square_lattice(4, periodic=True),
        conductance=rng.uniform(0.5, 1.5, 32),
        ground=[0],
        inputs={"input": [6, 13]},
        outputs={"output": [10, 3]},
    )


def _order(rule):
    def measure(scale, rng):
        from physlearn import SquaredError, check_gradient

        data = {"input": rng.uniform(-1, 1, (4, 2)), "output": rng.uniform(-1, 1, (4, 2))}
        nudges = np.geomspace(1e-3, 1e-1, 6)
        return check_gradient(_trained_lattice(rng), data, rule(), nudges, cost=SquaredError("output")).slope

    return measure


def one_sided():
    """Equilibrium propagation with one nudge."""
    from physlearn import EquilibriumPropagation

    return EquilibriumPropagation(nudge=0.01, variant="positive")


def centred():
    """Equilibrium propagation with two nudges."""
    from physlearn import EquilibriumPropagation

    return EquilibriumPropagation(nudge=0.01, variant="centred")


def xor_is_not_linear(scale, rng):
    """o00 + o11 - o01 - o10 of a random network of resistors."""
    network = _trained_lattice(rng)
    inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    out = np.asarray(network.read(network.solve(clamp={"input": inputs}).x, "output"))
    return np.abs(out[0] + out[3] - out[1] - out[2]).max()


def reciprocity(scale, rng):
    """Relative difference of the voltages at two nodes under a current into the other, by two equilibria."""
    from circuits import ResistorNetwork, erdos_renyi_graph

    graph = erdos_renyi_graph(40, 0.2, rng=rng)
    g = rng.uniform(0.1, 2.0, graph.number_of_edges())
    seen = []
    for a, b in ((4, 12), (12, 4)):
        network = ResistorNetwork(graph, conductance=g, ground=[0], currents=[a], outputs=[b])
        seen.append(float(np.squeeze(network.read(network.solve({"current": [1.0]}).x, "output"))))
    return abs(seen[0] / seen[1] - 1)


def johnson(scale, rng):
    """Variance of a capacitor's voltage over kT/C, through two unlike resistors."""
    from circuits import Capacitor, Circuit, Resistor
    from physlearn import integrate

    circuit = Circuit(
        {"A": (Resistor(1e3), "out", "0"), "B": (Resistor(4.7e4), "out", "0"), "C": (Capacitor(1e-12), "out", "0")},
        temperature=300.0,
    )
    run: Any = integrate(circuit, (0.0, 400 * 2e-9), dt=2e-9, noise=True, batch=100 * scale, rng=rng)
    settled = np.asarray(run.voltages["out"])[20:]  # (times, batch)
    return over_chains(np.square(settled).T / (1.380649e-23 * 300.0 / 1e-12))


def ladder(scale, rng):
    """Input of a ladder of 60 rungs."""
    import networkx as nx

    graph: Any = nx.Graph([("in", 1)])
    nx.add_path(graph, range(1, 61))
    graph.add_edges_from((k, "back") for k in range(1, 61))
    return between(graph, "in", "back")


RESISTORS = (
    Claim(
        "grid-10",
        "infinite square grid of 1 ohm: between neighbours",
        "Cserti 2000",
        0.5,
        _torus(1, 0),
        1e-4,
        "a torus of 256 x 256",
        unit="ohm",
    ),
    Claim(
        "grid-11",
        "infinite square grid of 1 ohm: across a square",
        "Cserti 2000",
        2 / math.pi,
        _torus(1, 1),
        1e-4,
        "a torus of 256 x 256",
        unit="ohm",
    ),
    Claim(
        "grid-20",
        "infinite square grid of 1 ohm: two steps along",
        "Cserti 2000",
        2 - 4 / math.pi,
        _torus(2, 0),
        1e-4,
        "a torus of 256 x 256",
        unit="ohm",
    ),
    Claim(
        "grid-21",
        "infinite square grid of 1 ohm: a knight's move",
        "Cserti 2000",
        4 / math.pi - 0.5,
        _torus(2, 1),
        1e-4,
        "a torus of 256 x 256",
        unit="ohm",
    ),
    Claim(
        "cube-edge",
        "cube of 1 ohm: along an edge",
        "van Steenwijk 1998",
        7 / 12,
        _named(lambda nx: nx.hypercube_graph(3), (0, 0, 0), (0, 0, 1)),
        unit="ohm",
    ),
    Claim(
        "cube-face",
        "cube of 1 ohm: across a face",
        "van Steenwijk 1998",
        3 / 4,
        _named(lambda nx: nx.hypercube_graph(3), (0, 0, 0), (0, 1, 1)),
        unit="ohm",
    ),
    Claim(
        "cube-body",
        "cube of 1 ohm: across the body",
        "van Steenwijk 1998",
        5 / 6,
        _named(lambda nx: nx.hypercube_graph(3), (0, 0, 0), (1, 1, 1)),
        unit="ohm",
    ),
    Claim(
        "hypercube",
        "hypercube of 8 dimensions: along an edge",
        "Foster 1949 (symmetry)",
        255 / 1024,
        _named(lambda nx: nx.hypercube_graph(8), (0,) * 8, (0,) * 7 + (1,)),
        unit="ohm",
    ),
    Claim(
        "dodecahedron",
        "dodecahedron of 1 ohm: along an edge",
        "van Steenwijk 1998",
        19 / 30,
        _named(lambda nx: nx.dodecahedral_graph(), 0, 1),
        unit="ohm",
    ),
    Claim(
        "icosahedron",
        "icosahedron of 1 ohm: along an edge",
        "van Steenwijk 1998",
        11 / 30,
        _named(lambda nx: nx.icosahedral_graph(), 0, 1),
        unit="ohm",
    ),
    Claim(
        "petersen",
        "Petersen graph: between nodes that are not neighbours",
        "Bapat 2010",
        4 / 5,
        _named(lambda nx: nx.petersen_graph(), 0, 2),
        unit="ohm",
    ),
    Claim(
        "complete",
        "complete graph of 50 nodes: between two",
        "closed form 2/n",
        2 / 50,
        _named(lambda nx: nx.complete_graph(50), 0, 1),
        unit="ohm",
    ),
    Claim(
        "ladder",
        "ladder of 60 rungs, one ohm each: its input",
        "golden ratio",
        (1 + math.sqrt(5)) / 2,
        ladder,
        unit="ohm",
    ),
    Claim("foster", "random graph of 60 nodes: sum of g R over its edges", "Foster 1949", 59.0, foster),
    Claim(
        "path-index",
        "path of 30 nodes: Kirchhoff index n (n^2 - 1)/6",
        "Klein and Randic 1993",
        30 * 899 / 6,
        path_index,
        unit="ohm",
    ),
    Claim(
        "commute",
        "walk on the Petersen graph, there and back: steps over twice its edges times the resistance",
        "Chandra et al. 1989",
        1.0,
        commute,
    ),
    Claim(
        "ep-one-sided",
        "equilibrium propagation, one nudge: order of the gradient's error in it",
        "Scellier and Bengio 2017; Laborieux et al. 2021",
        1.0,
        _order(one_sided),
        0.1,
        "a fit over nudges of 0.001 to 0.1",
    ),
    Claim(
        "ep-centred",
        "equilibrium propagation, two nudges: order of the gradient's error",
        "Laborieux et al. 2021",
        2.0,
        _order(centred),
        0.1,
        "a fit over nudges of 0.001 to 0.1",
    ),
    Claim(
        "linear-xor",
        "o00 + o11 - o01 - o10 of linear resistors",
        "Dillavou et al. 2024",
        0.0,
        xor_is_not_linear,
        1e-12,
        "rounding",
        unit="V",
    ),
    Claim(
        "reciprocity",
        "random network: relative difference of two transfer resistances",
        "Kirchhoff 1847; Maxwell",
        0.0,
        reciprocity,
        1e-12,
        "rounding",
    ),
    Claim(
        "johnson",
        "capacitor between two unlike resistors: mean square voltage over kT/C",
        "Johnson 1928; Nyquist 1928",
        1.0,
        johnson,
    ),
)
