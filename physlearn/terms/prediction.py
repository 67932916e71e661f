"""Prediction: the squared distance of a layer from what a map of other layers predicts, E = |x - f(parents)|^2 / 2v."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, sequence, text
from physlearn.maps.compose import check_is_map, shape_after
from physlearn.maps.map import back, slope
from physlearn.terms.fits import angles, gaps, refuse_kinds


class Prediction:
    """E = |x_child - f(x_parents)|^2 / 2v, with f any map and v the variance; Gaussian errors at T = 1.

    Predictions that form no cycle make a network: `relax` is inference in it, a step along -dE/dtheta is learning.

    Parameters
    ----------
    child : str
        The layer that is predicted; of any shape.
    parents : str or sequence of str
        Layers that the map takes, in its order; none for a prior.
    map : map
        See `physlearn.maps.map`; one of `physlearn.maps` or a custom one.
    variance : float or array
        v, positive; an array is shaped like the child.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> from physlearn.maps import Affine
    >>> doubled = Prediction("y", "x", Affine(1, "w", None))
    >>> guess = Energy({"x": (Real(), 1), "y": (Real(), 1)}, [doubled], {"w": [[2.0]]})
    >>> float(guess({"x": np.array([1.0]), "y": np.array([3.0])}))
    0.5
    """

    single = True  # single precision is taken as it is

    def __init__(self, child, parents, map, variance=1.0):
        self.child = text("child", child, "the name of a layer")
        self.parents = (parents,) if isinstance(parents, str) else sequence("parents", parents, str, "names of layers")
        self.map = check_is_map("map", map)
        self.variance = array("variance", variance, low=np.finfo(float).tiny)
        self.variance = float(self.variance) if self.variance.ndim == 0 else self.variance
        if self.child in self.parents:
            raise ValueError(f"parents: {self.child!r} cannot predict itself")
        # parents interact through the map, so each is named twice: once would promise no coupling within
        self.layers = (self.child, *(name for parent in dict.fromkeys(self.parents) for name in (parent, parent)))
        self.parameters = tuple(getattr(self.map, "parameters", ()))
        self.holomorphic = getattr(self.map, "holomorphic", False)
        self.reciprocal = not getattr(self.map, "returning", ())

    def __repr__(self):
        return brief(self, child=self.child, parents=self.parents, map=self.map, variance=self.variance)

    def check(self, layers, theta):
        """Refuse discrete layers, shapes that the map does not take or give, and parameters that it cannot use."""
        for name in dict.fromkeys(self.layers):
            refuse_kinds(self, layers, name, (gaps, angles), "a prediction has real errors")
        child, shapes = layers[self.child].shape, tuple(layers[name].shape for name in self.parents)
        from_ = " and ".join(f"{name!r} {shape}" for name, shape in zip(self.parents, shapes, strict=True)) or "nothing"
        try:
            made = shape_after(self.map, shapes) if hasattr(self.map, "shape") or len(shapes) == 1 else child
        except ValueError as error:
            raise ValueError(f"Prediction of {self.child!r} {child} from {from_}: {error}") from None
        if made != child:
            raise ValueError(f"Prediction of {self.child!r} {child} from {from_}: the map gives shape {made}")
        if hasattr(self.map, "start"):
            for name, first in self.map.start(shapes, np.random.default_rng(0)).items():
                if np.shape(theta[name]) != np.shape(first):
                    raise ValueError(
                        f"theta[{name!r}]: shape {np.shape(theta[name])}, expected {np.shape(first)}, "
                        f"to predict {self.child!r} {child} from {from_}"
                    )
        try:
            np.broadcast_to(self.variance, child)
        except ValueError:
            raise ValueError(
                f"variance: shape {np.shape(self.variance)}, expected a number or {child}, the shape of {self.child!r}"
            ) from None

    def error(self, x, theta):
        """x_child - f(x_parents), and the tape."""
        value, tape = self.map.forward(tuple(x[name] for name in self.parents), theta)
        return x[self.child] - value, tape

    def energy(self, x, theta):
        """|error|^2 / 2v, (batch,)."""
        e, _ = self.error(x, theta)
        return 0.5 * np.sum((e * e / self.variance).reshape(len(e), -1), -1)

    def field(self, x, theta, layer):
        """-error/v on the child, pulled back through the map on a parent."""
        e, tape = self.error(x, theta)
        e = e / self.variance
        if layer == self.child:
            return -e
        found = back(self.map, tape, e, theta)
        return sum(f for f, name in zip(found, self.parents, strict=True) if name == layer)

    def gradient(self, x, theta, weight):
        """-error/v, weighted, pulled back to the parameters."""
        e, tape = self.error(x, theta)
        weight = np.reshape(weight, (-1,) + (1,) * (e.ndim - 1))
        return slope(self.map, tape, -e / self.variance * weight, theta)
