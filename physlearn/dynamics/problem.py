"""A relaxation as engines see it: free variables z (batch, m), their energy and the force on them.

The variables of a System may have a unit each (volts beside amperes).  Where its kinds tell their ``scale``, engines
see x / scale and its velocity, so that one tolerance fits all.  An energy needs none: x f is an energy for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace

import numpy as np

from physlearn.checks import mapping, sequence
from physlearn.dynamics.frame import Frame, concatenate, frame_of, given, held, separate
from physlearn.dynamics.scale import length_of, scale_of, scales_of
from physlearn.energy import Energy, Nudge, System
from physlearn.kinds import is_continuous
from physlearn.machine import one_way_of, system_of
from physlearn.progress import Bar

RUNAWAY = 1e50  # a variable this large is on its way to infinity: there is no rest to find
PROBE = 1e-4  # step of a difference of forces, relative to the largest |z| and its `length_of`
POWER_ITERATIONS = 8  # for the largest curvature, of which only the order of magnitude matters


class Problem:
    """Free variables of a clamped, nudged system.

    Parameters
    ----------
    system : System
    frame : Frame
        Composition of the state from z and the given values u.
    clamps : tuple of str
        The clamped readouts, in the frame's order.
    u, given_force : (batch, s), (batch, f) arrays
        Given values and given forces.
    nudges : tuple of Nudge
    start : State or None

    Attributes
    ----------
    bar : Bar
        Counter of the engines' steps; silent unless `relax` sets another.
    scale : (m,) array or None
        Size of each free variable, in its own unit, where kinds of a System tell it.
    numbers : dict
        What engines compute once of it.
    """

    bar = Bar("", "", progress=False)

    def __init__(self, system: System, frame: Frame, clamps, u, given_force, nudges, start):
        self.system, self.frame, self.clamps, self.nudges, self.start = system, frame, clamps, nudges, start
        self.numbers: dict = {}  # what engines compute once of it
        self.give(u, given_force)
        self.batch = len(u)
        kinds = {name: layer.kind for name, layer in system.layers.items()}
        self.discrete = [name for name, kind in kinds.items() if not is_continuous(kind)]
        self.activated = [name for name, kind in kinds.items() if hasattr(kind, "activation")]
        self.is_energy = isinstance(system, Energy)
        self.scale = None if self.is_energy else scale_of(system, frame)
        self.complex = self._is_complex()
        self.tied = frame.m < np.count_nonzero(frame.cluster >= 0)
        self.check_given()

    def give(self, u, given_force):
        """Take other given values (batch, s) and given forces (batch, f)."""
        self.u, self.given_force = u, given_force
        self.numbers.clear()
        self.base, self.push = self.frame.base(u), self.frame.pushed(given_force)

    def check_given(self):
        """Refuse given values that a layer cannot take."""
        base = separate(self.system, self.base)
        for name, (here,) in separate(self.system, self.frame.cluster[None] < 0).items():
            kind = self.system.layers[name].kind
            if here.any() and not kind.valid(base[name] if here.all() else base[name][:, here]):
                raise ValueError(
                    f"clamp: some values given to layer {name!r} are not of the kind {kind}; "
                    "clamp it to values it can take"
                )

    def rows(self, index):
        """The same problem for some items of the batch."""
        nudges = tuple(
            replace(
                n,
                target=_rows(np.atleast_2d(n.target), index),
                at=None if n.at is None else _rows(np.atleast_2d(n.at), index),
            )
            for n in self.nudges
        )
        start = self.start and {name: _rows(x, index) for name, x in self.start.items()}
        given = self.u[index], self.given_force[index]
        part = Problem(self.system, self.frame, self.clamps, *given, nudges, start)
        part.bar = self.bar
        return part

    def nudged(self, nudges, start):
        """The same problem with nudges, from a start (a State or None)."""
        other = copy(self)  # given values and forces are spread over the state already
        other.nudges, other.start, other.numbers = nudges, start, {}
        other.complex = other._is_complex()
        return other

    def _is_complex(self):
        given = [self.base, self.push, *(np.asarray(n.strength) for n in self.nudges), *(self.start or {}).values()]
        return any(np.iscomplexobj(a) for a in given)

    def torques(self):
        """Layers of angles on which a force is given, whose energy would not be the same after a turn."""
        offset, turning = self.frame.offset, self.system.layers.items()
        turning = [(name, layer.size) for name, layer in turning if hasattr(layer.kind, "wrap")]
        return [name for name, size in turning if self.push[:, offset[name] : offset[name] + size].any()]

    def unfit(self, lowers_energy):
        """Why a method that moves continuous variables to rest does not apply, or None.

        ``lowers_energy`` says that it needs a real energy and its gradient, not only the force.
        """
        if self.discrete:
            return f"layers {self.discrete} are discrete and it moves continuous variables"
        if self.complex and not all(getattr(t, "holomorphic", False) for t in self.system.terms):
            missing = next(type(t).__name__ for t in self.system.terms if not getattr(t, "holomorphic", False))
            return f"the state is complex and {missing} does not declare `holomorphic = True`"
        if self.complex and np.any(np.isfinite(self.bounds)):
            return "the state is complex, and bounds mean nothing there"
        for name in self.activated if self.complex else ():
            kind = self.system.layers[name].kind
            if not getattr(kind, "holomorphic", False):
                return f"the state is complex, and the activation {kind} of layer {name!r} has no complex extension"
        if not lowers_energy:
            return None
        if not self.is_energy:
            return "it lowers an energy and a System has none"
        if one_way := one_way_of(self.system):
            return f"it lowers an energy, and {one_way}"
        if self.activated:
            return f"layers {self.activated} have an activation, whose derivative the gradient needs"
        if self.complex:
            return "the state is complex and a complex energy has no minimum"
        return None

    @property
    def bounds(self):
        """Lower and upper bounds of z, (batch, m) each."""
        low = np.concatenate(
            [np.full(layer.size, getattr(layer.kind, "low", -np.inf)) for layer in self.system.layers.values()]
        )
        high = np.concatenate(
            [np.full(layer.size, getattr(layer.kind, "high", np.inf)) for layer in self.system.layers.values()]
        )
        kept, base = self.frame.cluster >= 0, self.base.real
        if not self.tied:  # one variable each
            return self._scaled((low - base)[:, kept]), self._scaled((high - base)[:, kept])
        bottom, top = np.full((self.batch, self.frame.m), -np.inf), np.full((self.batch, self.frame.m), np.inf)
        if not np.any(np.isfinite([low, high])):
            return self._scaled(bottom), self._scaled(top)
        np.maximum.at(bottom.T, self.frame.cluster[kept], (low - base).T[kept])
        np.minimum.at(top.T, self.frame.cluster[kept], (high - base).T[kept])
        return self._scaled(bottom), self._scaled(top)

    def _scaled(self, z):
        """Values of the free variables as engines see them."""
        return z if self.scale is None else z / self.scale

    def initial(self):
        """Start of z, (batch, m): x0, or the kind's ``start``, or zero within bounds (spins: -1).

        Complex if anything given is.
        """
        if self.start is not None:
            x = concatenate(self.system, self.start)
        else:
            layers = self.system.layers.values()
            x = np.concatenate([np.broadcast_to(_start(layer.kind), (1, layer.size)) for layer in layers], 1)
        z = self.pick(np.broadcast_to(x, self.base.shape)).astype(complex if self.complex else float)
        return z if self.complex else np.clip(z, *self.bounds)

    def pick(self, x):
        """Free variables (batch, m) of a state (batch, n)."""
        if not self.tied:
            return self._scaled((x - self.base)[:, self.frame.cluster >= 0])
        kept = np.flatnonzero(self.frame.cluster >= 0)
        _, first = np.unique(self.frame.cluster[kept], return_index=True)
        z = (x - self.base)[:, kept[first]]
        return self._scaled(z)

    def first(self):
        """State of `initial`, made once and not to be changed in place."""
        if "first" not in self.numbers or self.numbers["first"][0] is not self.start:
            plain = self.start is None and self.scale is None and not (self.tied or self.complex)
            self.numbers["first"] = self.start, self._plain_first() if plain else self.state(self.initial())
        return self.numbers["first"][1]

    def _plain_first(self):
        """`first` of free variables that are single ones: each layer's start beside what is given."""
        free = self.frame.cluster >= 0
        if self.frame.picks is None:
            x = np.array(self.base, order="C")
        else:
            x = np.zeros(self.base.shape)
            x[:, self.frame.picks] = self.u + 0.0
        for name, layer in self.system.layers.items():
            start, kind = self.frame.offset[name], layer.kind
            here = free[start : start + layer.size]
            if here.any():
                ends, value = (getattr(kind, "low", -np.inf), getattr(kind, "high", np.inf)), _start(kind)
                value = np.clip(value, *ends) if np.ndim(value) else min(max(float(value), ends[0]), ends[1])
                np.copyto(x[:, start : start + layer.size], value, where=True if here.all() else here)
        return held(self.system, separate(self.system, x))

    def state(self, z):
        """State {layer: (batch, *shape)} of free variables (batch, m); integer codes where layers hold them."""
        z = z if self.scale is None else z * self.scale
        return held(self.system, separate(self.system, self.frame.spread(z) + self.base))

    def force(self, z):
        """Force on z, zero at rest, (batch, m): field (minus x on activated layers), nudges, given forces."""
        x = self.state(z)
        f = concatenate(self.system, {name: self.system.force(x, name) for name in self.system.layers}) + self.push
        for name, pull in self.nudge_forces(x).items():
            start = self.frame.offset[name]
            f = f.astype(np.result_type(f, pull), copy=False)
            f[:, start : start + pull.shape[1]] += pull
        return self._scaled(self.frame.collect(f))

    def rows_on_z(self, rows):
        """Rows of readouts over the variables (k, n) as rows over z, (k, m)."""
        rows = self.frame.collect(rows)
        return rows if self.scale is None else rows * self.scale

    @property
    def limited(self):
        """Whether some term's field holds in a part of the space only."""
        return any(hasattr(term, "limit") for term in self.system.terms)

    def margin(self, x):
        """How far inside the region where all fields hold, (batch,), and what is beyond the nearest end of it.

        A term tells by ``limit(x, theta) -> (margin (batch,), sentence)``, positive inside.
        """
        x = self.system.shown(x)
        found = [term.limit(x, self.system.theta) for term in self.system.terms if hasattr(term, "limit")]
        nearest = min(found, key=lambda pair: np.min(pair[0]))
        return np.min([margin for margin, _ in found], 0), nearest[1]

    def beyond(self, x):
        """The sentence of `margin` where some item of a state is out of the region, or None."""
        if not self.limited:
            return None
        margin, sentence = self.margin(x)
        return None if np.all(margin > 0) else sentence

    def nudge_forces(self, x, seen=False):
        """Forces of the nudges on each nudged layer, (batch, size); ``seen``: x is what terms see of a state."""
        out, shown = {}, x if seen else self.system.shown(x)
        for nudge in self.nudges:
            readout = self.system.readouts[nudge.cost.readout]
            pull = readout.pull(nudge.force(readout.read(shown)), self.system.layers[readout.layer].size)
            out[readout.layer] = out.get(readout.layer, 0) + pull
        return out

    def energy(self, z):
        """Energy that falls during a relaxation, (batch,), with nudges and the work of given forces."""
        x = self.state(z)
        total = self.bare_energy(x) - np.sum(self.push * concatenate(self.system, x), 1)
        for nudge in self.nudges:
            total = total + nudge.value(self.system.readouts[nudge.cost.readout].read(self.system.shown(x)))
        return total

    def bare_energy(self, x):
        """Energy without nudges, (batch,); NaN for a system that has none."""
        if not isinstance(self.system, Energy):
            return np.full(self.batch, np.nan)
        return np.asarray(sum(self.system.shares(x).values()))

    def stiffness(self, z, force):
        """Largest curvature of each item, (batch,), by a few power iterations on differences of the force."""
        largest = np.max(np.abs(z), 1, initial=0.0)
        step = PROBE * (self.length(z) + largest)[:, None]
        # a start that is neither smooth nor rough has a part in every mode
        v, size = np.broadcast_to(np.cos(np.arange(z.shape[1]) ** 2), z.shape), np.ones(self.batch)
        for _ in range(POWER_ITERATIONS):
            v = v / np.maximum(np.linalg.norm(v, axis=1), np.finfo(float).tiny)[:, None]
            v = (force - self.force(z + step * v)) / step
            size = np.maximum(np.linalg.norm(v, axis=1), np.finfo(float).tiny)
        return np.where(np.isfinite(size), size, 1.0)

    def length(self, z):
        """What lengths along z are compared with, (batch,): 1, or the largest value where all are small."""
        if self.scale is not None:
            return np.ones(len(z))
        largest = np.max(np.abs(z), 1, initial=0.0)
        return length_of(np.where(largest > 0, largest, np.max(np.abs(self.base), 1, initial=0.0)))

    def force_scale(self, z, start, share):
        """Size of the forces that balance at rest, (batch,); ``tol`` is relative to it on continuous variables.

        The largest curvature times the largest value there, given ones included, estimates the parts of a force before
        they cancel.  A ``share`` of the largest value at the start counts, too, since a rest may be at zero.
        """
        here, first = (self.largest(y) for y in (z, start))
        with np.errstate(over="ignore", invalid="ignore"):
            return self.stiffness(z, self.force(z)) * np.maximum(here, share * first)

    def largest(self, z):
        """Largest value of each item, given ones included, (batch,); relative to the scales where there are some."""
        x = concatenate(self.system, self.state(z))
        return np.max(np.abs(x if self.scale is None else x / scales_of(self.system)), 1, initial=0.0)

    def residual(self, z, force, bounds):
        """Largest force on any free variable, (batch,), of z and force (batch, m); a bound carries a push into it."""
        if np.iscomplexobj(z):
            return np.max(np.abs(force), 1, initial=0.0)
        low, high = bounds
        held = ((z <= low) & (force < 0)) | ((z >= high) & (force > 0))
        return np.max(np.where(held, 0.0, np.abs(force)), 1, initial=0.0)


