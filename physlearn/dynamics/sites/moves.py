"""Single-variable moves over terms with a `local` form, on one layer of two values (Spin, Binary) or codes (Potts).

The terms' own functions are called from compiled code (see `kernels.cfuncs`): a user's term is sampled without
compiling a sampler.  Pairs, Dense and Bias take part through a local form of their sum.
"""

# Intrinsics take one argument less than pyright thinks:
# pyright: reportCallIssue=false

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from physlearn.dynamics.frame import concatenate, separate
from physlearn.dynamics.sites.fields import REFRESH, variables_refusal
from physlearn.dynamics.sites.local import (
    POTTS,
    SPIN,
    addresses,
    by_number,
    forms,
    kind_code,
    mistake,
    refusal as forms_refusal,
)
from physlearn.dynamics.sites.visits import TIE, TOSS
from physlearn.kernels.cfuncs import COMMIT, GAP, call_commit, call_gap, compiled
from physlearn.kernels.jit import inlined, kernel
from physlearn.rng import uniform


def refusal(problem):
    """Why there are no compiled moves, or None."""
    reason = variables_refusal(problem)
    if reason is not None:
        return reason
    system = problem.system
    reason = forms_refusal(system)
    if reason is None and next(iter(system.layers.values())).by_level and np.any(problem.push):
        return "a force is given, which kernels add to the gap of two values only"
    return reason


