"""Epochs of equilibrium propagation on a chain of crossbars, in one compiled call; `crossbars` says when, and packs.

Voltages are physical here: ``low`` and ``high`` say what each node's diode lets.  Of every batch: the currents that
the inputs drive into the first layer, pixel by pixel over the rows of its conductances (zero pixels cost nothing); a
free and some nudged relaxations of every sample, each a fixed number of sweeps over the layers; and one pass over the
conductances, which steps, bounds and sums them for the next batch.  Inner loops run along rows, so that LLVM makes
vectors of them; no sum is reordered.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.kernels.jit import kernel
from physlearn.learning.engines.crossbars_phase import astir_of, settle


class Chain(NamedTuple):
    """Parameters and shapes of L layers of resistors: everything about layer l at place l - 1.

    ``widths`` (L + 1,), the sources first; ``g`` and ``gt`` all conductances and their transposes, from ``at``;
    ``b`` all currents, ``low`` and ``high`` all bounds of voltages, from ``node``; ``ahead`` (L,) scale times gain,
    ``back`` scale times gain squared, ``gain`` and ``scale`` themselves.
    """

    widths: np.ndarray
    at: np.ndarray
    node: np.ndarray
    g: np.ndarray
    gt: np.ndarray
    b: np.ndarray
    low: np.ndarray
    high: np.ndarray
    gain: np.ndarray
    scale: np.ndarray
    ahead: np.ndarray
    back: np.ndarray
    mirrored: bool


class Phases(NamedTuple):
    """``strength``, ``weight`` and half of it, of every phase, (p,); ``sweeps`` (2,) of the free and of nudged ones.

    ``tol``: the force on a node that counts as rest, relative to the largest conductance at a node times the largest
    voltage.
    """

    strength: np.ndarray
    weight: np.ndarray
    half: np.ndarray
    sweeps: np.ndarray
    tol: float


class Step(NamedTuple):
    """Rates, one an epoch; bounds of each g, (L, 2); which of g and b change, (2, L)."""

    rates: np.ndarray
    bounds: np.ndarray
    changes: np.ndarray


@kernel
def run_epochs(chain, data, target, order, size, phases, step, costs, unrested):
    """Epochs in the order given; writes the mean cost of each, and returns how many ended with finite parameters.

    -1 less their number where a negative nudge takes the minimum away.  ``unrested`` (1,) counts the phases of batches
    in which not every sample came to rest.
    """
    depth, nodes = len(chain.widths) - 1, len(chain.b)
    m = chain.widths[1]
    number = phases.strength.size
    none, lr = np.zeros(1, chain.b.dtype), np.zeros(1, chain.b.dtype)
    column, row = np.zeros(nodes, chain.b.dtype), np.zeros(nodes, chain.b.dtype)
    drive, shift = np.zeros((size, m), chain.b.dtype), np.zeros((size, m), chain.b.dtype)
    bend, slope = np.zeros(m, chain.b.dtype), np.zeros(nodes, chain.b.dtype)
    gradient = np.zeros(chain.g.size, chain.g.dtype)
    free, states = np.zeros(nodes, chain.b.dtype), np.zeros((number, nodes), chain.b.dtype)
    below = np.zeros(nodes, chain.b.dtype)
    astir, stiff = np.zeros(number + 1, np.bool_), np.zeros(1, chain.b.dtype)
    n = len(order) // len(costs)
    _columns(chain, 0, column)
    for epoch in range(len(costs)):
        rate, total = step.rates[epoch], 0.0
        for start in range(0, n, size):
            batch = min(size, n - start)
            pick = order[epoch * n + start : epoch * n + start + batch]
            for layer in range(1, depth):
                _transpose(chain, layer)
                _columns(chain, layer, column)
                _rows(chain, layer, row)
            stiff[0] = 0.0
            for p in range(number + 1):
                astir[p] = False
            for k in range(nodes):
                stiff[0] = max(stiff[0], column[k] + row[k])
            for k in range(chain.node[depth - 1], nodes):
                for p in range(number):
                    if column[k] + phases.strength[p] <= 0:
                        return -1 - epoch
            _drive(chain, data, pick, drive)
            _fill(bend, none)
            _fill(slope, none)
            _fill(gradient, none)
            for item in range(batch):
                wanted = target[pick[item]]
                _fill(free, none)
                settle(chain, drive[item], column, row, wanted, none[0], phases.sweeps[0], free, below)
                if astir_of(chain, drive[item], column, row, free, below, phases.tol * stiff[0]):
                    astir[number] = True
                last = chain.node[depth - 1]
                for k in range(wanted.size):
                    off = np.float64(free[last + k] - wanted[k])
                    total += 0.5 * off * off
                _fill(shift[item], none)
                for p in range(number):
                    v, w = states[p], phases.weight[p]
                    _fill(v, free)
                    if phases.strength[p] != 0:
                        settle(chain, drive[item], column, row, wanted, phases.strength[p], phases.sweeps[1], v, below)
                        if astir_of(chain, drive[item], column, row, v, below, phases.tol * stiff[0]):
                            astir[p] = True
                    for j in range(m):
                        shift[item, j] += w * v[j]
                        bend[j] += phases.half[p] * v[j] * v[j]
                    for j in range(nodes):
                        slope[j] += w * v[j]
                    for layer in range(1, depth):
                        _squares(chain, layer, v, phases.half[p], gradient)
            for p in range(number + 1):
                unrested[0] += astir[p]
            lr[0] = rate / batch
            if step.changes[0, 0]:
                _step_first(chain, data, pick, shift, bend, lr[0], step.bounds[0], column)
            for layer in range(1, depth):
                if step.changes[0, layer]:
                    _step(chain.g, gradient, chain.at[layer], chain.at[layer + 1], lr[0], step.bounds[layer])
            for layer in range(depth):
                if step.changes[1, layer]:
                    for j in range(chain.node[layer], chain.node[layer + 1]):
                        chain.b[j] += lr[0] * slope[j]
        costs[epoch] = total / n
        sound = True
        for value in chain.g:
            sound &= np.isfinite(value)
        for value in chain.b:
            sound &= np.isfinite(value)
        if not sound:
            return epoch
    return len(costs)


@kernel
def _fill(out, values):
    """Copy, or repeat a single value."""
    if values.size == out.size:
        for j in range(out.size):
            out[j] = values[j]
    else:
        for j in range(out.size):
            out[j] = values[0]


@kernel
def _columns(chain, layer, out):
    """Conductance into every node of a layer from the one before."""
    start, first, m = chain.at[layer], chain.node[layer], chain.widths[layer + 1]
    count = (chain.at[layer + 1] - start) // m
    for j in range(m):
        out[first + j] = 0.0
    for i in range(count):
        g = chain.g[start + i * m : start + (i + 1) * m]
        for j in range(m):
            out[first + j] += g[j]
    for j in range(m):
        out[first + j] *= chain.scale[layer]


@kernel
def _rows(chain, layer, out):
    """Conductance into every node of the layer before from this one, as its amplifiers make it."""
    start, before, m, n = chain.at[layer], chain.node[layer - 1], chain.widths[layer + 1], chain.widths[layer]
    for i in range(n):
        out[before + i] = 0.0
    for k in range(m):
        g = chain.gt[start + k * n : start + (k + 1) * n]
        for i in range(n):
            out[before + i] += g[i]
    for i in range(n):
        out[before + i] *= chain.back[layer]


@kernel
def _transpose(chain, layer):
    start, n, m = chain.at[layer], chain.widths[layer], chain.widths[layer + 1]
    for i in range(n):
        for k in range(m):
            chain.gt[start + k * n + i] = chain.g[start + i * m + k]


@kernel
def _drive(chain, data, pick, drive):
    """Current that the sources drive into the first layer, were it at 0 V."""
    m, n = chain.widths[1], data.shape[1]
    for item in range(pick.size):
        for j in range(m):
            drive[item, j] = 0.0
    for i in range(n):
        up = chain.g[i * m : (i + 1) * m]
        down = chain.g[(n + i) * m : (n + i + 1) * m] if chain.mirrored else up
        for item in range(pick.size):
            x = data[pick[item], i]
            if x != 0:
                x = x * chain.ahead[0]
                out = drive[item]
                if chain.mirrored:
                    for j in range(m):
                        out[j] += x * (up[j] - down[j])
                else:
                    for j in range(m):
                        out[j] += x * up[j]


@kernel
def _squares(chain, layer, v, weight, out):
    """Add a phase's squared voltages of the resistors of a layer."""
    start, n, m = chain.at[layer], chain.widths[layer], chain.widths[layer + 1]
    before, after = chain.node[layer - 1], v[chain.node[layer] : chain.node[layer] + m]
    w = weight * chain.scale[layer]
    for i in range(n):
        x = chain.gain[layer] * v[before + i]
        g = out[start + i * m : start + (i + 1) * m]
        for j in range(m):
            off = x - after[j]
            g[j] += w * off * off


