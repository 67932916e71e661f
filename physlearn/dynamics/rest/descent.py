"""Descent engine of `relax`: every variable in turn goes to its lowest energy, exactly.

A layer that occurs at most once in every term has no coupling within it: given the others it is settled
as one block by `kind.settle`.  A layer that couples to itself is settled one variable at a time.  Either
way the energy never rises; `method` says which.  Where one discrete layer is all there is, the sweeps are
compiled: over kept fields for Pairs, Dense and Bias (see `fields`), else if the terms have a `local` form.

Real layers need the terms' `curvature`: x + field/curvature is the minimum of a separable quadratic.
Nudges bend the energy too: a cost quadratic in single variables is exact here, any other is refused.
"""

from __future__ import annotations

import numpy as np

from physlearn.dynamics.frame import concatenate
from physlearn.dynamics.problem import bare_nudge
from physlearn.dynamics.sites import fields, local
from physlearn.kinds import is_continuous, is_discrete, is_number, unstated
from physlearn.levels import levels_of


def refusal(problem):
    """Why this engine does not apply, or None."""
    if not problem.is_energy:
        return "it lowers an energy and a System has none"
    if problem.complex:
        return "the state is complex and a complex energy has no minimum"
    if problem.activated and not has_blocks(problem):
        return f"layers {problem.activated} have an activation: they rest where x = field"
    if problem.tied:
        return "a clamp ties variables together, which no longer move one at a time"
    for name, layer in problem.system.layers.items():
        start = problem.frame.offset[name]
        if getattr(layer.kind, "coded", False) and np.any(problem.push[:, start : start + layer.size]):
            return f"a force is given on layer {name!r}, and codes of {layer.kind} have no slope"
    if problem.torques():
        return f"a force is given on the angles of layers {problem.torques()}, which no energy of their period has"
    if (reason := _unknown(problem)) is not None:
        return reason
    bends = bends_of(problem)
    if isinstance(bends, str):
        return bends
    x = problem.first()
    for name, layer in problem.system.layers.items():
        free = free_of(problem, name)
        if not is_continuous(layer.kind) or not free.any():
            continue
        curvature = problem.system.curvature(x, name)
        if curvature is None:
            return f"a term has no `curvature` for layer {name!r}, which says it is a separable quadratic there"
        if hasattr(layer.kind, "wrap"):
            if name in bends or any(term.layers.count(name) > 1 for term in problem.system.terms):
                return f"the angles of layer {name!r} couple among themselves or are nudged"
            continue
        if hasattr(layer.kind, "activation"):
            if np.any(curvature) or name in bends:
                return f"the energy is not linear in what layer {name!r} shows"
            continue
        rows = x[name] if np.ndim(curvature) == x[name].ndim else x[name][:1]  # the same for all items
        if np.any(_shaped(curvature, rows, bends.get(name, 0.0))[:, free] <= 0):
            return f"the curvature on layer {name!r} is not positive, so it has no single minimum"
    return None


def has_blocks(problem):
    """Whether all layers are continuous and couple to others only: blocks in one piece (see `blocks`)."""
    layers, terms = problem.system.layers, problem.system.terms
    moving = [name for name in layers if free_of(problem, name).any()]
    smooth = all(is_number(layer.kind) or hasattr(layer.kind, "activation") for layer in layers.values())
    return bool(moving) and smooth and not any(term.layers.count(name) > 1 for term in terms for name in moving)


def solve(problem, tol, max_steps):
    """Sweep the layers in order until no item has more to gain; see `_left` for ``tol``."""
    if not problem.nudges and fields.refusal(problem) is None:
        return _kept_fields(problem, tol, max_steps)
    pushed = problem.discrete and next(iter(problem.system.layers.values())).by_level and np.any(problem.push)
    if not problem.nudges and not pushed and local.refusal(problem.system) is None:
        return _compiled(problem, tol, max_steps)
    bends = bends_of(problem)
    x = {name: np.array(value, order="C") for name, value in problem.state(problem.initial()).items()}
    moving = [name for name in x if free_of(problem, name).any()]
    single = [name for name in moving if any(t.layers.count(name) > 1 for t in problem.system.terms)]
    steps, (rest, going) = 0, _left(problem, x, moving, bends, tol)
    while steps < max_steps and np.any(going):  # items at rest are left alone: none disturbs another
        steps += 1
        problem.bar.update()
        for name in moving:
            blocks = np.flatnonzero(free_of(problem, name))
            for index in blocks[:, None] if name in single else [blocks]:
                _settle(problem, x, name, bends, np.ix_(going, index))
        rest, going = _left(problem, x, moving, bends, tol)
    method = "blocks"
    if single:
        method = "one variable at a time" if single == moving else f"blocks; {', '.join(single)} one variable at a time"
    return (
        problem.pick(concatenate(problem.system, x)),
        rest,
        steps,
        not np.any(going),
        f"descent ({method})",
    )


