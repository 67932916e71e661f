"""Small circuits, compiled: Newton's method of one item after the other on a dense matrix, nothing else between.

The method is that of `newton`, junction limits included; items that it fails on are left to that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from circuits.nodal.devices import Devices
from physlearn.kernels.cfuncs import compiled
from physlearn.kernels.jit import kernel
from physlearn.kernels.laws import LAW, call_law
from physlearn.terms.edges import Edges

SMALL = 48  # free unknowns up to which one dense elimination an item is fastest
CLOSE = 1e-9  # as in `newton`


def ohm_law(u, p, d):
    """Current of a conductance p[0] at drop u[0]."""
    d[0] = p[0]
    return p[0] * u[0]


def ohm_seen(u, p, d):
    """What a conductance sees: half the square of its drop."""
    return 0.5 * u[0] * u[0]


class Table(NamedTuple):
    """All devices of a circuit in flat arrays; -1 stands for no row and no free unknown."""

    address: np.ndarray  # of the law
    seen: np.ndarray  # of what its parameter sees; 0: nothing
    first: np.ndarray  # begin of its drops, (devices + 1,)
    plus: np.ndarray  # unknowns of the drops
    minus: np.ndarray
    free_plus: np.ndarray  # the same among the free unknowns
    free_minus: np.ndarray
    out: np.ndarray  # free rows that its current leaves and enters
    into: np.ndarray
    number: np.ndarray  # begin of its numbers, (devices + 1,)
    scale: np.ndarray  # n V_T of a junction, 0 for none
    critical: np.ndarray
    bias: np.ndarray
    cluster: np.ndarray  # free unknown that each unknown follows
    is_node: np.ndarray  # of the free unknowns
    nodes: int  # how many unknowns are voltages


def refusal(system, m):
    """Why a system does not fit, or None."""
    if m > SMALL:
        return f"it has {m} free unknowns, more than {SMALL}"
    for term in system.terms:
        if isinstance(term, Devices) and getattr(term.sort, "law", None) is None:
            return f"{term.names[0]} has a law that is not compiled"
        if not isinstance(term, Devices | Edges) and not hasattr(term, "matrix"):
            return f"it has a term {type(term).__name__}"
    return None


def table_of(system, frame, nodes):
    """The `Table` of a system, and where each parameter lies among the numbers: {name: (start, stride)}."""
    parts = {name: [] for name in Table._fields[:13]}
    places, start, drop = {}, 0, 0
    for term in system.terms:
        if isinstance(term, Edges):
            m, k, q = len(term.i), 1, 1
            rows, plus, minus = np.stack([term.i, term.j], 1), term.i[:, None], term.j[:, None]
            law, seen, limits = _address(ohm_law), _address(ohm_seen), None
            places[term.parameter] = (start, 1)
        elif isinstance(term, Devices):
            (m, k), q = term.plus.shape, term.numbers.shape[1]
            rows, plus, minus, limits = term.rows, term.plus, term.minus, term.junctions
            law, seen = term.address, _address(term.sort.seen) if term.learns else 0
            places |= {name: (start + column, q) for name, column in term.learns.items()}
        else:
            continue
        limits = np.zeros((m, 3)) if limits is None else np.where(np.isfinite(limits[:, 1:2]), limits, 0.0)
        free = np.append(frame.cluster, -1)  # of -1, no row
        parts["address"].append(np.full(m, law))
        parts["seen"].append(np.full(m, seen))
        parts["first"].append(drop + k * np.arange(m))
        parts["number"].append(start + q * np.arange(m))
        for name, index in (("plus", plus), ("minus", minus)):
            parts[name].append(index.ravel())
            parts[f"free_{name}"].append(free[index.ravel()])
        for name, index in (("out", rows[:, 0]), ("into", rows[:, 1])):
            parts[name].append(free[index])
        for name, column in (("scale", 0), ("critical", 1), ("bias", 2)):
            parts[name].append(limits[:, column])
        start, drop = start + m * q, drop + m * k
    joined = {name: np.concatenate(part) if part else np.zeros(0, np.int64) for name, part in parts.items()}
    joined["first"], joined["number"] = np.append(joined["first"], drop), np.append(joined["number"], start)
    whole = {
        name: np.ascontiguousarray(array, float if name in ("scale", "critical", "bias") else np.int64)
        for name, array in joined.items()
    }
    is_node = np.zeros(frame.m, bool)
    ends = frame.cluster[:nodes]
    is_node[ends[ends >= 0]] = True
    return Table(**whole, cluster=frame.cluster, is_node=is_node, nodes=nodes), places


def numbers_of(system):
    """Numbers of all devices under the system's theta, in the order of the table."""
    parts = [
        term.given(system.theta).ravel() if isinstance(term, Devices) else system.theta[term.parameter]
        for term in system.terms
        if isinstance(term, Edges | Devices)
    ]
    return np.concatenate([np.asarray(part, float) for part in parts]) if parts else np.zeros(0)


