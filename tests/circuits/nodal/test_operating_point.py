"""Operating points against closed forms and SciPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from scipy.special import lambertw

from circuits import (
    CCCS,
    CCVS,
    MOSFET,
    VCCS,
    VCVS,
    Behavioural,
    Circuit,
    CurrentSource,
    Diode,
    IdealDiode,
    Resistor,
    TransistorEdge,
    VoltageSource,
)
from physlearn import ConvergenceError, Nudge, SquaredError, check_energy, relax


def diode_and_resistor(volts, ohms, saturation, vt):
    """Current of a diode behind a resistor, by Lambert's W (Banwell and Jayakumar 2000)."""
    x = (volts + saturation * ohms) / vt
    log = np.log(saturation * ohms / vt) + x
    w = lambertw(np.exp(log)).real if log < 500 else log - np.log(log)
    for _ in range(30):  # w + ln w = log, where the exponential overflows
        w = w - (w + np.log(w) - log) / (1 + 1 / w)
    return vt / ohms * w - saturation


@pytest.mark.parametrize("volts", [0.3, 0.7, 5.0, 100.0])
@pytest.mark.parametrize("saturation, ideality", [(1e-14, 1.0), (3e-9, 1.8)])
def test_diode_behind_a_resistor(volts, saturation, ideality, tol):
    circuit = Circuit(
        {
            "V": (VoltageSource(volts), "in", "0"),
            "R": (Resistor(470.0), "in", "out"),
            "D": (Diode(saturation, ideality), "out", "0"),
        }
    )
    rest = circuit.solve()
    exact = diode_and_resistor(volts, 470.0, saturation, ideality * circuit.thermal_voltage)
    assert rest.converged and rest.steps < 25
    assert_allclose(rest.currents["D"], exact, rtol=1e3 * tol.IDENTITY)  # an exponential of 40 loses two digits
    # the current through R is a difference of two that are this large
    assert_allclose(rest.currents["V"], -rest.currents["R"], atol=tol.IDENTITY * volts / 470.0)


def test_a_series_resistance_and_a_battery_act_as_elements(tol):
    whole = Circuit({"I": (CurrentSource(2e-3), "0", "a"), "D": (Diode(1e-12, 1.5, 25.0, bias=0.4), "a", "0")})
    parts = Circuit(
        {
            "I": (CurrentSource(2e-3), "0", "a"),
            "R": (Resistor(25.0), "a", "b"),
            "V": (VoltageSource(0.4), "b", "c"),
            "D": (Diode(1e-12, 1.5), "c", "0"),
        }
    )
    v = whole.solve().voltages["a"]
    assert_allclose(v, parts.solve().voltages["a"], rtol=tol.IDENTITY)
    vt = 1.5 * whole.thermal_voltage
    assert_allclose(v, 2e-3 * 25 + 0.4 + vt * np.log1p(2e-3 / 1e-12), rtol=tol.IDENTITY)


def test_reverse_laws_meet_at_three_thermal_voltages():
    vt = 0.025
    for reverse in ("exponential", "cubic"):
        circuit = Circuit(
            {"V": (VoltageSource(0.0), "a", "0"), "D": (Diode(1e-9, reverse=reverse), "a", "0")}, thermal_voltage=vt
        )
        v = np.array([-0.5, -3 * vt - 1e-9, -3 * vt + 1e-9])
        i = circuit.solve({"V": v[:, None]}).currents["D"]
        assert abs(i[1] - i[2]) < 1e-15
        law = np.expm1(v[0] / vt) if reverse == "exponential" else -1 - (3 * vt / (v[0] * np.e)) ** 3
        assert_allclose(i[0], 1e-9 * law, rtol=1e-12)


