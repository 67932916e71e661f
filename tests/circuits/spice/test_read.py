"""Netlists read: meaning, round trips, errors with their line, mutated texts, and ngspice's own answers."""

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from circuits import (
    Circuit,
    Diode,
    IdealDiode,
    Resistor,
    TransistorEdge,
    VoltageSource,
    read_netlist,
    run_ngspice,
    write_netlist,
)
from circuits.spice.write import netlist_of

NETLISTS = sorted((Path(__file__).resolve().parents[3] / "examples" / "netlists").glob("*.cir"))
needs_ngspice = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not on the path (Debian: apt install ngspice)"
)
BODY = "V1 in 0 4\nR1 in out {x}\nR2 out 0 1k\n"
NESTED = """V1 in 0 4
R2 out 0 1k
X1 in out s
.subckt s p q
X1 p m t
X2 m q t
.subckt t p q
R p q {a}
.ends
.ends
.param a=1k
"""
SCOPED = """Vin IN 0 1
Xa in A.b cell
.subckt cell p q
R1 p m 1k
Xb m q deep
.ends
.subckt deep p q
R1 p i 1k
R2 i q 1k
.ends
Re a.B 0 1k
"""


@pytest.fixture
def read(tmp_path):
    def reader(text, title="title\n", **options):
        path = tmp_path / "case.cir"
        path.write_text(title + text, encoding="utf-8")
        return read_netlist(path, **options)

    return reader


def out(circuit):
    return circuit.solve().voltages["out"]


@pytest.mark.parametrize(
    "text, ohms",
    [
        (BODY.format(x="1k"), 1e3),
        (BODY.format(x="1M"), 1e-3),
        (BODY.format(x="1MEGohm"), 1e6),
        (BODY.format(x="1mil"), 25.4e-6),
        (BODY.format(x="1D3"), 1e3),
        (BODY.format(x="= 3k"), 3e3),
        (BODY.format(x="r = 3k tc1=0.1"), 3e3),
        (BODY.format(x="3k m=2"), 1.5e3),
        (BODY.format(x="{a*2}") + ".param a={b+1} b=0.5k\n", 1002.0),
        (BODY.format(x="'a'") + ".param a=1k\n.PARAM A = 2k\n", 2e3),
        (BODY.format(x="{a}") + ".param a = 1k + 2k b=3\n", 3e3),
        (BODY.format(x="\n* between\n+ 2k"), 2e3),
        (BODY.format(x="2k ; behind").replace("R1", "  r1"), 2e3),
        (BODY.format(x="2k $ behind").replace("out 0", "out gnd"), 2e3),
        (BODY.format(x="2k // behind").replace("R1 in out", "R1,(in,out)"), 2e3),
        ("V1 in 0 4\nR2 out 0 1k\nX1 in out s a=2\n.subckt s p q a=1 b={a*1k}\nR1 p q {b}\n.ends\n", 2e3),
        ("V1 in 0 4\nR2 out 0 1k\nX1 in out s params: a=2\n.subckt s p q params: a=1\nR1 p q {a}\n.ends s\n", 2.0),
        ("V1 in 0 4\nR2 out 0 1k\nX1 in out s m=2\n.subckt s p q\nR1 p q 3k\n.ends\n", 1.5e3),
        (NESTED, 2e3),
        ("V1 in 0 4\nR2 out 0 1k\nX1 in out s\n.param a=1\n.subckt s p q\n.param a=7\nR1 p q {a}\n.ends\n", 7.0),
        ("V1 in 0 DC 1 AC 1\nE1 in2 0 in 0 4\nR2 out 0 1k\nR1 in2 out 2k\n", 2e3),
        ("V1 in 0 PWL(0 4 1 9)\nR2 out 0 1k\nR1 in out 2k\n.control\nwhatever\n.endc\n.end\n\n* done\n", 2e3),
        (
            BODY.format(x="2k").replace("4", "SIN(4 1 1k)")
            + ".op\n.tran 1u 1m\n.print v(out)\n.options reltol=1e-6 gmin=1e-15\n",
            2e3,
        ),
    ],
)
def test_a_divider_in_many_spellings(read, text, ohms, tol):
    assert out(read(text)) == pytest.approx(4.0 / (1 + ohms / 1e3), rel=tol.IDENTITY)


def test_names_of_subcircuits_and_case(read):
    circuit = read(SCOPED)
    rest = circuit.solve()
    assert {"in", "xa.m", "xa.xb.i", "a.b"} < set(rest.voltages)
    assert {"vin", "r.xa.r1", "r.xa.xb.r2"} < set(circuit.elements)
    assert rest.voltages["XA.XB.I"] == pytest.approx(0.5)


