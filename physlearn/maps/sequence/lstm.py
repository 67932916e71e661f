r"""Long short-term memory (Hochreiter and Schmidhuber 1997; the forget gate of Gers, Schmidhuber and Cummins 2000).

    i, f, o = sigma(x W + s U + b) of their blocks,   g = tanh(x W_g + s U_g + b_g)
    c' = f c + i g,   s' = o tanh c'

The state is s and c side by side, 2 units numbers; the value of the layer is s.
"""

from __future__ import annotations

import numpy as np

from physlearn.maps.sequence.recurrent import Recurrent, logistic


class LSTM(Recurrent):
    """A recurrent layer with a memory beside its state.

    Parameters
    ----------
    units : int
        Of s, and of c.
    name : str
        Of the parameters: name + ".W", ".U", ".b" with blocks i, f, g, o in this order, which is torch's; b of f
        starts at one, so that memory is kept at first (Jozefowicz et al. 2015).
    masked, started, reverse, scale
        As for every recurrent layer, see `physlearn.maps.sequence.recurrent`; a first state is (2 units,), s and then
        c.

    Examples
    --------
    >>> import numpy as np
    >>> layer = LSTM(2)
    >>> layer.start([(5, 3)], np.random.default_rng(0))["lstm.b"]
    array([0., 0., 1., 1., 0., 0., 0., 0.])
    """

    gates = 4
    parts = 2

    def __init__(self, units, name="lstm", **settings):
        super().__init__(units, name, **settings)

    def start(self, shapes, rng):
        """W normal, U orthogonal, b zero but for the forget gate."""
        first = super().start(shapes, rng)
        first[self.b][self.units : 2 * self.units] = 1.0
        return first

    def _open(self, a, theta):
        return a, np.empty((*a.shape[:2], self.units), a.dtype), theta[self.U]

    def _step(self, t, a, old, new, work):
        _, shown, u = work
        n = self.units
        a += old[:, :n] @ u
        logistic(a[:, : 2 * n])
        np.tanh(a[:, 2 * n : 3 * n], out=a[:, 2 * n : 3 * n])
        logistic(a[:, 3 * n :])
        np.multiply(a[:, n : 2 * n], old[:, n:], out=new[:, n:])
        new[:, n:] += a[:, :n] * a[:, 2 * n : 3 * n]
        np.tanh(new[:, n:], out=shown[t])
        np.multiply(a[:, 3 * n :], shown[t], out=new[:, :n])

    def _close(self, states, work):
        a, shown, _ = work
        n = self.units
        i, f, g, o = (a[:, :, k * n : (k + 1) * n] for k in range(4))
        by_memory = np.concatenate([g * i * (1 - i), states[:-1, :, n:] * f * (1 - f), i * (1 - g * g)], 2)
        return by_memory, shown * o * (1 - o), o * (1 - shown * shown)

    def _undo(self, t, ds, da, slopes, work):
        by_memory, by_o, through = slopes
        a, _, u = work
        n = self.units
        s, c = ds[:, :n], ds[:, n:]
        c += s * through[t]
        np.multiply(s, by_o[t], out=da[:, 3 * n :])
        blocks = da[:, : 3 * n].reshape(len(da), 3, n)
        np.multiply(c[:, None], by_memory[t].reshape(len(da), 3, n), out=blocks)
        old = np.empty_like(ds)
        np.matmul(da, u.T, out=old[:, :n])
        np.multiply(c, a[t, :, n : 2 * n], out=old[:, n:])
        return old

    def _weights(self, old, da, slopes, work):
        return {self.U: old[:, : self.units].T @ da}
