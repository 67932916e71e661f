"""Blocks of the descent engine: layers of `Real` variables, each settled whole while all others stand still.

Where a term is a separable quadratic in a layer, its field there is a part that the other layers alone decide, less its
curvature times the layer itself.  So a sweep costs what the terms' fields cost, and two compiled passes over a layer:

    force = (sum of the terms' fields with the layer at zero) - curvature * x,      rest = force at zero / curvature

A field is computed again only when one of the other layers has moved: the product with a clamped input, given forces
and nudges are summed once in a relaxation.

The size of the forces that balance, to which ``tol`` is relative, is found as in `Problem.force_scale`, by power
iterations, here on the moving fields only.  One item stands for all wherever the differences of their forces agree, as
they do for every quadratic energy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.problem import POWER_ITERATIONS, PROBE
from physlearn.dynamics.rest.descent import bends_of, free_of
from physlearn.dynamics.scale import length_of
from physlearn.kernels.jit import kernel
from physlearn.kinds import is_number

SAME = 1e-6  # relative difference of two items' differences of forces that counts as none
TINY, ZERO = float(np.finfo(float).tiny), 0.0


def fits(problem):
    """Whether a problem that the descent engine takes is one of blocks of `Real` variables only."""
    layers, terms = problem.system.layers, problem.system.terms
    moving = [name for name in layers if free_of(problem, name).any()]
    real = all(is_number(layer.kind) for layer in layers.values())
    return bool(moving) and real and not any(term.layers.count(name) > 1 for term in terms for name in moving)


def solve(problem, tol, max_steps):
    """Sweep until every item's residual is within ``tol`` of the forces that balance, as `Equilibrium` defines it.

    None where a term's field is not the quadratic that its curvature promises.
    """
    blocks = Blocks(problem)
    first, steps = blocks.largest(), 0
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.maximum(blocks.pull(), blocks.stiffness() * first)
    while True:
        steps, at_rest = blocks.descend(tol * scale, steps, max_steps)
        if (residual := blocks.residual()) is None:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            reached = blocks.stiffness() * np.maximum(blocks.largest(), np.sqrt(tol) * first)
        short = residual > tol * reached
        sound = np.all(np.isfinite(residual))
        if not at_rest or not short.any() or steps >= max_steps or not sound:
            return blocks.x, residual, steps, bool(at_rest and sound and not short.any()), "descent (blocks)"
        # the start suggested larger forces than are there: continue to a tolerance relative to those
        scale = np.where(short, 0.5 * reached, scale)


class Blocks:
    """A state on its way to rest, and the layers of it that move, in order."""

    def __init__(self, problem):
        self.problem = problem
        self.x = {name: np.array(value, order="C") for name, value in problem.first().items()}
        moving = {name: free for name in self.x if (free := free_of(problem, name)).any()}
        bends: Any = bends_of(problem)
        self.all = [Block(problem, self.x, name, free, moving, bends.get(name)) for name, free in moving.items()]
        for block in self.all:
            block.followers = [(b, k) for b in self.all for k, t in enumerate(b.coupled) if block.name in t.layers]
        most = {name: np.abs(value.reshape(problem.batch, -1)).max(1, initial=0.0) for name, value in self.x.items()}
        self.given = np.max(
            [value for name, value in most.items() if name not in moving] or [0.0 * problem.u.sum(1)], 0
        )
        self.quadratic = all(hasattr(term, "quadratic") for term in problem.system.terms)
        self.first = None  # the first difference that all items shared, and the stiffness found from it

    def descend(self, slack, steps, max_steps):
        """Sweep until no item has a force above its ``slack``: the steps taken so far, and whether all are at rest."""
        first, rest = self.all[0], self.all[1:]
        going = np.empty(self.problem.batch, np.bool_)
        while True:
            going[:] = False
            for block in rest:
                _look(*block.sides(), block.x, slack, going)
            if steps >= max_steps:
                _look(*first.sides(), first.x, slack, going)
                return steps, not going.any()
            if not _look_and_move(*first.sides(), first.x, slack, going):  # items at rest are left alone
                return steps, True
            steps += 1
            self.problem.bar.update()
            first.moved()
            for block in rest:
                _move(*block.sides(), block.x, going)
                block.moved()

    def residual(self):
        """Largest force on any free variable, (batch,); a bound carries a push into it.

        By the terms' own fields; None if they are not what their curvatures promise.  Terms with a ``quadratic`` form
        have promised it for every state.
        """
        most = np.zeros(self.problem.batch)
        for block in self.all:
            still, part, curvature, *rest = block.sides()
            if not self.quadratic:
                f, found = block.force(), block.true_force(self.x)
                size = np.max(np.abs(f) + np.abs(curvature * block.x), 1, keepdims=True)
                if not np.all(np.abs(found - f)[:, block.free] <= SAME * size):
                    return None
                still, part, curvature = found, ZERO * part[:1], ZERO * curvature[:1]
            _most_force(still, part, curvature, *rest, block.x, most)
        return most

    def pull(self):
        """Largest force on any free variable, held or not, (batch,)."""
        most = np.zeros(self.problem.batch)
        for block in self.all:
            *sides, _, _, free = block.sides()
            _most_force(*sides, -np.inf, np.inf, free, block.x, most)
        return most

    def largest(self):
        """Largest value of any variable, given ones included, (batch,)."""
        most = self.given.copy()
        for block in self.all:
            _most_value(block.x, most)
        return most

    def stiffness(self):
        """Largest curvature of each item, (batch,) or (1,), by a few power iterations."""
        linear = self.quadratic and all(len(block.own) == 1 for block in self.all)
        if not linear:
            return self._iterated()
        key = ("stiffness", self.problem.clamps, *(block.own.tobytes() for block in self.all))
        kept = self.problem.system.numbers  # of this theta
        if key not in kept:
            kept[key] = self._linear()
        return kept[key]

    def _pattern(self):
        """A start of power iterations that is neither smooth nor rough, so that it has a part in every mode."""
        v, start = [np.zeros((1, block.free.size)) for block in self.all], 0
        for block, direction in zip(self.all, v, strict=True):
            index = np.flatnonzero(block.free)
            direction[0, index] = np.cos(np.arange(start, start := start + index.size) ** 2)
        return v

    def _linear(self):
        """The stiffness where the force is linear in the state: the same for all items, (1,)."""
        nowhere = {name: np.zeros((1, *x.shape[1:])) for name, x in self.x.items()}
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
        x, v, base = self.x, self._pattern(), [block.coupled_force() for block in self.all]
        norm = _norm(v)
        for k in range(POWER_ITERATIONS):
            v = [d / norm for d in v]
            moved = x | {
                b.name: x[b.name] + (step * d).reshape(-1, *b.shape[1:]) for b, d in zip(self.all, v, strict=True)
            }
            v = [
                (b.own[: len(step)] * d + (f0 - b.coupling(moved)) / step) * b.free
                for b, d, f0 in zip(self.all, v, base, strict=True)
            ]
            if k == 0 and _agree(v):
                if self.first is not None and _agree(
                    [np.concatenate(pair) for pair in zip(self.first[0], v, strict=True)]
                ):
                    return self.first[1]  # as it was in an earlier state
                x, step = {name: value[:1] for name, value in x.items()}, step[:1]
                v, base = [d[:1] for d in v], [f0[:1] for f0 in base]
                first = v
            norm = _norm(v)
        found = np.where(np.isfinite(norm), norm, 1.0)[:, 0]
        if len(found) == 1:
            self.first = first, found
        return found


class Block:
    """A layer that moves: its values, and the parts of the force on it that need no new computation.

    ``still`` is what never changes in a relaxation: terms with given layers only, given forces, nudges.  ``part`` is
    the sum over the terms with other moving layers.  Both are at zero of this layer.  ``curvature`` is of all terms and
    of nudges, ``own`` of those in ``still``, (1, size) each, or (batch, size) where items differ.
    """

    def __init__(self, problem, state, name, free, moving, bend):
        self.name, self.free, self.all_free = name, free, bool(free.all())
        self.problem, self.theta, self.shape = problem, problem.system.theta, state[name].shape
        self.state, self.x = state, state[name].reshape(problem.batch, -1)
        self.zeroed = state | {name: np.zeros(self.shape)}  # the other layers are those of the state, in place
        self.low, self.high = float(problem.system.layers[name].kind.low), float(problem.system.layers[name].kind.high)
        touching = [term for term in problem.system.terms if name in term.layers]
        self.coupled = [t for t in touching if any(n in moving for n in t.layers if n != name)]
        steady, start = [t for t in touching if t not in self.coupled], problem.frame.offset[name]
        bend = 0.0 if bend is None else bend if np.ptp(bend, 0).any() else bend[:1]
        self.own = self._bent(steady) + bend
        self.steady = all(hasattr(term, "quadratic") for term in self.coupled)  # the curvature is that of every state
        self.curvature = self._curvature()
        self.nudged = any(problem.system.readouts[n.cost.readout].layer == name for n in problem.nudges)
        still = sum([t.field(self.zeroed, self.theta, name) for t in steady], np.zeros(self.shape))
        self.still = np.ascontiguousarray(still.reshape(self.x.shape) + problem.push[:, start : start + free.size])
        if self.nudged:
            self.still += problem.nudge_forces(self.zeroed)[name]
        self.parts: list[Any] = [None] * len(self.coupled)
        self.stale = set(range(len(self.coupled)))
        self.part, self.followers = np.zeros((1, free.size)), []

    def _bent(self, terms):
        """Curvature of some terms on this layer, (1, size), or (batch, size) where items differ."""
        total = np.asarray(sum((t.curvature(self.state, self.theta, self.name) for t in terms), 0.0))
        rows = self.shape[0] if total.ndim == len(self.shape) else 1
        return np.broadcast_to(total, (rows, *self.shape[1:])).reshape(rows, -1)

    def _curvature(self):
        total = np.ascontiguousarray(self.own + self._bent(self.coupled))
        if np.any(total[:, self.free] <= 0):
            raise ValueError(
                f"descent: the curvature on layer {self.name!r} fell to {total[:, self.free].min():.3g}; it has no "
                "single minimum there. Use another method, or check the signs in theta"
            )
        return total

    def sides(self):
        """What the kernels take besides the state, up to date."""
        if self.stale:
            for k in self.stale:
                found = self.coupled[k].field(self.zeroed, self.theta, self.name)
                self.parts[k] = np.ascontiguousarray(found).reshape(self.x.shape)
            self.stale.clear()
            self.part = self.parts[0] if len(self.parts) == 1 else sum(self.parts)
            if not self.steady:
                self.curvature = self._curvature()
        return self.still, self.part, self.curvature, self.low, self.high, self.free

    def moved(self):
        """Have the fields that depend on this layer computed again."""
        for block, k in self.followers:
            block.stale.add(k)

    def force(self):
        """Force on every variable, (batch, size)."""
        still, part, curvature, *_ = self.sides()
        return still + part - curvature * self.x

    def true_force(self, x):
        """The same from the terms as they are, in the order of `Problem.force`."""
        start = self.problem.frame.offset[self.name]
        f = self.problem.system.field(x, self.name).reshape(self.x.shape)
        f = f + self.problem.push[:, start : start + self.free.size]
        return f + self.problem.nudge_forces(x)[self.name] if self.nudged else f

    def coupling(self, x):
        """Fields of the terms with other moving layers, (len(x), size)."""
        if not self.coupled:
            return np.zeros(self.own.shape)
        total: Any = sum(t.field(x, self.theta, self.name) for t in self.coupled)
        return total.reshape(len(total), -1)

    def coupled_force(self):
        """`coupling` at the present state, (batch, size), from what is known of it."""
        _, part, curvature, *_ = self.sides()
        return part - (curvature - self.own) * self.x


def _norm(v):
    """Euclidean norm over all blocks, (rows, 1), not zero."""
    square = sum(np.einsum("ij,ij->i", d, d) for d in v)
    return np.maximum(np.sqrt(square), TINY)[:, None]


def _agree(v):
    """Whether all rows are the same, but for rounding."""
    return all(np.all(np.abs(d - d[0]) <= SAME * np.max(np.abs(d[0]))) for d in v)


@kernel
def _most_value(x, most):
    """Raise each item's ``most`` to its largest |x|."""
    for r in range(x.shape[0]):
        for i in range(x.shape[1]):
            most[r] = max(most[r], abs(x[r, i]))