def bare_nudge(problem):
    """Why the curvature of a full nudge is not known, or None."""
    for nudge in problem.nudges:
        if nudge.at is None and not hasattr(nudge.cost, "hessian"):
            return f"the nudge's cost, {type(nudge.cost).__name__}, has no `hessian`"
    return None


def _rows(array, index):
    return array if len(array) == 1 else array[index]


def _start(kind):
    """Where a relaxation begins without x0: the kind's ``start``, zero, or the first level where zero is no value."""
    if (start := getattr(kind, "start", None)) is not None:
        return start
    return 0.0 if is_continuous(kind) or kind.valid(np.zeros(1)) else getattr(kind, "levels", [-1.0])[0]


def make_problem(system, x0, clamp, nudge=None):
    """The `Problem` that engines solve, and whether a single item was given.

    As in `relax`: x0 (*shape) or (batch, *shape), a mapping of layers to these, or None; ``clamp`` maps readouts to
    values, (k,) or (batch, k); ``nudge`` is one or several.
    """
    system = system_of(system)
    system.check_terms()
    if clamp is not None:
        mapping("clamp", clamp, expected="a mapping of readout names to values")
    clamp = dict(system.fixed) | dict(clamp or {})
    nudges = () if nudge is None else (nudge,) if isinstance(nudge, Nudge) else nudge
    nudges = sequence("nudge", nudges, of=Nudge, expected="a Nudge, or several")
    for name in [*clamp, *(n.cost.readout for n in nudges)]:
        if name not in system.readouts:
            raise ValueError(f"clamp/nudge: there is no readout {name!r}, expected one of {list(system.readouts)}")
    for n in nudges:
        _check_nudge(system, n)
    start = None if x0 is None else system.state(x0, "x0")
    items = None if start is None else len(next(iter(start.values())))
    if items == 0:
        raise ValueError("x0: got a batch of 0 items, expected at least one")
    targets = [len(np.atleast_2d(n.target)) for n in nudges]
    u, force = given(system, frame_of(system, tuple(clamp)), clamp, max([items or 1, *targets]))
    first = next(iter(system.layers))
    shapes = (
        [(np.ndim(x0[first] if isinstance(x0, Mapping) else x0), len(system.layers[first].shape))]
        if x0 is not None
        else []
    )
    shapes += [(np.ndim(value), 1) for value in clamp.values()] + [(np.ndim(n.target), 1) for n in nudges]
    single = len(u) == 1 and all(given_ndim <= item_ndim for given_ndim, item_ndim in shapes)
    return Problem(system, frame_of(system, tuple(clamp)), tuple(clamp), u, force, nudges, start), single


def _check_nudge(system, nudge):
    readout = system.readouts[nudge.cost.readout]
    k = system.layers[readout.layer].size if readout.index is None else len(readout.index)
    k = k if readout.rows is None else readout.rows.shape[0]
    for name, value in (("target", nudge.target), ("at", nudge.at)):
        if value is None and name == "at":
            continue
        value = np.asarray(value)
        if value.ndim not in (1, 2) or value.shape[-1] != k:
            raise ValueError(f"nudge.{name}: shape {value.shape}, expected ({k},) or (batch, {k})")
        if not np.all(np.isfinite(value)):
            raise ValueError(f"nudge.{name}: {np.sum(~np.isfinite(value))} values are NaN or infinite")
    if not np.isfinite(nudge.strength):
        raise ValueError(f"nudge.strength: got {nudge.strength}, expected a finite number")
