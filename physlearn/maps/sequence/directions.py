"""Sequences read from both ends, and where they have got to."""

from __future__ import annotations

import numpy as np

from physlearn.maps.compose import add, check_is_map
from physlearn.maps.map import Map
from physlearn.maps.sequence.entries import entries_of


class Bidirectional(Map):
    """Two recurrent layers side by side, one forwards and one backwards in time, (steps, units + units).

    Parameters
    ----------
    first, second : maps
        Of the same parents, such as ``GRU(8, "f")`` and ``GRU(8, "b", reverse=True)``.

    Examples
    --------
    >>> from physlearn.maps import RNN
    >>> both = Bidirectional(RNN(3, "f"), RNN(2, "b", reverse=True))
    >>> both.shape([(7, 1)])
    (7, 5)
    """

    def __init__(self, first, second):
        self.maps = (check_is_map("first", first), check_is_map("second", second))
        if getattr(first, "reverse", False) == getattr(second, "reverse", True):
            raise ValueError(
                f"first, second: got {first!r} and {second!r}, expected one with reverse=True and one without"
            )
        self.parameters = tuple(dict.fromkeys(name for m in self.maps for name in m.parameters))

    def __repr__(self):
        return f"Bidirectional({', '.join(map(repr, self.maps))})"

    def shape(self, shapes):
        """(steps, units of both)."""
        (steps, a), (_, b) = (m.shape(shapes) for m in self.maps)
        return steps, a + b

    def start(self, shapes, rng):
        """Those of both."""
        first, second = (m.start(shapes, rng) for m in self.maps)
        return second | first

    def forward(self, parents, theta):
        """States of both, side by side; the tapes of both."""
        (a, first), (b, second) = (m.forward(parents, theta) for m in self.maps)
        return np.concatenate([a, b], -1), (first, second, a.shape[-1])

    def pullback(self, tape, cotangent, theta):
        """Through both; what they share is summed."""
        first, second, cut = tape
        ones, gradient = self.maps[0].pullback(first, cotangent[..., :cut], theta)
        twos, new = self.maps[1].pullback(second, cotangent[..., cut:], theta)
        return tuple(a + b for a, b in zip(ones, twos, strict=True)), add(dict(gradient), new)


class Last(Map):
    """The last entry of the first axis: where a recurrent layer has got to.

    Examples
    --------
    >>> import numpy as np
    >>> Last().forward((np.array([[[1.0], [2.0]]]),), {})[0]
    array([[2.]])
    """

    holomorphic = True
    affine = True

    def __repr__(self):
        return "Last()"

    def shape(self, shapes):
        """Of one entry."""
        return tuple(entries_of(self, shapes)[1:])

    def forward(self, parents, theta):
        """The last entry; the tape is the parent's shape."""
        return parents[0][:, -1], parents[0].shape

    def back(self, tape, cotangent, theta):
        """c to the last entry."""
        found = np.zeros(tape, cotangent.dtype)
        found[:, -1] = cotangent
        return (found,)
