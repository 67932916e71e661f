"""Currents, power and energy of a resistor network's state.

States x are node voltages (V, relative to ground), (n,) or (batch, n), as `ResistorNetwork.solve`
returns them; results keep the batch.
"""

from __future__ import annotations

import numpy as np

from circuits.resistive.resistor import voltages
from physlearn.checks import array, not_negative


def edge_currents(network, x) -> np.ndarray:
    """Current through every edge (u, v), from u to v: g (v_u - v_v).

    Parameters
    ----------
    network : ResistorNetwork
    x : (n,) or (batch, n) array
        Node voltages, V.

    Returns
    -------
    (m,) or (batch, m) array
        Amperes, in the order of ``network.edges``.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 2.0], ground=2, inputs=[0])
    >>> edge_currents(line, line.solve({"input": [3.0]}).x)
    array([2., 2.])
    """
    drops = _drops(network, x)
    return network.conductance * drops


def source_currents(network, x) -> np.ndarray:
    """Current that flows from outside into every node; zero where no source is connected.

    Parameters
    ----------
    network : ResistorNetwork
    x : (n,) or (batch, n) array
        Node voltages, V.

    Returns
    -------
    (n,) or (batch, n) array
        Amperes, in the order of ``network.nodes``.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 2.0], ground=2, inputs=[0])
    >>> source_currents(line, line.solve({"input": [3.0]}).x)
    array([ 2.,  0., -2.])
    """
    x = array("x", voltages(network, x), ndim=(1, 2))
    return (_edges(network).quadratic(network.energy.theta)[0] @ x.T).T


def dissipated_power(network, x) -> np.ndarray:
    """Joule heat of all resistors, sum of g (v_u - v_v)^2 (twice the energy).

    Parameters
    ----------
    network : ResistorNetwork
    x : (n,) or (batch, n) array
        Node voltages, V.

    Returns
    -------
    float or (batch,) array
        Watts.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 2.0], ground=2, inputs=[0])
    >>> float(dissipated_power(line, line.solve({"input": [3.0]}).x))
    6.0
    """
    # not a matrix product, whose last bits depend on the number of BLAS threads
    drops = _drops(network, x)
    return np.einsum("...m,m->...", drops**2, network.conductance)


def energy_per_inference(network, x, *, settling_time: float) -> np.ndarray:
    """Heat dissipated while the sources hold the network for one answer.

    Steady power times the time for which it is held; the charging of stray capacitances is left out.

    Parameters
    ----------
    network : ResistorNetwork
    x : (n,) or (batch, n) array
        Node voltages at rest, V.
    settling_time : float
        Seconds from applying the inputs to reading the outputs; see `circuits.settling_time`.

    Returns
    -------
    float or (batch,) array
        Joules.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 2.0], ground=2, inputs=[0])
    >>> float(energy_per_inference(line, line.solve({"input": [3.0]}).x, settling_time=1e-6))
    6e-06
    """
    return dissipated_power(network, x) * not_negative("settling_time", settling_time)


def _edges(network):
    return network.energy.terms[0]


def _drops(network, x):
    x = voltages(network, x)
    return _edges(network).drops(x)
