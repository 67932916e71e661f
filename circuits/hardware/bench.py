"""Files of a laboratory's bench: a wiring list, and measured pairs of inputs and outputs, both as CSV.

    wiring          element,from,to,conductance      or "resistance", ohms; or "gate", volts, of transistor edges
                    R1,a,b,1.5e-3
    measurements    input[0],input[1],output[0]      a readout's name and the number of its place
                    0.5,0.2,0.31

The first line names the columns; further ones, and lines that begin with #, are left alone.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import networkx as nx
import numpy as np

from circuits.elements.transistor import TransistorEdge
from circuits.hardware.hardware import Hardware
from circuits.nodal.circuit import Circuit
from circuits.resistive.resistor import ResistorNetwork
from physlearn.checks import instance
from physlearn.files import path_of, read_text, replace_file
from physlearn.machine import system_of

VALUES = ("conductance", "resistance", "gate")  # S, ohms, V; the first that a file has is read


def read_wiring(path, *, ground=(), inputs=(), outputs=(), currents=()):
    r"""A network from a wiring list.

    Parameters
    ----------
    path : path
        CSV with the columns from, to and conductance (S), resistance (ohms) or gate (V, of transistor edges); a column
        "element" names the elements of a circuit of transistors.
    ground, inputs, outputs, currents : optional
        As for `ResistorNetwork` or `Circuit`; nodes are texts, as in the file.  None: there are none.

    Returns
    -------
    ResistorNetwork or Circuit
        A `Circuit` of transistor edges where the column is "gate".

    Raises
    ------
    ValueError
        A file without these columns, numbers that are none or not positive, by line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "wiring.csv")
    >>> _ = path.write_text("from,to,resistance\na,b,100\nb,c,300\n")
    >>> divider = read_wiring(path, ground="c", inputs=["a"], outputs=["b"])
    >>> divider.read(divider.solve({"input": [4.0]}).x, "output")
    array([3.])
    """
    rows, columns, path = _table(path)
    kind = next((name for name in VALUES if name in columns), None)
    if not {"from", "to"} <= set(columns) or kind is None:
        raise ValueError(
            f"{path}: its columns are {columns}, expected from, to and one of {VALUES}, named in the first line"
        )
    graph = nx.MultiGraph()
    for line, row in rows:
        a, b = row["from"], row["to"]
        value = _number(path, line, kind, row[kind])
        if not a or not b or a == b:
            raise ValueError(f"{path}, line {line}: from {a!r} to {b!r}, expected two different nodes")
        if kind != "gate" and value <= 0:
            raise ValueError(f"{path}, line {line}: {kind} {value:g}, expected a positive number")
        name = row.get("element") or f"{a}-{b}-{line}"
        graph.add_edge(
            a, b, value=value, **({"name": name, "element": TransistorEdge(value)} if kind == "gate" else {})
        )
    if kind == "gate":
        if currents:
            raise ValueError("currents: a circuit of transistors has none; add current sources to a Circuit")
        return Circuit(graph, ground=ground or "0", inputs=inputs or (), outputs=outputs or ())
    more = dict(ground=ground, inputs=inputs, outputs=outputs, currents=currents)
    return ResistorNetwork(graph, conductance="value", kind=kind, **more)


def write_wiring(machine, path) -> Path:
    """Write what has been learnt as a wiring list, one element a line, to set a laboratory's network by.

    Parameters
    ----------
    machine : ResistorNetwork, Circuit or Hardware
        Of a circuit, the resistors and transistor edges.  Hardware with levels gets a column "level", from 0.
    path : path

    Returns
    -------
    Path

    Examples
    --------
    >>> import networkx as nx, pathlib, tempfile
    >>> divider = ResistorNetwork(nx.path_graph(["a", "b", "c"]), conductance=[0.5, 0.25])
    >>> print(write_wiring(divider, pathlib.Path(tempfile.mkdtemp(), "trained.csv")).read_text().strip())
    element,from,to,conductance,resistance
    0,a,b,0.5,2.0
    1,b,c,0.25,4.0
    """
    path = path_of("path", path)
    lab, network = (machine, machine.network) if isinstance(machine, Hardware) else (None, machine)
    instance("machine", network, ResistorNetwork | Circuit, "a ResistorNetwork, a Circuit or Hardware around one")
    head, lines = _lines(network)
    if lab is not None and lab.parts.levels.size:
        levels = np.argmin(np.abs(lab.theta[lab.parameter][:, None] - lab.parts.levels), 1)
        head, lines = [*head, "level"], [[*line, int(k)] for line, k in zip(lines, levels, strict=True)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([head, *lines])
    return replace_file(path, out.getvalue())


def _lines(network):
    """Head and lines of a wiring list."""
    if isinstance(network, ResistorNetwork):
        g = network.conductance.tolist()
        return ["element", "from", "to", "conductance", "resistance"], [
            [k, edge[0], edge[1], value, 1.0 / value]
            for k, (edge, value) in enumerate(zip(network.edges, g, strict=True))
        ]
    ends = {name: nodes for name, (_, nodes) in network.elements.items()}
    gates = {name: e.gate for name, (e, _) in network.elements.items() if isinstance(e, TransistorEdge)}
    if gates:
        return ["element", "from", "to", "gate"], [[name, *ends[name], value] for name, value in gates.items()]
    ohms = {name: e.resistance for name, (e, _) in network.elements.items() if hasattr(e, "resistance")}
    lines = [[name, *ends[name], 1.0 / r, r] for name, r in ohms.items() if isinstance(r, float) and r > 0]
    return ["element", "from", "to", "conductance", "resistance"], lines


def read_measurements(path, machine) -> dict:
    r"""Measured inputs and outputs, as `learn` and `identify` take them.

    Parameters
    ----------
    path : path
        CSV whose columns are readouts, "output[0]", "output[1]", ..., or "output" where it has one place.
    machine : Machine
        Has these readouts.

    Returns
    -------
    dict of str to (n, k) array
        Volts (amperes of currents).

    Raises
    ------
    ValueError
        Columns that are no readouts or that lack some of their places; cells that are no finite numbers, by line.

    Examples
    --------
    >>> import networkx as nx, pathlib, tempfile
    >>> divider = ResistorNetwork(nx.path_graph(3), conductance=1.0, ground=2, inputs=[0], outputs=[1])
    >>> path = pathlib.Path(tempfile.mkdtemp(), "measured.csv")
    >>> _ = path.write_text("input,output\n1.0,0.48\n2.0,1.02\n")
    >>> read_measurements(path, divider)["output"]
    array([[0.48],
           [1.02]])
    """
    rows, columns, path = _table(path)
    readouts = system_of(machine, "machine").readouts
    found: dict[str, dict[int, int]] = {}
    for place, column in enumerate(columns):
        match = re.fullmatch(r"(.*?)(?:\[(\d+)\])?", column)
        name, k = (match.group(1), int(match.group(2) or 0)) if match else (column, 0)
        if name not in readouts:
            raise ValueError(f"{path}: column {column!r} is no readout, expected some of {list(readouts)}")
        if k in found.setdefault(name, {}):
            raise ValueError(f"{path}: two columns are {name}[{k}]")
        found[name][k] = place
    if not rows:
        raise ValueError(f"{path}: it has no measurements below its first line")
    data = {}
    for name, places in found.items():
        if sorted(places) != list(range(len(places))):
            raise ValueError(f"{path}: columns of {name!r} have the numbers {sorted(places)}, expected 0, 1, 2, ...")
        data[name] = np.array(
            [
                [_number(path, line, columns[places[k]], row[columns[places[k]]]) for k in range(len(places))]
                for line, row in rows
            ]
        )
    return data


def _table(path):
    """Rows [(line number, {column: cell})], columns, and the path."""
    path = path_of("path", path)
    text = read_text(path)
    kept = [
        (k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not kept:
        raise ValueError(f"{path}: it is empty, expected a line that names the columns")
    cells = [[cell.strip() for cell in row] for row in csv.reader(line for _, line in kept)]
    columns = cells[0]
    if len(set(columns)) < len(columns):
        raise ValueError(f"{path}: two columns have one name among {columns}")
    rows = []
    for (line, _), row in zip(kept[1:], cells[1:], strict=True):
        if len(row) != len(columns):
            raise ValueError(f"{path}, line {line}: {len(row)} cells, expected {len(columns)}, as in the first line")
        rows.append((line, dict(zip(columns, row, strict=True))))
    return rows, columns, path


def _number(path, line, column, cell):
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{path}, line {line}: {column} is {cell!r}, expected a finite number")
    return value
