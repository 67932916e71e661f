"""Compiled single-variable descent over terms with a `local` form, on one discrete layer.

Every variable in turn takes the value of lowest energy; a tie keeps the state.  The terms' own
functions are called from compiled code (see `kernels.cfuncs`).

Kernels know two values or codes.  A list of numbers is codes to them too, the numbers of its levels, under one form for
the sum of Pairs, Dense, Bias and Parabola.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from physlearn.dynamics.sites.fields import BUILT_IN, TWO_VALUES, total_couplings
from physlearn.energy import Local
from physlearn.kernels.cfuncs import COMMIT, GAP, address_of, call_commit, call_gap, compiled
from physlearn.kernels.checked import failure
from physlearn.kernels.jit import inlined, kernel
from physlearn.kinds import is_continuous, is_discrete, two_values, unstated
from physlearn.terms.parabola import Parabola

SPIN, BINARY, POTTS = 0, 1, 2


class Chain(NamedTuple):
    """The terms' functions and prepared arrays of one chain, as tuples of equal length."""

    gaps: tuple
    commits: tuple
    caches: tuple
    ints: tuple
    floats: tuple


def refusal(system):
    """Why there is no compiled descent for a system, or None."""
    if len(system.layers) != 1:
        return "it has more than one layer"
    name, (kind, _) = next(iter(system.layers.items()))
    if kind_code(kind) is None:
        known = is_continuous(kind) or is_discrete(kind)
        return (
            f"its kind {kind} is not Spin, Binary or Potts, nor another list of values"
            if known
            else unstated(name, kind)
        )
    if not system.terms:
        return "it has no terms"
    if by_number(kind):
        other = [type(t).__name__ for t in system.terms if type(t) not in (*BUILT_IN, Parabola)]
        return f"{other[0]} on {kind} is not Pairs, Dense, Bias or Parabola" if other else None
    own = [t for t in system.terms if not _built_in(system, t)]
    missing = [type(t).__name__ for t in own if getattr(t, "local", None) is None]
    return f"{missing[0]} has no `local`" if missing else None


def kind_code(kind: Any) -> Any:
    """A kind as kernels know it: (code, q), with q the number of values a variable can take; None for others."""
    if is_discrete(kind) and not kind.gap:
        return POTTS, len(kind.levels)
    pair = two_values(kind)
    return (TWO_VALUES.index(pair), 2) if pair in TWO_VALUES else None


def by_number(kind):
    """Whether kernels hold the numbers of a kind's levels where states hold the levels themselves."""
    return is_discrete(kind) and not kind.gap and not kind.coded


def prepare(system, x):
    """The `Chain` of one flat float64 state."""
    own = forms(system)
    arrays = [form.prepare(x, system.theta) for form in own]
    caches, ints, floats = (tuple(part) for part in zip(*arrays, strict=True))
    return Chain(
        tuple(compiled(form.gap, GAP) for form in own),
        tuple(compiled(form.commit, COMMIT) for form in own),
        # cfuncs take writeable arrays; theta, which prepare may hand on, is not
        tuple(np.require(a, np.float64, ["C", "W"]) for a in caches),
        tuple(np.require(a, np.int64, ["C", "W"]) for a in ints),
        tuple(np.require(a, np.float64, ["C", "W"]) for a in floats),
    )


def forms(system):
    """The terms' local forms; Pairs, Dense and Bias share one for their sum, made once."""
    if by_number(next(iter(system.layers.values())).kind):
        if "level form" not in system.numbers:
            system.numbers["level form"] = _level_form(system)
        return [system.numbers["level form"]]
    own = [t.local for t in system.terms if not _built_in(system, t)]
    if len(own) == len(system.terms):
        return own
    if "built-in form" not in system.numbers:
        system.numbers["built-in form"] = _built_in_form(system)
    return [*own, system.numbers["built-in form"]]


def _built_in(system, term):
    return type(term) in BUILT_IN and not next(iter(system.layers.values())).kind.coded


def _built_in_form(system):
    """The cache holds the fields, ints and floats the rows of the couplings, CSR."""
    j, b = total_couplings(system)
    ints = np.concatenate([[len(b)], j.indptr, j.indices]).astype(np.int64)
    floats = np.array(j.data, dtype=np.float64)
    return Local(lambda x, theta: (b + j @ x, ints, floats), _field, _spread)


def _field(i, x, cache, ints, floats, codes, f):
    f[0] = cache[i]
    return 1


def _spread(i, new, x, cache, ints, floats):
    at = 2 + ints[0]
    for k in range(ints[1 + i], ints[2 + i]):
        cache[ints[at + k]] += floats[k] * (new - x[i])


def _level_form(system):
    """As `_built_in_form`, over the numbers of levels; floats begin with the levels and the curvatures."""
    j, b = total_couplings(system)
    layer = next(iter(system.layers.values()))
    bends = [system.theta[t.parameter] for t in system.terms if type(t) is Parabola]
    curvature = sum((np.broadcast_to(k, layer.shape).ravel() for k in bends), np.zeros(layer.size))
    levels = layer.kind.levels
    ints = np.concatenate([[len(b), len(levels)], j.indptr, j.indices]).astype(np.int64)
    floats = np.concatenate([levels, curvature, j.data])
    return Local(lambda x, theta: (b + j @ levels[x.astype(np.int64)], ints, floats), _levels, _spread_levels)


def _levels(i, x, cache, ints, floats, codes, f):
    q = ints[1]
    for k in range(q):
        codes[k] = k
        f[k] = cache[i] * floats[k] - 0.5 * floats[q + i] * floats[k] * floats[k]
    return q