class LocalMoves:
    """Chains whose variables move one at a time by the terms' local forms; arguments as of `FieldMoves`.

    With ``shuffle`` every sweep has a new random order, the same for all chains, drawn from a separate stream that the
    first chain seeds.
    """

    def __init__(self, problem, state, streams, metropolis, threads, shuffle=False):
        self.system, self.threads, self.metropolis = problem.system, threads, metropolis
        own = next(iter(problem.system.layers.values())).kind
        self.levels = own.levels if by_number(own) else None
        x = concatenate(problem.system, state)
        self.x = np.array(x if self.levels is None else own.number(x), dtype=np.float64, order="C")
        self.order = np.flatnonzero(problem.frame.cluster >= 0)
        self.push = np.array(np.broadcast_to(problem.push, self.x.shape), dtype=np.float64, order="C")
        self.kind = kind_code(next(iter(problem.system.layers.values())).kind)
        self.streams, self.sweeps, self.moved = np.ascontiguousarray(streams), 0, np.zeros(len(self.x))
        self.orders = np.random.default_rng(self.streams[0].copy()) if shuffle else None
        self.forms = forms(problem.system)
        self.calls = addresses(
            *(
                [compiled(getattr(form, part), signature) for form in self.forms]
                for part, signature in (("gap", GAP), ("commit", COMMIT))
            )
        )
        width = -(-len(self.x) // threads)
        self.spans = [slice(k, k + width) for k in range(0, len(self.x), width)]
        self.prepared = self._prepare()

    @property
    def visited(self):
        """Visits so far, per chain."""
        return self.sweeps * len(self.order)

    def run(self, sweeps, temperatures):
        """Visit every free variable ``sweeps`` times; temperatures (sweeps or 1, chains), taken in turn."""
        beta, done = 1.0 / temperatures, 0
        while done < sweeps:
            part = min(sweeps - done, REFRESH - self.sweeps % REFRESH)
            if self.orders is not None:
                part, self.order = 1, self.orders.permutation(self.order)
            self._each(beta[done : done + part] if len(beta) > 1 else beta, part)
            if np.any(np.isnan(self.moved)):
                terms = [type(t).__name__ for t in self.system.terms]
                raise ValueError(
                    f"local: the fields of {terms} are NaN in some state; check_energy reports which term's"
                )
            self.sweeps, done = self.sweeps + part, done + part
            if self.sweeps % REFRESH == 0:
                self.prepared = self._prepare()

    def state(self):
        """The chains' states, {layer: (chains, *shape)}."""
        x = self.x.astype(np.int64) if self.kind[0] == POTTS else self.x.copy()
        x = x if self.levels is None else self.levels[x]
        return separate(self.system, x)

    def _each(self, beta, sweeps):
        tasks = []
        for span, prepared in zip(self.spans, self.prepared, strict=True):
            tasks.append((*prepared, *self._task(span, beta, sweeps)))
        if len(tasks) == 1:
            failed = [self._visit(*tasks[0])]
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                failed = list(pool.map(lambda task: self._visit(*task), tasks))
        for place, task in zip(failed, tasks, strict=True):
            if place >= 0:
                caches, ints, floats, x, *_ = task
                chain, i = divmod(place, x.shape[1])
                rows = [[a[chain % len(a)] for a in arrays] for arrays in (caches, ints, floats)]
                raise mistake(self.system, i, x[chain], *rows)

    def _task(self, span, beta, sweeps):
        """Arguments of `visit` for some chains, but for the terms'."""
        own = self.x[span], self.order, self.push[span], *self.kind, np.ascontiguousarray(beta[:, span])
        return *own, self.metropolis, self.streams[span], sweeps, self.moved[span]

    def _visit(self, *task):
        return visit(*self.calls, *task)

    def _prepare(self):
        """Caches, ints and floats of every span: a tuple over terms of (chains or 1, length) arrays."""
        spans = []
        for span in self.spans:
            arrays = [[form.prepare(x, self.system.theta) for x in self.x[span]] for form in self.forms]
            spans.append(
                (
                    tuple(_stacked([chain[0] for chain in term], np.float64, False) for term in arrays),
                    tuple(_stacked([chain[1] for chain in term], np.int64, True) for term in arrays),
                    tuple(_stacked([chain[2] for chain in term], np.float64, True) for term in arrays),
                )
            )
        return spans


def _stacked(rows, dtype, share):
    """Rows as one array; a single row where they may be shared and are all equal."""
    rows = [np.asarray(row) for row in rows]
    if len({row.shape for row in rows}) > 1:
        raise ValueError(
            f"local: prepare returns arrays of shapes {sorted({row.shape for row in rows})} for different states, "
            "expected one shape for all states"
        )
    if share and all(row is rows[0] or np.array_equal(row, rows[0]) for row in rows[1:]):
        rows = rows[:1]
    return np.array(rows, dtype=dtype, order="C")


@kernel
def visit(gaps, commits, caches, ints, floats, x, order, push, code, q, beta, metropolis, states, sweeps, moved):
    """Visit the variables in order, all chains, x (chains, n) changed in place; -1, or c n + i if i's terms failed."""
    codes, f, listed, total = np.zeros(q, np.int64), np.zeros(q), np.zeros(2 * q, np.int64), np.zeros(q)
    apart, count = states.copy(), np.zeros(len(x))  # from those of other threads, which would share cache lines
    for c in range(len(x)):
        xc, s = x[c], apart[c]
        for sweep in range(sweeps):
            b = beta[sweep % len(beta), c]
            for i in order:
                some, field = 0, push[c, i]
                for t in range(len(gaps)):
                    own, whole, parts = caches[t][c], ints[t], floats[t]
                    m = call_gap(gaps[t], i, xc, own, whole[c % len(whole)], parts[c % len(parts)], codes, f)
                    if m < 0 or m > q:
                        return c * len(xc) + i
                    if code != POTTS:
                        field += f[0]
                        continue
                    for k in range(m):
                        if codes[k] < 0 or codes[k] >= q:
                            return c * len(xc) + i
                        if not listed[codes[k]]:
                            listed[codes[k]] = 1
                            listed[q + some] = codes[k]
                            total[codes[k]] = 0.0
                            some += 1
                        total[codes[k]] += f[k]
                if code == POTTS:
                    for k in range(q, q + some):
                        field += total[listed[k]]
                    new = _code(int(xc[i]), q, some, listed, total, b, metropolis, s)
                else:
                    d = -2.0 * xc[i] if code == SPIN else 1.0 - 2.0 * xc[i]
                    a = -field * d * b
                    p = _chance(a) if metropolis else 1.0 / (1.0 + np.exp(a))
                    new = xc[i] + d if uniform(s) < p else xc[i]
                if np.isnan(field):  # kernels cannot raise; `run` does
                    count[c] = np.nan
                elif new != xc[i]:
                    for t in range(len(commits)):
                        own, whole, parts = caches[t][c], ints[t], floats[t]
                        row, numbers = whole[c % len(whole)], parts[c % len(parts)]
                        if call_commit(commits[t], i, new, xc, own, row, numbers) < 0:
                            return c * len(xc) + i
                    xc[i] = new
                    count[c] += 1.0
    states[:] = apart
    moved += count
    return -1


@inlined
def _chance(a):
    """Metropolis' chance of a move that costs a, in T; `visits` says why ties are tossed."""
    return np.exp(-max(a, 0.0)) * (TOSS if abs(a) < TIE else 1.0)


@inlined
def _code(old, q, some, listed, total, b, metropolis, s):
    """A Potts variable's next code; codes that no term lists have field 0.  Leaves no code listed."""
    new = float(old)
    if metropolis:
        other = int(uniform(s) * (q - 1))
        other += other >= old
        gain = (total[other] if listed[other] else 0.0) - (total[old] if listed[old] else 0.0)
        if uniform(s) < _chance(-gain * b):
            new = float(other)
    else:
        top = 0.0 if some < q else -np.inf
        for k in range(q, q + some):
            top = max(top, total[listed[k]])
        rest = (q - some) * np.exp(-top * b) if some < q else 0.0
        z = rest
        for k in range(q, q + some):
            z += np.exp((total[listed[k]] - top) * b)
        left = uniform(s) * z - rest
        if left < 0.0:  # one of the codes that are not listed, all alike
            chosen = int(uniform(s) * q)
            while listed[chosen]:
                chosen = int(uniform(s) * q)
            new = float(chosen)
        else:
            for k in range(q, q + some):
                new = float(listed[k])
                left -= np.exp((total[listed[k]] - top) * b)
                if left < 0.0:
                    break
    for k in range(q, q + some):
        listed[listed[k]] = 0
    return new
