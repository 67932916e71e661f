"""Files of the bench, system identification with error bars, and costs in physics."""

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits import (
    Circuit,
    DeepResistiveNetwork,
    Diode,
    Hardware,
    Processor,
    Resistor,
    ResistorNetwork,
    Technology,
    TransistorEdge,
    as_circuit,
    cost_table,
    identify,
    physical_cost,
    read_measurements,
    read_wiring,
    settling_time,
    square_lattice,
    write_wiring,
)
from circuits.hardware.sensitivity import sensitivity
from physlearn import integrate


def resistors(seed=0, outputs=range(1, 9)):
    graph = square_lattice(3, 3)
    g = np.random.default_rng(seed).uniform(0.5, 2.0, graph.number_of_edges())
    return ResistorNetwork(graph, conductance=g, ground=0, currents=[4, 8], outputs=list(outputs))


def transistors(seed=0):
    rng, graph = np.random.default_rng(seed), square_lattice(3, 3, periodic=True)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 4.0)))
    return Circuit(graph, ground=0, inputs=[4, 8], outputs=[1, (2, 6)])


def diodes():
    net = {f"R{k}": (Resistor(1e3 * (1 + k)), a, b) for k, (a, b) in enumerate(["ab", "bc", "cd", "bd", "ad"])}
    net |= {"D1": (Diode(1e-9), "c", "0"), "D2": (Diode(1e-9), "d", "0"), "Rg": (Resistor(5e3), "d", "0")}
    return Circuit(net, inputs=["a"], outputs=["b", ("c", "d")])


@pytest.mark.parametrize("machine", [resistors, transistors, diodes])
def test_derivatives_against_differences(machine, tol):
    network = machine()
    (name,) = network.theta
    place = "current" if machine is resistors else "input"
    size = {"current": 2, "input": 2 if machine is transistors else 1}[place]
    inputs = {place: np.random.default_rng(1).uniform(0.2, 0.9, (3, size))}
    y, jacobian = sensitivity(network, inputs, "output", name)
    assert_allclose(y, network.read(network.solve(inputs).x, "output"), rtol=tol.IDENTITY)
    theta = network.theta[name]
    for e in range(0, theta.size, 3):
        h = tol.GRADIENT * theta[e]
        moved = [
            network.with_theta({name: theta + sign * h * (np.arange(theta.size) == e)}).solve(inputs).x
            for sign in (1, -1)
        ]
        difference = (network.read(moved[0], "output") - network.read(moved[1], "output")) / (2 * h)
        assert_allclose(jacobian[:, :, e], difference, atol=1e-5 * np.abs(jacobian).max())


def measured(network, noise, seed, n=40):
    rng = np.random.default_rng(seed)
    place = next(iter({**getattr(network, "currents", {}), **network.inputs}))
    x = {place: rng.uniform(-1.0, 1.0, (n, len(network.system.readouts[place].index)))}
    clean = network.read(network.solve(x).x, "output")
    return x | {"output": clean + noise * rng.standard_normal(clean.shape)}


def test_error_bars_are_those_of_repeated_measurements(tol):
    """Fits to 30 sets of measurements scatter as the error bars of each say."""
    network = resistors()
    start = network.with_conductance(1.0)
    found = [identify(start, measured(network, 0.01, seed)) for seed in range(30)]
    assert all(one.converged and not one.undetermined for one in found)
    m, off = network.conductance.size, [one.value - network.conductance for one in found]
    chi = [d @ np.linalg.solve(one.covariance, d) for one, d in zip(found, off, strict=True)]
    assert abs(np.mean(chi) / m - 1.0) < tol.STATISTICAL * np.sqrt(2 / (30 * m))
    for e in range(m):
        assert (
            abs(np.mean([d[e] / one.error[e] for one, d in zip(found, off, strict=True)])) < tol.STATISTICAL / 30**0.5
        )
    assert abs(np.mean([one.noise for one in found]) / 0.01 - 1) < 0.05


def test_exact_measurements_give_the_elements_back(tol):
    network = resistors()
    found = identify(network.with_conductance(1.0), measured(network, 0.0, 1))
    assert_allclose(found.value, network.conductance, rtol=1e-7)
    circuit = transistors()
    rng = np.random.default_rng(2)
    guess = circuit.with_theta({"gate": circuit.theta["gate"] + 0.1 * rng.standard_normal(18)})
    x = {"input": rng.uniform(0, 0.9, (60, 2))}
    data = x | {"output": circuit.read(circuit.solve(x).x, "output")}
    fitted = identify(guess, data, noise=1e-4, max_steps=50)  # gates that hardly matter are found slowly
    off = np.sqrt(np.mean((circuit.read(guess.solve(x).x, "output") - data["output"]) ** 2))
    assert fitted.residual < 1e-3 * off and np.any(fitted.error > 0.1)


