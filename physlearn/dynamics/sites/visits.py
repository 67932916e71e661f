"""Kernels of `fields`: chains of spins or 0/1 variables visited in order, over kept fields.

A move d of x_i changes the energy by -f_i d; with a = -f_i d / T it is made with probability

    Metropolis (Metropolis et al. 1953)   min(1, exp(-a)), times TOSS where |a| < TIE
    heat bath (Glauber 1963)              1 / (1 + exp(a))

Both have a ratio exp(-a) to the move back, which is detailed balance.  A tie must not always be taken: on a ring, a
torus or any graph of even degrees with couplings of one size, visits in order would then never leave a part of the
states, at any temperature.  (A fair coin would do as well, but annealing wants ties to be taken: 7/8 finds the
energies of always taken ones, 1/2 misses 0.5 % of them on a +-J glass.)
One uniform is drawn at every visit.  `lanes` and `rows` do the same floating-point operations for a chain in
the same order and so agree to the last bit; `rows` only leaves out what cannot change a decision.
Arguments of both: states x and fields h of the chains; couplings as CSR of unsigned integers (Numba tests whether a
signed one counts from the end, which took a third of the time); where ``whole`` is not empty `rows` reads whole rows
from it instead; 1/T, (sweeps or 1, chains), taken in turn; ``binary`` 1 for 0/1 variables, 0 for spins; ``bath`` 1 for
the heat bath, 0 for Metropolis; one stream and one count of moves per chain.  Where ``best`` is not empty it takes each
chain's state of lowest energy at the end of a sweep; ``spent`` is the energy since the start, ``lowest`` its minimum.
"""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import uniform

LANES = 64  # most chains that `lanes` takes, and the distance between the words of their streams
TIE = 0.01  # of T: what a move costs or gains to count as a tie; far above rounding, which makes no tie exact
TOSS = 0.875  # a chance to stay where a move ties
ROUNDED_ONE = 1.000001  # one, with far more room than rounding takes
NEVER = 44.0  # exp(-44) is far below 2^-53, the smallest uniform that is not zero


@inlined
def _exp_down(a):
    """exp(-a) for 0 <= a <= 44 to 2e-12 (relative): (series of exp(-a/256))^256, which runs in vector lanes."""
    r = a * (-1.0 / 256.0)
    p = 1.0 / 5040.0 + r * (1.0 / 40320.0 + r * (1.0 / 362880.0))
    p = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * p)))
    p = 1.0 + r * (1.0 + r * (0.5 + r * p))
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    return p * p


@kernel
def lanes(x, h, indptr, indices, data, beta, binary, bath, states, sweeps, moved, spent, lowest, best):
    """Visit one variable of all chains at once; x and h are (m, chains)."""
    w = states.shape[0]
    s, step = np.empty(4 * LANES, np.uint64), np.zeros(LANES)
    count, total_spent = np.zeros(LANES), np.zeros(LANES)  # apart from other threads', which would share cache lines
    total_spent[:w] = spent
    eased = bath + (1.0 - bath) * TOSS
    for l in range(w):
        for k in range(4):
            s[k * LANES + l] = states[l, k]
    for sweep in range(sweeps):
        b = beta[sweep % len(beta)]
        for i in range(len(indptr) - 1):
            xi, hi = x[i], h[i]
            some = 0
            # No branch and no sum of floats in here, and the generator spelled out: or it is not vectorised.
            for l in range(w):
                s0, s1, s2, s3 = s[l], s[LANES + l], s[2 * LANES + l], s[3 * LANES + l]
                total = s0 + s3
                word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
                shifted = s1 << np.uint64(17)
                s2 ^= s0
                s3 ^= s1
                s1 ^= s2
                s0 ^= s3
                s2 ^= shifted
                s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
                s[l], s[LANES + l], s[2 * LANES + l], s[3 * LANES + l] = s0, s1, s2, s3
                u = (word >> np.uint64(11)) * (1.0 / 9007199254740992.0)
                d = binary - 2.0 * xi[l]
                cost = -hi[l] * d
                a = cost * b[l]
                t = _exp_down(min(abs(a), NEVER))
                limit = (1.0 if a <= 0.0 else t) * (eased if abs(a) < TIE else 1.0)
                taken = np.int64(u * (1.0 + bath * t) < limit)
                some += taken
                total_spent[l] += cost * taken
                d = d * taken
                step[l] = d
                xi[l] += d
                count[l] += taken
            if some > 0:
                for k in range(indptr[i], indptr[i + 1]):
                    hj, c = h[indices[k]], data[k]
                    for l in range(w):
                        hj[l] += c * step[l]
        if len(best) > 0:
            for l in range(w):
                if total_spent[l] < lowest[l]:
                    lowest[l] = total_spent[l]
                    for i in range(len(best)):
                        best[i, l] = x[i, l]
    for l in range(w):
        for k in range(4):
            states[l, k] = s[k * LANES + l]
        moved[l] += count[l]
        spent[l] = total_spent[l]


