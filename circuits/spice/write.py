"""Netlists: write a resistor network for a SPICE simulator, and ask ngspice for its operating point.

R elements carry 17 significant digits, so that the simulator solves the same circuit to rounding.
Nodes are called n0, n1, ... in the network's order (labels follow in comments); ground is 0.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from circuits.resistive.resistor import checked_network
from physlearn.checks import array, instance, mapping, number

# The default reltol 1e-3 stops a nonlinear iteration early; gmin would load every junction.
OPTIONS = ".options reltol=1e-12 abstol=1e-18 vntol=1e-15 gmin=1e-18 noacct"


def spice_names(network) -> dict:
    """Name in the netlist of every node: ``{label: "n3"}``, "0" for ground.

    Parameters
    ----------
    network : ResistorNetwork

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> spice_names(ResistorNetwork(nx.path_graph(["a", "b"]), conductance=1.0, ground="b"))
    {'a': 'n0', 'b': '0'}
    """
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
    names = [name_of[node] for node in network.nodes] + ["0"]  # -1, the far end of a single node
    instance("title", title, str, "text, the first line of the netlist")
    lines = [" ".join(title.split()) or "resistor network"]
    # repr may hold line breaks, after which a simulator would read elements
    lines += [f"* {name} = {' '.join(ascii(node).split())}" for node, name in name_of.items() if name != "0"]
    for k, (edge, g) in enumerate(zip(network.edges, network.conductance, strict=True)):
        lines.append(f"R{k} {name_of[edge[0]]} {name_of[edge[1]]} {1.0 / g:.16e}")
    for name, values in mapping("clamp", {} if clamp is None else clamp).items():
        values = _values(network, name, values)
        if name == "ground":
            if np.any(values):
                raise ValueError("clamp['ground']: it is node 0 of a netlist, at 0 V; leave it out")
            continue
        safe = re.sub(r"\W", "_", name)
        for k, ((a, b), value) in enumerate(zip(network.terminals[name], values, strict=True)):
            if name in network.currents:  # SPICE's current flows from the first node to the second
                lines.append(f"I{safe}_{k} {names[b]} {names[a]} DC {value:.16e}")
            else:
                lines.append(f"V{safe}_{k} {names[a]} {names[b]} DC {value:.16e}")
    control = [".control", "set numdgt=17", "run", "print all", "quit 0", ".endc"]
    return "\n".join([*lines, OPTIONS, ".op", *control, ".end"]) + "\n"


def run_ngspice(netlist: str, *, timeout: float = 60.0) -> dict[str, float]:
    """Operating point of a netlist made by `to_spice`, from ngspice in batch mode.

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
        path.write_text(netlist, encoding="ascii")
        command = [program, "-n", "-b", str(path)]  # -n: no start-up file of the user's
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"ngspice found no operating point in timeout={timeout:g} s") from None
    found = re.findall(r"^(\S+) = (\S+)\s*$", done.stdout, re.MULTILINE)
    volts = {name: float(value) for name, value in found if not name.endswith("#branch")}
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
