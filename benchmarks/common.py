"""What the benchmarks share: graphs, processor time, one printed table."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import resource
import time

import numpy as np


def grid_pairs(n, periodic=False):
    """Edges of an n x n grid, (m, 2)."""
    i = np.arange(n * n).reshape(n, n)
    if periodic:
        right, down = np.roll(i, -1, 1).ravel(), np.roll(i, -1, 0).ravel()
        return np.concatenate([np.stack([i.ravel(), right], 1), np.stack([i.ravel(), down], 1)])
    across = np.stack([i[:, :-1].ravel(), i[:, 1:].ravel()], 1)
    along = np.stack([i[:-1].ravel(), i[1:].ravel()], 1)
    return np.concatenate([across, along])


def processor_time():
    """Seconds of this process and its finished children, all threads."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def seconds(function, repeats=5):
    """Median processor time of calls to ``function``, and its last result."""
    times, result = [], None
    for _ in range(repeats):
        start = processor_time()
        result = function()
        times.append(processor_time() - start)
    return float(np.median(times)), result


def table(title, rows, columns=("what", "value", "ratio to ours")):
    """Print rows as a Markdown table under a title."""
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")
