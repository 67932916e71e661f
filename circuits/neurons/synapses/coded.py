"""Projections of low rank: decode the spikes of the source, filter D numbers, encode them as current of the target.

With y the filter's chain (`circuits.neurons.synapses.receptors`), D numbers a row,

    arrival of a spike of source i:   y_0 += gain decoders[i]
    current of target j:              sum_d x_d encoders[d, j]

where x, held over a step, is the last row of the chain as a receptor of the target would hold it (`Program.filtered`):
for `LIF` the current that brings v to where the decaying one would, so that spikes on the grid are those of the full
matrix; for other models the value at the start of the step, or at its middle.  A probe shows the mean over the step,
so that a filter of unit area has it on any grid.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.program import ARRIVALS
from circuits.neurons.synapses.arriving import DELAY, PARTS, SOURCES, arriving
from circuits.neurons.synapses.propagator import chain_step, mean_over
from physlearn.kernels.cfuncs import pointer
from physlearn.kernels.jit import kernel

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false, reportPrivateImportUsage=false

BLOCK = 512  # neurons whose current stays in the nearest cache while the rows of encoders pass
FILTER, VALUE, DECODERS, NUMBERS, RANK, ROWS = range(SOURCES + 1, SOURCES + 7)  # more in the table of `decode`
assert (DELAY, PARTS, SOURCES) == (0, 1, 2)
GAIN, HELD = 0, 1  # numbers: gain, weights of the rows in x, then the matrix of the chain's step row by row


def attach(plan, index, projection, delay):
    """Add a projection of low rank to a plan; return its parts, their x (D,), the factors (copies if they learn)."""
    rule, kernel_ = projection.connect, projection.receptor
    taus, learns = kernel_.taus, projection.plasticity is not None
    if plan.dt > max(taus) and projection.target is not None:
        raise ValueError(
            f"dt: {plan.dt!r} s is longer than the time constant {max(taus)!r} s of the filter of {projection.name!r}, "
            "whose current is held over a step; choose a smaller step or a longer filter"
        )
    parts = plan.parts[projection.source][:1] if projection.target is None else plan.parts[projection.target]
    sources, values, factors = plan.sources(projection.source), [], []
    for k, part in enumerate(parts):
        key = f"{projection.name}#{index}/{k}"
        y = plan.keep(f"{key}/filter", np.zeros((len(taus), rule.rank)))
        x = plan.keep(f"{key}/value", np.zeros(rule.rank))
        held = mean_over(taus, plan.dt) if projection.target is None else part.filtered(taus)
        numbers = np.concatenate([[kernel_.gain], held, chain_step(taus, plan.dt).ravel()])
        decoders = rule.decoders
        if learns and projection.plasticity.moves == "decoders":
            decoders = plan.keep(f"{key}/decoders", rule.decoders.copy())
        plan.action(
            ARRIVALS, part, decode, delay, len(sources), sources, y, x, np.ascontiguousarray(decoders), numbers,
            rule.rank, len(taus),
        )  # fmt: skip
        encoders = None
        if rule.encoders is not None:
            encoders = np.array(rule.encoders[:, part.low : part.high], order="C")
            if learns and projection.plasticity.moves == "encoders":
                plan.keep(f"{key}/encoders", encoders)
            plan.varying(part, encode, encoders, x, rule.rank)
        values.append(x)
        factors.append(encoders if learns and projection.plasticity.moves == "encoders" else decoders)
    return parts, values, factors


def decode(step, at):
    """Advance the filter, add what arrives, and set x.

    table: delay, source parts and their (head, first neuron) pairs as in `arriving`; filter (rows, D), x (D),
    decoders (sources, D), numbers, D, rows.
    """
    t = carray(at, SOURCES + 7)
    d, m = t[RANK], t[ROWS]
    y, x = carray(pointer(t[FILTER]), (m, d), np.float64), carray(pointer(t[VALUE]), d, np.float64)
    f = carray(pointer(t[NUMBERS]), 1 + m + m * m, np.float64)
    for a in range(m - 1, -1, -1):
        place = 1 + m + a * m
        for k in range(d):
            y[a, k] *= f[place + a]
        for b in range(a):
            for k in range(d):
                y[a, k] += f[place + b] * y[b, k]
    for part in range(t[PARTS]):
        low, high, ids, low_id = arriving(t, part, step)
        for q in range(low, high):
            row = carray(pointer(t[DECODERS] + 8 * d * (ids[q] + low_id)), d, np.float64)
            for k in range(d):
                y[0, k] += f[GAIN] * row[k]
    for k in range(d):
        x[k] = f[HELD] * y[0, k]
    for a in range(1, m):
        for k in range(d):
            x[k] += f[HELD + a] * y[a, k]
    return 0


@kernel(inline=True)
def _one(out, e, x):
    for i in range(out.size):
        out[i] += x * e[i]


@kernel(inline=True)
def _four(out, e, f, g, h, x, y, z, w):
    for i in range(out.size):
        out[i] += x * e[i] + y * f[i] + z * g[i] + w * h[i]


def encode(step, at):
    """Add a current through encoders; table: injected, n, encoders (D, n), x (D), D."""
    t = carray(at, 5)
    add_encoded(t[0], t[1], t[2], t[3], t[4])
    return 0


@kernel(inline=True)
def add_encoded(out_at, n, encoders_at, x_at, d):
    """Add x @ encoders to a current of n neurons; all by their addresses."""
    out, x = carray(pointer(out_at), n, np.float64), carray(pointer(x_at), d, np.float64)
    e = carray(pointer(encoders_at), (d, n), np.float64)
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n)
        k = 0
        while k + 4 <= d:
            _four(
                out[low:high], e[k, low:high], e[k + 1, low:high], e[k + 2, low:high], e[k + 3, low:high],
                x[k], x[k + 1], x[k + 2], x[k + 3],
            )  # fmt: skip
            k += 4
        while k < d:
            _one(out[low:high], e[k, low:high], x[k])
            k += 1
