"""Transported: the energy -log p of a standard normal law carried by an invertible map."""

from __future__ import annotations

import math

import numpy as np

from physlearn.brief import brief
from physlearn.checks import text
from physlearn.maps.compose import check_is_map, shape_after
from physlearn.terms.fits import DISCRETE, refuse_kinds


class Transported:
    """E = |f(x)|^2/2 - log |det df/dx| + (n/2) log 2 pi: exp(-E) is the density of f^-1(z), z standard normal.

    So its integral is one, whatever theta is, and <dE/dtheta> over its own draws is zero: learning needs no free phase.

    Parameters
    ----------
    layer : str
    map : map
        f, from data to noise, of the layer's shape, with ``with_logdet`` and ``pull_both`` (see `physlearn.maps.map`).

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Energy, Real
    >>> from physlearn.maps import Affine, AffineCoupling
    >>> flow = Transported("x", AffineCoupling([0], Affine(2, "W", "b")))
    >>> law = Energy({"x": (Real(), 2)}, [flow], {"W": np.zeros((1, 2)), "b": np.zeros(2)})
    >>> print(f"{law([0.0, 0.0]):.4f}")  # log 2 pi
    1.8379
    """

    single = True  # single precision is taken as it is

    def __init__(self, layer, map):
        self.layers = (text("layer", layer),) * 2  # its variables act on each other
        self.map = check_is_map("map", map)
        for form in ("with_logdet", "pull_both"):
            if not hasattr(map, form):
                raise TypeError(f"map: {map!r} has no `{form}`, expected an invertible map such as AffineCoupling")
        self.parameters = tuple(getattr(map, "parameters", ()))

    def __repr__(self):
        return brief(self, layer=self.layers[0], map=self.map)

    def check(self, layers, theta):
        """Refuse kinds without a density on the reals, and maps that change the shape."""
        name = self.layers[0]
        refuse_kinds(self, layers, name, DISCRETE, "a flow transports real numbers")
        kind, shape = layers[name]
        if np.isfinite([getattr(kind, "low", -np.inf), getattr(kind, "high", np.inf)]).any():
            raise ValueError(
                f"Transported: layer {name!r} has bounds, which the transported law does not know; use Real()"
            )
        if (made := shape_after(self.map, (shape,))) != shape:
            raise ValueError(f"Transported: the map makes {made} of layer {name!r} {shape}, expected its shape")

    def energy(self, x, theta):
        """-log p, (batch,)."""
        z, logdet, _ = self.map.with_logdet((x[self.layers[0]],), theta)
        return _energy(z, logdet)

    def field(self, x, theta, layer):
        """Gradient of log p, shaped like the layer."""
        z, _, tape = self.map.with_logdet((x[layer],), theta)
        (back,), _ = self.map.pull_both(tape, -z, np.ones(len(z), z.dtype), theta)
        return back

    def gradient(self, x, theta, weight):
        """Sum over the batch of weight dE/dtheta."""
        return self.energy_and_gradient(x, theta, weight)[1]

    def energy_and_gradient(self, x, theta, weight):
        """Both in one pass: (batch,), and {name: sum over the batch of weight dE/dtheta}."""
        z, logdet, tape = self.map.with_logdet((x[self.layers[0]],), theta)
        weight = np.asarray(weight, z.dtype)
        by_z = z * weight.reshape(-1, *(1,) * (z.ndim - 1))
        return _energy(z, logdet), self.map.pull_both(tape, by_z, -weight, theta)[1]


def _energy(z, logdet):
    flat = z.reshape(len(z), -1)
    return 0.5 * np.sum(flat * flat, 1) - logdet + z.dtype.type(0.5 * flat.shape[1] * math.log(2 * math.pi))
