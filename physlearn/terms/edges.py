"""Edges: harmonic couplings across the edges of a graph.

    E = sum_e g_e (x_i - x_j)^2 / 2        over edges e = (i, j)

Resistors (x volts, g siemens, E half the dissipated watts) and zero-length springs (x metres, g N/m)
alike.  Exact; quadratic; Thomson's principle makes the voltages of a resistor network its minimum
(Thomson 1867; Doyle and Snell 1984, section 3.5).
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count, integers, not_negative, sequence, text
from physlearn.terms.fits import angles, gaps, refuse_kinds
from physlearn.terms.pattern import csr_pattern


class Edges:
    """Harmonic edges within one layer.

    Parameters
    ----------
    layer : str
        The layer of node values.
    pairs : (m, 2) array of int
        End nodes of every edge; parallel edges add up.
    parameter : str
        Name in theta of the (m,) edge conductances, siemens.
    nodes : int, optional
        Number of nodes; default one more than the largest end.
    labels : sequence, optional
        Names of the nodes for error messages; default their numbers.
    least : float, optional
        For couplings that cannot be negative, such as resistors: then negative ones are refused, and `learn` keeps them
        at least this large where its optimiser has no bounds of their own.  By default they are any numbers.

    Raises
    ------
    ValueError
        For pairs of another shape, or an edge from a node to itself.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> resistor = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": np.array([1.0])})
    >>> float(resistor(np.array([2.0, 0.0])))
    2.0
    """

    holomorphic = True
    rowwise = True

    def __init__(self, layer, pairs, nodes=None, parameter="conductance", labels=None, *, least=None):
        layer, parameter = text("layer", layer), text("parameter", parameter)
        pairs = integers("pairs", pairs)
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise ValueError(f"pairs: shape {pairs.shape}, expected (m, 2)")
        loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
        if loops.size:
            raise ValueError(
                f"pairs: edge {loops[0]} joins node {pairs[loops[0], 0]} to itself; it carries nothing, remove it"
            )
        self.layers, self.parameter = (layer, layer), parameter
        self.labels = None if labels is None else sequence("labels", labels, expected="a name for each node")
        self.i, self.j = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        self.nodes = int(pairs.max(initial=-1)) + 1 if nodes is None else count("nodes", nodes, least=0)
        if pairs.size and (pairs.min() < 0 or pairs.max() >= self.nodes):
            raise ValueError(
                f"pairs: ends from {pairs.min()} to {pairs.max()}, expected 0..{self.nodes - 1}, the {self.nodes} nodes"
            )
        self.domain = {} if least is None else {parameter: (not_negative("least", least), np.inf)}
        self._pattern, self._ends = None, None

    def __repr__(self):
        return brief(self, layers=self.layers, edges=len(self.i), nodes=self.nodes, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse two values and codes, where a current is no energy gap, angles, other numbers of edges, more nodes."""
        name, _ = self.layers
        remedy = (
            "Pairs of J = g have the same energy on spins up to a constant; on 0/1 variables add Bias with -g/2 an end"
        )
        refuse_kinds(self, layers, name, (gaps,), remedy)
        refuse_kinds(self, layers, name, (angles,), "differences of angles repeat themselves; use AnglePairs")
        g = self._strengths(theta)
        if self.domain and np.any(g < 0):
            k = int(np.argmin(g))
            ends = [n if self.labels is None else self.labels[n] for n in (self.i[k], self.j[k])]
            raise ValueError(
                f"theta[{self.parameter!r}]: edge {k} from {ends[0]!r} to {ends[1]!r} has {g[k]:.4g}, expected "
                f"at least 0 ({np.sum(g < 0)} of {len(g)} are negative)"
            )
        if len(layers[name].shape) != 1 or layers[name].size < self.nodes:
            raise ValueError(
                f"nodes: edges among {self.nodes}, layer {name!r} has shape {layers[name].shape}, expected one axis of "
                "at least as many"
            )

    def drops(self, x):
        """Differences x_i - x_j, (..., m)."""
        return x[..., self.i] - x[..., self.j]

    def energy(self, x, theta):
        """Sum of g dx^2 / 2, (batch,)."""
        # not a matrix product, whose last bits depend on the number of BLAS threads
        return 0.5 * np.einsum("bm,m->b", self.drops(x[self.layers[0]]) ** 2, self._strengths(theta))

    def field(self, x, theta, layer):
        """Net current into every node, (batch, n)."""
        current = self._strengths(theta) * self.drops(x[layer])
        # a sparse product adds up every item in the same order, whatever the batch
        return np.ascontiguousarray((self._incidence(x[layer].shape[1]) @ current.T).T)

    def gradient(self, x, theta, weight):
        """Sum of w dx^2 / 2 per edge, (m,)."""
        return {self.parameter: 0.5 * (weight @ self.drops(x[self.layers[0]]) ** 2)}

    def gradient_moments(self, basis, gram, theta):
        """`gradient` of the states c @ basis, from gram = sum_b w_b c_b^T c_b."""
        drops = self.drops(basis)
        return {self.parameter: 0.5 * np.sum(drops * (gram @ drops), 0)}

    def quadratic(self, theta):
        """Graph Laplacian, CSR, its pattern independent of theta; b = 0."""
        import scipy.sparse as sp

        if self._pattern is None:
            ends = np.concatenate([self.i, self.j])
            others = np.concatenate([self.j, self.i])
            rows, columns = np.concatenate([ends, ends]), np.concatenate([ends, others])
            self._pattern = csr_pattern(rows, columns, self.nodes)
        slot, indices, indptr = self._pattern
        g = self._strengths(theta)
        data = np.bincount(slot, np.concatenate([g, g, -g, -g]), len(indices))
        return sp.csr_matrix((data, indices, indptr), (self.nodes, self.nodes)), np.zeros(self.nodes)

    def jacobian(self, x, theta):
        """Minus the Laplacian."""
        return -self.quadratic(theta)[0]

    def _incidence(self, nodes):
        """(nodes, m): -1 where an edge begins, +1 where it ends."""
        if getattr(self._ends, "shape", (0,))[0] != nodes:
            import scipy.sparse as sp

            m = len(self.i)
            entries = np.repeat([-1.0, 1.0], m), (np.concatenate([self.i, self.j]), np.tile(np.arange(m), 2))
            self._ends = sp.csr_matrix(entries, (nodes, m))
        return self._ends

    def _strengths(self, theta):
        g = theta[self.parameter]
        if g.shape != self.i.shape:
            raise ValueError(f"theta[{self.parameter!r}]: shape {g.shape}, expected {self.i.shape}, one per edge")
        return g
