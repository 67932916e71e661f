"""Responses and curvatures of a resistor network: derivatives of outputs and of costs.

The physical Hessian is the Laplacian L reduced to the free nodes; G is its inverse there, zero on the
given ones.  Everything else is a product of G's columns: outputs y = R v respond to a force by R G, and
two derivatives of a cost with respect to the conductances need G between edges (Stern et al. 2024,
arXiv:2412.19356, call these the physical and the cost Hessian).
"""

from __future__ import annotations

import numpy as np

from circuits.resistive.resistor import checked_network
from physlearn.checks import count, mapping, number, positive, seen, sequence
from physlearn.dynamics.frame import given, rows_of
from physlearn.dynamics.linear.quadratic import equilibria
from physlearn.learning.data import check_data
from physlearn.threads import on_one_thread

DENSE = 400  # free nodes up to which all modes are computed at once


def laplacian(network):
    """Graph Laplacian of conductances over all nodes, sources ignored.

    Parameters
    ----------
    network : ResistorNetwork

    Returns
    -------
    (n, n) scipy.sparse.csr_matrix
        Siemens, in the order of ``network.nodes``.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> laplacian(ResistorNetwork(nx.path_graph(3), conductance=[1.0, 2.0])).toarray()
    array([[ 1., -1.,  0.],
           [-1.,  3., -2.],
           [ 0., -2.,  2.]])
    """
    checked_network(network)
    return network.energy.terms[0].quadratic(network.energy.theta)[0]


@on_one_thread
def response(network, *, output="output", to="input", inputs=None) -> np.ndarray:
    """Response of outputs to imposed voltages or currents: dy/du, exact at any u since the network is linear.

    Parameters
    ----------
    network : ResistorNetwork
    output : str
        The readout y, k places.
    to : str
        The readout u that is varied, s places, among the network's inputs or currents.
    inputs : sequence of str, optional
        The readouts whose voltages are imposed meanwhile (``to`` is added if it is an input); default
        all of ``network.inputs``.  Ground always is.

    Returns
    -------
    (k, s) array
        Dimensionless for imposed voltages, ohms for injected currents.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 2.0], ground=2, inputs=[0],
    ...                        outputs=[1])
    >>> response(line)
    array([[0.3333]])
    """
    checked_network(network)
    for argument, name in (("output", output), ("to", to)):
        _readout(network, argument, name)
    eq = _equilibria(network, inputs, to)
    where = eq.frame.values.get(to)
    if where is not None:
        columns = eq.columns[1 + where.start : 1 + where.stop]
    else:
        start = 1 + sum(s.stop - s.start for s in eq.frame.values.values())
        columns = eq.columns[start + eq.frame.forces[to].start : start + eq.frame.forces[to].stop]
    return np.asarray(rows_of(network.energy, output, eq.frame.offset, eq.pattern.n) @ columns.T)


@on_one_thread
def soft_modes(network, k=6, *, inputs=None):
    """Lowest modes of the physical Hessian: L restricted to the free nodes.

    With the same capacitance C on every node, mode i decays at the rate mu_i / C.  Nodes tied by an
    imposed drop move together and weigh as many nodes as they are.

    Parameters
    ----------
    network : ResistorNetwork
    k : int
        Number of modes; all of them if there are fewer.
    inputs : sequence of str, optional
        The readouts whose voltages are imposed; default all of ``network.inputs``.

    Returns
    -------
    values : (k,) array
        Siemens, ascending.
    modes : (n, k) array
        Unit vectors over all nodes, zero where voltages are given; largest entry positive.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(4), conductance=1.0, ground=0, inputs=[3])
    >>> soft_modes(line)[0]
    array([1., 3.])
    """
    import scipy.sparse as sp
    from scipy.linalg import eigh
    from scipy.sparse.linalg import LinearOperator, eigsh

    k = count("k", k)
    eq = _equilibria(network, inputs)
    m, reduced = eq.frame.m, eq.pattern.reduce(eq.a)
    weight = np.bincount(eq.frame.cluster[eq.frame.cluster >= 0], minlength=m).astype(float)
    k = min(k, m)
    if k == 0:
        return np.zeros(0), np.zeros((eq.pattern.n, 0))
    if m <= DENSE or k > m // 4:
        root = 1.0 / np.sqrt(weight)
        values, vectors = eigh(root[:, None] * reduced.toarray() * root, subset_by_index=[0, k - 1])
        vectors = root[:, None] * vectors
    else:
        first = np.unique(eq.frame.cluster, return_index=True)[1][-m:]  # one node of each cluster

        def inverse(y):
            force = np.zeros((1, eq.pattern.n))
            force[0, first] = y
            return eq.respond(force)[0, first]

        solve = LinearOperator((m, m), inverse, dtype=float)  # pyright: ignore[reportCallIssue]
        start = np.random.default_rng(0).standard_normal(m)  # without it ARPACK draws its own
        values, vectors = eigsh(reduced, k, sp.diags(weight, format="csc"), sigma=0.0, OPinv=solve, v0=start)
        order = np.argsort(values)
        values, vectors = values[order], vectors[:, order]
    modes = eq.frame.spread(vectors.T).T
    largest = np.take_along_axis(modes, np.argmax(np.abs(modes), 0)[None], 0)
    return values, modes * np.sign(largest)


