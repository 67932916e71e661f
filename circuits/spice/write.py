"""Netlists: write a circuit for a SPICE simulator, and ask ngspice for its operating point.

Numbers carry 17 significant digits, so that the simulator solves the same circuit to rounding.  Nodes keep their names
where SPICE can read them, and are called n0, n1, ... elsewhere (labels follow in comments); ground is 0.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from circuits.elements.resistor import Resistor
from circuits.elements.sources import CurrentSource, VoltageSource
from circuits.nodal.circuit import Circuit
from circuits.resistive.resistor import ResistorNetwork, checked_network
from circuits.spice.constants import THERMAL_VOLTAGE
from circuits.spice.text import CONTROL, Text, digits, names_of, nodes_of
from physlearn.checks import array, instance, mapping, number
from physlearn.files import path_of, replace_file

# The default reltol 1e-3 stops a nonlinear iteration early.  Far tighter than 1e-9 ngspice cannot fulfil, and its last
# resort, a short transient, then prints the state under the values of waveforms at t = 0 and not under DC, silently.
TIGHT = ".options reltol=1e-9 abstol=1e-15 vntol=1e-12 gmin={gmin:g} noacct"


def write_netlist(circuit, path, *, clamp=None) -> Path:
    """Write a circuit as a netlist that ngspice solves and `read_netlist` reads.

    Parameters
    ----------
    circuit : Circuit or ResistorNetwork
    path : path
        Replaced whole if it exists.
    clamp : mapping of str to (k,) array, optional
        As for ``solve``: values of sources, and of inputs, whose nodes then get sources (a `ResistorNetwork` is
        written as by `to_spice`).

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        Elements without a counterpart in SPICE (ideal diodes, a user's laws), by name.

    Notes
    -----
    Transistor edges become B sources and batteries of diodes V sources.  Ideality factors are scaled by the ratio of
    the circuit's thermal voltage to ngspice 39's, so that n V_T is the same in both.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from circuits import Resistor, read_netlist
    >>> divider = Circuit({"V1": (VoltageSource(3.0), "in", "0"), "R1": (Resistor(1e3), "in", "out"),
    ...                    "R2": (Resistor(2e3), "out", "0")}, title="a divider")
    >>> path = write_netlist(divider, pathlib.Path(tempfile.mkdtemp(), "divider.cir"))
    >>> read_netlist(path).solve().voltages["out"]
    2.0
    """
    instance("circuit", circuit, Circuit | ResistorNetwork, "a Circuit or a ResistorNetwork")
    path = path_of("path", path)
    if isinstance(circuit, ResistorNetwork):
        return replace_file(path, to_spice(circuit, clamp))
    return replace_file(path, netlist_of(circuit, clamp))


def netlist_of(circuit, clamp=None) -> str:
    """The text that `write_netlist` writes for a `Circuit`."""
    listed = [(name, element, ends) for name, (element, ends) in _with_values(circuit, clamp).items()]
    nodes = spice_names(circuit)
    text = Text(nodes, names_of(listed), circuit.thermal_voltage / THERMAL_VOLTAGE)
    comments = [f"* {name} = {_flat(node)}" for node, name in nodes.items() if name not in ("0", node)]
    start = [f".nodeset v({nodes[node]})={digits(volts)}" for node, volts in circuit.initial.items() if node in nodes]
    return _whole(circuit.title, comments, [*text.lines(listed), *start], circuit.gmin)


def _with_values(circuit, clamp):
    """{name: (element, nodes)} with the sources of a call; inputs at nodes become sources."""
    elements = dict(circuit.elements)
    known = [name for name in circuit.system.readouts if name in (*circuit.inputs, *elements)]
    for readout, values in mapping("clamp", clamp or {}, known).items():
        places = circuit.inputs.get(readout, (readout,))
        values = array(f"clamp[{readout!r}]", values)
        values = np.atleast_1d(values[0] if values.ndim == 2 and len(values) == 1 else values)
        if values.shape != (len(places),):
            raise ValueError(
                f"clamp[{readout!r}]: shape {values.shape}, expected ({len(places)},); a netlist holds one operating "
                "point"
            )
        for k, (place, value) in enumerate(zip(places, values.tolist(), strict=True)):
            if isinstance(place, str) and place in elements:
                elements[place] = (replace(elements[place][0], value=value, dc=None), elements[place][1])
                continue
            ends = place if isinstance(place, tuple) and place not in circuit.nodes else (place, circuit.ground)
            name = re.sub(r"\W", "_", f"V{readout}_{k}")
            elements[name] = (VoltageSource(value), ends)
    return elements


def _whole(title, comments, lines, gmin):
    return (
        "\n".join([_flat(title, repr_=False), *comments, *lines, TIGHT.format(gmin=gmin), ".op", *CONTROL, ".end"])
        + "\n"
    )


def _flat(thing, repr_=True):
    """One line of ASCII: a repr may hold line breaks, after which a simulator would read elements."""
    return " ".join((ascii(thing) if repr_ else thing).split())


def spice_names(network) -> dict:
    """Name in the netlist of every node: ``{label: "n3"}``, "0" for ground.

    Parameters
    ----------
    network : ResistorNetwork or Circuit

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> spice_names(ResistorNetwork(nx.path_graph(["a", "b"]), conductance=1.0, ground="b"))
    {'a': 'n0', 'b': '0'}
    """
    if isinstance(network, Circuit):
        return nodes_of(dict.fromkeys(node for _, ends in network.elements.values() for node in ends), network.ground)
    names = {node: f"n{k}" for k, node in enumerate(checked_network(network).nodes)}
    return names | dict.fromkeys(network.ground, "0")


def to_spice(network, clamp=None, *, title: str = "resistor network") -> str:
    r"""Netlist of a network under one set of imposed voltages and injected currents.

    Parameters
    ----------
    network : ResistorNetwork
    clamp : mapping of str to (k,) or (1, k) array, optional
        As for `ResistorNetwork.solve`: volts, or amperes where declared in ``currents``.
    title : str
        First line.

    Returns
    -------
    str
        A netlist whose ``.control`` block prints all node voltages with 17 digits.

    Raises
    ------
    ValueError
        For names or shapes that do not fit, and for batches: a netlist holds one operating point.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=0.5, ground=2, inputs=[0])
    >>> print("\n".join(to_spice(line, {"input": [3.0]}).splitlines()[3:6]))
    R0 n0 n1 2.0000000000000000e+00
    R1 n1 0 2.0000000000000000e+00
    Vinput_0 n0 0 DC 3.0000000000000000e+00
    """
    name_of = spice_names(network)
    instance("title", title, str, "text, the first line of the netlist")
    found: list[tuple] = [
        (f"R{k}", Resistor(1.0 / g), (edge[0], edge[1]))
        for k, (edge, g) in enumerate(zip(network.edges, network.conductance, strict=True))
    ]
    ground = network.ground[0] if network.ground else object()
    labels = [*network.nodes, ground]  # -1, the far end of a single node
    for name, values in mapping("clamp", {} if clamp is None else clamp).items():
        values = _values(network, name, values)
        if name == "ground":
            if np.any(values):
                raise ValueError("clamp['ground']: it is node 0 of a netlist, at 0 V; leave it out")
            continue
        safe = re.sub(r"\W", "_", name)
        for k, ((a, b), value) in enumerate(zip(network.terminals[name], values, strict=True)):
            if name in network.currents:  # SPICE's current flows from the first node to the second
                found.append((f"I{safe}_{k}", CurrentSource(value), (labels[b], labels[a])))
            else:
                found.append((f"V{safe}_{k}", VoltageSource(value), (labels[a], labels[b])))
    comments = [f"* {name} = {_flat(node)}" for node, name in name_of.items() if name != "0"]
    lines = Text({**name_of, ground: "0"}, names_of(found)).lines(found)
    return _whole(" ".join(title.split()) or "resistor network", comments, lines, 1e-18)


def run_ngspice(netlist: str, *, timeout: float = 60.0) -> dict[str, float]:
    """Operating point of a netlist made by `to_spice` or `write_netlist`, from ngspice in batch mode.

    Parameters
    ----------
    netlist : str
    timeout : float
        Seconds to wait.

    Returns
    -------
    dict of str to float
        Node name to volts, ground included.

    Raises
    ------
    FileNotFoundError
        If there is no ngspice.
    RuntimeError
        If it prints no operating point in time; the message ends with what it printed.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=0.5, ground=2, inputs=[0])
    >>> netlist = to_spice(line, {"input": [3.0]})
    >>> run_ngspice(netlist)  # doctest: +SKIP
    {'n0': 3.0, 'n1': 1.5, '0': 0.0}
    """
    instance("netlist", netlist, str, "a netlist made by to_spice")
    timeout = number("timeout", timeout, 1e-3, 1e9)
    program = shutil.which("ngspice")
    if program is None:
        raise FileNotFoundError("ngspice is not on the path; install it (Debian: apt install ngspice)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.cir"
        path.write_text(netlist, encoding="utf-8")
        command = [program, "-n", "-b", str(path)]  # -n: no start-up file of the user's
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"ngspice found no operating point in timeout={timeout:g} s") from None
    found = re.findall(r"^(\S+) = (\S+)\s*$", done.stdout, re.MULTILINE)
    volts = {name: float(value) for name, value in found if not name.endswith("#branch") and name != "zero"}
    if not volts:  # ngspice exits with 0 even when it has failed
        raise RuntimeError(f"ngspice found no operating point:\n{done.stdout}{done.stderr}")
    return volts | {"0": 0.0}


def _values(network, name, values):
    if not isinstance(name, str) or name not in network.terminals:
        raise ValueError(f"clamp: there is no readout {name!r}, expected one of {list(network.terminals)}")
    k = len(network.terminals[name])
    found = array(f"clamp[{name!r}]", values)
    if found.shape not in ((k,), (1, k)):
        raise ValueError(f"clamp[{name!r}]: shape {found.shape}, expected ({k},); a netlist holds one operating point")
    return found.ravel()
