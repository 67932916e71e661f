"""Operating points by Newton's method on a fixed pattern, for a batch at once.

    J dz = -F,    F the currents into the free nodes and the equations of the branches, J = dF/dz

Junctions are linearised where `junctions.limited` says.  Where the plain method fails, conductances from all nodes to
ground are taken away step by step (gmin stepping), and then the sources are raised from zero (source stepping).
Nodes that every device around them has cut off float: they are held at 0 V, the limit of a vanishing leak.
"""

from __future__ import annotations

import numpy as np

from circuits.nodal.bound import refuse_unbound
from circuits.nodal.floating import floating
from circuits.nodal.junctions import limited
from circuits.nodal.linsolve import solve_all
from circuits.nodal.plan import plan_of, scatter
from circuits.nodal.small import numbers_of, settle_all

PLAIN = 60  # steps after which the plain method has failed
CLOSE = 1e-9  # a last step this small, relative to the largest unknown of its kind, leaves rounding behind
TINY = np.finfo(float).tiny


class Search:
    """Newton's method for some items of a problem; ``shunt`` and ``share`` are the two continuations' numbers."""

    def __init__(self, problem, plan):
        self.problem, self.plan = problem, plan
        self.theta = problem.system.theta
        self.whole, self.reduced = plan.matrix(self.theta)
        self.numbers = [term.given(self.theta) for term in plan.devices]
        self.nudged = [(n, plan.nudge(problem.system, n)) for n in problem.nudges]

    def state(self, z, items, share):
        """All unknowns (batch, n)."""
        return self.plan.frame.spread(z) + share * self.problem.base[items]

    def parts(self, x, items, share, at=None):
        """F (batch, m) at unknowns x (batch, n), and the devices' slopes, linearised at drops ``at``."""
        problem, plan = self.problem, self.plan
        force = (self.whole @ x.T).T + share * problem.push[items]
        slopes, drops = [], []
        for k, term in enumerate(plan.devices):
            u = term.controls(x)
            here = u if at is None else at[k]
            value, slope = term.linearise(here, self.numbers[k])
            if at is not None and term.junctions is not None:
                value = value + slope[..., 0] * (u - here)[..., 0]
            force = force + term.gather(value)
            slopes.append(slope)
            drops.append(u)
        if self.nudged:
            part = problem.rows(items)
            pulls = part.nudge_forces(_layers(problem.system, x))
            for name, pull in pulls.items():
                start = plan.frame.offset[name]
                force[:, start : start + pull.shape[1]] += pull
        return plan.frame.collect(force), slopes, drops

    def jacobian(self, x, slopes, items):
        """Data of J, (batch, size), and the nudges' part, (batch, m, m) or None."""
        plan = self.plan
        data = np.tile(self.reduced, (len(x), 1))
        for slope, (source, sign, slot) in zip(slopes, plan.slots, strict=True):
            scatter(slope.reshape(len(x), -1), source, sign, slot, data)
        extra = None
        for nudge, rows in self.nudged:
            if nudge.at is None:
                y = self.problem.system.readouts[nudge.cost.readout].read(_layers(self.problem.system, x))
                target = np.atleast_2d(nudge.target)
                target = target if len(target) == 1 else target[items]
                dense = rows.toarray()
                bend = nudge.strength * nudge.cost.hessian(y, np.broadcast_to(target, y.shape))
                here = -np.einsum("ka,bkl,lc->bac", dense, bend, dense)
                extra = here if extra is None else extra + here
        return data, extra

    def start(self, z, items, share):
        """Drops to linearise at first: junctions at their critical voltage, unless a start was given."""
        x = self.state(z, items, share)
        at = []
        for term in self.plan.devices:
            u = term.controls(x)
            if term.junctions is not None and self.problem.start is None:
                u[..., 0] = term.junctions[:, 1] + term.junctions[:, 2]
            at.append(u)
        return at

    def run(self, z, items, at=None, *, share=1.0, shunt=0.0, most=PLAIN):
        """From z (batch, m): where it came to, which items are at rest, steps of the slowest, drops linearised at."""
        plan = self.plan
        z = z.copy()
        at = self.start(z, items, share) if at is None else at
        rest, alive, steps = np.zeros(len(z), bool), np.arange(len(z)), 0
        while len(alive) and steps < most:
            steps += 1
            self.problem.bar.update()
            here = items[alive]
            x = self.state(z[alive], here, share)
            force, slopes, _ = self.parts(x, here, share, [u[alive] for u in at])
            force[:, plan.is_node] -= shunt * z[alive][:, plan.is_node]
            data, extra = self.jacobian(x, slopes, here)
            data[:, plan.diagonal[plan.is_node]] -= shunt
            step = solve_all(plan, data, extra, -force)
            wild = ~np.all(np.isfinite(step), 1) | (np.max(np.abs(step), 1, initial=0) > 1e3 * (1 + _size(x)))
            for k in np.flatnonzero(wild):
                loose = floating(plan, [s[k : k + 1] for s in slopes])[0]
                if loose.any():
                    worst = np.max(np.abs(data[k])) or 1.0
                    data[k, plan.diagonal[loose]] -= worst
                    force[k, loose] -= worst * z[alive[k], loose]
                    more = None if extra is None else extra[k : k + 1]
                    step[k] = solve_all(plan, data[k : k + 1], more, -force[k : k + 1])[0]
            broken = ~np.all(np.isfinite(step), 1)
            z[alive] += np.where(broken[:, None], 0.0, step)
            x = self.state(z[alive], here, share)
            moved = self.relative(step, x)
            caught = np.zeros(len(alive))
            for k, term in enumerate(plan.devices):
                u = term.controls(x)
                if term.junctions is not None:
                    scale, critical, bias = term.junctions.T
                    u[..., 0] = bias + limited(u[..., 0] - bias, at[k][alive][..., 0] - bias, scale, critical)
                    off = np.abs(u[..., 0] - term.controls(x)[..., 0]) / scale
                    caught = np.maximum(caught, np.max(off, 1, initial=0.0))
                at[k][alive] = u
            good = (moved <= CLOSE) & (caught <= CLOSE) & ~broken
            rest[alive[good]] = True
            alive = alive[~good & ~broken]
        return z, rest, steps, at

    def relative(self, step, x):
        """Largest step of each item, relative to the largest unknown of the same kind."""
        volts = np.max(np.abs(step[:, self.plan.is_node]), 1, initial=0.0)
        amperes = np.max(np.abs(step[:, ~self.plan.is_node]), 1, initial=0.0)
        nodes = self.plan.nodes
        high = np.max(np.abs(x[:, :nodes]), 1, initial=0.0)
        large = np.max(np.abs(x[:, nodes:]), 1, initial=0.0)
        return np.maximum(volts / np.maximum(high, TINY), amperes / np.maximum(large, TINY))

    def certificate(self, z, items, tol):
        """Largest entry of F with the true laws, and whether every row of it is small beside its parts."""
        x = self.state(z, items, 1.0)
        force, slopes, _ = self.parts(x, items, 1.0)
        data, _ = self.jacobian(x, slopes, items)
        loose = floating(self.plan, slopes)
        small = np.all((np.abs(force) <= tol * _row_sums(self.plan, data, x)) | (loose & (force == 0)), 1)
        return np.max(np.abs(force), 1, initial=0.0), small


