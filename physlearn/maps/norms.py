"""Normalisations: of every item by itself, and by statistics of a batch; dropout, whose mask a batch keeps.

Batch normalisation is no function of one item.  Here it is one all the same at every moment: with running statistics
where it is used, and with a batch's own, taken once in the free phase and held in all phases, where it learns.  So
items of a relaxation never see each other, and every phase has one energy; derivatives leave out how the statistics
would move.
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import number, positive, text
from physlearn.maps.map import Map, one_parent


class LayerNorm(Map):
    """y = gain (x - mean)/sqrt(variance + epsilon) + shift, over the last axis of every item (Ba et al. 2016).

    Parameters
    ----------
    gain, shift : str
        Names in theta, each (last axis,).
    epsilon : float

    Examples
    --------
    >>> import numpy as np
    >>> LayerNorm().forward((np.array([[1.0, 3.0]]),), {"gain": np.ones(2), "shift": np.zeros(2)})[0].round(3)
    array([[-1.,  1.]])
    """

    holomorphic = True

    def __init__(self, gain="gain", shift="shift", *, epsilon=1e-5):
        self.gain, self.shift = text("gain", gain, "a parameter's name"), text("shift", shift, "a parameter's name")
        self.epsilon = positive("epsilon", epsilon)
        self.parameters = (self.gain, self.shift)

    def __repr__(self):
        return brief(self, gain=self.gain, shift=self.shift, epsilon=self.epsilon)

    def shape(self, shapes):
        """The parent's."""
        return one_parent(self, shapes)

    def start(self, shapes, rng):
        """Gain one, shift zero."""
        n = one_parent(self, shapes)[-1]
        return {self.gain: np.ones(n), self.shift: np.zeros(n)}

    def forward(self, parents, theta):
        """Normalised, scaled and shifted; the tape is what was normalised, and by what."""
        (x,) = parents
        d = x - x.mean(-1, keepdims=True)
        size = np.sqrt((d * d).mean(-1, keepdims=True) + x.real.dtype.type(self.epsilon))
        z = d / size
        return z * theta[self.gain] + theta[self.shift], (z, size)

    def back(self, tape, cotangent, theta):
        """(c - mean c - z mean(c z))/size, c times the gain."""
        z, size = tape
        c = cotangent * theta[self.gain]
        return ((c - c.mean(-1, keepdims=True) - z * (c * z).mean(-1, keepdims=True)) / size,)

    def slope(self, tape, cotangent, theta):
        """Sums of c z and of c."""
        axes = tuple(range(cotangent.ndim - 1))
        return {self.gain: (cotangent * tape[0]).sum(axes), self.shift: cotangent.sum(axes)}


class BatchNorm(Map):
    """y = gain (x - mean)/sqrt(variance + epsilon) + shift, by channel, the last axis (Ioffe and Szegedy 2015).

    Parameters
    ----------
    name : str
        Of its parameters in theta, (channels,) each: name + ".gain" and ".shift", which are learnt, and ".mean" and
        ".variance", the running statistics, which are measured.
    momentum : float
        Share of a batch in the running statistics.
    epsilon : float

    Notes
    -----
    While a training holds a batch's statistics in all phases (see the module), its gradient is that of the network with
    these statistics, not of a network whose statistics move with the weights.

    Examples
    --------
    >>> import numpy as np
    >>> norm = BatchNorm("n")
    >>> theta = norm.start([(1,)], None)
    >>> held, measured = norm.fixed((np.array([[1.0], [3.0]]),), theta, None)
    >>> held.forward((np.array([[1.0], [3.0]]),), theta)[0].ravel().round(3), measured["n.mean"].round(3)
    (array([-1.,  1.]), array([0.2]))
    """

    across_batch = True
    holomorphic = True

    def __init__(self, name="norm", *, momentum=0.1, epsilon=1e-5):
        self.name = text("name", name)
        self.momentum, self.epsilon = number("momentum", momentum, 0, 1), positive("epsilon", epsilon)
        self.gain, self.shift = f"{name}.gain", f"{name}.shift"
        self.measured = (f"{name}.mean", f"{name}.variance")
        self.parameters = (self.gain, self.shift, *self.measured)

    def __repr__(self):
        return brief(self, name=self.name)

    def shape(self, shapes):
        """The parent's."""
        return one_parent(self, shapes)

    def start(self, shapes, rng):
        """Gain and running variance one, shift and running mean zero."""
        n = one_parent(self, shapes)[-1]
        return {
            self.gain: np.ones(n),
            self.shift: np.zeros(n),
            self.measured[0]: np.zeros(n),
            self.measured[1]: np.ones(n),
        }

    def forward(self, parents, theta):
        """By the running statistics."""
        return self._held(theta[self.measured[0]], theta[self.measured[1]]).forward(parents, theta)

    def back(self, tape, cotangent, theta):
        """c gain/size."""
        return (cotangent * (theta[self.gain] * tape[1]),)

    def slope(self, tape, cotangent, theta):
        """Sums of c z and of c."""
        axes = tuple(range(cotangent.ndim - 1))
        return {self.gain: (cotangent * tape[0]).sum(axes), self.shift: cotangent.sum(axes)}

    def fixed(self, parents, theta, rng):
        """The map with a batch's statistics, and the new running ones."""
        (x,) = parents
        axes = tuple(range(x.ndim - 1))
        n = x.size // x.shape[-1]
        mean, variance = x.mean(axes), x.var(axes)
        rounding = 16 * np.finfo(mean.dtype).eps * np.abs(mean)
        if n < 2 or not np.any(variance > rounding * rounding):
            raise ValueError(
                f"BatchNorm {self.name!r}: all {n} values of every channel in a batch are equal, so they have no "
                "variance to normalise by; use larger or shuffled batches, or LayerNorm"
            )
        old, share = (theta[name] for name in self.measured), theta[self.gain].dtype.type(self.momentum)
        new = (mean, variance * (n / (n - 1)))
        running = {k: (1 - share) * a + share * b for k, a, b in zip(self.measured, old, new, strict=True)}
        return self._held(mean, variance), running

    def _held(self, mean, variance):
        return Standardised(self.gain, self.shift, mean, 1 / np.sqrt(variance + variance.dtype.type(self.epsilon)))