@kernel
def _most_force(still, part, curvature, low, high, free, x, most):
    """Raise each item's ``most`` to the largest force on a free variable that no bound holds; NaN stays."""
    for r in range(x.shape[0]):
        p, c = part[r if part.shape[0] > 1 else 0], curvature[r if curvature.shape[0] > 1 else 0]
        for i in range(x.shape[1]):
            f = still[r, i] + p[i] - c[i] * x[r, i]
            held = (x[r, i] <= low and f < 0) or (x[r, i] >= high and f > 0)
            if free[i] and not held and not abs(f) <= most[r]:
                most[r] = abs(f)
                if f != f:
                    break


@kernel
def _look(still, part, curvature, low, high, free, x, slack, going):
    """Mark the items with a force above their slack on a free variable that no bound holds."""
    for r in range(x.shape[0]):
        p, c = part[r if part.shape[0] > 1 else 0], curvature[r if curvature.shape[0] > 1 else 0]
        found, most = 0, slack[r]
        for i in range(x.shape[1]):
            f = still[r, i] + p[i] - c[i] * x[r, i]
            up, down = (f > most) & (x[r, i] < high), (f < -most) & (x[r, i] > low)
            found += free[i] & (up | down)
        if found > 0:
            going[r] = True


@kernel
def _move(still, part, curvature, low, high, free, x, going):
    """Each free variable of the items that go to the minimum of its quadratic, within the bounds."""
    for r in range(x.shape[0]):
        if going[r]:
            p, c = part[r if part.shape[0] > 1 else 0], curvature[r if curvature.shape[0] > 1 else 0]
            for i in range(x.shape[1]):
                y = (still[r, i] + p[i]) / c[i]
                y = low if y <= low else high if y >= high else y
                x[r, i] = y if free[i] else x[r, i]


@kernel
def _look_and_move(still, part, curvature, low, high, free, x, slack, going):
    """Both for the layer that moves first; the number of items that go."""
    _look(still, part, curvature, low, high, free, x, slack, going)
    _move(still, part, curvature, low, high, free, x, going)
    return going.sum()
