r"""Gated recurrent units, with the reset gate on either side of the recurrent product.

    r = sigma(x W_r + s U_r + b_r),   z = sigma(x W_z + s U_z + b_z),   s' = z s + (1 - z) n
    "before"   n = tanh(x W_n + b_n + (r s) U_n)            Cho et al. 2014, eq. 8
    "after"    n = tanh(x W_n + b_n + r (s U_n + c))        torch, cuDNN

The two are different networks: no weights of one give the other.  z keeps the old state in both (in Chung et al. 2014
it lets the new one in).
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice
from physlearn.maps.sequence.recurrent import Recurrent, logistic


class GRU(Recurrent):
    """A recurrent layer whose gates say what is kept.

    Parameters
    ----------
    units : int
    name : str
        Of the parameters: name + ".W", ".U", ".b" with blocks r, z, n in this order; and ".c", (units,), with "after".
    reset : {"after", "before"}
        Where the reset gate acts, see the module.  One product a step with "after", two with "before".
    masked, started, reverse, scale
        As for every recurrent layer, see `physlearn.maps.sequence.recurrent`.

    Notes
    -----
    The weights of ``torch.nn.GRU`` are these, transposed, for "after": W = weight_ih^T, U = weight_hh^T, c the last
    third of bias_hh, and b = bias_ih with the first two thirds of bias_hh added.

    Examples
    --------
    >>> import numpy as np
    >>> layer = GRU(2)
    >>> theta = layer.start([(5, 3)], np.random.default_rng(0))
    >>> {name: value.shape for name, value in theta.items()}
    {'gru.W': (3, 6), 'gru.U': (2, 6), 'gru.b': (6,), 'gru.c': (2,)}
    """

    gates = 3

    def __init__(self, units, name="gru", *, reset="after", **settings):
        super().__init__(units, name, **settings)
        self.reset, self.c = choice("reset", reset, ("after", "before")), f"{name}.c"
        if reset == "after":
            self.parameters += (self.c,)

    def __repr__(self):
        return brief(self, units=self.units, name=self.name, reset=self.reset)

    def start(self, shapes, rng):
        """W normal, U orthogonal, biases zero."""
        first = super().start(shapes, rng)
        return first | {self.c: np.zeros(self.units)} if self.reset == "after" else first

    def _open(self, a, theta):
        n, u = self.units, theta[self.U]
        inner = np.empty((*a.shape[:2], n), a.dtype)  # s U_n + c, or r s
        rest = (np.empty(a.shape[1:], a.dtype),) if self.reset == "after" else ()
        parts = (u, theta[self.c]) if self.reset == "after" else (np.ascontiguousarray(u[:, : 2 * n]), u[:, 2 * n :])
        return a, inner, parts, rest

    def _step(self, t, a, old, new, work):
        _, inner, (u, c), rest = work
        n, m = self.units, 2 * self.units
        gates, candidate = a[:, :m], a[:, m:]  # written over a: r, z and n are kept there
        if rest:
            (product,) = rest
            np.matmul(old, u, out=product)
            gates += product[:, :m]
            logistic(gates)
            np.add(product[:, m:], c, out=inner[t])
            np.multiply(a[:, :n], inner[t], out=new)
            candidate += new
        else:
            gates += old @ u
            logistic(gates)
            np.multiply(a[:, :n], old, out=inner[t])
            candidate += inner[t] @ c
        np.tanh(candidate, out=candidate)
        np.subtract(old, candidate, out=new)
        new *= a[:, n:m]
        new += candidate

    def _close(self, states, work):
        a, inner, parts, rest = work
        n, m = self.units, 2 * self.units
        r, z, new = a[:, :, :n], a[:, :, n:m], a[:, :, m:]
        by_candidate = (1 - z) * (1 - new * new)
        by_z = z * (1 - z)
        by_z *= states[:-1] - new
        by_r = r * (1 - r)
        by_r *= inner if rest else states[:-1]
        recurrent = np.empty_like(a) if rest else None  # derivatives by s U, where they are not those by a
        return by_candidate, by_z, by_r, recurrent

    def _undo(self, t, ds, da, slopes, work):
        by_candidate, by_z, by_r, recurrent = slopes
        a, _, (u, c), rest = work
        n, m = self.units, 2 * self.units
        np.multiply(ds, by_candidate[t], out=da[:, m:])
        np.multiply(ds, by_z[t], out=da[:, n:m])
        if rest:
            np.multiply(da[:, m:], by_r[t], out=da[:, :n])
            back = recurrent[t]
            back[:, :m] = da[:, :m]
            np.multiply(da[:, m:], a[t, :, :n], out=back[:, m:])
            old = back @ u.T
        else:
            inside = da[:, m:] @ c.T
            np.multiply(inside, by_r[t], out=da[:, :n])
            old = da[:, :m] @ u.T
            inside *= a[t, :, :n]
            old += inside
        ds *= a[t, :, n:m]
        old += ds
        return old

    def _weights(self, old, da, slopes, work):
        n, m = self.units, 2 * self.units
        if self.reset == "after":
            back = slopes[3].reshape(len(old), -1)
            return {self.U: old.T @ back, self.c: back[:, m:].sum(0)}
        return {self.U: np.concatenate([old.T @ da[:, :m], work[1].reshape(-1, n).T @ da[:, m:]], 1)}
