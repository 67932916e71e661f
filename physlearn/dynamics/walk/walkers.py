"""Shared state of the Langevin and Hamiltonian engines: chains of free variables z, their energies and forces.

Terms see fixed-size padded blocks of chains, because a row of a matrix product depends on how many rows
there are: so a chain's bits do not depend on how many chains run.  All else is arithmetic row by row.

Bounds are walls: a variable that would cross one is mirrored, and its momentum turns round (Neal 2011,
section 5.1), which keeps volumes and can be undone.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array
from physlearn.dynamics.frame import concatenate, separate
from physlearn.dynamics.problem import RUNAWAY
from physlearn.rng import Chains

BLOCK = 16  # chains to a block


def refusal(problem):
    """Why engines that move along the force do not apply, or None."""
    if problem.discrete:
        return f"layers {problem.discrete} are discrete and it moves along the force; use 'gibbs'"
    if problem.complex:
        return "the state is complex"
    if problem.activated:
        return f"layers {problem.activated} have an activation, and are not drawn from an energy of x alone"
    if problem.frame.m == 0:
        return "clamps leave no variable free"
    return None


def padded(chains):
    """Numbers of the chains, filled up to whole blocks with copies of the first."""
    return np.concatenate([np.arange(chains), np.zeros(-chains % BLOCK, np.int64)])


def positive(name, value, chains):
    """A setting as (chains,) positive finite numbers."""
    found = array(name, value, finite=False)
    if found.shape not in ((), (chains,)) or not np.all((found > 0) & np.isfinite(found)):
        raise ValueError(f"{name}: got {value!r}, expected a positive finite number or one for each of {chains} chains")
    return np.broadcast_to(found, (chains,))


class Walkers:
    """Chains at z (rows, m), rows being the chains and their padding.

    Parameters
    ----------
    problem : Problem
    state : {layer: (chains, *shape)}
    streams : (chains, 4) uint64
    """

    def __init__(self, problem, state, streams):
        self.problem, self.chains = problem, problem.batch
        self.rows = padded(self.chains)
        self.rng = Chains(np.ascontiguousarray(streams[self.rows]))
        self.z = problem.pick(concatenate(problem.system, state))[self.rows]
        starts = range(0, len(self.rows), BLOCK)
        self.blocks = [(slice(k, k + BLOCK), problem.rows(self.rows[k : k + BLOCK])) for k in starts]
        whole = problem.frame.m == len(problem.frame.cluster)
        self.plain = whole and not problem.push.any() and not problem.base.any()
        low, high = problem.bounds
        self.walls = (low[self.rows], high[self.rows]) if np.any(np.isfinite([low, high])) else None
        with np.errstate(all="ignore"):
            self.energy, self.force = self.energy_at(self.z), self.force_at(self.z)
        lost = np.flatnonzero(~(np.isfinite(self.energy) & np.all(np.isfinite(self.force), 1))[: self.chains])
        if lost.size:
            raise ValueError(
                f"x0: the energy or the force of chain {lost[0]} is not finite where it starts; start it elsewhere"
            )

    def force_at(self, z):
        """Force on z, (rows, m)."""
        if not self.plain:
            force = np.concatenate([block.force(z[where]) for where, block in self.blocks])
            return np.ascontiguousarray(force, dtype=float)
        system, fields = self.problem.system, []
        for where, _ in self.blocks:
            x = separate(system, z[where])
            parts = [system.field(x, name).reshape(BLOCK, -1) for name in system.layers]
            fields.append(parts[0] if len(parts) == 1 else np.concatenate(parts, 1))
        return np.ascontiguousarray(fields[0] if len(fields) == 1 else np.concatenate(fields), dtype=float)

    def energy_at(self, z):
        """Energy with the work of given forces, (rows,)."""
        if not self.plain:
            return np.concatenate([block.energy(z[where]) for where, block in self.blocks])
        system = self.problem.system
        blocks = (system.shares(separate(system, z[where])).values() for where, _ in self.blocks)
        return np.concatenate([np.asarray(sum(shares)) for shares in blocks])

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return self.problem.state(self.z[: self.chains])

    def ran_away(self):
        """Indices of the chains that are no longer finite, (k,)."""
        return np.flatnonzero(~np.all(np.abs(self.z[: self.chains]) < RUNAWAY, 1))


def mirror(z, low, high):
    """Fold z into [low, high] as light between mirrors: (z, +1 or -1 where it travels the other way).

    Examples
    --------
    >>> import numpy as np
    >>> z, sign = mirror(np.array([-0.25, 1.25, 2.25]), np.zeros(3), np.array([np.inf, 1.0, 1.0]))
    >>> z.tolist(), sign.tolist()
    ([0.25, 0.75, 0.25], [-1.0, -1.0, 1.0])
    """
    out, sign = z.copy(), np.ones_like(z)
    below, above = np.isfinite(low), np.isfinite(high)
    for bound, one_sided, outside in ((low, below & ~above, z < low), (high, above & ~below, z > high)):
        hit = one_sided & outside
        out[hit], sign[hit] = 2.0 * bound[hit] - z[hit], -1.0
    both = below & above
    width = (high - low)[both]
    along = np.mod(z[both] - low[both], 2.0 * width)
    back = along > width
    # clipped: rounding may leave the interval by a bit
    out[both] = np.clip(low[both] + np.where(back, 2.0 * width - along, along), low[both], high[both])
    sign[both] = np.where(back, -1.0, 1.0)
    return out, sign