def _settle(problem, x, name, bends, at):
    """Settle some variables of a layer in some items: ``at`` indexes (batch, size)."""
    kind, flat = problem.system.layers[name].kind, x[name].reshape(problem.batch, -1)
    curvature = _curvature(problem, x, name, bends)
    if curvature is not None:
        curvature = curvature[at]
        if not hasattr(kind, "wrap") and np.any(curvature <= 0):
            raise ValueError(
                f"descent: the curvature on layer {name!r} fell to {curvature.min():.3g}; it has no single "
                "minimum there. Use another method, or check the signs in theta"
            )
    flat[at] = kind.settle(_field(problem, x, name, bends)[at], curvature, flat[at])


def _field(problem, x, name, bends):
    """Field on a layer, (batch, size), or (batch, size, q) by levels: terms, given forces, nudges."""
    layer, kind = problem.system.layers[name], problem.system.layers[name].kind
    field = problem.system.field(x, name)
    field = field.reshape(problem.batch, layer.size, *field.shape[1 + len(layer.shape) :])
    if getattr(kind, "coded", False):
        return field
    start = problem.frame.offset[name]
    push, pull = problem.push[:, start : start + layer.size], problem.nudge_forces(x).get(name, 0.0)
    if not is_discrete(kind):
        return field + push + pull
    flat = x[name].reshape(problem.batch, -1)
    return kind.sloped(kind.sloped(field, push, None, flat), pull, bends.get(name), flat)


ROUNDING = 8 * np.finfo(float).eps  # of a sum of fields
PROBED = 8  # variables whose field is tried at as many other values, where a kind states none


def _curvature(problem, x, name, bends):
    """Curvature on a continuous layer, (batch, size); None on a discrete one."""
    if not is_continuous(problem.system.layers[name].kind):
        return None
    return _shaped(problem.system.curvature(x, name), x[name], bends.get(name, 0.0))


def _left(problem, x, moving, bends, tol):
    """Largest force on a continuous variable or energy to be gained by a discrete one, (batch,); which items continue.

    ``tol`` is one per item; where some layers are discrete it is a number, relative to the fields on a layer.  Discrete
    variables, which move from value to value, continue until the rounding of each one's own fields: a large field says
    nothing about the others.
    """
    left, going = np.zeros(problem.batch), np.zeros(problem.batch, bool)
    for name in moving:
        free, kind = free_of(problem, name), problem.system.layers[name].kind
        field = _field(problem, x, name, bends)[:, free]
        gain = _gain(kind, field, x[name].reshape(problem.batch, -1)[:, free])
        slack = np.reshape(tol, (-1, 1))
        if problem.discrete:
            size = _size(problem, x, name)[:, free]
            slack = ROUNDING * size if is_discrete(kind) else tol * size.max(1, keepdims=True, initial=0.0)
        left = np.maximum(left, gain.max(1, initial=0.0))
        going |= np.any(gain > slack, 1)
    return left, going


def _size(problem, x, name):
    """Sum of the sizes of the fields on every variable of a layer, (batch, size); by levels the largest."""
    system, layer, start = problem.system, problem.system.layers[name], problem.frame.offset[name]
    shown = system.shown(x)
    touching = [t for t in system.terms if name in t.layers]
    if layer.by_level:
        parts = [np.abs(levels_of(system, t, shown, name)) for t in touching]
    else:
        parts = [np.abs(t.field(shown, system.theta, name)) for t in touching]
    size = np.asarray(sum(parts, np.zeros(x[name].shape + (1,) * layer.by_level)))
    size = size.reshape(problem.batch, layer.size, -1).max(2)
    push = np.abs(problem.push[:, start : start + layer.size])
    return size + push + np.abs(problem.nudge_forces(x).get(name, 0.0))


def _gain(kind, f, x):
    if is_continuous(kind):
        return np.where((x <= kind.low) & (f < 0) | (x >= kind.high) & (f > 0), 0.0, np.abs(f))
    if is_discrete(kind):
        return kind.gain(f, x)
    return np.abs(kind.settle(f, None, x) - x)  # a kind that only settles: how far it would move