def test_controlled_sources_by_hand(tol):
    circuit = Circuit(
        {
            "V1": (VoltageSource(0.5), "a", "0"),
            "R1": (Resistor(10.0), "a", "0"),
            "E1": (VCVS(4.0), "b", "0", "a", "0"),
            "Rb": (Resistor(1e3), "b", "0"),
            "G1": (VCCS(2e-3), "c", "0", "b", "a"),
            "Rc": (Resistor(100.0), "c", "0"),
            "F1": (CCCS(3.0, "V1"), "d", "0"),
            "Rd": (Resistor(20.0), "d", "0"),
            "H1": (CCVS(7.0, "E1"), "e", "0"),
            "Re": (Resistor(1.0), "e", "0"),
        }
    )
    rest = circuit.solve()
    i_v1, i_e1 = -0.05, -2.0 / 1e3
    expected = {"b": 2.0, "c": -2e-3 * 1.5 * 100, "d": -3.0 * i_v1 * 20, "e": 7.0 * i_e1}
    for node, volts in expected.items():
        assert_allclose(rest.voltages[node], volts, rtol=tol.IDENTITY)
    assert_allclose(
        [rest.currents[n] for n in ("V1", "E1", "F1", "G1")], [i_v1, i_e1, 3 * i_v1, 3e-3], rtol=tol.IDENTITY
    )


@pytest.mark.parametrize(
    "drain, gate, source, bulk",
    [(5.0, 1.7, 0.0, 0.0), (0.3, 2.0, 0.0, 0.0), (0.0, 2.0, 0.3, -1.0), (2.0, 0.5, 0.0, 0.0), (1.0, 3.0, 0.2, 0.4)],
)
@pytest.mark.parametrize("polarity", ["n", "p"])
def test_square_law(drain, gate, source, bulk, polarity, tol):
    sign = 1.0 if polarity == "n" else -1.0
    device = MOSFET(
        polarity,
        threshold=sign * 0.7,
        transconductance=1e-3,
        width=4e-6,
        length=1e-6,
        modulation=0.05,
        body=0.4,
        saturation=0.0,
    )
    pins = dict(d=drain, g=gate, s=source, b=bulk)
    net = {f"V{pin}": (VoltageSource(sign * volts), pin, "0") for pin, volts in pins.items()}
    found = Circuit(net | {"M": (device, *pins)}).solve().currents["M"]
    low, high = min(drain, source), max(drain, source)
    vds, vbs = high - low, bulk - low
    root = np.sqrt(0.6 - vbs) if vbs <= 0 else np.sqrt(0.6) - 0.5 * vbs / np.sqrt(0.6)
    over = gate - low - 0.7 - 0.4 * (root - np.sqrt(0.6))
    inner = 0.0 if over <= 0 else 0.5 * over**2 if over <= vds else vds * (over - 0.5 * vds)
    i = 4e-3 * (1 + 0.05 * vds) * inner
    assert_allclose(found, sign * np.sign(drain - source) * i, rtol=tol.IDENTITY)


def test_two_transistor_edges_in_series(tol):
    pair = Circuit(
        {
            "V": (VoltageSource(1.0), "a", "0"),
            "T1": (TransistorEdge(3.0), "a", "b"),
            "T2": (TransistorEdge(3.0), "b", "0"),
        }
    )
    # K f(V) with f = (V_G - V_th) V - V^2 / 2 is shared equally: f(b) = f(1) / 2
    assert_allclose(pair.solve().voltages["b"], 2.3 - np.sqrt(2.3**2 - 1.8), rtol=tol.IDENTITY)


def test_ideal_diodes_are_bounds(tol):
    net = {"V": (VoltageSource(0.0), "in", "0"), "R": (Resistor(1e3), "in", "out")}
    net |= {"up": (IdealDiode(0.5), "out", "0"), "down": (IdealDiode(0.25), "0", "out")}
    volts = np.array([-3.0, -0.1, 0.0, 0.3, 4.0])
    rest = Circuit(net).solve({"V": volts[:, None]})
    assert_allclose(rest.voltages["out"], np.clip(volts, -0.25, 0.5), atol=tol.IDENTITY)
    assert_allclose(rest.currents["up"], np.maximum(volts - 0.5, 0) / 1e3, atol=tol.IDENTITY)