def _address(function):
    return compiled(function, LAW, "law").address


@kernel
def limit(asked, before, scale, critical):
    """`junctions.limited` of one junction."""
    if asked > critical and abs(asked - before) > 2.0 * scale:
        if before > 0.0:
            risen = 1.0 + (asked - before) / scale
            return before + scale * np.log(risen) if risen > 0.0 else critical
        return scale * np.log(asked / scale)
    return asked


@kernel
def solve_in_place(a, b):
    """Solve a x = b by elimination with exchanged rows, x into b; False where a is singular."""
    m = b.size
    for k in range(m):
        best, largest = k, abs(a[k, k])
        for r in range(k + 1, m):
            if abs(a[r, k]) > largest:
                best, largest = r, abs(a[r, k])
        if not (largest > 0.0 and largest < np.inf):
            return False
        if best != k:
            for c in range(k, m):
                a[k, c], a[best, c] = a[best, c], a[k, c]
            b[k], b[best] = b[best], b[k]
        inverse = 1.0 / a[k, k]
        for r in range(k + 1, m):
            factor = a[r, k] * inverse
            if factor != 0.0:
                for c in range(k + 1, m):
                    a[r, c] -= factor * a[k, c]
                b[r] -= factor * b[k]
    for k in range(m - 1, -1, -1):
        total = b[k]
        for c in range(k + 1, m):
            total -= a[k, c] * b[c]
        b[k] = total / a[k, k]
    return True


@kernel
def settle(table, p, matrix, constant, base, z, x, at, d, jacobian, force, warm, most):
    """Newton's method of one item from z (m,), which it changes; steps, or -1 where it failed.

    ``matrix`` (m, m) and ``constant`` (m,) are the linear part, ``base`` (n,) the given values; x (n,), at and d
    (drops,), jacobian (m, m) and force (m,) are room to work in.
    """
    m, devices = z.size, table.address.size
    p_at, u_at, d_at = p.ctypes.data, at.ctypes.data, d.ctypes.data
    for k in range(x.size):
        x[k] = base[k] + (z[table.cluster[k]] if table.cluster[k] >= 0 else 0.0)
    for e in range(devices):
        for s in range(table.first[e], table.first[e + 1]):
            at[s] = x[table.plus[s]] - x[table.minus[s]]
        if table.scale[e] > 0.0 and not warm:
            at[table.first[e]] = table.critical[e] + table.bias[e]
    for step in range(most):
        for r in range(m):
            force[r] = constant[r]
            for c in range(m):
                jacobian[r, c] = matrix[r, c]
                force[r] += matrix[r, c] * z[c]
        for e in range(devices):
            begin, end = table.first[e], table.first[e + 1]
            value = call_law(table.address[e], u_at + 8 * begin, p_at + 8 * table.number[e], d_at + 8 * begin)
            if table.scale[e] > 0.0:
                value += d[begin] * (x[table.plus[begin]] - x[table.minus[begin]] - at[begin])
            out, into = table.out[e], table.into[e]
            if out >= 0:
                force[out] -= value
            if into >= 0:
                force[into] += value
            for s in range(begin, end):
                a, b = table.free_plus[s], table.free_minus[s]
                if out >= 0:
                    if a >= 0:
                        jacobian[out, a] -= d[s]
                    if b >= 0:
                        jacobian[out, b] += d[s]
                if into >= 0:
                    if a >= 0:
                        jacobian[into, a] += d[s]
                    if b >= 0:
                        jacobian[into, b] -= d[s]
        if not solve_in_place(jacobian, force):
            return -1
        volts, amperes = 0.0, 0.0
        for k in range(m):
            z[k] -= force[k]
            if not abs(z[k]) < np.inf:
                return -1
            if table.is_node[k]:
                volts = max(volts, abs(force[k]))
            else:
                amperes = max(amperes, abs(force[k]))
        high, large = 0.0, 0.0
        for k in range(x.size):
            x[k] = base[k] + (z[table.cluster[k]] if table.cluster[k] >= 0 else 0.0)
            if k < table.nodes:
                high = max(high, abs(x[k]))
            else:
                large = max(large, abs(x[k]))
        rest = volts <= CLOSE * high and amperes <= CLOSE * large
        if volts > 1e3 * (1.0 + high):  # nodes that float: `newton` names them
            return -1
        for e in range(devices):
            for s in range(table.first[e], table.first[e + 1]):
                asked = x[table.plus[s]] - x[table.minus[s]]
                if s == table.first[e] and table.scale[e] > 0.0:
                    kept = table.bias[e] + limit(
                        asked - table.bias[e], at[s] - table.bias[e], table.scale[e], table.critical[e]
                    )
                    if abs(kept - asked) > CLOSE * table.scale[e]:
                        rest = False
                    asked = kept
                at[s] = asked
        if rest:
            return step + 1
    return -1


