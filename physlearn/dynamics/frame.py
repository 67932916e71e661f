"""Split of a state by clamps: x = z[cluster] + shift @ u, with z free and u given.

A clamp on variables fixes them; a clamp on the difference of two variables (a voltage source between
two nodes) ties them into one free variable with an offset.  Both are a forest over the variables and
one more node of value zero, so one breadth-first walk eliminates them exactly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.checks import array as numbers
from physlearn.energy import System
from physlearn.systems import variables


class Frame(NamedTuple):
    """The layers concatenated (n variables), of which m combinations are free.

    ``cluster`` (n,): the free variable each variable follows, -1 where it is given.  ``shift`` (n, s)
    and ``push`` (n, f) are sparse: what given values add to the state, what given forces push on.
    ``values`` and ``forces`` locate each clamp's columns in u and in the forces.  ``picks`` are the variables that
    given values are, in order, where all are values of single variables: a slice, or (s,) numbers.
    """

    offset: dict
    cluster: np.ndarray
    m: int
    shift: Any
    push: Any
    values: dict
    forces: dict
    picks: Any = None

    def base(self, u):
        """shift @ u: what given values (batch, s) add to the state, (batch, n)."""
        if self.picks is None or u.dtype != float:
            return (self.shift @ u.T).T
        out = np.zeros((len(self.cluster), len(u)))
        out[self.picks] = u.T + 0.0  # a sum, as of a product: no negative zero
        return out.T

    def pushed(self, force):
        """push @ force: what given forces (batch, f) push with, (batch, n)."""
        if not force.shape[1] and force.dtype == float:
            return np.zeros((len(self.cluster), len(force))).T
        return (self.push @ force.T).T

    def collect(self, y):
        """P^T y, the force on the free variables, (..., n) -> (..., m)."""
        kept = self.cluster >= 0
        if self.m == np.count_nonzero(kept):  # nothing tied: a selection
            return y[..., kept]
        out = np.zeros((*y.shape[:-1], self.m), y.dtype)
        np.add.at(out.T, self.cluster[kept], y[..., kept].T)
        return out

    def spread(self, z):
        """P z: free variables to all, zero where given, (..., m) -> (..., n)."""
        if self.m == 0:
            return np.zeros((*z.shape[:-1], len(self.cluster)), z.dtype)
        return np.where(self.cluster >= 0, z[..., self.cluster], 0.0)


def concatenate(system: System, x):
    """A state {layer: (batch, *shape)} as (batch, n), the layers one after another."""
    return np.concatenate([x[name].reshape(len(x[name]), -1) for name in system.layers], 1)


def separate(system: System, flat):
    """An array (batch, n) as a state {layer: (batch, *shape)} of views."""
    out, start = {}, 0
    for name, layer in system.layers.items():
        out[name] = flat[:, start : start + layer.size].reshape(-1, *layer.shape)
        start += layer.size
    return out


def wrapped(system: System, x):
    """A state whose real angles are in [-pi, pi)."""
    periodic = {name: layer.kind for name, layer in system.layers.items() if hasattr(layer.kind, "wrap")}
    return {name: periodic[name].wrap(v) if name in periodic and v.dtype.kind == "f" else v for name, v in x.items()}


def held(system: System, x):
    """A state of numbers as states hold them: codes as integers."""
    return {name: system.layers[name].held(value) for name, value in x.items()}


def frame_of(system: System, clamps: tuple[str, ...]) -> Frame:
    """The frame for clamps on these readouts, made once per system and kept in its plans."""
    key = ("frame", clamps)
    if key not in system.plans:
        system.plans[key] = _build(system, clamps)
    return system.plans[key]


def _build(system, clamps):
    import scipy.sparse as sp

    variables(system)
    offset, n = {}, 0
    for name, layer in system.layers.items():
        offset[name] = n
        n += layer.size
    ties, pushes, values, forces = [], [], {}, {}
    for name in clamps:
        if not system.readouts[name].force and system.readouts[name].rows is None:  # variables, each by itself
            index = index_of(system, name) + offset[system.readouts[name].layer]
            values[name] = slice(len(ties), len(ties) + index.size)
            ties.extend((name, i, n, 1.0) for i in index.tolist())
            continue
        rows = rows_of(system, name, offset, n)
        if system.readouts[name].force:
            forces[name] = slice(len(pushes), len(pushes) + rows.shape[0])
            pushes.extend(rows)
        else:
            values[name] = slice(len(ties), len(ties) + rows.shape[0])
            ties.extend((name, *_tie(name, row, n)) for row in rows)
    push = sp.vstack(pushes, "csr").T.tocsr() if pushes else sp.csr_matrix((n, 0))
    root, shift = _walk(ties, n, lambda i: name_of(system, i))
    anchored = root == n
    roots = np.unique(root[:n][~anchored[:n]])
    cluster = np.where(anchored[:n], -1, np.searchsorted(roots, root[:n]))
    single = all(b == n and scale == 1.0 for _, _, b, scale in ties)
    picks: Any = np.array([a for _, a, _, _ in ties], np.int64) if single else None
    if single and len(picks) and np.all(np.diff(picks) == 1):
        picks = slice(int(picks[0]), int(picks[-1]) + 1)
    return Frame(offset, cluster.astype(np.int64), len(roots), shift, push, values, forces, picks)


def rows_of(system, name, offset, n) -> Any:
    """A readout as a sparse (k, n) matrix over the concatenation; ``offset`` maps layers to their first variable."""
    import scipy.sparse as sp

    readout = system.readouts[name]
    start = offset[readout.layer]
    if readout.rows is not None:
        rows: Any = sp.coo_matrix(readout.rows)
        return sp.csr_matrix((rows.data, (rows.row, rows.col + start)), (rows.shape[0], n))
    index = index_of(system, name)
    return sp.csr_matrix((np.ones(index.size), (np.arange(index.size), index + start)), (index.size, n))


def index_of(system, name):
    """The variables of its layer that a readout without rows reads, (k,)."""
    readout = system.readouts[name]
    return np.arange(system.layers[readout.layer].size) if readout.index is None else np.ravel(readout.index)


def _tie(name, row, n):
    """(a, b, scale) for a clamp that says x_a - x_b = scale * u, where b = n stands for zero."""
    index, weight = row.indices[row.data != 0], row.data[row.data != 0]
    if index.size == 1:
        return index[0], n, 1.0 / weight[0]
    if index.size == 2 and weight[0] == -weight[1]:
        a, b = (index[0], index[1]) if weight[0] > 0 else (index[1], index[0])
        return a, b, 1.0 / abs(weight[0])
    raise ValueError(
        f"clamp {name!r}: a row combines {index.size} variables with weights {weight.tolist()}; only single "
        "variables and differences of two can be clamped exactly. Clamp those, or nudge this readout instead"
    )


def _walk(ties, n, name_of):
    import scipy.sparse as sp

    root = np.arange(n + 1)
    if all(b == n for _, _, b, _ in ties):  # single variables only: no walk needed
        index = np.array([a for _, a, _, _ in ties], dtype=np.int64)
        twice = np.flatnonzero(np.bincount(index, minlength=1) > 1)
        if twice.size:
            names = [name for name, a, _, _ in ties if a == twice[0]]
            raise ValueError(f"clamp: {name_of(twice[0])} is clamped twice, by {names}; clamp it once")
        root[index] = n
        scale = np.array([s for *_, s in ties], dtype=float)
        return root, sp.csr_matrix((scale, (index, np.arange(len(ties)))), (n, len(ties)))
    neighbours: dict[int, list] = {}
    for column, (_, a, b, scale) in enumerate(ties):
        neighbours.setdefault(a, []).append((b, column, -scale))
        neighbours.setdefault(b, []).append((a, column, scale))
    offsets, used = {}, set()
    for start in [n, *sorted(set(neighbours) - {n})]:
        if start in offsets:
            continue
        offsets[start], queue = {}, [start]
        for a in queue:
            for b, column, scale in neighbours.get(a, ()):
                if column in used:
                    continue
                used.add(column)
                if b in offsets:
                    name = ties[column][0]
                    ends = " and ".join("zero (ground)" if i == n else name_of(i) for i in (a, b))
                    raise ValueError(
                        f"clamp {name!r}: over-determined. The difference between {ends} already follows from "
                        "the other clamps (they close a loop); drop one of them"
                    )
                offsets[b] = {**offsets[a], column: scale}
                root[b] = start
                queue.append(b)
    entries = [(node, column, scale) for node, off in offsets.items() if node < n for column, scale in off.items()]
    rows, columns, data = zip(*entries, strict=True) if entries else ((), (), ())
    return root, sp.csr_matrix((np.array(data, float), (rows, columns)), (n, len(ties)))


def name_of(system, i):
    """Name of variable i of the concatenation in error messages: its label where a term gives one."""
    for name, layer in system.layers.items():
        if i < layer.size:
            labels = [t.labels for t in system.terms if name in t.layers and getattr(t, "labels", None) is not None]
            return f"node {labels[0][i]!r}" if labels else f"variable {i} of layer {name!r}"
        i -= layer.size
    raise IndexError(i)


def given(system: System, frame: Frame, clamp, batch=None):
    """Values u (batch, s) and forces (batch, f) of ``clamp``, {readout: (k,) or (batch, k)}, in the frame's order."""
    blocks = {}
    for name, value in clamp.items():
        where = frame.values[name] if name in frame.values else frame.forces[name]
        width = where.stop - where.start
        value = numbers(f"clamp[{name!r}]", value, finite=False, dtype=None)
        array = value.astype(np.result_type(value, float))
        if array.ndim and not len(array):
            raise ValueError(f"clamp[{name!r}]: shape {value.shape}, expected at least one item")
        if array.ndim == 0:
            array = np.full((1, width), array)
        elif array.ndim == 1:
            array = array.reshape(-1, width) if width in (1, array.size) else array
        else:
            array = array.reshape(len(array), -1)
        if array.ndim != 2 or array.shape[1] != width:
            raise ValueError(f"clamp[{name!r}]: shape {value.shape}, expected ({width},) or (batch, {width})")
        if not np.all(np.isfinite(array)):
            raise ValueError(
                f"clamp[{name!r}]: {np.sum(~np.isfinite(array))} values are NaN or infinite, expected finite numbers"
            )
        blocks[name] = array
    sizes = {len(a) for a in blocks.values()} | ({batch} if batch else set())
    if len(sizes - {1}) > 1:
        raise ValueError(
            f"clamp: batches of { {k: len(v) for k, v in blocks.items()} } do not fit together (batch {max(sizes)})"
        )
    size = max(sizes, default=1)

    def stack(slices):
        parts = [np.broadcast_to(blocks[name], (size, blocks[name].shape[1])) for name in slices]
        return np.concatenate(parts, 1) if parts else np.zeros((size, 0))

    return stack(frame.values), stack(frame.forces)
