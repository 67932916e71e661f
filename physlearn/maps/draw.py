"""A normal draw as a map: its mean and spread are a parent's, its noise is another parent, which is clamped.

So randomness enters a graph as data do, and everything behind it has exact derivatives (Kingma and Welling 2014).
"""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import count
from physlearn.maps.map import Map


class NormalDraw(Map):
    """z = m + exp(l/2) noise, of a code (m, l), means and logarithms of variances, (2 units,), and of noise, (units,).

    Parameters
    ----------
    units : int

    Examples
    --------
    >>> import numpy as np
    >>> code, noise = np.array([[1.0, np.log(4.0)]]), np.array([[0.5]])
    >>> NormalDraw(1).forward((code, noise), {})[0]
    array([[2.]])
    """

    holomorphic = True

    def __init__(self, units):
        self.units = count("units", units)

    def __repr__(self):
        return brief(self, units=self.units)

    def shape(self, shapes):
        """(units,)."""
        if [tuple(s) for s in shapes] != [(2 * self.units,), (self.units,)]:
            raise ValueError(
                f"NormalDraw: got parents of shapes {list(shapes)}, expected a code {(2 * self.units,)} and noise "
                f"{(self.units,)}"
            )
        return (self.units,)

    def forward(self, parents, theta):
        """The draw; the tape is the standard deviations and the noise."""
        code, noise = parents
        size = np.exp(0.5 * code[:, self.units :])
        return code[:, : self.units] + size * noise, (size, noise)

    def back(self, tape, cotangent, theta):
        """c to the mean, c noise exp(l/2)/2 to the logarithm, c exp(l/2) to the noise."""
        size, noise = tape
        by_noise = cotangent * size
        return np.concatenate([cotangent, 0.5 * by_noise * noise], 1), by_noise
