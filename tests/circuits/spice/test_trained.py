"""Trained networks leave for ngspice and predict the same there."""

import shutil

import numpy as np
import pytest

from circuits import Circuit, TransistorEdge, read_netlist, run_ngspice, spice_names, square_lattice, write_netlist
from circuits.iris import load_iris
from circuits.tasks import IrisParams, build
from physlearn import SGD, Adam, CoupledLearning, CrossEntropy, EquilibriumPropagation, SquaredError, learn

pytestmark = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not on the path (Debian: apt install ngspice)"
)


def predictions(machine, inputs, path):
    """Outputs of a machine, and ngspice's of the netlist that is written for each input."""
    names = spice_names(machine)
    ours, theirs = [], []
    for x in inputs:
        ours.append(machine.read(machine.solve({"input": x}).x, "output"))
        volts = run_ngspice(write_netlist(machine, path, clamp={"input": x}).read_text())
        v = np.array([volts[names[node]] for node in machine.nodes])
        theirs.append(machine.read(v, "output"))
    return np.array(ours), np.array(theirs)


def test_xor_of_transistors(tmp_path):
    rng, graph = np.random.default_rng(4), square_lattice(4, periodic=True)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 4.0)))
    circuit = Circuit(graph, ground=0, inputs=[14, 7, 10], outputs=[(9, 2)])
    x = 0.9 * np.array([[a, b, 1.0] for a in (0, 1) for b in (0, 1)])
    labels = 0.03 * np.array([[-1.0], [1.0], [1.0], [-1.0]])
    optimizer = SGD(1e4, bounds={"gate": (0.8, 8.0)})
    settings = dict(rule=CoupledLearning(0.1), optimizer=optimizer, cost=SquaredError("output"), batch=1, rng=4)
    trained = learn(circuit, {"input": x, "output": labels}, epochs=3000, **settings).machine
    ours, theirs = predictions(trained, x, tmp_path / "xor.cir")
    assert np.all(np.sign(theirs) == np.sign(labels))
    assert np.abs(theirs - ours).max() < 1e-9 * 0.9
    again = read_netlist(tmp_path / "xor.cir").solve()
    names = spice_names(trained)
    assert again.voltages[names[9]] - again.voltages[names[2]] == pytest.approx(ours[-1, 0], rel=1e-9)


def test_iris_of_resistors(tmp_path):
    features, species = load_iris()
    z = (features - features.mean(0)) / features.std(0)
    x = np.column_stack([z, -z, np.ones(len(z)), -np.ones(len(z))])
    network = build(IrisParams(), np.random.default_rng(0))
    data = {"input": x, "output": np.eye(3)[species]}
    settings = dict(
        rule=EquilibriumPropagation(0.01, linearised=True), optimizer=Adam(0.1, bounds={"conductance": (0.01, 10.0)})
    )
    trained = learn(network, data, cost=CrossEntropy("output", 20.0), epochs=200, rng=0, **settings).machine
    assert np.mean(np.argmax(trained.read(trained.solve({"input": x}).x, "output"), 1) == species) > 0.9
    ours, theirs = predictions(trained, x[::10], tmp_path / "iris.cir")
    assert np.abs(theirs - ours).max() < 1e-9 * np.abs(x).max()
    assert np.array_equal(np.argmax(theirs, 1), np.argmax(ours, 1))
