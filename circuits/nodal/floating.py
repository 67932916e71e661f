"""Which unknowns float: nodes that no conducting device joins to a given voltage."""

from __future__ import annotations

import numpy as np


def floating(plan, slopes):
    """(batch, m) bool: free nodes that float, given the devices' slopes (batch, devices, k)."""
    batch = len(slopes[0]) if slopes else 1
    out = np.zeros((batch, plan.m), bool)
    off = np.concatenate([np.all(slope == 0, 2) for slope in slopes], 1) if slopes else np.zeros((batch, 0), bool)
    cut = np.flatnonzero(off.any(1))
    if cut.size:  # items with the same devices cut off have the same nodes floating
        kinds, which = np.unique(np.packbits(off[cut], axis=1), axis=0, return_inverse=True)
        first = np.unique(which, return_index=True)[1]
        ends = np.cumsum([slope.shape[1] for slope in slopes])[:-1]
        loose = np.array([_loose(plan, np.split(off[cut[k]], ends)) for k in first]).reshape(len(kinds), plan.m)
        out[cut] = loose[which.ravel()]
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
