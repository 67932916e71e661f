"""Nonlinear circuits against SciPy's Newton and ngspice: processor seconds of one thread, in one run.

Operating points of the 16-node, 32-transistor lattice of Dillavou et al. 2024, a 64 x 64 grid with diodes and a network
of the size of Kendall et al. 2020; steps of coupled learning; and the processor time of a learning step beside the
settling time of the hardware, 16 to 2,048 edges.

    python benchmarks/nonlinear.py
"""

from common import seconds, table  # isort: skip (sets thread counts first)

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from circuits import (
    Circuit,
    Diode,
    Resistor,
    TransistorEdge,
    VoltageSource,
    random_regular_graph,
    soft_modes,
    square_lattice,
    write_netlist,
)
from physlearn import SGD, CoupledLearning, SquaredError, learn, relax


def lattice(rng):
    graph = square_lattice(4, periodic=True)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 3.0)))
    return Circuit(graph, ground=0, inputs=[14, 7, 10], outputs=[(9, 2)])


def scipy_newton(circuit, given, repeats):
    """The usual script: Newton with spsolve, a term's jacobian each step; points per second."""
    system, n = circuit.system, len(circuit.nodes)
    free = np.setdiff1d(np.arange(n), [0, *(circuit.nodes.index(node) for node in circuit.inputs["input"])])
    held = [circuit.nodes.index(node) for node in circuit.inputs["input"]]

    def run():
        for x in given[:repeats]:
            v = np.zeros((1, n))
            v[0, held] = x
            for _ in range(30):
                force = system.field({"v": v}, "v")[0, free]
                jacobian = sum(sp.csr_matrix(t.jacobian({"v": v}, system.theta)) for t in system.terms)
                step = spsolve(jacobian[free][:, free].tocsc(), -force)
                v[0, free] += step
                if np.abs(step).max() < 1e-10:
                    break

    return repeats / seconds(run, 1)[0]


def ngspice_seconds(circuit, clamp=None):
    """Processor seconds of ngspice on one operating point; None without ngspice."""
    if shutil.which("ngspice") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = write_netlist(circuit, Path(folder) / "a.cir", clamp=clamp)
        return seconds(lambda: subprocess.run(["ngspice", "-n", "-b", path], capture_output=True, check=False), 1)[0]


