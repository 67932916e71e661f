"""Energies that kernels evaluate themselves: the sum of terms with a `Potential`, and of quadratic ones.

Terms without a potential that have `quadratic` share one, over rows of A, where at least one other term brings its own.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.dynamics.frame import separate
from physlearn.kernels import potentials
from physlearn.kernels.jit import kernel
from physlearn.kernels.potentials import call_potential
from physlearn.parts import Potential


class Form(NamedTuple):
    """All potentials of a problem as kernels take them.

    ``table`` (terms + 1, 3) is where each one's entries of ``index``, ``ints`` and ``floats`` begin; ``index`` are its
    variables among all n, ``cluster`` (n,) the free variable that each one follows, or -1.
    """

    addresses: np.ndarray
    table: np.ndarray
    index: np.ndarray
    ints: np.ndarray
    floats: np.ndarray
    cluster: np.ndarray


def missing(problem):
    """Why kernels cannot evaluate the problem's energy themselves, or None."""
    own = [term for term in problem.system.terms if getattr(term, "potential", None) is not None]
    if not own:
        return "no term has a `potential`"
    lacking = [type(t).__name__ for t in problem.system.terms if t not in own and not hasattr(t, "quadratic")]
    if lacking:
        return f"{lacking[0]} has neither `potential` nor `quadratic`"
    return "a cost nudges it" if problem.nudges else None


def form_of(problem) -> Form:
    """The problem's `Form`; its terms must have what `missing` asks for."""
    offset, system = problem.frame.offset, problem.system
    parts = [(term, *_prepared(term, system.theta)) for term in system.terms if _own(term)]
    index = [_variables(system, offset, term) for term, *_ in parts]
    addresses = [potentials.address(term.potential.force) for term, *_ in parts]
    ints, floats = [part[1] for part in parts], [part[2] for part in parts]
    rest = [term for term in system.terms if not _own(term)]
    if rest:
        shared = _quadratic(system, offset, rest)
        addresses.append(potentials.address(_rows))
        index.append(np.arange(len(problem.frame.cluster)))
        ints.append(shared[0])
        floats.append(shared[1])
    table = np.zeros((len(addresses) + 1, 3), np.int64)
    for column, arrays in enumerate((index, ints, floats)):
        table[1:, column] = np.cumsum([len(a) for a in arrays])
    joined = [np.concatenate(arrays) for arrays in (index, ints, floats)]
    cluster = np.ascontiguousarray(problem.frame.cluster, np.int64)
    return Form(np.array(addresses, np.int64), table, joined[0].astype(np.int64), joined[1], joined[2], cluster)


def mistake(problem, form, x):
    """The error to raise where a potential failed at a state x (n,)."""
    own = [term for term in problem.system.terms if _own(term)]
    for k, term in enumerate(own):
        (i, a, b), (j, c, d) = form.table[k], form.table[k + 1]
        y = np.ascontiguousarray(x[form.index[i:j]])
        energy, force = np.empty(1), np.zeros((1, len(y)))
        if potentials.evaluate(form.addresses[k], y[None], form.ints[a:c], form.floats[b:d], energy, force) >= 0:
            return potentials.mistake(
                f"potential of {type(term).__name__}", term.potential.force, y, form.ints[a:c], form.floats[b:d]
            )
    return ValueError("potential: it failed, but not again at the same state")


def _own(term):
    return getattr(term, "potential", None) is not None


def _prepared(term, theta):
    """The term's ints and floats, checked."""
    form = term.potential
    if not isinstance(form, Potential):
        raise TypeError(
            f"terms: the potential of {type(term).__name__} is a {type(form).__name__}, expected a Potential"
        )
    found = form.prepare(theta)
    for array, dtype in zip(found, (np.int64, np.float64), strict=True):
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
            raise ValueError(
                f"terms: prepare of {type(term).__name__}'s potential returned {getattr(array, 'dtype', type(array))}, "
                "expected lines of int64 and of float64"
            )
    return found


def _variables(system, offset, term):
    """Numbers of a term's variables, its layers each once."""
    names = dict.fromkeys(term.layers)
    return np.concatenate([np.arange(offset[name], offset[name] + system.layers[name].size) for name in names])


def _quadratic(system, offset, terms):
    """Sum of quadratic terms: ints are the rows of A, CSR, floats its constant, b and its entries."""
    import scipy.sparse as sp

    n = sum(layer.size for layer in system.layers.values())
    a, b, constant = sp.csr_matrix((n, n)), np.zeros(n), 0.0
    zero = separate(system, np.zeros((1, n)))
    for term in terms:
        part, force = term.quadratic(system.theta)
        where = _variables(system, offset, term)
        place: Any = sp.csr_matrix((np.ones(len(where)), (where, np.arange(len(where)))), (n, len(where)))
        a = a + place @ sp.csr_matrix(part) @ place.T
        b[where] += force
        constant += float(term.energy(zero, system.theta)[0])
    a = sp.csr_matrix(a)
    a.sum_duplicates()
    ints = np.concatenate([a.indptr, a.indices]).astype(np.int64)
    return ints, np.concatenate([[constant], b, a.data])


def _rows(x, ints, floats, f):
    n = x.size
    energy = floats[0]
    for i in range(n):
        pull = 0.0
        for k in range(ints[i], ints[i + 1]):
            pull += floats[1 + n + k] * x[ints[n + 1 + k]]
        f[i] = floats[1 + i] - pull
        energy += x[i] * (0.5 * pull - floats[1 + i])
    return energy


@kernel
def energy_and_force(form, base, push, z, scratch, g):
    """Energy, with the work of given forces, of free variables z (m,); writes the force on them to g (m,).

    Minus infinity where a potential failed.  ``base`` and ``push`` are of shape (n,), scratch of (4, n).
    """
    addresses, table, index, ints, floats, cluster = form
    x, f, y, h = scratch[0], scratch[1], scratch[2], scratch[3]
    energy = 0.0
    for i in range(cluster.size):
        c = cluster[i]
        x[i] = base[i]
        if c >= 0:
            x[i] += z[c]
        f[i] = push[i]
        energy -= push[i] * x[i]
    for t in range(addresses.size):
        first, k = table[t, 0], table[t + 1, 0] - table[t, 0]
        for j in range(k):
            y[j] = x[index[first + j]]
            h[j] = 0.0
        part = call_potential(
            addresses[t],
            y[:k],
            ints[table[t, 1] : table[t + 1, 1]],
            floats[table[t, 2] : table[t + 1, 2]],
            h[:k],
        )
        if part == -np.inf:
            return part
        energy += part
        for j in range(k):
            f[index[first + j]] += h[j]
    for c in range(g.size):
        g[c] = 0.0
    for i in range(cluster.size):
        if cluster[i] >= 0:
            g[cluster[i]] += f[i]
    return energy


@kernel
def evaluate(form, base, push, items, z, energy, force):
    """Energies (rows,) and forces (rows, m) of rows z of these items; the first row that fails, or -1."""
    scratch = np.empty((4, base.shape[1]))
    for r in range(z.shape[0]):
        energy[r] = energy_and_force(form, base[items[r]], push[items[r]], z[r], scratch, force[r])
        if energy[r] == -np.inf:
            return r
    return -1