class Standardised(Map):
    """y = gain (x - mean) scale + shift with given mean and scale: batch normalisation within one batch.

    Parameters
    ----------
    gain, shift : str
        Names in theta, each (channels,).
    mean, scale : (channels,) array

    Examples
    --------
    >>> import numpy as np
    >>> held = Standardised("gain", "shift", np.array([1.0]), np.array([0.5]))
    >>> held.forward((np.array([[5.0]]),), {"gain": np.ones(1), "shift": np.zeros(1)})[0]
    array([[2.]])
    """

    holomorphic = True

    def __init__(self, gain, shift, mean, scale):
        self.gain, self.shift, self.mean, self.scale = gain, shift, mean, scale
        self.parameters = (gain, shift)

    def __repr__(self):
        return brief(self, gain=self.gain, shift=self.shift, mean=self.mean, scale=self.scale)

    shape = BatchNorm.shape
    back = BatchNorm.back
    slope = BatchNorm.slope

    def forward(self, parents, theta):
        """Normalised, scaled and shifted; the tape is what was normalised, and by what."""
        kind = parents[0].real.dtype
        scale = self.scale.astype(kind, copy=False)
        z = (parents[0] - self.mean.astype(kind, copy=False)) * scale
        return z * theta[self.gain] + theta[self.shift], (z, scale)


class Dropout(Map):
    """Silence a share of all entries while learning, and scale the others up by 1/(1 - share) (Srivastava et al. 2014).

    The mask is drawn once a batch and kept in all phases; outside of training nothing is silenced.

    Parameters
    ----------
    share : float
        In [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> held, _ = Dropout(0.5).fixed((np.ones((1, 6)),), {}, np.random.default_rng(0))
    >>> held.forward((np.ones((1, 6)),), {})[0]
    array([[2., 0., 0., 0., 2., 2.]])
    """

    holomorphic = True

    def __init__(self, share=0.5):
        self.share = number("share", share, 0, 1)
        if self.share == 1:
            raise ValueError("share: got 1, expected 0 <= share < 1; nothing would be left")

    def __repr__(self):
        return brief(self, share=self.share)

    def shape(self, shapes):
        """The parent's."""
        return one_parent(self, shapes)

    def forward(self, parents, theta):
        """The parent."""
        return parents[0], None

    def back(self, tape, cotangent, theta):
        """c."""
        return (cotangent,)

    def fixed(self, parents, theta, rng):
        """The map with a mask for these items."""
        (x,) = parents
        mask = (rng.random(x.shape) >= self.share) / (1 - self.share)
        return Masked(mask.astype(x.real.dtype)), {}


class Masked(Map):
    """y = mask x: dropout within one batch.

    Parameters
    ----------
    mask : (batch, *shape) array

    Examples
    --------
    >>> import numpy as np
    >>> Masked(np.array([[2.0, 0.0]])).forward((np.ones((1, 2)),), {})[0]
    array([[2., 0.]])
    """

    holomorphic = True

    def __init__(self, mask):
        self.mask = mask

    def __repr__(self):
        return brief(self, mask=self.mask)

    def shape(self, shapes):
        """The parent's."""
        return one_parent(self, shapes)

    def forward(self, parents, theta):
        """mask x."""
        return parents[0] * self.mask.astype(parents[0].real.dtype, copy=False), None

    def back(self, tape, cotangent, theta):
        """mask c."""
        return (cotangent * self.mask,)
