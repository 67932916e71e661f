"""STDP with an eligibility trace and a third factor: what spikes mark, a later reward makes permanent.

Pairs of spikes move an eligibility c of each synapse in the place of its weight; a modulator M(t), such as a reward or
the dopamine of a few neurons, turns it into a change of the weight:

    dw/dt = M(t) c,     dc/dt = -c / tau_eligibility + (changes that STDP would make of w)

with the traces x, y and the order of events of `STDP`: at an arrival c -> c - a_minus y, at a postsynaptic spike
c -> c + a_plus x.  M is held over a step, in which c decays exactly; w is kept within [w_min, w_max].
E. M. Izhikevich, Cereb. Cortex 17, 2443 (2007), eqs. 1 to 3; N. Fremaux and W. Gerstner, Front. Neural Circuits 9, 85
(2016).

One number, by which all traces of a part have decayed, is updated in each step, and the traces themselves only where
spikes or a modulator other than 0 need them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import carray

from circuits.neurons.parameters import one_number_each
from circuits.neurons.program import ARRIVALS, CURRENTS
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
from physlearn.checks import text
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import inlined
from physlearn.quantities import WEIGHTS, take_si

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

SMALLEST = 1e-100  # of the common decay, before the traces take it up


@dataclass(frozen=True)
class ThreeFactorSTDP:
    """Pair STDP that acts on an eligibility trace, which a modulator turns into weights; see the module.

    Parameters
    ----------
    tau_plus, tau_minus : float
        s; traces of arrivals and of postsynaptic spikes.
    a_plus, a_minus : float
        Change of the eligibility for a trace of 1, in units of the weight.
    tau_eligibility : float
        s.
    modulator : str
        Name of a `Signal` or of a probe of one number M, 1/s.
    w_max, w_min : float
        Bounds of the weight, in its units.

    Examples
    --------
    >>> ThreeFactorSTDP(20e-3, 20e-3, 1e-5, 1.05e-5, tau_eligibility=1.0, modulator="reward", w_max=1e-3).modulator
    'reward'
    """

    tau_plus: float
    tau_minus: float
    a_plus: float
    a_minus: float
    tau_eligibility: float
    modulator: str
    w_max: float
    w_min: float = 0.0

    __repr__ = brief

    def __post_init__(self):
        weights = dict.fromkeys(("a_plus", "a_minus", "w_max", "w_min"), WEIGHTS)
        taus = ("tau_plus", "tau_minus", "tau_eligibility")
        take_si(self, **dict.fromkeys(taus, "s"), **weights)
        one_number_each(self, (*taus, "a_plus", "a_minus", "w_max", "w_min"))
        text("ThreeFactorSTDP: modulator", self.modulator, "the name of a Signal or of a probe")
        for name in taus:
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"ThreeFactorSTDP: {name}={getattr(self, name)!r} s, expected a positive time")
        if not (np.isfinite(self.a_plus) and np.isfinite(self.a_minus)):
            raise ValueError(
                f"ThreeFactorSTDP: a_plus={self.a_plus!r}, a_minus={self.a_minus!r}, expected finite numbers"
            )
        if not -np.inf < self.w_min < self.w_max < np.inf:
            raise ValueError(
                f"ThreeFactorSTDP: w_min={self.w_min!r}, w_max={self.w_max!r}, expected finite bounds in this order"
            )

    @property
    def teachers(self):
        """Names of the vectors that it learns from."""
        return (self.modulator,)

    def attach(self, plan, key, part, rows, weight, gain, jump, delay, sources):
        """Add the actions of one part of the target population; return its weights."""
        w = weights_within(plan, key, rows, weight, self)
        x = plan.keep(f"{key}/x", np.zeros(len(rows.starts) - 1))
        y = plan.keep(f"{key}/y", np.zeros(part.n))
        c = plan.keep(f"{key}/eligibility", np.zeros(len(w)))
        common = plan.keep(f"{key}/decayed", np.ones(1))
        targets, columns, order, origin = by_target(rows, part.n)
        decays = [np.exp(-plan.dt / tau) for tau in (self.tau_plus, self.tau_minus, self.tau_eligibility)]
        lasting = -self.tau_eligibility * np.expm1(-plan.dt / self.tau_eligibility)
        numbers = np.array([*decays, lasting, self.a_plus, self.a_minus, self.w_min, self.w_max, gain])
        addresses = [plan.address(array) for array in (numbers, x, y, c, common)]
        rule = np.array([*addresses, len(x), part.n, len(w)], np.int64)
        plan.modulated.append((part, self.modulator, w, rule))
        plan.deliver(part, arrivals, delay, sources, rows, targets, w, jump, rule)
        plan.action(ARRIVALS, part, post_spikes, part.history.head, columns, order, origin, rule)
        return w

    def follow(self, plan, projection):
        """Add the modulator's actions to a plan in which all values have their place."""
        for part, name, w, rule in plan.modulated:
            plan.action(CURRENTS, part, modulated, w, plan.values[name][1], rule)
        plan.modulated.clear()


