"""Terms of angles: the XY model, Kuramoto's oscillators, a field, a torque.

    AnglePairs   E = -sum_e J_e cos(x_i - x_j)            (Kosterlitz and Thouless 1973)
    AngleBias    E = -sum_i (h_i1 cos x_i + h_i2 sin x_i)
    Torque       omega_i, which no energy of period 2 pi has

With tau dx/dt = field these are dx_i/dt = omega_i + sum_j J_ij sin(x_j - x_i) (Kuramoto 1975), a gradient flow but for
omega.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import text
from physlearn.terms.fits import angles, expect_like, expect_shape, refuse_kinds
from physlearn.terms.pairs import Pairs


class AnglePairs:
    """Couplings within one layer of `Angle`, E = -sum_e J_e cos(x_i - x_j): J > 0 aligns.

    Parameters
    ----------
    layer : str
    pairs : (m, 2) array of int
        The two variables of every coupling (flat indices); parallel couplings add.
    n : int, optional
        Number of variables; default one more than the largest index.
    parameter : str
        Name in theta of the (m,) couplings J, energy.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Angle, Energy
    >>> coupled = AnglePairs("x", [(0, 1)])
    >>> pair = Energy({"x": (Angle(), 2)}, [coupled], {"J": [2.0]})
    >>> float(pair(np.array([0.5, 0.5 + np.pi])))
    2.0
    """

    holomorphic = True

    def __init__(self, layer, pairs, n=None, parameter="J"):
        checked = Pairs(layer, pairs, n, parameter)
        self.layers, self.parameter = checked.layers, parameter
        self.i, self.j, self.n, self._graph = checked.i, checked.j, checked.n, checked

    def __repr__(self):
        return brief(self, layers=self.layers, pairs=len(self.i), n=self.n, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse layers of no angles, another number of couplings than of pairs, of variables than of the layer's."""
        expect_angles(self, layers)
        expect_shape(theta, self.parameter, self.i.shape, "one for each pair")
        self._graph.check_size(layers)

    def energy(self, x, theta):
        """-sum J cos(x_i - x_j), (batch,)."""
        return -np.cos(self._drops(x)) @ theta[self.parameter]

    def field(self, x, theta, layer):
        """sum_j J_ij sin(x_j - x_i), shaped like the layer."""
        c, s, jc, js = self._felt(x[layer], theta)
        return (c * js - s * jc).reshape(x[layer].shape)

    def gradient(self, x, theta, weight):
        """-sum_b w_b cos(x_i - x_j), (m,)."""
        return {self.parameter: -(np.asarray(weight) @ np.cos(self._drops(x)))}

    def curvature(self, x, theta, layer):
        """sum_j J_ij cos(x_j - x_i): in every single angle the energy is a first harmonic."""
        c, s, jc, js = self._felt(x[layer], theta)
        return (c * jc + s * js).reshape(x[layer].shape)

    def jacobian(self, x, theta):
        """J_ij cos(x_j - x_i), less its sums over rows on the diagonal."""
        import scipy.sparse as sp

        flat = x[self.layers[0]].reshape(1, -1)[0]
        j = sp.csr_matrix(self.matrix(theta))
        rows = np.repeat(np.arange(self.n), np.diff(j.indptr))
        bent = sp.csr_matrix((j.data * np.cos(flat[j.indices] - flat[rows]), j.indices, j.indptr), j.shape)
        return bent - sp.diags_array(np.asarray(bent.sum(1)).ravel(), format="csr")

    def matrix(self, theta):
        """Symmetric couplings, CSR (n, n)."""
        return self._graph.matrix(theta)

    def _drops(self, x):
        flat = x[self.layers[0]].reshape(len(x[self.layers[0]]), -1)
        return flat[:, self.i] - flat[:, self.j]

    def _felt(self, x, theta):
        """cos x, sin x and the couplings times them, (batch, n) each."""
        flat = x.reshape(len(x), -1)
        c, s = np.cos(flat), np.sin(flat)
        matrix = self.matrix(theta)
        return c, s, (matrix @ c.T).T, (matrix @ s.T).T


