"""Resistor networks and their graphs name the argument that is wrong."""

import networkx as nx
import numpy as np
import pytest

from circuits import (
    ResistorNetwork,
    amplifier_network,
    amplifier_outputs,
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
    response,
    run_ngspice,
    settling_time,
    soft_modes,
    source_currents,
    spice_names,
    square_lattice,
    to_spice,
)
from physlearn import SquaredError

LINE = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 2.0], ground=2, inputs=[0], outputs=[1])
DATA = {"input": [[4.0]], "output": [[2.0]]}


@pytest.mark.parametrize(
    "call, argument",
    [
        (lambda: square_lattice("4"), "rows"),
        (lambda: square_lattice(10**30), "rows"),
        (lambda: square_lattice(10**7), "rows"),  # fits along a side, but not as a square
        (lambda: square_lattice(3, 2.5), "columns"),
        (lambda: square_lattice(3, periodic="yes"), "periodic"),
        (lambda: layered_graph(7), "sizes"),
        (lambda: layered_graph([2, True]), "sizes"),
        (lambda: layered_graph([10**9, 10**9]), "sizes"),
        (lambda: random_regular_graph(10, "3"), "degree"),
        (lambda: random_regular_graph(10, 3, rng=-1), "rng"),
        (lambda: random_regular_graph(10, 3, rng="seed"), "rng"),
        (lambda: random_geometric_graph(10, np.nan), "radius"),
        (lambda: erdos_renyi_graph(10, [0.5]), "probability"),
        (lambda: erdos_renyi_graph(10, 0.9, connected=1), "connected"),
        (lambda: ResistorNetwork(nx.path_graph(3), conductance=True), "conductance"),
        (lambda: ResistorNetwork(nx.path_graph(3), conductance=1.0, kind=["resistance"]), "kind"),
        (lambda: ResistorNetwork(nx.path_graph(3), conductance=1.0, ground={1: 2}), "ground"),
        (lambda: ResistorNetwork(nx.path_graph(3), conductance=1.0, inputs={0, 1}), "inputs"),
        (lambda: ResistorNetwork(nx.path_graph(3), conductance=1.0, inputs={1: [0]}), "inputs"),
        (lambda: ResistorNetwork(nx.path_graph(3), conductance=1.0, outputs=[{}]), "outputs"),
        (lambda: LINE.solve([1.0]), "clamp"),
        (lambda: LINE.read(["a", "b", "c"], "input"), "x"),
        (lambda: LINE.read(np.zeros(3), {"input"}), "places"),
        (lambda: laplacian("line"), "network"),
        (lambda: response(LINE, output={}), "output"),
        (lambda: response(LINE, to=None), "to"),
        (lambda: response(LINE, inputs=3), "inputs"),
        (lambda: soft_modes(LINE, True), "k"),
        (lambda: soft_modes(LINE, 10**30), "k"),
        (lambda: settling_time(LINE, capacitance="1e-9"), "capacitance"),
        (lambda: settling_time(LINE, capacitance=np.inf), "capacitance"),
        (lambda: settling_time(LINE, capacitance=1e-9, accuracy=None), "accuracy"),
        (lambda: cost_hessian(LINE, [DATA], SquaredError("output")), "data"),
        (lambda: cost_hessian(LINE, DATA, "squared error"), "cost"),
        (lambda: cost_hessian(LINE, DATA, SquaredError), "cost"),
        (lambda: edge_currents(None, np.zeros(3)), "network"),
        (lambda: source_currents(LINE, "abc"), "x"),
        (lambda: source_currents(LINE, np.zeros((2, 2, 3))), "x"),
        (lambda: dissipated_power(LINE, [np.nan, 0.0, 0.0]), "x"),
        (lambda: energy_per_inference(LINE, np.zeros(3), settling_time="1 us"), "settling_time"),
        (lambda: effective_resistance(LINE, 3), "pairs"),
        (lambda: effective_resistance(LINE, [{0: 1}]), "pairs"),
        (lambda: kirchhoff_index(nx.path_graph(3)), "network"),
        (lambda: spice_names(ResistorNetwork), "network"),
        (lambda: to_spice(LINE, [3.0]), "clamp"),
        (lambda: to_spice(LINE, {"input": ["x"]}), "input"),
        (lambda: to_spice(LINE, title=None), "title"),
        (lambda: amplifier_network("xor"), "couplings"),
        (lambda: amplifier_outputs(1.0), "s"),
        (lambda: amplifier_outputs([1.0, None]), "s"),
    ],
)
def test_the_argument_is_named(call, argument):
    with pytest.raises((ValueError, TypeError), match=rf"(?<![A-Za-z0-9_]){argument}(?![A-Za-z0-9_])"):
        call()


def test_ngspice_is_not_asked_what_is_no_netlist(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TypeError, match="netlist: got 3"):
        run_ngspice(3)
    with pytest.raises(ValueError, match="timeout: got inf"):
        run_ngspice("", timeout=float("inf"))


def test_batches_of_any_shape_are_still_read():
    x = np.arange(24.0).reshape(4, 2, 3)
    np.testing.assert_array_equal(LINE.read(x, "output"), x[..., [1]])
