"""Between layers of sequences and sets: maps of single entries, both directions, the last entry, pooling, residuals."""

from __future__ import annotations

import numpy as np

from physlearn.brief import brief
from physlearn.checks import choice, flag
from physlearn.maps.compose import add, check_is_map, shape_after
from physlearn.maps.map import Map, back, one_parent, slope
from physlearn.maps.sequence.recurrent import present


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
        n, *entry = _entries(self, shapes)
        return n, *shape_after(self.map, (tuple(entry),))

    def start(self, shapes, rng):
        """The map's."""
        entry = _entries(self, shapes)[1:]
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
        return tuple(_entries(self, shapes)[1:])

    def forward(self, parents, theta):
        """The last entry; the tape is the parent's shape."""
        return parents[0][:, -1], parents[0].shape

    def back(self, tape, cotangent, theta):
        """c to the last entry."""
        found = np.zeros(tape, cotangent.dtype)
        found[:, -1] = cotangent
        return (found,)


class Pool(Map):
    """Sum, mean or maximum over the first axis, whatever the order of its entries (Zaheer et al. 2017, deep sets).

    Parameters
    ----------
    by : {"sum", "mean", "max"}
        Of equal maxima the first counts.
    masked : bool
        There is a second parent, a mask: (entries,), at least 1/2 where there is an entry.

    Examples
    --------
    >>> import numpy as np
    >>> x, mask = np.array([[[1.0], [2.0], [9.0]]]), np.array([[1.0, 1.0, 0.0]])
    >>> Pool("mean", masked=True).forward((x, mask), {})[0]
    array([[1.5]])
    """

    def __init__(self, by="sum", *, masked=False):
        self.by, self.masked = choice("by", by, ("sum", "mean", "max")), flag("masked", masked)
        self.affine = by != "max" and not masked

    def __repr__(self):
        return brief(self, by=self.by, masked=self.masked)

    def shape(self, shapes):
        """Of one entry."""
        if len(shapes) != 1 + self.masked:
            raise ValueError(
                f"Pool: got {len(shapes)} parents, expected {1 + self.masked}: entries, and a mask or none"
            )
        n, *entry = _entries(self, shapes[:1])
        if self.masked and tuple(shapes[1]) != (n,):
            raise ValueError(f"Pool: a mask of shape {tuple(shapes[1])}, expected {(n,)}")
        return tuple(entry)

    def forward(self, parents, theta):
        """The pooled entries; the tape says how each takes part."""
        x = parents[0]
        keep = None
        if self.masked:
            keep = present(parents[1]).reshape(*x.shape[:2], *(1,) * (x.ndim - 2))
        if self.by == "max":
            place = (x if keep is None else np.where(keep, x, -np.inf)).argmax(1)[:, None]
            return np.take_along_axis(x, place, 1)[:, 0], (x.shape, place)
        share = None if keep is None else keep.astype(x.dtype)
        if self.by == "mean":
            share = x.dtype.type(1 / x.shape[1]) if share is None else share / share.sum(1, keepdims=True)
        return (x if share is None else x * share).sum(1), (x.shape, share)

    def back(self, tape, cotangent, theta):
        """Each entry's share of c."""
        shape, share = tape
        c = cotangent[:, None]
        if self.by == "max":
            found = np.zeros(shape, cotangent.dtype)
            np.put_along_axis(found, share, c, 1)
        else:
            found = np.broadcast_to(c if share is None else c * share, shape).copy()
        return (found, np.zeros(shape[:2], found.dtype)) if self.masked else (found,)


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


def _entries(map, shapes):
    """The parent's shape, which has entries along a first axis."""
    shape = one_parent(map, shapes)
    if not shape:
        raise ValueError(f"{type(map).__name__}: got a parent of shape (), expected entries along a first axis")
    return shape


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
