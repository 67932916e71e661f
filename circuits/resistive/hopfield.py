"""A Hopfield network built of resistors, amplifiers and inverters (Hopfield 1984, figure 2).

Neuron i is an amplifier with two output wires, +s_i and -s_i volts.  A coupling W_ij > 0 is a resistor of W_ij
siemens between the wires of equal sign, one for each sign; W_ij < 0 is one of |W_ij| between wires of opposite
sign, so that no conductance is negative.  With E the dissipated power over two of `ResistorNetwork`,

    E_resistors = sum_pairs |W_ij| (s_i - sign(W_ij) s_j)^2 = 2 E_Hopfield + 2 sum_pairs |W_ij|     (s_i = -1, +1)

so recall is a fall of the dissipated power.  Into the + wire of neuron i flows h_i - s_i sum_j |W_ij|, from which
its amplifier reads the sign of the field h_i.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from circuits.resistive.resistor import ResistorNetwork
from physlearn.checks import array
from physlearn.models.memory.storage import check_couplings


def amplifier_network(couplings) -> ResistorNetwork:
    """The resistor network of a Hopfield memory's couplings.

    Parameters
    ----------
    couplings : (n, n) array
        Symmetric, zero diagonal.

    Returns
    -------
    ResistorNetwork
        Nodes (i, "+") and (i, "-"); its input "outputs" takes all their voltages, `amplifier_outputs` of a state.

    Raises
    ------
    ValueError
        Asymmetric couplings, which resistors cannot have.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.models import Hopfield
    >>> memory = Hopfield.store([[1, 1, -1, -1], [1, -1, 1, -1]])
    >>> network, s = amplifier_network(memory.couplings), np.array([1.0, 1.0, -1.0, 1.0])
    >>> power = network.solve({"outputs": amplifier_outputs(s)}).energy
    >>> bool(np.isclose(power, 2 * memory.energy(s) + np.abs(memory.couplings).sum()))
    True
    """
    w = check_couplings(array("couplings", couplings))
    if not np.array_equal(w, w.T):
        raise ValueError("couplings: W is not symmetric; a resistor conducts both ways, so this needs an energy")
    graph = nx.Graph()
    graph.add_nodes_from((i, sign) for i in range(len(w)) for sign in "+-")
    for i, j in zip(*np.nonzero(np.triu(w)), strict=True):
        for a, b in (("+", "+"), ("-", "-")) if w[i, j] > 0 else (("+", "-"), ("-", "+")):
            graph.add_edge((int(i), a), (int(j), b), conductance=abs(float(w[i, j])))
    return ResistorNetwork(graph, conductance="conductance", inputs={"outputs": list(graph.nodes)})


def amplifier_outputs(s):
    """Voltages of all output wires of states s, (..., n) -> (..., 2 n): s_0, -s_0, s_1, -s_1, ...

    Parameters
    ----------
    s : (n,) or (..., n) array

    Examples
    --------
    >>> amplifier_outputs([1.0, -1.0])
    array([ 1., -1., -1.,  1.])
    """
    s = array("s", s)
    if s.ndim == 0:
        raise ValueError(f"s: got {s}, expected states (..., n)")
    return np.stack([s, -s], -1).reshape(*s.shape[:-1], -1)