def diode_grid(n, rng):
    index = np.arange(n * n).reshape(n, n)
    pairs = [
        *zip(index[:, :-1].ravel(), index[:, 1:].ravel(), strict=True),
        *zip(index[:-1].ravel(), index[1:].ravel(), strict=True),
    ]
    net = {f"R{k}": (Resistor(float(1 / rng.uniform(1e-4, 1e-3))), int(a), int(b)) for k, (a, b) in enumerate(pairs)}
    for k in rng.choice(len(pairs), len(pairs) // 5, replace=False):
        a, b = pairs[k][:: rng.choice([1, -1])]
        net[f"D{k}"] = (Diode(), int(a), int(b))
    net["V1"], net["V2"] = (VoltageSource(5.0 * max(1, n / 16)), n * n - 1, 0), (VoltageSource(-1.0), n // 2, 0)
    return Circuit(net, ground=0, gmin=1e-12)


def kendall(rng, inputs=784, hidden=100, outputs=10):
    """Doubled inputs, diodes to biased rails, amplifiers as controlled sources."""
    from circuits import CCCS, VCVS

    net, x = {}, rng.uniform(-1, 1, inputs)
    for i in range(inputs):
        net[f"V{i}"] = (VoltageSource(float(4 * np.sqrt(inputs) * x[i])), f"x{i}", "0")
        net[f"W{i}"] = (VoltageSource(float(-4 * np.sqrt(inputs) * x[i])), f"y{i}", "0")
    net |= {"high": (VoltageSource(-0.3), "high", "0"), "low": (VoltageSource(0.3), "low", "0")}
    for h in range(hidden):
        for i in range(inputs):
            net[f"A{i}_{h}"] = (Resistor(float(1 / rng.uniform(1e-6, 1e-4))), f"x{i}", f"h{h}")
            net[f"B{i}_{h}"] = (Resistor(float(1 / rng.uniform(1e-6, 1e-4))), f"y{i}", f"h{h}")
        net[f"D{h}"], net[f"U{h}"] = (Diode(), f"h{h}", "low"), (Diode(), "high", f"h{h}")
        net[f"E{h}"], net[f"F{h}"] = (VCVS(4.0), f"g{h}", "0", f"h{h}", "0"), (CCCS(0.25, f"E{h}"), "0", f"h{h}")
        for o in range(outputs):
            net[f"C{h}_{o}"] = (Resistor(float(1 / rng.uniform(1e-6, 1e-4))), f"g{h}", f"o{o}")
    for o in range(outputs):
        net[f"L{o}"] = (Resistor(1e5), f"o{o}", "0")
    sources = [f"{kind}{i}" for kind in "VW" for i in range(inputs)]
    return Circuit(net, gmin=1e-12, inputs=sources)


def points(rng):
    circuit, x = lattice(rng), rng.uniform(0, 0.9, (20_000, 3))
    relax(circuit, clamp={"input": x[:2]})
    ours = len(x) / seconds(lambda: relax(circuit, clamp={"input": x}))[0]
    theirs = ngspice_seconds(circuit, {"input": x[0]})
    rows = [("ours, batch of 20,000", ours), ("SciPy Newton", scipy_newton(circuit, x, 20))]
    rows += [("ngspice, one process each", 1 / theirs)] if theirs else []
    rows = [(name, f"{rate:,.0f}", f"{rate / ours:.3f}") for name, rate in rows]
    table("operating points a second, 16 nodes, 32 transistors", rows)


def training(rng):
    circuit = lattice(rng)
    x = 0.9 * np.array([[a, b, 1.0] for a in (0, 1) for b in (0, 1)])
    data = {"input": x, "output": 0.03 * np.array([[-1.0], [1.0], [1.0], [-1.0]])}
    settings = dict(
        rule=CoupledLearning(0.1), optimizer=SGD(1e4, bounds={"gate": (0.8, 8.0)}), cost=SquaredError("output")
    )

    def epochs(n):
        return lambda: learn(circuit, data, epochs=n, batch=1, rng=0, **settings)

    epochs(1)()
    rate = 4 * 5000 / seconds(epochs(5000))[0]
    table("coupled-learning steps a second, the same lattice", [("ours", f"{rate:,.0f}", "1")])


def large(rng):
    rows = []
    for name, circuit in (("64 x 64 grid with diodes", diode_grid(64, rng)), ("2 x 784 - 100 - 10", kendall(rng))):
        relax(circuit)
        ours, rest = seconds(lambda circuit=circuit: relax(circuit))
        assert rest.converged
        rows.append((f"{name}, {len(circuit.elements):,} elements", f"{1e3 * ours:.0f} ms", "1"))
        if theirs := ngspice_seconds(circuit):
            rows.append(("the same by ngspice", f"{1e3 * theirs:.0f} ms", f"{theirs / ours:.1f}"))
    table("one operating point", rows)


def laboratory(rng):
    """One learning step (two phases) in processor time beside 5 settling times of 1 nF a node."""
    from circuits import ResistorNetwork

    rows = []
    for edges in (16, 64, 256, 512, 2048):
        epochs = 50 if edges <= 512 else 2
        graph = random_regular_graph(edges // 2, 4, rng=1)
        network = ResistorNetwork(
            graph, conductance=1e-3 * rng.uniform(0.5, 1.5, edges), ground=0, inputs=[1, 2], outputs=[3]
        )
        data = {"input": rng.uniform(0, 1, (20, 2)), "output": rng.uniform(0, 0.5, (20, 1))}
        optimizer = SGD(1e-6, bounds={"conductance": (1e-6, 1e-1)})

        def run(network=network, data=data, optimizer=optimizer, epochs=epochs):
            learn(
                network,
                data,
                rule=CoupledLearning(0.1),
                optimizer=optimizer,
                cost=SquaredError("output"),
                batch=1,
                epochs=epochs,
            )

        run()
        step = seconds(run)[0] / (20 * epochs)
        settling = 2 * 5 * 1e-9 / soft_modes(network, 1)[0][0]
        rows.append((edges, f"{step * 1e6:.1f} us", f"{settling * 1e6:.1f} us", f"{step / settling:.3f}"))
    columns = ("edges", "processor time", "settling, 1 nF and 1 kohm", "ratio")
    table("a coupled-learning step of linear networks, two phases", rows, columns)


if __name__ == "__main__":
    generator = np.random.default_rng(1)
    for part in (points, training, large, laboratory):
        part(generator)
    sys.exit(0)
