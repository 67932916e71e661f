"""Clocks of `kinetics`: engines that move species on a lattice to a given time, with one interface.

A run has ``to(now, mark, by_events)``, its codes ``x`` (sites,) and the number of ``events`` so far.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.sampling import exchange
from physlearn.dynamics.sites.candidates import CandidateMoves
from physlearn.dynamics.time.gillespie import Gillespie


class Continuous:
    """The Gillespie clock."""

    def __init__(self, system, problem, start, temperature, stream):
        self.engine = Gillespie(system, start[0], problem.frame.cluster >= 0, temperature, stream)

    def to(self, now, mark, by_events):
        """Continue to a time, or to a number of events; the time reached, infinite if that number is never reached."""
        if by_events:
            return self.engine.run(now, np.inf, int(mark) - self.engine.events)
        return self.engine.run(now, mark, np.iinfo(np.int64).max)

    x = property(lambda self: self.engine.x)
    events = property(lambda self: self.engine.events)


class Sweeps:
    """A discrete clock: ``move(sweeps)`` on an engine that counts what it moved."""

    def __init__(self, engine, move, moved):
        self.engine, self.move, self.moved = engine, move, moved

    def to(self, now, mark, by_events):
        """Continue to a time."""
        self.move(int(round(mark - now)))
        return mark

    x = property(lambda self: self.engine.x[0])
    events = property(lambda self: int(self.moved()[0]))


def started(system, problem, start, temperature, clock, conserved, rows):
    """A run by the named clock from the codes ``start``, (1, sites), with streams ``rows``, (1, 4) uint64."""
    if not np.any(problem.frame.cluster >= 0):
        raise ValueError("clamp: every site is held, so nothing can happen; free some")
    if clock == "gillespie":
        return Continuous(system, problem, start, temperature, rows[0])
    state = {next(iter(system.layers)): start}
    if conserved:
        hops = exchange.Sampler(problem, state, rows)
        return Sweeps(hops, lambda n: hops.run(n, np.array([temperature])), lambda: hops.accepted)
    moves = CandidateMoves(problem, state, rows, clock == "metropolis", 1)
    heat = np.array([[float(temperature)]])
    return Sweeps(moves, lambda n: moves.run(n, heat, random=True), lambda: moves.moved)