def _spread_levels(i, new, x, cache, ints, floats):
    n, q = ints[0], ints[1]
    step = floats[int(new)] - floats[int(x[i])]
    for k in range(ints[2 + i], ints[3 + i]):
        cache[ints[3 + n + k]] += floats[q + n + k] * step


def addresses(gaps, commits):
    """Addresses of the functions as kernels take them, a tuple each."""
    return tuple(address_of(gap) for gap in gaps), tuple(address_of(commit) for commit in commits)


def mistake(system, i, x, caches, ints, floats):
    """The error to raise where a term's gap or commit failed for variable i of a state, or listed impossible codes.

    caches, ints and floats as after the failure, one array per form of `forms`.
    """
    values = next(iter(system.layers.values())).kind.levels.astype(float)
    own = [term for term in system.terms if not _built_in(system, term)]
    for term, *arrays in zip(own, caches, ints, floats, strict=False):  # a built-in sum comes last
        codes, f = np.zeros(len(values), np.int64), np.zeros(len(values))
        given = {"gap": [(i, x, *arrays, codes, f)], "commit": [(i, new, x, *arrays) for new in values if new != x[i]]}
        functions = {"gap": term.local.gap, "commit": term.local.commit}
        error = failure(f"local form of {type(term).__name__}, variable {i}", functions, given)
        if error is not None:
            return error
    return ValueError(
        f"local: the terms {[type(term).__name__ for term in own]} failed for variable {i}: a gap that returned less "
        f"than 0 or more than {len(values)} codes, or a code that is none of 0 .. {len(values) - 1}; or an index "
        "outside its array or a division by zero, which plain Python does not repeat"
    )


def descend(system, x, order, push, max_sweeps):
    """Sweep one chain, x (n,) float64 as kernels hold it, changed in place, until nothing changes.

    Parameters
    ----------
    order : (k,) array of int64
        The variables that may move, in the order in which they are visited.
    push : (n,) array
        Further fields on Spin and Binary variables.

    Returns
    -------
    sweeps : int
    residual : float
        Largest energy still to be gained by one variable, from fresh caches.
    """
    code, q = kind_code(next(iter(system.layers.values())).kind)
    sweeps = 0
    while True:  # a cache drifts by rounding: rest counts only if fresh caches say so
        chain = prepare(system, x)
        calls = addresses(chain.gaps, chain.commits)
        used, gain = sweep_down(*calls, *chain[2:], x, order, push, code, q, max_sweeps - sweeps)
        if used < 0:
            raise mistake(system, int(gain), x, chain.caches, chain.ints, chain.floats)
        sweeps += used
        if used <= 1 or gain > 0:
            return sweeps, gain


@kernel
def sweep_down(gaps, commits, caches, ints, floats, x, order, push, code, q, max_sweeps):
    """Visit the variables until a sweep changes nothing; (sweeps, largest gain left), or (-1, i) where terms failed."""
    codes, f, listed, total = np.zeros(q, np.int64), np.zeros(q), np.zeros(2 * q, np.int64), np.zeros(q)
    for sweep in range(max_sweeps):
        changed = False
        for i in order:
            new, gain = _best(gaps, caches, ints, floats, i, x, push, code, q, codes, f, listed, total)
            if np.isnan(new):
                return -1, float(i)
            if gain > 0.0:
                for t in range(len(commits)):
                    if call_commit(commits[t], i, new, x, caches[t], ints[t], floats[t]) < 0:
                        return -1, float(i)
                x[i] = new
                changed = True
        if not changed:
            return sweep + 1, 0.0
    worst = 0.0
    for i in order:
        new, gain = _best(gaps, caches, ints, floats, i, x, push, code, q, codes, f, listed, total)
        if np.isnan(new):
            return -1, float(i)
        worst = max(worst, gain)
    return max_sweeps, worst


# Inlined: measured 55 instead of 80 ns a visit.
@inlined
def _best(gaps, caches, ints, floats, i, x, push, code, q, codes, f, listed, total):
    """The value of lowest energy for variable i, and the energy it gains, 0 where it is tied; NaN if a term failed."""
    if code == POTTS:
        return _best_code(gaps, caches, ints, floats, i, x, q, codes, f, listed, total)
    field = push[i]
    for t in range(len(gaps)):
        if call_gap(gaps[t], i, x, caches[t], ints[t], floats[t], codes, f) < 0:
            return np.nan, 0.0
        field += f[0]
    if code == SPIN:
        return (1.0 if field > 0 else -1.0), max(-2.0 * field * x[i], 0.0)
    return (1.0 if field > 0 else 0.0), max(field * (1.0 - 2.0 * x[i]), 0.0)


@inlined
def _best_code(gaps, caches, ints, floats, i, x, q, codes, f, listed, total):
    """`_best` of a Potts variable: only codes that a term lists are examined, all others have field 0."""
    some = 0  # codes listed so far: listed[q:q + some]; listed[k] says whether code k is among them
    # `moves.visit` has the same loop: as an inlined function of both it made a visit here 15 to 30 % slower.
    for t in range(len(gaps)):
        m = call_gap(gaps[t], i, x, caches[t], ints[t], floats[t], codes, f)
        if m < 0 or m > q:
            return np.nan, 0.0
        for k in range(m):
            if codes[k] < 0 or codes[k] >= q:
                return np.nan, 0.0
            if not listed[codes[k]]:
                listed[codes[k]] = 1
                listed[q + some] = codes[k]
                total[codes[k]] = 0.0
                some += 1
            total[codes[k]] += f[k]
    held = total[int(x[i])] if listed[int(x[i])] else 0.0
    best, top = q, -np.inf
    if some < q:
        best, top = 0, 0.0
        while listed[best]:
            best += 1
    for k in listed[q : q + some]:
        if total[k] > top or (total[k] == top and k < best):
            best, top = k, total[k]
        listed[k] = 0
    return float(best), top - held
