"""One layer of a relaxation by blocks: its values, and the parts of the force on it that need no new computation.

    force = still + part - curvature * x

``still`` never changes in a relaxation: terms with given layers only, given forces, nudges.  ``part`` is the sum over
the terms with other layers that move.  Both are at zero of this layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.rest.descent import bends_of, free_of
from physlearn.kernels.jit import kernel

PIECE = 64  # variables of an item that are looked at before it is asked whether one stirs


def block_of(problem, state, shown, name, moving):
    """The `Block` of a layer: compiled where its variables are plain numbers with bounds."""
    plain = not problem.complex and not hasattr(problem.system.layers[name].kind, "activation")
    return (Block if plain else SmoothBlock)(problem, state, shown, name, moving)


class Block:
    """A layer of `Real` variables that moves.

    Parameters
    ----------
    problem : Problem
    state, shown : mapping of str to (batch, *shape) array
        Values of all layers, and what terms see of them; this layer's are written in place.
    name : str
    moving : sequence of str
        The layers with free variables.

    Attributes
    ----------
    x : (batch, size) array
        A view of the layer's state.
    curvature, own : (1, size) or (batch, size) arrays
        Curvature of all terms and nudges, and of those in ``still``.
    followers : list of (Block, int)
        Terms to be computed again when this layer has moved, by block and number.
    """

    def __init__(self, problem, state, shown, name, moving):
        self.problem, self.name, self.theta = problem, name, problem.system.theta
        self.free, self.shape = free_of(problem, name), state[name].shape
        self.x, self.shown = state[name].reshape(problem.batch, -1), shown
        self.zeroed = {**shown, name: np.zeros_like(shown[name])}  # the other layers are those of the state, in place
        kind, start = problem.system.layers[name].kind, problem.frame.offset[name]
        ends = getattr(kind, "low", -np.inf), getattr(kind, "high", np.inf)
        self.low, self.high = (self.x.real.dtype.type(end) for end in ends)
        touching = [term for term in problem.system.terms if name in term.layers]
        self.coupled = [t for t in touching if any(n in moving for n in t.layers if n != name)]
        self.lone = [t for t in touching if t not in self.coupled]
        self.steady = all(hasattr(term, "quadratic") for term in self.coupled)  # the curvature is that of every state
        base = sum([t.field(self.zeroed, self.theta, name) for t in self.lone], np.zeros(self.shape))
        self.base = base.reshape(self.x.shape)
        if problem.given_force.shape[1]:
            self.base = self.base + problem.push[:, start : start + self.free.size]
        self.followers, self.part = [], np.zeros((1, self.free.size), self.x.dtype)
        self.bends: list[Any] = []  # of the coupled terms, as they last gave them
        self.parts: list[Any] = [None] * len(self.coupled)
        self.nudge(problem)

    def nudge(self, problem):
        """Take the nudges of a problem that is the same otherwise."""
        self.problem, self.stale, self.bends = problem, set(range(len(self.coupled))), []
        bends: Any = bends_of(problem)
        bend = bends.get(self.name, 0.0)
        if np.ndim(bend) and not np.ptp(bend, 0).any():
            bend = bend[:1]
        self.own = _kept(self._bent(self.lone) + bend, self.x)
        self.nudged = any(problem.system.readouts[n.cost.readout].layer == self.name for n in problem.nudges)
        still = self.base
        if self.nudged:
            still = still + problem.nudge_forces(self.zeroed, seen=True)[self.name]
        self.still = _kept(still, self.x)
        self.curvature = self._curvature()

    def _bent(self, terms):
        """Curvature of some terms on this layer, (1, size), or (batch, size) where items differ."""
        total = np.asarray(sum((t.curvature(self.shown, self.theta, self.name) for t in terms), 0.0))
        if total.shape == self.shape[1:]:
            return total.reshape(1, -1)
        rows = self.shape[0] if total.ndim == len(self.shape) else 1
        return np.broadcast_to(total, (rows, *self.shape[1:])).reshape(rows, -1)

    def _bend_again(self):
        """Bring the curvature up to date, where some term gives another one than before."""
        bends = [np.asarray(t.curvature(self.shown, self.theta, self.name)).tobytes() for t in self.coupled]
        if bends != self.bends:
            self.bends, self.curvature = bends, self._curvature()

    def _curvature(self):
        total: Any = _kept(self.own + self._bent(self.coupled), self.x)
        weak = total.real[:, self.free]
        if np.any(weak <= 0) and not self.problem.complex:
            raise ValueError(
                f"descent: the curvature on layer {self.name!r} fell to {weak.min():.3g}; it has no "
                "single minimum there. Use another method, a weaker nudge, or check the signs in theta"
            )
        return total

    def sides(self):
        """What the kernels take besides the state, up to date."""
        if self.stale:
            for k in self.stale:
                found = self.coupled[k].field(self.zeroed, self.theta, self.name)
                self.parts[k] = _kept(found, self.x).reshape(self.x.shape)
            self.stale.clear()
            self.part = self.parts[0] if len(self.parts) == 1 else sum(self.parts)
            if not self.steady:
                self._bend_again()
        return self.still, self.part, self.curvature, self.low, self.high, self.free

    def look(self, slack, going):
        """Mark the items with a force above their slack."""
        _look(*self.sides(), self.x, slack, going)

    def move(self, going):
        """Take the items that go to the minimum of their quadratic."""
        _move(*self.sides(), self.x, going)
        self.moved()

    def look_and_move(self, slack, going):
        """Both; the number of items that go."""
        found = _look_and_move(*self.sides(), self.x, slack, going)
        self.moved()
        return found

    def moved(self):
        """Have the fields that depend on this layer computed again."""
        for block, k in self.followers:
            block.stale.add(k)

    def raise_force(self, most, held=True):
        """Raise each item's ``most`` to the largest force on a free variable; ``held``: that no bound holds."""
        still, part, curvature, low, high, free = self.sides()
        low, high = (low, high) if held else (-np.inf, np.inf)
        _most_force(still, part, curvature, low, high, free, self.x, most)

    def raise_value(self, most):
        """Raise each item's ``most`` to the largest variable."""
        _most_value(self.x, most)

    def force(self):
        """Force on every variable, (batch, size)."""
        still, part, curvature, *_ = self.sides()
        return still + part - curvature * self.x

    def differs(self, found, share):
        """Whether a force on the block is another than its own, by more than a ``share`` of the item's largest."""
        still, part, curvature, _, _, free = self.sides()
        return _differs(still, part, curvature, free, self.x, np.ascontiguousarray(found), share)

    def coupling(self, shown):
        """Fields of the terms with other moving layers in a state as terms see it, (items, size)."""
        if not self.coupled:
            return np.zeros(self.own.shape)
        total: Any = sum(t.field(shown, self.theta, self.name) for t in self.coupled)
        return total.reshape(len(total), -1)

    def coupled_force(self):
        """`coupling` at the present state, (batch, size), from what is known of it."""
        _, part, curvature, *_ = self.sides()
        return part - (curvature - self.own) * self.x

    @property
    def stiff(self):
        """Minus the slope of the force that is not `coupling`, (1, size) or (batch, size)."""
        return self.own