class AngleBias:
    """A field on every angle, E = -sum_i (h_i1 cos x_i + h_i2 sin x_i): its size, and the direction that it favours.

    Parameters
    ----------
    layer : str
    parameter : str
        Name in theta of the field, (*shape, 2), energy.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn import Angle, Energy, relax
    >>> needle = Energy({"x": (Angle(), 1)}, [AngleBias("x")], {"field": [[0.0, 2.0]]})
    >>> relax(needle).x.round(6)  # a quarter of a turn
    array([1.570796])
    """

    holomorphic = True

    def __init__(self, layer, parameter="field"):
        self.layers, self.parameter = (text("layer", layer),), text("parameter", parameter)

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse layers of no angles, and fields of another shape."""
        expect_angles(self, layers)
        shape = (*layers[self.layers[0]].shape, 2)
        expect_shape(theta, self.parameter, shape, f"two components for every angle of layer {self.layers[0]!r}")

    def energy(self, x, theta):
        """-h.(cos x, sin x), (batch,)."""
        _, along = self._turned(x[self.layers[0]], theta)
        return -np.sum(along.reshape(len(along), -1), -1)

    def field(self, x, theta, layer):
        """h2 cos x - h1 sin x, shaped like the layer."""
        return self._turned(x[layer], theta)[0]

    def gradient(self, x, theta, weight):
        """-sum_b w_b (cos x, sin x), (*shape, 2)."""
        v = x[self.layers[0]]
        return {self.parameter: -np.tensordot(weight, np.stack([np.cos(v), np.sin(v)], -1), 1)}

    def curvature(self, x, theta, layer):
        """h1 cos x + h2 sin x."""
        return self._turned(x[layer], theta)[1]

    def jacobian(self, x, theta):
        """Minus the curvature on the diagonal."""
        import scipy.sparse as sp

        return sp.diags_array(-self._turned(x[self.layers[0]], theta)[1].ravel(), format="csr")

    def _turned(self, x, theta):
        """The field across and along every angle."""
        h, c, s = theta[self.parameter], np.cos(x), np.sin(x)
        return h[..., 1] * c - h[..., 0] * s, h[..., 0] * c + h[..., 1] * s


class Torque:
    """A constant velocity of every angle, for a `System`: the own frequencies omega of Kuramoto's oscillators.

    No energy of period 2 pi has this field: its angles turn for ever, which `integrate` follows.

    Parameters
    ----------
    layer : str
    parameter : str
        Name in theta of omega, shaped like the layer, tau rad/s.

    Examples
    --------
    Two oscillators whose frequencies differ by 1 rad/s lock, coupled by K = 1, at sin(difference) = 1/2:

    >>> import numpy as np
    >>> from physlearn import Angle, System, integrate
    >>> theta = {"J": [1.0], "omega": [0.5, -0.5]}
    >>> pair = System({"x": (Angle(), 2)}, [AnglePairs("x", [(0, 1)]), Torque("x")], theta)
    >>> run = integrate(pair, (0.0, 20.0), x0=[0.0, 0.0])
    >>> round(float(np.sin(run.final[0] - run.final[1])), 4)
    0.5
    """

    holomorphic = True

    def __init__(self, layer, parameter="omega"):
        self.layers, self.parameter = (text("layer", layer),), text("parameter", parameter)

    def __repr__(self):
        return brief(self, layers=self.layers, parameter=self.parameter)

    def check(self, layers, theta):
        """Refuse layers of no angles, and frequencies of another shape."""
        expect_angles(self, layers)
        expect_like(theta, self.parameter, layers, self.layers[0])

    def field(self, x, theta, layer):
        """omega, repeated over the batch."""
        return np.broadcast_to(theta[self.parameter], x[layer].shape)

    def response(self, x, theta, weight):
        """-sum_b w_b x, the turns made, shaped like the layer."""
        return {self.parameter: -np.tensordot(weight, x[self.layers[0]], 1)}

    def jacobian(self, x, theta):
        """Zero."""
        import scipy.sparse as sp

        n = x[self.layers[0]][0].size
        return sp.csr_matrix((n, n))


def expect_angles(term, layers):
    """ValueError unless a term's layer is one of angles."""
    name = term.layers[0]
    refuse_kinds(term, layers, name, (lambda kind: not angles(kind),), "take Angle")