def test_bridge_against_scalar_root(tol):
    """A behavioural element between two dividers, by Brent's method."""
    net = {"V": (VoltageSource(2.0), "in", "0"), "B": (Behavioural("1m*tanh(3*v(a,b))"), "a", "b")}
    ohms = {"R1": ("in", "a", 1e3), "R2": ("a", "0", 3e3), "R3": ("in", "b", 2e3), "R4": ("b", "0", 1e3)}
    rest = Circuit(net | {k: (Resistor(r), a, b) for k, (a, b, r) in ohms.items()}).solve()

    def balance(i):
        a = (2.0 / 1e3 - i) / (1 / 1e3 + 1 / 3e3)
        b = (2.0 / 2e3 + i) / (1 / 2e3 + 1 / 1e3)
        return 1e-3 * np.tanh(3 * (a - b)) - i

    assert_allclose(rest.currents["B"], brentq(balance, -1e-3, 1e-3, xtol=1e-18), rtol=1e3 * tol.IDENTITY)


def random_network(rng, n=30, diodes=15):
    net = {f"R{k}": (Resistor(float(10 ** rng.uniform(2, 5))), str(k), str(int(rng.integers(k)))) for k in range(1, n)}
    for k, node in enumerate((n - 1, n - 2, n - 3)):
        net[f"V{k}"] = (VoltageSource(float(rng.normal(0, 5))), str(node), "0")
    for k in range(diodes):  # none across two sources
        a, b = rng.choice(np.arange(1, n - 3), 2, replace=False)
        net[f"D{k}"] = (Diode(float(10 ** rng.uniform(-15, -9)), float(rng.uniform(1, 2))), str(a), str(b))
    return net


@pytest.mark.parametrize("seed", range(4))
def test_currents_balance_and_the_cocontent_is_least(seed, tol):
    rng = np.random.default_rng(seed)
    circuit = Circuit(random_network(rng))
    rest = circuit.solve()
    assert rest.converged
    into = dict.fromkeys(circuit.nodes, 0.0)
    for name, (_, (a, b)) in circuit.elements.items():
        into[a] -= rest.currents[name]
        into[b] += rest.currents[name]
    largest = max(map(abs, rest.currents.values()))
    assert max(map(abs, into.values())) < 10 * tol.IDENTITY * largest
    check_energy(Circuit(random_network(np.random.default_rng(seed)), thermal_voltage=2.0).system)
    other = relax(circuit.system, rest.x, method="newton")
    assert_allclose(other.x, rest.x, atol=1e-9 * np.abs(rest.x).max())
    aside = 1e-3 * rng.normal(size=(5, rest.x.size))
    aside[:, [circuit.nodes.index(node) for node in ("0", "29", "28", "27")]] = 0.0
    assert np.all(circuit.system(rest.x + aside) > rest.energy)


def test_batches_warm_starts_and_single_items_agree(tol):
    circuit = Circuit(random_network(np.random.default_rng(7)))
    volts = np.linspace(-3, 3, 9)[:, None]
    batch = circuit.solve({"V0": volts})
    for k, v in enumerate(volts):
        one = circuit.solve({"V0": v})
        assert_allclose(batch.x[k], one.x, atol=tol.IDENTITY * np.abs(one.x).max())
    again = circuit.solve({"V0": volts + 1e-3}, x0=batch)
    cold = circuit.solve({"V0": volts + 1e-3})
    assert again.steps < cold.steps
    assert_allclose(again.x, cold.x, atol=10 * tol.IDENTITY * np.abs(cold.x).max())