class SmoothBlock(Block):
    """A layer with an activation, at rest where x = field, or one of complex variables.

    Terms are linear in what such a layer shows, g(x), so that x = field is where the energy is least, given the others.
    """

    def __init__(self, problem, state, shown, name, moving):
        self.kind = problem.system.layers[name].kind
        self.activation = getattr(self.kind, "activation", None)
        super().__init__(problem, state, shown, name, moving)

    def _curvature(self):
        if self.activation is None:
            return super()._curvature()
        if np.any(self.own) or np.any(self._bent(self.coupled)):
            raise ValueError(f"descent: the energy is not linear in what layer {self.name!r} shows; use method 'flow'")
        return _kept(np.ones((1, self.free.size)), self.x)

    def coupled_force(self):
        """`coupling` at the present state, (batch, size)."""
        return super().coupled_force() if self.activation is None else self.sides()[1]

    @property
    def stiff(self):
        """Minus the slope of the force that is not `coupling`, (1, size) or (batch, size)."""
        return self.own if self.activation is None else self.curvature

    def look(self, slack, going):
        """Mark the items with a force above their slack."""
        going |= np.any(np.abs(self.force())[:, self.free] > slack[:, None], 1)

    def move(self, going):
        """Take the items that go to x = field, or to field = curvature * x."""
        still, part, curvature, *_ = self.sides()
        np.copyto(self.x, (still + part) / curvature, where=going[:, None] & self.free)
        if self.activation is not None:
            self.shown[self.name][...] = self.activation(self.x.reshape(self.shape))
        self.moved()

    def look_and_move(self, slack, going):
        """Both; the number of items that go."""
        self.look(slack, going)
        self.move(going)
        return np.count_nonzero(going)

    def differs(self, found, share):
        """Whether a force on the block is another than its own, by more than a ``share`` of the item's largest."""
        f = self.force()
        size = np.max(np.abs(f) + np.abs(self.curvature * self.x), 1, keepdims=True)
        return not np.all(np.abs(found - f)[:, self.free] <= share * size) and bool(np.all(np.isfinite(f)))

    def raise_force(self, most, held=True):
        """Raise each item's ``most`` to the largest force on a free variable."""
        np.maximum(most, np.abs(self.force())[:, self.free].max(1, initial=0.0), out=most)

    def raise_value(self, most):
        """Raise each item's ``most`` to the largest variable."""
        np.maximum(most, np.abs(self.x).max(1, initial=0.0), out=most)


