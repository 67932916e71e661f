"""Arithmetic between the products and the exponentials of a gated recurrent unit, one pass for each step.

Arrays are (batch, units), or (batch, blocks units) with blocks r, z, n.  Exponentials stay with NumPy, which takes
several numbers at once.
"""

from __future__ import annotations

from physlearn.kernels.jit import kernel


@kernel
def sums(a, product, c, most, gates, inner):
    """Minus the gates' sums, of which exp makes the logistic; and what r will multiply (with reset "after")."""
    items, units = inner.shape
    for i in range(items):
        for j in range(2 * units):
            gates[i, j] = min(-(a[i, j] + product[i, j]), most)
        for j in range(len(c)):
            inner[i, j] = product[i, 2 * units + j] + c[j]


@kernel
def reset_sum(a, most, gates, inner, candidate):
    """Gates of exponentials, in place, and minus twice the candidate's sum, of which exp makes tanh."""
    items, units = inner.shape
    one, two = gates.dtype.type(1.0), gates.dtype.type(2.0)
    for i in range(items):
        for j in range(2 * units):
            gates[i, j] = one / (one + gates[i, j])
        for j in range(units):
            candidate[i, j] = min(-two * (a[i, 2 * units + j] + gates[i, j] * inner[i, j]), most)


@kernel
def reset_state(gates, old, inner):
    """Gates of exponentials, in place, and r s (with reset "before")."""
    items, units = old.shape
    one = gates.dtype.type(1.0)
    for i in range(items):
        for j in range(2 * units):
            gates[i, j] = one / (one + gates[i, j])
        for j in range(units):
            inner[i, j] = gates[i, j] * old[i, j]


@kernel
def candidate_sum(a, most, candidate):
    """Minus twice the candidate's sum; in place of the recurrent part of it."""
    items, units = candidate.shape
    two = candidate.dtype.type(2.0)
    for i in range(items):
        for j in range(units):
            candidate[i, j] = min(-two * (a[i, 2 * units + j] + candidate[i, j]), most)


@kernel
def mix(gates, old, candidate, new):
    """tanh of exponentials, in place, and z s + (1 - z) n."""
    items, units = old.shape
    one, two = gates.dtype.type(1.0), gates.dtype.type(2.0)
    for i in range(items):
        for j in range(units):
            n = two / (one + candidate[i, j]) - one
            candidate[i, j] = n
            new[i, j] = n + gates[i, units + j] * (old[i, j] - n)


@kernel
def undo_after(ds, gates, candidate, inner, old, da, back):
    """Derivatives by x W + b and by s U + c; ds becomes the part that z keeps."""
    items, units = old.shape
    one = ds.dtype.type(1.0)
    for i in range(items):
        for j in range(units):
            r, z, n, d = gates[i, j], gates[i, units + j], candidate[i, j], ds[i, j]
            by_n = d * (one - z) * (one - n * n)
            by_r = by_n * inner[i, j] * r * (one - r)
            by_z = d * (old[i, j] - n) * z * (one - z)
            da[i, j], da[i, units + j], da[i, 2 * units + j] = by_r, by_z, by_n
            back[i, j], back[i, units + j], back[i, 2 * units + j] = by_r, by_z, by_n * r
            ds[i, j] = d * z


@kernel
def undo_before(ds, gates, candidate, old, da):
    """Derivatives by the candidate and by z; ds becomes the part that z keeps."""
    items, units = old.shape
    one = ds.dtype.type(1.0)
    for i in range(items):
        for j in range(units):
            z, n, d = gates[i, units + j], candidate[i, j], ds[i, j]
            da[i, units + j] = d * (old[i, j] - n) * z * (one - z)
            da[i, 2 * units + j] = d * (one - z) * (one - n * n)
            ds[i, j] = d * z


@kernel
def undo_reset(ds, gates, inside, old, da):
    """Derivatives by r, and by the state through it; ``inside`` is by r s."""
    items, units = old.shape
    one = ds.dtype.type(1.0)
    for i in range(items):
        for j in range(units):
            r = gates[i, j]
            da[i, j] = inside[i, j] * old[i, j] * r * (one - r)
            ds[i, j] += inside[i, j] * r
