"""Symbolic work of a circuit under one set of clamps: where every number of the reduced Jacobian goes."""

from __future__ import annotations

import numpy as np

from circuits.nodal.devices import Devices
from circuits.nodal.small import refusal, table_of
from physlearn.dynamics.frame import rows_of
from physlearn.energy import Energy
from physlearn.kernels.jit import kernel
from physlearn.terms.pattern import csr_pattern

DENSE = 150  # free unknowns up to which one dense factorisation an item is faster than a sparse one


@kernel
def scatter(slope, source, sign, slot, out):
    """Add sign * slope[source] to the slots of every item's matrix."""
    for item in range(slope.shape[0]):
        for j in range(source.size):
            out[item, slot[j]] += sign[j] * slope[item, source[j]]


class Plan:
    """Pattern of J = P^T (dF/dx) P; CSC where sparse, all m x m entries where dense."""

    def __init__(self, system, frame):
        import scipy.sparse as sp

        self.frame, self.m, self.n = frame, frame.m, len(frame.cluster)
        self.linear = [term for term in system.terms if not isinstance(term, Devices)]
        self.devices = [term for term in system.terms if isinstance(term, Devices)]
        fixed = sum(
            (sp.csr_matrix(abs(self.block(term, system.theta))) for term in self.linear),
            sp.csr_matrix((self.n, self.n)),
        )
        fixed = fixed.tocoo()
        parts = [(fixed.row, fixed.col)] + [term.pattern[:2] for term in self.devices]
        rows, columns = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
        r, c = frame.cluster[rows], frame.cluster[columns]
        kept = (r >= 0) & (c >= 0)
        diagonal = np.arange(self.m)
        self.dense = self.m <= DENSE
        size = len(fixed.row)
        if self.dense:
            slot = c[kept] + self.m * r[kept]
            self.size, self.diagonal = self.m * self.m, diagonal * (self.m + 1)
        else:  # columns before rows: CSC
            found, self.indices, self.indptr = csr_pattern(
                np.concatenate([c[kept], diagonal]), np.concatenate([r[kept], diagonal]), self.m
            )
            slot, self.diagonal, self.size = found[: kept.sum()], found[kept.sum() :], len(self.indices)
        spot = np.full(len(kept), -1)
        spot[kept] = slot
        self.fixed_at = fixed.row, fixed.col, spot[:size]
        self.slots, start = [], size
        for term in self.devices:
            _, _, source, sign = term.pattern
            here = spot[start : start + len(source)]
            start += len(source)
            good = here >= 0
            self.slots.append((source[good], sign[good], here[good]))
        self.nodes = system.layers["v"].size
        self.is_node = np.zeros(self.m, bool)
        ends = frame.cluster[: self.nodes]
        self.is_node[ends[ends >= 0]] = True
        self.factor = self.order = None
        self.symmetric = isinstance(system, Energy)
        self.small = None
        if refusal(system, self.m) is None:  # the compiled way; edges are devices there
            self.small = table_of(system, frame, self.nodes)
            kept = np.flatnonzero(frame.cluster >= 0)
            tie = sp.csr_matrix((np.ones(len(kept)), (kept, frame.cluster[kept])), (self.n, self.m))
            others = [self.block(term, system.theta) for term in self.linear if hasattr(term, "matrix")]
            self.plain, self.others = not others, sum(others, sp.csr_matrix((self.n, self.n)))
            self.constant = np.ascontiguousarray((tie.T @ self.others @ tie).toarray())

    def block(self, term, theta):
        """Constant jacobian of a linear term over all unknowns."""
        import scipy.sparse as sp

        block = sp.csr_matrix(-term.quadratic(theta)[0] if hasattr(term, "quadratic") else term.matrix)
        block.resize((self.n, self.n))
        return block

    def matrix(self, theta):
        """The linear terms' jacobian: over all unknowns (n, n), and its share of the reduced one."""
        import scipy.sparse as sp

        whole = sum((self.block(term, theta) for term in self.linear), sp.csr_matrix((self.n, self.n))).tocsr()
        rows, columns, slot = self.fixed_at
        reduced = np.zeros(self.size)
        kept = slot >= 0
        if len(rows):
            np.add.at(reduced, slot[kept], np.asarray(whole[rows[kept], columns[kept]]).ravel())
        return whole, reduced

    def nudge(self, system, nudge):
        """Rows of a nudged readout over the free unknowns, (k, m)."""
        import scipy.sparse as sp

        kept = np.flatnonzero(self.frame.cluster >= 0)
        tie = sp.csr_matrix((np.ones(len(kept)), (kept, self.frame.cluster[kept])), (self.n, self.m))
        return rows_of(system, nudge.cost.readout, self.frame.offset, self.n) @ tie


def plan_of(problem) -> Plan:
    """The plan of a problem, made once per graph and set of clamps."""
    key = ("nodal", problem.clamps)
    plans = problem.system.plans
    if key not in plans:
        plans[key] = Plan(problem.system, problem.frame)
    return plans[key]
