"""Effective resistances: the reading of an ohmmeter between two nodes, all sources removed.

R_ab = (e_a - e_b)^T L^+ (e_a - e_b) with L the Laplacian of conductances (Klein and Randic 1993).
Ground, inputs and outputs play no part.
"""

from __future__ import annotations

import warnings

import numpy as np

from circuits.resistive.elimination import all_resistances, seen_between
from circuits.resistive.places import is_known, terminals_of
from circuits.resistive.resistor import checked_network
from physlearn.checks import seen, sequence
from physlearn.dynamics.linear.quadratic import equilibria
from physlearn.energy import Energy, Readout
from physlearn.threads import on_one_thread

BLOCK = 2**22  # entries of a block of right-hand sides
WIDE = 1e4  # span of conductances beyond which solves lose digits
CLOSE = 1e-10  # bound on an error, which is some hundred times smaller


@on_one_thread
def effective_resistance(network, pairs):
    """Resistance between two nodes, or between the nodes of many pairs.

    Parameters
    ----------
    network : ResistorNetwork
    pairs : pair of nodes, or sequence of pairs of nodes

    Returns
    -------
    float or (k,) array
        Ohms; infinite between parts that no resistor joins.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> ring = ResistorNetwork(nx.cycle_graph(4), conductance=1.0)
    >>> effective_resistance(ring, (0, 2))
    1.0
    >>> effective_resistance(ring, [(0, 1), (0, 2)])
    array([0.75, 1.  ])
    """
    number = {node: k for k, node in enumerate(checked_network(network).nodes)}
    if not isinstance(pairs, tuple):  # which may be one pair
        pairs = list(sequence("pairs", pairs, expected="a pair of nodes or a list of pairs"))
    single = isinstance(pairs, tuple) and len(pairs) == 2 and all(is_known(p, number) for p in pairs)
    pairs = [pairs] if single else list(pairs)
    for pair in pairs:
        if is_known(pair, number) or not isinstance(pair, list | tuple | np.ndarray) or len(pair) != 2:
            raise ValueError(f"pairs: got {seen(pair)}, expected a pair of nodes")
    same = [tuple(pair) for pair in pairs if is_known(pair[0], number) and pair[0] == pair[1]]
    if same:
        raise ValueError(f"pairs: {same[0]!r} is one node twice; its resistance is zero")
    ends = terminals_of("pairs", pairs, number)[1]
    laplacian = network.energy.terms[0].quadratic(network.energy.theta)[0]
    part = _parts(laplacian)
    connected = part[ends[:, 0]] == part[ends[:, 1]]
    out = np.full(len(ends), np.inf)
    out[connected] = _resistances(network, laplacian, part, ends[connected])
    return float(out[0]) if single else out


@on_one_thread
def resistance_matrix(network) -> np.ndarray:
    """Resistances between all pairs of nodes, to the last digits over any number of decades of conductance.

    By one dense inverse, or by `circuits.resistive.elimination` where that would lose digits.

    Parameters
    ----------
    network : ResistorNetwork
        n up to a few thousand: memory n^2, time n^3.

    Returns
    -------
    (n, n) array
        Ohms, in the order of ``network.nodes``; infinite between parts that no resistor joins.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> resistance_matrix(ResistorNetwork(nx.path_graph(3), conductance=0.5))
    array([[0., 2., 4.],
           [2., 0., 2.],
           [4., 2., 0.]])
    """
    laplacian = checked_network(network).energy.terms[0].quadratic(network.energy.theta)[0]
    part, n = _parts(laplacian), len(network.nodes)
    out = np.full((n, n), np.inf)
    for k in range(part.max() + 1):
        members = np.flatnonzero(part == k)
        block = laplacian[members][:, members].toarray()
        resistance = _by_inverse(block)
        out[np.ix_(members, members)] = all_resistances(-block) if resistance is None else resistance
    return out


def _by_inverse(block):
    """Resistances of a connected part from one inverse, (k, k); None where some would not be right to `CLOSE`."""
    k = len(block)
    if np.max(-block, initial=0.0) > WIDE * np.min(-block, where=block < 0, initial=np.inf):
        return None
    # L + (mean conductance) J/n is positive definite and differs from L^+ only in the constant mode
    scale = np.trace(block) / k or 1.0
    shifted = block + scale / k
    try:
        green = np.linalg.inv(shifted)
    except np.linalg.LinAlgError:
        return None
    level = np.diag(green)
    resistance = level[:, None] + level - green - green.T
    np.fill_diagonal(resistance, 0.0)
    if k > 1:
        condition = np.max(np.sum(np.abs(shifted), 1)) * np.max(np.sum(np.abs(green), 1))
        least = np.min(resistance, where=~np.eye(k, dtype=bool), initial=np.inf)
        if not np.finfo(float).eps * condition * np.max(np.abs(level)) < CLOSE * least:
            return None
    return resistance


