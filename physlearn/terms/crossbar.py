"""Crossbar: a resistor from every node of one layer to every node of another, behind ideal amplifiers.

    E = (scale/2) sum_ij G_ij (gain s_i x_i - s_j y_j)^2,        scale = 1/(gains of all layers before)^2

s x and s y are node voltages (V), s = +1, or -1 where a layer counts them in the direction that a diode lets; G are
conductances (S).  An amplifier at x_i shows gain times its voltage to the resistors and draws 1/gain of their current,
as the bidirectional amplifiers of Kendall et al. 2020 (arXiv 2006.01981) do; the voltages of a chain of such layers
then minimise the sum of these energies.  ``mirrored`` lines carry +x and -x, each with resistors of its own (Scellier
2024, arXiv 2402.11674).  Exact; quadratic.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import array, flag, number, positive, sequence, text
from physlearn.terms.fits import DISCRETE, expect_shape, refuse_kinds


class Crossbar:
    """Resistors between all nodes of two `Real` layers.

    Parameters
    ----------
    layers : (str, str)
        The layer behind the amplifiers, and the other.
    parameter : str
        Name in theta of G (siemens): (n, m), or (2 n, m) where mirrored, the lines of -x last.
    gain : float
        Voltage gain of the amplifiers at the first layer; not zero.
    scale : float
        Factor of the energy.
    mirrored : bool
        Whether every node of the first layer drives two lines, of its voltage and of its negative.
    signs : pair of arrays, optional
        s of both layers, flat; default +1.

    Examples
    --------
    Two sources of 2 V and 0 V, 1 S each, into a node that a third conductor does not exist for:

    >>> import numpy as np
    >>> from physlearn import Energy, Real, relax
    >>> net = Energy({"x": (Real(), 2), "y": (Real(), 1)}, [Crossbar(("x", "y"), "G")], {"G": np.ones((2, 1))})
    >>> relax(net, clamp={"x": [2.0, 0.0]}).x["y"]
    array([1.])
    """

    holomorphic = True
    single = True

    def __init__(self, layers, parameter="G", *, gain=1.0, scale=1.0, mirrored=False, signs=None):
        self.layers = sequence("layers", layers, str, "the names of two layers")
        self.parameter, self.gain = text("parameter", parameter), float(number("gain", gain))
        self.scale, self.mirrored = float(positive("scale", scale)), flag("mirrored", mirrored)
        if len(set(self.layers)) != 2 or len(self.layers) != 2:
            raise ValueError(f"layers: got {layers!r}, expected the names of two layers")
        if self.gain == 0:
            raise ValueError("gain: got 0, expected the amplifiers to show something")
        pair = (1.0, 1.0) if signs is None else sequence("signs", signs, expected="two arrays of +1 and -1")
        self.signs = tuple(np.array(array("signs", s, ndim=(0, 1))) for s in pair)
        if len(self.signs) != 2 or not all(np.all(np.abs(s) == 1) for s in self.signs):
            raise ValueError(f"signs: got {signs!r}, expected two arrays of +1 and -1, one for each layer")

    def __repr__(self):
        more = {"gain": self.gain, "scale": self.scale, "mirrored": self.mirrored}
        return brief(self, layers=self.layers, parameter=self.parameter, **more)

    def check(self, layers, theta):
        """Refuse discrete layers, other shapes and conductances below zero."""
        for name in self.layers:
            refuse_kinds(self, layers, name, DISCRETE, "use Dense, whose products are energies of any numbers")
        n, m = (layers[name].size for name in self.layers)
        for name, s in zip(self.layers, self.signs, strict=True):
            if s.ndim and len(s) != layers[name].size:
                raise ValueError(f"signs: {len(s)} of layer {name!r}, expected {layers[name].size}")
        expect_shape(theta, self.parameter, (n * (1 + self.mirrored), m), f"resistors between {self.layers}")
        lowest = np.min(theta[self.parameter], initial=0.0)
        if lowest < 0:
            raise ValueError(
                f"theta[{self.parameter!r}]: {lowest:.4g} S, expected conductances >= 0; give the optimiser "
                f"bounds={{{self.parameter!r}: (0, numpy.inf)}}"
            )

    def _halves(self, theta):
        """What couples x to y (with signs; of mirrored lines the difference of the halves), and what joins them."""
        g = theta[self.parameter]
        n = len(g) // 2
        seen, total = (g[:n] - g[n:], g[:n] + g[n:]) if self.mirrored else (g, g)
        a, b = (s.astype(g.dtype, copy=False) for s in self.signs)
        return (seen if a.ndim == b.ndim == 0 and a == b else np.reshape(a, (-1, 1)) * seen * b), total

    def energy(self, x, theta):
        """(scale/2) sum_ij G_ij (gain x_i - y_j)^2, (batch,)."""
        (a, b), (seen, total) = (_flat(x[name]) for name in self.layers), self._halves(theta)
        own = self.gain**2 * (a**2 @ total.sum(1)) + b**2 @ total.sum(0)
        return self.scale * (0.5 * own - self.gain * np.sum((a @ seen) * b, 1))

    def field(self, x, theta, layer):
        """Current into the nodes of a layer (A, over the gains before), shaped like it."""
        (a, b), (seen, total) = (_flat(x[name]) for name in self.layers), self._halves(theta)
        if layer == self.layers[0]:
            f = self.gain * (b @ seen.T) - self.gain**2 * total.sum(1) * a
        else:
            f = self.gain * (a @ seen) - total.sum(0) * b
        return (self.scale * f).reshape(x[layer].shape)

    def gradient(self, x, theta, weight):
        """Half the weighted square of every resistor's voltage, like G."""
        a, b = (_flat(x[name]) for name in self.layers)
        w = np.asarray(weight)
        own = 0.5 * (self.gain**2 * (w @ a**2)[:, None] + w @ b**2)
        signs = [s.astype(a.dtype, copy=False) for s in self.signs]
        across = self.gain * (signs[0] * a * w[:, None]).T @ (signs[1] * b)
        found = np.concatenate([own - across, own + across]) if self.mirrored else own - across
        return {self.parameter: self.scale * found}

    def curvature(self, x, theta, layer):
        """Conductance from each node, shaped like the layer."""
        _, total = self._halves(theta)
        if layer == self.layers[0]:
            return (self.scale * self.gain**2 * total.sum(1)).reshape(x[layer].shape[1:])
        return (self.scale * total.sum(0)).reshape(x[layer].shape[1:])

    def quadratic(self, theta):
        """Conductances from each node on the diagonal, -gain G beside it; b = 0."""
        import scipy.sparse as sp

        seen, total = self._halves(theta)
        n, m = seen.shape
        own, k = np.concatenate([self.gain**2 * total.sum(1), total.sum(0)]), np.arange(n + m)
        i, j = np.repeat(np.arange(n), m), n + np.tile(np.arange(m), n)  # resistors of 0 S are entries too
        across = -self.gain * seen.ravel()
        values = self.scale * np.concatenate([own, across, across])
        places = np.concatenate([k, i, j]), np.concatenate([k, j, i])
        return sp.coo_array((values, places), shape=(n + m, n + m)).tocsr(), np.zeros(n + m)

    def jacobian(self, x, theta):
        """Minus the quadratic form's matrix."""
        return -self.quadratic(theta)[0]


def _flat(x):
    return x.reshape(len(x), -1)
