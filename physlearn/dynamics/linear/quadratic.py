"""Equilibria of quadratic energies, exactly: one factorisation, everything else a correction of it.

With x = P z + shift u (see `frame`), E = x.A.x/2 - b.x is least where P^T A P z = P^T (b + push I - A
shift u).  The state is linear in the given values, so a few *columns* (one per given value, one per
given force, one constant) hold the equilibria of every sample; a force lambda on a readout R adds
A^-1 R^T lambda, and S = R A^-1 R^T (the outputs' Green block) turns every clamp or nudge on the readout
into a k x k problem (Schur complement; Woodbury).  No second factorisation is ever made.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.frame import Frame, frame_of, name_of, rows_of
from physlearn.dynamics.linear.factor import plan_solver
from physlearn.energy import Energy
from physlearn.kinds import is_number


def is_quadratic(system) -> bool:
    """Whether the direct engines apply: a sum of quadratic terms over unbounded real layers."""
    kinds = [layer.kind for layer in system.layers.values()]
    free = all(is_number(k) and np.isinf(k.low) and np.isinf(k.high) for k in kinds)
    return free and isinstance(system, Energy) and all(hasattr(t, "quadratic") for t in system.terms)


class Pattern:
    """Symbolic work for one graph and one set of clamps: where every stored entry of A goes."""

    def __init__(self, energy: Energy, frame: Frame):
        import scipy.sparse as sp

        self.frame, self.n = frame, len(frame.cluster)
        self.places = [term_places(energy, term, frame.offset) for term in energy.terms]
        a = self.assemble(energy)[0]
        rows = np.repeat(np.arange(self.n), np.diff(a.indptr))
        self.nnz = a.nnz
        r, c = frame.cluster[rows], frame.cluster[a.indices]
        self.inside = np.flatnonzero((r >= 0) & (c >= 0))
        # CSC of the free block; A is symmetric, so rows and columns may be swapped freely
        key = r[self.inside] * frame.m + c[self.inside]
        if key.size and np.all(np.diff(key) > 0):  # nothing tied together: already sorted and distinct
            used, self.slot = key, None
        else:
            used, self.slot = np.unique(key, return_inverse=True)
        self.indices = (used % max(frame.m, 1)).astype(np.int32)
        self.indptr = np.searchsorted(used, np.arange(frame.m + 1) * frame.m).astype(np.int32)
        self.held = False  # whether no part was found floating; a matter of topology, asked once
        self.solver = plan_solver(sp.csc_matrix((np.ones(len(used)), self.indices, self.indptr), (frame.m, frame.m)))

    def assemble(self, energy):
        """A (n, n) CSR and b (n,) of the whole energy."""
        import scipy.sparse as sp

        b = np.zeros(self.n)
        blocks = []
        for term, place in zip(energy.terms, self.places, strict=True):
            a_term, b_term = term.quadratic(energy.theta)
            if b_term.shape != place.shape:
                raise ValueError(
                    f"{type(term).__name__}.quadratic: b has shape {b_term.shape}, expected {place.shape}, "
                    "the term's layers concatenated"
                )
            np.add.at(b, place, b_term)
            blocks.append((sp.csr_matrix(a_term), place))
        if len(blocks) == 1 and np.array_equal(blocks[0][1], np.arange(self.n)):
            return blocks[0][0], b
        coo = [block.tocoo() for block, _ in blocks]
        rows = np.concatenate([place[c.row] for c, (_, place) in zip(coo, blocks, strict=True)])
        cols = np.concatenate([place[c.col] for c, (_, place) in zip(coo, blocks, strict=True)])
        data = np.concatenate([c.data for c in coo])
        return sp.csr_matrix((data, (rows, cols)), (self.n, self.n)), b

    def reduce(self, a):
        """P^T A P as CSC with this pattern."""
        import scipy.sparse as sp

        data = a.data[self.inside]
        if self.slot is not None:
            data = np.bincount(self.slot, data, len(self.indices))
        return sp.csc_matrix((data, self.indices, self.indptr), (self.frame.m, self.frame.m))


def term_places(energy, term, offset):
    """Positions of a term's layers, each once in order of first occurrence, in the concatenation."""
    names = dict.fromkeys(term.layers)
    return np.concatenate([offset[name] + np.arange(energy.layers[name].size) for name in names])


