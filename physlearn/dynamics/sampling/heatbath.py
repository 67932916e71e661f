"""Heat-bath engine of `sample`: compiled, one variable at a time, given all others.

P(+1) = sigma(2 f/T) on spins, P(1) = sigma(f/T) on 0/1 variables, softmax(f/T) over the levels of other discrete
variables (Glauber 1963; Geman and Geman 1984).  Takes one layer of Spin, Binary or Potts variables whose terms
are Pairs, Dense and Bias (kept fields, see `fields`), LatticeBonds (see `candidates`) or have a `local` form (see
`moves`), in any mixture; numbers of other kinds under Pairs, Dense, Bias and Parabola; and angles (see `angles`).

Every visit of a variable satisfies detailed balance.  A sweep visits them in order: it leaves exp(-E/T) invariant, but
its time reversal is another chain, so a sweep as a whole does not satisfy detailed balance.  A sweep in a
random order does, since every order is as likely as its reverse.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from physlearn.checks import choice, count
from physlearn.dynamics.sites import angles, candidates, fields, moves


def refusal(problem):
    """Why this engine does not apply, or None."""
    if hasattr(next(iter(problem.system.layers.values())).kind, "wrap"):
        return angles.refusal(problem)
    reason = fields.refusal(problem)
    return None if reason is None else moves.refusal(problem)


class Sampler:
    """Chains under the heat bath; see `refusal` for what it takes.

    Parameters
    ----------
    problem, state, streams
        As `sample` passes them to its engines.
    threads : int
        Threads over the chains; results do not depend on it.
    order : {"fixed", "random"}
        Order of visits: by number, the fastest, or a new random one in every sweep, by the terms' local forms.
    """

    metropolis = False

    def __init__(self, problem, state, streams, *, threads=1, order="fixed"):
        threads = count("threads", threads, most=1024)
        choice("order", order, ("fixed", "random"))
        if angles.refusal(problem) is None:
            kind, form = partial(angles.AngleMoves, shuffle=order == "random"), "angles"
        elif order == "random":
            kind, form = partial(moves.LocalMoves, shuffle=True), "local forms, random order"
        elif fields.refusal(problem) is None:
            kind, form = fields.FieldMoves, "kept fields"
        elif candidates.refusal(problem) is None:
            kind, form = candidates.CandidateMoves, "bonded candidates"
        else:
            kind, form = moves.LocalMoves, "local forms"
        self.moves = kind(problem, state, streams, self.metropolis, threads)
        self.method = f"{'Metropolis' if self.metropolis else 'heat bath'} ({form})"
        if isinstance(self.moves, fields.FieldMoves):
            self.energies = self.moves.energies

    @property
    def proposed(self):
        """Moves proposed so far, (chains,); zero under the heat bath."""
        return np.full(len(self.moves.moved), float(self.moves.visited) if self.metropolis else 0.0)

    @property
    def accepted(self):
        """Moves made so far, (chains,); zero under the heat bath."""
        return self.moves.moved.copy() if self.metropolis else np.zeros(len(self.moves.moved))

    def run(self, sweeps, temperature):
        """Visit every free variable ``sweeps`` times; temperature is (chains,)."""
        self.moves.run(sweeps, np.asarray(temperature, dtype=float)[None])

    def follow(self, temperatures):
        """One sweep at each temperature, (sweeps, chains)."""
        self.moves.run(len(temperatures), temperatures)

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        return self.moves.state()