def _layers(system, x):
    out, start = {}, 0
    for name, layer in system.layers.items():
        out[name] = x[:, start : start + layer.size]
        start += layer.size
    return out


def _size(x):
    return np.max(np.abs(x), 1, initial=0.0)


def solve(problem, tol, max_steps, search=None):
    """The engine of `relax`: (z, residual, steps, converged, method); ``search`` is that of an earlier call."""
    search = search or Search(problem, plan_of(problem))
    z = problem.initial()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        z, rest, steps, method, residual = _stages(search, z, max_steps)
        items = np.flatnonzero(np.isnan(residual) | (tol < CLOSE))
        if items.size:
            residual[items], good = search.certificate(z[items], items, tol)
            rest[items] &= good
        refuse_unbound(search, z, np.flatnonzero(rest))
    return z, residual, steps, bool(np.all(rest)), method


def _row_sums(plan, data, x):
    """Sum over each row of |J| times the largest unknown of the column's kind, (batch, m)."""
    import scipy.sparse as sp

    nodes = plan.nodes
    high, large = _size(x[:, :nodes]), _size(x[:, nodes:])
    scale = np.where(plan.is_node, high[:, None], large[:, None])
    if plan.dense:
        return np.einsum("bij,bj->bi", np.abs(data).reshape(len(data), plan.m, plan.m), scale)
    shape = (plan.m, plan.m)
    return np.stack(
        [sp.csc_matrix((np.abs(d), plan.indices, plan.indptr), shape) @ s for d, s in zip(data, scale, strict=True)]
    )


