"""Compiled steps of `HodgkinHuxley`: exponential Euler, Strang splitting and RK4, in tiles that stay in cache.

``floats`` holds dt, the coefficients of six rates (`Rate.coefficients`), a workspace of one tile, and the parameters,
tile by tile.  ``ints`` holds the refractory steps left (n; always 0: an action potential makes its own refractoriness)
and whether v stood above threshold after the last step (n; 2 where unknown).

Everything is computed within one workspace of constant shape, because LLVM turns a loop into vector instructions only
where it can show in a few checks that what it writes is not what it reads.
"""
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

from __future__ import annotations

import numpy as np
from numba import carray, njit

# compiled with exponential.py 8977eb5ee7c2
from circuits.neurons.exponential import exp, exp_less

TILE = 128
RATES = 42  # coefficients of the six rates
NOTHING = 1e-100  # makes the 0/0 of a linoid at its midpoint 1, and changes no other number
PARAMETERS = 8  # 1 / capacitance, g of na, k and leak, e of na, k and leak, threshold
V, M, H, N, I, G, SLOPE, KEPT, SUM = (TILE * row for row in (0, 1, 2, 3, 4, 5, 6, 10, 14))  # rows of the workspace
ROWS = 18
_jit = njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
_inline = njit(inline="always", error_model="numpy")


@_inline
def _seven(f, i):
    return f[i], f[i + 1], f[i + 2], f[i + 3], f[i + 4], f[i + 5], f[i + 6]


@_inline
def _rate(v, c):
    """A rate as numerator and denominator; see `Rate.coefficients`."""
    y = c[0] + c[1] * v + NOTHING
    e = exp_less(y, c[6])
    return c[2] + c[3] * e + c[4] * y, 1.0 - c[6] + c[5] * e


@_inline
def _gate(v, alpha, beta):
    """Steady state and alpha + beta, by one division."""
    top, low = _rate(v, alpha)
    under, side = _rate(v, beta)
    opening = top * side
    both = opening + under * low
    one = low * side
    inverse = 1.0 / (both * one)
    return opening * one * inverse, both * both * inverse


@_jit
def _membrane(w, q, dt):
    """Exact step of the voltage at fixed gates."""
    for k in range(TILE):
        g, source = _conductance(w[M + k], w[H + k], w[N + k], q, k)
        g += w[G + k]
        rest = (source + w[I + k]) / g
        w[V + k] = rest + (w[V + k] - rest) * exp(-dt * g * q[k])


@_jit
def _slope(w, q):
    """Time derivative of the voltage."""
    for k in range(TILE):
        g, source = _conductance(w[M + k], w[H + k], w[N + k], q, k)
        w[SLOPE + k] = (source + w[I + k] - (g + w[G + k]) * w[V + k]) * q[k]


@_inline
def _conductance(m, h, n, q, k):
    """Sum of the conductances, and of conductance times reversal."""
    sodium = q[1 * TILE + k] * m * m * m * h
    potassium = q[2 * TILE + k] * (n * n) * (n * n)
    return sodium + potassium + q[3 * TILE + k], sodium * q[4 * TILE + k] + potassium * q[5 * TILE + k] + q[
        3 * TILE + k
    ] * q[6 * TILE + k]


@_jit
def _gates(w, f, dt):
    """Exact step of the gates at fixed voltage."""
    for j in range(3):
        alpha, beta = _seven(f, 1 + 14 * j), _seven(f, 8 + 14 * j)
        for k in range(TILE):
            steady, total = _gate(w[V + k], alpha, beta)
            w[M + j * TILE + k] = steady + (w[M + j * TILE + k] - steady) * exp(-dt * total)


@_jit
def _exponential_euler(w, f, q, dt):
    for k in range(TILE):
        w[KEPT + k] = w[V + k]
    _membrane(w, q, dt)
    for k in range(TILE):
        w[KEPT + k], w[V + k] = w[V + k], w[KEPT + k]
    _gates(w, f, dt)
    for k in range(TILE):
        w[V + k] = w[KEPT + k]


@_jit
def _strang(w, f, q, dt):
    _membrane(w, q, 0.5 * dt)
    _gates(w, f, dt)
    _membrane(w, q, 0.5 * dt)


