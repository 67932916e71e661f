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
from physlearn.maps.sequence.gates import (
    candidate_sum,
    mix,
    reset_state,
    reset_sum,
    sums,
    undo_after,
    undo_before,
    undo_reset,
)
from physlearn.maps.sequence.recurrent import Recurrent

MOST = {"f": np.float32(80.0), "d": 700.0}  # exponents that do not overflow; 1 + exp of them is all there is


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
        (steps, items, _), n, u = a.shape, self.units, theta[self.U]
        gates = np.empty((steps, items, 2 * n), a.dtype)
        candidate, inner = (np.empty((steps, items, n), a.dtype) for _ in range(2))  # inner: s U_n + c, or r s
        if self.reset == "after":
            parts = u, theta[self.c], np.empty((items, 3 * n), a.dtype)
        else:
            parts = np.ascontiguousarray(u[:, : 2 * n]), np.ascontiguousarray(u[:, 2 * n :]), None
        return gates, candidate, inner, parts

    def _step(self, t, a, old, new, work):
        gates, candidate, inner, (u, other, product) = work
        gates, candidate, inner, most = gates[t], candidate[t], inner[t], MOST[a.dtype.char]
        if self.reset == "after":
            np.matmul(old, u, out=product)
            sums(a, product, other, most, gates, inner)
            np.exp(gates, out=gates)
            reset_sum(a, most, gates, inner, candidate)
        else:
            sums(a, old @ u, other[0, :0], most, gates, inner)
            np.exp(gates, out=gates)
            reset_state(gates, old, inner)
            np.matmul(inner, other, out=candidate)
            candidate_sum(a, most, candidate)
        np.exp(candidate, out=candidate)
        mix(gates, old, candidate, new)

    def _close(self, states, work):
        steps, items, n = work[1].shape
        back = np.empty((steps, items, 3 * n), states.dtype) if self.reset == "after" else None
        return states, back, np.ascontiguousarray(work[3][0].T)

    def _undo(self, t, ds, da, slopes, work):
        (states, back, turned), (gates, candidate, inner, (_, other, _)) = slopes, work
        if self.reset == "after":
            undo_after(ds, gates[t], candidate[t], inner[t], states[t], da, back[t])
            old = back[t] @ turned
        else:
            undo_before(ds, gates[t], candidate[t], states[t], da)
            undo_reset(ds, gates[t], da[:, 2 * self.units :] @ other.T, states[t], da)
            old = da[:, : 2 * self.units] @ turned
        old += ds
        return old

    def _weights(self, old, da, slopes, work):
        m = 2 * self.units
        if self.reset == "after":
            back = slopes[1].reshape(len(old), -1)
            return {self.U: old.T @ back, self.c: np.ones(len(old), back.dtype) @ back[:, m:]}
        return {self.U: np.concatenate([old.T @ da[:, :m], work[2].reshape(len(old), -1).T @ da[:, m:]], 1)}
