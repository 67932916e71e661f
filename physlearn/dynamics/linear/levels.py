"""Width and depth of a sparse matrix's graph, by breadth-first walks; they predict the fill-in."""

import numpy as np

from physlearn.kernels.jit import kernel


def width_and_depth(indptr, indices):
    """Largest level and number of levels of a breadth-first walk from a far end.

    Parameters
    ----------
    indptr, indices : int arrays
        A symmetric sparsity pattern, compressed by rows or columns.

    Returns
    -------
    width, depth : int
        Over all connected parts: the largest level, and the most levels.
    """
    return _walk(np.asarray(indptr, np.int32), np.asarray(indices, np.int32))


@kernel
def _walk(indptr, indices):
    m = indptr.size - 1
    seen = np.zeros(m, np.int32)
    queue = np.empty(m, np.int32)
    width = depth = stamp = 0
    for root in range(m):
        if seen[root] != 0:
            continue
        start = root
        for _ in range(2):  # the second walk starts at the last node of the first: a far end
            stamp += 1
            queue[0], head, tail, levels = start, 0, 1, 0
            seen[start] = stamp
            widest = 0
            while head < tail:
                end = tail
                widest = max(widest, end - head)
                levels += 1
                while head < end:
                    node = queue[head]
                    head += 1
                    for p in range(indptr[node], indptr[node + 1]):
                        other = indices[p]
                        if seen[other] != stamp:
                            seen[other] = stamp
                            queue[tail] = other
                            tail += 1
            start = queue[tail - 1]
        width, depth = max(width, widest), max(depth, levels)
    return width, depth
