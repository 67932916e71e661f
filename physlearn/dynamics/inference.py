"""Inference in a network of predictions by its errors, x_l = f_l(parents) + sqrt(v_l) u_l, with u in place of x.

The energy's curvature is then 1 plus what the given layers add, and one evaluation is a pass forwards and one backwards
(Goemaere et al. 2025, arXiv 2505.20137).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from physlearn.dynamics.predictions import network_of, precision
from physlearn.kernels.jit import kernel
from physlearn.maps.compose import add
from physlearn.maps.map import back, slope


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

    def look(self, x):
        """Fill values, tapes and errors at a state, and in it the layer that has no error of its own."""
        for node in self.network.nodes:
            name = node.child
            if name in self.constant:
                f, self.tapes[name] = self.constant[name]
            else:
                f, self.tapes[name] = node.map.forward(tuple(x[parent] for parent in node.parents), self.theta)
            if name == self.exact:
                x[name] = f
            else:
                self.errors[name] = np.subtract(x[name], f, out=self.errors.get(name))
        self.values = x

    def move(self, x, rate):
        """A step x += rate F of gradient descent, F = -dE/dx, in place: every map once each way.

        A layer moves when all that its children's tapes hold of it has been used.
        """
        self.look(x)
        pulls = {name: -value for name, value in self.pulls().items()} if self.nudges else {}
        for node in reversed(self.network.nodes):
            name = node.child
            if name == self.exact:
                if name in pulls:
                    self._back(node, pulls.pop(name), pulls)
                continue
            c = self.errors[name] if self.unit else self.errors[name] * self.precision[name]
            self._back(node, c, pulls)
            if name in self.places:
                self._step(x, name, pulls.pop(name, None), c, rate)
        for name in self.network.roots:
            if name in self.places and name in pulls:
                self._step(x, name, pulls[name], None, rate)

    def _step(self, x, name, pull, error, rate):
        """x += rate (pull - error) on what is free of a layer."""
        free = self.places[name][1]
        if free is None and pull is not None and error is not None:
            descend(x[name].reshape(-1), np.ascontiguousarray(pull).reshape(-1), error.reshape(-1), rate)
            return
        force = pull if error is None else -error if pull is None else pull - error
        force = force * rate
        x[name] += force if free is None else force * free.reshape(force.shape[1:])

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


@kernel
def descend(x, pull, error, rate):
    """x += rate (pull - error), flat."""
    for i in range(len(x)):
        x[i] += rate * (pull[i] - error[i])