def test_what_voltages_do_not_tell_is_said():
    """Voltages alone leave the scale open; one resistor that is known fixes it, and a dead end stays unknown."""
    graph = nx.path_graph(5)
    row = ResistorNetwork(graph, conductance=[1.0, 2.0, 3.0, 4.0], ground=0, inputs=[3], outputs=[1, 2])
    x = {"input": [[1.0], [2.0], [-1.0]]}
    data = x | {"output": row.read(row.solve(x).x, "output")}
    found = identify(row.with_conductance([1.0, 1.0, 1.0, 4.0]), data, noise=0.01)
    assert found.undetermined == (0, 1, 2, 3) and np.all(np.isinf(found.error))
    fixed = identify(row.with_conductance([1.0, 1.0, 1.0, 4.0]), data, known=[0], noise=0.01)
    assert fixed.undetermined == (3,) and fixed.error[0] == 0.0
    assert_allclose(fixed.value[:3], [1.0, 2.0, 3.0], rtol=1e-7)
    assert np.all(np.isfinite(fixed.error[:3]))


def test_files_of_the_bench(tmp_path):
    path = tmp_path / "wiring.csv"
    path.write_text("# from the bench\nelement,from,to,resistance\nR1,in,out,100\nR2,out,gnd,300\n\nR3,out,gnd,300\n")
    network = read_wiring(path, ground="gnd", inputs=["in"], outputs=["out"])
    assert network.read(network.solve({"input": [1.0]}).x, "output")[0] == pytest.approx(0.6)
    rows = tmp_path / "measured.csv"
    rows.write_text("input[0], output\n1.0, 0.5\n2.0, 1.0\n")
    data = read_measurements(rows, network)
    assert_allclose(data["output"], [[0.5], [1.0]])
    lab = Hardware(network, bounds=(1e-3, 2e-2), levels=20)
    text = write_wiring(lab, tmp_path / "out.csv").read_text().splitlines()
    assert text[0] == "element,from,to,conductance,resistance,level" and text[1].endswith(",9")
    again = read_wiring(tmp_path / "out.csv", ground="gnd", inputs=["in"], outputs=["out"])
    assert_allclose(sorted(again.conductance), sorted(lab.conductance), rtol=1e-12)
    circuit = transistors()
    gates = read_wiring(write_wiring(circuit, tmp_path / "gates.csv"), ground="0", inputs=["4", "8"], outputs=["1"])
    x = [0.3, 0.7]
    assert gates.solve({"input": x}).voltages["1"] == pytest.approx(circuit.solve({"input": x}).voltages[1], rel=1e-12)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "it is empty"),
        ("a,b\n1,2\n", "expected from, to and one of"),
        ("from,to,conductance\na,b,x\n", "line 2: conductance is 'x'"),
        ("from,to,conductance\na,b,-1\n", "line 2: conductance -1, expected a positive number"),
        ("from,to,conductance\na,a,1\n", "line 2: from 'a' to 'a'"),
        ("from,to,conductance\na,b\n", "line 2: 2 cells, expected 3"),
        ("from,to,to,conductance\na,b,c,1\n", "two columns have one name"),
    ],
)
def test_bad_wiring(text, message, tmp_path):
    path = tmp_path / "wiring.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_wiring(path)


@pytest.mark.parametrize(
    "text, message",
    [
        ("input,nothing\n1,2\n", "column 'nothing' is no readout"),
        ("input[0],input[2],output\n1,2,3\n", r"numbers \[0, 2\], expected 0, 1, 2"),
        ("input,output\n1,nan\n", "line 2: output is 'nan', expected a finite number"),
        ("input,output\n", "no measurements below"),
    ],
)
def test_bad_measurements(text, message, tmp_path):
    path = tmp_path / "measured.csv"
    path.write_text(text)
    network = ResistorNetwork(nx.path_graph(3), conductance=1.0, ground=2, inputs=[0], outputs=[1])
    with pytest.raises(ValueError, match=message):
        read_measurements(path, network)