@kernel
def rows(x, h, indptr, indices, data, whole, beta, binary, bath, states, sweeps, moved, spent, lowest, best):
    """Visit one variable of one chain after the other; x and h are (chains, m)."""
    n = len(indptr) - 1
    streams, count, sums = states.copy(), np.zeros(len(x)), spent.copy()  # apart from other threads' cache lines
    if len(whole) > 0:  # all chains at a variable, while its row is in the cache
        for sweep in range(sweeps):
            b = beta[sweep % len(beta)]
            for i in range(n):
                for c in range(len(x)):
                    d = _step(x[c, i], h[c, i], b[c], binary, bath, streams[c])
                    if d != 0.0:
                        sums[c] += -h[c, i] * d
                        _move(x[c], h[c], indptr, indices, data, whole, i, d)
                        count[c] += 1.0
            for c in range(len(best)):
                if sums[c] < lowest[c]:
                    lowest[c] = sums[c]
                    best[c] = x[c]
    else:
        for c in range(len(x)):
            xc, hc, s, many, total = x[c], h[c], streams[c], 0, sums[c]
            for sweep in range(sweeps):
                b = beta[sweep % len(beta), c]
                for i in range(n):
                    d = _step(xc[i], hc[i], b, binary, bath, s)
                    if d != 0.0:
                        total += -hc[i] * d
                        _move(xc, hc, indptr, indices, data, whole, i, d)
                        many += 1
                if len(best) > 0 and total < lowest[c]:
                    lowest[c] = total
                    best[c] = xc
            count[c] = many
            sums[c] = total
    states[:] = streams
    moved += count
    spent[:] = sums


@inlined
def _step(x, h, b, binary, bath, stream):
    """Step of a variable, or 0 where it stays."""
    u = uniform(stream)
    d = binary - 2.0 * x
    a = -h * d * b
    if a <= -TIE and bath == 0.0:
        return d
    # exp(a) >= 1 + a + a^2/2, with room for rounding: most moves uphill are refused by this bound
    if a > 0.0 and u * (1.0 + bath + a + 0.5 * a * a) > ROUNDED_ONE:
        return 0.0
    t = _exp_down(min(abs(a), NEVER))
    limit = (1.0 if a <= 0.0 else t) * (bath + (1.0 - bath) * TOSS if abs(a) < TIE else 1.0)
    return d if u * (1.0 + bath * t) < limit else 0.0


@kernel
def descend(x, h, h0, strength, indptr, indices, data, whole, binary, most):
    """Move every variable that lowers the energy, (chains, m), until none does; sweeps taken by each chain.

    Gains within the rounding of a variable's own field, of up to |h0| + strength (m,), count as ties, which stay.
    -1: not at rest after ``most`` sweeps.
    """
    taken, rounding = np.full(len(x), -1), np.empty(x.shape[1])
    for c in range(len(x)):
        for i in range(x.shape[1]):
            rounding[i] = 1e-12 * (abs(h0[c, i]) + strength[i])
        for sweep in range(most):
            changed = False
            for i in range(x.shape[1]):
                d = binary - 2.0 * x[c, i]
                if h[c, i] * d > rounding[i]:
                    _move(x[c], h[c], indptr, indices, data, whole, i, d)
                    changed = True
            if not changed:
                taken[c] = sweep + 1
                break
    return taken


@inlined
def _move(x, h, indptr, indices, data, whole, i, d):
    """Move variable i of one chain, x and h (m,), by d."""
    x[i] += d
    if len(whole) > 0:
        row = whole[i]
        for j in range(len(row)):
            h[j] += row[j] * d
    else:
        for k in range(indptr[i], indptr[i + 1]):
            h[indices[k]] += data[k] * d


@kernel
def refresh(x, h, h0, indptr, indices, data, across):
    """Fields from scratch; x and h are (m, chains) if ``across``, else (chains, m); h0 is (chains, m)."""
    for c in range(len(h0)):
        for i in range(h0.shape[1]):
            f = h0[c, i]
            for k in range(indptr[i], indptr[i + 1]):
                f += data[k] * (x[indices[k], c] if across else x[c, indices[k]])
            if across:
                h[i, c] = f
            else:
                h[c, i] = f
