"""Steps for any neuron whose field is a compiled function: Euler, exponential Euler, RK4 and an adaptive method.

A neuron's field ``field(x, current, p, out)`` writes dx/dt of one neuron with variables x (x[0] is v) and parameters
p; ``threshold(x, p)`` is true at a spike, ``reset(x, p)`` changes x after one.  A neuron spikes at the end of the
step in which its threshold turns true.  The current is held over the step; conductances pull on v at every stage.

- ``euler``: x + dt f(x); first order.
- ``exponential_euler``: x_i + dt phi(J_ii dt) f_i(x) with phi(z) = (e^z - 1) / z, every variable by itself and J_ii
  by a difference; first order, exact where f_i is linear in x_i and the others do not change.
- ``rk4``: the classical Runge-Kutta method; fourth order.
- ``adaptive``: the pair of orders 5 and 4 of J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19, each
  neuron in its own steps within dt, the estimated error of each below ``tolerance`` (|x_i| + scale_i).  A neuron
  with a reset waits at its threshold for the end of the step: some models blow up beyond it.  Inputs that change
  within a step are refused: holding them makes an error that no inner step sees.
"""
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportPrivateImportUsage=false

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numba import carray

from circuits.neurons.cells import dormand_prince
from circuits.neurons.program import FINITE, Adaptive, Program, steps_of
from physlearn.kernels.cfuncs import (
    FIELD,
    RESET,
    THRESHOLD,
    address_of,
    call_field,
    call_reset,
    call_threshold,
    compiled,
)
from physlearn.kernels.checked import failure
from physlearn.kernels.jit import inlined, kernel

METHODS = ("euler", "exponential_euler", "rk4", "adaptive")
HEADER = 7  # field, threshold, reset: addresses; number of variables, of parameters; dt, tolerance
WORK = 12  # rows of the workspace
STATE = 10  # the row that holds one neuron's state in a step
FINE, DIVERGED, FAILED = range(3)  # how a neuron's step ended; FAILED: one of its functions did
GROWTH = 30.0  # J dt above it: grows by e^30 instead, which passes any threshold and does not overflow
REMEDY = "and read x and p by number"
SMALLEST = 1e-10  # of dt: an adaptive step below it means that the solution blows up


def stepper(fields, parameters, *, scales, dt, method, refractory: Any = 0.0):
    """Compile a program of one of these methods.

    Parameters
    ----------
    fields : (field, threshold, reset)
        Plain functions; threshold and reset may be None.
    parameters : (n, p) array
        One row per neuron.
    scales : (variables,) array
        Size below which a variable's error counts as absolute; its own unit.
    dt : float
        s.
    method : str or Adaptive
    refractory : float or (n,) array
        s, during which x[0] is held after a spike.
    """
    tolerance = method.tolerance if isinstance(method, Adaptive) else Adaptive().tolerance
    name = "adaptive" if isinstance(method, Adaptive) else method
    signatures = (FIELD, THRESHOLD, RESET)
    words = ("field", "threshold", "reset")
    address = [
        address_of(compiled(function, signature, word, REMEDY)) if function else 0
        for function, signature, word in zip(fields, signatures, words, strict=True)
    ]
    n, p = parameters.shape
    whole = np.array([*address, len(scales), p, 0, 0], np.int64)
    floats = np.concatenate([whole.view(float), scales, np.zeros(WORK * len(scales)), np.ravel(parameters)])
    floats[5:7] = dt, tolerance  # addresses stay here and not among the counters, which are saved with a run
    held = np.broadcast_to(steps_of("refractory", refractory, dt), (n,))
    ints = np.concatenate([np.zeros(n), np.full(n, 2), held]).astype(np.int64)
    return Program(
        _UPDATES[name],
        floats,
        ints,
        2 * n,
        held="middle" if name in ("rk4", "adaptive") else "start",
        steady=name == "adaptive",
        failure=partial(_failure, dict(zip(words, fields, strict=True)), floats, len(scales), parameters),
    )


def _failure(functions, floats, size, parameters, owner, i, drive):
    """The error of a user's function, found again in plain Python at the state where it failed; see `Program`."""
    start = HEADER + (1 + STATE) * size
    x, p = floats[start : start + size], np.array(parameters[i], dtype=float)
    current = float(drive[0, i] + drive[2, i] - drive[1, i] * x[0])
    given = {"field": [(x, current, p, np.zeros(size))], "threshold": [(x, p)], "reset": [(x, p)]}
    own = {word: function for word, function in functions.items() if function}
    return failure(owner, own, given) or ValueError(
        f"{owner}: {', '.join(own)}: an index outside its array, or a division by zero, in compiled code; plain Python "
        "does not repeat it"
    )


@kernel
def fields(address, x, current, p, out):
    """Time derivatives of many states, rows of x, under a current each, into the rows of out; -1 if one failed."""
    for i in range(x.shape[0]):
        if call_field(address, x[i], current[i], p, out[i]) < 0:
            return -1
    return 0


@kernel
def _field(address, x, drive, i, p, out):
    return call_field(address, x, drive[0, i] + drive[2, i] - drive[1, i] * x[0], p, out)


@kernel
def _euler(address, x, drive, i, p, dt, w):
    if _field(address, x, drive, i, p, w[0]) < 0:
        return FAILED
    for j in range(x.size):
        x[j] += dt * w[0, j]
    return FINE


