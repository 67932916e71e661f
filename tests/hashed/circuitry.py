"""Runs of nonlinear circuits: operating points of every element, netlists, transients, trainings."""

from pathlib import Path

import numpy as np

from circuits import (
    MOSFET,
    Behavioural,
    Capacitor,
    Circuit,
    CurrentSource,
    Diode,
    DriftMemristor,
    Hardware,
    IdealDiode,
    Law,
    Resistor,
    ResistorNetwork,
    Sine,
    ThresholdMemristor,
    TransistorEdge,
    VoltageSource,
    read_netlist,
    square_lattice,
)
from circuits.spice.write import netlist_of
from physlearn import SGD, CoupledLearning, SquaredError, integrate, learn

NETLISTS = Path(__file__).resolve().parents[2] / "examples" / "netlists"


def current(v):
    return 1e-3 * v + 1e-3 * v**3


def slope(v):
    return 1e-3 + 3e-3 * v**2


def elements():
    net = {"V": (VoltageSource(2.0), "a", "0"), "R": (Resistor(1e3), "a", "b"), "D": (Diode(1e-12, 1.5, 5.0), "b", "c")}
    net |= {
        "I": (IdealDiode(0.4), "c", "0"),
        "N": (Law(current, slope), "b", "0"),
        "J": (CurrentSource(1e-4), "0", "d"),
    }
    net |= {"M": (MOSFET("n", threshold=0.5, transconductance=1e-3, body=0.3), "d", "b", "0", "0")}
    net |= {"B": (Behavioural("1m*tanh(v(d))"), "d", "0"), "X": (ThresholdMemristor(state=0.2), "d", "0")}
    rest = Circuit(net, gmin=1e-12).solve({"V": np.linspace(-1, 2, 5)[:, None]})
    return rest.voltages, rest.currents, rest.residual, rest.steps


def grid():
    rng = np.random.default_rng(1)
    net = {f"R{k}": (Resistor(float(rng.uniform(1e2, 1e4))), k, k + 1) for k in range(400)}
    net |= {f"S{k}": (Resistor(float(rng.uniform(1e2, 1e4))), k, k + 20) for k in range(380)}
    net |= {f"D{k}": (Diode(), 7 * k, 7 * k + 30) for k in range(50)}
    rest = Circuit(net | {"V": (VoltageSource(5.0), 400, 0)}, ground=0).solve()
    return rest.x, rest.steps


def netlists():
    found = {}
    for path in sorted(NETLISTS.glob("*.cir")):
        if path.stem != "rectifier":  # whose DC value and waveform differ, which is warned of
            circuit = read_netlist(path)
            found[path.stem] = netlist_of(circuit), circuit.solve().voltages
    return found


def times():
    net = {"V": (VoltageSource(Sine(0.0, 1.0, 1.0)), "a", "0"), "M": (DriftMemristor(), "a", "b")}
    net |= {"C": (Capacitor(1e-5), "b", "0"), "R": (Resistor(1e3), "b", "0")}
    circuit = Circuit(net)
    runs = [integrate(circuit, (0.0, 0.5), dt=0.02, method=m) for m in ("trapezoidal", "bdf2", "midpoint")]
    noisy = Circuit({"R": (Resistor(1e3), "a", "0"), "C": (Capacitor(1e-12), "a", "0")})
    runs.append(integrate(noisy, (0.0, 1e-7), dt=1e-9, noise=True, batch=3, rng=5))
    return [(run.x, run.states) for run in runs]


def training():
    rng, graph = np.random.default_rng(2), square_lattice(4, periodic=True)
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 4.0)))
    circuit = Circuit(graph, ground=0, inputs=[14, 7], outputs=[(9, 2)])
    data = {"input": rng.uniform(0, 0.9, (5, 2)), "output": rng.uniform(-0.02, 0.02, (5, 1))}
    settings = dict(rule=CoupledLearning(0.1), optimizer=SGD(1e3), cost=SquaredError("output"), batch=2, rng=3)
    runs = [learn(circuit, data, epochs=3, method=method, **settings) for method in ("compiled", "relax")]
    return [(run.theta, run.cost) for run in runs]


def adapting():
    net = {"V": (VoltageSource(Sine(0.0, 1.0, 1.0)), "a", "0"), "M": (DriftMemristor(), "a", "b")}
    circuit = Circuit(net | {"C": (Capacitor(1e-5), "b", "0"), "R": (Resistor(1e3), "b", "0")})
    runs = [integrate(circuit, (0.0, 0.5), tol=1e-3, method=m) for m in ("trapezoidal", "bdf2")]
    return [(run.t, run.x, run.states) for run in runs]


def hardware():
    rng, graph = np.random.default_rng(2), square_lattice(4, periodic=True)
    network = ResistorNetwork(graph, conductance=rng.uniform(0.5, 2.0, 32), ground=0, inputs=[5, 10], outputs=[3])
    for u, v in graph.edges:
        graph.edges[u, v]["element"] = TransistorEdge(float(rng.uniform(1.5, 4.0)))
    circuit = Circuit(graph, ground=0, inputs=[5, 10], outputs=[3])
    data = {"input": rng.uniform(0, 0.9, (5, 2)), "output": rng.uniform(0.1, 0.2, (5, 1))}
    parts = dict(update_noise=1e-3, measurement_noise=1e-3, measurement_offset=1e-3, clamp_bias=1e-3, mismatch=0.01)
    parts |= dict(active=0.5, failure_rate=0.01, failure="cut", rng=1)
    runs = []
    for machine, lr, levels in ((network, 0.5, np.linspace(0.1, 3.0, 64)), (circuit, 1e3, None)):
        lab = Hardware(machine, levels=levels, rounding="stochastic" if levels is not None else "nearest", **parts)
        settings = dict(rule=CoupledLearning(0.1), optimizer=SGD(lr), cost=SquaredError("output"), batch=2, rng=3)
        runs += [learn(lab, data, epochs=3, method=method, **settings) for method in ("compiled", "relax")]
    return [(run.theta, run.cost) for run in runs]


RUNS = {run.__name__: run for run in (elements, grid, netlists, times, training, adapting, hardware)}
