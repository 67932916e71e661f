"""Shared by kernels of species on a lattice: the energy that a code would feel at a site, and draws of codes.

Frozen leaf: kernels of other files call these.  Arrays as in `physlearn.terms.lattice.Felt`; x holds codes.
"""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import uniform


@inlined
def bond(row, code, indptr, codes, values):
    """J of a code in a row (step and neighbour's code); 0 where it is not listed."""
    for entry in range(indptr[row], indptr[row + 1]):
        if codes[entry] == code:
            return values[entry]
    return 0.0


@kernel
def felt(i, code, x, neighbours, q, indptr, codes, values):
    """Energy of a code's bonds at site i."""
    total = 0.0
    for k in range(neighbours.shape[1]):
        there = neighbours[i, k]
        if there >= 0:
            total += bond(k * q + x[there], code, indptr, codes, values)
    return total


@kernel
def contacts(i, code, x, neighbours, q, indptr, codes):
    """Number of a code's bonds at site i."""
    count = 0
    for k in range(neighbours.shape[1]):
        there = neighbours[i, k]
        if there >= 0:
            row = k * q + x[there]
            for entry in range(indptr[row], indptr[row + 1]):
                count += codes[entry] == code
    return count


@kernel
def alias_table(weight):
    """Walker's table (1977; Vose 1991) for draws in constant time: thresholds and aliases, (q,) each."""
    q = len(weight)
    threshold, alias = weight * (q / weight.sum()), np.arange(q)
    small, large = np.empty(q, np.int64), np.empty(q, np.int64)
    smalls, larges = 0, 0
    for k in range(q):
        if threshold[k] < 1.0:
            small[smalls] = k
            smalls += 1
        else:
            large[larges] = k
            larges += 1
    while smalls > 0 and larges > 0:
        a, b = small[smalls - 1], large[larges - 1]
        alias[a] = b
        threshold[b] -= 1.0 - threshold[a]
        if threshold[b] < 1.0:
            larges -= 1
            small[smalls - 1] = b
        else:
            smalls -= 1
    for k in range(smalls):  # what rounding has left over
        threshold[small[k]] = 1.0
    return threshold, alias


@inlined
def draw(threshold, alias, s):
    """A code from its table."""
    u = uniform(s) * len(alias)
    k = np.int64(u)
    return k if u - k < threshold[k] else alias[k]
