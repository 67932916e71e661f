"""Single-variable moves of spins and 0/1 variables over kept fields: Pairs, Dense within a layer, Bias.

A variable x_i in the field f_i = b_i + sum_j J_ij x_j that moves by d_i (-2 x_i for spins, 1 - 2 x_i for 0/1)
changes the energy by -f_i d_i, exactly.  Fields are kept, and updated where a variable moves; variables are
visited in order.  Chains are processed in blocks: with sparse couplings one variable of all the block's
chains at once, as lanes of the processor's vector registers; with dense ones chain by chain, a contiguous
row at a time, while that row is in the cache.

Chain by chain or in lanes, every chain goes through the same floating-point operations in the same order:
its bits depend on neither the block's width nor the number of threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from physlearn.dynamics.frame import concatenate, separate
from physlearn.dynamics.sites import visits
from physlearn.kinds import two_values
from physlearn.terms import Bias, Dense, Pairs

BUILT_IN = (Pairs, Dense, Bias)
TWO_VALUES = ((-1.0, 1.0), (0.0, 1.0))  # that kernels know: a move is by the sum of the two less 2 x
FEWEST_LANES = 8  # chains below which one chain after the other is faster
DENSE = 0.2  # density from which contiguous rows beat lanes over sparse rows
REFRESH = 1024  # sweeps after which fields are computed from scratch, because sums drift by rounding


def refusal(problem):
    """Why there are no fields to keep, or None."""
    reason = variables_refusal(problem)
    if reason is not None:
        return reason
    kind = next(iter(problem.system.layers.values())).kind
    if two_values(kind) not in TWO_VALUES:
        return f"its kind {kind} is not Spin or Binary"
    other = [type(t).__name__ for t in problem.system.terms if type(t) not in BUILT_IN]
    return f"{other[0]} is not Pairs, Dense or Bias" if other else None


def variables_refusal(problem):
    """Why variables do not move one at a time in a single layer, or None."""
    if len(problem.system.layers) != 1:
        return "it has more than one layer"
    if problem.complex:
        return "the state is complex"
    return "a clamp ties variables together, which no longer move one at a time" if problem.tied else None


class Couplings(NamedTuple):
    """The free variables' couplings and fields: CSR, whole rows too if dense, and h0 (chains, m)."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    whole: np.ndarray
    h0: np.ndarray


def total_couplings(system):
    """Sum of a layer's built-in couplings, CSR (n, n) without a diagonal, and of its biases, (n,)."""
    if "couplings" not in system.numbers:
        system.numbers["couplings"] = _total_couplings(system)
    return system.numbers["couplings"]


def _total_couplings(system):
    import scipy.sparse as sp

    n = next(iter(system.layers.values())).size
    j, b = sp.csr_matrix((n, n)), np.zeros(n)
    for term in system.terms:
        if type(term) is Bias:
            b = b + np.broadcast_to(system.theta[term.parameter], next(iter(system.layers.values())).shape).ravel()
        elif type(term) is Dense:
            w = system.theta[term.parameter]
            j = j + sp.csr_matrix((w + w.T) / 2 - np.diag(np.diag(w)))
        elif type(term) is Pairs:
            j = j + term.matrix(system.theta)
    j = sp.csr_matrix(j)
    j.sum_duplicates()
    j.eliminate_zeros()
    return j, b


def reduced(problem, x):
    """The free variables' indices and `Couplings`: given values and forces enter h0; x (chains, n)."""
    free = np.flatnonzero(problem.frame.cluster >= 0)
    given = np.flatnonzero(problem.frame.cluster < 0)
    j, b = total_couplings(problem.system)
    h0 = np.broadcast_to(b + problem.push, x.shape)[:, free]
    if given.size:
        h0 = h0 + (j[free][:, given] @ x[:, given].T).T
        j = j[free][:, free]
        j.sort_indices()
    dense = j.nnz > DENSE * len(free) ** 2
    return free, Couplings(
        j.indptr.astype(np.uint32),
        j.indices.astype(np.uint32),
        np.array(j.data, dtype=np.float64),
        np.ascontiguousarray(j.toarray() if dense else np.zeros((0, 0))),
        np.array(h0, dtype=np.float64, order="C"),
    )


