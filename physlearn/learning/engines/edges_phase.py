"""Costs on k outputs, and the forces on them that make a phase: compiled, for `edges_epoch`.

The same as `costs` and `dynamics.schur` for one sample at a time; tests hold them equal.
"""

import numpy as np

from physlearn.kernels.jit import inlined, kernel

SQUARED_ERROR, CROSS_ENTROPY, MARGIN = 0, 1, 2
CLAMP, LINEARISED, FULL = 0, 1, 2
OK, NUDGE_NOT_CONVERGED, NUDGE_WITHOUT_MINIMUM = 0, 3, 4


# Written out: Numba's own reductions and slices of arrays take longer to compile than all that is below.
@inlined
def largest(y):
    """Index of the first largest entry."""
    best = 0
    for o in range(1, y.size):
        if y[o] > y[best]:
            best = o
    return best


@inlined
def total(y):
    """Sum of the entries."""
    s = 0.0
    for o in range(y.size):
        s += y[o]
    return s


def scratch(mode, k):
    """Memory for `phase_force`: a system of k equations, and for full nudges four vectors."""
    return np.zeros((k, k + 1)), tuple(np.zeros((4, k))) if mode == FULL else None


@kernel
def cost_of(code, par, y, t, slope):
    """Cost of outputs y for targets t, both (k,); its gradient is written to `slope`."""
    value = 0.0
    if code == SQUARED_ERROR:
        for o in range(y.size):
            slope[o] = y[o] - t[o]
            value += 0.5 * slope[o] * slope[o]
    elif code == CROSS_ENTROPY:
        top, mass, norm = y[largest(y)], total(t), 0.0
        for o in range(y.size):
            slope[o] = np.exp(par * (y[o] - top))
            norm += slope[o]
            value -= t[o] * par * (y[o] - top)
        for o in range(y.size):
            slope[o] = par * (mass * slope[o] / norm - t[o])
        value += mass * np.log(norm)
    else:
        right, inside = largest(t), 0
        for o in range(y.size):
            short = par - y[right] + y[o]
            slope[o] = 0.0
            if o != right and short > 0.0:
                slope[o], value, inside = 1.0, value + short, inside + 1
        slope[right] = -float(inside)
    return value


@kernel
def phase_force(mode, strength, cost, par, y, t, slope, green, force, system, vectors):
    """Force of one phase on the outputs.

    Parameters
    ----------
    mode, strength, cost, par
        See `edges_epoch.run_epochs`.
    y, t, slope : (k,) float64
        Free outputs, targets, C'(y).
    green : (k, k) float64
        The outputs' Green block S.
    force : (k,) float64
        Written.
    system, vectors : (k, k + 1) float64; tuple of four (k,) float64
        Scratch of `scratch`.  Without vectors (None) there is no full nudge, and nothing of it is compiled.

    Returns
    -------
    int
        OK, NUDGE_NOT_CONVERGED, or NUDGE_WITHOUT_MINIMUM: the equilibrium of a negative nudge is a saddle.
    """
    k = y.size
    if mode == LINEARISED:
        for o in range(k):
            force[o] = -strength * slope[o]
        return OK
    if mode == CLAMP or cost == SQUARED_ERROR:
        for o in range(k):
            for p in range(k):
                system[o, p] = green[o, p] if mode == CLAMP else strength * green[o, p] + (o == p)
            system[o, k] = -strength * slope[o]
        _eliminate(system, force)
    if vectors is None:
        return OK
    if mode == FULL and cost == CROSS_ENTROPY:
        if not _force_cross_entropy(strength, cost, par, y, t, green, force, system, vectors):
            return NUDGE_NOT_CONVERGED
    if mode == FULL and cost == MARGIN and not _force_margin(strength, par, y, t, green, force, vectors[0]):
        return NUDGE_NOT_CONVERGED
    if mode == FULL and strength < 0.0 and cost != MARGIN:
        if not _is_minimum(strength, cost, par, y, t, green, force, system, vectors):
            return NUDGE_WITHOUT_MINIMUM
    return OK