DECAY_X, DECAY_Y, DECAY_C, LASTING, A_PLUS, A_MINUS, W_MIN, W_MAX, GAIN = range(9)  # numbers


@inlined
def _rule(address):
    """Numbers; traces x of sources, y of targets, c of synapses over their common decay, and that."""
    rule = carray(pointer(address), 8, np.int64)
    f = carray(pointer(rule[0]), 9, np.float64)
    x, y = carray(pointer(rule[1]), rule[5], np.float64), carray(pointer(rule[2]), rule[6], np.float64)
    return f, x, y, carray(pointer(rule[3]), rule[7], np.float64), carray(pointer(rule[4]), 1, np.float64)


def modulated(step, at):
    """Let the modulator act over the step, then let all traces decay to its end; table: weights, M, the rule."""
    t = carray(at, 3)
    f, x, y, c, common = _rule(t[2])
    w, modulator = carray(pointer(t[0]), c.size, np.float64), carray(pointer(t[1]), 1, np.float64)
    rate = modulator[0] * common[0] * f[LASTING]
    if rate != 0.0:
        for s in range(c.size):
            w[s] = min(max(w[s] + rate * c[s], f[W_MIN]), f[W_MAX])
    common[0] *= f[DECAY_C]
    if common[0] < SMALLEST:
        for s in range(c.size):
            c[s] *= common[0]
        common[0] = 1.0
    for i in range(x.size):
        x[i] *= f[DECAY_X]
    for i in range(y.size):
        y[i] *= f[DECAY_Y]
    return 0


def arrivals(step, at):
    """Deliver, then mark the synapses that arrivals came through; more in the table: the rule."""
    t = carray(at, MORE + 1)
    out = jumping(t)
    f, x, y, c, common = _rule(t[MORE])
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            source = ids[q] + low_id
            first, last = row_of(t, source)
            targets, w = targets_of(t, first, last, np.uint32, 4), weights_of(t, first, last)
            x[source] += 1.0
            for z in range(targets.size):
                out[targets[z]] += f[GAIN] * w[z]
                c[first + z] -= f[A_MINUS] * y[targets[z]] / common[0]
    return 0


def post_spikes(step, at):
    """Mark the synapses onto neurons that have just spiked.

    table: head of the history, columns, synapses of each column, their sources, the rule.
    """
    t = carray(at, 5)
    low, high, spiked = spikes(t[0], step, 0)
    f, x, y, c, common = _rule(t[4])
    columns = carray(pointer(t[1]), y.size + 1, np.int64)
    size = columns[y.size]
    synapses, origin = carray(pointer(t[2]), size, np.uint32), carray(pointer(t[3]), size, np.uint32)
    for q in range(low, high):
        k = spiked[q]
        y[k] += 1.0
        for z in range(columns[k], columns[k + 1]):
            c[synapses[z]] += f[A_PLUS] * x[origin[z]] / common[0]
    return 0
