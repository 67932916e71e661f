"""Which unknowns float: nodes that no conducting device joins to a given voltage."""

from __future__ import annotations

import numpy as np


def floating(plan, slopes):
    """(batch, m) bool: free nodes that float, given the devices' slopes (batch, devices, k)."""
    batch = len(slopes[0]) if slopes else 1
    out = np.zeros((batch, plan.m), bool)
    off = [np.all(slope == 0, 2) for slope in slopes]
    for item in range(batch):
        if not any(part[item].any() for part in off):
            continue
        out[item] = _loose(plan, [part[item] for part in off])
    return out


def _loose(plan, off):
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components

    cluster, m = plan.frame.cluster, plan.m
    rows, columns, _ = plan.fixed_at
    ends = [np.stack([rows, columns])]
    for term, cut in zip(plan.devices, off, strict=True):
        both = ~cut & np.all(term.rows >= 0, 1)
        ends.append(term.rows[both].T)
    a, b = np.concatenate(ends, 1)
    a, b = np.where(cluster[a] < 0, m, cluster[a]), np.where(cluster[b] < 0, m, cluster[b])
    graph = sp.coo_matrix((np.ones(len(a)), (a, b)), (m + 1, m + 1))
    _, label = connected_components(graph, directed=False)
    return (label[:m] != label[m]) & plan.is_node
