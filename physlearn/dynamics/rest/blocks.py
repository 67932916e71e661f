"""Blocks of the descent engine: layers of continuous variables, each settled whole while all others stand still.

Where a term is a separable quadratic in a layer, its field there is a part that the other layers alone decide, less its
curvature times the layer itself.  So a sweep costs what the terms' fields cost, and two compiled passes over a layer:
each field is computed again only when one of the other layers has moved, and the product with a clamped input is made
once in a relaxation (see `block`).  A layer with an activation, under terms that are linear in what it shows, goes to
x = field.  Either way no sweep raises the energy.

The size of the forces that balance, to which ``tol`` is relative, is found as in `Problem.force_scale`, by power
iterations, here on the moving fields only.  One item stands for all wherever the differences of their forces agree, as
they do for every quadratic energy.

Where all parameters are in single precision, states are too, and rest is not asked for below 64 of its roundings.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.predictions import precision
from physlearn.dynamics.problem import POWER_ITERATIONS, PROBE
from physlearn.dynamics.rest.block import block_of
from physlearn.dynamics.rest.descent import free_of
from physlearn.dynamics.scale import length_of

SAME = 1e-6  # relative difference of two items' differences of forces that counts as none
ROUNDINGS = 64  # in a residual of single precision
TINY, ZERO = float(np.finfo(float).tiny), 0.0


def solve(problem, tol, max_steps):
    """Relax as `Equilibrium` defines rest: (state, residual, steps, converged, method).

    None where a term's field is not the quadratic that its curvature promises.
    """
    blocks = Blocks(problem)
    found = blocks.relax(tol, max_steps)
    return found and (blocks.x, *found, "descent (blocks)")


class Blocks:
    """A state on its way to rest, and the layers of it that move, in order.

    Parameters
    ----------
    problem : Problem
        One that the descent engine takes, of blocks (see `descent.has_blocks`).

    Attributes
    ----------
    x, shown : dict of str to (batch, *shape) array
        The state, and what terms see of it.
    all : list of Block
        The layers that move.
    """

    def __init__(self, problem):
        self.problem, layers = problem, problem.system.layers
        self.dtype = np.dtype(complex) if problem.complex else precision(problem.system.theta)
        self.single = self.dtype == np.float32
        self.same = 1e3 * float(np.finfo(np.float32).eps) if self.single else SAME
        self.x = {name: np.array(value, self.dtype, order="C") for name, value in problem.first().items()}
        self.smooth = [name for name, layer in layers.items() if hasattr(layer.kind, "activation")]
        self.shown = problem.system.shown(self.x)
        moving = [name for name in self.x if free_of(problem, name).any()]
        self.all = [block_of(problem, self.x, self.shown, name, moving) for name in moving]
        for block in self.all:
            block.followers = [(b, k) for b in self.all for k, t in enumerate(b.coupled) if block.name in t.layers]
        self.given = np.zeros(problem.batch)
        for name, value in self.x.items():
            if name not in moving:
                self.given = np.maximum(self.given, np.abs(value.reshape(len(value), -1)).max(1, initial=0.0))
        self.quadratic = not self.smooth and all(hasattr(term, "quadratic") for term in problem.system.terms)
        self.common: Any = None  # the first difference that all items shared, and the stiffness found from it

    def nudge(self, problem, x):
        """Take the nudges of a problem that is the same otherwise, and start again from a state."""
        self.problem = problem
        for block in self.all:
            self.x[block.name][...] = x[block.name]
        for name in self.smooth:
            self.shown[name][...] = problem.system.layers[name].kind.activation(self.x[name])
        for block in self.all:
            block.nudge(problem)

    def relax(self, tol, max_steps):
        """Sweep until every item's residual is within ``tol`` of the forces that balance: (residual, steps, converged).

        None where a term's field is not the quadratic that its curvature promises.
        """
        if self.single:
            tol = max(tol, ROUNDINGS * float(np.finfo(np.float32).eps))
        first, steps, scale = self.largest(), 0, np.zeros(self.problem.batch)
        for block in self.all:
            block.raise_force(scale, held=False)
        if (most := self.most_stiffness()) is not None:  # while no item is near its rest, the stiffness does not matter
            steps, near = self.approach(tol * np.maximum(scale, most * first), max_steps)
            if not near:
                return self.residual(), steps, False
        with np.errstate(over="ignore", invalid="ignore"):
            scale = np.maximum(scale, self.stiffness() * first)
        while True:
            steps, at_rest = self.descend(tol * scale, steps, max_steps)
            if (residual := self.residual()) is None:
                return None
            with np.errstate(over="ignore", invalid="ignore"):
                reached = self.stiffness() * np.maximum(self.largest(), np.sqrt(tol) * first)
            short, sound = residual > tol * reached, np.all(np.isfinite(residual))
            if not at_rest or not short.any() or steps >= max_steps or not sound:
                return residual, steps, bool(at_rest and sound and not short.any())
            # the start suggested larger forces than are there: continue to a tolerance relative to those
            scale = np.where(short, 0.5 * reached, scale)

    def descend(self, slack, steps, max_steps):
        """Sweep until no item has a force above its ``slack``: the steps taken so far, and whether all are at rest."""
        first, rest, slack = self.all[0], self.all[1:], slack.astype(self.x[self.all[0].name].real.dtype, copy=False)
        going = np.empty(self.problem.batch, np.bool_)
        while True:
            going[:] = False
            for block in rest:
                block.look(slack, going)
            if steps >= max_steps:
                first.look(slack, going)
                return steps, not going.any()
            if not first.look_and_move(slack, going):  # items at rest are left alone: none disturbs another
                return steps, True
            steps += 1
            self.problem.bar.update()
            for block in rest:
                block.move(going)

    def approach(self, slack, max_steps):
        """Sweep while every item has a force above its ``slack``: the steps taken, and whether some item has none."""
        slack = slack.astype(self.x[self.all[0].name].real.dtype, copy=False)
        going = np.empty(self.problem.batch, np.bool_)
        for step in range(max_steps + 1):
            going[:] = False
            for block in self.all:
                block.look(slack, going)
            if not going.all():
                return step, True
            if step < max_steps:
                self.problem.bar.update()
                for block in self.all:
                    block.move(going)
        return max_steps, False

    def residual(self):
        """Largest force on any free variable, (batch,); a bound carries a push into it.

        By the terms' own fields; None if they are not what their curvatures promise.  Terms with a ``quadratic`` form
        have promised it for every state.
        """
        most = np.zeros(self.problem.batch)
        for block in self.all:
            if not self.quadratic and block.name not in self.smooth:
                if block.differs(self._true_force(block), self.same):
                    return None
            block.raise_force(most)
        return most

    def _true_force(self, block):
        """Force on a block from the terms as they are, in the order of `Problem.force`."""
        problem, start = self.problem, self.problem.frame.offset[block.name]
        f = problem.system.field(self.x, block.name).reshape(block.x.shape)
        if problem.given_force.shape[1]:
            f = f + problem.push[:, start : start + block.free.size]
        return f + problem.nudge_forces(self.x)[block.name] if block.nudged else f

    def largest(self):
        """Largest value of any variable, given ones included, (batch,)."""
        most = self.given.copy()
        for block in self.all:
            block.raise_value(most)
        return most

    def most_stiffness(self):
        """A number that the largest curvature of no item exceeds, where terms say so at little cost; else None."""
        if not self.quadratic or not all(len(block.own) == 1 for block in self.all):
            return None
        coupled = {id(term): term for block in self.all for term in block.coupled}.values()
        if not all(hasattr(term, "strength") for term in coupled):
            return None
        own = max(float(np.max(np.abs(block.own), initial=0.0)) for block in self.all)
        return own + sum(term.strength(self.problem.system.theta) for term in coupled)

    def stiffness(self):
        """Largest curvature of each item, (batch,) or (1,), by a few power iterations."""
        if not self.quadratic or not all(len(block.own) == 1 for block in self.all):
            return self._iterated()
        key = ("stiffness", self.problem.clamps, *(block.own.tobytes() for block in self.all))
        kept = self.problem.system.numbers  # of this theta
        if key not in kept:
            kept[key] = self._linear()
        return kept[key]

    def _pattern(self):
        """A start of power iterations that is neither smooth nor rough, so that it has a part in every mode."""
        v, start = [np.zeros((1, block.free.size), self.x[block.name].real.dtype) for block in self.all], 0
        for block, direction in zip(self.all, v, strict=True):
            index = np.flatnonzero(block.free)
            direction[0, index] = np.cos(np.arange(start, start := start + index.size) ** 2)
        return v

    def _linear(self):
        """The stiffness where the force is linear in the state: the same for all items, (1,)."""
        nowhere = {name: np.zeros((1, *x.shape[1:]), self.dtype) for name, x in self.x.items()}
        v, base, sizes = self._pattern(), [block.coupling(nowhere) for block in self.all], []
        for _ in range(POWER_ITERATIONS):
            moved = nowhere | {b.name: d.reshape(1, *b.shape[1:]) for b, d in zip(self.all, v, strict=True)}
            sizes.append(_norm(v))
            v = [(b.own * d + f0 - b.coupling(moved)) * b.free for b, d, f0 in zip(self.all, v, base, strict=True)]
            if not 1e-100 < sizes[-1] < 1e100:  # of a unit far from one
                v, sizes[-1] = [d / sizes[-1] for d in v], np.ones((1, 1))
        found = _norm(v) / sizes[-1]
        return np.where(np.isfinite(found), found, 1.0)[0]

    def _iterated(self):
        """The stiffness from differences of the force at the present state, (batch,), or (1,) where all items agree."""
        largest = np.max([np.abs(b.x[:, b.free]).max(1, initial=0.0) for b in self.all], 0)
        step = PROBE * (length_of(np.where(largest > 0, largest, self.given)) + largest)[:, None]
        x, v = self.x, self._pattern()
        base: Any = [block.coupled_force() for block in self.all]
        norm, first = _norm(v), v
        for k in range(POWER_ITERATIONS):
            v = [d / norm for d in v]
            pairs = zip(self.all, v, strict=True)
            moved = x | {b.name: x[b.name] + (step * d).reshape(-1, *b.shape[1:]) for b, d in pairs}
            moved = self.problem.system.shown(moved) if self.smooth else moved
            v = [
                (b.stiff[: len(step)] * d + (f0 - b.coupling(moved)) / step) * b.free
                for b, d, f0 in zip(self.all, v, base, strict=True)
            ]
            if k == 0 and _agree(v):
                if self.common is not None and _agree([np.concatenate(p) for p in zip(self.common[0], v, strict=True)]):
                    return self.common[1]  # as it was in an earlier state
                x, step = {name: value[:1] for name, value in x.items()}, step[:1]
                v, base = [d[:1] for d in v], [f0[:1] for f0 in base]
                first = v
            norm = _norm(v)
        found = np.where(np.isfinite(norm), norm, 1.0)[:, 0]
        if len(found) == 1 < self.problem.batch:
            self.common = first, found
        return found


def _norm(v):
    """Euclidean norm over all blocks, (rows, 1)."""
    square = sum(np.einsum("ij,ij->i", d, np.conj(d) if np.iscomplexobj(d) else d).real for d in v)
    return np.maximum(np.sqrt(square), TINY)[:, None]


def _agree(v):
    """Whether all rows are the same, but for rounding."""
    return all(np.all(np.abs(d - d[0]) <= SAME * np.max(np.abs(d[0]))) for d in v)