def test_include_stays_within_the_folder(read, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "cell.inc").write_text(".subckt s p q\nR1 p q 2k\n.ends\n")
    assert out(read("V1 in 0 3\nR2 out 0 1k\nX1 in out s\n.include 'lib/cell.inc'\n")) == pytest.approx(1.0)
    for name, message in [
        ("../x.inc", "out of the netlist's folder"),
        ("/etc/passwd", "out of"),
        ("none.inc", "cannot be read"),
    ]:
        with pytest.raises(ValueError, match=f"case.cir, line 2: .include '{name}' .*{message}|{message}"):
            read(f".include {name}\nR1 a 0 1\n")
    with pytest.raises(ValueError, match="more than 20 deep"):
        read(".include case.cir\nR1 a 0 1\n")


@pytest.mark.parametrize(
    "text, message",
    [
        ("R1 a 0 1k\nQ1 a b c m\n", "case.cir, line 3: element 'Q' is not known"),
        ("R1 a 0\n", "line 2: R1|line 2: r1: resistance is missing"),
        ("R1 a 0 1k,3\n", "line 2: r1: '3' is not known here"),
        ("R1 a 0 foo\n", "'foo' is no number; write {foo} for a parameter"),
        ("R1 a 0 {foo}\n", "line 2: there is no parameter 'foo'"),
        ("R1 a 0 {x}\n.param x={y}\n.param y={x}\n", "depends on itself"),
        ("R1 a 0 {1/0}\n", "its value does not exist"),
        ("R1 a a 1k\nR2 a 0 1\n", "line 2: r1: both ends are node 'a'"),
        ("R1 a 0 1k\nR1 a 0 2k\n", "line 3: there is an element 'r1' already, at case.cir, line 2"),
        ("D1 a 0 nope\nR1 a 0 1\n", "there is no model 'nope'"),
        ("D1 a 0 m\nR1 a 0 1\n.model m nmos\n", "is a NMOS, expected D"),
        ("D1 a 0 m\nR1 a 0 1\n.model m d(is=-1)\n", "saturation: got -1"),
        ("D1 a 0 m -2\nR1 a 0 1\n.model m d\n", "area -2"),
        ("D1 a 0 m\nR1 a 0 1\n.model m d(bv=5)\n", "model parameter 'bv' of a D is not modelled"),
        ("M1 a b 0 m\nR1 a 0 1\n.model m nmos\n", "line 2"),
        (".model m npn\nR1 a 0 1\n", "model type 'npn' is not known"),
        ("M1 d g 0 0 m\nR1 d 0 1\n.model m nmos(vto=1 level=8)\n", "level=8 is not modelled"),
        ("X1 a 0 s\nR1 a 0 1\n", "there is no subcircuit 's'"),
        ("X1 a s\n.subckt s p q\nR1 p q 1\n.ends\n", "has 2 nodes, got 1"),
        ("X1 a 0 s z=1\n.subckt s p q\nR1 p q 1\n.ends\n", "has no parameter 'z'"),
        ("X1 a 0 s\n.subckt s p q\nX1 p q s\n.ends\n", "deep in each other"),
        (".subckt s p q\nR1 p q 1\n", ".subckt without .ends"),
        ("R1 a 0 1\n.ends\n", ".ends without .subckt"),
        ("R1 a 0 1\n.ac dec 1 2 3\n", "line 3: .ac is not known"),
        ("R1 a 0 1\n.lib foo\n", ".lib is not known"),
        ("R1 a 0 1\n.end\nR2 a 0 1\n", "line 4: 'R2 a 0 1' stands after .end"),
        ("+ a\n", "a continuation"),
        ("R1 a 0 1\n.control\n", ".control without .endc"),
        ("V1 a 0 EXP(1 2 0 1)\nR1 a 0 1\n", "waveform EXP is not modelled"),
        ("V1 a 0 5 6\nR1 a 0 1\n", "'6' is left over"),
        ("V1 a 0 1\nV2 a 0 2\n", "v1, v2: a loop of voltage sources"),
        ("I1 a 0 1\n", "a cut set"),
        ("B1 a 0 V=v(b\nR1 a b 1\n", "line 2"),
        ("B1 a 0 V=time\nR1 a 0 1\n", "depends on time"),
        ("B1 a 0 I=import(1)\nR1 a 0 1\n", "no function 'import'"),
        ("E1 a 0 poly(1) b 0 1 2\nR1 a b 1\n", "POLY is not modelled"),
        ("F1 a 0 v9 2\nR1 a 0 1\n", "f1: its control 'v9'"),
        ("R1 a 0 1 foo=2\n", "'foo' is not known here"),
        ("R1 a 0 {1+}\n", "the expression ends"),
        (".options rshunt=1\nR1 a 0 1\n", "rshunt changes the circuit"),
        (".temp 50\nD1 a 0 m\nR1 a 0 1\n.model m d\n", "at 50 C is not modelled"),
        ("R2*v(a)^3\nR1 a 0 1\n", "line 2: r2\\*v: expected two nodes and a value behind blanks"),
        ("C1 a 0 1u\n", "floats"),
        ("", "it has no elements"),
    ],
)
def test_faults_name_file_and_line(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_digits_behind_a_scale_are_said(read):
    with pytest.warns(UserWarning, match="'4k7' is read as 4000, as ngspice does"):
        circuit = read("R1 a 0 4k7\nV1 a 0 1\n")
    assert circuit.elements["r1"][0] == Resistor(4000.0)


def test_zero_ohms_and_negative_ones(read):
    circuit = read("V1 a 0 1\nR1 a b 0\nR2 b 0 -2\nR3 b 0 1\n")
    assert circuit.elements["r1"][0] == Resistor(1e-3) and "1 milliohm" in circuit.notes[0]
    assert circuit.solve().currents["gr2"] == pytest.approx(-0.5, rel=2e-3)


@pytest.mark.parametrize("path", NETLISTS, ids=lambda p: p.stem)
def test_round_trips_are_equal(path, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        circuit = read_netlist(path)
        again = read_netlist(write_netlist(circuit, tmp_path / "again.cir"))
    assert dict(again.elements) == dict(circuit.elements)
    assert (again.title, again.gmin, again.thermal_voltage) == (circuit.title, circuit.gmin, circuit.thermal_voltage)
    assert np.array_equal(_flat(again.solve()), _flat(circuit.solve()))


def _flat(rest):
    return np.array(list(rest.voltages.values()))


@needs_ngspice
@pytest.mark.parametrize("path", NETLISTS, ids=lambda p: p.stem)
def test_ngspice_agrees(path):
    """To 1e-9 of the largest voltage, on the file itself with tight tolerances and on what is written from it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        circuit = read_netlist(path)
    rest = circuit.solve()
    assert rest.converged
    written = netlist_of(circuit)
    tight = written[written.index(".options") :]
    original = re.sub(r"^\.(op|end)$", "", path.read_text(), flags=re.MULTILINE) + tight
    largest = max(map(abs, rest.voltages.values()))
    for text in (original, written):
        volts = run_ngspice(text)
        found = {node for node in rest.voltages if "#" not in node}
        assert found <= set(volts)
        for node in found:
            assert abs(volts[node] - rest.voltages[node]) < 1e-9 * largest, node


@needs_ngspice
def test_circuits_of_ones_own_leave_for_ngspice(tmp_path):
    """Other thermal voltages, batteries, transistor edges and odd names survive."""
    net = {
        "supply": (VoltageSource(1.0), ("a", 1), 0),
        "T1": (TransistorEdge(2.5), ("a", 1), "b c"),
        "R?": (Resistor(3e3), "b c", 0),
        "D": (Diode(1e-13, 1.2, 10.0, bias=-0.25), "b c", 0),
    }
    circuit = Circuit(net, ground=0, temperature=320.0)
    rest = circuit.solve()
    path = write_netlist(circuit, tmp_path / "own.cir")
    volts = run_ngspice(path.read_text())
    assert volts["n1"] == pytest.approx(rest.voltages["b c"], rel=1e-9)
    assert read_netlist(path).solve().voltages["n1"] == pytest.approx(rest.voltages["b c"], rel=1e-12)
    with pytest.raises(ValueError, match="D2: a IdealDiode has no counterpart"):
        write_netlist(Circuit(net | {"D2": (IdealDiode(), "b c", 0)}, ground=0), path)


def mutated(texts, rng):
    """A netlist with a few characters, words or lines changed, moved or repeated."""
    text = list(texts[rng.integers(len(texts))])
    for _ in range(rng.integers(1, 6)):
        at, kind = int(rng.integers(len(text) + 1)), rng.integers(5)
        if kind == 0:
            text[at : at + int(rng.integers(1, 12))] = []
        elif kind == 1:
            text[at:at] = rng.choice(
                list("0123456789.+-*/()={}'\",;$%^!?:<>&|\\ \n\tabdegikmruvx\0é"), rng.integers(1, 4)
            ).tolist()
        elif kind == 2:
            start = int(rng.integers(len(text) + 1))
            text[at:at] = text[start : start + int(rng.integers(1, 60))]
        elif kind == 3:
            words = [
                ".subckt s a b",
                ".ends",
                ".param x={x}",
                "X1 a b s",
                "{2*",
                "1e999",
                ".include x",
                "m=1e9",
                ".model",
            ]
            text[at:at] = "\n" + words[rng.integers(len(words))] + "\n"
        elif len(text) > 1:
            other = int(rng.integers(len(text)))
            text[at - 1], text[other] = text[other], text[at - 1]
    return "".join(text)


def survives(read, count, seed):
    texts = [path.read_text() for path in NETLISTS]
    rng, readable = np.random.default_rng(seed), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(count):
            text = mutated(texts, rng)
            try:
                circuit = read(text, title="")
            except ValueError as error:
                assert "case.cir" in str(error), (str(error), text)
            else:
                readable += 1
                assert len(circuit.elements) > 0
    return readable


def test_mutated_netlists(read):
    assert 100 < survives(read, 2000, 1) < 1900


@pytest.mark.slow
def test_many_mutated_netlists(read):
    survives(read, 100_000, 2)