class Block:
    """Some chains, in the order in which their kernel reads them."""

    def __init__(self, moves, where, x):
        self.moves, self.where = moves, where
        c = moves.couplings
        self.across = not len(c.whole) and len(x[where]) >= FEWEST_LANES
        self.x = np.ascontiguousarray(x[where].T if self.across else x[where])
        self.h = np.empty_like(self.x)
        self.streams, self.moved, self.h0 = moves.streams[where], moves.moved[where], c.h0[where]
        self.spent, self.lowest, self.best = np.zeros(len(x[where])), np.empty(0), np.empty((0, 0))
        self.refresh()

    def watch(self):
        """Keep every chain's state of lowest energy at the end of a sweep from now on."""
        self.spent[:], self.lowest, self.best = 0.0, np.full(len(self.spent), np.inf), self.x.copy()

    def refresh(self):
        """Compute the fields from scratch."""
        c = self.moves.couplings
        visits.refresh(self.x, self.h, self.h0, c.indptr, c.indices, c.data, self.across)

    def run(self, beta, sweeps):
        """Visit every variable ``sweeps`` times; beta (rows, all chains)."""
        c, moves = self.moves.couplings, self.moves
        beta = np.ascontiguousarray(beta[:, self.where])
        kept = self.spent, self.lowest, self.best
        rest = beta, moves.binary, moves.bath, self.streams, sweeps, self.moved, *kept
        if self.across:
            visits.lanes(self.x, self.h, c.indptr, c.indices, c.data, *rest)
        else:
            visits.rows(self.x, self.h, c.indptr, c.indices, c.data, c.whole, *rest)

    def states(self):
        """Free variables, (chains, m)."""
        return self.x.T if self.across else self.x

    def energy(self):
        """-sum x (h + h0) / 2 over the free variables, (chains,)."""
        # Contiguous, or the order of summation would depend on the layout, and so on the number of chains.
        h = np.ascontiguousarray(self.h.T) if self.across else self.h
        return -0.5 * np.sum(np.ascontiguousarray(self.states()) * (h + self.h0), 1)


class FieldMoves:
    """Chains whose variables move one at a time over kept fields.

    Parameters
    ----------
    problem, state, streams
        As `sample` passes them to its engines.
    metropolis : bool
        Metropolis instead of the heat bath.
    threads : int
        Threads over blocks of chains.
    """

    def __init__(self, problem, state, streams, metropolis, threads):
        self.system, self.threads = problem.system, threads
        self.x = np.ascontiguousarray(concatenate(problem.system, state), dtype=np.float64)
        self.push = np.broadcast_to(problem.push, self.x.shape)
        self.free, self.couplings = reduced(problem, self.x)
        self.binary = float(sum(two_values(next(iter(problem.system.layers.values())).kind) or ()))
        self.bath = 0.0 if metropolis else 1.0
        self.streams, self.sweeps = np.ascontiguousarray(streams), 0
        self.moved = np.zeros(len(self.x))
        width = max(1, min(visits.LANES, -(-len(self.x) // threads)))
        start = self.x[:, self.free]
        self.blocks = [Block(self, slice(k, k + width), start) for k in range(0, len(self.x), width)]
        self.offset = np.zeros(len(self.x))
        given = np.flatnonzero(problem.frame.cluster < 0)
        if given.size:
            j, b = total_couplings(problem.system)
            held = self.x[:, given]
            self.offset = -np.sum(held * (b[given] + 0.5 * (j[given][:, given] @ held.T).T), 1)

    @property
    def visited(self):
        """Visits so far, per chain."""
        return self.sweeps * len(self.free)

    def run(self, sweeps, temperatures):
        """Visit every free variable ``sweeps`` times; temperatures (sweeps or 1, chains), taken in turn."""
        beta, done = 1.0 / temperatures, 0
        while done < sweeps:
            part = min(sweeps - done, REFRESH - self.sweeps % REFRESH)
            self._each(beta[done : done + part] if len(beta) > 1 else beta, part)
            self.sweeps, done = self.sweeps + part, done + part
            if self.sweeps % REFRESH == 0:
                for block in self.blocks:
                    block.refresh()

    def _each(self, beta, sweeps):
        if self.threads == 1 or len(self.blocks) == 1:
            for block in self.blocks:
                block.run(beta, sweeps)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(lambda block: block.run(beta, sweeps), self.blocks))

    def _free_energies(self):
        x = np.concatenate([block.states() for block in self.blocks])
        work = np.sum(np.ascontiguousarray(x) * self.push[:, self.free], 1)
        return np.concatenate([block.energy() for block in self.blocks]) + work

    def energies(self):
        """Energies of the states, (chains,), from the kept fields."""
        return self._free_energies() + self.offset

    def descend(self, most):
        """Fall to local minima, spins kept in ties; sweeps taken, (chains,), -1 where ``most`` were not enough."""
        c, taken = self.couplings, []
        rows = np.repeat(np.arange(len(self.free)), np.diff(c.indptr))
        strength = np.bincount(rows, np.abs(c.data), len(self.free))  # the largest field that others can make
        for block in self.blocks:
            x, h = (np.array(a.T if block.across else a, order="C") for a in (block.x, block.h))
            taken.append(
                visits.descend(x, h, block.h0, strength, c.indptr, c.indices, c.data, c.whole, self.binary, most)
            )
            block.x[...], block.h[...] = (x.T, h.T) if block.across else (x, h)
        return np.concatenate(taken)

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        x = self.x.copy()
        x[:, self.free] = np.concatenate([block.states() for block in self.blocks])
        return separate(self.system, x)

    def cool(self, temperatures, bar):
        """One sweep at each temperature, (sweeps, chains); then back to each chain's best state at a sweep's end."""
        for block in self.blocks:
            block.watch()
        for start in range(0, len(temperatures), REFRESH):  # where `run` pauses anyway
            part = temperatures[start : start + REFRESH]
            self.run(len(part), part)
            bar.update(len(part))
        for block in self.blocks:
            block.x[...], block.best = block.best, np.empty((0, 0))
            block.refresh()
