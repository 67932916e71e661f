r"""minGRU: gates that do not see the state, so that the recurrence is linear (Feng et al. 2024).

    z = sigma(x W_z + b_z),   c = x W_c + b_c,   s_t = (1 - z_t) s_(t-1) + z_t c_t

Composition of such steps is associative, (a2, b2) after (a1, b1) = (a1 a2, a2 b1 + b2), so that a sequence can be
scanned in log2(steps) passes.  That pays on many processors; on one core the plain loop over time does the least
work, exactly, and the scan is only another way to the same numbers.  In logarithms, as the paper has it, candidates
cannot be negative and single precision loses half its digits.
"""

from __future__ import annotations

import math

import numpy as np

from physlearn.checks import count
from physlearn.maps.sequence.recurrent import Recurrent, logistic


class MinGRU(Recurrent):
    """A recurrent layer whose steps are linear in the state; sums of past inputs, forgotten at rates that inputs set.

    Parameters
    ----------
    units : int
    name : str
        Of the parameters: name + ".W", (features, 2 units), and ".b", (2 units,), with blocks z and c.
    masked, started, reverse, scale
        As for every recurrent layer, see `physlearn.maps.sequence.recurrent`.

    Examples
    --------
    >>> MinGRU(4).parameters
    ('mingru.W', 'mingru.b')
    """

    gates = 2

    def __init__(self, units, name="mingru", **settings):
        super().__init__(units, name, **settings)
        self.parameters = (self.W, self.b)

    def start(self, shapes, rng):
        """W normal, b zero."""
        self.shape(shapes)
        features, wide = shapes[0][1], 2 * self.units
        count(f"theta[{self.W!r}], its entries", features * wide, each=8)
        w = rng.standard_normal((features, wide)) * (self.scale / math.sqrt(features))
        return {self.W: w, self.b: np.zeros(wide)}

    def _open(self, a, theta):
        logistic(a[:, :, : self.units])
        return a

    def _step(self, t, a, old, new, work):
        np.subtract(a[:, self.units :], old, out=new)
        new *= a[:, : self.units]
        new += old

    def _close(self, states, work):
        z, c = work[:, :, : self.units], work[:, :, self.units :]
        return (c - states[:-1]) * z * (1 - z)

    def _undo(self, t, ds, da, slopes, work):
        n = self.units
        np.multiply(ds, slopes[t], out=da[:, :n])
        np.multiply(ds, work[t, :, :n], out=da[:, n:])
        return ds - da[:, n:]

    def _weights(self, old, da, slopes, work):
        return {}