@kernel
def _exponential_euler(address, x, drive, i, p, dt, w, scales):
    slope, moved, start = w[0], w[1], w[2]
    if _field(address, x, drive, i, p, slope) < 0:
        return FAILED
    start[:] = x
    for j in range(x.size):
        by = 1e-6 * (abs(start[j]) + scales[j])
        x[j] = start[j] + by
        if _field(address, x, drive, i, p, moved) < 0:
            return FAILED
        x[j] = start[j]
        z = min(dt * (moved[j] - slope[j]) / by, GROWTH)
        w[3, j] = start[j] + dt * slope[j] * (np.expm1(z) / z if abs(z) > 1e-12 else 1.0)
    x[:] = w[3]
    return FINE


@kernel
def _rk4(address, x, drive, i, p, dt, w):
    start, total, slope = w[0], w[1], w[2]
    start[:] = x
    total[:] = x
    for stage in range(4):
        weight = dt / 6.0 if stage == 0 or stage == 3 else dt / 3.0
        ahead = 0.5 * dt if stage < 2 else dt
        if _field(address, x, drive, i, p, slope) < 0:
            return FAILED
        for j in range(x.size):
            total[j] += weight * slope[j]
            x[j] = total[j] if stage == 3 else start[j] + ahead * slope[j]
    return FINE


@kernel
def _adaptive(address, x, drive, i, p, dt, w, scales, tolerance, stop):
    k, start = w[:7], w[7]
    done, h = 0.0, dt
    if _field(address, x, drive, i, p, k[0]) < 0:
        return FAILED
    while done < dt:
        last = h >= dt - done
        h = dt - done if last else h
        start[:] = x
        for stage in range(1, 7):
            for j in range(x.size):
                x[j] = start[j] + dormand_prince.increment(k, j, h, stage)
            if _field(address, x, drive, i, p, k[stage]) < 0:
                return FAILED
        worst = 0.0
        for j in range(x.size):
            error = dormand_prince.error(k, j, h)
            error /= max(abs(start[j]), abs(x[j])) + scales[j]
            worst = error if error > worst or error != error else worst
        if worst <= tolerance:
            k[0, :] = k[6]
            done = dt if last else done + h
            passed = call_threshold(stop, x, p) if stop != 0 else 0
            if passed != 0:
                return FINE if passed > 0 else FAILED
        else:
            x[:] = start
            if h < SMALLEST * dt:
                return DIVERGED
        ratio = (tolerance / worst) ** 0.2 if worst > 0.0 else 5.0
        h *= min(5.0, max(0.2, 0.9 * ratio)) if worst == worst else 0.1
    return FINE


@kernel
def _step(n, state, drive, floats, ints, spiked, method):
    header = floats[:HEADER].view(np.int64)
    field, threshold, reset, size, count = header[0], header[1], header[2], header[3], header[4]
    dt, tolerance = floats[5], floats[6]
    scales = floats[HEADER : HEADER + size]
    w = floats[HEADER + size : HEADER + (1 + WORK) * size].reshape(WORK, size)
    x, out = w[STATE], 0
    for i in range(n):
        start = HEADER + (1 + WORK) * size + i * count
        p = floats[start : start + count]
        for j in range(size):
            x[j] = state[j, i]
        if threshold != 0 and ints[n + i] == 2:
            now = call_threshold(threshold, x, p) if reset == 0 else 0
            if now < 0:
                return -(2 * n + i + 1)
            ints[n + i] = now
        held = x[0]
        if method == 0:
            ended = _euler(field, x, drive, i, p, dt, w)
        elif method == 1:
            ended = _exponential_euler(field, x, drive, i, p, dt, w, scales)
        elif method == 2:
            ended = _rk4(field, x, drive, i, p, dt, w)
        else:
            ended = _adaptive(field, x, drive, i, p, dt, w, scales, tolerance, threshold if reset != 0 else 0)
        if ended == FAILED:
            return -(2 * n + i + 1)
        if ints[i] > 0:
            ints[i] -= 1
            x[0] = held
        for j in range(size):
            state[j, i] = x[j]
            ended = ended if abs(x[j]) < FINITE else DIVERGED
        if ended != FINE:
            return -(i + 1)
        if threshold != 0:
            now = call_threshold(threshold, x, p)
            if now > 0 and ints[n + i] == 0:
                spiked[out] = i
                out += 1
                ints[i] = ints[2 * n + i]
                if reset != 0:
                    if call_reset(reset, x, p) < 0:
                        return -(2 * n + i + 1)
                    now = call_threshold(threshold, x, p)
                    for j in range(size):
                        state[j, i] = x[j]
            if now < 0:
                return -(2 * n + i + 1)
            ints[n + i] = now
    return out


@inlined
def _update(n, state, drive, floats, ints, spiked, method):
    header = carray(floats, HEADER).view(np.int64)
    size = HEADER + (1 + WORK) * header[3] + n * header[4]
    return _step(
        n,
        carray(state, (header[3], n)),
        carray(drive, (3, n)),
        carray(floats, size),
        carray(ints, 3 * n),
        carray(spiked, n),
        method,
    )


def euler(step, n, state, drive, floats, ints, spiked, late):
    """Explicit Euler."""
    return _update(n, state, drive, floats, ints, spiked, 0)


def exponential_euler(step, n, state, drive, floats, ints, spiked, late):
    """Diagonal exponential Euler."""
    return _update(n, state, drive, floats, ints, spiked, 1)


def rk4(step, n, state, drive, floats, ints, spiked, late):
    """Classical Runge-Kutta."""
    return _update(n, state, drive, floats, ints, spiked, 2)


def adaptive(step, n, state, drive, floats, ints, spiked, late):
    """Dormand-Prince with error control."""
    return _update(n, state, drive, floats, ints, spiked, 3)


_UPDATES = {"euler": euler, "exponential_euler": exponential_euler, "rk4": rk4, "adaptive": adaptive}
