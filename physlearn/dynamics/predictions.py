"""Networks of predictions as engines see them: their order, one pass forwards, one pass backwards.

An energy of `Prediction` terms alone, sum_l |x_l - f_l(parents)|^2 / 2v_l, in which every layer is predicted at most
once and no layer through others by itself, is a network.  Its layers without a prediction are roots.  With the roots
given and nothing else, the energy has its minimum zero where every layer is as predicted: one pass forwards.
"""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

import numpy as np

from physlearn.maps.compose import add
from physlearn.maps.map import back, slope


class Network(NamedTuple):
    """Predictions in an order in which parents come before children, and the layers that none predicts."""

    nodes: tuple
    roots: tuple[str, ...]


def network_of(system) -> Any:
    """The `Network` that an energy is, or why it is none; kept in its plans."""
    if "network" not in system.plans:
        system.plans["network"] = _sort(system)
    return system.plans["network"]


def _sort(system):
    waiting: dict[str, Any] = {}
    for term in system.terms:
        if not all(hasattr(term, name) for name in ("child", "parents", "map", "variance")):
            return f"{type(term).__name__} is no prediction"
        if term.child in waiting:
            return f"layer {term.child!r} is predicted twice"
        waiting[term.child] = term
    roots = tuple(name for name in system.layers if name not in waiting)
    done, nodes = set(roots), []
    while waiting:
        ready = [name for name, term in waiting.items() if done.issuperset(term.parents)]
        if not ready:
            return f"its predictions form a cycle: {' -> '.join(cycle_of({n: t.parents for n, t in waiting.items()}))}"
        for name in ready:
            nodes.append(waiting.pop(name))
            done.add(name)
    return Network(tuple(nodes), roots)


def cycle_of(parents):
    """One cycle of a graph {child: parents} of which every node has a parent in it, as names from parent to child.

    >>> cycle_of({"a": ("b",), "b": ("a", "x")})
    ['a', 'b', 'a']
    """
    name, seen = next(iter(parents)), []
    while name not in seen:
        seen.append(name)
        name = next(parent for parent in parents[name] if parent in parents)
    return [*seen[seen.index(name) :], name][::-1]


def precision(theta):
    """Type of a network's numbers: float32 where all of theta is, else float64.

    >>> precision({"w": np.zeros(2, np.float32)}), precision({})
    (dtype('float32'), dtype('float64'))
    """
    single = bool(theta) and all(value.dtype == np.float32 for value in theta.values())
    return np.dtype(np.float32 if single else np.float64)


def forward(network, given, theta):
    """One pass: {layer: value} of all layers and {layer: tape}, every free layer as predicted; roots are given."""
    values, tapes = dict(given), {}
    batch = max((len(v) for v in values.values()), default=1)
    for node in network.nodes:
        value, tapes[node.child] = node.map.forward(tuple(values[name] for name in node.parents), theta)
        if not node.parents:
            value = np.repeat(value, batch, 0).astype(precision(theta), copy=False)
        values[node.child] = value
    return values, tapes


def gradient(network, tapes, cotangents, theta):
    """{name: gradient} of a number whose derivatives by layers are ``cotangents``, one pass backwards from them."""
    found, waiting = {}, dict(cotangents)
    roots = set(network.roots)
    for node in reversed(network.nodes):
        c = waiting.pop(node.child, None)
        if c is None:
            continue
        tape = tapes[node.child]
        if roots.issuperset(node.parents):
            add(found, slope(node.map, tape, c, theta))
            continue
        backs, slopes = node.map.pullback(tape, c, theta)
        add(found, slopes)
        for name, b in zip(node.parents, backs, strict=True):
            waiting[name] = waiting[name] + b if name in waiting else b
    return found


