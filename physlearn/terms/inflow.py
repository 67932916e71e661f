"""Flows along edges, added up at the nodes: the field of every term whose energy is of differences across edges."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, count, integers
from physlearn.kernels.jit import kernel


def inflow(flow, pairs, nodes):
    """Net flow into every node, where edge e = (i, j) carries ``flow[e]`` from i to j.

    For an energy sum_e U(x_i - x_j) the field -dE/dx is the inflow of U'(x_i - x_j); for resistors the flow is the
    current and the field what arrives.  An item's sums do not depend on its batch: they run in the order of the edges.

    Parameters
    ----------
    flow : (m,) or (batch, m) array
        Float or complex.
    pairs : (m, 2) array of int
        Ends of every edge; parallel edges add, an edge from a node to itself carries nothing.
    nodes : int

    Returns
    -------
    (nodes,) or (batch, nodes) array

    Raises
    ------
    ValueError
        Ends that are no nodes, or another number of flows than of edges.

    Examples
    --------
    >>> inflow([2.0, 0.5], [(0, 1), (1, 2)], 3)
    array([-2. ,  1.5,  0.5])

    A term of springs that stiffen, E = sum_e d^4/4 with d = x_i - x_j:

    >>> import numpy as np
    >>> class Stiffening:
    ...     layers = ("x", "x")
    ...     pairs = np.array([(0, 1), (1, 2)])
    ...     def stretch(self, x):
    ...         return x[:, self.pairs[:, 0]] - x[:, self.pairs[:, 1]]
    ...     def energy(self, x, theta):
    ...         return np.sum(self.stretch(x["x"]) ** 4, 1) / 4
    ...     def field(self, x, theta, layer):
    ...         return inflow(self.stretch(x["x"]) ** 3, self.pairs, x["x"].shape[1])
    ...     def gradient(self, x, theta, weight):
    ...         return {}
    >>> from physlearn import Energy, Real, check_energy
    >>> len(check_energy(Energy({"x": (Real(), 3)}, [Stiffening()], {})).checks) > 5
    True
    """
    if type(flow) is not np.ndarray or flow.dtype.kind not in "fc":
        flow = array("flow", flow, finite=False)
    if type(pairs) is not np.ndarray or pairs.dtype != np.int64:
        pairs = integers("pairs", pairs)
    nodes = count("nodes", nodes, 0)
    if not pairs.size:
        pairs = pairs.reshape(-1, 2)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"pairs: shape {pairs.shape}, expected (m, 2)")
    if flow.ndim not in (1, 2) or flow.shape[-1] != len(pairs):
        said = f"shapes {flow.shape} and {pairs.shape}, expected (m,) or (batch, m) and (m, 2): one flow per edge"
        raise ValueError(f"flow, pairs: {said}")
    if pairs.size and (pairs.min() < 0 or pairs.max() >= nodes):
        raise ValueError(f"pairs: ends from {pairs.min()} to {pairs.max()}, expected 0..{nodes - 1}, the {nodes} nodes")
    kind = np.complex128 if flow.dtype.kind == "c" else np.float64
    out = np.zeros((*flow.shape[:-1], nodes), kind)
    _add(np.ascontiguousarray(np.atleast_2d(flow), kind), np.ascontiguousarray(pairs), np.atleast_2d(out))
    return out


@kernel
def _add(flow, pairs, out):
    for b in range(len(flow)):
        row, total = flow[b], out[b]
        for e in range(len(pairs)):
            total[pairs[e, 0]] -= row[e]
            total[pairs[e, 1]] += row[e]
