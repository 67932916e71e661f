"""All resistances of a network to the last digits, whatever decades its conductances span: no number is subtracted.

Eliminating a node k leaves a network that is the same seen from the others (the star-mesh transformation, Rosen 1924):

    g_ij  <-  g_ij + g_ik g_kj / s_k,    s_k = sum of the g_kj of nodes that are left,

sums and products of positive numbers only, so that each is right to a few roundings (Grassmann, Taksar and Heyman 1985
found this for Markov chains).  Two nodes that are left are joined by 1/R.  All pairs are reached by halving: blocks of
nodes are halved, and every pair of halves is seen from a pair of blocks by eliminating the other half of its nodes.
A level holds half as many nodes in four times as many networks, so that the work is a few dense inverses, O(n^3), and
memory O(n^2).
"""

from __future__ import annotations

import itertools

import numpy as np

from physlearn.kernels.jit import kernel

PANEL = 32  # nodes eliminated before the rest of the network is told, in one product of matrices
MOST = 3000  # nodes of a dense network
SMALL = 96  # nodes of a network that is told of each at once


def all_resistances(g):
    """Resistances (n, n) of a connected network of conductances g (n, n), symmetric; its diagonal is not read."""
    n = len(g)
    if n == 1:
        return np.zeros((1, 1))
    unit = float(g[g > 0].max())
    # each network joins two of the blocks; the first one joins both halves of all nodes
    g, labels = _even((g / unit)[None], np.arange(n)[None])
    half = labels.shape[1] // 2
    labels, first, second = labels.reshape(2, half), np.array([0]), np.array([1])
    while labels.shape[1] > 1:
        if labels.shape[1] % 2:
            g, labels = _even(g, labels)
        quarter = labels.shape[1] // 2
        a, b, c, d = np.arange(4 * quarter).reshape(4, quarter)  # halves of the first block, and of the second
        own = np.flatnonzero((first ^ 1) == second)
        every = np.arange(len(g))
        children = [
            (every, a, c, 2 * first, 2 * second),
            (every, a, d, 2 * first, 2 * second + 1),
            (every, b, c, 2 * first + 1, 2 * second),
            (every, b, d, 2 * first + 1, 2 * second + 1),
            (own, a, b, 2 * first, 2 * first + 1),
            (own, c, d, 2 * second, 2 * second + 1),
        ]
        seen = [_seen_from(g, np.append(left, right), which) for which, left, right, _, _ in children]
        first, second = (np.concatenate([child[k][child[0]] for child in children]) for k in (3, 4))
        g, labels = np.concatenate(seen), labels.reshape(-1, quarter)
    i, j = labels[first, 0], labels[second, 0]
    real = (i >= 0) & (j >= 0)
    out = np.zeros((n, n))
    out[i[real], j[real]] = out[j[real], i[real]] = 1.0 / g[real, 0, 1] / unit
    return out


def seen_between(i, j, g, n, kept):
    """Conductances between the kept of n nodes, dense; those of the network are g[k] > 0 from i[k] to j[k].

    Nodes of up to three neighbours are eliminated first, one by one (parts in series, stars made triangles), which
    fills nothing in.  None where more than `MOST` are left.
    """
    near: list[dict] = [{} for _ in range(n)]
    for a, b, value in zip(i.tolist(), j.tolist(), g.tolist(), strict=True):
        near[a][b] = near[b][a] = near[a].get(b, 0.0) + value
    held, left = set(kept.tolist()), np.ones(n, bool)
    waiting = [k for k in range(n) if k not in held]
    while waiting:
        k = waiting.pop()
        own = near[k]
        if not left[k] or len(own) > 3:
            continue
        left[k], total = False, sum(own.values())
        for a in own:
            del near[a][k]
        for a, b in itertools.combinations(own, 2):
            near[a][b] = near[b][a] = near[a].get(b, 0.0) + own[a] * (own[b] / total)
        waiting += [a for a in own if a not in held]
    rest = np.flatnonzero(left)
    if len(rest) > MOST:
        return None
    place = np.full(n, -1)
    place[rest] = np.arange(len(rest))
    dense = np.zeros((1, len(rest), len(rest)))
    for a in rest.tolist():
        dense[0, place[a], place[list(near[a])]] = list(near[a].values())
    return _seen_from(dense, place[kept], np.zeros(1, int))[0]


def _even(g, labels):
    """The networks with a further node in each block, labelled -1, that hangs from its first and alters nothing."""
    blocks, size = g.shape[-1] // labels.shape[1], labels.shape[1]
    if size % 2 == 0:
        return g, labels
    place = np.arange(blocks * size).reshape(blocks, size)
    moved = (place + place // size).ravel()
    out = np.zeros((len(g), blocks * (size + 1), blocks * (size + 1)))
    out[:, moved[:, None], moved] = g
    host, hung = (size + 1) * np.arange(blocks), (size + 1) * np.arange(blocks) + size
    out[:, host, hung] = out[:, hung, host] = 1.0
    return out, np.pad(labels, ((0, 0), (0, 1)), constant_values=-1)


def _seen_from(g, kept, which):
    """Conductances between the kept nodes of some of many networks g (k, m, m), all others eliminated."""
    m = g.shape[1]
    dropped = np.setdiff1d(np.arange(m), kept)
    order = np.append(dropped, kept)
    g = g[which[:, None, None], order[:, None], order]
    last = len(dropped)
    if m <= SMALL:
        eliminate(g, 0, last, m)
        return g[:, last:, last:]
    for start in range(0, last, PANEL):
        stop = min(start + PANEL, last)
        eliminate(g, start, stop, stop)
        left, total = g[:, start:stop, stop:], np.diagonal(g, axis1=1, axis2=2)[:, start:stop, None]
        g[:, stop:, stop:] += np.swapaxes(left, 1, 2) @ (left / total)
    return g[:, last:, last:]


@kernel
def eliminate(g, first, last, rows):
    """Eliminate nodes first .. last - 1 of networks g (k, m, m) in turn, and tell those up to ``rows`` - 1.

    Reads and writes the upper triangle; the diagonal takes the sums s_k.  Where all are told, the lower one follows.
    """
    m = g.shape[1]
    for c in range(len(g)):
        for k in range(first, last):
            row = g[c, k]
            total = 0.0
            for j in range(k + 1, m):
                total += row[j]
            row[k] = total
            for i in range(k + 1, rows):
                share, to = row[i] / total, g[c, i]
                for j in range(i + 1, m):
                    to[j] += share * row[j]
        if rows == m:
            for i in range(last, m):
                for j in range(i + 1, m):
                    g[c, j, i] = g[c, i, j]
