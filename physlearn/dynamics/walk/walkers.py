"""Shared state of the Langevin and Hamiltonian engines: chains of free variables z, their energies and forces.

Terms see blocks of chains (`physlearn.dynamics.blocks`), so that a chain's bits do not depend on how many chains run.
All else is arithmetic row by row.

Bounds are walls: a variable that would cross one is mirrored, and its momentum turns round (Neal 2011,
section 5.1), which keeps volumes and can be undone.
"""

from __future__ import annotations

import numpy as np

from physlearn.checks import array
from physlearn.dynamics.blocks import blocks_of
from physlearn.dynamics.frame import concatenate, wrapped
from physlearn.dynamics.problem import RUNAWAY
from physlearn.rng import Chains

BLOCK = 16  # chains to a block of terms with products


def refusal(problem):
    """Why engines that move along the force do not apply, or None."""
    if problem.discrete:
        return f"layers {problem.discrete} are discrete and it moves along the force; use 'gibbs'"
    if problem.complex:
        return "the state is complex"
    if problem.activated:
        return f"layers {problem.activated} have an activation, and are not drawn from an energy of x alone"
    if problem.torques():
        return f"a force is given on the angles of layers {problem.torques()}, which no energy of their period has"
    if problem.frame.m == 0:
        return "clamps leave no variable free"
    return None


def positive(name, value, chains):
    """A setting as (chains,) positive finite numbers."""
    found = array(name, value, finite=False)
    if found.shape not in ((), (chains,)) or not np.all((found > 0) & np.isfinite(found)):
        raise ValueError(f"{name}: got {value!r}, expected a positive finite number or one for each of {chains} chains")
    return np.broadcast_to(found, (chains,))


class Walkers:
    """Chains at z (rows, m), rows being the chains and, where terms have products, their padding.

    Parameters
    ----------
    problem : Problem
    state : {layer: (chains, *shape)}
    streams : (chains, 4) uint64
    rows : int
        Rows to a block of terms with products.
    """

    def __init__(self, problem, state, streams, rows=BLOCK):
        self.problem, self.chains = problem, problem.batch
        self.blocks = blocks_of(problem, rows)
        self.rows = np.concatenate([block.items for block in self.blocks])
        self.rng = Chains(np.ascontiguousarray(streams[self.rows]))
        self.z = problem.pick(concatenate(problem.system, state))[self.rows]
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
        fields = [block.force(z[block.where]) for block in self.blocks]
        return np.ascontiguousarray(fields[0] if len(fields) == 1 else np.concatenate(fields), dtype=float)

    def energy_at(self, z):
        """Energy with the work of given forces, (rows,)."""
        return np.concatenate([block.energy(z[block.where]) for block in self.blocks])

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return wrapped(self.problem.system, self.problem.state(self.z[: self.chains]))

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