class Equilibria:
    """All equilibria of a quadratic energy under clamps on given readouts.

    A sample's state is ``coefficients @ columns`` with coefficients (1, u, I): constant, given values,
    given forces; the columns are (1 + s + f, n).
    """

    def __init__(self, energy: Energy, clamps: tuple[str, ...]):
        self.energy, self.frame = energy, frame_of(energy, clamps)
        key = ("quadratic", clamps)
        if key not in energy.plans:
            energy.plans[key] = Pattern(energy, self.frame)
        self.pattern: Pattern = energy.plans[key]
        self.a, self.b = self.pattern.assemble(energy)
        reduced = self.pattern.reduce(self.a)
        cut = not np.all(reduced.data)  # a coupling of exactly zero may set a part afloat
        if cut or not self.pattern.held:
            self._refuse_floating(reduced)
            self.pattern.held = not cut
        if self.a.nnz != self.pattern.nnz:
            raise ValueError(
                "quadratic: the sparsity pattern changed with theta; return the same stored entries for every theta"
            )
        self.method = self.pattern.solver.name
        self.solve = self._factor(reduced)
        self._columns = None
        self._norm = np.max(np.asarray(abs(self.a).sum(1)), initial=0.0)  # of the largest row

    @property
    def columns(self):
        """States per unit of each coefficient, (1 + s + f, n)."""
        if self._columns is None:
            shift = self.frame.shift.toarray().T
            given = np.concatenate(
                [np.zeros((1, shift.shape[1])), shift, np.zeros((self.frame.push.shape[1], shift.shape[1]))]
            )
            load = np.concatenate([self.b[None], -(self.a @ shift.T).T, self.frame.push.toarray().T])
            self._columns = given + self.respond(load)
        return self._columns

    def respond(self, force):
        """P (P^T A P)^-1 P^T force for rows of forces, (r, n) -> (r, n); zero rows cost nothing."""
        load = self.frame.collect(force)
        busy = np.any(load != 0, 1)
        out = np.zeros_like(load)
        if busy.any():
            parts = [load.real, load.imag] if np.iscomplexobj(load) else [load]  # factors are real
            found = [self.solve(np.ascontiguousarray(part[busy].T)).T for part in parts]
            out[busy] = found[0] if len(found) == 1 else found[0] + 1j * found[1]
        return self.frame.spread(out)

    def states(self, u, force):
        """Equilibria of a batch, (batch, n): by superposition, or sample by sample where that is less work."""
        if len(u) >= 1 + u.shape[1] + force.shape[1]:
            return self.coefficients(u, force) @ self.columns
        shift = self.frame.base(u)
        return shift + self.respond(self.b - (self.a @ shift.T).T + self.frame.pushed(force))

    @staticmethod
    def coefficients(u, force):
        """(1, u, I) of a batch, (batch, 1 + s + f)."""
        return np.concatenate([np.ones((len(u), 1)), u, force], 1)

    def green(self, readout):
        """Responses A^-1 R^T as rows (k, n), and S = R A^-1 R^T (k, k)."""
        rows = rows_of(self.energy, readout, self.frame.offset, self.pattern.n)
        response = self.respond(rows.toarray())
        s = rows @ response.T
        return response, 0.5 * (s + s.T)

    def residual(self, x, force, extra=0.0):
        """Largest unbalanced force of each item, and the size of the forces that balance, (batch,)."""
        push = self.b + self.frame.pushed(force) + extra
        unbalanced = self.frame.collect(push - (self.a @ x.T).T)
        scale = self._norm * np.max(np.abs(x), 1, initial=0.0) + np.max(np.abs(push), 1, initial=0.0)
        return np.max(np.abs(unbalanced), 1, initial=0.0), scale

    def _factor(self, a):
        if a.shape[0] == 0:
            return lambda load: load
        if np.any(a.diagonal() <= 0) or not np.all(np.isfinite(a.data)):
            self._explain(a)
        return self.pattern.solver(a, self._explain)

    def _explain(self, a):
        """Say why there is no minimum: a part that nothing holds, or a downhill direction."""
        self._refuse_floating(a)
        raise ValueError(
            "energy: it has no minimum, its quadratic form is not positive definite on the free variables; "
            "check signs in theta or clamp more"
        )

    def _refuse_floating(self, a):
        from scipy.sparse.csgraph import connected_components

        a = a.copy()
        a.eliminate_zeros()
        count, label = connected_components(a, directed=False)
        size = np.asarray(abs(a).sum(0)).ravel()
        loose = np.abs(np.asarray(a.sum(0)).ravel()) <= 1e-12 * size  # no net coupling to anything given
        parts = np.flatnonzero(np.bincount(label, ~loose, count) == 0)
        if parts.size == 0:
            return
        part = label == parts[0]
        nodes = np.flatnonzero(np.isin(self.frame.cluster, np.flatnonzero(part)))
        names = ", ".join(name_of(self.energy, i) for i in nodes[:8])
        names += f" and {len(nodes) - 8} more" if len(nodes) > 8 else ""
        if np.any(self._anchored() & part):
            raise ValueError(
                f"theta: {names}: what couples them to clamped variables is more than 1e12 times weaker than what "
                "couples them to each other, and is lost in rounding; bring the couplings closer together"
            )
        raise ValueError(
            f"clamp: floating: {names}. No path of couplings leads to a clamped variable, so the "
            "common level is undetermined; clamp (ground) one of these or couple them to the rest"
        )

    def _anchored(self):
        """Free variables that couple to a given one, (m,)."""
        a = self.a.tocoo()
        cluster, out = self.frame.cluster, np.zeros(self.frame.m, bool)
        out[cluster[a.row[(a.data != 0) & (cluster[a.row] >= 0) & (cluster[a.col] < 0)]]] = True
        return out


def equilibria(energy: Energy, clamps) -> Equilibria:
    """The `Equilibria` of an energy, factored once and kept until other clamps are requested."""
    clamps = tuple(clamps)
    if energy.numbers.get("clamps") != clamps:
        energy.numbers.update(clamps=clamps, equilibria=Equilibria(energy, clamps))
    return energy.numbers["equilibria"]