def test_large_circuits_are_solved_sparsely(tol):
    """A ladder of 400 sections against its own recursion."""
    n, vt = 400, 0.0259
    net = {"V": (VoltageSource(3.0), "0", "g")}
    for k in range(n):
        net[f"R{k}"] = (Resistor(50.0), str(k), str(k + 1))
        net[f"D{k}"] = (Diode(1e-9), str(k + 1), "g")
    rest = Circuit(net, ground="g", thermal_voltage=vt).solve()
    v = np.array([rest.voltages[str(k)] for k in range(n + 1)])
    through = np.diff(-v) / 50.0
    assert rest.converged and len(v) > 150
    assert_allclose(through, np.cumsum((1e-9 * np.expm1(v[1:] / vt))[::-1])[::-1], rtol=1e-6, atol=1e-15)


def test_parallel_and_series_edges_of_a_graph(tol):
    import networkx as nx

    graph = nx.MultiGraph()
    graph.add_edge("a", "b", element=Resistor(2.0))
    graph.add_edge("a", "b", element=Resistor(2.0))
    graph.add_edge("b", 0, element=Resistor(1.0))
    circuit = Circuit(graph, ground=0, inputs=["a"], outputs=["b", ("a", "b")])
    rest = circuit.solve({"input": [[2.0], [4.0]]})
    assert_allclose(circuit.read(rest, "output"), [[1.0, 1.0], [2.0, 2.0]], rtol=tol.IDENTITY)


def test_cut_off_nodes_are_named():
    chain = {"V": (VoltageSource(1.0), "a", "0"), "T1": (TransistorEdge(0.1), "a", "b")}
    chain |= {
        "T2": (TransistorEdge(0.1), "b", "c"),
        "T3": (TransistorEdge(3.0), "c", "d"),
        "T4": (TransistorEdge(0.1), "d", "0"),
    }
    rest = Circuit(chain).solve()
    assert rest.converged and set(rest.floating) == {"b", "c", "d"}
    assert [rest.voltages[n] for n in "bcd"] == [0.0, 0.0, 0.0]


def test_continuations_find_what_the_plain_method_does_not(tol):
    """A latch of two inverters has three operating points; its plain search may cycle."""
    n, p = MOSFET("n", threshold=0.5, transconductance=1e-3), MOSFET("p", threshold=-0.5, transconductance=5e-4)
    net = {"V": (VoltageSource(2.5), "dd", "0"), "R": (Resistor(1e6), "x", "0")}
    for a, b in (("x", "y"), ("y", "x")):
        net[f"N{a}"], net[f"P{a}"] = (n, b, a, "0", "0"), (p, b, a, "dd", "dd")
    circuit = Circuit(net, gmin=1e-12)
    assert circuit.solve().converged
    high = Circuit(net, gmin=1e-12, initial={"x": 2.5}).solve()
    low = Circuit(net, gmin=1e-12, initial={"y": 2.5}).solve()
    assert high.voltages["x"] > 2.4 and low.voltages["x"] < 0.1


def test_nudges_that_unbind_the_network_are_refused():
    """A divider of 2 mS at its middle bears a negative nudge below 2 mS; above it, what Newton finds is no rest."""
    divider = {"V": (VoltageSource(1.0), "a", "0"), "R1": (Resistor(1e3), "a", "b"), "R2": (Resistor(1e3), "b", "0")}
    circuit = Circuit(divider, outputs=["b"])

    def nudged(strength, machine=circuit, at=None):
        return machine.solve(nudge=Nudge(SquaredError("output"), [[0.45]], strength, at))

    v = nudged(-1.5e-3).voltages["b"][0]
    assert abs(v - (1e-3 - 1.5e-3 * 0.45) / (2e-3 - 1.5e-3)) < 1e-6
    with pytest.raises(ValueError, match="-0.0021 of SquaredError on 'output' is 1.05 times what the circuit's own"):
        nudged(-2.1e-3)
    assert nudged(-2.1e-3, at=np.array([[0.5]])).converged  # linearised: a current, which bends nothing
    pair = {"V": (VoltageSource(1.0), "a", "0"), "T1": (TransistorEdge(3.0), "a", "b")}
    gates = Circuit(pair | {"T2": (TransistorEdge(3.0), "b", "0")}, outputs=["b"])
    assert nudged(-1e-4, gates).converged
    with pytest.raises(ValueError, match="there is no rest"):
        nudged(-1.0, gates)
    held = Circuit(divider | {"D": (Diode(1e-14), "b", "0")}, outputs=["b"])
    assert nudged(-1e-2, held).voltages["b"][0] > 0.45  # the diode holds what the resistors do not


