"""Coupling: a map's value beside a layer, E = -sum y . f(x; theta), with a field to both sides.

f is any map of `physlearn.maps`: a convolution, a convolution and a pooling, a whole chain. The field on y is f(x), on
x it is y pulled back through f (a transposed convolution, an unpooling): the symmetric coupling of convolutional
Hopfield-like networks (Ernoult et al. 2019; Laborieux et al. 2021). With f(x) = x W it is `Dense`.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import sequence
from physlearn.energy import batch_size
from physlearn.maps.compose import check_is_map, shape_after
from physlearn.maps.map import back, slope
from physlearn.terms.fits import DISCRETE, angles, codes, refuse_kinds


class Coupling:
    """A symmetric coupling of a layer to a map's value of another.

    Where the map is ``affine`` (`Conv`, `AveragePool`, `Affine`, and chains of these) the energy is linear in both
    layers, so that both settle as blocks; with `MaxPool` or an activation in the chain it is not, and `relax` follows
    the flow or a quasi-Newton method.

    Parameters
    ----------
    layers : (str, str)
        x and y.
    map : map
        f; its parameters are names in theta.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> from physlearn.maps import Conv
    >>> layers = {"image": (Real(), (2, 2, 1)), "y": (Real(), (1, 1, 1))}
    >>> term = Coupling(("image", "y"), Conv(1, 2, "K", None))
    >>> net = Energy(layers, [term], {"K": np.ones((2, 2, 1, 1))})
    >>> float(net({"image": np.ones((2, 2, 1)), "y": np.full((1, 1, 1), 3.0)}))
    -12.0
    """

    def __init__(self, layers, map):
        self.ends = sequence("layers", layers, str, "the names of two layers")
        if len(self.ends) != 2 or self.ends[0] == self.ends[1]:
            raise ValueError(f"layers: got {layers!r}, expected the names of two layers")
        self.map = check_is_map("map", map)
        if getattr(map, "returning", ()):
            raise ValueError(f"map: {map!r} sends errors back by weights of its own; a coupling's are symmetric")
        self.parameters = tuple(getattr(map, "parameters", ()))
        self.holomorphic = bool(getattr(map, "holomorphic", False))
        self.affine = bool(getattr(map, "affine", False))
        self.layers = self.ends if self.affine else (self.ends[0], *self.ends)  # other maps couple x to itself
        self._tape = None  # of the last batch's shape: the same for every state of it where the map is affine

    def __repr__(self):
        return brief(self, layers=self.ends, map=self.map)

    def check(self, layers, theta):
        """Refuse codes, angles, a value of another shape, and discrete x under a map that is not affine."""
        x, y = (layers[name] for name in self.ends)
        for name in self.ends:
            refuse_kinds(self, layers, name, (codes, angles), "maps take numbers")
        if not self.affine:
            remedy = "the gap between two of its values is no slope of this map; take an affine one"
            refuse_kinds(self, layers, self.ends[0], DISCRETE, remedy)
        found = shape_after(self.map, (x.shape,)) if hasattr(self.map, "shape") else None
        if found is not None and tuple(found) != y.shape:
            raise ValueError(
                f"Coupling: {self.map!r} of layer {self.ends[0]!r}, {x.shape}, has the shape {tuple(found)}, but layer "
                f"{self.ends[1]!r} is {y.shape}; give it that shape"
            )

    def _forward(self, x, theta):
        return self.map.forward((x[self.ends[0]],), theta)

    def energy(self, x, theta):
        """-y . f(x), (batch,)."""
        y = x[self.ends[1]]
        return -np.sum((y * self._forward(x, theta)[0]).reshape(len(y), -1), 1)

    def field(self, x, theta, layer):
        """f(x) on y; y pulled back through f on x."""
        if layer == self.ends[1]:
            return self._forward(x, theta)[0]
        if not self.affine:
            tape = self._forward(x, theta)[1]
        else:
            key = (x[layer].shape, x[layer].dtype)
            if self._tape is None or self._tape[0] != key:
                self._tape = key, self._forward(x, theta)[1]
            tape = self._tape[1]
        return back(self.map, tape, x[self.ends[1]], theta)[0]

    def gradient(self, x, theta, weight):
        """-sum_b w_b y . df/dtheta."""
        y, tape = x[self.ends[1]], self._forward(x, theta)[1]
        w = np.reshape(weight, (batch_size(x), *[1] * (y.ndim - 1)))
        return slope(self.map, tape, -w * y, theta)

    def curvature(self, x, theta, layer):
        """Zero on y, and on x where the map is affine; None elsewhere."""
        return np.zeros(()) if self.affine or layer == self.ends[1] else None
