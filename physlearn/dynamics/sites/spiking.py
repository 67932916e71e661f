"""Compiled visits of spiking neurons, over terms with a `local` form; `sampling.spikes` says what they draw.

A neuron whose counter is above 1 is not asked for its field, so that a visit costs less the longer spikes last.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

import numpy as np

from physlearn.dynamics.sites.local import SPIN
from physlearn.dynamics.sites.moves import LocalMoves
from physlearn.kernels.cfuncs import call_commit, call_gap
from physlearn.kernels.jit import kernel
from physlearn.rng import Chains, uniform


def first_counters(on, tau, rng):
    """Counters of neurons at rest, (chains, n) int64: one that is on has spent any part of its time."""
    age = np.floor(rng.random(on.shape) * tau)
    return np.where(on, 1 + np.minimum(age, tau - 1), 0).astype(np.int64)


class SpikeMoves(LocalMoves):
    """Chains of spiking neurons; arguments as of `LocalMoves`, and how many visits a spike lasts."""

    def __init__(self, problem, state, streams, threads, tau):
        super().__init__(problem, state, streams, False, threads)
        rng = Chains(self.streams)
        self.tau, self.counters = tau, first_counters(self.x > 0.0, tau, rng)
        self.streams = rng.states

    def _task(self, span, beta, sweeps):
        own = self.x[span], self.order, self.push[span], self.kind[0], 1.0 / np.ascontiguousarray(beta[:, span])
        return *own, self.tau, self.counters[span], self.streams[span], sweeps, self.moved[span]

    def _visit(self, *task):
        return visit(*self.calls, *task)


@kernel(inline=True)
def chance(field, code, temperature, tau):
    """Probability that a neuron spikes whose counter is at most 1, given the field on its variable."""
    gap = (2.0 if code == SPIN else 1.0) * field / temperature - np.log(tau)
    return 1.0 / (1.0 + np.exp(-max(gap, -700.0)))


@kernel
def visit(
    gaps, commits, caches, ints, floats, x, order, push, code, temperature, tau, counters, states, sweeps, moved
):  # fmt: skip
    """Visit the neurons in order, all chains; x (chains, n) and counters in place; -1, or c n + i if terms failed."""
    codes, f = np.zeros(2, np.int64), np.zeros(2)
    apart, count = states.copy(), np.zeros(len(x))  # from those of other threads, which would share cache lines
    off = -1.0 if code == SPIN else 0.0
    for c in range(len(x)):
        xc, zeta, s = x[c], counters[c], apart[c]
        for sweep in range(sweeps):
            heat = temperature[sweep % len(temperature), c]
            for i in order:
                u = uniform(s)
                if zeta[i] > 1:
                    zeta[i] -= 1
                    continue
                field = push[c, i]
                for t in range(len(gaps)):
                    own, whole, parts = caches[t][c], ints[t], floats[t]
                    m = call_gap(gaps[t], i, xc, own, whole[c % len(whole)], parts[c % len(parts)], codes, f)
                    if m < 0 or m > 2:
                        return c * len(xc) + i
                    field += f[0]
                spike = u < chance(field, code, heat, tau)
                zeta[i] = tau if spike else 0
                new = 1.0 if spike else off
                if np.isnan(field):  # kernels cannot raise; `run` does
                    count[c] = np.nan
                elif new != xc[i]:
                    for t in range(len(commits)):
                        own, whole, parts = caches[t][c], ints[t], floats[t]
                        row, numbers = whole[c % len(whole)], parts[c % len(parts)]
                        if call_commit(commits[t], i, new, xc, own, row, numbers) < 0:
                            return c * len(xc) + i
                    xc[i] = new
                    count[c] += 1.0
    states[:] = apart
    moved += count
    return -1