@_jit
def _rk4(w, f, q, dt):
    for j in range(4):
        for k in range(TILE):
            w[KEPT + j * TILE + k] = w[V + j * TILE + k]
            w[SUM + j * TILE + k] = w[V + j * TILE + k]
    for stage in range(4):
        weight = dt / 6.0 if stage == 0 or stage == 3 else dt / 3.0
        ahead = 0.5 * dt if stage < 2 else dt
        _slope(w, q)
        for j in range(3):
            alpha, beta = _seven(f, 1 + 14 * j), _seven(f, 8 + 14 * j)
            for k in range(TILE):
                steady, total = _gate(w[V + k], alpha, beta)
                w[SLOPE + (1 + j) * TILE + k] = (steady - w[M + j * TILE + k]) * total
        for j in range(4):
            for k in range(TILE):
                w[SUM + j * TILE + k] += weight * w[SLOPE + j * TILE + k]
                w[V + j * TILE + k] = (
                    w[SUM + j * TILE + k] if stage == 3 else w[KEPT + j * TILE + k] + ahead * w[SLOPE + j * TILE + k]
                )


@_jit
def _step(n, state, drive, f, ints, spiked, method):
    """All tiles: copy in, advance, list upward crossings of the threshold, copy out."""
    dt = f[0]
    above = ints[n:]
    w = f[1 + RATES : 1 + RATES + ROWS * TILE]
    count = 0
    for low in range(0, n, TILE):
        size = min(TILE, n - low)
        start = 1 + RATES + ROWS * TILE + PARAMETERS * low
        q = f[start : start + PARAMETERS * TILE]
        for j in range(4):
            row = state[j][low : low + size]
            for k in range(size):
                w[V + j * TILE + k] = row[k]
        current, g, pull = drive[0][low : low + size], drive[1][low : low + size], drive[2][low : low + size]
        for k in range(size):
            w[I + k] = current[k] + pull[k]
            w[G + k] = g[k]
        if method == 0:
            _exponential_euler(w, f, q, dt)
        elif method == 1:
            _strang(w, f, q, dt)
        else:
            _rk4(w, f, q, dt)
        stood = above[low : low + size]
        changed, fine = 0, 0
        for k in range(size):
            changed += (w[V + k] >= q[7 * TILE + k]) != (stood[k] == 1)
            fine += abs(w[V + k]) < 1e300
        if changed:
            v = state[0][low : low + size]
            for k in range(size):
                was = v[k] >= q[7 * TILE + k] if stood[k] == 2 else stood[k] == 1
                now = w[V + k] >= q[7 * TILE + k]
                if now and not was:
                    spiked[count] = low + k
                    count += 1
                stood[k] = 1 if now else 0
        for j in range(4):
            row = state[j][low : low + size]
            for k in range(size):
                row[k] = w[V + j * TILE + k]
        if fine < size:
            for k in range(size):
                if not abs(w[V + k]) < 1e300:
                    return -(low + k + 1)
    return count


@_inline
def _update(n, state, drive, floats, ints, spiked, method):
    size = 1 + RATES + ROWS * TILE + PARAMETERS * TILE * ((n + TILE - 1) // TILE)
    return _step(
        n,
        carray(state, (4, n)),
        carray(drive, (3, n)),
        carray(floats, size),
        carray(ints, 2 * n),
        carray(spiked, n),
        method,
    )


def exponential_euler(step, n, state, drive, floats, ints, spiked, late):
    """First order: voltage at fixed gates and gates at fixed voltage, both exact, both from the start of the step."""
    return _update(n, state, drive, floats, ints, spiked, 0)


def strang(step, n, state, drive, floats, ints, spiked, late):
    """Second order: half a step of the voltage, a step of the gates, half a step of the voltage, each exact."""
    return _update(n, state, drive, floats, ints, spiked, 1)


def rk4(step, n, state, drive, floats, ints, spiked, late):
    """Fourth order: the classical Runge-Kutta method."""
    return _update(n, state, drive, floats, ints, spiked, 2)


def field(x, current, p, out):
    """Time derivatives of one neuron; p: the parameters (capacitance as it is), then the coefficients of six rates."""
    v = x[0]
    sodium, potassium = p[1] * x[1] ** 3 * x[2], p[2] * x[3] ** 4
    ionic = sodium * (v - p[4]) + potassium * (v - p[5]) + p[3] * (v - p[6])
    out[0] = (current - ionic) / p[0]
    for j in range(3):
        alpha = _value(v, p, 8 + 14 * j)
        out[1 + j] = alpha * (1.0 - x[1 + j]) - _value(v, p, 15 + 14 * j) * x[1 + j]


@_inline
def _value(v, p, at):
    """A rate, with the library's exp."""
    y = p[at] + p[at + 1] * v + NOTHING
    e = np.expm1(y) if p[at + 6] == 1.0 else np.exp(y)
    return (p[at + 2] + p[at + 3] * e + p[at + 4] * y) / (1.0 - p[at + 6] + p[at + 5] * e)


def above(x, p):
    """Whether the voltage is at or above threshold."""
    return x[0] >= p[7]