@kernel
def _is_minimum(strength, cost, par, y, t, green, force, matrix, vectors):
    """Whether S + strength S C'' S is positive definite at the nudged outputs, by Cholesky."""
    k, mass = y.size, total(t)
    now, slope, _, _ = vectors
    if cost == CROSS_ENTROPY:
        for o in range(k):
            now[o] = y[o]
            for p in range(k):
                now[o] += green[o, p] * force[p]
        cost_of(cost, par, now, t, slope)
        for o in range(k):
            slope[o] = (slope[o] / par + t[o]) / mass  # the softmax
    for o in range(k):
        for p in range(o + 1):
            s = green[o, p]
            for r in range(k):
                if cost == CROSS_ENTROPY:
                    bent = 0.0
                    for q in range(k):
                        bent += slope[q] * green[q, p]
                    s += strength * par * par * mass * green[o, r] * slope[r] * (green[r, p] - bent)
                else:
                    s += strength * green[o, r] * green[r, p]
            matrix[o, p] = s
    for c in range(k):
        for r in range(c):
            matrix[c, c] -= matrix[c, r] * matrix[c, r]
        if not matrix[c, c] > 0.0:
            return False
        matrix[c, c] = np.sqrt(matrix[c, c])
        for o in range(c + 1, k):
            for r in range(c):
                matrix[o, c] -= matrix[o, r] * matrix[c, r]
            matrix[o, c] /= matrix[c, c]
    return True


@kernel
def _force_cross_entropy(strength, cost, gain, y, t, green, force, system, vectors):
    """Damped Newton for force = -strength C'(y + S force); stops when rounding stops the descent."""
    k, mass = y.size, total(t)
    now, slope, trial, change = vectors
    for o in range(k):
        force[o] = trial[o] = 0.0
    best, damping = np.inf, 1.0
    for _ in range(200):
        for o in range(k):
            now[o] = y[o]
            for p in range(k):
                now[o] += green[o, p] * trial[p]
        cost_of(cost, gain, now, t, slope)
        mismatch, size = 0.0, 0.0
        for o in range(k):
            mismatch += (trial[o] + strength * slope[o]) ** 2  # Newton's direction lowers the 2-norm
            size += trial[o] ** 2
        if not mismatch < best:
            damping *= 0.5
        else:
            best, damping = mismatch, 1.0
            for o in range(k):
                force[o] = trial[o]
            for o in range(k):  # (1 + strength C'' S) change = -mismatch, C'' = gain^2 mass (diag q - q q^T)
                q = (slope[o] / gain + t[o]) / mass
                for p in range(k):
                    system[o, p] = 1.0 if o == p else 0.0
                    for r in range(k):
                        curvature = gain * gain * mass * q * ((o == r) - (slope[r] / gain + t[r]) / mass)
                        system[o, p] += strength * curvature * green[r, p]
                system[o, k] = -(trial[o] + strength * slope[o])
            _eliminate(system, change)
        if best <= 1e-31 * size or damping < 1e-6:
            break
        for o in range(k):
            trial[o] = force[o] + damping * change[o]
    return best <= 1e-20 * (strength * gain * mass) ** 2


@kernel
def _force_margin(strength, margin, y, t, green, force, pull):
    """Nudge by a hinge: force = sum_j pull_j (e_right - e_j), pull_j = strength inside the margin, else 0.

    A positive nudge may hold an output exactly on the margin, pull_j in between: projected Gauss-Seidel on
    that convex problem. A negative one never does: iterate from the free state until the same are inside.
    """
    k, right = y.size, largest(t)
    for j in range(k):
        pull[j] = force[j] = 0.0
    for _ in range(10000):
        settled = True
        for j in range(k):
            stiffness = green[right, right] - 2.0 * green[right, j] + green[j, j]
            short = margin - y[right] + y[j]
            for p in range(k):
                short += (green[j, p] - green[right, p]) * force[p]
            wanted = strength if short > 0.0 and j != right else 0.0
            if strength > 0.0 and stiffness > 0.0:  # zero for j = right
                wanted = min(max(pull[j] + short / stiffness, 0.0), strength)
            rounding = 1e-15 * (abs(margin) + abs(y[right]) + abs(y[j]))
            settled = settled and abs(wanted - pull[j]) * stiffness <= rounding
            force[right] += wanted - pull[j]
            force[j] -= wanted - pull[j]
            pull[j] = wanted
        if settled:
            return True
    return False


@kernel
def _eliminate(augmented, x):
    """Solve the k x k system in rows 0..k-1 of `augmented`, right-hand side in column k; destroys it."""
    k = augmented.shape[0]
    for c in range(k):
        best = c
        for r in range(c + 1, k):
            if abs(augmented[r, c]) > abs(augmented[best, c]):
                best = r
        for q in range(c, k + 1):
            augmented[c, q], augmented[best, q] = augmented[best, q], augmented[c, q]
        for r in range(c + 1, k):
            f = augmented[r, c] / augmented[c, c]
            for q in range(c + 1, k + 1):
                augmented[r, q] -= f * augmented[c, q]
    for c in range(k - 1, -1, -1):
        s = augmented[c, k]
        for q in range(c + 1, k):
            s -= augmented[c, q] * x[q]
        x[c] = s / augmented[c, c]