def given_of(system, clamps, batch):
    """Clamped readouts as {layer: (values (batch, *shape), mask of what is free, or None where nothing is)}."""
    values: dict[str, np.ndarray] = {}
    known: dict[str, np.ndarray] = {}
    dtype = precision(system.theta)
    for name, value in clamps.items():
        readout = system.readouts[name]
        if readout.rows is not None or readout.force:
            what = "drives forces" if readout.force else "reads sums of variables"
            raise ValueError(f"readout {name!r}: it {what}; networks of predictions are given variables")
        layer = system.layers[readout.layer]
        value = np.asarray(value, dtype)
        if readout.index is None and value.size == batch * layer.size:
            values[readout.layer], known[readout.layer] = value, np.ones(0, bool)
            continue
        if readout.layer in known and not known[readout.layer].size:
            continue  # all of it is given
        full = values.setdefault(readout.layer, np.zeros((batch, layer.size), dtype))
        mask = known.setdefault(readout.layer, np.zeros(layer.size, bool))
        where = slice(None) if readout.index is None else readout.index
        full[:, where] = np.reshape(value, (-1, full[:, where].shape[1]))
        mask[where] = True
    shaped = {name: full.reshape(batch, *system.layers[name].shape) for name, full in values.items()}
    return {name: (shaped[name], None if known[name].all() else ~known[name]) for name in values}


def held_maps(system):
    """Names of the classes of maps that one batch of a training holds fixed: masks, statistics."""
    if "held" not in system.plans:
        maps = [
            m for term in system.terms for m in getattr(getattr(term, "map", None), "maps", [getattr(term, "map", 0)])
        ]
        system.plans["held"] = tuple(dict.fromkeys(type(m).__name__ for m in maps if hasattr(m, "fixed")))
    return system.plans["held"]


def hold(system, roots, rng):
    """The network with masks drawn and statistics taken for one batch, and {name: array} of what was measured.

    ``roots`` are {layer: (batch, *shape)}; every map sees its parents as they are predicted in the free phase.
    """
    values, measured, terms = dict(roots), {}, {}
    for node in network_of(system).nodes:
        parents, m = tuple(values[name] for name in node.parents), node.map
        if hasattr(m, "fixed"):
            m, new = m.fixed(parents, system.theta, rng)
            measured |= new
            node = copy(node)
            node.map = m
        value = m.forward(parents, system.theta)[0]
        values[node.child] = value if node.parents else np.repeat(value, max(map(len, roots.values()), default=1), 0)
        terms[node.child] = node
    network = network_of(system)
    held = object.__new__(type(system))  # a copy would make theta read-only, which a training writes to
    plans = {"network": Network(tuple(terms[n.child] for n in network.nodes), network.roots)}
    held.__dict__.update(system.__dict__, terms=tuple(terms[t.child] for t in system.terms), plans=plans, numbers={})
    return held, measured


def exact_gradient(system, clamps, cost, target):
    """Cost of the free outputs, (batch,), and {name: gradient of its mean}: a pass forwards and one backwards.

    None where the clamps are not all the roots and nothing else, so that the free phase is no pass forwards.
    """
    network, batch = network_of(system), len(target)
    given = given_of(system, clamps, batch)
    if set(given) != set(network.roots) or any(free is not None for _, free in given.values()):
        return None
    return swept(system, {name: value for name, (value, _) in given.items()}, cost, target)


def swept(system, roots, cost, target):
    """The same of roots {layer: (batch, *shape)} in the network's precision."""
    network, batch = network_of(system), len(target)
    values, tapes = forward(network, roots, system.theta)
    readout, target = system.readouts[cost.readout], np.asarray(target, precision(system.theta))
    y, layer = readout.read(values), system.layers[readout.layer]
    if hasattr(cost, "both"):
        loss, pull = cost.both(y, target)
    else:
        loss, pull = cost.value(y, target), cost.gradient(y, target)
    pull = np.divide(readout.pull(pull, layer.size), batch, dtype=y.dtype).reshape(batch, *layer.shape)
    return loss, gradient(network, tapes, {readout.layer: pull}, system.theta)


def roots_gradient(network, tapes, cotangents, theta):
    """{root: gradient} of a number whose derivatives by layers are ``cotangents``, one pass back to what is given."""
    waiting = dict(cotangents)
    for node in reversed(network.nodes):
        c = waiting.pop(node.child, None)
        if c is None:
            continue
        for name, b in zip(node.parents, back(node.map, tapes[node.child], c, theta), strict=True):
            waiting[name] = waiting[name] + b if name in waiting else b
    return waiting