@kernel
def certify(table, p, matrix, constant, z, x, at, d, sums):
    """Residual of one item at rest; NaN where a row is not small beside its parts, or a device has cut off.

    ``at`` holds the drops at rest; d and sums (m,) are room to work in.
    """
    m, devices = z.size, table.address.size
    p_at, u_at, d_at = p.ctypes.data, at.ctypes.data, d.ctypes.data
    high, large = 0.0, 0.0
    for k in range(x.size):
        if k < table.nodes:
            high = max(high, abs(x[k]))
        else:
            large = max(large, abs(x[k]))
    force = np.empty(m)
    for r in range(m):
        force[r], sums[r] = constant[r], 0.0
        for c in range(m):
            force[r] += matrix[r, c] * z[c]
            sums[r] += abs(matrix[r, c]) * (high if table.is_node[c] else large)
    for e in range(devices):
        begin, end = table.first[e], table.first[e + 1]
        value = call_law(table.address[e], u_at + 8 * begin, p_at + 8 * table.number[e], d_at + 8 * begin)
        out, into, slope = table.out[e], table.into[e], 0.0
        for s in range(begin, end):
            a, b = table.free_plus[s], table.free_minus[s]
            if a >= 0:
                slope += abs(d[s]) * (high if table.is_node[a] else large)
            if b >= 0:
                slope += abs(d[s]) * (high if table.is_node[b] else large)
            if d[s] != 0.0:
                end = -1
        if end > 0:
            return np.nan
        if out >= 0:
            force[out] -= value
            sums[out] += slope
        if into >= 0:
            force[into] += value
            sums[into] += slope
    worst = 0.0
    for r in range(m):
        if not abs(force[r]) <= CLOSE * sums[r]:
            return np.nan
        worst = max(worst, abs(force[r]))
    return worst


@kernel
def settle_all(table, p, matrix, constant, base, z, warm, most, steps, residual):
    """`settle` of every item: z (batch, m) changed, steps (batch,) and `certify`'s residual (batch,) written."""
    m, n, drops = z.shape[1], base.shape[1], table.plus.size
    x, at, d = np.empty(n), np.empty(drops), np.empty(drops)
    jacobian, force, here = np.empty((m, m)), np.empty(m), np.empty(m)
    for item in range(z.shape[0]):
        for k in range(m):
            here[k] = z[item, k]
        steps[item] = settle(table, p, matrix, constant[item], base[item], here, x, at, d, jacobian, force, warm, most)
        residual[item] = np.nan
        if steps[item] >= 0:
            for k in range(m):
                z[item, k] = here[k]
            residual[item] = certify(table, p, matrix, constant[item], here, x, at, d, force)