def _kept(values, x):
    """Contiguous, and in single precision where the state x is."""
    return np.ascontiguousarray(values, np.float32 if x.dtype == np.float32 else None)


@kernel
def _most_value(x, most):
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
def _stirs(still, p, c, low, high, free, x, slack):
    """Whether an item has a force above its slack on a free variable that no bound holds; seen piece by piece."""
    for start in range(0, x.size, PIECE):
        found = 0
        for i in range(start, min(start + PIECE, x.size)):
            f = still[i] + p[i] - c[i] * x[i]
            up, down = (f > slack) & (x[i] < high), (f < -slack) & (x[i] > low)
            found += free[i] & (up | down)
        if found > 0:
            return True
    return False


@kernel
def _settle(still, p, c, low, high, free, x):
    """Each free variable of an item to the minimum of its quadratic, within the bounds."""
    for i in range(x.size):
        y = (still[i] + p[i]) / c[i]
        y = low if y <= low else high if y >= high else y
        x[i] = y if free[i] else x[i]


@kernel
def _differs(still, part, curvature, free, x, found, share):
    """Whether a force differs from the block's on a free variable; never where the block's is not finite."""
    other = False
    for r in range(x.shape[0]):
        p, c = part[r if part.shape[0] > 1 else 0], curvature[r if curvature.shape[0] > 1 else 0]
        size = 0.0
        for i in range(x.shape[1]):
            f = still[r, i] + p[i] - c[i] * x[r, i]
            if not abs(f) < np.inf:
                return False
            size = max(size, abs(f) + abs(c[i] * x[r, i]))
        for i in range(x.shape[1]):
            f = still[r, i] + p[i] - c[i] * x[r, i]
            other |= free[i] and not abs(found[r, i] - f) <= share * size
    return other


@kernel
def _look(still, part, curvature, low, high, free, x, slack, going):
    """Mark the items with a force above their slack on a free variable that no bound holds."""
    for r in range(x.shape[0]):
        if not going[r]:
            p, c = part[r if part.shape[0] > 1 else 0], curvature[r if curvature.shape[0] > 1 else 0]
            going[r] = _stirs(still[r], p, c, low, high, free, x[r], slack[r])


@kernel
def _move(still, part, curvature, low, high, free, x, going):
    """Each free variable of the items that go to the minimum of its quadratic, within the bounds."""
    for r in range(x.shape[0]):
        if going[r]:
            p, c = part[r if part.shape[0] > 1 else 0], curvature[r if curvature.shape[0] > 1 else 0]
            _settle(still[r], p, c, low, high, free, x[r])


@kernel
def _look_and_move(still, part, curvature, low, high, free, x, slack, going):
    """Both for the layer that moves first; the number of items that go."""
    count = 0
    for r in range(x.shape[0]):
        p, c = part[r if part.shape[0] > 1 else 0], curvature[r if curvature.shape[0] > 1 else 0]
        if not going[r]:
            going[r] = _stirs(still[r], p, c, low, high, free, x[r], slack[r])
        if going[r]:
            _settle(still[r], p, c, low, high, free, x[r])
            count += 1
    return count
