"""Newton engine of `relax`: terms with a `jacobian`, no bounds in the way.

    J dz = -force,  J = d force/dz = sum of term jacobians - sum of strength R^T (d2C/dy2) R over nudges

with a line search: on the energy where there is a real one, on |force| for a System and for complex
states (Newton's direction lowers |force| for any differentiable, and for any holomorphic, field).  On an
energy -J is the Hessian H; where it is not positive definite H + mu 1 is taken, the smallest mu that
makes it so, which points downhill (Nocedal and Wright 2006, algorithm 3.3), and a rest at which H has a
negative eigenvalue is left along its eigenvector: only minima count as converged.  For a System any
rest counts, whether it attracts or not.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.frame import rows_of
from physlearn.dynamics.linear.quadratic import term_places
from physlearn.dynamics.problem import bare_nudge

DENSE = 200  # up to this many variables dense factorisations are faster than sparse ones
EPS = np.finfo(float).eps
# A curvature this far below zero, relative to the largest, is one and not rounding.
NEGATIVE = 1e-9


def refusal(problem):
    """Why this engine does not apply, or None."""
    if (reason := problem.unfit(lowers_energy=False)) is not None:
        return reason
    if problem.activated:
        return f"layers {problem.activated} have an activation, whose derivative kinds do not offer"
    missing = [type(t).__name__ for t in problem.system.terms if not hasattr(t, "jacobian")]
    if missing:
        return f"{missing[0]} has no `jacobian`"
    if np.any(np.isfinite(problem.bounds)):
        return "some variables have bounds"
    return bare_nudge(problem)


def solve(problem, tol, max_steps):
    """Solve item by item."""
    z, steps, at_rest = problem.initial(), 0, []
    for item in range(problem.batch):
        part = problem.rows([item])
        z[item : item + 1], used, good = _newton(part, z[item : item + 1], tol[item], max_steps)
        steps = max(steps, used)
        at_rest.append(good)
    rest = np.max(np.abs(problem.force(z)), 1, initial=0.0)
    measured = any(getattr(term, "differences", False) for term in problem.system.terms)
    used = "Newton (jacobian by differences)" if measured else "Newton"
    return z, rest, steps, all(at_rest) and np.all(rest <= tol), used


def _newton(problem, z, tol, max_steps):
    """One item, z (1, m): state, steps, whether it is at a rest that counts."""
    downhill = problem.is_energy and not problem.complex
    reduced = Reduced(problem)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        force = problem.force(z)
        for step in range(max_steps):
            problem.bar.update()
            small = np.max(np.abs(force), initial=0.0) <= tol
            if small and not downhill:
                return z, step, True
            h = -reduced.jacobian(z)
            if small:
                direction = _way_down(h)
                if direction is None:
                    return z, step, True
                new = _leave(problem, z, direction)
            else:
                new = _search(problem, z, force, _direction(h, force[0], downhill), downhill)
            if new is None:
                return z, step, False
            z, force = new, problem.force(new)
        minimum = not downhill or _way_down(-reduced.jacobian(z)) is None
    return z, max_steps, minimum


class Reduced:
    """The jacobian of the force in the free variables of one item."""

    def __init__(self, problem):
        import scipy.sparse as sp

        self.problem, self.n = problem, len(problem.frame.cluster)
        system, frame = problem.system, problem.frame
        self.places = [term_places(system, term, frame.offset) for term in system.terms]
        self.rows = [rows_of(system, n.cost.readout, frame.offset, self.n) for n in problem.nudges]
        kept = np.flatnonzero(frame.cluster >= 0)
        ones = np.ones(len(kept))
        self.tie = sp.csr_matrix((ones, (kept, frame.cluster[kept])), (self.n, frame.m))
        self.gather = self.tie.T
        if problem.scale is not None:
            self.gather = sp.diags(1.0 / problem.scale) @ self.gather
            self.tie = self.tie @ sp.diags(problem.scale)

    def jacobian(self, z):
        """(m, m), an array where small or full, else CSC."""
        import scipy.sparse as sp

        problem, system, n = self.problem, self.problem.system, self.n
        x = problem.state(z)
        blocks = []
        for term, place in zip(system.terms, self.places, strict=True):
            block = sp.coo_matrix(term.jacobian(x, system.theta))
            if block.shape != (len(place), len(place)):
                raise ValueError(
                    f"{type(term).__name__}.jacobian: shape {block.shape}, expected "
                    f"{(len(place), len(place))}, the term's layers concatenated"
                )
            blocks.append((block.data, place[block.row], place[block.col]))
        data, row, col = (np.concatenate(part) for part in zip(*blocks, strict=True))
        full = sp.csr_matrix((data, (row, col)), (n, n))
        for nudge, rows in zip(problem.nudges, self.rows, strict=True):
            if nudge.at is None:
                y = system.readouts[nudge.cost.readout].read(x)
                bend = sp.csr_matrix(nudge.strength * nudge.cost.hessian(y, nudge.target)[0])
                full = full - rows.T @ bend @ rows
        free = (self.gather @ full @ self.tie).tocsc()
        m = free.shape[0]
        return free.toarray() if m <= DENSE or free.nnz > 0.1 * m * m else free


def _direction(h, force, downhill):
    """Newton's step h^-1 force, (m,); downhill on an energy, of least squares where h is singular."""
    scale = abs(h).max()
    if not downhill:
        solution = _solve(h, force)
        if solution is None:  # Levenberg's step
            square = h.conj().T @ h
            solution = _solve(_shift(square, 1e-10 * scale**2), h.conj().T @ force)
        return force if solution is None else solution
    h, mu = 0.5 * (h + h.T), 0.0
    while mu < 4.0 * len(force) * scale:
        factor = _positive(_shift(h, mu))
        if factor is not None:
            return factor(force)
        mu = max(4.0 * mu, 1e-6 * scale)
    return force


