"""Compiled draws of random connections, row by row; the rules are in `circuits.neurons.connect`."""

from __future__ import annotations

import numpy as np

from physlearn.kernels.jit import kernel
from physlearn.rng import uniform

FARTHEST = 2.0**61  # pairs skipped at once: more would not fit an integer


def rows_of(sources, targets, n):
    """Rows (indptr, targets) of pairs whose targets ascend."""
    order = np.argsort(sources, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=n))])
    return indptr, targets[order]


@kernel
def draw_rows(low, n, p, skip, stream, indptr, out):
    """Fill rows low, low + 1, ... with Bernoulli targets by geometric skips; ``skip`` leaves out the diagonal."""
    rows = indptr.size - 1
    count = 0
    indptr[0] = 0
    scale = 1.0 / np.log1p(-p) if 0.0 < p < 1.0 else 0.0
    place = np.int64(-1)
    row = 0
    while p > 0.0:
        if p < 1.0:
            place += 1 + np.int64(min(np.log(1.0 - uniform(stream)) * scale, FARTHEST))
        else:
            place += 1
        while place >= n and row < rows:
            place -= n
            row += 1
            indptr[row] = count
        if row >= rows or count >= out.size:
            break
        if not (skip and place == low + row):
            out[count] = place
            count += 1
    while row < rows:
        row += 1
        indptr[row] = count


@kernel
def draw_sources(n, skip, repeated, stream, out, seen):
    """Fill row i of out with sources of target i, without repetition unless ``repeated``."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            while True:
                s = np.int64(uniform(stream) * n)
                if skip and s == i:
                    continue
                if repeated or seen[s] != i:
                    break
            seen[s] = i
            out[i, j] = s
