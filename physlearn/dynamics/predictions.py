"""Networks of predictions as engines see them: their order, one pass forwards, one pass backwards.

An energy of `Prediction` terms alone, sum_l |x_l - f_l(parents)|^2 / 2v_l, in which every layer is predicted at most
once and no layer through others by itself, is a network.  Its layers without a prediction are roots.  With the roots
given and nothing else, the energy has its minimum zero where every layer is as predicted: one pass forwards.

Inference with more layers given goes by errors, x_l = f_l(parents) + sqrt(v_l) u_l, with u in place of x (Goemaere et
al. 2025, arXiv 2505.20137): the energy's curvature is then 1 plus what the given layers add, and one evaluation is a
pass forwards and one backwards.
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


def network_of(system) -> Network | str:
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
        values[node.child] = m.forward(parents, system.theta)[0]
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


class Inference:
    """The energy of a network as a function of its errors, some variables given.

    Parameters
    ----------
    system : Energy
        A network of predictions.
    given : mapping of str to (values, free)
        ``values`` (batch, *shape) of a layer, and the mask ``free`` (size,) of what is not given in it; None where
        nothing is free.  Layers that are not named are free.
    batch : int
    nudges : sequence of Nudge
        Costs added to the energy.
    exact : str, optional
        A layer without an error of its own: always as predicted, the limit of no variance.
    """

    def __init__(self, system, given, batch, nudges=(), exact=None):
        self.system, self.network = system, network_of(system)
        self.batch, self.nudges, self.exact = batch, nudges, exact
        theta = self.theta = system.theta
        self.dtype = precision(theta)
        given = {name: (np.asarray(values, self.dtype), free) for name, (values, free) in given.items()}
        self.given = given
        self.whole = {name for name, (_, free) in given.items() if free is None}
        start, self.places = 0, {}  # columns of u, layer by layer
        for name, layer in system.layers.items():
            if name in self.whole or name == exact:
                continue
            free = given[name][1] if name in given else None
            size = layer.size if free is None else int(np.count_nonzero(free))
            self.places[name] = (slice(start, start + size), free)
            start += size
        self.size = start
        self.deviation = {n.child: np.sqrt(np.asarray(n.variance, self.dtype)) for n in self.network.nodes}
        self.precision = {n.child: np.asarray(1.0 / np.asarray(n.variance), self.dtype)[()] for n in self.network.nodes}
        self.unit = all(isinstance(n.variance, float) and n.variance == 1.0 for n in self.network.nodes)
        self.constant: dict[str, Any] = {}  # predictions from given layers alone, made once
        for node in self.network.nodes:
            if self.whole.issuperset(node.parents):
                parents = tuple(given[name][0] for name in node.parents)
                f, tape = node.map.forward(parents, theta)
                self.constant[node.child] = f.astype(self.dtype, copy=False), tape
        self.values: dict[str, np.ndarray] = {}
        self.tapes: dict[str, Any] = {}
        self.errors: dict[str, np.ndarray] = {}

    def spread(self, u):
        """Columns as arrays shaped like their layers, zero where something is given."""
        out = {}
        for name, (columns, free) in self.places.items():
            layer = self.system.layers[name]
            part = u[:, columns]
            if free is not None:
                part, few = np.zeros((len(u), layer.size), u.dtype), part
                part[:, free] = few
            out[name] = part.reshape(len(u), *layer.shape)
        return out

    def collect(self, arrays):
        """The columns of arrays shaped like their layers; a layer that is missing counts as zero."""
        out = np.zeros((self.batch, self.size), self.dtype)
        for name, (columns, free) in self.places.items():
            if name in arrays:
                flat = arrays[name].reshape(self.batch, -1)
                out[:, columns] = flat if free is None else flat[:, free]
        return out

    def start(self, x=None):
        """u of a state, or without one of every layer as predicted and free roots at zero."""
        if x is None:
            return np.zeros((self.batch, self.size), self.dtype)
        u = {name: x[name] for name in self.network.roots}
        for node in self.network.nodes:
            f = node.map.forward(tuple(x[name] for name in node.parents), self.theta)[0]
            u[node.child] = (x[node.child] - f) / self.deviation[node.child]
        return self.collect({name: np.broadcast_to(v, (self.batch, *v.shape[1:])) for name, v in u.items()})

    def forward(self, u):
        """Fill values, tapes and errors; the energy, (batch,)."""
        own, x, energy = self.spread(u), {}, np.zeros(self.batch, self.dtype)
        for name in self.network.roots:
            x[name] = self._filled(name, own.get(name))
        for node in self.network.nodes:
            name = node.child
            if name in self.constant:
                f, self.tapes[name] = self.constant[name]
            else:
                f, self.tapes[name] = node.map.forward(tuple(x[parent] for parent in node.parents), self.theta)
            if name == self.exact:
                x[name] = f
                continue
            if name not in self.given:
                error = own[name] if self.unit else own[name] * self.deviation[name]
                x[name] = f + error
            elif name in self.whole:
                x[name] = self.given[name][0]
                error = x[name] - f
            else:
                x[name] = self._filled(name, f + own[name] * self.deviation[name])
                error = x[name] - f
            self.errors[name] = error
            energy += 0.5 * _squares(error, self.precision[name])
        self.values = x
        for nudge in self.nudges:
            energy += nudge.value(self.system.readouts[nudge.cost.readout].read(x)).astype(self.dtype)
        return energy

    def _filled(self, name, free):
        """A layer's values: those given, and ``free`` elsewhere."""
        if name not in self.given:
            return free
        values, mask = self.given[name]
        return values if mask is None else np.where(mask.reshape(values.shape[1:]), free, values)

    def pulls(self):
        """{layer: derivative of the nudges by it}."""
        out = {}
        for nudge in self.nudges:
            readout = self.system.readouts[nudge.cost.readout]
            layer = self.system.layers[readout.layer]
            pull = -readout.pull(nudge.force(readout.read(self.values)), layer.size).astype(self.dtype, copy=False)
            add(out, {readout.layer: pull.reshape(self.batch, *layer.shape)})
        return out

    def evaluate(self, u):
        """Energy (batch,) and its derivative by u, (batch, size): a pass forwards and one backwards."""
        energy = self.forward(u)
        pulls, out = self.pulls(), {}
        for node in reversed(self.network.nodes):
            name, g = node.child, pulls.pop(node.child, None)
            if name in self.places:
                out[name] = self._by_error(name, g)
            if name in self.given:
                c = -self.errors[name] * self.precision[name]
                if name not in self.whole:
                    free = self.given[name][1].reshape(c.shape[1:])
                    c = np.where(free, 0.0 if g is None else g, c).astype(self.dtype, copy=False)
            else:
                c = g
            if c is not None:
                self._back(node, c, pulls)
        out |= {name: pulls[name] for name in self.network.roots if name in pulls and name in self.places}
        grad = self.collect(out)
        grad += self._harmonic(u)
        return energy, grad

    def _by_error(self, name, g):
        return (
            np.zeros((self.batch, *self.system.layers[name].shape), self.dtype)
            if g is None
            else g * self.deviation[name]
        )

    def _harmonic(self, u):
        """The derivative of |u|^2/2, which roots lack."""
        if not any(name in self.places for name in self.network.roots):
            return u
        out = u.copy()
        for name in self.network.roots:
            if name in self.places:
                out[:, self.places[name][0]] = 0
        return out

    def _back(self, node, c, waiting):
        """Add the pullback of c to what waits for the parents, unless all of them are given."""
        if self.whole.issuperset(node.parents):
            return
        for name, b in zip(node.parents, back(node.map, self.tapes[node.child], c, self.theta), strict=True):
            if name not in self.whole:
                waiting[name] = waiting[name] + b if name in waiting else b

    def residual(self, grad):
        """dE/dx on the free variables, (batch, size), of the derivative by u where `evaluate` was last."""
        d = self.spread(grad)
        d = {name: v if name in self.network.roots else v / self.deviation[name] for name, v in d.items()}
        waiting: dict[str, np.ndarray] = {}
        for node in reversed(self.network.nodes):
            c = d.get(node.child)
            if node.child == self.exact:
                c = waiting.get(node.child)
            if c is not None:
                self._back(node, c, waiting)
        return self.collect({name: v - waiting[name] if name in waiting else v for name, v in d.items()})

    def forces(self, x):
        """-dE/dx of a state, {layer: array}, for layers with something free: one pass, each map once each way."""
        pulls: dict[str, np.ndarray] = {}
        for node in self.network.nodes:
            name = node.child
            if name in self.constant:
                f, self.tapes[name] = self.constant[name]
            else:
                f, self.tapes[name] = node.map.forward(tuple(x[parent] for parent in node.parents), self.theta)
            if name == self.exact:
                x[name] = f
            else:
                self.errors[name] = x[name] - f
        self.values = x
        pulls = {name: -value for name, value in self.pulls().items()} if self.nudges else {}
        for node in reversed(self.network.nodes):
            name = node.child
            if name == self.exact:
                c = -pulls.pop(name) if name in pulls else None
                if c is not None:
                    waiting: dict[str, np.ndarray] = {}
                    self._back(node, c, waiting)
                    for parent, b in waiting.items():
                        pulls[parent] = pulls[parent] - b if parent in pulls else -b
                continue
            c = self.errors[name] if self.unit else self.errors[name] * self.precision[name]
            self._back(node, c, pulls)
            if name in self.places:
                pulls[name] = pulls[name] - c if name in pulls else -c
        return {name: pulls[name] for name in self.places if name in pulls}

    def slopes(self):
        """dE/dtheta at the state of the last evaluation, summed over the batch: every node's own error, pulled back."""
        pulls, found = self.pulls(), {}
        for node in self.network.nodes:
            name = node.child
            c = pulls.get(name) if name == self.exact else -self.errors[name] * self.precision[name]
            if c is not None:
                add(found, slope(node.map, self.tapes[name], c, self.theta))
        return found


def _squares(error, precision):
    """Sum over an item of precision error^2, (batch,)."""
    flat = error.reshape(len(error), -1)
    if np.ndim(precision):
        return np.einsum("bi,bi,i->b", flat, flat, np.ravel(precision))
    return precision * np.einsum("bi,bi->b", flat, flat)
