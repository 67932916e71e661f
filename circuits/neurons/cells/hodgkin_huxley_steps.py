"""Compiled steps of `HodgkinHuxley`: exponential Euler, Strang splitting and RK4, in tiles that stay in cache.

``floats`` holds dt, the voltage from which built-in rates are counted, the coefficients of six rates
(`Rate.coefficients`), a workspace of one tile, and the parameters, tile by tile.  ``ints`` holds the refractory steps
left (n; always 0: an action potential makes its own refractoriness), whether v stood above threshold after the last
step (n; 2 where unknown) and the kind of rates: any, the squid's, those of Traub and Miles.

All six built-in rates follow from powers of two exponentials, which saves a third of a step.  Between -0.2 and 0.2 V
their steady states and time constants are those of the formulas to 1e-13.

Everything is computed within one workspace of constant shape, because LLVM turns a loop into vector instructions only
where it can show in a few checks that what it writes is not what it reads.
"""
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

from __future__ import annotations

import numpy as np
from numba import carray

from circuits.neurons.cells.exponential import exp, exp_less
from circuits.neurons.program import FINITE
from physlearn.kernels.jit import FUSED, inlined, kernel

TILE, LANES = 128, 8  # neurons of the workspace; the least that are computed, as many as fill a vector
RATES = 42  # coefficients of the six rates
FIXED = 2 + RATES  # floats before the workspace
ANY, SQUID, TRAUB_MILES = 0, 1, 2
NOTHING = 1e-100  # makes the 0/0 of a linoid at its midpoint 1, and changes no other number
PARAMETERS = 8  # 1 / capacitance, g of na, k and leak, e of na, k and leak, threshold
V, M, H, N, I, G, STEADY, TOTAL, SLOPE, KEPT, SUM = (TILE * row for row in (0, 1, 2, 3, 4, 5, 6, 9, 12, 16, 20))
ROWS = 24  # of the workspace


@inlined
def _seven(f, i):
    return f[i], f[i + 1], f[i + 2], f[i + 3], f[i + 4], f[i + 5], f[i + 6]


@inlined
def _rate(v, c):
    """A rate as numerator and denominator; see `Rate.coefficients`."""
    y = c[0] + c[1] * v + NOTHING
    e = exp_less(y, c[6])
    return c[2] + c[3] * e + c[4] * y, 1.0 - c[6] + c[5] * e


@inlined
def _linoid(y, e):
    """y / (1 - e) as numerator and denominator, for e = exp(-y)."""
    z = y * y
    near = 1.0 + 0.5 * y + z * (1.0 / 12.0 - z * (1.0 / 720.0 - z * (1.0 / 30240.0)))
    small = z < 0.0025
    return (near if small else y), (1.0 if small else 1.0 - e)


@inlined
def _put(w, at, top, low, closing):
    """Steady state and alpha + beta of a gate that opens at top / low and closes at closing / low."""
    both = top + closing
    inverse = 1.0 / (both * low)
    w[STEADY + at] = top * low * inverse
    w[TOTAL + at] = both * both * inverse


@kernel(fastmath=FUSED)
def _any(w, f, width):
    for j in range(3):
        alpha, beta = _seven(f, 2 + 14 * j), _seven(f, 9 + 14 * j)
        for k in range(width):
            top, low = _rate(w[V + k], alpha)
            under, side = _rate(w[V + k], beta)
            _put(w, j * TILE + k, top * side, low * side, under * low)


@kernel(fastmath=FUSED)
def _squid(w, shift, width):
    """y = (V - shift) / 10 mV, 0 where alpha_m is 0/0; exp(-y) = u^8."""
    for k in range(width):
        y = 100.0 * (w[V + k] - shift)
        bound = min(max(y, -100.0), 100.0)
        u = exp(-0.125 * bound)
        u4 = (u * u) * (u * u)
        e = u4 * u4
        top, low = _linoid(y, e)
        _put(w, k, 1e3 * top, low, 4e3 * exp(-(bound + 2.5) / 1.8) * low)
        low = 1.0 + 1.6487212707001282 * e  # exp(0.5)
        _put(w, TILE + k, 20.055335780213305 * u4 * low, low, 1e3)  # 70 exp(-1.25)
        top, low = _linoid(y + 1.5, 0.22313016014842982 * e)  # exp(-1.5)
        _put(w, 2 * TILE + k, 100.0 * top, low, 91.45195361833022 * u * low)  # 125 exp(-0.3125)


@kernel(fastmath=FUSED)
def _traub_miles(w, shift, width):
    """y = (V - shift) / 40 mV, 0 at V_T; exp(-y) = u."""
    for k in range(width):
        y = 25.0 * (w[V + k] - shift)
        bound = min(max(y, -25.0), 25.0)
        u = exp(-bound)
        u2 = u * u
        u8 = (u2 * u2) * (u2 * u2)
        top, low = _linoid(10.0 * y - 3.25, 25.790339917193062 * (u8 * u2))  # exp(3.25)
        under, side = _linoid(8.0 - 8.0 * y, 0.00033546262790251185 / u8)  # exp(-8)
        _put(w, k, 1280.0 * top * side, low * side, 1400.0 * under * low)
        low = 1.0 + 2980.9579870417283 * u8  # exp(8)
        _put(w, TILE + k, 128.0 * exp((17.0 - 40.0 * bound) / 18.0) * low, low, 4e3)
        top, low = _linoid(8.0 * y - 3.0, 20.085536923187668 * u8)  # exp(3)
        _put(w, 2 * TILE + k, 160.0 * top, low, 642.0127083438707 * u * low)  # 500 exp(0.25)


