"""Order parameters of an assembly: overlap with every structure, its largest cluster, and the name of its state.

Codes sigma(x) are 0 (empty) or a species 1..N.  A *contact* is a pair of occupied neighbour sites, a *bond* a contact
that at least one structure holds between the same two species (in the same direction, unless bonds are isotropic).
A structure that closes on itself (``periodic``) also holds the bonds across its edges, as `structures.store` has it.
Clusters are connected by contacts.  Of the largest cluster,

    specific     share of its contacts that are bonds
    content_s    share of its contacts that are bonds of structure s
    error        1 - max_s content_s, the error rate per contact
    chimera      1 - max_s content_s / specific, the share of its bonds that its main structure does not hold
    promiscuous  1 - specific, contacts that no structure holds
    crystalline  share of its molecules more than half of whose contacts one structure holds: nearly all of a
                 structure, most of a chimera (all but the walls between its domains), few of a liquid

A structure of M sites retrieved at one place has overlap (sites in place)/M; the overlap is the largest over all
translations and, where bonds are isotropic, over the rotations and reflections of the lattice.

States are named after the regions of Murugan, Zeravcic, Brenner and Leibler 2015 (PNAS 112, 54), fig. 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, flag, number
from physlearn.models.assembly.registration import check_states, registration
from physlearn.terms.lattice import Lattice

__all__ = ["AssemblyOrder", "assembly_order", "site_labels", "time_to_assembly"]


class AssemblyOrder(NamedTuple):
    """Order parameters of a batch of states; formulas in the module's docstring.

    Attributes
    ----------
    overlap : (batch, m) array
    density : (batch,) array
        Share of sites that are occupied.
    largest : (batch,) array of int
        Sites of the largest cluster.
    content : (batch, m) array
    specific, chimera, promiscuous, error, crystalline : (batch,) array
        Zero where no molecules touch.
    main : (batch,) array of int
        The structure that holds most of the largest cluster's contacts; -1 where it holds none.
    name : (batch,) array of str
        "retrieved", "chimera", "liquid" or "dispersed".
    """

    overlap: np.ndarray
    density: np.ndarray
    largest: np.ndarray
    content: np.ndarray
    specific: np.ndarray
    chimera: np.ndarray
    promiscuous: np.ndarray
    error: np.ndarray
    crystalline: np.ndarray
    main: np.ndarray
    name: np.ndarray

    __repr__ = brief


def assembly_order(states, structures, lattice, *, isotropic=False, periodic=False, grown=0.5, pure=0.8, ordered=0.5):
    """Order parameters of states and the name of each.

    Parameters
    ----------
    states : (batch, *shape) or (*shape,) array of int
        Codes, 0 for an empty site.
    structures : sequence of Structure or arrays of int
        Species of each place, 0 where there is none.
    lattice : Lattice
        Its ``shape``, ``kind`` and ``periodic`` are used.
    isotropic : bool
        Bonds have no direction: those of a structure hold in all, and its rotations and reflections count.
    periodic : bool
        Whether each structure closes on itself.
    grown : float
        A largest cluster of fewer sites than this share of the smallest structure is "dispersed".
    pure : float
        Content of the main structure from which a cluster is "retrieved".
    ordered : float
        Crystalline share from which any other cluster is a "chimera"; below it is "liquid".

    Returns
    -------
    AssemblyOrder

    Raises
    ------
    ValueError
        Codes or shapes that do not fit; thresholds outside (0, 1].

    Notes
    -----
    Two copies of one structure that have fused count as that structure.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.terms import Lattice
    >>> lattice = Lattice((4, 4))
    >>> block = np.array([[1, 2], [3, 4]])
    >>> state = np.zeros((4, 4), int)
    >>> state[1:3, 2:4] = block
    >>> found = assembly_order(state, [block, block.T], lattice)
    >>> found.name[0], found.overlap[0].tolist(), found.error.tolist()
    (np.str_('retrieved'), [1.0, 0.5], [0.0])
    """
    for name, value in (("grown", grown), ("pure", pure), ("ordered", ordered)):
        if not 0 < number(name, value) <= 1:
            raise ValueError(f"{name}: got {value!r}, expected a share in (0, 1]")
    isotropic, periodic = flag("isotropic", isotropic), flag("periodic", periodic)
    states, cells = check_states(states, structures, lattice)
    overlap = registration(states, cells, lattice, rotations=isotropic).overlap
    keys = [_structure_keys(c, lattice.kind, isotropic, periodic) for c in cells]
    largest = np.zeros(len(states), np.int64)
    content = np.zeros((len(states), len(cells)))
    specific, crystalline = np.zeros(len(states)), np.zeros(len(states))
    for row, state in enumerate(states):
        left, right, holds = _contacts(state.ravel(), lattice, keys, isotropic)
        cluster, largest[row] = _largest_cluster(state.ravel() > 0, left, right)
        within = cluster[left]
        if within.any():
            content[row] = holds[:, within].mean(1)
            specific[row] = holds[:, within].any(0).mean()
            touching, held = (
                _per_site(left, right, state.size),
                [_per_site(left[h], right[h], state.size) for h in holds],
            )
            crystalline[row] = np.mean(2 * np.max(held, 0)[cluster] > touching[cluster])
    best = content.max(1)
    touch = largest > 1
    name = np.where(best >= pure, "retrieved", np.where(crystalline >= ordered, "chimera", "liquid"))
    return AssemblyOrder(
        overlap=overlap,
        density=np.mean(states.reshape(len(states), -1) > 0, 1),
        largest=largest,
        content=content,
        specific=specific,
        chimera=np.where(specific > 0, 1 - best / np.where(specific > 0, specific, 1.0), 0.0),
        promiscuous=np.where(touch, 1 - specific, 0.0),
        error=np.where(touch, 1 - best, 0.0),
        crystalline=crystalline,
        main=np.where(best > 0, content.argmax(1), -1),
        name=np.where(largest < grown * min(np.count_nonzero(c) for c in cells), "dispersed", name),
    )


def site_labels(state, structures, lattice, *, isotropic=False, periodic=False):
    """Structure that each site belongs to: the one that holds most of its bonds.

    Parameters
    ----------
    state : (*shape,) array of int
    structures, lattice, isotropic, periodic
        As of `assembly_order`.

    Returns
    -------
    (*shape,) array of int
        -2 empty, -1 occupied without a bond, otherwise the structure's number; ties go to the structure that holds
        most bonds of the whole state.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.terms import Lattice
    >>> lattice = Lattice((2, 4), periodic=False)
    >>> site_labels([[1, 2, 0, 5], [3, 4, 0, 0]], [[[1, 2], [3, 4]]], lattice).tolist()
    [[0, 0, -2, -1], [0, 0, -2, -2]]
    """
    isotropic, periodic = flag("isotropic", isotropic), flag("periodic", periodic)
    states, cells = check_states(state, structures, lattice, "state")
    if len(states) != 1:
        raise ValueError(f"state: got a batch of {len(states)}, expected one state of shape {tuple(lattice.shape)}")
    flat = states[0].ravel()
    keys = [_structure_keys(c, lattice.kind, isotropic, periodic) for c in cells]
    left, right, holds = _contacts(flat, lattice, keys, isotropic)
    votes = np.stack([_per_site(left[h], right[h], flat.size) for h in holds])
    score = votes + holds.sum(1)[:, None] / (1.0 + holds.sum())
    label = np.where(votes.max(0) > 0, score.argmax(0), -1)
    return np.where(flat == 0, -2, label).reshape(states[0].shape)


def time_to_assembly(times, overlap, *, threshold=0.9):
    """First time at which each run's overlap reaches a threshold.

    Parameters
    ----------
    times : (k,) array
        Increasing.
    overlap : (..., k) array
    threshold : float

    Returns
    -------
    (...) array
        Infinite where it is never reached.

    Examples
    --------
    >>> time_to_assembly([0.0, 2.0, 5.0], [[0.1, 0.95, 1.0], [0.1, 0.2, 0.3]])
    array([ 2., inf])
    """
    times, overlap, threshold = array("times", times), array("overlap", overlap), number("threshold", threshold)
    if times.ndim != 1 or overlap.shape[-1:] != times.shape or np.any(np.diff(times) < 0):
        raise ValueError(f"times, overlap: shapes {times.shape}, {overlap.shape}; expected (k,), rising, and (..., k)")
    reached = overlap >= threshold
    return np.where(np.any(reached, -1), times[np.argmax(reached, -1)], np.inf)


def _key(direction, a, b, isotropic):
    """One integer for a pair of species in a direction."""
    if isotropic:
        direction, a, b = 0, np.minimum(a, b), np.maximum(a, b)
    return (np.int64(direction) << 60) + (a.astype(np.int64) << 30) + b


def _structure_keys(cell, kind, isotropic, periodic):
    """Sorted keys of the bonds of a structure."""
    return np.unique(_pairs(cell.ravel(), Lattice(cell.shape, kind, periodic), isotropic)[2])


def _pairs(flat, lattice, isotropic):
    """Occupied neighbour pairs of one state, each once: two sites and the key of what lies there."""
    left, right, key = [], [], []
    for direction in range(lattice.directions):
        there = lattice.neighbours[:, direction]
        i = np.flatnonzero((there >= 0) & (flat > 0) & (flat[there] > 0))
        left.append(i)
        right.append(there[i])
        key.append(_key(direction, flat[i], flat[there[i]], isotropic))
    return np.concatenate(left), np.concatenate(right), np.concatenate(key)


def _contacts(flat, lattice, keys, isotropic):
    """Occupied neighbour pairs of one state and, (m, contacts), whether each structure holds them."""
    left, right, key = _pairs(flat, lattice, isotropic)
    return left, right, np.stack([np.isin(key, own) for own in keys])


def _per_site(left, right, sites):
    """Contacts of every site."""
    return np.bincount(np.concatenate([left, right]), minlength=sites)


def _largest_cluster(occupied, left, right):
    """Sites of the largest set of molecules that hang together, (sites,) bool, and their number."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(occupied)
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    label = np.asarray(connected_components(graph, directed=False)[1])
    sizes = np.bincount(label[occupied], minlength=1)
    return occupied & (label == sizes.argmax()), int(sizes.max())