def test_what_does_not_converge_says_so():
    net = {"I": (CurrentSource(1.0), "0", "a"), "B": (Behavioural("exp(-v(a)**2)/10"), "a", "0")}  # never 1 A
    circuit = Circuit(net)
    with pytest.warns(RuntimeWarning, match="not at rest"):
        rest = circuit.solve(max_steps=300)
    assert not rest.converged and rest.residual > 0.5
    with pytest.raises(ConvergenceError):
        circuit.solve(max_steps=300, unconverged="raise")


@pytest.mark.parametrize(
    "net, message",
    [
        (
            {
                "V1": (VoltageSource(1.0), "a", "0"),
                "E2": (VCVS(2.0), "a", "0", "b", "0"),
                "R": (Resistor(1.0), "b", "0"),
            },
            "V1, E2: a loop of voltage",
        ),
        (
            {
                "V1": (VoltageSource(1.0), "a", "b"),
                "V2": (VoltageSource(1.0), "b", "c"),
                "V3": (VoltageSource(1.0), "c", "a"),
                "R": (Resistor(1.0), "c", "0"),
            },
            "V2, V1, V3: a loop",
        ),
        (
            {
                "I1": (CurrentSource(1.0), "a", "0"),
                "I2": (CurrentSource(1.0), "a", "b"),
                "R": (Resistor(1.0), "b", "0"),
            },
            "I1, I2: a cut set of current sources: node 'a'",
        ),
        ({"R1": (Resistor(1.0), "a", "b"), "R": (Resistor(1.0), "c", "0")}, "R1: nodes 'a', 'b' floats"),
        ({"M1": (MOSFET(), "d", "g", "0", "0"), "R": (Resistor(1.0), "d", "0")}, "M1: its gate floats: node 'g'"),
        (
            {"R1": (Resistor(1.0), "a", "a"), "R": (Resistor(1.0), "a", "0")},
            "netlist\\['R1'\\]: both ends are node 'a'",
        ),
        ({"R1": (Resistor(1.0), "a")}, "Resistor got 1 nodes, expected 2"),
        (
            {"F1": (CCCS(2.0, "V9"), "a", "0"), "R": (Resistor(1.0), "a", "0")},
            "F1: its control 'V9' is no voltage source",
        ),
        ({"B1": (Behavioural("v(zz)"), "a", "0"), "R": (Resistor(1.0), "a", "0")}, "B1: there is no node 'zz'"),
        ({"R1": (Resistor(1.0), "a", "b")}, "ground: no element is joined to '0'"),
        ({}, "netlist: it has no elements"),
    ],
)
def test_impossible_circuits_name_the_element(net, message):
    with pytest.raises(ValueError, match=message):
        Circuit(net)


def test_values_out_of_the_physical_range():
    for make in (lambda: Resistor(-1.0), lambda: Resistor(0.0), lambda: Diode(-1e-14), lambda: Diode(ideality=0.0)):
        with pytest.raises(ValueError, match="expected a positive finite number"):
            make()
    with pytest.raises(ValueError, match="sources"):
        net = {"V1": (VoltageSource(1.0), "a", "0"), "R": (Resistor(1.0), "a", "0")}
        Circuit(net, inputs=["R"])
    with pytest.raises(ValueError, match="clamp"):
        Circuit(net).solve({"V2": 1.0})