@inlined
def _kinetics(w, f, kind, width):
    """Steady states and alpha + beta of the gates at the voltage."""
    if kind == SQUID:
        _squid(w, f[1], width)
    elif kind == TRAUB_MILES:
        _traub_miles(w, f[1], width)
    else:
        _any(w, f, width)


@kernel(fastmath=FUSED)
def _membrane(w, q, dt, width):
    """Exact step of the voltage at fixed gates."""
    for k in range(width):
        g, source = _conductance(w[M + k], w[H + k], w[N + k], q, k)
        g += w[G + k]
        rest = (source + w[I + k]) / g
        w[V + k] = rest + (w[V + k] - rest) * exp(-dt * g * q[k])


@kernel(fastmath=FUSED)
def _slope(w, q, width):
    """Time derivative of the voltage."""
    for k in range(width):
        g, source = _conductance(w[M + k], w[H + k], w[N + k], q, k)
        w[SLOPE + k] = (source + w[I + k] - (g + w[G + k]) * w[V + k]) * q[k]


@inlined
def _conductance(m, h, n, q, k):
    """Sum of the conductances, and of conductance times reversal."""
    sodium = q[1 * TILE + k] * m * m * m * h
    potassium = q[2 * TILE + k] * (n * n) * (n * n)
    return sodium + potassium + q[3 * TILE + k], sodium * q[4 * TILE + k] + potassium * q[5 * TILE + k] + q[
        3 * TILE + k
    ] * q[6 * TILE + k]


@kernel(fastmath=FUSED)
def _gates(w, dt, width):
    """Exact step of the gates at fixed voltage."""
    for j in range(3):
        row = j * TILE
        for k in range(row, row + width):
            w[M + k] = w[STEADY + k] + (w[M + k] - w[STEADY + k]) * exp(-dt * w[TOTAL + k])


@kernel(fastmath=FUSED)
def _exponential_euler(w, f, q, dt, kind, width):
    _kinetics(w, f, kind, width)
    _membrane(w, q, dt, width)
    _gates(w, dt, width)


@kernel(fastmath=FUSED)
def _strang(w, f, q, dt, kind, width):
    _membrane(w, q, 0.5 * dt, width)
    _kinetics(w, f, kind, width)
    _gates(w, dt, width)
    _membrane(w, q, 0.5 * dt, width)


@kernel(fastmath=FUSED)
def _rk4(w, f, q, dt, kind, width):
    for j in range(4):
        for k in range(j * TILE, j * TILE + width):
            w[KEPT + k] = w[V + k]
            w[SUM + k] = w[V + k]
    for stage in range(4):
        weight = dt / 6.0 if stage == 0 or stage == 3 else dt / 3.0
        ahead = 0.5 * dt if stage < 2 else dt
        _slope(w, q, width)
        _kinetics(w, f, kind, width)
        for j in range(3):
            for k in range(j * TILE, j * TILE + width):
                w[SLOPE + TILE + k] = (w[STEADY + k] - w[M + k]) * w[TOTAL + k]
        for j in range(4):
            for k in range(j * TILE, j * TILE + width):
                w[SUM + k] += weight * w[SLOPE + k]
                w[V + k] = w[SUM + k] if stage == 3 else w[KEPT + k] + ahead * w[SLOPE + k]


@kernel(fastmath=FUSED)
def _advance(w, f, q, dt, kind, width, method):
    if method == 0:
        _exponential_euler(w, f, q, dt, kind, width)
    elif method == 1:
        _strang(w, f, q, dt, kind, width)
    else:
        _rk4(w, f, q, dt, kind, width)


@kernel(fastmath=FUSED)
def _step(n, state, drive, f, ints, spiked, method):
    """All tiles: copy in, advance, list upward crossings of the threshold, copy out."""
    dt, above, kind = f[0], ints[n : 2 * n], ints[2 * n]
    w = f[FIXED : FIXED + ROWS * TILE]
    count = 0
    for low in range(0, n, TILE):
        size = min(TILE, n - low)
        width = min((size + LANES - 1) // LANES * LANES, TILE)
        start = FIXED + ROWS * TILE + PARAMETERS * low
        q = f[start : start + PARAMETERS * TILE]
        for j in range(4):
            row = state[j][low : low + size]
            for k in range(size):
                w[V + j * TILE + k] = row[k]
        current, g, pull = drive[0][low : low + size], drive[1][low : low + size], drive[2][low : low + size]
        for k in range(size):
            w[I + k] = current[k] + pull[k]
            w[G + k] = g[k]
        if width == TILE:  # a number that is known when the kernel is compiled makes it a third faster
            _advance(w, f, q, dt, kind, np.int64(TILE), method)
        else:
            _advance(w, f, q, dt, kind, width, method)
        stood = above[low : low + size]
        changed, fine = 0, 0
        for k in range(size):
            changed += (w[V + k] >= q[7 * TILE + k]) != (stood[k] == 1)
            fine += abs(w[V + k]) < FINITE
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
                if not abs(w[V + k]) < FINITE:
                    return -(low + k + 1)
    return count


@inlined
def _update(n, state, drive, floats, ints, spiked, method):
    size = FIXED + ROWS * TILE + PARAMETERS * TILE * ((n + TILE - 1) // TILE)
    return _step(
        n,
        carray(state, (4, n)),
        carray(drive, (3, n)),
        carray(floats, size),
        carray(ints, 2 * n + 1),
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


@inlined
def _value(v, p, at):
    """A rate, with the library's exp."""
    y = p[at] + p[at + 1] * v + NOTHING
    e = np.expm1(y) if p[at + 6] == 1.0 else np.exp(y)
    return (p[at + 2] + p[at + 3] * e + p[at + 4] * y) / (1.0 - p[at + 6] + p[at + 5] * e)


def above(x, p):
    """Whether the voltage is at or above threshold."""
    return x[0] >= p[7]
