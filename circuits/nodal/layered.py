"""A deep resistive network as the circuit that one would solder: resistors, ideal diodes, bidirectional amplifiers.

The circuit has no energy of its own, since amplifiers feed power in; the network's energy weighs every layer's
conductances by 1 / (A_2 ... A_l)^2, after which Kirchhoff's laws of the circuit are its gradient, and both are at rest
at the same voltages.
"""

from __future__ import annotations

import numpy as np

from circuits.elements.controlled import CCCS, VCVS
from circuits.elements.ideal_diode import IdealDiode
from circuits.elements.resistor import Resistor
from circuits.elements.sources import CurrentSource, VoltageSource
from circuits.nodal.circuit import Circuit
from circuits.resistive.deep import DeepResistiveNetwork
from physlearn.checks import instance


def as_circuit(network) -> Circuit:
    """The circuit of a deep resistive network.

    Parameters
    ----------
    network : DeepResistiveNetwork

    Returns
    -------
    Circuit
        Nodes ("hidden1", k), ..., ("output", k); input "input", the sources' volts; output "output".  Resistors of no
        conductance are left out.

    Examples
    --------
    >>> from physlearn import relax
    >>> network = DeepResistiveNetwork((2, 4, 1), gain=4.0, rng=0)
    >>> x = [0.3, -0.5]
    >>> v = as_circuit(network).solve({"input": x}).voltages["output", 0]
    >>> abs(v - relax(network, clamp={"input": x}, tol=1e-13).x["output"][0]) < 1e-9
    np.True_
    """
    instance("network", network, DeepResistiveNetwork, "a DeepResistiveNetwork")
    names, gains, net, sources = network.names, network.gains, {}, []
    lines = []
    for k in range(network.widths[0]):
        sources.append(f"X{k}")
        net[f"X{k}"] = (VoltageSource(0.0), ("input", k), "0")
        lines.append(_amplified(net, ("input", k), f"+{k}", gains[0]))
    lines += [_amplified(net, ("input", k), f"-{k}", -gains[0]) for k in range(network.widths[0])]
    scale = 1.0
    for layer, (name, size, gain) in enumerate(zip(names[1:], network.widths[1:], gains, strict=True), 1):
        scale /= gain**2 if layer > 1 else 1.0
        nodes = [(name, j) for j in range(size)]
        g, b = (np.asarray(network.theta[f"{what}{layer}"], float) for what in "Gb")
        for i, j in zip(*np.nonzero(g), strict=True):
            net[f"R{layer}_{i}_{j}"] = (Resistor(1.0 / float(g[i, j])), lines[i], nodes[j])
        for j, node in enumerate(nodes):
            up = 1.0 if j % 2 == 0 or name == "output" else -1.0
            if b[j]:
                net[f"I{layer}_{j}"] = (CurrentSource(up * b[j] / scale), "0", node)
            if name != "output":  # even nodes stay above ground, odd ones below
                ends = ("0", node) if up > 0 else (node, "0")
                net[f"D{layer}_{j}"] = (IdealDiode(scale=max(float(g[:, j].sum()), 1e-6)), *ends)
        if name != "output":
            lines = [_bidirectional(net, node, f"{layer}_{j}", gains[layer]) for j, node in enumerate(nodes)]
    outputs = [("output", j) for j in range(network.widths[-1])]
    return Circuit(net, inputs={"input": sources}, outputs=outputs)


def _amplified(net, node, label, gain):
    """A line at gain times the voltage of a source, which feeds it."""
    net[f"E{label}"] = (VCVS(gain), ("line", label), "0", node, "0")
    return "line", label


def _bidirectional(net, node, label, gain):
    """A line at gain times the voltage of a node, which draws 1/gain of its current; the node itself at gain 1."""
    if gain == 1.0:
        return node
    net[f"E{label}"] = (VCVS(gain), ("line", label), "0", node, "0")
    net[f"F{label}"] = (CCCS(1.0 / gain, f"E{label}"), "0", node)
    return "line", label