def _stages(search, z, max_steps):
    """Plain Newton for all items, gmin and source stepping for those that it fails on."""
    items = np.arange(len(z))
    z, rest, steps, residual = _plain(search, z, items, min(PLAIN, max_steps))
    method = "Newton"
    for name, climb in (("gmin stepping", _gmin), ("source stepping", _sources)):
        failed = np.flatnonzero(~rest)
        if not failed.size or steps >= max_steps:
            break
        method = f"Newton, {name}"
        for k in failed:
            one = items[k : k + 1]
            first = search.problem.initial()[one]
            found, good, used = climb(search, first, one, max_steps - steps)
            steps += used
            if good or not np.all(np.isfinite(z[k])):
                z[k], rest[k] = found[0], good
    return z, rest, steps, method, residual


def _plain(search, z, items, most):
    """The plain method, compiled where the circuit is small: (z, which items are at rest, steps, residual)."""
    problem, plan = search.problem, search.plan
    residual = np.full(len(z), np.nan)  # where nothing has certified an item
    if problem.nudges or plan.small is None:
        return *search.run(z, items, most=most)[:3], residual
    # the linear part at z = 0; edges are devices of the table
    given = problem.push if plan.plain else problem.push + (plan.others @ problem.base.T).T
    constant = np.ascontiguousarray(plan.frame.collect(given))
    steps, z = np.empty(len(z), np.int64), np.ascontiguousarray(z)
    warm = problem.start is not None
    table, _ = plan.small
    numbers = numbers_of(problem.system)
    settle_all(table, numbers, plan.constant, constant, problem.base, z, warm, most, steps, residual)
    rest, used = steps >= 0, int(steps.max(initial=0))
    failed = np.flatnonzero(~rest)
    if failed.size:  # floating nodes need the method that knows them
        z[failed], rest[failed], more, _ = search.run(z[failed], items[failed], most=most)
        used += more
    return z, rest, used, residual


def _gmin(search, z, item, most):
    """Take away a conductance from every node to ground, in steps that adapt."""
    scale = max(float(np.max(np.abs(search.reduced), initial=0.0)), 1e-12)
    shunt, factor, used, at = scale, 0.1, 0, None
    while used < most:
        found, good, steps, here = search.run(z, item, at and [u.copy() for u in at], shunt=shunt)
        used += steps
        if good[0]:
            if shunt == 0.0:
                return found, True, used
            z, at, done = found, here, shunt
            shunt = shunt * factor if shunt > 1e-16 * scale else 0.0
            factor = max(factor * factor, 1e-2)
        elif at is None or factor > 0.9:
            return z, False, used
        else:
            factor = np.sqrt(factor)
            shunt = done * factor
    return z, False, used


def _sources(search, z, item, most):
    """Raise the sources from zero, in steps that adapt."""
    share, width, used, at = 0.0, 0.1, 0, None
    found, good, steps, at = search.run(np.zeros_like(z), item, share=0.0)
    used += steps
    if not good[0]:
        return z, False, used
    z = found
    while used < most and width > 1e-7:
        ahead = min(1.0, share + width)
        found, good, steps, here = search.run(z, item, [u.copy() for u in at], share=ahead)
        used += steps
        if good[0]:
            z, at, share = found, here, ahead
            if share == 1.0:
                return z, True, used
            width *= 2.0
        else:
            width *= 0.25
    return z, False, used
