"""The simple recurrent network of Elman (1990): s_t = f(x_t W + b + s_(t-1) U)."""

from __future__ import annotations

import numpy as np

from physlearn.checks import choice
from physlearn.maps.sequence.recurrent import Recurrent


class RNN(Recurrent):
    """A recurrent layer of one product a step.

    Gradients go through U once a step: with tanh they vanish or explode with the length (Bengio et al. 1994), with
    "identity" and U orthogonal they do neither.

    Parameters
    ----------
    units : int
    name : str
        Of the parameters: name + ".W", ".U", ".b".
    activation : {"tanh", "relu", "identity"}
    masked, started, reverse, scale
        As for every recurrent layer, see `physlearn.maps.sequence.recurrent`.

    Examples
    --------
    A sum, kept by a single unit:

    >>> import numpy as np
    >>> theta = {"sum.W": np.ones((1, 1)), "sum.U": np.ones((1, 1)), "sum.b": np.zeros(1)}
    >>> RNN(1, "sum", activation="identity").forward((np.array([[[1.0], [2.0], [3.0]]]),), theta)[0].ravel()
    array([1., 3., 6.])
    """

    def __init__(self, units, name="rnn", *, activation="tanh", **settings):
        super().__init__(units, name, **settings)
        self.activation = choice("activation", activation, ("tanh", "relu", "identity"))

    def _open(self, a, theta):
        return theta[self.U]

    def _step(self, t, a, old, new, work):
        np.matmul(old, work, out=new)
        new += a
        if self.activation == "tanh":
            np.tanh(new, out=new)
        elif self.activation == "relu":
            np.maximum(new, 0, out=new)

    def _close(self, states, work):
        if self.activation == "identity":
            return None
        return 1 - states[1:] * states[1:] if self.activation == "tanh" else (states[1:] > 0).astype(states.dtype)

    def _undo(self, t, ds, da, slopes, work):
        np.multiply(ds, 1 if slopes is None else slopes[t], out=da)
        return da @ work.T