@kernel
def _step_first(chain, data, pick, shift, bend, lr, bounds, column):
    """Step the first layer's conductances and sum them into every node, in one pass."""
    m, n, low, high = chain.widths[1], data.shape[1], bounds[0], bounds[1]
    fall, ahead = np.empty(m, chain.g.dtype), lr * chain.ahead[0]
    for j in range(m):
        fall[j] = lr * chain.scale[0] * bend[j]
        column[j] = 0.0
    for half in range(2 if chain.mirrored else 1):
        sign = ahead if half == 0 else -ahead
        for i in range(n):
            g = chain.g[(half * n + i) * m : (half * n + i + 1) * m]
            dark = True
            for item in range(pick.size):
                dark &= data[pick[item], i] == 0
            if not dark:
                for item in range(pick.size):
                    x = sign * data[pick[item], i]
                    if x != 0:
                        d = shift[item]
                        for j in range(m):
                            g[j] += x * d[j]
            for j in range(m):
                g[j] = min(max(g[j] - fall[j], low), high)
                column[j] += g[j]
    for j in range(m):
        column[j] *= chain.scale[0]


@kernel
def _step(g, gradient, start, end, lr, bounds):
    low, high = bounds[0], bounds[1]
    for k in range(start, end):
        g[k] = min(max(g[k] - lr * gradient[k], low), high)