def _search(problem, z, force, direction, downhill):
    """The first of the steps 1, 1/2, 1/4, ... that lowers the energy or |force|; None if none does."""
    before = np.linalg.norm(force)
    energy = problem.energy(z)[0] if downhill else 0.0
    slope = float((force[0] @ direction).real) if downhill else 0.0
    t = 1.0
    while t > 1e-14:
        new = z + t * direction
        after = np.linalg.norm(problem.force(new))
        smaller = after <= (1.0 - 1e-4 * t) * before  # also False where it is not finite
        if downhill:
            change = problem.energy(new)[0] - energy
            # Below the energy's rounding only the force can tell.
            drowned = abs(change) <= 64 * EPS * max(abs(energy), slope)
            if change <= -1e-4 * t * slope and np.isfinite(after) or drowned and smaller:
                return new
        elif smaller:
            return new
        t *= 0.5
    new = z + direction
    return new if downhill and np.linalg.norm(problem.force(new)) < before else None


def _way_down(h):
    """A direction (m,) along which a symmetric h is negative, or None: then the rest is a minimum."""
    m, scale = h.shape[0], abs(h).max() if h.shape[0] else 0.0
    h = 0.5 * (h + h.T)
    if m == 0 or _positive(_shift(h, NEGATIVE * scale + np.finfo(float).tiny)) is not None:
        return None
    if isinstance(h, np.ndarray):
        values, vectors = np.linalg.eigh(h)
        return vectors[:, 0] if values[0] < -NEGATIVE * scale else None
    from scipy.sparse.linalg import eigsh

    values, vectors = eigsh(h, 1, which="SA", v0=np.ones(m) + np.arange(m) / m)
    return vectors[:, 0] if values[0] < -NEGATIVE * scale else None


def _leave(problem, z, direction):
    """Step off a saddle or maximum to a lower energy, the longest of 1, 1/2, ... times the state."""
    largest = float(np.max(np.abs(z)))
    first = float(problem.length(z)[0]) + largest
    energy, t = problem.energy(z)[0], first
    direction = direction / np.max(np.abs(direction))
    while t > 1e-9 * min(first, 1.0):
        for new in (z + t * direction, z - t * direction):
            if problem.energy(new)[0] < energy:
                return new
        t *= 0.5
    return None


def _shift(h, mu):
    if isinstance(h, np.ndarray):
        return h + mu * np.eye(len(h))
    import scipy.sparse as sp

    return (h + mu * sp.identity(h.shape[0], format="csc")).tocsc()


def _solve(h, right):
    """h^-1 right, or None if h is singular."""
    if isinstance(h, np.ndarray):
        try:
            out = np.linalg.solve(h, right)
        except np.linalg.LinAlgError:
            return None
        return out if np.all(np.isfinite(out)) else None
    from scipy.sparse.linalg import splu

    try:
        out = splu(h.tocsc()).solve(right.astype(np.result_type(h.dtype, right)))
    except RuntimeError:  # exactly singular
        return None
    return out if np.all(np.isfinite(out)) else None


def _positive(h):
    """Solver of a positive definite h, or None if it is not."""
    if not np.all(np.isfinite(h.data if not isinstance(h, np.ndarray) else h)):
        return None
    if isinstance(h, np.ndarray):
        from scipy.linalg import LinAlgError, cho_factor, cho_solve

        try:
            factor = cho_factor(h)
        except LinAlgError:
            return None
        return lambda right: cho_solve(factor, right)
    from scipy.sparse.linalg import splu

    try:
        lu = splu(h, "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:  # exactly singular
        return None
    return lu.solve if np.all(lu.U.diagonal() > 0) and np.array_equal(lu.perm_r, lu.perm_c) else None
