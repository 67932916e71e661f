"""Netlists of other hands: ngspice's operating points and transients are found again."""

import re
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest

from circuits import read_netlist, run_ngspice
from circuits.spice.write import netlist_of
from physlearn import integrate

pytestmark = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not on the path (Debian: apt install ngspice)"
)

RESTS, TIMES = {}, {}
for part in Path(__file__).with_name("corpus.txt").read_text().split("\n== ")[1:]:
    head, _, text = part.partition("\n")
    name, _, end = head.partition(" | ")
    if end:
        TIMES[name] = text.rstrip("\n") + "\n", float(end)
    else:
        RESTS[name] = text.rstrip("\n") + "\n"


def read(text, tmp_path):
    path = tmp_path / "case.cir"
    path.write_text("a title\n" + text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return read_netlist(path)


@pytest.mark.parametrize("name", RESTS)
def test_operating_points(name, tmp_path):
    """To 1e-9 of the largest voltage, on the text itself and on what is written from it."""
    circuit = read(RESTS[name], tmp_path)
    rest = circuit.solve()
    assert rest.converged
    written = netlist_of(circuit)
    tight = written[written.index(".options") :]
    plain = re.sub(r"^\.(op|end)$|^\.control(.|\n)*?^\.endc$", "", RESTS[name], flags=re.MULTILINE)
    gmos = any(type(element).__name__ == "MOSFET" for element, _ in circuit.elements.values())
    largest = max(map(abs, rest.voltages.values()))
    for text in ("a title\n" + plain + tight, written):
        volts = run_ngspice(text)
        found = {node for node in rest.voltages if "#" not in node}
        assert found <= set(volts)
        for node in found:  # ngspice has a transistor's gmin at its bulk, we across its channel
            assert abs(volts[node] - rest.voltages[node]) < (1e-7 if gmos else 1e-9) * largest, node


QUICK = ("pulses through a low pass", "lines between points")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TIMES]
)
def test_transients(name, tmp_path):
    """ngspice's trapezoidal steps with tight tolerances and ours agree to 1e-4 of the swing, at its own times."""
    text, end = TIMES[name]
    circuit = read(text, tmp_path)
    nodes = [node for node in circuit.nodes if node != "0" and "#" not in node]
    out = tmp_path / "waves"
    asked = " ".join(f"v({node})" for node in nodes)
    control = f".control\nset wr_singlescale\nset numdgt=12\ntran {end / 2000:g} {end:g} 0 {end / 4000:g}\n"
    control += f"wrdata {out} {asked}\nquit 0\n.endc\n.end\n"
    options = ".options reltol=1e-6 abstol=1e-14 vntol=1e-9 trtol=1 gmin=1e-12\n"
    path = tmp_path / "own.cir"
    path.write_text("a title\n" + text + options + control)
    subprocess.run(["ngspice", "-n", "-b", str(path)], capture_output=True, timeout=60, check=False)
    waves = np.loadtxt(out)
    pick = np.unique(np.linspace(1, len(waves) - 1, 25).astype(int))
    times = waves[pick, 0]
    run = integrate(circuit, (0.0, end), tol=1e-6, times=times[times <= end])
    for k, node in enumerate(nodes):
        theirs = waves[pick, k + 1][: len(run.t) - 1]
        swing = max(np.ptp(waves[:, k + 1]), 1e-3)
        assert np.abs(run.voltages[node][1:] - theirs).max() < 1e-4 * swing, node
