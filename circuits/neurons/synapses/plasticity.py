"""Plastic synapses: pair STDP and short-term plasticity.

STDP acts on the weight of each synapse.  A presynaptic spike acts when it arrives, that is after the delay; a
postsynaptic spike acts at its own synapses at once (the delay is axonal).  With x, y the traces left by arrivals and
by postsynaptic spikes, dx/dt = -x/tau_plus, dy/dt = -y/tau_minus,

    arrival:     the target gets the weight as it is; then x -> x + 1, w -> w - a_minus y
    post spike:  y -> y + 1, w -> w + a_plus x

(``pairing="nearest"``: x -> 1, y -> 1), with w kept within [w_min, w_max].  Where both fall on one grid point the
arrival comes first, so a coincident pair potentiates.  ``dependence="multiplicative"`` scales a_plus by
1 - w / w_max and a_minus by w / w_max.  S. Song, K. D. Miller and L. F. Abbott, Nat. Neurosci. 3, 919 (2000);
A. Morrison, M. Diesmann and W. Gerstner, Biol. Cybern. 98, 459 (2008).

Short-term plasticity acts on the release of a source: with u, x of each source, du/dt = -u/tau_facilitation and
dx/dt = (1 - x)/tau_recovery, a spike does u -> u + u_0 (1 - u), delivers w u x, then x -> x - u x.
M. Tsodyks, K. Pawelzik and H. Markram, Neural Comput. 10, 821 (1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import carray

from circuits.neurons.parameters import one_number_each
from circuits.neurons.program import ARRIVALS
from circuits.neurons.synapses.arriving import (
    MORE,
    PARTS,
    arriving,
    by_target,
    jumping,
    row_of,
    spikes,
    targets_of,
    weights_of,
    weights_within,
)
from physlearn.brief import brief
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import inlined
from physlearn.quantities import WEIGHTS, take_si

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false


@dataclass(frozen=True)
class STDP:
    """Pair-based spike-timing-dependent plasticity; see the module for its conventions.

    Parameters
    ----------
    tau_plus, tau_minus : float
        s; traces of arrivals and of postsynaptic spikes.
    a_plus, a_minus : float
        Change of the weight for a trace of 1, in its units.
    w_max, w_min : float
        Bounds of the weight, in its units.
    pairing : {"all", "nearest"}
        All pairs of spikes, or each spike with the latest of the other side.
    dependence : {"additive", "multiplicative"}

    Examples
    --------
    >>> STDP(tau_plus=20e-3, tau_minus=20e-3, a_plus=1e-5, a_minus=1.05e-5, w_max=1e-3).pairing
    'all'
    """

    tau_plus: float
    tau_minus: float
    a_plus: float
    a_minus: float
    w_max: float
    w_min: float = 0.0
    pairing: str = "all"
    dependence: str = "additive"

    __repr__ = brief

    def __post_init__(self):
        weights = dict.fromkeys(("a_plus", "a_minus", "w_max", "w_min"), WEIGHTS)
        take_si(self, tau_plus="s", tau_minus="s", **weights)
        one_number_each(self, ("tau_plus", "tau_minus", "a_plus", "a_minus", "w_max", "w_min"))
        for name in ("tau_plus", "tau_minus"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"STDP: {name}={getattr(self, name)!r} s, expected a positive time")
        if not (np.isfinite(self.a_plus) and np.isfinite(self.a_minus)):
            raise ValueError(f"STDP: a_plus={self.a_plus!r}, a_minus={self.a_minus!r}, expected finite numbers")
        if not -np.inf < self.w_min < self.w_max < np.inf:
            raise ValueError(f"STDP: w_min={self.w_min!r}, w_max={self.w_max!r}, expected finite bounds in this order")
        if self.pairing not in ("all", "nearest"):
            raise ValueError(f"STDP: pairing={self.pairing!r}, expected 'all' or 'nearest'")
        if self.dependence not in ("additive", "multiplicative"):
            raise ValueError(f"STDP: dependence={self.dependence!r}, expected 'additive' or 'multiplicative'")
        if self.dependence == "multiplicative" and (self.w_min != 0 or self.w_max <= 0):
            raise ValueError("STDP: dependence='multiplicative' needs w_min = 0 and a positive w_max")

    def attach(self, plan, key, part, rows, weight, gain, jump, delay, sources):
        """Add the actions of one part of the target population; return its weights."""
        w = weights_within(plan, key, rows, weight, self)
        x = plan.keep(f"{key}/x", np.zeros(len(rows.starts) - 1))
        y = plan.keep(f"{key}/y", np.zeros(part.n))
        targets, columns, order, origin = by_target(rows, part.n)
        decay = (np.exp(-plan.dt / self.tau_plus), np.exp(-plan.dt / self.tau_minus))
        numbers = np.array([*decay, self.a_plus, self.a_minus, self.w_min, self.w_max, gain])
        multiplicative, nearest = self.dependence == "multiplicative", self.pairing == "nearest"
        addresses = [plan.address(array) for array in (numbers, x, y)]
        rule = np.array([*addresses, len(x), part.n, nearest, multiplicative], np.int64)
        plan.deliver(part, arrivals, delay, sources, rows, targets, w, jump, rule)
        plan.action(ARRIVALS, part, post_spikes, part.history.head, columns, order, origin, w, rule)
        return w


@dataclass(frozen=True)
class ShortTermPlasticity:
    """Depression and facilitation of the release of each source; see the module.

    Parameters
    ----------
    u_0 : float
        Fraction that the first spike releases, within (0, 1].
    tau_recovery : float
        s.
    tau_facilitation : float
        s; 0 for depression only (u is u_0 at every spike).

    Examples
    --------
    >>> ShortTermPlasticity(0.5, tau_recovery=0.8).tau_facilitation
    0.0
    """

    u_0: float
    tau_recovery: float
    tau_facilitation: float = 0.0

    __repr__ = brief

    def __post_init__(self):
        take_si(self, tau_recovery="s", tau_facilitation="s")
        one_number_each(self, ("u_0", "tau_recovery", "tau_facilitation"))
        if not 0 < self.u_0 <= 1:
            raise ValueError(f"ShortTermPlasticity: u_0={self.u_0!r}, expected a fraction within (0, 1]")
        if not (np.isfinite(self.tau_recovery) and self.tau_recovery > 0):
            raise ValueError(f"ShortTermPlasticity: tau_recovery={self.tau_recovery!r} s, expected a positive time")
        if not (np.isfinite(self.tau_facilitation) and self.tau_facilitation >= 0):
            raise ValueError(f"ShortTermPlasticity: tau_facilitation={self.tau_facilitation!r} s, expected 0 or more")

    def attach(self, plan, key, part, rows, weight, gain, jump, delay, sources):
        """Add the action of one part of the target population; its weights stay as they are."""
        n = len(rows.starts) - 1
        state = plan.keep(f"{key}/release", np.stack([np.zeros(n), np.ones(n), np.full(n, -np.inf)]))
        w = np.array(np.broadcast_to(weight, len(rows.targets)), dtype=float) * gain
        facilitation = plan.dt / self.tau_facilitation if self.tau_facilitation else np.inf
        numbers = np.array([self.u_0, plan.dt / self.tau_recovery, facilitation])
        targets = rows.targets.astype(np.uint32)
        plan.deliver(part, released, delay, sources, rows, targets, w, jump, numbers, state, n)
        return None


DECAY_X, DECAY_Y, A_PLUS, A_MINUS, W_MIN, W_MAX, GAIN = range(7)  # numbers of STDP


@inlined
def _rule(address):
    """Numbers, traces x (of sources) and y (of targets), nearest, multiplicative; `STDP.attach` lays them out."""
    rule = carray(pointer(address), 7, np.int64)
    f = carray(pointer(rule[0]), 7, np.float64)
    x, y = carray(pointer(rule[1]), rule[3], np.float64), carray(pointer(rule[2]), rule[4], np.float64)
    return f, x, y, rule[5] != 0, rule[6] != 0


def arrivals(step, at):
    """Deliver, then change the weights that arrivals see; both traces have decayed to this grid point.

    More in the table: the rule.
    """
    t = carray(at, MORE + 1)
    out = jumping(t)
    f, x, y, nearest, multiplicative = _rule(t[MORE])
    for i in range(x.size):
        x[i] *= f[DECAY_X]
    for i in range(y.size):
        y[i] *= f[DECAY_Y]
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            source = ids[q] + low_id
            first, last = row_of(t, source)
            targets, w = targets_of(t, first, last, np.uint32, 4), weights_of(t, first, last)
            x[source] = 1.0 if nearest else x[source] + 1.0
            for z in range(targets.size):
                out[targets[z]] += f[GAIN] * w[z]
                down = f[A_MINUS] * y[targets[z]]
                if multiplicative:
                    down *= w[z] / f[W_MAX]
                w[z] = min(max(w[z] - down, f[W_MIN]), f[W_MAX])
    return 0


def post_spikes(step, at):
    """Change the weights onto neurons that have just spiked.

    table: head of the history, columns, synapses of each column, their sources, weights, the rule.
    """
    t = carray(at, 6)
    low, high, spiked = spikes(t[0], step, 0)
    f, x, y, nearest, multiplicative = _rule(t[5])
    columns = carray(pointer(t[1]), y.size + 1, np.int64)
    size = columns[y.size]
    synapses, origin = carray(pointer(t[2]), size, np.uint32), carray(pointer(t[3]), size, np.uint32)
    w = carray(pointer(t[4]), size, np.float64)
    for q in range(low, high):
        k = spiked[q]
        y[k] = 1.0 if nearest else y[k] + 1.0
        for z in range(columns[k], columns[k + 1]):
            s = synapses[z]
            up = f[A_PLUS] * x[origin[z]]
            if multiplicative:
                up *= 1.0 - w[s] / f[W_MAX]
            w[s] = min(max(w[s] + up, f[W_MIN]), f[W_MAX])
    return 0


U_0, RECOVERY, FACILITATION = range(3)  # numbers of short-term plasticity: u_0, then rates per step
USED, LEFT, LAST = range(3)  # rows of its state: u and x of each source, and the step of its last spike


def released(step, at):
    """Deliver the release of the sources; more in the table: numbers, state (3, sources), sources."""
    t = carray(at, MORE + 3)
    out = jumping(t)
    f = carray(pointer(t[MORE]), 3, np.float64)
    state = carray(pointer(t[MORE + 1]), (3, t[MORE + 2]), np.float64)
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            source = ids[q] + low_id
            apart = step - state[LAST, source]
            state[LAST, source] = step
            u = state[USED, source] * np.exp(-f[FACILITATION] * apart)
            u += f[U_0] * (1.0 - u)
            x = 1.0 - (1.0 - state[LEFT, source]) * np.exp(-f[RECOVERY] * apart)
            state[USED, source] = u
            state[LEFT, source] = x - u * x
            first, last = row_of(t, source)
            targets, w = targets_of(t, first, last, np.uint32, 4), weights_of(t, first, last)
            for z in range(targets.size):
                out[targets[z]] += u * x * w[z]
    return 0
