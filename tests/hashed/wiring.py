"""Runs of resistor networks and their observables, of formats, and of studies."""

import tempfile
import warnings
from pathlib import Path

import networkx as nx
import numpy as np

from circuits import (
    ResistorNetwork,
    amplifier_network,
    amplifier_outputs,
    complete_graph,
    cost_hessian,
    dissipated_power,
    edge_currents,
    effective_resistance,
    energy_per_inference,
    erdos_renyi_graph,
    kirchhoff_index,
    laplacian,
    layered_graph,
    random_geometric_graph,
    random_regular_graph,
    resistance_matrix,
    response,
    settling_time,
    soft_modes,
    source_currents,
    spice_names,
    square_lattice,
    to_spice,
)
from physlearn import Nudge, SquaredError, relax
from physlearn.io import read_couplings, read_gset
from physlearn.models import Hopfield
from physlearn.study import grid, study
from physlearn.terms import inflow


def generator(seed=0):
    return np.random.default_rng(seed)


def network(graph=None, **more):
    graph = square_lattice(5) if graph is None else graph
    nodes = list(graph.nodes)
    g = generator(1).uniform(0.5, 2.0, graph.number_of_edges())
    places = {"ground": nodes[-1], "inputs": [nodes[0]], "outputs": [nodes[7], (nodes[8], nodes[3])]}
    return ResistorNetwork(graph, conductance=g, **(places | {"currents": [nodes[5]]} | more))


def solved():
    machine = network()
    clamp = {"input": [[1.0], [2.0]], "current": [0.1]}
    found = machine.solve(clamp)
    nudged = machine.solve(clamp, nudge=Nudge(SquaredError("output"), [0.3, 0.1], 0.5))
    return (
        found,
        nudged,
        edge_currents(machine, found.x),
        source_currents(machine, found.x),
        dissipated_power(machine, found.x),
        energy_per_inference(machine, found.x, settling_time=1e-6),
        machine.read(found.x, "output"),
        relax(machine.energy, clamp=clamp),
    )


def sources_between_nodes():
    graph = square_lattice(5)
    nodes = list(graph.nodes)
    machine = network(graph, inputs=[(nodes[1], nodes[2]), nodes[0]])
    return machine.solve({"input": [0.5, 1.0]}), machine.with_conductance(2.0, kind="resistance").conductance


def graphs():
    made = [
        square_lattice(3, 4, periodic=True),
        complete_graph(5),
        layered_graph([2, 3, 1]),
        random_regular_graph(12, 3, rng=1),
        random_geometric_graph(20, 0.4, rng=1),
        erdos_renyi_graph(15, 0.4, rng=1),
    ]
    return [nx.to_numpy_array(graph) for graph in made]


def resistances():
    machine = network(random_regular_graph(40, 4, rng=1))
    pairs = [(machine.nodes[0], machine.nodes[k]) for k in (1, 5, 30)]
    small = network(inputs=[], outputs=[], currents=[], ground=())
    wide = ResistorNetwork(square_lattice(40), conductance=1.0)
    far = (wide.nodes[0], wide.nodes[-1])
    return (
        effective_resistance(machine, pairs),
        resistance_matrix(machine),
        kirchhoff_index(small),
        effective_resistance(wide, far),
    )


def responses():
    machine = network()
    modes, shapes = soft_modes(machine, 3)
    data = {"input": [[1.0], [0.5]], "output": [[0.2, 0.1], [0.1, 0.0]], "current": [[0.0], [0.1]]}
    return (
        laplacian(machine).toarray(),
        response(machine),
        response(machine, to="current"),
        modes,
        np.abs(shapes),
        settling_time(machine, capacitance=1e-9),
        cost_hessian(machine, data, SquaredError("output")),
    )


def spice():
    machine = network()
    return [to_spice(machine, {"input": [1.0], "current": [0.1]}), list(map(str, spice_names(machine)))]


def amplifiers():
    memory = Hopfield.store([[1, 1, -1, -1], [1, -1, 1, -1]])
    made, s = amplifier_network(memory.couplings), np.array([1.0, 1.0, -1.0, 1.0])
    return made.solve({"outputs": amplifier_outputs(s)})


def formats():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph"
        path.write_text("3 3\n1 2 1\n2 3 1\n1 3 -1\n")
        graph = read_gset(path)
        path = Path(folder) / "j.mtx"
        path.write_text("%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n2 1 0.5\n3 2 -1\n")
        return graph, read_couplings(path)


def studied(task, space, **more):
    """Results of a study, in the order of their names."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a task may say what it likes
        done = study(
            task, space, store=Path(folder) / "s", executor="serial", progress=False, replicates=2, seed=3, **more
        )
        return done.status()["failed"], done.returned()


def decades():
    """Conductances over many decades, and flows added up at the nodes."""
    g = 10.0 ** np.random.default_rng(3).uniform(-12, 12, 24)
    graph = random_regular_graph(16, 3, rng=2)
    machine = ResistorNetwork(graph, conductance=g)
    pairs = np.random.default_rng(4).integers(0, 16, (24, 2))
    return resistance_matrix(machine), kirchhoff_index(machine), inflow(g, pairs, 16)


RUNS = {
    "decades": decades,
    "solved": solved,
    "sources between nodes": sources_between_nodes,
    "graphs": graphs,
    "resistances": resistances,
    "responses": responses,
    "spice": spice,
    "amplifiers": amplifiers,
    "formats": formats,
    "study, ising": lambda: studied(
        "physlearn.tasks:ising", grid(temperature=[2.0, 3.0], size=[6], draws=[20], warmup=[5])
    ),
    "study, hopfield": lambda: studied("physlearn.tasks:hopfield", grid(neurons=[60], load=[0.05, 0.1])),
    "study, rbm": lambda: studied("physlearn.tasks:rbm", grid(side=[2], epochs=[20], measured=[2], hidden=[3])),
    "study, assembly": lambda: studied("physlearn.tasks:assembly", grid(side=[3], sweeps=[30], seeds=[2], margin=[2])),
    "study, iris": lambda: studied("circuits.tasks:iris", grid(nodes=[16], degree=[4], epochs=[3])),
    "study, coupled learning": lambda: studied(
        "circuits.tasks:coupled_learning", grid(nodes=[16], degree=[4], epochs=[3])
    ),
    "study, spikes": lambda: studied(
        "circuits.neurons.tasks:fi_curve", grid(drive=[0.012, 0.015], duration=[0.3], neurons=[4])
    ),
}