def test_bad_identification():
    network = resistors()
    data = measured(network, 0.01, 0)
    with pytest.raises(ValueError, match="known: got 12 among its entries, expected whole numbers from 0 to 11"):
        identify(network, data, known=[12])
    with pytest.raises(ValueError, match="nothing is left to find"):
        identify(network, data, known=range(12))
    with pytest.raises(ValueError, match="noise: got nan"):
        identify(network, data, noise=np.nan)
    with pytest.raises(TypeError, match="network: got"):
        identify("network", data)


def test_cost_of_one_resistor_chain():
    """By hand: two equal resistors, the free node in the middle."""
    row = ResistorNetwork(nx.path_graph(3), conductance=1e-3, ground=2, inputs=[0], outputs=[1])
    parts = Technology(capacitance=2e-12, accuracy=0.01, setting=3e-12, area=1e-9)
    cost = physical_cost(row, {"input": [[1.0]]}, technology=parts, processor=Processor(1e-10, 1e9))
    settling = np.log(100) * 2e-12 / 2e-3
    inference = 0.5e-3 * settling + 2e-12 * (1.0 + 0.25)
    assert cost.settling_time == pytest.approx(settling, rel=1e-12)
    assert cost.power == pytest.approx(0.5e-3, rel=1e-12)
    assert cost.joules_per_inference == pytest.approx(inference, rel=1e-12)
    assert cost.joules_per_update == pytest.approx(2 * (inference + 2 * 3e-12), rel=1e-12)
    assert cost.area == pytest.approx(2 * 2 * 1e-9) and cost.parts == {"resistor": 2, "node": 3}
    assert cost.processor_joules_per_inference == pytest.approx(1e-10 * cost.operations_per_inference)


def test_circuits_and_networks_cost_the_same():
    graph = square_lattice(3, 3)
    g = np.random.default_rng(3).uniform(1e-4, 1e-3, graph.number_of_edges())
    network = ResistorNetwork(graph, conductance=g, ground=0, inputs=[4, 8], outputs=[2])
    for (u, v), siemens in zip(graph.edges, g, strict=True):
        graph.edges[u, v]["element"] = Resistor(1 / siemens)
    circuit = Circuit(graph, ground=0, inputs=[4, 8], outputs=[2])
    x = {"input": [[0.5, 0.1], [0.2, 0.9]]}
    one, other = physical_cost(network, x), physical_cost(circuit, x)
    assert other.settling_time == pytest.approx(one.settling_time, rel=1e-9)
    assert other.joules_per_inference == pytest.approx(one.joules_per_inference, rel=1e-9)
    assert one.settling_time == settling_time(network, capacitance=1e-12, inputs=["input"])


def test_settling_is_what_the_transient_shows():
    """A step into transistors, every node loaded: the slowest deviation falls at the rate that is claimed."""
    from circuits import Capacitor

    circuit = transistors()
    cost = physical_cost(circuit, {"input": [0.8, 0.3]}, technology=Technology(capacitance=1e-9))
    net = {name: (element, *ends) for name, (element, ends) in circuit.elements.items()}
    net |= {f"C{k}": (Capacitor(1e-9), k, 0) for k in range(1, 9)}
    loaded = Circuit(net, ground=0, inputs=[4, 8])
    rest = loaded.solve({"input": [0.8, 0.3]}).x
    t = cost.settling_time
    run = integrate(loaded, (0.0, 1.5 * t), tol=1e-8, x0=1.001 * rest, clamp={"input": [0.8, 0.3]}, times=[t, 1.5 * t])
    left = np.abs(run.x - rest).max(1)[1:]
    assert left[1] / left[0] == pytest.approx(0.01**0.5, rel=0.05)


def test_a_table_of_machines():
    deep = DeepResistiveNetwork((4, 8, 2), gain=(4.0, 2.0), rng=0)
    costs = {
        "resistors": physical_cost(Hardware(resistors()), {"current": [0.1, 0.2]}),
        "transistors": physical_cost(transistors(), {"input": [0.3, 0.7]}),
        "deep": physical_cost(deep, {"input": [0.1, -0.2, 0.3, 0.4]}),
        "diodes": physical_cost(diodes(), {"input": [0.5]}),
    }
    text = cost_table(costs).splitlines()
    assert len(text) == 6 and text[-1].startswith("assumed: capacitance 1e-12")
    assert all(cost.joules_per_inference > 0 and cost.settling_time > 0 for cost in costs.values())
    kinds = {type(element).__name__.lower() for element, _ in as_circuit(deep).elements.values()}
    assert kinds - {"voltagesource"} == set(costs["deep"].parts) - {"node"}
