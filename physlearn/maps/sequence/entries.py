"""Maps entry by entry: one map on each token or node, features side by side, and changes of what there was."""

from __future__ import annotations

import numpy as np

from physlearn.maps.compose import check_is_map, shape_after
from physlearn.maps.map import Map, back, one_parent, slope


class Each(Map):
    """One map on every entry of the first axis: a layer on each token, node or set member, with shared parameters.

    Parameters
    ----------
    map : map
        Of one parent, which is one entry.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import Affine
    >>> layer = Each(Affine(1, "W", None))
    >>> layer.forward((np.ones((1, 3, 2)),), {"W": np.ones((2, 1))})[0].ravel()
    array([2., 2., 2.])
    """

    def __init__(self, map):
        self.map = check_is_map("map", map)
        self.parameters = tuple(getattr(map, "parameters", ()))
        self.holomorphic = getattr(map, "holomorphic", False)
        self.affine = getattr(map, "affine", False)
        if hasattr(map, "fixed"):
            raise TypeError(
                f"map: got {map!r}, whose numbers a batch holds fixed item by item; put it beside Each, not into it"
            )

    def __repr__(self):
        return f"Each({self.map!r})"

    def shape(self, shapes):
        """(entries, *shape of one value)."""
        n, *entry = entries_of(self, shapes)
        return n, *shape_after(self.map, (tuple(entry),))

    def start(self, shapes, rng):
        """The map's."""
        entry = entries_of(self, shapes)[1:]
        return self.map.start((tuple(entry),), rng) if hasattr(self.map, "start") else {}

    def forward(self, parents, theta):
        """All entries of all items at once."""
        (x,) = parents
        value, tape = self.map.forward((x.reshape(-1, *x.shape[2:]),), theta)
        return value.reshape(*x.shape[:2], *value.shape[1:]), (tape, x.shape)

    def pullback(self, tape, cotangent, theta):
        """Of all entries, the gradients summed over them."""
        (found,), gradient = self.map.pullback(tape[0], self._flat(cotangent), theta)
        return (found.reshape(tape[1]),), gradient

    def back(self, tape, cotangent, theta):
        """The entries' cotangents."""
        return (back(self.map, tape[0], self._flat(cotangent), theta)[0].reshape(tape[1]),)

    def slope(self, tape, cotangent, theta):
        """The gradients, summed over entries."""
        return slope(self.map, tape[0], self._flat(cotangent), theta)

    def _flat(self, cotangent):
        return cotangent.reshape(-1, *cotangent.shape[2:])


class Beside(Map):
    """Features of its parents side by side, entry by entry: (entries, a) and (entries, b) become (entries, a + b).

    Examples
    --------
    >>> import numpy as np
    >>> Beside().forward((np.array([[[1.0], [2.0]]]), np.array([[[3.0], [4.0]]])), {})[0].tolist()
    [[[1.0, 3.0], [2.0, 4.0]]]
    """

    holomorphic = True
    affine = True

    def __repr__(self):
        return "Beside()"

    def shape(self, shapes):
        """All features of every entry."""
        if not shapes or any(not s or tuple(s[:-1]) != tuple(shapes[0][:-1]) for s in shapes):
            raise ValueError(
                f"Beside: got parents of shapes {list(shapes)}, expected one shape but for the last axis; "
                "use Concatenate for others"
            )
        return *shapes[0][:-1], sum(s[-1] for s in shapes)

    def forward(self, parents, theta):
        """Side by side; the tape is how wide each is."""
        return np.concatenate(parents, -1), [x.shape[-1] for x in parents]

    def back(self, tape, cotangent, theta):
        """Each parent's part of c."""
        ends = np.cumsum([0, *tape])
        return tuple(cotangent[..., a:b] for a, b in zip(ends, ends[1:], strict=False))


class Residual(Map):
    """y = x + f(x): what is left to learn is the change (He et al. 2016).

    Parameters
    ----------
    map : map
        Whose value has its first parent's shape; other parents are passed to it.

    Examples
    --------
    >>> import numpy as np
    >>> from physlearn.maps import Tanh
    >>> layer = Residual(Tanh())
    >>> layer.forward((np.zeros((1, 2)),), {})[0]
    array([[0., 0.]])
    """

    def __init__(self, map):
        self.map = check_is_map("map", map)
        self.parameters = tuple(getattr(map, "parameters", ()))
        self.measured = tuple(getattr(map, "measured", ()))
        self.holomorphic = getattr(map, "holomorphic", False)
        self.across_batch = getattr(map, "across_batch", False)
        if hasattr(map, "fixed"):
            self.fixed = self._fixed

    def __repr__(self):
        return f"Residual({self.map!r})"

    def shape(self, shapes):
        """The first parent's."""
        if not shapes:
            raise ValueError("Residual: got no parents, expected at least one")
        made = shape_after(self.map, shapes)
        if made != tuple(shapes[0]):
            raise ValueError(f"Residual: {self.map!r} makes {made} of {tuple(shapes[0])}, expected the same shape")
        return made

    def start(self, shapes, rng):
        """The map's."""
        return self.map.start(shapes, rng) if hasattr(self.map, "start") else {}

    def forward(self, parents, theta):
        """x + f(x, ...)."""
        value, tape = self.map.forward(parents, theta)
        return parents[0] + value, tape

    def pullback(self, tape, cotangent, theta):
        """c, and what comes back through f."""
        (first, *rest), gradient = self.map.pullback(tape, cotangent, theta)
        return (first + cotangent, *rest), gradient

    def back(self, tape, cotangent, theta):
        """The parents' cotangents."""
        first, *rest = back(self.map, tape, cotangent, theta)
        return (first + cotangent, *rest)

    def slope(self, tape, cotangent, theta):
        """The map's gradients."""
        return slope(self.map, tape, cotangent, theta)

    def _fixed(self, parents, theta, rng):
        """With the map as it is throughout one batch."""
        m, measured = self.map.fixed(parents, theta, rng)
        return Residual(m), measured


def entries_of(map, shapes):
    """The parent's shape, which has entries along a first axis."""
    shape = one_parent(map, shapes)
    if not shape:
        raise ValueError(f"{type(map).__name__}: got a parent of shape (), expected entries along a first axis")
    return shape
