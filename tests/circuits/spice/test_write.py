"""Netlists, and ngspice's answers to them."""

import shutil

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import ResistorNetwork, random_geometric_graph, run_ngspice, spice_names, to_spice

needs_ngspice = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not on the path (Debian: apt install ngspice)"
)


def case(seed, n):
    rng = np.random.default_rng(seed)
    graph = nx.MultiGraph(random_geometric_graph(n, 0.5, rng=rng))
    graph.add_edges_from(list(graph.edges(keys=False))[:3])  # parallel resistors
    graph = nx.relabel_nodes(graph, {0: "out; .end\nR9 1 2", 1: ("a", 1), 2: "GND", 3: "0"})
    a, b, c, d, e, f, g = (list(graph)[k] for k in rng.permutation(n)[:7])
    network = ResistorNetwork(
        graph,
        conductance=np.exp(rng.normal(size=graph.size())),
        ground=[a, e],
        inputs={"rails +": [b, (c, d)]},
        currents=[f, (g, f)],
    )
    return network, {"rails +": rng.normal(size=2), "current": rng.normal(size=2)}


@needs_ngspice
@pytest.mark.parametrize("seed", range(6))
def test_ngspice_finds_the_same_voltages(seed, tol):
    network, clamp = case(seed, 12 + 5 * seed)
    ours = network.solve(clamp).x
    volts = run_ngspice(to_spice(network, clamp))
    names = spice_names(network)
    theirs = [volts[names[node]] for node in network.nodes]
    assert_allclose(theirs, ours, rtol=0, atol=tol.IDENTITY * np.abs(ours).max())


@needs_ngspice
def test_failure_is_an_error():
    netlist = "two floating nodes\nR1 a b 1\nI1 a b DC 1\nI2 0 a DC 1\n.op\n.end\n"
    with pytest.raises(RuntimeError, match="ngspice found no operating point"):
        run_ngspice(netlist)


def test_netlist_text():
    line = ResistorNetwork(
        nx.path_graph(["x", "y\nz", "w"]),
        conductance=[0.1, 2.0],
        ground="w",
        inputs={"my input": [("x", "w")]},
        currents=["y\nz", ("x", "w")],
    )
    netlist = to_spice(line, {"my input": [1.5], "current": [[0.25, 1.0]]}, title="a\nR1 b c 1")
    lines = netlist.splitlines()
    assert lines[:3] == ["a R1 b c 1", "* n0 = 'x'", r"* n1 = 'y\nz'"]
    assert lines[3:8] == [
        "R0 n0 n1 1.0000000000000000e+01",
        "R1 n1 0 5.0000000000000000e-01",
        "Vmy_input_0 n0 0 DC 1.5000000000000000e+00",
        "Icurrent_0 0 n1 DC 2.5000000000000000e-01",
        "Icurrent_1 0 n0 DC 1.0000000000000000e+00",
    ]
    assert lines[8].startswith(".options") and ".op" in lines and lines[-1] == ".end"
    assert netlist.isascii()


@pytest.mark.parametrize(
    "clamp, message",
    [
        ({"nothing": [1.0]}, "clamp: there is no readout 'nothing'"),
        ({"input": np.ones((3, 1))}, r"shape \(3, 1\), expected \(1,\); a netlist holds one"),
        ({"input": [np.inf]}, "expected finite numbers"),
        ({"ground": [1.0]}, "node 0 of a netlist"),
    ],
)
def test_refused(clamp, message):
    network = ResistorNetwork(nx.path_graph(3), conductance=1.0, ground=0, inputs=[2])
    with pytest.raises(ValueError, match=message):
        to_spice(network, clamp)


def test_no_ngspice(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="install it"):
        run_ngspice("")