def _unknown(problem):
    """Why a layer of a kind that states no values cannot be settled, or None: its own field must not know its value."""
    x = problem.first()
    for name, layer in problem.system.layers.items():
        kind = layer.kind
        known = is_continuous(kind) or is_discrete(kind) or getattr(kind, "slope", False)
        if known or not free_of(problem, name).any():
            continue
        field, rng = problem.system.field(x, name).reshape(problem.batch, -1), np.random.default_rng(0)
        for i in np.resize(np.flatnonzero(free_of(problem, name))[:PROBED], PROBED * PROBED):
            flat = x[name].reshape(problem.batch, -1).copy()
            flat[:, i] = kind.random(flat.shape, rng)[:, i]
            there = problem.system.field({**x, name: flat.reshape(x[name].shape)}, name).reshape(problem.batch, -1)
            if not np.allclose(there[:, i], field[:, i], rtol=1e-9, atol=1e-12):
                return unstated(name, kind)
    return None


def free_of(problem, name):
    """Which variables of a layer are free, (size,)."""
    key = ("free", name)
    if key not in problem.numbers:
        start = problem.frame.offset[name]
        problem.numbers[key] = problem.frame.cluster[start : start + problem.system.layers[name].size] >= 0
    return problem.numbers[key]


def _shaped(curvature, x, bend):
    return np.broadcast_to(curvature, x.shape).reshape(len(x), -1) + bend


def bends_of(problem):
    """Second derivatives that nudges add, {layer: (batch, size)}; a sentence if they are not that simple."""
    if "bends" not in problem.numbers:
        problem.numbers["bends"] = _find_bends(problem)
    return problem.numbers["bends"]


def _find_bends(problem):
    if (reason := bare_nudge(problem)) is not None:
        return reason
    bends: dict = {}
    for nudge in problem.nudges:
        readout = problem.system.readouts[nudge.cost.readout]
        layer = problem.system.layers[readout.layer]
        if not is_continuous(layer.kind) and getattr(layer.kind, "coded", True):
            return f"layer {readout.layer!r} is nudged, and {layer.kind} has no slope"
        if nudge.at is not None:
            continue
        target = np.broadcast_to(nudge.target, (problem.batch, np.shape(nudge.target)[-1]))
        bend = np.diagonal(nudge.cost.hessian(target, target), 0, 1, 2)
        distinct = readout.rows is None and (
            readout.index is None or len(set(np.ravel(readout.index))) == np.size(readout.index)
        )
        if not distinct or not getattr(nudge.cost, "quadratic", False) and not _is_quadratic(nudge.cost, target, bend):
            return f"the nudge {type(nudge.cost).__name__} is not a quadratic in single variables"
        added = readout.pull(nudge.strength * bend, layer.size)
        bends[readout.layer] = bends.get(readout.layer, 0.0) + added
    return bends


def _is_quadratic(cost, target, bend):
    """Whether gradient(y) = gradient(t) + bend (y - t), probed at several y of several sizes."""
    rng = np.random.default_rng(0)
    for size in (1e-2, 1.0, 1.0, 1e2):
        step = size * rng.standard_normal(target.shape)
        change = cost.gradient(target + step, target) - cost.gradient(target, target)
        if not np.allclose(change, bend * step, rtol=1e-9, atol=1e-9 * size):
            return False
    return True


def _kept_fields(problem, tol, max_steps):
    """Pairs, Dense and Bias on spins or 0/1 variables; gains within the rounding of the fields are ties."""
    nothing_drawn = np.zeros((problem.batch, 4), np.uint64)
    moves = fields.FieldMoves(problem, problem.state(problem.initial()), nothing_drawn, True, 1)
    taken = moves.descend(max_steps)
    x = moves.state()
    rest, _ = _left(problem, x, list(x), {}, tol)
    steps = int(np.where(taken < 0, max_steps, taken).max())
    return problem.pick(concatenate(problem.system, x)), rest, steps, np.all(taken >= 0), "descent (kept fields)"


def _compiled(problem, tol, max_steps):
    """Chain by chain, in the order of the variables."""
    x = np.array(problem.frame.spread(problem.initial()) + problem.base, dtype=float, order="C")
    order, kind = np.flatnonzero(problem.frame.cluster >= 0), next(iter(problem.system.layers.values())).kind
    x = np.array(kind.number(x), dtype=float, order="C") if local.by_number(kind) else x
    rest, steps = np.zeros(problem.batch), 0
    for item in range(problem.batch):
        used, rest[item] = local.descend(problem.system, x[item], order, problem.push[item], max_steps)
        steps = max(steps, used)
        problem.bar.update(used)
    x = kind.levels[x.astype(np.int64)] if local.by_number(kind) else x
    return problem.pick(x), rest, steps, np.all(rest == 0), "descent (compiled)"