def settling_time(network, *, capacitance: float, accuracy: float = 0.01, inputs=None) -> float:
    """Time in which the slowest mode falls to ``accuracy`` of its start: ln(1/accuracy) C / mu_min.

    Parameters
    ----------
    network : ResistorNetwork
    capacitance : float
        Farads from every node to ground.
    accuracy : float
        Remaining fraction, between 0 and 1.
    inputs : sequence of str, optional
        The readouts whose voltages are imposed; default all of ``network.inputs``.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=1e-3, ground=0, inputs=[2])
    >>> round(settling_time(line, capacitance=1e-9) * 1e6, 3)  # microseconds
    2.303
    """
    capacitance = positive("capacitance", capacitance)
    if not 0 < number("accuracy", accuracy) < 1:
        raise ValueError(f"accuracy: got {accuracy!r}, expected a fraction between 0 and 1")
    values = soft_modes(network, 1, inputs=inputs)[0]
    return float(np.log(1.0 / accuracy) * capacitance / values[0]) if len(values) else 0.0


@on_one_thread
def cost_hessian(network, data, cost) -> np.ndarray:
    """Second derivatives of a cost with respect to the conductances, exact.

    C is the mean over the samples of ``cost.value(y, target)``, y the outputs at rest.  With d and l
    the edge drops of the voltages and of the adjoint state, K = G between edges and J = dy/dg,

        d2C / dg_e dg_f = mean of  J_e c'' J_f - K_ef (d_e l_f + l_e d_f)

    the Gauss-Newton part, which alone is left where the data are fitted, and the network's own
    curvature.

    Parameters
    ----------
    network : ResistorNetwork
    data : mapping of str to (samples, k) array
        As for `physlearn.learn`: the cost's readout holds the targets, all others are imposed.
    cost : cost
        With ``readout``, ``gradient`` and ``hessian``, such as ``SquaredError("output")``.

    Returns
    -------
    (m, m) array
        Units of the cost per siemens squared.  Memory m^2 and n m.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> from physlearn.learning import SquaredError
    >>> line = ResistorNetwork(nx.path_graph(3), conductance=[1.0, 1.0], ground=2, inputs=[0],
    ...                        outputs=[1])
    >>> cost_hessian(line, {"input": [[4.0]], "output": [[2.0]]}, SquaredError("output"))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    checked_network(network)
    mapping("data", data)
    for method in ("readout", "gradient", "hessian"):
        if isinstance(cost, type) or not hasattr(cost, method):
            raise TypeError(f"cost: got {seen(cost)} without {method}, expected a cost such as SquaredError('output')")
    energy, edges = network.energy, network.energy.terms[0]
    imposed, target = check_data(energy, data, cost)
    clamps = dict(energy.fixed) | imposed
    eq = equilibria(energy, clamps)
    x = eq.states(*given(energy, eq.frame, clamps, len(target)))
    rows = rows_of(energy, cost.readout, eq.frame.offset, eq.pattern.n)
    y = np.asarray(rows @ x.T).T
    drop = edges.drops(x)
    adjoint = edges.drops(-eq.respond((rows.T @ cost.gradient(y, target).T).T))
    incidence = np.zeros((len(edges.i), eq.pattern.n))
    incidence[np.arange(len(edges.i)), edges.i] = 1.0
    incidence[np.arange(len(edges.j)), edges.j] = -1.0
    green = eq.respond(incidence)  # a unit current through every edge in turn, (m, n)
    reached = np.asarray(rows @ green.T)  # (k, m)
    between = edges.drops(green)
    cross = drop.T @ adjoint
    bend = np.einsum("ke,bkl,lf,be,bf->ef", reached, cost.hessian(y, target), reached, drop, drop, optimize=True)
    hessian = (bend - between * (cross + cross.T)) / len(target)
    return 0.5 * (hessian + hessian.T)


def _equilibria(network, inputs, extra=None):
    checked_network(network)
    names = list(network.inputs) if inputs is None else sequence("inputs", inputs, expected="a list of readouts' names")
    for name in names:
        _readout(network, "inputs", name)
    return equilibria(network.energy, dict.fromkeys([*network.energy.fixed, *names, *([extra] if extra else [])]))


def _readout(network, argument, name):
    known = [key for key, ends in network.terminals.items() if len(ends)]
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"{argument}: there is no readout {seen(name)}, expected one of {known}")
