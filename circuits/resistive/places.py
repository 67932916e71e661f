"""Places on a network: single nodes and node pairs, as numbers."""

from __future__ import annotations

import numpy as np

from physlearn.checks import seen, sequence


def terminals_of(argument, places, number):
    """Labels and node numbers of places.

    Parameters
    ----------
    argument : str
        Their name in errors.
    places : sequence
        Nodes and pairs of nodes, mixed; lists stand for tuples (as read from a file).
    number : mapping of node to int

    Returns
    -------
    labels : tuple of places
    ends : (k, 2) array of int
        -1 in the second column for a single node.
    """
    places = sequence(argument, places, expected="a list of nodes and node pairs")
    labels, ends = [], []
    for place in places:
        place = tuple(place) if isinstance(place, list | np.ndarray) else place
        is_node = is_known(place, number)
        is_pair = isinstance(place, tuple) and len(place) == 2 and all(is_known(p, number) for p in place)
        if is_node and is_pair:
            raise ValueError(
                f"{argument}: {place!r} is a node, and a pair of nodes as well; relabel the graph: "
                "networkx.convert_node_labels_to_integers(graph)"
            )
        if is_pair and place[0] == place[1]:
            raise ValueError(f"{argument}: the pair {place!r} is one node twice; its drop is zero")
        if not (is_node or is_pair):
            raise ValueError(
                f"{argument}: {seen(place)} is neither a node nor a pair of nodes of the graph, whose "
                f"nodes are {_some(number)}"
            )
        labels.append(place)
        ends.append((number[place], -1) if is_node else (number[place[0]], number[place[1]]))
    if not ends:
        raise ValueError(f"{argument}: it is empty; name at least one node or pair, or leave it out")
    return tuple(labels), np.array(ends, dtype=np.int64)


def drop_rows(ends, n):
    """Sparse (k, n) rows: +1 on the first node of each place, -1 on the second of a pair."""
    import scipy.sparse as sp

    k = np.arange(len(ends))
    pair = np.flatnonzero(ends[:, 1] >= 0)
    rows, columns = np.concatenate([k, pair]), np.concatenate([ends[:, 0], ends[pair, 1]])
    signs = np.concatenate([np.ones(len(k)), -np.ones(len(pair))])
    return sp.csr_matrix((signs, (rows, columns)), (len(ends), n))


def is_known(label, number):
    """Whether something is a label among these."""
    try:
        return label in number
    except TypeError:  # unhashable, so no label of a graph
        return False


def _some(number):
    shown = ", ".join(repr(node) for node in list(number)[:6])
    return shown + (f" and {len(number) - 6} more" if len(number) > 6 else "")