@on_one_thread
def kirchhoff_index(network) -> float:
    """Sum of the resistances of all pairs of nodes, n times the sum of 1/mu over Laplacian modes.

    Parameters
    ----------
    network : ResistorNetwork
        n up to a few thousand: all resistances are computed.

    Returns
    -------
    float
        Ohms; infinite if the network is not connected.

    Notes
    -----
    Klein and Randic 1993; the spectral form is due to Gutman and Mohar 1996, and loses digits where conductances span
    decades, so that the sum over pairs is taken.

    Examples
    --------
    >>> import networkx as nx
    >>> from circuits import ResistorNetwork
    >>> round(kirchhoff_index(ResistorNetwork(nx.cycle_graph(4), conductance=1.0)), 12)
    5.0
    """
    return float(np.sum(np.triu(resistance_matrix(network), 1)))


def _resistances(network, laplacian, part, ends):
    """Resistances of connected pairs: by solves, by elimination in parts of wide conductances."""
    from scipy.sparse import triu

    size = np.abs(laplacian.data)  # of conductances, and of their sums at nodes, which are larger
    if np.max(size, initial=0.0) <= WIDE * np.min(size, where=size > 0, initial=np.inf):
        return _solved(network, part, ends)
    wires = triu(laplacian, 1, "coo")
    home, g, out, left = part[wires.row], np.abs(wires.data), np.empty(len(ends)), np.ones(len(ends), bool)
    for k in np.unique(part[ends[:, 0]]):
        here, inside = np.flatnonzero(part[ends[:, 0]] == k), home == k
        if np.max(g[inside]) <= WIDE * np.min(g[inside]):
            continue
        kept, slot = np.unique(ends[here], return_inverse=True)
        seen_there = seen_between(wires.row[inside], wires.col[inside], g[inside], len(part), kept)
        if seen_there is None:
            span = np.max(g[inside]) / np.min(g[inside])
            warnings.warn(
                f"effective_resistance: conductances span {span:.1g} in a part too large to be eliminated node by "
                "node; small resistances beside large ones may have lost digits",
                RuntimeWarning,
                stacklevel=4,
            )
            continue
        a, b = slot.reshape(-1, 2).T
        out[here], left[here] = all_resistances(seen_there)[a, b], False
    if left.any():
        out[left] = _solved(network, part, ends[left])
    return out


def _solved(network, part, ends):
    """Resistances of connected pairs: solve per pair or per node, whichever is fewer."""
    eq = _with_reference(network, part)
    n, k = len(part), len(ends)
    used, slot = np.unique(ends, return_inverse=True)
    slot = slot.reshape(ends.shape)
    step = max(1, BLOCK // n)
    if k <= len(used):
        out = np.empty(k)
        for start in range(0, k, step):
            a, b = ends[start : start + step].T
            row = np.arange(len(a))
            force = np.zeros((len(a), n))
            force[row, a], force[row, b] = 1.0, -1.0
            v = eq.respond(force)
            out[start : start + step] = v[row, a] - v[row, b]
        return out
    level, transfer = np.zeros(len(used)), np.zeros(k)
    for start in range(0, len(used), step):
        nodes = used[start : start + step]
        force = np.zeros((len(nodes), n))
        force[np.arange(len(nodes)), nodes] = 1.0
        v = eq.respond(force)
        level[start : start + step] = v[np.arange(len(nodes)), nodes]
        here = np.flatnonzero((slot[:, 0] >= start) & (slot[:, 0] < start + len(nodes)))
        transfer[here] = v[slot[here, 0] - start, ends[here, 1]]
    return level[slot[:, 0]] + level[slot[:, 1]] - 2.0 * transfer


def _with_reference(network, part):
    """Equilibria of the bare network with the first node of every part held at zero."""
    energy = network.energy
    if "bare" not in energy.numbers:
        if "bare" not in energy.plans:
            first = np.unique(part, return_index=True)[1]
            readouts = {"reference": Readout("v", index=first)}
            energy.plans["bare"] = Energy(energy.layers, energy.terms, energy.theta, readouts)
        bare = energy.plans["bare"].with_theta(energy.theta)
        energy.numbers["bare"] = equilibria(bare, ("reference",))
    return energy.numbers["bare"]


def _parts(laplacian):
    """Number of the connected part of every node, (n,)."""
    from scipy.sparse.csgraph import connected_components

    return connected_components(laplacian, directed=False)[1]
